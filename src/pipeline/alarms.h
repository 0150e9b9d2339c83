/* SPDX-License-Identifier: MIT */
#ifndef CSM_PIPELINE_ALARMS_H
#define CSM_PIPELINE_ALARMS_H

#include "pipeline/pipeline.h"

/* Drift alarms that stand against a model at a horizon: written about it, at this horizon or about all, and not about one before. */
csm_status csm_alarms_standing(size_t *out, const csm_store *store, const char *model, csm_time horizon);

#endif
