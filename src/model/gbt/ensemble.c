/* SPDX-License-Identifier: MIT */
#include "model/gbt/predictor.h"

#include <math.h>
#include <string.h>

#define GBT_PLAN_ROWS 512 /* laying out a tree takes about as long as walking it for so many rows */

csm_status gbt_ensemble_new(gbt_ensemble **out, size_t features, uint32_t outputs, const double *base) {
    gbt_ensemble *ensemble = csm_alloc_array(1, sizeof *ensemble);
    *out = NULL;
    if (!ensemble) return CSM_ENOMEM;
    ensemble->features = features;
    ensemble->outputs = outputs;
    ensemble->base = csm_alloc_array(outputs, sizeof *ensemble->base);
    ensemble->link = csm_alloc_array(outputs, sizeof *ensemble->link);
    ensemble->root = csm_alloc_array(1, sizeof *ensemble->root);
    if (!ensemble->base || !ensemble->link || !ensemble->root) {
        gbt_ensemble_free(ensemble);
        return CSM_ENOMEM;
    }
    for (uint32_t o = 0; o < outputs; o++) {
        ensemble->base[o] = base[o];
        ensemble->link[o] = (gbt_link){GBT_LINK_IDENTITY, 1};
    }
    *out = ensemble;
    return CSM_OK;
}

void gbt_ensemble_free(void *state) {
    gbt_ensemble *ensemble = state;
    if (!ensemble) return;
    csm_dealloc(ensemble->base);
    csm_dealloc(ensemble->link);
    csm_dealloc(ensemble->root);
    csm_dealloc(ensemble->nodes);
    csm_dealloc(ensemble->category);
    csm_dealloc(ensemble);
}

csm_status gbt_ensemble_copy(gbt_ensemble **out, const gbt_ensemble *ensemble) {
    gbt_ensemble *copy;
    *out = NULL;
    csm_status status = gbt_ensemble_new(&copy, ensemble->features, ensemble->outputs, ensemble->base);
    if (status) return status;
    uint32_t *root = csm_realloc_array(copy->root, ensemble->trees + 1, sizeof *root);
    if (root) copy->root = root;
    copy->nodes = csm_alloc_array(ensemble->node_count, sizeof *copy->nodes);
    copy->category = csm_alloc_array(ensemble->category_count, sizeof *copy->category);
    if (!root || !copy->nodes || !copy->category) {
        gbt_ensemble_free(copy);
        return CSM_ENOMEM;
    }
    memcpy(copy->root, ensemble->root, (ensemble->trees + 1) * sizeof *root);
    if (ensemble->node_count)
        memcpy(copy->nodes, ensemble->nodes, ensemble->node_count * sizeof *copy->nodes);
    if (ensemble->category_count)
        memcpy(copy->category, ensemble->category, ensemble->category_count * sizeof *copy->category);
    for (uint32_t o = 0; o < ensemble->outputs; o++) copy->link[o] = ensemble->link[o];
    copy->missing = ensemble->missing;
    copy->trees = ensemble->trees;
    copy->node_count = copy->node_capacity = ensemble->node_count;
    copy->category_count = copy->category_capacity = ensemble->category_count;
    *out = copy;
    return CSM_OK;
}

csm_status gbt_ensemble_add_set(uint32_t *set, gbt_ensemble *ensemble, const uint32_t *words,
                                uint32_t word_count) {
    size_t count = ensemble->category_count + 1 + word_count;
    if (word_count > GBT_CATEGORIES_MAX / 32 || count > GBT_SET_WORDS_MAX)
        return csm_fail(CSM_EINVAL, "gbt: a set of %u words beside %zu of others is too large", word_count,
                        ensemble->category_count);
    if (count > ensemble->category_capacity) {
        uint32_t *grown = csm_realloc_array(ensemble->category, 2 * count, sizeof *grown);
        if (!grown) return CSM_ENOMEM;
        ensemble->category = grown;
        ensemble->category_capacity = 2 * count;
    }
    *set = (uint32_t)ensemble->category_count;
    ensemble->category[*set] = word_count;
    if (word_count) memcpy(ensemble->category + *set + 1, words, word_count * sizeof *words);
    ensemble->category_count = count;
    return CSM_OK;
}

csm_status gbt_ensemble_append(gbt_ensemble *ensemble, const gbt_node *nodes, size_t count) {
    if (ensemble->node_count > INT32_MAX - count)
        return csm_fail(CSM_EINVAL, "gbt: the trees have more than %d nodes", INT32_MAX);
    uint32_t *root = csm_realloc_array(ensemble->root, ensemble->trees + 2, sizeof *root);
    if (!root) return CSM_ENOMEM;
    ensemble->root = root;
    if (ensemble->node_count + count > ensemble->node_capacity) {
        size_t capacity = 2 * ensemble->node_capacity + count;
        gbt_node *grown = csm_realloc_array(ensemble->nodes, capacity, sizeof *grown);
        if (!grown) return CSM_ENOMEM;
        ensemble->nodes = grown;
        ensemble->node_capacity = capacity;
    }
    gbt_node *target = ensemble->nodes + ensemble->node_count;
    memcpy(target, nodes, count * sizeof *target);
    for (size_t n = 0; n < count; n++) {
        if (target[n].feature >= 0) target[n].left += (int32_t)ensemble->node_count;
    }
    ensemble->node_count += count;
    root[++ensemble->trees] = (uint32_t)ensemble->node_count;
    return CSM_OK;
}

void gbt_ensemble_truncate(gbt_ensemble *ensemble, size_t trees) {
    ensemble->trees = trees;
    ensemble->node_count = ensemble->root[trees];
}

/* ---- prediction ---- */

typedef struct predict_job {
    const gbt_run *run;
    const csm_matrix *x;
    csm_matrix *out;
} predict_job;

static csm_status predict_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    const predict_job *job = user;
    gbt_scratch *scratch;
    (void)worker;
    csm_status status = gbt_scratch_new(&scratch, job->run->plan);
    if (status) return status;
    status = gbt_run_rows(job->run, scratch, job->x, job->out, begin, end);
    gbt_scratch_free(scratch);
    return status;
}

/* Walks the nodes themselves: for so few rows that laying out the trees would take longer. */
static csm_status walk_rows(const gbt_ensemble *ensemble, const csm_matrix *x, csm_matrix *out) {
    csm_status status = CSM_ENOMEM;
    float *row = csm_alloc_array(ensemble->features, sizeof *row);
    double *sum = csm_alloc_array(ensemble->outputs, sizeof *sum);
    if (!row || !sum) goto done;
    for (size_t r = 0; r < x->rows; r++) {
        for (size_t f = 0; f < x->cols; f++) {
            row[f] = (float)csm_matrix_get(x, r, f);
            if (isfinite(row[f]) || (ensemble->missing && isnan(row[f]))) continue;
            status = csm_fail(CSM_EINVAL, "gbt: x is not a finite float at row %zu, column %zu", r, f);
            goto done;
        }
        memcpy(sum, ensemble->base, ensemble->outputs * sizeof *sum);
        for (size_t t = 0; t < ensemble->trees; t++) {
            const gbt_node *node = ensemble->nodes + ensemble->root[t];
            while (node->feature >= 0)
                node = ensemble->nodes + node->left + !gbt_goes_left(ensemble, node, row[node->feature]);
            sum[t % ensemble->outputs] += node->value;
        }
        for (uint32_t o = 0; o < ensemble->outputs; o++) {
            ptrdiff_t at = (ptrdiff_t)r * out->row_stride + (ptrdiff_t)o * out->col_stride;
            if (out->dtype == CSM_F64)
                ((double *)out->data)[at] = sum[o];
            else
                ((float *)out->data)[at] = (float)sum[o];
        }
    }
    status = CSM_OK;
done:
    csm_dealloc(row);
    csm_dealloc(sum);
    return status;
}

csm_status gbt_predict(const void *state, csm_context *context, const csm_samples *samples, csm_matrix *out) {
    const gbt_ensemble *ensemble = state;
    gbt_plan *plan;
    if (samples->length < GBT_PLAN_ROWS) return walk_rows(ensemble, &samples->x, out);
    csm_status status = gbt_plan_new(&plan, ensemble, ensemble->trees);
    if (status) return status;
    const gbt_run run = {plan, GBT_RESULT_RAW, 0, csm_backend_isa()};
    predict_job job = {&run, &samples->x, out};
    uint32_t threads = context ? csm_context_threads(context) : 1;
    status = csm_parallel_for(threads, samples->length, (size_t)16 * GBT_BLOCK, predict_rows, &job);
    gbt_plan_free(plan);
    return status;
}

csm_status gbt_importance(const void *state, double *out) {
    const gbt_ensemble *ensemble = state;
    for (size_t f = 0; f < ensemble->features; f++) out[f] = 0;
    for (size_t n = 0; n < ensemble->node_count; n++) {
        if (ensemble->nodes[n].feature >= 0) out[ensemble->nodes[n].feature] += ensemble->nodes[n].gain;
    }
    return CSM_OK;
}
