/* SPDX-License-Identifier: MIT */
/* A checked file's rows on their way into the store. */
#include "discover/exclusions.h"
#include "ingest/fear_greed.h"
#include "ingest/import.h"
#include "store/kind.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct entering {
    csm_import_group *group;
    const csm_import *import;
    csm_import_file *file;
    csm_stream stream;
    csm_provenance provenance;
} entering;

/* Rows [begin, end) as an append of one epoch. The file's table itself where nothing before is left out. */
static csm_status append_part(entering *e, size_t begin, size_t end, size_t last, int32_t epoch) {
    csm_import_rows *rows = &e->file->rows;
    csm_table *part = NULL;
    csm_status status = CSM_OK;
    e->stream.epoch = epoch;
    if (begin == 0 && end == last) {
        part = rows->table;
        rows->table = NULL;
        part->rows = end;
    } else {
        status = csm_table_new(&part, e->stream.kind);
        if (status == CSM_OK) status = csm_table_extend(part, rows->table, begin, end);
    }
    if (status == CSM_OK) return csm_import_group_append(e->group, &e->stream, &e->provenance, part);
    csm_table_free(part);
    return status;
}

/* Epoch of a row: what the registry says of the market's listings, or the table of relistings where that says more. */
static int32_t epoch_at(const csm_import *import, const char *symbol, csm_time time) {
    int32_t epoch = csm_relisting_epoch(import->options.venue, symbol, time);
    for (size_t i = 0; i < csm_market_list_count(import->registry); i++) {
        const csm_market *market = csm_market_list_at(import->registry, i);
        if (strcmp(market->symbol, symbol) != 0 || market->epoch <= epoch || market->listed > time) continue;
        epoch = market->epoch;
    }
    return epoch;
}

/* First row from `begin` on, `end` if none, that is of another epoch than `begin`: epochs only grow with time. */
static size_t epoch_end(const entering *e, size_t begin, size_t end, int32_t epoch) {
    const csm_time *times = e->file->rows.times;
    const size_t last = end;
    while (begin < end) {
        const size_t middle = end == last ? end - 1 : begin + (end - begin) / 2; /* one epoch is usual */
        if (epoch_at(e->import, e->stream.symbol, times[middle]) == epoch)
            begin = middle + 1;
        else
            end = middle;
    }
    return end;
}

/* Rows [begin, end); *epochs is the number of appends. */
static csm_status append_by_epoch(entering *e, size_t begin, size_t end, size_t *epochs) {
    const csm_time *times = e->file->rows.times;
    const size_t last = end;
    for (*epochs = 0; begin < end; ++*epochs) {
        int32_t epoch = epoch_at(e->import, e->stream.symbol, times[begin]);
        const size_t stop = epoch_end(e, begin + 1, end, epoch);
        csm_status status = append_part(e, begin, stop, last, epoch);
        if (status != CSM_OK) return status;
        begin = stop;
    }
    return CSM_OK;
}

/* A bar is known at its close: history files name no receipt of their own. */
static void available_settle(csm_import_rows *rows) {
    if (rows->format == CSM_IMPORT_FEAR_GREED) return;
    int64_t *available = rows->table->ticks[CSM_COLUMN_AVAILABLE];
    for (size_t i = 0; i < rows->row_count; i++) available[i] = rows->times[i] + rows->interval;
}

static csm_status gaps_say(const csm_import *import, csm_ingest_item *item, const csm_import_rows *rows,
                           size_t begin, size_t end) {
    uint64_t gaps = 0, missing = 0;
    char text[96];
    for (size_t i = begin + 1; i < end; i++) {
        uint64_t steps = (uint64_t)((rows->times[i] - rows->times[i - 1]) / rows->interval);
        gaps += steps > 1;
        missing += steps - 1;
    }
    if (gaps == 0) return CSM_OK;
    snprintf(text, sizeof text, "%" PRIu64 " intervals missing in %" PRIu64 " gaps", missing, gaps);
    return csm_report_say(import->report, item, text);
}

/* Rows of [from, to) without the last one, which may be unfinished. Says what was left out. */
static csm_status range_settle(const csm_import *import, csm_ingest_item *item, const csm_import_rows *rows,
                               size_t *begin, size_t *end) {
    char text[96];
    csm_status status = CSM_OK;
    *begin = 0;
    *end = rows->row_count;
    if (import->options.drop_last && rows->format != CSM_IMPORT_FEAR_GREED) {
        --*end;
        status = csm_report_say(import->report, item, "last bar dropped");
    }
    size_t whole = *end;
    while (*begin < *end && rows->times[*begin] < import->options.from) ++*begin;
    while (*end > *begin && rows->times[*end - 1] >= import->options.to) --*end;
    size_t outside = whole - (*end - *begin);
    if (status != CSM_OK || outside == 0) return status;
    snprintf(text, sizeof text, "%zu rows outside the range", outside);
    return csm_report_say(import->report, item, text);
}

static csm_status enter_rows(entering *e, csm_ingest_item *item) {
    csm_import_rows *rows = &e->file->rows;
    size_t begin = 0, end = 0, epochs = 0;
    csm_status status = range_settle(e->import, item, rows, &begin, &end);
    if (status == CSM_OK) status = gaps_say(e->import, item, rows, begin, end);
    if (status != CSM_OK) return status;
    available_settle(rows);
    status = append_by_epoch(e, begin, end, &epochs);
    if (status == CSM_OK && epochs > 1)
        status = csm_report_say(e->import->report, item, "split by listing epoch");
    return status;
}

static csm_status enter_file(csm_import_group *group, csm_import_file *file, size_t item) {
    const csm_import *import = group->import;
    const bool is_index = file->rows.format == CSM_IMPORT_FEAR_GREED;
    entering e = {
        .group = group,
        .import = import,
        .file = file,
        .stream = {.kind = is_index ? "value" : "bars",
                   .venue = is_index ? CSM_FEAR_GREED_VENUE : import->options.venue,
                   .symbol = is_index ? CSM_FEAR_GREED_SERIES : file->symbol,
                   .interval = is_index ? 0 : file->rows.interval,
                   .epoch = 1},
        .provenance = {.source = "import.csv",
                       .request = file->request,
                       .origin = import->options.origin,
                       .received = import->received},
    };
    csm_status status = CSM_OK;
    if (csm_import_group_is_full(group, file->rows.row_count) || csm_import_group_holds(group, &e.stream))
        status = csm_import_group_store(group);
    if (status == CSM_OK)
        status = csm_import_group_take(group, file, item);
    else
        csm_import_file_free(file);
    return status == CSM_OK ? enter_rows(&e, &import->report->items[item]) : status;
}

csm_status csm_import_enter(csm_import_group *group, csm_import_file *file) {
    const csm_import *import = group->import;
    char market[2 * CSM_IMPORT_SYMBOL_MAX] = "";
    csm_ingest_item *item = NULL;
    csm_status status = file->status;
    if (status == CSM_OK && file->rows.format != CSM_IMPORT_FEAR_GREED) {
        status = csm_import_symbol(file->symbol, sizeof file->symbol, import, file->name, file->rows.format);
        if (status == CSM_OK) snprintf(market, sizeof market, "%s:%s", import->options.venue, file->symbol);
        if (status != CSM_OK) csm_import_file_fail(file, status);
    }
    csm_status made = csm_report_item(&item, import->report, file->name, market);
    if (made == CSM_OK) {
        item->requests = 1;
        const size_t index = import->report->count - 1;
        if (status == CSM_OK) return enter_file(group, file, index);
        made = csm_import_say_failure(import, file, index, status);
    }
    csm_import_file_free(file);
    return made;
}
