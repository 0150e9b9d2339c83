/* SPDX-License-Identifier: MIT */
/* Which rows and features a tree sees: depends on (seed, stream, round, row or feature) alone. */
#include "model/gbt/train.h"

#include <math.h>

/* Each row with the chance `share`, ascending; never none. */
size_t gbt_draw_rows(uint32_t *row, size_t rows, double share, uint64_t seed, uint64_t stream,
                     uint64_t round) {
    size_t kept = 0;
    stream = csm_random_u64(seed, stream, 0);
    for (size_t r = 0; r < rows; r++) {
        if (share >= 1 || csm_random_uniform(seed, stream, round * rows + r) < share)
            row[kept++] = (uint32_t)r;
    }
    if (kept == 0 && rows > 0) row[kept++] = (uint32_t)(round % rows);
    return kept;
}

static void shift_into_order(uint32_t *feature, size_t at) {
    uint32_t value = feature[at];
    for (; at > 0 && feature[at - 1] > value; at--) feature[at] = feature[at - 1];
    feature[at] = value;
}

/* ceil(share * features) of them without repetition (Fisher-Yates), ascending. */
size_t gbt_draw_features(uint32_t *feature, size_t features, double share, uint64_t seed, uint64_t stream,
                         uint64_t round) {
    size_t wanted = (size_t)ceil(share * (double)features);
    if (wanted > features) wanted = features;
    stream = csm_random_u64(seed, stream, 1);
    for (size_t f = 0; f < features; f++) feature[f] = (uint32_t)f;
    if (wanted == features) return features;
    for (size_t i = 0; i < wanted; i++) {
        double u = csm_random_uniform(seed, stream, round * features + i);
        size_t j = i + (size_t)(u * (double)(features - i));
        uint32_t swap = feature[i];
        feature[i] = feature[j];
        feature[j] = swap;
    }
    for (size_t i = 1; i < wanted; i++) shift_into_order(feature, i);
    return wanted;
}
