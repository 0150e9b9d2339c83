/* SPDX-License-Identifier: MIT */
#include "model/tune.h"

#define SPACE four_kinds, COUNT(four_kinds)

/* ---- what is proposed ---- */

static void the_first_trial_has_the_standard_values(void **state) {
    (void)state;
    csm_tuner *tuner = tuner_new(SPACE, 5, 1, 1);
    csm_trial trial;
    assert_ok(csm_tuner_ask(&trial, tuner));
    assert_int_equal(trial.number, 0);
    assert_int_equal(trial.parameter_count, COUNT(four_kinds));
    for (size_t p = 0; p < trial.parameter_count; p++) {
        assert_string_equal(trial.parameters[p].name, four_kinds[p].name);
        assert_true(trial.parameters[p].value == four_kinds[p].standard);
    }
    csm_tuner_free(tuner);
}

static void proposals_stay_within_the_space(void **state) {
    (void)state;
    csm_tuner *tuner = tuner_new(SPACE, 80, 1, 3);
    tuner_run(tuner, bowl, SIZE_MAX);
    for (size_t i = 0; i < csm_tuner_count(tuner); i++) {
        csm_trial trial;
        assert_ok(csm_tuner_trial(&trial, tuner, i));
        for (size_t p = 0; p < trial.parameter_count; p++) {
            const csm_learner_parameter *axis = &four_kinds[p];
            const double value = trial.parameters[p].value;
            assert_true(value >= axis->minimum && value <= axis->maximum);
            assert_true(!axis->integer || value == floor(value));
        }
    }
    csm_tuner_free(tuner);
}

static void the_same_seed_gives_the_same_search_and_another_seed_another(void **state) {
    (void)state;
    csm_tuner *a = tuner_new(SPACE, 30, 4, 9), *b = tuner_new(SPACE, 30, 4, 9),
              *c = tuner_new(SPACE, 30, 4, 10);
    tuner_run(a, bowl, SIZE_MAX);
    tuner_run(b, bowl, SIZE_MAX);
    tuner_run(c, bowl, SIZE_MAX);
    assert_same_trials(a, b);
    csm_trial x, y;
    assert_ok(csm_tuner_trial(&x, a, 1));
    assert_ok(csm_tuner_trial(&y, c, 1));
    assert_true(x.parameters[0].value != y.parameters[0].value);
    csm_tuner_free(a);
    csm_tuner_free(b);
    csm_tuner_free(c);
}

/* ---- better than chance: analytic functions, paired over seeds ---- */

static double sphere(const csm_parameter *x) {
    double sum = 0;
    for (size_t d = 0; d < 5; d++) sum += x[d].value * x[d].value;
    return sum;
}

static double rosenbrock(const csm_parameter *x) {
    const double a = x[0].value, b = x[1].value;
    return 100 * (b - a * a) * (b - a * a) + (1 - a) * (1 - a);
}

static double branin(const csm_parameter *x) {
    const double pi = 3.14159265358979323846, a = x[0].value, b = x[1].value;
    const double bend = b - 5.1 / (4 * pi * pi) * a * a + 5 / pi * a - 6;
    return bend * bend + 10 * (1 - 1 / (8 * pi)) * cos(a) + 10;
}

/* Hartmann 1973 in six dimensions; least -3.322. */
static double hartmann(const csm_parameter *x) {
    static const double height[4] = {1, 1.2, 3, 3.2};
    static const double width[4][6] = {{10, 3, 17, 3.5, 1.7, 8},
                                       {0.05, 10, 17, 0.1, 8, 14},
                                       {3, 3.5, 1.7, 10, 17, 8},
                                       {17, 8, 0.05, 10, 0.1, 14}};
    static const double centre[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
                                        {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
                                        {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
                                        {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};
    double sum = 0;
    for (size_t i = 0; i < 4; i++) {
        double distance = 0;
        for (size_t d = 0; d < 6; d++) {
            const double step = x[d].value - centre[i][d];
            distance += width[i][d] * step * step;
        }
        sum -= height[i] * exp(-distance);
    }
    return sum;
}

/* What tuning trees is like: rate times rounds matters, then leaves. */
static double like_trees(const csm_parameter *x) {
    const double a = log(x[0].value * x[1].value / 20), b = log(x[2].value / 24), c = log(x[0].value / 0.03);
    return a * a + 0.5 * b * b + 0.1 * c * c + 0.3 * fabs(x[3].value - 0.6);
}

static double least(const csm_learner_parameter *space, size_t count, function f, uint64_t seed,
                    uint32_t startup) {
    csm_tuner_options options;
    csm_tuner *tuner;
    csm_trial trial;
    csm_tuner_options_init(&options);
    options.trials = 60;
    options.startup = startup;
    options.seed = seed;
    assert_ok(csm_tuner_new(&tuner, space, count, &options));
    while (csm_tuner_ask(&trial, tuner) == CSM_OK) {
        const double loss = f(trial.parameters);
        assert_ok(csm_tuner_tell(tuner, trial.number, &loss, 1));
    }
    assert_ok(csm_tuner_best(&trial, tuner));
    csm_tuner_free(tuner);
    return trial.loss;
}

static void the_estimator_beats_random_search_on_analytic_functions(void **state) {
    (void)state;
    static const struct {
        const char *name;
        function f;
        size_t count;
        csm_learner_parameter space[6];
    } cases[] = {
        {"sphere",
         sphere,
         5,
         {REAL("a", -5, 5, 4), REAL("b", -5, 5, 4), REAL("c", -5, 5, 4), REAL("d", -5, 5, 4),
          REAL("e", -5, 5, 4)}},
        {"rosenbrock", rosenbrock, 2, {REAL("a", -2, 2, -1.5), REAL("b", -2, 2, -1.5)}},
        {"branin", branin, 2, {REAL("a", -5, 10, 2.5), REAL("b", 0, 15, 7.5)}},
        {"hartmann",
         hartmann,
         6,
         {REAL("a", 0, 1, 0.5), REAL("b", 0, 1, 0.5), REAL("c", 0, 1, 0.5), REAL("d", 0, 1, 0.5),
          REAL("e", 0, 1, 0.5), REAL("f", 0, 1, 0.5)}},
        {"like trees",
         like_trees,
         4,
         {{"rate", "", 1e-3, 1, 0.3, 0, 1},
          {"rounds", "", 10, 2000, 100, 1, 1},
          {"leaves", "", 2, 256, 31, 1, 1},
          REAL("share", 0.1, 1, 1)}},
    };
    enum { SEEDS = 20 };
    size_t all = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t wins = 0;
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            wins += least(cases[i].space, cases[i].count, cases[i].f, seed, 10) <
                    least(cases[i].space, cases[i].count, cases[i].f, seed, 60);
        print_message("%s: better than random search with %zu of %d seeds\n", cases[i].name, wins, SEEDS);
        assert_true(wins >= 13); /* of 20 fair coins: 13 or more in 13 of 100 */
        all += wins;
    }
    assert_true(all >= 80); /* of 100 fair coins: never */
}

/* ---- halving ---- */

static void a_rung_lets_the_best_of_so_many_go_on(void **state) {
    (void)state;
    csm_tuner *tuner = tuner_new(SPACE, 16, 4, 5); /* rungs end after 1, 2 and 4 steps */
    tuner_run(tuner, bowl, SIZE_MAX);
    size_t reached[5] = {0};
    double worst = -INFINITY,
           best = INFINITY; /* first losses of those that went on, and of those that did not */
    for (size_t i = 0; i < 16; i++) {
        const tune_trial *trial = &tuner->trials[i];
        reached[trial->told]++;
        if (trial->told > 1) worst = fmax(worst, trial->loss[0]);
        if (trial->told == 1) best = fmin(best, trial->loss[0]);
    }
    assert_int_equal(reached[0] + reached[3], 0);
    /* 16 / 2 at the end; those let on early, before better ones came, may add to them */
    assert_true(reached[2] + reached[4] >= 8 && reached[1] > 0);
    assert_true(reached[4] >= 4);
    if (reached[2] + reached[4] == 8) assert_true(worst <= best);
    csm_tuner_free(tuner);
}

static void a_stopped_trial_goes_on_when_later_ones_turn_out_worse(void **state) {
    (void)state;
    csm_tuner *tuner = tuner_new(SPACE, 10, 2, 5); /* rungs end after 1 and 2 steps, one of two goes on */
    csm_trial trial;
    const double losses[] = {2, 1, 4};
    assert_ok(csm_tuner_ask(&trial, tuner));
    assert_ok(csm_tuner_tell(tuner, 0, &losses[0], 1));
    assert_ok(csm_tuner_ask(&trial, tuner)); /* one of one trial does not go on yet */
    assert_int_equal(trial.number, 1);
    assert_ok(csm_tuner_tell(tuner, 1, &losses[1], 1));
    assert_ok(csm_tuner_ask(&trial, tuner)); /* one of two does: the better one */
    assert_int_equal(trial.number, 1);
    assert_int_equal(trial.from_step, 1);
    assert_int_equal(trial.to_step, 2);
    assert_ok(csm_tuner_tell(tuner, 1, &losses[1], 1));
    for (size_t number = 2; number < 4; number++) {
        assert_ok(csm_tuner_ask(&trial, tuner));
        assert_int_equal(trial.number, number);
        assert_ok(csm_tuner_tell(tuner, number, &losses[2], 1));
    }
    assert_ok(csm_tuner_ask(&trial, tuner)); /* of four two go on, and 0 is second now */
    assert_int_equal(trial.number, 0);
    assert_int_equal(trial.from_step, 1);
    csm_tuner_free(tuner);
}

static void at_the_end_at_least_one_trial_is_complete(void **state) {
    (void)state;
    csm_tuner_options options;
    csm_tuner *tuner;
    csm_trial best;
    csm_tuner_options_init(&options);
    options.trials = 3;
    options.steps = 27;
    options.reduction = 9;
    assert_ok(csm_tuner_new(&tuner, SPACE, &options));
    assert_int_equal(tuner_run(tuner, bowl, SIZE_MAX), 5); /* 3 of one step, then to 9 and to 27 */
    assert_ok(csm_tuner_best(&best, tuner));
    assert_int_equal(best.state, CSM_TRIAL_COMPLETE);
    assert_int_equal(best.to_step, 27);
    csm_tuner_free(tuner);
}

static void a_trial_that_got_further_is_better_whatever_its_loss(void **state) {
    (void)state;
    csm_tuner *tuner = tuner_new(SPACE, 4, 2, 5);
    csm_trial trial;
    const double one = 1, two = 2, late = 50;
    assert_ok(csm_tuner_ask(&trial, tuner));
    assert_ok(csm_tuner_tell(tuner, 0, &one, 1));
    assert_ok(csm_tuner_ask(&trial, tuner));
    assert_ok(csm_tuner_tell(tuner, 1, &two, 1));
    assert_ok(csm_tuner_ask(&trial, tuner));
    assert_int_equal(trial.number, 0);
    assert_ok(csm_tuner_tell(tuner, 0, &late, 1));
    assert_ok(csm_tuner_best(&trial, tuner));
    assert_int_equal(trial.number, 0);
    assert_true(trial.loss == 25.5);
    csm_tuner_free(tuner);
}

static void a_loss_that_is_not_finite_fails_its_trial_alone(void **state) {
    (void)state;
    csm_tuner *tuner = tuner_new(SPACE, 40, 4, 5);
    csm_trial trial;
    while (csm_tuner_ask(&trial, tuner) == CSM_OK) {
        double loss[4];
        for (uint32_t s = trial.from_step; s < trial.to_step; s++)
            loss[s - trial.from_step] = trial.number % 3 == 0 ? NAN : step_loss(bowl, &trial, s);
        assert_ok(csm_tuner_tell(tuner, trial.number, loss, trial.to_step - trial.from_step));
    }
    size_t failed = 0;
    for (size_t i = 0; i < 40; i++) {
        assert_ok(csm_tuner_trial(&trial, tuner, i));
        failed += trial.state == CSM_TRIAL_FAILED && isnan(trial.loss);
    }
    assert_int_equal(failed, 14);
    assert_ok(csm_tuner_best(&trial, tuner));
    assert_true(trial.number % 3 != 0 && isfinite(trial.loss));
    csm_tuner_free(tuner);
}

static void trials_may_be_out_at_the_same_time(void **state) {
    (void)state;
    csm_tuner *tuner = tuner_new(SPACE, 3, 1, 5);
    csm_trial trial;
    const double loss = 1;
    for (size_t i = 0; i < 3; i++) {
        assert_ok(csm_tuner_ask(&trial, tuner));
        assert_int_equal(trial.number, i);
    }
    assert_fails(CSM_ENODATA, "all 3 trials are done or out", csm_tuner_ask(&trial, tuner));
    for (size_t i = 3; i-- > 0;) assert_ok(csm_tuner_tell(tuner, i, &loss, 1));
    assert_fails(CSM_ENODATA, "all 3 trials", csm_tuner_ask(&trial, tuner));
    assert_ok(csm_tuner_best(&trial, tuner));
    assert_int_equal(trial.number, 0);
    csm_tuner_free(tuner);
}

/* ---- refusals ---- */

static void wrong_options_and_spaces_are_named(void **state) {
    (void)state;
    csm_tuner_options options;
    csm_tuner *tuner;
#define REFUSED(part, member, value)                                                                         \
    csm_tuner_options_init(&options);                                                                        \
    options.member = value;                                                                                  \
    assert_fails(CSM_EINVAL, part, csm_tuner_new(&tuner, SPACE, &options))
    REFUSED("trials = 0", trials, 0);
    REFUSED("trials = 10001", trials, 10001);
    REFUSED("steps = 0", steps, 0);
    REFUSED("first_steps = 2", first_steps, 2);
    REFUSED("reduction = 1", reduction, 1);
    REFUSED("candidates = 0", candidates, 0);
#undef REFUSED
    const csm_learner_parameter wrong[] = {
        REAL(NULL, 0, 1, 0),        REAL("x", 1, 0, 1),         REAL("x", 0, INFINITY, 1), REAL("x", 0, 1, 2),
        {"x", "", 0, 1, 0.5, 0, 1}, {"x", "", 0.5, 3, 1, 1, 0}, {"x", "", 0, 3, 0.5, 1, 0}};
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_fails(CSM_EINVAL, "tuner: ", csm_tuner_new(&tuner, &wrong[i], 1, NULL));
    const csm_learner_parameter twice[] = {REAL("x", 0, 1, 0), REAL("x", 0, 1, 0)};
    assert_fails(CSM_EINVAL, "given twice", csm_tuner_new(&tuner, twice, 2, NULL));
    assert_fails(CSM_EINVAL, "0 parameters", csm_tuner_new(&tuner, twice, 0, NULL));
    assert_fails(CSM_EINVAL, "NULL", csm_tuner_new(NULL, twice, 1, NULL));
    csm_tuner_free(NULL);
}

static void what_was_not_asked_for_cannot_be_told(void **state) {
    (void)state;
    csm_tuner *tuner = tuner_new(SPACE, 3, 4, 5);
    csm_trial trial;
    const double loss[2] = {1, 2};
    assert_fails(CSM_EINVAL, "trial 0 was not asked for", csm_tuner_tell(tuner, 0, loss, 1));
    assert_fails(CSM_ENODATA, "none of 0 trials", csm_tuner_best(&trial, tuner));
    assert_fails(CSM_EINVAL, "trial 0 of 0", csm_tuner_trial(&trial, tuner, 0));
    assert_ok(csm_tuner_ask(&trial, tuner));
    assert_fails(CSM_EINVAL, "2 losses for steps 0..1", csm_tuner_tell(tuner, 0, loss, 2));
    assert_ok(csm_tuner_tell(tuner, 0, loss, 1));
    assert_fails(CSM_EINVAL, "trial 0 was not asked for", csm_tuner_tell(tuner, 0, loss, 1));
    csm_tuner_free(tuner);
}

static void an_options_struct_of_an_older_program_keeps_the_defaults(void **state) {
    (void)state;
    csm_tuner_options options;
    csm_tuner *tuner;
    csm_tuner_options_init(&options);
    options.size = offsetof(csm_tuner_options, steps);
    options.trials = 7;
    options.steps = 99; /* beyond the size told: not looked at */
    assert_ok(csm_tuner_new(&tuner, SPACE, &options));
    assert_int_equal(tuner->options.trials, 7);
    assert_int_equal(tuner->options.steps, 1);
    assert_string_equal(csm_tuner_key(tuner), "");
    csm_tuner_free(tuner);
}

static void every_failed_allocation_leaves_the_tuner_as_it_was(void **state) {
    (void)state;
    csm_tuner *tuner = NULL, *whole = tuner_new(SPACE, 14, 2, 5);
    tuner_run(whole, bowl, SIZE_MAX);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status == CSM_ENOMEM; n++) {
        csm_tuner_options options = whole->options;
        csm_fault_allocation(n, false);
        status = csm_tuner_new(&tuner, SPACE, &options);
        csm_fault_allocation(0, false);
    }
    assert_ok(status);
    csm_trial trial;
    while (status != CSM_ENODATA) {
        status = CSM_ENOMEM;
        for (uint64_t n = 1; status == CSM_ENOMEM; n++) {
            csm_fault_allocation(n, false);
            status = csm_tuner_ask(&trial, tuner);
            csm_fault_allocation(0, false);
        }
        if (status == CSM_ENODATA) break;
        double loss[2];
        for (uint32_t s = trial.from_step; s < trial.to_step; s++)
            loss[s - trial.from_step] = step_loss(bowl, &trial, s);
        assert_ok(csm_tuner_tell(tuner, trial.number, loss, trial.to_step - trial.from_step));
    }
    assert_same_trials(tuner, whole);
    csm_tuner_free(tuner);
    csm_tuner_free(whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_trial_has_the_standard_values),
        cmocka_unit_test(proposals_stay_within_the_space),
        cmocka_unit_test(the_same_seed_gives_the_same_search_and_another_seed_another),
        cmocka_unit_test(the_estimator_beats_random_search_on_analytic_functions),
        cmocka_unit_test(a_rung_lets_the_best_of_so_many_go_on),
        cmocka_unit_test(a_stopped_trial_goes_on_when_later_ones_turn_out_worse),
        cmocka_unit_test(at_the_end_at_least_one_trial_is_complete),
        cmocka_unit_test(a_trial_that_got_further_is_better_whatever_its_loss),
        cmocka_unit_test(a_loss_that_is_not_finite_fails_its_trial_alone),
        cmocka_unit_test(trials_may_be_out_at_the_same_time),
        cmocka_unit_test(wrong_options_and_spaces_are_named),
        cmocka_unit_test(what_was_not_asked_for_cannot_be_told),
        cmocka_unit_test(an_options_struct_of_an_older_program_keeps_the_defaults),
        cmocka_unit_test(every_failed_allocation_leaves_the_tuner_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
