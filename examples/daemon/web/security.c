/* SPDX-License-Identifier: MIT */
/* Who asks, and whether the table of routes lets them. */
#include "server.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sodium.h>
#include <string.h>

const char *cookie_name(const dashboard *d) {
    /* browsers keep a __Host- cookie to this very host, and refuse it over plain HTTP */
    return d->certificate ? "__Host-cryptosmart" : "cryptosmart";
}

bool host_good(const dashboard *d, const char *host) {
    static const char *const loopback[] = {"localhost", "127.0.0.1", "[::1]"};
    if (!host) return false;
    if (d->certificate) return true; /* the certificate's name already is the check */
    for (size_t i = 0; i < 3; i++) {
        const size_t length = strlen(loopback[i]);
        if (strncmp(host, loopback[i], length) == 0 && (host[length] == 0 || host[length] == ':'))
            return true;
    }
    return false;
}

/* Origin, where a browser gives one, is this very server. */
static bool origin_good(const request *r) {
    char own[300];
    const char *origin = request_header(r, "Origin"), *site = request_header(r, "Sec-Fetch-Site");
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0) return false;
    if (!origin) return true;
    snprintf(own, sizeof own, "%s://%s", r->dashboard->certificate ? "https" : "http",
             request_header(r, "Host"));
    return strcmp(origin, own) == 0;
}

static bool csrf_good(const request *r) {
    const char *token = request_header(r, "X-CSRF-Token");
    return token && strlen(token) == SECRET_TEXT - 1 && strlen(r->who.csrf) == SECRET_TEXT - 1 &&
           sodium_memcmp(token, r->who.csrf, SECRET_TEXT - 1) == 0;
}

/* A wrong token is an error even where nobody need be known; an old cookie is not. */
static bool identify(request *r) {
    const char *header = request_header(r, "Authorization");
    const char *cookie =
        MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, cookie_name(r->dashboard));
    if (header) {
        if (strncmp(header, "Bearer ", 7) == 0 &&
            token_find(r->dashboard->accounts, header + 7, &r->who) == CSM_OK)
            return true;
        answer_problem(r, 401, "the token is unknown, revoked or expired");
        answer_header(r, "WWW-Authenticate", "Bearer");
        return false;
    }
    if (cookie) session_find(r->dashboard->accounts, cookie, &r->who);
    return true;
}

static bool role_good(request *r) {
    const route *of = r->route;
    if (of->role == ROLE_NONE) return true;
    if (r->who.user == 0) {
        answer_problem(r, 401, "log in first");
        answer_header(r, "WWW-Authenticate", "Bearer");
    } else if (r->who.role < of->role) {
        answer_problem(r, 403, "this needs the role %s; %s is %s", role_name(of->role), r->who.name,
                       role_name(r->who.role));
    } else if (of->scope == SCOPE_SESSION && r->who.token) {
        answer_problem(r, 403, "this needs a login; an API token will not do");
    } else if ((of->scope & r->who.scopes) == 0) {
        answer_problem(r, 403, "the token's scopes do not cover this");
    } else {
        return true;
    }
    return false;
}

bool request_permitted(request *r) {
    const bool changes = strcmp(r->route->method, "GET") != 0;
    if (!host_good(r->dashboard, request_header(r, "Host"))) {
        answer_problem(r, 421, "this server has no such name; over plain HTTP it answers to localhost alone");
        return false;
    }
    if (r->route->flags != RAW || r->route->role != ROLE_NONE) {
        if (!identify(r) || !role_good(r)) return false;
    }
    if (!changes || r->who.token) return true; /* no browser adds a token by itself */
    if (!origin_good(r)) {
        answer_problem(r, 403, "the request comes from another site");
        return false;
    }
    if (r->who.user && r->route->role != ROLE_NONE && !csrf_good(r)) {
        answer_problem(r, 403, "the header X-CSRF-Token is missing or wrong");
        return false;
    }
    return true;
}
