/* SPDX-License-Identifier: MIT */
/* A source's limits at another address than its own. */
#ifndef CSM_DISCOVER_REPLAY_SOURCE_H
#define CSM_DISCOVER_REPLAY_SOURCE_H

#include "core/internal.h"

#include <cryptosmart/net.h>

/* The source as it may be asked at base_url. On this machine's loopback a recording answers, not the exchange: then there is
 * no rate to keep, waits are short, and buckets and latches are those of "replay". */
csm_net_source csm_source_at(const csm_net_source *source, const char *base_url);

#endif
