/* SPDX-License-Identifier: MIT */
/* The LSTM as a learner: what it learns, that threads and interruptions change nothing, and what it explains. */
#include "model/support.h"

#include "model/lstm/internal.h"

/* Hours of random features; window i ends at hour i + WINDOW - 1. */
enum { WINDOW = 12, FEATURES = 3, TRAINED = 1500, CHECKED = TRAINED + WINDOW, WINDOWS = CHECKED + 200 };
enum { HOURS = WINDOWS + WINDOW - 1 };

typedef struct market {
    float x[HOURS * FEATURES];
    double y[WINDOWS * 2]; /* return, rise */
    double weight[WINDOWS];
    int64_t end[WINDOWS];
    csm_samples learn, check;
} market;

/* The return follows feature 0 of 4 hours ago and the sum of feature 1 over the last 3; feature 2 is noise. */
static market *market_new(double noise) {
    market *m = calloc(1, sizeof *m);
    for (size_t i = 0; i < HOURS * FEATURES; i++) m->x[i] = (float)(5 + 2 * csm_random_normal(3, 1, i));
    for (size_t i = 0; i < WINDOWS; i++) {
        const size_t last = i + WINDOW - 1;
        double signal = m->x[(last - 4) * FEATURES] - 5.0F;
        for (size_t back = 0; back < 3; back++) signal -= 0.5 * (m->x[(last - back) * FEATURES + 1] - 5.0F);
        m->end[i] = (int64_t)last;
        m->weight[i] = 1;
        m->y[2 * i] = 0.01 * (signal + noise * csm_random_normal(3, 2, i));
        m->y[2 * i + 1] = m->y[2 * i] > 0;
    }
    m->learn = (csm_samples){.x = csm_matrix_f32(m->x, HOURS, FEATURES),
                             .y = csm_matrix_f64(m->y, TRAINED, 2),
                             .weight = m->weight,
                             .window_end = m->end,
                             .window_length = WINDOW,
                             .length = TRAINED};
    m->check = m->learn;
    m->check.y = csm_matrix_f64(m->y + 2 * CHECKED, WINDOWS - CHECKED, 2);
    m->check.window_end = m->end + CHECKED; /* purged: no hour of a training window */
    m->check.weight = NULL;
    m->check.length = WINDOWS - CHECKED;
    return m;
}

static const csm_head heads[] = {{CSM_OBJECTIVE_HUBER, 0, 0.05, 1},
                                 {CSM_OBJECTIVE_QUANTILE, 0, 0.9, 1},
                                 {CSM_OBJECTIVE_LOGISTIC, 1, 0, 1}};

static csm_train_options options_of(const csm_parameter *parameters, size_t count) {
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.parameters = parameters;
    options.parameter_count = count;
    options.heads = heads;
    options.head_count = COUNT(heads);
    return options;
}

static const csm_parameter quick[] = {
    {"hidden", 16}, {"epochs", 30}, {"batch", 50}, {"run", 5}, {"learning_rate", 0.01}};
static const csm_parameter tiny[] = {{"hidden", 5},  {"layers", 2},     {"epochs", 3}, {"batch", 64},
                                     {"members", 2}, {"dropout", 0.25}, {"run", 7},    {"layer_norm", 1}};

static csm_status train_lstm(csm_model **out, const market *m, uint32_t threads,
                             const csm_train_options *options) {
    csm_context *context = context_new(threads);
    const csm_status status = csm_model_train(out, context, "lstm", &m->learn, options);
    csm_context_free(context);
    return status;
}

/* (length, 3) raw predictions; free them. */
static double *scores_of(const csm_model *model, const csm_samples *samples) {
    const size_t outputs = describe(model).outputs;
    double *out = calloc(samples->length * outputs, sizeof *out);
    csm_matrix view = csm_matrix_f64(out, samples->length, outputs);
    assert_ok(csm_model_predict(model, NULL, samples, &view));
    return out;
}

/* ---- learning ---- */

static void three_heads_learn_return_quantile_and_direction(void **unused) {
    (void)unused;
    market *m = market_new(0.5);
    csm_train_options options = options_of(quick, COUNT(quick));
    options.validation = &m->check;
    csm_model *model;
    assert_ok(train_lstm(&model, m, 2, &options));
    const csm_model_info info = describe(model);
    assert_int_equal(info.outputs, 3);
    assert_int_equal(info.rounds, 30);
    assert_int_equal(csm_model_window_length(model), WINDOW);
    assert_true(info.training_loss > 0 && info.validation_loss > 0);
    double *score = scores_of(model, &m->check), *direction = calloc(m->check.length, sizeof *direction);
    double *rise = calloc(m->check.length, sizeof *rise), error = 0, spread = 0, below = 0;
    for (size_t i = 0; i < m->check.length; i++) {
        const double y = m->y[2 * (CHECKED + i)];
        error += (score[3 * i] - y) * (score[3 * i] - y);
        spread += y * y;
        below += y <= score[3 * i + 1];
        direction[i] = score[3 * i + 2];
        rise[i] = m->y[2 * (CHECKED + i) + 1];
    }
    assert_true(error < 0.2 * spread); /* the noise alone is a thirtieth of it */
    assert_true(below / (double)m->check.length > 0.75 && below / (double)m->check.length <= 1);
    assert_true(auc(direction, rise, m->check.length) > 0.85);
    free(score);
    free(direction);
    free(rise);
    csm_model_free(model);
    free(m);
}

static void early_stopping_keeps_the_best_epoch(void **unused) {
    (void)unused;
    market *m = market_new(20); /* hardly anything to learn */
    csm_train_options options = options_of(quick, COUNT(quick));
    options.validation = &m->check;
    options.early_stopping_rounds = 3;
    csm_model *stopped, *full;
    assert_ok(train_lstm(&stopped, m, 1, &options));
    options.early_stopping_rounds = 0;
    assert_ok(train_lstm(&full, m, 1, &options));
    assert_true(describe(stopped).rounds < describe(full).rounds);
    assert_true(describe(stopped).validation_loss < describe(full).validation_loss);
    csm_model_free(stopped);
    csm_model_free(full);
    free(m);
}

static void windows_of_weight_0_teach_nothing(void **unused) {
    (void)unused;
    market *m = market_new(0);
    csm_model *clean, *spoilt;
    csm_train_options options = options_of(tiny, COUNT(tiny));
    for (size_t i = 0; i < TRAINED; i += 3) m->weight[i] = 0;
    assert_ok(train_lstm(&clean, m, 1, &options));
    for (size_t i = 0; i < TRAINED; i += 3) {
        m->y[2 * i] = -1e3;
        m->y[2 * i + 1] = 1 - m->y[2 * i + 1];
    }
    assert_ok(train_lstm(&spoilt, m, 1, &options));
    double *one = scores_of(clean, &m->check), *other = scores_of(spoilt, &m->check);
    assert_memory_equal(one, other, m->check.length * 3 * sizeof *one);
    free(one);
    free(other);
    csm_model_free(clean);
    csm_model_free(spoilt);
    free(m);
}

/* ---- the optimiser ---- */

static void adamw_and_clipping_are_pytorchs(void **unused) {
    (void)unused;
    enum { COUNT_MAX = 32 };
    FILE *file =
        fopen(CSM_SOURCE_DIR "/tests/model/golden/lstm_adamw.txt", "r"); /* torch.optim.AdamW, double */
    assert_non_null(file);
    size_t count, steps;
    double rate, decay, clip, value;
    assert_int_equal(fscanf(file, "%zu %zu %lf %lf %lf", &count, &steps, &rate, &decay, &clip), 5);
    assert_true(count <= COUNT_MAX);
    float parameters[COUNT_MAX], grad[COUNT_MAX], first[COUNT_MAX] = {0}, second[COUNT_MAX] = {0};
    uint8_t decays[COUNT_MAX];
    lstm_optimiser optimiser = {.count = count, .first = first, .second = second, .decays = decays};
    for (size_t i = 0; i < count; i++) assert_int_equal(fscanf(file, "%hhu", &decays[i]), 1);
    for (size_t i = 0; i < count; i++) assert_int_equal(fscanf(file, "%f", &parameters[i]), 1);
    for (size_t s = 0; s < steps; s++) {
        for (size_t i = 0; i < count; i++) assert_int_equal(fscanf(file, "%f", &grad[i]), 1);
        assert_true(lstm_optimiser_step(&optimiser, parameters, grad, rate, decay, clip));
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(fscanf(file, "%lf", &value), 1);
            assert_true(fabs((double)parameters[i] - value) < 2e-6);
        }
    }
    fclose(file);
    grad[2] = NAN;
    assert_false(lstm_optimiser_step(&optimiser, parameters, grad, rate, decay, clip));
}

static void the_rate_rises_linearly_and_falls_along_a_cosine(void **unused) {
    (void)unused;
    assert_true(fabs(lstm_rate(2, 0.1, 0.01, 0, 100) - 0.2) < 1e-12); /* 1 of 10 */
    assert_true(fabs(lstm_rate(2, 0.1, 0.01, 9, 100) - 2) < 1e-12);
    assert_true(fabs(lstm_rate(2, 0.1, 0.01, 54, 100) - 2 * (0.01 + 0.99 / 2)) < 1e-12); /* half way down */
    assert_true(fabs(lstm_rate(2, 0.1, 0.01, 99, 100) - 0.02) < 1e-12);
    assert_true(lstm_rate(2, 0, 0.01, 0, 1) > 0);
}

/* ---- the same bits ---- */

static void every_number_of_threads_trains_the_same_bits(void **unused) {
    (void)unused;
    market *m = market_new(1);
    csm_train_options options = options_of(tiny, COUNT(tiny));
    csm_model *one;
    assert_ok(train_lstm(&one, m, 1, &options));
    double *want = scores_of(one, &m->check);
    for (uint32_t threads = 2; threads <= 5; threads += 3) {
        csm_model *model;
        assert_ok(train_lstm(&model, m, threads, &options));
        double *got = scores_of(model, &m->check);
        assert_memory_equal(want, got, m->check.length * 3 * sizeof *want);
        free(got);
        csm_model_free(model);
    }
    free(want);
    csm_model_free(one);
    free(m);
}

static int stop_at(void *user, const char *what, uint64_t done, uint64_t total) {
    (void)what;
    (void)total;
    return done >= *(const uint64_t *)user;
}

static void a_training_cut_anywhere_resumes_to_the_same_bits(void **unused) {
    (void)unused;
    market *m = market_new(1);
    char *folder = support_folder_new(), *path = support_path(folder, "training.safetensors");
    csm_train_options options = options_of(tiny, COUNT(tiny));
    options.validation = &m->check;
    options.early_stopping_rounds = 2;
    csm_model *whole, *resumed = NULL;
    assert_ok(train_lstm(&whole, m, 1, &options));
    options.checkpoint = path;
    csm_status status = CSM_ECANCELLED;
    uint64_t cuts = 0;
    for (uint64_t limit = 5; status == CSM_ECANCELLED; limit += 23, cuts++) { /* 24 steps an epoch */
        csm_context *context = context_new(2);
        csm_context_set_progress(context, stop_at, &limit);
        status = csm_model_train(&resumed, context, "lstm", &m->learn, &options);
        csm_context_free(context);
        assert_true(cuts < 20);
    }
    assert_ok(status);
    assert_true(cuts > 3);
    double *want = scores_of(whole, &m->check), *got = scores_of(resumed, &m->check);
    assert_memory_equal(want, got, m->check.length * 3 * sizeof *want);
    assert_true(describe(whole).training_loss == describe(resumed).training_loss);
    assert_true(describe(whole).validation_loss == describe(resumed).validation_loss);
    assert_int_equal(describe(whole).rounds, describe(resumed).rounds);
    csm_model_free(resumed);
    assert_ok(train_lstm(&resumed, m, 1, &options)); /* finished: nothing is left to do */
    m->y[0] += 1e-9;
    csm_model *other;
    assert_fails(CSM_EINVAL, "another training", train_lstm(&other, m, 1, &options));
    free(want);
    free(got);
    csm_model_free(whole);
    csm_model_free(resumed);
    csm_dealloc(path);
    support_folder_remove(folder);
    free(m);
}

/* ---- files ---- */

static void a_saved_model_predicts_the_same_and_has_pytorchs_names(void **unused) {
    (void)unused;
    market *m = market_new(1);
    char *folder = support_folder_new(), *path = support_path(folder, "lstm.safetensors");
    csm_train_options options = options_of(tiny, COUNT(tiny));
    csm_model *model, *loaded;
    csm_buffer file = {0};
    csm_tensors *tensors;
    assert_ok(train_lstm(&model, m, 1, &options));
    assert_ok(csm_model_save(model, path, NULL));
    assert_ok(csm_model_load(&loaded, path));
    double *want = scores_of(model, &m->check), *got = scores_of(loaded, &m->check);
    assert_memory_equal(want, got, m->check.length * 3 * sizeof *want);
    assert_ok(csm_file_read(&file, path, 1 << 24));
    assert_ok(csm_tensors_read(&tensors, file.data, file.length));
    const char *const names[] = {"lstm.weight_ih_l0", "lstm.weight_hh_l1", "lstm.bias_l0",
                                 "lstm1.norm_l1.weight", "lstm1.head.bias"};
    for (size_t i = 0; i < COUNT(names); i++) assert_non_null(csm_tensors_find(tensors, "", names[i]));
    const csm_tensor *weight = csm_tensors_find(tensors, "", "lstm.weight_ih_l0");
    assert_int_equal(weight->shape[0], 20);
    assert_int_equal(weight->shape[1], FEATURES);
    csm_tensors_free(tensors);
    csm_buffer_free(&file);
    free(want);
    free(got);
    csm_model_free(model);
    csm_model_free(loaded);
    csm_dealloc(path);
    support_folder_remove(folder);
    free(m);
}

/* ---- spread and explanation ---- */

static void members_and_dropout_passes_spread_and_one_network_does_not(void **unused) {
    (void)unused;
    market *m = market_new(1);
    csm_train_options options = options_of(tiny, COUNT(tiny));
    csm_model *model, *single;
    double mean[10 * 3], deviation[10 * 3], again[10 * 3];
    csm_matrix mean_view = csm_matrix_f64(mean, 10, 3), deviation_view = csm_matrix_f64(deviation, 10, 3);
    csm_matrix again_view = csm_matrix_f64(again, 10, 3);
    csm_samples few = m->check;
    few.length = 10;
    assert_ok(train_lstm(&model, m, 1, &options));
    assert_ok(csm_model_spread(model, NULL, &few, 0, &mean_view, &deviation_view));
    double *score = scores_of(model, &few);
    for (size_t i = 0; i < 30; i++) assert_true(fabs(mean[i] - score[i]) < 1e-12 && deviation[i] > 0);
    assert_ok(csm_model_spread(model, NULL, &few, 20, &mean_view, &deviation_view));
    assert_ok(csm_model_spread(model, NULL, &few, 20, &mean_view, &again_view));
    assert_memory_equal(deviation, again, sizeof again);
    assert_true(mean[0] != score[0]);
    assert_ok(
        train_lstm(&single, m, 1,
                   &(csm_train_options){.size = sizeof options, .parameters = quick, .parameter_count = 2}));
    csm_matrix two = csm_matrix_f64(mean, 10, 2), other = csm_matrix_f64(deviation, 10, 2);
    assert_ok(csm_model_spread(single, NULL, &few, 0, &two, &other));
    for (size_t i = 0; i < 20; i++) assert_true(deviation[i] == 0);
    free(score);
    csm_model_free(model);
    csm_model_free(single);
    free(m);
}

static void integrated_gradients_add_up_and_find_the_hours_that_count(void **unused) {
    (void)unused;
    market *m = market_new(0.1);
    csm_train_options options = options_of(quick, COUNT(quick));
    csm_model *model;
    assert_ok(train_lstm(&model, m, 2, &options));
    double part[WINDOW * FEATURES], by_hour[WINDOW * FEATURES] = {0}, base, error;
    csm_matrix view = csm_matrix_f64(part, WINDOW, FEATURES);
    double *score = scores_of(model, &m->check);
    for (size_t i = 0; i < 20; i++) {
        for (uint32_t output = 0; output < 3; output++) {
            assert_ok(
                csm_model_integrated_gradients(model, NULL, &m->check, i, output, 256, &view, &base, &error));
            double sum = base;
            for (size_t k = 0; k < WINDOW * FEATURES; k++) sum += part[k];
            const double size = fabs(score[3 * i + output]) + fabs(base) + 1e-3;
            assert_true(fabs(sum + error - score[3 * i + output]) <
                        1e-5 * size); /* what error says is missing */
            assert_true(fabs(error) < 2e-3 * size);
            for (size_t k = 0; k < WINDOW * FEATURES && output == 0; k++) by_hour[k] += fabs(part[k]);
        }
    }
    for (size_t k = 0; k < WINDOW * FEATURES;
         k++) /* feature 0, four hours before the end, outweighs the rest */
        if (k != (WINDOW - 5) * FEATURES) assert_true(by_hour[k] < by_hour[(WINDOW - 5) * FEATURES]);
    assert_fails(CSM_EINVAL, "output 3 of 3",
                 csm_model_integrated_gradients(model, NULL, &m->check, 0, 3, 8, &view, &base, &error));
    view.rows--;
    assert_fails(CSM_EINVAL, "12 x 3",
                 csm_model_integrated_gradients(model, NULL, &m->check, 0, 0, 8, &view, &base, &error));
    free(score);
    csm_model_free(model);
    free(m);
}

/* ---- refusals ---- */

static void heads_windows_and_values_that_cannot_be_are_refused(void **unused) {
    (void)unused;
    market *m = market_new(1);
    csm_train_options options = options_of(tiny, COUNT(tiny));
    csm_model *model;
    csm_head wrong[1] = {{CSM_OBJECTIVE_LOGISTIC, 0, 0, 1}};
    options.heads = wrong;
    options.head_count = 1;
    assert_fails(CSM_EINVAL, "is outside 0..1 (head 0", train_lstm(&model, m, 1, &options));
    wrong[0] = (csm_head){CSM_OBJECTIVE_QUANTILE, 0, 1, 1};
    assert_fails(CSM_EINVAL, "quantile 1 is outside", train_lstm(&model, m, 1, &options));
    wrong[0] = (csm_head){CSM_OBJECTIVE_SQUARED, 2, 0, 1};
    assert_fails(CSM_EINVAL, "y has no column 2", train_lstm(&model, m, 1, &options));
    wrong[0] = (csm_head){CSM_OBJECTIVE_SQUARED, 0, 0, 0};
    assert_fails(CSM_EINVAL, "weight 0", train_lstm(&model, m, 1, &options));
    options = options_of(tiny, COUNT(tiny));
    csm_context *context = context_new(1);
    csm_samples rows = m->learn;
    rows.window_end = NULL;
    assert_fails(CSM_EINVAL, "reads windows", csm_model_train(&model, context, "lstm", &rows, &options));
    rows.x.rows = rows.length = TRAINED;
    assert_fails(
        CSM_EUNSUPPORTED, "no heads",
        csm_model_train(&model, context, "linear", &rows,
                        &(csm_train_options){.size = sizeof options, .heads = heads, .head_count = 3}));
    csm_context_free(context);
    m->x[7 * FEATURES + 2] = NAN;
    assert_fails(CSM_EINVAL, "row 7, column 2", train_lstm(&model, m, 1, &options));
    m->x[7 * FEATURES + 2] = 0;
    assert_ok(train_lstm(&model, m, 1, &options));
    csm_samples shorter = m->check;
    double out[WINDOWS * 3];
    shorter.window_length = WINDOW - 1;
    csm_matrix view = csm_matrix_f64(out, shorter.length, 3);
    assert_fails(CSM_EINVAL, "trained on 12", csm_model_predict(model, NULL, &shorter, &view));
    m->x[1600 * FEATURES] = INFINITY;
    assert_fails(CSM_EINVAL, "row 1600, column 0", csm_model_predict(model, NULL, &m->check, &view));
    csm_model_free(model);
    free(m);
}

static csm_status everything(const market *m, const csm_train_options *options, csm_context *context) {
    csm_model *model;
    double part[WINDOW * FEATURES], mean[10 * 3], deviation[10 * 3], base, error;
    csm_matrix view = csm_matrix_f64(part, WINDOW, FEATURES), mean_view = csm_matrix_f64(mean, 10, 3);
    csm_matrix deviation_view = csm_matrix_f64(deviation, 10, 3);
    csm_samples few = m->learn;
    few.length = 10;
    few.y.rows = 10;
    csm_status status = csm_model_train(&model, context, "lstm", &few, options);
    if (status) return status;
    status = csm_model_save(model, options->checkpoint, NULL);
    csm_model_free(model);
    if (!status) status = csm_model_load(&model, options->checkpoint);
    if (status) return status;
    status = csm_model_spread(model, NULL, &few, 2, &mean_view, &deviation_view);
    if (!status) status = csm_model_integrated_gradients(model, NULL, &few, 0, 0, 2, &view, &base, &error);
    csm_model_free(model);
    (void)csm_file_remove(options->checkpoint);
    return status;
}

static void the_learner_survives_every_failed_allocation(void **unused) {
    (void)unused;
    market *m = market_new(1);
    char *folder = support_folder_new(), *path = support_path(folder, "training.safetensors");
    const csm_parameter one[] = {{"hidden", 4}, {"epochs", 1}, {"members", 2}};
    csm_train_options options = options_of(one, COUNT(one));
    options.checkpoint = path;
    csm_context *context = context_new(1);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status; n++) {
        (void)csm_file_remove(path);
        csm_fault_allocation(n, false);
        status = everything(m, &options, context);
        csm_fault_allocation(0, false);
        assert_true(n < 2000);
    }
    assert_ok(status);
    csm_context_free(context);
    csm_dealloc(path);
    support_folder_remove(folder);
    free(m);
}

/* Runs of 5 and one of 1, batches of 13: five runs may be touched, none of whose hours another one has. */
static void no_batch_of_shuffled_runs_has_more_hours_than_memory_is_taken_for(void **unused) {
    (void)unused;
    enum { LENGTH = 61, RUN = 5, SIZE = 13, STEPS = 24, RUNS = 13, FAR = 100 };
    int64_t end[LENGTH];
    for (size_t i = 0; i < LENGTH; i++) end[i] = (int64_t)(STEPS + i / RUN * FAR + i % RUN);
    const csm_samples samples = {.x = csm_matrix_f32(NULL, RUNS * FAR, 1),
                                 .window_end = end,
                                 .window_length = STEPS,
                                 .length = LENGTH};
    size_t bound, most = 0;
    assert_ok(lstm_hours_most(&bound, &samples, RUN, SIZE));
    for (uint64_t draw = 0; draw < 2000; draw++) {
        size_t order[RUNS], window[LENGTH], count = 0;
        for (size_t r = 0; r < RUNS; r++) order[r] = r;
        for (size_t r = RUNS; r > 1; r--) {
            const size_t other = csm_random_u64(7, draw, r) % r, taken = order[r - 1];
            order[r - 1] = order[other];
            order[other] = taken;
        }
        for (size_t r = 0; r < RUNS; r++)
            for (size_t i = order[r] * RUN; i < LENGTH && i < (order[r] + 1) * RUN; i++) window[count++] = i;
        for (size_t from = 0; from + SIZE <= LENGTH; from += SIZE) {
            bool seen[RUNS * FAR] = {false};
            size_t hours = 0;
            for (size_t i = from; i < from + SIZE; i++)
                for (size_t h = 0; h < STEPS; h++) {
                    bool *hour = &seen[(size_t)end[window[i]] - h];
                    hours += !*hour;
                    *hour = true;
                }
            if (hours > most) most = hours;
        }
    }
    assert_true(most <= bound);
    assert_true(most > 4 * (STEPS + RUN - 1)); /* so four runs' hours would have been too few */
}

static void without_a_card_nothing_is_trained_in_its_place(void **unused) {
    (void)unused;
    if (csm_backend_has_cuda()) skip();
    market *m = market_new(1);
    csm_model *model;
    csm_train_options options = options_of(tiny, COUNT(tiny));
    options.device = CSM_DEVICE_CUDA;
    assert_fails(CSM_EDEVICE, "without CUDA", train_lstm(&model, m, 1, &options));
    assert_null(model);
    free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_heads_learn_return_quantile_and_direction),
        cmocka_unit_test(early_stopping_keeps_the_best_epoch),
        cmocka_unit_test(windows_of_weight_0_teach_nothing),
        cmocka_unit_test(adamw_and_clipping_are_pytorchs),
        cmocka_unit_test(the_rate_rises_linearly_and_falls_along_a_cosine),
        cmocka_unit_test(every_number_of_threads_trains_the_same_bits),
        cmocka_unit_test(a_training_cut_anywhere_resumes_to_the_same_bits),
        cmocka_unit_test(a_saved_model_predicts_the_same_and_has_pytorchs_names),
        cmocka_unit_test(members_and_dropout_passes_spread_and_one_network_does_not),
        cmocka_unit_test(integrated_gradients_add_up_and_find_the_hours_that_count),
        cmocka_unit_test(heads_windows_and_values_that_cannot_be_are_refused),
        cmocka_unit_test(the_learner_survives_every_failed_allocation),
        cmocka_unit_test(no_batch_of_shuffled_runs_has_more_hours_than_memory_is_taken_for),
        cmocka_unit_test(without_a_card_nothing_is_trained_in_its_place),
    };
    return cmocka_run_group_tests_name("lstm learner", tests, NULL, NULL);
}
