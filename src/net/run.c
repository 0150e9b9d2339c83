/* SPDX-License-Identifier: MIT */
#include "net/run.h"

#include <stdio.h>
#include <string.h>

#define FAILED_IN_A_ROW_MOST                                                                                 \
    5 /* or the source's attempts if more: then it counts as down for the rest of the call */

static const char *method_of(const csm_errand *errand) {
    return errand->request->body ? "POST" : "GET";
}

/* ---- when to stop ---- */

static bool limited_out(const csm_run *run) {
    return run->limited_in_a_row >= run->source->attempts;
}

static bool down(const csm_run *run) {
    return run->failed_in_a_row >= FAILED_IN_A_ROW_MOST && run->failed_in_a_row >= run->source->attempts;
}

bool csm_run_stopped(const csm_run *run) {
    return run->limit->latch_reason || limited_out(run) || down(run);
}

csm_status csm_run_refuse(csm_run *run, csm_errand *errand) {
    csm_net_answer *answer = errand->answer;
    csm_net_reply *reply = &answer->reply;
    if (run->limit->latch_reason) {
        reply->net_class = CSM_NET_LATCHED;
        snprintf(answer->text, sizeof answer->text, "not sent: %s is switched off: %.150s", run->source->name,
                 run->limit->latch_reason);
    } else if (limited_out(run)) {
        reply->net_class = CSM_NET_LIMITED;
        reply->retry_at = run->limit->paused_until;
        snprintf(answer->text, sizeof answer->text, "not sent: %s is over its limit", run->source->name);
    } else {
        reply->net_class = CSM_NET_TRANSIENT;
        snprintf(answer->text, sizeof answer->text, "not sent: %u tries in a row failed, the last: %.120s",
                 (unsigned)run->failed_in_a_row, run->last_failure);
    }
    return csm_run_settle(run, errand);
}

csm_status csm_run_postpone(csm_run *run, csm_errand *errand, csm_time ready) {
    char when[CSM_TIME_TEXT];
    errand->answer->reply.net_class = CSM_NET_LIMITED;
    errand->answer->reply.retry_at = ready;
    snprintf(errand->answer->text, sizeof errand->answer->text, "over the limit until %s",
             csm_time_format(ready, when, sizeof when));
    return csm_run_settle(run, errand);
}

/* ---- settling ---- */

static csm_status latch(csm_run *run, const csm_net_answer *answer) {
    char reason[CSM_NET_TEXT + 16];
    snprintf(reason, sizeof reason, "%s", answer->text[0] ? answer->text : "credentials refused");
    csm_log_write(run->context, CSM_LOG_WARN, CSM_NET_MODULE,
                  "%s is switched off until its configuration changes: %s", run->source->name, reason);
    if (run->net->options.cassette_mode == CSM_CASSETTE_REPLAY) {
        run->limit->latch_reason = csm_strdup(reason);
        return run->limit->latch_reason ? CSM_OK : CSM_ENOMEM;
    }
    return csm_net_latch(run->net, run->source->name, reason);
}

csm_status csm_run_settle(csm_run *run, csm_errand *errand) {
    csm_net_answer *answer = errand->answer;
    const csm_net_reply *reply = &answer->reply;
    errand->state = CSM_ERRAND_DONE;
    run->open--;
    csm_status status = csm_net_scrub_text(answer->text, sizeof answer->text, errand->request,
                                           run->source->secret_parameters);
    if (status) return status;
    if (reply->net_class == CSM_NET_OK) answer->text[0] = '\0';
    csm_net_answer_bind(answer);
    const bool refused = reply->net_class == CSM_NET_AUTH || reply->net_class == CSM_NET_LATCHED;
    if (refused && !run->limit->latch_reason) status = latch(run, answer);
    if (!status && run->on_reply && run->on_reply(run->user, errand->index, reply) != 0)
        status = csm_fail(CSM_ECANCELLED, "net: %s: cancelled by on_reply after request %zu",
                          run->source->name, errand->index);
    return status;
}

/* ---- judging ---- */

/* Lets the source judge the body; its class stands. */
static csm_status classify(csm_run *run, csm_net_answer *answer) {
    csm_net_reply *reply = &answer->reply;
    if (!run->source->classify || reply->http_status == 0 || reply->length == 0) return CSM_OK;
    char text[CSM_NET_TEXT] = "";
    csm_time retry_at = reply->retry_at;
    const uint32_t net_class = run->source->classify(run->source->user, reply, &retry_at, text, sizeof text);
    if (net_class > CSM_NET_PARSE)
        return csm_fail(CSM_EINVAL, "net: %s: classify gave the unknown class %u", run->source->name,
                        (unsigned)net_class);
    text[sizeof text - 1] = '\0';
    if (text[0] || net_class != reply->net_class) snprintf(answer->text, sizeof answer->text, "%s", text);
    reply->net_class = net_class;
    reply->retry_at = retry_at;
    return CSM_OK;
}

/* Whether another try may help and is left. */
static bool may_retry(const csm_run *run, const csm_errand *errand) {
    const csm_net_reply *reply = &errand->answer->reply;
    const bool passing = reply->net_class == CSM_NET_TRANSIENT || reply->net_class == CSM_NET_LIMITED;
    return passing && reply->attempts < run->source->attempts;
}

/* The limit is the source's, not the request's: nothing is sent before `until`. Several answers that were on the wire
 * together count once. */
static void pause_source(csm_run *run, const csm_errand *errand, csm_time until) {
    if (errand->limits_seen == run->limited_in_all) {
        run->limited_in_all++;
        run->limited_in_a_row++;
    }
    if (until > run->limit->paused_until) run->limit->paused_until = until;
    run->net->limits.dirty = true;
}

/* A source that fails request after request is given time, whichever request comes next. */
static void count_failure(csm_run *run, const csm_errand *errand, csm_time now) {
    snprintf(run->last_failure, sizeof run->last_failure, "%s", errand->answer->text);
    if (errand->failures_seen != run->failed_in_all) return;
    run->failed_in_all++;
    run->failed_in_a_row++;
    if (run->failed_in_a_row > 1)
        run->resume_at = now + csm_retry_backoff(run->source, csm_context_seed(run->context),
                                                 run->source->name, run->failed_in_a_row - 1, true);
}

/* Decides what a judged answer means for the errand and for its source. */
static csm_status decide(csm_run *run, csm_errand *errand) {
    csm_net_reply *reply = &errand->answer->reply;
    const bool replaying = run->net->options.cassette_mode == CSM_CASSETTE_REPLAY;
    const bool limited = reply->net_class == CSM_NET_LIMITED;
    const csm_time now = replaying ? reply->received : csm_net_now(run->net, run->context);
    csm_time until = reply->retry_at;
    if (until == CSM_TIME_MIN && (limited || reply->net_class == CSM_NET_TRANSIENT))
        until = now + csm_retry_backoff(run->source, csm_context_seed(run->context), reply->url,
                                        reply->attempts, limited);
    if (limited)
        pause_source(run, errand, until);
    else if (reply->http_status != 0)
        run->limited_in_a_row = 0;
    if (reply->net_class == CSM_NET_TRANSIENT) {
        count_failure(run, errand, now);
    } else if (reply->http_status != 0) {
        run->failed_in_a_row = 0;
        run->resume_at = 0;
    }
    const bool soon = until == CSM_TIME_MIN || until - now <= run->net->options.most_wait;
    if (!may_retry(run, errand) || !soon || (limited && limited_out(run))) return csm_run_settle(run, errand);
    errand->state = CSM_ERRAND_WAITING;
    errand->not_before = until;
    csm_log_write(run->context, CSM_LOG_INFO, CSM_NET_MODULE, "%s: %s %s: try %u of %u: %s: again in %lld ms",
                  run->source->name, method_of(errand), reply->url, (unsigned)reply->attempts,
                  (unsigned)run->source->attempts, errand->answer->text,
                  (long long)((until - now) / CSM_MILLISECOND));
    return CSM_OK;
}

/* http_status, content_type, body, sent and received are known: classify, and decide. */
static csm_status judge_answer(csm_run *run, csm_errand *errand, const char *retry_after) {
    csm_net_answer *answer = errand->answer;
    csm_net_reply *reply = &answer->reply;
    csm_net_answer_bind(answer);
    reply->retry_at = CSM_TIME_MIN;
    if (reply->http_status != 0) {
        reply->net_class = csm_judge_status(reply->http_status, reply->body, reply->length, answer->text,
                                            sizeof answer->text);
        if (reply->net_class != CSM_NET_OK && retry_after[0])
            csm_retry_after_parse(&reply->retry_at, retry_after, reply->received);
    }
    csm_status status = classify(run, answer);
    if (!status)
        status = csm_net_scrub_text(answer->text, sizeof answer->text, errand->request,
                                    run->source->secret_parameters);
    if (status) return status;
    csm_log_write(run->context, CSM_LOG_DEBUG, CSM_NET_MODULE, "%s: %s %s: %d, %zu bytes, %s",
                  run->source->name, method_of(errand), reply->url, (int)reply->http_status, reply->length,
                  csm_net_class_name(reply->net_class));
    return decide(run, errand);
}

static csm_status record(csm_run *run, const csm_errand *errand, const char *retry_after) {
    if (run->net->options.cassette_mode != CSM_CASSETTE_RECORD) return CSM_OK;
    const csm_net_answer *answer = errand->answer;
    const csm_net_reply *reply = &answer->reply;
    csm_buffer body = {0};
    csm_status status = CSM_OK;
    if (answer->body.length)
        status = csm_net_scrub(&body, answer->body.data, answer->body.length, errand->request,
                               run->source->secret_parameters);
    const csm_exchange exchange = {.method = method_of(errand),
                                   .url = answer->url,
                                   .body_hash = errand->body_hash,
                                   .sent = reply->sent,
                                   .received = reply->received,
                                   .http_status = reply->http_status,
                                   .failure_class = reply->net_class,
                                   .failure = answer->text,
                                   .content_type = answer->content_type,
                                   .retry_after = retry_after,
                                   .body = body.data ? body.data : "",
                                   .length = body.length};
    if (!status) status = csm_cassette_add(run->net->cassette, &exchange);
    csm_buffer_free(&body);
    return status;
}

csm_status csm_run_arrived(csm_run *run, csm_errand *errand, CURLcode code) {
    csm_transfer *transfer = &errand->transfer;
    csm_net_answer *answer = errand->answer;
    csm_net_reply *reply = &answer->reply;
    long http_status = 0;
    char retry_after[sizeof transfer->retry_after];
    reply->received = csm_context_now(run->context);
    answer->text[0] = '\0';
    if (code == CURLE_OK) curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http_status);
    reply->http_status = http_status > 0 && http_status < 1000 ? (int32_t)http_status : 0;
    if (code != CURLE_OK || reply->http_status == 0) {
        reply->net_class = csm_judge_transport(transfer, code, answer->text, sizeof answer->text);
        csm_buffer_free(&answer->body); /* a part of an answer is no answer */
    }
    memcpy(retry_after, transfer->retry_after, sizeof retry_after);
    memcpy(answer->content_type, transfer->content_type, sizeof answer->content_type);
    const bool no_memory = transfer->out_of_memory || code == CURLE_OUT_OF_MEMORY;
    csm_transfer_end(transfer, run->net, false);
    if (no_memory) return csm_fail(CSM_ENOMEM, "net: %s: no memory for the answer", reply->url);
    csm_status status = csm_net_scrub_text(answer->text, sizeof answer->text, errand->request,
                                           run->source->secret_parameters);
    if (!status)
        status = csm_net_scrub_text(answer->content_type, sizeof answer->content_type, errand->request,
                                    run->source->secret_parameters);
    if (!status) status = record(run, errand, retry_after);
    return status ? status : judge_answer(run, errand, retry_after);
}

csm_status csm_run_play(csm_run *run, csm_errand *errand, bool *played) {
    csm_net_answer *answer = errand->answer;
    csm_net_reply *reply = &answer->reply;
    size_t recorded = 0;
    const csm_exchange *exchange =
        csm_cassette_next(run->net->cassette, method_of(errand), answer->url, errand->body_hash, &recorded);
    *played = exchange != NULL;
    errand->recorded = recorded;
    if (!exchange) return CSM_OK;
    errand->limits_seen = run->limited_in_all;
    errand->failures_seen = run->failed_in_all;
    reply->attempts++;
    reply->replayed = 1;
    reply->sent = exchange->sent;
    reply->received = exchange->received;
    if (reply->received > run->last_received) run->last_received = reply->received;
    reply->http_status = exchange->http_status;
    reply->net_class = exchange->failure_class;
    snprintf(answer->text, sizeof answer->text, "%s", exchange->failure);
    snprintf(answer->content_type, sizeof answer->content_type, "%s", exchange->content_type);
    csm_buffer_free(&answer->body);
    const csm_status status =
        exchange->length ? csm_buffer_append(&answer->body, exchange->body, exchange->length) : CSM_OK;
    return status ? status : judge_answer(run, errand, exchange->retry_after);
}

csm_status csm_run_unplayed(csm_run *run, csm_errand *errand) {
    if (csm_run_stopped(run)) return csm_run_refuse(run, errand);
    if (run->limit->paused_until > run->last_received)
        return csm_run_postpone(run, errand, run->limit->paused_until);
    csm_net_answer *answer = errand->answer;
    answer->reply.net_class = CSM_NET_PERMANENT;
    answer->reply.http_status = 0;
    answer->reply.retry_at = CSM_TIME_MIN;
    csm_buffer_free(&answer->body);
    snprintf(answer->text, sizeof answer->text, "the cassette has no %sanswer to %s %.120s",
             errand->recorded ? "further " : "", method_of(errand), answer->url);
    return csm_run_settle(run, errand);
}
