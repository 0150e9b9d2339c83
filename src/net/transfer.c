/* SPDX-License-Identifier: MIT */
#include "net/internal.h"

#include <string.h>
#include <strings.h>

static size_t on_body(char *data, size_t one, size_t length, void *user) {
    (void)one; /* always 1 */
    csm_transfer *transfer = user;
    /* Counted after decompression, so that a small answer cannot grow without end. */
    if (length > transfer->most_bytes - transfer->body->length) {
        transfer->too_large = true;
        return 0;
    }
    if (csm_buffer_append(transfer->body, data, length) != CSM_OK) {
        transfer->out_of_memory = true;
        return 0;
    }
    return length;
}

static void take_header(char *out, size_t size, const char *line, size_t length, const char *name) {
    const size_t n = strlen(name);
    if (length < n || strncasecmp(line, name, n) != 0) return;
    line += n;
    length -= n;
    while (length && (*line == ' ' || *line == '\t')) line++, length--;
    while (length && strchr("\r\n \t", line[length - 1])) length--;
    if (length > size - 1) length = size - 1;
    memcpy(out, line, length);
    out[length] = '\0';
}

static size_t on_header(char *line, size_t one, size_t length, void *user) {
    (void)one; /* always 1 */
    csm_transfer *transfer = user;
    transfer->header_bytes += length;
    if (transfer->header_bytes > CSM_NET_HEADERS_MOST) {
        transfer->too_large = true;
        return 0;
    }
    take_header(transfer->content_type, sizeof transfer->content_type, line, length, "content-type:");
    take_header(transfer->retry_after, sizeof transfer->retry_after, line, length, "retry-after:");
    return length;
}

static long milliseconds(csm_time time) {
    const csm_time whole = (time + CSM_MILLISECOND - 1) / CSM_MILLISECOND;
    return whole < 1 ? 1 : whole > INT32_MAX ? INT32_MAX : (long)whole;
}

static CURLcode set_protocols(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

/* What every request has: nothing out of the environment, nothing followed, nothing kept. */
static CURLcode set_policy(CURL *easy, csm_transfer *transfer, const csm_net *net) {
    CURLcode code = set_protocols(easy);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (!code) code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (!code && net->ca_path) code = curl_easy_setopt(easy, CURLOPT_CAINFO, net->ca_path);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, csm_address_open);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    return code;
}

static CURLcode set_answer(CURL *easy, csm_transfer *transfer, const csm_net *net) {
    const uint64_t most = net->options.most_bytes;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)most);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    if (!code)
        code = curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(net->options.connect_timeout));
    if (!code) code = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(net->options.total_timeout));
    return code;
}

static CURLcode set_request(CURL *easy, csm_transfer *transfer, const csm_net *net,
                            const csm_net_request *request) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, request->url);
    if (!code) code = curl_easy_setopt(easy, CURLOPT_USERAGENT, net->user_agent);
    for (const char *const *header = request->headers; !code && header && *header; header++) {
        struct curl_slist *longer = curl_slist_append(transfer->headers, *header);
        if (!longer) return CURLE_OUT_OF_MEMORY;
        transfer->headers = longer;
    }
    if (!code && transfer->headers) code = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    if (!code && request->body) {
        code = curl_easy_setopt(easy, CURLOPT_POST, 1L);
        if (!code)
            code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        if (!code) code = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
    }
    return code;
}

csm_status csm_transfer_start(csm_transfer *transfer, csm_net *net, const csm_net_request *request,
                              csm_buffer *body, bool loopback) {
    memset(transfer, 0, sizeof *transfer);
    transfer->body = body;
    transfer->most_bytes = net->options.most_bytes;
    transfer->loopback = loopback;
    transfer->allow_private = net->options.allow_private != 0;
    body->length = 0;
    if (body->data) body->data[0] = '\0';
    transfer->easy = curl_easy_init();
    if (!transfer->easy) return csm_fail(CSM_ENOMEM, "net: no memory for a request");
    CURLcode code = set_policy(transfer->easy, transfer, net);
    if (!code) code = set_answer(transfer->easy, transfer, net);
    if (!code) code = set_request(transfer->easy, transfer, net, request);
    if (!code) code = curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
    csm_status status = CSM_OK;
    if (code)
        status = csm_fail(code == CURLE_OUT_OF_MEMORY ? CSM_ENOMEM : CSM_EUNSUPPORTED,
                          "net: libcurl %s refuses an option: %s",
                          curl_version_info(CURLVERSION_NOW)->version, curl_easy_strerror(code));
    else if (curl_multi_add_handle(net->multi, transfer->easy) != CURLM_OK)
        status = csm_fail(CSM_ENOMEM, "net: no memory for a request");
    if (status != CSM_OK) csm_transfer_end(transfer, net, false);
    return status;
}

void csm_transfer_end(csm_transfer *transfer, csm_net *net, bool hurry) {
    if (!transfer->easy) return;
#if LIBCURL_VERSION_NUM >= 0x075700
    if (hurry) curl_easy_setopt(transfer->easy, CURLOPT_QUICK_EXIT, 1L);
#else
    (void)hurry;
#endif
    curl_multi_remove_handle(net->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    transfer->easy = NULL;
    transfer->headers = NULL;
}
