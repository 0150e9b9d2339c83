/* SPDX-License-Identifier: MIT */
#include "channel.h"

#include "failure.h"
#include "settings.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL_BYTES 2048
#define TEXT_BYTES 1800 /* below the least limit of a message, Discord's 2000 characters */

typedef struct web_channel {
    const char *name;
    int secret;
    csm_status (*address)(char *url, size_t size, const channel_access *access);
    json_t *(*body)(const channel_access *access, const char *text);
    uint32_t (*classify)(void *user, const csm_net_reply *reply, csm_time *retry_at, char *text, size_t size);
} web_channel;

static void plain_text(char *text, size_t size, const message *m) {
    char time[CSM_TIME_TEXT];
    snprintf(text, size, "[%s] %s\n%s\nalert %lld, %s", m->severity, m->subject, m->text, (long long)m->alert,
             csm_time_format(m->time, time, sizeof time));
    size_t length = strlen(text);
    /* not within a character */
    while (length > 0 && length >= size - 1 && ((unsigned char)text[length - 1] & 0x80)) text[--length] = 0;
}

/* ---- Telegram: core.telegram.org/bots/api, sendMessage ---- */

static csm_status telegram_address(char *url, size_t size, const channel_access *access) {
    snprintf(url, size, "%s/bot%s/sendMessage", settings_text(access->config, "alert.telegram_url"),
             access->secrets->value[SECRET_telegram_token]);
    return CSM_OK;
}

static json_t *telegram_body(const channel_access *access, const char *text) {
    return json_pack("{s:s,s:s,s:{s:b}}", "chat_id", settings_text(access->config, "alert.telegram_chat"),
                     "text", text, "link_preview_options", "is_disabled", 1);
}

static uint32_t telegram_class(void *user, const csm_net_reply *reply, csm_time *retry_at, char *text,
                               size_t size) {
    (void)user;
    uint32_t net_class = reply->net_class;
    json_t *said = json_loadb(reply->body, reply->length, 0, NULL);
    const char *reason = json_string_value(json_object_get(said, "description"));
    const json_t *wait = json_object_get(json_object_get(said, "parameters"), "retry_after");
    if (reason) snprintf(text, size, "%s", reason);
    if (json_is_integer(wait))
        *retry_at = reply->received + ((csm_time)json_integer_value(wait) + 1) * CSM_SECOND;
    if (net_class == CSM_NET_OK && !json_is_true(json_object_get(said, "ok"))) net_class = CSM_NET_PARSE;
    if (reply->http_status == 404) net_class = CSM_NET_AUTH; /* a token that is none */
    json_decref(said);
    return net_class;
}

/* ---- Discord: docs.discord.com, Execute Webhook; wait=true, or a message that cannot be stored is lost without an error ---- */

static csm_status discord_address(char *url, size_t size, const channel_access *access) {
    const char *hook = access->secrets->value[SECRET_discord_webhook];
    snprintf(url, size, "%s%swait=true", hook, strchr(hook, '?') ? "&" : "?");
    return CSM_OK;
}

static json_t *discord_body(const channel_access *access, const char *text) {
    (void)access;
    return json_pack("{s:s,s:{s:[]}}", "content", text, "allowed_mentions", "parse");
}

static uint32_t discord_class(void *user, const csm_net_reply *reply, csm_time *retry_at, char *text,
                              size_t size) {
    (void)user;
    uint32_t net_class = reply->net_class;
    json_t *said = json_loadb(reply->body, reply->length, 0, NULL);
    const char *reason = json_string_value(json_object_get(said, "message"));
    const json_t *wait = json_object_get(said, "retry_after");
    if (reason) snprintf(text, size, "%s", reason);
    if (reply->http_status == 429 && json_is_number(wait))
        *retry_at = reply->received + (csm_time)(json_number_value(wait) * 1e9) + 100 * CSM_MILLISECOND;
    if (reply->http_status == 404) net_class = CSM_NET_AUTH; /* deleted: asking again brings a ban */
    json_decref(said);
    return net_class;
}

/* ---- Slack: api.slack.com, incoming webhooks; the answer is a bare word ---- */

static csm_status slack_address(char *url, size_t size, const channel_access *access) {
    snprintf(url, size, "%s", access->secrets->value[SECRET_slack_webhook]);
    return CSM_OK;
}

/* Otherwise text from outside could notify people. */
static void escape_slack(char *out, size_t size, const char *text) {
    size_t used = 0;
    for (; *text; text++) {
        const char *word = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : NULL;
        char plain[2] = {*text, 0};
        size_t length = word ? strlen(word) : 1;
        if (used + length >= size) break;
        memcpy(out + used, word ? word : plain, length);
        used += length;
    }
    out[used] = 0;
}

static json_t *slack_body(const channel_access *access, const char *text) {
    char escaped[5 * TEXT_BYTES];
    (void)access;
    escape_slack(escaped, sizeof escaped, text);
    return json_pack("{s:s,s:b}", "text", escaped, "unfurl_links", 0);
}

static uint32_t slack_class(void *user, const csm_net_reply *reply, csm_time *retry_at, char *text,
                            size_t size) {
    (void)user;
    (void)retry_at;
    uint32_t net_class = reply->net_class;
    bool taken = reply->length >= 2 && strncmp(reply->body, "ok", 2) == 0;
    if (reply->length < 60) snprintf(text, size, "%s", reply->body);
    if (net_class == CSM_NET_OK && !taken) net_class = CSM_NET_PARSE;
    if (reply->http_status == 403 || reply->http_status == 404 || reply->http_status == 410)
        net_class = CSM_NET_AUTH; /* revoked, deleted or archived */
    return net_class;
}

static const web_channel channels[] = {
    {"telegram", SECRET_telegram_token, telegram_address, telegram_body, telegram_class},
    {"discord", SECRET_discord_webhook, discord_address, discord_body, discord_class},
    {"slack", SECRET_slack_webhook, slack_address, slack_body, slack_class},
};
#define CHANNEL_COUNT (sizeof channels / sizeof channels[0])

bool channel_exists(const char *name) {
    for (size_t i = 0; i < CHANNEL_COUNT; i++) {
        if (strcmp(channels[i].name, name) == 0) return true;
    }
    return strcmp(name, "mail") == 0;
}

/* ---- sending ---- */

/* The URL's path with '*' for every segment: whatever a webhook's form, its path is its secret. */
static void secret_path(char *pattern, size_t size, const char *url) {
    const char *host = strstr(url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    size_t used = 0;
    for (; path && *path && *path != '?' && used + 3 < size; path += 1 + strcspn(path + 1, "/?")) {
        pattern[used++] = '/';
        pattern[used++] = '*';
    }
    pattern[used] = 0;
}

static csm_status post(csm_time *retry_at, const channel_access *access, const web_channel *channel,
                       const char *url, const char *body) {
    char pattern[256];
    const char *const patterns[] = {pattern, NULL};
    const char *const headers[] = {"Content-Type: application/json; charset=utf-8", NULL};
    csm_net_replies *replies = NULL;
    secret_path(pattern, sizeof pattern, url);
    const csm_net_source source = {.name = channel->name,
                                   .rate = 1,
                                   .burst = 3,
                                   .attempts = 1, /* the record of messages does the retries */
                                   .in_flight = 1,
                                   .backoff_first = CSM_SECOND,
                                   .backoff_last = 2 * CSM_SECOND,
                                   .classify = channel->classify,
                                   .secret_parameters = patterns};
    const csm_net_request request = {
        .url = url, .headers = headers, .body = body, .body_length = strlen(body)};
    csm_status status =
        csm_net_perform(&replies, access->net, access->context, &source, &request, 1, NULL, NULL);
    if (status != CSM_OK) return fail_library(status, channel->name);
    const csm_net_reply *reply = csm_net_replies_at(replies, 0);
    *retry_at = reply->retry_at;
    status = csm_net_class_status(reply->net_class);
    if (status != CSM_OK)
        status = fail(status, "%s: HTTP %d: %s", channel->name, reply->http_status, reply->text);
    csm_net_replies_free(replies);
    return status;
}

csm_status channel_send(csm_time *retry_at, const channel_access *access, const char *name,
                        const message *m) {
    char url[URL_BYTES], text[TEXT_BYTES];
    *retry_at = CSM_TIME_MIN;
    if (strcmp(name, "mail") == 0) return mail_send(access, m);
    for (size_t i = 0; i < CHANNEL_COUNT; i++) {
        const web_channel *channel = &channels[i];
        if (strcmp(channel->name, name) != 0) continue;
        if (!access->secrets->value[channel->secret])
            return fail(CSM_EAUTH, "%s: %s is not given", name, secrets_name(channel->secret));
        plain_text(text, sizeof text, m);
        json_t *words = channel->body(access, text);
        char *body = words ? json_dumps(words, JSON_COMPACT) : NULL;
        json_decref(words);
        if (!body) return fail(CSM_EINVAL, "%s: the text is not UTF-8", name);
        csm_status status = channel->address(url, sizeof url, access);
        if (status == CSM_OK) status = post(retry_at, access, channel, url, body);
        sodium_memzero(url, sizeof url);
        free(body);
        return status;
    }
    return fail(CSM_EINVAL, "there is no channel '%s'", name);
}

/* ---- what is missing ---- */

static void check_one(const char *name, const csm_config *config, const secrets *s,
                      const settings_source *source, char *text, size_t size) {
    static const char *const mail_options[] = {"alert.mail_url", "alert.mail_from", "alert.mail_to"};
    const char *wants[5];
    size_t count = 0;
    for (size_t i = 0; i < CHANNEL_COUNT; i++) {
        if (strcmp(channels[i].name, name) == 0 && !s->value[channels[i].secret])
            wants[count++] = secrets_name(channels[i].secret);
    }
    if (strcmp(name, "telegram") == 0 && !*settings_text(config, "alert.telegram_chat"))
        wants[count++] = "alert.telegram_chat";
    for (size_t i = 0; strcmp(name, "mail") == 0 && i < 3; i++) {
        if (!*settings_text(config, mail_options[i])) wants[count++] = mail_options[i];
    }
    if (strcmp(name, "mail") == 0 && s->value[SECRET_mail_user] && !s->value[SECRET_mail_password])
        wants[count++] = secrets_name(SECRET_mail_password);
    for (size_t i = 0; i < count; i++)
        settings_fault(text, size, source, "alert.channels", "%s wants %s, which is not given", name,
                       wants[i]);
    if (!channel_exists(name))
        settings_fault(text, size, source, "alert.channels", "'%s' is none of telegram, discord, slack, mail",
                       name);
}

bool channel_check(const csm_config *config, const secrets *s, const settings_source *source, char *text,
                   size_t size) {
    char name[32];
    size_t before = strlen(text);
    for (size_t i = 0; settings_item(config, "alert.channels", i, name, sizeof name); i++)
        check_one(name, config, s, source, text, size);
    return strlen(text) == before;
}
