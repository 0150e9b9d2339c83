/* SPDX-License-Identifier: MIT */
/* Test aid: net_client SECONDS URL... asks each URL through csm_net and prints "CLASS STATUS ATTEMPTS LENGTH TEXT". */
#include <cryptosmart/cryptosmart.h>

#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments) {
    csm_context *context = NULL;
    csm_net *net = NULL;
    csm_net_options options;
    csm_net_options_init(&options);
    const csm_net_source source = {.name = "replay",
                                   .rate = 1000,
                                   .burst = 10,
                                   .attempts = 3,
                                   .in_flight = 1,
                                   .backoff_first = CSM_MILLISECOND,
                                   .backoff_last = 10 * CSM_MILLISECOND};
    options.total_timeout = count > 1 ? (csm_time)(atof(arguments[1]) * 1e9) : 0;
    csm_status status = csm_context_new(&context, NULL);
    if (!status) status = csm_net_new(&net, context, &options);
    for (int i = 2; !status && i < count; i++) {
        const csm_net_request request = {.url = arguments[i]};
        csm_net_replies *replies = NULL;
        status = csm_net_perform(&replies, net, context, &source, &request, 1, NULL, NULL);
        const csm_net_reply *reply = csm_net_replies_at(replies, 0);
        if (!status)
            printf("%s %d %u %zu %s\n", csm_net_class_name(reply->net_class), (int)reply->http_status,
                   (unsigned)reply->attempts, reply->length, reply->text);
        csm_net_replies_free(replies);
    }
    if (status) fprintf(stderr, "%s\n", csm_error_message());
    csm_net_free(net);
    csm_context_free(context);
    return status ? 1 : 0;
}
