/* SPDX-License-Identifier: MIT */
#include "net/internal.h"

csm_status csm_net_replies_new(csm_net_replies **out, size_t count) {
    csm_net_replies *replies = csm_alloc_array(1, sizeof *replies);
    if (!replies) return CSM_ENOMEM;
    replies->answers = csm_alloc_array(count, sizeof *replies->answers);
    if (!replies->answers) {
        csm_dealloc(replies);
        return CSM_ENOMEM;
    }
    replies->count = count;
    for (size_t i = 0; i < count; i++) {
        replies->answers[i].reply.sent = CSM_TIME_MIN;
        replies->answers[i].reply.received = CSM_TIME_MIN;
        replies->answers[i].reply.retry_at = CSM_TIME_MIN;
    }
    *out = replies;
    return CSM_OK;
}

void csm_net_replies_free(csm_net_replies *replies) {
    if (!replies) return;
    for (size_t i = 0; i < replies->count; i++) {
        csm_buffer_free(&replies->answers[i].body);
        csm_dealloc(replies->answers[i].url);
    }
    csm_dealloc(replies->answers);
    csm_dealloc(replies);
}

void csm_net_answer_bind(csm_net_answer *answer) {
    csm_net_reply *reply = &answer->reply;
    reply->url = answer->url ? answer->url : "";
    reply->content_type = answer->content_type;
    reply->body = answer->body.data ? answer->body.data : "";
    reply->length = answer->body.data ? answer->body.length : 0;
    reply->text = answer->text;
}

size_t csm_net_replies_count(const csm_net_replies *replies) {
    return replies ? replies->count : 0;
}

const csm_net_reply *csm_net_replies_at(const csm_net_replies *replies, size_t index) {
    return replies && index < replies->count ? &replies->answers[index].reply : NULL;
}
