/* SPDX-License-Identifier: MIT */
/* Scores of forecasts. Everything a score needs is summed by horizon block first; the value is the score of all blocks'
 * sums, its band that of resampled blocks. */
#include "calibrate/internal.h"

#include "core/real.h"

#include <math.h>
#include <string.h>

void csm_calibrate_scores_options_init(csm_scores_options *options) {
    *options = (csm_scores_options){.size = sizeof *options, .bins = 10, .bootstrap = 400};
}

/* ---- sums ---- */

typedef struct bin_sums {
    double count;
    double probability;
    double outcome;
} bin_sums;

typedef struct block_sums {
    double count;
    double outcome;
    double squared_error;
    double log_loss;
    double rank_ic; /* over dates */
    double rank_ic_dates;
    bin_sums bin[CSM_RELIABILITY_BINS_MAX];
} block_sums;

static void add_sums(block_sums *total, const block_sums *block, size_t bins) {
    total->count += block->count;
    total->outcome += block->outcome;
    total->squared_error += block->squared_error;
    total->log_loss += block->log_loss;
    total->rank_ic += block->rank_ic;
    total->rank_ic_dates += block->rank_ic_dates;
    for (size_t b = 0; b < bins; b++) {
        total->bin[b].count += block->bin[b].count;
        total->bin[b].probability += block->bin[b].probability;
        total->bin[b].outcome += block->bin[b].outcome;
    }
}

/* ---- the scores of given sums ---- */

typedef struct point_scores {
    double brier;
    double brier_skill;
    double log_loss;
    double ece;
    double rank_ic;
} point_scores;
#define POINT_SCORES (sizeof(point_scores) / sizeof(double))

static point_scores score_sums(const block_sums *sums, size_t bins) {
    double base = sums->outcome / sums->count, uncertainty = base * (1 - base);
    point_scores scores = {.brier = sums->squared_error / sums->count,
                           .log_loss = sums->log_loss / sums->count,
                           .rank_ic = sums->rank_ic_dates > 0 ? sums->rank_ic / sums->rank_ic_dates : NAN};
    scores.brier_skill = uncertainty > 0 ? 1 - scores.brier / uncertainty : NAN;
    for (size_t b = 0; b < bins; b++) scores.ece += fabs(sums->bin[b].probability - sums->bin[b].outcome);
    scores.ece /= sums->count;
    return scores;
}

/* ---- one pass over the rows ---- */

typedef struct scoring {
    const csm_outcomes *outcomes;
    size_t bins;
    uint32_t *order; /* rows by time */
    uint8_t *bin;    /* of each row */
    block_sums *block;
    size_t blocks;
    size_t dates;
    double ic_sum; /* over dates, with squares: for the information ratio */
    double ic_squares;
    double ic_dates;
} scoring;

/* Bins of equal mass by rank of the probability; rows of one probability stay together, in the bin of their middle. */
static csm_status assign_bins(scoring *s) {
    size_t n = s->outcomes->length;
    const double *p = s->outcomes->probability;
    uint32_t *order = csm_alloc_array(n, sizeof *order);
    if (!order) return CSM_ENOMEM;
    csm_status status = csm_order_f64(order, p, n);
    for (size_t begin = 0, end; begin < n && !status; begin = end) {
        end = begin + 1;
        while (end < n && p[order[end]] == p[order[begin]]) end++;
        size_t bin = (size_t)((double)s->bins * (0.5 * (double)(begin + end) / (double)n));
        for (size_t i = begin; i < end; i++) s->bin[order[i]] = (uint8_t)(bin < s->bins ? bin : s->bins - 1);
    }
    csm_dealloc(order);
    return status;
}

static void add_row(block_sums *block, const scoring *s, size_t r) {
    double p = s->outcomes->probability[r], y = s->outcomes->outcome[r];
    double said = y > 0 ? p : 1 - p;
    block->count++;
    block->outcome += y;
    block->squared_error += (p - y) * (p - y);
    block->log_loss -= csm_log(said > CSM_LOG_LOSS_FLOOR ? said : CSM_LOG_LOSS_FLOOR);
    bin_sums *bin = &block->bin[s->bin[r]];
    bin->count++;
    bin->probability += p;
    bin->outcome += y;
}

static bool varies(const double *values, size_t n) {
    size_t same = 0;
    while (same < n && values[same] == values[0]) same++;
    return same < n;
}

/* Spearman of expected and realised returns over one date, rows order[begin..end). An expectation that is the same for all coins orders
 * none: 0, or a model that mostly says nothing would be judged by the dates on which it speaks. scratch: 2 * rows. */
static csm_status add_date(scoring *s, block_sums *block, size_t begin, size_t end, double *scratch) {
    const csm_outcomes *o = s->outcomes;
    size_t n = end - begin;
    s->dates++;
    if (!o->expected || !o->realised) return CSM_OK;
    for (size_t i = 0; i < n; i++) {
        scratch[i] = o->expected[s->order[begin + i]];
        scratch[n + i] = o->realised[s->order[begin + i]];
    }
    double ic = 0;
    const bool judged = varies(scratch + n, n);
    csm_status status = judged && varies(scratch, n) ? csm_spearman(&ic, scratch, scratch + n, n) : CSM_OK;
    if (status || !judged) return status;
    block->rank_ic += ic;
    block->rank_ic_dates++;
    s->ic_sum += ic;
    s->ic_squares += ic * ic;
    s->ic_dates++;
    return CSM_OK;
}

static csm_status sum_blocks(scoring *s) {
    const csm_outcomes *o = s->outcomes;
    double *scratch = csm_alloc_array(o->length, 2 * sizeof *scratch);
    csm_status status = scratch ? CSM_OK : CSM_ENOMEM;
    for (size_t begin = 0, end; begin < o->length && !status; begin = end) {
        csm_time date = o->time[s->order[begin]];
        int64_t index = csm_block_index(date, o->horizon);
        if (begin == 0 || index != csm_block_index(o->time[s->order[begin - 1]], o->horizon)) s->blocks++;
        block_sums *block = &s->block[s->blocks - 1];
        for (end = begin; end < o->length && o->time[s->order[end]] == date; end++)
            add_row(block, s, s->order[end]);
        status = add_date(s, block, begin, end, scratch);
    }
    csm_dealloc(scratch);
    return status;
}

/* ---- results ---- */

/* Murphy 1973. Forecasts within a bin differ, so that resolution takes the terms within bins too (Stephenson, Coelho &
 * Jolliffe 2008): brier = reliability - resolution + uncertainty holds exactly. */
static void decompose(csm_scores *out, const block_sums *total, size_t bins) {
    out->uncertainty = out->base_rate * (1 - out->base_rate);
    for (size_t b = 0; b < bins; b++) {
        const bin_sums *bin = &total->bin[b];
        if (bin->count <= 0) continue;
        double error = (bin->probability - bin->outcome) / bin->count;
        out->reliability += bin->count / total->count * error * error;
        csm_reliability_bin *row = &out->bins[out->bin_count++];
        row->count = (size_t)bin->count;
        row->probability = bin->probability / bin->count;
        row->frequency = row->low = row->high = bin->outcome / bin->count;
    }
    out->resolution = out->reliability + out->uncertainty - out->brier.value;
}

static void fill_values(csm_scores *out, const scoring *s, const block_sums *total) {
    point_scores values = score_sums(total, s->bins);
    *out = (csm_scores){.rows = s->outcomes->length, .blocks = (double)s->blocks, .dates = s->dates};
    out->base_rate = total->outcome / total->count;
    out->brier = (csm_band){values.brier, values.brier, values.brier};
    out->brier_skill = (csm_band){values.brier_skill, values.brier_skill, values.brier_skill};
    out->log_loss = (csm_band){values.log_loss, values.log_loss, values.log_loss};
    out->ece = (csm_band){values.ece, values.ece, values.ece};
    out->rank_ic = (csm_band){values.rank_ic, values.rank_ic, values.rank_ic};
    double mean = s->ic_sum / s->ic_dates;
    double variance = (s->ic_squares - s->ic_dates * mean * mean) / (s->ic_dates - 1);
    out->rank_icir = s->ic_dates > 1 && variance > 0 ? mean / sqrt(variance) : NAN;
    decompose(out, total, s->bins);
}

/* draws: (POINT_SCORES + bins) series of `resamples` values each. */
static csm_status resample(double *draws, const scoring *s, csm_context *context, size_t resamples) {
    uint32_t *pick = csm_alloc_array(s->blocks, sizeof *pick);
    csm_status status = pick ? CSM_OK : CSM_ENOMEM;
    for (size_t i = 0; i < resamples && !status; i++) {
        block_sums total = {0};
        csm_bootstrap_draw(pick, s->blocks, csm_context_seed(context), i);
        for (size_t b = 0; b < s->blocks; b++) add_sums(&total, &s->block[pick[b]], s->bins);
        point_scores scores = score_sums(&total, s->bins);
        double values[POINT_SCORES];
        memcpy(values, &scores, sizeof values);
        for (size_t k = 0; k < POINT_SCORES; k++) draws[k * resamples + i] = values[k];
        for (size_t b = 0; b < s->bins; b++)
            draws[(POINT_SCORES + b) * resamples + i] =
                total.bin[b].outcome / total.bin[b].count; /* 0/0: NaN */
        if (i % 64 == 0) status = csm_progress(context, "bootstrap", i, resamples);
    }
    csm_dealloc(pick);
    return status;
}

static csm_status fill_bands(csm_scores *out, const scoring *s, const block_sums *total, csm_context *context,
                             size_t resamples) {
    double *draws = csm_alloc_array(resamples, (POINT_SCORES + s->bins) * sizeof *draws);
    if (!draws) return CSM_ENOMEM;
    csm_status status = resample(draws, s, context, resamples);
    if (!status) {
        csm_band *bands[POINT_SCORES] = {&out->brier, &out->brier_skill, &out->log_loss, &out->ece,
                                         &out->rank_ic};
        for (size_t k = 0; k < POINT_SCORES; k++)
            csm_bootstrap_band(&bands[k]->low, &bands[k]->high, draws + k * resamples, resamples);
        for (size_t b = 0, row = 0; b < s->bins; b++) {
            if (total->bin[b].count <= 0) continue;
            csm_bootstrap_band(&out->bins[row].low, &out->bins[row].high,
                               draws + (POINT_SCORES + b) * resamples, resamples);
            row++;
        }
    }
    csm_dealloc(draws);
    return status;
}

static csm_status check_options(const csm_scores_options *options) {
    if (options->bins < 2 || options->bins > CSM_RELIABILITY_BINS_MAX)
        return csm_fail(CSM_EINVAL, "scores: %u bins are outside 2..%d", options->bins,
                        CSM_RELIABILITY_BINS_MAX);
    if (options->bootstrap > 1000000)
        return csm_fail(CSM_EINVAL, "scores: %u resamples are over 1000000", options->bootstrap);
    return CSM_OK;
}

csm_status csm_calibrate_scores(csm_scores *out, csm_context *context, const csm_outcomes *outcomes,
                                const csm_scores_options *user) {
    csm_scores_options options;
    scoring s = {.outcomes = outcomes};
    block_sums total = {0};
    if (!out || !context) return csm_fail(CSM_EINVAL, "scores: out or context is NULL");
    csm_calibrate_scores_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_scores_options");
    if (status) return status;
    if ((status = check_options(&options))) return status;
    if ((status = csm_outcomes_check(outcomes, "scores"))) return status;
    size_t n = outcomes->length;
    if (n == 0) return csm_fail(CSM_ENODATA, "scores: no matured forecasts");
    s.bins = options.bins;
    s.order = csm_alloc_array(n, sizeof *s.order);
    s.bin = csm_alloc_array(n, sizeof *s.bin);
    status = CSM_ENOMEM;
    if (!s.order || !s.bin) goto done;
    double blocks = csm_calibrate_blocks(outcomes->time, n, outcomes->horizon);
    if (isnan(blocks)) goto done;
    s.block = csm_alloc_array((size_t)blocks, sizeof *s.block);
    if (!s.block) goto done;
    if ((status = csm_order_time(s.order, outcomes->time, n))) goto done;
    if ((status = assign_bins(&s))) goto done;
    if ((status = sum_blocks(&s))) goto done;
    for (size_t b = 0; b < s.blocks; b++) add_sums(&total, &s.block[b], s.bins);
    fill_values(out, &s, &total);
    if (options.bootstrap) status = fill_bands(out, &s, &total, context, options.bootstrap);
done:
    csm_dealloc(s.block);
    csm_dealloc(s.bin);
    csm_dealloc(s.order);
    return status;
}
