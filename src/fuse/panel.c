/* SPDX-License-Identifier: MIT */
#include "fuse/panel.h"

#include "core/platform.h"
#include "fuse/logs.h"

#include <math.h>
#include <string.h>

#define SPAN_LIMIT ((size_t)1 << 31)
#define SLOT_CHUNK 2048

void csm_values_free(csm_values *values) {
    csm_dealloc(values->time);
    csm_dealloc(values->available);
    csm_dealloc(values->value);
    *values = (csm_values){0};
}

void csm_track_free(csm_track *track) {
    csm_dealloc(track->coin);
    csm_dealloc(track->bars);
    csm_dealloc(track->index);
    csm_dealloc(track->known_at);
    csm_dealloc(track->pending);
    *track = (csm_track){0};
}

void csm_panel_free(csm_panel *panel) {
    if (!panel) return;
    for (size_t i = 0; panel->tracks && i < panel->count; i++) csm_track_free(&panel->tracks[i]);
    csm_dealloc(panel->tracks);
    csm_dealloc(panel->late);
    csm_dealloc(panel->factor);
    csm_values_free(&panel->fear_greed);
    csm_dealloc(panel);
}

/* ---- one market -------------------------------------------------------------------------------------------------- */

static uint8_t bar_state(const csm_bars *bars, size_t i) {
    return bars->state ? bars->state[i] : CSM_BAR_TRADED;
}

static csm_status check_bar(const csm_bars *bars, size_t i, const char *coin) {
    const uint8_t state = bar_state(bars, i);
    if (state > CSM_BAR_PENDING)
        return csm_fail(CSM_ECORRUPT, "bars of %s: state %d of bar %zu is unknown", coin, state, i);
    if (i > 0 && bars->time[i] <= bars->time[i - 1])
        return csm_fail(CSM_ECORRUPT, "bars of %s: time of bar %zu is not after the one before", coin, i);
    if (csm_time_floor(bars->time[i], bars->interval) != bars->time[i])
        return csm_fail(CSM_ECORRUPT, "bars of %s: time of bar %zu is not a multiple of the interval", coin,
                        i);
    if (state != CSM_BAR_TRADED) return CSM_OK;
    const double open = bars->open[i], high = bars->high[i], low = bars->low[i], close = bars->close[i];
    const bool sound = isfinite(open) && isfinite(high) && isfinite(low) && isfinite(close) && low > 0 &&
                       low <= open && low <= close && high >= open && high >= close &&
                       isfinite(bars->volume[i]) && bars->volume[i] >= 0;
    if (sound) return CSM_OK;
    return csm_fail(CSM_ECORRUPT,
                    "bars of %s: bar %zu (%g, %g, %g, %g; volume %g) breaks open-high-low-close bounds", coin,
                    i, open, high, low, close, bars->volume[i]);
}

/* Arrays of `count` elements, cut from a block. */
static double *cut_doubles(char **next, size_t count) {
    double *array = (double *)(void *)*next;
    *next += count * sizeof *array;
    return array;
}

static uint32_t *cut_counts(char **next, size_t count) {
    uint32_t *array = (uint32_t *)(void *)*next;
    *next += count * sizeof *array;
    return array;
}

#define BAR_BYTES (sizeof(csm_time) + 10 * sizeof(double) + sizeof(uint32_t))

/* No more bars are traded than are known. */
static csm_status allocate_bars(csm_track *track) {
    const size_t traded = track->traded, known = track->known;
    track->bars = csm_realloc_array(NULL, known, BAR_BYTES + sizeof(double) + sizeof(uint32_t));
    if (!track->bars) return CSM_ENOMEM;
    csm_platform_large_pages(track->bars, known * (BAR_BYTES + sizeof(double) + sizeof(uint32_t)));
    char *next = track->bars;
    track->time = (csm_time *)(void *)next;
    next += traded * sizeof *track->time;
    double **const columns[] = {&track->open,      &track->high,      &track->low,      &track->close,
                                &track->volume,    &track->log_open,  &track->log_high, &track->log_low,
                                &track->log_close, &track->log_return};
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++) *columns[c] = cut_doubles(&next, traded);
    track->known_volume = cut_doubles(&next, known);
    track->slot = cut_counts(&next, traded);
    track->known_slot = cut_counts(&next, known);
    return CSM_OK;
}

/* First pass: checks, counts, span, and whether anything came late or is not final. */
static csm_status survey(csm_track *track, const csm_track_source *source, bool *late, bool *pending) {
    const csm_bars *bars = &source->bars;
    for (size_t i = 0; i < bars->length; i++) {
        const csm_status status = check_bar(bars, i, source->coin);
        if (status) return status;
        const uint8_t state = bar_state(bars, i);
        track->traded += state == CSM_BAR_TRADED;
        track->known += state == CSM_BAR_TRADED || state == CSM_BAR_NO_TRADE;
        *pending = *pending || state == CSM_BAR_PENDING;
        *late = *late || (source->available && source->available[i] > bars->time[i] + bars->interval);
    }
    if (bars->length == 0) return CSM_OK;
    const csm_time first = bars->time[0], last = bars->time[bars->length - 1];
    const uint64_t steps = ((uint64_t)last - (uint64_t)first) / (uint64_t)bars->interval;
    if (steps + 1 >= SPAN_LIMIT)
        return csm_fail(CSM_EINVAL, "bars of %s span %llu intervals; at most %zu are taken", source->coin,
                        (unsigned long long)steps, SPAN_LIMIT);
    track->start = first;
    track->span = (size_t)steps + 1;
    return CSM_OK;
}

static void copy_bar(csm_track *track, size_t k, uint32_t slot, const csm_bars *bars, size_t i) {
    track->slot[k] = slot;
    track->time[k] = bars->time[i];
    track->open[k] = bars->open[i];
    track->high[k] = bars->high[i];
    track->low[k] = bars->low[i];
    track->close[k] = bars->close[i];
    track->volume[k] = bars->volume[i];
}

static void take_logs(csm_track *track) {
    const size_t n = track->traded;
    csm_logs(track->log_open, track->open, n);
    csm_logs(track->log_high, track->high, n);
    csm_logs(track->log_low, track->low, n);
    csm_logs(track->log_close, track->close, n);
    if (n > 0) track->log_return[0] = (double)NAN;
    for (size_t k = 1; k < n; k++) track->log_return[k] = track->log_close[k] - track->log_close[k - 1];
}

static void copy_bars(csm_track *track, const csm_track_source *source) {
    const csm_bars *bars = &source->bars;
    size_t traded = 0, known = 0;
    for (size_t i = 0; i < bars->length; i++) {
        const uint32_t slot = (uint32_t)((bars->time[i] - track->start) / bars->interval);
        const uint8_t state = bar_state(bars, i);
        if (track->known_at && source->available[i] > track->known_at[slot])
            track->known_at[slot] = source->available[i];
        if (state == CSM_BAR_PENDING) track->pending[slot] = 1;
        if (state == CSM_BAR_TRADED) copy_bar(track, traded++, slot, bars, i);
        if (state == CSM_BAR_TRADED || state == CSM_BAR_NO_TRADE) {
            track->known_slot[known] = slot;
            track->known_volume[known++] = state == CSM_BAR_TRADED ? bars->volume[i] : 0.0;
        }
    }
    take_logs(track);
    for (size_t s = 1; track->known_at && s < track->span; s++)
        if (track->known_at[s] < track->known_at[s - 1]) track->known_at[s] = track->known_at[s - 1];
}

csm_status csm_track_build(csm_track *out, const csm_track_source *source, csm_time interval) {
    csm_track track = {.delisted = source->delisted};
    bool late = false, pending = false;
    csm_status status = CSM_OK;
    if (source->bars.length > 0 && source->bars.interval != interval) {
        status = csm_fail(CSM_EINVAL, "bars of %s have another interval than the frame", source->coin);
        goto done;
    }
    track.coin = csm_strdup(source->coin);
    status = track.coin ? survey(&track, source, &late, &pending) : CSM_ENOMEM;
    if (!status) status = allocate_bars(&track);
    if (status) goto done;
    if (late) {
        track.known_at = csm_alloc_array(track.span, sizeof *track.known_at);
        if (!track.known_at) status = CSM_ENOMEM;
        for (size_t s = 0; track.known_at && s < track.span; s++)
            track.known_at[s] = track.start + ((csm_time)s + 1) * interval;
    }
    if (pending && !status) {
        track.pending = csm_alloc_array(track.span, 1);
        if (!track.pending) status = CSM_ENOMEM;
    }
    if (!status) copy_bars(&track, source);
done:
    if (status) csm_track_free(&track);
    *out = track;
    return status;
}

/* ---- all markets -------------------------------------------------------------------------------------------------- */

static void count_slots(csm_track *track, csm_time interval, csm_time gap_limit) {
    uint32_t traded = 0, known = 0, gaps = 0, run = 0, long_gap = 0;
    for (size_t s = 0; s < track->slots; s++) {
        if (traded < track->traded && track->slot[traded] == s) traded++;
        if (known < track->known && track->known_slot[known] == s) {
            known++;
            run = 0;
        } else {
            gaps++;
            run++;
        }
        if (run > 0 && (csm_time)run > gap_limit / interval) long_gap = (uint32_t)s + 1;
        track->traded_count[s] = traded;
        track->known_count[s] = known;
        track->gap_count[s] = gaps;
        track->long_gap[s] = long_gap;
    }
}

static csm_status index_tracks(void *user, size_t begin, size_t end, uint32_t worker) {
    csm_panel *panel = user;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        csm_track *track = &panel->tracks[i];
        if (track->span == 0) continue;
        /* a row further from the last bar than the staleness limit is excluded for that alone */
        track->slots = track->span + (size_t)(panel->stale_after / panel->interval) + 1;
        track->first = (size_t)((track->start - panel->origin) / panel->interval);
        track->index = csm_realloc_array(NULL, track->slots, 4 * sizeof(uint32_t));
        if (!track->index) return CSM_ENOMEM;
        char *next = track->index;
        track->traded_count = cut_counts(&next, track->slots);
        track->known_count = cut_counts(&next, track->slots);
        track->gap_count = cut_counts(&next, track->slots);
        track->long_gap = cut_counts(&next, track->slots);
        count_slots(track, panel->interval, panel->gap_limit);
    }
    return CSM_OK;
}

/* Traded bars of `track` before panel slot g. */
static size_t bars_before(const csm_track *track, size_t g) {
    if (g <= track->first) return 0;
    const size_t s = g - track->first - 1;
    return s < track->slots ? track->traded_count[s] : track->traded;
}

double csm_track_return(const csm_panel *panel, const csm_track *track, size_t k) {
    const bool fresh = k > 0 && track->time[k] - track->time[k - 1] <= panel->interval + panel->stale_after;
    return fresh ? track->log_return[k] : (double)NAN;
}

/* True when bars of the slot were received and nobody traded in any: then no price moved. */
static bool all_idle(const csm_panel *panel, size_t g) {
    bool known = false;
    for (size_t i = 0; i < panel->count; i++) {
        const csm_track *track = &panel->tracks[i];
        if (g < track->first || g - track->first >= track->slots) continue;
        const size_t s = g - track->first;
        if (track->traded_count[s] != (s > 0 ? track->traded_count[s - 1] : 0)) return false;
        known = known || track->known_count[s] != (s > 0 ? track->known_count[s - 1] : 0);
    }
    return known;
}

/* The factor of a slot is the mean log return of the coins that traded in it, since the trade before. Markets are added
 * in the order given, so no number of threads changes a bit. */
static csm_status average_returns(void *user, size_t begin, size_t end, uint32_t worker) {
    csm_panel *panel = user;
    uint32_t count[SLOT_CHUNK] = {0};
    (void)worker;
    for (size_t g = begin; g < end; g++) panel->factor[g] = 0;
    for (size_t i = 0; i < panel->count; i++) {
        const csm_track *track = &panel->tracks[i];
        const size_t last = bars_before(track, end);
        for (size_t k = bars_before(track, begin); k < last; k++) {
            const double r = csm_track_return(panel, track, k);
            if (r != r) continue;
            const size_t g = track->first + track->slot[k];
            panel->factor[g] += r;
            count[g - begin]++;
        }
    }
    for (size_t g = begin; g < end; g++) {
        if (count[g - begin] > 0)
            panel->factor[g] /= count[g - begin];
        else
            panel->factor[g] = all_idle(panel, g) ? 0.0 : (double)NAN;
    }
    return CSM_OK;
}

static csm_status mark_late(csm_panel *panel) {
    for (size_t i = 0; i < panel->count; i++) {
        const csm_track *track = &panel->tracks[i];
        if (!track->known_at) continue;
        if (!panel->late) panel->late = csm_alloc_array(panel->slots, 1);
        if (!panel->late) return CSM_ENOMEM;
        for (size_t g = track->first; g < panel->slots; g++) {
            const size_t s = g - track->first < track->span ? g - track->first : track->span - 1;
            if (track->known_at[s] > csm_panel_decision(panel, g)) panel->late[g] = 1;
        }
    }
    return CSM_OK;
}

static csm_status place_tracks(csm_panel *panel) {
    csm_time first = CSM_TIME_MAX, last = CSM_TIME_MIN;
    panel->reference = SIZE_MAX;
    for (size_t i = 0; i < panel->count; i++) {
        const csm_track *track = &panel->tracks[i];
        if (track->span == 0) continue;
        const csm_time end = track->start + (csm_time)(track->span - 1) * panel->interval;
        if (track->start < first) first = track->start;
        if (end > last) last = end;
        if (panel->reference == SIZE_MAX && strcmp(track->coin, "BTC") == 0) panel->reference = i;
    }
    if (first == CSM_TIME_MAX) return CSM_OK;
    if (((uint64_t)last - (uint64_t)first) / (uint64_t)panel->interval >= SPAN_LIMIT)
        return csm_fail(CSM_EINVAL, "fuse: the markets span more than %zu intervals", SPAN_LIMIT);
    panel->origin = first;
    return CSM_OK;
}

csm_status csm_panel_finish(csm_panel *panel, uint32_t threads) {
    csm_status status = place_tracks(panel);
    if (!status) status = csm_parallel_for(threads, panel->count, 1, index_tracks, panel);
    if (status) return status;
    for (size_t i = 0; i < panel->count; i++) {
        const csm_track *track = &panel->tracks[i];
        if (track->first + track->slots > panel->slots) panel->slots = track->first + track->slots;
    }
    panel->factor = csm_alloc_array(panel->slots, sizeof *panel->factor);
    if (!panel->factor) return CSM_ENOMEM;
    status = csm_parallel_for(threads, panel->slots, SLOT_CHUNK, average_returns, panel);
    return status ? status : mark_late(panel);
}

/* ---- all at once ----------------------------------------------------------------------------------------------- */

static csm_status copy_values(csm_values *out, const csm_values *values) {
    const size_t n = values->length;
    out->time = csm_alloc_array(n, sizeof *out->time);
    out->available = csm_alloc_array(n, sizeof *out->available);
    out->value = csm_alloc_array(n, sizeof *out->value);
    if (!out->time || !out->available || !out->value) return CSM_ENOMEM;
    if (n > 0) {
        memcpy(out->time, values->time, n * sizeof *out->time);
        memcpy(out->available, values->available, n * sizeof *out->available);
        memcpy(out->value, values->value, n * sizeof *out->value);
    }
    out->length = n;
    return CSM_OK;
}

csm_status csm_panel_new(csm_panel **out, size_t count, const csm_fuse_options *options) {
    csm_panel *panel = csm_alloc_array(1, sizeof *panel);
    *out = NULL;
    if (!panel) return CSM_ENOMEM;
    panel->interval = options->interval;
    panel->gap_limit = options->gap_limit;
    panel->stale_after = options->stale_after;
    panel->gap_share = options->gap_share;
    panel->count = count;
    panel->reference = SIZE_MAX;
    panel->tracks = csm_alloc_array(count, sizeof *panel->tracks);
    if (!panel->tracks) {
        csm_panel_free(panel);
        return CSM_ENOMEM;
    }
    *out = panel;
    return CSM_OK;
}

typedef struct tracks_job {
    csm_panel *panel;
    const csm_track_source *sources;
} tracks_job;

static csm_status build_tracks(void *user, size_t begin, size_t end, uint32_t worker) {
    const tracks_job *job = user;
    csm_status status = CSM_OK;
    (void)worker;
    for (size_t i = begin; i < end && !status; i++)
        status = csm_track_build(&job->panel->tracks[i], &job->sources[i], job->panel->interval);
    return status;
}

csm_status csm_panel_from_arrays(csm_panel **out, uint32_t threads, const csm_track_source *sources,
                                 size_t count, const csm_values *fear_greed,
                                 const csm_fuse_options *options) {
    csm_panel *panel = NULL;
    *out = NULL;
    csm_status status = csm_panel_new(&panel, count, options);
    tracks_job job = {.panel = panel, .sources = sources};
    if (!status) status = csm_parallel_for(threads, count, 1, build_tracks, &job);
    if (!status && fear_greed) status = copy_values(&panel->fear_greed, fear_greed);
    if (!status) status = csm_panel_finish(panel, threads);
    if (status) {
        csm_panel_free(panel);
        return status;
    }
    *out = panel;
    return CSM_OK;
}
