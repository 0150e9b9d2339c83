/* SPDX-License-Identifier: MIT */
/* Outputs of a model: which objective from which column of y. */
#include "model/internal.h"

#include <math.h>
#include <string.h>

#define HEADS_MAX 4096

/* The learner's parameter of this name, or `otherwise`. */
static double parameter_of(const csm_learner *learner, const double *values, const char *name,
                           double otherwise) {
    for (size_t p = 0; p < learner->parameter_count; p++) {
        if (strcmp(learner->parameters[p].name, name) == 0) return values[p];
    }
    return otherwise;
}

static csm_status check_column(const csm_samples *samples, uint32_t column, size_t head, const char *what) {
    for (size_t r = 0; r < samples->y.rows; r++) {
        const double value = csm_matrix_get(&samples->y, r, column);
        if (!(value >= 0 && value <= 1))
            return csm_fail(CSM_EINVAL,
                            "%s: y = %g at row %zu, column %u is outside 0..1 (head %zu is logistic)", what,
                            value, r, column, head);
    }
    return CSM_OK;
}

static csm_status check_head(const csm_learner *learner, const csm_samples *samples,
                             const csm_train_options *options, size_t at) {
    const csm_head *head = &options->heads[at];
    if (head->objective > 31 || !(learner->objectives & (1u << head->objective)))
        return csm_fail(CSM_EINVAL, "%s: objective %u of head %zu is not one it takes", learner->name,
                        head->objective, at);
    if (head->column >= samples->y.cols)
        return csm_fail(CSM_EINVAL, "head %zu: y has no column %u", at, head->column);
    if (!(isfinite(head->weight) && head->weight > 0))
        return csm_fail(CSM_EINVAL, "head %zu: weight %g is not above 0", at, head->weight);
    if (head->objective == CSM_OBJECTIVE_QUANTILE && !(head->parameter > 0 && head->parameter < 1))
        return csm_fail(CSM_EINVAL, "head %zu: quantile %g is outside (0, 1)", at, head->parameter);
    if (head->objective == CSM_OBJECTIVE_HUBER && !(isfinite(head->parameter) && head->parameter > 0))
        return csm_fail(CSM_EINVAL, "head %zu: delta %g is not above 0", at, head->parameter);
    if (head->objective == CSM_OBJECTIVE_LAMBDARANK && !samples->group)
        return csm_fail(CSM_EINVAL, "head %zu: LambdaRank needs groups of rows", at);
    if (head->objective != CSM_OBJECTIVE_LOGISTIC) return CSM_OK;
    csm_status status = check_column(samples, head->column, at, "train");
    if (status || !options->validation) return status;
    return check_column(options->validation, head->column, at, "validation");
}

csm_status csm_heads_resolve(csm_head **out, size_t *count, const csm_learner_class *learner,
                             const csm_samples *samples, const csm_train_options *options,
                             const double *values) {
    const size_t heads = options->heads ? options->head_count : samples->y.cols;
    csm_status status = CSM_OK;
    *out = NULL;
    if (options->heads && !learner->window && !learner->refit)
        return csm_fail(CSM_EUNSUPPORTED, "%s: takes one objective, no heads", learner->about.name);
    if (!options->heads && options->head_count)
        return csm_fail(CSM_EINVAL, "train: %zu heads but no array", options->head_count);
    if (heads == 0 || heads > HEADS_MAX)
        return csm_fail(CSM_EINVAL, "train: %zu heads are outside 1..%d", heads, HEADS_MAX);
    csm_head *resolved = csm_alloc_array(heads, sizeof *resolved);
    if (!resolved) return CSM_ENOMEM;
    for (size_t h = 0; h < heads && !status; h++) {
        if (options->heads) {
            status = check_head(&learner->about, samples, options, h);
            resolved[h] = options->heads[h];
            continue;
        }
        const bool quantile = options->objective == CSM_OBJECTIVE_QUANTILE;
        resolved[h] =
            (csm_head){.objective = options->objective,
                       .column = (uint32_t)h,
                       .parameter = parameter_of(&learner->about, values,
                                                 quantile ? "quantile" : "huber_delta", quantile ? 0.5 : 1),
                       .weight = 1};
    }
    if (status) {
        csm_dealloc(resolved);
        return status;
    }
    *out = resolved;
    *count = heads;
    return CSM_OK;
}
