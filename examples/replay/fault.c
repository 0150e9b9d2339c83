/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[FAULT_COUNT_] = {
    [FAULT_NONE] = "none",           [FAULT_RATE] = "rate",
    [FAULT_THROTTLED] = "throttled", [FAULT_UNAVAILABLE] = "unavailable",
    [FAULT_HTTP500] = "http500",     [FAULT_HTTP520HTML] = "http520html",
    [FAULT_HTML200] = "html200",     [FAULT_CUT] = "cut",
    [FAULT_SHORT] = "short",         [FAULT_SLOW] = "slow",
    [FAULT_WRONGJSON] = "wrongjson", [FAULT_WRONGTYPE] = "wrongtype",
    [FAULT_EMPTY] = "empty",         [FAULT_MISSINGPAIR] = "missingpair",
};

fault_kind fault_find(const char *name) {
    for (size_t i = 0; i < FAULT_COUNT_; i++)
        if (strcmp(names[i], name) == 0) return (fault_kind)i;
    return FAULT_COUNT_;
}

const char *fault_name(fault_kind kind) {
    return kind < FAULT_COUNT_ ? names[kind] : "unknown";
}

bool fault_parse(fault_plan *plan, const char *value) {
    char kind[24];
    const size_t length = strcspn(value, ":");
    snprintf(kind, sizeof kind, "%.*s", (int)(length < sizeof kind ? length : 0), value);
    *plan = (fault_plan){.kind = fault_find(kind), .every = 1, .left = UINT64_MAX};
    if (plan->kind == FAULT_COUNT_) return false;
    if (value[length] == '\0') return true;
    const char *number = value + length + 1;
    if (strncmp(number, "every ", 6) == 0 || strncmp(number, "every=", 6) == 0) number += 6;
    char *end = NULL;
    plan->every = strtoull(number, &end, 10);
    return end != number && *end == '\0' && plan->every > 0;
}

fault_kind fault_next(fault_plan *plan) {
    if (plan->kind == FAULT_NONE || plan->left == 0) return FAULT_NONE;
    if (++plan->seen % plan->every != 0) return FAULT_NONE;
    if (plan->left != UINT64_MAX) plan->left--;
    plan->served++;
    return plan->kind;
}
