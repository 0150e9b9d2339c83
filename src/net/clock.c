/* SPDX-License-Identifier: MIT */
#include "net/internal.h"

#include "core/platform.h"

csm_time csm_net_now(csm_net *net, const csm_context *context) {
    const csm_time monotonic = csm_platform_monotonic();
    csm_time now = csm_context_now(context);
    if (now < 0) now = 0;
    if (now > CSM_TIME_MAX / 2) now = CSM_TIME_MAX / 2;
    /* A virtual clock may stand still, and a real one may be set back: waits end nevertheless. */
    const csm_time floor = net->now == CSM_TIME_MIN ? now : net->now + (monotonic - net->monotonic);
    net->now = now > floor ? now : floor;
    net->monotonic = monotonic;
    return net->now;
}
