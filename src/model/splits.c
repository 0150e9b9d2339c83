/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

#include <stdlib.h>

void csm_model_walk_options_init(csm_walk_options *options) {
    *options = (csm_walk_options){.size = sizeof *options,
                                  .horizon = 30 * CSM_DAY,
                                  .first_train = 52 * CSM_WEEK,
                                  .test_span = 4 * CSM_WEEK};
}

/* Spans beyond this are mistakes, and sums of a few of them stay far from overflow. */
#define SPAN_MAX (400000 * CSM_HOUR)

static csm_status check_walk(const csm_walk_options *o) {
    const csm_time spans[] = {o->horizon, o->first_train, o->test_span, o->train_span, o->validate_span};
    static const char *const names[] = {"horizon", "first_train", "test_span", "train_span", "validate_span"};
    static const csm_time minimum[] = {0, 1, 1, 0, 0};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        if (spans[i] < minimum[i] || spans[i] > SPAN_MAX)
            return csm_fail(CSM_EINVAL, "walk_forward: %s = %lld ns is outside %lld..%lld", names[i],
                            (long long)spans[i], (long long)minimum[i], (long long)SPAN_MAX);
    }
    csm_time length;
    if (o->from >= o->to || __builtin_sub_overflow(o->to, o->from, &length) ||
        o->to > CSM_TIME_MAX - 4 * SPAN_MAX || o->from < CSM_TIME_MIN + 4 * SPAN_MAX)
        return csm_fail(CSM_EINVAL, "walk_forward: from %lld to %lld is no span of time", (long long)o->from,
                        (long long)o->to);
    csm_time lost = o->horizon + (o->validate_span ? o->validate_span + o->horizon : 0);
    if (o->first_train <= lost)
        return csm_fail(CSM_EINVAL,
                        "walk_forward: first_train of %lld ns leaves no training after %lld ns of purge "
                        "and validation",
                        (long long)o->first_train, (long long)lost);
    return CSM_OK;
}

static csm_fold fold_at(const csm_walk_options *o, csm_time test_from) {
    csm_fold fold = {.test_from = test_from, .test_to = test_from + o->test_span};
    if (fold.test_to > o->to) fold.test_to = o->to;
    fold.train_to = test_from - o->horizon;
    fold.validate_from = fold.validate_to = fold.train_to;
    if (o->validate_span) {
        fold.validate_from = fold.validate_to - o->validate_span;
        fold.train_to = fold.validate_from - o->horizon;
    }
    fold.train_from = o->from;
    if (o->train_span && fold.train_to - o->train_span > o->from)
        fold.train_from = fold.train_to - o->train_span;
    return fold;
}

csm_status csm_model_walk_forward(csm_fold *folds, size_t capacity, size_t *count,
                                  const csm_walk_options *user) {
    csm_walk_options options;
    if (!count || (capacity && !folds)) return csm_fail(CSM_EINVAL, "walk_forward: count or folds is NULL");
    *count = 0;
    csm_model_walk_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_walk_options");
    if (status) return status;
    if ((status = check_walk(&options))) return status;
    csm_time tested = options.to - options.from - options.first_train;
    if (tested <= 0) return csm_fail(CSM_ENODATA, "walk_forward: nothing is left to test after first_train");
    *count = (size_t)((tested - 1) / options.test_span + 1);
    if (*count > capacity)
        return csm_fail(CSM_EINVAL, "walk_forward: %zu folds do not fit into %zu", *count, capacity);
    for (size_t k = 0; k < *count; k++)
        folds[k] = fold_at(&options, options.from + options.first_train + (csm_time)k * options.test_span);
    return CSM_OK;
}

csm_status csm_model_purge(uint8_t *keep, const csm_time *begin, const csm_time *end, size_t n, csm_time from,
                           csm_time to, csm_time limit) {
    if (n && (!keep || !begin || !end)) return csm_fail(CSM_EINVAL, "purge: keep, begin or end is NULL");
    for (size_t i = 0; i < n; i++) {
        if (end[i] < begin[i])
            return csm_fail(CSM_EINVAL, "purge: label %zu ends at %lld, before it begins at %lld", i,
                            (long long)end[i], (long long)begin[i]);
        keep[i] = begin[i] >= from && begin[i] < to && end[i] <= limit;
    }
    return CSM_OK;
}

/* A label begins or ends. */
typedef struct label_event {
    csm_time time;
    uint32_t group;
    int32_t change; /* +1 begin, -1 end */
    size_t label;
} label_event;

static int by_group_and_time(const void *a, const void *b) {
    const label_event *left = a;
    const label_event *right = b;
    if (left->group != right->group) return left->group < right->group ? -1 : 1;
    return (left->time > right->time) - (left->time < right->time);
}

/* Sweeps a coin's events: crowding is the integral of 1 / concurrency since the coin's first label; a label's
 * uniqueness is its increase over the label's life, divided by that life. */
static void sweep_labels(double *out, const label_event *events, size_t count) {
    double crowding = 0;
    int64_t concurrent = 0;
    for (size_t e = 0; e < count; e++) {
        const label_event *event = &events[e];
        if (e && event->group != events[e - 1].group)
            crowding = 0;
        else if (e && concurrent > 0)
            crowding += (double)(event->time - events[e - 1].time) / (double)concurrent;
        concurrent += event->change;
        if (event->change > 0)
            out[event->label] = crowding;
        else
            out[event->label] = crowding - out[event->label];
    }
}

csm_status csm_model_uniqueness(double *out, const csm_time *begin, const csm_time *end,
                                const uint32_t *group, size_t n) {
    if (n && (!out || !begin || !end || !group)) return csm_fail(CSM_EINVAL, "uniqueness: an array is NULL");
    for (size_t i = 0; i < n; i++) {
        csm_time life;
        if (begin[i] >= end[i] || __builtin_sub_overflow(end[i], begin[i], &life))
            return csm_fail(CSM_EINVAL, "uniqueness: label %zu runs from %lld to %lld", i,
                            (long long)begin[i], (long long)end[i]);
    }
    if (n > SIZE_MAX / 2) return csm_fail(CSM_EINVAL, "uniqueness: %zu labels", n);
    label_event *events = csm_alloc_array(2 * n, sizeof *events);
    if (!events) return CSM_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        events[2 * i] = (label_event){begin[i], group[i], 1, i};
        events[2 * i + 1] = (label_event){end[i], group[i], -1, i};
    }
    qsort(events, 2 * n, sizeof *events, by_group_and_time);
    sweep_labels(out, events, 2 * n);
    for (size_t i = 0; i < n; i++) {
        out[i] /= (double)(end[i] - begin[i]);
        if (out[i] > 1) out[i] = 1; /* rounding of the integral */
    }
    csm_dealloc(events);
    return CSM_OK;
}
