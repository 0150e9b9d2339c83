/* SPDX-License-Identifier: MIT */
#include "store/coding.h"
#include "store/columns.h"

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

char *csm_predictor_format(const csm_kind *kind, csm_column_predictor predictor, uint32_t of, char *text) {
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

/* ---- prediction ---- */

static bool carries(csm_column_predictor predictor) {
    return predictor == CSM_PREDICT_PREVIOUS || predictor == CSM_PREDICT_BEFORE;
}

/* What is predicted for the rows [begin, begin + count) of a predictor that looks at the same row only. */
static void predict_rows(int64_t *out, const csm_coding *coding, const csm_table *table, size_t begin,
                         size_t count) {
    if (coding->predictor == CSM_PREDICT_COLUMN) {
        const int64_t *base = table->ticks[coding->of] + begin;
        for (size_t i = 0; i < count; i++) out[i] = base[i] == CSM_CELL_MISSING ? 0 : base[i];
    } else if (coding->predictor == CSM_PREDICT_NONE) {
        memset(out, 0, count * sizeof *out);
    } else {
        CSM_ON_COLUMN(bounds)
        (out, table->ticks[CSM_COLUMN_OPEN] + begin, table->ticks[CSM_COLUMN_CLOSE] + begin, count,
         coding->predictor == CSM_PREDICT_ABOVE);
    }
}

/* The value a carrying predictor has at row `begin`: the last present one above it. */
static int64_t carried_at(const csm_coding *coding, const int64_t *read, size_t begin) {
    while (begin > 0 && read[begin - 1] == CSM_CELL_MISSING) begin--;
    return begin > 0 ? read[begin - 1] : coding->first;
}

static void predict_carried(int64_t *out, const csm_coding *coding, const int64_t *read, size_t begin,
                            size_t count) {
    int64_t carried = carried_at(coding, read, begin);
    if (count > 0 && CSM_ON_COLUMN(missing)(read + begin, count) == 0) {
        out[0] = carried;
        memcpy(out + 1, read + begin, (count - 1) * sizeof *out);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = carried;
        if (read[begin + i] != CSM_CELL_MISSING) carried = read[begin + i];
    }
}

/* Difference of each cell from its prediction; what a missing cell gives means nothing. */
static void take_residuals(int64_t *out, const csm_coding *coding, const csm_table *table, size_t column,
                           size_t begin, size_t count) {
    const int64_t *ticks = table->ticks[column];
    if (carries(coding->predictor))
        predict_carried(out, coding,
                        coding->predictor == CSM_PREDICT_BEFORE ? table->ticks[coding->of] : ticks, begin,
                        count);
    else
        predict_rows(out, coding, table, begin, count);
    for (size_t i = 0; i < count; i++) out[i] = minus(ticks[begin + i], out[i]);
}

/* ---- planning: one pass over a column's residuals ---- */

#define RUN ((size_t)1024) /* rows at a time: their residuals stay in the first-level cache */

typedef struct range {
    int64_t least;
    int64_t most;
    int64_t start; /* first present residual */
    uint64_t unit; /* greatest common divisor of the distances from start */
    bool any;
    bool missing;
} range;

static uint64_t magnitude(int64_t value) {
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

static uint64_t common_divisor(uint64_t a, uint64_t b) {
    while (b) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void widen_range(range *r, const int64_t *ticks, const int64_t *residuals, size_t count) {
    const csm_extremes seen = CSM_ON_COLUMN(extremes)(residuals, ticks, count);
    r->missing = r->missing || seen.missing > 0;
    if (seen.missing == count) return;
    if (seen.least < r->least) r->least = seen.least;
    if (seen.most > r->most) r->most = seen.most;
    if (r->any && seen.least == r->start && seen.most == r->start) return; /* steady times */
    for (size_t i = 0; i < count && r->unit != 1; i++) {                   /* a few rows, as a rule */
        if (ticks[i] == CSM_CELL_MISSING) continue;
        if (!r->any) r->start = residuals[i];
        r->any = true;
        if (residuals[i] != r->start)
            r->unit = common_divisor(magnitude(minus(residuals[i], r->start)), r->unit);
    }
}

static range range_of(const csm_coding *coding, const csm_table *table, size_t column, size_t begin) {
    int64_t residuals[RUN];
    range r = {.least = INT64_MAX, .most = INT64_MIN};
    for (size_t i = begin; i < table->rows; i += RUN) {
        const size_t count = table->rows - i < RUN ? table->rows - i : RUN;
        take_residuals(residuals, coding, table, column, i, count);
        widen_range(&r, table->ticks[column] + i, residuals, count);
    }
    if (!r.any) r.least = r.most = r.start = 0;
    return r;
}

uint64_t csm_coding_largest(int32_t width) {
    return UINT64_MAX >> (64 - 8 * width);
}

static int32_t narrowest(uint64_t most, bool missing) {
    int32_t width = 1;
    while (width < 8 && most > csm_coding_largest(width) - missing) width *= 2;
    return width;
}

static int64_t to_zigzag(int64_t steps) {
    return (int64_t)((uint64_t)steps << 1 ^ (uint64_t)(steps < 0 ? -1 : 0));
}

/* `first` is chosen so that the first present row of a carrying column needs no step of its own. Times come at a steady
 * step, so the least residual goes into the offset, and `first` gives the first row that step too. */
static range measure(csm_coding *coding, const csm_table *table, size_t column) {
    const int64_t *ticks = table->ticks[column];
    const bool time = table->kind->column[column].domain == CSM_DOMAIN_TIME;
    const bool stepped = time && coding->predictor == CSM_PREDICT_PREVIOUS && table->rows > 1;
    for (size_t i = 0; carries(coding->predictor) && i < table->rows; i++) {
        if (ticks[i] == CSM_CELL_MISSING) continue;
        coding->first = ticks[i];
        break;
    }
    const range r = range_of(coding, table, column, stepped ? 1 : 0);
    if (time || r.least == r.most) coding->offset = r.least;
    if (stepped) coding->first = minus(ticks[0], coding->offset);
    return r;
}

/* Unit, form and width for steps whose residuals have this range. */
static void choose_form(csm_coding *coding, range r) {
    const uint64_t unit = common_divisor(magnitude(minus(r.start, coding->offset)), r.unit);
    if (unit > 1 && unit <= INT64_MAX) coding->unit = (int64_t)unit;
    r.least = minus(r.least, coding->offset) / coding->unit;
    r.most = minus(r.most, coding->offset) / coding->unit;
    if (r.most <= 0 && r.least < 0) { /* all downwards */
        coding->unit = -coding->unit;
        r.most = -r.least;
        r.least = 0;
    }
    coding->zigzag = r.least < 0;
    uint64_t most = (uint64_t)r.most;
    if (coding->zigzag) {
        const uint64_t down = (uint64_t)to_zigzag(r.least), up = (uint64_t)to_zigzag(r.most);
        most = down > up ? down : up;
    }
    coding->has_missing = r.missing;
    coding->width = narrowest(most, r.missing);
    coding->constant = !r.any || (r.least == r.most && !r.missing);
    coding->fill = !coding->constant ? 0 : r.any ? (int64_t)most : (int64_t)csm_coding_largest(coding->width);
}

void csm_coding_plan(csm_coding *coding, const csm_table *table, size_t column) {
    const csm_column *c = &table->kind->column[column];
    const int64_t limit = INT64_MAX / 4; /* so that no difference of two residuals, doubled, leaves int64 */
    *coding = (csm_coding){.predictor = c->predictor, .of = c->of, .scale = table->scale[column], .unit = 1};
    range r = measure(coding, table, column);
    if (r.least < -limit || r.most > limit) {
        /* Raw ticks are always possible: none but a missing one is INT64_MIN, the largest number in zigzag. */
        *coding = (csm_coding){.predictor = CSM_PREDICT_NONE, .scale = coding->scale, .unit = 1};
        r = range_of(coding, table, column, 0);
        r.unit = r.unit ? 1 : 0;
        r.start = r.unit ? 1 : 0;
        r.least = r.least < 0 ? r.least : -1;
    }
    choose_form(coding, r);
}

static csm_steps steps_of(const csm_coding *coding) {
    return (csm_steps){.offset = coding->offset,
                       .unit = coding->unit,
                       .zigzag = coding->zigzag,
                       .has_missing = coding->has_missing,
                       .sentinel = (int64_t)csm_coding_largest(coding->width)};
}

void csm_coding_store(int64_t *stored, const csm_coding *coding, const csm_table *table, size_t column,
                      size_t begin, size_t count) {
    const int64_t *ticks = table->ticks[column] + begin;
    csm_steps steps = steps_of(coding);
    take_residuals(stored, coding, table, column, begin, count);
    if (coding->unit != 1 && coding->unit != -1) {
        for (size_t i = 0; i < count; i++) stored[i] = minus(stored[i], coding->offset) / coding->unit;
        steps.offset = 0;
        steps.unit = 1;
    }
    CSM_ON_COLUMN(number)(stored, ticks, count, &steps);
}

/* ---- decoding ---- */

/* Each row builds on the one above. */
static void sum_up(int64_t *ticks, const csm_coding *coding, size_t rows) {
    int64_t carried = coding->first;
    for (size_t i = 0; i < rows; i++) {
        if (coding->has_missing && ticks[i] == CSM_CELL_MISSING) continue;
        carried = plus(carried, ticks[i]);
        ticks[i] = carried;
    }
}

static void decode_column(csm_table *table, const csm_coding *coding, size_t column) {
    int64_t predicted[RUN];
    int64_t *ticks = table->ticks[column];
    const csm_steps steps = steps_of(coding);
    table->scale[column] = coding->scale;
    for (size_t i = 0; i < table->rows; i += RUN) {
        const size_t count = table->rows - i < RUN ? table->rows - i : RUN;
        CSM_ON_COLUMN(residuals)(ticks + i, count, &steps);
        if (coding->predictor == CSM_PREDICT_NONE || coding->predictor == CSM_PREDICT_PREVIOUS) continue;
        if (coding->predictor == CSM_PREDICT_BEFORE)
            predict_carried(predicted, coding, table->ticks[coding->of], i, count);
        else
            predict_rows(predicted, coding, table, i, count);
        /* A residual that happens to be INT64_MIN would look missing: plans never make one, and a file that has one
         * decodes to rows its own invariants refuse. */
        CSM_ON_COLUMN(add)(ticks + i, predicted, count);
    }
    if (coding->predictor == CSM_PREDICT_PREVIOUS) sum_up(ticks, coding, table->rows);
}

/* In how many other columns' footsteps a predictor follows: 0 reads none, 1 a plain one, 2 open and close. */
static int depth_of(csm_column_predictor predictor) {
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
