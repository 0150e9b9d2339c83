/* SPDX-License-Identifier: MIT */
/* The LSTM on the card that is there, against the reference: shapes, rungs and precisions. tests/gpu.sh runs it. */
#include "backend/lstm_device.h"
#include "backend/lstm_learning.h"

static uint32_t devices(void) {
    uint32_t count;
    assert_ok(csm_backend_device_count(&count));
    return count;
}

static void without_cuda_every_function_says_so(void **unused) {
    (void)unused;
    const csm_lstm_shape shape = {3, 5, 1, 1, 0};
    const csm_lstm_cuda_options options = {.batch = 2, .steps = 2, .hours = 4};
    csm_lstm_cuda *lstm;
    uint64_t bytes;
    if (csm_backend_has_cuda()) skip();
    assert_fails(CSM_EDEVICE, "without CUDA", csm_lstm_cuda_new(&lstm, &shape, &options));
    assert_null(lstm);
    assert_fails(CSM_EDEVICE, "without CUDA", csm_lstm_cuda_memory(&bytes, &shape, &options));
    assert_fails(CSM_EDEVICE, "without CUDA", csm_lstm_cuda_set_parameters(NULL, NULL));
    assert_fails(CSM_EDEVICE, "without CUDA", csm_lstm_cuda_get_parameters(NULL, NULL));
    assert_fails(CSM_EDEVICE, "without CUDA", csm_lstm_cuda_forward(NULL, NULL, NULL));
    assert_fails(CSM_EDEVICE, "without CUDA", csm_lstm_cuda_backward(NULL, NULL, NULL, NULL));
    assert_fails(CSM_EDEVICE, "without CUDA", csm_lstm_cuda_objective(NULL, NULL));
    assert_fails(CSM_EDEVICE, "without CUDA", csm_lstm_cuda_learn(NULL, NULL, NULL, NULL, NULL));
    assert_fails(CSM_EDEVICE, "without CUDA", csm_lstm_cuda_epoch(NULL, NULL));
    assert_fails(CSM_EDEVICE, "without CUDA", csm_lstm_cuda_get_moments(NULL, NULL, NULL));
    assert_fails(CSM_EDEVICE, "without CUDA", csm_lstm_cuda_set_moments(NULL, NULL, NULL));
    assert_int_equal(CSM_LSTM_BEST, csm_lstm_cuda_rung(NULL));
    csm_lstm_cuda_free(NULL);
}

static void without_a_card_an_object_is_an_error_of_the_device(void **unused) {
    (void)unused;
    const csm_lstm_shape shape = {3, 5, 1, 1, 0};
    const csm_lstm_cuda_options options = {.batch = 2, .steps = 2, .hours = 4};
    csm_lstm_cuda *lstm;
    if (!csm_backend_has_cuda() || devices() > 0) skip();
    assert_fails(CSM_EDEVICE, "no device 0", csm_lstm_cuda_new(&lstm, &shape, &options));
    assert_null(lstm);
}

/* Every width of the resident kernels, one and several layers, batches below, at and above a tile. */
static void every_rung_and_precision_agrees_with_the_reference(void **unused) {
    (void)unused;
    const size_t hidden[] = {1, 24, 32, 50, 64, 100, 128, 192, 256, 400, 512, 520};
    const size_t windows[] = {1, 16, 77};
    const bool quick = getenv("CSM_GPU_QUICK") != NULL; /* under compute-sanitizer */
    csm_device_info info;
    size_t wrong = 0, runs = 0;
    if (devices() == 0) {
        print_message("no CUDA device: %s\n", csm_error_message());
        skip();
    }
    assert_ok(csm_backend_device_info(&info, 0));
    for (size_t h = 0; h < sizeof hidden / sizeof *hidden; h++) {
        for (csm_lstm_precision precision = CSM_LSTM_FP32; precision <= CSM_LSTM_BF16; precision++) {
            if (info.compute_major < 8 && (precision == CSM_LSTM_TF32 || precision == CSM_LSTM_BF16))
                continue;
            for (csm_lstm_rung rung = CSM_LSTM_BEST; rung <= CSM_LSTM_HOURS; rung++) {
                const bool deep = (h + rung) % 2 == 0 && hidden[h] <= 256;
                const device_case c = {.inputs = 13,
                                       .hidden = hidden[h],
                                       .layers = deep ? 2 : 1,
                                       .outputs = 3,
                                       .norm = deep,
                                       .hours = 120,
                                       .windows = windows[(h + precision) % 3],
                                       .steps = quick ? 4 : 16,
                                       .dropout = deep ? 0.2f : 0,
                                       .precision = precision,
                                       .rung = rung};
                device_problem p;
                double distance[3];
                device_problem_new(&p, &c);
                device_run(&c, &p, distance);
                device_print(&c, distance);
                runs++;
                if (!device_within(&c, distance)) wrong++;
                device_problem_free(&p);
            }
        }
    }
    print_message("%zu runs on %s (%d.%d), %zu out of tolerance\n", runs, info.name, info.compute_major,
                  info.compute_minor, wrong);
    assert_int_equal(0, wrong);
}

static void learning_agrees_with_adamw_in_double(void **unused) {
    (void)unused;
    const csm_lstm_cuda_head heads[4] = {{0, 0, 1, 0}, {1, 0.5f, 0.7f, 0}, {2, 0.9f, 1, 0}, {3, 0, 2, 0.3f}};
    const csm_lstm_precision precisions[2] = {CSM_LSTM_FP32, CSM_LSTM_FP16};
    const double most[2][2] = {{1e-3, 1e-5}, {5e-2, 1e-3}};
    if (devices() == 0) skip();
    for (size_t i = 0; i < 4; i++) {
        const device_case c = {
            13, 64, 2, 4, i % 2, 120, 77, 24, 0.2f, precisions[i / 2], CSM_LSTM_BEST, CSM_LSTM_BEST};
        double distance[2];
        learning_run(&c, heads, i % 2 ? 0.05 : 0, distance);
        assert_true(distance[0] < most[i / 2][0] && distance[1] < most[i / 2][1]);
    }
}

/* A race would change bits from run to run. */
static void the_same_batch_gives_the_same_bits_again(void **unused) {
    (void)unused;
    if (devices() == 0) skip();
    const size_t hidden[] = {64, 128, 256, 512};
    for (size_t h = 0; h < sizeof hidden / sizeof *hidden; h++) {
        const device_case c = {
            13, hidden[h], 1, 3, 0, 200, 300, 24, 0, CSM_LSTM_FP16, CSM_LSTM_BEST, CSM_LSTM_BEST};
        device_problem p, q;
        double distance[3];
        device_problem_new(&p, &c);
        device_problem_new(&q, &c);
        device_run(&c, &p, distance);
        for (int again = 0; again < 5; again++) {
            device_run(&c, &q, distance);
            assert_memory_equal(p.out, q.out, p.outs * sizeof *p.out);
            assert_memory_equal(p.grad, q.grad, p.count * sizeof *p.grad);
        }
        device_problem_free(&p);
        device_problem_free(&q);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_cuda_every_function_says_so),
        cmocka_unit_test(without_a_card_an_object_is_an_error_of_the_device),
        cmocka_unit_test(every_rung_and_precision_agrees_with_the_reference),
        cmocka_unit_test(learning_agrees_with_adamw_in_double),
        cmocka_unit_test(the_same_batch_gives_the_same_bits_again),
    };
    return cmocka_run_group_tests_name("lstm cuda", tests, NULL, NULL);
}
