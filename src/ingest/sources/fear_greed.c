/* SPDX-License-Identifier: MIT */
/* GET https://api.alternative.me/fng/?limit=N: one value a UTC day since 2018-02-01, newest first, all scalars as text. Days
 * the index leaves out stay missing. Attribution: alternative.me. */
#include "ingest/fear_greed.h"
#include "ingest/source.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define DAYS_OF_ONE_CALL 10
#define WHAT "fear & greed"

static uint32_t classify(void *user, const csm_net_reply *reply, csm_time *retry_at, char *text,
                         size_t text_size) {
    (void)user;
    (void)retry_at;
    csm_scan scan = csm_scan_over(reply->body, reply->length, WHAT);
    if (reply->net_class != CSM_NET_OK || csm_scan_peek(&scan) == '{') return reply->net_class;
    snprintf(text, text_size, "not JSON but %s",
             *reply->content_type != '\0' ? reply->content_type : "unnamed bytes");
    return CSM_NET_TRANSIENT; /* maintenance page */
}

/* 60 requests a minute over ten minutes (vendor, second-hand): half of it. */
static const csm_net_source net = {
    .name = "alternative.me",
    .rate = 0.5,
    .burst = 1.0,
    .attempts = 3,
    .in_flight = 1,
    .backoff_first = 10 * CSM_SECOND,
    .backoff_last = CSM_HOUR,
    .classify = classify,
};

csm_status csm_fear_greed_append(csm_table *rows, csm_time day, int64_t value) {
    if (day % CSM_DAY != 0)
        return csm_fail(CSM_EPARSE, WHAT ": time %" PRId64 " is no midnight UTC", (int64_t)day);
    if (value < 0 || value > 100)
        return csm_fail(CSM_EPARSE, WHAT ": value %" PRId64 " is outside 0..100", value);
    const csm_decimal cells[] = {csm_decimal_whole(day), csm_decimal_whole(day + CSM_FEAR_GREED_LAG),
                                 csm_decimal_whole(value)};
    if (csm_table_columns(rows) != sizeof cells / sizeof cells[0])
        return csm_fail(CSM_EINTERNAL, WHAT ": a table of values has not 3 columns");
    return csm_table_append(rows, cells);
}

/* limit 0 means everything. The cursor is the newest day received: as many days as have passed since, and two more. */
static csm_status request(csm_buffer *url, const csm_source_ask *ask) {
    int64_t days = DAYS_OF_ONE_CALL, newest = 0;
    if (*ask->cursor != '\0') {
        csm_status status = csm_slice_i64(&newest, (csm_slice){ask->cursor, strlen(ask->cursor)});
        if (status != CSM_OK) return csm_fail_prefix(status, WHAT ": cursor");
        int64_t passed = ask->now / CSM_DAY - newest / (CSM_DAY / CSM_SECOND);
        if (passed + 2 > days) days = passed + 2;
    } else if (ask->from != CSM_TIME_MIN) {
        days = 0;
    }
    return csm_buffer_printf(url, "%s/fng/?limit=%" PRId64, ask->base_url, days);
}

/* A whole number that is text or a number. */
static csm_status whole(int64_t *out, const json_t *value, const char *name) {
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return CSM_OK;
    }
    if (!json_is_string(value))
        return csm_fail(CSM_EPARSE, WHAT ": %s is neither text nor a whole number", name);
    csm_slice span = {json_string_value(value), json_string_length(value)};
    while (span.length > 0 && span.text[0] == ' ') span = (csm_slice){span.text + 1, span.length - 1};
    while (span.length > 0 && span.text[span.length - 1] == ' ') span.length--;
    csm_status status = csm_slice_i64(out, span);
    return status == CSM_OK ? CSM_OK : csm_fail_prefix(status, WHAT ": %s", name);
}

static csm_status day_read(const json_t *row, csm_time *day, int64_t *value) {
    int64_t seconds = 0;
    csm_status status = whole(&seconds, json_object_get(row, "timestamp"), "timestamp");
    if (status == CSM_OK) status = whole(value, json_object_get(row, "value"), "value");
    if (status != CSM_OK) return status;
    if (seconds < 0 || seconds > INT64_MAX / CSM_SECOND)
        return csm_fail(CSM_EPARSE, WHAT ": timestamp %" PRId64 " is no time", seconds);
    *day = seconds * CSM_SECOND;
    return CSM_OK;
}

/* The reply has the newest day first, the table the oldest; the same day twice with the same value is taken once. */
static csm_status days_take(csm_source_answer *answer, csm_table *rows, const json_t *data,
                            csm_time received) {
    csm_time before = CSM_TIME_MIN, day = 0, newest = CSM_TIME_MIN;
    int64_t value_before = 0, value = 0;
    for (size_t i = json_array_size(data); i-- > 0;) {
        csm_status status = day_read(json_array_get(data, i), &day, &value);
        if (status != CSM_OK) return status;
        if (day > received) return csm_fail(CSM_EPARSE, WHAT ": row %zu is of a day to come", i);
        if (day == before && value == value_before) continue;
        if (day <= before) return csm_fail(CSM_EPARSE, WHAT ": row %zu is not after the row below it", i);
        before = day;
        value_before = value;
        if (day + CSM_FEAR_GREED_LAG > received)
            continue; /* not known yet by our own rule: a later call takes it */
        status = csm_fear_greed_append(rows, day, value);
        if (status != CSM_OK) return status;
        newest = day;
    }
    if (newest == CSM_TIME_MIN) return CSM_OK;
    answer->cursor = csm_text_pool_format(&answer->texts, "%" PRId64, (int64_t)(newest / CSM_SECOND));
    return answer->cursor == NULL ? CSM_ENOMEM : CSM_OK;
}

static csm_status parse(csm_source_answer *answer, const csm_source_ask *ask, const char *body, size_t length,
                        csm_time received) {
    (void)ask;
    json_error_t fault;
    csm_source_part *part = NULL;
    json_t *root = json_loadb(body, length, JSON_REJECT_DUPLICATES, &fault);
    if (root == NULL)
        return csm_fail(CSM_EPARSE, WHAT ": %s at byte %d of %zu", fault.text, fault.position, length);
    csm_status status = CSM_OK;
    const json_t *error = json_object_get(json_object_get(root, "metadata"), "error");
    const json_t *data = json_object_get(root, "data");
    if (error != NULL && !json_is_null(error)) {
        const char *text = json_string_value(error);
        status = csm_fail(CSM_ETRANSIENT, WHAT ": %.120s", text != NULL ? text : "an error without text");
    } else if (!json_is_array(data)) {
        status = csm_fail(CSM_EPARSE, WHAT ": \"data\" is not a list");
    }
    if (status == CSM_OK) status = csm_source_answer_part(&part, answer, "value", (csm_slice){"", 0});
    if (status == CSM_OK) status = days_take(answer, part->rows, data, received);
    json_decref(root);
    return status;
}

const csm_source_driver csm_driver_fear_greed = {
    .net = &net,
    .archives = true,
    .request = request,
    .parse = parse,
    .venue = CSM_FEAR_GREED_VENUE,
    .series = CSM_FEAR_GREED_SERIES,
};
