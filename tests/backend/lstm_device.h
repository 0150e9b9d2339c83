/* SPDX-License-Identifier: MIT */
/* Compares the LSTM on a device (a card, or the emulator) with the plain reference in double. */
#ifndef CSM_TESTS_BACKEND_LSTM_DEVICE_H
#define CSM_TESTS_BACKEND_LSTM_DEVICE_H

#include "core/support.h"

#include "backend/lstm_cuda.h"
#include "core/internal.h"

#include <math.h>

typedef struct device_case {
    size_t inputs, hidden, layers, outputs;
    uint32_t norm;
    size_t hours, windows, steps;
    float dropout;
    csm_lstm_precision precision;
    csm_lstm_rung rung, expected; /* expected: BEST: any */
} device_case;

/* Largest distance from the reference as a share of its norm that each precision is held to (forward, backward). fp32:
 * order of sums; the others: 2^-11 (tf32, fp16) and 2^-8 (bf16) of each operand, over some dozens of steps. */
static const double device_tolerance[4][2] = {{2e-6, 2e-5}, {1e-3, 4e-3}, {1e-3, 4e-3}, {8e-3, 3e-2}};
static const char *const device_precision_name[4] = {"fp32", "tf32", "fp16", "bf16"};
static const char *const device_rung_name[4] = {"best", "steps", "hours", "resident"};

typedef struct device_problem {
    csm_lstm_shape shape;
    csm_lstm_batch batch;
    size_t count, outs, inputs;
    float *parameters, *x, *dout;
    uint32_t *first;
    double *want_out, *want_grad, *want_dx;
    float *out, *grad, *dx;
} device_problem;

static inline void *device_array(size_t count, size_t size) {
    void *block = calloc(count, size);
    assert_non_null(block);
    return block;
}

static inline double *device_wide(const float *values, size_t count) {
    double *wide = device_array(count, sizeof *wide);
    for (size_t i = 0; i < count; i++) wide[i] = (double)values[i];
    return wide;
}

/* Windows overlap, repeat and leave hours out; their order is mixed. */
static inline void device_problem_new(device_problem *p, const device_case *c) {
    *p = (device_problem){.shape = {c->inputs, c->hidden, c->layers, c->outputs, c->norm}};
    p->count = csm_lstm_parameters(&p->shape);
    p->outs = c->windows * c->outputs;
    p->inputs = c->hours * c->inputs;
    p->parameters = device_array(p->count, sizeof(float));
    p->x = device_array(p->inputs, sizeof(float));
    p->dout = device_array(p->outs, sizeof(float));
    p->first = device_array(c->windows, sizeof *p->first);
    const double spread = 1 / sqrt((double)c->hidden);
    for (size_t i = 0; i < p->count; i++) p->parameters[i] = (float)(spread * csm_random_normal(1, 1, i));
    for (size_t i = 0; i < p->inputs; i++) p->x[i] = (float)csm_random_normal(1, 2, i);
    for (size_t i = 0; i < p->outs; i++) p->dout[i] = (float)csm_random_normal(1, 3, i);
    const size_t room = c->hours - c->steps + 1;
    for (size_t b = 0; b < c->windows; b++) p->first[b] = (uint32_t)(b * 7 % (room > 3 ? room - 2 : room));
    p->batch = (csm_lstm_batch){p->x, c->hours, p->first, c->windows, c->steps, {c->dropout, 11, 5}};
    double *parameters = device_wide(p->parameters, p->count), *x = device_wide(p->x, p->inputs);
    double *dout = device_wide(p->dout, p->outs);
    p->want_out = device_array(p->outs, sizeof(double));
    p->want_grad = device_array(p->count, sizeof(double));
    p->want_dx = device_array(p->inputs, sizeof(double));
    assert_ok(
        csm_lstm_plain_f64(&p->shape, parameters, &p->batch, x, p->want_out, dout, p->want_grad, p->want_dx));
    free(parameters);
    free(x);
    free(dout);
    p->out = device_array(p->outs, sizeof(float));
    p->grad = device_array(p->count, sizeof(float));
    p->dx = device_array(p->inputs, sizeof(float));
}

static inline void device_problem_free(device_problem *p) {
    free(p->parameters);
    free(p->x);
    free(p->dout);
    free(p->first);
    free(p->want_out);
    free(p->want_grad);
    free(p->want_dx);
    free(p->out);
    free(p->grad);
    free(p->dx);
}

/* ||got - want|| / ||want||; infinite where something is not a number. */
static inline double device_distance(const float *got, const double *want, size_t count) {
    double difference = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(got[i])) return INFINITY;
        difference += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        size += want[i] * want[i];
    }
    return size > 0 ? sqrt(difference / size) : sqrt(difference);
}

static inline csm_lstm_cuda_options device_options(const device_case *c) {
    return (csm_lstm_cuda_options){.precision = c->precision,
                                   .rung = c->rung,
                                   .training = 1,
                                   .batch = c->windows,
                                   .steps = c->steps,
                                   .hours = c->hours};
}

/* Worst of each matrix on its own, so that a wrong small one is not hidden behind a large one. */
static inline double device_gradient_distance(const device_problem *p) {
    double worst = 0;
    for (size_t l = 0; l < p->shape.layers; l++) {
        const csm_lstm_layer at = csm_lstm_layer_at(&p->shape, l);
        const size_t end = l + 1 < p->shape.layers ? csm_lstm_layer_at(&p->shape, l + 1).weight_ih
                                                   : csm_lstm_head_weight(&p->shape);
        const size_t cut[] = {at.weight_ih, at.weight_hh, at.bias, at.gain, end};
        for (size_t i = 0; i < 4; i++)
            if (cut[i + 1] > cut[i])
                worst = fmax(worst,
                             device_distance(p->grad + cut[i], p->want_grad + cut[i], cut[i + 1] - cut[i]));
    }
    const size_t head = csm_lstm_head_weight(&p->shape);
    return fmax(worst, device_distance(p->grad + head, p->want_grad + head, p->count - head));
}

/* Runs the case and returns its distances: out, gradients, dx. */
static inline void device_run(const device_case *c, device_problem *p, double distance[3]) {
    csm_lstm_cuda *lstm;
    const csm_lstm_cuda_options options = device_options(c);
    assert_ok(csm_lstm_cuda_new(&lstm, &p->shape, &options));
    if (c->expected != CSM_LSTM_BEST) assert_int_equal(c->expected, csm_lstm_cuda_rung(lstm));
    assert_ok(csm_lstm_cuda_set_parameters(lstm, p->parameters));
    assert_ok(csm_lstm_cuda_forward(lstm, &p->batch, p->out));
    assert_ok(csm_lstm_cuda_backward(lstm, p->dout, p->grad, p->dx));
    csm_lstm_cuda_free(lstm);
    distance[0] = device_distance(p->out, p->want_out, p->outs);
    distance[1] = device_gradient_distance(p);
    distance[2] = device_distance(p->dx, p->want_dx, p->inputs);
}

static inline bool device_within(const device_case *c, const double distance[3]) {
    const double *most = device_tolerance[c->precision];
    return distance[0] <= most[0] && distance[1] <= most[1] && distance[2] <= most[1];
}

static inline void device_print(const device_case *c, const double distance[3]) {
    print_message("%s %-8s I %zu H %zu L %zu O %zu T %zu B %zu%s%s: out %.1e gradients %.1e dx %.1e\n",
                  device_precision_name[c->precision], device_rung_name[c->rung], c->inputs, c->hidden,
                  c->layers, c->outputs, c->steps, c->windows, c->norm ? " norm" : "",
                  c->dropout > 0 ? " dropout" : "", distance[0], distance[1], distance[2]);
}

#endif
