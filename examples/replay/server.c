/* SPDX-License-Identifier: MIT */
/* HTTP on loopback: /0/public/METHOD for clients, /replay/COMMAND for whoever leads the test. */
#include "replay.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define SLOW_SLICES 20

typedef struct reply {
    text body;
    unsigned status;
    const char *type;
    fault_kind fault;
} reply;

/* ---- a body that comes slowly, or only in part ---- */

typedef struct feed {
    char *data;
    size_t length; /* of what is declared */
    size_t given;  /* of what is sent before the connection breaks */
    size_t slice;
    double pause; /* seconds between slices */
} feed;

static ssize_t feed_read(void *user, uint64_t position, char *buffer, size_t most) {
    const feed *f = user;
    if (position >= f->given) return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t n = f->given - (size_t)position;
    if (n > most) n = most;
    if (f->pause > 0) {
        const struct timespec wait = {(time_t)f->pause, (long)((f->pause - (double)(time_t)f->pause) * 1e9)};
        nanosleep(&wait, NULL);
        if (n > f->slice) n = f->slice;
    }
    memcpy(buffer, f->data + position, n);
    return (ssize_t)n;
}

static void feed_free(void *user) {
    feed *f = user;
    free(f->data);
    free(f);
}

static struct MHD_Response *make_response(const replay *r, reply *a) {
    if (a->fault != FAULT_CUT && a->fault != FAULT_SLOW) {
        char *data = a->body.data ? a->body.data : take_memory(1);
        a->body.data = NULL;
        return MHD_create_response_from_buffer(a->body.length, data, MHD_RESPMEM_MUST_FREE);
    }
    feed *f = take_memory(sizeof *f);
    f->data = a->body.data ? a->body.data : take_memory(1);
    f->length = a->body.length;
    f->given = a->fault == FAULT_CUT ? f->length / 2 : f->length;
    f->slice = f->length / SLOW_SLICES + 1;
    f->pause = a->fault == FAULT_SLOW ? r->options.slow_seconds / SLOW_SLICES : 0;
    a->body.data = NULL;
    return MHD_create_response_from_callback(f->length, 65536, feed_read, f, feed_free);
}

/* ---- faults ---- */

static void replace_body(reply *a, unsigned status, const char *type, const char *body) {
    text_free(&a->body);
    text_add(&a->body, "%s", body);
    a->status = status;
    a->type = type;
}

/* The first row's first string becomes a number, or "result" a list where there is none. */
static void wrong_type(reply *a) {
    char *row = a->body.data ? strstr(a->body.data, "[[") : NULL;
    char *value = row ? strchr(row, '"') : NULL;
    char *end = value ? strchr(value + 1, '"') : NULL;
    if (!end) {
        replace_body(a, 200, a->type, "{\"error\":[],\"result\":[]}");
        return;
    }
    memset(value, ' ', 1);
    memset(end, ' ', 1);
}

static void spoil(reply *a, csm_time now) {
    static const char *const page = "<!DOCTYPE html><html><head><title>Web server is returning an unknown "
                                    "error</title></head><body>520</body></html>";
    char error[80];
    switch (a->fault) {
    case FAULT_RATE:
        replace_body(a, 200, a->type, "{\"error\":[\"EAPI:Rate limit exceeded\"]}");
        break;
    case FAULT_THROTTLED:
        snprintf(error, sizeof error, "{\"error\":[\"EService: Throttled: %lld\"]}",
                 (long long)(now / CSM_SECOND + 2));
        replace_body(a, 200, a->type, error);
        break;
    case FAULT_UNAVAILABLE:
        replace_body(a, 200, a->type, "{\"error\":[\"EService:Unavailable\"]}");
        break;
    case FAULT_HTTP500:
        replace_body(a, 500, "text/plain", "Internal Server Error");
        break;
    case FAULT_HTTP520HTML:
        replace_body(a, 520, "text/html; charset=UTF-8", page);
        break;
    case FAULT_HTML200:
        replace_body(a, 200, "text/html; charset=UTF-8", page);
        break;
    case FAULT_SHORT:
        a->body.length /= 2;
        break;
    case FAULT_WRONGJSON:
        if (a->body.length > 8) a->body.data[8] = '='; /* {"error"= */
        break;
    case FAULT_WRONGTYPE:
        wrong_type(a);
        break;
    case FAULT_MISSINGPAIR:
        replace_body(a, 200, a->type, "{\"error\":[],\"result\":{}}");
        break;
    case FAULT_EMPTY:
        replace_body(a, 200, a->type, "");
        break;
    default:
        break;
    }
}

/* ---- the limit of real clients ---- */

/* Calls above the rate are refused, and each refused one costs too: calling on lengthens the block. */
static bool over_limit(replay *r) {
    const double rate = r->options.limit_rate, burst = r->options.limit_burst;
    if (rate <= 0) return false;
    const csm_time now = real_now();
    r->tokens += (double)(now - r->token_time) / 1e9 * rate;
    r->token_time = now;
    if (r->tokens > burst) r->tokens = burst;
    if (r->tokens < -burst) r->tokens = -burst;
    r->tokens -= 1;
    return r->tokens < 0;
}

/* ---- routing ---- */

static const char *argument(struct MHD_Connection *c, const char *name) {
    return MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name);
}

static void answer_public(replay *r, struct MHD_Connection *c, const char *method, reply *a) {
    const query q = {argument(c, "pair"),  argument(c, "asset"), argument(c, "interval"),
                     argument(c, "since"), argument(c, "count"), argument(c, "assetVersion")};
    const csm_time now = clock_now(&r->clock);
    const answer_fn answer = answer_find(method);
    r->requests++;
    if (over_limit(r)) {
        answer_error(&a->body, "EAPI:Rate limit exceeded");
        return;
    }
    if (answer)
        answer(r, &q, now, &a->body);
    else
        answer_error(&a->body, "EGeneral:Unknown method");
    a->fault = fault_next(&r->fault);
    spoil(a, now);
}

static void add_status(replay *r, text *out) {
    char when[CSM_TIME_TEXT];
    const csm_time now = clock_now(&r->clock);
    size_t listed = 0, with_bars = 0;
    for (size_t i = 0; i < r->pair_count; i++) {
        listed += market_listed(r, &r->pairs[i], now);
        with_bars += market_source(&r->pairs[i], CSM_DAY, CSM_DAY, now) != 0;
    }
    text_add(out,
             "{\"time\":\"%s\",\"unixtime\":%lld,\"speed\":%g,\"pairs\":%zu,\"listed\":%zu,\"with_bars\":%zu,"
             "\"requests\":%llu,\"fault\":\"%s\",\"faults_served\":%llu}",
             csm_time_format(now, when, sizeof when), (long long)(now / CSM_SECOND), r->clock.speed,
             r->pair_count, listed, with_bars, (unsigned long long)r->requests, fault_name(r->fault.kind),
             (unsigned long long)r->fault.served);
}

static bool command_step(replay *r, const char *seconds) {
    char *end = NULL;
    const double by = seconds ? strtod(seconds, &end) : 0;
    if (!seconds || end == seconds || *end || !(by >= 0 && by <= 4e8)) return false;
    clock_step(&r->clock, (csm_time)(by * 1e9));
    return true;
}

static bool command_time(replay *r, const char *set) {
    csm_time now = 0;
    if (!set) return true;
    if (csm_time_parse(&now, set, strlen(set))) return false;
    clock_set(&r->clock, now);
    return true;
}

static bool command_fault(replay *r, struct MHD_Connection *c) {
    uint64_t count = UINT64_MAX, every = 1;
    const char *kind = argument(c, "kind");
    if (!kind || !fault_parse(&r->fault, kind)) return false;
    if (!answer_count(&count, argument(c, "count"), UINT64_MAX, UINT64_MAX) ||
        !answer_count(&every, argument(c, "every"), r->fault.every, UINT64_MAX) || every == 0)
        return false;
    r->fault.left = count;
    r->fault.every = every;
    return true;
}

static bool command_list(replay *r, const char *name, bool delisted) {
    for (size_t i = 0; name && i < r->pair_count; i++) {
        pair *p = &r->pairs[i];
        if (strcmp(p->id, name) != 0 && strcmp(p->altname, name) != 0 && strcmp(p->symbol, name) != 0)
            continue;
        p->delisted = delisted;
        return true;
    }
    return false;
}

static bool command_system(replay *r, const char *status) {
    if (!status || strlen(status) >= sizeof r->system_status || strpbrk(status, "\"\\")) return false;
    snprintf(r->system_status, sizeof r->system_status, "%s", status);
    return true;
}

static void answer_control(replay *r, struct MHD_Connection *c, const char *command, reply *a) {
    bool good = false;
    if (strcmp(command, "status") == 0)
        good = true;
    else if (strcmp(command, "step") == 0)
        good = command_step(r, argument(c, "seconds"));
    else if (strcmp(command, "time") == 0)
        good = command_time(r, argument(c, "set"));
    else if (strcmp(command, "fault") == 0)
        good = command_fault(r, c);
    else if (strcmp(command, "delist") == 0)
        good = command_list(r, argument(c, "pair"), true);
    else if (strcmp(command, "relist") == 0)
        good = command_list(r, argument(c, "pair"), false);
    else if (strcmp(command, "system") == 0)
        good = command_system(r, argument(c, "status"));
    if (good) {
        add_status(r, &a->body);
        return;
    }
    a->status = 400;
    text_add(&a->body, "{\"error\":\"unknown command or wrong argument; see docs/replay.md\"}");
}

static enum MHD_Result handle(void *user, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state) {
    replay *r = user;
    reply a = {.status = 200, .type = "application/json; charset=utf-8"};
    (void)version;
    (void)upload;
    if (!*state) { /* called once for the head, again when the request is whole */
        *state = r;
        return MHD_YES;
    }
    if (*upload_size) {
        *upload_size = 0;
        return MHD_YES;
    }
    pthread_mutex_lock(&r->mutex);
    if (strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0) {
        a.status = 405;
    } else if (strncmp(url, "/0/public/", 10) == 0) {
        answer_public(r, c, url + 10, &a);
    } else if (strncmp(url, "/replay/", 8) == 0) {
        answer_control(r, c, url + 8, &a);
    } else {
        a.status = 404;
        answer_error(&a.body, "EGeneral:Unknown method");
    }
    pthread_mutex_unlock(&r->mutex);
    struct MHD_Response *response = make_response(r, &a);
    enum MHD_Result result = MHD_NO;
    if (response) {
        MHD_add_response_header(response, "Content-Type", a.type);
        MHD_add_response_header(response, "Cache-Control", "no-store");
        result = MHD_queue_response(c, a.status, response);
        MHD_destroy_response(response);
    }
    text_free(&a.body);
    return result;
}

/* ---- running ---- */

bool server_run(replay *r, const sigset_t *ends) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(r->options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    signal(SIGPIPE, SIG_IGN);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, r->options.port, NULL, NULL, handle,
        r, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)(void *)&address, MHD_OPTION_END);
    if (!daemon) {
        fprintf(stderr, "cryptosmart-replay: cannot listen on 127.0.0.1:%u\n", (unsigned)r->options.port);
        return false;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    printf("listening on http://127.0.0.1:%u\n", info ? (unsigned)info->port : (unsigned)r->options.port);
    fflush(stdout);
    int which = 0;
    sigwait(ends, &which);
    MHD_stop_daemon(daemon);
    return true;
}
