/* SPDX-License-Identifier: MIT */
#include "fuse/copies.h"

#include "backend/isa.h"

#include <stdint.h>
#include <string.h>
#if defined(CSM_BUILD_AVX512) || defined(CSM_BUILD_AVX2)
#include <immintrin.h>
#endif

/* Each instruction set has its own form, at another line: a name of its own keeps line counts by function apart. */
#define turn_square CSM_ISA_SYMBOL(turn_square)

#define COPY_DOUBLES CSM_ISA_SYMBOL(csm_copy_doubles)
#define COPY_FLOATS CSM_ISA_SYMBOL(csm_copy_floats)
#define WRITE_ROWS CSM_ISA_SYMBOL(csm_write_rows)
bool COPY_DOUBLES(float *out, const double *x, size_t n);
bool COPY_FLOATS(float *out, const float *x, size_t n);
csm_write_rows_fn WRITE_ROWS;

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

/* ---- rows ------------------------------------------------------------------------------------------------ */

#define LINE 16          /* floats of a cache line */
#define AHEAD (4 * LINE) /* more columns are read side by side than a processor follows by itself */
#define WIDE 128         /* columns that are turned together: what the buffer of a tile holds */

#if defined(CSM_BUILD_AVX512)
static inline __m512 pick(__m512 a, __m512 b, int high) {
    return high ? _mm512_shuffle_f32x4(a, b, 0xdd) : _mm512_shuffle_f32x4(a, b, 0x88);
}

/* r[i][j] becomes r[j][i]. */
static inline void turn(__m512 r[LINE]) {
    __m512 t[LINE], u[LINE];
    for (int i = 0; i < LINE; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < LINE; i += 4)
        for (int j = 0; j < 2; j++) {
            const __m512d a = _mm512_castps_pd(t[i + j]), b = _mm512_castps_pd(t[i + j + 2]);
            u[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
            u[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
        }
    /* u[4 g + j]: columns 4 g .. 4 g + 3 of rows j, 4 + j, 8 + j, 12 + j */
    for (int j = 0; j < 4; j++) {
        const __m512 a = pick(u[j], u[4 + j], 0), b = pick(u[8 + j], u[12 + j], 0);
        const __m512 c = pick(u[j], u[4 + j], 1), d = pick(u[8 + j], u[12 + j], 1);
        r[j] = pick(a, b, 0);
        r[8 + j] = pick(a, b, 1);
        r[4 + j] = pick(c, d, 0);
        r[12 + j] = pick(c, d, 1);
    }
}

/* Sixteen rows of up to sixteen columns. */
static inline void turn_square(float *image, size_t width, const float *strip, size_t stride,
                               size_t columns) {
    const __mmask16 whole = (__mmask16)((1u << columns) - 1);
    __m512 r[LINE];
    for (size_t c = 0; c < columns; c++) __builtin_prefetch(strip + c * stride + AHEAD);
    for (size_t c = 0; c < LINE; c++)
        r[c] = c < columns ? _mm512_loadu_ps(strip + c * stride) : _mm512_setzero_ps();
    turn(r);
    for (size_t k = 0; k < LINE; k++) _mm512_mask_storeu_ps(image + k * width, whole, r[k]);
}
#else
static inline void turn_square(float *image, size_t width, const float *strip, size_t stride,
                               size_t columns) {
    for (size_t c = 0; c < columns; c++)
        for (size_t k = 0; k < LINE; k++) image[k * width + c] = strip[c * stride + k];
}
#endif

/* One whole line to an address on a line. */
static inline void write_line(float *out, const float *line) {
#if defined(CSM_BUILD_AVX512)
    _mm512_stream_ps(out, _mm512_loadu_ps(line));
#elif defined(CSM_BUILD_AVX2)
    _mm256_stream_ps(out, _mm256_loadu_ps(line));
    _mm256_stream_ps(out + LINE / 2, _mm256_loadu_ps(line + LINE / 2));
#else
    memcpy(out, line, LINE * sizeof *line);
#endif
}

/* Values on their way to `out`: `count` wait in front of the image for a line to be whole. */
typedef struct writer {
    float *out;
    size_t count;
    float image[LINE + LINE * WIDE];
} writer;

static void flush_lines(writer *w) {
    float *next = w->image;
    size_t left = w->count;
    size_t head = ((uintptr_t)0 - (uintptr_t)w->out) % (LINE * sizeof(float)) / sizeof(float);
    if (head > left) head = left;
    memcpy(w->out, next, head * sizeof *next);
    w->out += head;
    next += head;
    left -= head;
    for (; left >= LINE; left -= LINE, next += LINE, w->out += LINE) write_line(w->out, next);
    memmove(w->image, next, left * sizeof *next);
    w->count = left;
}

static void finish(writer *w) {
    flush_lines(w);
    memcpy(w->out, w->image, w->count * sizeof *w->image);
#if defined(CSM_BUILD_AVX512) || defined(CSM_BUILD_AVX2)
    _mm_sfence(); /* for the threads that read the rows */
#endif
}

/* `rows` rows stand behind what waits; those that are dropped leave. */
static size_t keep_rows(float *image, size_t rows, size_t columns, const bool *dropped) {
    size_t kept = 0;
    for (size_t k = 0; k < rows; k++) {
        if (dropped[k]) continue;
        if (kept < k) memcpy(image + kept * columns, image + k * columns, columns * sizeof *image);
        kept++;
    }
    return kept;
}

/* More columns than the image holds: value by value. */
static void write_wide(float *out, const float *strip, size_t stride, size_t rows, size_t columns,
                       const bool *dropped) {
    for (size_t r = 0; r < rows; r++) {
        if (dropped && dropped[r]) continue;
        for (size_t c = 0; c < columns; c++) *out++ = strip[c * stride + r];
    }
}

/* The strip holds whole lines of rows, so that a square may read past the last row. */
void WRITE_ROWS(float *out, const float *strip, size_t stride, size_t rows, size_t columns,
                const bool *dropped) {
    writer w = {.out = out};
    if (columns > WIDE) {
        write_wide(out, strip, stride, rows, columns, dropped);
        return;
    }
    for (size_t r = 0; r < rows; r += LINE) {
        float *image = w.image + w.count;
        size_t kept = rows - r < LINE ? rows - r : LINE;
        for (size_t c = 0; c < columns; c += LINE)
            turn_square(image + c, columns, strip + c * stride + r, stride,
                        columns - c < LINE ? columns - c : LINE);
        if (dropped) kept = keep_rows(image, kept, columns, dropped + r);
        w.count += kept * columns;
        flush_lines(&w);
    }
    finish(&w);
}
