// SPDX-License-Identifier: MIT
// What surrounds the recurrence: one step's pointwise part, sums by hour, norm and dropout, the layout of parameters.
#include "backend/cuda/lstm_kernels.h"
#include "backend/cuda/format.cuh"
#include "backend/cuda/gemm.h"
#include "backend/lstm_cell.h"

namespace {

constexpr int threads = 256, warps = threads / 32;
constexpr int norm_parts = 64;

__device__ __forceinline__ size_t here() {
    return static_cast<size_t>(blockIdx.x) * threads + threadIdx.x;
}

template <class F>
__device__ __forceinline__ typename F::element *elements(void *data) {
    return static_cast<typename F::element *>(data);
}
template <class F>
__device__ __forceinline__ const typename F::element *elements(const void *data) {
    return static_cast<const typename F::element *>(data);
}

// Runs `call` with the precision's format as its type.
template <class Call>
csm_status with_format(csm_lstm_precision precision, Call call) {
    switch (precision) {
    case CSM_LSTM_FP32:
        return call(format_fp32());
    case CSM_LSTM_TF32:
        return call(format_tf32());
    case CSM_LSTM_FP16:
        return call(format_fp16());
    case CSM_LSTM_BF16:
        return call(format_bf16());
    }
    return csm_fail(CSM_EINVAL, "lstm: precision %d is not known", static_cast<int>(precision));
}

// ---- one step ----

template <class F>
__global__ void __launch_bounds__(threads) step_forward(lstm_step_forward step) {
    const size_t at = here(), b = at / step.hidden, unit = at % step.hidden;
    if (b >= step.batch) return;
    const size_t row = (step.base != nullptr ? step.base[b] : b) + step.z_row;
    float4 z = reinterpret_cast<const float4 *>(step.z)[row * step.hidden + unit];
    if (step.product != nullptr) {
        const float4 sum = reinterpret_cast<const float4 *>(step.product)[at];
        z.x = lstm_add(z.x, sum.x);
        z.y = lstm_add(z.y, sum.y);
        z.z = lstm_add(z.z, sum.z);
        z.w = lstm_add(z.w, sum.w);
    }
    float c = step.c_before != nullptr ? step.c_before[at] : 0.0f;
    const float h = lstm_cell_forward(&z.x, &z.y, &z.z, &z.w, &c);
    step.c[at] = c;
    elements<F>(step.h)[at] = F::of(h);
    if (step.gates == nullptr) return;
    const float gates[4] = {z.x, z.y, z.z, z.w};
    static_cast<format_quad<F> *>(step.gates)[at] = format_quad_of<F>(gates);
}

template <class F>
__global__ void __launch_bounds__(threads) step_backward(lstm_step_backward step) {
    const size_t at = here();
    if (at >= step.batch * step.hidden) return;
    float z[4], dh = step.dh != nullptr ? step.dh[at] : 0.0f, dc = step.dh != nullptr ? step.dc[at] : 0.0f;
    if (step.above != nullptr) dh = lstm_add(dh, step.above[at]);
    if (step.last != nullptr) dh = lstm_add(dh, step.last[at]);
    format_quad_values<F>(z, static_cast<const format_quad<F> *>(step.gates)[at]);
    lstm_cell_backward(&z[0], &z[1], &z[2], &z[3], step.c[at],
                       step.c_before != nullptr ? step.c_before[at] : 0.0f, dh, &dc);
    step.dc[at] = dc;
    static_cast<format_quad<F> *>(step.dz)[at] = format_quad_of<F>(z);
}

// ---- hours ----

template <class F>
__global__ void __launch_bounds__(threads) sum_hours(lstm_sum_hours job) {
    const size_t unit = here(), row = blockIdx.y + static_cast<size_t>(blockIdx.z) * gridDim.y;
    if (unit >= job.hidden || row >= job.rows) return;
    float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (uint32_t i = job.begin[row]; i < job.end[row]; i++) {
        const size_t b = job.order[i], s = row - job.base[b];
        float z[4];
        format_quad_values<F>(
            z, static_cast<const format_quad<F> *>(job.dz)[(s * job.batch + b) * job.hidden + unit]);
        for (int q = 0; q < 4; q++) sum[q] = lstm_add(sum[q], z[q]);
    }
    reinterpret_cast<float4 *>(job.d_hours)[row * job.hidden + unit] = {sum[0], sum[1], sum[2], sum[3]};
}

// ---- between layers ----

// The same sum in every lane, in a fixed order.
__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
    for (int lanes = 16; lanes > 0; lanes /= 2) value = lstm_add(value, csm_shuffle_xor(value, lanes));
    return value;
}

__device__ __forceinline__ float dropout_scale(const lstm_raise &job, size_t row, size_t unit) {
    if (!(job.dropout.rate > 0)) return 1.0f;
    const uint64_t b = row % job.batch, s = row / job.batch;
    const uint64_t element = ((b * job.layers + job.layer) * job.steps + s) * job.units + unit;
    uint32_t words[4];
    lstm_philox(words, job.dropout.seed, *job.stream, element / 4);
    const uint64_t which = element % 4;
    const uint32_t bits = which == 0 ? words[0] : which == 1 ? words[1] : which == 2 ? words[2] : words[3];
    return bits < lstm_dropout_below(job.dropout.rate) ? 0.0f : lstm_divide(1.0f, 1.0f - job.dropout.rate);
}

// A warp a row.
template <class F>
__global__ void __launch_bounds__(threads) raise(lstm_raise job) {
    const size_t row = static_cast<size_t>(blockIdx.x) * warps + threadIdx.x / 32;
    const size_t lane = threadIdx.x % 32;
    if (row >= job.rows) return;
    const typename F::element *h = elements<F>(job.h) + row * job.hidden;
    float mean = 0.0f, scale = 1.0f;
    if (job.norm != nullptr) {
        float sum = 0.0f, square = 0.0f;
        for (size_t unit = lane; unit < job.units; unit += 32) sum += F::value(h[unit]);
        mean = lstm_divide(warp_sum(sum), static_cast<float>(job.units));
        for (size_t unit = lane; unit < job.units; unit += 32)
            square = fmaf(F::value(h[unit]) - mean, F::value(h[unit]) - mean, square);
        scale = lstm_divide(1.0f, sqrtf(lstm_divide(warp_sum(square), static_cast<float>(job.units)) +
                                        static_cast<float>(CSM_LSTM_NORM_EPSILON)));
        if (lane == 0) {
            job.norm[2 * row] = mean;
            job.norm[2 * row + 1] = scale;
        }
    }
    for (size_t unit = lane; unit < job.hidden; unit += 32) {
        float y = 0.0f; // the padding stays 0
        if (unit < job.units) {
            y = F::value(h[unit]);
            if (job.norm != nullptr) y = fmaf(lstm_mul(y - mean, scale), job.gain[unit], job.offset[unit]);
            y = lstm_mul(y, dropout_scale(job, row, unit));
        }
        if (job.to_float)
            static_cast<float *>(job.y)[row * job.hidden + unit] = y;
        else
            elements<F>(job.y)[row * job.hidden + unit] = F::of(y);
    }
}

__global__ void __launch_bounds__(threads) drop(lstm_raise job) {
    const size_t at = here(), row = at / job.hidden, unit = at % job.hidden;
    if (row < job.rows && unit < job.units) job.dy[at] = lstm_mul(job.dy[at], dropout_scale(job, row, unit));
}

// Gradients of gain and offset over a part of the rows.
template <class F>
__global__ void __launch_bounds__(threads) norm_partial(lstm_raise job) {
    const size_t unit = here(), part = blockIdx.y;
    if (unit >= job.hidden) return;
    float gain = 0.0f, offset = 0.0f;
    for (size_t row = job.rows * part / norm_parts;
         row < job.rows * (part + 1) / norm_parts && unit < job.units; row++) {
        const float d = job.dy[row * job.hidden + unit];
        const float h = F::value(elements<F>(job.h)[row * job.hidden + unit]);
        gain = fmaf(d, lstm_mul(h - job.norm[2 * row], job.norm[2 * row + 1]), gain);
        offset = lstm_add(offset, d);
    }
    job.partial[(part * 2) * job.hidden + unit] = gain;
    job.partial[(part * 2 + 1) * job.hidden + unit] = offset;
}

template <class F>
__global__ void __launch_bounds__(threads) norm_lower(lstm_raise job) {
    const size_t row = static_cast<size_t>(blockIdx.x) * warps + threadIdx.x / 32;
    const size_t lane = threadIdx.x % 32;
    if (row >= job.rows) return;
    const typename F::element *h = elements<F>(job.h) + row * job.hidden;
    float *d = job.dy + row * job.hidden;
    const float mean = job.norm[2 * row], scale = job.norm[2 * row + 1];
    float sum = 0.0f, dot = 0.0f;
    for (size_t unit = lane; unit < job.units; unit += 32) {
        const float share = lstm_mul(d[unit], job.gain[unit]);
        sum = lstm_add(sum, share);
        dot = fmaf(share, lstm_mul(F::value(h[unit]) - mean, scale), dot);
    }
    sum = warp_sum(sum);
    dot = warp_sum(dot);
    for (size_t unit = lane; unit < job.units; unit += 32) {
        const float normal = lstm_mul(F::value(h[unit]) - mean, scale);
        const float common = lstm_divide(fmaf(normal, dot, sum), static_cast<float>(job.units));
        d[unit] = lstm_mul(scale, fmaf(d[unit], job.gain[unit], -common));
    }
}

// ---- parameters ----

__device__ __forceinline__ bool place_of(const lstm_packing &packing, size_t packed, size_t *plain) {
    const size_t row = packed / packing.padded_columns, column = packed % packing.padded_columns;
    const size_t unit = row / packing.gates, gate = row % packing.gates;
    *plain = (gate * packing.units + unit) * packing.columns + column;
    return unit < packing.units && column < packing.columns;
}

__global__ void __launch_bounds__(threads) pack(float *packed, const float *plain, lstm_packing packing) {
    const size_t at = here();
    if (at >= packing.gates * packing.padded_units * packing.padded_columns) return;
    size_t from;
    packed[at] = place_of(packing, at, &from) ? plain[from] : 0.0f;
}

__global__ void __launch_bounds__(threads)
    unpack(float *plain, const float *packed, lstm_packing packing, const float *scale) {
    const size_t at = here();
    if (at >= packing.gates * packing.padded_units * packing.padded_columns) return;
    size_t to;
    if (place_of(packing, at, &to)) plain[to] = scale != nullptr ? lstm_mul(packed[at], *scale) : packed[at];
}

template <class F>
__device__ __forceinline__ typename F::element operand(float value) {
    if constexpr (F::half)
        return F::of(value);
    else
        return __uint_as_float(F::word(value));
}

template <class F>
__global__ void __launch_bounds__(threads)
    pack_recurrent(void *forward, void *backward, const float *plain, size_t units, size_t hidden) {
    const size_t at = here(); // backward's order: (input unit, unit, gate)
    if (at >= 4 * hidden * hidden) return;
    const size_t gate = at % 4, unit = at / 4 % hidden, input = at / 4 / hidden;
    const bool inside = unit < units && input < units;
    const typename F::element value =
        operand<F>(inside ? plain[(gate * units + unit) * units + input] : 0.0f);
    elements<F>(backward)[at] = value;
    elements<F>(forward)[(gate * hidden + unit) * hidden + input] = value;
}

// ---- scale ----

// One block: the largest |dout| by a tree in shared memory. A maximum does not depend on the order.
__global__ void __launch_bounds__(threads) choose_scale(float *scale, const float *dout, size_t count) {
    float *largest = static_cast<float *>(csm_shared_memory());
    float mine = 0.0f;
    for (size_t i = threadIdx.x; i < count; i += threads) mine = fmaxf(mine, fabsf(dout[i]));
    largest[threadIdx.x] = mine;
    __syncthreads();
    for (unsigned half = threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half)
            largest[threadIdx.x] = fmaxf(largest[threadIdx.x], largest[threadIdx.x + half]);
        __syncthreads();
    }
    if (threadIdx.x > 0) return;
    // 2^(7 - e) for the largest in [2^e, 2^(e+1)), its exponent kept where floats have both it and its inverse.
    const int e = static_cast<int>(__float_as_uint(largest[0]) >> 23 & 255U) - 127;
    const int up = largest[0] > 0 && e < 128 ? (e < -100 ? 107 : 7 - e) : 0;
    scale[0] = __uint_as_float(static_cast<uint32_t>(127 - up) << 23);
    scale[1] = __uint_as_float(static_cast<uint32_t>(127 + up) << 23);
}
__global__ void __launch_bounds__(threads)
    apply_scale(float *scaled, const float *scale, const float *dout, size_t count) {
    const size_t at = here();
    if (at < count) scaled[at] = scale != nullptr ? lstm_mul(dout[at], scale[1]) : dout[at];
}

csm_launch over(size_t work) {
    return {dim3(csm_blocks(work, threads)), threads};
}

} // namespace

csm_status lstm_step_forward_run(const lstm_step_forward *step, csm_lstm_precision precision,
                                 cudaStream_t stream) {
    return with_format(precision, [&](auto format) {
        return csm_cuda_launch("lstm forward, one step", over(step->batch * step->hidden), stream,
                               step_forward<decltype(format)>, *step);
    });
}

csm_status lstm_step_backward_run(const lstm_step_backward *step, csm_lstm_precision precision,
                                  cudaStream_t stream) {
    return with_format(precision, [&](auto format) {
        return csm_cuda_launch("lstm backward, one step", over(step->batch * step->hidden), stream,
                               step_backward<decltype(format)>, *step);
    });
}

csm_status lstm_sum_hours_run(const lstm_sum_hours *job, csm_lstm_precision precision, cudaStream_t stream) {
    constexpr size_t tall = 32768; // of the grid's second side
    const dim3 grid(csm_blocks(job->hidden, threads),
                    static_cast<unsigned>(job->rows < tall ? job->rows : tall), csm_blocks(job->rows, tall));
    return with_format(precision, [&](auto format) {
        return csm_cuda_launch("lstm sums by hour", {grid, threads}, stream, sum_hours<decltype(format)>,
                               *job);
    });
}

size_t lstm_norm_workspace(size_t hidden) {
    return norm_parts * 2 * hidden;
}

csm_status lstm_raise_run(const lstm_raise *job, csm_lstm_precision precision, cudaStream_t stream) {
    return with_format(precision, [&](auto format) {
        return csm_cuda_launch("lstm norm and dropout", {dim3(csm_blocks(job->rows, warps)), threads}, stream,
                               raise<decltype(format)>, *job);
    });
}

csm_status lstm_lower_run(const lstm_raise *job, csm_lstm_precision precision, cudaStream_t stream) {
    csm_status status = CSM_OK;
    if (job->dropout.rate > 0)
        status = csm_cuda_launch("lstm dropout backward", over(job->rows * job->hidden), stream, drop, *job);
    if (status != CSM_OK || job->norm == nullptr) return status;
    return with_format(precision, [&](auto format) {
        typedef decltype(format) F;
        csm_status each = csm_cuda_launch("lstm norm's gradients",
                                          {dim3(csm_blocks(job->hidden, threads), norm_parts), threads},
                                          stream, norm_partial<F>, *job);
        if (each == CSM_OK)
            each = csm_add_parts(job->d_gain, job->partial, norm_parts, 2 * job->hidden, stream);
        if (each == CSM_OK)
            each = csm_cuda_launch("lstm norm backward", {dim3(csm_blocks(job->rows, warps)), threads},
                                   stream, norm_lower<F>, *job);
        return each;
    });
}

csm_status lstm_pack_run(float *packed, const float *plain, const lstm_packing *packing,
                         cudaStream_t stream) {
    return csm_cuda_launch("lstm parameters, packing",
                           over(packing->gates * packing->padded_units * packing->padded_columns), stream,
                           pack, packed, plain, *packing);
}

csm_status lstm_unpack_run(float *plain, const float *packed, const lstm_packing *packing, const float *scale,
                           cudaStream_t stream) {
    return csm_cuda_launch("lstm gradients, unpacking",
                           over(packing->gates * packing->padded_units * packing->padded_columns), stream,
                           unpack, plain, packed, *packing, scale);
}

csm_status lstm_pack_recurrent_run(void *forward, void *backward, const float *plain, size_t units,
                                   size_t hidden, csm_lstm_precision precision, cudaStream_t stream) {
    return with_format(precision, [&](auto format) {
        return csm_cuda_launch("lstm recurrent weights, packing", over(4 * hidden * hidden), stream,
                               pack_recurrent<decltype(format)>, forward, backward, plain, units, hidden);
    });
}

csm_status lstm_scale_run(float *scaled, float *scale, const float *dout, size_t count,
                          csm_lstm_precision precision, cudaStream_t stream) {
    csm_status status = CSM_OK;
    const bool needed = precision == CSM_LSTM_FP16;
    if (needed)
        status = csm_cuda_launch("lstm loss scale", {dim3(1), threads, threads * sizeof(float)}, stream,
                                 choose_scale, scale, dout, count);
    if (status != CSM_OK) return status;
    return csm_cuda_launch("lstm loss scale, applied", over(count), stream, apply_scale, scaled,
                           static_cast<const float *>(needed ? scale : nullptr), dout, count);
}
