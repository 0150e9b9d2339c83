/* SPDX-License-Identifier: MIT */
/*
 * Number formats of matrix operands, one struct each. Sums, the cell state and parameters are float32 in all of them.
 * `depth` is the k of a matrix instruction; it always spans eight 32-bit words of a row, so fragments are read the
 * same way in every format (device.cuh): word kt * 8 + t + 4 i of the row.
 */
#ifndef CSM_BACKEND_CUDA_FORMAT_CUH
#define CSM_BACKEND_CUDA_FORMAT_CUH

#include "backend/cuda/device.cuh"

struct format_fp32 {
    typedef float element;
    static constexpr int depth = 8; /* of the tiles; there is no instruction */
    static constexpr bool half = false, tensor = false;
    static __device__ __forceinline__ float value(float x) {
        return x;
    }
    static __device__ __forceinline__ float of(float x) {
        return x;
    }
    static __device__ __forceinline__ uint32_t word(float x) {
        return __float_as_uint(x);
    }
    static __device__ __forceinline__ uint32_t pair(float low, float) {
        return __float_as_uint(low);
    }
    static __device__ __forceinline__ void mma(float *, const uint32_t *, const uint32_t *) {}
};

struct format_tf32 : format_fp32 {
    static constexpr bool tensor = true;
    static __device__ __forceinline__ uint32_t word(float x) {
        return csm_round_tf32(x);
    }
    static __device__ __forceinline__ void mma(float d[4], const uint32_t a[4], const uint32_t b[2]) {
        csm_mma_tf32(d, a, b);
    }
};

struct format_fp16 {
    typedef uint16_t element;
    static constexpr int depth = 16;
    static constexpr bool half = true, tensor = true;
    static __device__ __forceinline__ float value(uint16_t x) {
        return csm_unpack_fp16(x);
    }
    static __device__ __forceinline__ uint16_t of(float x) {
        return static_cast<uint16_t>(csm_pack_fp16(x, 0.0f));
    }
    static __device__ __forceinline__ uint32_t pair(float low, float high) {
        return csm_pack_fp16(low, high);
    }
    static __device__ __forceinline__ void mma(float d[4], const uint32_t a[4], const uint32_t b[2]) {
        csm_mma_fp16(d, a, b);
    }
};

struct format_bf16 {
    typedef uint16_t element;
    static constexpr int depth = 16;
    static constexpr bool half = true, tensor = true;
    static __device__ __forceinline__ float value(uint16_t x) {
        return csm_unpack_bf16(x);
    }
    static __device__ __forceinline__ uint16_t of(float x) {
        return static_cast<uint16_t>(csm_pack_bf16(x, 0.0f));
    }
    static __device__ __forceinline__ uint32_t pair(float low, float high) {
        return csm_pack_bf16(low, high);
    }
    static __device__ __forceinline__ void mma(float d[4], const uint32_t a[4], const uint32_t b[2]) {
        csm_mma_bf16(d, a, b);
    }
};

/* 32-bit words of n elements. */
template <class F>
__host__ __device__ constexpr int format_words(int n) {
    return F::half ? n / 2 : n;
}

/* The four gates of one unit, in the order i, f, g, o: 8 bytes in half precision, 16 otherwise. */
template <class F>
struct alignas(F::half ? 8 : 16) format_quad {
    uint32_t word[F::half ? 2 : 4];
};
template <class F>
__device__ __forceinline__ format_quad<F> format_quad_of(const float v[4]) {
    format_quad<F> quad;
    if constexpr (F::half) {
        quad.word[0] = F::pair(v[0], v[1]);
        quad.word[1] = F::pair(v[2], v[3]);
    } else {
        for (int i = 0; i < 4; i++) quad.word[i] = __float_as_uint(v[i]);
    }
    return quad;
}
template <class F>
__device__ __forceinline__ void format_quad_values(float v[4], const format_quad<F> &quad) {
    for (int i = 0; i < 4; i++) {
        if constexpr (F::half)
            v[i] = F::value(static_cast<uint16_t>(quad.word[i / 2] >> 16 * (i % 2)));
        else
            v[i] = __uint_as_float(quad.word[i]);
    }
}

#endif
