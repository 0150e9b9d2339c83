/* SPDX-License-Identifier: MIT */
#include "fuse/copies.h"

#include "backend/isa.h"

#define COPY_DOUBLES CSM_ISA_SYMBOL(csm_copy_doubles)
#define COPY_FLOATS CSM_ISA_SYMBOL(csm_copy_floats)
#define COPY_STRIP CSM_ISA_SYMBOL(csm_copy_strip)
bool COPY_DOUBLES(float *out, const double *x, size_t n);
bool COPY_FLOATS(float *out, const float *x, size_t n);
void COPY_STRIP(float *out, size_t stride, const float *strip, size_t rows, size_t columns);

#define TILE 16

/* x - x is 0 for finite x alone. */
bool COPY_DOUBLES(float *out, const double *x, size_t n) {
    int wrong = 0;
    for (size_t i = 0; i < n; i++) {
        const float value = (float)x[i];
        out[i] = value;
        wrong |= value - value != 0;
    }
    return wrong == 0;
}

bool COPY_FLOATS(float *out, const float *x, size_t n) {
    int wrong = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = x[i];
        wrong |= x[i] - x[i] != 0;
    }
    return wrong == 0;
}

/* Sixteen rows at a time: each column's part of them is one load, each row's part one store. */
void COPY_STRIP(float *out, size_t stride, const float *strip, size_t rows, size_t columns) {
    size_t r = 0;
    for (; columns == TILE && r + TILE <= rows; r += TILE) {
        float tile[TILE][TILE];
        for (size_t c = 0; c < TILE; c++)
            for (size_t k = 0; k < TILE; k++) tile[k][c] = strip[c * rows + r + k];
        for (size_t k = 0; k < TILE; k++)
            for (size_t c = 0; c < TILE; c++) out[(r + k) * stride + c] = tile[k][c];
    }
    for (; r < rows; r++)
        for (size_t c = 0; c < columns; c++) out[r * stride + c] = strip[c * rows + r];
}
