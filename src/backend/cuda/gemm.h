/* SPDX-License-Identifier: MIT */
/* Products of matrices on the card, in every number format, deterministic: c (M, N) = a (M, K) b (N, K)^T + bias. */
#ifndef CSM_BACKEND_CUDA_GEMM_H
#define CSM_BACKEND_CUDA_GEMM_H

#include "backend/cuda/launch.h"
#include "backend/lstm_cuda.h"

/* One factor, (rows, K). `half`: elements are 16 bits of the product's format, else float. */
struct csm_gemm_factor {
    const void *data;
    size_t stride;          /* elements from one row to the next; of the transposed, from one k to the next */
    const uint32_t *gather; /* row r stands at gather[r]; NULL: at r. Not for transposed ones */
    bool half;
    bool transposed; /* stored as (K, rows) */
};

struct csm_gemm {
    csm_gemm_factor a, b;
    size_t m, n, k;
    float *c;          /* (M, N) */
    size_t c_stride;   /* elements */
    const float *bias; /* (N), or NULL */
    float *workspace;  /* csm_gemm_workspace floats; NULL: K is not split */
};

/* Floats that a product may use to split its K over blocks. The split depends on the sizes alone. */
constexpr size_t csm_gemm_blocks =
    256; /* fills a large card; a constant, so that results do not depend on the card */
constexpr size_t csm_gemm_tile = 128 * 64;
constexpr size_t csm_gemm_workspace = csm_gemm_blocks * csm_gemm_tile;
csm_status csm_gemm_run(const csm_gemm *gemm, csm_lstm_precision precision, cudaStream_t stream);

/* out[j] = sum over i of rows[i, j]; workspace: csm_column_workspace(columns) floats. */
size_t csm_column_workspace(size_t columns);
csm_status csm_column_sums(float *out, const void *rows, bool half, csm_lstm_precision precision,
                           size_t count, size_t columns, float *workspace, cudaStream_t stream);
/* out[j] = sum of partial[part, j] over the parts, in order. */
csm_status csm_add_parts(float *out, const float *partial, size_t parts, size_t columns, cudaStream_t stream);

#endif
