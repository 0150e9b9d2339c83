/* SPDX-License-Identifier: MIT */
/*
 * The best split of a leaf by one feature. Plain features go through a kernel; whatever needs more (l1, missing values,
 * categories, monotone constraints) is scanned here with the gain written out: what a side of the sums G, H takes off the
 * loss with the value w is -(2 G w + (H + l2) w^2 + 2 l1 |w|).
 */
#include "model/gbt/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GAIN_NOISE 1e-12 /* of two sums of squares that cancel, this share is rounding */
/* As LightGBM's cat_smooth, cat_l2 and max_cat_threshold. */
#define CATEGORY_SMOOTH 10.0
#define CATEGORY_L2 10.0
#define CATEGORIES_LEFT 32

typedef struct side {
    double gradient;
    double hessian;
    double count;
} side;

typedef struct scan {
    gbt_split best;
    const gbt_grow_options *options;
    double l2;
    double lower; /* of values, by monotone splits above */
    double upper;
    int monotone;
    side total;
    double whole; /* what the leaf takes off the loss unsplit */
} scan;

static side plus(side a, side b) {
    return (side){a.gradient + b.gradient, a.hessian + b.hessian, a.count + b.count};
}

static side minus(side a, side b) {
    return (side){a.gradient - b.gradient, a.hessian - b.hessian, a.count - b.count};
}

double gbt_step(double gradient, double hessian, double l1, double l2, double lower, double upper) {
    double shrunk = gradient > l1 ? gradient - l1 : gradient < -l1 ? gradient + l1 : 0;
    double value = hessian + l2 > 0 ? -shrunk / (hessian + l2) : 0;
    return value < lower ? lower : value > upper ? upper : value;
}

static double step_of(const scan *s, side part) {
    return gbt_step(part.gradient, part.hessian, s->options->l1, s->l2, s->lower, s->upper);
}

static double taken_off(const scan *s, side part, double value) {
    return -(2 * part.gradient * value + (part.hessian + s->l2) * value * value +
             2 * s->options->l1 * fabs(value));
}

static bool is_allowed(const scan *s, side part) {
    const csm_gbt_limits *limits = &s->options->limits;
    return part.count >= limits->min_rows && part.hessian >= limits->min_hessian && part.hessian + s->l2 > 0;
}

/* Tries one division; true when it is the best so far. */
static bool try_division(scan *s, side left) {
    side right = minus(s->total, left);
    if (!is_allowed(s, left) || !is_allowed(s, right)) return false;
    double to_left = step_of(s, left), to_right = step_of(s, right);
    if ((s->monotone > 0 && to_left > to_right) || (s->monotone < 0 && to_left < to_right)) return false;
    double parts = taken_off(s, left, to_left) + taken_off(s, right, to_right), gain = parts - s->whole;
    if (!(gain > s->best.gain && gain > s->options->limits.min_gain && gain > GAIN_NOISE * parts))
        return false;
    s->best.gain = gain;
    s->best.left_value = to_left;
    s->best.right_value = to_right;
    return true;
}

static side bin_of(const csm_gbt_prefix *prefix, uint32_t b) {
    side to = {prefix->gradient[b], prefix->hessian[b], prefix->count[b]};
    if (b == 0) return to;
    return minus(to, (side){prefix->gradient[b - 1], prefix->hessian[b - 1], prefix->count[b - 1]});
}

/* Behind each bin, with missing values on either side. Where the leaf has none, those met later follow the larger side. */
static void scan_numbers(scan *s, const csm_gbt_prefix *prefix, uint32_t bins, side missing, bool may_miss) {
    bool any = missing.count > 0;
    for (int to_left = 0; to_left <= (any ? 1 : 0); to_left++) {
        uint32_t last = any && !to_left ? bins : bins - 1;
        for (uint32_t b = 0; b < last; b++) {
            side left = {prefix->gradient[b], prefix->hessian[b], prefix->count[b]};
            if (to_left) left = plus(left, missing);
            if (!try_division(s, left)) continue;
            s->best.bin = b;
            s->best.flags =
                !may_miss ? 0
                          : GBT_NODE_MISSING_NAN | ((any ? to_left != 0 : 2 * left.count > s->total.count)
                                                        ? GBT_NODE_MISSING_LEFT
                                                        : 0);
        }
    }
}

typedef struct ranked_category {
    double rank;
    uint32_t bin;
} ranked_category;

static int by_rank(const void *a, const void *b) {
    const ranked_category *left = a, *right = b;
    if (left->rank != right->rank) return left->rank < right->rank ? -1 : 1;
    return left->bin < right->bin ? -1 : left->bin > right->bin;
}

/* Sets of categories: sorted by gradient over hessian the best one is a run from either end (Fisher 1958), of which at
 * most CATEGORIES_LEFT are tried. The last bin holds categories that are not told apart; it goes right, as NaN does. */
static void scan_categories(scan *s, const csm_gbt_prefix *prefix, uint32_t bins, bool may_miss) {
    ranked_category order[CSM_GBT_SLOTS_MAX];
    uint32_t count = 0;
    for (uint32_t b = 0; b + 1 < bins; b++) {
        side bin = bin_of(prefix, b);
        if (bin.count <= 0) continue;
        order[count++] = (ranked_category){bin.gradient / (bin.hessian + CATEGORY_SMOOTH), b};
    }
    if (count == 0) return;
    qsort(order, count, sizeof *order, by_rank);
    for (int from_end = 0; from_end < 2; from_end++) {
        side left = {0};
        uint64_t set[4] = {0};
        for (uint32_t i = 0; i < count && i < CATEGORIES_LEFT; i++) {
            uint32_t b = order[from_end ? count - 1 - i : i].bin;
            left = plus(left, bin_of(prefix, b));
            set[b / 64] |= UINT64_C(1) << b % 64;
            if (!try_division(s, left)) continue;
            memcpy(s->best.left, set, sizeof set);
            s->best.flags = GBT_NODE_CATEGORICAL | (may_miss ? GBT_NODE_MISSING_NAN : 0);
        }
    }
}

/* Counts as they are, or as hessians share them out. */
static void set_counts(csm_gbt_prefix *prefix, uint32_t bins, const uint64_t *counts, double rows_a_hessian) {
    uint64_t sum = 0;
    for (uint32_t b = 0; b < bins; b++)
        prefix->count[b] = counts ? (double)(sum += counts[b]) : prefix->count[b] * rows_a_hessian;
}

static side last_of(const csm_gbt_prefix *prefix, uint32_t bins) {
    return (side){prefix->gradient[bins - 1], prefix->hessian[bins - 1], prefix->count[bins - 1]};
}

static void scan_feature(gbt_split *best, const gbt_grower *g, const gbt_growing *item, uint32_t f,
                         const csm_gbt_prefix *prefix, side missing) {
    const gbt_bins *bins = g->bins;
    bool is_category = bins->categorical && bins->categorical[f];
    scan s = {.options = &g->options,
              .l2 = g->options.limits.l2 + (is_category ? CATEGORY_L2 : 0),
              .lower = item->lower,
              .upper = item->upper,
              .monotone = g->options.monotone ? g->options.monotone[f] : 0};
    s.total = plus(last_of(prefix, bins->count[f]), missing);
    s.whole = taken_off(&s, s.total, step_of(&s, s.total));
    if (is_category)
        scan_categories(&s, prefix, bins->count[f], bins->missing);
    else
        scan_numbers(&s, prefix, bins->count[f], missing, bins->missing);
    if (!(s.best.gain > best->gain)) return;
    *best = s.best;
    best->feature = f;
}

static bool is_plain(const gbt_grower *g, const gbt_growing *item, uint32_t f) {
    return !g->bins->missing && !(g->bins->categorical && g->bins->categorical[f]) && g->options.l1 <= 0 &&
           !(g->options.monotone && g->options.monotone[f]) && isinf(item->lower) && isinf(item->upper);
}

void gbt_search_feature(gbt_split *best, const gbt_grower *g, const gbt_quanta *quanta,
                        const gbt_growing *item, uint32_t f, const uint64_t *counts) {
    uint32_t bins = g->bins->count[f], missing_slot = g->bins->slots - 1;
    size_t at = (size_t)f * g->bins->slots, plane = quanta->exact ? g->buckets : 0;
    const double units[2] = {quanta->gradient_unit, quanta->hessian_unit};
    csm_gbt_prefix prefix;
    side missing = {0};
    if (bins < 2 && !g->bins->missing) return;
    g->kernels->prefix(&prefix, item->histogram + at, plane, bins, units[0], units[1]);
    if (g->bins->missing) {
        csm_gbt_prefix of_missing;
        g->kernels->prefix(&of_missing, item->histogram + at + missing_slot, plane, 1, units[0], units[1]);
        missing = last_of(&of_missing, 1);
    }
    if (counts || (!quanta->exact && quanta->hessian)) {
        double total = prefix.count[bins - 1] + missing.count;
        double rows = total > 0 ? (double)item->count / total : 0;
        set_counts(&prefix, bins, counts ? counts + at : NULL, rows);
        missing.count = counts ? (double)counts[at + missing_slot] * g->bins->missing : missing.count * rows;
    }
    if (!is_plain(g, item, f)) {
        scan_feature(best, g, item, f, &prefix, missing);
        return;
    }
    csm_gbt_best found;
    prefix.total_gradient = prefix.gradient[bins - 1];
    prefix.total_hessian = prefix.hessian[bins - 1];
    prefix.total_count = prefix.count[bins - 1];
    g->kernels->best(&found, &prefix, bins - 1, &g->options.limits);
    if (found.gain > best->gain) *best = (gbt_split){.gain = found.gain, .feature = f, .bin = found.bin};
}
