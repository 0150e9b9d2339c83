/* SPDX-License-Identifier: MIT */
#ifndef CSM_TESTS_CALIBRATE_GOLDEN_H
#define CSM_TESTS_CALIBRATE_GOLDEN_H

#include "core/golden.h"

static inline golden golden_read(const char *name, size_t columns) {
    return golden_read_from("calibrate", name, columns);
}

#endif
