/* SPDX-License-Identifier: MIT */
#include "net/internal.h"

#include "core/platform.h"

#include <stdio.h>
#include <string.h>

typedef struct class_row {
    const char *name;
    csm_status status;
} class_row;

static const class_row classes[] = {
    [CSM_NET_OK] = {"OK", CSM_OK},
    [CSM_NET_EMPTY] = {"EMPTY", CSM_OK},
    [CSM_NET_LIMITED] = {"LIMITED", CSM_ELIMITED},
    [CSM_NET_TRANSIENT] = {"TRANSIENT", CSM_ETRANSIENT},
    [CSM_NET_PERMANENT] = {"PERMANENT", CSM_EPERMANENT},
    [CSM_NET_AUTH] = {"AUTH", CSM_EAUTH},
    [CSM_NET_LATCHED] = {"LATCHED", CSM_EAUTH},
    [CSM_NET_PARSE] = {"PARSE", CSM_EPARSE},
};

#define CLASS_COUNT (sizeof classes / sizeof classes[0])

const char *csm_net_class_name(uint32_t net_class) {
    return net_class < CLASS_COUNT ? classes[net_class].name : "UNKNOWN";
}

csm_status csm_net_class_status(uint32_t net_class) {
    return net_class < CLASS_COUNT ? classes[net_class].status : CSM_EINVAL;
}

void csm_net_options_init(csm_net_options *options) {
    if (!options) return;
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
    options->connect_timeout = 10 * CSM_SECOND;
    options->total_timeout = 60 * CSM_SECOND;
    options->most_bytes = (uint64_t)64 << 20;
    options->most_wait = 2 * CSM_MINUTE;
}

static csm_status check_options(const csm_net_options *o) {
    if (o->connect_timeout <= 0 || o->connect_timeout > CSM_DAY)
        return csm_fail(CSM_EINVAL, "net: connect_timeout %lld ns is outside 1 ns..1 day",
                        (long long)o->connect_timeout);
    if (o->total_timeout <= 0 || o->total_timeout > CSM_DAY)
        return csm_fail(CSM_EINVAL, "net: total_timeout %lld ns is outside 1 ns..1 day",
                        (long long)o->total_timeout);
    if (o->most_wait < 0 || o->most_wait > 400 * CSM_DAY)
        return csm_fail(CSM_EINVAL, "net: most_wait %lld ns is outside 0..400 days", (long long)o->most_wait);
    if (o->most_bytes == 0 || o->most_bytes > (uint64_t)1 << 40)
        return csm_fail(CSM_EINVAL, "net: most_bytes %llu is outside 1..2^40",
                        (unsigned long long)o->most_bytes);
    if (o->cassette_mode > CSM_CASSETTE_REPLAY)
        return csm_fail(CSM_EINVAL, "net: cassette_mode %u is unknown", (unsigned)o->cassette_mode);
    if ((o->cassette_mode != CSM_CASSETTE_OFF) != (o->cassette_path != NULL))
        return csm_fail(CSM_EINVAL, "net: cassette_mode and cassette_path go together");
    if (o->user_agent && strpbrk(o->user_agent, "\r\n"))
        return csm_fail(CSM_EINVAL, "net: user_agent has a line break");
    return CSM_OK;
}

static csm_status copy_text(char **out, const char *text) {
    if (!text) return CSM_OK;
    *out = csm_strdup(text);
    return *out ? CSM_OK : CSM_ENOMEM;
}

static csm_status copy_options(csm_net *net, const csm_net_options *o) {
    char agent[64];
    snprintf(agent, sizeof agent, "cryptosmart/%s", csm_version());
    net->options = *o;
    net->options.cassette_path = NULL;
    csm_status status = copy_text(&net->user_agent, o->user_agent ? o->user_agent : agent);
    if (!status) status = copy_text(&net->ca_path, o->ca_path);
    /* A replay stands outside time: it reads and writes no state. */
    if (!status && o->cassette_mode != CSM_CASSETTE_REPLAY)
        status = copy_text(&net->state_path, o->state_path);
    net->options.user_agent = net->user_agent;
    net->options.ca_path = net->ca_path;
    net->options.state_path = net->state_path;
    return status;
}

static csm_status open_state(csm_net *net, csm_context *context) {
    if (!net->state_path) return CSM_OK;
    char *lock_path = csm_strformat("%s.lock", net->state_path);
    if (!lock_path) return CSM_ENOMEM;
    csm_status status = csm_lock_take(&net->lock, lock_path);
    csm_dealloc(lock_path);
    if (!status) status = csm_state_load(&net->limits, context, net->state_path, csm_net_now(net, context));
    return status;
}

static csm_status open_cassette(csm_net *net, const csm_net_options *o) {
    if (o->cassette_mode == CSM_CASSETTE_RECORD) return csm_cassette_record(&net->cassette, o->cassette_path);
    if (o->cassette_mode == CSM_CASSETTE_REPLAY) return csm_cassette_play(&net->cassette, o->cassette_path);
    return CSM_OK;
}

/* libcurl counts its global users; the count taken here is never given back, because a host that began to use libcurl
 * after us may rely on it without knowing (docs/net.md). */
static csm_status open_curl(csm_net *net) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return csm_fail(CSM_EUNSUPPORTED, "net: libcurl cannot be initialised");
    net->multi = curl_multi_init();
    return net->multi ? CSM_OK : csm_fail(CSM_ENOMEM, "net: no memory for libcurl");
}

csm_status csm_net_new(csm_net **out, csm_context *context, const csm_net_options *options) {
    if (!out || !context) return csm_fail(CSM_EINVAL, "net: out or context is NULL");
    *out = NULL;
    csm_net_options taken;
    csm_net_options_init(&taken);
    csm_status status = csm_options_take(&taken, sizeof taken, options, "csm_net_options");
    if (!status) status = check_options(&taken);
    if (status) return status;
    csm_net *net = csm_alloc_array(1, sizeof *net);
    if (!net) return CSM_ENOMEM;
    csm_limits_init(&net->limits);
    net->context = csm_context_retain(context);
    net->now = CSM_TIME_MIN;
    net->saved = CSM_TIME_MIN;
    status = copy_options(net, &taken);
    if (!status) status = open_state(net, context);
    if (!status) status = open_cassette(net, &taken);
    if (!status) status = open_curl(net);
    if (status) {
        csm_dealloc(net->state_path); /* nothing was learnt: the file stays as it is */
        net->state_path = NULL;
        csm_net_free(net);
        return status;
    }
    *out = net;
    return CSM_OK;
}

csm_status csm_net_save(csm_net *net, const csm_context *context) {
    if (!net->state_path || !net->limits.dirty) return CSM_OK;
    const csm_time now = csm_net_now(net, context);
    const csm_status status = csm_state_save(&net->limits, net->state_path, now);
    if (status) return status;
    net->limits.dirty = false;
    net->saved = now;
    return CSM_OK;
}

void csm_net_free(csm_net *net) {
    if (!net) return;
    if (net->state_path && csm_net_save(net, net->context) != CSM_OK)
        csm_log_write(net->context, CSM_LOG_ERROR, CSM_NET_MODULE, "buckets and latches are not saved: %s",
                      csm_error_message());
    if (net->multi) curl_multi_cleanup(net->multi);
    csm_cassette_free(net->cassette);
    csm_limits_free(&net->limits);
    csm_lock_release(net->lock);
    csm_dealloc(net->user_agent);
    csm_dealloc(net->state_path);
    csm_dealloc(net->ca_path);
    csm_context_release(net->context);
    csm_dealloc(net);
}

csm_status csm_net_latch(csm_net *net, const char *source, const char *reason) {
    if (!net || !source || !*source) return csm_fail(CSM_EINVAL, "net: latch: net or source is absent");
    csm_limit_source *limit = NULL;
    const csm_status status = csm_limits_source(&limit, &net->limits, source);
    if (status) return status;
    char *text = csm_strdup(reason && *reason ? reason : "no reason given");
    if (!text) return CSM_ENOMEM;
    csm_dealloc(limit->latch_reason);
    limit->latch_reason = text;
    limit->latched_at = csm_net_now(net, net->context);
    net->limits.dirty = true;
    return csm_net_save(net, net->context);
}

csm_status csm_net_unlatch(csm_net *net, const char *source) {
    if (!net || !source || !*source) return csm_fail(CSM_EINVAL, "net: unlatch: net or source is absent");
    csm_limit_source *limit = NULL;
    const csm_status status = csm_limits_source(&limit, &net->limits, source);
    if (status) return status;
    if (!limit->latch_reason) return CSM_OK;
    csm_dealloc(limit->latch_reason);
    limit->latch_reason = NULL;
    limit->latched_at = CSM_TIME_MIN;
    net->limits.dirty = true;
    return csm_net_save(net, net->context);
}
