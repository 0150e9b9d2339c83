/* SPDX-License-Identifier: MIT */
/*
 * What kernels use of the card beyond plain C++, one function each: matrix instructions, half-precision formats, shuffles
 * and clusters. The tests' emulator has a plain twin of every one (tests/backend/emulator/
 * emulator_device.h), so kernels hold no assembly of their own.
 *
 * Fragments of the matrix instructions (PTX ISA, "Matrix Fragments for mma.m16n8k16" and "...m16n8k8"), with
 * g = lane / 4 and t = lane % 4:
 *   D, 16 x 8 float:  d[0], d[1] at row g, columns 2t and 2t+1; d[2], d[3] the same at row g+8
 *   A, 16 x 16 half:  a[0] row g, columns 2t, 2t+1; a[1] row g+8; a[2] row g, columns 2t+8, 2t+9; a[3] row g+8 of those
 *   B, 16 x 8 half:   b[0] rows 2t, 2t+1 of column g; b[1] rows 2t+8, 2t+9. Two values a word, the lower index low.
 *   A, 16 x 8 tf32:   a[0] (g, t), a[1] (g+8, t), a[2] (g, t+4), a[3] (g+8, t+4);   B, 8 x 8: b[0] (t, g), b[1] (t+4, g)
 */
#ifndef CSM_BACKEND_CUDA_DEVICE_CUH
#define CSM_BACKEND_CUDA_DEVICE_CUH

#include <cuda_runtime.h>
#include <cstdint>

#ifdef CSM_EMULATOR
#include <emulator_device.h>
#else

/* The block's dynamic shared memory, 128-byte aligned. */
__device__ __forceinline__ void *csm_shared_memory() {
    extern __shared__ __align__(128) unsigned char csm_shared_bytes[];
    return csm_shared_bytes;
}

/* ---- half precision: two values in a word, round to nearest even ---- */

__device__ __forceinline__ uint32_t csm_pack_fp16(float low, float high) {
    uint16_t l, h;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(l) : "f"(low));
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(high));
    return l | static_cast<uint32_t>(h) << 16;
}
__device__ __forceinline__ float csm_unpack_fp16(uint16_t half) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half));
    return value;
}
__device__ __forceinline__ uint32_t csm_pack_bf16(float low, float high) {
#if __CUDA_ARCH__ >= 800
    uint32_t word;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
    return word;
#else
    uint32_t l = __float_as_uint(low), h = __float_as_uint(high);
    l += 0x7FFFU + (l >> 16 & 1U);
    h += 0x7FFFU + (h >> 16 & 1U);
    return l >> 16 | (h & 0xFFFF0000U);
#endif
}
__device__ __forceinline__ float csm_unpack_bf16(uint16_t half) {
    return __uint_as_float(static_cast<uint32_t>(half) << 16);
}
/* The tf32 nearest to `value`, ties away from zero. */
__device__ __forceinline__ uint32_t csm_round_tf32(float value) {
#if __CUDA_ARCH__ >= 800
    uint32_t word;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(word) : "f"(value));
    return word;
#else
    return (__float_as_uint(value) + 0x1000U) & 0xFFFFE000U;
#endif
}

/* ---- matrix instructions: d += a b. bf16 and tf32 need compute capability 8.0; the launchers see to it ---- */

__device__ __forceinline__ void csm_mma_fp16(float d[4], const uint32_t a[4], const uint32_t b[2]) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                 "{%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    for (int half = 0; half < 2; half++)
        asm volatile(
            "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
            : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
            : "r"(a[2 * half]), "r"(a[2 * half + 1]), "r"(b[half]));
#endif
}
__device__ __forceinline__ void csm_mma_bf16(float d[4], const uint32_t a[4], const uint32_t b[2]) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                 "{%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    __trap();
#endif
}
__device__ __forceinline__ void csm_mma_tf32(float d[4], const uint32_t a[4], const uint32_t b[2]) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                 "{%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    __trap();
#endif
}

/* ---- within a warp; every lane calls ---- */

template <class T>
__device__ __forceinline__ T csm_shuffle_xor(T value, int lanes) {
    return __shfl_xor_sync(0xFFFFFFFFU, value, lanes);
}
__device__ __forceinline__ void csm_warp_sync() {
    __syncwarp();
}

/* ---- clusters (compute capability 9.0); a block without a cluster is a cluster of one ---- */

__device__ __forceinline__ uint32_t csm_cluster_rank() {
#if __CUDA_ARCH__ >= 900
    uint32_t rank;
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
#else
    return 0;
#endif
}
/* The same place in the shared memory of the block with this rank. */
template <class T>
__device__ __forceinline__ T *csm_cluster_map(T *mine, uint32_t rank) {
#if __CUDA_ARCH__ >= 900
    T *theirs;
    asm volatile("mapa.u64 %0, %1, %2;" : "=l"(theirs) : "l"(mine), "r"(rank));
    return theirs;
#else
    (void)rank;
    return mine;
#endif
}
/* Barrier of all threads of the cluster in two halves; what was written before the first is seen after the second. */
__device__ __forceinline__ void csm_cluster_arrive() {
#if __CUDA_ARCH__ >= 900
    asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
#endif
}
__device__ __forceinline__ void csm_cluster_wait() {
#if __CUDA_ARCH__ >= 900
    asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
#endif
}

#endif
#endif
