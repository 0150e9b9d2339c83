/* SPDX-License-Identifier: MIT */
#ifndef CSM_PIPELINE_ALARMS_H
#define CSM_PIPELINE_ALARMS_H

#include "pipeline/pipeline.h"

/* Drift alarms against a model seen by as_of: at a horizon, 0 for those of features, which are about all. */
csm_status csm_alarms_at(size_t *out, const csm_store *store, const char *model, csm_time horizon,
                         csm_time as_of);
/* Those that stand against it at a horizon: its own and those about all. */
csm_status csm_alarms_standing(size_t *out, const csm_store *store, const char *model, csm_time horizon,
                               csm_time as_of);
/* Writes an alarm against a model into the ledger. */
csm_status csm_alarm_raise(csm_pipeline *pipeline, const char *model, csm_time horizon, const char *text,
                           bool backfill);

#endif
