/* SPDX-License-Identifier: MIT */
/* Filtered states along a series, each said by a model that was fitted on earlier rows alone. */
#include "model/hmm/hmm.h"

#include <math.h>

static csm_status check(const csm_matrix *probability, const csm_matrix *x, size_t first, size_t every,
                        uint32_t states) {
    if (!probability || !x) return csm_fail(CSM_EINVAL, "hmm walk: probability or x is NULL");
    if (probability->dtype != CSM_F64) return csm_fail(CSM_EINVAL, "hmm walk: probability is not of doubles");
    if (probability->rows != x->rows || probability->cols != states || (x->rows && !probability->data))
        return csm_fail(CSM_EINVAL, "hmm walk: probability is %zu x %zu, not %zu x %u", probability->rows,
                        probability->cols, x->rows, states);
    if (first == 0 || every == 0)
        return csm_fail(CSM_EINVAL, "hmm walk: first %zu and every %zu must be above 0", first, every);
    return CSM_OK;
}

static csm_matrix first_rows(const csm_matrix *matrix, size_t rows) {
    csm_matrix view = *matrix;
    view.rows = rows;
    return view;
}

/* Rows [begin, end) by the model; earlier ones only lead up to them. */
static csm_status say_rows(csm_matrix *probability, const csm_hmm *hmm, const csm_matrix *x, size_t begin,
                           size_t end) {
    const size_t states = hmm->info.states;
    double *all = csm_alloc_array(end, states * sizeof *all);
    if (!all) return CSM_ENOMEM;
    csm_matrix said = csm_matrix_f64(all, end, states);
    const csm_matrix seen = first_rows(x, end);
    const csm_status status = csm_hmm_filter(&said, NULL, hmm, &seen);
    for (size_t t = begin; !status && t < end; t++) {
        double *out = (double *)probability->data + (ptrdiff_t)t * probability->row_stride;
        for (size_t s = 0; s < states; s++) out[(ptrdiff_t)s * probability->col_stride] = all[t * states + s];
    }
    csm_dealloc(all);
    return status;
}

csm_status csm_hmm_walk(csm_matrix *probability, csm_context *context, const csm_matrix *x, size_t first,
                        size_t every, const csm_hmm_options *user) {
    csm_hmm_options options;
    csm_hmm_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_hmm_options");
    if (!status) status = check(probability, x, first, every, options.states);
    if (status) return status;
    for (size_t t = 0; t < x->rows && t < first; t++) {
        double *out = (double *)probability->data + (ptrdiff_t)t * probability->row_stride;
        for (uint32_t s = 0; s < options.states; s++) out[(ptrdiff_t)s * probability->col_stride] = NAN;
    }
    for (size_t begin = first; !status && begin < x->rows; begin += every) {
        const size_t end = every < x->rows - begin ? begin + every : x->rows;
        const csm_matrix past = first_rows(x, begin);
        csm_hmm *hmm = NULL;
        status = csm_hmm_fit(&hmm, context, &past, NULL, &options);
        if (!status) status = say_rows(probability, hmm, x, begin, end);
        csm_hmm_free(hmm);
        if (end == x->rows) break; /* begin + every may not be a size */
    }
    return status;
}
