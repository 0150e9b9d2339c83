/* SPDX-License-Identifier: MIT */
/* Batches of windows through the members, in the order of their ends: neighbours share hours. */
#include "model/lstm/internal.h"

#include <math.h>

#define BATCH 2048

csm_status lstm_check_window(const lstm_model *model, const csm_samples *samples) {
    if (samples->window_length == model->window) return CSM_OK;
    return csm_fail(CSM_EINVAL, "lstm: windows of %zu hours; the model was trained on %zu",
                    samples->window_length, model->window);
}

/* Raw predictions of all members and passes: mean and sum of squared deviations (Welford 1962). */
typedef struct evaluation {
    const lstm_model *model;
    const csm_samples *samples;
    csm_lstm_cpu *net;
    lstm_reader reader;
    uint32_t *order;
    float *z;       /* (BATCH, O) */
    double *mean;   /* (length, O) */
    double *square; /* (length, O); NULL: not wanted */
    uint64_t seed;
} evaluation;

static void close_evaluation(evaluation *e) {
    csm_lstm_cpu_free(e->net);
    lstm_reader_close(&e->reader);
    csm_dealloc(e->order);
    csm_dealloc(e->z);
    csm_dealloc(e->mean);
    csm_dealloc(e->square);
}

static csm_status open_evaluation(evaluation *e, const lstm_model *model, csm_context *context,
                                  const csm_samples *samples, bool spread) {
    const size_t O = model->shape.outputs, batch = samples->length < BATCH ? samples->length : BATCH;
    *e = (evaluation){.model = model, .samples = samples, .seed = context ? csm_context_seed(context) : 0};
    csm_status status = lstm_check_window(model, samples);
    if (status) return status;
    status = csm_lstm_cpu_new(&e->net, &model->shape, context ? csm_context_threads(context) : 1,
                              csm_backend_isa());
    if (!status) status = lstm_reader_open(&e->reader, model, samples, batch);
    if (!status) status = lstm_by_end(&e->order, samples);
    if (status) return status;
    e->z = csm_alloc_array(batch, O * sizeof *e->z);
    e->mean = csm_alloc_array(samples->length, O * sizeof *e->mean);
    if (spread) e->square = csm_alloc_array(samples->length, O * sizeof *e->square);
    return e->z && e->mean && (e->square || !spread) ? CSM_OK : CSM_ENOMEM;
}

/* Adds one pass's scores of a batch; `done` passes were added before. */
static void add_scores(evaluation *e, const uint32_t *window, size_t count, size_t done) {
    const size_t O = e->model->shape.outputs;
    for (size_t b = 0; b < count; b++) {
        for (size_t o = 0; o < O; o++) {
            const lstm_target *target = &e->model->target[o];
            const double score = (double)e->z[b * O + o] * target->scale + target->offset;
            const size_t at = window[b] * O + o;
            const double apart = score - e->mean[at];
            e->mean[at] += apart / (double)(done + 1);
            if (e->square) e->square[at] += apart * (score - e->mean[at]);
        }
    }
}

/* All windows through the loaded member; dropout when stream is not 0. */
static csm_status run_pass(evaluation *e, size_t done, uint64_t stream, csm_context *context) {
    csm_status status = CSM_OK;
    for (size_t from = 0; from < e->samples->length && !status; from += BATCH) {
        const size_t left = e->samples->length - from, count = left < BATCH ? left : BATCH;
        csm_lstm_batch batch;
        if (context && csm_cancelled(context)) return csm_fail(CSM_ECANCELLED, "lstm: cancelled");
        if ((status = lstm_reader_take(&batch, &e->reader, e->order + from, count))) break;
        if (stream)
            batch.dropout = (csm_lstm_dropout){e->model->dropout, e->seed, stream << 32 | from / BATCH};
        if (!(status = csm_lstm_cpu_forward(e->net, &batch, false, e->z)))
            add_scores(e, e->order + from, count, done);
    }
    return status;
}

static csm_status run_members(evaluation *e, uint32_t passes, csm_context *context) {
    csm_status status = CSM_OK;
    size_t done = 0;
    for (size_t m = 0; m < e->model->members && !status; m++) {
        csm_lstm_cpu_load(e->net, e->model->parameters + m * e->model->count);
        if (!passes) status = run_pass(e, done++, 0, context);
        for (uint32_t pass = 0; pass < passes && !status; pass++, done++)
            status = run_pass(e, done, done + 1, context);
    }
    return status;
}

csm_status lstm_predict(const void *state, csm_context *context, const csm_samples *samples,
                        csm_matrix *out) {
    const lstm_model *model = state;
    evaluation e;
    csm_status status = open_evaluation(&e, model, context, samples, false);
    if (!status) status = run_members(&e, 0, context);
    for (size_t i = 0; i < samples->length && !status; i++) {
        for (size_t o = 0; o < model->shape.outputs; o++)
            lstm_put(out, i, o, e.mean[i * model->shape.outputs + o]);
    }
    close_evaluation(&e);
    return status;
}

csm_status lstm_spread(const void *state, csm_context *context, const csm_samples *samples, uint32_t passes,
                       csm_matrix *mean, csm_matrix *deviation) {
    const lstm_model *model = state;
    const size_t O = model->shape.outputs, count = model->members * (passes ? passes : 1);
    evaluation e;
    csm_status status = open_evaluation(&e, model, context, samples, true);
    if (!status) status = run_members(&e, passes, context);
    for (size_t i = 0; i < samples->length && !status; i++) {
        for (size_t o = 0; o < O; o++) {
            lstm_put(mean, i, o, e.mean[i * O + o]);
            lstm_put(deviation, i, o, count > 1 ? sqrt(e.square[i * O + o] / (double)(count - 1)) : 0);
        }
    }
    close_evaluation(&e);
    return status;
}
