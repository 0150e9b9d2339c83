// SPDX-License-Identifier: MIT
// Losses of the heads and AdamW with clipping: the arithmetic of src/model/lstm/loss.c and optimiser.c, on the device.
#include "backend/cuda/device.cuh"
#include "backend/cuda/lstm_kernels.h"
#include "backend/lstm_cell.h"

namespace {

constexpr int threads = 256;
constexpr float moment_1 = 0.9F, moment_2 = 0.999F, epsilon = 1e-8F;

// The sum over the block's threads, in every thread: a tree whose shape is fixed.
__device__ double block_sum(double *shared, double mine) {
    shared[threadIdx.x] = mine;
    __syncthreads();
    for (unsigned half = threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
        __syncthreads();
    }
    const double sum = shared[0];
    __syncthreads();
    return sum;
}

// Loss of an output z and its slope.
__device__ double loss_of(const csm_lstm_cuda_head &head, float z, float y, float *slope) {
    if (head.objective == 3) {
        const float score = z + head.offset;
        const double size = fabs(static_cast<double>(score));
        *slope = lstm_sigmoid(score) - y;
        return (score > 0 ? size : 0.0) + log1p(exp(-size)) -
               static_cast<double>(y) * static_cast<double>(score);
    }
    const float d = z - y;
    if (head.objective == 2) {
        *slope = d >= 0 ? 1.0f - head.parameter : -head.parameter;
        return static_cast<double>(d) * static_cast<double>(*slope);
    }
    const double wide = static_cast<double>(d), size = fabs(wide),
                 delta = static_cast<double>(head.parameter);
    if (head.objective == 0 || size <= delta) {
        *slope = d;
        return 0.5 * wide * wide;
    }
    *slope = d > 0 ? head.parameter : -head.parameter;
    return delta * (size - 0.5 * delta);
}

// One block: a batch has some thousands of outputs.
__global__ void __launch_bounds__(threads) loss_kernel(lstm_loss job) {
    double *shared = static_cast<double *>(csm_shared_memory()), mine = 0;
    for (size_t at = threadIdx.x; at < job.batch * job.outputs; at += threads) {
        const csm_lstm_cuda_head head = job.heads[at % job.outputs];
        const float weight = lstm_mul(job.weight[at / job.outputs], head.weight);
        float slope;
        mine += static_cast<double>(weight) * loss_of(head, job.out[at], job.target[at], &slope);
        job.dout[at] = lstm_mul(lstm_mul(weight, slope), job.state->share);
    }
    const double loss = block_sum(shared, mine);
    if (threadIdx.x == 0 && job.report->failed == 0) job.report->loss += loss;
}

__global__ void __launch_bounds__(threads) square_partial(lstm_adamw job) {
    double *shared = static_cast<double *>(csm_shared_memory()), mine = 0;
    const size_t stride = lstm_adamw_partial * threads;
    for (size_t i = static_cast<size_t>(blockIdx.x) * threads + threadIdx.x; i < job.count; i += stride)
        mine += static_cast<double>(job.gradient[i]) * static_cast<double>(job.gradient[i]);
    const double sum = block_sum(shared, mine);
    if (threadIdx.x == 0) job.partial[blockIdx.x] = sum;
}

// Every block adds the partial sums up for itself.
__global__ void __launch_bounds__(threads) adamw(lstm_adamw job) {
    static_assert(lstm_adamw_partial == threads, "a thread takes one partial sum");
    double *shared = static_cast<double *>(csm_shared_memory());
    const double square = block_sum(shared, job.partial[threadIdx.x]), norm = sqrt(square);
    const lstm_state state = *job.state;
    const size_t i = static_cast<size_t>(blockIdx.x) * threads + threadIdx.x;
    if (!(square < static_cast<double>(INFINITY)) || job.report->failed != 0 || i >= job.count) return;
    const float scale = state.clip > 0 && norm > state.clip ? static_cast<float>(state.clip / norm) : 1.0f;
    const float g = lstm_mul(job.gradient[i], scale);
    const float first = lstm_add(lstm_mul(moment_1, job.first[i]), lstm_mul(static_cast<float>(1 - 0.9), g));
    const float second =
        lstm_add(lstm_mul(moment_2, job.second[i]), lstm_mul(lstm_mul(static_cast<float>(1 - 0.999), g), g));
    const float kept = job.decays[i] != 0 ? lstm_mul(job.parameters[i], state.keep) : job.parameters[i];
    const float width = lstm_add(lstm_mul(sqrtf(second), state.root), epsilon);
    job.first[i] = first;
    job.second[i] = second;
    job.parameters[i] = lstm_add(kept, -lstm_divide(lstm_mul(state.step, first), width));
}

// After all blocks of adamw, so that none of them sees `failed` change.
__global__ void __launch_bounds__(threads) close_step(lstm_adamw job) {
    double *shared = static_cast<double *>(csm_shared_memory());
    const double square = block_sum(shared, job.partial[threadIdx.x]);
    if (threadIdx.x > 0 || job.report->failed != 0) return;
    job.report->steps++;
    if (!(square < static_cast<double>(INFINITY))) job.report->failed = 1;
}

constexpr size_t shared_bytes = threads * sizeof(double);

} // namespace

csm_status lstm_loss_run(const lstm_loss *job, cudaStream_t stream) {
    return csm_cuda_launch("lstm loss", {dim3(1), threads, shared_bytes}, stream, loss_kernel, *job);
}

csm_status lstm_adamw_run(const lstm_adamw *job, cudaStream_t stream) {
    const csm_launch parts = {dim3(lstm_adamw_partial), threads, shared_bytes};
    const csm_launch all = {dim3(csm_blocks(job->count, threads)), threads, shared_bytes};
    csm_status status = csm_cuda_launch("gradient's norm", parts, stream, square_partial, *job);
    if (status == CSM_OK) status = csm_cuda_launch("adamw", all, stream, adamw, *job);
    if (status == CSM_OK)
        status = csm_cuda_launch("adamw, end of a step", {dim3(1), threads, shared_bytes}, stream, close_step,
                                 *job);
    return status;
}
