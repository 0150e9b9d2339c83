/* SPDX-License-Identifier: MIT */
/* Epochs over shuffled runs of neighbouring windows; the best epoch by the validation loss; one member after another. */
#include "model/lstm/internal.h"

#include <math.h>
#include <string.h>

enum { DRAW_WEIGHTS = 1, DRAW_ORDER = 2, DRAW_DROPOUT = 3 };

/* A random stream of its own for each purpose and member. */
static uint64_t stream_of(const lstm_training *t, uint64_t purpose) {
    return csm_random_u64(t->job->stream, purpose, t->at.member);
}

static double value_of(const lstm_training *t, lstm_parameter parameter) {
    return t->job->values[parameter];
}

/* ---- opening ---- */

static csm_status open_model(lstm_training *t) {
    const csm_train_job *job = t->job;
    const csm_lstm_shape shape = {.inputs = job->samples->x.cols,
                                  .hidden = (size_t)job->values[LSTM_HIDDEN],
                                  .layers = (size_t)job->values[LSTM_LAYERS],
                                  .outputs = job->head_count,
                                  .layer_norm = (uint32_t)job->values[LSTM_LAYER_NORM]};
    if (job->validation && job->validation->window_length != job->samples->window_length)
        return csm_fail(CSM_EINVAL, "lstm: validation windows of %zu hours, training windows of %zu",
                        job->validation->window_length, job->samples->window_length);
    csm_status status =
        lstm_model_new(&t->model, &shape, job->samples->window_length, (size_t)job->values[LSTM_MEMBERS]);
    if (status) return status;
    t->model->dropout = (float)job->values[LSTM_DROPOUT];
    memcpy(t->model->heads, job->heads, job->head_count * sizeof *job->heads);
    if ((status = lstm_normalise(t->model, job->samples))) return status;
    return lstm_targets(t->model, job->samples);
}

static csm_status open_training(lstm_training *t) {
    const csm_train_job *job = t->job;
    csm_status status = open_model(t);
    if (status) return status;
    const size_t length = job->samples->length, O = job->head_count, batch = (size_t)value_of(t, LSTM_BATCH);
    status = lstm_reader_open(&t->learn, t->model, job->samples, batch);
    if (!status && job->validation) status = lstm_reader_open(&t->check, t->model, job->validation, batch);
    if (!status) status = lstm_optimiser_open(&t->optimiser, &t->model->shape);
    if (!status) status = lstm_by_end(&t->by_end, job->samples);
    if (status) return status;
    t->best = csm_alloc_array(t->model->count, sizeof *t->best);
    t->out = csm_alloc_array(batch, O * sizeof *t->out);
    t->order = csm_alloc_array(length, sizeof *t->order);
    t->runs = csm_alloc_array(length, sizeof *t->runs);
    if (!t->best || !t->out || !t->order || !t->runs) return CSM_ENOMEM;
    double sum = 0;
    for (size_t i = 0; i < length; i++) sum += job->samples->weight ? job->samples->weight[i] : 1;
    t->mean_weight = sum / (double)length;
    t->engine = job->device == CSM_DEVICE_CUDA ? &lstm_engine_cuda : &lstm_engine_cpu;
    return t->engine->open(&t->engine_state, t);
}

static void close_training(lstm_training *t) {
    lstm_model_free(t->model);
    if (t->engine) t->engine->close(t->engine_state);
    lstm_reader_close(&t->learn);
    lstm_reader_close(&t->check);
    lstm_optimiser_close(&t->optimiser);
    csm_dealloc(t->best);
    csm_dealloc(t->out);
    csm_dealloc(t->by_end);
    csm_dealloc(t->order);
    csm_dealloc(t->runs);
}

/* ---- a member's start ---- */

/* Uniform within 1 / sqrt(H), as PyTorch; the forget gate's bias 1 (Jozefowicz et al. 2015); other biases 0. */
static void draw_weights(lstm_training *t) {
    const csm_lstm_shape *shape = &t->model->shape;
    const size_t H = shape->hidden;
    const uint64_t seed = csm_context_seed(t->job->context), stream = stream_of(t, DRAW_WEIGHTS);
    const double bound = 1 / sqrt((double)H);
    for (size_t i = 0; i < t->model->count; i++)
        t->parameters[i] =
            t->optimiser.decays[i] ? (float)(bound * (2 * csm_random_uniform(seed, stream, i) - 1)) : 0.0f;
    for (size_t l = 0; l < shape->layers; l++) {
        const csm_lstm_layer at = csm_lstm_layer_at(shape, l);
        for (size_t u = 0; u < H; u++) t->parameters[at.bias + H + u] = 1.0f;
        for (size_t u = 0; u < H && shape->layer_norm; u++) t->parameters[at.gain + u] = 1.0f;
    }
}

static void start_member(lstm_training *t) {
    draw_weights(t);
    memset(t->optimiser.first, 0, t->model->count * sizeof(float));
    memset(t->optimiser.second, 0, t->model->count * sizeof(float));
    t->optimiser.steps = 0;
    t->at.best_epoch = 0;
    t->at.best_loss = t->at.best_training_loss = (double)INFINITY;
}

/* ---- an epoch ---- */

/* t->order: runs of neighbours in random order (Fisher and Yates; Durstenfeld 1964). */
static void draw_order(lstm_training *t) {
    const size_t length = t->job->samples->length, run = (size_t)value_of(t, LSTM_RUN);
    const size_t runs = (length + run - 1) / run;
    const uint64_t seed = csm_context_seed(t->job->context);
    const uint64_t stream = csm_random_u64(stream_of(t, DRAW_ORDER), 0, t->at.epoch);
    for (size_t r = 0; r < runs; r++) t->runs[r] = (uint32_t)(r * run);
    for (size_t r = runs; r > 1; r--) {
        const size_t other = (size_t)(csm_random_uniform(seed, stream, r) * (double)r);
        const uint32_t taken = t->runs[r - 1];
        t->runs[r - 1] = t->runs[other];
        t->runs[other] = taken;
    }
    size_t at = 0;
    for (size_t r = 0; r < runs; r++) {
        for (size_t i = t->runs[r]; i < length && i < t->runs[r] + run; i++) t->order[at++] = t->by_end[i];
    }
}

/* One step of the optimiser on these windows. */
static csm_status learn_batch(lstm_training *t, const uint32_t *window, size_t count, uint64_t total,
                              double *loss) {
    csm_lstm_batch batch;
    csm_status status = lstm_reader_take(&batch, &t->learn, window, count);
    if (status) return status;
    batch.dropout = (csm_lstm_dropout){t->model->dropout, csm_context_seed(t->job->context),
                                       csm_random_u64(stream_of(t, DRAW_DROPOUT), 0, t->optimiser.steps)};
    const double rate = lstm_rate(value_of(t, LSTM_LEARNING_RATE), value_of(t, LSTM_WARM_UP),
                                  value_of(t, LSTM_FINAL_RATE), t->optimiser.steps, total);
    return t->engine->learn(t->engine_state, t, &batch, window, rate, loss);
}

static csm_status learn_epoch(lstm_training *t) {
    const size_t length = t->job->samples->length, size = (size_t)value_of(t, LSTM_BATCH);
    const uint64_t epochs = (uint64_t)value_of(t, LSTM_EPOCHS), batches = (length + size - 1) / size;
    const uint64_t total = epochs * batches, before = t->at.member * total;
    double loss = 0;
    draw_order(t);
    csm_status status = t->engine->begin(t->engine_state, t);
    for (size_t from = 0; from < length && !status; from += size) {
        status = csm_progress(t->job->context, "train lstm", before + t->optimiser.steps,
                              t->model->members * total);
        if (!status)
            status =
                learn_batch(t, t->order + from, length - from < size ? length - from : size, total, &loss);
    }
    if (!status) status = t->engine->end(t->engine_state, t, &loss);
    t->at.training_loss = loss / ((double)length * t->mean_weight);
    return status;
}

/* Mean loss of the validation windows, in the order of their ends. */
static csm_status validate(lstm_training *t, double *out) {
    const csm_samples *samples = t->job->validation;
    const size_t O = t->model->shape.outputs;
    uint32_t *order = NULL;
    double loss = 0, weight = 0;
    csm_status status = lstm_by_end(&order, samples);
    for (size_t from = 0; from < samples->length && !status; from += t->check.capacity) {
        const size_t left = samples->length - from,
                     count = left < t->check.capacity ? left : t->check.capacity;
        csm_lstm_batch batch;
        if ((status = lstm_reader_take(&batch, &t->check, order + from, count))) break;
        if ((status = t->engine->forward(t->engine_state, &batch, t->out))) break;
        for (size_t b = 0; b < count; b++) {
            loss += lstm_loss(t->model, samples, order[from + b], t->out + b * O, NULL);
            weight += samples->weight ? samples->weight[order[from + b]] : 1;
        }
    }
    *out = loss / weight;
    csm_dealloc(order);
    return status;
}

/* ---- members ---- */

/* After an epoch: keeps the best; *stop when validation has not improved for the patience asked. */
static csm_status judge_epoch(lstm_training *t, double *validation_loss, bool *stop) {
    const uint64_t patience = t->job->early_stopping_rounds;
    *stop = false;
    if (!t->job->validation) return CSM_OK;
    csm_status status = validate(t, validation_loss);
    if (status) return status;
    if (*validation_loss < t->at.best_loss) {
        t->at.best_loss = *validation_loss;
        t->at.best_training_loss = t->at.training_loss;
        t->at.best_epoch = t->at.epoch;
        memcpy(t->best, t->parameters, t->model->count * sizeof *t->best);
    }
    *stop = patience && t->at.epoch - t->at.best_epoch >= patience;
    return CSM_OK;
}

static void finish_member(lstm_training *t, double validation_loss) {
    const bool best = t->job->early_stopping_rounds && t->at.best_epoch;
    if (best) memcpy(t->parameters, t->best, t->model->count * sizeof *t->best);
    t->at.sum_training += best ? t->at.best_training_loss : t->at.training_loss;
    t->at.sum_validation += best ? t->at.best_loss : validation_loss;
    t->at.sum_epochs += (double)(best ? t->at.best_epoch : t->at.epoch);
    t->at.member++;
    t->at.best_epoch = 0;
    t->at.epoch = 0;
}

static csm_status train_members(lstm_training *t) {
    const uint64_t epochs = (uint64_t)value_of(t, LSTM_EPOCHS);
    csm_status status = CSM_OK;
    while (t->at.member < t->model->members && !status) {
        double validation_loss = (double)NAN;
        bool stop = false;
        t->parameters = t->model->parameters + t->at.member * t->model->count;
        if (t->at.epoch == 0) start_member(t);
        if ((status = learn_epoch(t))) break;
        t->at.epoch++;
        if ((status = judge_epoch(t, &validation_loss, &stop))) break;
        if (!isfinite(t->at.training_loss))
            status =
                csm_fail(CSM_EINVAL, "lstm: the loss is not finite after epoch %llu; lower learning_rate",
                         (unsigned long long)t->at.epoch);
        if (!status && (stop || t->at.epoch == epochs)) finish_member(t, validation_loss);
        if (!status && t->job->checkpoint) status = lstm_checkpoint_write(t);
    }
    return status;
}

csm_status lstm_train(void **state, csm_model_info *info, const csm_train_job *job) {
    lstm_training t = {.job = job};
    *state = NULL;
    csm_status status = open_training(&t);
    if (!status && job->checkpoint) status = lstm_checkpoint_read(&t);
    if (!status) status = train_members(&t);
    if (status) goto done;
    const double members = (double)t.model->members;
    info->training_loss = t.at.sum_training / members;
    info->validation_loss = t.at.sum_validation / members;
    info->rounds = (size_t)(t.at.sum_epochs / members + 0.5);
    *state = t.model;
    t.model = NULL;
done:
    close_training(&t);
    return status;
}
