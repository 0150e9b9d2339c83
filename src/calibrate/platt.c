/* SPDX-License-Identifier: MIT */
/* Platt 1999 with his prior targets, fitted by Newton's method with backtracking (Lin, Lin & Weng 2007). */
#include "calibrate/internal.h"

#include "core/real.h"

#include <math.h>

#define ITERATIONS_MAX 100
#define SUFFICIENT_DECREASE 1e-4
#define SMALLEST_STEP 1e-10
#define RIDGE 1e-12 /* keeps the Hessian invertible for a constant score; relative to the total weight */

/* The problem in scaled scores z = (score - center) / half, within -1..1. */
typedef struct platt_problem {
    const csm_score_groups *groups;
    double center;
    double half;
    double target_positive; /* (N+ + 1) / (N+ + 2) */
    double target_negative; /* 1 / (N- + 2) */
    double weight_sum;
} platt_problem;

typedef struct platt_point {
    double slope; /* of z */
    double intercept;
} platt_point;

static double scaled(const platt_problem *problem, size_t k) {
    return (problem->groups->score[k] / 2 - problem->center / 2) / (problem->half / 2);
}

/* Weight of the soft positive target in group k. */
static double soft_positive(const platt_problem *problem, size_t k) {
    const csm_score_groups *groups = problem->groups;
    return groups->positive[k] * problem->target_positive +
           (groups->weight[k] - groups->positive[k]) * problem->target_negative;
}

static platt_problem make_problem(const csm_score_groups *groups) {
    double first = groups->score[0], last = groups->score[groups->count - 1];
    double positive = 0, weight = 0;
    for (size_t k = 0; k < groups->count; k++) {
        positive += groups->positive[k];
        weight += groups->weight[k];
    }
    double half = last / 2 - first / 2;
    return (platt_problem){groups,
                           first / 2 + last / 2,
                           half > 0 ? half : 1,
                           (positive + 1) / (positive + 2),
                           1 / (weight - positive + 2),
                           weight};
}

static double mean_loss(const platt_problem *problem, platt_point at) {
    double loss = 0;
    for (size_t k = 0; k < problem->groups->count; k++) {
        double score = at.slope * scaled(problem, k) + at.intercept, soft = soft_positive(problem, k);
        loss -=
            soft * csm_log_logistic(score) + (problem->groups->weight[k] - soft) * csm_log_logistic(-score);
    }
    return loss / problem->weight_sum;
}

/* Newton's direction; *decrease is how fast the loss falls along it. */
static platt_point newton_direction(double *decrease, const platt_problem *problem, platt_point at) {
    double ga = 0, gb = 0, haa = RIDGE, hab = 0, hbb = RIDGE;
    for (size_t k = 0; k < problem->groups->count; k++) {
        double z = scaled(problem, k), p = csm_logistic(at.slope * z + at.intercept);
        double share = problem->groups->weight[k] / problem->weight_sum;
        double error = share * p - soft_positive(problem, k) / problem->weight_sum;
        double curvature = share * p * (1 - p);
        ga += error * z;
        gb += error;
        haa += curvature * z * z;
        hab += curvature * z;
        hbb += curvature;
    }
    double determinant = haa * hbb - hab * hab;
    platt_point step = {-(hbb * ga - hab * gb) / determinant, -(haa * gb - hab * ga) / determinant};
    *decrease = -(ga * step.slope + gb * step.intercept);
    return step;
}

csm_status csm_platt_fit(double *slope, double *intercept, const csm_score_groups *groups) {
    platt_problem problem = make_problem(groups);
    double soft = 0;
    for (size_t k = 0; k < groups->count; k++) soft += soft_positive(&problem, k);
    double flat = csm_log(soft) - csm_log(problem.weight_sum - soft); /* best without a slope */
    platt_point at = {0, flat};
    double loss = mean_loss(&problem, at);
    bool moved = true;
    for (int i = 0; i < ITERATIONS_MAX && moved; i++) {
        double decrease;
        platt_point direction = newton_direction(&decrease, &problem, at);
        moved = false;
        if (!(decrease > 0)) break;
        for (double step = 1; step >= SMALLEST_STEP && !moved; step /= 2) {
            platt_point next = {at.slope + step * direction.slope, at.intercept + step * direction.intercept};
            double next_loss = mean_loss(&problem, next);
            if (!(next_loss < loss - SUFFICIENT_DECREASE * step * decrease)) continue;
            at = next;
            loss = next_loss;
            moved = true;
        }
    }
    if (!isfinite(at.slope) || !isfinite(at.intercept))
        return csm_fail(CSM_EINTERNAL, "platt: slope %g, intercept %g", at.slope, at.intercept);
    /* A score that ranks backwards says nothing: convexity puts the best slope >= 0 at 0. */
    if (!(at.slope > 0)) at = (platt_point){0, flat};
    *slope = at.slope / problem.half;
    *intercept = at.intercept - at.slope * (problem.center / problem.half);
    if (!isfinite(*slope) || !isfinite(*intercept))
        return csm_fail(CSM_EINVAL, "platt: scores within %g..%g are too close to tell apart",
                        groups->score[0], groups->score[groups->count - 1]);
    return CSM_OK;
}
