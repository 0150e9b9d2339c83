/* SPDX-License-Identifier: MIT */
#include "skill.h"
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MOST 16
#define PART_LEAST 4 /* blocks; the last of each is dropped, since its labels reach into the next part */

/* ---- what one date says ---- */

static bool counts(const csm_walk_row *row) {
    return isfinite(row->probability) && isfinite(row->momentum);
}

typedef struct ranked_row {
    double by;
    size_t row;
} ranked_row;

static int highest_first(const void *a, const void *b) {
    const ranked_row *x = a, *y = b;
    if (x->by != y->by) return x->by > y->by ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* By what a strategy ranks coins: the ensemble first, then members, momentum last. */
static double rank_of(const skill *s, const csm_walk_row *row, size_t strategy) {
    if (strategy == 0) return row->expected_return;
    return strategy + 1 == s->strategies ? row->momentum : row->member_return[strategy - 1];
}

/* Sums over the dates of one block. */
typedef struct block_sums {
    size_t dates;
    size_t rows;
    double issued;
    double market;
    double top[SKILL_STRATEGIES];
    double top_doubled[SKILL_STRATEGIES];
    double spread[SKILL_STRATEGIES];
    double brier_gain; /* base rate's loss less the model's, by rows */
} block_sums;

typedef struct record {
    skill *skill;
    const csm_walk_row *rows;
    const double *base_rate; /* a row */
    ranked_row *order;
    size_t markets;
    double *held; /* (strategies, markets): share of the top tenth a date before */
    double *now;  /* (markets) */
    block_sums *block;
    size_t blocks;
} record;

/* Means over a tenth of a date's coins. */
typedef struct tenth {
    double gross;
    double cost;
    double rises;
} tenth;

/* The first `top` of n in order, or the last: those tied with the one at the cut divide the places left, so that no order among ties
 * can flatter. share: of each market; NULL: not asked. */
static tenth take_tenth(const record *r, size_t n, size_t top, bool last, double *share) {
    const ranked_row *order = r->order;
    const double cut = order[last ? n - top : top - 1].by;
    size_t beyond = 0, tied = 0;
    tenth out = {0};
    for (size_t k = 0; k < n; k++) {
        beyond += last ? order[k].by < cut : order[k].by > cut;
        tied += order[k].by == cut;
    }
    const double rest = (double)(top - beyond) / (double)tied;
    for (size_t k = 0; k < n; k++) {
        const csm_walk_row *row = &r->rows[order[k].row];
        const bool whole = last ? order[k].by < cut : order[k].by > cut;
        const double part = (whole ? 1 : order[k].by == cut ? rest : 0) / (double)top;
        out.gross += part * row->log_return;
        out.cost += part * row->cost;
        out.rises += part * (row->rises != 0);
        if (share) share[row->market] += part;
    }
    return out;
}

/* Share of the tenth that was not in it a date before, and remembers it for the next. */
static double turn_over(record *r, size_t strategy) {
    double *held = r->held + strategy * r->markets, fresh = 0;
    for (size_t m = 0; m < r->markets; m++) {
        fresh += r->now[m] > held[m] ? r->now[m] - held[m] : 0;
        held[m] = r->now[m];
        r->now[m] = 0;
    }
    return fresh;
}

static void add_tenths(record *r, block_sums *block, size_t begin, size_t end, size_t strategy) {
    skill_strategy *s = &r->skill->strategy[strategy];
    size_t n = 0;
    for (size_t i = begin; i < end; i++) {
        if (counts(&r->rows[i])) r->order[n++] = (ranked_row){rank_of(r->skill, &r->rows[i], strategy), i};
    }
    qsort(r->order, n, sizeof *r->order, highest_first);
    const size_t size = n < 10 ? 1 : n / 10;
    const tenth top = take_tenth(r, n, size, false, r->now), low = take_tenth(r, n, size, true, NULL);
    block->top[strategy] += top.gross - top.cost;
    block->top_doubled[strategy] += top.gross - 2 * top.cost;
    block->spread[strategy] += top.gross - low.gross - top.cost - low.cost;
    s->precision += top.rises;
    s->turnover += turn_over(r, strategy);
}

/* Rows [begin, end) of one date, which holds at least one that counts. Returns how many calls were issued. */
static size_t add_date(record *r, block_sums *block, size_t begin, size_t end) {
    size_t issued = 0, held = 0, rises = 0;
    double net = 0, market = 0;
    for (size_t i = begin; i < end; i++) {
        const csm_walk_row *row = &r->rows[i];
        if (!counts(row)) continue;
        held++;
        rises += row->rises != 0;
        market += row->log_return;
        if (isfinite(r->base_rate[i])) {
            const double base = r->base_rate[i] - row->rises, model = row->probability - row->rises;
            block->brier_gain += base * base - model * model;
            block->rows++;
        }
        if (!is_issued(row)) continue;
        issued++;
        net += row->log_return - row->cost;
    }
    block->dates++;
    r->skill->base_rate += (double)rises / (double)held;
    block->market += market / (double)held;
    if (issued > 0) block->issued += net / (double)issued;
    for (size_t k = 0; k < r->skill->strategies; k++) add_tenths(r, block, begin, end, k);
    return issued;
}

/* ---- the base rate known at each date ---- */

static int by_maturity(const void *a, const void *b) {
    const csm_walk_row *const *x = a, *const *y = b;
    return ((*x)->matures > (*y)->matures) - ((*x)->matures < (*y)->matures);
}

/* Share of rising outcomes among the rows that had matured by each row's decision; NaN before the first. */
static csm_status base_rates(double *out, const csm_walk_row *rows, size_t n) {
    const csm_walk_row **matured = calloc(n + 1, sizeof *matured);
    if (!matured) return CSM_ENOMEM;
    for (size_t i = 0; i < n; i++) matured[i] = &rows[i];
    qsort(matured, n, sizeof *matured, by_maturity);
    size_t known = 0;
    double rises = 0;
    for (size_t i = 0; i < n; i++) {
        for (; known < n && matured[known]->matures <= rows[i].time; known++)
            rises += matured[known]->rises != 0;
        out[i] = known ? rises / (double)known : NAN;
    }
    free(matured);
    return CSM_OK;
}

/* ---- blocks ---- */

/* At most one a date, and no more than fit between first and last. */
static size_t blocks_most(const csm_walk_row *rows, size_t n, csm_time horizon) {
    const csm_time span = n ? (rows[n - 1].time - rows[0].time) / horizon : 0;
    return (span < (csm_time)n ? (size_t)span : n) + 2;
}

static void sum_dates(skill *s, record *r, size_t n, csm_time horizon) {
    csm_time last = CSM_TIME_MIN;
    for (size_t begin = 0, end; begin < n; begin = end) {
        bool any = false;
        for (end = begin; end < n && r->rows[end].time == r->rows[begin].time; end++)
            any = any || counts(&r->rows[end]);
        if (!any) continue;
        const csm_time block = csm_time_floor(r->rows[begin].time, horizon);
        if (block != last) r->block[r->blocks++] = (block_sums){0};
        last = block;
        s->dates++;
        s->silent += add_date(r, &r->block[r->blocks - 1], begin, end) == 0;
    }
}

/* Sums over dates become means, of each block and of all of them. */
static void average(skill *s, record *r) {
    const double blocks = (double)r->blocks, all_dates = (double)s->dates;
    for (size_t b = 0; b < r->blocks; b++) {
        block_sums *block = &r->block[b];
        const double dates = (double)block->dates;
        block->issued /= dates;
        block->market /= dates;
        block->brier_gain = block->rows ? block->brier_gain / (double)block->rows : 0;
        s->market += block->market / blocks;
        for (size_t k = 0; k < s->strategies; k++) {
            block->top[k] /= dates;
            s->strategy[k].top += block->top[k] / blocks;
            s->strategy[k].top_doubled += block->top_doubled[k] / dates / blocks;
            s->strategy[k].spread += block->spread[k] / dates / blocks;
        }
    }
    for (size_t k = 0; k < s->strategies; k++) {
        s->strategy[k].precision /= all_dates;
        /* the first date, which is all new, is not counted */
        s->strategy[k].turnover = s->dates > 1 ? (s->strategy[k].turnover - 1) / (all_dates - 1) : NAN;
    }
    s->base_rate /= all_dates;
    s->blocks = r->blocks;
}

/* ---- what it is worth ---- */

/* Too few blocks, or nothing that varies, is an answer and no failure. */
static csm_status unless_too_few(csm_status status) {
    return status == CSM_ENODATA ? CSM_OK : status;
}

static csm_status judge_tops(skill *s, const record *r) {
    csm_status status = CSM_OK;
    double *returns = calloc(r->blocks + 1, sizeof *returns);
    if (!returns) return CSM_ENOMEM;
    for (size_t k = 0; status == CSM_OK && k < s->strategies; k++) {
        csm_sharpe sharpe;
        for (size_t b = 0; b < r->blocks; b++) returns[b] = r->block[b].top[k];
        status = csm_calibrate_sharpe(&sharpe, returns, r->blocks, NULL);
        s->strategy[k].error = status == CSM_OK ? sharpe.standard_error : NAN;
        status = unless_too_few(status);
    }
    free(returns);
    return status;
}

static csm_status judge_issued(skill *s, const record *r) {
    csm_sharpe_options options;
    csm_calibrate_sharpe_options_init(&options);
    options.trials = s->trials ? s->trials : 1;
    double *returns = calloc(r->blocks + 1, sizeof *returns);
    if (!returns) return CSM_ENOMEM;
    for (size_t b = 0; b < r->blocks; b++) returns[b] = r->block[b].issued;
    const csm_status status = csm_calibrate_sharpe(&s->issued, returns, r->blocks, &options);
    free(returns);
    return unless_too_few(status);
}

static csm_status judge_choice(skill *s, const record *r) {
    uint32_t parts = PARTS_MOST;
    while (parts >= 2 && r->blocks / parts < PART_LEAST) parts -= 2;
    if (parts < 2 || s->strategies < 2) return CSM_OK;
    const size_t length = r->blocks / parts, rows = parts * (length - 1);
    double *returns = calloc(rows, s->strategies * sizeof *returns);
    if (!returns) return CSM_ENOMEM;
    for (size_t i = 0; i < rows; i++) {
        const size_t block = i / (length - 1) * length + i % (length - 1);
        for (size_t k = 0; k < s->strategies; k++) returns[i * s->strategies + k] = r->block[block].top[k];
    }
    const csm_matrix matrix = csm_matrix_f64(returns, rows, s->strategies);
    const csm_status status = csm_calibrate_overfitting(&s->overfitting, &matrix, parts);
    if (status == CSM_OK) s->parts = parts;
    free(returns);
    return status;
}

typedef enum benchmark { OVER_BASE, OVER_MOMENTUM, OVER_MARKET } benchmark;

static double gain_of(const skill *s, const block_sums *block, benchmark over, size_t model) {
    switch (over) {
    case OVER_BASE:
        return block->brier_gain;
    case OVER_MOMENTUM:
        return block->top[model] - block->top[s->strategies - 1];
    default:
        return block->top[model] - block->market;
    }
}

static csm_status judge_over(csm_superior *out, const skill *s, const record *r, csm_context *context,
                             benchmark over) {
    const size_t models = over == OVER_BASE ? 1 : s->strategies - 1;
    double *gain = calloc(r->blocks + 1, models * sizeof *gain);
    *out = (csm_superior){.statistic = NAN, .lower = NAN, .consistent = NAN, .upper = NAN};
    if (!gain) return CSM_ENOMEM;
    for (size_t b = 0; b < r->blocks; b++) {
        for (size_t k = 0; k < models; k++) gain[b * models + k] = gain_of(s, &r->block[b], over, k);
    }
    const csm_matrix matrix = csm_matrix_f64(gain, r->blocks, models);
    const csm_status status = r->blocks ? csm_calibrate_superior(out, context, &matrix, NULL) : CSM_ENODATA;
    free(gain);
    return unless_too_few(status);
}

static void name_strategies(skill *s, const csm_horizon_training *t) {
    s->strategies = 0;
    snprintf(s->strategy[s->strategies++].name, CSM_MEMBER_NAME, "ensemble");
    for (size_t m = 0; t->members > 1 && m < t->members; m++)
        snprintf(s->strategy[s->strategies++].name, CSM_MEMBER_NAME, "%s", t->member[m].name);
    snprintf(s->strategy[s->strategies++].name, CSM_MEMBER_NAME, "momentum");
}

static csm_status judge(skill *s, const record *r, csm_context *context) {
    csm_status status = judge_issued(s, r);
    if (status == CSM_OK) status = judge_tops(s, r);
    if (status == CSM_OK) status = judge_choice(s, r);
    if (status == CSM_OK) status = judge_over(&s->over_base, s, r, context, OVER_BASE);
    if (status == CSM_OK) status = judge_over(&s->over_momentum, s, r, context, OVER_MOMENTUM);
    if (status == CSM_OK) status = judge_over(&s->over_market, s, r, context, OVER_MARKET);
    return status;
}

static csm_status measure_drawdown(skill *s, const csm_walk_row *rows, const csm_horizon_training *t) {
    walk_date *dates = NULL;
    size_t count = 0;
    const csm_status status = walk_dates(&dates, &count, rows, t->walk_rows);
    const size_t first = status == CSM_OK ? walk_uncalibrated(dates, count) : 0;
    s->drawdown = status == CSM_OK ? issued_drawdown(dates + first, count - first, t->horizon) : NAN;
    free(dates);
    return status;
}

csm_status skill_make(skill *out, csm_context *context, const csm_horizon_training *training,
                      const csm_walk_row *rows, uint64_t trials) {
    const size_t n = rows ? training->walk_rows : 0;
    double *base_rate = calloc(n + 1, sizeof *base_rate);
    record r = {.skill = out, .rows = rows, .base_rate = base_rate};
    r.order = calloc(n + 1, sizeof *r.order);
    r.block = calloc(blocks_most(rows, n, training->horizon), sizeof *r.block);
    *out = (skill){.trials = trials, .drawdown = NAN};
    name_strategies(out, training);
    for (size_t i = 0; i < n; i++)
        r.markets = rows[i].market >= r.markets ? rows[i].market + (size_t)1 : r.markets;
    r.held = calloc(r.markets + 1, out->strategies * sizeof *r.held);
    r.now = calloc(r.markets + 1, sizeof *r.now);
    csm_status status = base_rate && r.order && r.block && r.held && r.now ? CSM_OK : CSM_ENOMEM;
    if (status == CSM_OK) status = base_rates(base_rate, rows, n);
    if (status == CSM_OK) sum_dates(out, &r, n, training->horizon);
    if (status == CSM_OK) average(out, &r);
    if (status == CSM_OK && r.blocks == 0) out->market = NAN;
    if (status == CSM_OK) status = judge(out, &r, context);
    if (status == CSM_OK && n > 0) status = measure_drawdown(out, rows, training);
    free(r.now);
    free(r.held);
    free(r.block);
    free(r.order);
    free(base_rate);
    return status;
}

csm_status judge_record(judgement **out, csm_context *context, csm_pipeline *pipeline,
                        const csm_training *training) {
    const size_t horizons = csm_training_horizons(training);
    csm_pipeline_status known;
    regimes market = {0};
    *out = NULL;
    csm_status status = csm_pipeline_status_report(&known, pipeline);
    if (status == CSM_OK) status = regimes_make(&market, context, pipeline, csm_training_as_of(training));
    if (status == CSM_OK && !(*out = calloc(horizons + 1, sizeof **out))) status = CSM_ENOMEM;
    for (size_t h = 0; status == CSM_OK && h < horizons; h++) {
        const csm_horizon_training *t = csm_training_horizon(training, h);
        const csm_walk_row *rows = csm_training_walk(training, h);
        status = skill_make(&(*out)[h].skill, context, t, rows, (uint64_t)known.trials);
        if (status == CSM_OK) status = regime_slices((*out)[h].regime, context, &market, t, rows);
    }
    if (status == CSM_ENOMEM) own_failure(status, "evaluate: no memory");
    regimes_free(&market);
    if (status == CSM_OK) return CSM_OK;
    free(*out);
    *out = NULL;
    return status;
}
