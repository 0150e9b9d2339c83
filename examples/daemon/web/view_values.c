/* SPDX-License-Identifier: MIT */
/* What the pages share. Every object with numbers says in "from" which row of the catalogue they come from. */
#include "rows.h"
#include "viewer.h"

#include <string.h>

const char *horizon_text(csm_time horizon, char *text, size_t size) {
    if (horizon == CSM_DAY)
        snprintf(text, size, "24h");
    else if (horizon % CSM_DAY == 0)
        snprintf(text, size, "%lldd", (long long)(horizon / CSM_DAY));
    else
        csm_interval_format(horizon, text, size);
    return text;
}

json_t *json_reasons(csm_reason reasons) {
    json_t *list = json_array();
    for (uint32_t bit = 0; bit < 64; bit++) {
        const char *name = (reasons >> bit & 1) ? csm_reason_name(bit) : NULL;
        if (name) json_array_append_new(list, json_string(name));
    }
    return list;
}

json_t *json_entry(const csm_ledger_entry *e) {
    static const char *const states[] = {"known", "unknown", "pending", "no entry"};
    char from[32], name[32];
    snprintf(from, sizeof from, "ledger/%lld", (long long)e->row);
    json_t *entry = json_pack(
        "{s:s,s:s,s:s,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:b,s:o,s:o,s:s}", "from", from, "coin",
        e->coin, "market", e->market, "written", json_time(e->written), "decision", json_time(e->decision),
        "horizon", horizon_text(e->horizon, name, sizeof name), "probability", json_number(e->probability),
        "lower", json_number(e->lower), "expected_return", json_number(e->expected_return), "low",
        json_number(e->low), "high", json_number(e->high), "cost", json_number(e->cost), "evidence",
        csm_evidence_name(e->evidence), "backfill", (int)e->backfill, "reasons", json_reasons(e->show),
        "trade_reasons", json_reasons(e->trade), "outcome", states[e->state & 3]);
    if (entry) json_object_set_new(entry, "shown", json_boolean(e->show == 0));
    if (entry && e->verdict)
        json_object_set_new(entry, "verdict", json_string(e->verdict > 0 ? "right" : "wrong"));
    if (entry && e->state == CSM_TARGET_KNOWN) {
        json_object_set_new(entry, "log_return", json_number(e->log_return));
        json_object_set_new(entry, "rises", json_boolean(e->rises));
    }
    return entry;
}

json_t *json_band(const csm_band *band) {
    return json_pack("{s:o,s:o,s:o}", "value", json_number(band->value), "low", json_number(band->low),
                     "high", json_number(band->high));
}

void stream_text(char *text, size_t size, const csm_stream *s) {
    snprintf(text, size, "streams/%s/%s/%s/%d/%lld", s->kind, s->venue, s->symbol, (int)s->epoch,
             (long long)s->interval);
}

const csm_stream_info *market_stream(const view *v, const char *market, int32_t epoch) {
    const char *colon = strchr(market, ':');
    for (size_t i = 0; colon && v->streams && i < csm_stream_list_count(v->streams); i++) {
        const csm_stream_info *s = csm_stream_list_at(v->streams, i);
        if (strcmp(s->stream.kind, "bars") == 0 && s->stream.interval == CSM_HOUR &&
            s->stream.epoch == epoch && strlen(s->stream.venue) == (size_t)(colon - market) &&
            strncmp(s->stream.venue, market, (size_t)(colon - market)) == 0 &&
            strcmp(s->stream.symbol, colon + 1) == 0)
            return s;
    }
    return NULL;
}

const csm_market *market_find(const view *v, const char *id, int32_t epoch) {
    const csm_market *found = NULL;
    for (size_t i = 0; v->markets && i < csm_market_list_count(v->markets); i++) {
        const csm_market *m = csm_market_list_at(v->markets, i);
        if (strcmp(m->id, id) == 0 && (epoch == 0 ? !found || m->epoch > found->epoch : m->epoch == epoch))
            found = m;
    }
    return found;
}

size_t batch_count(const view *v) {
    return v->batch ? csm_ledger_history_count(v->batch) - v->batch_first : 0;
}

const csm_ledger_entry *batch_at(const view *v, size_t index) {
    return csm_ledger_history_at(v->batch, v->batch_first + index);
}
