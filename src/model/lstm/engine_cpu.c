/* SPDX-License-Identifier: MIT */
/* Steps on this processor: forward, losses, backward and the optimiser, one after another. */
#include "model/lstm/internal.h"

typedef struct cpu_engine {
    csm_lstm_cpu *net;
    float *grad;       /* (count) */
    float *out, *dout; /* (batch, O) */
} cpu_engine;

static void close_cpu(void *state) {
    cpu_engine *engine = state;
    if (!engine) return;
    csm_lstm_cpu_free(engine->net);
    csm_dealloc(engine->grad);
    csm_dealloc(engine->out);
    csm_dealloc(engine->dout);
    csm_dealloc(engine);
}

static csm_status open_cpu(void **state, const lstm_training *t) {
    const size_t batch = t->learn.capacity, O = t->model->shape.outputs;
    cpu_engine *engine = csm_alloc_array(1, sizeof *engine);
    if (!engine) return CSM_ENOMEM;
    *state = engine;
    engine->grad = csm_alloc_array(t->model->count, sizeof *engine->grad);
    engine->out = csm_alloc_array(batch, O * sizeof *engine->out);
    engine->dout = csm_alloc_array(batch, O * sizeof *engine->dout);
    if (!engine->grad || !engine->out || !engine->dout) return CSM_ENOMEM;
    return csm_lstm_cpu_new(&engine->net, &t->model->shape, csm_context_threads(t->job->context),
                            csm_backend_isa());
}

static csm_status begin_cpu(void *state, const lstm_training *t) {
    csm_lstm_cpu_load(((cpu_engine *)state)->net, t->parameters);
    return CSM_OK;
}

static csm_status learn_cpu(void *state, lstm_training *t, const csm_lstm_batch *batch,
                            const uint32_t *window, double rate, double *loss) {
    cpu_engine *engine = state;
    const size_t O = t->model->shape.outputs;
    const float share = (float)(1 / ((double)batch->length * t->mean_weight));
    csm_status status = csm_lstm_cpu_forward(engine->net, batch, true, engine->out);
    if (status) return status;
    for (size_t b = 0; b < batch->length; b++) {
        float *slope = engine->dout + b * O;
        *loss += lstm_loss(t->model, t->job->samples, window[b], engine->out + b * O, slope);
        for (size_t o = 0; o < O; o++) slope[o] *= share;
    }
    if ((status = csm_lstm_cpu_backward(engine->net, batch, engine->dout, engine->grad, NULL))) return status;
    if (!lstm_optimiser_step(&t->optimiser, t->parameters, engine->grad, rate, t->job->values[LSTM_DECAY],
                             t->job->values[LSTM_CLIP]))
        return csm_fail(CSM_EINVAL, "lstm: the gradient is not finite after %llu steps; lower learning_rate",
                        (unsigned long long)t->optimiser.steps);
    csm_lstm_cpu_load(engine->net, t->parameters);
    return CSM_OK;
}

static csm_status end_cpu(void *state, lstm_training *t, double *loss) {
    (void)state, (void)t, (void)loss; /* all is there already */
    return CSM_OK;
}

static csm_status forward_cpu(void *state, const csm_lstm_batch *batch, float *out) {
    return csm_lstm_cpu_forward(((cpu_engine *)state)->net, batch, false, out);
}

const lstm_engine lstm_engine_cpu = {open_cpu, close_cpu, begin_cpu, learn_cpu, end_cpu, forward_cpu};
