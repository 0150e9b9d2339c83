/* SPDX-License-Identifier: MIT */
#include "model/explain/trees.h"

#include <math.h>

#define IMPORTANCE_ROWS 4096 /* explained at a time */

struct csm_explainer {
    tree_explanation trees;
};

void csm_explainer_options_init(csm_explainer_options *options) {
    *options = (csm_explainer_options){.size = sizeof *options};
}

static bool is_real(const csm_matrix *matrix) {
    return matrix->dtype == CSM_F32 || matrix->dtype == CSM_F64;
}

static csm_status check_rows(const csm_matrix *x, size_t features, const char *what) {
    if (x->cols != features || (x->rows && !x->data) || !is_real(x))
        return csm_fail(CSM_EINVAL, "explain: %s has %zu columns, expected %zu of f32 or f64", what, x->cols,
                        features);
    return CSM_OK;
}

csm_status csm_explainer_new(csm_explainer **out, const csm_model *model, const csm_explainer_options *user) {
    csm_explainer_options options;
    if (!out || !model) return csm_fail(CSM_EINVAL, "explain: out or model is NULL");
    *out = NULL;
    csm_explainer_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_explainer_options");
    if (status) return status;
    if (model->learner != &csm_learner_gbt)
        return csm_fail(CSM_EUNSUPPORTED, "explain: %s is not made of trees", model->info.learner);
    const csm_matrix *background = options.background;
    if (background && (status = check_rows(background, model->info.features, "background"))) return status;
    if (background && background->rows == 0)
        return csm_fail(CSM_ENODATA, "explain: the background has no rows");
    const gbt_ensemble *ensemble = model->state;
    csm_explainer *explainer = csm_alloc_array(1, sizeof *explainer);
    if (!explainer) return CSM_ENOMEM;
    tree_explanation *trees = &explainer->trees;
    trees->isa = csm_backend_isa();
    if ((status = gbt_plan_new(&trees->plan, ensemble, ensemble->trees))) goto fail;
    if ((status = tree_paths_make(trees, ensemble, background == NULL))) goto fail;
    if (background && (status = tree_background_set(trees, background))) goto fail;
    *out = explainer;
    return CSM_OK;
fail:
    csm_explainer_free(explainer);
    return status;
}

void csm_explainer_free(csm_explainer *explainer) {
    if (!explainer) return;
    gbt_plan_free(explainer->trees.plan);
    tree_paths_free(&explainer->trees.paths);
    csm_dealloc(explainer->trees.expected);
    csm_dealloc(explainer->trees.pattern);
    csm_dealloc(explainer->trees.first_pattern);
    csm_dealloc(explainer->trees.share);
    csm_dealloc(explainer);
}

static csm_status check_call(const csm_explainer *explainer, const csm_matrix *x, const csm_matrix *out,
                             size_t columns) {
    csm_status status = check_rows(x, explainer->trees.plan->features, "x");
    if (status) return status;
    if (out->rows != x->rows || out->cols != columns || (x->rows && !out->data) || !is_real(out))
        return csm_fail(CSM_EINVAL, "explain: out is %zu x %zu, expected %zu x %zu of f32 or f64", out->rows,
                        out->cols, x->rows, columns);
    return CSM_OK;
}

csm_status csm_explainer_values(const csm_explainer *explainer, csm_context *context, const csm_matrix *x,
                                csm_matrix *out) {
    if (!explainer || !x || !out) return csm_fail(CSM_EINVAL, "explain: explainer, x or out is NULL");
    const gbt_plan *plan = explainer->trees.plan;
    csm_status status = check_call(explainer, x, out, plan->outputs * (plan->features + 1));
    return status ? status : tree_explain(&explainer->trees, context, x, out);
}

csm_status csm_explainer_interactions(const csm_explainer *explainer, csm_context *context,
                                      const csm_matrix *x, csm_matrix *out) {
    if (!explainer || !x || !out) return csm_fail(CSM_EINVAL, "explain: explainer, x or out is NULL");
    const gbt_plan *plan = explainer->trees.plan;
    size_t side = plan->features + 1;
    if (explainer->trees.pattern)
        return csm_fail(CSM_EUNSUPPORTED, "explain: interactions are path-dependent, without a background");
    csm_status status = check_call(explainer, x, out, plan->outputs * side * side);
    return status ? status : tree_interact(&explainer->trees, context, x, out);
}

csm_status csm_explainer_importance(const csm_explainer *explainer, csm_context *context, const csm_matrix *x,
                                    double *out, size_t columns) {
    if (!explainer || !x || !out) return csm_fail(CSM_EINVAL, "explain: explainer, x or out is NULL");
    const gbt_plan *plan = explainer->trees.plan;
    size_t width = plan->outputs * (plan->features + 1);
    csm_status status = check_rows(x, plan->features, "x");
    if (status) return status;
    if (columns != plan->outputs * plan->features)
        return csm_fail(CSM_EINVAL, "explain: room for %zu values, expected %zu", columns,
                        plan->outputs * plan->features);
    if (x->rows == 0) return csm_fail(CSM_ENODATA, "explain: no rows");
    double *values = csm_alloc_array(width, IMPORTANCE_ROWS * sizeof *values);
    if (!values) return CSM_ENOMEM;
    for (size_t c = 0; c < columns; c++) out[c] = 0;
    for (size_t first = 0; first < x->rows && !status; first += IMPORTANCE_ROWS) {
        csm_matrix part = *x;
        size_t step = (size_t)(x->dtype == CSM_F64 ? sizeof(double) : sizeof(float));
        part.rows = x->rows - first < IMPORTANCE_ROWS ? x->rows - first : IMPORTANCE_ROWS;
        part.data = (char *)x->data + (ptrdiff_t)first * x->row_stride * (ptrdiff_t)step;
        csm_matrix to = csm_matrix_f64(values, part.rows, width);
        status = tree_explain(&explainer->trees, context, &part, &to);
        for (size_t r = 0; r < part.rows && !status; r++) {
            for (size_t c = 0; c < columns; c++)
                out[c] +=
                    fabs(values[r * width + c / plan->features * (plan->features + 1) + c % plan->features]);
        }
    }
    for (size_t c = 0; c < columns; c++) out[c] /= (double)x->rows;
    csm_dealloc(values);
    return status;
}

csm_status csm_model_split_counts(const csm_model *model, double *out, size_t features) {
    if (!model || !out) return csm_fail(CSM_EINVAL, "split counts: model or out is NULL");
    if (model->learner != &csm_learner_gbt)
        return csm_fail(CSM_EUNSUPPORTED, "split counts: %s is not made of trees", model->info.learner);
    if (features != model->info.features)
        return csm_fail(CSM_EINVAL, "split counts: room for %zu features, the model has %zu", features,
                        model->info.features);
    const gbt_ensemble *ensemble = model->state;
    for (size_t f = 0; f < features; f++) out[f] = 0;
    for (size_t n = 0; n < ensemble->node_count; n++) {
        if (ensemble->nodes[n].feature >= 0) out[ensemble->nodes[n].feature]++;
    }
    return CSM_OK;
}
