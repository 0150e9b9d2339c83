/* SPDX-License-Identifier: MIT */
/* A cassette: every exchange of a session with the outside as one JSON line, to be played again without it. */
#ifndef CSM_NET_CASSETTE_H
#define CSM_NET_CASSETTE_H

#include <cryptosmart/net.h>

#include "core/internal.h"

/* One try of a request and what came back. */
typedef struct csm_exchange {
    const char *method;    /* "GET" or "POST" */
    const char *url;       /* redacted */
    const char *body_hash; /* SHA-256 of the request's body, hex; "" without one */
    csm_time sent;
    csm_time received;
    int32_t http_status;    /* 0: the transport failed */
    uint32_t failure_class; /* csm_net_class when http_status is 0 */
    const char *failure;    /* why, when http_status is 0 */
    const char *content_type;
    const char *retry_after;
    const char *body;
    size_t length;
} csm_exchange;

typedef struct csm_cassette csm_cassette;

/* An existing, non-empty file is CSM_EEXIST: a cassette is one session. */
csm_status csm_cassette_record(csm_cassette **out, const char *path);
csm_status csm_cassette_play(csm_cassette **out, const char *path);
/* Exchanges out of memory; `name` is for the error text, which has the line's number. */
csm_status csm_cassette_parse(csm_cassette **out, const char *data, size_t length, const char *name);
void csm_cassette_free(csm_cassette *cassette);

/* Writes one line; it has reached the operating system when this returns. */
csm_status csm_cassette_add(csm_cassette *cassette, const csm_exchange *exchange);
/* Next recorded exchange of this request, in the order of recording; NULL when there is none (left). *recorded: how
 * many there are in all. */
const csm_exchange *csm_cassette_next(csm_cassette *cassette, const char *method, const char *url,
                                      const char *body_hash, size_t *recorded);

#endif
