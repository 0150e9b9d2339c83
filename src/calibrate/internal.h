/* SPDX-License-Identifier: MIT */
/*
 * Parts of the stage calibrate.
 *
 *   order.c, sort.c  sorting permutations, rows        outcomes.c  checks, horizon blocks, dates
 *   groups.c      fitting rows as distinct scores      scores.c    Brier, log loss, ECE, rank IC
 *   logistic.c    Platt, beta, temperature             bootstrap.c bands by blocks
 *   isotonic.c    pool adjacent violators, Venn-Abers  evidence.c  betting martingale
 *   calibrator.c  rules, shrinkage, public interface   gate.c      what may be shown
 *   choose.c      choice by log loss on purged folds   spearman.c, conformal.c, conformal_online.c
 *   file.c        a calibrator inside a model file     sharpe.c, overfitting.c, superior.c, panel.c  skill or luck
 */
#ifndef CSM_CALIBRATE_INTERNAL_H
#define CSM_CALIBRATE_INTERNAL_H

#include <cryptosmart/calibrate.h>

#include "core/internal.h"
#include "model/safetensors.h"

#include <stdatomic.h>

/* ---- order.c ---- */

/* order[n]: indices of keys ascending, equal ones in their old order. n < 2^32. */
csm_status csm_order_f64(uint32_t *order, const double *key, size_t n); /* finite keys */
csm_status csm_order_time(uint32_t *order, const csm_time *key, size_t n);

/* ---- sort.c ---- */

typedef struct csm_scored_row {
    double score;  /* finite */
    double weight; /* below 0: of outcome 0 */
} csm_scored_row;

/* By score, equal ones in their old order. room: n rows. n < 2^32. */
void csm_sort_rows(csm_scored_row *rows, csm_scored_row *room, size_t n);
/* The same, handed over in pieces of ascending scores, each while it is in the cache; an empty piece may be among them. Both arrays are
 * overwritten, and rows is not used any more once the first piece is taken. */
typedef void csm_sorted_piece(void *user, const csm_scored_row *rows, size_t n);
csm_status csm_sort_pieces(csm_scored_row *rows, csm_scored_row *room, size_t n, csm_sorted_piece *take,
                           void *user);

/* ---- groups.c: rows of one score are one group ---- */

typedef struct csm_score_groups {
    size_t count;
    double *score;    /* strictly ascending */
    double *weight;   /* > 0 */
    double *positive; /* weight of outcomes 1, 0..weight */
    double *block;    /* holds all three; NULL: each is a block of its own */
} csm_score_groups;

/* Rows of weight 0 are left out. */
csm_status csm_score_groups_make(csm_score_groups *out, const double *score, const double *outcome,
                                 const double *weight, size_t n);
void csm_score_groups_free(csm_score_groups *groups);
/* Within 1e-100..1e100: products of two sums of weights then neither vanish nor overflow. */
bool csm_is_group_weight(double weight);

/* ---- logistic.c ---- */

/* Platt, beta or temperature, as csm_calibration and csm_calibrator_info say; slope_high is NaN unless beta. */
csm_status csm_logistic_fit(double *slope, double *slope_high, double *intercept, uint32_t method,
                            const csm_score_groups *groups);
double csm_logistic_at(double score, uint32_t method, double slope, double slope_high, double intercept);

/* ---- isotonic.c ---- */

/* A pooled block of neighbouring groups. */
typedef struct csm_pool {
    double weight;
    double positive;
    size_t edge; /* the block's other end */
} csm_pool;

typedef struct csm_isotonic {
    size_t knots; /* the regression is linear between them: first and last score of each pool */
    double *knot_score;
    double *knot_value;
    size_t
        cells; /* of equal width from first to last knot; knots of cell c are cell_knot[c]..cell_knot[c + 1], and the
                     first knot not below a score of cell c is among them, that last one included */
    double cell_scale;
    uint32_t *cell_knot;
} csm_isotonic;

csm_status csm_isotonic_fit(csm_isotonic *out, const csm_score_groups *groups);
void csm_isotonic_free(csm_isotonic *isotonic);
/* Linear between groups, constant outside (as scikit-learn's out_of_bounds="clip"). */
double csm_isotonic_at(const csm_isotonic *isotonic, double score);
/* The same for n scores; `value` may be `score`. */
void csm_isotonic_apply(const csm_isotonic *isotonic, const double *score, double *value, size_t n);

/* The pools of every prefix and of every suffix of the groups: before[k] is the last pool of groups 0..k and begins at
 * its edge; after[k] is the first pool of groups k..count-1 and ends at its edge. A prefix's next pool is
 * before[edge - 1], a suffix's after[edge + 1]. */
typedef struct csm_venn_abers {
    csm_pool *before;
    csm_pool *after;
} csm_venn_abers;

csm_status csm_venn_abers_fit(csm_venn_abers **out, const csm_score_groups *groups);
void csm_venn_abers_free(csm_venn_abers *pools);
/* Isotonic regression at `score` after one more row of weight 1 with this score and outcome. */
double csm_venn_abers_at(const csm_venn_abers *pools, const csm_score_groups *groups, double score,
                         double outcome);

/* ---- calibrator.c ---- */

#define CSM_BLOCKS_UNSHRUNK 30   /* STATISTICS: until then Platt or beta, shrunk toward the base rate */
#define CSM_BLOCKS_ISOTONIC 100  /* STATISTICS: isotonic and Venn-Abers only from there on */
#define CSM_LOG_LOSS_FLOOR 1e-15 /* a forecast of 0 or 1 that fails costs log(1e15), as in scikit-learn */

struct csm_calibrator {
    csm_calibrator_info info;
    csm_score_groups groups;
    csm_isotonic isotonic;
    _Atomic(csm_venn_abers *) venn_abers; /* made by the first who asks; twice the work of all the rest */
};

bool csm_calibration_is_parametric(uint32_t method);
/* Disjoint blocks from which a method may be used. */
double csm_calibration_blocks_needed(uint32_t method);
/* The method AUTO stands for without folds. */
uint32_t csm_calibration_by_blocks(double blocks);
csm_status csm_calibrator_options_check(csm_calibrator_options *out, const csm_calibrator_options *user);
/* Groups, base rate and isotonic regression of the rows, with no method yet. Shrinks as options->blocks says. */
csm_status csm_calibrator_begin(csm_calibrator **out, const double *score, const double *outcome,
                                const double *weight, size_t n, const csm_calibrator_options *options);
/* Makes it a calibrator of `method`; may be called again with another one. */
csm_status csm_calibrator_set_method(csm_calibrator *calibrator, uint32_t method);

/* ---- file.c ---- */

csm_status csm_calibrator_write(csm_tensors_writer *writer, const char *prefix,
                                const csm_calibrator *calibrator);
csm_status csm_calibrator_read(csm_calibrator **out, const csm_tensors *tensors, const char *prefix);

/* ---- outcomes.c ---- */

/* Arrays that are there, outcomes 0 or 1, probabilities within 0..1, returns finite. */
csm_status csm_outcomes_check(const csm_outcomes *outcomes, const char *what);
/* Index of the horizon-long span since the epoch that holds `time`. */
int64_t csm_block_index(csm_time time, csm_time horizon);

/* ---- bootstrap.c ---- */

/* Block b of resample s out of `blocks` in order of time: stationary bootstrap (Politis & Romano 1994) with runs of two
 * blocks on average, since labels reach into the next block. Fills pick[blocks]. */
void csm_bootstrap_draw(uint32_t *pick, size_t blocks, uint64_t seed, uint64_t resample);
/* The same with runs of `run` >= 1 on average. */
void csm_bootstrap_runs(uint32_t *pick, size_t blocks, double run, uint64_t seed, uint64_t resample);
/* 5 % and 95 % quantile (linear between order statistics) of the values that are numbers; sorts them. */
void csm_bootstrap_band(double *low, double *high, double *values, size_t n);

/* ---- panel.c ---- */

/* Copies a finite (periods, series) matrix, series by series: values[series * periods + period]. */
csm_status csm_panel_copy(double **values, const csm_matrix *matrix, const char *what);

/* ---- spearman.c ---- */

/* As csm_calibrate_spearman, and tells when memory is short. */
csm_status csm_spearman(double *out, const double *a, const double *b, size_t n);

/* ---- gate.c ---- */

/* Takes the caller's options over the defaults and checks them. */
csm_status csm_gate_options_take(csm_gate_options *out, const csm_gate_options *user);

#endif
