/* SPDX-License-Identifier: MIT */
/* What csm_indicator_memory promises: with that many bars the start of the series no longer matters. */
#include "indicator/bars.h"

#define LENGTH 12000
#define ENDINGS 24 /* bars at which the two runs are compared */

static test_bars walk;

/* Parameter sets: the usual ones, and the usual ones made shorter. */
static void choose(const csm_indicator *indicator, int set, double *parameters) {
    for (uint32_t k = 0; k < indicator->parameter_count; k++) {
        const csm_indicator_parameter *p = &indicator->parameters[k];
        const double half = p->integer ? floor(p->standard / 2.0) : p->standard;
        parameters[k] = set == 0 || half < p->minimum ? p->standard : half;
    }
}

static double *run(const csm_indicator *indicator, const double *parameters, size_t from, size_t length) {
    csm_bars view = test_bars_view(&walk, length);
    view.time += from;
    view.open += from;
    view.high += from;
    view.low += from;
    view.close += from;
    view.volume += from;
    double *values = malloc(length * indicator->output_count * sizeof *values);
    csm_matrix output = csm_matrix_f64(values, length, indicator->output_count);
    if (csm_indicator_run(indicator, parameters, &view, &output) != CSM_OK)
        fail_msg("%s", csm_error_message());
    return values;
}

static double greatest(const double *values, size_t rows, size_t outputs, size_t k) {
    double most = 0.0;
    for (size_t t = 0; t < rows; t++)
        if (!isnan(values[t * outputs + k])) most = fmax(most, fabs(values[t * outputs + k]));
    return most;
}

/* Greatest difference at the last bar, relative to the output's size, when only `bars` bars are given. */
static double forgetting(const csm_indicator *indicator, const double *parameters, const double *whole,
                         size_t bars) {
    const size_t outputs = indicator->output_count;
    double worst = 0.0;
    for (size_t e = 0; e < ENDINGS; e++) {
        const size_t end = LENGTH - e * 5;
        double *late = run(indicator, parameters, end - bars, bars);
        for (size_t k = 0; k < outputs; k++) {
            const double x = whole[(end - 1) * outputs + k], y = late[(bars - 1) * outputs + k];
            if (isnan(y) != isnan(x))
                worst = INFINITY;
            else if (!isnan(x))
                worst = fmax(worst, fabs(x - y) / greatest(whole, LENGTH, outputs, k));
        }
        free(late);
    }
    return worst;
}

static void after_its_memory_an_indicator_has_forgotten_the_start(void **unused) {
    (void)unused;
    for (size_t i = 0; i < csm_indicator_count(); i++)
        for (int set = 0; set < 2; set++) {
            const csm_indicator *indicator = csm_indicator_at(i);
            double parameters[CSM_INDICATOR_PARAMETERS_MAX];
            size_t memory, warmup;
            choose(indicator, set, parameters);
            assert_int_equal(CSM_OK, csm_indicator_memory(&memory, indicator, parameters));
            assert_int_equal(CSM_OK, csm_indicator_warmup(&warmup, indicator, parameters));
            assert_true(memory >= warmup + 1);
            if (memory == SIZE_MAX) continue;
            if (memory > LENGTH / 2)
                fail_msg("%s: the test's series is too short for %zu", indicator->name, memory);
            double *whole = run(indicator, parameters, 0, LENGTH);
            const double error = forgetting(indicator, parameters, whole, memory);
            if (!(error < 1e-6))
                fail_msg("%s: %zu bars leave %g of the start", indicator->name, memory, error);
            /* Nor is more asked for than needed: a window with one bar less has no output at all, and an average with
             * a tenth of its tail still feels the start. KAMA's factor follows the data and its memory is for the
             * slowest one, so it usually forgets much earlier. */
            const bool recursive = memory > warmup + 1;
            if (strcmp(indicator->name, "kama") == 0) {
                free(whole);
                continue;
            }
            const size_t fewer = recursive ? warmup + 1 + (memory - warmup) / 10 : warmup;
            if (fewer > 0 && !(forgetting(indicator, parameters, whole, fewer) > (recursive ? 1e-6 : 1.0)))
                fail_msg("%s: %zu bars do as well as %zu", indicator->name, fewer, memory);
            free(whole);
        }
}

static void running_totals_say_that_they_never_forget(void **unused) {
    (void)unused;
    static const char *const totals[] = {"obv", "ad", "vpt"};
    size_t endless = 0;
    for (size_t i = 0; i < csm_indicator_count(); i++) {
        size_t memory;
        assert_int_equal(CSM_OK, csm_indicator_memory(&memory, csm_indicator_at(i), NULL));
        endless += memory == SIZE_MAX;
    }
    assert_int_equal(3, endless);
    for (size_t i = 0; i < 3; i++) {
        size_t memory;
        assert_int_equal(CSM_OK, csm_indicator_memory(&memory, csm_indicator_find(totals[i]), NULL));
        assert_true(memory == SIZE_MAX);
    }
}

/* Closed form: the weight left to the start of an EMA after m bars is (1 - k)^m. */
static void the_memory_of_an_ema_is_the_closed_form(void **unused) {
    (void)unused;
    for (double n = 2; n < 300; n += 7) {
        size_t memory;
        assert_int_equal(CSM_OK, csm_indicator_memory(&memory, csm_indicator_find("ema"), &n));
        const double steps = ceil(log(1e-6) / log(1.0 - 2.0 / (n + 1.0)));
        assert_true(fabs((double)memory - (n + steps)) <= 1.0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_its_memory_an_indicator_has_forgotten_the_start),
        cmocka_unit_test(running_totals_say_that_they_never_forget),
        cmocka_unit_test(the_memory_of_an_ema_is_the_closed_form),
    };
    walk = test_bars_resampled(LENGTH, 21);
    const int failed = cmocka_run_group_tests_name("indicator memory", tests, NULL, NULL);
    test_bars_free(&walk);
    return failed;
}
