/* SPDX-License-Identifier: MIT */
/*
 * Trees grown on a card. Gradients, quanta, leaf values and scores are this processor's; a card sums, searches and partitions.
 * Its sums are of the same integers and its searches take the same operations, so the model is the processor's, bit for bit.
 */
#include "model/gbt/train.h"

#include <string.h>

csm_status gbt_card_check(const csm_train_job *job) {
    const double *values = job->values;
    const struct {
        bool asked;
        const char *name;
    } only_here[] = {
        {values[GBT_QUANTISE] < 1, "quantise = 0"},
        {values[GBT_MISSING] > 0, "missing values"},
        {values[GBT_L1] > 0, "l1"},
        {values[GBT_DEPTH_WISE] > 0, "depth_wise"},
        {job->categorical, "categorical features"},
        {job->monotone, "monotone constraints"},
    };
    for (size_t i = 0; i < sizeof only_here / sizeof *only_here; i++) {
        if (only_here[i].asked)
            return csm_fail(CSM_EUNSUPPORTED, "gbt: trees with %s are grown on the CPU only",
                            only_here[i].name);
    }
    return CSM_OK;
}

csm_status gbt_card_open(gbt_grower *g, uint32_t device) {
    const gbt_bins *bins = g->bins;
    const csm_gbt_cuda_data data = {.device = device,
                                    .code = bins->code,
                                    .stride = bins->stride,
                                    .rows = bins->rows,
                                    .features = bins->features,
                                    .bins = bins->count,
                                    .slots = bins->slots,
                                    .leaves = g->options.leaves};
    g->card_split = csm_alloc_array(g->options.leaves, sizeof *g->card_split);
    g->card_row = csm_alloc_array(bins->rows, sizeof *g->card_row);
    if (!g->card_split || !g->card_row) return CSM_ENOMEM;
    return csm_gbt_cuda_new(&g->card, &data);
}

void gbt_card_close(gbt_grower *g) {
    csm_gbt_cuda_free(g->card);
    csm_dealloc(g->card_split);
    csm_dealloc(g->card_row);
}

csm_status gbt_card_grow(gbt_node *nodes, size_t *count, gbt_grower *g, const gbt_tree_data *data,
                         gbt_ensemble *ensemble) {
    const gbt_quanta *quanta = data->quanta;
    const csm_gbt_cuda_round round = {.quantum = quanta->quantum,
                                      .narrow_shift = quanta->narrow_shift,
                                      .counted = quanta->hessian == NULL,
                                      .gradient_unit = quanta->gradient_unit,
                                      .hessian_unit = quanta->hessian_unit,
                                      .row = data->row,
                                      .row_count = data->row_count,
                                      .feature = data->feature,
                                      .feature_count = data->feature_count,
                                      .depth = g->options.depth,
                                      .limits = g->options.limits};
    uint32_t splits = 0;
    csm_status status = csm_gbt_cuda_grow(g->card, g->card_split, &splits, g->card_row, &round);
    if (status) return status;
    memcpy(data->row, g->card_row, data->row_count * sizeof *data->row);
    for (uint32_t s = 0; s < splits && !status; s++) {
        const csm_gbt_cuda_split *split = &g->card_split[s];
        const uint32_t index = g->leaf[split->leaf];
        g->item[index].split = (gbt_split){.gain = split->gain, .feature = split->feature, .bin = split->bin};
        gbt_make_children(g, index, split->lefts);
        status = gbt_keep_split(nodes, count, g, split->leaf, ensemble);
    }
    return status;
}
