/* SPDX-License-Identifier: MIT */
/* Configuration and secrets together, all or nothing: whatever is wrong anywhere is told at once, before anything starts. */
#include "channel.h"
#include "daemon.h"

#include <stdlib.h>
#include <string.h>

static void add_lines(char *text, size_t size, const char *lines) {
    size_t used = strlen(text);
    if (used + 2 < size) snprintf(text + used, size - used, "%s%s", used ? "\n" : "", lines);
}

static csm_status keep_config(daemon_state *d, csm_config *config) {
    csm_config **grown = realloc(d->configs, (d->config_count + 1) * sizeof *grown);
    if (!grown) return fail(CSM_ENOMEM, "no memory for the configuration");
    d->configs = grown;
    d->configs[d->config_count++] = config;
    d->config = config;
    d->log.level = (csm_log_level)log_level_parse(settings_text(config, "daemon.log_level"));
    return CSM_OK;
}

csm_status daemon_configure(daemon_state *d, bool with_secrets) {
    char faults[4000] = "";
    csm_config *config = NULL;
    secrets found = {{NULL}};
    csm_status status = settings_load(&config, &d->source);
    if (!config) return status;
    if (status != CSM_OK) add_lines(faults, sizeof faults, failure_text());
    settings_check(config, &d->source, faults, sizeof faults);
    if (with_secrets && secrets_load(&found, &d->redactor, config) != CSM_OK)
        add_lines(faults, sizeof faults, failure_text());
    if (with_secrets) channel_check(config, &found, &d->source, faults, sizeof faults);
    if (*faults)
        status = fail(CSM_EINVAL, "%s", faults);
    else
        status = keep_config(d, config);
    if (status != CSM_OK) {
        csm_config_free(config);
        secrets_free(&found);
        return status;
    }
    /* Secrets are read at the start alone: threads that send may be using them. */
    if (with_secrets && d->config_count == 1)
        d->secrets = found;
    else
        secrets_free(&found);
    return CSM_OK;
}
