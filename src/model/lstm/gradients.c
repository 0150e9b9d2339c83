/* SPDX-License-Identifier: MIT */
/*
 * Integrated gradients: the straight path from the window of training means (normalised: zeros) to the window, its slopes
 * taken in the middle of `steps` equal parts. The windows of the path are one batch; each has hours of its own.
 */
#include "model/lstm/internal.h"

#include <math.h>
#include <string.h>

typedef struct path {
    const lstm_model *model;
    csm_lstm_cpu *net;
    lstm_reader reader;
    size_t steps;
    float *x;        /* (steps + 2, T, I): the path's middles, the window, the baseline */
    float *dx;       /* as x */
    uint32_t *first; /* (steps + 2) */
    float *z, *dz;   /* (steps + 2, O) */
    float *grad;     /* (count), not used */
    double *sum;     /* (T, I) */
} path;

static void close_path(path *p) {
    csm_lstm_cpu_free(p->net);
    lstm_reader_close(&p->reader);
    csm_dealloc(p->x);
    csm_dealloc(p->dx);
    csm_dealloc(p->first);
    csm_dealloc(p->z);
    csm_dealloc(p->dz);
    csm_dealloc(p->grad);
    csm_dealloc(p->sum);
}

static csm_status open_path(path *p, const lstm_model *model, csm_context *context,
                            const csm_samples *samples, uint32_t sample, size_t steps) {
    const size_t floats = model->window * model->shape.inputs, O = model->shape.outputs, rows = steps + 2;
    csm_lstm_batch window;
    *p = (path){.model = model, .steps = steps};
    csm_status status = lstm_check_window(model, samples);
    if (status) return status;
    status = csm_lstm_cpu_new(&p->net, &model->shape, context ? csm_context_threads(context) : 1,
                              csm_backend_isa());
    if (!status) status = lstm_reader_open(&p->reader, model, samples, 1);
    if (!status) status = lstm_reader_take(&window, &p->reader, &sample, 1);
    if (status) return status;
    p->x = csm_alloc_array(rows, floats * sizeof *p->x);
    p->dx = csm_alloc_array(rows, floats * sizeof *p->dx);
    p->first = csm_alloc_array(rows, sizeof *p->first);
    p->z = csm_alloc_array(rows, O * sizeof *p->z);
    p->dz = csm_alloc_array(rows, O * sizeof *p->dz);
    p->grad = csm_alloc_array(model->count, sizeof *p->grad);
    p->sum = csm_alloc_array(floats, sizeof *p->sum);
    if (!p->x || !p->dx || !p->first || !p->z || !p->dz || !p->grad || !p->sum) return CSM_ENOMEM;
    for (size_t k = 0; k < rows; k++) {
        const float share = k < steps ? (float)(((double)k + 0.5) / (double)steps) : k == steps ? 1.0f : 0.0f;
        for (size_t i = 0; i < floats; i++) p->x[k * floats + i] = share * window.x[i];
        p->first[k] = (uint32_t)(k * model->window);
    }
    return CSM_OK;
}

/* Adds a member's slopes to p->sum and its scores to *value and *base. */
static csm_status add_member(path *p, size_t member, uint32_t output, double *value, double *base) {
    const lstm_model *model = p->model;
    const size_t floats = model->window * model->shape.inputs, O = model->shape.outputs, rows = p->steps + 2;
    const csm_lstm_batch batch = {
        .x = p->x, .hours = rows * model->window, .first = p->first, .length = rows, .steps = model->window};
    csm_lstm_cpu_load(p->net, model->parameters + member * model->count);
    csm_status status = csm_lstm_cpu_forward(p->net, &batch, true, p->z);
    if (status) return status;
    *value += (double)p->z[p->steps * O + output];
    *base += (double)p->z[(p->steps + 1) * O + output];
    memset(p->dz, 0, rows * O * sizeof *p->dz);
    for (size_t k = 0; k < p->steps; k++) p->dz[k * O + output] = 1;
    if ((status = csm_lstm_cpu_backward(p->net, &batch, p->dz, p->grad, p->dx))) return status;
    for (size_t k = 0; k < p->steps; k++) {
        for (size_t i = 0; i < floats; i++) p->sum[i] += (double)p->dx[k * floats + i];
    }
    return CSM_OK;
}

csm_status lstm_gradients(const void *state, csm_context *context, const csm_samples *samples, size_t sample,
                          uint32_t output, uint32_t steps, csm_matrix *out, double *base, double *error) {
    const lstm_model *model = state;
    const size_t I = model->shape.inputs;
    const double members = (double)model->members;
    double value = 0, start = 0, total = 0;
    path p;
    if (sample > UINT32_MAX) return csm_fail(CSM_EINVAL, "lstm: sample %zu is past %u", sample, UINT32_MAX);
    csm_status status = open_path(&p, model, context, samples, (uint32_t)sample, steps);
    for (size_t m = 0; m < model->members && !status; m++) status = add_member(&p, m, output, &value, &start);
    if (status) goto done;
    const lstm_target *target = &model->target[output];
    for (size_t t = 0; t < model->window; t++) {
        for (size_t f = 0; f < I; f++) {
            const double slope = p.sum[t * I + f] / ((double)steps * members);
            const double part = slope * (double)p.x[(steps * model->window + t) * I + f] * target->scale;
            total += part;
            lstm_put(out, t, f, part);
        }
    }
    *base = start / members * target->scale + target->offset;
    *error = (value - start) / members * target->scale - total;
done:
    close_path(&p);
    return status;
}
