/* SPDX-License-Identifier: MIT */
#include "ingest/bar_row.h"
#include "store/kind.h"

#define BAR_COLUMNS 10 /* time available open high low close volume vwap trades state (kinds.def) */

const csm_decimal csm_decimal_missing = {.ticks = CSM_CELL_MISSING, .scale = 0, .reserved = 0};

const char *csm_bar_row_fault(const csm_bar_row *bar) {
    if (bar->low.ticks <= 0) return "low is not positive";
    if (csm_decimal_compare(bar->low, bar->open) > 0) return "low is over open";
    if (csm_decimal_compare(bar->low, bar->close) > 0) return "low is over close";
    if (csm_decimal_compare(bar->high, bar->open) < 0) return "high is under open";
    if (csm_decimal_compare(bar->high, bar->close) < 0) return "high is under close";
    if (bar->volume.ticks < 0) return "volume is negative";
    if (bar->trades != CSM_CELL_MISSING && bar->trades < 0) return "the number of trades is negative";
    return NULL;
}

/* A cell in the column's scale; false when the column must change or the value leaves 64 bits. */
static bool cell_fits(int64_t *out, const csm_table *rows, size_t column, csm_decimal cell) {
    int32_t raise = rows->scale[column] - cell.scale;
    if (cell.ticks == CSM_CELL_MISSING) {
        *out = CSM_CELL_MISSING;
        return true;
    }
    return raise >= 0 && !__builtin_mul_overflow(cell.ticks, csm_power_of_ten[raise], out) &&
           *out != CSM_CELL_MISSING;
}

/* As csm_table_append, which takes over where a column's scale must grow. */
static csm_status append(csm_table *rows, const csm_decimal cells[BAR_COLUMNS]) {
    int64_t ticks[BAR_COLUMNS];
    bool fits = rows->rows < rows->capacity;
    if (csm_table_columns(rows) != BAR_COLUMNS)
        return csm_fail(CSM_EINTERNAL, "a table of bars has %zu columns, not %d", csm_table_columns(rows),
                        BAR_COLUMNS);
    for (size_t c = 0; fits && c < BAR_COLUMNS; c++) fits = cell_fits(&ticks[c], rows, c, cells[c]);
    if (!fits) return csm_table_append(rows, cells);
    for (size_t c = 0; c < BAR_COLUMNS; c++) rows->ticks[c][rows->rows] = ticks[c];
    rows->rows++;
    return CSM_OK;
}

csm_status csm_bar_row_append_traded(csm_table *rows, const csm_bar_row *bar) {
    const csm_decimal cells[BAR_COLUMNS] = {csm_decimal_whole(bar->time),
                                            csm_decimal_whole(bar->available),
                                            bar->open,
                                            bar->high,
                                            bar->low,
                                            bar->close,
                                            bar->volume,
                                            bar->vwap,
                                            csm_decimal_whole(bar->trades),
                                            csm_decimal_whole(CSM_BAR_TRADED)};
    return append(rows, cells);
}

csm_status csm_bar_row_append_quiet(csm_table *rows, csm_time time, csm_time available) {
    const csm_decimal none = csm_decimal_missing;
    const csm_decimal zero = csm_decimal_whole(0);
    const csm_decimal cells[BAR_COLUMNS] = {csm_decimal_whole(time),
                                            csm_decimal_whole(available),
                                            none,
                                            none,
                                            none,
                                            none,
                                            zero,
                                            none,
                                            zero,
                                            csm_decimal_whole(CSM_BAR_NO_TRADE)};
    return append(rows, cells);
}
