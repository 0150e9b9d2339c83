/* SPDX-License-Identifier: MIT */
#include "net/internal.h"

#include <stdio.h>
#include <string.h>

typedef struct code_rule {
    int32_t code;
    uint32_t net_class;
    const char *text;
} code_rule;

/* Transport failures that a later try will meet again; all others are transient. */
static const code_rule transport_rules[] = {
    {CURLE_UNSUPPORTED_PROTOCOL, CSM_NET_PARSE, "not HTTP/1.0 or later"},
    {CURLE_URL_MALFORMAT, CSM_NET_PERMANENT, "malformed URL"},
    {CURLE_PEER_FAILED_VERIFICATION, CSM_NET_PERMANENT, "the server's certificate is not trusted"},
    {CURLE_SSL_CACERT_BADFILE, CSM_NET_PERMANENT, "the bundle of certificates cannot be read"},
    {CURLE_SSL_ISSUER_ERROR, CSM_NET_PERMANENT, "the server's certificate is not trusted"},
    {CURLE_BAD_CONTENT_ENCODING, CSM_NET_PARSE, "the body's compression is damaged"},
    {CURLE_FILESIZE_EXCEEDED, CSM_NET_PERMANENT, "the body is larger than allowed"},
    {CURLE_WEIRD_SERVER_REPLY, CSM_NET_PARSE, "not an HTTP answer"},
};

/* Statuses that differ from their hundred's rule below. */
static const code_rule status_rules[] = {
    {204, CSM_NET_EMPTY, "no content"},
    {304, CSM_NET_EMPTY, "not modified"},
    {401, CSM_NET_AUTH, "credentials refused"},
    {402, CSM_NET_AUTH, "payment required"},
    {403, CSM_NET_AUTH, "forbidden"},
    {408, CSM_NET_TRANSIENT, "request timeout"},
    {418, CSM_NET_LIMITED, "banned for a while"},
    {421, CSM_NET_TRANSIENT, "misdirected request"},
    {425, CSM_NET_TRANSIENT, "too early"},
    {429, CSM_NET_LIMITED, "too many requests"},
    {501, CSM_NET_PERMANENT, "not implemented"},
    {505, CSM_NET_PERMANENT, "HTTP version not supported"},
};

uint32_t csm_judge_transport(const csm_transfer *transfer, CURLcode code, char *text, size_t size) {
    if (transfer->refused[0]) {
        snprintf(text, size, "address %s refused: it is not a public one", transfer->refused);
        if (transfer->loopback) snprintf(text, size, "address %s refused: not loopback", transfer->refused);
        return CSM_NET_PERMANENT;
    }
    if (transfer->too_large || code == CURLE_FILESIZE_EXCEEDED) {
        snprintf(text, size, "the answer is larger than the %llu bytes allowed",
                 (unsigned long long)transfer->most_bytes);
        return CSM_NET_PERMANENT;
    }
    for (size_t i = 0; i < sizeof transport_rules / sizeof transport_rules[0]; i++)
        if (transport_rules[i].code == (int32_t)code) {
            snprintf(text, size, "%s (%s)", transport_rules[i].text,
                     transfer->error[0] ? transfer->error : curl_easy_strerror(code));
            return transport_rules[i].net_class;
        }
    snprintf(text, size, "%s", transfer->error[0] ? transfer->error : curl_easy_strerror(code));
    return CSM_NET_TRANSIENT;
}

/* Pages of the edge in front of an exchange: a maintenance notice or a browser check, not the API's answer. */
static bool looks_like_html(const char *body, size_t length) {
    size_t i = 0;
    while (i < length && strchr(" \t\r\n", body[i]) && body[i]) i++;
    return i < length && body[i] == '<';
}

uint32_t csm_judge_status(int32_t status, const char *body, size_t length, char *text, size_t size) {
    if (status == 403 && looks_like_html(body, length)) {
        snprintf(text, size, "HTTP 403 with a page of the edge");
        return CSM_NET_TRANSIENT;
    }
    for (size_t i = 0; i < sizeof status_rules / sizeof status_rules[0]; i++)
        if (status_rules[i].code == status) {
            snprintf(text, size, "HTTP %d: %s", (int)status, status_rules[i].text);
            return status_rules[i].net_class;
        }
    if (status >= 200 && status < 300) {
        text[0] = '\0';
        if (length > 0) return CSM_NET_OK;
        snprintf(text, size, "HTTP %d with an empty body", (int)status);
        return CSM_NET_PARSE;
    }
    if (status >= 300 && status < 400)
        snprintf(text, size, "HTTP %d: redirects are not followed", (int)status);
    else
        snprintf(text, size, "HTTP %d", (int)status);
    return status >= 500 && status < 600 ? CSM_NET_TRANSIENT : CSM_NET_PERMANENT;
}
