/* SPDX-License-Identifier: MIT */
/* Bars for the tests: the recorded ones of golden/bars.txt, and walks made from them. */
#ifndef CSM_TESTS_INDICATOR_BARS_H
#define CSM_TESTS_INDICATOR_BARS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>

#include <cryptosmart/indicator.h>

#include "core/internal.h"

typedef struct test_bars {
    size_t length;
    csm_time *time;
    double *column[5]; /* open high low close volume */
} test_bars;

static inline test_bars test_bars_new(size_t length) {
    test_bars b = {.length = length, .time = calloc(length + 1, sizeof(csm_time))};
    for (int k = 0; k < 5; k++) b.column[k] = calloc(length + 1, sizeof(double));
    for (size_t i = 0; i < length; i++) b.time[i] = (csm_time)i * CSM_HOUR;
    return b;
}

static inline void test_bars_free(test_bars *b) {
    free(b->time);
    for (int k = 0; k < 5; k++) free(b->column[k]);
}

static inline csm_bars test_bars_view(const test_bars *b, size_t length) {
    return (csm_bars){.length = length,
                      .interval = CSM_HOUR,
                      .time = b->time,
                      .open = b->column[0],
                      .high = b->column[1],
                      .low = b->column[2],
                      .close = b->column[3],
                      .volume = b->column[4]};
}

static inline csm_bar test_bars_at(const test_bars *b, size_t i) {
    return (csm_bar){b->column[0][i], b->column[1][i], b->column[2][i], b->column[3][i], b->column[4][i]};
}

static inline test_bars test_bars_recorded(void) {
    FILE *file = fopen(CSM_SOURCE_DIR "/tests/indicator/golden/bars.txt", "r");
    assert_non_null(file);
    char line[256];
    test_bars b = test_bars_new(400);
    size_t i = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        long long seconds;
        if (line[0] == '#') continue;
        assert_true(i < b.length);
        assert_int_equal(6, sscanf(line, "%lld %lf %lf %lf %lf %lf", &seconds, &b.column[0][i],
                                   &b.column[1][i], &b.column[2][i], &b.column[3][i], &b.column[4][i]));
        b.time[i++] = seconds * CSM_SECOND;
    }
    fclose(file);
    assert_int_equal(b.length, i);
    return b;
}

/* `length` bars whose shapes and volumes are drawn from the recorded ones, strung together by their returns: a long
 * series of realistic bars for tests of numerics (never of forecasting). */
static inline test_bars test_bars_resampled(size_t length, uint64_t seed) {
    test_bars recorded = test_bars_recorded(), b = test_bars_new(length);
    double last = 100.0;
    for (size_t i = 0; i < length; i++) {
        const size_t j = (size_t)(csm_random_u64(seed, 7, i) % recorded.length);
        const double open = recorded.column[0][j];
        for (int k = 0; k < 4; k++) b.column[k][i] = last * (recorded.column[k][j] / open);
        /* A division may round apart what was equal: keep the bar valid. */
        for (int k = 0; k < 4; k += 3) {
            b.column[1][i] = fmax(b.column[1][i], b.column[k][i]);
            b.column[2][i] = fmin(b.column[2][i], b.column[k][i]);
        }
        b.column[4][i] = recorded.column[4][j];
        last = b.column[3][i];
        if (last > 1e4 || last < 1.0) last = 100.0;
    }
    test_bars_free(&recorded);
    return b;
}

#endif
