/* SPDX-License-Identifier: MIT */
/* Trees, LSTM and the linear baseline mixed by out-of-fold predictions, on a signal that none of them sees whole. */
#include "model/support.h"

enum { HOURS = 3200, FEATURES = 4, WINDOW = 10, FIRST = WINDOW - 1, SAMPLES = HOURS - FIRST, MEMBERS = 3 };
enum { TRAINED = 1500, MIXED = 800 }; /* samples to train on, then to mix by, then to test; WINDOW apart */

typedef struct market {
    float x[HOURS * FEATURES];
    double y[SAMPLES];
    int64_t end[SAMPLES];
} market;

/* A line in feature 0, a step in the signs of 1 and 2, and feature 3 over hours that rows do not show; noise 0.3. */
static market *market_new(void) {
    market *m = calloc(1, sizeof *m);
    for (size_t i = 0; i < HOURS * FEATURES; i++) m->x[i] = (float)csm_random_normal(8, 1, i);
    for (size_t i = 0; i < SAMPLES; i++) {
        const float *last = m->x + (FIRST + i) * FEATURES;
        double past = 0;
        for (size_t back = 2; back < 8; back++) past += (double)(last - back * FEATURES)[3];
        m->y[i] = 0.7 * (double)last[0] + (last[1] * last[2] > 0 ? 0.9 : -0.9) + 0.35 * past +
                  0.3 * csm_random_normal(8, 2, i);
        m->end[i] = (int64_t)(FIRST + i);
    }
    return m;
}

/* Samples from..to as windows, or as rows of their last hour. */
static csm_samples part(market *m, size_t from, size_t to, bool windows) {
    csm_samples samples = {.y = csm_matrix_f64(m->y + from, to - from, 1), .length = to - from};
    samples.x = windows ? csm_matrix_f32(m->x, HOURS, FEATURES)
                        : csm_matrix_f32(m->x + (FIRST + from) * FEATURES, to - from, FEATURES);
    if (windows) {
        samples.window_end = m->end + from;
        samples.window_length = WINDOW;
    }
    return samples;
}

static csm_model *train_member(market *m, const char *learner, bool windows) {
    static const csm_parameter lstm[] = {
        {"hidden", 24}, {"epochs", 30}, {"learning_rate", 0.01}, {"batch", 64}};
    static const csm_parameter gbt[] = {{"rounds", 150}, {"leaves", 15}};
    csm_context *context = context_new(2);
    csm_train_options options;
    csm_model *model;
    csm_model_train_options_init(&options);
    if (windows) {
        options.parameters = lstm;
        options.parameter_count = COUNT(lstm);
    } else if (strcmp(learner, "gbt") == 0) {
        options.parameters = gbt;
        options.parameter_count = COUNT(gbt);
    }
    const csm_samples samples = part(m, 0, TRAINED, windows);
    assert_ok(csm_model_train(&model, context, learner, &samples, &options));
    csm_context_free(context);
    return model;
}

static double mean_square(const double *score, const double *y, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (score[i] - y[i]) * (score[i] - y[i]);
    return sum / (double)n;
}

static void the_mixture_beats_each_member_where_none_sees_the_whole_signal(void **unused) {
    (void)unused;
    static const char *const learners[MEMBERS] = {"gbt", "linear", "lstm"};
    const size_t mix = TRAINED + WINDOW, test = mix + MIXED + WINDOW, tested = SAMPLES - test;
    market *m = market_new();
    double *held = calloc(MIXED * MEMBERS, sizeof *held), *score = calloc(tested * MEMBERS, sizeof *score);
    double *mixture = calloc(tested, sizeof *mixture), *alone = calloc(tested, sizeof *alone),
           weight[MEMBERS];
    for (size_t k = 0; k < MEMBERS; k++) {
        const bool windows = k == 2;
        csm_model *model = train_member(m, learners[k], windows);
        csm_matrix held_column = csm_matrix_f64(held + k, MIXED, 1),
                   column = csm_matrix_f64(score + k, tested, 1);
        held_column.row_stride = column.row_stride = MEMBERS;
        const csm_samples for_weights = part(m, mix, mix + MIXED, windows),
                          for_test = part(m, test, SAMPLES, windows);
        assert_ok(csm_model_predict(model, NULL, &for_weights, &held_column));
        assert_ok(csm_model_predict(model, NULL, &for_test, &column));
        csm_model_free(model);
    }
    const csm_matrix predictions = csm_matrix_f64(held, MIXED, MEMBERS);
    assert_ok(csm_model_stack(weight, &predictions, m->y + mix, NULL, MIXED, CSM_OBJECTIVE_SQUARED, 0.01));
    for (size_t k = 0; k < MEMBERS; k++) {
        assert_true(weight[k] >= 0);
        for (size_t i = 0; i < tested; i++) mixture[i] += weight[k] * score[i * MEMBERS + k];
    }
    const double mixed = mean_square(mixture, m->y + test, tested);
    for (size_t k = 0; k < MEMBERS; k++) {
        for (size_t i = 0; i < tested; i++) alone[i] = score[i * MEMBERS + k];
        const double single = mean_square(alone, m->y + test, tested);
        print_message("%s: weight %.3f, squared error %.3f alone, %.3f mixed\n", learners[k], weight[k],
                      single, mixed);
        assert_true(mixed < 0.95 * single);
    }
    free(held);
    free(score);
    free(mixture);
    free(alone);
    free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mixture_beats_each_member_where_none_sees_the_whole_signal),
    };
    return cmocka_run_group_tests_name("stack members", tests, NULL, NULL);
}
