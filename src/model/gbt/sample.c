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

static float median_of_three(float a, float b, float c) {
    float low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* The value that `wanted` of n values exceed or equal (Hoare's selection). Reorders them. */
static float value_of_rank(float *values, size_t n, size_t wanted) {
    size_t begin = 0, end = n, at = wanted - 1; /* in descending order */
    while (end - begin > 1) {
        float pivot = median_of_three(values[begin], values[begin + (end - begin) / 2], values[end - 1]);
        size_t above = begin, below = end;
        for (size_t i = begin; i < below;) {
            float v = values[i];
            if (v > pivot) {
                values[i++] = values[above];
                values[above++] = v;
            } else if (v < pivot) {
                values[i] = values[--below];
                values[below] = v;
            } else {
                i++;
            }
        }
        if (at >= above && at < below) return pivot;
        if (at < above)
            end = above;
        else
            begin = below;
    }
    return values[begin];
}

csm_status gbt_draw_by_gradient(uint32_t *row, size_t *count, gbt_quanta *quanta, double top, double other,
                                uint64_t seed, uint64_t stream, uint64_t round) {
    size_t rows = quanta->rows, kept = 0, tops = (size_t)(top * (double)rows);
    float *size = csm_alloc(rows * sizeof *size);
    if (!size) return CSM_ENOMEM;
    for (size_t r = 0; r < rows; r++) size[r] = (float)fabs(gbt_quanta_gradient(quanta, r));
    float threshold = value_of_rank(size, rows, tops > 0 ? tops : 1);
    double chance = top < 1 ? other / (1 - top) : 1, factor = chance < 1 ? 1 / chance : 1, largest = 0;
    stream = csm_random_u64(seed, stream, 3);
    for (size_t r = 0; r < rows; r++) {
        double gradient = fabs(gbt_quanta_gradient(quanta, r));
        if ((float)gradient < threshold) {
            if (csm_random_uniform(seed, stream, round * rows + r) >= chance) continue;
            gbt_quanta_amplify(quanta, r, factor);
            gradient *= factor;
        }
        largest = gradient > largest ? gradient : largest;
        row[kept++] = (uint32_t)r;
    }
    quanta->largest_gradient = largest;
    quanta->largest_hessian *= factor;
    *count = kept;
    csm_dealloc(size);
    return CSM_OK;
}
