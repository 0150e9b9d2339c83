/* SPDX-License-Identifier: MIT */
#ifndef CSM_PIPELINE_DRIFT_H
#define CSM_PIPELINE_DRIFT_H

#include "pipeline/pipeline.h"

/* Looks for drift in matured losses of the model, horizon by horizon, and writes an alarm where there is a new one. */
csm_status csm_drift_of_losses(csm_pipeline *pipeline, const csm_training *training, bool backfill);

#endif
