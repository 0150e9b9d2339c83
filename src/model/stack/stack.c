/* SPDX-License-Identifier: MIT */
/*
 * Weights of an ensemble's members: least mean loss of the mixture with no weight below 0. With few members each support
 * (which weights are above 0) can be tried, so that the quadratic problem is solved exactly; logistic loss takes Newton
 * steps of such problems.
 */
#include "model/internal.h"

#include "core/real.h"

#include <math.h>
#include <string.h>

#define MEMBERS_MAX CSM_STACK_MEMBERS_MAX
#define NEWTON_STEPS 50
#define HALVINGS 40

typedef struct stack_problem {
    size_t members;
    size_t rows;
    const csm_matrix *prediction;
    const double *y;
    const double *weight;
    double weight_sum;
    double shrink;
    csm_objective objective;
} stack_problem;

/* w' a w / 2 - b' w, to be least over w >= 0 */
typedef struct quadratic {
    double a[MEMBERS_MAX][MEMBERS_MAX];
    double b[MEMBERS_MAX];
} quadratic;

/* ---- the quadratic problem ---- */

/* Gauss-Jordan with partial pivoting of n rows and n + 1 columns; false when singular. */
static bool eliminate(double m[MEMBERS_MAX][MEMBERS_MAX + 1], size_t n) {
    for (size_t c = 0; c < n; c++) {
        size_t pivot = c;
        for (size_t r = c + 1; r < n; r++) {
            if (fabs(m[r][c]) > fabs(m[pivot][c])) pivot = r;
        }
        if (!(fabs(m[pivot][c]) > 1e-300)) return false;
        for (size_t k = 0; k <= n; k++) {
            const double swap = m[c][k];
            m[c][k] = m[pivot][k];
            m[pivot][k] = swap;
        }
        for (size_t r = 0; r < n; r++) {
            const double share = m[r][c] / m[c][c];
            for (size_t k = c; r != c && k <= n; k++) m[r][k] -= share * m[c][k];
        }
    }
    return true;
}

/* Stationary point on the support; false when there is none with weights of 0 or more. */
static bool stationary(double *w, const quadratic *q, size_t members, uint32_t support) {
    double m[MEMBERS_MAX][MEMBERS_MAX + 1] = {{0}};
    size_t at[MEMBERS_MAX], n = 0;
    for (size_t i = 0; i < members; i++) {
        if (support >> i & 1) at[n++] = i;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) m[i][j] = q->a[at[i]][at[j]];
        m[i][n] = q->b[at[i]];
    }
    if (!eliminate(m, n)) return false;
    memset(w, 0, members * sizeof *w);
    for (size_t i = 0; i < n; i++) {
        w[at[i]] = m[i][n] / m[i][i];
        if (!(w[at[i]] >= 0)) return false;
    }
    return true;
}

static double value_of(const quadratic *q, const double *w, size_t members) {
    double value = 0;
    for (size_t i = 0; i < members; i++) {
        for (size_t j = 0; j < members; j++) value += 0.5 * q->a[i][j] * w[i] * w[j];
        value -= q->b[i] * w[i];
    }
    return value;
}

/* Of support 0 the answer is no weight at all. */
static void least(double *w, const quadratic *q, size_t members) {
    double best = 0;
    memset(w, 0, members * sizeof *w);
    for (uint32_t support = 1; support < 1u << members; support++) {
        double trial[MEMBERS_MAX];
        if (!stationary(trial, q, members, support)) continue;
        const double value = value_of(q, trial, members);
        if (value >= best) continue;
        best = value;
        memcpy(w, trial, members * sizeof *w);
    }
}

/* ---- the losses ---- */

/* Mean loss at w, and its quadratic model around w. */
static double expand(quadratic *q, const stack_problem *p, const double *w) {
    const size_t k = p->members;
    double loss = 0, slope[MEMBERS_MAX] = {0};
    memset(q, 0, sizeof *q);
    for (size_t r = 0; r < p->rows; r++) {
        double f[MEMBERS_MAX], score = 0, curvature = 1;
        const double weight = p->weight ? p->weight[r] : 1;
        for (size_t i = 0; i < k; i++) {
            f[i] = csm_matrix_get(p->prediction, r, i);
            score += w[i] * f[i];
        }
        double residual = score - p->y[r];
        if (p->objective == CSM_OBJECTIVE_LOGISTIC) {
            const double chance = csm_logistic(score), y = p->y[r];
            residual = chance - y;
            curvature = chance * (1 - chance);
            loss -= weight * ((y > 0 ? y * csm_log_logistic(score) : 0) +
                              (y < 1 ? (1 - y) * csm_log_logistic(-score) : 0));
        } else {
            loss += 0.5 * weight * residual * residual;
        }
        for (size_t i = 0; i < k; i++) {
            slope[i] += weight * residual * f[i];
            for (size_t j = 0; j <= i; j++) q->a[i][j] += weight * curvature * f[i] * f[j];
        }
    }
    loss /= p->weight_sum;
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j <= i; j++) q->a[i][j] = q->a[j][i] = q->a[i][j] / p->weight_sum;
        q->a[i][i] += p->shrink;
        const double from_equal = w[i] - 1 / (double)k;
        loss += 0.5 * p->shrink * from_equal * from_equal;
        slope[i] = slope[i] / p->weight_sum + p->shrink * from_equal;
    }
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j < k; j++) q->b[i] += q->a[i][j] * w[j];
        q->b[i] -= slope[i];
    }
    return loss;
}

static void solve(double *w, const stack_problem *p) {
    const size_t k = p->members;
    quadratic q;
    for (size_t i = 0; i < k; i++) w[i] = 1 / (double)k;
    double loss = expand(&q, p, w);
    for (size_t n = 0; n < NEWTON_STEPS; n++) {
        double target[MEMBERS_MAX] = {0}, trial[MEMBERS_MAX], moved = 0, share = 1, at = INFINITY;
        least(target, &q, k);
        for (size_t h = 0; h < HALVINGS; h++, share *= 0.5) {
            for (size_t i = 0; i < k; i++) trial[i] = w[i] + share * (target[i] - w[i]);
            at = expand(&q, p, trial);
            if (at <= loss) break;
        }
        if (!(at <= loss)) return; /* no better within rounding */
        for (size_t i = 0; i < k; i++) {
            if (fabs(trial[i] - w[i]) > moved) moved = fabs(trial[i] - w[i]);
            w[i] = trial[i];
        }
        loss = at;
        if (moved < 1e-10) return;
    }
}

/* ---- public ---- */

static csm_status check(const stack_problem *p) {
    const csm_matrix *x = p->prediction;
    if (x->rows != p->rows || x->cols == 0 || x->cols > MEMBERS_MAX || !x->data)
        return csm_fail(CSM_EINVAL, "stack: predictions are %zu x %zu, expected %zu x 1..%d", x->rows,
                        x->cols, p->rows, MEMBERS_MAX);
    if (p->objective != CSM_OBJECTIVE_SQUARED && p->objective != CSM_OBJECTIVE_LOGISTIC)
        return csm_fail(CSM_EINVAL, "stack: objective %d is not SQUARED or LOGISTIC", (int)p->objective);
    if (!(p->shrink >= 0 && isfinite(p->shrink)))
        return csm_fail(CSM_EINVAL, "stack: shrink = %g is not 0 or more", p->shrink);
    for (size_t r = 0; r < p->rows; r++) {
        for (size_t i = 0; i < x->cols; i++) {
            if (!isfinite(csm_matrix_get(x, r, i)))
                return csm_fail(CSM_EINVAL, "stack: the prediction at row %zu, member %zu is not finite", r,
                                i);
        }
        const double y = p->y[r], weight = p->weight ? p->weight[r] : 1;
        if (!isfinite(y) || (p->objective == CSM_OBJECTIVE_LOGISTIC && !(y >= 0 && y <= 1)))
            return csm_fail(CSM_EINVAL, "stack: y = %g of row %zu cannot be", y, r);
        if (!(weight >= 0 && isfinite(weight)))
            return csm_fail(CSM_EINVAL, "stack: weight %g of row %zu is not a weight", weight, r);
    }
    return CSM_OK;
}

csm_status csm_model_stack(double *weight, const csm_matrix *prediction, const double *y,
                           const double *sample_weight, size_t n, uint32_t objective, double shrink) {
    if (!weight || !prediction || (n && !y)) return csm_fail(CSM_EINVAL, "stack: an argument is NULL");
    stack_problem p = {.members = prediction->cols,
                       .rows = n,
                       .prediction = prediction,
                       .y = y,
                       .weight = sample_weight,
                       .shrink = shrink,
                       .objective = (csm_objective)objective};
    if (n == 0) return csm_fail(CSM_ENODATA, "stack: no out-of-fold predictions");
    csm_status status = check(&p);
    if (status) return status;
    for (size_t r = 0; r < n; r++) p.weight_sum += sample_weight ? sample_weight[r] : 1;
    if (!(p.weight_sum > 0) || !isfinite(p.weight_sum))
        return csm_fail(CSM_ENODATA, "stack: the weights' sum is %g", p.weight_sum);
    solve(weight, &p);
    return CSM_OK;
}
