/* SPDX-License-Identifier: MIT */
/* The learner "lstm" trained on the emulated card, through the public options, beside the same training on the processor. */
#include "model/support.h"

#include "core/platform.h"
#include "emulator.h"

enum { WINDOW = 5, FEATURES = 3, WINDOWS = 60, LEARNT = 48, HOURS = WINDOWS + WINDOW - 1, OUTPUTS = 2 };

typedef struct market {
    float x[HOURS * FEATURES];
    double y[WINDOWS * OUTPUTS];
    double weight[WINDOWS];
    int64_t end[WINDOWS];
    csm_samples learn, check;
} market;

/* Hours of random features; the return follows feature 0 of two hours ago. */
static market *market_new(void) {
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

static csm_train_options options_of(const market *m, csm_device device) {
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

static int stop_at(void *user, const char *what, uint64_t done, uint64_t total) {
    (void)what, (void)total;
    return done >= *(const uint64_t *)user;
}

/* limit: steps after which the caller cancels; NULL: never. */
static csm_status train_lstm(csm_model **out, const market *m, const csm_train_options *options,
                             uint64_t *limit) {
    csm_context *context = context_new(1);
    if (limit) csm_context_set_progress(context, stop_at, limit);
    const csm_status status = csm_model_train(out, context, "lstm", &m->learn, options);
    csm_context_free(context);
    return status;
}

static void predict_checks(double *out, const csm_model *model, const market *m) {
    csm_matrix view = csm_matrix_f64(out, m->check.length, OUTPUTS);
    assert_ok(csm_model_predict(model, NULL, &m->check, &view));
}

static void assert_card_clean(void) {
    assert_string_equal("", emulator_failure());
    assert_int_equal(0, emulator_memory_used());
    assert_int_equal(0, emulator_objects());
}

/* Members, layers, dropout, weights, early stopping: the same draws, so the same network but for the order of sums. */
static void a_card_learns_what_the_processor_learns(void **unused) {
    (void)unused;
    market *m = market_new();
    csm_model *models[2];
    csm_model_info info[2];
    double out[2][(WINDOWS - LEARNT) * OUTPUTS], spread = 0;
    emulator_reset(NULL, EMULATOR_SHUFFLED, 5);
    for (int i = 0; i < 2; i++) {
        const csm_train_options options = options_of(m, i ? CSM_DEVICE_CUDA : CSM_DEVICE_CPU);
        assert_ok(train_lstm(&models[i], m, &options, NULL));
        assert_ok(csm_model_describe(&info[i], models[i]));
        predict_checks(out[i], models[i], m);
        csm_model_free(models[i]);
    }
    assert_true(emulator_launches() > 0);
    assert_card_clean();
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

static void a_training_cut_short_ends_with_the_same_bits(void **unused) {
    (void)unused;
    market *m = market_new();
    char *folder = support_folder_new(), *path = support_path(folder, "training.safetensors");
    double whole[(WINDOWS - LEARNT) * OUTPUTS], resumed[(WINDOWS - LEARNT) * OUTPUTS];
    csm_model *model;
    uint64_t limit = 14; /* of 3 steps an epoch and 4 epochs a member: in the second member */
    csm_train_options options = options_of(m, CSM_DEVICE_CUDA);
    emulator_reset(NULL, EMULATOR_FORWARD, 1);
    assert_ok(train_lstm(&model, m, &options, NULL));
    predict_checks(whole, model, m);
    csm_model_free(model);
    options.checkpoint = path;
    assert_fails(CSM_ECANCELLED, "", train_lstm(&model, m, &options, &limit));
    options.device = CSM_DEVICE_CPU;
    assert_fails(CSM_EINVAL, "or device", train_lstm(&model, m, &options, NULL));
    options.device = CSM_DEVICE_CUDA;
    assert_ok(train_lstm(&model, m, &options, NULL));
    predict_checks(resumed, model, m);
    csm_model_free(model);
    assert_card_clean();
    assert_memory_equal(whole, resumed, sizeof whole);
    csm_dealloc(path);
    support_folder_remove(folder);
    free(m);
}

/* Call after call of CUDA's runtime fails: an error, nothing left on the card, and never the processor instead. */
static void whatever_fails_on_the_card_is_the_callers_to_know(void **unused) {
    (void)unused;
    market *m = market_new();
    csm_parameter few[] = {{"hidden", 4}, {"epochs", 1}, {"batch", 48}};
    csm_train_options options = options_of(m, CSM_DEVICE_CUDA);
    options.parameters = few;
    options.parameter_count = 3;
    csm_status status = CSM_EDEVICE;
    for (uint64_t n = 1; status; n += n < 40 ? 1 : 7) {
        csm_model *model;
        emulator_reset(NULL, EMULATOR_FORWARD, 1);
        emulator_fail_call(n);
        status = train_lstm(&model, m, &options, NULL);
        if (status) {
            assert_null(model);
            assert_true(status == CSM_EDEVICE || status == CSM_ENOMEM);
            assert_true(csm_error_message()[0] != '\0');
        }
        csm_model_free(model);
        assert_card_clean();
    }
    const emulator_card small = {9, 0, 132, 4096, 232448, 16};
    csm_model *model;
    emulator_reset(&small, EMULATOR_FORWARD, 1);
    assert_fails(CSM_ENOMEM, "MiB", train_lstm(&model, m, &options, NULL));
    free(m);
}

static void trees_say_that_they_are_not_trained_there(void **unused) {
    (void)unused;
    market *m = market_new();
    csm_model *model;
    csm_train_options options;
    csm_context *context = NULL;
    csm_samples rows = m->learn;
    csm_model_train_options_init(&options);
    rows.x.rows = LEARNT;
    rows.y.cols = 1;
    rows.window_end = NULL;
    rows.window_length = 0;
    options.device = CSM_DEVICE_CUDA;
    assert_ok(csm_context_new(&context, NULL));
    assert_fails(CSM_EUNSUPPORTED, "CPU only", csm_model_train(&model, context, "gbt", &rows, &options));
    options.device = 2;
    assert_fails(CSM_EINVAL, "device 2", csm_model_train(&model, context, "gbt", &rows, &options));
    options.device = CSM_DEVICE_CPU;
    options.precision = 4;
    assert_fails(CSM_EINVAL, "precision 4", csm_model_train(&model, context, "gbt", &rows, &options));
    csm_context_free(context);
    free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_learns_what_the_processor_learns),
        cmocka_unit_test(a_training_cut_short_ends_with_the_same_bits),
        cmocka_unit_test(whatever_fails_on_the_card_is_the_callers_to_know),
        cmocka_unit_test(trees_say_that_they_are_not_trained_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
