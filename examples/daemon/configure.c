/* SPDX-License-Identifier: MIT */
/* Configuration and secrets together, all or nothing: whatever is wrong anywhere is told at once, before anything starts. */
#include "channel.h"
#include "daemon.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

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

/* Secrets are read at the start alone: threads that send may be using them, and the environment's are erased by then. */
static csm_status read_secrets(daemon_state *d, const csm_config *config) {
    if (d->secrets_read) return CSM_OK;
    d->secrets_read = true;
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) return fail(CSM_EIO, "core files cannot be switched off");
    return secrets_load(&d->secrets, &d->redactor, config);
}

csm_status daemon_configure(daemon_state *d, bool with_secrets) {
    char faults[4000] = "";
    csm_config *config = NULL;
    csm_status status = settings_load(&config, &d->source);
    if (!config) return status;
    if (status != CSM_OK) add_lines(faults, sizeof faults, failure_text());
    settings_check(config, &d->source, faults, sizeof faults);
    if (with_secrets && read_secrets(d, config) != CSM_OK) add_lines(faults, sizeof faults, failure_text());
    if (with_secrets) channel_check(config, &d->secrets, &d->source, faults, sizeof faults);
    if (*faults)
        status = fail(CSM_EINVAL, "%s", faults);
    else
        status = keep_config(d, config);
    if (status != CSM_OK) csm_config_free(config);
    return status;
}
