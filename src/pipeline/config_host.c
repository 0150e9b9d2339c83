/* SPDX-License-Identifier: MIT */
/* Options of a host program: read from the same files and environment, with the same checks, as the library's own. */
#include "pipeline/config.h"

#include <string.h>

#define HOST_OPTIONS_MOST 1000
#define NAME_BYTES_MOST 96

/* "daemon.port": lower-case words, digits and underscores on both sides of one point, as YAML and environment can say it. */
static bool is_option_name(const char *name) {
    const char *point = strchr(name, '.');
    const size_t length = strlen(name);
    if (!point || point == name || !point[1] || strchr(point + 1, '.') || length > NAME_BYTES_MOST)
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") == length && !strstr(name, "__");
}

static csm_status check(const csm_option *extra, size_t i) {
    const csm_option *o = &extra[i];
    if (!o->name || !o->text || !o->standard)
        return csm_fail(CSM_EINVAL, "config: host option %zu lacks name, text or standard", i);
    if (!is_option_name(o->name))
        return csm_fail(CSM_EINVAL, "config: host option '%s' is not section.key", o->name);
    if (o->type > CSM_OPTION_LIST)
        return csm_fail(CSM_EINVAL, "config: host option '%s' has type %u", o->name, o->type);
    bool taken = csm_config_find(o->name) >= 0;
    for (size_t k = 0; k < i; k++) taken = taken || strcmp(extra[k].name, o->name) == 0;
    if (taken) return csm_fail(CSM_EEXIST, "config: option '%s' exists already", o->name);
    const csm_status status = csm_config_check_value(o, o->standard);
    return status == CSM_OK ? status : csm_fail_prefix(status, "config: standard value of a host option");
}

csm_status csm_host_options_take(host_options *out, const csm_option *extra, size_t count) {
    *out = (host_options){0};
    if (count == 0) return CSM_OK;
    if (count > HOST_OPTIONS_MOST)
        return csm_fail(CSM_EINVAL, "config: %zu host options are more than %d", count, HOST_OPTIONS_MOST);
    out->option = csm_alloc_array(count, sizeof *out->option);
    out->value = csm_alloc_array(count, sizeof *out->value);
    if (!out->option || !out->value) {
        csm_host_options_free(out);
        return CSM_ENOMEM;
    }
    csm_status status = CSM_OK;
    for (size_t i = 0; status == CSM_OK && i < count; i++) {
        status = check(extra, i);
        if (status != CSM_OK) break;
        csm_option *o = &out->option[out->count++];
        *o = extra[i];
        o->name = csm_strdup(extra[i].name);
        o->text = csm_strdup(extra[i].text);
        o->standard = csm_strdup(extra[i].standard);
        out->value[i] = csm_strdup(extra[i].standard);
        if (!o->name || !o->text || !o->standard || !out->value[i]) status = CSM_ENOMEM;
    }
    if (status != CSM_OK) csm_host_options_free(out);
    return status;
}

void csm_host_options_free(host_options *host) {
    for (size_t i = 0; host->option && host->value && i < host->count; i++) {
        csm_dealloc((char *)host->option[i].name);
        csm_dealloc((char *)host->option[i].text);
        csm_dealloc((char *)host->option[i].standard);
        csm_dealloc(host->value[i]);
    }
    csm_dealloc(host->option);
    csm_dealloc(host->value);
    *host = (host_options){0};
}
