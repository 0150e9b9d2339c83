/* SPDX-License-Identifier: MIT */
/* A source that the workspace does not hold takes its group out of the recipe, for all coins alike and by name; what is left
 * gives rows, a model and predictions. */
#include "market.h"

#define COINS 3
#define SENTIMENT_DAYS MARKET_DAYS
#define FEATURES 122u /* of spine-1 */
#define SENTIMENT_FEATURES 4u
#define BITCOIN_FEATURES 6u

/* One value a day, known at its time; the 72 days before the bars serve the longest change. */
static void add_sentiment(market *m) {
    csm_table *table = NULL;
    assert_ok(csm_table_new(&table, "value"));
    for (int64_t day = -72; day < SENTIMENT_DAYS; day++) {
        const csm_time time = MARKET_START + day * CSM_DAY;
        csm_decimal cells[3];
        cells[csm_table_column_find(table, "time")] = (csm_decimal){time, 0, 0};
        cells[csm_table_column_find(table, "available")] = (csm_decimal){time, 0, 0};
        cells[csm_table_column_find(table, "value")] = (csm_decimal){50 + day % 7, 0, 0};
        assert_ok(csm_table_append(table, cells));
    }
    const csm_stream stream = {
        .kind = "value", .venue = "test", .symbol = "fear_greed", .interval = CSM_DAY, .epoch = 1};
    const csm_provenance provenance = {"test", "generated for a test", "", csm_context_now(m->context)};
    assert_ok(csm_store_append(csm_pipeline_store(m->pipeline), m->context, &stream, table, &provenance));
    csm_table_free(table);
}

static market *market_of(bool bitcoin, bool sentiment) {
    const uint32_t first = bitcoin ? 0 : 1;
    market *m = market_new_between(first, first + COINS, planted_signal, 31, MARKET_HOURS);
    if (sentiment) add_sentiment(m);
    return m;
}

/* No decision of the second half of the data lacks a source. */
static void check_frame(market *m, const char *name, size_t features) {
    const csm_time from = MARKET_START + MARKET_DAYS / 2 * CSM_DAY;
    csm_frame *frame = NULL;
    assert_ok(csm_pipeline_fuse(&frame, m->pipeline, from, market_end() + 1, market_end()));
    assert_string_equal(csm_recipe_name(csm_frame_recipe(frame)), name);
    assert_int_equal(csm_frame_matrix(frame).cols, features);
    assert_int_equal(csm_frame_rows(frame), COINS * (MARKET_DAYS / 2 * 24 + 1));
    assert_int_equal(csm_frame_excluded_count(frame), 0);
    csm_frame_free(frame);
}

static void check_market(bool bitcoin, bool sentiment, const char *name) {
    market *m = market_of(bitcoin, sentiment);
    const size_t features =
        FEATURES - (bitcoin ? 0u : BITCOIN_FEATURES) - (sentiment ? 0u : SENTIMENT_FEATURES);
    csm_pipeline_status before;
    csm_training *training = NULL;
    csm_ranking *ranking = NULL;
    csm_predict_options options;
    csm_predict_options_init(&options);
    options.as_of = market_end();
    options.backfill = 1;
    assert_ok(csm_pipeline_status_report(&before, m->pipeline));
    assert_string_equal(before.recipe, name);
    check_frame(m, name, features);
    assert_ok(csm_pipeline_train(&training, m->pipeline, market_end()));
    assert_string_equal(csm_training_recipe(training), name);
    assert_int_equal(csm_training_features(training), features);
    assert_true(csm_training_horizon(training, 0)->walk_rows > 100);
    assert_ok(csm_pipeline_predict(&ranking, m->pipeline, &options));
    assert_int_equal(csm_ranking_total(ranking), COINS);
    for (size_t i = 0; i < COINS; i++)
        assert_true((csm_ranking_all_at(ranking, i)->show & CSM_REASON_MASK(SOURCE_MISSING)) == 0);
    csm_ranking_free(ranking);
    csm_training_free(training);
    market_free(m);
}

static void every_source_gives_the_whole_recipe(void **state) {
    (void)state;
    check_market(true, true, "spine-1");
}

static void without_the_lead_coin_its_group_leaves(void **state) {
    (void)state;
    check_market(false, true, "spine-1-bitcoin");
}

static void without_fear_and_greed_its_group_leaves(void **state) {
    (void)state;
    check_market(true, false, "spine-1-sentiment");
}

static void without_either_both_groups_leave(void **state) {
    (void)state;
    check_market(false, false, "spine-1-sentiment-bitcoin");
}

/* ---- the lead coin counts by its bars -------------------------------------------------------------------------------- */

static void count_warnings(void *user, csm_log_level level, const char *module, const char *text) {
    (void)module;
    if (level == CSM_LOG_WARN && strstr(text, "without group bitcoin")) ++*(int *)user;
}

static void a_lead_coin_that_is_listed_without_bars_is_no_source_and_the_log_says_so(void **state) {
    (void)state;
    market *m = market_new_between(0, 0, random_walk, 37, 0);
    csm_pipeline_status status;
    int warnings = 0;
    market_listing(m, 0, COINS);
    for (uint32_t coin = 1; coin < COINS; coin++) market_coin(m, coin, random_walk, 37, 24 * 40);
    csm_context_set_log(m->context, count_warnings, &warnings);
    assert_ok(csm_pipeline_status_report(&status, m->pipeline));
    csm_context_set_log(m->context, NULL, NULL);
    assert_string_equal(status.recipe, "spine-1-sentiment-bitcoin");
    assert_int_equal(warnings, 1);
    market_free(m);
}

static void an_empty_workspace_has_a_recipe_too(void **state) {
    (void)state;
    market *m = market_new(0, random_walk, 41);
    csm_pipeline_status status;
    assert_ok(csm_pipeline_status_report(&status, m->pipeline));
    assert_string_equal(status.recipe, "spine-1-sentiment-bitcoin");
    market_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_source_gives_the_whole_recipe),
        cmocka_unit_test(without_the_lead_coin_its_group_leaves),
        cmocka_unit_test(without_fear_and_greed_its_group_leaves),
        cmocka_unit_test(without_either_both_groups_leave),
        cmocka_unit_test(a_lead_coin_that_is_listed_without_bars_is_no_source_and_the_log_says_so),
        cmocka_unit_test(an_empty_workspace_has_a_recipe_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
