/* SPDX-License-Identifier: MIT */
/* Learning in double from the plain reference: what a device's optimiser, losses and clipping are held to. */
#ifndef CSM_TESTS_BACKEND_LSTM_LEARNING_H
#define CSM_TESTS_BACKEND_LSTM_LEARNING_H

#include "backend/lstm_device.h"

typedef struct learning {
    csm_lstm_shape shape;
    size_t count;
    double *parameters, *first, *second;
    uint64_t steps;
} learning;

static inline void learning_new(learning *l, const csm_lstm_shape *shape, const float *parameters) {
    *l = (learning){.shape = *shape, .count = csm_lstm_parameters(shape)};
    l->parameters = device_wide(parameters, l->count);
    l->first = device_array(l->count, sizeof(double));
    l->second = device_array(l->count, sizeof(double));
}

static inline void learning_free(learning *l) {
    free(l->parameters);
    free(l->first);
    free(l->second);
}

static inline double learning_loss(const csm_lstm_cuda_head *head, double z, double y, double *slope) {
    const double d = z - y, at = (double)head->parameter;
    switch (head->objective) {
    case 0:
        *slope = d;
        return d * d / 2;
    case 1:
        *slope = fabs(d) <= at ? d : d > 0 ? at : -at;
        return fabs(d) <= at ? d * d / 2 : at * (fabs(d) - at / 2);
    case 2:
        *slope = d >= 0 ? 1 - at : -at;
        return d * *slope;
    default:
        *slope = 1 / (1 + exp(-(z + (double)head->offset))) - y;
        return log(1 + exp(z + (double)head->offset)) - y * (z + (double)head->offset);
    }
}

static inline bool learning_decays(const csm_lstm_shape *shape, size_t i) {
    for (size_t l = 0; l < shape->layers; l++) {
        const csm_lstm_layer at = csm_lstm_layer_at(shape, l);
        if (i >= at.weight_ih && i < at.bias) return true;
    }
    return i >= csm_lstm_head_weight(shape) && i < csm_lstm_head_bias(shape);
}

/* AdamW (Loshchilov & Hutter 2019, algorithm 2) with clipping by the global norm. Returns the batch's summed loss. */
static inline double learning_step(learning *l, const csm_lstm_batch *batch, const csm_lstm_cuda_head *heads,
                                   const float *target, const float *weight, const csm_lstm_cuda_step *step) {
    const size_t outs = batch->length * l->shape.outputs;
    double *x = device_wide(batch->x, batch->hours * l->shape.inputs), *out = device_array(outs, sizeof *out);
    double *dout = device_array(outs, sizeof *dout), *grad = device_array(l->count, sizeof *grad);
    double loss = 0, square = 0;
    assert_ok(csm_lstm_plain_f64(&l->shape, l->parameters, batch, x, out, NULL, NULL, NULL));
    for (size_t i = 0; i < outs; i++) {
        const csm_lstm_cuda_head *head = &heads[i % l->shape.outputs];
        const double share = (double)(weight ? weight[i / l->shape.outputs] : 1) * (double)head->weight;
        loss += share * learning_loss(head, out[i], (double)target[i], &dout[i]);
        dout[i] *= share * step->share;
    }
    assert_ok(csm_lstm_plain_f64(&l->shape, l->parameters, batch, x, out, dout, grad, NULL));
    for (size_t i = 0; i < l->count; i++) square += grad[i] * grad[i];
    const double norm = sqrt(square), scale = step->clip > 0 && norm > step->clip ? step->clip / norm : 1;
    l->steps++;
    const double n = (double)l->steps;
    for (size_t i = 0; i < l->count; i++) {
        const double g = grad[i] * scale;
        l->first[i] = 0.9 * l->first[i] + 0.1 * g;
        l->second[i] = 0.999 * l->second[i] + 0.001 * g * g;
        const double mean = l->first[i] / (1 - pow(0.9, n)), spread = l->second[i] / (1 - pow(0.999, n));
        if (learning_decays(&l->shape, i)) l->parameters[i] *= 1 - step->rate * step->decay;
        l->parameters[i] -= step->rate * mean / (sqrt(spread) + 1e-8);
    }
    free(x);
    free(out);
    free(dout);
    free(grad);
    return loss;
}

/* Four steps, full and partial batches in turn, on a device: distance of the parameters' changes and of the loss. */
static inline void learning_run(const device_case *c, const csm_lstm_cuda_head *heads, double clip,
                                double distance[2]) {
    device_problem p;
    learning l;
    csm_lstm_cuda *lstm;
    double want = 0, loss;
    device_problem_new(&p, c);
    learning_new(&l, &p.shape, p.parameters);
    const csm_lstm_cuda_options options = device_options(c);
    float *weight = device_array(c->windows, sizeof *weight), *got = device_array(p.count, sizeof *got);
    double *change = device_array(p.count, sizeof *change);
    for (size_t b = 0; b < c->windows; b++) weight[b] = 0.5f + (float)(b % 3);
    for (size_t i = 0; i < p.outs; i++)
        if (heads[i % c->outputs].objective == 3) p.dout[i] = p.dout[i] > 0;
    assert_ok(csm_lstm_cuda_new(&lstm, &p.shape, &options));
    assert_ok(csm_lstm_cuda_set_parameters(lstm, p.parameters));
    assert_ok(csm_lstm_cuda_objective(lstm, heads));
    for (uint64_t n = 1; n <= 4; n++) {
        const csm_lstm_cuda_step step = {n, 0.01 / (double)n, 0.1, clip, 1.0 / (double)c->windows};
        csm_lstm_batch batch = p.batch;
        batch.dropout.stream = n;
        if (n == 3) batch.length = (c->windows + 1) / 2;
        const float *own = n % 2 ? weight : NULL;
        assert_ok(csm_lstm_cuda_learn(lstm, &batch, p.dout, own, &step));
        want += learning_step(&l, &batch, heads, p.dout, own, &step);
    }
    assert_ok(csm_lstm_cuda_epoch(lstm, &loss));
    assert_ok(csm_lstm_cuda_get_parameters(lstm, got));
    csm_lstm_cuda_free(lstm);
    for (size_t i = 0; i < p.count; i++) {
        change[i] = l.parameters[i] - (double)p.parameters[i];
        got[i] = (float)((double)got[i] - (double)p.parameters[i]);
    }
    distance[0] = device_distance(got, change, p.count);
    distance[1] = fabs(loss - want) / fabs(want);
    print_message("%s, clip %g: change of the parameters %.1e, loss %.1e\n",
                  device_precision_name[c->precision], clip, distance[0], distance[1]);
    free(weight);
    free(got);
    free(change);
    learning_free(&l);
    device_problem_free(&p);
}

#endif
