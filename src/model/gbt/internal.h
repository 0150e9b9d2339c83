/* SPDX-License-Identifier: MIT */
/*
 * Gradient-boosted trees: what they are once trained. train.h has how they are trained.
 *
 *   ensemble.c  trees, prediction, importance        file.c      tensors
 *   learner.c   parameters and the row of models.def predictor*  columns of codes, flat trees, csm_predictor (predictor.h)
 *   exchange/   models of other libraries            ../explain  Shapley values (trees.h)
 */
#ifndef CSM_MODEL_GBT_INTERNAL_H
#define CSM_MODEL_GBT_INTERNAL_H

#include "backend/gbt_predict.h"
#include "model/internal.h"

/* ---- parameters, in the order of learner.c's table ---- */

typedef enum gbt_parameter {
    GBT_ROUNDS,
    GBT_LEARNING_RATE,
    GBT_LEAVES,
    GBT_DEPTH,
    GBT_MIN_ROWS,
    GBT_MIN_HESSIAN,
    GBT_L2,
    GBT_MIN_GAIN,
    GBT_BINS,
    GBT_COLUMN_SHARE,
    GBT_ROW_SHARE,
    GBT_HUBER_DELTA,
    GBT_QUANTILE,
    GBT_QUANTISE,
    GBT_L1,
    GBT_MISSING,
    GBT_DEPTH_WISE,
    GBT_GOSS_TOP,
    GBT_GOSS_OTHER,
    GBT_PARAMETER_COUNT
} gbt_parameter;

/* ---- trees ---- */

/* Bits of gbt_node.flags. A numeric node without any of the first three reads NaN as 0 (LightGBM's missing type "None");
 * a categorical one without GBT_NODE_MISSING_NAN sends it right. Our own models on finite data have none. */
enum {
    GBT_NODE_MISSING_LEFT = 1, /* missing values go left, else right */
    GBT_NODE_MISSING_NAN = 2,  /* NaN is missing */
    GBT_NODE_MISSING_ZERO = 4, /* |x| <= 1e-35 and NaN are missing; numeric nodes only (LightGBM's "Zero") */
    GBT_NODE_CATEGORICAL =
        8 /* x is a category, truncated to a whole number: in the node's set it goes left */
};
#define GBT_ZERO 1e-35F              /* as LightGBM's kZeroThreshold */
#define GBT_SET_WORDS_MAX (1 << 28)  /* of all sets of an ensemble */
#define GBT_CATEGORIES_MAX (1 << 24) /* categories are below it: whole numbers that a float holds exactly */

typedef struct gbt_node {
    int32_t feature; /* -1: leaf */
    uint32_t bin;    /* training only */
    float threshold; /* x <= threshold goes left */
    int32_t left;    /* index of the left child within all nodes; the right one follows it */
    uint32_t flags;  /* GBT_NODE_... */
    uint32_t set;    /* categorical: its set stands at ensemble->category[set] */
    double value;    /* leaf: added to the score */
    double gain;
    double cover; /* training rows (or hessians, in models of XGBoost) that came here */
} gbt_node;

/* How an output's raw score becomes what the objective speaks of. */
typedef enum gbt_link_kind {
    GBT_LINK_IDENTITY = 0,
    GBT_LINK_LOGISTIC = 1, /* 1 / (1 + exp(-scale raw)) */
    GBT_LINK_SOFTMAX = 2,  /* over all outputs, each of which has this link */
    GBT_LINK_EXP = 3,
    GBT_LINK_LOG1P_EXP = 4, /* log(1 + exp(raw)): LightGBM's cross_entropy_lambda */
    GBT_LINK_SQUARE = 5,    /* sign(raw) raw^2: LightGBM's reg_sqrt */
    GBT_LINK_STEP = 6,      /* raw > 0: XGBoost's hinge */
    GBT_LINK_KINDS
} gbt_link_kind;

typedef struct gbt_link {
    int32_t kind;
    double scale; /* 1 but for a LOGISTIC of LightGBM with another `sigmoid` */
} gbt_link;

/* Tree t adds to output t % outputs. */
typedef struct gbt_ensemble {
    size_t features;
    uint32_t outputs;
    uint32_t missing; /* 1: x may hold NaN */
    double *base;     /* outputs */
    gbt_link *link;   /* outputs; IDENTITY unless set */
    size_t trees;
    size_t node_count;
    size_t node_capacity;
    uint32_t *root;     /* trees + 1: root[t] is tree t's root and the end of the tree before */
    gbt_node *nodes;    /* children stand behind their parent */
    uint32_t *category; /* sets of categories: word_count, words; bit c % 32 of word c / 32 is category c */
    size_t category_count; /* of uint32 */
    size_t category_capacity;
} gbt_ensemble;

csm_status gbt_ensemble_new(gbt_ensemble **out, size_t features, uint32_t outputs, const double *base);
csm_status gbt_ensemble_copy(gbt_ensemble **out, const gbt_ensemble *ensemble);
void gbt_ensemble_free(void *ensemble);
/* Appends `count` nodes as one tree; child indices are relative to `nodes`, sets to the ensemble. */
csm_status gbt_ensemble_append(gbt_ensemble *ensemble, const gbt_node *nodes, size_t count);
/* Keeps a set of categories; *set is what nodes name it by. */
csm_status gbt_ensemble_add_set(uint32_t *set, gbt_ensemble *ensemble, const uint32_t *words,
                                uint32_t word_count);
void gbt_ensemble_truncate(gbt_ensemble *ensemble, size_t trees);

/* Which child x's row goes to. */
static inline bool gbt_goes_left(const gbt_ensemble *ensemble, const gbt_node *node, float x) {
    if (node->flags == 0) return x == x ? x <= node->threshold : 0 <= node->threshold;
    bool is_nan = x != x;
    bool missing = node->flags & GBT_NODE_MISSING_ZERO ? is_nan || (x >= -GBT_ZERO && x <= GBT_ZERO)
                                                       : node->flags & GBT_NODE_MISSING_NAN && is_nan;
    if (missing) return node->flags & GBT_NODE_MISSING_LEFT;
    if (node->flags & GBT_NODE_CATEGORICAL) return gbt_set_holds(ensemble->category + node->set, x);
    return is_nan ? 0 <= node->threshold : x <= node->threshold;
}

csm_status gbt_predict(const void *state, csm_context *context, const csm_samples *samples, csm_matrix *out);
csm_status gbt_importance(const void *state, double *out);
csm_status gbt_write(const void *state, csm_tensors_writer *writer, const char *prefix);
csm_status gbt_read(void **state, const csm_model_info *info, const csm_tensors *tensors, const char *prefix);

extern const csm_learner_class csm_learner_gbt;

csm_status gbt_train(void **state, csm_model_info *info, const csm_train_job *job);

#endif
