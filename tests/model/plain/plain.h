/* SPDX-License-Identifier: MIT */
/*
 * The plain trainer of trees: histogram, leaf-wise, double sums in row order. Clear and exact, it is what the fast one in
 * src/model/gbt is compared with. A test includes the files of this folder.
 */
#ifndef CSM_TESTS_MODEL_PLAIN_H
#define CSM_TESTS_MODEL_PLAIN_H

#include "model/gbt/internal.h"

/* ---- bins ---- */

#define PLAIN_BINS_MAX 255
#define PLAIN_BIN_SAMPLE 200000 /* rows looked at for quantiles: as LightGBM's bin_construct_sample_cnt */

/* Bin b of feature f holds edge[b-1] < x <= edge[b]; the last bin has no upper edge. */
typedef struct plain_bins {
    size_t rows;
    size_t features;
    uint8_t *code; /* (rows, features) */
    uint32_t
        *first; /* features + 1: where feature f's bins begin in a histogram; first[features] is its length */
    float *edge; /* edge of bin b of f stands at first[f] + b */
} plain_bins;

csm_status plain_bins_build(plain_bins *bins, csm_context *context, const csm_matrix *x, uint32_t bins_max);
void plain_bins_free(plain_bins *bins);
static inline uint32_t plain_bin_count(const plain_bins *bins, size_t feature) {
    return bins->first[feature + 1] - bins->first[feature];
}

/* ---- objective ---- */

typedef struct plain_pair {
    double gradient;
    double hessian;
} plain_pair;

/* Targets of a data set with the objective's constants. */
typedef struct plain_target {
    csm_objective objective;
    double huber_delta;
    double quantile;
    size_t rows;
    const double *y;      /* rows */
    const double *weight; /* rows; NULL: 1 */
    double weight_sum;
} plain_target;

/* The constant that is best alone; where boosting starts. */
csm_status plain_base_score(double *out, const plain_target *target);
/* Weighted mean loss at `score`, and gradients unless `pair` is NULL. */
csm_status plain_evaluate(double *loss, plain_pair *pair, const plain_target *target, const double *score,
                          csm_context *context);
/* Value of a leaf from its rows where gradients alone do not give it (quantile); false where they do. */
bool plain_renews_leaves(const plain_target *target);
csm_status plain_renewed_value(double *out, const plain_target *target, const double *score,
                               const uint32_t *row, size_t count);

/* ---- histogram ---- */

typedef struct plain_bucket {
    double gradient;
    double hessian;
    uint64_t count;
} plain_bucket;

typedef struct plain_split {
    double gain; /* 0 when there is none */
    uint32_t feature;
    uint32_t bin; /* goes left when code <= bin */
    plain_bucket left;
    plain_bucket right;
} plain_split;

typedef struct plain_grow_options {
    uint32_t leaves;
    uint32_t depth;
    uint64_t min_rows;
    double min_hessian;
    double l2;
    double min_gain;
    double learning_rate;
} plain_grow_options;

/* Sums of `row[0..count)` for each of the tree's features into histogram (bins->first[features] buckets). */
csm_status plain_histogram_fill(plain_bucket *histogram, const plain_bins *bins, const plain_pair *pair,
                                const uint32_t *row, size_t count, const uint32_t *feature,
                                size_t feature_count, csm_context *context);
/* parent -= child, feature by feature. */
void plain_histogram_subtract(plain_bucket *parent, const plain_bucket *child, const plain_bins *bins,
                              const uint32_t *feature, size_t feature_count);
/* Best split of a leaf with these sums: highest gain, then lowest feature, then lowest bin. */
csm_status plain_best_split(plain_split *out, const plain_bucket *histogram, const plain_bucket *total,
                            const plain_bins *bins, const uint32_t *feature, size_t feature_count,
                            const plain_grow_options *options, csm_context *context);

/* What one tree is grown from. */
typedef struct plain_tree_data {
    const plain_target *target;
    const double *score; /* before this tree */
    const plain_pair *pair;
    uint32_t *row; /* rows of this tree, reordered by growing */
    size_t row_count;
    const uint32_t *feature;
    size_t feature_count;
} plain_tree_data;

/* Memory that growing needs, kept from tree to tree. */
typedef struct plain_grower plain_grower;

csm_status plain_grower_new(plain_grower **out, const plain_bins *bins, const plain_grow_options *options);
void plain_grower_free(plain_grower *grower);
/* Grows one tree into nodes[2 * leaves - 1], children relative to nodes; *count is 1 when nothing could be split. */
csm_status plain_grow(gbt_node *nodes, size_t *count, plain_grower *grower, const plain_tree_data *data,
                      csm_context *context);

csm_status plain_train(void **state, csm_model_info *info, const csm_train_job *job);

#endif
