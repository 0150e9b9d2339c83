/* SPDX-License-Identifier: MIT */
#include "fuse/subject.h"

#include "fuse/rolling.h"

#include <math.h>

csm_status csm_subject_open(csm_subject *subject, const csm_panel *panel) {
    *subject = (csm_subject){.panel = panel, .longest = panel->slots};
    for (int i = 0; i < CSM_SCRATCH_COLUMNS; i++) {
        subject->scratch[i] = csm_alloc_array(subject->longest + 1, sizeof(double));
        if (!subject->scratch[i]) return CSM_ENOMEM;
    }
    subject->column = csm_alloc_array(subject->longest + 1, sizeof(double));
    return subject->column ? CSM_OK : CSM_ENOMEM;
}

void csm_subject_close(csm_subject *subject) {
    for (int i = 0; i < CSM_SCRATCH_COLUMNS; i++) csm_dealloc(subject->scratch[i]);
    for (size_t i = 0; i < subject->sums_count; i++)
        for (int c = 0; c < CSM_FAMILY_COLUMNS; c++) csm_dealloc(subject->sums[i].column[c]);
    csm_dealloc(subject->sums);
    csm_dealloc(subject->column);
    *subject = (csm_subject){0};
}

/* ---- columns of a family: written to the scratch from CSM_SCRATCH_OWN on, or taken as they are ------------------------- */

typedef struct columns {
    size_t count;
    size_t n;
    const double *x[CSM_FAMILY_COLUMNS];
} columns;

static columns returns_of(const csm_subject *subject) {
    const csm_track *track = subject->track;
    double *const *s = subject->scratch + CSM_SCRATCH_OWN;
    const double *r = track->log_return;
    for (size_t k = 0; k < track->traded; k++) {
        s[0][k] = r[k] * r[k];
        s[1][k] = s[0][k] * r[k];
        s[2][k] = s[1][k] * r[k];
    }
    return (columns){.count = 4, .n = track->traded, .x = {r, s[0], s[1], s[2]}};
}

static columns traded_of(const csm_subject *subject) {
    const csm_track *track = subject->track;
    double *const *s = subject->scratch + CSM_SCRATCH_OWN;
    for (size_t k = 0; k < track->traded; k++) {
        s[0][k] = track->close[k] * track->volume[k];
        s[1][k] = track->log_return[k] > 0 ? track->volume[k] : 0.0;
    }
    return (columns){.count = 4, .n = track->traded, .x = {track->volume, s[0], s[1], track->close}};
}

static columns known_of(const csm_subject *subject) {
    const csm_track *track = subject->track;
    const double *volume = track->known_volume;
    double *const *s = subject->scratch + CSM_SCRATCH_OWN;
    size_t traded = 0;
    for (size_t k = 0; k < track->known; k++) {
        s[0][k] = volume[k] * volume[k];
        s[1][k] = (double)k * volume[k];
        s[2][k] = 0;
        if (traded == track->traded || track->slot[traded] != track->known_slot[k]) continue;
        s[2][k] = track->close[traded] * volume[k];
        traded++;
    }
    return (columns){.count = 4, .n = track->known, .x = {volume, s[0], s[1], s[2]}};
}

/* Returns of `track` over the panel's slots [first, first + slots); NaN where it did not trade. */
static void returns_by_slot(const csm_panel *panel, const csm_track *track, size_t first, size_t slots,
                            double *out) {
    for (size_t s = 0; s < slots; s++) out[s] = (double)NAN;
    for (size_t k = 1; k < track->traded; k++) {
        const size_t g = track->first + track->slot[k];
        if (g >= first && g - first < slots) out[g - first] = csm_track_return(panel, track, k);
    }
}

/* s[1] holds x, s[2] is filled with y; both become 0 where not both exist, s[0] counts where they do. */
static columns pairs_of(const csm_subject *subject, double *const *s) {
    const csm_track *track = subject->track;
    returns_by_slot(subject->panel, track, track->first, track->slots, s[2]);
    for (size_t i = 0; i < track->slots; i++) {
        const bool pair = s[1][i] == s[1][i] && s[2][i] == s[2][i];
        const double x = pair ? s[1][i] : 0.0, y = pair ? s[2][i] : 0.0;
        s[0][i] = pair ? 1.0 : 0.0;
        s[1][i] = x;
        s[2][i] = y;
        s[3][i] = x * x;
        s[4][i] = y * y;
        s[5][i] = x * y;
    }
    return (columns){.count = 6, .n = track->slots, .x = {s[0], s[1], s[2], s[3], s[4], s[5]}};
}

static columns factor_pairs_of(const csm_subject *subject) {
    double *const *s = subject->scratch + CSM_SCRATCH_OWN;
    for (size_t i = 0; i < subject->track->slots; i++)
        s[1][i] = subject->panel->factor[subject->track->first + i];
    return pairs_of(subject, s);
}

static columns bitcoin_pairs_of(const csm_subject *subject) {
    const csm_panel *panel = subject->panel;
    const csm_track *track = subject->track;
    double *const *s = subject->scratch + CSM_SCRATCH_OWN;
    if (panel->reference == SIZE_MAX)
        for (size_t i = 0; i < track->slots; i++) s[1][i] = (double)NAN;
    else
        returns_by_slot(panel, &panel->tracks[panel->reference], track->first, track->slots, s[1]);
    return pairs_of(subject, s);
}

static columns (*const families[CSM_FAMILY_COUNT_])(const csm_subject *subject) = {
    [CSM_FAMILY_RETURNS] = returns_of,       [CSM_FAMILY_TRADED] = traded_of,
    [CSM_FAMILY_KNOWN] = known_of,           [CSM_FAMILY_FACTOR] = factor_pairs_of,
    [CSM_FAMILY_BITCOIN] = bitcoin_pairs_of,
};

/* ---- sums -------------------------------------------------------------------------------------------------------------- */

/* The entry of family and window, made when there is none. */
static csm_status find_sums(csm_sums **out, csm_subject *subject, csm_family family, size_t window) {
    for (size_t i = 0; i < subject->sums_count; i++) {
        *out = &subject->sums[i];
        if ((*out)->family == family && (*out)->window == window) return CSM_OK;
    }
    csm_sums *grown = csm_realloc_array(subject->sums, subject->sums_count + 1, sizeof *grown);
    if (!grown) return CSM_ENOMEM;
    subject->sums = grown;
    *out = &grown[subject->sums_count];
    **out = (csm_sums){.family = family, .window = window};
    subject->sums_count++;
    const bool pairs = family == CSM_FAMILY_FACTOR || family == CSM_FAMILY_BITCOIN;
    for (int c = 0; c < (pairs ? 6 : 4); c++) {
        (*out)->column[c] = csm_alloc_array(subject->longest + 1, sizeof(double));
        if (!(*out)->column[c]) return CSM_ENOMEM;
    }
    return CSM_OK;
}

csm_status csm_subject_sums(const csm_sums **out, csm_subject *subject, csm_family family, size_t window) {
    csm_sums *sums = NULL;
    const csm_status status = find_sums(&sums, subject, family, window);
    if (status) return status;
    if (sums->track != subject->track) {
        const columns c = families[family](subject);
        csm_rolling_sums(sums->column, c.x, c.count, c.n, window);
        sums->track = subject->track;
    }
    *out = sums;
    return CSM_OK;
}
