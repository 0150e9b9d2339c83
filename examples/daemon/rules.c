/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <math.h>
#include <string.h>

static const rule rules[] = {
#define RULE(name, fact, direction, option, clear, wait, severity, text)                                     \
    {#name, fact, RULE_##direction, option, clear, wait, SEVERITY_##severity, text},
#include "rules.def"
#undef RULE
};

size_t rules_count(void) {
    return sizeof rules / sizeof rules[0];
}

const rule *rules_at(size_t index) {
    return index < rules_count() ? &rules[index] : NULL;
}

const char *rule_severity_name(rule_severity severity) {
    return severity == SEVERITY_critical ? "critical" : "warning";
}

bool rule_matches(const rule *r, const char *fact, const char **subject) {
    size_t length = strlen(r->fact);
    *subject = "";
    if (r->fact[length - 1] != '*') return strcmp(r->fact, fact) == 0;
    if (strncmp(r->fact, fact, length - 1) != 0) return false;
    *subject = fact + length - 1;
    return true;
}

static bool holds(const rule *r, double threshold, double value) {
    switch (r->direction) {
    case RULE_BELOW:
        return value < threshold;
    case RULE_ABOVE_OR_AT:
        return value >= threshold;
    case RULE_ABOVE:
        break;
    }
    return value > threshold;
}

static bool is_back(const rule *r, double threshold, double value) {
    double back = threshold * r->clear;
    if (r->direction == RULE_BELOW) return value >= back;
    return value <= back && !holds(r, threshold, value);
}

rule_verdict rule_judge(const rule *r, double threshold, double value, bool raised, csm_time now,
                        csm_time hold, csm_time *since) {
    if (isnan(value)) return RULE_QUIET;
    if (raised) {
        *since = CSM_TIME_MIN;
        return is_back(r, threshold, value) ? RULE_CLEAR : RULE_QUIET;
    }
    if (!holds(r, threshold, value)) {
        *since = CSM_TIME_MIN;
        return RULE_QUIET;
    }
    if (*since == CSM_TIME_MIN) *since = now;
    return !r->wait || now - *since >= hold ? RULE_RAISE : RULE_WAITING;
}

csm_time quiet_until(csm_time now, csm_time from, csm_time to) {
    csm_time midnight = csm_time_floor(now, CSM_DAY), since = now - midnight;
    if (from == to) return now;
    if (from < to) return since >= from && since < to ? midnight + to : now;
    if (since >= from) return midnight + CSM_DAY + to;
    return since < to ? midnight + to : now;
}
