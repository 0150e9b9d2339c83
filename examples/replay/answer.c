/* SPDX-License-Identifier: MIT */
/* Methods that need no history, and what all answers share. */
#include "replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct method {
    const char *name;
    answer_fn answer;
} method;

static const method methods[] = {
    {"Time", answer_time},     {"SystemStatus", answer_system_status},
    {"Assets", answer_assets}, {"AssetPairs", answer_asset_pairs},
    {"Ticker", answer_ticker}, {"OHLC", answer_ohlc},
    {"Trades", answer_trades}, {"Depth", answer_depth},
};

answer_fn answer_find(const char *name) {
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(methods[i].name, name) == 0) return methods[i].answer;
    return NULL;
}

void answer_error(text *out, const char *error) {
    text_add(out, "{\"error\":[\"%s\"]}", error);
}

const char *answer_key(const pair *p, const query *q) {
    return q->version && strcmp(q->version, "1") == 0 ? p->symbol : p->id;
}

bool answer_count(uint64_t *out, const char *value, uint64_t standard, uint64_t most) {
    *out = standard;
    if (!value || !*value) return true;
    uint64_t number = 0;
    for (const char *at = value; *at; at++) {
        if (*at < '0' || *at > '9' || number > (UINT64_MAX - 9) / 10) return false;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    *out = number < most ? number : most;
    return true;
}

void answer_time(replay *r, const query *q, csm_time now, text *out) {
    (void)r;
    (void)q;
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const csm_calendar c = csm_time_calendar(now);
    text_add(out,
             "{\"error\":[],\"result\":{\"unixtime\":%" PRId64
             ",\"rfc1123\":\"%s, %2d %s %02d %02d:%02d:%02d +0000\"}}",
             (int64_t)(now / CSM_SECOND), days[c.weekday - 1], (int)c.day, months[c.month - 1],
             (int)(c.year % 100), (int)c.hour, (int)c.minute, (int)c.second);
}

void answer_system_status(replay *r, const query *q, csm_time now, text *out) {
    (void)q;
    char when[CSM_TIME_TEXT];
    csm_time_format(now - now % CSM_SECOND, when, sizeof when);
    text_add(out, "{\"error\":[],\"result\":{\"status\":\"%s\",\"timestamp\":\"%s\"}}", r->system_status,
             when);
}

static void add_member(text *out, const char *name, const json_t *value, const char **comma) {
    char *body = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15));
    text_add(out, "%s\"%s\":%s", *comma, name, body ? body : "{}");
    free(body);
    *comma = ",";
}

/* By id or altname. */
static const json_t *find_asset(const json_t *assets, const char *name, size_t length, const char **id) {
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)assets, key, value) {
        const char *altname = json_string_value(json_object_get(value, "altname"));
        if ((strlen(key) == length && strncmp(key, name, length) == 0) ||
            (altname && strlen(altname) == length && strncmp(altname, name, length) == 0)) {
            *id = key;
            return value;
        }
    }
    return NULL;
}

void answer_assets(replay *r, const query *q, csm_time now, text *out) {
    (void)now;
    const char *comma = "", *key = NULL;
    json_t *value = NULL;
    if (!r->assets_json) {
        answer_error(out, "EService:Unavailable");
        return;
    } /* none were recorded */
    text_add(out, "{\"error\":[],\"result\":{");
    if (!q->asset || !*q->asset) {
        json_object_foreach(r->assets_json, key, value) {
            add_member(out, key, value, &comma);
        }
    }
    for (const char *at = q->asset ? q->asset : ""; *at; at += strcspn(at, ","), at += *at == ',') {
        const json_t *asset = find_asset(r->assets_json, at, strcspn(at, ","), &key);
        if (!asset) {
            text_free(out);
            answer_error(out, "EQuery:Unknown asset");
            return;
        }
        add_member(out, key, asset, &comma);
    }
    text_add(out, "}}");
}

void answer_asset_pairs(replay *r, const query *q, csm_time now, text *out) {
    const char *comma = "";
    text_add(out, "{\"error\":[],\"result\":{");
    if (!q->pair || !*q->pair) {
        for (size_t i = 0; i < r->pair_count; i++)
            if (market_listed(r, &r->pairs[i], now))
                add_member(out, answer_key(&r->pairs[i], q), r->pairs[i].listing, &comma);
    }
    for (const char *at = q->pair ? q->pair : ""; *at; at += strcspn(at, ","), at += *at == ',') {
        const pair *p = market_find(r, at, strcspn(at, ","), now);
        if (!p) {
            text_free(out);
            answer_error(out, "EQuery:Unknown asset pair");
            return;
        }
        add_member(out, answer_key(p, q), p->listing, &comma);
    }
    text_add(out, "}}");
}
