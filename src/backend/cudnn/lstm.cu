// SPDX-License-Identifier: MIT
// cuDNN's LSTM behind our functions: windows made on the card, our parameters laid into its weight space, our head on top.
#include "backend/lstm_cudnn.h"

#include "backend/cuda/format.cuh"
#include "backend/cuda/gemm.h"
#include "backend/cuda/lstm_kernels.h"

#include <cstring>
#include <cudnn.h>

struct csm_lstm_cudnn {
    csm_lstm_shape shape;
    csm_lstm_cuda_options options;
    csm_lstm_precision precision;
    size_t element, hours; /* bytes of E; R of the last forward */
    cudnnHandle_t handle;
    cudaStream_t stream;
    cudnnRNNDescriptor_t rnn;
    cudnnDropoutDescriptor_t dropout;
    cudnnRNNDataDescriptor_t x_form, y_form;
    cudnnTensorDescriptor_t h_form;
    size_t weight_bytes, work_bytes, reserve_bytes;
    void *block[16]; /* every piece of device memory, for the end */
    size_t blocks;
    void *weight, *d_weight, *work, *reserve;
    void *windows, *d_windows; /* (T, B, I) E */
    void *y, *dy;              /* (T, B, H) E */
    float *parameters, *gradient;
    float *x, *dx;              /* (R, I) */
    uint32_t *first;            /* (B) */
    int32_t *lengths;           /* (B): T each */
    float *top, *last;          /* (B, H) */
    float *out, *dout, *scaled; /* (B, O) */
    float *scale;               /* (2) */
    float *sums;
    bool ran;
};

namespace {

constexpr int threads = 256;

csm_status check(cudnnStatus_t error, const char *what) {
    if (error == CUDNN_STATUS_SUCCESS) return CSM_OK;
    return csm_fail(error == CUDNN_STATUS_ALLOC_FAILED ? CSM_ENOMEM : CSM_EDEVICE, "lstm cudnn: %s: %s", what,
                    cudnnGetErrorString(error));
}

__device__ __forceinline__ size_t here() {
    return static_cast<size_t>(blockIdx.x) * threads + threadIdx.x;
}

template <class F>
__device__ __forceinline__ typename F::element element_of(float value) {
    if constexpr (F::half)
        return F::of(value);
    else
        return value;
}
template <class F>
__device__ __forceinline__ float value_of(typename F::element value) {
    if constexpr (F::half)
        return F::value(value);
    else
        return value;
}

template <class F>
__global__ void gather_windows(void *windows, const float *x, const uint32_t *first, size_t steps,
                               size_t batch, size_t inputs) {
    const size_t at = here(), i = at % inputs, b = at / inputs % batch, s = at / inputs / batch;
    if (s < steps)
        static_cast<typename F::element *>(windows)[at] = element_of<F>(x[(first[b] + s) * inputs + i]);
}

// dx of an hour: the windows that saw it, in their order.
template <class F>
__global__ void sum_windows(float *dx, const void *d_windows, const uint32_t *first, const float *scale,
                            size_t rows, size_t steps, size_t batch, size_t inputs) {
    const size_t at = here(), i = at % inputs, row = at / inputs;
    if (row >= rows) return;
    float sum = 0.0f;
    for (size_t b = 0; b < batch; b++)
        if (row >= first[b] && row - first[b] < steps)
            sum += value_of<F>(static_cast<const typename F::element *>(
                d_windows)[((row - first[b]) * batch + b) * inputs + i]);
    dx[at] = sum * scale[0];
}

template <class F>
__global__ void narrow(void *to, const float *from, size_t count) {
    if (here() < count) static_cast<typename F::element *>(to)[here()] = element_of<F>(from[here()]);
}
template <class F>
__global__ void widen(float *to, const void *from, const float *scale, size_t count) {
    if (here() < count)
        to[here()] = value_of<F>(static_cast<const typename F::element *>(from)[here()]) *
                     (scale != nullptr ? scale[0] : 1.0f);
}
__global__ void set_ones(float *scale) {
    scale[threadIdx.x] = 1.0f;
}

template <class Call>
csm_status with_format(const csm_lstm_cudnn *lstm, Call call) {
    return lstm->precision == CSM_LSTM_FP16   ? call(format_fp16())
           : lstm->precision == CSM_LSTM_BF16 ? call(format_bf16())
                                              : call(format_fp32());
}

csm_launch over(size_t work) {
    return {dim3(csm_blocks(work, threads)), threads};
}

csm_status take(csm_lstm_cudnn *lstm, void *out, size_t bytes) {
    void *block = nullptr;
    const csm_status status = csm_cuda_status(cudaMalloc(&block, bytes > 0 ? bytes : 1), "device memory");
    if (status != CSM_OK) return status;
    lstm->block[lstm->blocks++] = block;
    memcpy(out, &block, sizeof block);
    return CSM_OK;
}

csm_status describe(csm_lstm_cudnn *lstm) {
    const int T = static_cast<int>(lstm->options.steps), B = static_cast<int>(lstm->options.batch);
    const int I = static_cast<int>(lstm->shape.inputs), H = static_cast<int>(lstm->shape.hidden);
    const int L = static_cast<int>(lstm->shape.layers), dims[3] = {L, B, H}, strides[3] = {B * H, H, 1};
    const cudnnDataType_t type = lstm->precision == CSM_LSTM_FP16   ? CUDNN_DATA_HALF
                                 : lstm->precision == CSM_LSTM_BF16 ? CUDNN_DATA_BFLOAT16
                                                                    : CUDNN_DATA_FLOAT;
    const cudnnMathType_t math = lstm->precision == CSM_LSTM_FP32   ? CUDNN_FMA_MATH
                                 : lstm->precision == CSM_LSTM_TF32 ? CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION
                                                                    : CUDNN_TENSOR_OP_MATH;
    int *lengths = static_cast<int *>(csm_alloc_array(lstm->options.batch, sizeof *lengths));
    csm_status status = lengths != nullptr ? CSM_OK : CSM_ENOMEM;
    if (status != CSM_OK) return status;
    for (int b = 0; b < B; b++) lengths[b] = T;
    CSM_CUDA_TRY(check(cudnnCreateDropoutDescriptor(&lstm->dropout), "dropout"));
    CSM_CUDA_TRY(check(cudnnSetDropoutDescriptor(lstm->dropout, lstm->handle, 0, nullptr, 0, 0), "dropout"));
    CSM_CUDA_TRY(check(cudnnCreateRNNDescriptor(&lstm->rnn), "descriptor"));
    CSM_CUDA_TRY(check(cudnnSetRNNDescriptor_v8(lstm->rnn, CUDNN_RNN_ALGO_STANDARD, CUDNN_LSTM,
                                                CUDNN_RNN_SINGLE_INP_BIAS, CUDNN_UNIDIRECTIONAL,
                                                CUDNN_LINEAR_INPUT, type, CUDNN_DATA_FLOAT, math, I, H, H, L,
                                                lstm->dropout, CUDNN_RNN_PADDED_IO_DISABLED),
                       "shape and precision"));
    CSM_CUDA_TRY(check(cudnnCreateRNNDataDescriptor(&lstm->x_form), "input's form"));
    CSM_CUDA_TRY(check(cudnnCreateRNNDataDescriptor(&lstm->y_form), "output's form"));
    CSM_CUDA_TRY(check(cudnnSetRNNDataDescriptor(lstm->x_form, type, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED,
                                                 T, B, I, lengths, nullptr),
                       "input's form"));
    CSM_CUDA_TRY(check(cudnnSetRNNDataDescriptor(lstm->y_form, type, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED,
                                                 T, B, H, lengths, nullptr),
                       "output's form"));
    CSM_CUDA_TRY(check(cudnnCreateTensorDescriptor(&lstm->h_form), "state's form"));
    CSM_CUDA_TRY(check(cudnnSetTensorNdDescriptor(lstm->h_form, type, 3, dims, strides), "state's form"));
    CSM_CUDA_TRY(
        check(cudnnGetRNNWeightSpaceSize(lstm->handle, lstm->rnn, &lstm->weight_bytes), "weight space"));
    CSM_CUDA_TRY(check(cudnnGetRNNTempSpaceSizes(lstm->handle, lstm->rnn, CUDNN_FWD_MODE_TRAINING,
                                                 lstm->x_form, &lstm->work_bytes, &lstm->reserve_bytes),
                       "work space"));
    CSM_CUDA_TRY(take(lstm, &lstm->lengths, lstm->options.batch * sizeof(int32_t)));
    CSM_CUDA_TRY(
        csm_cuda_status(cudaMemcpyAsync(lstm->lengths, lengths, lstm->options.batch * sizeof(int32_t),
                                        cudaMemcpyHostToDevice, lstm->stream),
                        "lengths"));
    CSM_CUDA_TRY(csm_cuda_status(cudaStreamSynchronize(lstm->stream), "the device's work"));
done:
    csm_dealloc(lengths);
    return status;
}

csm_status take_memory(csm_lstm_cudnn *lstm) {
    const size_t T = lstm->options.steps, B = lstm->options.batch, H = lstm->shape.hidden,
                 I = lstm->shape.inputs;
    const size_t O = lstm->shape.outputs, floats = sizeof(float),
                 parameters = csm_lstm_parameters(&lstm->shape) * floats;
    const size_t sums =
        csm_gemm_workspace > csm_column_workspace(O) ? csm_gemm_workspace : csm_column_workspace(O);
    const struct {
        void *out;
        size_t bytes;
    } pieces[] = {{&lstm->weight, lstm->weight_bytes},
                  {&lstm->d_weight, lstm->weight_bytes},
                  {&lstm->work, lstm->work_bytes},
                  {&lstm->reserve, lstm->reserve_bytes},
                  {&lstm->windows, 2 * T * B * I * lstm->element},
                  {&lstm->y, 2 * T * B * H * lstm->element},
                  {&lstm->parameters, 2 * parameters},
                  {&lstm->x, 2 * lstm->options.hours * I * floats},
                  {&lstm->first, B * sizeof(uint32_t)},
                  {&lstm->top, 2 * B * H * floats},
                  {&lstm->out, 3 * B * O * floats},
                  {&lstm->scale, 2 * floats},
                  {&lstm->sums, sums * floats}};
    csm_status status = CSM_OK;
    for (const auto &piece : pieces) CSM_CUDA_TRY(take(lstm, piece.out, piece.bytes));
    lstm->d_windows = static_cast<char *>(lstm->windows) + T * B * I * lstm->element;
    lstm->dy = static_cast<char *>(lstm->y) + T * B * H * lstm->element;
    lstm->gradient = lstm->parameters + csm_lstm_parameters(&lstm->shape);
    lstm->dx = lstm->x + lstm->options.hours * I;
    lstm->last = lstm->top + B * H;
    lstm->dout = lstm->out + B * O;
    lstm->scaled = lstm->dout + B * O;
done:
    return status;
}

// Calls visit(place in cuDNN's space, place in our vector, count) for each matrix and bias of each gate.
template <class Visit>
csm_status each_matrix(csm_lstm_cudnn *lstm, void *space, Visit visit) {
    const size_t H = lstm->shape.hidden;
    cudnnTensorDescriptor_t matrix_form = nullptr, bias_form = nullptr;
    csm_status status = CSM_OK;
    CSM_CUDA_TRY(check(cudnnCreateTensorDescriptor(&matrix_form), "a matrix' form"));
    CSM_CUDA_TRY(check(cudnnCreateTensorDescriptor(&bias_form), "a bias' form"));
    for (size_t l = 0; l < lstm->shape.layers; l++) {
        const csm_lstm_layer at = csm_lstm_layer_at(&lstm->shape, l);
        const size_t inputs = l > 0 ? H : lstm->shape.inputs;
        for (size_t part = 0; part < 8; part++) { // i, f, g, o of the input, then of the recurrence
            const size_t gate = part % 4, columns = part < 4 ? inputs : H;
            void *matrix = nullptr, *bias = nullptr;
            CSM_CUDA_TRY(check(cudnnGetRNNWeightParams(lstm->handle, lstm->rnn, static_cast<int32_t>(l),
                                                       lstm->weight_bytes, space, static_cast<int32_t>(part),
                                                       matrix_form, &matrix, bias_form, &bias),
                               "a matrix' place"));
            CSM_CUDA_TRY(
                visit(matrix, (part < 4 ? at.weight_ih : at.weight_hh) + gate * H * columns, H * columns));
            if (bias != nullptr && part < 4) CSM_CUDA_TRY(visit(bias, at.bias + gate * H, H));
        }
    }
done:
    if (matrix_form != nullptr) (void)cudnnDestroyTensorDescriptor(matrix_form);
    if (bias_form != nullptr) (void)cudnnDestroyTensorDescriptor(bias_form);
    return status;
}

struct device_guard {
    int before = 0;
    explicit device_guard(uint32_t device) {
        (void)cudaGetDevice(&before);
        (void)cudaSetDevice(static_cast<int>(device));
    }
    ~device_guard() {
        (void)cudaSetDevice(before);
    }
};

csm_status send(csm_lstm_cudnn *lstm, void *to, const void *from, size_t bytes) {
    return csm_cuda_status(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, lstm->stream),
                           "copy to the device");
}
csm_status fetch(csm_lstm_cudnn *lstm, void *to, const void *from, size_t bytes) {
    csm_status status = csm_cuda_status(
        cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, lstm->stream), "copy from the device");
    if (status == CSM_OK) status = csm_cuda_status(cudaStreamSynchronize(lstm->stream), "the device's work");
    return status;
}

csm_status product(csm_lstm_cudnn *lstm, float *c, csm_gemm_factor a, csm_gemm_factor b, size_t m, size_t n,
                   size_t k, const float *bias) {
    const csm_gemm gemm = {a, b, m, n, k, c, n, bias, lstm->sums};
    return csm_gemm_run(&gemm, CSM_LSTM_FP32, lstm->stream);
}
csm_gemm_factor factor(const float *data, size_t stride, bool transposed) {
    return {data, stride, nullptr, false, transposed};
}

// Gradients of the head, and dL/dh of the last step into dy.
csm_status backward_head(csm_lstm_cudnn *lstm) {
    const size_t T = lstm->options.steps, B = lstm->options.batch, H = lstm->shape.hidden,
                 O = lstm->shape.outputs;
    const size_t head = csm_lstm_head_weight(&lstm->shape), bias = csm_lstm_head_bias(&lstm->shape);
    csm_status status = csm_cuda_launch("scale", {dim3(1), 2}, lstm->stream, set_ones, lstm->scale);
    CSM_CUDA_TRY(status);
    CSM_CUDA_TRY(lstm_scale_run(lstm->scaled, lstm->scale, lstm->dout, B * O, lstm->precision, lstm->stream));
    CSM_CUDA_TRY(product(lstm, lstm->gradient + head, factor(lstm->dout, O, true), factor(lstm->top, H, true),
                         O, H, B, nullptr));
    CSM_CUDA_TRY(csm_column_sums(lstm->gradient + bias, lstm->dout, false, CSM_LSTM_FP32, B, O, lstm->sums,
                                 lstm->stream));
    CSM_CUDA_TRY(product(lstm, lstm->last, factor(lstm->scaled, O, false),
                         factor(lstm->parameters + head, H, true), B, H, O, nullptr));
    CSM_CUDA_TRY(
        csm_cuda_status(cudaMemsetAsync(lstm->dy, 0, T * B * H * lstm->element, lstm->stream), "clearing"));
    CSM_CUDA_TRY(with_format(lstm, [&](auto format) {
        return csm_cuda_launch("dy", over(B * H), lstm->stream, narrow<decltype(format)>,
                               static_cast<char *>(lstm->dy) + (T - 1) * B * H * lstm->element, lstm->last,
                               B * H);
    }));
done:
    return status;
}

} // namespace

extern "C" int csm_lstm_has_cudnn(void) {
    return 1;
}

extern "C" csm_status csm_lstm_cudnn_new(csm_lstm_cudnn **out, const csm_lstm_shape *shape,
                                         const csm_lstm_cuda_options *options) {
    uint64_t bytes;
    *out = nullptr;
    csm_status status = csm_lstm_cuda_memory(&bytes, shape, options); // checks shape and options
    if (status != CSM_OK) return status;
    if (shape->layer_norm != 0) return csm_fail(CSM_EINVAL, "lstm cudnn: cuDNN has no layer norm");
    if (options->batch * options->steps > INT32_MAX / (shape->hidden + shape->inputs))
        return csm_fail(CSM_EINVAL, "lstm cudnn: %zu windows of %zu steps are more than cuDNN's sizes hold",
                        options->batch, options->steps);
    csm_lstm_cudnn *lstm = static_cast<csm_lstm_cudnn *>(csm_alloc_array(1, sizeof *lstm));
    if (lstm == nullptr) return CSM_ENOMEM;
    lstm->shape = *shape;
    lstm->options = *options;
    lstm->precision = static_cast<csm_lstm_precision>(options->precision);
    lstm->element = lstm->precision == CSM_LSTM_FP16 || lstm->precision == CSM_LSTM_BF16 ? 2 : 4;
    {
        device_guard guard(options->device);
        CSM_CUDA_TRY(
            csm_cuda_status(cudaStreamCreateWithFlags(&lstm->stream, cudaStreamNonBlocking), "stream"));
        CSM_CUDA_TRY(check(cudnnCreate(&lstm->handle), "handle"));
        CSM_CUDA_TRY(check(cudnnSetStream(lstm->handle, lstm->stream), "stream"));
        CSM_CUDA_TRY(describe(lstm));
        CSM_CUDA_TRY(take_memory(lstm));
    }
    *out = lstm;
    return CSM_OK;
done:
    csm_lstm_cudnn_free(lstm);
    return status;
}

extern "C" void csm_lstm_cudnn_free(csm_lstm_cudnn *lstm) {
    if (lstm == nullptr) return;
    {
        device_guard guard(lstm->options.device);
        if (lstm->stream != nullptr) (void)cudaStreamSynchronize(lstm->stream);
        if (lstm->h_form != nullptr) (void)cudnnDestroyTensorDescriptor(lstm->h_form);
        if (lstm->y_form != nullptr) (void)cudnnDestroyRNNDataDescriptor(lstm->y_form);
        if (lstm->x_form != nullptr) (void)cudnnDestroyRNNDataDescriptor(lstm->x_form);
        if (lstm->rnn != nullptr) (void)cudnnDestroyRNNDescriptor(lstm->rnn);
        if (lstm->dropout != nullptr) (void)cudnnDestroyDropoutDescriptor(lstm->dropout);
        if (lstm->handle != nullptr) (void)cudnnDestroy(lstm->handle);
        while (lstm->blocks > 0) (void)cudaFree(lstm->block[--lstm->blocks]);
        if (lstm->stream != nullptr) (void)cudaStreamDestroy(lstm->stream);
    }
    csm_dealloc(lstm);
}

extern "C" csm_status csm_lstm_cudnn_set_parameters(csm_lstm_cudnn *lstm, const float *parameters) {
    device_guard guard(lstm->options.device);
    csm_status status =
        send(lstm, lstm->parameters, parameters, csm_lstm_parameters(&lstm->shape) * sizeof(float));
    CSM_CUDA_TRY(status);
    CSM_CUDA_TRY(
        csm_cuda_status(cudaMemsetAsync(lstm->weight, 0, lstm->weight_bytes, lstm->stream), "clearing"));
    CSM_CUDA_TRY(each_matrix(lstm, lstm->weight, [&](void *theirs, size_t ours, size_t count) {
        return with_format(lstm, [&](auto format) {
            return csm_cuda_launch("weights", over(count), lstm->stream, narrow<decltype(format)>, theirs,
                                   lstm->parameters + ours, count);
        });
    }));
    CSM_CUDA_TRY(csm_cuda_status(cudaStreamSynchronize(lstm->stream), "the device's work"));
done:
    return status;
}

extern "C" csm_status csm_lstm_cudnn_forward(csm_lstm_cudnn *lstm, const csm_lstm_batch *batch, float *out) {
    const size_t T = lstm->options.steps, B = lstm->options.batch, H = lstm->shape.hidden,
                 I = lstm->shape.inputs;
    const size_t O = lstm->shape.outputs, head = csm_lstm_head_weight(&lstm->shape);
    csm_status status = csm_lstm_check(&lstm->shape, batch);
    if (status != CSM_OK) return status;
    if (batch->length != B || batch->steps != T || batch->hours > lstm->options.hours)
        return csm_fail(CSM_EINVAL, "lstm cudnn: %zu windows of %zu steps; this one is for %zu of %zu",
                        batch->length, batch->steps, B, T);
    if (batch->dropout.rate > 0 && lstm->shape.layers > 1)
        return csm_fail(CSM_EINVAL, "lstm cudnn: cuDNN's dropout draws other numbers than ours");
    device_guard guard(lstm->options.device);
    lstm->ran = false;
    lstm->hours = batch->hours;
    CSM_CUDA_TRY(send(lstm, lstm->x, batch->x, batch->hours * I * sizeof(float)));
    CSM_CUDA_TRY(send(lstm, lstm->first, batch->first, B * sizeof(uint32_t)));
    CSM_CUDA_TRY(with_format(lstm, [&](auto format) {
        return csm_cuda_launch("windows", over(T * B * I), lstm->stream, gather_windows<decltype(format)>,
                               lstm->windows, lstm->x, lstm->first, T, B, I);
    }));
    CSM_CUDA_TRY(
        check(cudnnRNNForward(lstm->handle, lstm->rnn, CUDNN_FWD_MODE_TRAINING, lstm->lengths, lstm->x_form,
                              lstm->windows, lstm->y_form, lstm->y, lstm->h_form, nullptr, nullptr,
                              lstm->h_form, nullptr, nullptr, lstm->weight_bytes, lstm->weight,
                              lstm->work_bytes, lstm->work, lstm->reserve_bytes, lstm->reserve),
              "forward"));
    CSM_CUDA_TRY(with_format(lstm, [&](auto format) {
        return csm_cuda_launch("top", over(B * H), lstm->stream, widen<decltype(format)>, lstm->top,
                               static_cast<char *>(lstm->y) + (T - 1) * B * H * lstm->element,
                               static_cast<const float *>(nullptr), B * H);
    }));
    CSM_CUDA_TRY(product(lstm, lstm->out, factor(lstm->top, H, false),
                         factor(lstm->parameters + head, H, false), B, O, H,
                         lstm->parameters + csm_lstm_head_bias(&lstm->shape)));
    CSM_CUDA_TRY(fetch(lstm, out, lstm->out, B * O * sizeof(float)));
    lstm->ran = true;
done:
    return status;
}

extern "C" csm_status csm_lstm_cudnn_backward(csm_lstm_cudnn *lstm, const float *dout, float *grad,
                                              float *dx) {
    const size_t T = lstm->options.steps, B = lstm->options.batch, I = lstm->shape.inputs,
                 O = lstm->shape.outputs;
    csm_status status = CSM_OK;
    if (!lstm->ran) return csm_fail(CSM_EINVAL, "lstm cudnn: backward without a forward before");
    lstm->ran = false; // cuDNN's reserve serves once
    device_guard guard(lstm->options.device);
    CSM_CUDA_TRY(send(lstm, lstm->dout, dout, B * O * sizeof(float)));
    CSM_CUDA_TRY(backward_head(lstm));
    CSM_CUDA_TRY(check(cudnnRNNBackwardData_v8(lstm->handle, lstm->rnn, lstm->lengths, lstm->y_form, lstm->y,
                                               lstm->dy, lstm->x_form, lstm->d_windows, lstm->h_form, nullptr,
                                               nullptr, nullptr, lstm->h_form, nullptr, nullptr, nullptr,
                                               lstm->weight_bytes, lstm->weight, lstm->work_bytes, lstm->work,
                                               lstm->reserve_bytes, lstm->reserve),
                       "backward to the input"));
    CSM_CUDA_TRY(
        csm_cuda_status(cudaMemsetAsync(lstm->d_weight, 0, lstm->weight_bytes, lstm->stream), "clearing"));
    CSM_CUDA_TRY(check(cudnnRNNBackwardWeights_v8(
                           lstm->handle, lstm->rnn, CUDNN_WGRAD_MODE_ADD, lstm->lengths, lstm->x_form,
                           lstm->windows, lstm->h_form, nullptr, lstm->y_form, lstm->y, lstm->weight_bytes,
                           lstm->d_weight, lstm->work_bytes, lstm->work, lstm->reserve_bytes, lstm->reserve),
                       "backward to the weights"));
    CSM_CUDA_TRY(each_matrix(lstm, lstm->d_weight, [&](void *theirs, size_t ours, size_t count) {
        return with_format(lstm, [&](auto format) {
            return csm_cuda_launch("gradients", over(count), lstm->stream, widen<decltype(format)>,
                                   lstm->gradient + ours, theirs, static_cast<const float *>(lstm->scale),
                                   count);
        });
    }));
    CSM_CUDA_TRY(fetch(lstm, grad, lstm->gradient, csm_lstm_parameters(&lstm->shape) * sizeof(float)));
    if (dx == nullptr) goto done;
    CSM_CUDA_TRY(with_format(lstm, [&](auto format) {
        return csm_cuda_launch("dx", over(lstm->hours * I), lstm->stream, sum_windows<decltype(format)>,
                               lstm->dx, lstm->d_windows, lstm->first, lstm->scale, lstm->hours, T, B, I);
    }));
    CSM_CUDA_TRY(fetch(lstm, dx, lstm->dx, lstm->hours * I * sizeof(float)));
done:
    return status;
}
