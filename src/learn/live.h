/* SPDX-License-Identifier: MIT */
#ifndef CSM_LEARN_LIVE_H
#define CSM_LEARN_LIVE_H

#include "core/internal.h"

#include <cryptosmart/learn.h>

/* Evidence of live rows with at least `threshold` at one horizon, whichever model made them, shadow ones left out; *matured: live rows of
 * any probability whose outcome is known. */
csm_status csm_live_evidence(csm_evidence *out, size_t *matured, const csm_store *store, csm_time horizon,
                             double threshold, csm_time as_of);
/* Further blocks until CERTIFIED, if all that is issued in them rises, with decisions every `step`; NaN: not within 512. */
csm_status csm_live_blocks_to_certify(double *blocks, const csm_store *store, csm_time horizon, csm_time step,
                                      double threshold);

#endif
