/* SPDX-License-Identifier: MIT */
/* The other end of frame.Program: a benchmark in C reads "ours" or "peer" from its standard input, does that work once,
 * and answers "SECONDS QUALITY". */
#ifndef CSM_TESTS_BENCH_PROGRAM_H
#define CSM_TESTS_BENCH_PROGRAM_H

#include <stdio.h>
#include <string.h>
#include <time.h>

static inline double bench_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

typedef struct bench_result {
    double seconds;
    double quality;
} bench_result;

typedef bench_result (*bench_fn)(void *user);

/* Serves until the input ends. */
static inline int bench_serve(bench_fn ours, bench_fn peer, void *user) {
    char line[64];
    while (fgets(line, sizeof line, stdin) != NULL) {
        const bench_result result = strncmp(line, "ours", 4) == 0 ? ours(user) : peer(user);
        printf("%.9g %.17g\n", result.seconds, result.quality);
        fflush(stdout);
    }
    return 0;
}

#endif
