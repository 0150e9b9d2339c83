/* SPDX-License-Identifier: MIT */
/* CRYPTOSMART__SECTION__KEY=value of an environment. */
#include "pipeline/config.h"

#include <ctype.h>
#include <string.h>

#define PREFIX "CRYPTOSMART__"

/* "GATE__MINIMUM_EVIDENCE" -> "gate.minimum_evidence"; false when it is not of that form. */
static bool option_name(char *name, size_t size, const char *variable, size_t length) {
    const char *split = NULL;
    for (size_t i = 0; i + 1 < length && !split; i++) {
        if (variable[i] == '_' && variable[i + 1] == '_') split = variable + i;
    }
    if (!split || length >= size) return false;
    size_t section = (size_t)(split - variable), n = 0;
    for (size_t i = 0; i < length; i++) {
        if (i == section) {
            name[n++] = '.';
            i++;
            continue;
        }
        name[n++] = (char)tolower((unsigned char)variable[i]);
    }
    name[n] = 0;
    return true;
}

csm_status csm_config_environment(csm_config *config, const char *const *environment) {
    if (!config) return csm_fail(CSM_EINVAL, "config: config is required");
    for (size_t i = 0; environment && environment[i]; i++) {
        const char *entry = environment[i];
        const char *value = strchr(entry, '=');
        if (!value || strncmp(entry, PREFIX, strlen(PREFIX)) != 0) continue;
        char name[128];
        const char *variable = entry + strlen(PREFIX);
        size_t length = (size_t)(value - variable);
        if (!option_name(name, sizeof name, variable, length))
            return csm_fail(CSM_EINVAL, "environment: %.*s is not CRYPTOSMART__SECTION__KEY",
                            (int)(value - entry), entry);
        csm_status status = csm_config_set(config, name, value + 1);
        if (status != CSM_OK) return csm_fail_prefix(status, "environment %.*s", (int)(value - entry), entry);
    }
    return CSM_OK;
}
