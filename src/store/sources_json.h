/* SPDX-License-Identifier: MIT */
/* Sources as a JSON list, as segments and manifests hold them. */
#ifndef CSM_STORE_SOURCES_JSON_H
#define CSM_STORE_SOURCES_JSON_H

#include "store/segment.h"

#include <jansson.h>

/* NULL without memory, or where a text is not UTF-8. */
json_t *csm_sources_json(const csm_provenance *sources, size_t count);

#endif
