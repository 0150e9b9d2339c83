/* SPDX-License-Identifier: MIT */
/* One request on its way: what was asked, by whom, and the answer. */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include "accounts.h"

#include <jansson.h>
#include <microhttpd.h>
#include <stddef.h>

#define PATH_PARAMETERS 4
#define PATH_PARAMETER_BYTES 65
#define BODY_BYTES 65536 /* most of a request */

struct dashboard;
typedef struct request request;

/* ---- the table of routes ---- */

enum route_flags { PLAIN = 0, SLOW = 1, RAW = 2 };

typedef struct route {
    const char *name;
    const char *method;
    const char *path;
    const char *summary;
    role role;
    uint32_t scope;
    uint32_t flags;
    void (*run)(request *r);
} route;
extern const route routes[];
extern const size_t route_count;

enum value_type { VALUE_TEXT = 0, VALUE_INTEGER = 1 };
/* A query argument of a route, or a member of its body. */
typedef struct route_value {
    const char *route;
    const char *name;
    const char *text;
    int64_t minimum; /* of the value, or of the length in bytes */
    int64_t maximum;
    uint32_t type;     /* value_type */
    uint32_t required; /* of bodies */
} route_value;
extern const route_value route_parameters[];
extern const size_t route_parameter_count;
extern const route_value route_fields[];
extern const size_t route_field_count;

/* The path's parts where the pattern has {name}, in order. */
typedef struct path_match {
    char value[PATH_PARAMETERS][PATH_PARAMETER_BYTES];
    size_t count;
} path_match;
/* Whether path fits a pattern. Parts are 1 to 64 bytes of printable ASCII. */
bool path_matches(const char *pattern, const char *path, path_match *out);
/* The route of a method (HEAD is GET) and path; NULL: none. allowed: methods the path has, "" when it has none. */
const route *route_find(const char *method, const char *path, path_match *out, char *allowed, size_t size);
/* Parses a body by the fields of its route. NULL with a sentence in text when it is not what they say. */
json_t *body_parse(const route *of, const char *bytes, size_t length, char *text, size_t size);
/* Whether a query argument is one of its route, and in range; else a sentence in text. */
bool argument_good(const route *of, const char *name, const char *value, char *text, size_t size);

/* ---- requests ---- */

struct request {
    struct dashboard *dashboard;
    struct MHD_Connection *connection;
    const route *route;
    path_match path;
    identity who;
    char address[64]; /* of the client */
    char *body;
    size_t body_length;
    json_t *fields; /* of the body */
    struct MHD_Response *response;
    unsigned int status;
    void *held;    /* the view that owns the response; NULL: nothing is held */
    bool shared;   /* the response is a cached one: it stays */
    bool worked;   /* a worker has answered */
    request *next; /* in a worker's queue */
};

const char *request_argument(const request *r, const char *name); /* NULL when not given */
int64_t request_integer(const request *r, const char *name, int64_t absent);
const char *request_header(const request *r, const char *name);
const char *request_field(const request *r, const char *name); /* a text of the body */

/* ---- answers: the last one counts ---- */

/* Takes the document. NULL: no memory. */
void answer_json(request *r, unsigned int status, json_t *document);
/* A problem document (RFC 9457). */
void answer_problem(request *r, unsigned int status, const char *format, ...) CSM_PRINTF(3, 4);
/* By a csm_status of accounts or of the library. */
void answer_failure(request *r, csm_status status, const char *text);
/* Copies the bytes. */
void answer_bytes(request *r, unsigned int status, const char *type, const char *bytes, size_t length);
/* Nothing but a status. */
void answer_empty(request *r, unsigned int status);
void answer_header(request *r, const char *name, const char *value);
/* A response that others share, alive until the server ends or `held` is released. */
void answer_shared(request *r, unsigned int status, struct MHD_Response *response);
/* The headers that every response has. */
void security_headers(const struct dashboard *d, struct MHD_Response *response);

#define ROUTE(name, method, path, role, scope, flags, summary) void route_##name(request *r);
#include "routes.def"
#undef ROUTE

#endif
