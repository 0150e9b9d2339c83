// SPDX-License-Identifier: MIT
// How a batch reaches the device: laid out in pinned memory while the card still works on the one before.
#include "backend/cuda/lstm_host.h"

#include <cstring>

namespace {

// Copies the rows that windows touch; windows keep their rows together, since a window's rows are consecutive.
void keep_rows(lstm_input *input, csm_lstm_cuda *lstm, const csm_lstm_batch *batch) {
    const size_t inputs = lstm->shape.inputs;
    memset(lstm->touched, 0, batch->hours);
    for (size_t b = 0; b < batch->length; b++) lstm->touched[batch->first[b]] = 1;
    size_t rows = 0, left = 0; // left: rows that the latest window still covers
    for (size_t r = 0; r < batch->hours; r++) {
        if (lstm->touched[r] != 0) left = batch->steps;
        if (left == 0) continue;
        left--;
        lstm->row[rows] = static_cast<uint32_t>(r);
        memcpy(input->x + rows * inputs, batch->x + r * inputs, inputs * sizeof(float));
        rows++;
    }
    lstm->rows = rows;
}

// Where row `wanted` went: the kept rows are sorted and hold it.
uint32_t find_row(const csm_lstm_cuda *lstm, uint32_t wanted) {
    size_t low = 0, high = lstm->rows;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (lstm->row[middle] <= wanted)
            low = middle;
        else
            high = middle;
    }
    return static_cast<uint32_t>(low);
}

// Windows by first row (a counting sort, stable) and, for each row, which of them saw it.
void sort_windows(lstm_input *input, csm_lstm_cuda *lstm, const csm_lstm_batch *batch) {
    const size_t T = batch->steps, rows = lstm->rows;
    uint32_t *starts = lstm->starts;
    memset(starts, 0, (rows + 1) * sizeof *starts);
    for (size_t b = 0; b < batch->length; b++) {
        input->base[b] = find_row(lstm, batch->first[b]);
        starts[input->base[b] + 1]++;
    }
    for (size_t r = 0; r < rows; r++) starts[r + 1] += starts[r];
    for (size_t r = 0; r < rows; r++) {
        input->begin[r] = starts[r + 1 > T ? r + 1 - T : 0];
        input->end[r] = starts[r + 1];
    }
    for (size_t r = rows; r < lstm->options.hours; r++) input->begin[r] = input->end[r] = 0;
    for (size_t b = 0; b < batch->length; b++)
        input->order[starts[input->base[b]]++] = static_cast<uint32_t>(b);
}

} // namespace

csm_status lstm_cuda_plan(lstm_input *input, csm_lstm_cuda *lstm, const csm_lstm_batch *batch) {
    const csm_lstm_cuda_options *most = &lstm->options;
    csm_status status = csm_lstm_check(&lstm->shape, batch);
    if (status != CSM_OK) return status;
    if (batch->length > most->batch || batch->steps > most->steps || batch->hours > most->hours)
        return csm_fail(
            CSM_EINVAL,
            "lstm cuda: %zu windows of %zu steps over %zu hours; memory was taken for %zu, %zu, %zu",
            batch->length, batch->steps, batch->hours, most->batch, most->steps, most->hours);
    lstm->ran = false;
    lstm->turn ^= 1U;
    status = csm_cuda_status(cudaEventSynchronize(lstm->sent[lstm->turn]), "an earlier batch's copy");
    if (status != CSM_OK) return status;
    lstm->batch = batch->length;
    lstm->steps = batch->steps;
    lstm->hours = batch->hours;
    lstm->dropout = batch->dropout;
    lstm_cuda_input(input, lstm, lstm->staging[lstm->turn]);
    input->state->stream = batch->dropout.stream;
    keep_rows(input, lstm, batch);
    sort_windows(input, lstm, batch);
    return CSM_OK;
}

csm_status lstm_cuda_send(csm_lstm_cuda *lstm) {
    const char *block = lstm->staging[lstm->turn];
    const size_t before = static_cast<size_t>(reinterpret_cast<char *>(lstm->input.x) -
                                              reinterpret_cast<char *>(lstm->input.state));
    const csm_status status = lstm_to_device(lstm, lstm->input.state, block,
                                             before + lstm->rows * lstm->shape.inputs * sizeof(float));
    if (status != CSM_OK) return status;
    return csm_cuda_status(cudaEventRecord(lstm->sent[lstm->turn], lstm->stream), "a batch's copy");
}

csm_status lstm_to_device(csm_lstm_cuda *lstm, void *to, const void *from, size_t bytes) {
    return csm_cuda_status(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, lstm->stream),
                           "copy to the device");
}

csm_status lstm_from_device(csm_lstm_cuda *lstm, void *to, const void *from, size_t bytes) {
    csm_status status = csm_cuda_status(
        cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, lstm->stream), "copy from the device");
    if (status == CSM_OK) status = csm_cuda_status(cudaStreamSynchronize(lstm->stream), "the device's work");
    return status;
}
