/* SPDX-License-Identifier: MIT */
#include "model/hmm/hmm.h"

#include "core/real.h"

#include <math.h>
#include <string.h>

#define LOG_TWO_PI 1.83787706640934548356
#define SUM_NOISE 1e-8 /* of probabilities given by a caller */

/* ---- the object ---- */

csm_status csm_hmm_new(csm_hmm **out, uint32_t states, size_t features) {
    *out = NULL;
    if (states < 1 || states > CSM_HMM_STATES_MAX || features < 1 || features > UINT32_MAX)
        return csm_fail(CSM_EINVAL, "hmm: %u states are outside 1..%d, or no features", states,
                        CSM_HMM_STATES_MAX);
    csm_hmm *hmm = csm_alloc_array(1, sizeof *hmm);
    if (!hmm) return CSM_ENOMEM;
    hmm->info = (csm_hmm_info){.states = states, .features = features, .log_likelihood = NAN};
    hmm->start = csm_alloc_array(states, sizeof(double));
    hmm->transition = csm_alloc_array((size_t)states * states, sizeof(double));
    hmm->mean = csm_alloc_array(states * features, sizeof(double));
    hmm->variance = csm_alloc_array(states * features, sizeof(double));
    if (!hmm->start || !hmm->transition || !hmm->mean || !hmm->variance) {
        csm_hmm_free(hmm);
        return CSM_ENOMEM;
    }
    *out = hmm;
    return CSM_OK;
}

void csm_hmm_free(csm_hmm *hmm) {
    if (!hmm) return;
    csm_dealloc(hmm->start);
    csm_dealloc(hmm->transition);
    csm_dealloc(hmm->mean);
    csm_dealloc(hmm->variance);
    csm_dealloc(hmm);
}

static csm_status check_distribution(const double *p, uint32_t states, const char *what, size_t row) {
    double sum = 0;
    bool good = true;
    for (uint32_t s = 0; s < states; s++) {
        good = good && p[s] >= 0;
        sum += p[s];
    }
    if (good && fabs(sum - 1) <= SUM_NOISE) return CSM_OK;
    return csm_fail(CSM_EINVAL, "hmm: %s %zu sums to %g or holds less than 0", what, row, sum);
}

static csm_status check_parameters(const csm_hmm *hmm) {
    uint32_t states = hmm->info.states;
    csm_status status = check_distribution(hmm->start, states, "start", 0);
    for (uint32_t s = 0; s < states && !status; s++)
        status = check_distribution(hmm->transition + s * states, states, "transition row", s);
    for (size_t i = 0; i < states * hmm->info.features && !status; i++) {
        if (!isfinite(hmm->mean[i]) || !(hmm->variance[i] > 0) || !isfinite(hmm->variance[i]))
            status = csm_fail(CSM_EINVAL, "hmm: mean %g and variance %g at %zu", hmm->mean[i],
                              hmm->variance[i], i);
    }
    return status;
}

csm_status csm_hmm_from(csm_hmm **out, uint32_t states, size_t features, const double *start,
                        const double *transition, const double *mean, const double *variance) {
    if (!out) return csm_fail(CSM_EINVAL, "hmm: out is NULL");
    *out = NULL;
    if (!start || !transition || !mean || !variance) return csm_fail(CSM_EINVAL, "hmm: a parameter is NULL");
    csm_hmm *hmm;
    csm_status status = csm_hmm_new(&hmm, states, features);
    if (status) return status;
    memcpy(hmm->start, start, states * sizeof *start);
    memcpy(hmm->transition, transition, (size_t)states * states * sizeof *transition);
    memcpy(hmm->mean, mean, states * features * sizeof *mean);
    memcpy(hmm->variance, variance, states * features * sizeof *variance);
    if ((status = check_parameters(hmm)))
        csm_hmm_free(hmm);
    else
        *out = hmm;
    return status;
}

csm_status csm_hmm_parameters(const csm_hmm *hmm, double *start, double *transition, double *mean,
                              double *variance) {
    if (!hmm) return csm_fail(CSM_EINVAL, "hmm: hmm is NULL");
    size_t states = hmm->info.states, cells = states * hmm->info.features;
    if (start) memcpy(start, hmm->start, states * sizeof *start);
    if (transition) memcpy(transition, hmm->transition, states * states * sizeof *transition);
    if (mean) memcpy(mean, hmm->mean, cells * sizeof *mean);
    if (variance) memcpy(variance, hmm->variance, cells * sizeof *variance);
    return CSM_OK;
}

csm_status csm_hmm_describe(csm_hmm_info *out, const csm_hmm *hmm) {
    if (!out || !hmm) return csm_fail(CSM_EINVAL, "hmm: out or hmm is NULL");
    *out = hmm->info;
    return CSM_OK;
}

/* ---- filtering ---- */

double csm_hmm_emission(double *emission, const csm_hmm *hmm, const double *row) {
    size_t features = hmm->info.features;
    double largest = -INFINITY;
    for (uint32_t s = 0; s < hmm->info.states; s++) {
        const double *mean = hmm->mean + s * features, *variance = hmm->variance + s * features;
        double log_density = 0;
        for (size_t f = 0; f < features; f++) {
            double distance = row[f] - mean[f];
            log_density -= 0.5 * (LOG_TWO_PI + csm_log(variance[f]) + distance * distance / variance[f]);
        }
        emission[s] = log_density;
        if (log_density > largest) largest = log_density;
    }
    if (largest < -1e300)
        largest = -1e300; /* beyond doubles from every state: none is likelier than another */
    for (uint32_t s = 0; s < hmm->info.states; s++)
        emission[s] = emission[s] < -1e300 && largest <= -1e300 ? 1 : csm_exp(emission[s] - largest);
    return largest;
}

double csm_hmm_forward(double *probability, const csm_hmm *hmm, const double *emission) {
    uint32_t states = hmm->info.states;
    double next[CSM_HMM_STATES_MAX], past = 0, scale = 0;
    for (uint32_t s = 0; s < states; s++) past += probability[s];
    for (uint32_t to = 0; to < states; to++) {
        double arrives = past > 0 ? 0 : hmm->start[to];
        for (uint32_t from = 0; from < states && past > 0; from++)
            arrives += probability[from] * hmm->transition[from * states + to];
        next[to] = arrives * emission[to];
        scale += next[to];
    }
    /* only states that cannot be reached explain the row: the emissions decide alone */
    double sum = scale;
    for (uint32_t s = 0; s < states && !(scale > 0); s++) sum += next[s] = emission[s];
    for (uint32_t s = 0; s < states; s++) probability[s] = next[s] / sum;
    return scale > 0 ? scale : 0x1p-1022;
}

csm_status csm_hmm_rows(double **rows, const csm_matrix *x, size_t features, const char *what) {
    *rows = NULL;
    if (!x || (!x->data && x->rows)) return csm_fail(CSM_EINVAL, "%s: x is NULL", what);
    if (x->dtype != CSM_F32 && x->dtype != CSM_F64)
        return csm_fail(CSM_EINVAL, "%s: x has type %d", what, (int)x->dtype);
    if (x->cols != features)
        return csm_fail(CSM_EINVAL, "%s: x has %zu columns, the model %zu features", what, x->cols, features);
    if (x->rows > SIZE_MAX / (features + 1)) return csm_fail(CSM_EINVAL, "%s: %zu rows", what, x->rows);
    double *copy = csm_alloc_array(x->rows * features, sizeof *copy);
    if (!copy) return CSM_ENOMEM;
    for (size_t i = 0; i < x->rows * features; i++) {
        copy[i] = csm_matrix_get(x, i / features, i % features);
        if (fabs(copy[i]) <= 1e100) continue;
        csm_fail(CSM_EINVAL, "%s: row %zu, column %zu is %g", what, i / features, i % features, copy[i]);
        csm_dealloc(copy);
        return CSM_EINVAL;
    }
    *rows = copy;
    return CSM_OK;
}

csm_status csm_hmm_step(double *probability, const csm_hmm *hmm, const double *row) {
    double emission[CSM_HMM_STATES_MAX];
    if (!probability || !hmm || !row) return csm_fail(CSM_EINVAL, "hmm: probability, hmm or row is NULL");
    for (size_t f = 0; f < hmm->info.features; f++) {
        if (!(fabs(row[f]) <= 1e100)) return csm_fail(CSM_EINVAL, "hmm: feature %zu is %g", f, row[f]);
    }
    for (uint32_t s = 0; s < hmm->info.states; s++) {
        if (!(probability[s] >= 0 && probability[s] <= 1 + SUM_NOISE))
            return csm_fail(CSM_EINVAL, "hmm: probability %u is %g", s, probability[s]);
    }
    csm_hmm_emission(emission, hmm, row);
    csm_hmm_forward(probability, hmm, emission);
    return CSM_OK;
}

csm_status csm_hmm_filter(csm_matrix *probability, double *log_likelihood, const csm_hmm *hmm,
                          const csm_matrix *x) {
    double state[CSM_HMM_STATES_MAX] = {0}, emission[CSM_HMM_STATES_MAX], sum = 0, *rows;
    if (!probability || !hmm || !x) return csm_fail(CSM_EINVAL, "hmm: probability, hmm or x is NULL");
    if (probability->dtype != CSM_F64) return csm_fail(CSM_EINVAL, "hmm: probability is not of doubles");
    if (probability->rows != x->rows || probability->cols != hmm->info.states ||
        (x->rows && !probability->data))
        return csm_fail(CSM_EINVAL, "hmm: probability is %zu x %zu, not %zu x %u", probability->rows,
                        probability->cols, x->rows, hmm->info.states);
    csm_status status = csm_hmm_rows(&rows, x, hmm->info.features, "hmm");
    if (status) return status;
    for (size_t t = 0; t < x->rows; t++) {
        sum += csm_hmm_emission(emission, hmm, rows + t * hmm->info.features);
        sum += csm_log(csm_hmm_forward(state, hmm, emission));
        double *out = (double *)probability->data + (ptrdiff_t)t * probability->row_stride;
        for (uint32_t s = 0; s < hmm->info.states; s++)
            out[(ptrdiff_t)s * probability->col_stride] = state[s];
    }
    if (log_likelihood) *log_likelihood = sum;
    csm_dealloc(rows);
    return CSM_OK;
}
