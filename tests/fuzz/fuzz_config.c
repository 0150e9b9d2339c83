/* SPDX-License-Identifier: MIT */
/* Configuration files: hostile YAML changes nothing, and what is accepted passes every option's own check. */
#include "pipeline/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    csm_config *config = NULL;
    char before[CSM_HASH_TEXT], after[CSM_HASH_TEXT];
    if (csm_config_new(&config) != CSM_OK) return 0;
    csm_config_hash(before, sizeof before, config);
    csm_status status = csm_config_parse(config, (const char *)data, size, "fuzz");
    csm_config_hash(after, sizeof after, config);
    if (status != CSM_OK && strcmp(before, after) != 0) abort();
    for (size_t i = 0; status == CSM_OK && i < csm_config_option_count(); i++) {
        const csm_option *option = csm_config_option_at(i);
        if (csm_config_check_value(option, csm_config_get(config, option->name)) != CSM_OK) abort();
    }
    csm_config_free(config);
    return 0;
}
