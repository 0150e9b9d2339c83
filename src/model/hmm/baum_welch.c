/* SPDX-License-Identifier: MIT */
/* Baum & Welch's expectation-maximisation (Rabiner 1989, section III), scaled at every row. */
#include "model/hmm/hmm.h"

#include "core/real.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STATES CSM_HMM_STATES_MAX
#define ROWS_A_STATE 10
#define STAYS 0.9           /* probability of the first model to remain in a state */
#define WEIGHT_LEAST 1e-300 /* a state that no row belongs to keeps its parameters */

void csm_hmm_options_init(csm_hmm_options *options) {
    *options = (csm_hmm_options){
        .size = sizeof *options, .states = 2, .iterations = 200, .tolerance = 1e-7, .floor = 1e-4};
}

/* What a pass over the rows leaves: sums under the posterior. */
typedef struct fitting {
    csm_hmm *hmm;
    const double *x; /* (T, F) */
    size_t length;
    double *emission;        /* (T, S) scaled */
    double *forward;         /* (T, S) filtered */
    double *scale;           /* (T) */
    double *column_variance; /* (F) */
    double *sum;             /* (S, F) */
    double *squares;         /* (S, F) about the old mean */
    double weight[STATES];
    double first[STATES];
    double moves[STATES][STATES];
} fitting;

/* ---- expectation ---- */

static double pass_forward(fitting *fit) {
    uint32_t states = fit->hmm->info.states;
    double state[STATES] = {0}, log_likelihood = 0;
    for (size_t t = 0; t < fit->length; t++) {
        log_likelihood +=
            csm_hmm_emission(fit->emission + t * states, fit->hmm, fit->x + t * fit->hmm->info.features);
        fit->scale[t] = csm_hmm_forward(state, fit->hmm, fit->emission + t * states);
        log_likelihood += csm_log(fit->scale[t]);
        memcpy(fit->forward + t * states, state, states * sizeof *state);
    }
    return log_likelihood;
}

static void add_row(fitting *fit, size_t t, const double *posterior) {
    size_t features = fit->hmm->info.features;
    for (uint32_t s = 0; s < fit->hmm->info.states; s++) {
        fit->weight[s] += posterior[s];
        if (t == 0) fit->first[s] = posterior[s];
        for (size_t f = 0; f < features; f++) {
            double distance = fit->x[t * features + f] - fit->hmm->mean[s * features + f];
            fit->sum[s * features + f] += posterior[s] * distance;
            fit->squares[s * features + f] += posterior[s] * distance * distance;
        }
    }
}

/* backward[s]: density of the later rows from state s, scaled; 1 at the last row. */
static void pass_backward(fitting *fit) {
    const csm_hmm *hmm = fit->hmm;
    uint32_t states = hmm->info.states;
    double backward[STATES], posterior[STATES], earlier[STATES];
    for (uint32_t s = 0; s < states; s++) backward[s] = 1;
    for (size_t t = fit->length; t-- > 0;) {
        const double *emission = fit->emission + t * states,
                     *before = fit->forward + (t ? t - 1 : 0) * states;
        for (uint32_t s = 0; s < states; s++) posterior[s] = fit->forward[t * states + s] * backward[s];
        add_row(fit, t, posterior);
        double share = fit->scale[t] > 0 ? 1 / fit->scale[t] : 0; /* the forward pass left scales above 0 */
        for (uint32_t from = 0; from < states && t > 0; from++) {
            earlier[from] = 0;
            for (uint32_t to = 0; to < states; to++) {
                double move = hmm->transition[from * states + to] * emission[to] * backward[to] * share;
                earlier[from] += move;
                fit->moves[from][to] += before[from] * move;
            }
        }
        memcpy(backward, earlier, sizeof backward);
    }
}

/* ---- maximisation ---- */

static void update_state(fitting *fit, uint32_t state, double floor) {
    csm_hmm *hmm = fit->hmm;
    size_t features = hmm->info.features;
    double weight = fit->weight[state];
    if (!(weight > WEIGHT_LEAST)) return;
    for (size_t f = 0; f < features; f++) {
        size_t i = state * features + f;
        double shift = fit->sum[i] / weight, variance = fit->squares[i] / weight - shift * shift;
        double least = floor * fit->column_variance[f];
        hmm->mean[i] += shift;
        hmm->variance[i] = variance > least ? variance : least;
    }
}

static void update_emissions(fitting *fit, double floor) {
    for (uint32_t s = 0; s < fit->hmm->info.states; s++) update_state(fit, s, floor);
}

static void normalise(double *p, const double *sums, uint32_t states) {
    double sum = 0;
    for (uint32_t s = 0; s < states; s++) sum += sums[s];
    for (uint32_t s = 0; s < states && sum > WEIGHT_LEAST; s++) p[s] = sums[s] / sum;
}

static void maximise(fitting *fit, double floor) {
    csm_hmm *hmm = fit->hmm;
    uint32_t states = hmm->info.states;
    update_emissions(fit, floor);
    normalise(hmm->start, fit->first, states);
    for (uint32_t s = 0; s < states; s++) normalise(hmm->transition + s * states, fit->moves[s], states);
}

static void clear_sums(fitting *fit) {
    size_t cells = fit->hmm->info.states * fit->hmm->info.features;
    memset(fit->sum, 0, cells * sizeof *fit->sum);
    memset(fit->squares, 0, cells * sizeof *fit->squares);
    memset(fit->weight, 0, sizeof fit->weight);
    memset(fit->first, 0, sizeof fit->first);
    memset(fit->moves, 0, sizeof fit->moves);
}

static csm_status iterate(fitting *fit, csm_context *context, const csm_hmm_options *o) {
    csm_hmm_info *info = &fit->hmm->info;
    csm_status status = CSM_OK;
    double last = pass_forward(fit);
    for (bool gains = true; gains && info->iterations < o->iterations && !status; info->iterations++) {
        clear_sums(fit);
        pass_backward(fit);
        maximise(fit, o->floor);
        info->log_likelihood = pass_forward(fit);
        gains = o->tolerance == 0 || info->log_likelihood - last > o->tolerance * (double)fit->length;
        last = info->log_likelihood;
        status = csm_progress(context, "regimes", info->iterations, o->iterations);
    }
    info->log_likelihood = last;
    return status;
}

/* ---- where it starts ---- */

typedef struct keyed_row {
    double key;
    size_t row;
} keyed_row;

static int by_key(const void *a, const void *b) {
    const keyed_row *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static csm_status measure_columns(fitting *fit) {
    size_t features = fit->hmm->info.features;
    for (size_t f = 0; f < features; f++) {
        double mean = 0, squares = 0;
        for (size_t t = 0; t < fit->length; t++) mean += fit->x[t * features + f] / (double)fit->length;
        for (size_t t = 0; t < fit->length; t++) {
            double distance = fit->x[t * features + f] - mean;
            squares += distance * distance;
        }
        fit->column_variance[f] = squares / (double)fit->length;
        if (!(fit->column_variance[f] > 1e-24 * mean * mean))
            return csm_fail(CSM_ENODATA, "hmm: feature %zu never varies", f);
    }
    return CSM_OK;
}

/* Equal shares of the rows by first feature, one a state. */
static csm_status begin(fitting *fit, double floor) {
    csm_hmm *hmm = fit->hmm;
    uint32_t states = hmm->info.states;
    keyed_row *order = csm_alloc_array(fit->length, sizeof *order);
    if (!order) return CSM_ENOMEM;
    for (size_t t = 0; t < fit->length; t++) order[t] = (keyed_row){fit->x[t * hmm->info.features], t};
    qsort(order, fit->length, sizeof *order, by_key);
    clear_sums(fit);
    for (size_t k = 0; k < fit->length; k++) {
        double posterior[STATES] = {0};
        posterior[k * states / fit->length] = 1;
        add_row(fit, order[k].row, posterior);
    }
    update_emissions(fit, floor);
    for (uint32_t s = 0; s < states; s++) {
        hmm->start[s] = 1.0 / states;
        for (uint32_t to = 0; to < states; to++)
            hmm->transition[s * states + to] = s == to ? STAYS : (1 - STAYS) / (states - 1);
    }
    csm_dealloc(order);
    return CSM_OK;
}

/* ---- the order of states ---- */

static csm_status order_states(csm_hmm **hmm) {
    uint32_t states = (*hmm)->info.states;
    size_t features = (*hmm)->info.features;
    keyed_row order[STATES];
    csm_hmm *sorted;
    csm_status status = csm_hmm_new(&sorted, states, features);
    if (status) return status;
    sorted->info = (*hmm)->info;
    for (uint32_t s = 0; s < states; s++) order[s] = (keyed_row){(*hmm)->mean[s * features], s};
    qsort(order, states, sizeof *order, by_key);
    for (uint32_t s = 0; s < states; s++) {
        size_t old = order[s].row;
        sorted->start[s] = (*hmm)->start[old];
        for (uint32_t to = 0; to < states; to++)
            sorted->transition[s * states + to] = (*hmm)->transition[old * states + order[to].row];
        memcpy(sorted->mean + s * features, (*hmm)->mean + old * features, features * sizeof(double));
        memcpy(sorted->variance + s * features, (*hmm)->variance + old * features, features * sizeof(double));
    }
    csm_hmm_free(*hmm);
    *hmm = sorted;
    return CSM_OK;
}

/* ---- fit ---- */

static csm_status check(const csm_hmm_options *o, const csm_matrix *x, const csm_hmm *initial) {
    if (!x || x->cols == 0) return csm_fail(CSM_EINVAL, "hmm: x is NULL or has no columns");
    if (o->states < 2 || o->states > STATES)
        return csm_fail(CSM_EINVAL, "hmm: %u states are outside 2..%d", o->states, STATES);
    if (!(o->tolerance >= 0)) return csm_fail(CSM_EINVAL, "hmm: tolerance %g is below 0", o->tolerance);
    if (!(o->floor >= 0 && o->floor <= 1))
        return csm_fail(CSM_EINVAL, "hmm: floor %g is outside 0..1", o->floor);
    if (initial && initial->info.features != x->cols)
        return csm_fail(CSM_EINVAL, "hmm: initial has %zu features, x %zu", initial->info.features, x->cols);
    if (x->rows / ROWS_A_STATE < o->states)
        return csm_fail(CSM_ENODATA, "hmm: %zu rows are fewer than %d a state", x->rows, ROWS_A_STATE);
    return CSM_OK;
}

static csm_status room(fitting *fit) {
    size_t states = fit->hmm->info.states, features = fit->hmm->info.features;
    fit->emission = csm_alloc_array(fit->length, states * sizeof(double));
    fit->forward = csm_alloc_array(fit->length, states * sizeof(double));
    fit->scale = csm_alloc_array(fit->length, sizeof(double));
    fit->column_variance = csm_alloc_array(features, sizeof(double));
    fit->sum = csm_alloc_array(states * features, sizeof(double));
    fit->squares = csm_alloc_array(states * features, sizeof(double));
    return fit->emission && fit->forward && fit->scale && fit->column_variance && fit->sum && fit->squares
               ? CSM_OK
               : CSM_ENOMEM;
}

csm_status csm_hmm_fit(csm_hmm **out, csm_context *context, const csm_matrix *x, const csm_hmm *initial,
                       const csm_hmm_options *user) {
    csm_hmm_options options;
    double *rows = NULL;
    fitting fit = {0};
    if (!out) return csm_fail(CSM_EINVAL, "hmm: out is NULL");
    *out = NULL;
    csm_hmm_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_hmm_options");
    if (!status && initial) options.states = initial->info.states;
    if (!status) status = check(&options, x, initial);
    if (status) return status;
    if ((status = csm_hmm_rows(&rows, x, x->cols, "hmm"))) goto done;
    fit.x = rows;
    fit.length = x->rows;
    status = initial ? csm_hmm_from(&fit.hmm, options.states, x->cols, initial->start, initial->transition,
                                    initial->mean, initial->variance)
                     : csm_hmm_new(&fit.hmm, options.states, x->cols);
    if (!status) status = room(&fit);
    if (!status) status = measure_columns(&fit);
    if (!status && !initial) status = begin(&fit, options.floor);
    if (!status) status = iterate(&fit, context, &options);
    if (!status) status = order_states(&fit.hmm);
    if (!status) {
        *out = fit.hmm;
        fit.hmm = NULL;
    }
done:
    csm_dealloc(fit.squares);
    csm_dealloc(fit.sum);
    csm_dealloc(fit.column_variance);
    csm_dealloc(fit.scale);
    csm_dealloc(fit.forward);
    csm_dealloc(fit.emission);
    csm_hmm_free(fit.hmm);
    csm_dealloc(rows);
    return status;
}
