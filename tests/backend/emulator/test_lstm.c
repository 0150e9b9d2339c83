/* SPDX-License-Identifier: MIT */
/* The CUDA LSTM, kernels and host side, on the emulated card against the reference. */
#include "backend/lstm_device.h"
#include "backend/lstm_learning.h"

#include "emulator.h"

static void check(const device_case *c, emulator_order order) {
    device_problem p;
    double distance[3];
    device_problem_new(&p, c);
    emulator_reset(NULL, order, 17);
    device_run(c, &p, distance);
    device_print(c, distance);
    assert_string_equal("", emulator_failure());
    assert_int_equal(0, emulator_memory_used());
    assert_int_equal(0, emulator_objects());
    assert_true(device_within(c, distance));
    device_problem_free(&p);
}

/* Odd widths, several layers, norm and dropout, more samples than a tile holds, hours that no window touches. */
static void every_rung_agrees_with_the_reference_in_float(void **unused) {
    (void)unused;
    const device_case cases[] = {
        {3, 5, 1, 2, 0, 20, 6, 4, 0, CSM_LSTM_FP32, CSM_LSTM_STEPS, CSM_LSTM_STEPS},
        {7, 20, 2, 3, 0, 30, 11, 5, 0, CSM_LSTM_FP32, CSM_LSTM_STEPS, CSM_LSTM_STEPS},
        {7, 20, 2, 3, 0, 30, 11, 5, 0, CSM_LSTM_FP32, CSM_LSTM_HOURS, CSM_LSTM_HOURS},
        {7, 20, 3, 3, 1, 30, 11, 5, 0.3f, CSM_LSTM_FP32, CSM_LSTM_HOURS, CSM_LSTM_HOURS},
        {7, 20, 1, 1, 1, 30, 3, 1, 0, CSM_LSTM_FP32, CSM_LSTM_BEST, CSM_LSTM_HOURS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(&cases[i], EMULATOR_FORWARD);
}

static void tensor_cores_agree_step_by_step(void **unused) {
    (void)unused;
    for (csm_lstm_precision precision = CSM_LSTM_TF32; precision <= CSM_LSTM_BF16; precision++) {
        const device_case c = {7, 20, 2, 3, 1, 30, 11, 4, 0.3f, precision, CSM_LSTM_HOURS, CSM_LSTM_HOURS};
        check(&c, EMULATOR_BACKWARD);
    }
}

static void resident_kernels_of_one_block_agree(void **unused) {
    (void)unused;
    const device_case cases[] = {
        {7, 32, 1, 2, 0, 30, 40, 5, 0, CSM_LSTM_BF16, CSM_LSTM_RESIDENT, CSM_LSTM_RESIDENT},
        {7, 25, 2, 2, 1, 30, 33, 4, 0.3f, CSM_LSTM_FP16, CSM_LSTM_RESIDENT, CSM_LSTM_RESIDENT},
        {7, 60, 1, 2, 0, 30, 17, 4, 0, CSM_LSTM_BF16, CSM_LSTM_BEST, CSM_LSTM_RESIDENT},
        {7, 32, 2, 2, 0, 30, 33, 4, 0, CSM_LSTM_TF32, CSM_LSTM_RESIDENT, CSM_LSTM_RESIDENT},
        {7, 64, 1, 2, 0, 30, 9, 3, 0, CSM_LSTM_TF32, CSM_LSTM_RESIDENT, CSM_LSTM_RESIDENT},
        {7, 128, 1, 2, 0, 30, 9, 3, 0, CSM_LSTM_BF16, CSM_LSTM_RESIDENT, CSM_LSTM_RESIDENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(&cases[i], EMULATOR_SHUFFLED);
}

static void resident_kernels_of_a_cluster_agree(void **unused) {
    (void)unused;
    const device_case cases[] = {
        {5, 200, 1, 2, 0, 20, 9, 3, 0, CSM_LSTM_BF16, CSM_LSTM_RESIDENT, CSM_LSTM_RESIDENT},
        {5, 512, 1, 2, 0, 20, 5, 2, 0, CSM_LSTM_FP16, CSM_LSTM_RESIDENT, CSM_LSTM_RESIDENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(&cases[i], EMULATOR_SHUFFLED);
}

/* A missing barrier would show here. */
static void the_order_of_threads_changes_no_bit(void **unused) {
    (void)unused;
    const device_case cases[] = {
        {7, 20, 2, 2, 1, 30, 12, 4, 0.3f, CSM_LSTM_FP32, CSM_LSTM_HOURS, CSM_LSTM_HOURS},
        {7, 30, 2, 2, 0, 30, 35, 4, 0, CSM_LSTM_BF16, CSM_LSTM_RESIDENT, CSM_LSTM_RESIDENT},
        {3, 140, 1, 1, 0, 20, 5, 3, 0, CSM_LSTM_BF16, CSM_LSTM_RESIDENT, CSM_LSTM_RESIDENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        device_problem p, q;
        double distance[3];
        device_problem_new(&p, &cases[i]);
        device_problem_new(&q, &cases[i]);
        emulator_reset(NULL, EMULATOR_FORWARD, 1);
        device_run(&cases[i], &p, distance);
        for (emulator_order order = EMULATOR_BACKWARD; order < EMULATOR_ORDERS; order++) {
            emulator_reset(NULL, order, 23);
            device_run(&cases[i], &q, distance);
            assert_string_equal("", emulator_failure());
            assert_memory_equal(p.out, q.out, p.outs * sizeof *p.out);
            assert_memory_equal(p.grad, q.grad, p.count * sizeof *p.grad);
            assert_memory_equal(p.dx, q.dx, p.inputs * sizeof *p.dx);
        }
        device_problem_free(&p);
        device_problem_free(&q);
    }
}

/* ---- the choice of the rung and what a card lacks ---- */

static const emulator_card turing = {7, 5, 40, (size_t)1 << 30, 64 * 1024, 0};
static const emulator_card ada = {8, 9, 40, (size_t)1 << 30, 99 * 1024, 0};

static const emulator_card cut_hopper = {9, 0, 100, (size_t)1 << 30, 227 * 1024, 8};

static csm_lstm_rung rung_on(const emulator_card *card, size_t hidden, csm_lstm_precision precision) {
    const csm_lstm_shape shape = {4, hidden, 1, 1, 0};
    const csm_lstm_cuda_options options = {
        .precision = precision, .training = 1, .batch = 2, .steps = 2, .hours = 4};
    csm_lstm_cuda *lstm;
    emulator_reset(card, EMULATOR_FORWARD, 1);
    assert_ok(csm_lstm_cuda_new(&lstm, &shape, &options));
    const csm_lstm_rung rung = csm_lstm_cuda_rung(lstm);
    csm_lstm_cuda_free(lstm);
    return rung;
}

static void a_card_gets_the_best_rung_that_it_can_climb(void **unused) {
    (void)unused;
    assert_int_equal(CSM_LSTM_HOURS, rung_on(NULL, 64, CSM_LSTM_FP32));
    assert_int_equal(CSM_LSTM_RESIDENT, rung_on(NULL, 512, CSM_LSTM_BF16));
    assert_int_equal(CSM_LSTM_HOURS, rung_on(NULL, 513, CSM_LSTM_BF16));
    assert_int_equal(CSM_LSTM_RESIDENT, rung_on(&ada, 128, CSM_LSTM_BF16));
    assert_int_equal(CSM_LSTM_HOURS, rung_on(&ada, 256, CSM_LSTM_BF16)); /* no clusters */
    assert_int_equal(CSM_LSTM_RESIDENT, rung_on(&turing, 64, CSM_LSTM_FP16));
    assert_int_equal(CSM_LSTM_RESIDENT, rung_on(&cut_hopper, 256, CSM_LSTM_BF16));
    assert_int_equal(CSM_LSTM_HOURS, rung_on(&cut_hopper, 512, CSM_LSTM_BF16)); /* no room for 16 blocks */
}

static void a_precision_that_the_card_lacks_is_an_error_of_the_device(void **unused) {
    (void)unused;
    const csm_lstm_shape shape = {4, 8, 1, 1, 0};
    csm_lstm_cuda_options options = {.precision = CSM_LSTM_BF16, .batch = 2, .steps = 2, .hours = 4};
    csm_lstm_cuda *lstm;
    emulator_reset(&turing, EMULATOR_FORWARD, 1);
    assert_fails(CSM_EDEVICE, "7.5; tf32 and bf16 need 8.0", csm_lstm_cuda_new(&lstm, &shape, &options));
    assert_null(lstm);
    options.precision = CSM_LSTM_FP32;
    options.device = 3;
    assert_fails(CSM_EDEVICE, "no device 3", csm_lstm_cuda_new(&lstm, &shape, &options));
    options.device = 0;
    options.rung = CSM_LSTM_RESIDENT;
    assert_fails(CSM_EINVAL, "no resident kernel of 8 units", csm_lstm_cuda_new(&lstm, &shape, &options));
    options.rung = 9;
    assert_fails(CSM_EINVAL, "rung 9", csm_lstm_cuda_new(&lstm, &shape, &options));
    options.rung = CSM_LSTM_BEST;
    options.hours = 1;
    assert_fails(CSM_EINVAL, "over 1 hours", csm_lstm_cuda_new(&lstm, &shape, &options));
}

static void too_little_memory_is_told_before_it_is_taken(void **unused) {
    (void)unused;
    const csm_lstm_shape shape = {64, 64, 2, 1, 0};
    const csm_lstm_cuda_options options = {
        .precision = CSM_LSTM_BF16, .training = 1, .batch = 4096, .steps = 100, .hours = 10000};
    csm_lstm_cuda *lstm;
    uint64_t bytes;
    emulator_reset(NULL, EMULATOR_FORWARD, 1);
    assert_ok(csm_lstm_cuda_memory(&bytes, &shape, &options));
    assert_true(bytes > (uint64_t)1 << 30);
    assert_fails(CSM_ENOMEM, "1024 of 1024 MiB are free", csm_lstm_cuda_new(&lstm, &shape, &options));
    assert_int_equal(0, emulator_memory_peak());
}

static void the_estimate_is_what_is_taken(void **unused) {
    (void)unused;
    const device_case c = {7, 30, 2, 2, 1, 30, 5, 4, 0.3f, CSM_LSTM_BF16, CSM_LSTM_BEST, CSM_LSTM_RESIDENT};
    const csm_lstm_shape shape = {c.inputs, c.hidden, c.layers, c.outputs, c.norm};
    const csm_lstm_cuda_options options = device_options(&c);
    csm_lstm_cuda *lstm;
    uint64_t bytes;
    emulator_reset(NULL, EMULATOR_FORWARD, 1);
    assert_ok(csm_lstm_cuda_memory(&bytes, &shape, &options));
    assert_ok(csm_lstm_cuda_new(&lstm, &shape, &options));
    assert_int_equal(bytes, emulator_memory_used());
    csm_lstm_cuda_free(lstm);
    assert_int_equal(0, emulator_memory_used());
}

/* ---- use ---- */

static void batches_beyond_what_was_asked_for_are_refused(void **unused) {
    (void)unused;
    const device_case c = {3, 5, 1, 2, 0, 20, 6, 4, 0, CSM_LSTM_FP32, CSM_LSTM_BEST, CSM_LSTM_HOURS};
    device_problem p;
    device_problem_new(&p, &c);
    csm_lstm_cuda_options options = device_options(&c);
    csm_lstm_cuda *lstm;
    emulator_reset(NULL, EMULATOR_FORWARD, 1);
    options.batch = 5;
    assert_ok(csm_lstm_cuda_new(&lstm, &p.shape, &options));
    assert_fails(CSM_EINVAL, "memory was taken for 5, 4, 20", csm_lstm_cuda_forward(lstm, &p.batch, p.out));
    assert_fails(CSM_EINVAL, "without a forward", csm_lstm_cuda_backward(lstm, p.dout, p.grad, p.dx));
    p.first[1] = 17;
    assert_fails(CSM_EINVAL, "window 1 starts at row 17", csm_lstm_cuda_forward(lstm, &p.batch, p.out));
    csm_lstm_cuda_free(lstm);
    options.training = 0;
    assert_ok(csm_lstm_cuda_new(&lstm, &p.shape, &options));
    assert_fails(CSM_EINVAL, "not made for training", csm_lstm_cuda_backward(lstm, p.dout, p.grad, p.dx));
    csm_lstm_cuda_free(lstm);
    csm_lstm_cuda_free(NULL);
    device_problem_free(&p);
}

/* Inference keeps less and must give the same bits; smaller batches after larger ones too. */
static void inference_gives_the_bits_of_training_and_memory_is_used_again(void **unused) {
    (void)unused;
    const csm_lstm_rung rungs[] = {CSM_LSTM_HOURS, CSM_LSTM_RESIDENT};
    for (size_t r = 0; r < 2; r++) {
        const device_case c = {7, 30, 2, 2, 1, 30, 12, 5, 0.3f, CSM_LSTM_BF16, rungs[r], rungs[r]};
        device_problem p;
        device_problem_new(&p, &c);
        csm_lstm_cuda_options options = device_options(&c);
        float *out = device_array(p.outs, sizeof *out),
              *parameters = device_array(p.count, sizeof *parameters);
        for (uint32_t training = 0; training < 2; training++) {
            csm_lstm_cuda *lstm;
            emulator_reset(NULL, EMULATOR_SHUFFLED, 3);
            options.training = training;
            assert_ok(csm_lstm_cuda_new(&lstm, &p.shape, &options));
            assert_ok(csm_lstm_cuda_set_parameters(lstm, p.parameters));
            assert_ok(csm_lstm_cuda_get_parameters(lstm, parameters));
            assert_memory_equal(parameters, p.parameters, p.count * sizeof *parameters);
            assert_ok(csm_lstm_cuda_forward(lstm, &p.batch, training ? p.out : out));
            csm_lstm_batch smaller = p.batch;
            smaller.length = 5;
            memset(parameters, 0xFF, p.count * sizeof *parameters);
            assert_ok(csm_lstm_cuda_forward(lstm, &smaller, parameters));
            assert_memory_equal(parameters, training ? p.out : out, 5 * c.outputs * sizeof *out);
            csm_lstm_cuda_free(lstm);
        }
        assert_memory_equal(out, p.out, p.outs * sizeof *out);
        free(out);
        free(parameters);
        device_problem_free(&p);
    }
}

/* ---- learning ---- */

static const csm_lstm_cuda_head all_heads[4] = {
    {0, 0, 1, 0}, {1, 0.5f, 0.7f, 0}, {2, 0.9f, 1, 0}, {3, 0, 2, 0.3f}};

/* Steps of AdamW divide by the root of small moments, so errors of small gradients weigh more than in the gradients. */
static void learning_agrees_with_adamw_in_double(void **unused) {
    (void)unused;
    const device_case cases[] = {
        {5, 12, 2, 4, 1, 30, 9, 4, 0.3f, CSM_LSTM_FP32, CSM_LSTM_HOURS, CSM_LSTM_HOURS},
        {5, 30, 1, 4, 0, 30, 9, 4, 0, CSM_LSTM_FP16, CSM_LSTM_RESIDENT, CSM_LSTM_RESIDENT},
    };
    const double most[2][2] = {{1e-3, 1e-5}, {5e-2, 1e-3}}, clips[2] = {0, 0.05};
    for (size_t i = 0; i < 4; i++) {
        double distance[2];
        emulator_reset(NULL, EMULATOR_SHUFFLED, 3);
        learning_run(&cases[i / 2], all_heads, clips[i % 2], distance);
        assert_string_equal("", emulator_failure());
        assert_int_equal(0, emulator_memory_used());
        assert_int_equal(0, emulator_objects());
        assert_true(distance[0] < most[i / 2][0] && distance[1] < most[i / 2][1]);
    }
}

/* Two objects, one of which is saved after two steps and taken up by another: the same bits. No wait within an epoch. */
static void learning_never_waits_and_goes_on_with_the_same_bits_from_a_checkpoint(void **unused) {
    (void)unused;
    const device_case c = {5, 20, 1, 4, 0, 30, 8, 4, 0, CSM_LSTM_BF16, CSM_LSTM_RESIDENT, CSM_LSTM_RESIDENT};
    device_problem p;
    device_problem_new(&p, &c);
    const csm_lstm_cuda_options options = device_options(&c);
    csm_lstm_cuda *whole, *again;
    emulator_reset(NULL, EMULATOR_FORWARD, 1);
    assert_ok(csm_lstm_cuda_new(&whole, &p.shape, &options));
    assert_ok(csm_lstm_cuda_new(&again, &p.shape, &options));
    assert_ok(csm_lstm_cuda_set_parameters(whole, p.parameters));
    assert_ok(csm_lstm_cuda_objective(whole, all_heads));
    assert_ok(csm_lstm_cuda_objective(again, all_heads));
    float *first = device_array(p.count, sizeof *first), *second = device_array(p.count, sizeof *second);
    double loss;
    for (uint64_t n = 1; n <= 4; n++) {
        const csm_lstm_cuda_step step = {n, 0.01, 0.1, 1, 0.125};
        const uint64_t waits = emulator_synchronisations();
        assert_ok(csm_lstm_cuda_learn(whole, &p.batch, p.dout, NULL, &step));
        if (n > 2) assert_ok(csm_lstm_cuda_learn(again, &p.batch, p.dout, NULL, &step));
        assert_int_equal(waits, emulator_synchronisations());
        if (n != 2) continue;
        assert_ok(csm_lstm_cuda_get_parameters(whole, p.grad));
        assert_ok(csm_lstm_cuda_get_moments(whole, first, second));
        assert_ok(csm_lstm_cuda_set_parameters(again, p.grad));
        assert_ok(csm_lstm_cuda_set_moments(again, first, second));
    }
    assert_ok(csm_lstm_cuda_epoch(whole, &loss));
    assert_true(loss > 0);
    assert_ok(csm_lstm_cuda_epoch(whole, &loss));
    assert_true(loss == 0); /* since the last call */
    assert_ok(csm_lstm_cuda_get_parameters(whole, p.grad));
    assert_ok(csm_lstm_cuda_get_parameters(again, first));
    assert_memory_equal(p.grad, first, p.count * sizeof *first);
    csm_lstm_cuda_free(whole);
    csm_lstm_cuda_free(again);
    free(first);
    free(second);
    device_problem_free(&p);
}

static void a_gradient_that_is_not_finite_stops_the_learning_and_is_named(void **unused) {
    (void)unused;
    const device_case c = {3, 6, 1, 4, 0, 30, 5, 3, 0, CSM_LSTM_FP32, CSM_LSTM_HOURS, CSM_LSTM_HOURS};
    device_problem p;
    device_problem_new(&p, &c);
    const csm_lstm_cuda_options options = device_options(&c);
    csm_lstm_cuda *lstm;
    double loss;
    emulator_reset(NULL, EMULATOR_FORWARD, 1);
    assert_ok(csm_lstm_cuda_new(&lstm, &p.shape, &options));
    assert_ok(csm_lstm_cuda_set_parameters(lstm, p.parameters));
    const csm_lstm_cuda_step step = {1, 0.01, 0, 0, 0.2};
    csm_lstm_cuda_step none = step;
    none.number = 0;
    csm_lstm_cuda_head odd[4] = {{0, 0, 1, 0}, {4, 0, 1, 0}, {0, 0, 1, 0}, {0, 0, 1, 0}};
    assert_fails(CSM_EINVAL, "without heads", csm_lstm_cuda_learn(lstm, &p.batch, p.dout, NULL, &step));
    assert_fails(CSM_EINVAL, "without heads", csm_lstm_cuda_epoch(lstm, &loss));
    assert_fails(CSM_EINVAL, "without heads", csm_lstm_cuda_get_moments(lstm, p.grad, p.grad));
    assert_fails(CSM_EINVAL, "without heads", csm_lstm_cuda_set_moments(lstm, p.grad, p.grad));
    assert_fails(CSM_EINVAL, "head 1 has objective 4", csm_lstm_cuda_objective(lstm, odd));
    assert_ok(csm_lstm_cuda_objective(lstm, all_heads));
    assert_fails(CSM_EINVAL, "counted from 1", csm_lstm_cuda_learn(lstm, &p.batch, p.dout, NULL, &none));
    assert_ok(csm_lstm_cuda_learn(lstm, &p.batch, p.dout, NULL, &step));
    assert_ok(csm_lstm_cuda_get_parameters(lstm, p.grad));
    p.dout[0] = NAN; /* the squared loss's target */
    assert_ok(csm_lstm_cuda_learn(lstm, &p.batch, p.dout, NULL, &step));
    p.dout[0] = 1;
    assert_ok(csm_lstm_cuda_learn(lstm, &p.batch, p.dout, NULL, &step));
    assert_fails(CSM_EINVAL, "gradient of step 2 is not finite", csm_lstm_cuda_epoch(lstm, &loss));
    assert_ok(csm_lstm_cuda_get_parameters(lstm, p.parameters));
    assert_memory_equal(p.grad, p.parameters, p.count * sizeof *p.grad);
    csm_lstm_cuda_free(lstm);
    device_problem_free(&p);
}

/* Whatever call of the runtime fails: an error, nothing lost, nothing left behind. */
static void every_failing_call_of_the_runtime_is_an_error_and_nothing_leaks(void **unused) {
    (void)unused;
    const device_case c = {3, 20, 2, 2, 1, 20, 6, 3, 0.3f, CSM_LSTM_FP16, CSM_LSTM_HOURS, CSM_LSTM_HOURS};
    device_problem p;
    device_problem_new(&p, &c);
    const csm_lstm_cuda_options options = device_options(&c);
    emulator_reset(NULL, EMULATOR_FORWARD, 1);
    const csm_lstm_cuda_step step = {1, 0.01, 0, 0, 0.2};
    double loss;
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        csm_lstm_cuda *lstm = NULL;
        emulator_fail_call(n);
        csm_status status = csm_lstm_cuda_new(&lstm, &p.shape, &options);
        if (!status) status = csm_lstm_cuda_set_parameters(lstm, p.parameters);
        if (!status) status = csm_lstm_cuda_forward(lstm, &p.batch, p.out);
        if (!status) status = csm_lstm_cuda_backward(lstm, p.dout, p.grad, p.dx);
        if (!status) status = csm_lstm_cuda_objective(lstm, all_heads);
        if (!status) status = csm_lstm_cuda_learn(lstm, &p.batch, p.dout, NULL, &step);
        if (!status) status = csm_lstm_cuda_epoch(lstm, &loss);
        csm_lstm_cuda_free(lstm);
        failed = status != CSM_OK;
        if (failed) assert_true(status == CSM_EDEVICE || status == CSM_ENOMEM);
        if (failed) assert_true(strlen(csm_error_message()) > 0);
        assert_int_equal(0, emulator_memory_used());
        assert_int_equal(0, emulator_objects());
        assert_true(n < 1000);
        /* freeing may be what used up the failure */
        if (!failed && emulator_calls() > 0) emulator_fail_call(0);
    }
    device_problem_free(&p);
}

static void every_failed_allocation_is_survived(void **unused) {
    (void)unused;
    const csm_lstm_shape shape = {3, 5, 1, 2, 0};
    const csm_lstm_cuda_options options = {.batch = 2, .steps = 2, .hours = 4};
    csm_status status = CSM_ENOMEM;
    emulator_reset(NULL, EMULATOR_FORWARD, 1);
    for (uint64_t n = 1; status != CSM_OK; n++) {
        csm_lstm_cuda *lstm;
        csm_fault_allocation(n, false);
        status = csm_lstm_cuda_new(&lstm, &shape, &options);
        csm_fault_allocation(0, false);
        if (status) assert_int_equal(CSM_ENOMEM, status);
        csm_lstm_cuda_free(lstm);
        assert_int_equal(0, emulator_memory_used());
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rung_agrees_with_the_reference_in_float),
        cmocka_unit_test(tensor_cores_agree_step_by_step),
        cmocka_unit_test(resident_kernels_of_one_block_agree),
        cmocka_unit_test(resident_kernels_of_a_cluster_agree),
        cmocka_unit_test(the_order_of_threads_changes_no_bit),
        cmocka_unit_test(a_card_gets_the_best_rung_that_it_can_climb),
        cmocka_unit_test(a_precision_that_the_card_lacks_is_an_error_of_the_device),
        cmocka_unit_test(too_little_memory_is_told_before_it_is_taken),
        cmocka_unit_test(the_estimate_is_what_is_taken),
        cmocka_unit_test(batches_beyond_what_was_asked_for_are_refused),
        cmocka_unit_test(inference_gives_the_bits_of_training_and_memory_is_used_again),
        cmocka_unit_test(learning_agrees_with_adamw_in_double),
        cmocka_unit_test(learning_never_waits_and_goes_on_with_the_same_bits_from_a_checkpoint),
        cmocka_unit_test(a_gradient_that_is_not_finite_stops_the_learning_and_is_named),
        cmocka_unit_test(every_failing_call_of_the_runtime_is_an_error_and_nothing_leaks),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests_name("emulated lstm", tests, NULL, NULL);
}
