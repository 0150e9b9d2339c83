/* SPDX-License-Identifier: MIT */
/* Starting kernels. There is no <<<>>> in these files: a launch is a function call whose error is looked at, with or
 * without a cluster, and the tests' emulator takes the same call. */
#ifndef CSM_BACKEND_CUDA_LAUNCH_H
#define CSM_BACKEND_CUDA_LAUNCH_H

#include "backend/cuda/host.h"

struct csm_launch {
    dim3 grid;
    unsigned threads;
    size_t shared = 0;    /* bytes of dynamic shared memory */
    unsigned cluster = 1; /* blocks of a cluster, along x */
};

constexpr size_t csm_shared_without_asking = 48 * 1024; /* CUDA C++ Programming Guide, "Shared Memory" */
constexpr unsigned csm_cluster_portable = 8;

/* `attribute` holds the cluster's size as long as the configuration is used. */
inline cudaLaunchConfig_t csm_launch_config(const csm_launch &launch, cudaStream_t stream,
                                            cudaLaunchAttribute *attribute) {
    cudaLaunchConfig_t config = {};
    attribute->id = cudaLaunchAttributeClusterDimension;
    attribute->val.clusterDim.x = launch.cluster;
    attribute->val.clusterDim.y = 1;
    attribute->val.clusterDim.z = 1;
    config.gridDim = launch.grid;
    config.blockDim = dim3(launch.threads);
    config.dynamicSmemBytes = launch.shared;
    config.stream = stream;
    config.attrs = attribute;
    config.numAttrs = launch.cluster > 1 ? 1 : 0;
    return config;
}

/* Much shared memory and clusters beyond the portable size must be asked for. */
template <class... P>
cudaError_t csm_launch_allow(const csm_launch &launch, void (*kernel)(P...)) {
    cudaError_t error = cudaSuccess;
    if (launch.shared > csm_shared_without_asking)
        error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     static_cast<int>(launch.shared));
    if (error == cudaSuccess && launch.cluster > csm_cluster_portable)
        error = cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1);
    return error;
}

template <class... P, class... A>
csm_status csm_cuda_launch(const char *what, const csm_launch &launch, cudaStream_t stream,
                           void (*kernel)(P...), A... arguments) {
    cudaLaunchAttribute attribute = {};
    const cudaLaunchConfig_t config = csm_launch_config(launch, stream, &attribute);
    cudaError_t error = csm_launch_allow(launch, kernel);
    if (error == cudaSuccess) error = cudaLaunchKernelEx(&config, kernel, static_cast<P>(arguments)...);
    return error == cudaSuccess ? CSM_OK : csm_cuda_fail(error, what);
}

/* Whether the current device has room for at least one such cluster at a time: a large one may not fit its groups of
 * multiprocessors. */
template <class... P>
bool csm_cuda_holds_cluster(const csm_launch &launch, void (*kernel)(P...)) {
    int clusters = 0;
    cudaLaunchAttribute attribute = {};
    const cudaLaunchConfig_t config = csm_launch_config(launch, nullptr, &attribute);
    cudaError_t error = csm_launch_allow(launch, kernel);
    if (error == cudaSuccess) error = cudaOccupancyMaxActiveClusters(&clusters, kernel, &config);
    if (error != cudaSuccess) (void)cudaGetLastError();
    return error == cudaSuccess && clusters > 0;
}

/* The first that is not CSM_OK ends a sequence: CSM_CUDA_TRY(launch(...)); needs `csm_status status` and `done`. */
#define CSM_CUDA_TRY(call)                                                                                   \
    do {                                                                                                     \
        status = (call);                                                                                     \
        if (status != CSM_OK) goto done;                                                                     \
    } while (0)

inline csm_status csm_cuda_status(cudaError_t error, const char *what) {
    return error == cudaSuccess ? CSM_OK : csm_cuda_fail(error, what);
}

inline unsigned csm_blocks(size_t work, size_t each) {
    return static_cast<unsigned>((work + each - 1) / each);
}

#endif
