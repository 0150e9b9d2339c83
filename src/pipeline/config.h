/* SPDX-License-Identifier: MIT */
/* Typed reading of a checked configuration. Names are those of config.def; a wrong name or type is a defect of the caller and
 * gives the type's zero. */
#ifndef CSM_PIPELINE_CONFIG_H
#define CSM_PIPELINE_CONFIG_H

#include "core/internal.h"

#include <cryptosmart/pipeline.h>

int64_t csm_config_integer(const csm_config *config, const char *name);
double csm_config_real(const csm_config *config, const char *name);
csm_time csm_config_duration(const csm_config *config, const char *name);
bool csm_config_boolean(const csm_config *config, const char *name);
/* Item `index` of a list into text (cut to size); false past the end. */
bool csm_config_item(const csm_config *config, const char *name, size_t index, char *text, size_t size);
size_t csm_config_items(const csm_config *config, const char *name);
/* A list of durations: CSM_EINVAL names the item when one is none; *count of at most `capacity` values. */
csm_status csm_config_durations(csm_time *out, size_t capacity, size_t *count, const csm_config *config,
                                const char *name);
csm_status csm_config_copy(csm_config **out, const csm_config *config);
void csm_config_swap(csm_config *a, csm_config *b);
/* Checks what no single option shows: lists of equal length, the gate's horizon among the horizons. */
csm_status csm_config_check(const csm_config *config);

/* Rows that a host program brings along, copied, with their values. */
typedef struct host_options {
    csm_option *option;
    char **value;
    size_t count;
} host_options;
/* Checks names, types and standard values as those of config.def are checked by a test. Empties *out on failure. */
csm_status csm_host_options_take(host_options *out, const csm_option *extra, size_t count);
void csm_host_options_free(host_options *host);
/* The row of a name, the host's own included; NULL when unknown. */
const csm_option *csm_config_option_named(const csm_config *config, const char *name);

/* Index in config.def, -1 when unknown; the value's check as csm_config_set does it, text into reason. */
int csm_config_find(const char *name);
csm_status csm_config_check_value(const csm_option *option, const char *value);

#endif
