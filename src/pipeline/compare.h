/* SPDX-License-Identifier: MIT */
/* Models against each other on what the ledger holds, and what follows from it. */
#ifndef CSM_PIPELINE_COMPARE_H
#define CSM_PIPELINE_COMPARE_H

#include "pipeline/pipeline.h"

/* As csm_pipeline_compare, by whole hashes; without `bands` gain.low and high are not made. */
csm_status csm_compare_models(csm_comparison *out, const csm_pipeline *pipeline, const char *model,
                              const char *other, csm_time horizon, bool bands);
/* CSM_ENODATA, with what is missing, unless the settings' demands on evidence are met. */
csm_status csm_promotion_evidence(const csm_pipeline *pipeline, const csm_comparison *comparison);

/* The hash that a shortened one means. */
csm_status csm_model_resolve(char *hash, const csm_pipeline *pipeline, const char *text);
/* The one in shadow that was champion, or else the last retired one that was. CSM_ENOTFOUND. */
csm_status csm_model_before(char *hash, const csm_pipeline *pipeline);
/* Champion's role to `hash`, the old champion's becomes `down`, and the decision stands in the ledger: all or nothing. */
csm_status csm_model_take_over(const csm_pipeline *pipeline, const char *hash, uint32_t decision,
                               const char *down, const char *text, bool backfill);

#endif
