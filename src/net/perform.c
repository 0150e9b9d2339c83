/* SPDX-License-Identifier: MIT */
/* One call's requests on their way: waiting for a token, on the wire, judged, tried again, settled. */
#include "net/run.h"

#include "core/platform.h"

#include <stddef.h>
#include <string.h>

#define CSM_NET_TICK_MS 40 /* longest sleep between looks at cancel: a cancel ends the call within 100 ms */

/* ---- checking the call ---- */

static csm_status check_source(csm_run *run, const csm_net_source *source) {
    if (!source || !source->name || !*source->name)
        return csm_fail(CSM_EINVAL, "net: the source has no name");
    if (source->attempts < 1 || source->attempts > 10)
        return csm_fail(CSM_EINVAL, "net: %s: %u attempts are outside 1..10", source->name,
                        (unsigned)source->attempts);
    if (source->in_flight < 1 || source->in_flight > 64)
        return csm_fail(CSM_EINVAL, "net: %s: %u requests in flight are outside 1..64", source->name,
                        (unsigned)source->in_flight);
    if (source->backoff_first < 0 || source->backoff_last < source->backoff_first ||
        source->backoff_last > CSM_DAY)
        return csm_fail(CSM_EINVAL, "net: %s: backoff %lld..%lld ns is not 0 <= first <= last <= 1 day",
                        source->name, (long long)source->backoff_first, (long long)source->backoff_last);
    csm_status status = csm_bucket_rule_make(&run->rule, source->name, source->rate, source->burst);
    run->keyed = source->key_rate > 0;
    if (!status && !(source->key_rate >= 0))
        status = csm_fail(CSM_EINVAL, "net: %s: key_rate %g is negative", source->name, source->key_rate);
    if (!status && run->keyed)
        status = csm_bucket_rule_make(&run->key_rule, source->name, source->key_rate, source->key_burst);
    return status;
}

static csm_status check_request(const csm_net_request *request, size_t index) {
    if (!request->url) return csm_fail(CSM_EINVAL, "net: request %zu has no URL", index);
    if (!request->body && request->body_length)
        return csm_fail(CSM_EINVAL, "net: request %zu has a body length without a body", index);
    for (const char *const *header = request->headers; header && *header; header++)
        if (!strchr(*header, ':') || strpbrk(*header, "\r\n"))
            return csm_fail(CSM_EINVAL, "net: request %zu: a header is not one line \"Name: value\"", index);
    return CSM_OK;
}

static csm_status prepare_one(csm_run *run, size_t index) {
    const csm_net_request *request = &run->requests[index];
    csm_errand *errand = &run->errands[index];
    csm_net_answer *answer = &run->replies->answers[index];
    csm_status status = check_request(request, index);
    if (status) return status;
    errand->request = request;
    errand->answer = answer;
    errand->index = index;
    const size_t room = strlen(request->url) * 3 + 16; /* a mask is longer than what it hides by 3 at most */
    answer->url = csm_alloc(room);
    if (!answer->url) return CSM_ENOMEM;
    csm_net_redact(request->url, run->source->secret_parameters, answer->url, room);
    csm_net_answer_bind(answer);
    if (request->body) {
        const csm_hash hash = csm_hash_bytes(request->body, request->body_length);
        csm_hash_format(&hash, errand->body_hash);
    }
    if (run->keyed && request->key && *request->key)
        status = csm_limits_bucket_ruled(&errand->bucket, &run->net->limits, run->source->name, request->key,
                                         &run->key_rule);
    return status;
}

static csm_status prepare(csm_run *run) {
    csm_net *net = run->net;
    csm_status status = csm_net_replies_new(&run->replies, run->n);
    if (status) return status;
    run->errands = csm_alloc_array(run->n, sizeof *run->errands);
    if (!run->errands) return CSM_ENOMEM;
    run->open = run->n;
    status = csm_limits_source(&run->limit, &net->limits, run->source->name);
    if (!status)
        status = csm_limits_bucket_ruled(&run->bucket, &net->limits, run->source->name, "", &run->rule);
    for (size_t i = 0; !status && i < run->n; i++) status = prepare_one(run, i);
    return status;
}

/* ---- sending ---- */

/* When the errand may be sent, by pause, buckets and its own backoff; <= now when it may. */
static csm_time ready_at(const csm_run *run, const csm_errand *errand, csm_time now) {
    csm_time ready = errand->not_before > run->resume_at ? errand->not_before : run->resume_at;
    const csm_time token = csm_bucket_ready(run->bucket, &run->rule, now);
    if (token > ready) ready = token;
    if (run->limit->paused_until > ready) ready = run->limit->paused_until;
    if (errand->bucket) {
        const csm_time key = csm_bucket_ready(errand->bucket, &run->key_rule, now);
        if (key > ready) ready = key;
    }
    return ready;
}

static csm_status send_one(csm_run *run, csm_errand *errand, csm_time now) {
    csm_net *net = run->net;
    csm_net_answer *answer = errand->answer;
    bool loopback = false;
    if (!csm_url_allowed(&loopback, errand->request->url, answer->text, sizeof answer->text)) {
        answer->reply.net_class = CSM_NET_PERMANENT;
        return csm_run_settle(run, errand);
    }
    csm_bucket_take(run->bucket, &run->rule, now);
    if (errand->bucket) csm_bucket_take(errand->bucket, &run->key_rule, now);
    net->limits.dirty = true;
    /* A crash must not give spent tokens back: those of slow buckets are written before they are used. */
    const bool slow =
        run->rule.interval >= 10 * CSM_SECOND || (run->keyed && run->key_rule.interval >= 10 * CSM_SECOND);
    csm_status status = CSM_OK;
    if (slow || net->saved == CSM_TIME_MIN || now - net->saved >= CSM_SECOND)
        status = csm_net_save(net, run->context);
    if (!status) {
        errand->limits_seen = run->limited_in_all;
        errand->failures_seen = run->failed_in_all;
        answer->reply.attempts++;
        answer->reply.sent = csm_context_now(run->context);
        status = csm_transfer_start(&errand->transfer, net, errand->request, &answer->body, loopback);
    }
    if (!status) {
        errand->state = CSM_ERRAND_RUNNING;
        run->running++;
    }
    return status;
}

/* Sends what may be sent; *wake gets the time of the next that may. */
static csm_status send_ready(csm_run *run, csm_time *wake) {
    csm_status status = CSM_OK;
    while (run->first_open < run->n && run->errands[run->first_open].state == CSM_ERRAND_DONE)
        run->first_open++;
    for (size_t i = run->first_open; !status && i < run->n && run->running < run->source->in_flight; i++) {
        csm_errand *errand = &run->errands[i];
        if (errand->state != CSM_ERRAND_WAITING) continue;
        if (csm_run_stopped(run)) {
            status = csm_run_refuse(run, errand);
            continue;
        }
        const csm_time now = csm_net_now(run->net, run->context);
        const csm_time ready = ready_at(run, errand, now);
        if (ready <= now) {
            status = send_one(run, errand, now);
            continue;
        }
        if (ready - now > run->net->options.most_wait && ready > errand->not_before && ready > run->resume_at)
            status = csm_run_postpone(run, errand, ready);
        else if (ready < *wake)
            *wake = ready;
    }
    return status;
}

/* ---- the loop ---- */

static csm_status collect(csm_run *run, bool *any) {
    CURLMsg *message = NULL;
    int left = 0;
    csm_status status = CSM_OK;
    *any = false;
    while (!status && (message = curl_multi_info_read(run->net->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        char *private_data = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private_data);
        csm_errand *errand = (csm_errand *)(void *)(private_data - offsetof(csm_errand, transfer));
        run->running--;
        *any = true;
        status = csm_run_arrived(run, errand, message->data.result);
    }
    return status;
}

static int tick(const csm_run *run, csm_time wake) {
    const csm_time now = csm_net_now(run->net, run->context);
    if (wake <= now) return 1;
    const csm_time wait = (wake - now) / CSM_MILLISECOND + 1;
    return wait < CSM_NET_TICK_MS ? (int)wait : CSM_NET_TICK_MS;
}

static csm_status run_live(csm_run *run) {
    csm_status status = CSM_OK;
    while (!status && run->open > 0) {
        csm_time wake = CSM_TIME_MAX;
        int running = 0;
        bool any = false;
        status = csm_progress(run->context, "requests", run->n - run->open, run->n);
        if (!status) status = send_ready(run, &wake);
        if (!status && curl_multi_perform(run->net->multi, &running) != CURLM_OK)
            status = csm_fail(CSM_ENOMEM, "net: %s: libcurl cannot go on", run->source->name);
        if (!status) status = collect(run, &any);
        if (!status && !any && run->open > 0)
            curl_multi_poll(run->net->multi, NULL, 0, tick(run, wake), NULL);
    }
    return status;
}

/* Request by request; what has no answer on the tape is settled last, when the fate of the source is known. */
static csm_status run_cassette(csm_run *run) {
    csm_status status = CSM_OK;
    for (size_t i = 0; !status && i < run->n; i++) {
        csm_errand *errand = &run->errands[i];
        bool played = true;
        status = csm_progress(run->context, "requests", i, run->n);
        while (!status && played && errand->state == CSM_ERRAND_WAITING)
            status = csm_run_play(run, errand, &played);
    }
    for (size_t i = 0; !status && i < run->n; i++)
        if (run->errands[i].state == CSM_ERRAND_WAITING) status = csm_run_unplayed(run, &run->errands[i]);
    return status;
}

static void end_transfers(csm_run *run) {
    for (size_t i = 0; run->errands && i < run->n; i++)
        csm_transfer_end(&run->errands[i].transfer, run->net, true);
}

csm_status csm_net_perform(csm_net_replies **out, csm_net *net, csm_context *context,
                           const csm_net_source *source, const csm_net_request *requests, size_t n,
                           csm_net_reply_fn on_reply, void *user) {
    if (!out || !net || !context || (!requests && n))
        return csm_fail(CSM_EINVAL, "net: out, net, context or requests is NULL");
    *out = NULL;
    if (net->performing) return csm_fail(CSM_EINVAL, "net: csm_net_perform within on_reply");
    csm_run run = {.net = net,
                   .context = context,
                   .source = source,
                   .requests = requests,
                   .n = n,
                   .on_reply = on_reply,
                   .user = user};
    csm_status status = check_source(&run, source);
    if (status) return status;
    net->performing = true;
    status = prepare(&run);
    if (!status)
        status = net->options.cassette_mode == CSM_CASSETTE_REPLAY ? run_cassette(&run) : run_live(&run);
    end_transfers(&run);
    if (!status) {
        status = csm_net_save(net, context);
    } else { /* the first failure's text stands; what was spent is saved as far as possible */
        char *kept = csm_strdup(csm_error_message());
        if (csm_net_save(net, context) != CSM_OK)
            csm_log_write(context, CSM_LOG_ERROR, CSM_NET_MODULE, "buckets and latches are not saved: %s",
                          csm_error_message());
        if (kept) csm_fail(status, "%s", kept);
        csm_dealloc(kept);
    }
    net->performing = false;
    csm_dealloc(run.errands);
    if (status)
        csm_net_replies_free(run.replies);
    else
        *out = run.replies;
    return status;
}
