/* SPDX-License-Identifier: MIT */
/* Mail through libcurl's SMTP (RFC 5321, 5322, 2047). TLS always, but for a server on this machine. */
#include "channel.h"
#include "failure.h"
#include "settings.h"

#include <curl/curl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BASE64_LINE 57 /* bytes that give 76 characters */
#define WORD_BYTES 45  /* of a subject in one encoded word of at most 75 characters */

/* ---- the message ---- */

typedef struct writer {
    char *text;
    size_t used;
    size_t size;
} writer;

static void put(writer *w, const char *format, ...) CSM_PRINTF(2, 3);
static void put(writer *w, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int n = w->used < w->size ? vsnprintf(w->text + w->used, w->size - w->used, format, arguments) : 0;
    va_end(arguments);
    if (n > 0) w->used += (size_t)n;
}

/* Of text that goes into a header: no line end may begin another header. */
static void one_line(char *out, size_t size, const char *text) {
    size_t n = 0;
    for (; *text && n + 1 < size; text++)
        out[n++] = (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text;
    out[n] = 0;
}

/* A piece of at most `most` bytes that does not end within a UTF-8 character. */
static size_t piece(const char *text, size_t most) {
    size_t length = strnlen(text, most + 1);
    if (length <= most) return length;
    while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80) most--;
    return most;
}

static void put_base64(writer *w, const void *bytes, size_t length) {
    char line[sodium_base64_ENCODED_LEN(BASE64_LINE, sodium_base64_VARIANT_ORIGINAL)];
    sodium_bin2base64(line, sizeof line, bytes, length, sodium_base64_VARIANT_ORIGINAL);
    put(w, "%s", line);
}

static void put_subject(writer *w, const char *subject) {
    char line[256] = "";
    one_line(line, sizeof line, subject);
    put(w, "Subject:");
    for (const char *at = line; *at;) {
        size_t length = piece(at, WORD_BYTES);
        if (length == 0) break;
        put(w, " =?UTF-8?B?");
        put_base64(w, at, length);
        at += length;
        put(w, "?=%s", *at ? "\r\n" : "");
    }
    put(w, "\r\n");
}

static void put_date(writer *w, csm_time time) {
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    csm_calendar c = csm_time_calendar(time);
    put(w, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[c.weekday - 1], c.day, months[c.month - 1],
        c.year, c.hour, c.minute, c.second);
}

char *mail_compose(const csm_config *config, const message *m) {
    char from[256], to[256], body[4096], time[CSM_TIME_TEXT];
    writer w = {.text = calloc(1, 16384), .size = 16384};
    if (!w.text) return NULL;
    one_line(from, sizeof from, settings_text(config, "alert.mail_from"));
    const char *at = strchr(from, '@');
    put_date(&w, m->time);
    put(&w, "From: <%s>\r\nTo:", from);
    for (size_t i = 0; settings_item(config, "alert.mail_to", i, body, sizeof body); i++) {
        one_line(to, sizeof to, body);
        put(&w, "%s <%s>", i ? ",\r\n" : "", to);
    }
    put(&w, "\r\n");
    put_subject(&w, m->subject);
    /* the same for every try, so that receivers can tell a repetition */
    put(&w, "Message-ID: <cryptosmart-%lld-%lld@%s>\r\n", (long long)m->alert,
        (long long)(m->time / CSM_SECOND), at ? at + 1 : "localhost");
    put(&w, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
            "base64\r\n"
            "Auto-Submitted: auto-generated\r\n\r\n");
    snprintf(body, sizeof body, "[%s] %s\r\n%s\r\n\r\nalert %lld, %s\r\n", m->severity, m->subject, m->text,
             (long long)m->alert, csm_time_format(m->time, time, sizeof time));
    size_t length = strlen(body);
    for (size_t i = 0; i < length; i += BASE64_LINE) {
        put_base64(&w, body + i, length - i < BASE64_LINE ? length - i : BASE64_LINE);
        put(&w, "\r\n");
    }
    return w.text;
}

/* ---- sending ---- */

typedef struct upload {
    const char *text;
    size_t left;
} upload;

static size_t give_bytes(char *out, size_t size, size_t count, void *user) {
    upload *u = user;
    size_t n = size * count < u->left ? size * count : u->left;
    memcpy(out, u->text, n);
    u->text += n;
    u->left -= n;
    return n;
}

static bool on_this_machine(const char *url) {
    return strncmp(url, "smtp://127.0.0.1", 16) == 0 || strncmp(url, "smtp://localhost", 16) == 0 ||
           strncmp(url, "smtp://[::1]", 12) == 0;
}

static csm_status judge(CURL *easy, CURLcode code, const char *text) {
    long answer = 0;
    if (code == CURLE_OK) return CSM_OK;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer);
    csm_status status = CSM_EPERMANENT;
    if (code == CURLE_LOGIN_DENIED || code == CURLE_AUTH_ERROR)
        status = CSM_EAUTH; /* repeating it may lock the account */
    else if (answer >= 400 && answer < 500)
        status = CSM_ETRANSIENT;
    else if (answer < 500 && (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
                              code == CURLE_OPERATION_TIMEDOUT || code == CURLE_SSL_CONNECT_ERROR ||
                              code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR ||
                              code == CURLE_RECV_ERROR || code == CURLE_WEIRD_SERVER_REPLY))
        status = CSM_ETRANSIENT;
    return fail(status, "mail: %s (SMTP %ld)", *text ? text : curl_easy_strerror(code), answer);
}

static struct curl_slist *recipients(const csm_config *config) {
    struct curl_slist *list = NULL;
    char one[256];
    for (size_t i = 0; settings_item(config, "alert.mail_to", i, one, sizeof one); i++) {
        struct curl_slist *longer = curl_slist_append(list, one);
        if (longer) list = longer;
    }
    return list;
}

static void set_access(CURL *easy, const channel_access *access, const char *url) {
    const char *user = access->secrets->value[SECRET_mail_user],
               *ca = settings_text(access->config, "alert.mail_ca_file");
    const char *password = access->secrets->value[SECRET_mail_password];
    curl_easy_setopt(easy, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_SMTP | CURLPROTO_SMTPS));
#endif
    curl_easy_setopt(easy, CURLOPT_USE_SSL,
                     on_this_machine(url) ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 30000L);
    if (*ca) curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    if (user) curl_easy_setopt(easy, CURLOPT_USERNAME, user);
    if (user && password) curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
}

csm_status mail_send(const channel_access *access, const message *m) {
    char text[CURL_ERROR_SIZE] = "";
    csm_status status = CSM_OK;
    char *composed = mail_compose(access->config, m);
    struct curl_slist *to = recipients(access->config);
    CURL *easy = curl_easy_init();
    if (!composed || !to || !easy) {
        status = fail(CSM_ENOMEM, "mail: no memory");
    } else {
        upload body = {.text = composed, .left = strlen(composed)};
        set_access(easy, access, settings_text(access->config, "alert.mail_url"));
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, text);
        curl_easy_setopt(easy, CURLOPT_MAIL_FROM, settings_text(access->config, "alert.mail_from"));
        curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_bytes);
        curl_easy_setopt(easy, CURLOPT_READDATA, &body);
        status = judge(easy, curl_easy_perform(easy), text);
    }
    curl_easy_cleanup(easy);
    curl_slist_free_all(to);
    free(composed);
    return status;
}
