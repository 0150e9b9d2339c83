/* SPDX-License-Identifier: MIT */
#include "discover/replay_source.h"

#include <string.h>

#define REPLAY_RATE 10000.0
#define REPLAY_IN_FLIGHT 4

static bool is_loopback(const char *url) {
    static const char *const hosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t length = strlen(hosts[i]);
        if (strncmp(url, hosts[i], length) != 0) continue;
        if (url[length] == ':' || url[length] == '/' || url[length] == '\0') return true;
    }
    return false;
}

csm_net_source csm_source_at(const csm_net_source *source, const char *base_url) {
    csm_net_source here = *source;
    if (!is_loopback(base_url)) return here;
    here.name = "replay";
    here.rate = REPLAY_RATE;
    here.burst = REPLAY_RATE;
    here.key_rate = 0.0;
    here.in_flight = REPLAY_IN_FLIGHT;
    here.backoff_first = 20 * CSM_MILLISECOND;
    here.backoff_last = CSM_SECOND;
    return here;
}
