/* SPDX-License-Identifier: MIT */
/* A generated panel of coins and the pipeline's own walk over it, with room for a fault. Tests alone make such data. */
#ifndef CSM_TESTS_CANARY_PANEL_H
#define CSM_TESTS_CANARY_PANEL_H

#include "../core/support.h"

#include "fuse/recipe.h"
#include "pipeline/training.h"

#include <math.h>

#define PANEL_COINS 12
#define PANEL_START ((csm_time)18628 * CSM_DAY) /* 2021-01-01 */

enum { FEATURE_SIGNAL, FEATURE_LAST, FEATURE_FIVE, FEATURE_NOISE, FEATURE_EXTRA, PANEL_FEATURES };

/* One decision a day; the label is the return of the `reach` days after it. Rows by coin, then day. */
typedef struct panel {
    size_t coins, days, reach;
    double *returns; /* (coins, days): of the day that ends with the decision */
    float *x;
    horizon_samples samples;
    csm_context *context;
    csm_recipe *recipe;
    training_settings settings;
} panel;

/* Plants a fault into a made panel, before the walk. NULL: none. */
typedef void (*panel_fault)(panel *p);

static inline double *panel_return(const panel *p, size_t coin, size_t day) {
    return &p->returns[coin * p->days + day];
}

static inline float *panel_x(const panel *p, size_t row, size_t feature) {
    return &p->x[row * PANEL_FEATURES + feature];
}

/* Five features under names of the built-in recipe: names are all that training takes from it. */
static inline csm_recipe *panel_recipe(void) {
    csm_recipe *spine = NULL, *recipe = NULL;
    assert_ok(csm_fuse_recipe(&spine, csm_fuse_recipe_name(0)));
    assert_ok(csm_recipe_new(&recipe, "canary", PANEL_FEATURES));
    for (size_t f = 0; f < PANEL_FEATURES; f++) assert_ok(csm_recipe_add(recipe, &spine->features[f]));
    assert_ok(csm_recipe_seal(recipe));
    csm_recipe_free(spine);
    return recipe;
}

static inline training_settings panel_settings(size_t reach, csm_time test_span) {
    csm_config *config = NULL;
    training_settings settings;
    assert_ok(csm_config_new(&config));
    static const char *const values[][2] = {
        {"train.horizons", "24h"}, {"train.steps", "24h"},    {"train.spans", "0s"},
        {"train.windows", "0s"},   {"train.first", "120d"},   {"train.members", "trees"},
        {"gate.horizon", "24h"},   {"gbt.rounds", "30"},      {"gbt.leaves", "7"},
        {"gbt.min_rows", "30"},    {"gbt.column_share", "1"}, {"train.bootstrap", "100"}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_ok(csm_config_set(config, values[i][0], values[i][1]));
    assert_ok(csm_training_settings(&settings, config));
    settings.horizon[0].horizon = (csm_time)reach * CSM_DAY;
    settings.test_span = test_span;
    csm_config_free(config);
    return settings;
}

static inline void panel_samples(panel *p) {
    horizon_samples *s = &p->samples;
    const size_t n = p->coins * p->days;
    s->row = csm_alloc_array(n, sizeof *s->row);
    s->rises = csm_alloc_array(n, sizeof *s->rises);
    s->log_return = csm_alloc_array(n, sizeof *s->log_return);
    s->cost = csm_alloc_array(n, sizeof *s->cost);
    s->momentum = csm_alloc_array(n, sizeof *s->momentum);
    s->begin = csm_alloc_array(n, sizeof *s->begin);
    s->end = csm_alloc_array(n, sizeof *s->end);
    s->market = csm_alloc_array(n, sizeof *s->market);
    s->frame = csm_matrix_f32(p->x, n, PANEL_FEATURES);
}

/* The labelled rows, and the features that follow from returns. */
static inline void panel_label(panel *p) {
    horizon_samples *s = &p->samples;
    s->length = 0;
    for (size_t coin = 0; coin < p->coins; coin++) {
        for (size_t day = 5; day + p->reach < p->days; day++) {
            const size_t i = s->length++, row = coin * p->days + day;
            double label = 0, five = 0;
            for (size_t k = 1; k <= p->reach; k++) label += *panel_return(p, coin, day + k);
            for (size_t k = 0; k < 5; k++) five += *panel_return(p, coin, day - k);
            *panel_x(p, row, FEATURE_LAST) = (float)*panel_return(p, coin, day);
            *panel_x(p, row, FEATURE_FIVE) = (float)five;
            s->row[i] = (int64_t)row;
            s->log_return[i] = label;
            s->rises[i] = label > 0;
            s->cost[i] = 0;
            s->momentum[i] = *panel_return(p, coin, day);
            s->begin[i] = PANEL_START + (csm_time)day * CSM_DAY;
            s->end[i] = s->begin[i] + (csm_time)p->reach * CSM_DAY;
            s->market[i] = (uint32_t)coin;
        }
    }
}

/* Returns and signal follow from seed, coin and day alone, so a shorter panel is the beginning of a longer one. The signal of a day is
 * right about the sign of the next day with probability `strength`; the rest is noise. `shared` of the variance is one market factor. */
static inline panel panel_new(uint64_t seed, size_t days, size_t reach, double strength, double shared) {
    panel p = {.coins = PANEL_COINS, .days = days, .reach = reach};
    p.returns = csm_alloc_array(p.coins * days, sizeof *p.returns);
    p.x = csm_alloc_array(p.coins * days * PANEL_FEATURES, sizeof *p.x);
    assert_non_null(p.returns);
    assert_non_null(p.x);
    assert_ok(csm_context_new(&p.context, NULL));
    for (size_t coin = 0; coin < p.coins; coin++) {
        for (size_t day = 0; day < days; day++) {
            const uint64_t own = 1000 + 10 * coin;
            const double size = sqrt(shared) * csm_random_normal(seed, 1, day) +
                                sqrt(1 - shared) * csm_random_normal(seed, own, day);
            *panel_return(&p, coin, day) = 0.04 * size;
            for (size_t f = 0; f < PANEL_FEATURES; f++)
                *panel_x(&p, coin * days + day, f) = (float)csm_random_normal(seed, own + 1 + f, day);
        }
        for (size_t day = 0; day + 1 < days; day++) {
            const bool right = csm_random_uniform(seed, 1009 + 10 * coin, day) < strength;
            const double up = *panel_return(&p, coin, day + 1) > 0 ? 1 : -1;
            if (strength > 0) *panel_x(&p, coin * days + day, FEATURE_SIGNAL) = (float)(right ? up : -up);
        }
    }
    panel_samples(&p);
    panel_label(&p);
    p.recipe = panel_recipe();
    p.settings = panel_settings(reach, 60 * CSM_DAY);
    return p;
}

static inline void panel_free(panel *p) {
    csm_samples_free(&p->samples);
    csm_recipe_free(p->recipe);
    csm_context_free(p->context);
    csm_dealloc(p->returns);
    csm_dealloc(p->x);
}

/* Changes a calibrated walk before it is judged. NULL: nothing. */
typedef void (*walk_fault)(horizon_walk *walk);

/* The pipeline's walk, its calibration and what is said of it. */
static inline horizon_result panel_walk(panel *p, panel_fault plant, walk_fault spoil) {
    horizon_result result = {.facts.horizon = p->settings.horizon[0].horizon};
    if (plant) plant(p);
    assert_ok(csm_walk_forward(&result.walk, p->context, &p->samples, p->recipe, &p->settings, 0));
    assert_ok(
        csm_walk_calibrate(&result.walk, p->context, &p->settings, result.facts.horizon, CSM_WHOLE_ENSEMBLE));
    if (spoil) spoil(&result.walk);
    assert_ok(csm_walk_weights(&result.weights, &result.walk, result.facts.horizon));
    assert_ok(csm_training_facts(&result, p->context, &p->settings));
    return result;
}

#endif
