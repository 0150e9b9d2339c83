/* SPDX-License-Identifier: MIT */
#include "vault.h"

#include "failure.h"
#include "settings.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL_BYTES 2048

typedef struct vault_client {
    csm_context *context;
    csm_net *net;
    csm_net_replies *replies;
    const csm_config *config;
    redactor *redactor;
    char token[520]; /* with its header's name */
} vault_client;

/* Vault's errors are {"errors": [text, ...]}; a sealed or missing server has none. */
static csm_status judge(json_t **out, const vault_client *v, const char *what) {
    const csm_net_reply *reply = csm_net_replies_at(v->replies, 0);
    json_t *said = reply->body ? json_loads(reply->body, 0, NULL) : NULL;
    if (reply->net_class == CSM_NET_OK && json_is_object(said)) {
        *out = said;
        return CSM_OK;
    }
    const char *error = json_string_value(json_array_get(json_object_get(said, "errors"), 0));
    const json_t *metadata = json_object_get(json_object_get(said, "data"), "metadata");
    if (metadata) error = "the newest version of the secret was deleted";
    csm_status status = csm_net_class_status(reply->net_class);
    if (status == CSM_OK) status = CSM_EPARSE;
    status = fail(status, "vault: %s: %s (HTTP %d)", what, error ? error : reply->text, reply->http_status);
    json_decref(said);
    return status;
}

static csm_status ask(json_t **out, vault_client *v, const char *path, const char *body, const char *what) {
    char url[URL_BYTES];
    char name_space[300];
    const char *headers[] = {"X-Vault-Request: true", "Content-Type: application/json", NULL, NULL, NULL};
    const csm_net_source source = {.name = "vault",
                                   .rate = 10,
                                   .burst = 10,
                                   .attempts = 3,
                                   .in_flight = 1,
                                   .backoff_first = CSM_SECOND,
                                   .backoff_last = 5 * CSM_SECOND};
    size_t n = 2;
    if (*v->token) headers[n++] = v->token;
    const char *space = settings_text(v->config, "vault.namespace");
    snprintf(name_space, sizeof name_space, "X-Vault-Namespace: %s", space);
    if (*space) headers[n++] = name_space;
    snprintf(url, sizeof url, "%s/v1/%s", settings_text(v->config, "vault.address"), path);
    const csm_net_request request = {
        .url = url, .headers = headers, .body = body, .body_length = body ? strlen(body) : 0};
    csm_net_replies_free(v->replies);
    v->replies = NULL;
    csm_status status = csm_net_perform(&v->replies, v->net, v->context, &source, &request, 1, NULL, NULL);
    return status == CSM_OK ? judge(out, v, what) : fail_library(status, "vault");
}

static csm_status keep_token(vault_client *v, const char *token) {
    if (strlen(token) > 500 || strpbrk(token, "\r\n"))
        return fail(CSM_EINVAL, "vault: the token is no header value");
    snprintf(v->token, sizeof v->token, "X-Vault-Token: %s", token);
    return redactor_add(v->redactor, token);
}

static csm_status log_in(vault_client *v, const vault_access *access) {
    if (access->token) return keep_token(v, access->token);
    if (!access->role || !access->secret)
        return fail(CSM_EINVAL,
                    "vault.address is set, but neither VAULT_TOKEN nor CRYPTOSMART_VAULT_ROLE_ID with"
                    " CRYPTOSMART_VAULT_SECRET_ID is");
    char path[300];
    json_t *said = NULL,
           *words = json_pack("{s:s,s:s}", "role_id", access->role, "secret_id", access->secret);
    char *body = words ? json_dumps(words, JSON_COMPACT) : NULL;
    json_decref(words);
    if (!body) return fail(CSM_ENOMEM, "vault: no memory for a login");
    snprintf(path, sizeof path, "auth/%s/login", settings_text(v->config, "vault.role_mount"));
    csm_status status = ask(&said, v, path, body, "login");
    sodium_memzero(body, strlen(body));
    free(body);
    const char *token = json_string_value(json_object_get(json_object_get(said, "auth"), "client_token"));
    if (status == CSM_OK)
        status = token ? keep_token(v, token) : fail(CSM_EPARSE, "vault: login: no client_token");
    json_decref(said);
    return status;
}

static csm_status read_secret(vault_client *v, csm_status (*on_secret)(void *, const char *, const char *),
                              void *user) {
    char path[1024];
    json_t *said = NULL, *value = NULL;
    const char *key = NULL;
    snprintf(path, sizeof path, "%s/data/%s", settings_text(v->config, "vault.mount"),
             settings_text(v->config, "vault.path"));
    csm_status status = ask(&said, v, path, NULL, "read");
    json_t *values = json_object_get(json_object_get(said, "data"), "data");
    if (status == CSM_OK && !json_is_object(values))
        status = fail(CSM_EPARSE, "vault: %s/%s: no data; is the mount KV version 2?",
                      settings_text(v->config, "vault.mount"), settings_text(v->config, "vault.path"));
    json_object_foreach(values, key, value) {
        if (status == CSM_OK && json_is_string(value))
            status = on_secret(user, key, json_string_value(value));
    }
    json_decref(said);
    return status;
}

csm_status vault_read(const csm_config *config, const vault_access *access, redactor *r,
                      csm_status (*on_secret)(void *user, const char *name, const char *value), void *user) {
    vault_client v = {.config = config, .redactor = r};
    csm_net_options options;
    csm_net_options_init(&options);
    options.connect_timeout = 5 * CSM_SECOND;
    options.total_timeout = 10 * CSM_SECOND;
    options.allow_private = 1; /* a Vault is usually inside */
    const char *ca = settings_text(config, "vault.ca_file");
    options.ca_path = *ca ? ca : NULL;
    csm_status status = csm_context_new(&v.context, NULL);
    if (status == CSM_OK) status = csm_net_new(&v.net, v.context, &options);
    if (status != CSM_OK) status = fail_library(status, "vault");
    if (status == CSM_OK) status = log_in(&v, access);
    if (status == CSM_OK) status = read_secret(&v, on_secret, user);
    csm_net_replies_free(v.replies);
    csm_net_free(v.net);
    csm_context_free(v.context);
    sodium_memzero(v.token, sizeof v.token);
    return status;
}
