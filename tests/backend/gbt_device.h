/* SPDX-License-Identifier: MIT */
/* Trees grown on a device (a card, or the emulator) against the CPU's kernels, split by split and bit by bit. */
#ifndef CSM_TESTS_BACKEND_GBT_DEVICE_H
#define CSM_TESTS_BACKEND_GBT_DEVICE_H

#include "core/support.h"

#include "backend/gbt_cuda.h"
#include "core/internal.h"

#include <math.h>

typedef struct tree_case {
    size_t rows, features;
    uint32_t slots, leaves, depth, counted;
    double min_rows, l2;
    size_t every; /* the tree sees each row whose number is not a multiple of this; 0: all */
} tree_case;

typedef struct tree_problem {
    csm_gbt_cuda_data data;
    csm_gbt_cuda_round round;
    uint8_t *code;
    uint32_t *bins, *quantum, *row, *feature;
} tree_problem;

static inline void *tree_array(size_t count, size_t size) {
    void *block = calloc(count + 16, size); /* the CPU's kernels read a little behind */
    assert_non_null(block);
    return block;
}

/* Gradients that some features explain; one feature has a single bin, the tree leaves another one out. */
static inline void tree_problem_new(tree_problem *p, const tree_case *c) {
    *p = (tree_problem){.data = {.stride = c->features + 3,
                                 .rows = c->rows,
                                 .features = c->features,
                                 .slots = c->slots,
                                 .leaves = c->leaves}};
    p->code = tree_array(c->rows, p->data.stride);
    p->bins = tree_array(c->features, sizeof *p->bins);
    p->quantum = tree_array(c->rows, sizeof *p->quantum);
    p->row = tree_array(c->rows, sizeof *p->row);
    p->feature = tree_array(c->features, sizeof *p->feature);
    const uint32_t shift = c->counted ? 10 : 13;
    const int32_t most = c->counted ? 4000 : 500;
    for (size_t f = 0; f < c->features; f++) p->bins[f] = f == 1 ? 1 : c->slots - (uint32_t)(f * 5 % 40) - 1;
    for (size_t r = 0; r < c->rows; r++) {
        uint8_t *code = p->code + r * p->data.stride;
        for (size_t f = 0; f < c->features; f++) code[f] = (uint8_t)(csm_random_u64(3, f, r) % p->bins[f]);
        const double pull = sin(code[0] * 0.1) + (code[c->features - 1] > c->slots / 3) - 0.5;
        int32_t g = (int32_t)(most * 0.4 * (pull + 0.3 * csm_random_normal(4, 0, r)));
        g = g > most ? most : g < -most ? -most : g;
        const uint32_t h = c->counted ? 1 : (uint32_t)(csm_random_u64(5, 0, r) % 16);
        p->quantum[r] = ((uint32_t)g << shift) + h;
        if (c->every == 0 || r % c->every != 0) p->row[p->round.row_count++] = (uint32_t)r;
    }
    for (size_t f = 0; f < c->features; f++)
        if (f != 2) p->feature[p->round.feature_count++] = (uint32_t)f;
    p->data.code = p->code;
    p->data.bins = p->bins;
    p->round.quantum = p->quantum;
    p->round.narrow_shift = shift;
    p->round.counted = c->counted;
    p->round.gradient_unit = 0.00037;
    p->round.hessian_unit = c->counted ? 1 : 0.0191;
    p->round.row = p->row;
    p->round.feature = p->feature;
    p->round.depth = c->depth;
    p->round.limits = (csm_gbt_limits){c->min_rows, 1e-3, c->l2, 0};
}

static inline void tree_problem_free(tree_problem *p) {
    free(p->code);
    free(p->bins);
    free(p->quantum);
    free(p->row);
    free(p->feature);
}

typedef struct tree_leaf {
    size_t begin, count;
    uint32_t depth, feature, bin;
    double gain;
} tree_leaf;

static inline void tree_sum(uint64_t *wide, const tree_problem *p, const uint32_t *row, size_t count) {
    const csm_gbt_rows rows = {.code = p->code,
                               .stride = p->data.stride,
                               .row = row,
                               .count = count,
                               .feature = p->feature,
                               .features = p->round.feature_count,
                               .slots = p->data.slots,
                               .narrow_shift = p->round.narrow_shift};
    memset(wide, 0, p->data.features * p->data.slots * sizeof *wide);
    csm_gbt_kernels_of(CSM_ISA_SCALAR)->sum_rows(wide, &rows, p->quantum);
}

static inline void tree_search(tree_leaf *leaf, const tree_problem *p, const uint32_t *row) {
    const csm_gbt_kernels *kernels = csm_gbt_kernels_of(CSM_ISA_SCALAR);
    const csm_gbt_cuda_round *round = &p->round;
    uint64_t *wide = tree_array(p->data.features * p->data.slots, sizeof *wide);
    leaf->gain = 0;
    if (leaf->depth < round->depth && leaf->count >= 2 && (double)leaf->count >= 2 * round->limits.min_rows) {
        tree_sum(wide, p, row + leaf->begin, leaf->count);
        for (size_t j = 0; j < round->feature_count; j++) {
            const uint32_t f = round->feature[j], bins = p->bins[f];
            csm_gbt_prefix prefix;
            csm_gbt_best best;
            if (bins < 2) continue;
            kernels->prefix(&prefix, wide + f * p->data.slots, 0, bins, round->gradient_unit,
                            round->hessian_unit);
            if (!round->counted) {
                const double total = prefix.count[bins - 1],
                             rows = total > 0 ? (double)leaf->count / total : 0;
                for (uint32_t b = 0; b < bins; b++) prefix.count[b] *= rows;
            }
            prefix.total_gradient = prefix.gradient[bins - 1];
            prefix.total_hessian = prefix.hessian[bins - 1];
            prefix.total_count = prefix.count[bins - 1];
            kernels->best(&best, &prefix, bins - 1, &round->limits);
            if (best.gain > leaf->gain) {
                leaf->gain = best.gain;
                leaf->feature = f;
                leaf->bin = best.bin;
            }
        }
    }
    free(wide);
}

/* One leaf at a time. Returns the number of splits; *short_side: one came out with fewer than min_rows. */
static inline uint32_t tree_grow(csm_gbt_cuda_split *split, uint32_t *row, bool *short_side,
                                 const tree_problem *p) {
    tree_leaf *leaf = tree_array(p->data.leaves, sizeof *leaf);
    uint32_t *right = tree_array(p->data.rows, sizeof *right), leaves = 1;
    memcpy(row, p->row, p->round.row_count * sizeof *row);
    leaf[0] = (tree_leaf){.count = p->round.row_count};
    tree_search(&leaf[0], p, row);
    *short_side = false;
    while (leaves < p->data.leaves) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < leaves; i++)
            if (leaf[i].gain > leaf[best].gain) best = i;
        tree_leaf *own = &leaf[best];
        size_t lefts = 0, rights = 0;
        if (!(own->gain > 0)) break;
        for (size_t i = own->begin; i < own->begin + own->count; i++) {
            if (p->code[row[i] * p->data.stride + own->feature] <= own->bin)
                row[own->begin + lefts++] = row[i];
            else
                right[rights++] = row[i];
        }
        memcpy(row + own->begin + lefts, right, rights * sizeof *row);
        if (!p->round.counted && (double)(lefts < rights ? lefts : rights) < p->round.limits.min_rows) {
            *short_side = true;
            break;
        }
        split[leaves - 1] = (csm_gbt_cuda_split){best, own->feature, own->bin, (uint32_t)lefts, own->gain};
        leaf[leaves] = (tree_leaf){own->begin + lefts, rights, own->depth + 1, 0, 0, 0};
        *own = (tree_leaf){own->begin, lefts, own->depth + 1, 0, 0, 0};
        tree_search(own, p, row);
        tree_search(&leaf[leaves], p, row);
        leaves++;
    }
    free(leaf);
    free(right);
    return leaves - 1;
}

/* The device's histogram of the root and its tree are the CPU's. Two trees in a row, so that nothing of the first stays. */
static inline void tree_check(const tree_case *c) {
    tree_problem p;
    csm_gbt_cuda *gbt;
    tree_problem_new(&p, c);
    const size_t buckets = c->features * c->slots;
    uint64_t *want = tree_array(buckets, sizeof *want), *got = tree_array(buckets, sizeof *got);
    csm_gbt_cuda_split *split = tree_array(c->leaves, sizeof *split),
                       *wanted = tree_array(c->leaves, sizeof *wanted);
    uint32_t *row = tree_array(c->rows, sizeof *row), *wanted_row = tree_array(c->rows, sizeof *row), splits;
    bool short_side;
    assert_ok(csm_gbt_cuda_new(&gbt, &p.data));
    tree_sum(want, &p, p.row, p.round.row_count);
    assert_ok(csm_gbt_cuda_sum(gbt, got, &p.round));
    for (size_t j = 0; j < p.round.feature_count; j++)
        assert_memory_equal(want + p.feature[j] * c->slots, got + p.feature[j] * c->slots,
                            c->slots * sizeof *got);
    for (int tree = 0; tree < 2; tree++) {
        const uint32_t expected = tree_grow(wanted, wanted_row, &short_side, &p);
        const csm_status status = csm_gbt_cuda_grow(gbt, split, &splits, row, &p.round);
        assert_int_equal(short_side ? CSM_ENODATA : CSM_OK, status);
        assert_int_equal(expected, splits);
        assert_memory_equal(wanted, split, splits * sizeof *split);
        if (!short_side) assert_memory_equal(wanted_row, row, p.round.row_count * sizeof *row);
        for (size_t r = 0; r < c->rows; r++) p.quantum[r] += 1u << p.round.narrow_shift; /* the next round */
    }
    print_message("%zu rows, %zu features, %u slots, %s: %u splits, equal%s\n", c->rows, c->features,
                  c->slots, c->counted ? "counted" : "weighed", splits,
                  short_side ? ", then handed back" : "");
    csm_gbt_cuda_free(gbt);
    free(want);
    free(got);
    free(split);
    free(wanted);
    free(row);
    free(wanted_row);
    tree_problem_free(&p);
}

/* ---- prediction ---- */

/* Nodes of complete trees of depth 3 with thresholds, missing values and a set of categories. */
static inline void forest_check(void) {
    enum { TREES = 5, NODES = 15, FEATURES = 4, ROWS = 700, OUTPUTS = 2 };
    static const float odd[] = {0, -0.0f, 1e-36f, NAN, 3, 7, 40, -1, 1e30f, -5.5f};
    csm_gbt_cuda_node nodes[TREES * NODES];
    uint32_t root[TREES], category[3] = {2, 1u << 3 | 1u << 7, 1u << 8};
    const double base[OUTPUTS] = {0.25, -3};
    float *x = tree_array(ROWS * FEATURES, sizeof *x);
    double *out = tree_array(ROWS * OUTPUTS, sizeof *out);
    for (uint32_t t = 0; t < TREES; t++) {
        root[t] = t * NODES;
        for (uint32_t n = 0; n < NODES; n++) {
            csm_gbt_cuda_node *node = &nodes[t * NODES + n];
            *node = (csm_gbt_cuda_node){.feature = -1, .value = 0.1 * n + t / 3.0};
            if (n >= 7) continue;
            node->feature = (int32_t)((n + t) % FEATURES);
            node->threshold = (float)csm_random_normal(8, t, n);
            node->left = t * NODES + 2 * n + 1;
            node->flags = (n + t) % 6 == 5 ? 8 | 2 : (n * 3 + t) % 8; /* 8: a set of categories */
        }
    }
    for (size_t i = 0; i < ROWS * FEATURES; i++)
        x[i] = i % 3 ? (float)csm_random_normal(9, 0, i) : odd[csm_random_u64(9, 1, i) % 10];
    csm_gbt_cuda_forest forest = {.features = FEATURES,
                                  .outputs = OUTPUTS,
                                  .trees = TREES,
                                  .node_count = TREES * NODES,
                                  .category_count = 3,
                                  .base = base,
                                  .root = root,
                                  .nodes = nodes,
                                  .category = category};
    assert_ok(csm_gbt_cuda_predict(out, &forest, x, ROWS));
    for (size_t r = 0; r < ROWS; r++) {
        double want[OUTPUTS] = {base[0], base[1]};
        for (uint32_t t = 0; t < TREES; t++) {
            uint32_t at = root[t];
            while (nodes[at].feature >= 0) {
                const csm_gbt_cuda_node *node = &nodes[at];
                const float value = x[r * FEATURES + (size_t)node->feature];
                const bool zero = fabsf(value) <= 1e-35f, nan = isnan(value);
                bool left;
                if ((node->flags & 4 && (zero || nan)) || (!(node->flags & 4) && node->flags & 2 && nan))
                    left = node->flags & 1;
                else if (node->flags & 8)
                    left =
                        value >= 3 && value < 41 && ((int)value == 3 || (int)value == 7 || (int)value == 40);
                else
                    left = (nan ? 0 : value) <= node->threshold;
                at = node->left + !left;
            }
            want[t % OUTPUTS] += nodes[at].value;
        }
        assert_memory_equal(want, out + r * OUTPUTS, sizeof want);
    }
    nodes[3].left = 2; /* would go round in circles */
    assert_fails(CSM_EINVAL, "node 3", csm_gbt_cuda_predict(out, &forest, x, ROWS));
    nodes[3].left = 7;
    root[1] = 99;
    assert_fails(CSM_EINVAL, "root of tree 1", csm_gbt_cuda_predict(out, &forest, x, ROWS));
    forest.trees = 0;
    assert_fails(CSM_EINVAL, "0 trees", csm_gbt_cuda_predict(out, &forest, x, ROWS));
    free(x);
    free(out);
}

#endif
