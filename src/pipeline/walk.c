/* SPDX-License-Identifier: MIT */
/* The walk forward: each test block is predicted by models that saw nothing of it, nor anything after. */
#include "pipeline/training.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDS_MOST 512

void csm_walk_free(horizon_walk *walk) {
    csm_dealloc(walk->rows);
    csm_dealloc(walk->base_rate);
    csm_dealloc(walk->evidence);
    *walk = (horizon_walk){0};
}

static void times_span(const horizon_samples *s, csm_time *from, csm_time *to) {
    *from = CSM_TIME_MAX;
    *to = CSM_TIME_MIN;
    for (size_t i = 0; i < s->length; i++) {
        if (s->begin[i] < *from) *from = s->begin[i];
        if (s->begin[i] >= *to) *to = s->begin[i] + 1;
    }
}

static csm_walk_row walk_row(const horizon_samples *s, size_t i) {
    return (csm_walk_row){.time = s->begin[i],
                          .matures = s->end[i],
                          .score = NAN,
                          .probability = NAN,
                          .lower = NAN,
                          .expected_return = NAN,
                          .low = NAN,
                          .high = NAN,
                          .log_return = s->log_return[i],
                          .cost = s->cost[i],
                          .momentum = s->momentum[i],
                          .market = s->market[i],
                          .rises = s->rises[i] > 0.5};
}

/* Appends the rows of [from, to) with what each member says. */
static csm_status predict_block(horizon_walk *walk, csm_context *context, const ensemble *e,
                                const horizon_samples *s, csm_time from, csm_time to) {
    size_t n = 0, members = e->members;
    csm_walk_row *rows = walk->rows + walk->length;
    int64_t *row = csm_alloc_array(s->length + 1, sizeof *row);
    double *score = csm_alloc_array(s->length + 1, members * sizeof *score);
    double *expected = csm_alloc_array(s->length + 1, members * sizeof *expected);
    csm_status status = row && score && expected ? CSM_OK : CSM_ENOMEM;
    for (size_t i = 0; status == CSM_OK && i < s->length; i++) {
        if (s->begin[i] < from || s->begin[i] >= to) continue;
        row[n] = s->row[i];
        rows[n++] = walk_row(s, i);
    }
    if (status == CSM_OK) status = csm_ensemble_predict(e, context, &s->frame, row, n, score, expected);
    for (size_t i = 0; status == CSM_OK && i < n; i++) {
        memcpy(rows[i].member_score, score + i * members, members * sizeof *score);
        memcpy(rows[i].member_return, expected + i * members, members * sizeof *expected);
    }
    if (status == CSM_OK) walk->length += n;
    csm_dealloc(expected);
    csm_dealloc(score);
    csm_dealloc(row);
    return status;
}

static int by_time_then_market(const void *a, const void *b) {
    const csm_walk_row *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return x->market < y->market ? -1 : x->market > y->market;
}

/* Trains before the fold's test block and predicts it. A fold that can teach nothing predicts nothing: the rows stay out of
 * the walk, and the log says so. */
static csm_status walk_fold(horizon_walk *walk, csm_context *context, const horizon_samples *samples,
                            uint8_t *keep, const csm_fold *fold, const csm_recipe *recipe,
                            const training_settings *settings, uint64_t stream) {
    ensemble e = {0};
    csm_status status = csm_model_purge(keep, samples->begin, samples->end, samples->length, fold->train_from,
                                        fold->train_to, fold->test_from);
    if (status == CSM_OK) status = csm_ensemble_train(&e, context, samples, keep, recipe, settings, stream);
    if (status == CSM_ENODATA) {
        csm_log_write(context, CSM_LOG_WARN, "pipeline", "a walk-forward fold was left out: %s",
                      csm_error_message());
        return CSM_OK;
    }
    if (status == CSM_OK) status = predict_block(walk, context, &e, samples, fold->test_from, fold->test_to);
    if (status == CSM_OK) walk->folds++;
    csm_ensemble_free(&e);
    return status;
}

static csm_status make_folds(csm_fold *folds, size_t *count, const horizon_samples *samples,
                             const horizon_settings *h, const training_settings *settings) {
    csm_walk_options options;
    csm_model_walk_options_init(&options);
    times_span(samples, &options.from, &options.to);
    options.horizon = h->horizon;
    options.first_train = h->first;
    options.test_span = settings->test_span;
    options.train_span = h->span;
    options.validate_span = 0;
    *count = 0;
    if (samples->length == 0 || options.to - options.from <= h->first) return CSM_OK;
    csm_status status = csm_model_walk_forward(folds, FOLDS_MOST, count, &options);
    return status == CSM_ENODATA ? CSM_OK
                                 : status; /* too short a history for one test block: an empty walk */
}

csm_status csm_walk_forward(horizon_walk *out, csm_context *context, const horizon_samples *samples,
                            const csm_recipe *recipe, const training_settings *settings, size_t horizon) {
    *out = (horizon_walk){.members = settings->members};
    size_t count = 0;
    csm_fold *folds = csm_alloc_array(FOLDS_MOST, sizeof *folds);
    uint8_t *keep = csm_alloc_array(samples->length + 1, sizeof *keep);
    out->rows = csm_alloc_array(samples->length + 1, sizeof *out->rows);
    out->base_rate = csm_alloc_array(samples->length + 1, sizeof *out->base_rate);
    out->evidence = csm_alloc_array(samples->length + 1, sizeof *out->evidence);
    csm_status status = folds && keep && out->rows && out->base_rate && out->evidence ? CSM_OK : CSM_ENOMEM;
    if (status == CSM_OK) status = make_folds(folds, &count, samples, &settings->horizon[horizon], settings);
    char what[64], name[32];
    snprintf(what, sizeof what, "train %s",
             csm_interval_format(settings->horizon[horizon].horizon, name, sizeof name));
    for (size_t f = 0; status == CSM_OK && f < count; f++) {
        status = csm_progress(context, what, f, count + 1);
        if (status == CSM_OK)
            status =
                walk_fold(out, context, samples, keep, &folds[f], recipe, settings, 1000 * horizon + f + 1);
    }
    if (status == CSM_OK)
        qsort(out->rows, out->length, sizeof *out->rows, by_time_then_market);
    else
        csm_walk_free(out);
    csm_dealloc(keep);
    csm_dealloc(folds);
    return status;
}
