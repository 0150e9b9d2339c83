/* SPDX-License-Identifier: MIT */
/* Training with tuned parameters: every trial in the register, nothing of the walk's tests used, resumable after a kill. */
#include "market.h"

#include "model/internal.h"
#include "pipeline/tune.h"
#include "store/catalog.h"

#define TRIALS 5
#define SEARCHED 2 /* members with something to search: trees, linear */

/* Opens the pipeline again with members that are quick to train and so many trials. */
static void reopen(market *m, const char *trials) {
    csm_pipeline_free(m->pipeline);
    assert_ok(csm_config_set(m->config, "train.members", "trees,linear"));
    assert_ok(csm_config_set(m->config, "train.tune", trials));
    assert_ok(csm_pipeline_open(&m->pipeline, m->context, m->config, m->workspace, CSM_STORE_WRITE));
}

static market *tuned_market(void) {
    market *m = market_new(3, planted_signal, 17);
    assert_ok(csm_config_set(m->config, "train.tune_folds", "2"));
    reopen(m, "5");
    return m;
}

static int64_t number(const market *m, const char *sql) {
    csm_statement *s = NULL;
    bool row = false;
    assert_ok(csm_catalog_prepare(&s, csm_pipeline_store(m->pipeline), sql));
    assert_ok(csm_statement_step(s, &row));
    assert_true(row);
    const int64_t value = csm_statement_i64(s, 0);
    csm_statement_close(s);
    return value;
}

static size_t states_left(const market *m) {
    char *path = support_path(m->workspace, "tune"), **names = NULL;
    size_t count = 0;
    if (csm_folder_exists(path)) {
        assert_ok(csm_folder_list(&names, &count, path));
        csm_folder_list_free(names, count);
    }
    csm_dealloc(path);
    return count;
}

static csm_training *train_market(market *m) {
    csm_training *training = NULL;
    assert_ok(csm_pipeline_train(&training, m->pipeline, market_end()));
    return training;
}

static void every_trial_is_registered_and_the_models_have_the_best_ones_parameters(void **state) {
    (void)state;
    market *m = tuned_market();
    csm_training *training = train_market(m), *loaded = NULL;
    csm_pipeline_status status;
    assert_int_equal(csm_training_horizon(training, 0)->trials, SEARCHED * TRIALS);
    assert_ok(csm_pipeline_status_report(&status, m->pipeline));
    assert_true(status.trials == SEARCHED * TRIALS + 1); /* the training is one too */
    assert_true(number(m, "SELECT count(DISTINCT number) FROM trials WHERE subject = 'trees'") == TRIALS);
    assert_true(number(m, "SELECT count(*) FROM trials WHERE subject = 'linear' AND loss IS NULL") == 0);
    assert_true(number(m, "SELECT max(steps) FROM trials WHERE subject <> 'training'") == 2);
    assert_true(states_left(m) == 0); /* the result is saved: the search's state has gone */
    assert_ok(csm_pipeline_champion(&loaded, m->pipeline));
    assert_int_equal(csm_training_horizon(loaded, 0)->trials, SEARCHED * TRIALS);
    size_t compared = 0;
    csm_parameter parameter;
    for (size_t p = 0; csm_training_parameter(&parameter, loaded, 0, 0, p) == CSM_OK; p++) {
        char *sql =
            csm_strformat("SELECT CAST(1e12 * json_extract(parameters, '$.%s') AS INTEGER) FROM trials "
                          "WHERE subject = 'trees' ORDER BY steps DESC, loss, number LIMIT 1",
                          parameter.name);
        const int64_t best = number(m, sql);
        csm_dealloc(sql);
        if (best == 0) continue; /* not searched */
        assert_true(best == (int64_t)(1e12 * parameter.value));
        compared++;
    }
    assert_int_equal(compared, 6);
    assert_fails(CSM_EINVAL, "no member 9", csm_training_parameter(&parameter, loaded, 0, 9, 0));
    csm_training_free(loaded);
    csm_training_free(training);
    market_free(m);
}

static void a_training_counts_once_for_each_setting_however_often_it_is_repeated(void **state) {
    (void)state;
    market *m = market_new(2, planted_signal, 17);
    reopen(m, "0");
    csm_training *training = NULL;
    csm_training_free(train_market(m));
    csm_training_free(train_market(m));
    assert_ok(csm_pipeline_train(&training, m->pipeline, market_end() - 70 * CSM_DAY)); /* one fold less */
    csm_training_free(training);
    int64_t count = 0;
    assert_ok(csm_learn_trials(&count, csm_pipeline_store(m->pipeline), 0));
    assert_true(count == 1);
    assert_ok(csm_config_set(m->config, "run.threads", "1")); /* decides nothing */
    reopen(m, "0");
    csm_training_free(train_market(m));
    assert_ok(csm_learn_trials(&count, csm_pipeline_store(m->pipeline), 0));
    assert_true(count == 1);
    assert_ok(csm_config_set(m->config, "gbt.leaves", "5"));
    reopen(m, "0");
    csm_training_free(train_market(m));
    assert_ok(csm_learn_trials(&count, csm_pipeline_store(m->pipeline), CSM_DAY));
    assert_true(count == 2);
    assert_true(
        number(m, "SELECT json_extract(parameters, '$.\"gbt.leaves\"') FROM trials ORDER BY row DESC") == 5);
    market_free(m);
}

/* The bars after the first test's beginning are another world; what is tried and how it does must not notice. */
static double break_from;

static void broken_later(double *returns, uint32_t coin, uint64_t seed) {
    planted_signal(returns, coin, seed);
    for (size_t i = (size_t)break_from; i < MARKET_HOURS; i++) returns[i] = -0.7 * returns[i] + 0.0001;
}

static void nothing_of_the_walks_tests_touches_the_search(void **state) {
    (void)state;
    break_from = 1e9;
    market *whole = market_new(3, broken_later, 17);
    csm_time first_decision = CSM_TIME_MAX;
    reopen(whole, "0");
    csm_training *untuned = train_market(whole);
    for (size_t i = 0; i < csm_training_horizon(untuned, 0)->walk_rows; i++) {
        if (csm_training_walk(untuned, 0)[i].time < first_decision)
            first_decision = csm_training_walk(untuned, 0)[i].time;
    }
    csm_training_free(untuned);
    market_free(whole);
    break_from = (double)((first_decision - MARKET_START) / CSM_HOUR);
    assert_true(break_from > 24 * 100 && break_from < 24 * 300);

    /* Never, from the first test on, and from two days before it. */
    const double breaks[3] = {1e9, break_from, break_from - 48};
    char text[3][8192] = {"", "", ""};
    for (size_t i = 0; i < 3; i++) {
        break_from = breaks[i];
        market *m = market_new(3, broken_later, 17);
        reopen(m, "5");
        csm_training_free(train_market(m));
        csm_statement *s = NULL;
        bool row = false;
        assert_ok(csm_catalog_prepare(&s, csm_pipeline_store(m->pipeline),
                                      "SELECT group_concat(search || number || steps || parameters || "
                                      "printf('%!.17g', loss), '\n') FROM (SELECT * FROM trials "
                                      "WHERE subject <> 'training' ORDER BY row)"));
        assert_ok(csm_statement_step(s, &row));
        snprintf(text[i], sizeof text[i], "%s", csm_statement_text(s, 0));
        csm_statement_close(s);
        market_free(m);
    }
    assert_true(strlen(text[0]) > 500);
    assert_string_equal(text[0], text[1]);
    assert_string_not_equal(text[0], text[2]);
}

/* ---- kill and go on ---- */

static int cancel_at(void *user, const char *what, uint64_t done, uint64_t total) {
    size_t *left = user;
    (void)done;
    (void)total;
    if (strcmp(what, "tune") != 0 || *left == 0) return 0;
    return --*left == 0;
}

static void a_search_cancelled_at_any_step_goes_on_and_registers_nothing_twice(void **state) {
    (void)state;
    market *m = tuned_market();
    csm_training *whole = train_market(m);
    char hash[65];
    snprintf(hash, sizeof hash, "%s", csm_training_hash(whole));
    const int64_t rows = number(m, "SELECT count(*) FROM trials");
    csm_training_free(whole);
    market_free(m);

    m = tuned_market();
    csm_training *training = NULL;
    csm_status status = CSM_ECANCELLED;
    size_t cancels = 0;
    while (status == CSM_ECANCELLED) {
        size_t left = 4;
        csm_context_set_progress(m->context, cancel_at, &left);
        status = csm_pipeline_train(&training, m->pipeline, market_end());
        csm_context_set_progress(m->context, NULL, NULL);
        if (status == CSM_OK) break;
        assert_int_equal(status, CSM_ECANCELLED);
        assert_true(++cancels < 50 && states_left(m) > 0);
    }
    assert_ok(status);
    assert_true(cancels > 2);
    assert_string_equal(csm_training_hash(training), hash);
    assert_true(number(m, "SELECT count(*) FROM trials") == rows);
    csm_training_free(training);
    market_free(m);
}

static void the_state_of_another_search_gives_way_and_a_damaged_one_is_told(void **state) {
    (void)state;
    market *m = tuned_market();
    char *folder = support_path(m->workspace, "tune"), *path = support_path(folder, "1d-trees.safetensors");
    const csm_learner_parameter axis = {"leaves", "", 2, 8, 4, 1, 1};
    csm_tuner *other = NULL;
    assert_ok(csm_folder_make(folder));
    assert_ok(csm_tuner_new(&other, &axis, 1, NULL));
    assert_ok(csm_tuner_save(other, path));
    csm_tuner_free(other);
    csm_training_free(train_market(m));
    assert_true(states_left(m) == 0);
    assert_ok(csm_file_write_atomic(path, "damaged", 7, 0644));
    csm_training *training = NULL;
    assert_fails(CSM_EPARSE, "1d-trees.safetensors",
                 csm_pipeline_train(&training, m->pipeline, market_end()));
    csm_dealloc(path);
    csm_dealloc(folder);
    market_free(m);
}

/* ---- a member that reads windows ---- */

static void an_lstm_is_tuned_with_both_its_heads(void **state) {
    (void)state;
    market *m = market_new(2, planted_signal, 17);
    static const char *const values[][2] = {{"train.tune", "3"},       {"train.tune_folds", "2"},
                                            {"train.members", "lstm"}, {"lstm.window", "6"},
                                            {"lstm.hidden", "8"},      {"lstm.epochs", "1"}};
    csm_pipeline_free(m->pipeline);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_ok(csm_config_set(m->config, values[i][0], values[i][1]));
    assert_ok(csm_pipeline_open(&m->pipeline, m->context, m->config, m->workspace, CSM_STORE_WRITE));
    csm_training *training = train_market(m);
    assert_int_equal(csm_training_horizon(training, 0)->trials, 3);
    assert_true(number(m, "SELECT count(DISTINCT number) FROM trials WHERE subject = 'lstm' AND loss > 0") ==
                3);
    assert_true(number(m, "SELECT count(DISTINCT json_extract(parameters, '$.learning_rate')) FROM trials") ==
                3);
    csm_training_free(training);
    market_free(m);
}

static void the_device_of_a_member_is_the_configured_one(void **state) {
    (void)state;
    market *m = market_new(2, planted_signal, 17);
    csm_training *training = NULL;
    static const char *const values[][4] = {
        {"gbt.device", "gpu", "gbt.device: 'gpu'", "cpu"},
        {"lstm.device", "tpu", "lstm.device: 'tpu'", "cpu"},
        {"lstm.precision", "fp64", "lstm.precision: 'fp64'", "fp32"},
    };
    assert_ok(csm_config_set(m->config, "train.members", "trees,lstm"));
    csm_pipeline_free(m->pipeline);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_ok(csm_config_set(m->config, values[i][0], values[i][1]));
        assert_fails(CSM_EINVAL, values[i][2],
                     csm_pipeline_open(&m->pipeline, m->context, m->config, m->workspace, CSM_STORE_WRITE));
        assert_ok(csm_config_set(m->config, values[i][0], values[i][3]));
    }
    assert_ok(csm_config_set(m->config, "lstm.device", "cuda"));
    assert_ok(csm_pipeline_open(&m->pipeline, m->context, m->config, m->workspace, CSM_STORE_WRITE));
    if (!csm_backend_has_cuda())
        assert_fails(CSM_EDEVICE, "without CUDA", csm_pipeline_train(&training, m->pipeline, market_end()));
    market_free(m);
}

/* ---- where there is nothing to tune on ---- */

static void count_warnings(void *user, csm_log_level level, const char *module, const char *text) {
    (void)module;
    if (level == CSM_LOG_WARN && strstr(text, "stay as configured")) ++*(size_t *)user;
}

static void data_too_short_for_folds_keeps_the_configured_parameters(void **state) {
    (void)state;
    market *m = market_new(3, planted_signal, 17);
    size_t warnings = 0;
    assert_ok(csm_config_set(m->config, "train.first", "36h")); /* half of it is shorter than the horizon */
    assert_ok(csm_config_set(m->config, "train.test_span", "200d"));
    reopen(m, "5");
    csm_context_set_log(m->context, count_warnings, &warnings);
    csm_training *training = train_market(m);
    assert_int_equal(csm_training_horizon(training, 0)->trials, 0);
    assert_int_equal(warnings, 1);
    csm_parameter parameter;
    for (size_t p = 0; csm_training_parameter(&parameter, training, 0, 0, p) == CSM_OK; p++) {
        if (strcmp(parameter.name, "leaves") == 0) assert_true(parameter.value == 7);
    }
    assert_true(number(m, "SELECT count(*) FROM trials WHERE subject <> 'training'") == 0);
    csm_training_free(training);
    market_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_trial_is_registered_and_the_models_have_the_best_ones_parameters),
        cmocka_unit_test(a_training_counts_once_for_each_setting_however_often_it_is_repeated),
        cmocka_unit_test(nothing_of_the_walks_tests_touches_the_search),
        cmocka_unit_test(a_search_cancelled_at_any_step_goes_on_and_registers_nothing_twice),
        cmocka_unit_test(the_state_of_another_search_gives_way_and_a_damaged_one_is_told),
        cmocka_unit_test(an_lstm_is_tuned_with_both_its_heads),
        cmocka_unit_test(the_device_of_a_member_is_the_configured_one),
        cmocka_unit_test(data_too_short_for_folds_keeps_the_configured_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
