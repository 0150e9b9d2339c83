/* SPDX-License-Identifier: MIT */
/*
 * How trees are trained: histograms of quantised gradients, leaf-wise (Ke et al. 2017; Shi et al. 2022 for the quanta).
 *
 *   bins.c       floats -> uint8 bins by quantiles            grow.c     one tree: which leaf is split next
 *   objective.c  base scores, gradients, losses                pass.c     partition, sums and searches of several leaves
 *   quantum.c    gradients of one round as integers            search.c   the best split of a leaf by a feature
 *                                                              leaf.c     values of leaves, scores of rows
 *   sample.c     which rows and features a tree sees           train.c    rounds, early stopping
 *   rank.c       LambdaRank                                    metric.c   what early stopping watches
 *   refit.c      leaves from other rows                       card.c     trees grown on a card
 */
#ifndef CSM_MODEL_GBT_TRAIN_H
#define CSM_MODEL_GBT_TRAIN_H

#include "backend/gbt.h"
#include "backend/gbt_cuda.h"
#include "model/gbt/internal.h"

#define GBT_ROW_BLOCK 8192 /* rows summed on their own; blocks are added in order */

/* ---- bins ---- */

#define GBT_BINS_MAX 255
#define GBT_ROWS_MAX ((size_t)1000000000) /* so that their hessians fit a wide bucket's 30 bits */
#define GBT_BIN_SAMPLE 200000 /* rows looked at for quantiles: as LightGBM's bin_construct_sample_cnt */
#define GBT_COLUMN_BYTES_MAX ((size_t)1 << 29) /* beyond, codes are kept row-major alone */

/* Bin b of feature f holds edge[b-1] < x <= edge[b]; the last bin has no upper edge. */
typedef struct gbt_bins {
    size_t rows;
    size_t features;
    uint32_t slots;   /* of a feature in edges and histograms: 64 or 256 */
    size_t stride;    /* of a row in code */
    uint8_t *code;    /* (rows, stride), on a cache line */
    uint8_t *column;  /* (features, rows), for partitions; NULL: too large */
    uint32_t *count;  /* features */
    float *edge;      /* (features, slots): +inf from the last bin on */
    void *block;      /* code's memory */
    uint32_t missing; /* 1: NaN has the code slots - 1 */
    const uint8_t
        *categorical; /* features, the caller's; NULL: none. Their last bin: categories not told apart */
    float *category;  /* (features, slots): value of a categorical feature's bin; NULL: none */
} gbt_bins;

/* How x is read. */
typedef struct gbt_bins_options {
    uint32_t bins;
    uint32_t missing;
    const uint8_t *categorical;
} gbt_bins_options;

csm_status gbt_bins_build(gbt_bins *bins, csm_context *context, const csm_matrix *x,
                          const gbt_bins_options *options, const csm_gbt_kernels *kernels);
void gbt_bins_free(gbt_bins *bins);

/* ---- objective ---- */

/* Targets of a data set for one output, with the objective's constants. */
typedef struct gbt_target {
    csm_objective objective;
    double parameter; /* of the head: delta or quantile */
    size_t rows;
    double *y;            /* rows */
    const double *weight; /* rows; NULL: 1 */
    double weight_sum;
    double noise;          /* gradients not above it are rounding errors of the scores */
    const uint32_t *group; /* rows; LambdaRank */
    double *ranked;        /* LambdaRank: (2, rows), gradients and hessians at the score of gbt_rank */
} gbt_target;

/* Targets and room for scores of one head; gbt_target_close frees what the target holds. */
csm_status gbt_target_open(gbt_target *target, double **score, const csm_samples *samples,
                           const csm_head *head);
void gbt_target_close(gbt_target *target);
/* Every value a finite float, or NaN where it may be missing; the error begins with `what`. */
csm_status gbt_check_x(const csm_matrix *x, bool missing, const char *what);
/* The constant that is best alone; where boosting starts. */
csm_status gbt_base_score(double *out, const gbt_target *target);
/* Weighted mean loss at `score`. */
csm_status gbt_loss(double *loss, const gbt_target *target, const double *score, csm_context *context);
/* Weighted gradients and hessians of rows [begin, end), at most GBT_ROW_BLOCK. */
void gbt_derivatives(double *gradient, double *hessian, const gbt_target *target, const double *score,
                     size_t begin, size_t end, const csm_gbt_kernels *kernels);
bool gbt_hessian_is_one(const gbt_target *target);
/* Gradients not above this are rounding errors of the scores. */
double gbt_gradient_noise(const gbt_target *target);
/* LambdaRank's gradients and hessians of all rows into target->ranked (Burges 2010). */
csm_status gbt_rank(const gbt_target *target, const double *score, csm_context *context);
/* 1 - NDCG, the mean over groups (Jarvelin & Kekalainen 2002). */
csm_status gbt_rank_loss(double *loss, const gbt_target *target, const double *score, csm_context *context);
/* Value of a leaf from its rows where gradients alone do not give it (quantile); false where they do. */
bool gbt_renews_leaves(const gbt_target *target);
csm_status gbt_renewed_value(double *out, const gbt_target *target, const double *score, const uint32_t *row,
                             size_t count);

/* ---- gradients of one round as integers ---- */

typedef struct gbt_quanta {
    size_t rows;
    bool exact;           /* int64 fixed point instead of quanta */
    float *gradient;      /* rows; quantised only */
    float *hessian;       /* rows; quantised only; NULL: 1 */
    float *hessian_block; /* where it stands when it is not NULL */
    uint32_t *quantum;    /* rows; quantised only */
    int64_t *fixed; /* exact only: (2, rows), gradients and hessians; before rounding the bits of doubles */
    uint32_t narrow_shift;
    double gradient_unit; /* of one quantum or fixed step; 0: nothing is left to learn */
    double hessian_unit;
    double largest_gradient;
    double largest_hessian;
} gbt_quanta;

csm_status gbt_quanta_new(gbt_quanta *quanta, size_t rows, bool exact, bool hessians);
void gbt_quanta_free(gbt_quanta *quanta);
/* Gradients at `score`, not yet rounded. CSM_EINVAL when they overflow. hessians: keep them though each is 1. */
csm_status gbt_quanta_derive(gbt_quanta *quanta, const gbt_target *target, const double *score, bool hessians,
                             const csm_gbt_kernels *kernels, csm_context *context);
/* Before rounding: a row's gradient; and the row counted `factor` times. */
double gbt_quanta_gradient(const gbt_quanta *quanta, size_t row);
void gbt_quanta_amplify(gbt_quanta *quanta, size_t row, double factor);
/* Rounds what was derived; the random numbers are of `key`. */
csm_status gbt_quanta_round(gbt_quanta *quanta, const gbt_target *target, uint64_t key,
                            const csm_gbt_kernels *kernels, csm_context *context);

/* ---- one tree ---- */

typedef struct gbt_grow_options {
    uint32_t leaves;
    uint32_t depth;
    csm_gbt_limits limits;
    double learning_rate;
    double l1;
    bool depth_wise;        /* level by level instead of best first */
    const int8_t *monotone; /* features; NULL: none */
} gbt_grow_options;

typedef struct gbt_split {
    double gain; /* 0: none */
    uint32_t feature;
    uint32_t bin;      /* codes up to it go left */
    uint32_t flags;    /* GBT_NODE_... */
    uint64_t left[4];  /* categorical: bins that go left */
    double left_value; /* values of the sides; set only where constraints are looked at */
    double right_value;
} gbt_split;

/* What one tree is grown from. */
typedef struct gbt_tree_data {
    const gbt_target *target;
    const double *score; /* before this tree */
    const gbt_quanta *quanta;
    uint32_t *row; /* rows of this tree, ascending; reordered by growing. Room for 16 more */
    size_t row_count;
    const uint32_t *feature; /* ascending */
    size_t feature_count;
} gbt_tree_data;

/* A leaf, or what was one. */
typedef struct gbt_growing {
    uint32_t depth;
    uint32_t child; /* left one within the items, the right one follows; 0: none yet */
    size_t begin;   /* its rows: data->row[begin .. begin + count) */
    size_t count;
    gbt_split split;
    double lower; /* of its value, by monotone splits above */
    double upper;
    bool is_counted;     /* min_rows was searched for with counts, not with estimates */
    uint64_t *histogram; /* NULL when it will not be split */
} gbt_growing;

/* Sums of one leaf's rows, and what is searched with them. */
typedef struct gbt_fill {
    uint32_t target;  /* item whose rows are summed */
    uint32_t sibling; /* item that gets parent - target; 0: none */
    uint64_t *parent;
    size_t part;  /* first of its further histograms within grower->part */
    size_t parts; /* how many */
} gbt_fill;

typedef struct gbt_chunk {
    uint32_t index; /* of an item, fill or leaf */
    size_t begin;
    size_t end;
    size_t lefts;
    double gradient;
    double hessian;
    uint64_t *histogram;
} gbt_chunk;

/* Memory that growing needs, kept from tree to tree. */
typedef struct gbt_grower {
    const gbt_bins *bins;
    const csm_gbt_kernels *kernels;
    gbt_grow_options options;
    uint32_t threads;
    size_t buckets; /* of one plane */
    size_t planes;
    gbt_growing *item;
    size_t item_count;
    size_t item_capacity;
    uint32_t *leaf; /* items that are the tree's leaves, in the order in which they came to be */
    size_t leaf_count;
    uint32_t *node; /* of each item in the tree */
    double *value;  /* of each leaf */
    uint32_t *spare;
    uint32_t **buffer; /* threads: right sides of a chunk */
    void **scratch;    /* threads: of sums */
    uint64_t **pool;   /* histograms not in use */
    size_t pooled;
    size_t pool_capacity;
    gbt_fill *fill;
    size_t fill_count;
    uint64_t **part;
    size_t part_count;
    gbt_chunk *chunk;
    size_t chunk_count;
    size_t chunk_capacity;
    gbt_split *found;
    size_t found_capacity;
    csm_gbt_cuda *card; /* NULL: trees are grown by this processor */
    csm_gbt_cuda_split *card_split;
    uint32_t *card_row;
} gbt_grower;

csm_status gbt_grower_new(gbt_grower **out, const gbt_bins *bins, const gbt_grow_options *options,
                          const csm_gbt_kernels *kernels, bool exact, uint32_t threads);
void gbt_grower_free(gbt_grower *grower);
/* Grows one tree into nodes[2 * leaves - 1], children relative to nodes, sets of categories into the ensemble; *count is 1
 * when nothing could be split. */
csm_status gbt_grow(gbt_node *nodes, size_t *count, gbt_grower *grower, const gbt_tree_data *data,
                    gbt_ensemble *ensemble);
/* Adds the tree's values to the scores of the rows it was grown from. */
csm_status gbt_add_leaves(double *score, const gbt_grower *grower, const uint32_t *row);

/* ---- trees on a card ---- */

/* CSM_EUNSUPPORTED names the option that only the processor's search knows. */
csm_status gbt_card_check(const csm_train_job *job);
/* Grows this grower's trees on a card from now on; sends the bins. */
csm_status gbt_card_open(gbt_grower *grower, uint32_t device);
void gbt_card_close(gbt_grower *grower);
/* Splits of one tree, the same as the processor's. CSM_ENODATA: only a search with counts can go on; nothing has changed. */
csm_status gbt_card_grow(gbt_node *nodes, size_t *count, gbt_grower *grower, const gbt_tree_data *data,
                         gbt_ensemble *ensemble);

/* Parts of growing. */
/* Puts the split of leaf `at`, whose children there are, into the tree. */
csm_status gbt_keep_split(gbt_node *nodes, size_t *count, gbt_grower *grower, size_t at,
                          gbt_ensemble *ensemble);
/* Makes the children of an item whose rows are partitioned. */
void gbt_make_children(gbt_grower *grower, uint32_t index, size_t lefts);
csm_status gbt_pass_root(gbt_grower *grower, const gbt_tree_data *data);
/* Splits items[0..count): their children's rows and, when `searched`, best splits. An item whose split breaks min_rows is
 * searched again instead, with counts, and stays without children. */
csm_status gbt_pass_split(gbt_grower *grower, const gbt_tree_data *data, const uint32_t *items, size_t count,
                          bool searched);
csm_status gbt_grower_chunk(gbt_grower *grower, gbt_chunk chunk);
uint64_t *gbt_take_histogram(gbt_grower *grower);
void gbt_give_histogram(gbt_grower *grower, uint64_t *histogram);
bool gbt_may_split(const gbt_grower *grower, const gbt_growing *item);
/* Threads for so many steps of about a nanosecond: starting one takes longer than a little work. */
uint32_t gbt_threads_for(const gbt_grower *grower, size_t steps);
csm_status gbt_leaf_values(gbt_grower *grower, const gbt_tree_data *data);
/* Keeps the better of *best and the feature's best split. counts: rows by bucket; NULL: estimated. */
void gbt_search_feature(gbt_split *best, const gbt_grower *grower, const gbt_quanta *quanta,
                        const gbt_growing *item, uint32_t feature, const uint64_t *counts);
/* Newton's step with both penalties (Chen & Guestrin 2016, eq. 5), within bounds. */
double gbt_step(double gradient, double hessian, double l1, double l2, double lower, double upper);

/* ---- sampling ---- */

size_t gbt_draw_rows(uint32_t *row, size_t rows, double share, uint64_t seed, uint64_t stream,
                     uint64_t round);
/* Gradient-based one-side sampling (Ke et al. 2017, alg. 2): the share `top` of rows of the largest gradients, and of the
 * others the share `other` of all rows, which count for those left out. Before rounding. */
csm_status gbt_draw_by_gradient(uint32_t *row, size_t *count, gbt_quanta *quanta, double top, double other,
                                uint64_t seed, uint64_t stream, uint64_t round);
size_t gbt_draw_features(uint32_t *feature, size_t features, double share, uint64_t seed, uint64_t stream,
                         uint64_t round);

/* ---- early stopping ---- */

/* What is watched on the validation view: smaller is better, so that AUC and NDCG are given as 1 less them. */
typedef csm_status (*gbt_metric)(double *out, const gbt_target *target, const double *score,
                                 csm_context *context);
csm_status gbt_metric_find(gbt_metric *out, const char *name); /* NULL: the objective's loss */

/* A copy of the ensemble with leaves from other rows. */
csm_status gbt_refit(void **state, const void *ensemble, const csm_train_job *job, double decay);

/* gbt_train with a given instruction set. */
csm_status gbt_train_on(void **state, csm_model_info *info, const csm_train_job *job, csm_isa isa);

#endif
