/* SPDX-License-Identifier: MIT */
/* Feedback, decisions, export and betting: beside the outcome, in the chain, recomputable, and honest at every look. */
#include "learn/betting.h"
#include "learn/ledger.h"
#include "learn/live.h"

#include "../core/support.h"

#include <math.h>

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DECISION (19000 * CSM_DAY)

typedef struct fixture {
    char *folder;
    csm_context *context;
    csm_store *store;
    csm_time now;
} fixture;

static csm_time clock_of(void *user) {
    return ((fixture *)user)->now;
}

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->folder = support_folder_new();
    f->now = DECISION + CSM_MINUTE;
    assert_ok(csm_context_new(&f->context, NULL));
    csm_context_set_clock(f->context, clock_of, f);
    char *path = support_path(f->folder, "workspace");
    assert_ok(csm_store_open(&f->store, f->context, path, CSM_STORE_CREATE));
    csm_dealloc(path);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    csm_store_free(f->store);
    csm_context_free(f->context);
    support_folder_remove(f->folder);
    free(f);
    return 0;
}

static csm_forecast forecast(void) {
    csm_forecast f = {.coin = "BTC",
                      .market = "kraken:BTC/USD",
                      .epoch = 1,
                      .time = DECISION,
                      .price = 100,
                      .horizon_count = 1};
    csm_horizon_forecast *h = &f.horizons[0];
    *h = (csm_horizon_forecast){.horizon = CSM_DAY,
                                .expected_return = 0.1,
                                .low = -INFINITY,
                                .high = 0.4,
                                .probability = 0.9,
                                .lower = 0.7,
                                .cost = 0.01};
    h->member_count = 1;
    h->members[0] = (csm_member_forecast){.name = "trees", .score = 2.25, .score_weight = 1};
    snprintf(h->explained, sizeof h->explained, "trees");
    h->contribution_count = 1;
    h->contributions[0] = (csm_contribution){.feature = "rsi_14", .value = 63.5, .contribution = -0.125};
    f.gate = (csm_gate_input){.traded_value = 1e9, .history = 200 * CSM_DAY, .matured = 1};
    return f;
}

static void append(fixture *f, const char *model, int64_t kind) {
    csm_forecast one = forecast();
    csm_rank_options options;
    csm_ranking *ranking = NULL;
    csm_ledger_head head;
    const csm_ledger_lineage lineage = {.model = model,
                                        .config = HASH_B,
                                        .features = HASH_B,
                                        .watermark = HASH_B,
                                        .event = {HASH_A},
                                        .interval = CSM_HOUR};
    csm_rank_options_init(&options);
    options.horizon = CSM_DAY;
    assert_ok(csm_rank_build(&ranking, &one, 1, &options));
    assert_ok(csm_ledger_append(&head, f->context, f->store, ranking, &lineage, false, kind));
    csm_ranking_free(ranking);
}

/* ---- feedback ---- */

static int32_t verdict_of(fixture *f) {
    csm_ledger_history *history = NULL;
    assert_ok(csm_learn_history(&history, f->store, 0, CSM_TIME_MIN, CSM_TIME_MAX, 0));
    const int32_t verdict = csm_ledger_history_at(history, 0)->verdict;
    csm_ledger_history_free(history);
    return verdict;
}

static void the_newest_word_of_each_person_counts(void **state) {
    fixture *f = *state;
    csm_feedback_counts counts;
    append(f, HASH_A, CSM_LEDGER_FORECAST);
    assert_int_equal(verdict_of(f), 0);
    assert_ok(csm_learn_feedback_add(f->context, f->store, 2, -1, "ann", "no"));
    assert_int_equal(verdict_of(f), -1);
    assert_ok(csm_learn_feedback_add(f->context, f->store, 2, 1, "ann", NULL));
    assert_int_equal(verdict_of(f), 1);
    assert_ok(csm_learn_feedback_add(f->context, f->store, 2, -1, "bob", NULL));
    assert_int_equal(verdict_of(f), 0); /* one against one */
    assert_ok(csm_learn_feedback_add(f->context, f->store, 2, 0, "ann", NULL));
    assert_int_equal(verdict_of(f), -1);
    assert_ok(csm_learn_feedback_count(&counts, f->store));
    assert_true(counts.right == 0 && counts.wrong == 1 && counts.rows == 4);
}

static void feedback_on_what_nobody_saw_is_refused(void **state) {
    fixture *f = *state;
    char longer[80];
    memset(longer, 'x', sizeof longer);
    longer[79] = 0;
    append(f, HASH_A, CSM_LEDGER_SHADOW);
    assert_fails(CSM_ENOTFOUND, "row 1 is no forecast",
                 csm_learn_feedback_add(f->context, f->store, 1, 1, "ann", ""));
    assert_fails(CSM_ENOTFOUND, "row 2 is no forecast",
                 csm_learn_feedback_add(f->context, f->store, 2, 1, "ann", ""));
    assert_fails(CSM_ENOTFOUND, "row 9", csm_learn_feedback_add(f->context, f->store, 9, 1, "ann", ""));
    append(f, HASH_B, CSM_LEDGER_FORECAST);
    assert_fails(CSM_EINVAL, "verdict 2", csm_learn_feedback_add(f->context, f->store, 4, 2, "ann", ""));
    assert_fails(CSM_EINVAL, "who", csm_learn_feedback_add(f->context, f->store, 4, 1, "", ""));
    assert_fails(CSM_EINVAL, "who", csm_learn_feedback_add(f->context, f->store, 4, 1, longer, ""));
}

/* ---- shadow rows, decisions ---- */

static void shadow_forecasts_are_in_the_chain_and_in_no_history(void **state) {
    fixture *f = *state;
    csm_ledger_head head;
    csm_ledger_history *history = NULL;
    csm_time live = 1;
    append(f, HASH_A, CSM_LEDGER_SHADOW);
    f->now += CSM_MINUTE;
    append(f, HASH_B, CSM_LEDGER_SHADOW);
    assert_ok(csm_learn_verify(&head, f->context, f->store));
    assert_true(head.rows == 4);
    assert_ok(csm_learn_history(&history, f->store, 0, CSM_TIME_MIN, CSM_TIME_MAX, 0));
    assert_int_equal(csm_ledger_history_count(history), 0);
    csm_ledger_history_free(history);
    assert_ok(csm_learn_live_clock(&live, f->store));
    assert_true(live == 0);
    csm_evidence evidence;
    size_t matured = 1;
    assert_ok(csm_live_evidence(&evidence, &matured, f->store, CSM_DAY, 0.8, CSM_TIME_MAX));
    assert_true(matured == 0 && evidence.issued == 0);
}

static void a_row_holds_members_and_contributions(void **state) {
    fixture *f = *state;
    char *text = NULL;
    append(f, HASH_A, CSM_LEDGER_FORECAST);
    assert_ok(csm_learn_row_text(&text, f->store, 2));
    assert_string_equal(text, "member trees score 2.25 weight 1 return 0 weight 0\n"
                              "shap trees rsi_14 value 63.5 contribution -0.125\n");
    csm_learn_text_free(text);
    assert_ok(csm_learn_row_text(&text, f->store, 1));
    assert_int_equal(strncmp(text, "model " HASH_A "\n", 71), 0);
    assert_non_null(strstr(text, "format 2\n"));
    csm_learn_text_free(text);
    assert_fails(CSM_ENOTFOUND, "no row 3", csm_learn_row_text(&text, f->store, 3));
    assert_null(text);
}

static void decisions_are_rows_of_the_chain(void **state) {
    fixture *f = *state;
    csm_ledger_head head;
    csm_decision_list *list = NULL;
    append(f, HASH_A, CSM_LEDGER_FORECAST);
    assert_ok(csm_catalog_begin(f->store));
    assert_ok(csm_ledger_decide(f->context, f->store, CSM_DECISION_ALARM, DECISION, CSM_DAY, HASH_A,
                                "losses\nadwin rose\n", true));
    assert_ok(csm_ledger_decide(f->context, f->store, CSM_DECISION_PROMOTED, DECISION, 0, HASH_B, "by hand\n",
                                false));
    assert_ok(csm_catalog_commit(f->store));
    assert_ok(csm_learn_verify(&head, f->context, f->store));
    assert_true(head.rows == 4);
    assert_ok(csm_learn_decisions(&list, f->store, 0));
    assert_int_equal(csm_decision_list_count(list), 2);
    const csm_decision *d = csm_decision_list_at(list, 0);
    assert_true(d->row == 3 && d->kind == CSM_DECISION_ALARM && d->horizon == CSM_DAY && d->backfill &&
                d->time == DECISION);
    assert_string_equal(d->model, HASH_A);
    assert_string_equal(d->text, "losses\nadwin rose\n");
    csm_decision_list_free(list);
    assert_ok(csm_learn_decisions(&list, f->store, 3));
    assert_int_equal(csm_decision_list_count(list), 1);
    assert_string_equal(csm_decision_name(csm_decision_list_at(list, 0)->kind), "promoted");
    assert_null(csm_decision_list_at(list, 1));
    csm_decision_list_free(list);
    assert_string_equal(csm_decision_name(CSM_DECISIONS), "unknown");
}

static void failed_allocations_leak_nothing(void **state) {
    fixture *f = *state;
    append(f, HASH_A, CSM_LEDGER_FORECAST);
    assert_ok(csm_catalog_begin(f->store));
    assert_ok(csm_ledger_decide(f->context, f->store, CSM_DECISION_ALARM, DECISION, 0, HASH_A, "x\n", false));
    assert_ok(csm_catalog_commit(f->store));
    char *path = support_path(f->folder, "export.jsonl");
    for (uint64_t n = 1;; n++) {
        csm_decision_list *list = NULL;
        char *text = NULL;
        csm_ledger_head head;
        csm_fault_allocation(n, false);
        csm_status status = csm_learn_decisions(&list, f->store, 0);
        if (status == CSM_OK) status = csm_learn_row_text(&text, f->store, 2);
        if (status == CSM_OK) status = csm_learn_export(&head, f->context, f->store, path);
        if (status == CSM_OK) status = csm_learn_feedback_add(f->context, f->store, 2, 1, "ann", "");
        csm_fault_allocation(0, false);
        csm_decision_list_free(list);
        csm_learn_text_free(text);
        if (status == CSM_OK) break;
        assert_int_equal(status, CSM_ENOMEM);
    }
    csm_dealloc(path);
}

/* ---- bets ---- */

static void a_sure_difference_is_found_in_so_many_blocks(void **state) {
    (void)state;
    csm_time time[40];
    double value[40];
    csm_bets bets;
    for (size_t i = 0; i < 40; i++) {
        time[i] = (csm_time)(100 + i) * CSM_DAY;
        value[i] = 1;
    }
    /* Each block won multiplies the wealth by 1 + stake; the first stake is 0.75, as 0.75 < sqrt(2 ln 20 / (ln 2 / 4)). */
    assert_ok(csm_bet_on_blocks(&bets, time, value, 1, CSM_DAY, CSM_TIME_MAX - 1));
    assert_true(bets.blocks == 1 && fabs(bets.up - 1.75) < 1e-12 && bets.down == 1);
    assert_ok(csm_bet_on_blocks(&bets, time, value, 40, CSM_DAY, CSM_TIME_MAX - 1));
    assert_true(bets.up > 20 && bets.down == 1 && bets.blocks == 40);
    /* A block counts when its last label has ended: two days after its begin. */
    assert_ok(csm_bet_on_blocks(&bets, time, value, 40, CSM_DAY, time[9]));
    assert_true(bets.blocks == 8);
    /* Labels that overlap: days 102 .. 113 are four blocks of three days, and even and odd ones are bet on apart, half the wealth. */
    double two_wins;
    assert_ok(csm_bet_on_blocks(&bets, time, value, 2, CSM_DAY, CSM_TIME_MAX - 1));
    two_wins = bets.up;
    assert_ok(csm_bet_on_blocks(&bets, time + 2, value, 12, 3 * CSM_DAY, CSM_TIME_MAX - 1));
    assert_true(bets.blocks == 4 && fabs(bets.up - two_wins / 2) < 1e-12);
    value[3] = 1.5;
    assert_fails(CSM_EINVAL, "value 3", csm_bet_on_blocks(&bets, time, value, 40, CSM_DAY, CSM_TIME_MAX - 1));
}

/* Differences of mean zero, looked at whenever it pleases, over 300 blocks: 20 is reached in at most 5 % of runs. */
static void luck_is_called_better_in_at_most_five_runs_of_a_hundred(void **state) {
    (void)state;
    csm_time time[300];
    double value[300];
    size_t fooled = 0, found = 0;
    for (uint64_t run = 0; run < 2000; run++) {
        csm_bets bets;
        for (size_t i = 0; i < 300; i++) {
            time[i] = (csm_time)(100 + i) * CSM_DAY;
            value[i] = 0.6 * (csm_random_uniform(5, run, i) - 0.5);
        }
        assert_ok(csm_bet_on_blocks(&bets, time, value, 300, CSM_DAY, CSM_TIME_MAX - 1));
        fooled += bets.up >= 20;
        for (size_t i = 0; i < 300; i++) value[i] += 0.05;
        assert_ok(csm_bet_on_blocks(&bets, time, value, 300, CSM_DAY, CSM_TIME_MAX - 1));
        found += bets.up >= 20;
    }
    assert_true(fooled <= 100 && found > 1800);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_newest_word_of_each_person_counts),
        TEST(feedback_on_what_nobody_saw_is_refused),
        TEST(shadow_forecasts_are_in_the_chain_and_in_no_history),
        TEST(a_row_holds_members_and_contributions),
        TEST(decisions_are_rows_of_the_chain),
        TEST(failed_allocations_leak_nothing),
        cmocka_unit_test(a_sure_difference_is_found_in_so_many_blocks),
        cmocka_unit_test(luck_is_called_better_in_at_most_five_runs_of_a_hundred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
