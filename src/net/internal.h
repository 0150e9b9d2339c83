/* SPDX-License-Identifier: MIT */
/* What the files of the net stage share. */
#ifndef CSM_NET_INTERNAL_H
#define CSM_NET_INTERNAL_H

#include <cryptosmart/net.h>

#include "core/internal.h"
#include "net/cassette.h"
#include "net/limits.h"

#include <curl/curl.h>
#include <sys/socket.h>

#define CSM_NET_MODULE "net"
#define CSM_NET_TEXT 200            /* bytes of csm_net_reply.text, terminator included */
#define CSM_NET_URL_MOST 8192       /* bytes of a URL */
#define CSM_NET_HEADERS_MOST 262144 /* bytes of an answer's header lines */

struct csm_net {
    CURLM *multi;
    csm_net_options options; /* strings point into the copies below */
    char *user_agent;
    char *state_path;
    char *ca_path;
    csm_limits limits;
    csm_cassette *cassette;
    struct csm_lock *lock; /* of the state file */
    csm_context *context;  /* of csm_net_new, retained; for latches and csm_net_free */
    csm_time now;          /* last value of csm_net_now */
    csm_time monotonic;    /* csm_platform_monotonic at that moment */
    csm_time saved;        /* csm_net_now of the last save */
    bool performing;       /* guards against csm_net_perform within on_reply */
};

/* What one request brought, kept until csm_net_replies_free. */
typedef struct csm_net_answer {
    csm_net_reply reply; /* its strings point into this struct */
    csm_buffer body;
    char *url; /* redacted */
    char content_type[128];
    char text[CSM_NET_TEXT];
} csm_net_answer;

struct csm_net_replies {
    size_t count;
    csm_net_answer *answers;
};

/* One try of one request on the wire. */
typedef struct csm_transfer {
    CURL *easy;
    struct curl_slist *headers;
    csm_buffer *body;
    uint64_t most_bytes;
    size_t header_bytes;
    bool loopback; /* the URL names this machine: only loopback addresses may be connected */
    bool allow_private;
    bool too_large;
    bool out_of_memory;
    char content_type[128];
    char retry_after[64];
    char refused[64]; /* address that was refused, "" when none was */
    char error[CURL_ERROR_SIZE];
} csm_transfer;

/* clock.c: the context's clock, but never slower than real time, so that a wait ends even when that clock stands. */
csm_time csm_net_now(csm_net *net, const csm_context *context);

/* address.c */
bool csm_address_loopback(const struct sockaddr *address);
/* Public unicast address? Private, link-local, shared, test, multicast, reserved and embedding ranges are not. */
bool csm_address_public(const struct sockaddr *address);
char *csm_address_format(const struct sockaddr *address, char *text, size_t size);
/* Opens the socket of a connection that csm_transfer's rules allow; CURL_SOCKET_BAD otherwise. */
curl_socket_t csm_address_open(void *transfer, curlsocktype purpose, struct curl_sockaddr *address);

/* url.c */
/* Answers whether a URL may be asked: https, or http to loopback; no user info. text says why not. */
bool csm_url_allowed(bool *loopback, const char *url, char *text, size_t size);

/* redact.c */
/* Replaces in text[0..length) every secret of the request: values of the secret parameters and header values.
 * Result in *out (to be freed with csm_buffer_free). */
csm_status csm_net_scrub(csm_buffer *out, const char *text, size_t length, const csm_net_request *request,
                         const char *const *secret_parameters);
/* As csm_net_scrub, in place, cut to size, one line of printable characters. */
csm_status csm_net_scrub_text(char *text, size_t size, const csm_net_request *request,
                              const char *const *secret_parameters);

/* retry.c */
/* Retry-After (RFC 9110 section 10.2.3): seconds after `received`, or a date. False when it is neither. */
bool csm_retry_after_parse(csm_time *out, const char *text, csm_time received);
/* Wait before try number `attempt` + 1 (attempt >= 1): full jitter (Brooker 2015) over the doubled step; `floor` true
 * keeps at least half of the step. */
csm_time csm_retry_backoff(const csm_net_source *source, uint64_t seed, const char *url, uint32_t attempt,
                           bool floor);

/* judge.c */
/* Class by the transport's result. text gets the reason. */
uint32_t csm_judge_transport(const csm_transfer *transfer, CURLcode code, char *text, size_t size);
/* Class by the HTTP status (RFC 9110 section 15) and what the body begins with. */
uint32_t csm_judge_status(int32_t status, const char *body, size_t length, char *text, size_t size);

/* transfer.c */
csm_status csm_transfer_start(csm_transfer *transfer, csm_net *net, const csm_net_request *request,
                              csm_buffer *body, bool loopback);
/* Takes it off the multi handle and frees what it owns; `hurry` does not wait for a name look-up in progress. */
void csm_transfer_end(csm_transfer *transfer, csm_net *net, bool hurry);

/* state.c */
csm_status csm_state_load(csm_limits *limits, csm_context *context, const char *path, csm_time now);
csm_status csm_state_parse(csm_limits *limits, const char *data, size_t length);
csm_status csm_state_save(const csm_limits *limits, const char *path, csm_time now);

/* net.c: writes the state file when something changed. */
csm_status csm_net_save(csm_net *net, const csm_context *context);

/* replies.c */
csm_status csm_net_replies_new(csm_net_replies **out, size_t count);
/* Points the reply's strings at the answer's storage. */
void csm_net_answer_bind(csm_net_answer *answer);

#endif
