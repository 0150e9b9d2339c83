/* SPDX-License-Identifier: MIT */
#include "ingest/import_rows.h"
#include "ingest/bar_row.h"
#include "ingest/digits.h"
#include "ingest/fear_greed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define OHLCVT_FIELDS 7 /* timestamp,open,high,low,close,volume,trades */

static const char *const ohlcv_header[] = {"ts", "open", "high", "low", "close", "volume"};
static const char *const fear_greed_header[] = {"date", "value", "classification"};
#define OHLCV_FIELDS (sizeof ohlcv_header / sizeof ohlcv_header[0])
#define FEAR_GREED_FIELDS (sizeof fear_greed_header / sizeof fear_greed_header[0])

#define QUICK_BYTES 256 /* more than a line of bars has, and than its parser may look at */
#define SECONDS_DIGITS 12
#define NUMBER_MOST 24

static csm_status line_take(void *user, const csm_csv_line *line);
static size_t line_take_quickly(void *user, const char *at, const char *end, uint64_t number);

void csm_import_rows_init(csm_import_rows *rows, uint32_t format, csm_time interval, csm_time latest) {
    rows->format = format;
    rows->table = NULL;
    rows->interval = interval;
    rows->latest = latest;
    rows->previous = CSM_TIME_MIN;
    rows->times = NULL;
    rows->row_count = rows->row_capacity = 0;
    rows->columns = 0;
    rows->trades = rows->vwap = SIZE_MAX;
    rows->first_line = 0;
    rows->quiet = 0;
    csm_csv_begin(&rows->csv, line_take, rows);
    rows->csv.quick = line_take_quickly;
}

void csm_import_rows_free(csm_import_rows *rows) {
    csm_table_free(rows->table);
    csm_dealloc(rows->times);
    rows->table = NULL;
    rows->times = NULL;
}

/* ---- the first line ---- */

static bool header_is(const csm_csv_line *line, const char *const *names, size_t count) {
    if (line->count < count) return false;
    for (size_t i = 0; i < count; i++)
        if (!csm_slice_is(line->fields[i], names[i])) return false;
    return true;
}

static csm_status format_settle(csm_import_rows *rows, const csm_csv_line *line) {
    csm_slice first = line->fields[0];
    if (rows->format != CSM_IMPORT_AUTO) return CSM_OK;
    if (header_is(line, ohlcv_header, OHLCV_FIELDS))
        rows->format = CSM_IMPORT_OHLCV;
    else if (header_is(line, fear_greed_header, FEAR_GREED_FIELDS))
        rows->format = CSM_IMPORT_FEAR_GREED;
    else if (line->count == OHLCVT_FIELDS && first.length > 0 && first.text[0] >= '0' && first.text[0] <= '9')
        rows->format = CSM_IMPORT_KRAKEN_OHLCVT;
    else
        return csm_csv_fail(line, line->count > 5 ? 5 : 0,
                            "neither ts,open,high,low,close,volume nor date,value,classification nor OHLCVT");
    return CSM_OK;
}

static csm_status header_take(csm_import_rows *rows, const csm_csv_line *line) {
    rows->columns = line->count;
    if (rows->format == CSM_IMPORT_FEAR_GREED)
        return header_is(line, fear_greed_header, FEAR_GREED_FIELDS)
                   ? CSM_OK
                   : csm_csv_fail(line, 0, "the header is not date,value,classification");
    if (!header_is(line, ohlcv_header, OHLCV_FIELDS))
        return csm_csv_fail(line, 0, "the header is not ts,open,high,low,close,volume");
    for (size_t i = OHLCV_FIELDS; i < line->count; i++) {
        if (csm_slice_is(line->fields[i], "trades")) rows->trades = i;
        if (csm_slice_is(line->fields[i], "vwap")) rows->vwap = i;
    }
    return CSM_OK;
}

/* ---- rows ---- */

static csm_status time_room(csm_import_rows *rows) {
    if (rows->row_count < rows->row_capacity) return CSM_OK;
    size_t capacity = rows->row_capacity == 0 ? 1024 : rows->row_capacity * 2;
    csm_time *times = csm_realloc_array(rows->times, capacity, sizeof(csm_time));
    if (times == NULL) return CSM_ENOMEM;
    rows->times = times;
    rows->row_capacity = capacity;
    return CSM_OK;
}

/* There is room for it. */
static void time_keep(csm_import_rows *rows, uint64_t line, csm_time time) {
    rows->previous = time;
    if (rows->row_count == 0) rows->first_line = line;
    rows->times[rows->row_count++] = time;
}

static csm_status time_note(csm_import_rows *rows, const csm_csv_line *line, csm_time time) {
    if (time > rows->latest) return csm_csv_fail(line, 0, "in the future");
    if (rows->previous != CSM_TIME_MIN && time <= rows->previous)
        return csm_csv_fail(line, 0, "not after the line before");
    csm_status status = time_room(rows);
    if (status == CSM_OK) time_keep(rows, line->number, time);
    return status;
}

static csm_status bar_read(const csm_import_rows *rows, const csm_csv_line *line, csm_bar_row *bar) {
    csm_decimal *const numbers[] = {&bar->open, &bar->high, &bar->low, &bar->close, &bar->volume};
    int64_t seconds = 0;
    if (csm_slice_i64(&seconds, line->fields[0]) != CSM_OK || seconds < 0 || seconds > INT64_MAX / CSM_SECOND)
        return csm_csv_fail(line, 0, "no time in Unix seconds");
    bar->time = seconds * CSM_SECOND;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (csm_decimal_from_slice(numbers[i], line->fields[i + 1]) != CSM_OK)
            return csm_csv_fail(line, i + 1, "no decimal");
    bar->vwap = csm_decimal_missing;
    bar->trades = CSM_CELL_MISSING;
    if (rows->vwap != SIZE_MAX && line->fields[rows->vwap].length > 0 &&
        csm_decimal_from_slice(&bar->vwap, line->fields[rows->vwap]) != CSM_OK)
        return csm_csv_fail(line, rows->vwap, "no decimal");
    if (rows->trades != SIZE_MAX && line->fields[rows->trades].length > 0 &&
        csm_slice_i64(&bar->trades, line->fields[rows->trades]) != CSM_OK)
        return csm_csv_fail(line, rows->trades, "no number of trades");
    return CSM_OK;
}

/* Exchanges write an interval without trade as the last close four times over volume 0. */
static bool bar_is_quiet(const csm_bar_row *bar) {
    return bar->volume.ticks == 0 && (bar->trades == CSM_CELL_MISSING || bar->trades == 0) &&
           csm_decimal_compare(bar->high, bar->low) == 0;
}

static csm_status bar_take(csm_import_rows *rows, const csm_csv_line *line) {
    csm_bar_row bar = {0};
    csm_status status = bar_read(rows, line, &bar);
    if (status == CSM_OK) status = time_note(rows, line, bar.time);
    if (status != CSM_OK) return status;
    bar.available = bar.time; /* until the interval is known */
    const char *fault = csm_bar_row_fault(&bar);
    if (fault != NULL) return csm_csv_fail(line, 0, fault);
    if (bar.vwap.ticks <= 0) bar.vwap = csm_decimal_missing;
    if (!bar_is_quiet(&bar)) return csm_bar_row_append_traded(rows->table, &bar);
    rows->quiet++;
    return csm_bar_row_append_quiet(rows->table, bar.time, bar.available);
}

/* ---- a bar in one pass ---- */

static bool whole_take(const char **at, size_t digits, int64_t *out) {
    const char *text = *at;
    int64_t value = 0;
    while (*text >= '0' && *text <= '9') value = value * 10 + (*text++ - '0');
    if (text == *at || (size_t)(text - *at) > digits) return false;
    *out = value;
    *at = text;
    return true;
}

static size_t number_length(const char *text) {
    size_t length = 0;
    while (length < NUMBER_MOST && ((text[length] >= '0' && text[length] <= '9') || text[length] == '.'))
        length++;
    return length < NUMBER_MOST ? length : 0;
}

/* What the word-wise parser leaves to the exact one: more than 7 digits before the point, or 8 behind. */
static bool decimal_take(const char **at, csm_decimal *out) {
    if (csm_digits_take(at, out)) return true;
    size_t length = number_length(*at);
    if (length == 0 || csm_decimal_from_slice(out, (csm_slice){*at, length}) != CSM_OK) return false;
    *at += length;
    return true;
}

/* "time,open,high,low,close,volume" and ",trades" where the file has it; QUICK_BYTES are there. */
static bool bar_scan(const char **at, csm_bar_row *bar, bool trades) {
    csm_decimal *const numbers[] = {&bar->open, &bar->high, &bar->low, &bar->close, &bar->volume};
    int64_t seconds = 0;
    if (!whole_take(at, SECONDS_DIGITS, &seconds) || seconds > INT64_MAX / CSM_SECOND) return false;
    bar->time = bar->available = seconds * CSM_SECOND;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (*(*at)++ != ',' || !decimal_take(at, numbers[i])) return false;
    bar->vwap = csm_decimal_missing;
    bar->trades = CSM_CELL_MISSING;
    if (trades && (*(*at)++ != ',' || !whole_take(at, SECONDS_DIGITS, &bar->trades))) return false;
    *at += **at == '\r';
    return *(*at)++ == '\n';
}

static size_t line_take_quickly(void *user, const char *at, const char *end, uint64_t number) {
    csm_import_rows *rows = user;
    const bool trades = rows->trades == OHLCV_FIELDS && rows->columns == OHLCV_FIELDS + 1;
    const char *next = at;
    csm_bar_row bar;
    if (rows->format == CSM_IMPORT_FEAR_GREED || end - at < QUICK_BYTES || rows->vwap != SIZE_MAX) return 0;
    if (!trades && rows->columns != OHLCV_FIELDS) return 0;
    if (!bar_scan(&next, &bar, trades) || csm_bar_row_fault(&bar) != NULL || bar_is_quiet(&bar)) return 0;
    if (bar.time > rows->latest || (rows->previous != CSM_TIME_MIN && bar.time <= rows->previous)) return 0;
    if (time_room(rows) != CSM_OK || csm_bar_row_append_traded(rows->table, &bar) != CSM_OK) return 0;
    time_keep(rows, number, bar.time);
    return (size_t)(next - at);
}

static csm_status day_take(csm_import_rows *rows, const csm_csv_line *line) {
    csm_time day = 0;
    int64_t value = 0;
    if (line->fields[0].length != 10 || csm_time_parse(&day, line->fields[0].text, 10) != CSM_OK)
        return csm_csv_fail(line, 0, "no date");
    if (csm_slice_i64(&value, line->fields[1]) != CSM_OK || value < 0 || value > 100)
        return csm_csv_fail(line, 1, "no value from 0 to 100");
    csm_status status = time_note(rows, line, day);
    return status != CSM_OK ? status : csm_fear_greed_append(rows->table, day, value);
}

static csm_status line_take(void *user, const csm_csv_line *line) {
    csm_import_rows *rows = user;
    if (line->number == 1) {
        csm_status status = format_settle(rows, line);
        if (status == CSM_OK)
            status = csm_table_new(&rows->table, rows->format == CSM_IMPORT_FEAR_GREED ? "value" : "bars");
        if (status != CSM_OK) return status;
        if (rows->format != CSM_IMPORT_KRAKEN_OHLCVT) return header_take(rows, line);
        rows->columns = OHLCVT_FIELDS;
        rows->trades = OHLCVT_FIELDS - 1;
    }
    if (line->count != rows->columns)
        return csm_csv_fail(line, 0, "another number of fields than the first line");
    return rows->format == CSM_IMPORT_FEAR_GREED ? day_take(rows, line) : bar_take(rows, line);
}

/* ---- the whole file ---- */

static int ascending(const void *left, const void *right) {
    csm_time a = *(const csm_time *)left, b = *(const csm_time *)right;
    return a < b ? -1 : a > b;
}

/* The step that more than half of all have, 0 where there is none (majority vote of Boyer and Moore 1981). */
static csm_time majority_step(const csm_time *times, size_t steps) {
    csm_time candidate = 0;
    size_t votes = 0, count = 0;
    for (size_t i = 0; i < steps; i++) {
        const csm_time step = times[i + 1] - times[i];
        if (votes == 0) candidate = step;
        votes += step == candidate ? 1 : (size_t)-1;
    }
    for (size_t i = 0; i < steps; i++) count += times[i + 1] - times[i] == candidate;
    return count > steps / 2 ? candidate : 0;
}

/* The step between neighbours that occurs most often; the smaller of two. */
static csm_status interval_infer(csm_import_rows *rows) {
    if (rows->row_count < 2)
        return csm_fail(CSM_EPARSE, "%zu rows do not tell the interval", rows->row_count);
    size_t count = rows->row_count - 1, run = 0, longest = 0;
    rows->interval = majority_step(rows->times, count);
    if (rows->interval > 0) return CSM_OK;
    csm_time *steps = csm_alloc_array(count, sizeof(csm_time));
    if (steps == NULL) return CSM_ENOMEM;
    for (size_t i = 0; i < count; i++) steps[i] = rows->times[i + 1] - rows->times[i];
    qsort(steps, count, sizeof(csm_time), ascending);
    for (size_t i = 0; i < count; i++) {
        run = i > 0 && steps[i] == steps[i - 1] ? run + 1 : 1;
        if (run <= longest) continue;
        longest = run;
        rows->interval = steps[i];
    }
    csm_dealloc(steps);
    return CSM_OK;
}

csm_status csm_import_rows_push(csm_import_rows *rows, const char *bytes, size_t length) {
    return csm_csv_push(&rows->csv, bytes, length);
}

csm_status csm_import_rows_finish(csm_import_rows *rows) {
    csm_status status = csm_csv_finish(&rows->csv);
    if (status != CSM_OK) return status;
    if (rows->table == NULL || rows->row_count == 0) return csm_fail(CSM_EPARSE, "no rows");
    if (rows->format == CSM_IMPORT_FEAR_GREED) {
        rows->interval = CSM_DAY;
        return CSM_OK;
    }
    if (rows->interval == 0) status = interval_infer(rows);
    if (status != CSM_OK) return status;
    for (size_t i = 0; i < rows->row_count; i++) {
        if (rows->times[i] % rows->interval == 0) continue;
        char interval[32], time[CSM_TIME_TEXT];
        return csm_fail(CSM_EPARSE, "line %" PRIu64 ": %s is no multiple of %s", rows->first_line + i,
                        csm_time_format(rows->times[i], time, sizeof time),
                        csm_interval_format(rows->interval, interval, sizeof interval));
    }
    return CSM_OK;
}
