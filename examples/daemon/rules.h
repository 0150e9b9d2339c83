/* SPDX-License-Identifier: MIT */
/* When a fact becomes an alert and when the alert ends: arithmetic without clock, database or network. */
#ifndef DAEMON_RULES_H
#define DAEMON_RULES_H

#include <cryptosmart/cryptosmart.h>
#include <stdbool.h>

typedef enum rule_direction { RULE_ABOVE, RULE_ABOVE_OR_AT, RULE_BELOW } rule_direction;
typedef enum rule_severity { SEVERITY_warning, SEVERITY_critical } rule_severity;

typedef struct rule {
    const char *name;
    const char *fact;
    rule_direction direction;
    const char *option; /* "": 0 */
    double clear;
    bool wait;
    rule_severity severity;
    const char *text;
} rule;

size_t rules_count(void);
const rule *rules_at(size_t index);
const char *rule_severity_name(rule_severity severity);
/* Whether the rule is about this fact; *subject is what stands for the '*', "" without one. */
bool rule_matches(const rule *r, const char *fact, const char **subject);

typedef enum rule_verdict { RULE_QUIET, RULE_RAISE, RULE_CLEAR, RULE_WAITING } rule_verdict;
/* value: of the fact, NaN when not known. raised: an alert stands. since: when the condition began to hold, CSM_TIME_MIN while it does
 * not; brought up to date. hold: how long it must. */
rule_verdict rule_judge(const rule *r, double threshold, double value, bool raised, csm_time now,
                        csm_time hold, csm_time *since);

/* When a message may go: `now`, or the end of the quiet hours [from, to) since midnight UTC, which may span midnight. */
csm_time quiet_until(csm_time now, csm_time from, csm_time to);

#endif
