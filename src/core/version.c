/* SPDX-License-Identifier: MIT */
#include <cryptosmart/core.h>

const char *csm_version(void) {
    return CSM_VERSION_TEXT;
}
