/* SPDX-License-Identifier: MIT */
/* Values of leaves from the unrounded gradients of their rows, and the scores that they give. */
#include "model/gbt/train.h"

typedef struct leaf_job {
    gbt_grower *grower;
    const gbt_tree_data *data;
    const uint32_t *row;
    double *score;
} leaf_job;

/* Chunks of GBT_ROW_BLOCK rows of each leaf, in order. */
static csm_status chunk_leaves(gbt_grower *g) {
    g->chunk_count = 0;
    for (size_t i = 0; i < g->leaf_count; i++) {
        const gbt_growing *item = &g->item[g->leaf[i]];
        for (size_t at = 0; at < item->count; at += GBT_ROW_BLOCK) {
            size_t end = item->count - at < GBT_ROW_BLOCK ? item->count : at + GBT_ROW_BLOCK;
            csm_status status = gbt_grower_chunk(
                g, (gbt_chunk){.index = (uint32_t)i, .begin = item->begin + at, .end = item->begin + end});
            if (status) return status;
        }
    }
    return CSM_OK;
}

static void sum_exactly(gbt_chunk *chunk, const gbt_quanta *quanta, const uint32_t *row) {
    int64_t gradient = 0, hessian = 0;
    for (size_t i = chunk->begin; i < chunk->end; i++) {
        gradient += quanta->fixed[row[i]];
        hessian += quanta->fixed[quanta->rows + row[i]];
    }
    chunk->gradient = (double)gradient * quanta->gradient_unit;
    chunk->hessian = (double)hessian * quanta->hessian_unit;
}

static csm_status sum_chunks(void *user, size_t begin, size_t end, uint32_t worker) {
    const leaf_job *job = user;
    const gbt_quanta *quanta = job->data->quanta;
    const uint32_t *row = job->data->row;
    (void)worker;
    for (size_t c = begin; c < end; c++) {
        gbt_chunk *chunk = &job->grower->chunk[c];
        if (quanta->exact) {
            sum_exactly(chunk, quanta, row);
            continue;
        }
        double gradient = 0, hessian = 0;
        for (size_t i = chunk->begin; i < chunk->end; i++) gradient += (double)quanta->gradient[row[i]];
        for (size_t i = chunk->begin; quanta->hessian && i < chunk->end; i++)
            hessian += (double)quanta->hessian[row[i]];
        chunk->gradient = gradient;
        chunk->hessian = quanta->hessian ? hessian : (double)(chunk->end - chunk->begin);
    }
    return CSM_OK;
}

static csm_status renew_leaves(void *user, size_t begin, size_t end, uint32_t worker) {
    const leaf_job *job = user;
    gbt_grower *g = job->grower;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        const gbt_growing *item = &g->item[g->leaf[i]];
        double value;
        csm_status status = gbt_renewed_value(&value, job->data->target, job->data->score,
                                              job->data->row + item->begin, item->count);
        if (status) return status;
        value = value < item->lower ? item->lower : value > item->upper ? item->upper : value;
        g->value[i] = g->options.learning_rate * value;
    }
    return CSM_OK;
}

/* Newton's step of each leaf (Chen & Guestrin 2016, eq. 5), or its renewed value. */
csm_status gbt_leaf_values(gbt_grower *g, const gbt_tree_data *data) {
    leaf_job job = {.grower = g, .data = data};
    if (g->leaf_count == 1) return CSM_OK; /* no tree */
    if (gbt_renews_leaves(data->target))
        return csm_parallel_for(g->threads, g->leaf_count, 1, renew_leaves, &job);
    csm_status status = chunk_leaves(g);
    if (!status)
        status = csm_parallel_for(gbt_threads_for(g, data->row_count), g->chunk_count, 4, sum_chunks, &job);
    if (status) return status;
    for (size_t i = 0, c = 0; i < g->leaf_count; i++) {
        const gbt_growing *item = &g->item[g->leaf[i]];
        double gradient = 0, hessian = 0;
        for (; c < g->chunk_count && g->chunk[c].index == i; c++) {
            gradient += g->chunk[c].gradient;
            hessian += g->chunk[c].hessian;
        }
        g->value[i] = g->options.learning_rate * gbt_step(gradient, hessian, g->options.l1,
                                                          g->options.limits.l2, item->lower, item->upper);
    }
    return CSM_OK;
}

static csm_status add_chunks(void *user, size_t begin, size_t end, uint32_t worker) {
    const leaf_job *job = user;
    (void)worker;
    for (size_t c = begin; c < end; c++) {
        const gbt_chunk *chunk = &job->grower->chunk[c];
        double value = job->grower->value[chunk->index];
        for (size_t i = chunk->begin; i < chunk->end; i++) job->score[job->row[i]] += value;
    }
    return CSM_OK;
}

csm_status gbt_add_leaves(double *score, const gbt_grower *grower, const uint32_t *row) {
    gbt_grower *g = (gbt_grower *)(uintptr_t)grower;
    leaf_job job = {.grower = g, .row = row, .score = score};
    csm_status status = chunk_leaves(g);
    return status ? status
                  : csm_parallel_for(gbt_threads_for(g, g->bins->rows), g->chunk_count, 4, add_chunks, &job);
}
