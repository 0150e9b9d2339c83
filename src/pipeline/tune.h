/* SPDX-License-Identifier: MIT */
/* The search for parameters before a training: on data that lies before the walk's first test, every trial registered. */
#ifndef CSM_PIPELINE_TUNE_H
#define CSM_PIPELINE_TUNE_H

#include "pipeline/pipeline.h"

/* Replaces the members' parameters in `settings` by the best found for horizon `h`; *trials: how many were tried. Without
 * settings->tune.trials, and where the data before the first test is too short, they stay as configured. */
csm_status csm_tune_members(training_settings *settings, size_t *trials, csm_pipeline *pipeline,
                            const csm_recipe *recipe, const horizon_samples *samples, size_t h);
/* Removes the states of searches whose result has been saved with the champion. One that stays is a warning: a later search
 * of the same data would end at once with the same result. */
void csm_tune_forget(const csm_pipeline *pipeline);

#endif
