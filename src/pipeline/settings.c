/* SPDX-License-Identifier: MIT */
#include "pipeline/training.h"

#include <stdio.h>
#include <string.h>

static csm_status read_horizons(training_settings *s, const csm_config *config) {
    csm_time values[5][CSM_HORIZONS_MAX];
    static const char *const names[5] = {"train.horizons", "train.steps", "train.spans", "train.windows",
                                         "train.first"};
    for (size_t i = 0; i < 5; i++) {
        csm_status status = csm_config_durations(values[i], CSM_HORIZONS_MAX, &s->horizons, config, names[i]);
        if (status != CSM_OK) return status;
    }
    for (size_t i = 0; i < s->horizons; i++)
        s->horizon[i] =
            (horizon_settings){values[0][i], values[1][i], values[2][i], values[3][i], values[4][i]};
    return CSM_OK;
}

static csm_status read_gate(csm_gate_options *gate, const csm_config *config) {
    static const uint32_t levels[] = {CSM_EVIDENCE_UNPROVEN, CSM_EVIDENCE_CONSISTENT, CSM_EVIDENCE_CERTIFIED};
    const char *minimum = csm_config_get(config, "gate.minimum_evidence");
    size_t found = 0;
    while (found < 3 && strcmp(csm_evidence_name(levels[found]), minimum) != 0) found++;
    if (found == 3)
        return csm_fail(CSM_EINVAL, "gate.minimum_evidence: '%s' is not UNPROVEN, CONSISTENT or CERTIFIED",
                        minimum);
    gate->minimum_evidence = levels[found];
    gate->threshold = csm_config_real(config, "gate.threshold");
    gate->history_needed = csm_config_duration(config, "gate.history");
    gate->notional = csm_config_real(config, "cost.notional");
    gate->participation = csm_config_real(config, "gate.participation");
    gate->require_consensus = csm_config_boolean(config, "gate.require_consensus");
    return CSM_OK;
}

static void read_fuse_and_cost(training_settings *s, const csm_config *config) {
    csm_fuse_options_init(&s->fuse);
    s->fuse.stale_after = csm_config_duration(config, "fuse.stale_after");
    s->fuse.gap_limit = csm_config_duration(config, "fuse.gap_limit");
    s->fuse.gap_share = csm_config_real(config, "fuse.gap_share");
    csm_cost_options_init(&s->cost);
    s->cost.notional = csm_config_real(config, "cost.notional");
    s->cost.monthly_volume = csm_config_real(config, "cost.monthly_volume");
    s->cost.assumed_fee = csm_config_real(config, "cost.assumed_fee");
    s->cost.assumed_spread = csm_config_real(config, "cost.assumed_spread");
    s->cost.assumed_slippage = csm_config_real(config, "cost.assumed_slippage");
}

static void read_learner(training_settings *s, const csm_config *config) {
    static const char *const parameters[] = {"rounds",   "leaves", "learning_rate",
                                             "min_rows", "l2",     "column_share"};
    s->learner_count = sizeof parameters / sizeof parameters[0];
    for (size_t i = 0; i < s->learner_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "gbt.%s", parameters[i]);
        s->learner[i] = (csm_parameter){parameters[i], csm_config_real(config, name)};
    }
}

csm_status csm_training_settings(training_settings *out, const csm_config *config) {
    *out = (training_settings){0};
    csm_status status = csm_config_check(config);
    if (status == CSM_OK) status = read_horizons(out, config);
    csm_rank_options_init(&out->rank);
    if (status == CSM_OK) status = read_gate(&out->rank.gate, config);
    if (status != CSM_OK) return status;
    out->rank.horizon = csm_config_duration(config, "gate.horizon");
    out->test_span = csm_config_duration(config, "train.test_span");
    out->recalibrate = csm_config_duration(config, "train.recalibrate");
    out->interval_level = csm_config_real(config, "train.interval_level");
    out->bootstrap = (uint32_t)csm_config_integer(config, "train.bootstrap");
    read_fuse_and_cost(out, config);
    read_learner(out, config);
    return CSM_OK;
}
