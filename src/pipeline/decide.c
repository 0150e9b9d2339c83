/* SPDX-License-Identifier: MIT */
/*
 * The learning loop's decisions, in this order: drift alarms against the champion, promotion or retirement of the challenger, return
 * of the champion before, weights, and a new challenger when one is due. Each is one transaction, and each look reads the ledger
 * afresh: a kill between two of them loses nothing and repeats nothing.
 */
#include "learn/ledger.h"
#include "pipeline/alarms.h"
#include "pipeline/champion.h"
#include "pipeline/compare.h"
#include "pipeline/drift.h"
#include "pipeline/weights.h"

#include <stdio.h>
#include <string.h>

#define GATHERING 3 /* e-value from which a challenger is not replaced: evidence for it gathers */

void csm_decide_options_init(csm_decide_options *options) {
    *options = (csm_decide_options){.size = sizeof *options, .train = 1};
}

typedef struct deciding {
    csm_pipeline *pipeline;
    csm_training *training; /* of the champion */
    model_row champion;
    model_row challenger;
    model_row shadow;
    csm_comparison challenge; /* challenger against champion */
    csm_time now;
    bool backfill;
    bool may_train;
} deciding;

static csm_status read_roles(deciding *d) {
    csm_status status = csm_model_in_role(&d->champion, d->pipeline, CSM_ROLE_CHAMPION);
    if (status == CSM_OK) status = csm_model_in_role(&d->challenger, d->pipeline, CSM_ROLE_CHALLENGER);
    if (status == CSM_OK) status = csm_model_in_role(&d->shadow, d->pipeline, CSM_ROLE_SHADOW);
    return status;
}

static void evidence_text(char *text, size_t size, const char *why, const char *before,
                          const csm_comparison *c) {
    snprintf(text, size, "%s\nbefore %s\npairs %zu\nblocks %zu\ngain %.6g\ne_value %.6g\nworse %.6g\n", why,
             before, c->pairs, c->blocks, c->gain.value, c->e_value, c->worse);
}

/* ---- promotion, return ---- */

/* A champion past its life shows nothing any more: then a challenger with as much evidence, none of it against it, is enough. */
static bool may_succeed(const deciding *d) {
    const csm_config *config = d->pipeline->config;
    const csm_comparison *c = &d->challenge;
    return d->now - d->champion.as_of >= csm_config_duration(config, "learn.model_life") &&
           c->pairs >= (size_t)csm_config_integer(config, "learn.promotion_outcomes") &&
           c->blocks >= (size_t)csm_config_integer(config, "learn.promotion_blocks") &&
           c->worse < csm_config_real(config, "learn.promotion_evidence");
}

static csm_status promote(deciding *d) {
    char text[512];
    if (!d->challenger.found) return CSM_OK;
    csm_status status =
        csm_compare_models(&d->challenge, d->pipeline, d->challenger.hash, d->champion.hash, 0, false);
    if (status != CSM_OK) return status;
    const bool better = csm_promotion_evidence(d->pipeline, &d->challenge) == CSM_OK;
    if (!better && !may_succeed(d)) return CSM_OK;
    evidence_text(text, sizeof text,
                  better ? "its shadow forecasts lost less"
                         : "the champion is past its life, and nothing speaks against it",
                  d->champion.hash, &d->challenge);
    status = csm_model_take_over(d->pipeline, d->challenger.hash, CSM_DECISION_PROMOTED, CSM_ROLE_SHADOW,
                                 text, d->backfill);
    return status == CSM_OK ? read_roles(d) : status;
}

static csm_status retire(deciding *d, const model_row *model, const char *why) {
    csm_pipeline *p = d->pipeline;
    csm_status status = csm_catalog_begin(p->store);
    if (status != CSM_OK) return status;
    status = csm_model_set_role(p, model->hash, CSM_ROLE_RETIRED, CSM_ROLE_RETIRED);
    if (status == CSM_OK)
        status = csm_ledger_decide(p->context, p->store, CSM_DECISION_RETIRED, d->now, 0, model->hash, why,
                                   d->backfill);
    if (status == CSM_OK) status = csm_catalog_commit(p->store);
    if (status != CSM_OK) csm_catalog_rollback(p->store);
    return status == CSM_OK ? read_roles(d) : status;
}

/* The champion before has gone on predicting: when it is the better one, it comes back; after its probation it is let go. */
static csm_status look_back(deciding *d) {
    csm_comparison c;
    char text[512];
    if (!d->shadow.found) return CSM_OK;
    csm_status status = csm_compare_models(&c, d->pipeline, d->shadow.hash, d->champion.hash, 0, false);
    if (status != CSM_OK) return status;
    if (csm_promotion_evidence(d->pipeline, &c) == CSM_OK) {
        evidence_text(text, sizeof text, "the champion before lost less", d->champion.hash, &c);
        status = csm_model_take_over(d->pipeline, d->shadow.hash, CSM_DECISION_ROLLED_BACK, CSM_ROLE_RETIRED,
                                     text, d->backfill);
        return status == CSM_OK ? read_roles(d) : status;
    }
    if (d->now - d->shadow.since < csm_config_duration(d->pipeline->config, "learn.probation")) return CSM_OK;
    return retire(d, &d->shadow, "the promoted one stood its probation\n");
}

/* ---- a new challenger ---- */

/* Why one is due; NULL: none is. */
static csm_status due(const char **why, deciding *d) {
    const csm_config *config = d->pipeline->config;
    const csm_time newest = d->challenger.found && d->challenger.as_of > d->champion.as_of
                                ? d->challenger.as_of
                                : d->champion.as_of;
    const csm_time age = d->now - newest, by_age = csm_config_duration(config, "learn.retrain");
    const bool gathering =
        d->challenger.found && d->challenge.e_value >= GATHERING && d->challenge.e_value > d->challenge.worse;
    *why = NULL;
    if (age < csm_config_duration(config, "learn.retrain_least") || gathering) return CSM_OK;
    csm_decision_list *alarms = NULL;
    csm_status status = csm_learn_decisions(&alarms, d->pipeline->store, 0);
    for (size_t i = 0; status == CSM_OK && i < csm_decision_list_count(alarms); i++) {
        const csm_decision *one = csm_decision_list_at(alarms, i);
        if (one->kind == CSM_DECISION_ALARM && one->time <= d->now &&
            strcmp(one->model, d->champion.hash) == 0)
            *why = "a drift alarm stands against the champion\n";
    }
    csm_decision_list_free(alarms);
    if (status != CSM_OK || *why || by_age == 0 || age < by_age) return status;
    if (!d->challenger.found || d->now - d->challenger.since >= csm_config_duration(config, "learn.trial"))
        *why = "the newest model is older than learn.retrain\n";
    return CSM_OK;
}

static csm_status train(deciding *d) {
    const char *why = NULL;
    csm_training *training = NULL;
    if (!d->may_train) return CSM_OK;
    csm_status status = due(&why, d);
    if (status != CSM_OK || !why) return status;
    status = csm_train_in_role(&training, d->pipeline, d->now, CSM_ROLE_CHALLENGER, why);
    csm_training_free(training);
    if (status != CSM_ENODATA && status != CSM_EEXIST) return status;
    csm_log_write(d->pipeline->context, CSM_LOG_WARN, "pipeline", "no challenger was trained: %s",
                  csm_error_message());
    return CSM_OK;
}

/* ---- all of it ---- */

static csm_status decide(deciding *d) {
    csm_status status = read_roles(d);
    if (status == CSM_OK) status = csm_pipeline_champion(&d->training, d->pipeline);
    if (status == CSM_OK) status = csm_drift_of_losses(d->pipeline, d->training, d->backfill);
    if (status == CSM_OK) status = csm_drift_of_features(d->pipeline, d->training, d->backfill);
    if (status == CSM_OK) status = csm_weights_update(d->pipeline, d->training, d->backfill);
    if (status == CSM_OK) status = promote(d);
    if (status == CSM_OK) status = look_back(d);
    return status == CSM_OK ? train(d) : status;
}

csm_status csm_pipeline_decide(csm_decision_list **out, csm_pipeline *pipeline,
                               const csm_decide_options *user) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "decide: out and pipeline are required");
    csm_decide_options options;
    csm_ledger_head before;
    *out = NULL;
    csm_decide_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_decide_options");
    if (status == CSM_OK) status = csm_learn_head(&before, pipeline->store);
    if (status != CSM_OK) return status;
    deciding d = {.pipeline = pipeline,
                  .now = csm_context_now(pipeline->context),
                  .backfill = options.backfill != 0,
                  .may_train = options.train != 0};
    status = decide(&d);
    csm_training_free(d.training);
    return status == CSM_OK ? csm_learn_decisions(out, pipeline->store, before.rows) : status;
}
