/* SPDX-License-Identifier: MIT */
/*
 * The aligned arrays every feature is computed from. Time is cut into slots of one interval, counted from `origin`: slot
 * g is the bar opened at origin + g * interval, and its decision time is that bar's close. A track is one market (one
 * listing epoch): its bars without the holes, and by slot how many of them there are, so that any window is two look-ups.
 */
#ifndef CSM_FUSE_PANEL_H
#define CSM_FUSE_PANEL_H

#include "core/internal.h"

#include <cryptosmart/discover.h>
#include <cryptosmart/fuse.h>
#include <cryptosmart/store.h>

/* A series of single values (kind "value"): element i happened at time[i] and was known from available[i]. Ascending. */
typedef struct csm_values {
    size_t length;
    csm_time *time;
    csm_time *available;
    double *value;
} csm_values;
void csm_values_free(csm_values *values);

typedef struct csm_track {
    char *coin;
    csm_time delisted; /* CSM_TIME_MAX while listed */
    csm_time start;    /* open of the first bar received */
    size_t first;      /* its slot in the panel */
    size_t span;       /* slots from the first bar to the last, both included; 0: no bars */

    void *bars;  /* the block that holds the arrays by bar */
    void *index; /* and those by slot */

    /* bars that exist: CSM_BAR_TRADED, (traded) */
    size_t traded;
    uint32_t *slot; /* relative to `first` */
    csm_time *time; /* open */
    double *open;
    double *high;
    double *low;
    double *close;
    double *volume; /* base units */
    double *log_open;
    double *log_high;
    double *log_low;
    double *log_close;
    double *log_return; /* from the traded bar before; NaN for the first */

    /* bars of which anything is known: TRADED and NO_TRADE, (known) */
    size_t known;
    uint32_t *known_slot;
    double *known_volume; /* 0 where nobody traded */

    /* by slot relative to `first`, (slots) >= span; what follows the last bar was not received: GAP */
    size_t slots;
    uint32_t *traded_count; /* TRADED bars in slots 0 .. s */
    uint32_t *known_count;  /* TRADED and NO_TRADE bars in slots 0 .. s */
    uint32_t *gap_count;    /* GAP and PENDING in slots 0 .. s */
    uint32_t *long_gap;     /* 1 + latest slot at or before s in which a gap exceeded the limit; 0: none */
    csm_time *known_at;     /* (span) when the last of bars 0 .. s became known; NULL: each at its close */
    uint8_t *pending;       /* (span) 1: the bar is not final; NULL: all are */
} csm_track;

typedef struct csm_panel {
    csm_time interval;
    csm_time gap_limit; /* rules of csm_fuse_options */
    csm_time stale_after;
    double gap_share;
    csm_time origin; /* open of slot 0 */
    size_t slots;
    size_t count;
    csm_track *tracks; /* in the order of the caller's markets */
    size_t reference;  /* track of BTC; SIZE_MAX: none */
    uint8_t
        *late; /* (slots) 1: at that decision a bar of some market was not known yet; NULL: none was late */
    double *factor; /* (slots) market factor: mean log return of the coins that traded; NaN: not known */
    csm_values fear_greed;
} csm_panel;

/* Bars of one market as received: available may be NULL (each known at its close). */
typedef struct csm_track_source {
    const char *coin;
    csm_time delisted;
    csm_bars bars;
    const csm_time *available;
} csm_track_source;

/* Step 1: the compact arrays of one market. Bars that are not ascending, not on the interval's grid, or break their own
 * invariants are CSM_ECORRUPT with their index. */
csm_status csm_track_build(csm_track *out, const csm_track_source *source, csm_time interval);
void csm_track_free(csm_track *track);
/* Step 2, when every track is there: slots, indices, factor. */
csm_status csm_panel_finish(csm_panel *panel, uint32_t threads);
/* A panel with `count` empty tracks, to be built one by one and finished. */
csm_status csm_panel_new(csm_panel **out, size_t count, const csm_fuse_options *options);
/* All at once from arrays; fear_greed may be NULL and is copied. */
csm_status csm_panel_from_arrays(csm_panel **out, uint32_t threads, const csm_track_source *sources,
                                 size_t count, const csm_values *fear_greed, const csm_fuse_options *options);
/* All at once from the store, read once as known at options->as_of. */
csm_status csm_panel_from_store(csm_panel **out, csm_context *context, const csm_store *store,
                                const csm_market *const *markets, size_t count, bool sentiment,
                                const csm_fuse_options *options);
void csm_panel_free(csm_panel *panel);

/* Reads of the store shared with targets and the audit. */
typedef struct csm_raw_bars {
    size_t length;
    csm_time *time;
    csm_time *available;
    double *open;
    double *high;
    double *low;
    double *close;
    double *volume;
    uint8_t *state;
} csm_raw_bars;
csm_status csm_raw_bars_read(csm_raw_bars *out, csm_context *context, const csm_store *store,
                             const csm_market *market, csm_time interval, csm_time from, csm_time to,
                             csm_time as_of);
csm_bars csm_raw_bars_view(const csm_raw_bars *raw, csm_time interval);
void csm_raw_bars_free(csm_raw_bars *raw);
csm_status csm_values_read(csm_values *out, csm_context *context, const csm_store *store, const char *name,
                           csm_time as_of);

/* What a column runs over. */
typedef enum csm_sequence {
    CSM_OVER_TRADED = 0, /* bars that exist: prices, returns, indicators */
    CSM_OVER_KNOWN = 1,  /* these and the bars in which nobody traded: volumes */
    CSM_OVER_SLOTS = 2   /* time: calendar, sentiment, what compares markets */
} csm_sequence;

/* The one-bar log return of traded bar k, where it is one: the trade before is not older than stale_after. NaN otherwise. */
double csm_track_return(const csm_panel *panel, const csm_track *track, size_t k);

/* Decision time of a panel slot. */
static inline csm_time csm_panel_decision(const csm_panel *panel, size_t slot) {
    return panel->origin + ((csm_time)slot + 1) * panel->interval;
}

/* Place in the sequence of what is newest at slot s; SIZE_MAX: nothing yet. */
static inline size_t csm_track_newest(const csm_track *track, csm_sequence sequence, size_t s) {
    if (sequence == CSM_OVER_SLOTS) return s;
    const uint32_t count = sequence == CSM_OVER_TRADED ? track->traded_count[s] : track->known_count[s];
    return count > 0 ? count - 1 : SIZE_MAX;
}

/* True when every slot of the span traded: then bar k, known bar k and slot k are one, and no window in it misses anything. */
static inline bool csm_track_dense(const csm_track *track) {
    return track->traded > 0 && track->traded == track->span;
}

/* Why the market has no row at its slot s, before any feature is asked; 0: it may have one. */
static inline csm_reason csm_track_absence(const csm_panel *panel, const csm_track *track, size_t s) {
    const csm_time decision = csm_panel_decision(panel, track->first + s);
    const uint32_t traded = track->traded_count[s];
    csm_reason reasons = 0;
    if (traded == 0) {
        reasons |= CSM_REASON_MASK(NO_DATA);
    } else if (decision - (track->time[traded - 1] + panel->interval) > panel->stale_after) {
        reasons |= CSM_REASON_MASK(STALE);
    }
    if (track->delisted <= decision) reasons |= CSM_REASON_MASK(DELISTED);
    if (track->pending && s < track->span && track->pending[s]) reasons |= CSM_REASON_MASK(PENDING);
    if (track->known_at && track->known_at[s < track->span ? s : track->span - 1] > decision)
        reasons |= CSM_REASON_MASK(PENDING);
    return reasons;
}

/* End of the slots [0, end) of a dense track at which nothing can be absent; 0 where each must be looked at. */
static inline size_t csm_track_present(const csm_panel *panel, const csm_track *track) {
    if (!csm_track_dense(track) || track->pending || track->known_at) return 0;
    const bool listed = track->delisted > csm_panel_decision(panel, track->first + track->span - 1);
    return listed ? track->span : 0;
}

/* First slot of the window of `memory` elements at slot s; SIZE_MAX: there are too few. */
static inline size_t csm_track_window_start(const csm_track *track, csm_sequence sequence, size_t memory,
                                            size_t s) {
    const size_t newest = csm_track_newest(track, sequence, s);
    if (newest == SIZE_MAX || newest + 1 < memory) return SIZE_MAX;
    const size_t oldest = newest + 1 - memory;
    if (sequence == CSM_OVER_SLOTS) return oldest;
    return sequence == CSM_OVER_TRADED ? track->slot[oldest] : track->known_slot[oldest];
}

static inline uint32_t csm_track_gaps(const csm_track *track, size_t start, size_t s) {
    return track->gap_count[s] - (start > 0 ? track->gap_count[start - 1] : 0);
}

/* True when the window is there and misses nothing at all. */
static inline bool csm_track_whole(const csm_track *track, csm_sequence sequence, size_t memory, size_t s) {
    const size_t start = csm_track_window_start(track, sequence, memory, s);
    return start != SIZE_MAX && csm_track_gaps(track, start, s) == 0;
}

/* Why the last `memory` elements of the sequence at slot s make no window: too few, or too many missing among them. */
static inline csm_reason csm_track_window(const csm_panel *panel, const csm_track *track,
                                          csm_sequence sequence, size_t memory, size_t s) {
    const size_t start = csm_track_window_start(track, sequence, memory, s);
    if (start == SIZE_MAX) return CSM_REASON_MASK(HISTORY_SHORT);
    const uint32_t gaps = csm_track_gaps(track, start, s);
    if (gaps == 0) return 0;
    /* a quotient: 29 of 100 is the same double as the literal 0.29, which 0.29 x 100 is not */
    if ((double)gaps / (double)(s - start + 1) > panel->gap_share) return CSM_REASON_MASK(GAPS);
    return track->long_gap[s] > start ? CSM_REASON_MASK(GAPS) : 0;
}

#endif
