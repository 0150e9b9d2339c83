/* SPDX-License-Identifier: MIT */
#ifndef CSM_PIPELINE_CHAMPION_H
#define CSM_PIPELINE_CHAMPION_H

#include "pipeline/pipeline.h"

/* Saves the training under models/ of the workspace and registers it as champion, in that order. Fills its hash. */
csm_status csm_champion_register(csm_training *training, csm_pipeline *pipeline);
/* The champion's as_of; CSM_TIME_MIN when nothing was trained. */
csm_status csm_champion_as_of(csm_time *out, const csm_pipeline *pipeline);

#endif
