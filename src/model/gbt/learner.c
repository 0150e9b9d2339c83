/* SPDX-License-Identifier: MIT */
#include "model/gbt/train.h"

static const csm_learner_parameter parameters[GBT_PARAMETER_COUNT] = {
    /* name, text, minimum, maximum, standard, integer, log_scale */
    [GBT_ROUNDS] = {"rounds", "Most trees; early stopping may keep fewer", 1, 100000, 200, 1, 1},
    [GBT_LEARNING_RATE] = {"learning_rate", "Share of each leaf's step that is taken", 1e-4, 1, 0.05, 0, 1},
    [GBT_LEAVES] = {"leaves", "Most leaves of a tree", 2, 1024, 31, 1, 1},
    [GBT_DEPTH] = {"depth", "Most splits between root and leaf", 1, 64, 16, 1, 0},
    [GBT_MIN_ROWS] = {"min_rows", "Fewest training rows in a leaf", 1, 1e7, 20, 1, 1},
    [GBT_MIN_HESSIAN] = {"min_hessian", "Smallest sum of hessians in a leaf", 0, 1e9, 1e-3, 0, 0},
    [GBT_L2] = {"l2", "Added to a leaf's hessian: shrinks small leaves", 0, 1e6, 1, 0, 0},
    [GBT_MIN_GAIN] = {"min_gain", "A split must gain more than this", 0, 1e9, 0, 0, 0},
    [GBT_BINS] = {"bins", "Most bins of a feature", 2, GBT_BINS_MAX, GBT_BINS_MAX, 1, 0},
    [GBT_COLUMN_SHARE] = {"column_share", "Share of features drawn for each tree", 0.01, 1, 1, 0, 0},
    [GBT_ROW_SHARE] = {"row_share", "Chance of a row to be drawn for each tree", 0.01, 1, 1, 0, 0},
    [GBT_HUBER_DELTA] = {"huber_delta", "Residual beyond which Huber's loss is linear", 1e-9, 1e9, 1, 0, 1},
    [GBT_QUANTILE] = {"quantile", "Which quantile the quantile objective predicts", 0.001, 0.999, 0.5, 0, 0},
    [GBT_QUANTISE] = {"quantise", "1: histograms of rounded gradients; 0: exact sums, several times slower",
                      0, 1, 1, 1, 0},
    [GBT_L1] = {"l1", "Taken off a leaf's gradient: leaves of weak evidence stay 0", 0, 1e6, 0, 0, 0},
    [GBT_MISSING] = {"missing", "1: NaN in x is a missing value, sent to the better side", 0, 1, 0, 1, 0},
    [GBT_DEPTH_WISE] = {"depth_wise", "1: level by level instead of best leaf first", 0, 1, 0, 1, 0},
    [GBT_GOSS_TOP] = {"goss_top", "Share of rows of the largest gradients that each tree sees; 0: no GOSS", 0,
                      1, 0, 0, 0},
    [GBT_GOSS_OTHER] = {"goss_other", "Share of the others, which count for all of them", 0.001, 1, 0.1, 0,
                        0},
};

const csm_learner_class csm_learner_gbt = {
    .about = {.name = "gbt",
              .title = "Gradient-boosted trees, histogram, leaf-wise",
              .objectives = 1u << CSM_OBJECTIVE_SQUARED | 1u << CSM_OBJECTIVE_HUBER |
                            1u << CSM_OBJECTIVE_QUANTILE | 1u << CSM_OBJECTIVE_LOGISTIC |
                            1u << CSM_OBJECTIVE_LAMBDARANK,
              .sequences = 0,
              .parameters = parameters,
              .parameter_count = GBT_PARAMETER_COUNT},
    .train = gbt_train,
    .predict = gbt_predict,
    .free = gbt_ensemble_free,
    .importance = gbt_importance,
    .write = gbt_write,
    .read = gbt_read,
    .refit = gbt_refit,
    .cuda = true,
};
