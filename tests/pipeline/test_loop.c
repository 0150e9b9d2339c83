/* SPDX-License-Identifier: MIT */
/*
 * Three months through the learning loop. Recorded hourly returns of six coins carry a relation of the test's own: the last hour of a
 * day tells the direction of the next day and is right with probability 0.85 (recorded markets hold no relation strong enough to see it
 * break). From a day on it tells the opposite. The loop must see it, shut the gate, train, and change models on what the ledger
 * proves; killed at random instants it must end with the same ledger, bit by bit.
 *
 *   test_pipeline_loop [KILLS]   default 8, around alarm and training; more: over all of what follows, promotions too
 */
#include "market.h"

#include "learn/ledger.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

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

/* The day's own rows say so, and so does the report. */
static void the_gate_is_shut(replay *r) {
    csm_gate_report report;
    csm_ledger_history *history = NULL;
    assert_ok(csm_pipeline_gate(&report, r->m->pipeline, CSM_DAY));
    assert_true(!report.open && (report.reasons & CSM_REASON_MASK(DRIFT_ALARM)) && report.alarms >= 1);
    assert_non_null(strstr(report.text, "another model must take over"));
    assert_ok(csm_learn_history(&history, csm_pipeline_store(r->m->pipeline), CSM_DAY, r->now - CSM_HOUR,
                                CSM_TIME_MAX, 0));
    assert_int_equal(csm_ledger_history_count(history), COINS);
    for (size_t i = 0; i < COINS; i++)
        assert_true(csm_ledger_history_at(history, i)->show & CSM_REASON_MASK(DRIFT_ALARM));
    csm_ledger_history_free(history);
}

/* Roles, figures and pairs after a promotion. */
static void the_models_have_their_roles(replay *r) {
    csm_model_list *models = NULL;
    csm_comparison pairs;
    csm_ledger_head head;
    assert_ok(csm_pipeline_models(&models, r->m->pipeline));
    const csm_model_entry *champion = csm_model_list_at(models, 0);
    assert_string_equal(champion->role, "champion");
    assert_true(champion->outcomes > 0 && champion->brier < 0.25);
    const csm_model_entry *before = csm_model_list_at(models, 1);
    assert_string_equal(before->role, "shadow");
    assert_ok(csm_pipeline_compare(&pairs, r->m->pipeline, champion->hash, before->hash, CSM_DAY));
    assert_true(pairs.e_value >= 20 && pairs.worse < 20 && pairs.blocks >= 10 && pairs.gain.low > 0);
    assert_true(fabs(pairs.other - pairs.brier - pairs.gain.value) < 1e-12);
    assert_fails(CSM_ENODATA, "e-value", csm_pipeline_promote(r->m->pipeline, before->hash, 0));
    char hash[65];
    memcpy(hash, before->hash, sizeof hash);
    csm_model_list_free(models);
    assert_ok(csm_pipeline_rollback(r->m->pipeline));
    assert_ok(csm_pipeline_models(&models, r->m->pipeline));
    assert_string_equal(csm_model_list_at(models, 0)->hash, hash);
    csm_model_list_free(models);
    assert_ok(csm_learn_verify(&head, r->m->context, csm_pipeline_store(r->m->pipeline)));
}

static void a_broken_relation_is_seen_learned_and_taken_over(void **state) {
    (void)state;
    replay r;
    set_up(&r);
    open_again(&r, CSM_STORE_WRITE);
    train_champion(&r);
    for (size_t day = FIRST_DAY; day < LAST_DAY; day++) {
        assert_ok(one_day(&r, day));
        if (day > BREAK_DAY && day == r.alarm_day) the_gate_is_shut(&r);
    }
    assert_true(r.alarm_day > BREAK_DAY && r.alarm_day <= BREAK_DAY + 14);
    assert_true(r.challengers >= 1);
    assert_true(r.promoted_day > r.alarm_day);
    the_models_have_their_roles(&r);
    market_free(r.m);
}

/* ---- kills ---- */

#define KILL_FROM 227 /* the alarm and the first challenger lie between */
#define KILLS 8
static uint64_t kills = KILLS;
static size_t kill_to = 237;

static void copy_folder(const char *from, const char *to) {
    const pid_t child = fork();
    if (child == 0) {
        execlp("cp", "cp", "-r", from, to, (char *)NULL);
        _exit(1);
    }
    int code = 1;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
}

/* A clock never goes back: the day that was begun is done again, whole or not. Shared memory outlives the killed. */
static size_t *begun;

static void share_day(size_t day) {
    if (!begun) begun = mmap(NULL, sizeof *begun, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(begun != MAP_FAILED);
    *begun = day;
}

/* In a process of its own; true when it came to the end. */
static bool run_until_killed(replay *r, csm_time patience) {
    const pid_t child = fork();
    if (child == 0) {
        csm_status status = csm_pipeline_open(&r->m->pipeline, r->m->context, r->m->config, r->m->workspace,
                                              CSM_STORE_SHARED);
        for (; status == CSM_OK && *begun < kill_to; ++*begun) status = one_day(r, *begun);
        _exit(status == CSM_OK ? 0 : 1);
    }
    int code = 1;
    if (patience < CSM_TIME_MAX) {
        const struct timespec wait = {patience / CSM_SECOND, patience % CSM_SECOND};
        nanosleep(&wait, NULL);
        kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFSIGNALED(code) || (WIFEXITED(code) && WEXITSTATUS(code) == 0));
    return WIFEXITED(code);
}

static int64_t outcomes_of(replay *r) {
    csm_statement *s = NULL;
    bool row = false;
    assert_ok(csm_catalog_prepare(&s, csm_pipeline_store(r->m->pipeline), "SELECT count(*) FROM outcomes"));
    assert_ok(csm_statement_step(s, &row));
    const int64_t count = csm_statement_i64(s, 0);
    csm_statement_close(s);
    return count;
}

static void kills_at_random_instants_leave_the_same_ledger(void **state) {
    (void)state;
    replay r;
    csm_ledger_head whole, killed;
    set_up(&r);
    open_again(&r, CSM_STORE_WRITE);
    train_champion(&r);
    for (size_t day = FIRST_DAY; day < KILL_FROM; day++) assert_ok(one_day(&r, day));
    csm_pipeline_free(r.m->pipeline);
    r.m->pipeline = NULL;
    char *copy = support_path(r.m->folder, "killed"), *original = r.m->workspace;
    copy_folder(original, copy);
    share_day(KILL_FROM);
    assert_true(run_until_killed(&r, CSM_TIME_MAX));
    open_again(&r, CSM_STORE_WRITE);
    assert_ok(csm_learn_verify(&whole, r.m->context, csm_pipeline_store(r.m->pipeline)));
    const int64_t outcomes = outcomes_of(&r);
    csm_pipeline_free(r.m->pipeline);
    r.m->pipeline = NULL;
    r.m->workspace = copy;
    share_day(KILL_FROM);
    bool done = false;
    const uint64_t seed = (uint64_t)getpid(); /* instants differ from run to run; the ledger may not */
    for (uint64_t k = 0; k < kills && !done; k++) {
        const double share = csm_random_uniform(seed, 1, k);
        done = run_until_killed(&r, 5 * CSM_MILLISECOND + (csm_time)(share * share * 700e6));
        open_again(&r, k % 2 ? CSM_STORE_WRITE : CSM_STORE_SHARED);
        assert_ok(csm_learn_verify(&killed, r.m->context, csm_pipeline_store(r.m->pipeline)));
        csm_pipeline_free(r.m->pipeline);
        r.m->pipeline = NULL;
    }
    assert_true(done || run_until_killed(&r, CSM_TIME_MAX));
    open_again(&r, CSM_STORE_WRITE);
    assert_ok(csm_learn_verify(&killed, r.m->context, csm_pipeline_store(r.m->pipeline)));
    assert_int_equal(killed.rows, whole.rows);
    assert_string_equal(killed.hash, whole.hash);
    assert_int_equal(outcomes_of(&r), outcomes);
    r.m->workspace = original;
    csm_dealloc(copy);
    market_free(r.m);
}

int main(int argc, char **argv) {
    if (argc > 1) kills = strtoull(argv[1], NULL, 10);
    if (kills > KILLS) kill_to = LAST_DAY;
    read_recorded();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_relation_is_seen_learned_and_taken_over),
        cmocka_unit_test(kills_at_random_instants_leave_the_same_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
