/* SPDX-License-Identifier: MIT */
/* The functions of cuda/device.cu in a build without CUDA. */
#include <cryptosmart/backend.h>

#include "core/internal.h"

int csm_backend_has_cuda(void) {
    return 0;
}

csm_status csm_backend_device_count(uint32_t *out) {
    if (out == NULL) return csm_fail(CSM_EINVAL, "backend: device count needs a place for its result");
    *out = 0;
    (void)csm_fail(CSM_OK, "backend: this library was built without CUDA");
    return CSM_OK;
}

csm_status csm_backend_device_info(csm_device_info *out, uint32_t device) {
    if (out == NULL) return csm_fail(CSM_EINVAL, "backend: device info needs a place for its result");
    return csm_fail(CSM_ENOTFOUND, "backend: no device %u, this library was built without CUDA", device);
}
