/* SPDX-License-Identifier: MIT */
/* clock: how far this machine's clock is from the exchange's, whose times the data carry. */
#include "job.h"

#include <stdio.h>
#include <time.h>

/* Kraken's Time gives whole seconds (docs.kraken.com, Get Server Time): half a second is added for what was cut off. */
static csm_status judge(const job_process *p, const csm_net_reply *reply) {
    if (reply->net_class != CSM_NET_OK)
        return fail(csm_net_class_status(reply->net_class), "%s", reply->text);
    json_t *said = json_loads(reply->body, 0, NULL);
    const json_t *seconds = json_object_get(json_object_get(said, "result"), "unixtime");
    csm_status status = CSM_OK;
    if (json_is_integer(seconds)) {
        csm_time there = (csm_time)json_integer_value(seconds) * CSM_SECOND + CSM_SECOND / 2;
        csm_time here = reply->sent + (reply->received - reply->sent) / 2;
        double skew = (double)(here - there) / (double)CSM_SECOND;
        emit_fact("clock.skew", skew < 0 ? -skew : skew, "%+.1f s against the exchange", skew);
        emit_result(json_pack("{s:f}", "skew_seconds", skew));
    } else {
        status = fail(CSM_EPARSE, "the exchange's answer has no unixtime: %.80s", reply->body);
    }
    json_decref(said);
    (void)p;
    return status;
}

csm_status job_clock(const job_process *p) {
    char url[600], state[DAEMON_PATH + 32];
    csm_net *net = NULL;
    csm_net_options options;
    csm_net_replies *replies = NULL;
    const csm_net_source source = {.name = "kraken-time",
                                   .rate = 1,
                                   .burst = 1,
                                   .attempts = 2,
                                   .in_flight = 1,
                                   .backoff_first = CSM_SECOND,
                                   .backoff_last = 5 * CSM_SECOND};
    const csm_net_request request = {.url = url};
    snprintf(url, sizeof url, "%s/public/Time", settings_text(p->config, "kraken.url"));
    snprintf(state, sizeof state, "%s/net-state.json", p->daemon->workspace);
    csm_net_options_init(&options);
    options.state_path = state;
    options.total_timeout = 10 * CSM_SECOND;
    csm_status status = csm_net_new(&net, p->context, &options);
    if (status == CSM_OK)
        status = csm_net_perform(&replies, net, p->context, &source, &request, 1, NULL, NULL);
    if (status == CSM_OK)
        status = judge(p, csm_net_replies_at(replies, 0));
    else
        status = fail_library(status, "");
    csm_net_replies_free(replies);
    csm_net_free(net);
    return status;
}
