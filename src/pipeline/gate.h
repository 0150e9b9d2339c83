/* SPDX-License-Identifier: MIT */
#ifndef CSM_PIPELINE_GATE_H
#define CSM_PIPELINE_GATE_H

#include "pipeline/pipeline.h"

/* Evidence that the gate takes, from the champion's walk and from what was issued live. */
uint32_t csm_evidence_in_force(const csm_evidence *backtest, const csm_evidence *live);

#endif
