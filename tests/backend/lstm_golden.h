/* SPDX-License-Identifier: MIT */
/* Reads golden/lstm.txt, which make_lstm_golden.py wrote with PyTorch. */
#ifndef CSM_TESTS_BACKEND_LSTM_GOLDEN_H
#define CSM_TESTS_BACKEND_LSTM_GOLDEN_H

#include "core/support.h"

#include "backend/lstm.h"

#include <math.h>

typedef struct golden_lstm {
    csm_lstm_shape shape;
    csm_lstm_batch batch; /* points into x32 and first */
    size_t parameter_count;
    double *parameters, *x, *dout, *out, *grad, *dx;
    float *x32;
    uint32_t *first;
} golden_lstm;

static inline double *golden_row(FILE *file, const char *name, size_t count) {
    char word[32];
    double *values = calloc(count, sizeof *values);
    assert_non_null(values);
    assert_int_equal(fscanf(file, "%31s", word), 1);
    assert_string_equal(word, name);
    for (size_t i = 0; i < count; i++) assert_int_equal(fscanf(file, "%lf", &values[i]), 1);
    return values;
}

static inline float *to_float(const double *values, size_t count) {
    float *out = calloc(count, sizeof *out);
    for (size_t i = 0; i < count; i++) out[i] = (float)values[i];
    return out;
}

/* False at the end of the file. */
static inline bool golden_next(golden_lstm *g, FILE *file) {
    size_t I, H, L, O, R, B, T;
    unsigned norm;
    if (fscanf(file, " case %zu %zu %zu %zu %u %zu %zu %zu", &I, &H, &L, &O, &norm, &R, &B, &T) != 8)
        return false;
    *g = (golden_lstm){.shape = {I, H, L, O, norm}};
    g->parameter_count = csm_lstm_parameters(&g->shape);
    g->parameters = golden_row(file, "parameters", g->parameter_count);
    g->x = golden_row(file, "x", R * I);
    double *first = golden_row(file, "first", B);
    g->first = calloc(B, sizeof *g->first);
    for (size_t b = 0; b < B; b++) g->first[b] = (uint32_t)first[b];
    free(first);
    g->dout = golden_row(file, "dout", B * O);
    g->out = golden_row(file, "out", B * O);
    g->grad = golden_row(file, "grad", g->parameter_count);
    g->dx = golden_row(file, "dx", R * I);
    g->x32 = to_float(g->x, R * I);
    g->batch = (csm_lstm_batch){.x = g->x32, .hours = R, .first = g->first, .length = B, .steps = T};
    return true;
}

static inline void golden_free(golden_lstm *g) {
    free(g->parameters);
    free(g->x);
    free(g->dout);
    free(g->out);
    free(g->grad);
    free(g->dx);
    free(g->x32);
    free(g->first);
}

static inline FILE *golden_open(void) {
    FILE *file = fopen(CSM_SOURCE_DIR "/tests/backend/golden/lstm.txt", "r");
    assert_non_null(file);
    return file;
}

/* Greatest |got - want|, as a share of the greatest |want|. */
static inline double difference_f64(const double *got, const double *want, size_t count) {
    double difference = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        difference = fmax(difference, fabs(got[i] - want[i]));
        size = fmax(size, fabs(want[i]));
        if (isnan(got[i])) return INFINITY;
    }
    return size > 0 ? difference / size : difference;
}

static inline double difference_f32(const float *got, const double *want, size_t count) {
    double *wide = calloc(count, sizeof *wide);
    for (size_t i = 0; i < count; i++) wide[i] = (double)got[i];
    const double difference = difference_f64(wide, want, count);
    free(wide);
    return difference;
}

#endif
