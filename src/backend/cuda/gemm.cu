// SPDX-License-Identifier: MIT
// Tiles of 128 x 64: eight warps of 32 x 32 with matrix instructions, or 256 threads of 8 x 4 in plain float32. The next
// tile is read from memory while this one is multiplied. A long K is cut into parts whose sums are added in order.
#include "backend/cuda/gemm.h"
#include "backend/cuda/format.cuh"

namespace {

constexpr int tile_m = 128, tile_n = 64, threads = 256;
static_assert(tile_m * tile_n == csm_gemm_tile, "the workspace is reckoned in tiles");
constexpr int row_words = 16 + 4; // a row of a tile: two instructions deep, padded against bank conflicts
constexpr int plain_m = tile_m + 4, plain_n = tile_n + 4; // float32 tiles are (k, row)
constexpr size_t part_least = 256; // of K: shorter parts cost more in sums than they gain
constexpr int column_parts = 64;

struct gemm_arguments {
    csm_gemm_factor a, b;
    size_t m, n, k, part; // part: of K, a block's share
    float *c;
    size_t c_stride, c_part; // c_part: from one part's sums to the next's
    const float *bias;
};

// Eight elements of a factor along its contiguous side, zeros outside: of row `row` from `k` on, or, transposed, of rows
// row..row+7 at k.
template <class F>
__device__ __forceinline__ void read_eight(float out[8], const csm_gemm_factor &factor, size_t row,
                                           size_t rows, size_t k, size_t k_end) {
    const size_t inner = factor.transposed ? row : k, inner_end = factor.transposed ? rows : k_end;
    const bool outer_inside = factor.transposed ? k < k_end : row < rows;
    for (int i = 0; i < 8; i++) out[i] = 0.0f;
    if (!outer_inside) return;
    const size_t outer = factor.transposed ? k : factor.gather != nullptr ? factor.gather[row] : row;
    const size_t at = outer * factor.stride + inner;
    const bool whole = inner + 8 <= inner_end && at % 8 == 0;
    if (factor.half) {
        const uint16_t *from = static_cast<const uint16_t *>(factor.data) + at;
        if constexpr (F::half) {
            if (whole) {
                const uint4 words = *reinterpret_cast<const uint4 *>(from);
                const uint32_t word[4] = {words.x, words.y, words.z, words.w};
                for (int i = 0; i < 8; i++)
                    out[i] = F::value(static_cast<uint16_t>(word[i / 2] >> 16 * (i % 2)));
            } else {
                for (int i = 0; i < 8; i++)
                    if (inner + static_cast<size_t>(i) < inner_end) out[i] = F::value(from[i]);
            }
        }
    } else {
        const float *from = static_cast<const float *>(factor.data) + at;
        if (whole) {
            const float4 low = *reinterpret_cast<const float4 *>(from);
            const float4 high = *reinterpret_cast<const float4 *>(from + 4);
            out[0] = low.x, out[1] = low.y, out[2] = low.z, out[3] = low.w;
            out[4] = high.x, out[5] = high.y, out[6] = high.z, out[7] = high.w;
        } else {
            for (int i = 0; i < 8; i++)
                if (inner + static_cast<size_t>(i) < inner_end) out[i] = from[i];
        }
    }
}

// A thread's share of one tile of one factor: chunks of eight, on their way through registers to shared memory.
template <class F, int ROWS>
struct tile_share {
    static constexpr int depth = 2 * F::depth, total = ROWS * depth / 8,
                         chunks = (total + threads - 1) / threads;
    float value[chunks][8] = {};

    __device__ __forceinline__ void place(int chunk, bool transposed, int *row, int *k) const {
        const int index = chunk * threads + static_cast<int>(threadIdx.x);
        *row = transposed ? index % (ROWS / 8) * 8 : index / (depth / 8);
        *k = transposed ? index / (ROWS / 8) : index % (depth / 8) * 8;
    }
    __device__ __forceinline__ void read(const csm_gemm_factor &factor, size_t row0, size_t rows, size_t k0,
                                         size_t k_end) {
#pragma unroll
        for (int chunk = 0; chunk < chunks; chunk++) {
            int row, k;
            place(chunk, factor.transposed, &row, &k);
            if (chunk * threads + static_cast<int>(threadIdx.x) < total)
                read_eight<F>(value[chunk], factor, row0 + static_cast<size_t>(row), rows,
                              k0 + static_cast<size_t>(k), k_end);
        }
    }
    // Matrix instructions want (row, k) in words of the format, plain float32 (k, row).
    __device__ __forceinline__ void write(uint32_t *tile, bool transposed) const {
#pragma unroll
        for (int chunk = 0; chunk < chunks; chunk++) {
            int row, k;
            place(chunk, transposed, &row, &k);
            if (chunk * threads + static_cast<int>(threadIdx.x) >= total) continue;
#pragma unroll
            for (int i = 0; i < 8; i++) {
                const int r = transposed ? row + i : row, d = transposed ? k : k + i;
                if constexpr (!F::tensor)
                    reinterpret_cast<float *>(tile)[d * (ROWS + 4) + r] = value[chunk][i];
                else if constexpr (!F::half)
                    tile[r * row_words + d] = F::word(value[chunk][i]);
                else
                    reinterpret_cast<uint16_t *>(tile)[r * row_words * 2 + d] = F::of(value[chunk][i]);
            }
        }
    }
};

template <class F>
struct tile_bytes {
    static constexpr int a = F::tensor ? tile_m * row_words : 2 * F::depth * plain_m;
    static constexpr int b = F::tensor ? tile_n * row_words : 2 * F::depth * plain_n;
    static constexpr size_t all = static_cast<size_t>(a + b) * sizeof(uint32_t);
};

__device__ __forceinline__ void write_sum(const gemm_arguments &gemm, size_t row, size_t column, float sum) {
    if (row >= gemm.m || column >= gemm.n) return;
    if (gemm.bias != nullptr) sum += gemm.bias[column];
    gemm.c[blockIdx.z * gemm.c_part + row * gemm.c_stride + column] = sum;
}

template <class F>
__global__ void __launch_bounds__(threads, 2) gemm_tensor(gemm_arguments gemm) {
    uint32_t *tile_a = static_cast<uint32_t *>(csm_shared_memory()), *tile_b = tile_a + tile_bytes<F>::a;
    const size_t row0 = static_cast<size_t>(blockIdx.x) * tile_m,
                 column0 = static_cast<size_t>(blockIdx.y) * tile_n;
    const size_t k_begin = blockIdx.z * gemm.part;
    const size_t k_end = k_begin + gemm.part < gemm.k ? k_begin + gemm.part : gemm.k;
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    const int g = lane / 4, t = lane % 4, warp_m = warp / 2 * 32, warp_n = warp % 2 * 32;
    float sum[2][4][4] = {};
    tile_share<F, tile_m> share_a;
    tile_share<F, tile_n> share_b;
    share_a.read(gemm.a, row0, gemm.m, k_begin, k_end);
    share_b.read(gemm.b, column0, gemm.n, k_begin, k_end);
    for (size_t k = k_begin; k < k_end; k += 2 * F::depth) {
        share_a.write(tile_a, gemm.a.transposed);
        share_b.write(tile_b, gemm.b.transposed);
        __syncthreads();
        if (k + 2 * F::depth < k_end) {
            share_a.read(gemm.a, row0, gemm.m, k + 2 * F::depth, k_end);
            share_b.read(gemm.b, column0, gemm.n, k + 2 * F::depth, k_end);
        }
#pragma unroll
        for (int kt = 0; kt < 2; kt++) {
            uint32_t a[2][4], b[4][2];
#pragma unroll
            for (int i = 0; i < 2; i++)
#pragma unroll
                for (int j = 0; j < 4; j++)
                    a[i][j] = tile_a[(warp_m + 16 * i + g + j % 2 * 8) * row_words + kt * 8 + t + j / 2 * 4];
#pragma unroll
            for (int i = 0; i < 4; i++)
#pragma unroll
                for (int j = 0; j < 2; j++)
                    b[i][j] = tile_b[(warp_n + 8 * i + g) * row_words + kt * 8 + t + j * 4];
#pragma unroll
            for (int i = 0; i < 2; i++)
#pragma unroll
                for (int j = 0; j < 4; j++) F::mma(sum[i][j], a[i], b[j]);
        }
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < 2; i++)
#pragma unroll
        for (int j = 0; j < 4; j++)
#pragma unroll
            for (int e = 0; e < 4; e++)
                write_sum(gemm, row0 + static_cast<size_t>(warp_m + 16 * i + g + e / 2 * 8),
                          column0 + static_cast<size_t>(warp_n + 8 * j + 2 * t + e % 2), sum[i][j][e]);
}

// Each sum takes its terms in the order of k, one fused multiply-add a term.
__global__ void __launch_bounds__(threads, 2) gemm_plain(gemm_arguments gemm) {
    typedef format_fp32 F;
    float *tile_a = static_cast<float *>(csm_shared_memory()), *tile_b = tile_a + tile_bytes<F>::a;
    const size_t row0 = static_cast<size_t>(blockIdx.x) * tile_m,
                 column0 = static_cast<size_t>(blockIdx.y) * tile_n;
    const size_t k_begin = blockIdx.z * gemm.part;
    const size_t k_end = k_begin + gemm.part < gemm.k ? k_begin + gemm.part : gemm.k;
    const int mine_m = static_cast<int>(threadIdx.x) / 16 * 8,
              mine_n = static_cast<int>(threadIdx.x) % 16 * 4;
    float sum[8][4] = {};
    tile_share<F, tile_m> share_a;
    tile_share<F, tile_n> share_b;
    share_a.read(gemm.a, row0, gemm.m, k_begin, k_end);
    share_b.read(gemm.b, column0, gemm.n, k_begin, k_end);
    for (size_t k = k_begin; k < k_end; k += 2 * F::depth) {
        share_a.write(reinterpret_cast<uint32_t *>(tile_a), gemm.a.transposed);
        share_b.write(reinterpret_cast<uint32_t *>(tile_b), gemm.b.transposed);
        __syncthreads();
        if (k + 2 * F::depth < k_end) {
            share_a.read(gemm.a, row0, gemm.m, k + 2 * F::depth, k_end);
            share_b.read(gemm.b, column0, gemm.n, k + 2 * F::depth, k_end);
        }
        const int deep = k_end - k < 2 * F::depth ? static_cast<int>(k_end - k) : 2 * F::depth;
        for (int d = 0; d < deep; d++) {
            float a[8], b[4];
#pragma unroll
            for (int i = 0; i < 8; i++) a[i] = tile_a[d * plain_m + mine_m + i];
#pragma unroll
            for (int i = 0; i < 4; i++) b[i] = tile_b[d * plain_n + mine_n + i];
#pragma unroll
            for (int i = 0; i < 8; i++)
#pragma unroll
                for (int j = 0; j < 4; j++) sum[i][j] = fmaf(a[i], b[j], sum[i][j]);
        }
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < 8; i++)
#pragma unroll
        for (int j = 0; j < 4; j++)
            write_sum(gemm, row0 + static_cast<size_t>(mine_m + i), column0 + static_cast<size_t>(mine_n + j),
                      sum[i][j]);
}

// c = bias + the parts' sums, in order.
__global__ void __launch_bounds__(threads)
    gemm_add_parts(float *c, size_t c_stride, const float *partial, size_t parts, size_t m, size_t n,
                   const float *bias) {
    const size_t at = static_cast<size_t>(blockIdx.x) * threads + threadIdx.x;
    if (at >= m * n) return;
    float sum = partial[at];
    for (size_t part = 1; part < parts; part++) sum += partial[part * m * n + at];
    if (bias != nullptr) sum += bias[at % n];
    c[at / n * c_stride + at % n] = sum;
}

size_t parts_of(size_t m, size_t n, size_t k) {
    const size_t blocks = (m + tile_m - 1) / tile_m * ((n + tile_n - 1) / tile_n);
    size_t parts = csm_gemm_blocks / blocks, most = k / part_least;
    if (parts > most) parts = most;
    return parts > 1 ? parts : 1;
}

// ---- column sums ----

template <class E, class F>
__global__ void __launch_bounds__(threads)
    column_partial(float *partial, const E *rows, size_t count, size_t columns) {
    const size_t column = static_cast<size_t>(blockIdx.x) * threads + threadIdx.x, part = blockIdx.y;
    if (column >= columns) return;
    const size_t begin = count * part / column_parts, end = count * (part + 1) / column_parts;
    float sum = 0;
    for (size_t row = begin; row < end; row++) {
        if constexpr (sizeof(E) == sizeof(uint16_t))
            sum += F::value(rows[row * columns + column]);
        else
            sum += rows[row * columns + column];
    }
    partial[part * columns + column] = sum;
}

template <class E, class F>
csm_status column_launch(float *workspace, const void *rows, size_t count, size_t columns,
                         cudaStream_t stream) {
    const csm_launch launch = {dim3(csm_blocks(columns, threads), column_parts), threads};
    return csm_cuda_launch("column sums", launch, stream, column_partial<E, F>, workspace,
                           static_cast<const E *>(rows), count, columns);
}

template <class F>
csm_status tensor_launch(const gemm_arguments &gemm, dim3 grid, cudaStream_t stream) {
    return csm_cuda_launch("matrix product", {grid, threads, tile_bytes<F>::all}, stream, gemm_tensor<F>,
                           gemm);
}

} // namespace

csm_status csm_gemm_run(const csm_gemm *gemm, csm_lstm_precision precision, cudaStream_t stream) {
    const size_t parts = gemm->workspace != nullptr ? parts_of(gemm->m, gemm->n, gemm->k) : 1;
    const size_t step = 32, part = ((gemm->k + parts - 1) / parts + step - 1) / step * step;
    gemm_arguments arguments = {gemm->a, gemm->b, gemm->m,        gemm->n, gemm->k,
                                part,    gemm->c, gemm->c_stride, 0,       gemm->bias};
    if (parts > 1) {
        arguments.c = gemm->workspace;
        arguments.c_stride = gemm->n;
        arguments.c_part = gemm->m * gemm->n;
        arguments.bias = nullptr;
    }
    const dim3 grid(csm_blocks(gemm->m, tile_m), csm_blocks(gemm->n, tile_n), static_cast<unsigned>(parts));
    csm_status status = CSM_OK;
    switch (precision) {
    case CSM_LSTM_FP32:
        status = csm_cuda_launch("matrix product", {grid, threads, tile_bytes<format_fp32>::all}, stream,
                                 gemm_plain, arguments);
        break;
    case CSM_LSTM_TF32:
        status = tensor_launch<format_tf32>(arguments, grid, stream);
        break;
    case CSM_LSTM_FP16:
        status = tensor_launch<format_fp16>(arguments, grid, stream);
        break;
    case CSM_LSTM_BF16:
        status = tensor_launch<format_bf16>(arguments, grid, stream);
        break;
    }
    if (status != CSM_OK || parts == 1) return status;
    const csm_launch launch = {dim3(csm_blocks(gemm->m * gemm->n, threads)), threads};
    return csm_cuda_launch("matrix product, parts", launch, stream, gemm_add_parts, gemm->c, gemm->c_stride,
                           static_cast<const float *>(gemm->workspace), parts, gemm->m, gemm->n, gemm->bias);
}

size_t csm_column_workspace(size_t columns) {
    return column_parts * columns;
}

csm_status csm_column_sums(float *out, const void *rows, bool half, csm_lstm_precision precision,
                           size_t count, size_t columns, float *workspace, cudaStream_t stream) {
    csm_status status = !half ? column_launch<float, format_fp32>(workspace, rows, count, columns, stream)
                        : precision == CSM_LSTM_FP16
                            ? column_launch<uint16_t, format_fp16>(workspace, rows, count, columns, stream)
                            : column_launch<uint16_t, format_bf16>(workspace, rows, count, columns, stream);
    return status == CSM_OK ? csm_add_parts(out, workspace, column_parts, columns, stream) : status;
}

csm_status csm_add_parts(float *out, const float *partial, size_t parts, size_t columns,
                         cudaStream_t stream) {
    const csm_launch launch = {dim3(csm_blocks(columns, threads)), threads};
    return csm_cuda_launch("sums of parts", launch, stream, gemm_add_parts, out, columns, partial, parts,
                           static_cast<size_t>(1), columns, static_cast<const float *>(nullptr));
}
