/* SPDX-License-Identifier: MIT */
#include "test_clock.h"

#include "daemon.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One clock a process, read by any thread. */
static _Atomic csm_time now;

csm_time test_clock_now(void) {
    return now;
}

static csm_status ask(csm_time *out, daemon_state *d, const char *command) {
    char url[512];
    csm_context *context = NULL;
    csm_net *net = NULL;
    csm_net_replies *replies = NULL;
    const csm_net_source replay = {.name = "test-clock",
                                   .rate = 1e6,
                                   .burst = 1e6,
                                   .attempts = 3,
                                   .in_flight = 1,
                                   .backoff_first = 100 * CSM_MILLISECOND,
                                   .backoff_last = CSM_SECOND};
    snprintf(url, sizeof url, "%s/replay/%s", d->test_clock, command);
    const csm_net_request request = {.url = url};
    csm_status status = csm_context_new(&context, NULL);
    if (status == CSM_OK) status = csm_net_new(&net, context, NULL);
    if (status == CSM_OK) status = csm_net_perform(&replies, net, context, &replay, &request, 1, NULL, NULL);
    if (status != CSM_OK) {
        status = fail_library(status, "test clock");
    } else {
        const csm_net_reply *reply = csm_net_replies_at(replies, 0);
        json_t *state = reply->net_class == CSM_NET_OK ? json_loads(reply->body, 0, NULL) : NULL;
        const char *time = json_string_value(json_object_get(state, "time"));
        if (!time || csm_time_parse(out, time, strlen(time)) != CSM_OK)
            status = fail(CSM_EIO, "test clock: %s gives no time: %s", url, reply->text);
        json_decref(state);
    }
    csm_net_replies_free(replies);
    csm_net_free(net);
    csm_context_free(context);
    return status;
}

csm_status test_clock_open(daemon_state *d, const char *url) {
    csm_time time = 0;
    if (strncmp(url, "http://127.0.0.1:", 17) != 0)
        return fail(CSM_EINVAL, "--test-clock: '%s' is not on 127.0.0.1", url);
    if (strncmp(settings_text(d->config, "kraken.url"), url, strlen(url)) != 0)
        return fail(CSM_EINVAL,
                    "--test-clock: kraken.url is not that replay's; a test clock is not for live data");
    d->test_clock = url;
    csm_status status = ask(&time, d, "status");
    if (status == CSM_OK) now = time;
    return status;
}

bool test_clock_move(daemon_state *d, csm_time next) {
    char text[CSM_TIME_TEXT], command[CSM_TIME_TEXT + 16];
    const char *end = getenv("CRYPTOSMARTD_TEST_END");
    csm_time last = CSM_TIME_MAX, time = 0;
    if (end && csm_time_parse(&last, end, strlen(end)) != CSM_OK) return false;
    if (next <= now || next > last) return false;
    snprintf(command, sizeof command, "time?set=%s", csm_time_format(next, text, sizeof text));
    if (ask(&time, d, command) != CSM_OK) {
        log_write(&d->log, CSM_LOG_ERROR, "test-clock", NULL, "%s", failure_text());
        return false;
    }
    now = time;
    return true;
}
