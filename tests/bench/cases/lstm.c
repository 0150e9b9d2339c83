/* SPDX-License-Identifier: MIT */
/*
 * The LSTM's kernels on one problem, two threads. lstm.py writes the problem: nine u64 (I, H, L, O, hours, B, T, threads,
 * parameters), then parameters, x (hours, I) as float, first (B) as u32, dout (B, O) as float. "forward" predicts, "train" makes
 * the gradient too (packing the weights included); "save" leaves out (B, O) and the gradient beside the problem.
 */
#include "program.h"

#include "backend/lstm.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct problem {
    uint64_t size[9];
    csm_lstm_shape shape;
    csm_lstm_batch batch;
    csm_lstm_cpu *net;
    float *parameters, *x, *dout, *out, *grad;
    uint32_t *first;
} problem;

static void *take(FILE *file, size_t count) {
    uint32_t *values = malloc(count * sizeof *values);
    if (!values || fread(values, sizeof *values, count, file) != count) exit(1);
    return values;
}

static int open_problem(problem *p, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fread(p->size, sizeof p->size, 1, file) != 1) return 1;
    const uint64_t *n = p->size;
    p->shape = (csm_lstm_shape){n[0], n[1], n[2], n[3], 0};
    if (csm_lstm_parameters(&p->shape) != n[8]) return 1;
    p->parameters = take(file, n[8]);
    p->x = take(file, n[4] * n[0]);
    p->first = take(file, n[5]);
    p->dout = take(file, n[5] * n[3]);
    fclose(file);
    p->out = malloc(n[5] * n[3] * sizeof *p->out);
    p->grad = malloc(n[8] * sizeof *p->grad);
    p->batch = (csm_lstm_batch){.x = p->x, .hours = n[4], .first = p->first, .length = n[5], .steps = n[6]};
    return csm_lstm_cpu_new(&p->net, &p->shape, (uint32_t)n[7], csm_backend_isa());
}

static int save(const problem *p, const char *path) {
    char name[4096];
    snprintf(name, sizeof name, "%s.ours", path);
    FILE *file = fopen(name, "wb");
    if (!file) return 1;
    const size_t written = fwrite(p->out, sizeof *p->out, p->size[5] * p->size[3], file) +
                           fwrite(p->grad, sizeof *p->grad, p->size[8], file);
    return fclose(file) || written != p->size[5] * p->size[3] + p->size[8];
}

int main(int argc, char **argv) {
    problem p = {0};
    char line[64];
    if (argc != 2 || open_problem(&p, argv[1])) return 1;
    csm_lstm_cpu_load(p.net, p.parameters);
    while (fgets(line, sizeof line, stdin) != NULL) {
        const bool train = strncmp(line, "train", 5) == 0;
        const double start = bench_now();
        int failed = 0;
        if (strncmp(line, "save", 4) == 0) {
            failed = save(&p, argv[1]);
        } else {
            if (train) csm_lstm_cpu_load(p.net, p.parameters);
            failed = csm_lstm_cpu_forward(p.net, &p.batch, train, p.out) ||
                     (train && csm_lstm_cpu_backward(p.net, &p.batch, p.dout, p.grad, NULL));
        }
        if (failed) return 1;
        printf("%.9g 0\n", bench_now() - start);
        fflush(stdout);
    }
    return 0;
}
