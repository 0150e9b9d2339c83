/* SPDX-License-Identifier: MIT */
/* csm_horizon_training as a row of numbers, in one order for writing and reading. The horizon itself is kept beside it. */
#ifndef CSM_PIPELINE_TRAINING_FACTS_H
#define CSM_PIPELINE_TRAINING_FACTS_H

#include "pipeline/config.h"

#define CSM_FACTS_SCORES (24 + 5 * CSM_RELIABILITY_BINS_MAX)
#define CSM_FACTS_NUMBERS                                                                                    \
    (6 + 10 + CSM_CALIBRATIONS + 2 * CSM_FACTS_SCORES + 7 + 4 + 2 + 11 * CSM_MEMBERS_MAX)

void csm_facts_to_numbers(double *out, const csm_horizon_training *facts);
csm_status csm_facts_from_numbers(csm_horizon_training *out, const double *numbers);

#endif
