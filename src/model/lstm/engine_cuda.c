/* SPDX-License-Identifier: MIT */
/*
 * Steps on a card: batches are queued, and nothing waits until the epoch's end. Parameters, moments and the loss come back
 * then, so that checkpoints, early stopping and the model are the same as on the processor.
 */
#include "model/lstm/internal.h"

#include "backend/lstm_cuda.h"

#include <stdlib.h>

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

/* ---- how many distinct hours a batch may have ---- */

static int by_size(const void *a, const void *b) {
    const size_t one = *(const size_t *)a, two = *(const size_t *)b;
    return one < two ? 1 : one > two ? -1 : 0;
}

/* Distinct hours of `count` windows that stand in the order of their ends. */
static size_t hours_of(const csm_samples *samples, const uint32_t *window, size_t count) {
    size_t hours = 0, next = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t end = (size_t)samples->window_end[window[i]] + 1, first = end - samples->window_length;
        hours += end - (first > next ? first : next);
        next = end;
    }
    return hours;
}

/* The most hours of any batch made of whole and cut runs: those of the runs with the most. A batch of `size` windows touches
 * at most size / run + 2 of them. Tight, because a captured step works on all rows that there is room for. */
static csm_status most_hours(size_t *out, const csm_samples *samples, const uint32_t *by_end, size_t run,
                             size_t size) {
    const size_t runs = (samples->length + run - 1) / run, touched = size / run + 2;
    size_t *hours = csm_alloc_array(runs, sizeof *hours);
    if (!hours) return CSM_ENOMEM;
    for (size_t r = 0; r < runs; r++) {
        const size_t left = samples->length - r * run;
        hours[r] = hours_of(samples, by_end + r * run, left < run ? left : run);
    }
    qsort(hours, runs, sizeof *hours, by_size);
    *out = 0;
    for (size_t r = 0; r < runs && r < touched; r++) *out += hours[r];
    if (*out > size * samples->window_length) *out = size * samples->window_length;
    if (*out > samples->x.rows) *out = samples->x.rows;
    csm_dealloc(hours);
    return CSM_OK;
}

static csm_status validation_hours(size_t *out, const csm_samples *samples, size_t size) {
    uint32_t *order = NULL;
    csm_status status = lstm_by_end(&order, samples);
    for (size_t from = 0; from < samples->length && !status; from += size) {
        const size_t left = samples->length - from,
                     hours = hours_of(samples, order + from, left < size ? left : size);
        if (hours > *out) *out = hours;
    }
    csm_dealloc(order);
    return status;
}

/* ---- the engine ---- */

static csm_status open_net(cuda_engine *engine, const lstm_training *t) {
    const csm_train_job *job = t->job;
    const size_t batch = t->learn.capacity;
    size_t hours = 0;
    csm_status status = most_hours(&hours, job->samples, t->by_end, (size_t)job->values[LSTM_RUN], batch);
    if (!status && job->validation) status = validation_hours(&hours, job->validation, batch);
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
