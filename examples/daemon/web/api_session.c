/* SPDX-License-Identifier: MIT */
/* Logging in and out, users and tokens. */
#include "rows.h"
#include "server.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

static int64_t seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec;
}

/* An IPv6 user owns a /64 at least, so limits count those. */
static void limited_address(const request *r, char *text, size_t size) {
    struct in6_addr address;
    snprintf(text, size, "%s", r->address);
    if (inet_pton(AF_INET6, r->address, &address) == 1) {
        memset(&address.s6_addr[8], 0, 8);
        inet_ntop(AF_INET6, &address, text, (socklen_t)size);
    }
}

static void set_cookie(request *r, const char *value, const char *rest) {
    char cookie[200];
    snprintf(cookie, sizeof cookie, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s", cookie_name(r->dashboard),
             value, r->dashboard->certificate ? "; Secure" : "", rest);
    answer_header(r, "Set-Cookie", cookie);
}

/* user is null for who is not logged in; setup: there is no user yet, so a page can say how to add one. */
void route_session(request *r) {
    if (r->who.user == 0) {
        const bool setup = accounts_users(r->dashboard->accounts) == 0;
        answer_json(r, 200,
                    json_pack("{s:n,s:b,s:s,s:o}", "user", "setup", (int)setup, "version", csm_version(),
                              "now", json_time(dashboard_now(r->dashboard))));
        return;
    }
    answer_json(r, 200,
                json_pack("{s:s,s:s,s:s,s:b,s:s,s:o}", "user", r->who.name, "role", role_name(r->who.role),
                          "csrf", r->who.csrf, "setup", 0, "version", csm_version(), "now",
                          json_time(dashboard_now(r->dashboard))));
}

static bool wait_over(request *r, const char *name) {
    char address[64], wait_text[24];
    const int64_t now = seconds();
    limited_address(r, address, sizeof address);
    int64_t wait = limiter_wait(r->dashboard->limiter, 'a', address, now);
    const int64_t user_wait = limiter_wait(r->dashboard->limiter, 'u', name, now);
    if (user_wait > wait) wait = user_wait;
    if (wait == 0) return true;
    r->dashboard->refused++;
    snprintf(wait_text, sizeof wait_text, "%lld", (long long)wait);
    answer_problem(r, 429, "too many failed logins; try again in %s s", wait_text);
    answer_header(r, "Retry-After", wait_text);
    return false;
}

static void count_failure(request *r, const char *name) {
    char address[64];
    limited_address(r, address, sizeof address);
    limiter_failed(r->dashboard->limiter, 'a', address, seconds());
    limiter_failed(r->dashboard->limiter, 'u', name, seconds());
    accounts_audit(r->dashboard->accounts, name, "login refused", name, "", r->address);
}

void route_login(request *r) {
    accounts *a = r->dashboard->accounts;
    const char *name = request_field(r, "user");
    char secret[SECRET_TEXT];
    if (!wait_over(r, name)) return;
    csm_status status = accounts_check(a, name, request_field(r, "password"));
    if (status == CSM_EAUTH) count_failure(r, name);
    if (status == CSM_OK) {
        limiter_cleared(r->dashboard->limiter, 'u', name);
        /* rotation: whatever session the browser had is gone */
        if (r->who.user) session_end(a, &r->who, r->address);
        status = session_make(a, name, r->address, secret);
    }
    if (status == CSM_OK) status = session_find(a, secret, &r->who);
    if (status != CSM_OK) {
        answer_failure(r, status, accounts_error());
        return;
    }
    route_session(r);
    set_cookie(r, secret, "");
    sodium_memzero(secret, sizeof secret);
}

void route_logout(request *r) {
    const csm_status status = session_end(r->dashboard->accounts, &r->who, r->address);
    if (status != CSM_OK) {
        answer_failure(r, status, accounts_error());
        return;
    }
    answer_empty(r, 204);
    set_cookie(r, "", "; Max-Age=0");
    answer_header(r, "Clear-Site-Data", "\"cache\", \"storage\"");
}

static void answer_done(request *r, csm_status status) {
    if (status == CSM_OK)
        answer_empty(r, 204);
    else
        answer_failure(r, status, accounts_error());
}

void route_own_password(request *r) {
    accounts *a = r->dashboard->accounts;
    if (!wait_over(r, r->who.name)) return;
    csm_status status = accounts_check(a, r->who.name, request_field(r, "password"));
    if (status == CSM_EAUTH) {
        count_failure(r, r->who.name);
        answer_problem(r, 403, "the present password is wrong");
        return;
    }
    if (status == CSM_OK)
        status = accounts_password(a, r->who.name, request_field(r, "new_password"), r->who.session,
                                   r->who.name, r->address);
    answer_done(r, status);
}

/* ---- users ---- */

static void answer_list(request *r, csm_status status, const char *name, json_t *rows) {
    if (status == CSM_OK) {
        answer_json(r, 200, json_pack("{s:o}", name, rows));
        return;
    }
    json_decref(rows);
    answer_failure(r, status, accounts_error());
}

void route_users(request *r) {
    json_t *rows = json_array();
    answer_list(r, accounts_list(r->dashboard->accounts, rows), "users", rows);
}

void route_user_add(request *r) {
    answer_done(r, accounts_add(r->dashboard->accounts, request_field(r, "user"),
                                role_parse(request_field(r, "role")), request_field(r, "password"),
                                r->who.name, r->address));
}

void route_user_role(request *r) {
    answer_done(r, accounts_role(r->dashboard->accounts, r->path.value[0],
                                 role_parse(request_field(r, "role")), r->who.name, r->address));
}

void route_user_password(request *r) {
    answer_done(r, accounts_password(r->dashboard->accounts, r->path.value[0], request_field(r, "password"),
                                     "", r->who.name, r->address));
}

void route_user_remove(request *r) {
    answer_done(r, accounts_remove(r->dashboard->accounts, r->path.value[0], r->who.name, r->address));
}

/* ---- tokens ---- */

void route_tokens(request *r) {
    json_t *rows = json_array();
    answer_list(r, token_list(r->dashboard->accounts, &r->who, rows), "tokens", rows);
}

void route_token_add(request *r) {
    const json_t *days = json_object_get(r->fields, "days");
    char secret[TOKEN_TEXT];
    uint32_t scopes = 0;
    int64_t id = 0;
    if (!scopes_parse(&scopes, request_field(r, "scopes"))) {
        answer_problem(r, 400, "scopes are read, export, metrics, operate and admin, comma separated");
        return;
    }
    const csm_status status = token_make(r->dashboard->accounts, &r->who, request_field(r, "name"), scopes,
                                         days ? json_integer_value(days) : 90, r->address, secret, &id);
    if (status != CSM_OK) {
        answer_failure(r, status, accounts_error());
        return;
    }
    char from[32];
    snprintf(from, sizeof from, "tokens/%lld", (long long)id);
    answer_json(r, 201, json_pack("{s:s,s:I,s:s}", "from", from, "id", (json_int_t)id, "token", secret));
    sodium_memzero(secret, sizeof secret);
}

/* The number of a path's part; 0 when it is none. */
static int64_t path_number(const request *r) {
    const char *text = r->path.value[0];
    const size_t length = strlen(text);
    int64_t value = 0;
    if (length > 15 || strspn(text, "0123456789") != length) return 0;
    for (; *text; text++) value = value * 10 + (*text - '0');
    return value;
}

void route_token_remove(request *r) {
    answer_done(r, token_revoke(r->dashboard->accounts, &r->who, path_number(r), r->address));
}
