/* SPDX-License-Identifier: MIT */
#include "store/columns.h"

#include <cryptosmart/store.h>

#include <math.h>

/* Sums and differences are taken modulo 2^64 (store/coding.h). */
static inline int64_t plus(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

csm_extremes CSM_ISA_SYMBOL(csm_column_extremes)(const int64_t *values, const int64_t *cells, size_t n) {
    int64_t least = INT64_MAX, most = INT64_MIN;
    size_t missing = 0;
    for (size_t i = 0; i < n; i++) {
        const bool absent = cells[i] == CSM_CELL_MISSING;
        const int64_t low = absent ? INT64_MAX : values[i], high = absent ? INT64_MIN : values[i];
        least = low < least ? low : least;
        most = high > most ? high : most;
        missing += absent;
    }
    return (csm_extremes){.least = least, .most = most, .missing = missing};
}

size_t CSM_ISA_SYMBOL(csm_column_missing)(const int64_t *cells, size_t n) {
    size_t missing = 0;
    for (size_t i = 0; i < n; i++) missing += cells[i] == CSM_CELL_MISSING;
    return missing;
}

size_t CSM_ISA_SYMBOL(csm_column_closer)(const int64_t *left, const int64_t *right, size_t n,
                                         int64_t distance) {
    size_t closer = 0;
    for (size_t i = 0; i < n; i++)
        closer += (left[i] < right[i]) | ((uint64_t)left[i] - (uint64_t)right[i] < (uint64_t)distance);
    return closer;
}

uint64_t CSM_ISA_SYMBOL(csm_column_greatest)(const int64_t *values, size_t n, uint64_t but) {
    uint64_t most = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t value = (uint64_t)values[i] == but ? 0 : (uint64_t)values[i];
        most = value > most ? value : most;
    }
    return most;
}

size_t CSM_ISA_SYMBOL(csm_column_doubles)(double *out, const int64_t *ticks, size_t n, double divisor) {
    const int64_t exact = (int64_t)1 << 53;
    size_t inexact = 0;
    for (size_t i = 0; i < n; i++) {
        const int64_t t = ticks[i];
        const bool absent = t == CSM_CELL_MISSING;
        inexact += absent ? 0 : (t > exact) | (t < -exact);
        out[i] = absent ? (double)NAN : (double)t / divisor;
    }
    return inexact;
}

void CSM_ISA_SYMBOL(csm_column_bounds)(int64_t *out, const int64_t *open, const int64_t *close, size_t n,
                                       bool above) {
    if (above) {
        for (size_t i = 0; i < n; i++) {
            const int64_t bound = open[i] > close[i] ? open[i] : close[i];
            out[i] = ((open[i] == CSM_CELL_MISSING) | (close[i] == CSM_CELL_MISSING)) ? 0 : bound;
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const int64_t bound = open[i] < close[i] ? open[i] : close[i]; /* the missing one, where one is */
        out[i] = bound == CSM_CELL_MISSING ? 0 : bound;
    }
}

void CSM_ISA_SYMBOL(csm_column_number)(int64_t *values, const int64_t *cells, size_t n, const csm_steps *s) {
    const uint64_t sign = s->unit < 0 ? UINT64_MAX : 0, offset = (uint64_t)s->offset;
    if (offset || sign) {
        for (size_t i = 0; i < n; i++) values[i] = (int64_t)((((uint64_t)values[i] - offset) ^ sign) - sign);
    }
    if (s->zigzag) {
        for (size_t i = 0; i < n; i++)
            values[i] = (int64_t)((uint64_t)values[i] << 1 ^ (values[i] < 0 ? UINT64_MAX : 0));
    }
    if (s->has_missing) {
        for (size_t i = 0; i < n; i++) values[i] = cells[i] == CSM_CELL_MISSING ? s->sentinel : values[i];
    }
}

static inline int64_t from_zigzag(int64_t stored) {
    return (int64_t)((uint64_t)stored >> 1 ^ (0 - ((uint64_t)stored & 1)));
}

void CSM_ISA_SYMBOL(csm_column_residuals)(int64_t *values, size_t n, const csm_steps *s) {
    const uint64_t unit = (uint64_t)s->unit, offset = (uint64_t)s->offset;
    const bool scaled = unit != 1 || offset != 0;
    if (s->has_missing) {
        for (size_t i = 0; i < n; i++) {
            const int64_t steps = s->zigzag ? from_zigzag(values[i]) : values[i];
            const int64_t residual = (int64_t)(unit * (uint64_t)steps + offset);
            values[i] = values[i] == s->sentinel ? CSM_CELL_MISSING : residual;
        }
        return;
    }
    if (s->zigzag) {
        for (size_t i = 0; i < n; i++) values[i] = from_zigzag(values[i]);
    }
    for (size_t i = 0; scaled && i < n; i++) values[i] = (int64_t)(unit * (uint64_t)values[i] + offset);
}

void CSM_ISA_SYMBOL(csm_column_add)(int64_t *values, const int64_t *predicted, size_t n) {
    for (size_t i = 0; i < n; i++)
        values[i] = values[i] == CSM_CELL_MISSING ? CSM_CELL_MISSING : plus(predicted[i], values[i]);
}
