/* SPDX-License-Identifier: MIT */
/*
 * net: one HTTP client for every source, on libcurl's multi interface. It limits, retries, classifies, redacts,
 * records and replays; sources only say what to ask and what an answer means.
 */
#ifndef CRYPTOSMART_NET_H
#define CRYPTOSMART_NET_H

#include <cryptosmart/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an answer is worth (docs/net.md). Bodies are classified before the HTTP status, and that before the data. */
typedef enum csm_net_class {
    CSM_NET_OK = 0,
    CSM_NET_EMPTY = 1,     /* an explicit "nothing here" */
    CSM_NET_LIMITED = 2,   /* over a limit: wait until retry_at */
    CSM_NET_TRANSIENT = 3, /* may pass: timeouts, 5xx, HTML from the edge */
    CSM_NET_PERMANENT = 4, /* this request will never succeed */
    CSM_NET_AUTH = 5,      /* credentials refused */
    CSM_NET_LATCHED = 6,   /* not sent: the source is switched off until its configuration changes */
    CSM_NET_PARSE = 7      /* answered, but the bytes are not what the format says */
} csm_net_class;
CSM_API const char *csm_net_class_name(uint32_t net_class);
/* Status a caller should return for a final class: OK and EMPTY give CSM_OK. */
CSM_API csm_status csm_net_class_status(uint32_t net_class);

typedef struct csm_net_reply {
    uint32_t net_class;  /* csm_net_class */
    int32_t http_status; /* 0: no answer */
    uint32_t attempts;
    uint32_t replayed; /* 1: from a cassette */
    csm_time sent;     /* of the last attempt */
    csm_time received;
    csm_time retry_at;        /* for LIMITED; CSM_TIME_MIN: unknown */
    const char *url;          /* redacted */
    const char *content_type; /* "" when absent */
    const char *body;         /* zero-terminated beyond length; lives until csm_net_replies_free */
    size_t length;
    const char *text; /* why it is not OK, redacted; "" when OK */
} csm_net_reply;

/* Judges one answer: returns a csm_net_class; may set *retry_at and put a redacted reason of < 200 bytes in text. Called
 * after transport and status rules, only when an answer with a body arrived. */
typedef uint32_t (*csm_net_classify_fn)(void *user, const csm_net_reply *reply, csm_time *retry_at,
                                        char *text, size_t text_size);

/* How one source may be asked. Strings live as long as the call. */
typedef struct csm_net_source {
    const char *name; /* "kraken" */
    double rate;      /* tokens a second of the source's bucket */
    double burst;     /* size of the bucket, >= 1 */
    double key_rate;  /* tokens a second of each key's bucket (a pair, say); 0: no bucket a key */
    double key_burst;
    uint32_t attempts;      /* most tries of one request, 1..10 */
    uint32_t in_flight;     /* most requests at once, 1..64 */
    csm_time backoff_first; /* doubles to backoff_last, with full jitter */
    csm_time backoff_last;
    csm_net_classify_fn classify; /* NULL: by HTTP status alone */
    void *user;
    /* Names of URL parameters to redact, NULL-terminated; NULL: none. One that begins with '/' is the beginning of a
     * path in which each '*' stands for a secret within one segment, such as "/bot*" with a trailing segment kept. */
    const char *const *secret_parameters;
} csm_net_source;

typedef struct csm_net_request {
    const char *url;
    const char *key;  /* bucket key within the source; NULL: none */
    const char *body; /* NULL: GET; otherwise POST */
    size_t body_length;
    const char *const
        *headers; /* "Name: value", NULL-terminated; values are redacted everywhere; NULL: none */
} csm_net_request;

typedef enum csm_cassette_mode {
    CSM_CASSETTE_OFF = 0,
    CSM_CASSETTE_RECORD = 1,
    CSM_CASSETTE_REPLAY = 2
} csm_cassette_mode;

typedef struct csm_net_options {
    size_t size;
    csm_time connect_timeout;  /* default 10 s */
    csm_time total_timeout;    /* default 60 s */
    uint64_t most_bytes;       /* of one body after decompression; default 64 MiB */
    const char *user_agent;    /* default "cryptosmart/VERSION" */
    const char *state_path;    /* file with buckets and latches that survives restarts; NULL: none */
    const char *cassette_path; /* NULL: none */
    const char *ca_path;       /* bundle of certificates; NULL: the system's */
    uint32_t cassette_mode;    /* csm_cassette_mode */
    /* 1: private and link-local addresses may be reached; loopback always may be */
    uint32_t allow_private;
    /* Longest wait for a token or a remote limit; a request that would have to wait longer ends as LIMITED with
     * retry_at. Default 2 min. */
    csm_time most_wait;
} csm_net_options;

/* One client belongs to one thread at a time and to the process that made it. Proxies, netrc and cookies of the
 * environment are ignored; redirects are not followed; only https is asked, and http on loopback. */
typedef struct csm_net csm_net;

CSM_API void csm_net_options_init(csm_net_options *options);
/* CSM_ELOCKED: another csm_net uses this state file. CSM_EEXIST: the cassette to record is not empty. CSM_EPARSE: the
 * cassette to replay is damaged, with the line's number. A damaged state file is kept aside, with a warning in the
 * log, and every bucket then starts empty. Holds a reference on context. */
CSM_API csm_status csm_net_new(csm_net **out, csm_context *context, const csm_net_options *options);
/* Saves the state file and frees. */
CSM_API void csm_net_free(csm_net *net);

typedef struct csm_net_replies csm_net_replies;
/* Called on the caller's thread as each request ends for good, in order of arrival; a non-zero result cancels the rest. */
typedef int (*csm_net_reply_fn)(void *user, size_t index, const csm_net_reply *reply);

/* Performs n requests of one source, several at once, with its limits and retries; waits for all. CSM_OK means that each
 * has a reply with a class, whatever that is; a failure means that the call itself failed (cancelled, no memory).
 * A request that is not sent, or not again, because the source is latched, limited for longer than most_wait, or down
 * (5 tries in a row failed) has a reply that says so. Not to be called from on_reply. */
CSM_API csm_status csm_net_perform(csm_net_replies **out, csm_net *net, csm_context *context,
                                   const csm_net_source *source, const csm_net_request *requests, size_t n,
                                   csm_net_reply_fn on_reply, void *user);
CSM_API void csm_net_replies_free(csm_net_replies *replies);
CSM_API size_t csm_net_replies_count(const csm_net_replies *replies);
CSM_API const csm_net_reply *csm_net_replies_at(const csm_net_replies *replies, size_t index);

/* Switches a source off (AUTH and plan errors do it by themselves) or on again. Kept in the state file. */
CSM_API csm_status csm_net_latch(csm_net *net, const char *source, const char *reason);
CSM_API csm_status csm_net_unlatch(csm_net *net, const char *source);

/* Copy of `url` with user info and the values of the named parameters replaced by "***". Cut to size. Returns text. */
CSM_API char *csm_net_redact(const char *url, const char *const *secret_parameters, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
