/* SPDX-License-Identifier: MIT */
/*
 * Three months through the learning loop. Recorded hourly returns of six coins carry a relation of the test's own: the last hour of a
 * day tells the direction of the next day and is right with probability 0.85 (recorded markets hold no relation strong enough to see it
 * break). From a day on it tells the opposite. The loop must see it, shut the gate, train, and change models on what the ledger
 * proves; killed at random instants it must end with the same ledger, bit by bit.
 */
#include "market.h"

#include "learn/ledger.h"

#include <signal.h>
#include <sys/wait.h>

#define COINS 6
#define FIRST_DAY 200 /* the champion is trained as of it */
#define BREAK_DAY 230
#define LAST_DAY 318

static double recorded[COINS][MARKET_HOURS]; /* hourly log returns */

/* ---- data ---- */

static void read_recorded(void) {
    csm_context *context = NULL;
    csm_config *config = NULL;
    csm_pipeline *pipeline = NULL;
    csm_discovery *discovery = NULL;
    csm_market_list *markets = NULL;
    char *folder = support_folder_new(), *workspace = support_path(folder, "recorded");
    assert_ok(csm_context_new(&context, NULL));
    assert_ok(csm_config_new(&config));
    assert_ok(csm_pipeline_open(&pipeline, context, config, workspace, CSM_STORE_CREATE));
    assert_ok(csm_pipeline_adopt(&discovery, pipeline, CSM_SOURCE_DIR "/examples/data"));
    assert_ok(csm_pipeline_universe(&markets, pipeline, CSM_TIME_MAX));
    uint32_t coins = 0;
    for (size_t m = 0; m < csm_market_list_count(markets) && coins < COINS; m++) {
        const csm_market *of = csm_market_list_at(markets, m);
        csm_stream stream = {.kind = "bars",
                             .venue = of->venue,
                             .symbol = of->symbol,
                             .interval = CSM_HOUR,
                             .epoch = of->epoch};
        csm_bar_series *series = NULL;
        assert_ok(csm_store_read_bars(&series, csm_pipeline_store(pipeline), context, &stream, CSM_TIME_MIN,
                                      CSM_TIME_MAX, CSM_TIME_MAX));
        const csm_bars bars = csm_bar_series_view(series);
        size_t n = 0;
        for (size_t i = 1; i < bars.length && n < MARKET_HOURS; i++) {
            const double change = log(bars.close[i] / bars.close[i - 1]);
            if (isfinite(change) && fabs(change) < 0.1) recorded[coins][n++] = change;
        }
        csm_bar_series_free(series);
        coins += n == MARKET_HOURS;
    }
    assert_int_equal(coins, COINS);
    csm_market_list_free(markets);
    csm_discovery_free(discovery);
    csm_pipeline_free(pipeline);
    csm_config_free(config);
    csm_context_free(context);
    csm_dealloc(workspace);
    support_folder_remove(folder);
}

static void breaking(double *returns, uint32_t coin, uint64_t seed) {
    double move = 0;
    for (size_t day = 0; day < MARKET_DAYS; day++) {
        const double sign = csm_random_uniform(seed, 100 + coin, day) < 0.5 ? -1 : 1;
        for (size_t hour = 0; hour < 23; hour++)
            returns[day * 24 + hour] = move / 23 + 0.2 * recorded[coin][day * 24 + hour];
        returns[day * 24 + 23] = sign * 0.02;
        const bool right = csm_random_uniform(seed, 200 + coin, day) < 0.85;
        move = (right == (day < BREAK_DAY) ? sign : -sign) * 0.06;
    }
}

/* ---- the loop ---- */

typedef struct replay {
    market *m;
    csm_time now;
    size_t alarm_day; /* 0: none yet */
    size_t challengers;
    size_t promoted_day;
} replay;

static csm_time clock_of(void *user) {
    return ((const replay *)user)->now;
}

static csm_time day_time(size_t day) {
    return MARKET_START + (csm_time)day * CSM_DAY + CSM_MINUTE;
}

static void set_up(replay *r) {
    static const char *const values[][2] = {
        {"train.members", "trees"},     {"train.spans", "60d"},    {"learn.retrain", "0s"},
        {"learn.retrain_least", "21d"}, {"train.bootstrap", "20"}, {"gbt.rounds", "20"},
    };
    *r = (replay){.m = market_new_until(COINS, breaking, 17, MARKET_HOURS)};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_ok(csm_config_set(r->m->config, values[i][0], values[i][1]));
    csm_context_set_clock(r->m->context, clock_of, r);
    csm_pipeline_free(r->m->pipeline);
    r->m->pipeline = NULL;
}

static void open_again(replay *r, uint32_t mode) {
    csm_pipeline_free(r->m->pipeline);
    r->m->pipeline = NULL;
    assert_ok(csm_pipeline_open(&r->m->pipeline, r->m->context, r->m->config, r->m->workspace, mode));
}

static csm_status one_day(replay *r, size_t day) {
    csm_maturing maturing;
    csm_decision_list *decisions = NULL;
    csm_ranking *ranking = NULL;
    r->now = day_time(day);
    csm_status status = csm_pipeline_learn(&maturing, r->m->pipeline);
    if (status == CSM_OK) status = csm_pipeline_decide(&decisions, r->m->pipeline, NULL);
    for (size_t i = 0; i < csm_decision_list_count(decisions); i++) {
        const csm_decision *d = csm_decision_list_at(decisions, i);
        if (d->kind == CSM_DECISION_ALARM && r->alarm_day == 0) r->alarm_day = day;
        if (d->kind == CSM_DECISION_PROMOTED && r->promoted_day == 0) r->promoted_day = day;
        r->challengers += d->kind == CSM_DECISION_CHALLENGER;
        if (getenv("CSM_TELL"))
            printf("day %zu: %s %.8s\n%s\n", day, csm_decision_name(d->kind), d->model, d->text);
    }
    csm_decision_list_free(decisions);
    if (status == CSM_OK) status = csm_pipeline_predict(&ranking, r->m->pipeline, NULL);
    csm_ranking_free(ranking);
    return status;
}

static void train_champion(replay *r) {
    csm_training *training = NULL;
    r->now = day_time(FIRST_DAY);
    assert_ok(csm_pipeline_train(&training, r->m->pipeline, r->now));
    csm_training_free(training);
}

static void a_broken_relation_is_seen_learned_and_taken_over(void **state) {
    (void)state;
    replay r;
    set_up(&r);
    open_again(&r, CSM_STORE_WRITE);
    train_champion(&r);
    for (size_t day = FIRST_DAY; day < LAST_DAY; day++) assert_ok(one_day(&r, day));
    if (getenv("CSM_TELL"))
        printf("alarm %zu, %zu challengers, promoted %zu\n", r.alarm_day, r.challengers, r.promoted_day);
    assert_true(r.alarm_day > BREAK_DAY && r.alarm_day <= BREAK_DAY + 14);
    assert_true(r.challengers >= 1);
    assert_true(r.promoted_day > r.alarm_day);
    market_free(r.m);
}

int main(void) {
    read_recorded();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_relation_is_seen_learned_and_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
