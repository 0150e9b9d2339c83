/* SPDX-License-Identifier: MIT */
/* Labelled rows of one horizon: which decisions count, and what is known about each. */
#include "core/real.h"
#include "pipeline/training.h"

#include <math.h>

static csm_status allocate(horizon_samples *s, size_t length) {
    s->row = csm_alloc_array(length + 1, sizeof *s->row);
    s->rises = csm_alloc_array(length + 1, sizeof *s->rises);
    s->log_return = csm_alloc_array(length + 1, sizeof *s->log_return);
    s->cost = csm_alloc_array(length + 1, sizeof *s->cost);
    s->momentum = csm_alloc_array(length + 1, sizeof *s->momentum);
    s->begin = csm_alloc_array(length + 1, sizeof *s->begin);
    s->end = csm_alloc_array(length + 1, sizeof *s->end);
    s->market = csm_alloc_array(length + 1, sizeof *s->market);
    bool whole =
        s->row && s->rises && s->log_return && s->cost && s->momentum && s->begin && s->end && s->market;
    return whole ? CSM_OK : CSM_ENOMEM;
}

void csm_samples_free(horizon_samples *s) {
    csm_dealloc(s->row);
    csm_dealloc(s->rises);
    csm_dealloc(s->log_return);
    csm_dealloc(s->cost);
    csm_dealloc(s->momentum);
    csm_dealloc(s->begin);
    csm_dealloc(s->end);
    csm_dealloc(s->market);
    *s = (horizon_samples){0};
}

/* Whether a row is a training decision of this horizon at all. */
static bool is_decision(csm_time time, const horizon_settings *settings, csm_time as_of) {
    if (time % settings->step != 0) return false;
    return settings->window == 0 || time >= as_of - settings->window;
}

csm_status csm_frame_whole_windows(uint8_t *whole, const csm_frame *frame, size_t window) {
    const size_t rows = csm_frame_rows(frame);
    size_t count = 0;
    int64_t *ends = csm_alloc_array(rows + 1, sizeof *ends);
    if (!ends) return CSM_ENOMEM;
    const csm_status status = csm_frame_windows(ends, rows, &count, frame, window);
    for (size_t i = 0; status == CSM_OK && i < count; i++) whole[ends[i]] = 1;
    csm_dealloc(ends);
    return status;
}

/* Counts the samples and what is left out of them. */
static size_t count_samples(horizon_samples *out, const csm_frame *frame, const csm_targets *targets,
                            const horizon_settings *settings, const uint8_t *whole, csm_time as_of) {
    const csm_time *times = csm_frame_times(frame);
    size_t length = 0;
    for (size_t r = 0; r < csm_frame_rows(frame); r++) {
        if (!is_decision(times[r], settings, as_of)) continue;
        const csm_target *target = csm_targets_at(targets, r);
        const bool known = target->state == CSM_TARGET_KNOWN && target->matures <= as_of;
        out->unknown += target->state == CSM_TARGET_UNKNOWN;
        out->unwindowed += known && !whole[r];
        length += known && whole[r];
    }
    return length;
}

static void add_sample(horizon_samples *out, size_t row, csm_time time, uint32_t market,
                       const csm_target *target) {
    const size_t i = out->length++;
    out->row[i] = (int64_t)row;
    out->rises[i] = target->rises;
    out->log_return[i] = target->log_return;
    out->cost[i] = target->cost;
    out->momentum[i] = NAN;
    out->begin[i] = time;
    out->end[i] = target->matures;
    out->market[i] = market;
}

csm_status csm_samples_make(horizon_samples *out, const csm_frame *frame, const csm_targets *targets,
                            const horizon_settings *settings, size_t window, csm_time as_of) {
    *out = (horizon_samples){.frame = csm_frame_matrix(frame)};
    const size_t rows = csm_frame_rows(frame);
    const csm_time *times = csm_frame_times(frame);
    const uint32_t *markets = csm_frame_markets(frame);
    uint8_t *whole = csm_alloc_array(rows + 1, sizeof *whole);
    csm_status status = whole ? csm_frame_whole_windows(whole, frame, window) : CSM_ENOMEM;
    if (status == CSM_OK) status = allocate(out, count_samples(out, frame, targets, settings, whole, as_of));
    for (size_t r = 0; status == CSM_OK && r < rows; r++) {
        const csm_target *target = csm_targets_at(targets, r);
        if (whole[r] && is_decision(times[r], settings, as_of) && target->state == CSM_TARGET_KNOWN &&
            target->matures <= as_of)
            add_sample(out, r, times[r], markets[r], target);
    }
    csm_dealloc(whole);
    if (status != CSM_OK) csm_samples_free(out);
    return status;
}

/* Close of the last traded bar that closes at or before `time`; NaN when there is none within `age`. */
static double price_at(const csm_bars *bars, csm_time time, csm_time age) {
    size_t low = 0, high = bars->length;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bars->time[middle] + bars->interval <= time)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i > 0; i--) {
        if (time - (bars->time[i - 1] + bars->interval) > age) break;
        if (!bars->state || bars->state[i - 1] == CSM_BAR_TRADED) return bars->close[i - 1];
    }
    return NAN;
}

csm_status csm_samples_momentum(horizon_samples *samples, csm_context *context, const csm_store *store,
                                const csm_market *const *markets, size_t market_count, csm_time interval,
                                csm_time horizon, csm_time as_of) {
    csm_time age = 12 * CSM_HOUR;
    size_t i = 0;
    while (i < samples->length) {
        uint32_t m = samples->market[i];
        if (m >= market_count) return csm_fail(CSM_EINTERNAL, "momentum: market %u of %zu", m, market_count);
        csm_stream stream = {.kind = "bars",
                             .venue = markets[m]->venue,
                             .symbol = markets[m]->symbol,
                             .interval = interval,
                             .epoch = markets[m]->epoch};
        csm_bar_series *series = NULL;
        csm_status status =
            csm_store_read_bars(&series, store, context, &stream, CSM_TIME_MIN, CSM_TIME_MAX, as_of);
        if (status != CSM_OK) return csm_fail_prefix(status, "momentum of %s", markets[m]->id);
        csm_bars bars = csm_bar_series_view(series);
        for (; i < samples->length && samples->market[i] == m; i++) {
            double now = price_at(&bars, samples->begin[i], age);
            double before = price_at(&bars, samples->begin[i] - horizon, age);
            samples->momentum[i] = csm_log(now / before);
        }
        csm_bar_series_free(series);
    }
    return CSM_OK;
}
