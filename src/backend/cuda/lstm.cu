// SPDX-License-Identifier: MIT
// The object: choice of the rung, memory, the batch's plan, and the calls of lstm_cuda.h.
#include "backend/cuda/lstm_host.h"

#include <cstring>

namespace {

constexpr size_t alignment = 256; // of arrays on the device
const size_t resident_widths[] = {32, 64, 128, 256, 512};

struct arena {
    char *memory;
    size_t used;
};

// count * size bytes, or nothing when count is 0; `used` becomes SIZE_MAX when sizes overflow and stays so.
void *take(arena *from, size_t count, size_t size) {
    if (count == 0) return nullptr;
    size_t bytes;
    if (from->used == SIZE_MAX || __builtin_mul_overflow(count, size, &bytes) ||
        __builtin_add_overflow(bytes, alignment - 1, &bytes) ||
        __builtin_add_overflow(from->used, bytes / alignment * alignment, &bytes)) {
        from->used = SIZE_MAX;
        return nullptr;
    }
    void *place = from->memory != nullptr ? from->memory + from->used : nullptr;
    from->used = bytes;
    return place;
}
float *take_floats(arena *from, size_t count) {
    return static_cast<float *>(take(from, count, sizeof(float)));
}
uint32_t *take_numbers(arena *from, size_t count) {
    return static_cast<uint32_t *>(take(from, count, sizeof(uint32_t)));
}

size_t largest(size_t a, size_t b) {
    return a > b ? a : b;
}

size_t sums_needed(const csm_lstm_cuda *lstm) {
    const size_t columns = largest(4 * lstm->hidden, lstm->shape.outputs);
    return largest(csm_gemm_workspace,
                   largest(csm_column_workspace(columns), lstm_norm_workspace(lstm->hidden)));
}

void lay_out_layer(csm_lstm_cuda *lstm, arena *from, size_t layer) {
    const csm_lstm_cuda_options *most = &lstm->options;
    const size_t H = lstm->hidden, B = most->batch, T = most->steps;
    const bool top = layer + 1 == lstm->shape.layers, training = most->training != 0;
    lstm_cuda_layer *own = &lstm->layer[layer];
    own->input_weight = take_floats(from, 4 * H * lstm_layer_inputs(lstm, layer));
    own->bias = take_floats(from, 4 * H);
    own->forward = take(from, 4 * H * H, lstm->element);
    own->backward = take(from, 4 * H * H, lstm->element);
    own->gain = take_floats(from, lstm->shape.layer_norm ? 2 * H : 0);
    own->offset = own->gain != nullptr ? own->gain + H : nullptr;
    own->h = take(from, (training || !top ? T : 1) * B * H, lstm->element);
    own->y = take(from, top ? 0 : T * B * H, lstm->element);
    own->norm = take_floats(from, lstm->shape.layer_norm ? (top ? 1 : T) * B * 2 : 0);
    own->gates = take(from, training ? T * B * 4 * H : 0, lstm->element);
    own->c = take_floats(from, (training ? T : 1) * B * H);
}

csm_status check_options(const csm_lstm_shape *shape, const csm_lstm_cuda_options *options) {
    const size_t most = UINT32_MAX / 4;
    if (csm_lstm_parameters(shape) == 0)
        return csm_fail(
            CSM_EINVAL,
            "lstm cuda: a shape of %zu inputs, %zu hidden, %zu layers, %zu outputs is out of range",
            shape->inputs, shape->hidden, shape->layers, shape->outputs);
    if (options->precision > CSM_LSTM_BF16)
        return csm_fail(CSM_EINVAL, "lstm cuda: precision %u is not known", options->precision);
    if (options->rung > CSM_LSTM_RESIDENT)
        return csm_fail(CSM_EINVAL, "lstm cuda: rung %u is not known", options->rung);
    if (options->batch == 0 || options->steps == 0 || options->hours < options->steps ||
        options->hours > most || options->batch > most / options->steps)
        return csm_fail(CSM_EINVAL, "lstm cuda: batches of %zu windows of %zu steps over %zu hours",
                        options->batch, options->steps, options->hours);
    return CSM_OK;
}

bool resident_on(const csm_lstm_cuda *lstm, size_t width) {
    return lstm_resident_forward_fits(width, lstm->precision, &lstm->card) &&
           (!lstm->options.training || lstm_resident_backward_fits(width, lstm->precision, &lstm->card));
}

csm_status choose_rung(csm_lstm_cuda *lstm) {
    const size_t H = lstm->shape.hidden;
    lstm->precision = static_cast<csm_lstm_precision>(lstm->options.precision);
    lstm->rung = static_cast<csm_lstm_rung>(lstm->options.rung);
    lstm->hidden = (H + 15) / 16 * 16;
    lstm->element = lstm->precision == CSM_LSTM_FP16 || lstm->precision == CSM_LSTM_BF16 ? 2 : 4;
    if (lstm->rung != CSM_LSTM_BEST && lstm->rung != CSM_LSTM_RESIDENT) return CSM_OK;
    for (size_t width : resident_widths) {
        if (width < H || !resident_on(lstm, width)) continue;
        lstm->rung = CSM_LSTM_RESIDENT;
        lstm->hidden = width;
        return CSM_OK;
    }
    if (lstm->rung == CSM_LSTM_RESIDENT)
        return csm_fail(
            CSM_EINVAL,
            "lstm cuda: no resident kernel of %zu units in this precision for compute capability %d.%d", H,
            lstm->card.capability / 10, lstm->card.capability % 10);
    lstm->rung = CSM_LSTM_HOURS;
    return CSM_OK;
}

csm_status ask_card(csm_lstm_cuda *lstm) {
    const int device = static_cast<int>(lstm->options.device);
    int major = 0, minor = 0, shared = 0;
    uint32_t count = 0;
    csm_status status = csm_backend_device_count(&count);
    if (status == CSM_OK && lstm->options.device >= count)
        return csm_fail(CSM_EDEVICE, "lstm cuda: no device %u, this machine has %u", lstm->options.device,
                        count);
    CSM_CUDA_TRY(csm_cuda_status(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device),
                                 "capability"));
    CSM_CUDA_TRY(csm_cuda_status(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device),
                                 "capability"));
    CSM_CUDA_TRY(csm_cuda_status(
        cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), "shared memory"));
    lstm->card.capability = 10 * major + minor;
    lstm->card.block_shared = static_cast<size_t>(shared);
    lstm->card.present = true;
    if (lstm->card.capability < 80 &&
        (lstm->options.precision == CSM_LSTM_TF32 || lstm->options.precision == CSM_LSTM_BF16))
        status =
            csm_fail(CSM_EDEVICE, "lstm cuda: device %u has compute capability %d.%d; tf32 and bf16 need 8.0",
                     lstm->options.device, major, minor);
done:
    return status;
}

csm_status take_memory(csm_lstm_cuda *lstm) {
    size_t available = 0, total = 0;
    void *memory = nullptr;
    csm_status status = csm_cuda_status(cudaMemGetInfo(&available, &total), "free memory");
    if (status != CSM_OK) return status;
    if (lstm->bytes > available)
        return csm_fail(CSM_ENOMEM, "lstm cuda: %zu MiB of device memory are needed, %zu of %zu MiB are free",
                        (lstm->bytes >> 20) + 1, available >> 20, total >> 20);
    status = csm_cuda_status(cudaMalloc(&memory, lstm->bytes), "device memory");
    if (status != CSM_OK) return status;
    lstm->memory = static_cast<char *>(memory);
    lstm_cuda_layout(lstm, lstm->memory);
    CSM_CUDA_TRY(csm_cuda_status(cudaStreamCreateWithFlags(&lstm->stream, cudaStreamNonBlocking), "stream"));
    for (int i = 0; i < 2; i++) {
        void *block = nullptr;
        CSM_CUDA_TRY(csm_cuda_status(cudaMallocHost(&block, lstm->input_bytes), "pinned memory"));
        lstm->staging[i] = static_cast<char *>(block);
        memset(block, 0, lstm->input_bytes);
        CSM_CUDA_TRY(
            csm_cuda_status(cudaEventCreateWithFlags(&lstm->sent[i], cudaEventDisableTiming), "event"));
    }
    // Rows beyond a batch's are multiplied by zeros where a graph's size is fixed: they must be numbers.
    CSM_CUDA_TRY(csm_cuda_status(cudaMemsetAsync(lstm->input.state, 0, lstm->input_bytes, lstm->stream),
                                 "clearing the input"));
done:
    return status;
}

} // namespace

size_t lstm_cuda_layout(csm_lstm_cuda *lstm, char *memory) {
    const csm_lstm_cuda_options *most = &lstm->options;
    const size_t H = lstm->hidden, B = most->batch, T = most->steps, R = most->hours;
    const size_t I = lstm->shape.inputs, O = lstm->shape.outputs, L = lstm->shape.layers;
    const bool training = most->training != 0;
    arena from = {memory, 0};
    lstm->parameters = take_floats(&from, csm_lstm_parameters(&lstm->shape));
    for (size_t l = 0; l < L; l++) lay_out_layer(lstm, &from, l);
    lstm->head_weight = take_floats(&from, O * H);
    lstm->input_bytes = lstm_cuda_input(&lstm->input, lstm, nullptr);
    char *input = static_cast<char *>(take(&from, lstm->input_bytes, 1));
    if (input != nullptr) lstm_cuda_input(&lstm->input, lstm, input);
    lstm->z = take_floats(&from, largest(R, L > 1 ? T * B : B) * 4 * H);
    lstm->product = take_floats(&from, lstm->rung == CSM_LSTM_RESIDENT ? 0 : B * 4 * H);
    lstm->top = take_floats(&from, B * H);
    lstm->out = take_floats(&from, B * O);
    lstm->sums = take_floats(&from, sums_needed(lstm));
    if (!training) return from.used;
    lstm->gradient = take_floats(&from, csm_lstm_parameters(&lstm->shape));
    lstm->dout = take_floats(&from, B * O);
    lstm->scaled = take_floats(&from, B * O);
    lstm->scale = take_floats(&from, 2);
    lstm->dz = take(&from, T * B * 4 * H, lstm->element);
    lstm->above = take_floats(&from, L > 1 ? T * B * H : 0);
    lstm->last = take_floats(&from, B * H);
    lstm->dh = take_floats(&from, lstm->rung == CSM_LSTM_RESIDENT ? 0 : B * H);
    lstm->dc = take_floats(&from, lstm->rung == CSM_LSTM_RESIDENT ? 0 : B * H);
    lstm->d_weight = take_floats(&from, largest(4 * H * largest(I, H), O * H));
    lstm->dx = take_floats(&from, R * I);
    lstm->heads = static_cast<csm_lstm_cuda_head *>(take(&from, O, sizeof(csm_lstm_cuda_head)));
    lstm->first = take_floats(&from, csm_lstm_parameters(&lstm->shape));
    lstm->second = take_floats(&from, csm_lstm_parameters(&lstm->shape));
    lstm->decays = static_cast<uint8_t *>(take(&from, csm_lstm_parameters(&lstm->shape), 1));
    lstm->partial = static_cast<double *>(take(&from, lstm_adamw_partial, sizeof(double)));
    lstm->report = static_cast<lstm_report *>(take(&from, 1, sizeof(lstm_report)));
    return from.used;
}

size_t lstm_cuda_input(lstm_input *input, const csm_lstm_cuda *lstm, char *block) {
    const csm_lstm_cuda_options *most = &lstm->options;
    const size_t B = most->batch, R = most->hours;
    arena from = {block, 0};
    input->state = static_cast<lstm_state *>(take(&from, 1, sizeof(lstm_state)));
    input->base = take_numbers(&from, B);
    input->order = take_numbers(&from, B);
    input->begin = take_numbers(&from, R);
    input->end = take_numbers(&from, R);
    input->target = take_floats(&from, most->training ? B * lstm->shape.outputs : 0);
    input->weight = take_floats(&from, most->training ? B : 0);
    input->x = take_floats(&from, R * lstm->shape.inputs);
    return from.used;
}

extern "C" csm_status csm_lstm_cuda_memory(uint64_t *bytes, const csm_lstm_shape *shape,
                                           const csm_lstm_cuda_options *options) {
    csm_lstm_cuda lstm = {};
    csm_status status = check_options(shape, options);
    if (status != CSM_OK) return status;
    lstm.shape = *shape;
    lstm.options = *options;
    lstm.card = {90, 227 * 1024, false}; // the card with the widest kernels needs most
    status = choose_rung(&lstm);
    if (status != CSM_OK) return status;
    *bytes = lstm_cuda_layout(&lstm, nullptr);
    return *bytes == SIZE_MAX ? csm_fail(CSM_EINVAL, "lstm cuda: sizes beyond this machine's addresses")
                              : CSM_OK;
}

extern "C" csm_status csm_lstm_cuda_new(csm_lstm_cuda **out, const csm_lstm_shape *shape,
                                        const csm_lstm_cuda_options *options) {
    *out = nullptr;
    csm_status status = check_options(shape, options);
    if (status != CSM_OK) return status;
    csm_lstm_cuda *lstm = static_cast<csm_lstm_cuda *>(csm_alloc_array(1, sizeof *lstm));
    if (lstm == nullptr) return CSM_ENOMEM;
    lstm->shape = *shape;
    lstm->options = *options;
    {
        lstm_device_guard guard(lstm);
        CSM_CUDA_TRY(ask_card(lstm));
        CSM_CUDA_TRY(guard.status());
        CSM_CUDA_TRY(choose_rung(lstm));
        lstm->bytes = lstm_cuda_layout(lstm, nullptr);
        lstm->rows_x = static_cast<float *>(csm_alloc_array(options->hours, shape->inputs * sizeof(float)));
        lstm->row = static_cast<uint32_t *>(csm_alloc_array(options->hours, sizeof(uint32_t)));
        lstm->starts = static_cast<uint32_t *>(csm_alloc_array(options->hours + 1, sizeof(uint32_t)));
        lstm->touched = static_cast<uint8_t *>(csm_alloc_array(options->hours, 1));
        if (lstm->rows_x == nullptr || lstm->row == nullptr || lstm->starts == nullptr ||
            lstm->touched == nullptr)
            CSM_CUDA_TRY(CSM_ENOMEM);
        CSM_CUDA_TRY(take_memory(lstm));
    }
    *out = lstm;
    return CSM_OK;
done:
    csm_lstm_cuda_free(lstm);
    return status;
}

extern "C" void csm_lstm_cuda_free(csm_lstm_cuda *lstm) {
    if (lstm == nullptr) return;
    if (lstm->memory != nullptr || lstm->stream != nullptr) {
        lstm_device_guard guard(lstm);
        if (lstm->stream != nullptr) (void)cudaStreamSynchronize(lstm->stream);
        if (lstm->graph != nullptr) (void)cudaGraphExecDestroy(lstm->graph);
        for (int i = 0; i < 2; i++) {
            if (lstm->sent[i] != nullptr) (void)cudaEventDestroy(lstm->sent[i]);
            (void)cudaFreeHost(lstm->staging[i]);
        }
        if (lstm->stream != nullptr) (void)cudaStreamDestroy(lstm->stream);
        (void)cudaFree(lstm->memory);
    }
    csm_dealloc(lstm->rows_x);
    csm_dealloc(lstm->row);
    csm_dealloc(lstm->starts);
    csm_dealloc(lstm->touched);
    csm_dealloc(lstm);
}

extern "C" csm_lstm_rung csm_lstm_cuda_rung(const csm_lstm_cuda *lstm) {
    return lstm->rung;
}

extern "C" csm_status csm_lstm_cuda_set_parameters(csm_lstm_cuda *lstm, const float *parameters) {
    lstm_device_guard guard(lstm);
    csm_status status = guard.status();
    if (status == CSM_OK)
        status = lstm_to_device(lstm, lstm->parameters, parameters,
                                csm_lstm_parameters(&lstm->shape) * sizeof(float));
    if (status == CSM_OK) status = lstm_cuda_pack(lstm);
    if (status == CSM_OK) status = csm_cuda_status(cudaStreamSynchronize(lstm->stream), "the device's work");
    return status;
}

extern "C" csm_status csm_lstm_cuda_get_parameters(csm_lstm_cuda *lstm, float *parameters) {
    lstm_device_guard guard(lstm);
    const csm_status status = guard.status();
    if (status != CSM_OK) return status;
    return lstm_from_device(lstm, parameters, lstm->parameters,
                            csm_lstm_parameters(&lstm->shape) * sizeof(float));
}

extern "C" csm_status csm_lstm_cuda_forward(csm_lstm_cuda *lstm, const csm_lstm_batch *batch, float *out) {
    lstm_device_guard guard(lstm);
    lstm_input input;
    csm_status status = guard.status();
    if (status != CSM_OK) return status;
    CSM_CUDA_TRY(lstm_cuda_plan(&input, lstm, batch));
    CSM_CUDA_TRY(lstm_cuda_send(lstm));
    CSM_CUDA_TRY(lstm_cuda_pass_forward(lstm));
    CSM_CUDA_TRY(lstm_from_device(lstm, out, lstm->out, lstm->batch * lstm->shape.outputs * sizeof(float)));
    lstm->ran = true;
done:
    return status;
}

extern "C" csm_status csm_lstm_cuda_backward(csm_lstm_cuda *lstm, const float *dout, float *grad, float *dx) {
    const size_t I = lstm->shape.inputs;
    csm_status status = CSM_OK;
    if (!lstm->options.training)
        return csm_fail(CSM_EINVAL, "lstm cuda: backward of one that was not made for training");
    if (!lstm->ran) return csm_fail(CSM_EINVAL, "lstm cuda: backward without a forward before");
    lstm_device_guard guard(lstm);
    CSM_CUDA_TRY(guard.status());
    CSM_CUDA_TRY(lstm_to_device(lstm, lstm->dout, dout, lstm->batch * lstm->shape.outputs * sizeof(float)));
    CSM_CUDA_TRY(lstm_cuda_pass_backward(lstm, dx != nullptr));
    CSM_CUDA_TRY(
        lstm_from_device(lstm, grad, lstm->gradient, csm_lstm_parameters(&lstm->shape) * sizeof(float)));
    if (dx == nullptr) goto done;
    CSM_CUDA_TRY(lstm_from_device(lstm, lstm->rows_x, lstm->dx, lstm->rows * I * sizeof(float)));
    memset(dx, 0, lstm->hours * I * sizeof(float));
    for (size_t r = 0; r < lstm->rows; r++)
        memcpy(dx + lstm->row[r] * I, lstm->rows_x + r * I, I * sizeof(float));
done:
    return status;
}
