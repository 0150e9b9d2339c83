/* SPDX-License-Identifier: MIT */
/* What the walk-forward record says, before it is drawn. */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool is_issued(const csm_walk_row *row) {
    return isfinite(row->probability) && !(row->show & CSM_REASON_MASK(PROBABILITY_LOW));
}

bool is_shown(const csm_walk_row *row) {
    return row->show == 0;
}

/* ---- dates ---- */

static walk_date one_date(const csm_walk_row *rows, size_t begin, size_t end) {
    walk_date date = {
        .time = rows[begin].time, .matures = rows[begin].matures, .begin = begin, .end = end, .best = NAN};
    double net = 0, net_doubled = 0, holding = 0;
    for (size_t i = begin; i < end; i++) {
        const csm_walk_row *row = &rows[i];
        if (row->matures > date.matures) date.matures = row->matures;
        if (isfinite(row->probability))
            date.best = fmax(date.best, row->probability); /* fmax leaves NaN out */
        holding += expm1(row->log_return);
        if (is_shown(row)) {
            date.shown++;
            date.shown_rises += row->rises != 0;
        }
        if (!is_issued(row)) continue;
        date.issued++;
        net += expm1(row->log_return - row->cost);
        net_doubled += expm1(row->log_return - 2 * row->cost);
    }
    date.holding = holding / (double)(end - begin);
    date.net = date.issued ? net / (double)date.issued : NAN;
    date.net_doubled = date.issued ? net_doubled / (double)date.issued : NAN;
    return date;
}

csm_status walk_dates(walk_date **out, size_t *count, const csm_walk_row *rows, size_t n) {
    *count = 0;
    for (size_t i = 0; i < n; i++) *count += i == 0 || rows[i].time != rows[i - 1].time;
    *out = calloc(*count + 1, sizeof **out);
    if (!*out) return CSM_ENOMEM;
    size_t date = 0;
    for (size_t begin = 0, end; begin < n; begin = end) {
        for (end = begin; end < n && rows[end].time == rows[begin].time; end++) continue;
        (*out)[date++] = one_date(rows, begin, end);
    }
    return CSM_OK;
}

size_t walk_uncalibrated(const walk_date *dates, size_t count) {
    size_t first = 0;
    while (first < count && !isfinite(dates[first].best)) first++;
    return first;
}

csm_time walk_step(const walk_date *dates, size_t count) {
    /* The distances repeat: the most frequent of the first few is the spacing, gaps apart. */
    csm_time best = 0;
    size_t best_votes = 0;
    for (size_t i = 1; i < count && i <= 64; i++) {
        csm_time distance = dates[i].time - dates[i - 1].time;
        size_t votes = 0;
        for (size_t j = 1; j < count && j <= 64; j++) votes += dates[j].time - dates[j - 1].time == distance;
        if (votes > best_votes) {
            best = distance;
            best_votes = votes;
        }
    }
    return best;
}

double walk_blocks(const csm_walk_row *rows, size_t n, csm_time horizon,
                   bool (*keep)(const csm_walk_row *row)) {
    csm_time *time = calloc(n + 1, sizeof *time);
    size_t kept = 0;
    if (!time) return NAN;
    for (size_t i = 0; i < n; i++) {
        if (keep(&rows[i])) time[kept++] = rows[i].time;
    }
    double blocks = csm_calibrate_blocks(time, kept, horizon);
    free(time);
    return blocks;
}

/* ---- precision over coverage ---- */

typedef struct ordered_row {
    double by;
    csm_time time;
    double rises;
} ordered_row;

static int highest_first(const void *a, const void *b) {
    const ordered_row *x = a, *y = b;
    return (x->by < y->by) - (x->by > y->by);
}

static size_t judged_rows(ordered_row *out, const csm_walk_row *rows, size_t n, walk_order order) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(rows[i].probability) || !isfinite(rows[i].momentum)) continue;
        out[kept++] = (ordered_row){.by = order == ORDER_PROBABILITY ? rows[i].probability : rows[i].momentum,
                                    .time = rows[i].time,
                                    .rises = rows[i].rises != 0};
    }
    qsort(out, kept, sizeof *out, highest_first);
    return kept;
}

/* Counts the disjoint blocks of a growing set of times; blocks are those of csm_calibrate_blocks. */
typedef struct block_counter {
    int64_t first; /* index of the earliest block */
    csm_time horizon;
    uint8_t *seen;
    size_t blocks;
} block_counter;

#define BLOCKS_MOST (1 << 24)

static int64_t block_index(csm_time time, csm_time horizon) {
    return csm_time_floor(time, horizon) / horizon;
}

static csm_status block_counter_make(block_counter *counter, const csm_walk_row *rows, size_t n,
                                     csm_time horizon) {
    *counter = (block_counter){.horizon = horizon};
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        int64_t index = block_index(rows[i].time, horizon);
        if (index < first) first = index;
        if (index > last) last = index;
    }
    if (n == 0) first = last = 0;
    if (last - first >= BLOCKS_MOST) return CSM_ENOMEM; /* no walk is that long */
    counter->first = first;
    counter->seen = calloc((size_t)(last - first) + 1, 1);
    return counter->seen ? CSM_OK : CSM_ENOMEM;
}

static void block_counter_add(block_counter *counter, csm_time time) {
    uint8_t *seen = &counter->seen[block_index(time, counter->horizon) - counter->first];
    counter->blocks += *seen == 0;
    *seen = 1;
}

csm_status precision_curve(precision_point *out, size_t *points, size_t limit, const csm_walk_row *rows,
                           size_t n, csm_time horizon, walk_order order) {
    *points = 0;
    block_counter blocks;
    ordered_row *ordered = calloc(n + 1, sizeof *ordered);
    csm_status status = block_counter_make(&blocks, rows, n, horizon);
    if (!ordered) status = CSM_ENOMEM;
    size_t judged = status == CSM_OK ? judged_rows(ordered, rows, n, order) : 0;
    double rises = 0, next = 1, factor = pow((double)judged, 1 / (double)(limit - 1));
    for (size_t i = 0; i < judged; i++) {
        rises += ordered[i].rises;
        block_counter_add(&blocks, ordered[i].time);
        bool last = i + 1 == judged;
        if (!last && (ordered[i + 1].by == ordered[i].by || (double)(i + 1) < next || *points + 1 == limit))
            continue;
        next = (double)(i + 1) * factor;
        out[(*points)++] = (precision_point){.count = i + 1,
                                             .coverage = (double)(i + 1) / (double)judged,
                                             .precision = rises / (double)(i + 1),
                                             .blocks = (double)blocks.blocks};
    }
    free(blocks.seen);
    free(ordered);
    return status;
}

/* ---- intervals ---- */

interval_score score_intervals(const csm_walk_row *rows, size_t n) {
    interval_score score = {0};
    double inside = 0, width = 0;
    for (size_t i = 0; i < n; i++) {
        const csm_walk_row *row = &rows[i];
        if (!isfinite(row->low) || !isfinite(row->high)) continue;
        score.rows++;
        inside += row->log_return >= row->low && row->log_return <= row->high;
        width += row->high - row->low;
    }
    score.coverage = score.rows ? inside / (double)score.rows : NAN;
    score.width = score.rows ? width / (double)score.rows : NAN;
    return score;
}

/* ---- rank IC ---- */

int period_of(csm_time time, int months) {
    csm_calendar c = csm_time_calendar(time);
    return (12 * c.year + c.month - 1) / months;
}

int period_months(const csm_walk_row *rows, size_t n) {
    return n == 0 || period_of(rows[n - 1].time, 1) - period_of(rows[0].time, 1) < 12 ? 1 : 3;
}

/* Rows of one date with both known, in three columns: expected, momentum, realised. Returns how many. */
static size_t ic_columns(double *expected, double *momentum, double *realised, const csm_walk_row *rows,
                         size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(rows[i].probability) || !isfinite(rows[i].momentum)) continue;
        expected[kept] = rows[i].expected_return;
        momentum[kept] = rows[i].momentum;
        realised[kept++] = rows[i].log_return;
    }
    return kept;
}

/* An expectation that is the same for all coins orders none: 0. */
static void ic_add(ic_period *period, csm_time time, double model, double momentum) {
    if (!isfinite(momentum)) return;
    if (!isfinite(model)) model = 0;
    if (period->dates++ == 0) period->from = time;
    period->to = time;
    period->model += model;
    period->momentum += momentum;
}

csm_status ic_periods(ic_period **out, size_t *count, const csm_walk_row *rows, size_t n) {
    const int months = period_months(rows, n);
    const size_t most =
        n ? (size_t)(period_of(rows[n - 1].time, months) - period_of(rows[0].time, months)) + 1 : 0;
    double *columns = calloc(3 * n + 1, sizeof *columns);
    *count = 0;
    *out = calloc(most + 1, sizeof **out);
    for (size_t begin = 0, end; columns && *out && begin < n; begin = end) {
        for (end = begin; end < n && rows[end].time == rows[begin].time; end++) continue;
        const size_t kept = ic_columns(columns, columns + n, columns + 2 * n, rows + begin, end - begin);
        ic_add(&(*out)[period_of(rows[begin].time, months) - period_of(rows[0].time, months)],
               rows[begin].time, csm_calibrate_spearman(columns, columns + 2 * n, kept),
               csm_calibrate_spearman(columns + n, columns + 2 * n, kept));
    }
    const csm_status status = columns && *out ? CSM_OK : CSM_ENOMEM;
    for (size_t p = 0; status == CSM_OK && p < most; p++) {
        ic_period period = (*out)[p];
        if (period.dates == 0) continue; /* before the first calibrated date */
        period.model /= (double)period.dates;
        period.momentum /= (double)period.dates;
        (*out)[(*count)++] = period;
    }
    free(columns);
    return status;
}
