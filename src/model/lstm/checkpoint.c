/* SPDX-License-Identifier: MIT */
/*
 * A training between two epochs: progress, parameters of all members, the best ones so far, moments. The fingerprint is a
 * hash of everything that decides the result, so that no other training is continued by mistake.
 */
#include "model/lstm/internal.h"

#include "core/platform.h"

#include <string.h>

#define FILE_LIMIT ((size_t)4 << 30)
#define PROGRESS_NUMBERS 4
#define PROGRESS_LOSSES 6

static void add_samples(csm_hasher *hasher, const csm_samples *samples) {
    const uint64_t shape[3] = {samples->length, samples->window_length, samples->y.cols};
    csm_hasher_update(hasher, shape, sizeof shape);
    csm_hasher_update(hasher, samples->window_end, samples->length * sizeof *samples->window_end);
    if (samples->weight)
        csm_hasher_update(hasher, samples->weight, samples->length * sizeof *samples->weight);
    for (size_t i = 0; i < samples->length; i++) {
        for (size_t c = 0; c < samples->y.cols; c++) {
            const double value = csm_matrix_get(&samples->y, i, c);
            csm_hasher_update(hasher, &value, sizeof value);
        }
    }
}

/* Hex digits of the fingerprint, text[CSM_HASH_TEXT]. x counts through the means and deviations it gives. */
static void fingerprint(char *text, const lstm_training *t) {
    const csm_train_job *job = t->job;
    const uint64_t numbers[] = {csm_context_seed(job->context), job->stream,
                                job->early_stopping_rounds,     job->validation ? 1 : 0,
                                job->samples->weight ? 1 : 0,   (uint64_t)csm_backend_isa(),
                                (uint64_t)job->device,          (uint64_t)job->precision};
    csm_hasher hasher;
    csm_hasher_init(&hasher);
    csm_hasher_update(&hasher, csm_version(), strlen(csm_version()));
    csm_hasher_update(&hasher, numbers, sizeof numbers);
    csm_hasher_update(&hasher, job->values, LSTM_PARAMETER_COUNT * sizeof *job->values);
    csm_hasher_update(&hasher, job->heads, job->head_count * sizeof *job->heads);
    csm_hasher_update(&hasher, t->model->mean, t->model->shape.inputs * sizeof(double));
    csm_hasher_update(&hasher, t->model->inverse, t->model->shape.inputs * sizeof(double));
    add_samples(&hasher, job->samples);
    if (job->validation) add_samples(&hasher, job->validation);
    const csm_hash hash = csm_hasher_final(&hasher);
    csm_hash_format(&hash, text);
}

csm_status lstm_checkpoint_write(const lstm_training *t) {
    const lstm_progress *at = &t->at;
    const int64_t numbers[PROGRESS_NUMBERS] = {(int64_t)at->member, (int64_t)at->epoch,
                                               (int64_t)at->best_epoch, (int64_t)t->optimiser.steps};
    const double losses[PROGRESS_LOSSES] = {at->best_loss,    at->best_training_loss, at->training_loss,
                                            at->sum_training, at->sum_validation,     at->sum_epochs};
    const size_t count = t->model->count;
    const struct {
        const char *name;
        csm_tensor_type type;
        const void *data;
        size_t count;
    } tensors[] = {{"numbers", CSM_TENSOR_I64, numbers, PROGRESS_NUMBERS},
                   {"losses", CSM_TENSOR_F64, losses, PROGRESS_LOSSES},
                   {"parameters", CSM_TENSOR_F32, t->model->parameters, t->model->members * count},
                   {"best", CSM_TENSOR_F32, t->best, count},
                   {"first", CSM_TENSOR_F32, t->optimiser.first, count},
                   {"second", CSM_TENSOR_F32, t->optimiser.second, count}};
    csm_tensors_writer *writer = NULL;
    csm_buffer file = {0};
    char text[CSM_HASH_TEXT];
    fingerprint(text, t);
    csm_status status = csm_tensors_writer_new(&writer);
    if (!status) status = csm_tensors_add_text(writer, "checkpoint.", "training", text);
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors && !status; i++)
        status = csm_tensors_add_array(writer, "checkpoint.", tensors[i].name, tensors[i].type,
                                       tensors[i].data, tensors[i].count);
    if (!status) status = csm_tensors_finish(&file, writer);
    if (!status) status = csm_file_write_atomic(t->job->checkpoint, file.data, file.length, 0644);
    csm_buffer_free(&file);
    csm_tensors_writer_free(writer);
    return status;
}

/* Copies `count` elements of a tensor to `out`. */
static csm_status take(void *out, const csm_tensors *tensors, const char *name, csm_tensor_type type,
                       size_t count) {
    void *data = NULL;
    size_t expected = count;
    csm_status status = csm_tensors_copy(&data, &expected, tensors, "checkpoint.", name, type);
    if (!status) memcpy(out, data, count * csm_tensor_type_bytes(type));
    csm_dealloc(data);
    return status;
}

static csm_status take_progress(lstm_training *t, const csm_tensors *tensors) {
    int64_t numbers[PROGRESS_NUMBERS];
    double losses[PROGRESS_LOSSES];
    csm_status status = take(numbers, tensors, "numbers", CSM_TENSOR_I64, PROGRESS_NUMBERS);
    if (!status) status = take(losses, tensors, "losses", CSM_TENSOR_F64, PROGRESS_LOSSES);
    if (status) return status;
    for (size_t i = 0; i < PROGRESS_NUMBERS; i++) {
        if (numbers[i] < 0) return csm_fail(CSM_ECORRUPT, "its progress cannot be");
    }
    if ((uint64_t)numbers[0] > t->model->members ||
        (uint64_t)numbers[1] > (uint64_t)t->job->values[LSTM_EPOCHS] || numbers[2] > numbers[1])
        return csm_fail(CSM_ECORRUPT, "its progress cannot be");
    t->optimiser.steps = (uint64_t)numbers[3];
    t->at = (lstm_progress){.member = (uint64_t)numbers[0],
                            .epoch = (uint64_t)numbers[1],
                            .best_epoch = (uint64_t)numbers[2],
                            .best_loss = losses[0],
                            .best_training_loss = losses[1],
                            .training_loss = losses[2],
                            .sum_training = losses[3],
                            .sum_validation = losses[4],
                            .sum_epochs = losses[5]};
    return CSM_OK;
}

csm_status lstm_checkpoint_read(lstm_training *t) {
    const char *path = t->job->checkpoint;
    const size_t count = t->model->count;
    csm_tensors *tensors = NULL;
    csm_buffer file = {0};
    char text[CSM_HASH_TEXT];
    if (!csm_file_exists(path)) return CSM_OK;
    csm_status status = csm_file_read(&file, path, FILE_LIMIT);
    if (!status) status = csm_tensors_read(&tensors, file.data, file.length);
    if (status) goto done;
    fingerprint(text, t);
    const char *other = csm_tensors_text(tensors, "checkpoint.", "training");
    if (!other || strcmp(other, text) != 0) {
        status = csm_fail(
            CSM_EINVAL, "it belongs to another training (other data, parameters, seed, processor or device)");
        goto done;
    }
    status = take_progress(t, tensors);
    if (!status)
        status = take(t->model->parameters, tensors, "parameters", CSM_TENSOR_F32, t->model->members * count);
    if (!status) status = take(t->best, tensors, "best", CSM_TENSOR_F32, count);
    if (!status) status = take(t->optimiser.first, tensors, "first", CSM_TENSOR_F32, count);
    if (!status) status = take(t->optimiser.second, tensors, "second", CSM_TENSOR_F32, count);
done:
    csm_tensors_free(tensors);
    csm_buffer_free(&file);
    return status ? csm_fail_prefix(status, "checkpoint %s", path) : CSM_OK;
}
