/* SPDX-License-Identifier: MIT */
#include "store/columns.h"
#include "store/kind.h"

#include <string.h>

static const csm_kind kinds[] = {
#define CSM_KIND(name, ...) {#name, sizeof((csm_column[]){__VA_ARGS__}) / sizeof(csm_column), {__VA_ARGS__}},
#include "store/kinds.def"
#undef CSM_KIND
};
#define KINDS (sizeof kinds / sizeof *kinds)

const csm_kind *csm_kind_find(const char *name) {
    for (size_t i = 0; name && i < KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    }
    return NULL;
}

const csm_kind *csm_kind_at(size_t index) {
    return index < KINDS ? &kinds[index] : NULL;
}

static csm_status fail_cell(const csm_table *table, size_t row, size_t column, const char *rule) {
    char value[32] = "missing";
    const csm_decimal cell = {.ticks = table->ticks[column][row], .scale = table->scale[column]};
    if (cell.ticks != CSM_CELL_MISSING) csm_decimal_format(cell, value, sizeof value);
    return csm_fail(CSM_EINVAL, "%s: row %zu: %s %s %s", table->kind->name, row,
                    table->kind->column[column].name, value, rule);
}

static csm_status check_cell(const csm_table *table, size_t row, size_t c) {
    const csm_column *column = &table->kind->column[c];
    const int64_t ticks = table->ticks[c][row];
    if (ticks == CSM_CELL_MISSING)
        return column->flags & CSM_REQUIRED ? fail_cell(table, row, c, "must be given") : CSM_OK;
    const int64_t one = csm_power_of_ten[table->scale[c]];
    switch (column->domain) {
    case CSM_DOMAIN_PRICE:
        return ticks > 0 ? CSM_OK : fail_cell(table, row, c, "is not above 0");
    case CSM_DOMAIN_AMOUNT:
        return ticks >= 0 ? CSM_OK : fail_cell(table, row, c, "is below 0");
    case CSM_DOMAIN_COUNT:
        return ticks >= 0 && ticks % one == 0 ? CSM_OK : fail_cell(table, row, c, "is not a count");
    case CSM_DOMAIN_CODE:
        return ticks == 0 || ticks == one ? CSM_OK : fail_cell(table, row, c, "is neither 0 nor 1");
    case CSM_DOMAIN_STATE:
        return ticks >= 0 && ticks % one == 0 && ticks / one <= CSM_BAR_PENDING
                   ? CSM_OK
                   : fail_cell(table, row, c, "is not a bar state");
    case CSM_DOMAIN_TIME:
    case CSM_DOMAIN_ANY:
        break;
    }
    return CSM_OK;
}

static csm_status check_times(const csm_table *table, size_t row, csm_time received) {
    const csm_time time = table->ticks[CSM_COLUMN_TIME][row];
    const csm_time available = table->ticks[CSM_COLUMN_AVAILABLE][row];
    if (available < time) return fail_cell(table, row, CSM_COLUMN_AVAILABLE, "is before its event time");
    if (received > CSM_TIME_MAX - CSM_CLOCK_SKEW || available <= received + CSM_CLOCK_SKEW) return CSM_OK;
    const size_t late = time > received + CSM_CLOCK_SKEW ? CSM_COLUMN_TIME : CSM_COLUMN_AVAILABLE;
    return fail_cell(table, row, late, "is later than its receipt");
}

static csm_decimal cell_of(const csm_table *table, size_t row, size_t column) {
    return (csm_decimal){.ticks = table->ticks[column][row], .scale = table->scale[column]};
}

/* <0, 0, >0 as a <=> b for cells of two columns with their own scales. */
static int compare_cells(const csm_table *table, size_t row, size_t a, size_t b) {
    const int64_t left = table->ticks[a][row], right = table->ticks[b][row];
    if (table->scale[a] == table->scale[b]) return (left > right) - (left < right);
    return csm_decimal_compare(cell_of(table, row, a), cell_of(table, row, b));
}

static csm_status check_traded(const csm_table *table, size_t row, csm_time interval) {
    for (size_t c = CSM_COLUMN_OPEN; c <= CSM_COLUMN_VOLUME; c++) {
        if (table->ticks[c][row] == CSM_CELL_MISSING)
            return fail_cell(table, row, c, "must be given in a traded bar");
    }
    if (compare_cells(table, row, CSM_COLUMN_HIGH, CSM_COLUMN_OPEN) < 0 ||
        compare_cells(table, row, CSM_COLUMN_HIGH, CSM_COLUMN_CLOSE) < 0)
        return fail_cell(table, row, CSM_COLUMN_HIGH, "is below open or close");
    if (compare_cells(table, row, CSM_COLUMN_LOW, CSM_COLUMN_OPEN) > 0 ||
        compare_cells(table, row, CSM_COLUMN_LOW, CSM_COLUMN_CLOSE) > 0)
        return fail_cell(table, row, CSM_COLUMN_LOW, "is above open or close");
    const csm_time time = table->ticks[CSM_COLUMN_TIME][row];
    const csm_time available = table->ticks[CSM_COLUMN_AVAILABLE][row];
    if (available < time || (uint64_t)available - (uint64_t)time < (uint64_t)interval)
        return fail_cell(table, row, CSM_COLUMN_AVAILABLE, "is before the bar's close");
    return CSM_OK;
}

static csm_status check_untraded(const csm_table *table, size_t row, bool volume) {
    for (size_t c = CSM_COLUMN_OPEN; c < table->kind->columns; c++) {
        if (c == CSM_COLUMN_STATE || table->ticks[c][row] == CSM_CELL_MISSING) continue;
        const bool amount = table->kind->column[c].domain != CSM_DOMAIN_PRICE;
        if (amount && volume && table->ticks[c][row] == 0) continue;
        return fail_cell(table, row, c, "in a bar without trades");
    }
    return CSM_OK;
}

static csm_status check_bar(const csm_table *table, size_t row, csm_time interval) {
    const int64_t one = csm_power_of_ten[table->scale[CSM_COLUMN_STATE]];
    const int64_t state = table->ticks[CSM_COLUMN_STATE][row] / one;
    if (state == CSM_BAR_TRADED) return check_traded(table, row, interval);
    return check_untraded(table, row, state == CSM_BAR_NO_TRADE);
}

csm_status csm_kind_check_row(const csm_table *table, size_t row, csm_time interval, csm_time received) {
    csm_status status = CSM_OK;
    for (size_t c = 0; c < table->kind->columns && !status; c++) status = check_cell(table, row, c);
    if (!status) status = check_times(table, row, received);
    if (!status && strcmp(table->kind->name, "bars") == 0) status = check_bar(table, row, interval);
    return status;
}

/* ---- all rows at once ---- */

/* left[i] - right[i] >= distance, for cells that are all present. */
static bool all_apart(const int64_t *left, const int64_t *right, size_t rows, int64_t distance) {
    return CSM_ON_COLUMN(closer)(left, right, rows, distance) == 0;
}

/* Least tick that a value of the domain may have. */
static int64_t least_of(csm_domain domain) {
    return domain == CSM_DOMAIN_PRICE                              ? 1
           : domain == CSM_DOMAIN_TIME || domain == CSM_DOMAIN_ANY ? INT64_MIN
                                                                   : 0;
}

static bool column_is_plainly_good(const csm_table *table, const csm_extremes *range, size_t c) {
    const csm_column *column = &table->kind->column[c];
    const csm_extremes seen = range[c];
    if (column->domain == CSM_DOMAIN_CODE || column->domain == CSM_DOMAIN_STATE)
        return false; /* few enough: the row's own check */
    if (column->domain == CSM_DOMAIN_COUNT && table->scale[c] != 0) return false;
    if (column->flags & CSM_REQUIRED && seen.missing > 0) return false;
    return seen.least >= least_of(column->domain);
}

/* Bars that all traded, prices in one scale. */
static bool bars_are_plainly_good(const csm_table *t, const csm_extremes *range, csm_time interval) {
    const int64_t *open = t->ticks[CSM_COLUMN_OPEN], *high = t->ticks[CSM_COLUMN_HIGH];
    const int64_t *low = t->ticks[CSM_COLUMN_LOW], *close = t->ticks[CSM_COLUMN_CLOSE];
    const csm_extremes state = range[CSM_COLUMN_STATE];
    bool good = state.missing == 0 && state.least == CSM_BAR_TRADED && state.most == CSM_BAR_TRADED;
    for (size_t c = CSM_COLUMN_OPEN; c <= CSM_COLUMN_VOLUME && good; c++)
        good = range[c].missing == 0 && (c == CSM_COLUMN_VOLUME || t->scale[c] == t->scale[CSM_COLUMN_OPEN]);
    return good && all_apart(high, open, t->rows, 0) && all_apart(high, close, t->rows, 0) &&
           all_apart(open, low, t->rows, 0) && all_apart(close, low, t->rows, 0) &&
           all_apart(t->ticks[CSM_COLUMN_AVAILABLE], t->ticks[CSM_COLUMN_TIME], t->rows, interval);
}

void csm_table_range(csm_extremes *range, const csm_table *table) {
    for (size_t c = 0; c < table->kind->columns; c++)
        range[c] = CSM_ON_COLUMN(extremes)(table->ticks[c], table->ticks[c], table->rows);
}

static bool states_are_plainly_good(const csm_table *table, csm_extremes state) {
    return table->scale[CSM_COLUMN_STATE] == 0 && state.missing == 0 && state.least >= 0 &&
           state.most <= CSM_BAR_PENDING;
}

/* True only when every cell, and every time beside the other, is good; false says nothing. */
static bool cells_are_plainly_good(const csm_table *table, const csm_extremes *range, bool bars,
                                   csm_time received) {
    const int64_t *available = table->ticks[CSM_COLUMN_AVAILABLE];
    const csm_time latest =
        received > CSM_TIME_MAX - CSM_CLOCK_SKEW ? CSM_TIME_MAX : received + CSM_CLOCK_SKEW;
    bool good = range[CSM_COLUMN_AVAILABLE].most <= latest &&
                all_apart(available, table->ticks[CSM_COLUMN_TIME], table->rows, 0);
    for (size_t c = 0; c < table->kind->columns && good; c++)
        good = bars && c == CSM_COLUMN_STATE ? states_are_plainly_good(table, range[c])
                                             : column_is_plainly_good(table, range, c);
    return good;
}

csm_status csm_kind_check_rows(const csm_table *table, const csm_extremes *range, csm_time interval,
                               csm_time received) {
    const bool bars = strcmp(table->kind->name, "bars") == 0;
    const bool good = table->rows == 0 || cells_are_plainly_good(table, range, bars, received);
    csm_status status = CSM_OK;
    if (good && (!bars || table->rows == 0 || bars_are_plainly_good(table, range, interval))) return CSM_OK;
    for (size_t i = 0; i < table->rows && !status; i++)
        status = good ? check_bar(table, i, interval) : csm_kind_check_row(table, i, interval, received);
    return status;
}

/* ---- order ---- */

static int compare_column(const csm_table *table, size_t c, size_t a, size_t b) {
    const int64_t left = table->ticks[c][a], right = table->ticks[c][b];
    return (left > right) - (left < right);
}

int csm_kind_compare_key(const csm_table *table, size_t a, size_t b) {
    int order = compare_column(table, CSM_COLUMN_TIME, a, b);
    bool missing = false;
    for (size_t c = 2; c < table->kind->columns && !order; c++) {
        if (!(table->kind->column[c].flags & CSM_KEY)) continue;
        order = compare_column(table, c, a, b);
        missing = missing || table->ticks[c][a] == CSM_CELL_MISSING;
    }
    for (size_t c = 2; missing && !order && c < table->kind->columns; c++)
        order = compare_column(table, c, a, b);
    return order;
}

int csm_kind_compare(const csm_table *table, size_t a, size_t b) {
    const int order = csm_kind_compare_key(table, a, b);
    return order ? order : compare_column(table, CSM_COLUMN_AVAILABLE, a, b);
}

bool csm_kind_same_values(const csm_table *table, size_t a, size_t b) {
    for (size_t c = 0; c < table->kind->columns; c++) {
        if (c != CSM_COLUMN_AVAILABLE && table->ticks[c][a] != table->ticks[c][b]) return false;
    }
    return true;
}
