// SPDX-License-Identifier: MIT
// Which leaf is split, its partition and the search of its sides: cpu/gbt_search_simd.c's arithmetic, one block a feature.
#include "backend/cuda/device.cuh"
#include "backend/cuda/gbt_kernels.h"

namespace {

constexpr unsigned threads = 256, each = gbt_chunk_rows / threads;
constexpr double gain_noise = 1e-12; // as GAIN_NOISE there

// Products and sums that no compiler may fuse.
#ifdef __CUDA_ARCH__
__device__ __forceinline__ double times(double a, double b) {
    return __dmul_rn(a, b);
}
__device__ __forceinline__ double plus(double a, double b) {
    return __dadd_rn(a, b);
}
#else
inline double times(double a, double b) {
    return a * b;
}
inline double plus(double a, double b) {
    return a + b;
}
#endif

// ---- choice ----

// The best of a leaf's features: the highest gain, then the lowest feature.
__device__ void take_found(const gbt_device &gbt, uint32_t leaf, unsigned side) {
    const gbt_state &state = *gbt.state;
    gbt_leaf *own = &gbt.leaf[leaf];
    own->gain = 0;
    for (uint32_t j = 0; j < state.feature_count; j++) {
        const gbt_found found = gbt.found[side * gbt.features + j];
        if (!(found.gain > own->gain)) continue;
        own->gain = found.gain;
        own->feature = gbt.feature[j];
        own->bin = found.bin;
    }
}

// One thread: a tree has some dozens of leaves.
__global__ void choose(gbt_device gbt) {
    gbt_state *state = gbt.state;
    if (state->done != 0) return;
    take_found(gbt, state->target, 0);
    if (state->pair != 0) take_found(gbt, state->sibling, 1);
    uint32_t best = 0;
    for (uint32_t i = 1; i < state->leaf_count; i++)
        if (gbt.leaf[i].gain > gbt.leaf[best].gain) best = i;
    const gbt_leaf leaf = gbt.leaf[best];
    if (!(leaf.gain > 0) || state->leaf_count == state->leaves) {
        state->done = 1;
        return;
    }
    state->leaf = best;
    state->begin = leaf.begin;
    state->count = leaf.count;
    state->feature = leaf.feature;
    state->bin = leaf.bin;
}

// ---- partition, stable ----

__device__ __forceinline__ bool goes_left(const gbt_device &gbt, uint32_t row) {
    return gbt.code[row * gbt.stride + gbt.state->feature] <= gbt.state->bin;
}

// Sum of the values of threads before this one; *total of all. Shared memory for `threads` numbers.
template <class T>
__device__ T scan_before(T *shared, T mine, T *total) {
    shared[threadIdx.x] = mine;
    __syncthreads();
    for (unsigned step = 1; step < threads; step *= 2) {
        const T before = threadIdx.x >= step ? shared[threadIdx.x - step] : 0;
        __syncthreads();
        shared[threadIdx.x] += before;
        __syncthreads();
    }
    const T upto = shared[threadIdx.x];
    *total = shared[threads - 1];
    __syncthreads();
    return upto - mine;
}

__device__ __forceinline__ bool beyond(const gbt_state &state) {
    return state.done != 0 || blockIdx.x * gbt_chunk_rows >= state.count;
}

__global__ void __launch_bounds__(threads) count_lefts(gbt_device gbt) {
    const gbt_state &state = *gbt.state;
    if (beyond(state)) return;
    uint32_t mine = 0, total;
    for (unsigned k = 0; k < each; k++) {
        const uint32_t i = blockIdx.x * gbt_chunk_rows + threadIdx.x * each + k;
        if (i < state.count && goes_left(gbt, gbt.row[state.begin + i])) mine++;
    }
    (void)scan_before(static_cast<uint32_t *>(csm_shared_memory()), mine, &total);
    if (threadIdx.x == 0) gbt.chunk[blockIdx.x] = total;
}

// One block: lefts before each chunk; the two leaves that come of the split; which of them is summed.
__global__ void __launch_bounds__(threads) make_leaves(gbt_device gbt) {
    gbt_state *state = gbt.state;
    if (state->done != 0) return;
    const uint32_t chunks = (state->count + gbt_chunk_rows - 1) / gbt_chunk_rows,
                   part = (chunks + threads - 1) / threads;
    const uint32_t first = threadIdx.x * part < chunks ? threadIdx.x * part : chunks;
    const uint32_t end = first + part < chunks ? first + part : chunks;
    uint32_t mine = 0, lefts;
    for (uint32_t c = first; c < end; c++) mine += gbt.chunk[c];
    uint32_t before = scan_before(static_cast<uint32_t *>(csm_shared_memory()), mine, &lefts);
    for (uint32_t c = first; c < end; c++) {
        const uint32_t own = gbt.chunk[c];
        gbt.chunk[c] = before;
        before += own;
    }
    if (threadIdx.x > 0) return;
    const uint32_t rights = state->count - lefts, smaller = lefts < rights ? lefts : rights;
    if (state->counted == 0 && static_cast<double>(smaller) < state->limits.min_rows) {
        state->needs_counts = state->done = 1;
        return;
    }
    const gbt_leaf parent = gbt.leaf[state->leaf];
    const uint32_t added = state->leaf_count++;
    const bool left_is_smaller = lefts <= rights;
    gbt.split[state->splits++] = {state->leaf, parent.feature, parent.bin, lefts, parent.gain};
    gbt.leaf[state->leaf] = {
        parent.begin, lefts, parent.depth + 1, left_is_smaller ? added : parent.slot, 0, 0, 0};
    gbt.leaf[added] = {
        parent.begin + lefts, rights, parent.depth + 1, left_is_smaller ? parent.slot : added, 0, 0, 0};
    state->target = left_is_smaller ? state->leaf : added;
    state->sibling = left_is_smaller ? added : state->leaf;
    state->pair = 1;
}

__global__ void __launch_bounds__(threads) scatter(gbt_device gbt) {
    const gbt_state &state = *gbt.state;
    if (beyond(state)) return;
    const uint32_t lefts = gbt.split[state.splits - 1].lefts;
    uint32_t mine = 0, total, row[each];
    bool left[each];
    for (unsigned k = 0; k < each; k++) {
        const uint32_t i = blockIdx.x * gbt_chunk_rows + threadIdx.x * each + k;
        row[k] = i < state.count ? gbt.row[state.begin + i] : 0;
        left[k] = i < state.count && goes_left(gbt, row[k]);
        if (left[k]) mine++;
    }
    uint32_t before =
        gbt.chunk[blockIdx.x] + scan_before(static_cast<uint32_t *>(csm_shared_memory()), mine, &total);
    for (unsigned k = 0; k < each; k++) {
        const uint32_t i = blockIdx.x * gbt_chunk_rows + threadIdx.x * each + k;
        if (i >= state.count) break;
        gbt.spare[state.begin + (left[k] ? before : lefts + i - before)] = row[k];
        if (left[k]) before++;
    }
}

__global__ void __launch_bounds__(threads) copy_back(gbt_device gbt) {
    const gbt_state &state = *gbt.state;
    const size_t i = static_cast<size_t>(blockIdx.x) * threads + threadIdx.x;
    if (state.done == 0 && i < state.count) gbt.row[state.begin + i] = gbt.spare[state.begin + i];
}

// ---- search ----

struct side_sums {
    double gradient, hessian, count;
};

__device__ __forceinline__ side_sums sums_of(gbt_wide packed, const gbt_state &state, double rows) {
    const double hessian = static_cast<double>(packed & ((gbt_wide{1} << CSM_GBT_WIDE_SHIFT) - 1));
    const double gradient = static_cast<double>(static_cast<long long>(packed) >> CSM_GBT_WIDE_SHIFT);
    return {times(gradient, state.gradient_unit), times(hessian, state.hessian_unit), times(hessian, rows)};
}

// As GBT_BEST: half of the gain is the loss that a division takes away (Chen & Guestrin 2016, eq. 7).
__device__ double gain_of(const side_sums &left, const side_sums &whole, const csm_gbt_limits &limits) {
    const double l2 = limits.l2;
    const double gr = plus(whole.gradient, -left.gradient), hr = plus(whole.hessian, -left.hessian);
    const double nr = plus(whole.count, -left.count);
    const double parts =
        plus(times(left.gradient, left.gradient) / plus(left.hessian, l2), times(gr, gr) / plus(hr, l2));
    const double won = plus(parts, -(times(whole.gradient, whole.gradient) / plus(whole.hessian, l2)));
    const bool allowed = left.count >= limits.min_rows && nr >= limits.min_rows &&
                         left.hessian >= limits.min_hessian && hr >= limits.min_hessian &&
                         plus(left.hessian, l2) > 0 && plus(hr, l2) > 0 && won > limits.min_gain &&
                         won > times(gain_noise, parts);
    return allowed ? won : 0.0;
}

__device__ bool may_split(const gbt_leaf &leaf, const gbt_state &state) {
    return leaf.depth < state.depth && leaf.count >= 2 &&
           static_cast<double>(leaf.count) >= times(2, state.limits.min_rows);
}

// The first bin of the highest gain, in thread 0.
__device__ gbt_found best_of(double *gain, uint32_t *bin, double mine) {
    gain[threadIdx.x] = mine;
    bin[threadIdx.x] = threadIdx.x;
    __syncthreads();
    for (unsigned half = threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            const double other = gain[threadIdx.x + half], own = gain[threadIdx.x];
            const uint32_t other_bin = bin[threadIdx.x + half];
            if (other > own || (other == own && other_bin < bin[threadIdx.x])) {
                gain[threadIdx.x] = other;
                bin[threadIdx.x] = other_bin;
            }
        }
        __syncthreads();
    }
    return {gain[0], bin[0]};
}

// Block (feature, side): 0 the leaf that was summed, 1 its sibling, whose histogram is the parent's less that.
__global__ void __launch_bounds__(threads) search(gbt_device gbt) {
    gbt_wide *shared = static_cast<gbt_wide *>(csm_shared_memory());
    double *gain = reinterpret_cast<double *>(shared + threads);
    uint32_t *bin = reinterpret_cast<uint32_t *>(gain + threads);
    const gbt_state &state = *gbt.state;
    const unsigned side = blockIdx.y, slot = threadIdx.x;
    if (state.done != 0 || blockIdx.x >= state.feature_count || (side == 1 && state.pair == 0)) return;
    const uint32_t feature = gbt.feature[blockIdx.x], bins = gbt.bins[feature];
    const gbt_leaf target = gbt.leaf[state.target], leaf = side == 0 ? target : gbt.leaf[state.sibling];
    const size_t size = gbt.features * gbt.slots, at = static_cast<size_t>(feature) * gbt.slots + slot;
    gbt_wide packed = 0, all;
    if (slot < gbt.slots) packed = gbt.histogram[leaf.slot * size + at];
    if (side == 1 && slot < gbt.slots) {
        packed -= gbt.histogram[target.slot * size + at];
        gbt.histogram[leaf.slot * size + at] = packed;
    }
    const gbt_wide upto = packed + scan_before(shared, slot < bins ? packed : 0, &all);
    const double total = static_cast<double>(all & ((gbt_wide{1} << CSM_GBT_WIDE_SHIFT) - 1));
    const double rows = state.counted != 0 ? 1.0 : total > 0 ? static_cast<double>(leaf.count) / total : 0.0;
    const double mine = slot + 1 < bins && may_split(leaf, state)
                            ? gain_of(sums_of(upto, state, rows), sums_of(all, state, rows), state.limits)
                            : 0.0;
    const gbt_found found = best_of(gain, bin, mine);
    if (threadIdx.x == 0) gbt.found[side * gbt.features + blockIdx.x] = found;
}

csm_status queue_search(const gbt_device *gbt, cudaStream_t stream) {
    constexpr size_t bytes = threads * (sizeof(gbt_wide) + sizeof(double) + sizeof(uint32_t));
    const csm_launch launch = {dim3(static_cast<unsigned>(gbt->features), 2), threads, bytes};
    return csm_cuda_launch("search of splits", launch, stream, search, *gbt);
}

} // namespace

csm_status gbt_queue_root(const gbt_device *gbt, cudaStream_t stream) {
    const csm_status status = gbt_queue_sum(gbt, stream);
    return status == CSM_OK ? queue_search(gbt, stream) : status;
}

csm_status gbt_queue_split(const gbt_device *gbt, cudaStream_t stream) {
    constexpr size_t bytes = threads * sizeof(uint32_t);
    const csm_launch chunks = {dim3(csm_blocks(gbt->rows, gbt_chunk_rows)), threads, bytes};
    const csm_launch rows = {dim3(csm_blocks(gbt->rows, threads)), threads};
    csm_status status = csm_cuda_launch("choice of a leaf", {dim3(1), 1}, stream, choose, *gbt);
    if (status == CSM_OK) status = csm_cuda_launch("partition, counting", chunks, stream, count_lefts, *gbt);
    if (status == CSM_OK)
        status = csm_cuda_launch("partition, leaves", {dim3(1), threads, bytes}, stream, make_leaves, *gbt);
    if (status == CSM_OK) status = csm_cuda_launch("partition", chunks, stream, scatter, *gbt);
    if (status == CSM_OK) status = csm_cuda_launch("partition, back", rows, stream, copy_back, *gbt);
    return status == CSM_OK ? gbt_queue_root(gbt, stream) : status;
}
