/* SPDX-License-Identifier: MIT */
#include "calibrate/golden.h"

#include "core/internal.h"
#include <cryptosmart/calibrate.h>

#include <math.h>

#define ROWS_MAX 65536

typedef struct ledger {
    csm_time time[ROWS_MAX];
    double probability[ROWS_MAX];
    double outcome[ROWS_MAX];
    csm_outcomes view;
} ledger;

static ledger *new_ledger(csm_time horizon) {
    ledger *l = calloc(1, sizeof *l);
    l->view = (csm_outcomes){
        .horizon = horizon, .time = l->time, .probability = l->probability, .outcome = l->outcome};
    return l;
}

static void add(ledger *l, csm_time time, double probability, bool right) {
    size_t i = l->view.length++;
    assert_true(i < ROWS_MAX);
    l->time[i] = time;
    l->probability[i] = probability;
    l->outcome[i] = right;
}

static csm_evidence weigh(const ledger *l) {
    csm_evidence evidence;
    assert_ok(csm_calibrate_evidence(&evidence, &l->view, NULL));
    return evidence;
}

/* Signals of this precision: `coins` a block, one decision a block. */
static void plant(ledger *l, double precision, size_t blocks, size_t coins, uint64_t seed) {
    for (size_t b = 0; b < blocks; b++) {
        for (size_t c = 0; c < coins; c++)
            add(l, (csm_time)b * l->view.horizon, 0.85, csm_random_uniform(seed, b, c) < precision);
    }
}

/* ---- against the formulas, written down again in Python ---- */

static void bounds_and_e_value_equal_the_paper_on_a_grid(void **state) {
    (void)state;
    static const char *const files[] = {"evidence.txt", "evidence_overlap.txt"};
    golden expected = golden_read("evidence_expected.txt", 6);
    for (size_t k = 0; k < 2; k++) {
        golden rows = golden_read(files[k], 3);
        ledger *l = new_ledger(CSM_DAY);
        for (size_t i = 0; i < rows.rows; i++)
            add(l, (csm_time)llround(rows.column[0][i] * (double)CSM_DAY), rows.column[1][i],
                rows.column[2][i] > 0);
        csm_evidence_options options;
        csm_evidence e;
        csm_calibrate_evidence_options_init(&options);
        options.target = 0.97;
        assert_ok(csm_calibrate_evidence(&e, &l->view, &options));
        assert_int_equal(e.issued, (size_t)expected.column[0][k]);
        assert_near(e.blocks, expected.column[1][k], 0);
        assert_near(e.precision, expected.column[2][k], 1e-15);
        assert_true(e.lower >= expected.column[3][k] && e.lower < expected.column[3][k] + 5e-5);
        assert_true(e.upper <= expected.column[4][k] && e.upper > expected.column[4][k] - 5e-5);
        assert_near(e.e_value, expected.column[5][k], 1e-12);
        golden_free(&rows);
        free(l);
    }
    golden_free(&expected);
}

/* ---- canaries ---- */

static void a_planted_precision_of_85_percent_is_certified_with_enough_blocks(void **state) {
    (void)state;
    size_t certified = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        ledger *l = new_ledger(CSM_DAY);
        plant(l, 0.85, 400, 20, seed);
        csm_evidence e = weigh(l);
        certified += e.status == CSM_EVIDENCE_CERTIFIED;
        assert_true(e.lower <= 0.87 && e.upper >= 0.83);
        free(l);
    }
    assert_true(certified >= 38);
}

static void a_planted_precision_of_70_percent_is_revoked_and_never_certified(void **state) {
    (void)state;
    size_t revoked = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        ledger *l = new_ledger(CSM_DAY);
        plant(l, 0.70, 60, 20, seed);
        csm_evidence e = weigh(l);
        revoked += e.status == CSM_EVIDENCE_REVOKED;
        assert_int_not_equal(e.status, CSM_EVIDENCE_CERTIFIED);
        free(l);
    }
    assert_true(revoked >= 198);
}

/* At most 5 % and four standard errors of the simulation. */
static size_t tolerated(size_t trials) {
    return (size_t)((double)trials * 0.05 + 4 * sqrt((double)trials * 0.05 * 0.95));
}

/* Bounds only tighten as blocks come in, so the last look is the worst of daily looks. */
static void false_certificates_and_revocations_stay_within_five_percent(void **state) {
    (void)state;
    static const size_t coins[] = {1, 3, 20};
    size_t trials = 600;
    for (size_t k = 0; k < 3; k++) {
        size_t certified = 0, revoked = 0;
        for (uint64_t seed = 0; seed < trials; seed++) {
            ledger *l = new_ledger(CSM_DAY);
            plant(l, 0.80, 150, coins[k], 1000 * (k + 1) + seed);
            csm_evidence e = weigh(l);
            certified += e.lower > 0.80;
            revoked += e.upper < 0.80;
            free(l);
        }
        assert_true(certified <= tolerated(trials));
        assert_true(revoked <= tolerated(trials));
    }
}

/* One market factor carries all coins, decisions are daily and labels last 30 days: an outcome is right when the factor's
 * next 30 steps end above their 20 % quantile, so precision is exactly 0.80 and neighbouring outcomes overlap by 29/30. */
static void labels_that_overlap_do_not_make_evidence_overconfident(void **state) {
    (void)state;
    size_t trials = 600, certified = 0, revoked = 0, days = 30 * 60;
    double quantile = -0.8416212335729143 * sqrt(30.0);
    double *path = calloc(days + 31, sizeof *path);
    for (uint64_t seed = 0; seed < trials; seed++) {
        ledger *l = new_ledger(30 * CSM_DAY);
        for (size_t d = 0; d < days + 30; d++) path[d + 1] = path[d] + csm_random_normal(seed, 77, d);
        for (size_t d = 0; d < days; d++)
            add(l, (csm_time)d * CSM_DAY, 0.85, path[d + 30] - path[d] > quantile);
        csm_evidence e = weigh(l);
        certified += e.lower > 0.80;
        revoked += e.upper < 0.80;
        free(l);
    }
    free(path);
    assert_true(certified <= tolerated(trials));
    assert_true(revoked <= tolerated(trials));
}

/* ---- status ---- */

static void fewer_than_14_blocks_are_unproven_whatever_they_say(void **state) {
    (void)state;
    for (size_t blocks = 0; blocks < 14; blocks++) {
        ledger *right = new_ledger(CSM_DAY), *wrong = new_ledger(CSM_DAY);
        plant(right, 1, blocks, 10, 1);
        plant(wrong, 0, blocks, 10, 1);
        assert_int_equal(weigh(right).status, CSM_EVIDENCE_UNPROVEN);
        assert_int_equal(weigh(wrong).status, CSM_EVIDENCE_UNPROVEN);
        free(right);
        free(wrong);
    }
}

static void blocks_that_are_always_wrong_are_revoked_at_once(void **state) {
    (void)state;
    ledger *l = new_ledger(CSM_DAY);
    plant(l, 0, 14, 10, 1);
    csm_evidence e = weigh(l);
    assert_int_equal(e.status, CSM_EVIDENCE_REVOKED);
    assert_true(e.upper < 0.80 && e.e_value >= 20);
    assert_true(e.lower == 0 && e.precision == 0);
    free(l);
}

/* Each right block multiplies wealth against 0.80 by 1 + (0.75 / 0.8) 0.2 = 1.1875: ln 20 / ln 1.1875 = 17.4. Apart, even
 * and odd blocks need ln 40 / ln 1.1875 = 21.5 each, and the 22nd even one is the 43rd of all. */
static void always_right_is_certified_after_18_blocks_or_43_that_overlap(void **state) {
    (void)state;
    for (size_t blocks = 14; blocks <= 50; blocks++) {
        ledger *apart = new_ledger(CSM_DAY), *overlapping = new_ledger(CSM_DAY);
        plant(apart, 1, blocks, 2, 1);
        plant(overlapping, 1, blocks, 2, 1);
        for (size_t i = 0; i < overlapping->view.length; i += 2) overlapping->time[i] += CSM_HOUR;
        assert_int_equal(weigh(apart).status, blocks < 18 ? CSM_EVIDENCE_CONSISTENT : CSM_EVIDENCE_CERTIFIED);
        assert_int_equal(weigh(overlapping).status,
                         blocks < 43 ? CSM_EVIDENCE_CONSISTENT : CSM_EVIDENCE_CERTIFIED);
        free(apart);
        free(overlapping);
    }
}

static void nothing_issued_says_nothing(void **state) {
    (void)state;
    ledger *l = new_ledger(CSM_DAY);
    csm_evidence e = weigh(l);
    assert_true(e.issued == 0 && e.blocks == 0 && isnan(e.precision) && e.lower == 0 && e.upper == 1);
    for (size_t i = 0; i < 30; i++) add(l, (csm_time)i * CSM_DAY, 0.79, true);
    e = weigh(l);
    assert_true(e.issued == 0 && e.status == CSM_EVIDENCE_UNPROVEN);
    free(l);
}

static void a_later_good_run_does_not_undo_a_revocation(void **state) {
    (void)state;
    ledger *l = new_ledger(CSM_DAY);
    plant(l, 0, 14, 5, 1);
    for (size_t i = 14; i < 400; i++) add(l, (csm_time)i * CSM_DAY, 0.9, true);
    assert_int_equal(weigh(l).status, CSM_EVIDENCE_REVOKED);
    free(l);
}

/* ---- what must not matter ---- */

static void every_coin_doubled_changes_nothing(void **state) {
    (void)state;
    ledger *one = new_ledger(CSM_DAY), *two = new_ledger(CSM_DAY);
    plant(one, 0.9, 60, 7, 5);
    plant(two, 0.9, 60, 7, 5);
    plant(two, 0.9, 60, 7, 5);
    csm_evidence a = weigh(one), b = weigh(two);
    assert_true(a.lower == b.lower && a.upper == b.upper && a.e_value == b.e_value && a.blocks == b.blocks);
    assert_int_equal(b.issued, 2 * a.issued);
    free(one);
    free(two);
}

static void the_order_of_rows_changes_nothing(void **state) {
    (void)state;
    ledger *one = new_ledger(CSM_DAY), *two = new_ledger(CSM_DAY);
    plant(one, 0.9, 60, 7, 5);
    for (size_t i = one->view.length; i-- > 0;)
        add(two, one->time[i], one->probability[i], one->outcome[i] > 0);
    csm_evidence a = weigh(one), b = weigh(two);
    assert_memory_equal(&a, &b, sizeof a);
    free(one);
    free(two);
}

/* Decisions that do not overlap are one chain; the same outcomes with overlapping labels cost half the level. */
static void overlapping_labels_widen_the_bounds(void **state) {
    (void)state;
    ledger *apart = new_ledger(CSM_DAY), *overlapping = new_ledger(CSM_DAY);
    plant(apart, 0.9, 60, 8, 5);
    plant(overlapping, 0.9, 60, 8, 5);
    for (size_t i = 0; i < overlapping->view.length; i += 2) overlapping->time[i] += CSM_HOUR;
    csm_evidence a = weigh(apart), b = weigh(overlapping);
    assert_true(a.blocks == b.blocks && a.issued == b.issued);
    assert_true(b.lower < a.lower && b.upper > a.upper);
    free(apart);
    free(overlapping);
}

static void times_before_the_epoch_and_at_its_edges_are_blocks_too(void **state) {
    (void)state;
    ledger *l = new_ledger(30 * CSM_DAY);
    add(l, CSM_TIME_MIN, 0.9, true);
    add(l, -1, 0.9, true);
    add(l, 0, 0.9, true);
    add(l, CSM_TIME_MAX, 0.9, false);
    csm_evidence e = weigh(l);
    assert_true(e.blocks == 4 && e.issued == 4 && e.precision == 0.75);
    free(l);
}

/* ---- errors ---- */

static void wrong_input_is_named(void **state) {
    (void)state;
    ledger *l = new_ledger(CSM_DAY);
    csm_evidence e;
    csm_evidence_options options;
    plant(l, 0.9, 20, 2, 1);
    csm_calibrate_evidence_options_init(&options);
    options.target = 1;
    assert_fails(CSM_EINVAL, "target 1", csm_calibrate_evidence(&e, &l->view, &options));
    csm_calibrate_evidence_options_init(&options);
    options.level = 0;
    assert_fails(CSM_EINVAL, "level 0", csm_calibrate_evidence(&e, &l->view, &options));
    csm_calibrate_evidence_options_init(&options);
    options.threshold = NAN;
    assert_fails(CSM_EINVAL, "threshold", csm_calibrate_evidence(&e, &l->view, &options));
    csm_calibrate_evidence_options_init(&options);
    options.revoke_at = 1;
    assert_fails(CSM_EINVAL, "revoke_at", csm_calibrate_evidence(&e, &l->view, &options));
    csm_calibrate_evidence_options_init(&options);
    options.blocks_needed = 0;
    assert_fails(CSM_EINVAL, "blocks_needed", csm_calibrate_evidence(&e, &l->view, &options));
    l->outcome[3] = NAN;
    assert_fails(CSM_EINVAL, "outcome 3", csm_calibrate_evidence(&e, &l->view, NULL));
    l->outcome[3] = 1;
    l->probability[4] = 1.5;
    assert_fails(CSM_EINVAL, "probability 4", csm_calibrate_evidence(&e, &l->view, NULL));
    l->view.probability = NULL;
    assert_fails(CSM_EINVAL, "NULL", csm_calibrate_evidence(&e, &l->view, NULL));
    assert_fails(CSM_EINVAL, "NULL", csm_calibrate_evidence(&e, NULL, NULL));
    assert_fails(CSM_EINVAL, "NULL", csm_calibrate_evidence(NULL, &l->view, NULL));
    free(l);
}

static void every_failed_allocation_ends_in_an_error(void **state) {
    (void)state;
    ledger *l = new_ledger(CSM_DAY);
    csm_status status = CSM_ENOMEM;
    plant(l, 0.9, 20, 2, 1);
    for (size_t i = 0; i < 20; i++) l->time[i] += CSM_DAY; /* not sorted: the sort allocates too */
    for (uint64_t n = 1; status; n++) {
        csm_evidence e;
        csm_fault_allocation(n, false);
        status = csm_calibrate_evidence(&e, &l->view, NULL);
        csm_fault_allocation(0, false);
        if (status) assert_int_equal(status, CSM_ENOMEM);
        assert_true(n < 100);
    }
    free(l);
}

static void statuses_have_names(void **state) {
    (void)state;
    assert_string_equal(csm_evidence_name(CSM_EVIDENCE_UNPROVEN), "UNPROVEN");
    assert_string_equal(csm_evidence_name(CSM_EVIDENCE_REVOKED), "REVOKED");
    assert_string_equal(csm_evidence_name(CSM_EVIDENCE_CONSISTENT), "CONSISTENT");
    assert_string_equal(csm_evidence_name(CSM_EVIDENCE_CERTIFIED), "CERTIFIED");
    assert_string_equal(csm_evidence_name(17), "UNKNOWN");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_and_e_value_equal_the_paper_on_a_grid),
        cmocka_unit_test(a_planted_precision_of_85_percent_is_certified_with_enough_blocks),
        cmocka_unit_test(a_planted_precision_of_70_percent_is_revoked_and_never_certified),
        cmocka_unit_test(false_certificates_and_revocations_stay_within_five_percent),
        cmocka_unit_test(labels_that_overlap_do_not_make_evidence_overconfident),
        cmocka_unit_test(fewer_than_14_blocks_are_unproven_whatever_they_say),
        cmocka_unit_test(blocks_that_are_always_wrong_are_revoked_at_once),
        cmocka_unit_test(always_right_is_certified_after_18_blocks_or_43_that_overlap),
        cmocka_unit_test(nothing_issued_says_nothing),
        cmocka_unit_test(a_later_good_run_does_not_undo_a_revocation),
        cmocka_unit_test(every_coin_doubled_changes_nothing),
        cmocka_unit_test(the_order_of_rows_changes_nothing),
        cmocka_unit_test(overlapping_labels_widen_the_bounds),
        cmocka_unit_test(times_before_the_epoch_and_at_its_edges_are_blocks_too),
        cmocka_unit_test(wrong_input_is_named),
        cmocka_unit_test(every_failed_allocation_ends_in_an_error),
        cmocka_unit_test(statuses_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
