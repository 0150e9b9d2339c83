/* SPDX-License-Identifier: MIT */
/* The plain LSTM: against PyTorch's numbers and finite differences; the arithmetic of a cell against double. */
#include "backend/lstm_golden.h"

#include "backend/lstm_cell.h"
#include "core/internal.h"
#include "core/real.h"

/* ---- the cell's functions ---- */

static double ulps(float got, double want) {
    int exponent;
    frexp(want, &exponent);
    return fabs((double)got - want) / ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
}

static void sigmoid_and_tanh_stay_within_their_bounds_over_a_dense_set_of_floats(void **unused) {
    (void)unused;
    double worst_sigmoid = 0, worst_tanh = 0;
    for (uint32_t bits = 0; bits < 0x42b00000u; bits += 1009) { /* 0 to 88, and the same below 0 */
        for (uint32_t sign = 0; sign < 2; sign++) {
            const float x = lstm_float_of(bits | sign << 31);
            if (x >= -87.0f)
                worst_sigmoid = fmax(worst_sigmoid, ulps(lstm_sigmoid(x), csm_logistic((double)x)));
            worst_tanh = fmax(worst_tanh, ulps(lstm_tanh(x), csm_tanh((double)x)));
        }
    }
    print_message("largest error: sigmoid %.3f ulp, tanh %.3f ulp\n", worst_sigmoid, worst_tanh);
    assert_true(worst_sigmoid <= 2.5 && worst_tanh <= 3);
}

static void sigmoid_and_tanh_keep_limits_signs_and_nan(void **unused) {
    (void)unused;
    assert_true(lstm_sigmoid(0.0f) == 0.5f && lstm_sigmoid(INFINITY) == 1.0f);
    assert_true(lstm_sigmoid(-INFINITY) > 0 && lstm_sigmoid(-INFINITY) < 1e-37f);
    assert_true(lstm_tanh(INFINITY) == 1.0f && lstm_tanh(-INFINITY) == -1.0f);
    assert_true(lstm_tanh(0.0f) == 0.0f && signbit(lstm_tanh(-0.0f)) && !signbit(lstm_tanh(0.0f)));
    assert_true(isnan(lstm_sigmoid(NAN)) && isnan(lstm_tanh(NAN)));
}

static void dropouts_random_numbers_are_those_of_core(void **unused) {
    (void)unused;
    const uint64_t seed = 0x123456789abcdefu, stream = 0xfedcba987654321u;
    for (uint64_t block = 0; block < 1000; block++) {
        const uint64_t at = block * 0x100000001u;
        const uint32_t counter[4] = {(uint32_t)at, (uint32_t)(at >> 32), (uint32_t)stream,
                                     (uint32_t)(stream >> 32)};
        const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
        uint32_t ours[4], theirs[4];
        lstm_philox(ours, seed, stream, at);
        csm_philox4x32(theirs, counter, key);
        assert_memory_equal(ours, theirs, sizeof ours);
    }
}

/* ---- against PyTorch ---- */

static void the_double_reference_agrees_with_pytorch_to_1e_12(void **unused) {
    (void)unused;
    FILE *file = golden_open();
    golden_lstm g;
    size_t cases = 0;
    while (golden_next(&g, file)) {
        const size_t outs = g.batch.length * g.shape.outputs, inputs = g.batch.hours * g.shape.inputs;
        double *out = calloc(outs, sizeof *out), *grad = calloc(g.parameter_count, sizeof *grad);
        double *dx = calloc(inputs, sizeof *dx);
        assert_ok(csm_lstm_plain_f64(&g.shape, g.parameters, &g.batch, g.x, out, g.dout, grad, dx));
        assert_true(difference_f64(out, g.out, outs) < 1e-12);
        assert_true(difference_f64(grad, g.grad, g.parameter_count) < 1e-12);
        assert_true(difference_f64(dx, g.dx, inputs) < 1e-12);
        free(out);
        free(grad);
        free(dx);
        golden_free(&g);
        cases++;
    }
    fclose(file);
    assert_int_equal(cases, 4);
}

static void the_float_reference_agrees_with_pytorch_to_1e_5(void **unused) {
    (void)unused;
    FILE *file = golden_open();
    golden_lstm g;
    size_t cases = 0;
    while (golden_next(&g, file)) {
        const size_t outs = g.batch.length * g.shape.outputs, inputs = g.batch.hours * g.shape.inputs;
        float *parameters = to_float(g.parameters, g.parameter_count), *dout = to_float(g.dout, outs);
        float *out = calloc(outs, sizeof *out), *grad = calloc(g.parameter_count, sizeof *grad);
        float *dx = calloc(inputs, sizeof *dx);
        assert_ok(csm_lstm_plain_f32(&g.shape, parameters, &g.batch, g.x32, out, dout, grad, dx));
        assert_true(difference_f32(out, g.out, outs) < 1e-5);
        assert_true(difference_f32(grad, g.grad, g.parameter_count) < 1e-5);
        assert_true(difference_f32(dx, g.dx, inputs) < 1e-5);
        free(parameters);
        free(dout);
        free(out);
        free(grad);
        free(dx);
        golden_free(&g);
        cases++;
    }
    fclose(file);
    assert_int_equal(cases, 4);
}

/* ---- finite differences ---- */

enum { HOURS = 11, INPUTS = 3, WINDOWS = 4, OUTPUTS = 2 };

typedef struct problem {
    csm_lstm_shape shape;
    csm_lstm_batch batch;
    uint32_t first[WINDOWS];
    double x[HOURS * INPUTS];
    double dout[WINDOWS * OUTPUTS];
    double *parameters;
    size_t count;
} problem;

static void problem_new(problem *p) {
    *p = (problem){.shape = {INPUTS, 5, 2, OUTPUTS, 1}, .first = {6, 0, 2, 3}};
    p->count = csm_lstm_parameters(&p->shape);
    p->parameters = calloc(p->count, sizeof *p->parameters);
    for (size_t i = 0; i < p->count; i++) p->parameters[i] = 0.5 * csm_random_normal(1, 1, i);
    for (size_t i = 0; i < HOURS * INPUTS; i++) p->x[i] = csm_random_normal(1, 2, i);
    for (size_t i = 0; i < WINDOWS * OUTPUTS; i++) p->dout[i] = csm_random_normal(1, 3, i);
    p->batch = (csm_lstm_batch){.hours = HOURS, .first = p->first, .length = WINDOWS, .steps = 5};
    p->batch.dropout = (csm_lstm_dropout){0.4f, 7, 8};
}

/* sum of dout * out */
static double objective(const problem *p) {
    double out[WINDOWS * OUTPUTS], sum = 0;
    assert_ok(csm_lstm_plain_f64(&p->shape, p->parameters, &p->batch, p->x, out, NULL, NULL, NULL));
    for (size_t i = 0; i < WINDOWS * OUTPUTS; i++) sum += p->dout[i] * out[i];
    return sum;
}

static double slope(const problem *p, double *at) {
    const double step = 1e-5, value = *at;
    *at = value + step;
    const double above = objective(p);
    *at = value - step;
    const double below = objective(p);
    *at = value;
    return (above - below) / (2 * step);
}

static void gradients_are_those_of_finite_differences_with_norm_dropout_and_two_layers(void **unused) {
    (void)unused;
    problem p;
    problem_new(&p);
    double out[WINDOWS * OUTPUTS], dx[HOURS * INPUTS], *grad = calloc(p.count, sizeof *grad);
    assert_ok(csm_lstm_plain_f64(&p.shape, p.parameters, &p.batch, p.x, out, p.dout, grad, dx));
    for (size_t i = 0; i < p.count; i++) assert_true(fabs(slope(&p, &p.parameters[i]) - grad[i]) < 1e-8);
    for (size_t i = 0; i < HOURS * INPUTS; i++) assert_true(fabs(slope(&p, &p.x[i]) - dx[i]) < 1e-8);
    free(grad);
    free(p.parameters);
}

static void dropout_changes_with_its_stream_and_not_without_it(void **unused) {
    (void)unused;
    problem p;
    problem_new(&p);
    const double before = objective(&p);
    assert_true(objective(&p) == before);
    p.batch.dropout.stream++;
    assert_true(objective(&p) != before);
    p.shape.layers = 1; /* nothing is dropped above the last layer */
    const double single = objective(&p);
    p.batch.dropout.rate = 0;
    assert_true(objective(&p) == single);
    free(p.parameters);
}

/* ---- refusals ---- */

static void shapes_and_windows_out_of_range_are_refused(void **unused) {
    (void)unused;
    problem p;
    problem_new(&p);
    csm_lstm_shape shape = p.shape;
    shape.hidden = CSM_LSTM_HIDDEN_MAX + 1;
    assert_int_equal(csm_lstm_parameters(&shape), 0);
    assert_fails(CSM_EINVAL, "4097 hidden", csm_lstm_check(&shape, &p.batch));
    p.first[2] = 7;
    assert_fails(CSM_EINVAL, "window 2 starts at row 7", csm_lstm_check(&p.shape, &p.batch));
    p.first[2] = UINT32_MAX;
    assert_fails(CSM_EINVAL, "window 2", csm_lstm_check(&p.shape, &p.batch));
    p.first[2] = 0;
    p.batch.steps = 12;
    assert_fails(CSM_EINVAL, "12 steps over 11 hours", csm_lstm_check(&p.shape, &p.batch));
    p.batch.steps = 5;
    p.batch.dropout.rate = 1;
    assert_fails(CSM_EINVAL, "dropout 1", csm_lstm_check(&p.shape, &p.batch));
    free(p.parameters);
}

static void the_reference_survives_every_failed_allocation(void **unused) {
    (void)unused;
    problem p;
    problem_new(&p);
    double out[WINDOWS * OUTPUTS], dx[HOURS * INPUTS], *grad = calloc(p.count, sizeof *grad);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status == CSM_ENOMEM; n++) {
        csm_fault_allocation(n, false);
        status = csm_lstm_plain_f64(&p.shape, p.parameters, &p.batch, p.x, out, p.dout, grad, dx);
        csm_fault_allocation(0, false);
        assert_true(n < 100);
    }
    assert_ok(status);
    free(grad);
    free(p.parameters);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sigmoid_and_tanh_stay_within_their_bounds_over_a_dense_set_of_floats),
        cmocka_unit_test(sigmoid_and_tanh_keep_limits_signs_and_nan),
        cmocka_unit_test(dropouts_random_numbers_are_those_of_core),
        cmocka_unit_test(the_double_reference_agrees_with_pytorch_to_1e_12),
        cmocka_unit_test(the_float_reference_agrees_with_pytorch_to_1e_5),
        cmocka_unit_test(gradients_are_those_of_finite_differences_with_norm_dropout_and_two_layers),
        cmocka_unit_test(dropout_changes_with_its_stream_and_not_without_it),
        cmocka_unit_test(shapes_and_windows_out_of_range_are_refused),
        cmocka_unit_test(the_reference_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests_name("lstm", tests, NULL, NULL);
}
