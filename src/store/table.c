/* SPDX-License-Identifier: MIT */
/* Tables: columns of exact decimals that grow together. */
#include "store/columns.h"
#include "store/kind.h"

#include <string.h>

csm_status csm_table_make(csm_table **out, const csm_kind *kind) {
    csm_table *table = csm_alloc_array(1, sizeof *table);
    *out = table;
    if (!table) return CSM_ENOMEM;
    table->kind = kind;
    return CSM_OK;
}

csm_status csm_table_new(csm_table **out, const char *kind) {
    if (!out) return csm_fail(CSM_EINVAL, "csm_table_new: out is NULL");
    *out = NULL;
    const csm_kind *found = csm_kind_find(kind);
    if (!found)
        return csm_fail(CSM_EINVAL, "csm_table_new: \"%s\" is not a kind of record", kind ? kind : "");
    return csm_table_make(out, found);
}

void csm_table_free(csm_table *table) {
    if (!table) return;
    csm_dealloc(table->cells);
    csm_dealloc(table);
}

const char *csm_table_kind(const csm_table *table) {
    return table->kind->name;
}

size_t csm_table_rows(const csm_table *table) {
    return table->rows;
}

size_t csm_table_columns(const csm_table *table) {
    return table->kind->columns;
}

const char *csm_table_column_name(const csm_table *table, size_t column) {
    return column < table->kind->columns ? table->kind->column[column].name : NULL;
}

int csm_table_column_find(const csm_table *table, const char *name) {
    for (size_t c = 0; name && c < table->kind->columns; c++) {
        if (strcmp(table->kind->column[c].name, name) == 0) return (int)c;
    }
    return -1;
}

const int64_t *csm_table_ticks(const csm_table *table, size_t column) {
    return column < table->kind->columns ? table->ticks[column] : NULL;
}

int32_t csm_table_scale(const csm_table *table, size_t column) {
    return column < table->kind->columns ? table->scale[column] : 0;
}

csm_status csm_table_reserve(csm_table *table, size_t rows) {
    if (rows <= table->capacity && table->cells) return CSM_OK;
    int64_t *cells = csm_realloc_array(NULL, rows, table->kind->columns * sizeof *cells);
    if (!cells) return CSM_ENOMEM;
    for (size_t c = 0; c < table->kind->columns; c++) {
        if (table->rows > 0) memcpy(cells + c * rows, table->ticks[c], table->rows * sizeof *cells);
        table->ticks[c] = cells + c * rows;
    }
    csm_dealloc(table->cells);
    table->cells = cells;
    table->capacity = rows;
    return CSM_OK;
}

static csm_status grow(csm_table *table, size_t more) {
    if (more > SIZE_MAX / sizeof(int64_t) - table->rows)
        return csm_fail(CSM_ENOMEM, "table: %zu more rows than memory can hold", more);
    const size_t needed = table->rows + more;
    if (needed <= table->capacity) return CSM_OK;
    const size_t doubled = table->capacity > SIZE_MAX / 2 ? SIZE_MAX : 2 * table->capacity;
    return csm_table_reserve(table, needed > doubled ? needed : doubled);
}

static csm_status fail_scale(const csm_table *table, size_t column, int32_t scale) {
    return csm_fail(CSM_EINVAL, "%s: column %s: its values do not fit 64 bits with %d decimals",
                    table->kind->name, table->kind->column[column].name, (int)scale);
}

/* Values times a power of ten, missing ones as they are; false when one leaves 64 bits. out may be `in`, NULL only asks. */
static bool scale_up(int64_t *out, const int64_t *in, size_t count, int64_t factor) {
    const int64_t limit = INT64_MAX / factor;
    for (size_t i = 0; i < count; i++) {
        const bool missing = in[i] == CSM_CELL_MISSING;
        if (!missing && (in[i] > limit || in[i] < -limit)) return false;
        if (out) out[i] = missing ? in[i] : in[i] * factor;
    }
    return true;
}

bool csm_table_can_rescale(const csm_table *table, size_t column, int32_t scale) {
    const int32_t raise = scale - table->scale[column];
    if (raise <= 0) return true;
    return scale <= CSM_SCALE_MAX &&
           scale_up(NULL, table->ticks[column], table->rows, csm_power_of_ten[raise]);
}

csm_status csm_table_rescale(csm_table *table, size_t column, int32_t scale) {
    const int32_t raise = scale - table->scale[column];
    if (raise <= 0) return CSM_OK;
    if (!csm_table_can_rescale(table, column, scale)) return fail_scale(table, column, scale);
    (void)scale_up(table->ticks[column], table->ticks[column], table->rows, csm_power_of_ten[raise]);
    table->scale[column] = scale;
    return CSM_OK;
}

/* The cell in the column's scale, which grows when the cell needs it. */
static csm_status take_cell(int64_t *ticks, csm_table *table, size_t column, csm_decimal cell) {
    const csm_column *c = &table->kind->column[column];
    *ticks = cell.ticks;
    if (cell.ticks == CSM_CELL_MISSING) return CSM_OK;
    if (cell.scale < 0 || cell.scale > CSM_SCALE_MAX)
        return csm_fail(CSM_EINVAL, "%s: column %s: scale %d is outside 0..%d", table->kind->name, c->name,
                        (int)cell.scale, CSM_SCALE_MAX);
    if (c->domain == CSM_DOMAIN_TIME && cell.scale != 0)
        return csm_fail(CSM_EINVAL, "%s: column %s: a time has scale 0, not %d", table->kind->name, c->name,
                        (int)cell.scale);
    const csm_status status = csm_table_rescale(table, column, cell.scale);
    if (status) return status;
    const int64_t factor = csm_power_of_ten[table->scale[column] - cell.scale];
    return scale_up(ticks, &cell.ticks, 1, factor) ? CSM_OK : fail_scale(table, column, table->scale[column]);
}

csm_status csm_table_append(csm_table *table, const csm_decimal *cells) {
    if (!table || !cells) return csm_fail(CSM_EINVAL, "csm_table_append: an argument is NULL");
    int64_t ticks[CSM_COLUMNS_MAX];
    csm_status status = grow(table, 1);
    for (size_t c = 0; c < table->kind->columns && !status; c++)
        status = take_cell(&ticks[c], table, c, cells[c]);
    if (status) return status;
    for (size_t c = 0; c < table->kind->columns; c++) table->ticks[c][table->rows] = ticks[c];
    table->rows++;
    return CSM_OK;
}

csm_status csm_table_extend(csm_table *table, const csm_table *from, size_t begin, size_t end) {
    if (begin >= end) return CSM_OK;
    csm_status status = grow(table, end - begin);
    if (status) return status;
    const size_t at = table->rows, count = end - begin;
    for (size_t c = 0; c < table->kind->columns; c++) {
        status = csm_table_rescale(table, c, from->scale[c]);
        if (status) return status;
        const int64_t factor = csm_power_of_ten[table->scale[c] - from->scale[c]];
        const int64_t *in = from->ticks[c] + begin;
        int64_t *out = table->ticks[c] + at;
        if (factor == 1)
            memcpy(out, in, count * sizeof *out);
        else if (!scale_up(out, in, count, factor))
            return fail_scale(table, c, table->scale[c]);
    }
    table->rows += count;
    return CSM_OK;
}

int32_t csm_table_least_scale(const csm_table *table, size_t column) {
    int32_t least = 0;
    for (size_t i = 0; i < table->rows && least < table->scale[column]; i++) {
        const int64_t ticks = table->ticks[column][i];
        if (ticks == CSM_CELL_MISSING) continue;
        while (least < table->scale[column] && ticks % csm_power_of_ten[table->scale[column] - least] != 0)
            least++;
    }
    return least;
}

void csm_table_trim(csm_table *table) {
    for (size_t c = 0; c < table->kind->columns; c++) {
        const int32_t least = csm_table_least_scale(table, c);
        const int64_t divisor = csm_power_of_ten[table->scale[c] - least];
        for (size_t i = 0; divisor > 1 && i < table->rows; i++) {
            if (table->ticks[c][i] != CSM_CELL_MISSING) table->ticks[c][i] /= divisor;
        }
        table->scale[c] = least;
    }
}

bool csm_table_times_ascend(const csm_table *table) {
    const csm_time *time = table->ticks[CSM_COLUMN_TIME];
    for (size_t i = 1; i < table->rows; i++) {
        if (time[i] <= time[i - 1]) return false;
    }
    return true;
}

/* One pass of a bottom-up merge sort: runs of `width` rows become runs of twice that. */
static void merge_runs(const csm_table *table, const size_t *from, size_t *to, size_t width) {
    const size_t n = table->rows;
    for (size_t begin = 0; begin < n; begin += 2 * width) {
        const size_t middle = n - begin > width ? begin + width : n;
        const size_t end = n - begin > 2 * width ? begin + 2 * width : n;
        size_t left = begin, right = middle;
        for (size_t i = begin; i < end; i++) {
            const bool take_left =
                left < middle && (right >= end || csm_kind_compare(table, from[left], from[right]) <= 0);
            to[i] = take_left ? from[left++] : from[right++];
        }
    }
}

csm_status csm_table_order(size_t **order, bool *sorted, const csm_table *table) {
    const size_t n = table->rows;
    *order = NULL;
    *sorted = true;
    for (size_t i = 1; i < n && *sorted; i++) *sorted = csm_kind_compare(table, i - 1, i) <= 0;
    size_t *here = csm_alloc_array(n, sizeof *here);
    size_t *there = *sorted ? NULL : csm_alloc_array(n, sizeof *there);
    if (!here || (!*sorted && !there)) {
        csm_dealloc(here);
        csm_dealloc(there);
        return CSM_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) here[i] = i;
    for (size_t width = 1; !*sorted && width < n; width *= 2) {
        merge_runs(table, here, there, width);
        size_t *swap = here;
        here = there;
        there = swap;
    }
    csm_dealloc(there);
    *order = here;
    return CSM_OK;
}

csm_status csm_table_take(csm_table *table, const size_t *keep, size_t count) {
    if (count == 0) {
        table->rows = 0;
        return CSM_OK;
    }
    int64_t *column = csm_alloc_array(count, sizeof *column);
    if (!column) return CSM_ENOMEM;
    for (size_t c = 0; c < table->kind->columns; c++) {
        for (size_t i = 0; i < count; i++) column[i] = table->ticks[c][keep[i]];
        memcpy(table->ticks[c], column, count * sizeof *column);
    }
    csm_dealloc(column);
    table->rows = count;
    return CSM_OK;
}

csm_status csm_table_doubles(const csm_table *table, size_t column, double *out) {
    if (!table || !out) return csm_fail(CSM_EINVAL, "csm_table_doubles: an argument is NULL");
    if (column >= table->kind->columns)
        return csm_fail(CSM_EINVAL, "csm_table_doubles: column %zu is outside 0..%zu", column,
                        table->kind->columns - 1);
    const int64_t *ticks = table->ticks[column];
    const int32_t scale = table->scale[column];
    const double divisor =
        (double)csm_power_of_ten[scale]; /* exact: 10^18 < 2^60 = 5^18 * 2^18, 5^18 < 2^53 */
    const int64_t exact = (int64_t)1 << 53;
    /* one rounding of two exact numbers */
    if (CSM_ON_COLUMN(doubles)(out, ticks, table->rows, divisor) == 0) return CSM_OK;
    for (size_t i = 0; i < table->rows; i++) {
        const int64_t t = ticks[i];
        if (t != CSM_CELL_MISSING && (t > exact || t < -exact))
            out[i] = csm_decimal_double((csm_decimal){.ticks = t, .scale = scale});
    }
    return CSM_OK;
}
