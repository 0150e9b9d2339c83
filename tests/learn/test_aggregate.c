/* SPDX-License-Identifier: MIT */
/* Exponentially weighted aggregation: the closed form, the bound on regret, late outcomes, members that stay silent. */
#include "core/support.h"

#include <cryptosmart/learn.h>

#include "core/internal.h"

#include <math.h>

static void weights_equal_the_closed_form(void **state) {
    (void)state;
    static const double loss[4][3] = {{0.1, 0.9, 0.4}, {0, 1, 0.5}, {0.7, 0.2, 0.3}, {0.25, 0.25, 0.25}};
    for (double delay = 0; delay <= 30; delay += 15) {
        csm_aggregate *aggregate;
        double weight[3], sum[3] = {0};
        assert_ok(csm_aggregate_new(&aggregate, 3, delay));
        for (size_t t = 0; t <= 4; t++) {
            double rate = sqrt(8 * log(3) / ((double)(t + 1) * (2 * delay + 1))), total = 0;
            for (size_t m = 0; m < 3; m++) total += exp(-rate * sum[m]);
            assert_ok(csm_aggregate_weights(weight, aggregate));
            for (size_t m = 0; m < 3; m++) assert_true(fabs(weight[m] - exp(-rate * sum[m]) / total) < 1e-14);
            if (t == 4) break;
            assert_ok(csm_aggregate_add(aggregate, loss[t]));
            for (size_t m = 0; m < 3; m++) sum[m] += loss[t][m];
        }
        csm_aggregate_free(aggregate);
    }
}

/* Probabilities of five members, one of whom is good, then another: Brier losses of the mixture against the best member's, with
 * outcomes known after `delay` more rounds. */
static double regret(size_t rounds, size_t delay, uint64_t seed) {
    enum { MEMBERS = 5 };
    csm_aggregate *aggregate;
    double *loss = calloc(rounds * MEMBERS, sizeof *loss), total = 0, member[MEMBERS] = {0}, weight[MEMBERS];
    assert_ok(csm_aggregate_new(&aggregate, MEMBERS, (double)delay));
    for (size_t t = 0; t < rounds; t++) {
        double y = csm_random_uniform(seed, 1, t) < 0.5, mixed = 0;
        assert_ok(csm_aggregate_weights(weight, aggregate));
        for (size_t m = 0; m < MEMBERS; m++) {
            double skill = m == (t < rounds / 3 ? 1u : 3u) ? 0.8 : 0.2 * csm_random_uniform(seed, 2 + m, t);
            double p = 0.5 + (y - 0.5) * skill - 0.1 * csm_random_uniform(seed, 20 + m, t) * (y - 0.5);
            mixed += weight[m] * p;
            loss[t * MEMBERS + m] = (p - y) * (p - y);
            member[m] += loss[t * MEMBERS + m];
        }
        total += (mixed - y) * (mixed - y);
        if (t >= delay) assert_ok(csm_aggregate_add(aggregate, loss + (t - delay) * MEMBERS));
    }
    double best = member[0];
    for (size_t m = 1; m < MEMBERS; m++) best = member[m] < best ? member[m] : best;
    csm_aggregate_free(aggregate);
    free(loss);
    return total - best;
}

static void the_mixture_loses_little_more_than_the_best_member(void **state) {
    (void)state;
    static const size_t delays[] = {0, 7, 30};
    for (size_t d = 0; d < 3; d++) {
        for (uint64_t seed = 1; seed <= 10; seed++) {
            double n = 1500, waits = (double)delays[d] + 1;
            double bound = waits * (2 * sqrt(n / waits / 2 * log(5)) + sqrt(log(5) / 8));
            assert_true(regret(1500, delays[d], seed) <= bound);
        }
    }
}

static void a_silent_member_is_charged_what_the_others_lost(void **state) {
    (void)state;
    csm_aggregate *aggregate;
    double weight[3];
    assert_ok(csm_aggregate_new(&aggregate, 3, 0));
    assert_ok(csm_aggregate_add(aggregate, (double[]){0.2, NAN, 0.6}));
    assert_ok(csm_aggregate_weights(weight, aggregate));
    assert_true(weight[0] > weight[1] && weight[1] > weight[2]);
    assert_true(fabs(weight[1] * weight[1] - weight[0] * weight[2]) <
                1e-15); /* charged 0.4, the middle of both */
    csm_aggregate_free(aggregate);
}

static void weights_survive_any_number_of_losses(void **state) {
    (void)state;
    csm_aggregate *aggregate;
    double weight[2];
    assert_ok(csm_aggregate_new(&aggregate, 2, 0));
    for (size_t t = 0; t < 200000; t++)
        assert_ok(csm_aggregate_add(aggregate, (double[]){1, t % 2 ? 0.5 : 0}));
    assert_ok(csm_aggregate_add(aggregate, (double[]){0.5, NAN})); /* the only one with a weight of 0 */
    assert_ok(csm_aggregate_weights(weight, aggregate));
    assert_true(weight[0] >= 0 && weight[0] < 1e-100 && weight[1] == 1);
    csm_aggregate_free(aggregate);
}

static void wrong_input_is_named_and_changes_nothing(void **state) {
    (void)state;
    csm_aggregate *aggregate;
    double weight[2];
    assert_fails(CSM_EINVAL, "0 members", csm_aggregate_new(&aggregate, 0, 0));
    assert_fails(CSM_EINVAL, "delay -1", csm_aggregate_new(&aggregate, 2, -1));
    assert_null(aggregate);
    assert_ok(csm_aggregate_new(&aggregate, 2, 0));
    assert_fails(CSM_EINVAL, "loss 1 is 1.5", csm_aggregate_add(aggregate, (double[]){0.5, 1.5}));
    assert_fails(CSM_EINVAL, "no member", csm_aggregate_add(aggregate, (double[]){NAN, NAN}));
    assert_fails(CSM_EINVAL, "NULL", csm_aggregate_weights(NULL, aggregate));
    assert_ok(csm_aggregate_weights(weight, aggregate));
    assert_true(weight[0] == 0.5 && weight[1] == 0.5);
    csm_aggregate_free(aggregate);
    csm_aggregate_free(NULL);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status; n++) {
        csm_fault_allocation(n, false);
        status = csm_aggregate_new(&aggregate, 2, 0);
        csm_fault_allocation(0, false);
        if (status) assert_int_equal(status, CSM_ENOMEM);
        csm_aggregate_free(aggregate);
        assert_true(n < 20);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_equal_the_closed_form),
        cmocka_unit_test(the_mixture_loses_little_more_than_the_best_member),
        cmocka_unit_test(a_silent_member_is_charged_what_the_others_lost),
        cmocka_unit_test(weights_survive_any_number_of_losses),
        cmocka_unit_test(wrong_input_is_named_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
