// SPDX-License-Identifier: MIT
// Histograms: lane = feature, buckets laid out (slot, 32 features), so that a warp's 32 additions meet neither in an address nor in
// a bank. Narrow buckets of 32 bits take a tile of rows, as on the CPU, and are added to 64-bit ones before they could overflow.
#include "backend/cuda/device.cuh"
#include "backend/cuda/gbt_kernels.h"

namespace {

constexpr unsigned threads = 256, warps = threads / 32, group = 32;
constexpr unsigned blocks_most = 264; // two a multiprocessor of a large card

__device__ __forceinline__ gbt_wide widen(uint32_t narrow, uint32_t shift) {
    const long long gradient = static_cast<int32_t>(narrow) >> shift;
    return (static_cast<gbt_wide>(gradient) << CSM_GBT_WIDE_SHIFT) + (narrow & ((1U << shift) - 1U));
}

__global__ void __launch_bounds__(threads) clear_histogram(gbt_device gbt) {
    const size_t size = gbt.features * gbt.slots,
                 at = static_cast<size_t>(blockIdx.x) * threads + threadIdx.x;
    if (gbt.state->done == 0 && at < size) gbt.histogram[gbt.leaf[gbt.state->target].slot * size + at] = 0;
}

// WIDE: 64-bit buckets in shared memory too, else every tile is added to memory.
template <bool WIDE>
__global__ void __launch_bounds__(threads) sum_rows(gbt_device gbt) {
    uint32_t *narrow = static_cast<uint32_t *>(csm_shared_memory());
    gbt_wide *wide = reinterpret_cast<gbt_wide *>(narrow + gbt.slots * group);
    const gbt_state &state = *gbt.state;
    const gbt_leaf leaf = gbt.leaf[state.target];
    const unsigned tiles = (leaf.count + CSM_GBT_TILE_ROWS - 1) / CSM_GBT_TILE_ROWS;
    if (state.done != 0 || blockIdx.x >= tiles || blockIdx.y * group >= state.feature_count) return;
    const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32, mine = blockIdx.y * group + lane;
    const bool inside = mine < state.feature_count;
    const uint32_t feature = inside ? gbt.feature[mine] : 0, shift = state.narrow_shift;
    for (unsigned cell = threadIdx.x; cell < gbt.slots * group; cell += threads) {
        narrow[cell] = 0;
        if constexpr (WIDE) wide[cell] = 0;
    }
    __syncthreads();
    gbt_wide *out = gbt.histogram + leaf.slot * gbt.features * gbt.slots;
    for (unsigned tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        const unsigned first = tile * CSM_GBT_TILE_ROWS;
        const unsigned end = first + CSM_GBT_TILE_ROWS < leaf.count ? first + CSM_GBT_TILE_ROWS : leaf.count;
        for (unsigned i = first + warp; i < end; i += warps) {
            const size_t row = gbt.row[leaf.begin + i];
            if (inside)
                atomicAdd(&narrow[gbt.code[row * gbt.stride + feature] * group + lane], gbt.quantum[row]);
        }
        __syncthreads();
        const bool last = WIDE && tile + gridDim.x >= tiles;
        for (unsigned cell = threadIdx.x; cell < gbt.slots * group; cell += threads) {
            gbt_wide sum = widen(narrow[cell], shift);
            narrow[cell] = 0;
            if constexpr (WIDE) sum += wide[cell];
            if constexpr (WIDE) wide[cell] = sum;
            const unsigned column = blockIdx.y * group + cell % group;
            if ((last || !WIDE) && sum != 0 && column < state.feature_count)
                atomicAdd(&out[static_cast<size_t>(gbt.feature[column]) * gbt.slots + cell / group], sum);
        }
        __syncthreads();
    }
}

} // namespace

csm_status gbt_queue_sum(const gbt_device *gbt, cudaStream_t stream) {
    const unsigned groups = csm_blocks(gbt->features, group),
                   tiles = csm_blocks(gbt->rows, CSM_GBT_TILE_ROWS);
    const size_t narrow = gbt->slots * group * sizeof(uint32_t),
                 wide = narrow + gbt->slots * group * sizeof(gbt_wide);
    const dim3 grid(tiles < blocks_most ? tiles : blocks_most, groups);
    csm_status status = csm_cuda_launch("histogram, clearing",
                                        {dim3(csm_blocks(gbt->features * gbt->slots, threads)), threads},
                                        stream, clear_histogram, *gbt);
    if (status != CSM_OK) return status;
    if (wide <= gbt->block_shared)
        return csm_cuda_launch("histogram", {grid, threads, wide}, stream, sum_rows<true>, *gbt);
    return csm_cuda_launch("histogram", {grid, threads, narrow}, stream, sum_rows<false>, *gbt);
}
