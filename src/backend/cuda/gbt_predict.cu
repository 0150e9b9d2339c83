// SPDX-License-Identifier: MIT
// Prediction: a thread walks a row through the trees of one output, in their order.
#include "backend/cuda/gbt_kernels.h"

#include <cstring>

namespace {

constexpr unsigned threads = 256;
constexpr float zero_limit = 1e-35F; // of gbt_node's MISSING_ZERO
enum { MISSING_LEFT = 1, MISSING_NAN = 2, MISSING_ZERO = 4, CATEGORICAL = 8 };

struct forest_device {
    const csm_gbt_cuda_node *nodes;
    const uint32_t *root, *category;
    const double *base;
    const float *x;
    double *out;
    size_t rows, features, outputs, trees;
};

// As gbt_goes_left of src/model/gbt/internal.h.
__device__ bool goes_left(const csm_gbt_cuda_node &node, const uint32_t *category, float x) {
    const bool is_nan = x != x;
    const bool missing = (node.flags & MISSING_ZERO) != 0 ? is_nan || (x >= -zero_limit && x <= zero_limit)
                                                          : (node.flags & MISSING_NAN) != 0 && is_nan;
    if (missing) return (node.flags & MISSING_LEFT) != 0;
    if ((node.flags & CATEGORICAL) == 0) return is_nan ? 0 <= node.threshold : x <= node.threshold;
    if (!(x > -1 && x < static_cast<float>(1 << 24))) return false;
    const uint32_t *set = category + node.set, number = static_cast<uint32_t>(static_cast<int32_t>(x));
    return number / 32 < set[0] && (set[1 + number / 32] >> number % 32 & 1U) != 0;
}

__global__ void __launch_bounds__(threads) walk(forest_device forest) {
    const size_t at = static_cast<size_t>(blockIdx.x) * threads + threadIdx.x;
    const size_t row = at / forest.outputs, output = at % forest.outputs;
    if (row >= forest.rows) return;
    const float *x = forest.x + row * forest.features;
    double sum = forest.base[output];
    for (size_t t = output; t < forest.trees; t += forest.outputs) {
        const csm_gbt_cuda_node *node = &forest.nodes[forest.root[t]];
        while (node->feature >= 0)
            node = &forest.nodes[node->left + (goes_left(*node, forest.category, x[node->feature]) ? 0 : 1)];
        sum += node->value;
    }
    forest.out[at] = sum;
}

csm_status check_forest(const csm_gbt_cuda_forest *forest) {
    if (forest->features == 0 || forest->outputs == 0 || forest->trees == 0 || forest->node_count == 0)
        return csm_fail(CSM_EINVAL, "gbt cuda: %zu trees of %zu nodes for %zu outputs from %zu features",
                        forest->trees, forest->node_count, forest->outputs, forest->features);
    for (size_t t = 0; t < forest->trees; t++)
        if (forest->root[t] >= forest->node_count)
            return csm_fail(CSM_EINVAL, "gbt cuda: root of tree %zu is node %u of %zu", t, forest->root[t],
                            forest->node_count);
    for (size_t n = 0; n < forest->node_count; n++) {
        const csm_gbt_cuda_node *node = &forest->nodes[n];
        if (node->feature < 0) continue;
        const bool categorical = (node->flags & CATEGORICAL) != 0;
        if (static_cast<size_t>(node->feature) >= forest->features || node->left <= n ||
            node->left + 1 >= forest->node_count ||
            (categorical && (node->set >= forest->category_count ||
                             forest->category[node->set] > forest->category_count - node->set - 1)))
            return csm_fail(CSM_EINVAL, "gbt cuda: node %zu of %zu has feature %d, child %u, set %u", n,
                            forest->node_count, static_cast<int>(node->feature), node->left, node->set);
    }
    return CSM_OK;
}

} // namespace

extern "C" csm_status csm_gbt_cuda_predict(double *out, const csm_gbt_cuda_forest *forest, const float *x,
                                           size_t rows) {
    const struct {
        const void *from;
        size_t bytes;
    } piece[6] = {{forest->nodes, forest->node_count * sizeof *forest->nodes},
                  {forest->root, forest->trees * sizeof *forest->root},
                  {forest->category, forest->category_count * sizeof *forest->category},
                  {forest->base, forest->outputs * sizeof *forest->base},
                  {x, rows * forest->features * sizeof *x},
                  {nullptr, rows * forest->outputs * sizeof *out}};
    size_t place[6], used = 0;
    int before = 0;
    void *memory = nullptr;
    cudaStream_t stream = nullptr;
    uint32_t count = 0;
    csm_status status = check_forest(forest);
    if (status != CSM_OK || rows == 0) return status;
    status = csm_backend_device_count(&count);
    if (status != CSM_OK) return status;
    if (forest->device >= count)
        return csm_fail(CSM_EDEVICE, "gbt cuda: no device %u, this machine has %u", forest->device, count);
    for (size_t i = 0; i < 6; i++) {
        place[i] = used;
        used += (piece[i].bytes + 255) / 256 * 256;
    }
    status = csm_cuda_status(cudaGetDevice(&before), "current device");
    if (status != CSM_OK) return status;
    CSM_CUDA_TRY(csm_cuda_status(cudaSetDevice(static_cast<int>(forest->device)), "choosing the device"));
    CSM_CUDA_TRY(csm_cuda_status(cudaMalloc(&memory, used), "device memory"));
    CSM_CUDA_TRY(csm_cuda_status(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream"));
    for (size_t i = 0; i < 5; i++)
        if (piece[i].bytes > 0)
            CSM_CUDA_TRY(
                csm_cuda_status(cudaMemcpyAsync(static_cast<char *>(memory) + place[i], piece[i].from,
                                                piece[i].bytes, cudaMemcpyHostToDevice, stream),
                                "copy to the device"));
    {
        char *at = static_cast<char *>(memory);
        const forest_device device = {reinterpret_cast<csm_gbt_cuda_node *>(at + place[0]),
                                      reinterpret_cast<uint32_t *>(at + place[1]),
                                      reinterpret_cast<uint32_t *>(at + place[2]),
                                      reinterpret_cast<double *>(at + place[3]),
                                      reinterpret_cast<float *>(at + place[4]),
                                      reinterpret_cast<double *>(at + place[5]),
                                      rows,
                                      forest->features,
                                      forest->outputs,
                                      forest->trees};
        const csm_launch launch = {dim3(csm_blocks(rows * forest->outputs, threads)), threads};
        CSM_CUDA_TRY(csm_cuda_launch("prediction", launch, stream, walk, device));
        CSM_CUDA_TRY(
            csm_cuda_status(cudaMemcpyAsync(out, device.out, piece[5].bytes, cudaMemcpyDeviceToHost, stream),
                            "copy from the device"));
    }
    CSM_CUDA_TRY(csm_cuda_status(cudaStreamSynchronize(stream), "the device's work"));
done:
    if (stream != nullptr) (void)cudaStreamDestroy(stream);
    (void)cudaFree(memory);
    (void)cudaSetDevice(before);
    return status;
}
