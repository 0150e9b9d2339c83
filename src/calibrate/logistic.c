/* SPDX-License-Identifier: MIT */
/*
 * Calibrators that are logistic in one or two functions of the score, with slopes of 0 or above:
 *
 *   Platt        logit p = a s + c                                  Platt 1999
 *   beta         logit p = a ln g(s) - b ln (1 - g(s)) + c          Kull, Silva Filho & Flach 2017, g the logistic function
 *   temperature  logit p = s / T                                    Guo, Pleiss, Sun & Weinberger 2017
 *
 * All are fitted to Platt's prior targets, so that separable rows end in finite slopes, by Newton's method with
 * backtracking (Lin, Lin & Weng 2007). A slope that would fall below 0 is held at 0; the problem is convex, so that the
 * best point of the cone lies on the face of an offending slope.
 */
#include "calibrate/internal.h"

#include "core/real.h"

#include <math.h>

#define ITERATIONS_MAX 100
#define SUFFICIENT_DECREASE 1e-4
#define SMALLEST_STEP 1e-10
/* Gains below this drown in the rounding of the loss; convergence is quadratic, and one more step ends it. */
#define LAST_DECREMENT 1e-12
#define RIDGE 1e-12 /* keeps the Hessian invertible for a constant score; relative to the total weight */
#define TERMS 3     /* two slopes and the intercept */
#define INTERCEPT 2
#define PRODUCT_MAX 0x1p1000 /* factors are 1..2 */

typedef struct logistic_problem {
    const csm_score_groups *groups;
    double *feature[2]; /* scaled to -1..1; NULL: not in this family */
    double center[2];
    double half[2];
    bool intercept;
    double target_positive; /* (N+ + 1) / (N+ + 2) */
    double target_negative; /* 1 / (N- + 2) */
    double weight_sum;
} logistic_problem;

/* Mean loss at a point, with its first and second derivatives. */
typedef struct logistic_loss {
    double value;
    double gradient[TERMS];
    double hessian[TERMS][TERMS];
} logistic_loss;

/* ---- the problem ---- */

static void scale_feature(double *feature, double *center, double *half, size_t n, bool centered) {
    double low = feature[0], high = feature[0];
    for (size_t k = 0; k < n; k++) {
        if (feature[k] < low) low = feature[k];
        if (feature[k] > high) high = feature[k];
    }
    *center = centered ? low / 2 + high / 2 : 0;
    *half = centered ? high / 2 - low / 2 : (-low > high ? -low : high);
    if (!(*half > 0)) *half = 1;
    for (size_t k = 0; k < n; k++) feature[k] = (feature[k] / 2 - *center / 2) / (*half / 2);
}

static csm_status make_features(logistic_problem *problem, uint32_t method) {
    const csm_score_groups *groups = problem->groups;
    size_t n = groups->count, features = method == CSM_CALIBRATION_BETA ? 2 : 1;
    problem->intercept = method != CSM_CALIBRATION_TEMPERATURE;
    for (size_t f = 0; f < features; f++) {
        problem->feature[f] = csm_alloc_array(n, sizeof(double));
        if (!problem->feature[f]) return CSM_ENOMEM;
    }
    for (size_t k = 0; k < n; k++) {
        double score = groups->score[k];
        problem->feature[0][k] = features == 2 ? csm_log_logistic(score) : score;
        if (features == 2) problem->feature[1][k] = -csm_log_logistic(-score);
    }
    for (size_t f = 0; f < features; f++)
        scale_feature(problem->feature[f], &problem->center[f], &problem->half[f], n, problem->intercept);
    return CSM_OK;
}

static void make_targets(logistic_problem *problem) {
    const csm_score_groups *groups = problem->groups;
    double positive = 0, weight = 0;
    for (size_t k = 0; k < groups->count; k++) {
        positive += groups->positive[k];
        weight += groups->weight[k];
    }
    problem->weight_sum = weight;
    problem->target_positive = (positive + 1) / (positive + 2);
    problem->target_negative = 1 / (weight - positive + 2);
}

/* Weight of the soft positive target in group k. */
static double soft_positive(const logistic_problem *problem, size_t k) {
    const csm_score_groups *groups = problem->groups;
    return groups->positive[k] * problem->target_positive +
           (groups->weight[k] - groups->positive[k]) * problem->target_negative;
}

/* ---- the loss ---- */

static void add_curvature(logistic_loss *loss, const double *z, double error, double curvature) {
    for (size_t a = 0; a < TERMS; a++) {
        loss->gradient[a] += error * z[a];
        for (size_t b = 0; b <= a; b++) loss->hessian[a][b] += curvature * z[a] * z[b];
    }
}

/* -log likelihood of soft positives s out of w at score x: w log(1 + exp(-|x|)) + |x| times what x speaks against. Logarithms
 * of groups of weight 1, nearly all of them, are taken of their product. */
static logistic_loss loss_at(const logistic_problem *problem, const double *at) {
    logistic_loss loss = {0};
    double product = 1;
    for (size_t k = 0; k < problem->groups->count; k++) {
        double z[TERMS] = {problem->feature[0][k], problem->feature[1] ? problem->feature[1][k] : 0,
                           problem->intercept ? 1 : 0};
        double x = at[0] * z[0] + at[1] * z[1] + at[INTERCEPT] * z[INTERCEPT];
        double weight = problem->groups->weight[k], soft = soft_positive(problem, k);
        double tail = csm_exp(-fabs(x)), p = (x < 0 ? tail : 1) / (1 + tail);
        double share = weight / problem->weight_sum;
        loss.value += x < 0 ? -x * soft : x * (weight - soft);
        if (weight == 1) {
            product *= 1 + tail;
        } else {
            loss.value += weight * csm_log1p(tail);
        }
        if (product > PRODUCT_MAX) {
            loss.value += csm_log(product);
            product = 1;
        }
        add_curvature(&loss, z, share * p - soft / problem->weight_sum, share * p * (1 - p));
    }
    loss.value = (loss.value + csm_log(product)) / problem->weight_sum;
    return loss;
}

/* ---- Newton's method over the free terms ---- */

/* step = -hessian^-1 gradient over the free terms by Cholesky; false when the Hessian is not positive definite. */
static bool newton_step(double *step, const logistic_loss *loss, const bool *is_free) {
    double factor[TERMS][TERMS] = {{0}}, forward[TERMS] = {0};
    for (size_t a = 0; a < TERMS; a++) {
        for (size_t b = 0; b <= a; b++) {
            double sum = is_free[a] && is_free[b] ? loss->hessian[a][b] : 0;
            if (a == b) sum = is_free[a] ? sum + RIDGE : 1;
            for (size_t c = 0; c < b; c++) sum -= factor[a][c] * factor[b][c];
            if (a == b && !(sum > 0)) return false;
            factor[a][b] = a == b ? sqrt(sum) : sum / factor[b][b];
        }
    }
    for (size_t a = 0; a < TERMS; a++) {
        double sum = is_free[a] ? -loss->gradient[a] : 0;
        for (size_t c = 0; c < a; c++) sum -= factor[a][c] * forward[c];
        forward[a] = sum / factor[a][a];
    }
    for (size_t a = TERMS; a-- > 0;) {
        double sum = forward[a];
        for (size_t c = a + 1; c < TERMS; c++) sum -= factor[c][a] * step[c];
        step[a] = sum / factor[a][a];
    }
    return true;
}

/* Minimises over the free terms, from `at`, which it moves. */
static double minimise(const logistic_problem *problem, double *at, const bool *is_free) {
    logistic_loss loss = loss_at(problem, at);
    bool moved = true;
    for (int i = 0; i < ITERATIONS_MAX && moved; i++) {
        double step[TERMS], decrement = 0;
        moved = false;
        if (!newton_step(step, &loss, is_free)) break;
        for (size_t a = 0; a < TERMS; a++) decrement -= loss.gradient[a] * step[a];
        if (!(decrement > LAST_DECREMENT)) {
            for (size_t a = 0; a < TERMS && decrement >= 0; a++) at[a] += step[a];
            break;
        }
        for (double length = 1; length >= SMALLEST_STEP && !moved; length /= 2) {
            double next[TERMS];
            for (size_t a = 0; a < TERMS; a++) next[a] = at[a] + length * step[a];
            logistic_loss there = loss_at(problem, next);
            if (!(there.value < loss.value - SUFFICIENT_DECREASE * length * decrement)) continue;
            for (size_t a = 0; a < TERMS; a++) at[a] = next[a];
            loss = there;
            moved = true;
        }
    }
    return loss.value;
}

/* Best point with slopes of 0 or above. `flat` is the best one without slopes, and the start. */
static void minimise_in_cone(double *best, const logistic_problem *problem, const double *flat) {
    static const bool faces[][2] = {{true, true}, {true, false}, {false, true}, {false, false}};
    double best_loss = INFINITY;
    for (size_t face = 0; face < sizeof faces / sizeof *faces; face++) {
        bool is_free[TERMS] = {faces[face][0], faces[face][1] && problem->feature[1], problem->intercept};
        double at[TERMS] = {flat[0], flat[1], flat[2]};
        if (face > 0 && faces[face][1] && !problem->feature[1]) continue;
        double loss = minimise(problem, at, is_free);
        bool inside = at[0] >= 0 && at[1] >= 0;
        if (inside && loss < best_loss) {
            best_loss = loss;
            for (size_t a = 0; a < TERMS; a++) best[a] = at[a];
        }
        if (face == 0 && inside) return;
    }
}

static csm_status unscale(double *slope, double *slope_high, double *intercept,
                          const logistic_problem *problem, const double *at) {
    double b[2] = {at[0] / problem->half[0], problem->feature[1] ? at[1] / problem->half[1] : 0};
    *slope = b[0];
    *slope_high = problem->feature[1] ? b[1] : NAN;
    *intercept = at[INTERCEPT];
    for (size_t f = 0; f < 2; f++) {
        if (problem->feature[f]) *intercept -= at[f] * (problem->center[f] / problem->half[f]);
    }
    if (isfinite(b[0]) && isfinite(b[1]) && isfinite(*intercept)) return CSM_OK;
    const csm_score_groups *groups = problem->groups;
    return csm_fail(CSM_EINVAL, "calibrator: scores within %g..%g are too close to tell apart",
                    groups->score[0], groups->score[groups->count - 1]);
}

csm_status csm_logistic_fit(double *slope, double *slope_high, double *intercept, uint32_t method,
                            const csm_score_groups *groups) {
    logistic_problem problem = {.groups = groups};
    double flat[TERMS] = {0}, best[TERMS] = {0}, soft = 0;
    csm_status status = make_features(&problem, method);
    if (status) goto done;
    make_targets(&problem);
    for (size_t k = 0; k < groups->count; k++) soft += soft_positive(&problem, k);
    if (problem.intercept) flat[INTERCEPT] = csm_log(soft) - csm_log(problem.weight_sum - soft);
    minimise_in_cone(best, &problem, flat);
    status = unscale(slope, slope_high, intercept, &problem, best);
done:
    csm_dealloc(problem.feature[0]);
    csm_dealloc(problem.feature[1]);
    return status;
}

double csm_logistic_at(double score, uint32_t method, double slope, double slope_high, double intercept) {
    double x = slope * score + intercept;
    if (method == CSM_CALIBRATION_BETA)
        x = slope * csm_log_logistic(score) - slope_high * csm_log_logistic(-score) + intercept;
    return csm_logistic(x);
}
