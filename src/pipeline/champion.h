/* SPDX-License-Identifier: MIT */
#ifndef CSM_PIPELINE_CHAMPION_H
#define CSM_PIPELINE_CHAMPION_H

#include "pipeline/pipeline.h"

#define CSM_ROLE_CHAMPION "champion"
#define CSM_ROLE_CHALLENGER "challenger"
#define CSM_ROLE_SHADOW "shadow"
#define CSM_ROLE_RETIRED "retired"

/* Saves the training under models/ of the workspace and registers it in a role, in that order. Fills its hash. Who has the role
 * steps down to retired. A challenger is a decision of the ledger, with the text `why`. CSM_EEXIST: the challenger would be the
 * champion, bit by bit. */
csm_status csm_champion_register(csm_training *training, csm_pipeline *pipeline, const char *role,
                                 const char *why);
/* Trains and registers in a role. */
csm_status csm_train_in_role(csm_training **out, csm_pipeline *pipeline, csm_time as_of, const char *role,
                             const char *why);
/* The champion's as_of; CSM_TIME_MIN when nothing was trained. */
csm_status csm_champion_as_of(csm_time *out, const csm_pipeline *pipeline);

/* Who has a role, by the catalogue. */
typedef struct model_row {
    char hash[CSM_HASH_TEXT];
    csm_time as_of;
    csm_time since;
    bool found;
} model_row;
csm_status csm_model_in_role(model_row *out, const csm_pipeline *pipeline, const char *role);
/* The model file of a hash that the catalogue names. */
csm_status csm_model_open(csm_training **out, const csm_pipeline *pipeline, const char *hash);
/* Gives a role; whoever has it, other than retired, steps down to `down`. Within a transaction. */
csm_status csm_model_set_role(const csm_pipeline *pipeline, const char *hash, const char *role,
                              const char *down);

#endif
