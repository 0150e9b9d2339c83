/* SPDX-License-Identifier: MIT */
#ifndef CSM_FUSE_AUDIT_H
#define CSM_FUSE_AUDIT_H

#include "fuse/frame.h"

/* Compares the row of each market at `time` in a frame rebuilt with nothing else, bit by bit; adds to `out`. */
void csm_audit_compare(csm_audit *out, const csm_frame *frame, const csm_frame *replay, csm_time time);
/* The frame at `time` from the same inputs in which whatever became known later is garbage. */
csm_status csm_audit_corrupted(csm_frame **out, csm_context *context, const csm_frame *frame,
                               const csm_track_source *sources, size_t count, const csm_values *fear_greed,
                               csm_time time);

#endif
