/* SPDX-License-Identifier: MIT */
#ifndef CSM_PIPELINE_WEIGHTS_H
#define CSM_PIPELINE_WEIGHTS_H

#include "pipeline/pipeline.h"

/* The training's weights of members, changed as the newest weights row of the ledger says that is about this model and horizon and
 * was decided by as_of. */
csm_status csm_weights_in_force(ensemble_weights *out, const csm_pipeline *pipeline,
                                const csm_training *training, size_t h, csm_time as_of);
/* Recomputes weights of members at each horizon, and of horizons, from the live rows of the model that matured, and writes those that
 * changed. */
csm_status csm_weights_update(csm_pipeline *pipeline, const csm_training *training, bool backfill);

#endif
