// SPDX-License-Identifier: MIT
#include "backend/cuda/host.h"

#include <cstring>

csm_status csm_cuda_fail(cudaError_t error, const char *what) {
    (void)cudaGetLastError();
    return csm_fail(error == cudaErrorMemoryAllocation ? CSM_ENOMEM : CSM_EDEVICE, "cuda: %s: %s (%s)", what,
                    cudaGetErrorName(error), cudaGetErrorString(error));
}

// Compute capabilities on which every kernel's output was compared with the CPU's; each has its row in
// docs/benchmarks.md.
static const struct { int major, minor; } verified_capabilities[] = {{0, 0}};

extern "C" int csm_backend_has_cuda(void) {
    return 1;
}

extern "C" csm_status csm_backend_device_count(uint32_t *out) {
    if (out == nullptr) return csm_fail(CSM_EINVAL, "backend: device count needs a place for its result");
    int count = 0;
    cudaError_t error = cudaGetDeviceCount(&count);
    *out = 0;
    if (error == cudaSuccess) {
        *out = static_cast<uint32_t>(count);
        return CSM_OK;
    }
    // No driver or no card is an ordinary machine, not a failure: zero devices, and the text says why.
    (void)csm_cuda_fail(error, "device count");
    return CSM_OK;
}

extern "C" csm_status csm_backend_device_info(csm_device_info *out, uint32_t device) {
    if (out == nullptr) return csm_fail(CSM_EINVAL, "backend: device info needs a place for its result");
    uint32_t count = 0;
    csm_status status = csm_backend_device_count(&count);
    if (status != CSM_OK) return status;
    if (device >= count)
        return csm_fail(CSM_ENOTFOUND, "backend: no device %u, this machine has %u", device, count);

    cudaDeviceProp properties;
    cudaError_t error = cudaGetDeviceProperties(&properties, static_cast<int>(device));
    if (error != cudaSuccess) return csm_cuda_fail(error, "device properties");
    // cudaMemGetInfo answers for the current device: choose this one and put the host's choice back.
    int chosen = 0;
    size_t available = 0, total = 0;
    error = cudaGetDevice(&chosen);
    if (error != cudaSuccess) return csm_cuda_fail(error, "current device");
    error = cudaSetDevice(static_cast<int>(device));
    if (error == cudaSuccess) error = cudaMemGetInfo(&available, &total);
    cudaError_t restored = cudaSetDevice(chosen);
    if (error == cudaSuccess) error = restored;
    if (error != cudaSuccess) return csm_cuda_fail(error, "free memory of the device");

    csm_device_info info = {};
    std::memcpy(info.name, properties.name, strnlen(properties.name, sizeof info.name - 1));
    info.memory_bytes = total;
    info.memory_free_bytes = available;
    info.compute_major = properties.major;
    info.compute_minor = properties.minor;
    info.multiprocessors = properties.multiProcessorCount;
    for (const auto &capability : verified_capabilities)
        if (capability.major == properties.major && capability.minor == properties.minor) info.verified = 1;
    *out = info;
    return CSM_OK;
}
