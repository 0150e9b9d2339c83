/* SPDX-License-Identifier: MIT */
/* Generated bars for the tests of fuse: a random walk with its own volatility, no two markets alike. */
#ifndef CSM_TESTS_FUSE_SERIES_H
#define CSM_TESTS_FUSE_SERIES_H

#include "core/internal.h"
#include "core/real.h"
#include "fuse/frame.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SERIES_START (INT64_C(1609459200) * CSM_SECOND) /* 2021-01-01T00:00:00Z */

typedef struct series {
    size_t length;
    csm_time *time;
    csm_time *available;
    double *column[5]; /* open high low close volume */
    uint8_t *state;
} series;

static inline series series_new(size_t length, uint64_t stream) {
    series s = {.length = length};
    s.time = calloc(length + 1, sizeof *s.time);
    s.available = calloc(length + 1, sizeof *s.available);
    s.state = calloc(length + 1, 1);
    for (int c = 0; c < 5; c++) s.column[c] = calloc(length + 1, sizeof(double));
    double price = 100.0 * (double)(stream + 1);
    for (size_t i = 0; i < length; i++) {
        const double step = 0.01 * csm_random_normal(7, stream, 3 * i);
        const double reach = 0.004 * csm_random_uniform(7, stream, 3 * i + 1);
        s.time[i] = SERIES_START + (csm_time)i * CSM_HOUR;
        s.available[i] = s.time[i] + CSM_HOUR;
        s.column[0][i] = price;
        price *= csm_exp(step);
        s.column[3][i] = price;
        s.column[1][i] = fmax(s.column[0][i], price) * (1 + reach);
        s.column[2][i] = fmin(s.column[0][i], price) * (1 - reach);
        s.column[4][i] = 1 + 50 * csm_random_uniform(7, stream, 3 * i + 2);
    }
    return s;
}

static inline void series_free(series *s) {
    free(s->time);
    free(s->available);
    free(s->state);
    for (int c = 0; c < 5; c++) free(s->column[c]);
    *s = (series){0};
}

static inline void series_idle(series *s, size_t i, uint8_t state) {
    s->state[i] = state;
    for (int c = 0; c < 4; c++) s->column[c][i] = (double)NAN;
    s->column[4][i] = 0;
}

static inline csm_bars series_bars(const series *s) {
    return (csm_bars){.length = s->length,
                      .interval = CSM_HOUR,
                      .time = s->time,
                      .open = s->column[0],
                      .high = s->column[1],
                      .low = s->column[2],
                      .close = s->column[3],
                      .volume = s->column[4],
                      .state = s->state};
}

static inline csm_track_source series_source(const series *s, const char *coin) {
    return (csm_track_source){
        .coin = coin, .delisted = CSM_TIME_MAX, .bars = series_bars(s), .available = s->available};
}

static inline csm_context *context_of(uint32_t threads) {
    csm_context_options options;
    csm_context *context = NULL;
    csm_context_options_init(&options);
    options.threads = threads;
    assert_int_equal(csm_context_new(&context, &options), CSM_OK);
    return context;
}

/* The recipe made of the named features of spine-1; NULL-terminated. */
static inline csm_recipe *recipe_of(const char *const *names) {
    csm_recipe *whole = NULL, *recipe = NULL;
    if (csm_fuse_recipe(&whole, "spine-1")) fail_msg("%s", csm_error_message());
    assert_int_equal(csm_recipe_new(&recipe, "test", whole->count), CSM_OK);
    for (; *names; names++) {
        size_t f = 0;
        while (f < whole->count && strcmp(whole->features[f].name, *names) != 0) f++;
        assert_true(f < whole->count);
        assert_int_equal(csm_recipe_add(recipe, &whole->features[f]), CSM_OK);
    }
    assert_int_equal(csm_recipe_seal(recipe), CSM_OK);
    csm_recipe_free(whole);
    return recipe;
}

static inline csm_frame *frame_of(const csm_track_source *sources, size_t count, const csm_values *values,
                                  const csm_recipe *recipe, const csm_fuse_options *options,
                                  uint32_t threads) {
    csm_context *context = context_of(threads);
    csm_fuse_options o;
    csm_panel *panel = NULL;
    csm_frame *frame = NULL;
    assert_int_equal(csm_fuse_options_check(&o, options), CSM_OK);
    assert_int_equal(csm_panel_from_arrays(&panel, threads, sources, count, values, &o), CSM_OK);
    if (csm_frame_from_panel(&frame, context, panel, recipe, &o)) fail_msg("%s", csm_error_message());
    csm_panel_free(panel);
    csm_context_free(context);
    return frame;
}

#endif
