/* SPDX-License-Identifier: MIT */
/* Learners trained on a card and on the processor through the public options, for the emulated card and a real one. */
#ifndef CSM_TESTS_BACKEND_TRAINING_DEVICE_H
#define CSM_TESTS_BACKEND_TRAINING_DEVICE_H

#include "model/support.h"

enum { WINDOW = 5, FEATURES = 3, WINDOWS = 60, LEARNT = 48, HOURS = WINDOWS + WINDOW - 1, OUTPUTS = 2 };

typedef struct market {
    float x[HOURS * FEATURES];
    double y[WINDOWS * OUTPUTS];
    double weight[WINDOWS];
    int64_t end[WINDOWS];
    csm_samples learn, check;
} market;

/* Hours of random features; the return follows feature 0 of two hours ago. */
static inline market *market_new(void) {
    market *m = calloc(1, sizeof *m);
    for (size_t i = 0; i < HOURS * FEATURES; i++) m->x[i] = (float)(5 + 2 * csm_random_normal(3, 1, i));
    for (size_t i = 0; i < WINDOWS; i++) {
        const size_t last = i + WINDOW - 1;
        m->end[i] = (int64_t)last;
        m->weight[i] = 0.5 + (double)(i % 3);
        m->y[OUTPUTS * i] = 0.01 * ((double)m->x[(last - 2) * FEATURES] - 5);
        m->y[OUTPUTS * i + 1] = m->y[OUTPUTS * i] > 0;
    }
    m->learn = (csm_samples){.x = csm_matrix_f32(m->x, HOURS, FEATURES),
                             .y = csm_matrix_f64(m->y, LEARNT, OUTPUTS),
                             .weight = m->weight,
                             .window_end = m->end,
                             .window_length = WINDOW,
                             .length = LEARNT};
    m->check = m->learn;
    m->check.y = csm_matrix_f64(m->y + OUTPUTS * LEARNT, WINDOWS - LEARNT, OUTPUTS);
    m->check.weight = NULL;
    m->check.window_end = m->end + LEARNT;
    m->check.length = WINDOWS - LEARNT;
    return m;
}

static const csm_head heads[OUTPUTS] = {{CSM_OBJECTIVE_HUBER, 0, 0.05, 1}, {CSM_OBJECTIVE_LOGISTIC, 1, 0, 1}};
static const csm_parameter parameters[] = {
    {"hidden", 6}, {"layers", 2},     {"epochs", 4},  {"batch", 16},
    {"run", 5},    {"dropout", 0.25}, {"members", 2}, {"learning_rate", 0.02}};

static inline csm_train_options options_of(const market *m, csm_device device) {
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.parameters = parameters;
    options.parameter_count = sizeof parameters / sizeof *parameters;
    options.heads = heads;
    options.head_count = OUTPUTS;
    options.validation = &m->check;
    options.early_stopping_rounds = 3;
    options.device = device;
    return options;
}

static inline int stop_at(void *user, const char *what, uint64_t done, uint64_t total) {
    (void)what, (void)total;
    return done >= *(const uint64_t *)user;
}

/* limit: steps after which the caller cancels; NULL: never. */
static inline csm_status train_lstm(csm_model **out, const market *m, const csm_train_options *options,
                                    uint64_t *limit) {
    csm_context *context = context_new(1);
    if (limit) csm_context_set_progress(context, stop_at, limit);
    const csm_status status = csm_model_train(out, context, "lstm", &m->learn, options);
    csm_context_free(context);
    return status;
}

static inline void predict_checks(double *out, const csm_model *model, const market *m) {
    csm_matrix view = csm_matrix_f64(out, m->check.length, OUTPUTS);
    assert_ok(csm_model_predict(model, NULL, &m->check, &view));
}

/* Members, layers, dropout, weights, early stopping: the same draws, so the same network but for the order of sums. */
static inline void assert_card_learns_as_the_processor(void) {
    market *m = market_new();
    csm_model *models[2];
    csm_model_info info[2];
    double out[2][(WINDOWS - LEARNT) * OUTPUTS], spread = 0;
    for (int i = 0; i < 2; i++) {
        const csm_train_options options = options_of(m, i ? CSM_DEVICE_CUDA : CSM_DEVICE_CPU);
        assert_ok(train_lstm(&models[i], m, &options, NULL));
        assert_ok(csm_model_describe(&info[i], models[i]));
        predict_checks(out[i], models[i], m);
        csm_model_free(models[i]);
    }
    assert_int_equal(info[0].rounds, info[1].rounds);
    assert_true(fabs(info[0].training_loss - info[1].training_loss) < 1e-5 * fabs(info[0].training_loss));
    assert_true(fabs(info[0].validation_loss - info[1].validation_loss) <
                1e-5 * fabs(info[0].validation_loss));
    for (size_t i = 0; i < m->check.length * OUTPUTS; i++) {
        assert_true(fabs(out[0][i] - out[1][i]) < 1e-4 * (1 + fabs(out[0][i])));
        spread += fabs(out[0][i] - out[0][i % OUTPUTS]);
    }
    assert_true(spread > 0.01); /* it has learnt to tell windows apart */
    free(m);
}

/* ---- trees ---- */

static inline csm_status train_trees(csm_model **out, const dataset *set, csm_device device,
                                     const csm_parameter *values, size_t count) {
    csm_context *context = context_new(2);
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.objective = CSM_OBJECTIVE_LOGISTIC;
    options.parameters = values;
    options.parameter_count = count;
    options.device = device;
    const csm_status status = csm_model_train(out, context, "gbt", &set->samples, &options);
    csm_context_free(context);
    return status;
}

/* Bagging, columns left out, few and many bins, leaves so small that a search with counts must take over. */
static inline void assert_card_grows_the_processors_trees(void) {
    const csm_parameter cases[][6] = {
        {{"rounds", 4},
         {"leaves", 6},
         {"bins", 63},
         {"row_share", 0.7},
         {"column_share", 0.6},
         {"min_rows", 20}},
        {{"rounds", 3}, {"leaves", 9}, {"bins", 255}, {"l2", 2}, {"depth", 3}, {"min_rows", 1}},
    };
    dataset set = dataset_new(700, 7, 31, 0);
    plant_classes(&set, 32);
    for (size_t c = 0; c < COUNT(cases); c++) {
        csm_model *here, *there;
        assert_ok(train_trees(&here, &set, CSM_DEVICE_CPU, cases[c], COUNT(cases[c])));
        assert_ok(train_trees(&there, &set, CSM_DEVICE_CUDA, cases[c], COUNT(cases[c])));
        double *want = predict(here, &set), *got = predict(there, &set), importance[2][7];
        assert_memory_equal(want, got, set.rows * sizeof *want);
        assert_ok(csm_model_importance(here, importance[0], 7));
        assert_ok(csm_model_importance(there, importance[1], 7));
        assert_memory_equal(importance[0], importance[1], sizeof importance[0]);
        free(want);
        free(got);
        csm_model_free(here);
        csm_model_free(there);
    }
    dataset_free(&set);
}

#endif
