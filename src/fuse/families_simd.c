/* SPDX-License-Identifier: MIT */
/* The columns that are summed over windows; of those that must be computed, the wanted ones. */
#include "fuse/subject.h"

#include "backend/isa.h"

#include <math.h>
#include <string.h>

#define FAMILY_COLUMNS CSM_ISA_SYMBOL(csm_family_columns)
csm_family_fn FAMILY_COLUMNS;

static csm_columns returns_of(const csm_subject *subject, double *const *s, uint32_t wanted) {
    const csm_track *track = subject->track;
    const double *restrict r = track->log_return;
    double *restrict second = s[0], *restrict third = s[1], *restrict fourth = s[2];
    const size_t n = wanted > CSM_COLUMN(CSM_RETURN_1) ? track->traded : 0;
    if (wanted < CSM_COLUMN(CSM_RETURN_3))
        for (size_t k = 0; k < n; k++) second[k] = r[k] * r[k];
    else
        for (size_t k = 0; k < n; k++) {
            const double square = r[k] * r[k], cube = square * r[k];
            second[k] = square;
            third[k] = cube;
            fourth[k] = cube * r[k];
        }
    return (csm_columns){.count = 4, .n = track->traded, .x = {r, second, third, fourth}};
}

static csm_columns traded_of(const csm_subject *subject, double *const *s, uint32_t wanted) {
    const csm_track *track = subject->track;
    double *restrict value = s[0], *restrict rising = s[1];
    if (wanted & CSM_COLUMN(CSM_TRADED_VALUE))
        for (size_t k = 0; k < track->traded; k++) value[k] = track->close[k] * track->volume[k];
    if (wanted & CSM_COLUMN(CSM_TRADED_RISING))
        for (size_t k = 0; k < track->traded; k++)
            rising[k] = track->log_return[k] > 0 ? track->volume[k] : 0.0;
    return (csm_columns){.count = 4, .n = track->traded, .x = {track->volume, value, rising, track->close}};
}

static void value_of_known(double *restrict value, const csm_track *track) {
    const double *volume = track->known_volume;
    if (track->traded == track->known) { /* no bar was idle */
        for (size_t k = 0; k < track->known; k++) value[k] = track->close[k] * volume[k];
        return;
    }
    memset(value, 0, track->known * sizeof *value);
    for (size_t k = 0, traded = 0; traded < track->traded; k++) {
        if (track->slot[traded] != track->known_slot[k]) continue;
        value[k] = track->close[traded++] * volume[k];
    }
}

static csm_columns known_of(const csm_subject *subject, double *const *s, uint32_t wanted) {
    const csm_track *track = subject->track;
    const double *volume = track->known_volume;
    double *restrict square = s[0], *restrict placed = s[1];
    if (wanted & CSM_COLUMN(CSM_KNOWN_SQUARE))
        for (size_t k = 0; k < track->known; k++) square[k] = volume[k] * volume[k];
    if (wanted & CSM_COLUMN(CSM_KNOWN_PLACED))
        for (size_t k = 0; k < track->known; k++) placed[k] = (double)(int64_t)k * volume[k];
    if (wanted & CSM_COLUMN(CSM_KNOWN_VALUE)) value_of_known(s[2], track);
    return (csm_columns){.count = 4, .n = track->known, .x = {volume, square, placed, s[2]}};
}

/* Returns of `track` over the panel's slots [first, first + slots); NaN where it did not trade. */
static void returns_by_slot(const csm_panel *panel, const csm_track *track, size_t first, size_t slots,
                            double *out) {
    for (size_t s = 0; s < slots; s++) out[s] = (double)NAN;
    const size_t traded = track->traded;
    if (traded > 0 && track->slot[traded - 1] == traded - 1) { /* it traded in every slot of its span */
        const size_t from = track->first + 1 > first ? track->first + 1 : first;
        const size_t end = track->first + traded < first + slots ? track->first + traded : first + slots;
        if (from < end)
            memcpy(out + (from - first), track->log_return + (from - track->first),
                   (end - from) * sizeof *out);
        return;
    }
    for (size_t k = 1; k < traded; k++) {
        const size_t g = track->first + track->slot[k];
        if (g >= first && g - first < slots) out[g - first] = csm_track_return(panel, track, k);
    }
}

/* s[1] holds x, s[2] is filled with y; both become 0 where not both exist, s[0] counts where they do. */
static csm_columns pairs_of(const csm_subject *subject, double *const *s) {
    const csm_track *track = subject->track;
    double *restrict count = s[0], *restrict first = s[1], *restrict second = s[2];
    double *restrict xx = s[3], *restrict yy = s[4], *restrict xy = s[5];
    returns_by_slot(subject->panel, track, track->first, track->slots, second);
    for (size_t i = 0; i < track->slots; i++) {
        const bool pair = (first[i] == first[i]) & (second[i] == second[i]);
        const double x = pair ? first[i] : 0.0, y = pair ? second[i] : 0.0;
        count[i] = pair ? 1.0 : 0.0;
        first[i] = x;
        second[i] = y;
        xx[i] = x * x;
        yy[i] = y * y;
        xy[i] = x * y;
    }
    return (csm_columns){.count = 6, .n = track->slots, .x = {count, first, second, xx, yy, xy}};
}

static csm_columns factor_pairs_of(const csm_subject *subject, double *const *s) {
    const csm_track *track = subject->track;
    if (track->slots > 0) memcpy(s[1], subject->panel->factor + track->first, track->slots * sizeof *s[1]);
    return pairs_of(subject, s);
}

static csm_columns bitcoin_pairs_of(const csm_subject *subject, double *const *s) {
    const csm_panel *panel = subject->panel;
    const csm_track *track = subject->track;
    if (panel->reference == SIZE_MAX)
        for (size_t i = 0; i < track->slots; i++) s[1][i] = (double)NAN;
    else
        returns_by_slot(panel, &panel->tracks[panel->reference], track->first, track->slots, s[1]);
    return pairs_of(subject, s);
}

csm_columns FAMILY_COLUMNS(const csm_subject *subject, csm_family family, uint32_t wanted) {
    double *const *s = subject->scratch + CSM_SCRATCH_OWN;
    switch (family) {
    case CSM_FAMILY_RETURNS:
        return returns_of(subject, s, wanted);
    case CSM_FAMILY_TRADED:
        return traded_of(subject, s, wanted);
    case CSM_FAMILY_KNOWN:
        return known_of(subject, s, wanted);
    case CSM_FAMILY_FACTOR:
        return factor_pairs_of(subject, s);
    case CSM_FAMILY_BITCOIN:
        return bitcoin_pairs_of(subject, s);
    default:
        return (csm_columns){0};
    }
}
