/* SPDX-License-Identifier: MIT */
/*
 * Steps on a card: batches are queued, and nothing waits until the epoch's end. Parameters, moments and the loss come back
 * then, so that checkpoints, early stopping and the model are the same as on the processor.
 */
#include "model/lstm/internal.h"

#include "backend/lstm_cuda.h"

_Static_assert((int)CSM_LSTM_FP32 == (int)CSM_PRECISION_FP32 &&
                   (int)CSM_LSTM_TF32 == (int)CSM_PRECISION_TF32 &&
                   (int)CSM_LSTM_FP16 == (int)CSM_PRECISION_FP16 &&
                   (int)CSM_LSTM_BF16 == (int)CSM_PRECISION_BF16,
               "the public precisions are the backend's");

typedef struct cuda_engine {
    csm_lstm_cuda *net;
    csm_lstm_cuda_head *heads; /* (O) */
    float *target;             /* (batch, O) in the network's units */
    float *weight;             /* (batch) */
} cuda_engine;

static void close_cuda(void *state) {
    cuda_engine *engine = state;
    if (!engine) return;
    csm_lstm_cuda_free(engine->net);
    csm_dealloc(engine->heads);
    csm_dealloc(engine->target);
    csm_dealloc(engine->weight);
    csm_dealloc(engine);
}

static csm_status open_net(cuda_engine *engine, const lstm_training *t) {
    const csm_train_job *job = t->job;
    const size_t batch = t->learn.capacity;
    size_t hours = 0;
    csm_status status = lstm_hours_most(&hours, job->samples, (size_t)job->values[LSTM_RUN], batch);
    if (!status && job->validation) {
        size_t check; /* validation takes its windows in their order: one long run */
        status = lstm_hours_most(&check, job->validation, job->validation->length, batch);
        if (check > hours) hours = check;
    }
    if (status) return status;
    const csm_lstm_cuda_options options = {.device = job->device_index,
                                           .precision = (uint32_t)job->precision,
                                           .rung = CSM_LSTM_BEST,
                                           .training = 1,
                                           .batch = batch,
                                           .steps = job->samples->window_length,
                                           .hours = hours};
    return csm_lstm_cuda_new(&engine->net, &t->model->shape, &options);
}

static void set_heads(cuda_engine *engine, const lstm_model *model) {
    for (size_t o = 0; o < model->shape.outputs; o++) {
        const csm_head *head = &model->heads[o];
        const lstm_target *target = &model->target[o];
        const bool huber = head->objective == CSM_OBJECTIVE_HUBER;
        engine->heads[o] = (csm_lstm_cuda_head){
            .objective = head->objective,
            .parameter = (float)(huber ? head->parameter / target->scale : head->parameter),
            .weight = (float)head->weight,
            .offset = head->objective == CSM_OBJECTIVE_LOGISTIC ? (float)target->offset : 0};
    }
}

static csm_status open_cuda(void **state, const lstm_training *t) {
    const size_t batch = t->learn.capacity, O = t->model->shape.outputs;
    cuda_engine *engine = csm_alloc_array(1, sizeof *engine);
    if (!engine) return CSM_ENOMEM;
    *state = engine;
    engine->heads = csm_alloc_array(O, sizeof *engine->heads);
    engine->target = csm_alloc_array(batch, O * sizeof *engine->target);
    engine->weight = csm_alloc_array(batch, sizeof *engine->weight);
    if (!engine->heads || !engine->target || !engine->weight) return CSM_ENOMEM;
    set_heads(engine, t->model);
    return open_net(engine, t);
}

static csm_status begin_cuda(void *state, const lstm_training *t) {
    const cuda_engine *engine = state;
    csm_status status = csm_lstm_cuda_objective(engine->net, engine->heads);
    if (!status) status = csm_lstm_cuda_set_parameters(engine->net, t->parameters);
    if (!status) status = csm_lstm_cuda_set_moments(engine->net, t->optimiser.first, t->optimiser.second);
    return status;
}

static csm_status learn_cuda(void *state, lstm_training *t, const csm_lstm_batch *batch,
                             const uint32_t *window, double rate, double *loss) {
    cuda_engine *engine = state;
    const lstm_model *model = t->model;
    const csm_samples *samples = t->job->samples;
    const size_t O = model->shape.outputs;
    (void)loss; /* summed on the card */
    for (size_t b = 0; b < batch->length; b++) {
        engine->weight[b] = samples->weight ? (float)samples->weight[window[b]] : 1.0f;
        for (size_t o = 0; o < O; o++) {
            const csm_head *head = &model->heads[o];
            const lstm_target *target = &model->target[o];
            const double y = csm_matrix_get(&samples->y, window[b], head->column);
            engine->target[b * O + o] =
                (float)(head->objective == CSM_OBJECTIVE_LOGISTIC ? y : (y - target->offset) / target->scale);
        }
    }
    const csm_lstm_cuda_step step = {.number = t->optimiser.steps + 1,
                                     .rate = rate,
                                     .decay = t->job->values[LSTM_DECAY],
                                     .clip = t->job->values[LSTM_CLIP],
                                     .share = 1 / ((double)batch->length * t->mean_weight)};
    csm_status status = csm_lstm_cuda_learn(engine->net, batch, engine->target, engine->weight, &step);
    if (!status) t->optimiser.steps++;
    return status;
}

static csm_status end_cuda(void *state, lstm_training *t, double *loss) {
    const cuda_engine *engine = state;
    csm_status status = csm_lstm_cuda_epoch(engine->net, loss);
    if (!status) status = csm_lstm_cuda_get_parameters(engine->net, t->parameters);
    if (!status) status = csm_lstm_cuda_get_moments(engine->net, t->optimiser.first, t->optimiser.second);
    return status;
}

static csm_status forward_cuda(void *state, const csm_lstm_batch *batch, float *out) {
    return csm_lstm_cuda_forward(((cuda_engine *)state)->net, batch, out);
}

const lstm_engine lstm_engine_cuda = {open_cuda, close_cuda, begin_cuda, learn_cuda, end_cuda, forward_cuda};
