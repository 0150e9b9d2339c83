/* SPDX-License-Identifier: MIT */
/* The fast LSTM on each instruction set: against PyTorch's numbers and the plain reference, with any number of threads. */
#include "backend/lstm_golden.h"

#include "core/internal.h"

#define ISAS 3

static bool runs(csm_isa isa) {
    return isa <= csm_backend_isa();
}

typedef struct gradients {
    float *out, *grad, *dx;
} gradients;

static void gradients_free(gradients *g) {
    free(g->out);
    free(g->grad);
    free(g->dx);
}

static gradients gradients_new(const csm_lstm_shape *shape, const csm_lstm_batch *batch) {
    return (gradients){.out = calloc(batch->length * shape->outputs, sizeof(float)),
                       .grad = calloc(csm_lstm_parameters(shape), sizeof(float)),
                       .dx = calloc(batch->hours * shape->inputs, sizeof(float))};
}

static gradients run_twin(const csm_lstm_shape *shape, const float *parameters, const csm_lstm_batch *batch,
                          const float *dout, uint32_t threads, csm_isa isa) {
    csm_lstm_cpu *net;
    gradients g = gradients_new(shape, batch);
    assert_ok(csm_lstm_cpu_new(&net, shape, threads, isa));
    csm_lstm_cpu_load(net, parameters);
    assert_ok(csm_lstm_cpu_forward(net, batch, true, g.out));
    assert_ok(csm_lstm_cpu_backward(net, batch, dout, g.grad, g.dx));
    csm_lstm_cpu_free(net);
    return g;
}

static double worst(const float *got, const float *want, size_t count) {
    double *wide = calloc(count, sizeof *wide);
    for (size_t i = 0; i < count; i++) wide[i] = (double)want[i];
    const double difference = difference_f32(got, wide, count);
    free(wide);
    return difference;
}

static void the_twin_agrees_with_pytorch_to_1e_5(void **unused) {
    (void)unused;
    for (csm_isa isa = 0; isa < ISAS; isa++) {
        if (!runs(isa)) continue;
        FILE *file = golden_open();
        golden_lstm g;
        while (golden_next(&g, file)) {
            const size_t outs = g.batch.length * g.shape.outputs, inputs = g.batch.hours * g.shape.inputs;
            float *parameters = to_float(g.parameters, g.parameter_count), *dout = to_float(g.dout, outs);
            gradients got = run_twin(&g.shape, parameters, &g.batch, dout, 2, isa);
            assert_true(difference_f32(got.out, g.out, outs) < 1e-5);
            assert_true(difference_f32(got.grad, g.grad, g.parameter_count) < 1e-5);
            assert_true(difference_f32(got.dx, g.dx, inputs) < 1e-5);
            gradients_free(&got);
            free(parameters);
            free(dout);
            golden_free(&g);
        }
        fclose(file);
    }
}

/* ---- larger problems, against the reference ---- */

typedef struct problem {
    csm_lstm_shape shape;
    csm_lstm_batch batch;
    float *x, *parameters, *dout;
    uint32_t *first;
} problem;

static float *normals(size_t count, uint64_t stream, double scale) {
    float *values = calloc(count, sizeof *values);
    for (size_t i = 0; i < count; i++) values[i] = (float)(scale * csm_random_normal(5, stream, i));
    return values;
}

static problem problem_new(csm_lstm_shape shape, size_t hours, size_t length, size_t steps, float dropout) {
    problem p = {.shape = shape};
    p.x = normals(hours * shape.inputs, 1, 1);
    p.parameters = normals(csm_lstm_parameters(&shape), 2, 0.3);
    p.dout = normals(length * shape.outputs, 3, 1);
    p.first = calloc(length, sizeof *p.first);
    for (size_t b = 0; b < length; b++)
        p.first[b] = (uint32_t)(csm_random_u64(5, 4, b / 2) %
                                (hours - steps + 1)); /* each window twice: full overlap */
    p.batch = (csm_lstm_batch){p.x, hours, p.first, length, steps, {dropout, 11, 12}};
    return p;
}

static void problem_free(problem *p) {
    free(p->x);
    free(p->parameters);
    free(p->dout);
    free(p->first);
}

static const struct {
    csm_lstm_shape shape;
    size_t hours, length, steps;
    float dropout;
} problems[] = {
    {{5, 16, 1, 1, 0}, 40, 13, 6, 0},     {{31, 33, 2, 3, 0}, 60, 29, 7, 0.3f},
    {{16, 48, 3, 2, 1}, 50, 26, 5, 0.2f}, {{120, 80, 1, 6, 1}, 30, 9, 4, 0},
    {{1, 1, 1, 1, 0}, 9, 5, 3, 0},        {{3, 100, 1, 1, 0}, 300, 140, 2, 0},
    {{4, 20, 2, 1, 0}, 8, 1, 1, 0},
};
#define PROBLEMS (sizeof problems / sizeof *problems)

static problem problem_at(size_t i) {
    return problem_new(problems[i].shape, problems[i].hours, problems[i].length, problems[i].steps,
                       problems[i].dropout);
}

static void the_twin_agrees_with_the_reference_over_shapes(void **unused) {
    (void)unused;
    for (size_t i = 0; i < PROBLEMS; i++) {
        problem p = problem_at(i);
        gradients want = gradients_new(&p.shape, &p.batch);
        assert_ok(
            csm_lstm_plain_f32(&p.shape, p.parameters, &p.batch, p.x, want.out, p.dout, want.grad, want.dx));
        for (csm_isa isa = 0; isa < ISAS; isa++) {
            if (!runs(isa)) continue;
            gradients got = run_twin(&p.shape, p.parameters, &p.batch, p.dout, 3, isa);
            assert_true(worst(got.out, want.out, p.batch.length * p.shape.outputs) < 1e-5);
            assert_true(worst(got.grad, want.grad, csm_lstm_parameters(&p.shape)) < 1e-5);
            assert_true(worst(got.dx, want.dx, p.batch.hours * p.shape.inputs) < 1e-5);
            gradients_free(&got);
        }
        gradients_free(&want);
        problem_free(&p);
    }
}

static void every_number_of_threads_gives_the_same_bits(void **unused) {
    (void)unused;
    for (size_t i = 0; i < PROBLEMS; i++) {
        problem p = problem_at(i);
        const size_t outs = p.batch.length * p.shape.outputs * sizeof(float);
        for (csm_isa isa = 0; isa < ISAS; isa++) {
            if (!runs(isa)) continue;
            gradients one = run_twin(&p.shape, p.parameters, &p.batch, p.dout, 1, isa);
            for (uint32_t threads = 2; threads <= 7; threads += threads == 3 ? 4 : 1) {
                gradients more = run_twin(&p.shape, p.parameters, &p.batch, p.dout, threads, isa);
                assert_memory_equal(one.out, more.out, outs);
                assert_memory_equal(one.grad, more.grad, csm_lstm_parameters(&p.shape) * sizeof(float));
                assert_memory_equal(one.dx, more.dx, p.batch.hours * p.shape.inputs * sizeof(float));
                gradients_free(&more);
            }
            gradients_free(&one);
        }
        problem_free(&p);
    }
}

/* ---- without keeping, in other company, step by step ---- */

static void inference_gives_trainings_bits_and_a_window_those_of_any_batch(void **unused) {
    (void)unused;
    problem p = problem_new((csm_lstm_shape){9, 24, 2, 2, 1}, 60, 31, 8, 0);
    csm_lstm_cpu *net;
    float kept[31 * 2], plain[31 * 2], alone[2];
    assert_ok(csm_lstm_cpu_new(&net, &p.shape, 2, csm_backend_isa()));
    csm_lstm_cpu_load(net, p.parameters);
    assert_ok(csm_lstm_cpu_forward(net, &p.batch, true, kept));
    assert_ok(csm_lstm_cpu_forward(net, &p.batch, false, plain));
    assert_memory_equal(kept, plain, sizeof kept);
    for (size_t b = 0; b < 31; b++) {
        csm_lstm_batch single = p.batch;
        single.first = p.first + b;
        single.length = 1;
        assert_ok(csm_lstm_cpu_forward(net, &single, false, alone));
        assert_memory_equal(alone, kept + 2 * b, sizeof alone);
    }
    csm_lstm_cpu_free(net);
    problem_free(&p);
}

static void stepping_gives_the_bits_of_a_window_from_the_first_hour(void **unused) {
    (void)unused;
    for (csm_isa isa = 0; isa < ISAS; isa++) {
        if (!runs(isa)) continue;
        problem p = problem_new((csm_lstm_shape){9, 24, 2, 2, 1}, 20, 1, 12, 0);
        csm_lstm_cpu *net;
        float window[2], stepped[2];
        float *state = calloc(csm_lstm_cpu_state(&p.shape), sizeof *state);
        p.first[0] = 0;
        assert_ok(csm_lstm_cpu_new(&net, &p.shape, 1, isa));
        csm_lstm_cpu_load(net, p.parameters);
        for (size_t s = 0; s < 12; s++)
            assert_ok(csm_lstm_cpu_step(net, state, p.x + s * 9, s == 11 ? stepped : NULL));
        assert_ok(csm_lstm_cpu_forward(net, &p.batch, false, window));
        assert_memory_equal(window, stepped, sizeof window);
        free(state);
        csm_lstm_cpu_free(net);
        problem_free(&p);
    }
}

static void instruction_sets_agree_to_1e_5(void **unused) {
    (void)unused;
    problem p = problem_at(1);
    gradients scalar = run_twin(&p.shape, p.parameters, &p.batch, p.dout, 1, CSM_ISA_SCALAR);
    gradients best = run_twin(&p.shape, p.parameters, &p.batch, p.dout, 1, csm_backend_isa());
    assert_true(worst(best.out, scalar.out, p.batch.length * p.shape.outputs) < 1e-5);
    assert_true(worst(best.grad, scalar.grad, csm_lstm_parameters(&p.shape)) < 1e-5);
    gradients_free(&scalar);
    gradients_free(&best);
    problem_free(&p);
}

static void backward_wants_a_forward_that_kept(void **unused) {
    (void)unused;
    problem p = problem_at(0);
    csm_lstm_cpu *net;
    gradients g = gradients_new(&p.shape, &p.batch);
    assert_ok(csm_lstm_cpu_new(&net, &p.shape, 1, csm_backend_isa()));
    csm_lstm_cpu_load(net, p.parameters);
    assert_fails(CSM_EINTERNAL, "kept", csm_lstm_cpu_backward(net, &p.batch, p.dout, g.grad, NULL));
    assert_ok(csm_lstm_cpu_forward(net, &p.batch, false, g.out));
    assert_fails(CSM_EINTERNAL, "kept", csm_lstm_cpu_backward(net, &p.batch, p.dout, g.grad, NULL));
    csm_lstm_shape none = p.shape;
    none.outputs = 0;
    csm_lstm_cpu *refused;
    assert_fails(CSM_EINVAL, "0 outputs", csm_lstm_cpu_new(&refused, &none, 1, csm_backend_isa()));
    assert_null(refused);
    csm_lstm_cpu_free(net);
    csm_lstm_cpu_free(NULL);
    gradients_free(&g);
    problem_free(&p);
}

static csm_status whole(const problem *p, gradients *g) {
    csm_lstm_cpu *net;
    csm_status status = csm_lstm_cpu_new(&net, &p->shape, 1, csm_backend_isa());
    if (status) return status;
    csm_lstm_cpu_load(net, p->parameters);
    status = csm_lstm_cpu_forward(net, &p->batch, true, g->out);
    if (!status) status = csm_lstm_cpu_backward(net, &p->batch, p->dout, g->grad, g->dx);
    csm_lstm_cpu_free(net);
    return status;
}

static void the_twin_survives_every_failed_allocation(void **unused) {
    (void)unused;
    problem p = problem_at(2);
    gradients g = gradients_new(&p.shape, &p.batch);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status == CSM_ENOMEM; n++) {
        csm_fault_allocation(n, false);
        status = whole(&p, &g);
        csm_fault_allocation(0, false);
        assert_true(n < 200);
    }
    assert_ok(status);
    gradients_free(&g);
    problem_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_twin_agrees_with_pytorch_to_1e_5),
        cmocka_unit_test(the_twin_agrees_with_the_reference_over_shapes),
        cmocka_unit_test(every_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(inference_gives_trainings_bits_and_a_window_those_of_any_batch),
        cmocka_unit_test(stepping_gives_the_bits_of_a_window_from_the_first_hour),
        cmocka_unit_test(instruction_sets_agree_to_1e_5),
        cmocka_unit_test(backward_wants_a_forward_that_kept),
        cmocka_unit_test(the_twin_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests_name("lstm twin", tests, NULL, NULL);
}
