/* SPDX-License-Identifier: MIT */
/*
 * Trains an LSTM end to end and answers with its validation loss. lstm.py writes the problem: twelve u64 (hours, features,
 * T, windows, validation windows, threads, hidden, epochs, batch, run, learning rate in millionths, unused), x (hours,
 * features) as float, ends (i64) and y (two columns of double: a return, whether it rose) of the windows, then of the
 * validation windows.
 */
#include "program.h"

#include <cryptosmart/model.h>

#include <stdint.h>
#include <stdlib.h>

typedef struct problem {
    uint64_t size[12];
    csm_samples learn, check;
    csm_context *context;
} problem;

static void *take(FILE *file, size_t count, size_t element) {
    void *values = malloc(count * element);
    if (!values || fread(values, element, count, file) != count) exit(1);
    return values;
}

static int open_problem(problem *p, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fread(p->size, sizeof p->size, 1, file) != 1) return 1;
    const uint64_t *n = p->size;
    float *x = take(file, n[0] * n[1], sizeof *x);
    csm_samples *const parts[2] = {&p->learn, &p->check};
    for (size_t i = 0; i < 2; i++) {
        const size_t length = n[3 + i];
        *parts[i] =
            (csm_samples){.x = csm_matrix_f32(x, n[0], n[1]), .window_length = n[2], .length = length};
        parts[i]->window_end = take(file, length, sizeof(int64_t));
        parts[i]->y = csm_matrix_f64(take(file, 2 * length, sizeof(double)), length, 2);
    }
    fclose(file);
    csm_context_options options;
    csm_context_options_init(&options);
    options.threads = (uint32_t)n[5];
    return csm_context_new(&p->context, &options);
}

static bench_result ours(void *user) {
    static const csm_head heads[] = {{CSM_OBJECTIVE_SQUARED, 0, 0, 1}, {CSM_OBJECTIVE_LOGISTIC, 1, 0, 1}};
    const problem *p = user;
    const csm_parameter parameters[] = {{"hidden", (double)p->size[6]},
                                        {"epochs", (double)p->size[7]},
                                        {"batch", (double)p->size[8]},
                                        {"run", (double)p->size[9]},
                                        {"learning_rate", 1e-6 * (double)p->size[10]}};
    csm_train_options options;
    csm_model *model;
    csm_model_info info;
    csm_model_train_options_init(&options);
    options.parameters = parameters;
    options.parameter_count = sizeof parameters / sizeof *parameters;
    options.heads = heads;
    options.head_count = 2;
    options.validation = &p->check;
    const double start = bench_now();
    if (csm_model_train(&model, p->context, "lstm", &p->learn, &options)) {
        fprintf(stderr, "%s\n", csm_error_message());
        exit(1);
    }
    const double seconds = bench_now() - start;
    csm_model_describe(&info, model);
    csm_model_free(model);
    return (bench_result){seconds, info.validation_loss};
}

int main(int argc, char **argv) {
    problem p = {0};
    if (argc != 2 || open_problem(&p, argv[1])) return 1;
    return bench_serve(ours, ours, &p);
}
