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

/* ---- members of the ensemble ---- */

static const struct {
    const char *name;
    const char *learner; /* also the section of its parameters in config.def */
} member_kinds[] = {{"trees", "gbt"}, {"lstm", "lstm"}, {"linear", "linear"}};

/* The learner's parameters that are options; the others keep their standard values. */
static csm_status read_parameters(member_settings *member, const csm_config *config) {
    for (size_t p = 0; p < member->learner->parameter_count; p++) {
        char option[64];
        const char *name = member->learner->parameters[p].name;
        snprintf(option, sizeof option, "%s.%s", member->learner->name, name);
        if (csm_config_find(option) < 0) continue;
        if (member->parameter_count == sizeof member->parameter / sizeof member->parameter[0])
            return csm_fail(CSM_EINTERNAL, "%s: too many parameters are options", member->name);
        member->parameter[member->parameter_count++] = (csm_parameter){name, csm_config_real(config, option)};
    }
    return CSM_OK;
}

/* Place of an option's text among `count` words. */
static csm_status read_word(uint32_t *out, const csm_config *config, const char *option,
                            const char *const *words, uint32_t count) {
    const char *text = csm_config_get(config, option);
    for (*out = 0; *out < count; ++*out)
        if (strcmp(text, words[*out]) == 0) return CSM_OK;
    return csm_fail(CSM_EINVAL, "%s: '%s' is not one of its values", option, text);
}

static csm_status read_device(member_settings *member, const csm_config *config) {
    static const char *const devices[] = {"cpu", "cuda"}, *const precisions[] = {"fp32", "tf32", "fp16",
                                                                                 "bf16"};
    uint32_t device = CSM_DEVICE_CPU, precision = CSM_PRECISION_FP32;
    char option[64];
    snprintf(option, sizeof option, "%s.device", member->learner->name);
    if (csm_config_find(option) < 0) return CSM_OK;
    csm_status status = read_word(&device, config, option, devices, 2);
    member->device = (csm_device)device;
    snprintf(option, sizeof option, "%s.device_index", member->learner->name);
    member->device_index = (uint32_t)csm_config_integer(config, option);
    snprintf(option, sizeof option, "%s.precision", member->learner->name);
    if (status != CSM_OK || csm_config_find(option) < 0) return status;
    status = read_word(&precision, config, option, precisions, 4);
    member->precision = (csm_precision)precision;
    return status;
}

static csm_status read_member(member_settings *member, const csm_config *config, const char *name) {
    const size_t kinds = sizeof member_kinds / sizeof member_kinds[0];
    size_t k = 0;
    while (k < kinds && strcmp(member_kinds[k].name, name) != 0) k++;
    if (k == kinds) return csm_fail(CSM_EINVAL, "train.members: no member is called '%s'", name);
    *member = (member_settings){.learner = csm_model_learner_find(member_kinds[k].learner)};
    snprintf(member->name, sizeof member->name, "%s", member_kinds[k].name);
    csm_status status = read_device(member, config);
    return status == CSM_OK ? read_parameters(member, config) : status;
}

static csm_status read_members(training_settings *s, const csm_config *config) {
    s->window = 1;
    s->members = csm_config_items(config, "train.members");
    if (s->members > CSM_MEMBERS_MAX)
        return csm_fail(CSM_EINVAL, "train.members: %zu members are more than %d", s->members,
                        CSM_MEMBERS_MAX);
    for (size_t m = 0; m < s->members; m++) {
        char name[64] = "";
        csm_config_item(config, "train.members", m, name, sizeof name);
        csm_status status = read_member(&s->member[m], config, name);
        if (status != CSM_OK) return status;
        if (s->member[m].learner->sequences) s->window = (size_t)csm_config_integer(config, "lstm.window");
        for (size_t before = 0; before < m; before++) {
            if (strcmp(s->member[before].name, name) == 0)
                return csm_fail(CSM_EINVAL, "train.members: '%s' is named twice", name);
        }
    }
    return CSM_OK;
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
    out->tune = (tune_settings){(uint32_t)csm_config_integer(config, "train.tune"),
                                (uint32_t)csm_config_integer(config, "train.tune_folds"),
                                (uint32_t)csm_config_integer(config, "train.tune_reduction")};
    read_fuse_and_cost(out, config);
    return read_members(out, config);
}
