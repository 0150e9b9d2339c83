/* SPDX-License-Identifier: MIT */
#ifndef CSM_PIPELINE_INTERVAL_H
#define CSM_PIPELINE_INTERVAL_H

#include "pipeline/pipeline.h"

/* Radius of the return's interval for the next forecast: the training's, until live forecasts of the model have matured; from then on
 * adaptive conformal inference over the newest rows of its walk and those. */
csm_status csm_radius_in_force(double *radius, const csm_pipeline *pipeline, const csm_training *training,
                               size_t h, csm_time as_of);

#endif
