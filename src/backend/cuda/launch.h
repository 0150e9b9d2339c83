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

template <class... P, class... A>
csm_status csm_cuda_launch(const char *what, const csm_launch &launch, cudaStream_t stream,
                           void (*kernel)(P...), A... arguments) {
    cudaError_t error = cudaSuccess;
    cudaLaunchAttribute attribute = {};
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim.x = launch.cluster;
    attribute.val.clusterDim.y = 1;
    attribute.val.clusterDim.z = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = launch.grid;
    config.blockDim = dim3(launch.threads);
    config.dynamicSmemBytes = launch.shared;
    config.stream = stream;
    config.attrs = &attribute;
    config.numAttrs = launch.cluster > 1 ? 1 : 0;
    if (launch.shared > csm_shared_without_asking)
        error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     static_cast<int>(launch.shared));
    if (error == cudaSuccess && launch.cluster > csm_cluster_portable)
        error = cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1);
    if (error == cudaSuccess) error = cudaLaunchKernelEx(&config, kernel, static_cast<P>(arguments)...);
    return error == cudaSuccess ? CSM_OK : csm_cuda_fail(error, what);
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
