/* SPDX-License-Identifier: MIT */
/* What the tests of store share: a temporary workspace and rows to put into it. */
#ifndef CSM_TESTS_STORE_FIXTURE_H
#define CSM_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/internal.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOUR CSM_HOUR
#define START ((csm_time)1700000000 / 3600 * 3600 * CSM_SECOND) /* an hour of November 2023 */

typedef struct workspace {
    char path[256];
    csm_context *context;
} workspace;

static int remove_entry(const char *path, const struct stat *info, int flag, struct FTW *where) {
    (void)info;
    (void)flag;
    (void)where;
    return remove(path);
}

static inline void remove_folder(const char *path) {
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void temporary_folder(char path[256]) {
    const char *base = getenv("TMPDIR");
    snprintf(path, 256, "%s/csm-store-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
}

static inline int workspace_setup(void **state) {
    workspace *w = calloc(1, sizeof *w);
    if (!w) return -1;
    temporary_folder(w->path);
    csm_context_options options;
    csm_context_options_init(&options);
    options.threads = 2;
    if (csm_context_new(&w->context, &options)) return -1;
    *state = w;
    return 0;
}

static inline int workspace_teardown(void **state) {
    workspace *w = *state;
    csm_context_free(w->context);
    if (!getenv("CSM_KEEP")) remove_folder(w->path);
    free(w);
    return 0;
}

#define assert_ok(call)                                                                                      \
    do {                                                                                                     \
        const csm_status assert_status = (call);                                                             \
        if (assert_status)                                                                                   \
            fail_msg("%s: %s: %s", #call, csm_status_name(assert_status), csm_error_message());              \
    } while (0)
#define assert_status(expected, call) assert_string_equal(csm_status_name(expected), csm_status_name(call))
#define assert_text(part)                                                                                    \
    do {                                                                                                     \
        if (!strstr(csm_error_message(), part))                                                              \
            fail_msg("\"%s\" is not in \"%s\"", part, csm_error_message());                                  \
    } while (0)

static inline csm_store *open_store(const workspace *w, csm_store_mode mode) {
    csm_store *store = NULL;
    assert_ok(csm_store_open(&store, w->context, w->path, mode));
    return store;
}

static inline csm_stream bar_stream(const char *symbol) {
    return (csm_stream){.kind = "bars", .venue = "kraken", .symbol = symbol, .interval = HOUR, .epoch = 1};
}

static inline csm_provenance source_at(csm_time received) {
    return (csm_provenance){
        .source = "kraken.ohlc", .request = "/0/public/OHLC?pair=XBTUSD", .origin = "", .received = received};
}

static inline csm_decimal dec(int64_t ticks, int32_t scale) {
    return (csm_decimal){.ticks = ticks, .scale = scale};
}

static inline csm_decimal missing(void) {
    return dec(CSM_CELL_MISSING, 0);
}

static inline csm_table *new_table(const char *kind) {
    csm_table *table = NULL;
    assert_ok(csm_table_new(&table, kind));
    return table;
}

/* A traded bar that opens at START + hour hours; prices in cents around `close`. */
static inline void add_bar(csm_table *bars, int64_t hour, int64_t close, csm_time later) {
    const csm_time time = START + hour * HOUR;
    const csm_decimal cells[10] = {dec(time, 0),
                                   dec(time + HOUR + later, 0),
                                   dec(close - 3, 2),
                                   dec(close + 10, 2),
                                   dec(close - 12, 2),
                                   dec(close, 2),
                                   dec(123456789 + hour * 7919, 8),
                                   missing(),
                                   dec(40 + hour % 7, 0),
                                   dec(CSM_BAR_TRADED, 0)};
    assert_ok(csm_table_append(bars, cells));
}

static inline csm_table *bars_from(int64_t first_hour, int64_t count) {
    csm_table *bars = new_table("bars");
    for (int64_t i = 0; i < count; i++)
        add_bar(bars, first_hour + i, 3500000 + ((first_hour + i) * 7919) % 1000, 0);
    return bars;
}

static inline void append_bars(csm_store *store, const workspace *w, const char *symbol, int64_t first_hour,
                               int64_t count) {
    csm_table *bars = bars_from(first_hour, count);
    const csm_stream stream = bar_stream(symbol);
    const csm_provenance source = source_at(START + (first_hour + count + 1) * HOUR);
    assert_ok(csm_store_append(store, w->context, &stream, bars, &source));
    csm_table_free(bars);
}

static inline csm_table *read_all(const csm_store *store, const workspace *w, const csm_stream *stream) {
    csm_table *table = NULL;
    assert_ok(csm_store_read(&table, store, w->context, stream, CSM_TIME_MIN, CSM_TIME_MAX, CSM_TIME_MAX));
    return table;
}

static inline void assert_same_table(const csm_table *a, const csm_table *b) {
    assert_int_equal(a->rows, b->rows);
    assert_ptr_equal(a->kind, b->kind);
    for (size_t c = 0; c < a->kind->columns; c++) {
        for (size_t i = 0; i < a->rows; i++) {
            const csm_decimal x = dec(a->ticks[c][i], a->scale[c]), y = dec(b->ticks[c][i], b->scale[c]);
            char left[64] = "missing", right[64] = "missing";
            if (x.ticks != CSM_CELL_MISSING) csm_decimal_format(x, left, sizeof left);
            if (y.ticks != CSM_CELL_MISSING) csm_decimal_format(y, right, sizeof right);
            if (strcmp(left, right) != 0)
                fail_msg("column %s row %zu: %s and %s", a->kind->column[c].name, i, left, right);
        }
    }
}

#endif
