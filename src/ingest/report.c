/* SPDX-License-Identifier: MIT */
#include "ingest/report.h"
#include "store/catalog.h"
#include "store/internal.h"

#include <string.h>

csm_status csm_report_new(csm_ingest_report **out) {
    *out = csm_alloc_array(1, sizeof(csm_ingest_report));
    return *out == NULL ? CSM_ENOMEM : CSM_OK;
}

void csm_ingest_report_free(csm_ingest_report *report) {
    if (report == NULL) return;
    csm_text_pool_free(&report->texts);
    csm_dealloc(report->items);
    csm_dealloc(report);
}

size_t csm_ingest_report_count(const csm_ingest_report *report) {
    return report == NULL ? 0 : report->count;
}

const csm_ingest_item *csm_ingest_report_at(const csm_ingest_report *report, size_t index) {
    return report == NULL || index >= report->count ? NULL : &report->items[index];
}

csm_status csm_report_item(csm_ingest_item **out, csm_ingest_report *report, const char *source,
                           const char *market) {
    if (report->count == report->capacity) {
        size_t capacity = report->capacity == 0 ? 16 : report->capacity * 2;
        csm_ingest_item *items = csm_realloc_array(report->items, capacity, sizeof(csm_ingest_item));
        if (items == NULL) return CSM_ENOMEM;
        report->items = items;
        report->capacity = capacity;
    }
    csm_ingest_item item = {.newest = CSM_TIME_MIN, .text = ""};
    item.source = csm_text_pool_add(&report->texts, source, strlen(source));
    item.market = csm_text_pool_add(&report->texts, market, strlen(market));
    if (item.source == NULL || item.market == NULL) return CSM_ENOMEM;
    report->items[report->count] = item;
    *out = &report->items[report->count++];
    return CSM_OK;
}

csm_status csm_report_say(csm_ingest_report *report, csm_ingest_item *item, const char *text) {
    if (*text == '\0') return CSM_OK;
    const char *joined =
        csm_text_pool_format(&report->texts, "%s%s%s", item->text, *item->text != '\0' ? "; " : "", text);
    if (joined == NULL) return CSM_ENOMEM;
    item->text = joined;
    return CSM_OK;
}

typedef struct stream_facts {
    uint64_t rows;
    csm_time first;
    csm_time last;
} stream_facts;

static csm_status facts_read(stream_facts *facts, const csm_store *store, const csm_stream *stream) {
    int64_t id = 0;
    csm_statement *statement = NULL;
    bool row = false;
    *facts = (stream_facts){.first = CSM_TIME_MAX, .last = CSM_TIME_MIN};
    csm_status status = csm_stream_find(&id, store, stream);
    if (status != CSM_OK || id == 0) return status;
    status = csm_catalog_prepare(&statement, store,
                                 "SELECT sum(rows), min(first), max(last) FROM ("
                                 "SELECT rows, first, last FROM segments WHERE stream = ?1 UNION ALL "
                                 "SELECT rows, first, last FROM tail WHERE stream = ?1)");
    if (status == CSM_OK) status = csm_statement_bind_i64(statement, 1, id);
    if (status == CSM_OK) status = csm_statement_step(statement, &row);
    if (status == CSM_OK && row && csm_statement_text(statement, 1) != NULL) {
        facts->rows = (uint64_t)csm_statement_i64(statement, 0);
        facts->first = csm_statement_i64(statement, 1);
        facts->last = csm_statement_i64(statement, 2);
    }
    csm_statement_close(statement);
    return status;
}

csm_status csm_stream_extent(uint64_t *rows, csm_time *newest, const csm_store *store,
                             const csm_stream *stream) {
    stream_facts facts;
    csm_status status = facts_read(&facts, store, stream);
    *rows = facts.rows;
    *newest = facts.last;
    return status;
}

csm_status csm_stream_span(csm_time *first, csm_time *last, const csm_store *store,
                           const csm_stream *stream) {
    stream_facts facts;
    csm_status status = facts_read(&facts, store, stream);
    *first = facts.first;
    *last = facts.last;
    return status;
}
