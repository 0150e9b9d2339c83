/* SPDX-License-Identifier: MIT */
/* Values of leaves from other rows, tree after tree: splits stay, each leaf becomes decay * old + (1 - decay) * new. */
#include "model/gbt/train.h"

#include <math.h>
#include <string.h>

typedef struct refit {
    const csm_gbt_kernels *kernels;
    csm_context *context;
    const csm_samples *samples;
    const double *values; /* parameters */
    gbt_ensemble *ensemble;
    gbt_target *target; /* outputs */
    double **score;     /* outputs */
    double *derivative; /* (2, rows) */
    uint32_t *leaf;     /* rows: node of the tree that a row falls in */
    double *sum;        /* (2, nodes of the largest tree) */
} refit;

static csm_status find_leaves(const refit *r, size_t root) {
    const gbt_ensemble *ensemble = r->ensemble;
    for (size_t i = 0; i < r->samples->length; i++) {
        const gbt_node *node = &ensemble->nodes[root];
        while (node->feature >= 0) {
            float x = (float)csm_matrix_get(&r->samples->x, i, (size_t)node->feature);
            node = &ensemble->nodes[node->left + !gbt_goes_left(ensemble, node, x)];
        }
        r->leaf[i] = (uint32_t)((size_t)(node - ensemble->nodes) - root);
    }
    return CSM_OK;
}

static csm_status derive(const refit *r, size_t output) {
    const gbt_target *target = &r->target[output];
    size_t rows = target->rows;
    csm_status status = target->ranked ? gbt_rank(target, r->score[output], r->context) : CSM_OK;
    for (size_t at = 0; at < rows && !status; at += GBT_ROW_BLOCK)
        gbt_derivatives(r->derivative + at, r->derivative + rows + at, target, r->score[output], at,
                        rows - at < GBT_ROW_BLOCK ? rows : at + GBT_ROW_BLOCK, r->kernels);
    return status;
}

/* The new value of a leaf with these sums, or of its rows where gradients alone do not give it. */
static csm_status value_of(double *out, const refit *r, size_t output, uint32_t node, size_t count,
                           uint32_t *rows) {
    const double *values = r->values;
    const gbt_target *target = &r->target[output];
    if (!gbt_renews_leaves(target)) {
        *out = gbt_step(r->sum[2 * node], r->sum[2 * node + 1], values[GBT_L1], values[GBT_L2], -INFINITY,
                        INFINITY);
        return CSM_OK;
    }
    size_t n = 0;
    for (size_t i = 0; n < count && i < r->samples->length; i++) {
        if (r->leaf[i] == node) rows[n++] = (uint32_t)i;
    }
    return gbt_renewed_value(out, target, r->score[output], rows, n);
}

static csm_status refit_tree(const refit *r, size_t tree, double decay, uint32_t *rows) {
    gbt_ensemble *ensemble = r->ensemble;
    size_t root = ensemble->root[tree], nodes = ensemble->root[tree + 1] - root;
    size_t output = tree % ensemble->outputs, length = r->samples->length;
    csm_status status = find_leaves(r, root);
    if (!status) status = derive(r, output);
    if (status) return status;
    memset(r->sum, 0, 2 * nodes * sizeof *r->sum);
    for (size_t n = 0; n < nodes; n++) ensemble->nodes[root + n].cover = 0;
    for (size_t i = 0; i < length; i++) {
        r->sum[2 * r->leaf[i]] += r->derivative[i];
        r->sum[2 * r->leaf[i] + 1] += r->derivative[length + i];
        ensemble->nodes[root + r->leaf[i]].cover++;
    }
    for (size_t n = nodes; n-- > 0;) {
        gbt_node *node = &ensemble->nodes[root + n];
        double value;
        if (node->feature >= 0) {
            node->cover = ensemble->nodes[node->left].cover + ensemble->nodes[node->left + 1].cover;
            continue;
        }
        if (node->cover == 0) continue; /* no row came here: it stays */
        if ((status = value_of(&value, r, output, (uint32_t)n, (size_t)node->cover, rows))) return status;
        node->value = decay * node->value + (1 - decay) * r->values[GBT_LEARNING_RATE] * value;
    }
    for (size_t i = 0; i < length; i++) r->score[output][i] += ensemble->nodes[root + r->leaf[i]].value;
    return CSM_OK;
}

static csm_status open_refit(refit *r, const csm_train_job *job) {
    size_t rows = r->samples->length, largest = 1;
    for (size_t t = 0; t < r->ensemble->trees; t++) {
        size_t nodes = r->ensemble->root[t + 1] - r->ensemble->root[t];
        largest = nodes > largest ? nodes : largest;
    }
    r->target = csm_alloc_array(job->head_count, sizeof *r->target);
    r->score = csm_alloc_array(job->head_count, sizeof *r->score);
    r->derivative = csm_alloc_array(rows, 2 * sizeof *r->derivative);
    r->leaf = csm_alloc_array(rows, sizeof *r->leaf);
    r->sum = csm_alloc_array(largest, 2 * sizeof *r->sum);
    if (!r->target || !r->score || !r->derivative || !r->leaf || !r->sum) return CSM_ENOMEM;
    for (size_t h = 0; h < job->head_count; h++) {
        csm_status status = gbt_target_open(&r->target[h], &r->score[h], r->samples, &job->heads[h]);
        if (status) return status;
        for (size_t i = 0; i < rows; i++) r->score[h][i] = r->ensemble->base[h];
    }
    return CSM_OK;
}

static void close_refit(refit *r, size_t heads) {
    for (size_t h = 0; h < heads && r->target && r->score; h++) {
        gbt_target_close(&r->target[h]);
        csm_dealloc(r->score[h]);
    }
    csm_dealloc(r->target);
    csm_dealloc((void *)r->score);
    csm_dealloc(r->derivative);
    csm_dealloc(r->leaf);
    csm_dealloc(r->sum);
}

csm_status gbt_refit(void **state, const void *old, const csm_train_job *job, double decay) {
    refit r = {.kernels = csm_gbt_kernels_of(csm_backend_isa()),
               .context = job->context,
               .samples = job->samples,
               .values = job->values};
    uint32_t *rows = csm_alloc_array(job->samples->length, sizeof *rows);
    csm_status status = rows ? gbt_ensemble_copy(&r.ensemble, old) : CSM_ENOMEM;
    *state = NULL;
    if (!status) status = gbt_check_x(&job->samples->x, r.ensemble->missing, "refit");
    if (!status) status = open_refit(&r, job);
    for (size_t t = 0; t < (status ? 0 : r.ensemble->trees) && !status; t++) {
        status = csm_progress(job->context, "refit gbt", t, r.ensemble->trees);
        if (!status) status = refit_tree(&r, t, decay, rows);
    }
    close_refit(&r, job->head_count);
    csm_dealloc(rows);
    if (status)
        gbt_ensemble_free(r.ensemble);
    else
        *state = r.ensemble;
    return status;
}
