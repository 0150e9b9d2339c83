// SPDX-License-Identifier: MIT
// The object that grows trees: memory, one graph for a whole tree, and the calls of gbt_cuda.h.
#include "backend/cuda/gbt_kernels.h"

#include <cstring>

struct csm_gbt_cuda {
    csm_gbt_cuda_data data; /* its pointers are not kept */
    gbt_device on;
    cudaStream_t stream;
    cudaGraphExec_t graph; /* of a whole tree; its kernels find rows, features and limits in device memory */
    char *memory;
    size_t bytes;
};

namespace {

constexpr size_t alignment = 256;

struct device_guard {
    int before = 0;
    cudaError_t error;
    explicit device_guard(uint32_t device) {
        error = cudaGetDevice(&before);
        if (error == cudaSuccess) error = cudaSetDevice(static_cast<int>(device));
    }
    ~device_guard() {
        (void)cudaSetDevice(before);
    }
    csm_status status() const {
        return csm_cuda_status(error, "choosing the device");
    }
};

void take(void *out, size_t *used, char *memory, size_t bytes) {
    char *place = memory != nullptr ? memory + *used : nullptr;
    memcpy(out, &place, sizeof place);
    *used += (bytes + alignment - 1) / alignment * alignment;
}

// Places of all arrays in `memory`, which may be NULL; returns the bytes. Sizes are bounded by check_data.
size_t lay_out(gbt_device *on, const csm_gbt_cuda_data *data, char *memory) {
    const size_t buckets = data->features * data->slots, chunks = data->rows / gbt_chunk_rows + 1;
    size_t used = 0;
    on->stride = data->stride;
    on->rows = data->rows;
    on->features = data->features;
    on->slots = data->slots;
    take(&on->code, &used, memory, data->rows * data->stride);
    take(&on->bins, &used, memory, data->features * sizeof(uint32_t));
    take(&on->feature, &used, memory, data->features * sizeof(uint32_t));
    take(&on->quantum, &used, memory, data->rows * sizeof(uint32_t));
    take(&on->row, &used, memory, data->rows * sizeof(uint32_t));
    take(&on->spare, &used, memory, data->rows * sizeof(uint32_t));
    take(&on->chunk, &used, memory, chunks * sizeof(uint32_t));
    take(&on->histogram, &used, memory, data->leaves * buckets * sizeof(gbt_wide));
    take(&on->leaf, &used, memory, data->leaves * sizeof(gbt_leaf));
    take(&on->found, &used, memory, 2 * data->features * sizeof(gbt_found));
    take(&on->split, &used, memory, data->leaves * sizeof(csm_gbt_cuda_split));
    take(&on->state, &used, memory, sizeof(gbt_state));
    return used;
}

csm_status check_data(const csm_gbt_cuda_data *data) {
    if (data->rows == 0 || data->rows > INT32_MAX || data->features == 0 || data->features > 65535 ||
        data->stride < data->features || data->stride > 1 << 20)
        return csm_fail(CSM_EINVAL, "gbt cuda: %zu rows of %zu features, %zu bytes apart", data->rows,
                        data->features, data->stride);
    if (data->slots != 64 && data->slots != CSM_GBT_SLOTS_MAX)
        return csm_fail(CSM_EINVAL, "gbt cuda: %u slots a feature; 64 or 256 are possible", data->slots);
    if (data->leaves < 2 || data->leaves > 65536)
        return csm_fail(CSM_EINVAL, "gbt cuda: %u leaves are outside 2..65536", data->leaves);
    return CSM_OK;
}

csm_status check_round(const csm_gbt_cuda *gbt, const csm_gbt_cuda_round *round) {
    if (round->row_count == 0 || round->row_count > gbt->data.rows || round->feature_count == 0 ||
        round->feature_count > gbt->data.features)
        return csm_fail(CSM_EINVAL, "gbt cuda: %zu of %zu rows, %zu of %zu features", round->row_count,
                        gbt->data.rows, round->feature_count, gbt->data.features);
    for (size_t i = 0; i < round->row_count; i++)
        if (round->row[i] >= gbt->data.rows || (i > 0 && round->row[i] <= round->row[i - 1]))
            return csm_fail(CSM_EINVAL, "gbt cuda: row %zu of the tree is %u", i, round->row[i]);
    for (size_t j = 0; j < round->feature_count; j++)
        if (round->feature[j] >= gbt->data.features || (j > 0 && round->feature[j] <= round->feature[j - 1]))
            return csm_fail(CSM_EINVAL, "gbt cuda: feature %zu of the tree is %u", j, round->feature[j]);
    if (round->narrow_shift == 0 || round->narrow_shift > 31)
        return csm_fail(CSM_EINVAL, "gbt cuda: quanta shifted by %u bits", round->narrow_shift);
    return CSM_OK;
}

csm_status to_device(csm_gbt_cuda *gbt, void *to, const void *from, size_t bytes) {
    return csm_cuda_status(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, gbt->stream),
                           "copy to the device");
}
csm_status from_device(csm_gbt_cuda *gbt, void *to, const void *from, size_t bytes) {
    return csm_cuda_status(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, gbt->stream),
                           "copy from the device");
}
csm_status wait(csm_gbt_cuda *gbt) {
    return csm_cuda_status(cudaStreamSynchronize(gbt->stream), "the device's work");
}

csm_status capture_tree(csm_gbt_cuda *gbt) {
    cudaGraph_t graph = nullptr;
    csm_status status, ended;
    status = csm_cuda_status(cudaStreamBeginCapture(gbt->stream, cudaStreamCaptureModeThreadLocal),
                             "beginning a graph");
    if (status != CSM_OK) return status;
    status = gbt_queue_root(&gbt->on, gbt->stream);
    for (uint32_t split = 1; split < gbt->data.leaves && status == CSM_OK; split++)
        status = gbt_queue_split(&gbt->on, gbt->stream);
    ended = csm_cuda_status(cudaStreamEndCapture(gbt->stream, &graph), "ending a graph");
    if (status == CSM_OK) status = ended;
    if (status == CSM_OK)
        status = csm_cuda_status(cudaGraphInstantiate(&gbt->graph, graph, 0), "making a graph");
    if (graph != nullptr) (void)cudaGraphDestroy(graph);
    return status;
}

csm_status open_device(csm_gbt_cuda *gbt, const csm_gbt_cuda_data *data) {
    size_t available = 0, total = 0;
    int shared = 0;
    uint32_t count = 0;
    void *memory = nullptr;
    csm_status status = csm_backend_device_count(&count);
    if (status == CSM_OK && data->device >= count)
        return csm_fail(CSM_EDEVICE, "gbt cuda: no device %u, this machine has %u", data->device, count);
    device_guard guard(data->device);
    CSM_CUDA_TRY(guard.status());
    CSM_CUDA_TRY(csm_cuda_status(cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin,
                                                        static_cast<int>(data->device)),
                                 "shared memory"));
    CSM_CUDA_TRY(csm_cuda_status(cudaMemGetInfo(&available, &total), "free memory"));
    if (gbt->bytes > available) {
        status =
            csm_fail(CSM_ENOMEM, "gbt cuda: %zu MiB of device memory are needed, %zu of %zu MiB are free",
                     (gbt->bytes >> 20) + 1, available >> 20, total >> 20);
        goto done;
    }
    CSM_CUDA_TRY(csm_cuda_status(cudaMalloc(&memory, gbt->bytes), "device memory"));
    gbt->memory = static_cast<char *>(memory);
    lay_out(&gbt->on, data, gbt->memory);
    gbt->on.block_shared = static_cast<size_t>(shared);
    CSM_CUDA_TRY(csm_cuda_status(cudaStreamCreateWithFlags(&gbt->stream, cudaStreamNonBlocking), "stream"));
    CSM_CUDA_TRY(to_device(gbt, const_cast<uint8_t *>(gbt->on.code), data->code, data->rows * data->stride));
    CSM_CUDA_TRY(
        to_device(gbt, const_cast<uint32_t *>(gbt->on.bins), data->bins, data->features * sizeof(uint32_t)));
    CSM_CUDA_TRY(wait(gbt));
    CSM_CUDA_TRY(capture_tree(gbt));
done:
    return status;
}

csm_status send_round(csm_gbt_cuda *gbt, const csm_gbt_cuda_round *round) {
    const size_t rows = gbt->data.rows * sizeof(uint32_t);
    const gbt_leaf root = {0, static_cast<uint32_t>(round->row_count), 0, 0, 0, 0, 0};
    gbt_state state = {};
    state.leaves = gbt->data.leaves;
    state.depth = round->depth;
    state.row_count = static_cast<uint32_t>(round->row_count);
    state.feature_count = static_cast<uint32_t>(round->feature_count);
    state.narrow_shift = round->narrow_shift;
    state.counted = round->counted;
    state.gradient_unit = round->gradient_unit;
    state.hessian_unit = round->hessian_unit;
    state.limits = round->limits;
    state.leaf_count = 1;
    csm_status status = to_device(gbt, gbt->on.quantum, round->quantum, rows);
    CSM_CUDA_TRY(status);
    CSM_CUDA_TRY(to_device(gbt, gbt->on.row, round->row, round->row_count * sizeof(uint32_t)));
    CSM_CUDA_TRY(to_device(gbt, gbt->on.feature, round->feature, round->feature_count * sizeof(uint32_t)));
    CSM_CUDA_TRY(to_device(gbt, gbt->on.leaf, &root, sizeof root));
    CSM_CUDA_TRY(to_device(gbt, gbt->on.state, &state, sizeof state));
done:
    return status;
}

} // namespace

extern "C" csm_status csm_gbt_cuda_memory(uint64_t *bytes, const csm_gbt_cuda_data *data) {
    gbt_device on = {};
    const csm_status status = check_data(data);
    if (status == CSM_OK) *bytes = lay_out(&on, data, nullptr);
    return status;
}

extern "C" csm_status csm_gbt_cuda_new(csm_gbt_cuda **out, const csm_gbt_cuda_data *data) {
    *out = nullptr;
    csm_status status = check_data(data);
    if (status != CSM_OK) return status;
    csm_gbt_cuda *gbt = static_cast<csm_gbt_cuda *>(csm_alloc_array(1, sizeof *gbt));
    if (gbt == nullptr) return CSM_ENOMEM;
    gbt->data = *data;
    gbt->bytes = lay_out(&gbt->on, data, nullptr);
    status = open_device(gbt, data);
    if (status == CSM_OK)
        *out = gbt;
    else
        csm_gbt_cuda_free(gbt);
    return status;
}

extern "C" void csm_gbt_cuda_free(csm_gbt_cuda *gbt) {
    if (gbt == nullptr) return;
    if (gbt->memory != nullptr) {
        device_guard guard(gbt->data.device);
        if (gbt->stream != nullptr) (void)cudaStreamSynchronize(gbt->stream);
        if (gbt->graph != nullptr) (void)cudaGraphExecDestroy(gbt->graph);
        if (gbt->stream != nullptr) (void)cudaStreamDestroy(gbt->stream);
        (void)cudaFree(gbt->memory);
    }
    csm_dealloc(gbt);
}

extern "C" csm_status csm_gbt_cuda_sum(csm_gbt_cuda *gbt, uint64_t *wide, const csm_gbt_cuda_round *round) {
    csm_status status = check_round(gbt, round);
    if (status != CSM_OK) return status;
    device_guard guard(gbt->data.device);
    CSM_CUDA_TRY(guard.status());
    CSM_CUDA_TRY(send_round(gbt, round));
    CSM_CUDA_TRY(gbt_queue_sum(&gbt->on, gbt->stream));
    CSM_CUDA_TRY(
        from_device(gbt, wide, gbt->on.histogram, gbt->data.features * gbt->data.slots * sizeof *wide));
    CSM_CUDA_TRY(wait(gbt));
done:
    return status;
}

extern "C" csm_status csm_gbt_cuda_grow(csm_gbt_cuda *gbt, csm_gbt_cuda_split *split, uint32_t *splits,
                                        uint32_t *row, const csm_gbt_cuda_round *round) {
    gbt_state state;
    csm_status status = check_round(gbt, round);
    if (status != CSM_OK) return status;
    device_guard guard(gbt->data.device);
    CSM_CUDA_TRY(guard.status());
    CSM_CUDA_TRY(send_round(gbt, round));
    CSM_CUDA_TRY(csm_cuda_status(cudaGraphLaunch(gbt->graph, gbt->stream), "a tree's graph"));
    CSM_CUDA_TRY(from_device(gbt, &state, gbt->on.state, sizeof state));
    CSM_CUDA_TRY(from_device(gbt, split, gbt->on.split, (gbt->data.leaves - 1) * sizeof *split));
    CSM_CUDA_TRY(from_device(gbt, row, gbt->on.row, round->row_count * sizeof *row));
    CSM_CUDA_TRY(wait(gbt));
    *splits = state.splits;
    if (state.needs_counts != 0)
        status = csm_fail(CSM_ENODATA,
                          "gbt cuda: a side has fewer rows than min_rows, estimated otherwise; the CPU must "
                          "grow this tree");
done:
    return status;
}
