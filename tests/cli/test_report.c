/* SPDX-License-Identifier: MIT */
/* The HTML report. The series here are made for the tests: they never enter a workspace. */
#include "../../examples/cli/report.h"

#include "core/support.h"
#include "pipeline/training.h"

#include <ctype.h>
#include <math.h>
#include <sys/stat.h>

/* ---- markup ---- */

static void text_from_outside_is_escaped(void **state) {
    (void)state;
    markup m = {0};
    markup_text(&m, "<b>&\"' \x01\xFFü€\xF0\x9F\xAA\x99\xED\xA0\x80\xC0\xAF");
    /* a lone surrogate is three broken bytes, an overlong slash two (RFC 3629) */
    assert_string_equal(m.text, "&lt;b&gt;&amp;&quot;&#39; \xEF\xBF\xBD\xEF\xBF\xBDü€\xF0\x9F\xAA\x99"
                                "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_false(m.failed);
    markup_free(&m);
}

static void markup_grows_to_any_size(void **state) {
    (void)state;
    markup m = {0};
    for (int i = 0; i < 30000; i++) markup_add(&m, "%08d", i);
    assert_int_equal(m.length, 240000);
    assert_memory_equal(m.text + 8 * 29999, "00029999", 9);
    markup_free(&m);
}

static void numbers_are_written_for_people(void **state) {
    (void)state;
    char text[48];
    assert_string_equal(count_text(999, text, sizeof text), "999");
    assert_string_equal(count_text(1234567, text, sizeof text), "1\xC2\xA0"
                                                                "234\xC2\xA0"
                                                                "567");
    assert_string_equal(probability_kept(0.825, text, sizeof text), "82.5\xC2\xA0%");
    assert_string_equal(fixed_text(NAN, 2, text, sizeof text), "n/a");
    assert_float_equal(svg_round_step(1, 5), 0.2, 1e-12);
    assert_float_equal(svg_round_step(37, 4), 10, 1e-12);
    assert_float_equal(svg_round_step(0, 4), 1, 0);
}

/* ---- what the record says ---- */

static csm_walk_row row_of(csm_time time, uint32_t market, double probability, double log_return,
                           double momentum) {
    return (csm_walk_row){.time = time,
                          .matures = time + 30 * CSM_DAY,
                          .probability = probability,
                          .lower = probability * 0.9,
                          .expected_return = 0.1,
                          .low = -0.2,
                          .high = 0.2,
                          .log_return = log_return,
                          .cost = 0.01,
                          .momentum = momentum,
                          .show = isnan(probability)   ? CSM_REASON_MASK(NOT_CALIBRATED)
                                  : probability < 0.80 ? CSM_REASON_MASK(PROBABILITY_LOW)
                                                       : 0,
                          .market = market,
                          .rises = log_return > 0.01};
}

static void a_date_is_the_mean_of_its_issued_calls(void **state) {
    (void)state;
    const csm_walk_row rows[] = {row_of(0, 0, 0.9, log(1.5) + 0.01, 0),
                                 row_of(0, 1, 0.85, log(0.9) + 0.01, 0), row_of(0, 2, 0.2, log(2.0), 0),
                                 row_of(CSM_DAY, 0, NAN, log(3.0), 0)};
    walk_date *dates = NULL;
    size_t count = 0;
    assert_int_equal(walk_dates(&dates, &count, rows, 4), CSM_OK);
    assert_int_equal(count, 2);
    assert_int_equal(dates[0].issued, 2);
    assert_int_equal(dates[0].shown_rises, 1);
    assert_float_equal(dates[0].best, 0.9, 0);
    assert_float_equal(dates[0].net, (0.5 - 0.1) / 2, 1e-12);
    assert_float_equal(dates[0].holding, (exp(log(1.5) + 0.01) + exp(log(0.9) + 0.01) + 2.0) / 3 - 1, 1e-12);
    assert_int_equal(dates[1].issued, 0);
    assert_true(isnan(dates[1].net));
    assert_int_equal(walk_uncalibrated(dates, count), 0);
    assert_int_equal(walk_step(dates, count), CSM_DAY);
    free(dates);
}

static void ties_are_taken_whole_in_the_precision_curve(void **state) {
    (void)state;
    /* probabilities .9 .7 .7 .7 .1 rise 1 0 1 1 0, on three days of one 30-day block and two of another */
    const csm_walk_row rows[] = {row_of(0, 0, 0.7, -1, 1),
                                 row_of(CSM_DAY, 0, 0.9, 1, 2),
                                 row_of(2 * CSM_DAY, 0, 0.7, 1, 3),
                                 row_of(40 * CSM_DAY, 0, 0.7, 1, 4),
                                 row_of(41 * CSM_DAY, 0, 0.1, -1, 5),
                                 row_of(42 * CSM_DAY, 0, 0.99, 1, NAN)};
    precision_point points[100];
    size_t n = 0;
    assert_int_equal(precision_curve(points, &n, 100, rows, 6, 30 * CSM_DAY, ORDER_PROBABILITY), CSM_OK);
    assert_int_equal(n, 3); /* the row of unknown momentum is not judged */
    assert_int_equal(points[0].count, 1);
    assert_float_equal(points[0].precision, 1, 0);
    assert_float_equal(points[0].blocks, 1, 0);
    assert_int_equal(points[1].count, 4);
    assert_float_equal(points[1].precision, 0.75, 1e-12);
    assert_float_equal(points[1].blocks, 2, 0);
    assert_float_equal(points[2].coverage, 1, 0);
    assert_float_equal(points[2].precision, 0.6, 1e-12);
    assert_int_equal(precision_curve(points, &n, 2, rows, 6, 30 * CSM_DAY, ORDER_MOMENTUM), CSM_OK);
    assert_int_equal(n, 2);
    assert_float_equal(points[0].precision, 0, 0); /* the highest momentum fell */
    assert_int_equal(points[1].count, 5);
}

static void intervals_are_scored_where_they_were_known(void **state) {
    (void)state;
    csm_walk_row rows[] = {row_of(0, 0, 0.5, 0.1, 0), row_of(0, 1, 0.5, 0.3, 0), row_of(0, 2, 0.5, 0.1, 0)};
    rows[2].low = NAN;
    interval_score score = score_intervals(rows, 3);
    assert_int_equal(score.rows, 2);
    assert_float_equal(score.coverage, 0.5, 0);
    assert_float_equal(score.width, 0.4, 1e-12);
    assert_true(isnan(score_intervals(rows, 0).coverage));
}

/* ---- pages ---- */

#define COINS 3
static const char *const coins[COINS] = {"BTC", "<script>alert('x')</script>", "XRP"};

static csm_ranking *make_ranking(double probability, csm_time live) {
    csm_forecast forecasts[COINS] = {0};
    for (uint32_t i = 0; i < COINS; i++) {
        csm_forecast *f = &forecasts[i];
        snprintf(f->coin, sizeof f->coin, "%s", coins[i]);
        snprintf(f->market, sizeof f->market, "kraken:%u/USD", i);
        f->time = f->last_update = 19000 * CSM_DAY;
        f->horizon_count = 2;
        f->horizons[0] =
            (csm_horizon_forecast){.horizon = CSM_DAY, .expected_return = NAN, .probability = NAN};
        f->horizons[1] = (csm_horizon_forecast){.horizon = 30 * CSM_DAY,
                                                .expected_return = 0.1,
                                                .probability = i == 2 ? 0.3 : probability,
                                                .lower = 0.7,
                                                .cost = 0.01};
        f->gate = (csm_gate_input){.traded_value = 1e7, .history = 20 * CSM_WEEK, .live = live, .matured = 1};
    }
    csm_ranking *ranking = NULL;
    assert_ok(csm_rank_build(&ranking, forecasts, COINS, NULL));
    return ranking;
}

/* Daily decisions over 400 days at one horizon; the first 100 were not calibrated. */
static csm_training *make_training(csm_context *context, double highest) {
    enum { DAYS = 400 };
    csm_training *t = csm_alloc_array(1, sizeof *t);
    assert_non_null(t);
    t->as_of = 19000 * CSM_DAY;
    snprintf(t->hash, sizeof t->hash, "%064d", 7);
    assert_ok(csm_fuse_recipe(&t->recipe, csm_fuse_recipe_name(0)));
    t->markets = COINS;
    t->market = csm_alloc_array(COINS, sizeof *t->market);
    t->coin = csm_alloc_array(COINS, sizeof *t->coin);
    for (size_t i = 0; i < COINS; i++) {
        t->market[i] = csm_alloc_array(64, 1);
        t->coin[i] = csm_alloc_array(64, 1);
        snprintf(t->coin[i], 64, "%s", coins[i]);
    }
    t->horizons = 1;
    horizon_walk *walk = &t->horizon[0].walk;
    walk->rows = csm_alloc_array((size_t)DAYS * COINS, sizeof *walk->rows);
    walk->base_rate = csm_alloc_array((size_t)DAYS * COINS, sizeof *walk->base_rate);
    walk->evidence = csm_alloc_array((size_t)DAYS * COINS, sizeof *walk->evidence);
    for (uint64_t i = 0; i < (uint64_t)DAYS * COINS; i++) {
        double p = highest * csm_random_uniform(1, 1, i), fate = csm_random_uniform(1, 2, i);
        csm_time time = (18500 + (csm_time)(i / COINS)) * CSM_DAY;
        walk->rows[i] =
            row_of(time, (uint32_t)(i % COINS), i < 300 ? NAN : p, fate < p ? 0.2 : -0.3, fate - 0.5);
        walk->base_rate[i] = 0.5;
    }
    walk->length = (size_t)DAYS * COINS;
    walk->folds = 4;
    training_settings settings = {.horizons = 1, .bootstrap = 20};
    csm_rank_options_init(&settings.rank);
    t->horizon[0].facts.horizon = 30 * CSM_DAY;
    assert_ok(csm_training_facts(&t->horizon[0], context, &settings));
    return t;
}

typedef struct fixture {
    char folder[512];
    char path[600];
    csm_context *context;
} fixture;

static int set_up(void **state) {
    static fixture f;
    const char *parent = getenv("TMPDIR");
    snprintf(f.folder, sizeof f.folder, "%s/report-XXXXXX", parent && *parent ? parent : "/tmp");
    if (!mkdtemp(f.folder) || csm_context_new(&f.context, NULL) != CSM_OK) return -1;
    snprintf(f.path, sizeof f.path, "%s/report.html", f.folder);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    csm_context_free(f->context);
    unlink(f->path);
    return rmdir(f->folder); /* fails when a temporary was left behind */
}

static char *read_page(const char *path) {
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    char *text = calloc(1, 1 << 22);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 22) - 1, in) > 0);
    fclose(in);
    return text;
}

static char *write_and_read(const fixture *f, const csm_ranking *ranking, const csm_training *training) {
    assert_int_equal(write_report(f->path, ranking, training, NULL, 30 * CSM_DAY), CSM_OK);
    return read_page(f->path);
}

/* Every element is closed in order, attributes are quoted, nothing but escaped text stands between tags. */
static void assert_well_formed(const char *page) {
    char stack[64][32];
    size_t depth = 0;
    assert_memory_equal(page, "<!DOCTYPE html>", 15);
    for (const char *at = page + 15; (at = strchr(at, '<')) != NULL;) {
        const char *end = at + 1;
        for (bool quoted = false; *end && (quoted || *end != '>'); end++) quoted ^= *end == '"';
        assert_int_equal(*end, '>');
        size_t length = strcspn(at + 1 + (at[1] == '/'), " />");
        const char *name = at + 1 + (at[1] == '/');
        assert_true(length > 0 && length < 32 && isalpha((unsigned char)*name));
        if (at[1] == '/') {
            assert_true(depth > 0);
            depth--;
            assert_int_equal(strlen(stack[depth]), length);
            assert_memory_equal(stack[depth], name, length);
        } else if (end[-1] != '/') {
            assert_true(depth < 64);
            snprintf(stack[depth++], 32, "%.*s", (int)length, name);
        }
        at = end + 1;
    }
    assert_int_equal(depth, 0);
}

static size_t occurrences(const char *page, const char *text) {
    size_t n = 0;
    for (const char *at = page; (at = strstr(at, text)) != NULL; at += strlen(text)) n++;
    return n;
}

static void assert_self_contained(const char *page) {
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, " src="));
    assert_null(strstr(page, "url("));
    assert_null(strstr(page, "@import"));
    /* the one address is the attribution that the sentiment source asks for */
    assert_int_equal(occurrences(page, "://"), 1);
    assert_non_null(strstr(page, "href=\"https://alternative.me/crypto/fear-and-greed-index/\""));
}

static void a_page_holds_ranking_gate_and_record_without_outside_resources(void **state) {
    const fixture *f = *state;
    csm_ranking *ranking = make_ranking(0.9, 0);
    csm_training *training = make_training(f->context, 1);
    char *page = write_and_read(f, ranking, training);
    assert_well_formed(page);
    assert_self_contained(page);
    assert_non_null(strstr(page, "2 coins pass the gate, on backtest evidence only"));
    assert_non_null(strstr(page, "<h2>Backtest evidence only</h2>"));
    assert_non_null(
        strstr(page, "a target with monitored evidence; no promise for a single coin or for the future"));
    assert_non_null(strstr(page, csm_training_hash(training)));
    assert_non_null(strstr(page, "PROBABILITY_LOW"));
    assert_non_null(strstr(page, "&lt;script&gt;alert(&#39;x&#39;)"));
    assert_non_null(strstr(page, "The last 10 dates on which the gate was open"));
    assert_non_null(strstr(page, ">did not</td>"));
    for (size_t i = 0; i < 4; i++) {
        static const char *const plots[] = {"reliability-30d-t", "precision-30d-t", "equity-30d-t",
                                            "intervals-30d-t"};
        assert_non_null(strstr(page, plots[i]));
    }
    assert_null(strstr(page, "nan"));
    free(page);
    csm_ranking_free(ranking);
    csm_training_free(training);
}

static void a_closed_gate_says_so_and_shows_how_near_it_came(void **state) {
    const fixture *f = *state;
    csm_ranking *ranking = make_ranking(0.7, 0);
    csm_training *training = make_training(f->context, 0.7);
    char *page = write_and_read(f, ranking, training);
    assert_well_formed(page);
    assert_non_null(strstr(page, "<h1>No reliable opportunities</h1>"));
    assert_non_null(strstr(page, "What would open it"));
    assert_non_null(
        strstr(page, "The gate was never open. The highest calibrated probability ever reached was"));
    assert_non_null(strstr(page, "No call was issued at 30d"));
    assert_non_null(strstr(page, "UNPROVEN"));
    free(page);
    csm_ranking_free(ranking);
    csm_training_free(training);
}

static void a_full_live_clock_changes_the_heading(void **state) {
    const fixture *f = *state;
    csm_ranking *ranking = make_ranking(0.9, 13 * CSM_WEEK);
    char *page = write_and_read(f, ranking, NULL);
    assert_well_formed(page);
    assert_non_null(strstr(page, "<h2>Coins that pass the gate</h2>"));
    assert_null(strstr(page, "Time machine</h2>"));
    free(page);
    csm_ranking_free(ranking);
}

static void a_page_can_be_written_of_nothing(void **state) {
    const fixture *f = *state;
    csm_ranking *none = NULL;
    assert_ok(csm_rank_build(&none, NULL, 0, NULL));
    char *page = write_and_read(f, none, NULL);
    assert_well_formed(page);
    free(page);
    page = write_and_read(f, NULL, NULL);
    assert_well_formed(page);
    assert_self_contained(page);
    free(page);
    csm_ranking_free(none);
}

static void a_record_that_was_never_calibrated_is_told_as_such(void **state) {
    const fixture *f = *state;
    csm_training *training = make_training(f->context, 0.9);
    for (size_t i = 0; i < training->horizon[0].walk.length; i++)
        training->horizon[0].walk.rows[i].probability = training->horizon[0].walk.rows[i].low = NAN;
    training_settings settings = {.horizons = 1};
    csm_rank_options_init(&settings.rank);
    assert_ok(csm_training_facts(&training->horizon[0], f->context, &settings));
    for (size_t i = 0; i < training->horizon[0].walk.length; i++)
        training->horizon[0].walk.rows[i].show = CSM_REASON_MASK(NOT_CALIBRATED);
    char *page = write_and_read(f, NULL, training);
    assert_well_formed(page);
    assert_non_null(strstr(page, "no prediction at 30d could be calibrated yet"));
    assert_non_null(strstr(page, "Nothing was calibrated at this horizon yet"));
    free(page);
    csm_training_free(training);
}

/* ---- files ---- */

static void a_report_replaces_an_older_one_whole(void **state) {
    const fixture *f = *state;
    FILE *out = fopen(f->path, "w");
    assert_non_null(out);
    fputs("older", out);
    fclose(out);
    char *page = write_and_read(f, NULL, NULL);
    assert_null(strstr(page, "older"));
    free(page);
}

static void what_cannot_be_written_is_an_error_and_leaves_nothing(void **state) {
    const fixture *f = *state;
    char path[700];
    assert_int_equal(write_report(f->folder, NULL, NULL, NULL, 30 * CSM_DAY), CSM_EIO);
    snprintf(path, sizeof path, "%s/absent/report.html", f->folder);
    assert_int_equal(write_report(path, NULL, NULL, NULL, 30 * CSM_DAY), CSM_EIO);
    /* a character device would be replaced by the rename */
    assert_int_equal(write_report("/dev/null", NULL, NULL, NULL, 30 * CSM_DAY), CSM_EIO);
    struct stat there;
    assert_int_equal(stat("/dev/null", &there), 0);
    assert_true(S_ISCHR(there.st_mode));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_from_outside_is_escaped),
        cmocka_unit_test(markup_grows_to_any_size),
        cmocka_unit_test(numbers_are_written_for_people),
        cmocka_unit_test(a_date_is_the_mean_of_its_issued_calls),
        cmocka_unit_test(ties_are_taken_whole_in_the_precision_curve),
        cmocka_unit_test(intervals_are_scored_where_they_were_known),
        cmocka_unit_test_setup_teardown(a_page_holds_ranking_gate_and_record_without_outside_resources,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_closed_gate_says_so_and_shows_how_near_it_came, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_live_clock_changes_the_heading, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_page_can_be_written_of_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_that_was_never_calibrated_is_told_as_such, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_report_replaces_an_older_one_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_an_error_and_leaves_nothing, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
