/* SPDX-License-Identifier: MIT */
/* The environment of a job: the daemon's without secrets, and the configuration in force as CRYPTOSMART__SECTION__KEY variables. So a job
 * has the daemon's configuration, whatever was written into the files since, and needs to read none. */
#include "child.h"
#include "daemon.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "CRYPTOSMART__"

/* "daemon.retry_first" -> "CRYPTOSMART__DAEMON__RETRY_FIRST=value"; NULL without memory. */
static char *variable_of(const char *name, const char *value) {
    size_t size = sizeof PREFIX + strlen(name) + strlen(value) + 4;
    char *variable = malloc(size);
    if (!variable) return NULL;
    size_t used = (size_t)snprintf(variable, size, PREFIX);
    for (; *name; name++) {
        if (*name == '.') {
            variable[used++] = '_';
            variable[used++] = '_';
        } else {
            variable[used++] = (char)toupper((unsigned char)*name);
        }
    }
    snprintf(variable + used, size - used, "=%s", value);
    return variable;
}

void child_environment_free(char **environment) {
    for (char **at = environment; at && *at; at++) free(*at);
    free(environment);
}

char **child_environment(const csm_config *config) {
    size_t count = 0, kept = 0, options = csm_config_count(config);
    while (environ[count]) count++;
    char **made = calloc(count + options + 1, sizeof *made);
    bool whole = made != NULL;
    for (size_t i = 0; whole && i < count; i++) {
        if (secrets_is_variable(environ[i]) || strncmp(environ[i], PREFIX, strlen(PREFIX)) == 0) continue;
        made[kept] = strdup(environ[i]);
        whole = made[kept++] != NULL;
    }
    for (size_t i = 0; whole && i < options; i++) {
        const csm_option *option = csm_config_option(config, i);
        const char *value = csm_config_get(config, option->name);
        if (strcmp(value, option->standard) == 0) continue;
        made[kept] = variable_of(option->name, value);
        whole = made[kept++] != NULL;
    }
    if (whole) return made;
    child_environment_free(made);
    return NULL;
}
