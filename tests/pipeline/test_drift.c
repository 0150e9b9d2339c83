/* SPDX-License-Identifier: MIT */
/* Early warnings by features, weights by matured losses, and the health score on a small workspace. */
#include "market.h"

#include "pipeline/champion.h"
#include "pipeline/drift.h"
#include "pipeline/interval.h"
#include "pipeline/pipeline.h"
#include "pipeline/weights.h"
#include "store/catalog.h"

#define CALM_DAYS 250 /* then hours move four times as far */

static void storm(double *returns, uint32_t coin, uint64_t seed) {
    for (size_t i = 0; i < MARKET_HOURS; i++)
        returns[i] = (i < CALM_DAYS * 24 ? 0.004 : 0.016) * csm_random_normal(seed, coin, i);
}

static csm_time now_of(void *user) {
    return *(const csm_time *)user;
}

static csm_frame *frame_between(market *m, size_t from_day, size_t to_day) {
    csm_frame *frame = NULL;
    const csm_time from = MARKET_START + (csm_time)from_day * CSM_DAY,
                   to = MARKET_START + (csm_time)to_day * CSM_DAY;
    assert_ok(csm_pipeline_fuse(&frame, m->pipeline, from, to, to));
    return frame;
}

static void a_change_of_features_is_seen_and_their_usual_play_is_not(void **state) {
    (void)state;
    market *m = market_new(6, storm, 23);
    csm_training *training = NULL, *loaded = NULL;
    assert_ok(csm_config_set(m->config, "train.members", "trees"));
    csm_pipeline_free(m->pipeline);
    assert_ok(csm_pipeline_open(&m->pipeline, m->context, m->config, m->workspace, CSM_STORE_WRITE));
    assert_ok(csm_pipeline_train(&training, m->pipeline, MARKET_START + 220 * CSM_DAY));
    const drift_reference *reference = &training->drift;
    assert_true(reference->windows >= 8 && reference->window == 14 * CSM_DAY);
    assert_ok(csm_pipeline_champion(&loaded, m->pipeline));
    assert_int_equal(loaded->drift.windows, reference->windows);
    assert_memory_equal(loaded->drift.psi, reference->psi, reference->windows * sizeof(double));
    assert_memory_equal(loaded->drift.quantile, reference->quantile,
                        reference->features * CSM_DRIFT_QUANTILES * sizeof(float));
    csm_frame *calm = frame_between(m, 225, 250), *wild = frame_between(m, 285, 310);
    window_drift before, after;
    assert_ok(csm_drift_of_window(&before, reference, calm, CSM_TIME_MIN, CSM_TIME_MAX));
    assert_ok(csm_drift_of_window(&after, reference, wild, CSM_TIME_MIN, CSM_TIME_MAX));
    assert_true(before.rows >= 100 && after.rows >= 100);
    assert_true(before.psi_p > 0.02 && before.ks_p > 0.02);
    assert_true(after.psi_p < 0.001 && after.ks_p < 0.001 && after.psi > before.psi);
    assert_ok(csm_drift_of_window(&before, reference, calm, CSM_TIME_MIN, CSM_TIME_MIN + 1));
    assert_true(before.rows == 0 && isnan(before.psi_p));
    drift_reference other = *reference;
    other.features--;
    assert_fails(CSM_EINVAL, "features",
                 csm_drift_of_window(&before, &other, calm, CSM_TIME_MIN, CSM_TIME_MAX));
    csm_frame_free(calm);
    csm_frame_free(wild);
    csm_training_free(loaded);
    csm_training_free(training);
    market_free(m);
}

/* ---- the alarm budget ---- */

#define WALK 200
#define YEAR 365

/* Mean Brier score of ten calibrated calls of 85 % a day, of which `right` come true. */
static double day_loss(uint64_t run, uint64_t day, double right) {
    double sum = 0;
    for (uint64_t coin = 0; coin < 10; coin++) {
        const double outcome = csm_random_uniform(77, run * 16 + coin, day) < right;
        sum += (0.85 - outcome) * (0.85 - outcome) / 10;
    }
    return sum;
}

/* A budget of one false alarm a year over both detectors: a year without one is then about as likely as not. */
static void false_alarms_keep_to_their_budget_and_a_broken_relation_is_soon_seen(void **state) {
    (void)state;
    static double loss[WALK + YEAR];
    const uint64_t runs = 400;
    double level = 0, alarms = 0, delay = 0, late = 0, quiet = 0;
    assert_ok(csm_learn_alarm_level(&level, 1, 2, CSM_DAY));
    for (uint64_t run = 0; run < runs; run++) {
        size_t adwin = 0, hinkley = 0;
        for (uint64_t day = 0; day < WALK + YEAR; day++) loss[day] = day_loss(run, day, 0.85);
        assert_ok(csm_drift_in_losses(&adwin, &hinkley, loss, WALK, WALK + YEAR, level));
        alarms += (adwin != SIZE_MAX) + (hinkley != SIZE_MAX);
        for (uint64_t day = WALK + 30; day < WALK + YEAR; day++) loss[day] = day_loss(run, day, 0.5);
        assert_ok(csm_drift_in_losses(&adwin, &hinkley, loss, WALK, WALK + YEAR, level));
        const size_t first = adwin < hinkley ? adwin : hinkley;
        if (first < WALK + 30) continue; /* a false alarm came before */
        quiet++;
        late += first >= WALK + 30 + 14;
        if (first != SIZE_MAX) delay += (double)(first - WALK - 30);
    }
    if (getenv("CSM_TELL"))
        printf("%.3f false alarms a year, delay %.2f days, %.0f of %.0f later than 14\n",
               alarms / (double)runs, delay / quiet, late, quiet);
    assert_true(alarms / (double)runs <= 1);
    assert_true(quiet > 300 && late / quiet <= 0.01 && delay / quiet < 6);
}

/* ---- weights ---- */

static void run_days(market *m, csm_time *now, size_t first, size_t end) {
    for (size_t day = first; day < end; day++) {
        csm_maturing maturing;
        csm_decision_list *decisions = NULL;
        csm_ranking *ranking = NULL;
        csm_decide_options options;
        csm_decide_options_init(&options);
        options.train = 0;
        *now = MARKET_START + (csm_time)day * CSM_DAY + CSM_MINUTE;
        assert_ok(csm_pipeline_learn(&maturing, m->pipeline));
        assert_ok(csm_pipeline_decide(&decisions, m->pipeline, &options));
        assert_ok(csm_pipeline_predict(&ranking, m->pipeline, NULL));
        csm_decision_list_free(decisions);
        csm_ranking_free(ranking);
    }
}

static void members_are_weighed_by_rows_of_the_ledger_that_anybody_can_recompute(void **state) {
    (void)state;
    market *m = market_new(4, planted_signal, 5);
    csm_time now = MARKET_START + 260 * CSM_DAY + CSM_MINUTE;
    csm_training *training = NULL;
    csm_decision_list *list = NULL;
    csm_context_set_clock(m->context, now_of, &now);
    assert_ok(csm_config_set(m->config, "train.members", "trees,linear"));
    csm_pipeline_free(m->pipeline);
    assert_ok(csm_pipeline_open(&m->pipeline, m->context, m->config, m->workspace, CSM_STORE_WRITE));
    assert_ok(csm_pipeline_train(&training, m->pipeline, now));
    run_days(m, &now, 260, 290);
    assert_ok(csm_learn_decisions(&list, csm_pipeline_store(m->pipeline), 0));
    size_t rows = 0;
    for (size_t i = 0; i < csm_decision_list_count(list); i++) {
        const csm_decision *d = csm_decision_list_at(list, i);
        double trees = 0, linear = 0;
        if (d->kind != CSM_DECISION_WEIGHTS) continue;
        rows++;
        assert_string_equal(d->model, csm_training_hash(training));
        assert_int_equal(sscanf(d->text, "trees %lf\nlinear %lf\n", &trees, &linear), 2);
        assert_true(trees >= 0 && linear >= 0 && fabs(trees + linear - 1) < 1e-12);
    }
    assert_true(rows >= 1);
    csm_decision_list_free(list);
    ensemble_weights then, later;
    assert_ok(csm_weights_in_force(&then, m->pipeline, training, 0, MARKET_START + 260 * CSM_DAY));
    assert_ok(csm_weights_in_force(&later, m->pipeline, training, 0, now));
    assert_memory_equal(&then, &training->horizon[0].weights, sizeof then); /* nothing had matured */
    assert_true(fabs(later.score[0] + later.score[1] - then.score[0] - then.score[1]) < 1e-9);
    assert_true(then.score[0] * then.score[1] == 0 || later.score[0] != then.score[0]);
    /* Nothing new has matured: nothing is written again. */
    csm_ledger_head before, after;
    assert_ok(csm_learn_head(&before, csm_pipeline_store(m->pipeline)));
    assert_ok(csm_weights_update(m->pipeline, training, false));
    assert_ok(csm_learn_head(&after, csm_pipeline_store(m->pipeline)));
    assert_string_equal(before.hash, after.hash);
    /* Health and gate have something to say now. */
    csm_health health;
    csm_gate_report gate;
    assert_ok(csm_pipeline_health(&health, m->pipeline, 0.25));
    assert_true(isnan(health.score) && health.missing == 1 && !health.go); /* nobody judged a forecast */
    assert_true(health.part[0].value > 0.7 && health.part[1].value > 0.9 && health.part[3].value == 0.75);
    assert_true(health.part[4].value == 1 && fabs(health.part[5].value - (1 - 29.0 / 180)) < 1e-6);
    assert_ok(csm_learn_feedback_add(m->context, csm_pipeline_store(m->pipeline), 2, 1, "ann", ""));
    assert_ok(csm_pipeline_health(&health, m->pipeline, 0.25));
    double sum = 0;
    for (size_t i = 0; i < CSM_HEALTH_PARTS; i++) sum += health.part[i].weight * health.part[i].value;
    assert_true(health.missing == 0 && fabs(health.score - sum) < 1e-12 && health.go == (sum >= 0.6));
    assert_fails(CSM_EINVAL, "error_ratio", csm_pipeline_health(&health, m->pipeline, 1.5));
    assert_ok(csm_pipeline_gate(&gate, m->pipeline, CSM_DAY));
    assert_true(gate.open && !gate.trade && gate.outcomes > 100 && gate.markets == 4 &&
                gate.markets_history == 4);
    assert_true(gate.live.blocks >= 20 && gate.trade_reasons == CSM_REASON_MASK(LIVE_CLOCK));
    assert_true(gate.live_clock == 29 * CSM_DAY);
    assert_fails(CSM_EINVAL, "none of the configured horizons",
                 csm_pipeline_gate(&gate, m->pipeline, CSM_HOUR));
    now += 200 * CSM_DAY;
    assert_ok(csm_pipeline_gate(&gate, m->pipeline, CSM_DAY));
    assert_true(!gate.open && gate.reasons == CSM_REASON_MASK(MODEL_EXPIRED));
    csm_training_free(training);
    market_free(m);
}

/* ---- intervals ---- */

/* Hours move four times as far from day 250 on, the model stays: intervals that adapt keep catching outcomes. */
static void intervals_widen_when_outcomes_fall_outside(void **state) {
    (void)state;
    market *m = market_new(6, storm, 23);
    csm_time now = MARKET_START + 240 * CSM_DAY + CSM_MINUTE;
    csm_training *training = NULL;
    csm_ledger_history *history = NULL;
    double radius = 0;
    csm_context_set_clock(m->context, now_of, &now);
    assert_ok(csm_config_set(m->config, "train.members", "trees"));
    csm_pipeline_free(m->pipeline);
    assert_ok(csm_pipeline_open(&m->pipeline, m->context, m->config, m->workspace, CSM_STORE_WRITE));
    assert_ok(csm_pipeline_train(&training, m->pipeline, now));
    assert_ok(csm_radius_in_force(&radius, m->pipeline, training, 0, now));
    assert_true(radius == training->horizon[0].radius); /* nothing has matured live */
    run_days(m, &now, 240, 315);
    assert_ok(csm_radius_in_force(&radius, m->pipeline, training, 0, now));
    assert_true(radius > 2 * training->horizon[0].radius);
    assert_ok(csm_learn_history(&history, csm_pipeline_store(m->pipeline), CSM_DAY,
                                MARKET_START + 285 * CSM_DAY, CSM_TIME_MAX, 0));
    double inside = 0, plain = 0, known = 0;
    for (size_t i = 0; i < csm_ledger_history_count(history); i++) {
        const csm_ledger_entry *e = csm_ledger_history_at(history, i);
        if (e->state != CSM_TARGET_KNOWN) continue;
        known++;
        inside += e->log_return >= e->low && e->log_return <= e->high;
        plain += fabs(e->log_return - e->expected_return) <= training->horizon[0].radius;
    }
    assert_true(known > 150 && inside / known > 0.8 && plain / known < 0.6);
    csm_ledger_history_free(history);
    /* The storm is news to the features too. */
    csm_decision_list *list = NULL;
    bool told = false;
    assert_ok(csm_learn_decisions(&list, csm_pipeline_store(m->pipeline), 0));
    for (size_t i = 0; i < csm_decision_list_count(list); i++)
        told = told || strncmp(csm_decision_list_at(list, i)->text, "features\n", 9) == 0;
    assert_true(told);
    csm_decision_list_free(list);
    csm_training_free(training);
    market_free(m);
}

/* ---- failed allocations ---- */

static csm_status look_at_everything(market *m) {
    csm_gate_report gate;
    csm_health health;
    csm_model_list *models = NULL;
    csm_explanation *explanation = NULL;
    csm_decision_list *decisions = NULL;
    csm_decide_options options;
    csm_decide_options_init(&options);
    options.train = 0;
    csm_status status = csm_pipeline_gate(&gate, m->pipeline, CSM_DAY);
    if (status == CSM_OK) status = csm_pipeline_health(&health, m->pipeline, NAN);
    if (status == CSM_OK) status = csm_pipeline_models(&models, m->pipeline);
    if (status == CSM_OK) {
        csm_comparison pairs;
        const char *hash = csm_model_list_at(models, 0)->hash;
        status = csm_pipeline_compare(&pairs, m->pipeline, hash, hash, CSM_DAY);
    }
    if (status == CSM_OK) status = csm_pipeline_explain(&explanation, m->pipeline, "T1", 0, CSM_TIME_MAX);
    if (status == CSM_OK) status = csm_pipeline_decide(&decisions, m->pipeline, &options);
    csm_decision_list_free(decisions);
    csm_explanation_free(explanation);
    csm_model_list_free(models);
    return status;
}

/* Ever further apart: there are thousands of allocations, most of them in reading the model. */
static void a_failed_allocation_is_told_and_leaks_nothing(void **state) {
    (void)state;
    market *m = market_new(2, planted_signal, 5);
    csm_time now = MARKET_START + 260 * CSM_DAY + CSM_MINUTE;
    csm_training *training = NULL;
    csm_ledger_head before, after;
    csm_context_set_clock(m->context, now_of, &now);
    assert_ok(csm_config_set(m->config, "train.members", "trees,linear"));
    csm_pipeline_free(m->pipeline);
    assert_ok(csm_pipeline_open(&m->pipeline, m->context, m->config, m->workspace, CSM_STORE_WRITE));
    assert_ok(csm_pipeline_train(&training, m->pipeline, now));
    csm_training_free(training);
    run_days(m, &now, 260, 268);
    assert_ok(csm_learn_head(&before, csm_pipeline_store(m->pipeline)));
    size_t failures = 0;
    for (uint64_t n = 1;; n += 1 + n / 8) {
        csm_fault_allocation(n, false);
        const csm_status status = look_at_everything(m);
        csm_fault_allocation(0, false);
        if (status == CSM_OK) break;
        assert_int_equal(status, CSM_ENOMEM);
        failures++;
    }
    assert_true(failures > 20);
    assert_ok(csm_learn_verify(&after, m->context, csm_pipeline_store(m->pipeline)));
    assert_string_equal(before.hash, after.hash);
    market_free(m);
}

/* ---- explanations ---- */

static void contributions_add_up_to_the_members_score(void **state) {
    (void)state;
    market *m = market_new(3, planted_signal, 5);
    csm_training *training = NULL;
    csm_explanation *e = NULL;
    assert_ok(csm_pipeline_train(&training, m->pipeline, market_end()));
    assert_ok(csm_pipeline_explain(&e, m->pipeline, "T1", 0, market_end()));
    assert_string_equal(csm_explanation_forecast(e)->market, "test:T1/USD");
    const csm_horizon_forecast *at = csm_explanation_horizon(e);
    double sum = csm_explanation_base(e);
    assert_int_equal(csm_explanation_count(e), csm_training_features(training));
    for (size_t i = 0; i < csm_explanation_count(e); i++) {
        const csm_contribution *c = csm_explanation_at(e, i);
        sum += c->contribution;
        if (i > 0) assert_true(fabs(c->contribution) <= fabs(csm_explanation_at(e, i - 1)->contribution));
        if (i < at->contribution_count) assert_memory_equal(c, &at->contributions[i], sizeof *c);
    }
    assert_string_equal(at->explained, "trees");
    assert_true(fabs(sum - at->members[0].score) < 1e-9);
    csm_explanation_free(e);
    assert_fails(CSM_ENOTFOUND, "'XYZ'", csm_pipeline_explain(&e, m->pipeline, "XYZ", 0, market_end()));
    assert_null(e);
    assert_fails(CSM_EINVAL, "no horizon 1h",
                 csm_pipeline_explain(&e, m->pipeline, "T1", CSM_HOUR, market_end()));
    csm_training_free(training);
    market_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_of_features_is_seen_and_their_usual_play_is_not),
        cmocka_unit_test(false_alarms_keep_to_their_budget_and_a_broken_relation_is_soon_seen),
        cmocka_unit_test(members_are_weighed_by_rows_of_the_ledger_that_anybody_can_recompute),
        cmocka_unit_test(intervals_widen_when_outcomes_fall_outside),
        cmocka_unit_test(a_failed_allocation_is_told_and_leaks_nothing),
        cmocka_unit_test(contributions_add_up_to_the_members_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
