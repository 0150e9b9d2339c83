/* SPDX-License-Identifier: MIT */
/* Calendar of the decision time, and market-wide values known at it. */
#include "fuse/formula_simd.h"

#include "core/real.h"

#include <math.h>

#define FEAR_GREED_AGE (72 * CSM_HOUR)

static csm_time decision_of(const csm_subject *subject, size_t s) {
    return csm_panel_decision(subject->panel, subject->track->first + s);
}

/* Newest value known at `time`: `next` is the first that was not known at an earlier call. Values are ascending by event
 * time, and what was published late is skipped until it is out. */
static double newest(const csm_values *values, csm_time time, size_t *next) {
    while (*next < values->length && values->time[*next] <= time) (*next)++;
    for (size_t i = *next; i > 0; i--) {
        if (time - values->time[i - 1] > FEAR_GREED_AGE) break;
        if (values->available[i - 1] <= time) return values->value[i - 1];
    }
    return (double)NAN;
}

csm_status RUN(fear_greed)(const csm_feature *feature, csm_subject *subject, double *out) {
    size_t next = 0;
    (void)feature;
    for (size_t s = 0; s < subject->track->slots; s++)
        out[s] = newest(&subject->panel->fear_greed, decision_of(subject, s), &next);
    return CSM_OK;
}

/* The value known now less the value that was known so many days ago. */
csm_status RUN(fear_greed_change)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_time days = (csm_time)feature->parameter[0] * CSM_DAY;
    const csm_values *values = &subject->panel->fear_greed;
    size_t now = 0, then = 0;
    for (size_t s = 0; s < subject->track->slots; s++) {
        const csm_time time = decision_of(subject, s);
        out[s] = newest(values, time, &now) - newest(values, time - days, &then);
    }
    return CSM_OK;
}

/* Share of the day or week that has passed. 1970-01-01 was a Thursday, weeks begin on Monday. */
static double turn_of(csm_time time, csm_time period, csm_time shift) {
    const csm_time moved = time + shift;
    return (double)(moved - csm_time_floor(moved, period)) / (double)period;
}

#define WEEK_SHIFT (3 * CSM_DAY)

csm_status RUN(hour_sine)(const csm_feature *feature, csm_subject *subject, double *out) {
    (void)feature;
    for (size_t s = 0; s < subject->track->slots; s++)
        out[s] = csm_sin_turn(turn_of(decision_of(subject, s), CSM_DAY, 0));
    return CSM_OK;
}

csm_status RUN(hour_cosine)(const csm_feature *feature, csm_subject *subject, double *out) {
    (void)feature;
    for (size_t s = 0; s < subject->track->slots; s++)
        out[s] = csm_cos_turn(turn_of(decision_of(subject, s), CSM_DAY, 0));
    return CSM_OK;
}

csm_status RUN(week_sine)(const csm_feature *feature, csm_subject *subject, double *out) {
    (void)feature;
    for (size_t s = 0; s < subject->track->slots; s++)
        out[s] = csm_sin_turn(turn_of(decision_of(subject, s), CSM_WEEK, WEEK_SHIFT));
    return CSM_OK;
}

csm_status RUN(week_cosine)(const csm_feature *feature, csm_subject *subject, double *out) {
    (void)feature;
    for (size_t s = 0; s < subject->track->slots; s++)
        out[s] = csm_cos_turn(turn_of(decision_of(subject, s), CSM_WEEK, WEEK_SHIFT));
    return CSM_OK;
}
