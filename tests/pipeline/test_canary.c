/* SPDX-License-Identifier: MIT */
/* Canaries of STATISTICS that need the whole pipeline: no skill in a random walk, a planted signal found and calibrated, the same
 * answer for any number of threads, a prediction that does not see the future, a model file that is what it says. */
#include "market.h"

#include "store/catalog.h"

static void a_driftless_random_walk_issues_about_nothing(void **state) {
    (void)state;
    market *m = market_new(MARKET_COINS, random_walk, 11);
    csm_training *training = NULL;
    assert_ok(csm_pipeline_train(&training, m->pipeline, market_end()));
    const csm_horizon_training *t = csm_training_horizon(training, 0);
    assert_true(t->walk_rows > 1000);
    assert_true(t->evidence.issued <= t->walk_rows / 100);
    assert_true(t->model.rank_ic.low < 0 || t->model.rank_ic.value < 0.05);
    assert_true(t->model.brier_skill.value < 0.02);
    assert_int_not_equal(t->evidence.status, CSM_EVIDENCE_CERTIFIED);
    csm_training_free(training);
    market_free(m);
}

static void a_planted_signal_is_found_and_calibrated(void **state) {
    (void)state;
    market *m = market_new(MARKET_COINS, planted_signal, 5);
    csm_training *training = NULL;
    assert_ok(csm_pipeline_train(&training, m->pipeline, market_end()));
    const csm_horizon_training *t = csm_training_horizon(training, 0);
    assert_true(t->evidence.issued > t->walk_rows / 5);
    assert_true(t->evidence.precision > 0.80 && t->evidence.precision < 0.90);
    assert_true(t->model.ece.value < 0.06);
    assert_true(t->model.brier_skill.value > 0.3);
    assert_true(t->model.rank_ic.value > 0.4);
    assert_int_not_equal(t->evidence.status, CSM_EVIDENCE_REVOKED);
    assert_true(t->issued_return > 0 && t->issued_return_doubled_costs < t->issued_return);
    csm_training_free(training);
    market_free(m);
}

/* ---- predictions ---- */

static csm_ranking *predict(market *m, csm_time as_of) {
    csm_predict_options options;
    csm_predict_options_init(&options);
    options.as_of = as_of;
    options.backfill = 1;
    csm_ranking *ranking = NULL;
    assert_ok(csm_pipeline_predict(&ranking, m->pipeline, &options));
    return ranking;
}

static void assert_same_forecasts(const csm_ranking *a, const csm_ranking *b) {
    assert_int_equal(csm_ranking_total(a), csm_ranking_total(b));
    for (size_t i = 0; i < csm_ranking_total(a); i++) {
        const csm_forecast *x = csm_ranking_all_at(a, i), *y = csm_ranking_all_at(b, i);
        assert_string_equal(x->market, y->market);
        assert_memory_equal(x->horizons, y->horizons, sizeof x->horizons);
        assert_true(x->show == y->show && x->trade == y->trade);
    }
}

static void no_row_sees_the_future_and_no_later_model_predicts_the_past(void **state) {
    (void)state;
    market *m = market_new(4, planted_signal, 7);
    csm_time then = MARKET_START + 250 * CSM_DAY;
    csm_training *training = NULL;
    assert_ok(csm_pipeline_train(&training, m->pipeline, then));
    csm_audit audit;
    assert_ok(csm_pipeline_audit(&audit, m->pipeline, 5));
    assert_true(audit.rows > 0 && audit.different == 0);
    csm_training *later = NULL;
    csm_ranking *refused = NULL;
    csm_predict_options options;
    csm_predict_options_init(&options);
    options.as_of = then;
    assert_ok(csm_pipeline_train(&later, m->pipeline, market_end()));
    assert_fails(CSM_EINVAL, "trained on data after", csm_pipeline_predict(&refused, m->pipeline, &options));
    assert_null(refused);
    csm_training_free(later);
    csm_training_free(training);
    market_free(m);
}

static void a_workspace_without_the_future_trains_and_predicts_the_same_bits(void **state) {
    (void)state;
    csm_time then = MARKET_START + 220 * CSM_DAY;
    market *m[2] = {market_new(3, planted_signal, 9), market_new_until(3, planted_signal, 9, 220 * 24)};
    csm_training *training[2];
    csm_ranking *ranking[2];
    for (size_t i = 0; i < 2; i++) {
        assert_ok(csm_pipeline_train(&training[i], m[i]->pipeline, then));
        ranking[i] = predict(m[i], then);
    }
    assert_string_equal(csm_training_hash(training[0]), csm_training_hash(training[1]));
    assert_same_forecasts(ranking[0], ranking[1]);
    for (size_t i = 0; i < 2; i++) {
        csm_ranking_free(ranking[i]);
        csm_training_free(training[i]);
        market_free(m[i]);
    }
}

static void the_number_of_threads_changes_nothing(void **state) {
    (void)state;
    char hash[2][65];
    for (uint32_t i = 0; i < 2; i++) {
        market *m = market_new(3, planted_signal, 3);
        csm_context_options options;
        csm_context_options_init(&options);
        options.threads = i ? 3 : 1;
        csm_context *context = NULL;
        csm_pipeline_free(m->pipeline);
        assert_ok(csm_context_new(&context, &options));
        assert_ok(csm_pipeline_open(&m->pipeline, context, m->config, m->workspace, CSM_STORE_WRITE));
        csm_training *training = NULL;
        assert_ok(csm_pipeline_train(&training, m->pipeline, market_end()));
        memcpy(hash[i], csm_training_hash(training), 65);
        csm_training_free(training);
        csm_pipeline_free(m->pipeline);
        m->pipeline = NULL;
        csm_context_free(context);
        market_free(m);
    }
    assert_string_equal(hash[0], hash[1]);
}

static void a_saved_champion_predicts_the_same_bits_and_a_repeat_writes_nothing(void **state) {
    (void)state;
    market *m = market_new(4, planted_signal, 13);
    csm_training *training = NULL, *loaded = NULL;
    assert_ok(csm_pipeline_train(&training, m->pipeline, market_end()));
    csm_ranking *first = predict(m, market_end());
    csm_ledger_head before, after;
    assert_ok(csm_learn_head(&before, csm_pipeline_store(m->pipeline)));
    assert_true(before.rows == 1 + 4);
    csm_ranking *second = predict(m, market_end());
    assert_same_forecasts(first, second);
    assert_ok(csm_learn_verify(&after, m->context, csm_pipeline_store(m->pipeline)));
    assert_string_equal(before.hash, after.hash);
    assert_ok(csm_pipeline_champion(&loaded, m->pipeline));
    assert_string_equal(csm_training_hash(loaded), csm_training_hash(training));
    assert_memory_equal(csm_training_horizon(loaded, 0), csm_training_horizon(training, 0),
                        sizeof(csm_horizon_training));
    size_t rows = csm_training_horizon(loaded, 0)->walk_rows;
    assert_memory_equal(csm_training_walk(loaded, 0), csm_training_walk(training, 0),
                        rows * sizeof(csm_walk_row));
    csm_training_free(loaded);
    csm_ranking_free(second);
    csm_ranking_free(first);
    csm_training_free(training);
    market_free(m);
}

/* Law 5 and the ensemble: what each member said stands in the row, before the outcome. */
static void members_say_their_own_in_result_and_ledger(void **state) {
    (void)state;
    market *m = market_new(4, planted_signal, 5);
    csm_training *training = NULL;
    assert_ok(csm_pipeline_train(&training, m->pipeline, market_end()));
    const csm_horizon_training *t = csm_training_horizon(training, 0);
    assert_int_equal(t->members, 3);
    double sum = 0;
    for (size_t i = 0; i < t->members; i++) {
        sum += t->member[i].score_weight;
        assert_true(t->member[i].gain.low <= t->member[i].gain.value &&
                    t->member[i].gain.value <= t->member[i].gain.high);
        assert_true(isfinite(t->member[i].brier_skill.value));
    }
    assert_true(sum > 0.5);
    csm_ranking *ranking = predict(m, market_end());
    const csm_horizon_forecast *h = &csm_ranking_all_at(ranking, 0)->horizons[0];
    assert_int_equal(h->member_count, 3);
    assert_string_equal(h->members[0].name, "trees");
    assert_string_equal(h->members[1].name, "lstm");
    assert_string_equal(h->members[2].name, "linear");
    double expected = 0;
    for (size_t i = 0; i < 3; i++) expected += h->members[i].return_weight * h->members[i].expected_return;
    assert_true(expected == h->expected_return);
    csm_statement *s = NULL;
    bool found = false;
    char name[64] = "";
    double score = 0, score_weight = 0, alone = 0, weight = 0;
    assert_ok(csm_catalog_prepare(&s, csm_pipeline_store(m->pipeline),
                                  "SELECT text FROM ledger WHERE kind = 1 ORDER BY row"));
    assert_ok(csm_statement_step(s, &found));
    assert_true(found);
    assert_int_equal(sscanf(csm_statement_text(s, 0),
                            "member %63s score %lf weight %lf return %lf weight %lf", name, &score,
                            &score_weight, &alone, &weight),
                     5);
    assert_string_equal(name, "trees");
    assert_true(score == h->members[0].score && score_weight == h->members[0].score_weight);
    assert_true(alone == h->members[0].expected_return && weight == h->members[0].return_weight);
    csm_statement_close(s);
    csm_ranking_free(ranking);
    csm_training_free(training);
    market_free(m);
}

static void a_damaged_model_file_is_refused(void **state) {
    (void)state;
    market *m = market_new(2, planted_signal, 17);
    csm_training *training = NULL, *loaded = NULL;
    assert_ok(csm_pipeline_train(&training, m->pipeline, market_end()));
    char *path = csm_strformat("%s/models/%s.safetensors", m->workspace, csm_training_hash(training));
    csm_buffer file = {0};
    assert_ok(csm_file_read(&file, path, (size_t)1 << 30));
    for (size_t i = 0; i < 40; i++) {
        size_t at = (size_t)csm_random_u64(1, 2, i) % file.length;
        file.data[at] ^= 4;
        assert_ok(csm_file_write_atomic(path, file.data, file.length, 0644));
        assert_int_not_equal(csm_pipeline_champion(&loaded, m->pipeline), CSM_OK);
        assert_null(loaded);
        file.data[at] ^= 4;
    }
    assert_ok(csm_file_write_atomic(path, file.data, file.length / 2, 0644));
    assert_int_not_equal(csm_pipeline_champion(&loaded, m->pipeline), CSM_OK);
    csm_buffer_free(&file);
    csm_dealloc(path);
    csm_training_free(training);
    market_free(m);
}

static int stop_at_third(void *user, const char *what, uint64_t done, uint64_t total) {
    (void)what;
    (void)done;
    (void)total;
    return ++*(int *)user >= 3;
}

static void a_cancelled_training_leaves_the_workspace_as_it_was(void **state) {
    (void)state;
    market *m = market_new(2, random_walk, 19);
    csm_training *training = NULL;
    int calls = 0;
    csm_context_set_progress(m->context, stop_at_third, &calls);
    assert_int_equal(csm_pipeline_train(&training, m->pipeline, market_end()), CSM_ECANCELLED);
    csm_context_set_progress(m->context, NULL, NULL);
    assert_null(training);
    assert_int_equal(csm_pipeline_champion(&training, m->pipeline), CSM_ENOTFOUND);
    market_free(m);
}

static void an_empty_workspace_says_what_is_missing(void **state) {
    (void)state;
    market *m = market_new(0, random_walk, 23);
    csm_training *training = NULL;
    csm_ranking *ranking = NULL;
    assert_fails(CSM_ENODATA, "no market is registered",
                 csm_pipeline_train(&training, m->pipeline, market_end()));
    assert_fails(CSM_ENOTFOUND, "no model was trained", csm_pipeline_predict(&ranking, m->pipeline, NULL));
    market_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_say_their_own_in_result_and_ledger),
        cmocka_unit_test(a_driftless_random_walk_issues_about_nothing),
        cmocka_unit_test(a_planted_signal_is_found_and_calibrated),
        cmocka_unit_test(no_row_sees_the_future_and_no_later_model_predicts_the_past),
        cmocka_unit_test(a_workspace_without_the_future_trains_and_predicts_the_same_bits),
        cmocka_unit_test(the_number_of_threads_changes_nothing),
        cmocka_unit_test(a_saved_champion_predicts_the_same_bits_and_a_repeat_writes_nothing),
        cmocka_unit_test(a_damaged_model_file_is_refused),
        cmocka_unit_test(a_cancelled_training_leaves_the_workspace_as_it_was),
        cmocka_unit_test(an_empty_workspace_says_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
