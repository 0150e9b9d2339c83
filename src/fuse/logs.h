/* SPDX-License-Identifier: MIT */
/* csm_log and csm_log1p over arrays: the same operations in the same order, so the same bits, without branches. */
#ifndef CSM_FUSE_LOGS_H
#define CSM_FUSE_LOGS_H

#include <stddef.h>

/* out may be x. What is not positive gives what csm_log gives. */
void csm_logs(double *out, const double *x, size_t n);
/* x >= 0 or NaN. */
void csm_log1ps(double *out, const double *x, size_t n);

#endif
