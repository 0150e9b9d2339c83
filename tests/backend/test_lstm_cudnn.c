/* SPDX-License-Identifier: MIT */
/* cuDNN's LSTM behind our functions, on the card that is there, against the reference and against our own. */
#include "backend/lstm_cudnn.h"
#include "backend/lstm_device.h"

static void without_cudnn_every_function_says_so(void **unused) {
    (void)unused;
    const csm_lstm_shape shape = {3, 5, 1, 1, 0};
    const csm_lstm_cuda_options options = {.batch = 2, .steps = 2, .hours = 4};
    csm_lstm_cudnn *lstm;
    if (csm_lstm_has_cudnn()) skip();
    assert_fails(CSM_EDEVICE, "without cuDNN", csm_lstm_cudnn_new(&lstm, &shape, &options));
    assert_null(lstm);
    assert_fails(CSM_EDEVICE, "without cuDNN", csm_lstm_cudnn_set_parameters(NULL, NULL));
    assert_fails(CSM_EDEVICE, "without cuDNN", csm_lstm_cudnn_forward(NULL, NULL, NULL));
    assert_fails(CSM_EDEVICE, "without cuDNN", csm_lstm_cudnn_backward(NULL, NULL, NULL, NULL));
    csm_lstm_cudnn_free(NULL);
}

static void what_cudnn_lacks_is_refused(void **unused) {
    (void)unused;
    const csm_lstm_shape shape = {3, 5, 1, 1, 1}, odd = {3, 0, 1, 1, 0};
    const csm_lstm_cuda_options options = {.batch = 2, .steps = 2, .hours = 4};
    csm_lstm_cudnn *lstm;
    if (!csm_lstm_has_cudnn()) skip();
    assert_fails(CSM_EINVAL, "no layer norm", csm_lstm_cudnn_new(&lstm, &shape, &options));
    assert_fails(CSM_EINVAL, "out of range", csm_lstm_cudnn_new(&lstm, &odd, &options));
}

static void cudnn_gives_the_references_numbers_from_the_same_weights(void **unused) {
    (void)unused;
    const size_t hidden[] = {24, 64, 128, 256};
    csm_device_info info;
    uint32_t devices;
    size_t wrong = 0;
    assert_ok(csm_backend_device_count(&devices));
    if (!csm_lstm_has_cudnn() || devices == 0) {
        print_message("%s\n", csm_lstm_has_cudnn() ? csm_error_message() : "built without cuDNN");
        skip();
    }
    assert_ok(csm_backend_device_info(&info, 0));
    for (size_t i = 0; i < 4 * 4; i++) {
        const csm_lstm_precision precision = (csm_lstm_precision)(i % 4);
        if (info.compute_major < 8 && (precision == CSM_LSTM_TF32 || precision == CSM_LSTM_BF16)) continue;
        const device_case c = {.inputs = 13,
                               .hidden = hidden[i / 4],
                               .layers = 1 + i % 2,
                               .outputs = 3,
                               .hours = 120,
                               .windows = 33,
                               .steps = 16,
                               .precision = precision};
        const csm_lstm_cuda_options options = device_options(&c);
        csm_lstm_cudnn *lstm;
        device_problem p;
        device_problem_new(&p, &c);
        assert_ok(csm_lstm_cudnn_new(&lstm, &p.shape, &options));
        assert_ok(csm_lstm_cudnn_set_parameters(lstm, p.parameters));
        assert_ok(csm_lstm_cudnn_forward(lstm, &p.batch, p.out));
        assert_ok(csm_lstm_cudnn_backward(lstm, p.dout, p.grad, p.dx));
        assert_fails(CSM_EINVAL, "without a forward", csm_lstm_cudnn_backward(lstm, p.dout, p.grad, p.dx));
        csm_lstm_cudnn_free(lstm);
        const double distance[3] = {device_distance(p.out, p.want_out, p.outs), device_gradient_distance(&p),
                                    device_distance(p.dx, p.want_dx, p.inputs)};
        device_print(&c, distance);
        if (!device_within(&c, distance)) wrong++;
        device_problem_free(&p);
    }
    assert_int_equal(0, wrong);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_cudnn_every_function_says_so),
        cmocka_unit_test(what_cudnn_lacks_is_refused),
        cmocka_unit_test(cudnn_gives_the_references_numbers_from_the_same_weights),
    };
    return cmocka_run_group_tests_name("lstm cudnn", tests, NULL, NULL);
}
