/* SPDX-License-Identifier: MIT */
#ifndef CSM_PIPELINE_REGISTER_H
#define CSM_PIPELINE_REGISTER_H

#include "pipeline/pipeline.h"

/* A training that was looked at is a trial too: one for each horizon and setting, however often it is repeated on newer data. */
csm_status csm_register_training(csm_pipeline *pipeline, const csm_training *training);

#endif
