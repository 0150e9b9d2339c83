/* SPDX-License-Identifier: MIT */
/* backend: what the machine can compute with. Kernels themselves are internal. */
#ifndef CRYPTOSMART_BACKEND_H
#define CRYPTOSMART_BACKEND_H

#include <cryptosmart/core.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum csm_isa { CSM_ISA_SCALAR = 0, CSM_ISA_AVX2 = 1, CSM_ISA_AVX512 = 2 } csm_isa;

/* Best instruction set of this processor that this build has kernels for. Results do not depend on it (law 6). */
CSM_API csm_isa csm_backend_isa(void);
CSM_API const char *csm_backend_isa_name(csm_isa isa);

typedef struct csm_device_info {
    char name[128];
    uint64_t memory_bytes;
    uint64_t memory_free_bytes;
    int32_t compute_major; /* CUDA compute capability */
    int32_t compute_minor;
    int32_t multiprocessors;
    int32_t verified; /* 1 when hardware parity of this capability is recorded in docs/benchmarks.md */
} csm_device_info;

/* Where something is computed. Never changed in silence: what the device cannot do is CSM_EDEVICE or CSM_ENOMEM. */
typedef enum csm_device { CSM_DEVICE_CPU = 0, CSM_DEVICE_CUDA = 1 } csm_device;

/* Of a CUDA LSTM's matrix operands; sums, cell state, gradients and parameters are float32. */
typedef enum csm_precision {
    CSM_PRECISION_FP32 = 0, /* no tensor cores */
    CSM_PRECISION_TF32 = 1, /* compute capability 8.0 */
    CSM_PRECISION_FP16 = 2,
    CSM_PRECISION_BF16 = 3 /* compute capability 8.0 */
} csm_precision;

/* 1 when built with CUDA. */
CSM_API int csm_backend_has_cuda(void);
/* Number of CUDA devices; 0 without CUDA or driver (text says which). Never fails the process. */
CSM_API csm_status csm_backend_device_count(uint32_t *out);
CSM_API csm_status csm_backend_device_info(csm_device_info *out, uint32_t device);

#ifdef __cplusplus
}
#endif
#endif
