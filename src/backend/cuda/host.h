/* SPDX-License-Identifier: MIT */
/* What a .cu file uses of the C side. core/internal.h is C11; C++ spells _Alignas otherwise and needs C linkage. */
#ifndef CSM_BACKEND_CUDA_HOST_H
#define CSM_BACKEND_CUDA_HOST_H

#include <cryptosmart/backend.h>
#include <cuda_runtime.h>

#define _Alignas(bytes) alignas(bytes)
extern "C" {
#include "core/internal.h"
}
#undef _Alignas

/* CSM_EDEVICE, or CSM_ENOMEM when the device is out of memory, with CUDA's own name and sentence. Clears the error, so
 * that the host's later calls do not meet it (law 9). */
csm_status csm_cuda_fail(cudaError_t error, const char *what);

#endif
