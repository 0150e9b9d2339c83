/* SPDX-License-Identifier: MIT */
/* What was asked, as values, and answers. */
#include "request.h"

#include "server.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *request_argument(const request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

int64_t request_integer(const request *r, const char *name, int64_t absent) {
    const char *text = request_argument(r, name);
    return text ? strtoll(text, NULL, 10) : absent;
}

const char *request_header(const request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *request_field(const request *r, const char *name) {
    return json_string_value(json_object_get(r->fields, name));
}

/* ---- answers ---- */

void security_headers(const dashboard *d, struct MHD_Response *response) {
    static const char *const headers[][2] = {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
         "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    if (d->certificate) MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
}

static void set_answer(request *r, unsigned int status, struct MHD_Response *response, bool shared) {
    if (r->response && !r->shared) MHD_destroy_response(r->response);
    r->response = response;
    r->status = status;
    r->shared = shared;
}

void answer_shared(request *r, unsigned int status, struct MHD_Response *response) {
    set_answer(r, status, response, true);
}

void answer_bytes(request *r, unsigned int status, const char *type, const char *bytes, size_t length) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY);
    if (response) {
        security_headers(r->dashboard, response);
        MHD_add_response_header(response, "Content-Type", type);
        MHD_add_response_header(response, "Cache-Control", "no-store");
    }
    set_answer(r, status, response, false);
}

void answer_empty(request *r, unsigned int status) {
    answer_bytes(r, status, "text/plain; charset=utf-8", "", 0);
}

void answer_header(request *r, const char *name, const char *value) {
    if (r->response && !r->shared) MHD_add_response_header(r->response, name, value);
}

void answer_json(request *r, unsigned int status, json_t *document) {
    char *text = document ? json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(document);
    if (text)
        answer_bytes(r, status, status < 400 ? "application/json" : "application/problem+json", text,
                     strlen(text));
    else
        answer_bytes(r, 500, "text/plain; charset=utf-8", "no memory\n", 10);
    free(text);
}

void answer_problem(request *r, unsigned int status, const char *format, ...) {
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_t *detail = json_string(text);
    if (!detail) detail = json_string("(text that is not UTF-8)");
    answer_json(r, status,
                json_pack("{s:s,s:i,s:o}", "title", MHD_get_reason_phrase_for(status), "status", (int)status,
                          "detail", detail));
}

void answer_failure(request *r, csm_status status, const char *text) {
    static const struct {
        csm_status status;
        unsigned int http;
    } known[] = {
        {CSM_EINVAL, 400}, {CSM_EAUTH, 401},    {CSM_ENOTFOUND, 404}, {CSM_ENODATA, 404},
        {CSM_EEXIST, 409}, {CSM_ENOSPACE, 409}, {CSM_ELOCKED, 503},   {CSM_EUNSUPPORTED, 501},
    };
    unsigned int http = 500;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].status == status) http = known[i].http;
    }
    answer_problem(r, http, "%s", text);
}
