/* SPDX-License-Identifier: MIT */
/* What is refused, and that the text names it; allocation failures; cancelling. */
#include "indicator/bars.h"

#define LENGTH 60

static void refuse_contains(csm_status status, csm_status expected, const char *text) {
    assert_int_equal(expected, status);
    if (strstr(csm_error_message(), text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", csm_error_message(), text);
}

static void names_lead_to_their_rows(void **unused) {
    (void)unused;
    assert_true(csm_indicator_count() >= 38);
    for (size_t i = 0; i < csm_indicator_count(); i++) {
        const csm_indicator *indicator = csm_indicator_at(i);
        assert_ptr_equal(indicator, csm_indicator_find(indicator->name));
        assert_true(strlen(indicator->title) > 0 && strlen(indicator->source) > 0);
        assert_true(indicator->inputs != 0 && indicator->inputs < 32);
        assert_true(indicator->output_count > 0 && indicator->output_count <= CSM_INDICATOR_OUTPUTS_MAX);
        assert_true(indicator->parameter_count <= CSM_INDICATOR_PARAMETERS_MAX);
        for (uint32_t k = 0; k < indicator->output_count; k++) assert_non_null(indicator->outputs[k]);
        for (uint32_t k = 0; k < indicator->parameter_count; k++) {
            const csm_indicator_parameter *p = &indicator->parameters[k];
            assert_non_null(p->name);
            assert_true(p->minimum <= p->standard && p->standard <= p->maximum);
        }
        assert_int_equal(CSM_OK, csm_indicator_check(indicator, NULL));
        for (size_t j = 0; j < i; j++) assert_string_not_equal(indicator->name, csm_indicator_at(j)->name);
    }
    assert_null(csm_indicator_at(csm_indicator_count()));
    assert_null(csm_indicator_find("no such indicator"));
    assert_null(csm_indicator_find(NULL));
}

static void every_parameter_bound_is_enforced_and_named(void **unused) {
    (void)unused;
    for (size_t i = 0; i < csm_indicator_count(); i++) {
        const csm_indicator *indicator = csm_indicator_at(i);
        for (uint32_t k = 0; k < indicator->parameter_count; k++) {
            const csm_indicator_parameter *p = &indicator->parameters[k];
            const double wrong[] = {p->minimum - 1.0, p->maximum + 1.0, NAN, INFINITY, p->standard + 0.5};
            for (size_t w = 0; w < (p->integer ? 5u : 4u); w++) {
                double parameters[CSM_INDICATOR_PARAMETERS_MAX];
                for (uint32_t j = 0; j < indicator->parameter_count; j++)
                    parameters[j] = indicator->parameters[j].standard;
                parameters[k] = wrong[w];
                refuse_contains(csm_indicator_check(indicator, parameters), CSM_EINVAL, p->name);
                assert_non_null(strstr(csm_error_message(), indicator->name));
            }
        }
    }
}

static void lengths_in_the_wrong_order_are_refused(void **unused) {
    (void)unused;
    const double same[] = {12, 12, 9}, descending[] = {28, 14, 7};
    refuse_contains(csm_indicator_check(csm_indicator_find("macd"), same), CSM_EINVAL,
                    "fast must be less than slow");
    refuse_contains(csm_indicator_check(csm_indicator_find("ppo"), same), CSM_EINVAL,
                    "fast must be less than slow");
    refuse_contains(csm_indicator_check(csm_indicator_find("ultosc"), descending), CSM_EINVAL, "ascend");
}

static void a_copied_handle_is_refused(void **unused) {
    (void)unused;
    const csm_indicator copy = *csm_indicator_at(0);
    size_t warmup;
    refuse_contains(csm_indicator_warmup(&warmup, &copy, NULL), CSM_EINVAL, "handle");
    refuse_contains(csm_indicator_check(NULL, NULL), CSM_EINVAL, "handle");
}

static csm_status run(const char *name, const csm_bars *bars) {
    double values[LENGTH * CSM_INDICATOR_OUTPUTS_MAX];
    const csm_indicator *indicator = csm_indicator_find(name);
    csm_matrix output = csm_matrix_f64(values, bars->length, indicator->output_count);
    return csm_indicator_run(indicator, NULL, bars, &output);
}

static void wrong_bars_are_named_by_index_and_column(void **unused) {
    (void)unused;
    static const struct {
        int column;
        double value;
        const char *text;
    } wrong[] = {{0, NAN, "open of bar 37"},   {1, INFINITY, "high of bar 37"}, {2, 0.0, "low of bar 37"},
                 {3, -1.0, "close of bar 37"}, {3, 1e61, "close of bar 37"},    {3, 1e59, "close of bar 37"},
                 {0, 1e-59, "open of bar 37"}, {2, 1e59, "of bar 37"},          {4, -1.0, "volume of bar 37"},
                 {4, NAN, "volume of bar 37"}, {4, 1e-61, "volume of bar 37"}};
    for (size_t w = 0; w < sizeof wrong / sizeof wrong[0]; w++) {
        test_bars b = test_bars_resampled(LENGTH, 41);
        b.column[wrong[w].column][37] = wrong[w].value;
        const csm_bars view = test_bars_view(&b, LENGTH);
        if (wrong[w].column == 4)
            refuse_contains(run("mfi", &view), CSM_EINVAL, wrong[w].text);
        else if (wrong[w].column == 0 || wrong[w].value == 1e59)
            refuse_contains(run("bop", &view), CSM_EINVAL, wrong[w].text);
        else
            refuse_contains(run("atr", &view), wrong[w].column == 0 ? CSM_OK : CSM_EINVAL, wrong[w].text);
        test_bars_free(&b);
    }
}

static void columns_that_are_not_read_may_be_wrong_or_absent(void **unused) {
    (void)unused;
    test_bars b = test_bars_resampled(LENGTH, 42);
    csm_bars view = test_bars_view(&b, LENGTH);
    b.column[4][5] = NAN;
    b.column[1][6] = NAN;
    assert_int_equal(CSM_OK, run("rsi", &view));
    view.open = view.high = view.low = view.volume = NULL;
    assert_int_equal(CSM_OK, run("rsi", &view));
    refuse_contains(run("atr", &view), CSM_EINVAL, "high column is missing");
    view.time = NULL;
    refuse_contains(run("rsi", &view), CSM_EINVAL, "time column is missing");
    test_bars_free(&b);
}

static void times_must_ascend_and_bars_be_traded(void **unused) {
    (void)unused;
    test_bars b = test_bars_resampled(LENGTH, 43);
    uint8_t state[LENGTH] = {CSM_BAR_TRADED};
    csm_bars view = test_bars_view(&b, LENGTH);
    view.state = state;
    assert_int_equal(CSM_OK, run("rsi", &view));
    state[51] = CSM_BAR_NO_TRADE;
    refuse_contains(run("rsi", &view), CSM_EINVAL, "bar 51");
    state[51] = CSM_BAR_TRADED;
    b.time[22] = b.time[21];
    refuse_contains(run("rsi", &view), CSM_EINVAL, "time of bar 22");
    test_bars_free(&b);
}

static void outputs_of_the_wrong_shape_are_refused(void **unused) {
    (void)unused;
    test_bars b = test_bars_resampled(LENGTH, 44);
    const csm_bars view = test_bars_view(&b, LENGTH);
    const csm_indicator *macd = csm_indicator_find("macd");
    double values[LENGTH * 3];
    csm_matrix output = csm_matrix_f64(values, LENGTH, 2);
    refuse_contains(csm_indicator_run(macd, NULL, &view, &output), CSM_EINVAL, "60 x 3 is needed");
    output = csm_matrix_f64(values, LENGTH - 1, 3);
    refuse_contains(csm_indicator_run(macd, NULL, &view, &output), CSM_EINVAL, "60 x 3 is needed");
    output = csm_matrix_f64(NULL, LENGTH, 3);
    refuse_contains(csm_indicator_run(macd, NULL, &view, &output), CSM_EINVAL, "no memory");
    output = csm_matrix_f64(values, LENGTH, 3);
    output.dtype = (csm_dtype)9;
    refuse_contains(csm_indicator_run(macd, NULL, &view, &output), CSM_EINVAL, "type 9");
    refuse_contains(csm_indicator_run(macd, NULL, NULL, &output), CSM_EINVAL, "must be given");
    refuse_contains(csm_indicator_run(macd, NULL, &view, NULL), CSM_EINVAL, "must be given");
    test_bars_free(&b);
}

static void a_refused_bar_leaves_the_stream_as_it_was(void **unused) {
    (void)unused;
    test_bars b = test_bars_resampled(LENGTH, 45);
    csm_indicator_state *clean, *tried;
    const csm_indicator *rsi = csm_indicator_find("rsi");
    assert_int_equal(CSM_OK, csm_indicator_state_new(&clean, rsi, NULL));
    assert_int_equal(CSM_OK, csm_indicator_state_new(&tried, rsi, NULL));
    for (size_t t = 0; t < LENGTH; t++) {
        const csm_bar one = test_bars_at(&b, t);
        csm_bar wrong = one;
        wrong.close = NAN;
        double x, y;
        refuse_contains(csm_indicator_push(tried, &wrong, &y), CSM_EINVAL, "rsi: push");
        assert_int_equal(CSM_OK, csm_indicator_push(tried, &one, &y));
        assert_int_equal(CSM_OK, csm_indicator_push(clean, &one, &x));
        assert_true(x == y || (isnan(x) && isnan(y)));
    }
    double x;
    const csm_bar one = test_bars_at(&b, 0);
    refuse_contains(csm_indicator_push(NULL, &one, &x), CSM_EINVAL, "state");
    refuse_contains(csm_indicator_push(clean, NULL, &x), CSM_EINVAL, "bar");
    csm_indicator_state_free(clean);
    csm_indicator_state_free(tried);
    csm_indicator_state_free(NULL);
    test_bars_free(&b);
}

static void each_failed_allocation_is_reported_and_nothing_leaks(void **unused) {
    (void)unused;
    test_bars b = test_bars_resampled(LENGTH, 46);
    csm_bars views[20];
    csm_matrix outputs[40];
    double *values = malloc(40 * LENGTH * 3 * sizeof *values);
    const csm_indicator_request requests[2] = {{csm_indicator_find("macd"), NULL},
                                               {csm_indicator_find("cci"), NULL}};
    for (size_t s = 0; s < 20; s++) {
        views[s] = test_bars_view(&b, LENGTH);
        for (size_t r = 0; r < 2; r++)
            outputs[s * 2 + r] = csm_matrix_f64(values + (s * 2 + r) * LENGTH * 3, LENGTH, r == 0 ? 3 : 1);
    }
    csm_status status = CSM_ENOMEM;
    uint64_t n = 0;
    while (status != CSM_OK) {
        csm_fault_allocation(++n, false);
        status = csm_indicator_run_table(NULL, requests, 2, views, 20, outputs);
        csm_fault_allocation(0, false);
        assert_true(status == CSM_OK || status == CSM_ENOMEM);
    }
    assert_true(n > 3);
    for (n = 1, status = CSM_ENOMEM; status != CSM_OK; n++) {
        csm_indicator_state *state;
        csm_fault_allocation(n, false);
        status = csm_indicator_state_new(&state, requests[1].indicator, NULL);
        csm_fault_allocation(0, false);
        if (status == CSM_OK)
            csm_indicator_state_free(state);
        else
            assert_null(state);
    }
    assert_int_equal(3, n); /* one allocation failed, the second try passed */
    free(values);
    test_bars_free(&b);
}

static void a_cancelled_context_ends_the_run(void **unused) {
    (void)unused;
    test_bars b = test_bars_resampled(LENGTH, 47);
    double values[LENGTH];
    const csm_bars view = test_bars_view(&b, LENGTH);
    csm_matrix output = csm_matrix_f64(values, LENGTH, 1);
    csm_context *context;
    assert_int_equal(CSM_OK, csm_context_new(&context, NULL));
    csm_context_cancel(context);
    assert_int_equal(CSM_ECANCELLED,
                     csm_indicator_run_many(context, csm_indicator_find("rsi"), NULL, &view, 1, &output));
    csm_context_resume(context);
    assert_int_equal(CSM_OK,
                     csm_indicator_run_many(context, csm_indicator_find("rsi"), NULL, &view, 1, &output));
    csm_context_free(context);
    test_bars_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_to_their_rows),
        cmocka_unit_test(every_parameter_bound_is_enforced_and_named),
        cmocka_unit_test(lengths_in_the_wrong_order_are_refused),
        cmocka_unit_test(a_copied_handle_is_refused),
        cmocka_unit_test(wrong_bars_are_named_by_index_and_column),
        cmocka_unit_test(columns_that_are_not_read_may_be_wrong_or_absent),
        cmocka_unit_test(times_must_ascend_and_bars_be_traded),
        cmocka_unit_test(outputs_of_the_wrong_shape_are_refused),
        cmocka_unit_test(a_refused_bar_leaves_the_stream_as_it_was),
        cmocka_unit_test(each_failed_allocation_is_reported_and_nothing_leaks),
        cmocka_unit_test(a_cancelled_context_ends_the_run),
    };
    return cmocka_run_group_tests_name("indicator refusals", tests, NULL, NULL);
}
