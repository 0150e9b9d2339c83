/* SPDX-License-Identifier: MIT */
/* The trainer against an exact one written without bins, histograms or subtraction. */
#include "model/support.h"

#define ROWS 80
#define FEATURES 3
#define LEAVES 6

typedef struct exact_split {
    double gain;
    size_t feature;
    float cut; /* x <= cut goes left */
} exact_split;

typedef struct exact_tree {
    size_t leaf_of[ROWS];
    size_t leaves;
    size_t depth[LEAVES];
} exact_tree;

typedef struct exact_options {
    double l2;
    double min_rows;
    double min_hessian;
    size_t depth;
} exact_options;

static double part_score(double gradient, double hessian, double l2) {
    return gradient * gradient / (hessian + l2);
}

/* Tries every value of every feature as a cut. */
static exact_split best_split(const dataset *set, const exact_tree *tree, size_t leaf, const double *g,
                              const double *h, const exact_options *options) {
    exact_split best = {0};
    if (tree->depth[leaf] >= options->depth) return best;
    for (size_t f = 0; f < set->features; f++) {
        for (size_t c = 0; c < set->rows; c++) {
            float cut = set->x[c * set->features + f];
            double gl = 0, hl = 0, nl = 0, gr = 0, hr = 0, nr = 0;
            for (size_t i = 0; i < set->rows; i++) {
                if (tree->leaf_of[i] != leaf) continue;
                if (set->x[i * set->features + f] <= cut)
                    gl += g[i], hl += h[i], nl++;
                else
                    gr += g[i], hr += h[i], nr++;
            }
            if (nl < options->min_rows || nr < options->min_rows) continue;
            if (hl < options->min_hessian || hr < options->min_hessian) continue;
            double gain = part_score(gl, hl, options->l2) + part_score(gr, hr, options->l2) -
                          part_score(gl + gr, hl + hr, options->l2);
            if (gain > best.gain * (1 + 1e-9) + 1e-12) best = (exact_split){gain, f, cut};
        }
    }
    return best;
}

static void grow_exactly(exact_tree *tree, const dataset *set, const double *g, const double *h,
                         const exact_options *options) {
    *tree = (exact_tree){.leaves = 1};
    while (tree->leaves < LEAVES) {
        exact_split best = {0};
        size_t leaf = 0;
        for (size_t k = 0; k < tree->leaves; k++) {
            exact_split split = best_split(set, tree, k, g, h, options);
            if (split.gain > best.gain) best = split, leaf = k;
        }
        if (best.gain <= 0) return;
        size_t added = tree->leaves++;
        tree->depth[added] = ++tree->depth[leaf];
        for (size_t i = 0; i < set->rows; i++) {
            if (tree->leaf_of[i] == leaf && set->x[i * set->features + best.feature] > best.cut)
                tree->leaf_of[i] = added;
        }
    }
}

static void boost_exactly(double *score, const dataset *set, bool logistic, size_t rounds, double rate,
                          const exact_options *options) {
    double g[ROWS], h[ROWS], sum = 0, weight = 0;
    for (size_t i = 0; i < set->rows; i++) sum += set->weight[i] * set->y[i], weight += set->weight[i];
    double base = sum / weight;
    for (size_t i = 0; i < set->rows; i++) score[i] = logistic ? log(base / (1 - base)) : base;
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < set->rows; i++) {
            double p = logistic ? 1 / (1 + exp(-score[i])) : score[i];
            g[i] = set->weight[i] * (p - set->y[i]);
            h[i] = set->weight[i] * (logistic ? p * (1 - p) : 1);
        }
        exact_tree tree;
        grow_exactly(&tree, set, g, h, options);
        double gs[LEAVES] = {0}, hs[LEAVES] = {0};
        for (size_t i = 0; i < set->rows; i++) gs[tree.leaf_of[i]] += g[i], hs[tree.leaf_of[i]] += h[i];
        for (size_t i = 0; i < set->rows; i++)
            score[i] -= rate * gs[tree.leaf_of[i]] / (hs[tree.leaf_of[i]] + options->l2);
    }
}

static void compare(uint64_t seed, bool logistic, double grain, exact_options options) {
    dataset set = dataset_new(ROWS, FEATURES, seed, grain);
    double expected[ROWS];
    csm_model *model;
    if (logistic)
        plant_classes(&set, seed);
    else
        plant_regression(&set, seed, 0.3);
    for (size_t i = 0; i < ROWS; i++) set.weight[i] = 0.5 + csm_random_uniform(seed, 4, i);
    set.samples.weight = set.weight;
    boost_exactly(expected, &set, logistic, 5, 0.3, &options);
    const csm_parameter parameters[] = {{"rounds", 5},
                                        {"learning_rate", 0.3},
                                        {"leaves", LEAVES},
                                        {"l2", options.l2},
                                        {"min_rows", options.min_rows},
                                        {"min_hessian", options.min_hessian},
                                        {"depth", (double)options.depth},
                                        {"quantise", 0}};
    assert_ok(train(&model, &set, logistic ? CSM_OBJECTIVE_LOGISTIC : CSM_OBJECTIVE_SQUARED, 1, parameters,
                    COUNT(parameters)));
    double *found = predict(model, &set);
    for (size_t i = 0; i < ROWS; i++) {
        if (!(fabs(found[i] - expected[i]) < 1e-9))
            fail_msg("seed %d, row %zu: %.12g, exactly %.12g", (int)seed, i, found[i], expected[i]);
    }
    free(found);
    csm_model_free(model);
    dataset_free(&set);
}

static void trees_equal_an_exact_trainer_on_small_data(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        compare(seed, false, 0, (exact_options){1, 1, 0, 16});
        compare(seed, true, 0, (exact_options){0.1, 5, 0.5, 16});
        compare(seed, false, 0.5, (exact_options){0, 3, 2, 2});
        compare(seed, true, 1, (exact_options){2, 1, 0.1, 3});
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(trees_equal_an_exact_trainer_on_small_data)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
