/* SPDX-License-Identifier: MIT */
#include "net/internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* "localhost", 127.0.0.0/8 or ::1, as libcurl normalised it. */
static bool names_loopback(const char *host) {
    if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0) return true;
    struct in_addr address;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool refuse(char *text, size_t size, const char *why) {
    snprintf(text, size, "URL refused: %s", why);
    return false;
}

static bool judge(bool *loopback, CURLU *url, char *text, size_t size) {
    char *scheme = NULL, *host = NULL, *user = NULL, *password = NULL;
    bool allowed = false;
    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) || curl_url_get(url, CURLUPART_HOST, &host, 0)) {
        refuse(text, size, "it has no scheme or host");
        goto done;
    }
    *loopback = names_loopback(host);
    const bool has_user = curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK;
    const bool has_password = curl_url_get(url, CURLUPART_PASSWORD, &password, 0) == CURLUE_OK;
    if (has_user || has_password)
        refuse(text, size, "it has user info; credentials go into a header");
    else if (strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && *loopback))
        allowed = true;
    else
        refuse(text, size, "only https may be asked, and http on loopback");
done:
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_free(password);
    return allowed;
}

bool csm_url_allowed(bool *loopback, const char *url, char *text, size_t size) {
    *loopback = false;
    if (strlen(url) > CSM_NET_URL_MOST) return refuse(text, size, "it is longer than 8192 bytes");
    CURLU *parsed = curl_url();
    if (!parsed) return refuse(text, size, "no memory to read it");
    bool allowed = false;
    const CURLUcode code = curl_url_set(parsed, CURLUPART_URL, url, 0);
    if (code != CURLUE_OK)
        refuse(text, size, curl_url_strerror(code));
    else
        allowed = judge(loopback, parsed, text, size);
    curl_url_cleanup(parsed);
    return allowed;
}
