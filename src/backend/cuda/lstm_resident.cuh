/* SPDX-License-Identifier: MIT */
/*
 * The recurrence over all steps in one kernel: W_hh stays in registers and shared memory, nothing but a barrier of the
 * block (of the cluster, for H > 128) separates two steps. Batches are tiled over blocks or clusters, which never meet.
 *
 * A warp owns 16 units and computes all four gates of them for eight samples at a time: four matrix tiles (i, f, g, o)
 * of 16 units x 8 samples. By the layout of their sums (device.cuh) one thread then holds the four gates of units g and g+8
 * for samples 2t and 2t+1, so the pointwise part needs no exchange; only h (forward) and dz (backward) cross over, through
 * shared memory, two buffers in turn: one barrier a step. In a cluster each block owns H / C units and writes what it made
 * into the shared memory of all of them.
 *
 * Forward:  z (4H, B) = P + W_hh h;   the tile's A is W_hh (4, H, H), B is h (B, H)
 * Backward: dh (H, B) = W_hh^T dz;    A is W_hh^T (H, 4H) with columns unit * 4 + gate, B is dz (B, H, 4)
 */
#ifndef CSM_BACKEND_CUDA_LSTM_RESIDENT_CUH
#define CSM_BACKEND_CUDA_LSTM_RESIDENT_CUH

#include "backend/cuda/format.cuh"
#include "backend/cuda/lstm_kernels.h"
#include "backend/lstm_cell.h"

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
constexpr bool resident_has_clusters = false;
#else
constexpr bool resident_has_clusters = true;
#endif

/* C: blocks of a cluster. WN: warps that share a group of 16 units and split the samples. NT: tiles of 8 samples a warp.
 * KR: instructions deep that weights are kept in registers, the rest in shared memory. */
template <class F, int H, int C, int WN, int NT, int KR>
struct resident_shape {
    typedef F format;
    static constexpr int hidden = H, cluster = C, splits = WN, tiles = NT, kept = KR;
    static constexpr int units = H / C, groups = units / 16, warps = groups * WN, threads = 32 * warps;
    static constexpr int samples = 8 * NT * WN; /* of a block or cluster */
};

/* ---- forward ---- */

template <class S>
struct resident_forward_memory {
    typedef typename S::format F;
    static constexpr int depth = S::hidden / F::depth, shared_depth = depth - S::kept;
    static constexpr int weight_words = S::groups * 4 * shared_depth * 128;
    static constexpr int row_words = format_words<F>(S::hidden) + 4; /* 4: no bank conflicts between rows */
    static constexpr size_t bytes = sizeof(uint32_t) * (weight_words + 2 * S::samples * row_words);
};

template <int C>
__device__ __forceinline__ void resident_barrier() {
    if constexpr (C > 1) {
        csm_cluster_arrive();
        csm_cluster_wait();
    } else {
        __syncthreads();
    }
}

/* The four gates of the thread's four places (two units, two samples) at step s, from P. */
template <class S>
__device__ __forceinline__ void resident_read_z(float z[4][4], const lstm_forward_arguments &job, uint32_t s,
                                                uint32_t sample, int unit) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
        const uint32_t b = sample + static_cast<uint32_t>(j % 2);
        float4 quad = {0.0f, 0.0f, 0.0f, 0.0f};
        if (b < job.batch) {
            const size_t row = (job.base != nullptr ? job.base[b] : b) + static_cast<size_t>(s) * job.z_step;
            quad = reinterpret_cast<const float4 *>(
                job.z)[row * S::hidden + static_cast<size_t>(unit + j / 2 * 8)];
        }
        z[0][j] = quad.x;
        z[1][j] = quad.y;
        z[2][j] = quad.z;
        z[3][j] = quad.w;
    }
}

/* h of the thread's places to the next step's rows in every block of the cluster, and to memory. Half precision: lanes of
 * neighbouring units swap one sample each, so that whole words are written. */
template <class S>
__device__ __forceinline__ void resident_write_h(const lstm_forward_arguments &job, const float h[4],
                                                 uint32_t *next, uint32_t s, int place, uint32_t sample,
                                                 int unit) {
    typedef typename S::format F;
    constexpr int row_words = resident_forward_memory<S>::row_words;
#pragma unroll
    for (int i = 0; i < (F::half ? 2 : 4); i++) {
        uint32_t word;
        int column, other;
        if constexpr (F::half) {
            const int odd = unit & 1;
            const float given = csm_shuffle_xor(odd ? h[2 * i] : h[2 * i + 1], 4);
            word = odd ? F::pair(given, h[2 * i + 1]) : F::pair(h[2 * i], given);
            column = (unit - odd + 8 * i) / 2;
            other = odd;
        } else {
            word = __float_as_uint(h[i]);
            column = unit + i / 2 * 8;
            other = i % 2;
        }
        uint32_t *mine = next + (place + other) * row_words + column;
        uint32_t operand = word;
        if constexpr (!F::half) operand = F::word(h[i]);
        if constexpr (S::cluster > 1) {
#pragma unroll
            for (uint32_t rank = 0; rank < static_cast<uint32_t>(S::cluster); rank++)
                *csm_cluster_map(mine, rank) = operand;
        } else {
            *mine = operand;
        }
        const uint32_t b = sample + static_cast<uint32_t>(other);
        if (b < job.batch)
            static_cast<uint32_t *>(
                job.h)[s * job.h_step + static_cast<size_t>(b) * format_words<F>(S::hidden) +
                       static_cast<size_t>(column)] = word;
    }
}

template <class S>
__global__ void __launch_bounds__(S::threads, 1) lstm_resident_forward(lstm_forward_arguments job) {
    typedef typename S::format F;
    typedef resident_forward_memory<S> memory;
    constexpr int H = S::hidden, words = format_words<F>(H), depth = memory::depth;
    if constexpr (S::cluster > 1 && !resident_has_clusters) return;
    uint32_t *kept = static_cast<uint32_t *>(csm_shared_memory()), *rows = kept + memory::weight_words;
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    const int g = lane / 4, t = lane % 4, group = warp % S::groups, split = warp / S::groups;
    const uint32_t rank = S::cluster > 1 ? csm_cluster_rank() : 0, tile = blockIdx.x / S::cluster;
    const int unit = static_cast<int>(rank) * S::units + group * 16 + g;
    const int place0 = split * 8 * S::tiles + 2 * t; /* of the first sample among the block's */
    const uint32_t sample0 = tile * S::samples + static_cast<uint32_t>(place0);

    uint32_t weight[4][S::kept][4];
#pragma unroll
    for (int q = 0; q < 4; q++) {
#pragma unroll
        for (int kt = 0; kt < depth; kt++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const uint32_t word = static_cast<const uint32_t *>(
                    job.weight)[(q * H + unit + i % 2 * 8) * words + kt * 8 + t + i / 2 * 4];
                if (kt < S::kept)
                    weight[q][kt][i] = word;
                else if (split == 0)
                    kept[((group * 4 + q) * memory::shared_depth + kt - S::kept) * 128 + lane * 4 + i] = word;
            }
        }
    }
    for (int i = static_cast<int>(threadIdx.x); i < 2 * S::samples * memory::row_words; i += S::threads)
        rows[i] = 0;
    float c[S::tiles][4] = {}, ahead[4][4];
    resident_read_z<S>(ahead, job, 0, sample0, unit);
    resident_barrier<S::cluster>();

    for (uint32_t s = 0; s < job.steps; s++) {
        const uint32_t *now = rows + (s % 2) * S::samples * memory::row_words;
        uint32_t *next = rows + (1 - s % 2) * S::samples * memory::row_words;
#pragma unroll
        for (int n = 0; n < S::tiles; n++) {
            float z[4][4];
#pragma unroll
            for (int q = 0; q < 4; q++)
#pragma unroll
                for (int j = 0; j < 4; j++) z[q][j] = ahead[q][j];
            if (n + 1 < S::tiles)
                resident_read_z<S>(ahead, job, s, sample0 + static_cast<uint32_t>(8 * (n + 1)), unit);
            else if (s + 1 < job.steps)
                resident_read_z<S>(ahead, job, s + 1, sample0, unit);
            const uint32_t *row = now + (split * 8 * S::tiles + 8 * n + g) * memory::row_words + t;
#pragma unroll
            for (int kt = 0; kt < S::kept; kt++) {
                const uint32_t b[2] = {row[kt * 8], row[kt * 8 + 4]};
#pragma unroll
                for (int q = 0; q < 4; q++) F::mma(z[q], weight[q][kt], b);
            }
#pragma unroll 2
            for (int kt = S::kept; kt < depth; kt++) {
                const uint32_t b[2] = {row[kt * 8], row[kt * 8 + 4]};
#pragma unroll
                for (int q = 0; q < 4; q++) {
                    const uint4 quad = reinterpret_cast<const uint4 *>(
                        kept)[((group * 4 + q) * memory::shared_depth + kt - S::kept) * 32 + lane];
                    const uint32_t a[4] = {quad.x, quad.y, quad.z, quad.w};
                    F::mma(z[q], a, b);
                }
            }
            float h[4];
            const uint32_t sample = sample0 + static_cast<uint32_t>(8 * n);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                h[j] = lstm_cell_forward(&z[0][j], &z[1][j], &z[2][j], &z[3][j], &c[n][j]);
                const uint32_t b = sample + static_cast<uint32_t>(j % 2);
                if (job.gates == nullptr || b >= job.batch) continue;
                const size_t at =
                    (static_cast<size_t>(s) * job.batch + b) * H + static_cast<size_t>(unit + j / 2 * 8);
                const float gates[4] = {z[0][j], z[1][j], z[2][j], z[3][j]};
                static_cast<format_quad<F> *>(job.gates)[at] = format_quad_of<F>(gates);
                job.c[at] = c[n][j];
            }
            resident_write_h<S>(job, h, next, s, place0 + 8 * n, sample, unit);
        }
        resident_barrier<S::cluster>();
    }
}

/* ---- backward ---- */

template <class S>
struct resident_backward_memory {
    typedef typename S::format F;
    static constexpr int depth = 4 * S::hidden / F::depth, shared_depth = depth - S::kept;
    static constexpr int weight_words = S::groups * shared_depth * 128;
    static constexpr int row_words = format_words<F>(4 * S::hidden) + 4;
    static constexpr size_t bytes = sizeof(uint32_t) * (weight_words + 2 * S::samples * row_words);
};

/* What one step of backward reads of what forward kept, for the thread's places. */
template <class F>
struct resident_kept {
    format_quad<F> gates[4];
    float c_before[4], above[4];
};

template <class S>
__device__ __forceinline__ void resident_read_kept(resident_kept<typename S::format> *out,
                                                   const lstm_backward_arguments &job, uint32_t s,
                                                   uint32_t sample, int unit) {
    typedef typename S::format F;
#pragma unroll
    for (int j = 0; j < 4; j++) {
        const uint32_t b = sample + static_cast<uint32_t>(j % 2);
        const size_t u = static_cast<size_t>(unit + j / 2 * 8),
                     layer = static_cast<size_t>(job.batch) * S::hidden;
        const size_t place = static_cast<size_t>(b) * S::hidden + u, at = s * layer + place;
        out->gates[j] = format_quad<F>{};
        out->c_before[j] = out->above[j] = 0.0f;
        if (b >= job.batch) continue;
        out->gates[j] = static_cast<const format_quad<F> *>(job.gates)[at];
        if (s > 0) out->c_before[j] = job.c[at - layer];
        if (job.above != nullptr) out->above[j] = job.above[at];
        if (job.last != nullptr && s + 1 == job.steps) out->above[j] += job.last[place];
    }
}

template <class S>
__global__ void __launch_bounds__(S::threads, 1) lstm_resident_backward(lstm_backward_arguments job) {
    typedef typename S::format F;
    typedef resident_backward_memory<S> memory;
    constexpr int H = S::hidden, words = format_words<F>(4 * H), depth = memory::depth;
    constexpr int quad_words = static_cast<int>(sizeof(format_quad<F>) / sizeof(uint32_t));
    if constexpr (S::cluster > 1 && !resident_has_clusters) return;
    uint32_t *kept = static_cast<uint32_t *>(csm_shared_memory()), *rows = kept + memory::weight_words;
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    const int g = lane / 4, t = lane % 4, group = warp % S::groups, split = warp / S::groups;
    const uint32_t rank = S::cluster > 1 ? csm_cluster_rank() : 0, tile = blockIdx.x / S::cluster;
    const int unit = static_cast<int>(rank) * S::units + group * 16 + g;
    const int place0 = split * 8 * S::tiles + 2 * t;
    const uint32_t sample0 = tile * S::samples + static_cast<uint32_t>(place0);

    uint32_t weight[S::kept][4];
#pragma unroll
    for (int kt = 0; kt < depth; kt++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const uint32_t word = static_cast<const uint32_t *>(
                job.weight)[(unit + i % 2 * 8) * words + kt * 8 + t + i / 2 * 4];
            if (kt < S::kept)
                weight[kt][i] = word;
            else if (split == 0)
                kept[(group * memory::shared_depth + kt - S::kept) * 128 + lane * 4 + i] = word;
        }
    }
    float dh[S::tiles][4] = {}, dc[S::tiles][4] = {}, c[S::tiles][4] = {};
    resident_kept<F> ahead[S::tiles];
#pragma unroll
    for (int n = 0; n < S::tiles; n++) {
        const uint32_t sample = sample0 + static_cast<uint32_t>(8 * n);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const uint32_t b = sample + static_cast<uint32_t>(j % 2);
            const size_t at = (static_cast<size_t>(job.steps - 1) * job.batch + b) * H +
                              static_cast<size_t>(unit + j / 2 * 8);
            if (b < job.batch) c[n][j] = job.c[at];
        }
        resident_read_kept<S>(&ahead[n], job, job.steps - 1, sample, unit);
    }
    resident_barrier<S::cluster>();

    for (uint32_t s = job.steps; s-- > 0;) {
        uint32_t *now = rows + (s % 2) * S::samples * memory::row_words;
#pragma unroll
        for (int n = 0; n < S::tiles; n++) {
#pragma unroll
            for (int j = 0; j < 4; j++) {
                float z[4];
                format_quad_values<F>(z, ahead[n].gates[j]);
                lstm_cell_backward(&z[0], &z[1], &z[2], &z[3], c[n][j], ahead[n].c_before[j],
                                   lstm_add(dh[n][j], ahead[n].above[j]), &dc[n][j]);
                c[n][j] = ahead[n].c_before[j];
                const uint32_t b = sample0 + static_cast<uint32_t>(8 * n + j % 2);
                const int u = unit + j / 2 * 8;
                const format_quad<F> dz = format_quad_of<F>(z);
                if (b < job.batch)
                    static_cast<format_quad<F> *>(
                        job.dz)[(static_cast<size_t>(s) * job.batch + b) * H + static_cast<size_t>(u)] = dz;
                format_quad<F> operand = dz;
                if constexpr (!F::half)
                    for (int q = 0; q < 4; q++) operand.word[q] = F::word(z[q]);
                format_quad<F> *mine = reinterpret_cast<format_quad<F> *>(
                    now + (place0 + 8 * n + j % 2) * memory::row_words + u * quad_words);
                if constexpr (S::cluster > 1) {
#pragma unroll
                    for (uint32_t other = 0; other < static_cast<uint32_t>(S::cluster); other++)
                        *csm_cluster_map(mine, other) = operand;
                } else {
                    *mine = operand;
                }
            }
            if (s > 0)
                resident_read_kept<S>(&ahead[n], job, s - 1, sample0 + static_cast<uint32_t>(8 * n), unit);
        }
        resident_barrier<S::cluster>();
        if (s == 0) break;
#pragma unroll
        for (int n = 0; n < S::tiles; n++) {
            float sum[4][4] = {}; /* four chains of instructions, added in order */
            const uint32_t *row = now + (split * 8 * S::tiles + 8 * n + g) * memory::row_words + t;
#pragma unroll
            for (int kt = 0; kt < S::kept; kt++) {
                const uint32_t b[2] = {row[kt * 8], row[kt * 8 + 4]};
                F::mma(sum[kt % 4], weight[kt], b);
            }
#pragma unroll 4
            for (int kt = S::kept; kt < depth; kt++) {
                const uint32_t b[2] = {row[kt * 8], row[kt * 8 + 4]};
                const uint4 quad = reinterpret_cast<const uint4 *>(
                    kept)[(group * memory::shared_depth + kt - S::kept) * 32 + lane];
                const uint32_t a[4] = {quad.x, quad.y, quad.z, quad.w};
                F::mma(sum[kt % 4], a, b);
            }
#pragma unroll
            for (int j = 0; j < 4; j++) dh[n][j] = (sum[0][j] + sum[1][j]) + (sum[2][j] + sum[3][j]);
        }
    }
}

#endif
