/* SPDX-License-Identifier: MIT */
/* What a frame answers. */
#include "fuse/frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void csm_frame_free(csm_frame *frame) {
    if (!frame) return;
    for (size_t i = 0; frame->facts && i < frame->market_count; i++) {
        csm_dealloc(frame->facts[i].close_time);
        csm_dealloc(frame->facts[i].close);
        csm_dealloc(frame->facts[i].day_value);
    }
    csm_dealloc(frame->facts);
    csm_dealloc(frame->excluded_offset);
    csm_dealloc(frame->excluded);
    csm_dealloc(frame->row_offset);
    csm_dealloc(frame->markets);
    csm_dealloc(frame->times);
    csm_dealloc(frame->matrix);
    csm_recipe_free(frame->recipe);
    csm_dealloc(frame);
}

size_t csm_frame_rows(const csm_frame *frame) {
    return frame ? frame->rows : 0;
}

csm_matrix csm_frame_matrix(const csm_frame *frame) {
    return frame ? csm_matrix_f32(frame->matrix, frame->rows, frame->recipe->count)
                 : csm_matrix_f32(NULL, 0, 0);
}

const csm_time *csm_frame_times(const csm_frame *frame) {
    return frame ? frame->times : NULL;
}

const uint32_t *csm_frame_markets(const csm_frame *frame) {
    return frame ? frame->markets : NULL;
}

const csm_recipe *csm_frame_recipe(const csm_frame *frame) {
    return frame ? frame->recipe : NULL;
}

size_t csm_frame_excluded_count(const csm_frame *frame) {
    return frame ? frame->excluded_count : 0;
}

const csm_excluded_row *csm_frame_excluded_at(const csm_frame *frame, size_t index) {
    return frame && index < frame->excluded_count ? &frame->excluded[index] : NULL;
}

csm_status csm_frame_reasons(csm_reason *out, const csm_frame *frame, uint32_t market, csm_time time) {
    if (!out || !frame) return csm_fail(CSM_EINVAL, "frame reasons: out and frame must not be NULL");
    if (market >= frame->market_count)
        return csm_fail(CSM_EINVAL, "frame reasons: market %u of %zu", market, frame->market_count);
    const csm_time interval = frame->options.interval;
    const bool asked = frame->decisions > 0 && time >= frame->first_decision &&
                       csm_time_floor(time, interval) == time &&
                       (uint64_t)(time - frame->first_decision) / (uint64_t)interval < frame->decisions;
    if (!asked) {
        char text[CSM_TIME_TEXT];
        return csm_fail(CSM_ENOTFOUND, "frame reasons: %s is no decision of this frame",
                        csm_time_format(time, text, sizeof text));
    }
    size_t low = frame->excluded_offset[market], high = frame->excluded_offset[market + 1];
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (frame->excluded[middle].time < time)
            low = middle + 1;
        else
            high = middle;
    }
    const bool excluded = low < frame->excluded_offset[market + 1] && frame->excluded[low].time == time;
    *out = excluded ? frame->excluded[low].reasons : 0;
    return CSM_OK;
}

csm_status csm_frame_windows(int64_t *ends, size_t capacity, size_t *count, const csm_frame *frame,
                             size_t length) {
    if (!count || !frame || length == 0 || (capacity > 0 && !ends))
        return csm_fail(CSM_EINVAL, "frame windows: count and frame must not be NULL, length (%zu) not 0",
                        length);
    size_t found = 0, run = 0;
    for (size_t r = 0; r < frame->rows; r++) {
        const bool follows = r > 0 && frame->markets[r] == frame->markets[r - 1] &&
                             frame->times[r] - frame->times[r - 1] == frame->options.interval;
        run = follows ? run + 1 : 1;
        if (run < length) continue;
        if (found < capacity) ends[found] = (int64_t)r;
        found++;
    }
    *count = found;
    return CSM_OK;
}

/* ---- facts ----------------------------------------------------------------------------------------------------------- */

#define FACT_DAYS 30

static int64_t day_of(csm_time time) {
    return csm_time_floor(time, CSM_DAY) / CSM_DAY;
}

/* Daily sums of price x volume; a day counts when none of its bars is missing. Bars longer than a day have none. */
static csm_status sum_days(csm_facts_track *facts, const csm_track *track, csm_time interval) {
    if (track->span == 0 || CSM_DAY % interval != 0) return CSM_OK;
    const size_t bars = (size_t)(CSM_DAY / interval);
    facts->first_day = day_of(track->start);
    facts->days =
        (size_t)(day_of(track->start + (csm_time)(track->span - 1) * interval) - facts->first_day) + 1;
    facts->day_value = csm_alloc_array(facts->days, sizeof *facts->day_value);
    uint32_t *known = csm_alloc_array(facts->days, sizeof *known);
    if (facts->day_value && known) {
        /* bars of the first day that were before the track's first */
        const size_t before = (size_t)((track->start - csm_time_floor(track->start, CSM_DAY)) / interval);
        for (size_t k = 0; k < track->known; k++) known[(before + track->known_slot[k]) / bars]++;
        for (size_t k = 0; k < track->traded; k++)
            facts->day_value[(before + track->slot[k]) / bars] += track->close[k] * track->volume[k];
        for (size_t d = 0; d < facts->days; d++)
            if (known[d] < bars) facts->day_value[d] = NAN;
    }
    const bool whole = facts->day_value && known;
    csm_dealloc(known);
    return whole ? CSM_OK : CSM_ENOMEM;
}

static csm_status build_track(csm_facts_track *facts, const csm_track *track, csm_time interval) {
    facts->first = track->known > 0 ? track->start + (csm_time)track->known_slot[0] * interval : CSM_TIME_MAX;
    facts->traded = track->traded;
    facts->close_time = csm_realloc_array(NULL, track->traded, sizeof *facts->close_time);
    facts->close = csm_realloc_array(NULL, track->traded, sizeof *facts->close);
    if (!facts->close_time || !facts->close) return CSM_ENOMEM;
    for (size_t k = 0; k < track->traded; k++) {
        facts->close_time[k] = track->time[k] + interval;
        facts->close[k] = track->close[k];
    }
    return sum_days(facts, track, interval);
}

typedef struct facts_job {
    csm_frame *frame;
    const csm_panel *panel;
} facts_job;

static csm_status build_tracks(void *user, size_t begin, size_t end, uint32_t worker) {
    const facts_job *job = user;
    csm_status status = CSM_OK;
    (void)worker;
    for (size_t i = begin; i < end && !status; i++)
        status = build_track(&job->frame->facts[i], &job->panel->tracks[i], job->panel->interval);
    return status;
}

csm_status csm_facts_build(csm_frame *frame, const csm_panel *panel, uint32_t threads) {
    frame->fear_greed_from = CSM_TIME_MAX;
    for (size_t i = 0; i < panel->fear_greed.length; i++)
        if (panel->fear_greed.available[i] < frame->fear_greed_from)
            frame->fear_greed_from = panel->fear_greed.available[i];
    frame->bitcoin_from = panel->reference == SIZE_MAX ? CSM_TIME_MAX : panel->tracks[panel->reference].start;
    frame->facts = csm_alloc_array(panel->count, sizeof *frame->facts);
    if (!frame->facts) return CSM_ENOMEM;
    facts_job job = {.frame = frame, .panel = panel};
    return csm_parallel_for(threads, panel->count, 1, build_tracks, &job);
}

static int compare_doubles(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Median over the known ones of the last 30 whole days before `time`. */
static double median_day(const csm_facts_track *facts, csm_time time) {
    const int64_t end = day_of(time);
    double values[FACT_DAYS];
    size_t n = 0;
    for (int64_t day = end - FACT_DAYS; day < end; day++) {
        const int64_t d = day - facts->first_day;
        if (d < 0 || d >= (int64_t)facts->days || facts->day_value[d] != facts->day_value[d]) continue;
        values[n++] = facts->day_value[d];
    }
    if (n == 0) return (double)NAN;
    qsort(values, n, sizeof *values, compare_doubles);
    return n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

static csm_time since(csm_time from, csm_time to) {
    return from < to ? to - from : 0;
}

/* Every group but sentiment and the comparison with BTC lives from the market's own bars. */
static csm_time shortest_history(const csm_frame *frame, const csm_facts_track *facts, csm_time last,
                                 csm_time time) {
    csm_time history = since(facts->first, last);
    if (csm_recipe_uses(frame->recipe, "sentiment") && since(frame->fear_greed_from, time) < history)
        history = since(frame->fear_greed_from, time);
    if (csm_recipe_uses(frame->recipe, "bitcoin") && since(frame->bitcoin_from, time) < history)
        history = since(frame->bitcoin_from, time);
    return history;
}

csm_status csm_frame_facts(csm_market_facts *out, const csm_frame *frame, uint32_t market, csm_time time) {
    if (!out || !frame) return csm_fail(CSM_EINVAL, "frame facts: out and frame must not be NULL");
    if (market >= frame->market_count)
        return csm_fail(CSM_EINVAL, "frame facts: market %u of %zu", market, frame->market_count);
    const csm_facts_track *facts = &frame->facts[market];
    const csm_time last = frame->first_decision + ((csm_time)frame->decisions - 1) * frame->options.interval;
    if (frame->decisions > 0 && time > last) time = last; /* the frame knows nothing later */
    size_t low = 0, high = facts->traded;
    while (low < high) { /* traded bars that closed at or before `time` */
        const size_t middle = low + (high - low) / 2;
        if (facts->close_time[middle] <= time)
            low = middle + 1;
        else
            high = middle;
    }
    *out = (csm_market_facts){
        .first = CSM_TIME_MIN, .last_trade = CSM_TIME_MIN, .price = (double)NAN, .traded_value = (double)NAN};
    if (facts->first < time) out->first = facts->first;
    if (low == 0) return CSM_OK;
    out->last_trade = facts->close_time[low - 1];
    out->price = facts->close[low - 1];
    out->traded_value = median_day(facts, time);
    out->history = shortest_history(frame, facts, out->last_trade, time);
    return CSM_OK;
}
