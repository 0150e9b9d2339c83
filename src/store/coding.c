/* SPDX-License-Identifier: MIT */
#include "store/coding.h"

#include <stdio.h>
#include <string.h>

/* All sums and differences are taken modulo 2^64, so that they never overflow and always undo each other. */
static int64_t plus(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t minus(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

/* ---- names ---- */

char *csm_predictor_format(const csm_kind *kind, csm_predictor predictor, uint32_t of, char *text) {
    const char *name = of < kind->columns ? kind->column[of].name : "";
    switch (predictor) {
    case CSM_PREDICT_PREVIOUS:
        snprintf(text, CSM_PREDICTOR_TEXT, "previous");
        break;
    case CSM_PREDICT_COLUMN:
        snprintf(text, CSM_PREDICTOR_TEXT, "same %s", name);
        break;
    case CSM_PREDICT_BEFORE:
        snprintf(text, CSM_PREDICTOR_TEXT, "previous %s", name);
        break;
    case CSM_PREDICT_ABOVE:
        snprintf(text, CSM_PREDICTOR_TEXT, "max(open, close)");
        break;
    case CSM_PREDICT_BELOW:
        snprintf(text, CSM_PREDICTOR_TEXT, "min(open, close)");
        break;
    case CSM_PREDICT_NONE:
        snprintf(text, CSM_PREDICTOR_TEXT, "none");
        break;
    }
    return text;
}

csm_status csm_predictor_parse(csm_predictor *predictor, uint32_t *of, const csm_kind *kind,
                               const char *text) {
    char known[CSM_PREDICTOR_TEXT];
    const bool bars = strcmp(kind->name, "bars") == 0;
    for (int p = CSM_PREDICT_NONE; p <= CSM_PREDICT_BELOW; p++) {
        if ((p == CSM_PREDICT_ABOVE || p == CSM_PREDICT_BELOW) && !bars) continue;
        const bool reads = p == CSM_PREDICT_COLUMN || p == CSM_PREDICT_BEFORE;
        for (uint32_t c = 0; c < (reads ? kind->columns : 1); c++) {
            if (strcmp(csm_predictor_format(kind, (csm_predictor)p, c, known), text) != 0) continue;
            *predictor = (csm_predictor)p;
            *of = c;
            return CSM_OK;
        }
    }
    return csm_fail(CSM_ECORRUPT, "predictor \"%s\" does not exist for %s", text, kind->name);
}

/* ---- prediction ---- */

/* What is predicted for one row, given the carried last present value of the column read. */
static int64_t predict(const csm_coding *coding, const csm_table *table, size_t row, int64_t carried) {
    switch (coding->predictor) {
    case CSM_PREDICT_PREVIOUS:
    case CSM_PREDICT_BEFORE:
        return carried;
    case CSM_PREDICT_COLUMN: {
        const int64_t base = table->ticks[coding->of][row];
        return base == CSM_CELL_MISSING ? 0 : base;
    }
    case CSM_PREDICT_ABOVE:
    case CSM_PREDICT_BELOW: {
        const int64_t open = table->ticks[CSM_COLUMN_OPEN][row], close = table->ticks[CSM_COLUMN_CLOSE][row];
        if (open == CSM_CELL_MISSING || close == CSM_CELL_MISSING) return 0;
        return (open > close) == (coding->predictor == CSM_PREDICT_ABOVE) ? open : close;
    }
    case CSM_PREDICT_NONE:
        break;
    }
    return 0;
}

/* Difference of every present cell from its prediction; missing cells give CSM_CELL_MISSING. */
static void take_residuals(int64_t *out, const csm_coding *coding, const csm_table *table, size_t column) {
    const int64_t *ticks = table->ticks[column];
    const int64_t *read = coding->predictor == CSM_PREDICT_BEFORE ? table->ticks[coding->of] : ticks;
    int64_t carried = coding->first;
    for (size_t i = 0; i < table->rows; i++) {
        out[i] = ticks[i] == CSM_CELL_MISSING ? CSM_CELL_MISSING
                                              : minus(ticks[i], predict(coding, table, i, carried));
        if (read[i] != CSM_CELL_MISSING) carried = read[i];
    }
}

/* ---- encoding ---- */

typedef struct range {
    int64_t least;
    int64_t most;
    bool any;
    bool missing;
} range;

static range range_of(const int64_t *ticks, const int64_t *residuals, size_t rows) {
    range r = {.least = INT64_MAX, .most = INT64_MIN};
    for (size_t i = 0; i < rows; i++) {
        if (ticks[i] == CSM_CELL_MISSING) {
            r.missing = true;
            continue;
        }
        r.any = true;
        if (residuals[i] < r.least) r.least = residuals[i];
        if (residuals[i] > r.most) r.most = residuals[i];
    }
    return r;
}

static uint64_t magnitude(int64_t value) {
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* Greatest common divisor of all residuals less offset; ends early at 1, which is what prices have. */
static int64_t common_unit(const int64_t *ticks, const int64_t *residuals, size_t rows, int64_t offset) {
    uint64_t unit = 0;
    for (size_t i = 0; i < rows && unit != 1; i++) {
        uint64_t rest = ticks[i] == CSM_CELL_MISSING ? 0 : magnitude(minus(residuals[i], offset));
        while (rest) {
            const uint64_t remainder = unit % rest;
            unit = rest;
            rest = remainder;
        }
    }
    return unit == 0 || unit > INT64_MAX ? 1 : (int64_t)unit;
}

static int32_t narrowest(int64_t least, int64_t most, bool missing) {
    for (int32_t width = 1; width < 8; width *= 2) {
        const int64_t bound = (int64_t)1 << (8 * width - 1);
        if (least >= (missing ? 1 - bound : -bound) && most < bound) return width;
    }
    return 8;
}

static int64_t sentinel_of(int32_t width) {
    return width == 8 ? INT64_MIN : -((int64_t)1 << (8 * width - 1));
}

static bool carries(csm_predictor predictor) {
    return predictor == CSM_PREDICT_PREVIOUS || predictor == CSM_PREDICT_BEFORE;
}

/* Offset and unit of the residuals; false when differences of theirs leave int64. Times come at a steady step, so their
 * least residual goes into the offset; `first` then gives the first row that step too. */
static bool choose_step(csm_coding *coding, int64_t *residuals, const csm_table *table, size_t column) {
    const bool time = table->kind->column[column].domain == CSM_DOMAIN_TIME;
    const bool stepped = time && coding->predictor == CSM_PREDICT_PREVIOUS && table->rows > 1;
    if (stepped) residuals[0] = residuals[1];
    const range r = range_of(table->ticks[column], residuals, table->rows);
    if (!r.any) return true;
    if (magnitude(r.least) > INT64_MAX / 2 || magnitude(r.most) > INT64_MAX / 2) return false;
    if (time || r.least == r.most) coding->offset = r.least;
    if (stepped) coding->first = minus(table->ticks[column][0], residuals[0]);
    coding->unit = common_unit(table->ticks[column], residuals, table->rows, coding->offset);
    return true;
}

static bool store_differences(csm_coding *coding, int64_t *stored, const csm_table *table, size_t column) {
    const int64_t *ticks = table->ticks[column];
    for (size_t i = 0; carries(coding->predictor) && i < table->rows; i++) {
        if (ticks[i] == CSM_CELL_MISSING) continue;
        coding->first = ticks[i];
        break;
    }
    take_residuals(stored, coding, table, column);
    if (!choose_step(coding, stored, table, column)) return false;
    for (size_t i = 0; i < table->rows; i++) {
        if (ticks[i] != CSM_CELL_MISSING) stored[i] = (stored[i] - coding->offset) / coding->unit;
    }
    return true;
}

/* Always possible: no tick but a missing one is INT64_MIN. */
static void store_raw(csm_coding *coding, int64_t *stored, const csm_table *table, size_t column) {
    *coding = (csm_coding){.predictor = CSM_PREDICT_NONE, .scale = coding->scale, .unit = 1};
    memcpy(stored, table->ticks[column], table->rows * sizeof *stored);
}

void csm_coding_encode(csm_coding *coding, int64_t *stored, const csm_table *table, size_t column) {
    const csm_column *c = &table->kind->column[column];
    const int64_t *ticks = table->ticks[column];
    *coding = (csm_coding){.predictor = c->predictor, .of = c->of, .scale = table->scale[column], .unit = 1};
    if (!store_differences(coding, stored, table, column)) store_raw(coding, stored, table, column);
    range r = range_of(ticks, stored, table->rows);
    if (!r.any) r.least = r.most = 0;
    coding->has_missing = r.missing;
    coding->width = narrowest(r.least, r.most, r.missing);
    coding->constant = table->rows > 0;
    for (size_t i = 0; i < table->rows; i++) {
        if (ticks[i] == CSM_CELL_MISSING) stored[i] = sentinel_of(coding->width);
        coding->constant = coding->constant && stored[i] == stored[0];
    }
    coding->fill = coding->constant ? stored[0] : 0;
}

/* ---- decoding ---- */

static void decode_column(csm_table *table, const csm_coding *coding, size_t column) {
    int64_t *ticks = table->ticks[column];
    const int64_t *read = coding->predictor == CSM_PREDICT_BEFORE ? table->ticks[coding->of] : ticks;
    const int64_t sentinel = sentinel_of(coding->width);
    int64_t carried = coding->first;
    for (size_t i = 0; i < table->rows; i++) {
        if (coding->has_missing && ticks[i] == sentinel) {
            ticks[i] = CSM_CELL_MISSING;
        } else {
            const int64_t step = (int64_t)((uint64_t)coding->unit * (uint64_t)ticks[i]);
            ticks[i] = plus(plus(predict(coding, table, i, carried), coding->offset), step);
        }
        if (read[i] != CSM_CELL_MISSING) carried = read[i];
    }
    table->scale[column] = coding->scale;
}

/* In how many other columns' footsteps a predictor follows: 0 reads none, 1 a plain one, 2 open and close. */
static int depth_of(csm_predictor predictor) {
    switch (predictor) {
    case CSM_PREDICT_COLUMN:
    case CSM_PREDICT_BEFORE:
        return 1;
    case CSM_PREDICT_ABOVE:
    case CSM_PREDICT_BELOW:
        return 2;
    case CSM_PREDICT_NONE:
    case CSM_PREDICT_PREVIOUS:
        break;
    }
    return 0;
}

csm_status csm_coding_decode(csm_table *table, const csm_coding *codings) {
    const csm_kind *kind = table->kind;
    for (size_t c = 0; c < kind->columns; c++) {
        const int depth = depth_of(codings[c].predictor);
        const bool plain = depth != 1 || depth_of(codings[codings[c].of].predictor) == 0;
        const bool priced = depth != 2 || (c != CSM_COLUMN_OPEN && c != CSM_COLUMN_CLOSE &&
                                           depth_of(codings[CSM_COLUMN_OPEN].predictor) < 2 &&
                                           depth_of(codings[CSM_COLUMN_CLOSE].predictor) < 2);
        if (!plain || !priced)
            return csm_fail(CSM_ECORRUPT, "column %s is predicted from a column that depends on others",
                            kind->column[c].name);
    }
    for (int depth = 0; depth <= 2; depth++) {
        for (size_t c = 0; c < kind->columns; c++) {
            if (depth_of(codings[c].predictor) == depth) decode_column(table, &codings[c], c);
        }
    }
    return CSM_OK;
}
