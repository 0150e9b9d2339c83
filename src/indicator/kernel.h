/* SPDX-License-Identifier: MIT */
/*
 * What an indicator file consists of, and the one macro that turns it into a row of the table:
 *
 *   typedef struct rsi { size_t n; real gain, loss; ... } rsi;       its state
 *   static size_t rsi_rows(const double *p);                         reals of window memory beside the state
 *   static void rsi_init(rsi *s, const double *p, real *rows);       the state before the first bar (zeroed memory)
 *   CSM_INLINE void rsi_step(rsi *s, const candle *b, real *out);       one bar; what it writes in warm-up is discarded
 *   static size_t rsi_warmup(const double *p);
 *   static size_t rsi_memory(const double *p);
 *   CSM_INDICATOR(rsi, 1, 1, .name = "rsi", ...)                     parameters, outputs, description (csm_indicator)
 */
#ifndef CSM_INDICATOR_KERNEL_H
#define CSM_INDICATOR_KERNEL_H

#include <cryptosmart/indicator.h>

#include "indicator/lane.h"

/* Columns of bars: bar t, lane k at column[t * LANES + k]. Columns that nobody asked for point at another column, so
 * that every load is valid. */
typedef struct csm_tile {
    const double *open;
    const double *high;
    const double *low;
    const double *close;
    const double *volume;
} csm_tile;

typedef struct csm_kernel {
    csm_indicator description; /* first: the public handle points at it */
    size_t state_bytes;
    size_t (*rows)(const double *parameters);
    void (*init)(void *state, const double *parameters, void *rows);
    /* Bars 0..count-1 of `ways` (1 or 2) independent tiles, each with its state; output k of bar t stands at
     * out[way][k * output_stride + t * LANES]. */
    void (*run)(void *const *states, const csm_tile *tiles, double *const *out, size_t ways, size_t count,
                size_t output_stride);
    /* One bar, in place; false when it is not a valid bar in the columns read. NULL but in the plain build. */
    bool (*push)(void *state, const csm_bar *b, double *out);
    size_t (*warmup)(const double *parameters);
    size_t (*memory)(const double *parameters);
    /* Relations that bounds cannot say ("fast must be less than slow"): NULL when they hold. */
    const char *(*relation)(const double *parameters);
} csm_kernel;

typedef struct candle {
    real open;
    real high;
    real low;
    real close;
    real volume;
} candle;

CSM_INLINE candle candle_load(const csm_tile *tile, size_t at) {
    return (candle){real_load(tile->open + at), real_load(tile->high + at), real_load(tile->low + at),
                    real_load(tile->close + at), real_load(tile->volume + at)};
}

/* Prices and volumes beyond these are refused: within them no product or quotient an indicator forms overflows, so no
 * output is ever infinite. */
#define CSM_PRICE_LEAST 1e-60
#define CSM_PRICE_GREATEST 1e60
#define CSM_VOLUME_LEAST 1e-60 /* or zero */
#define CSM_VOLUME_GREATEST 1e60

#if LANES == 1
/* The check of frame/bars.c for one bar. */
CSM_INLINE bool bar_fits(const csm_bar *b, uint32_t inputs) {
    const bool open = inputs & CSM_INPUT_OPEN, high = inputs & CSM_INPUT_HIGH, low = inputs & CSM_INPUT_LOW;
    const bool close = inputs & CSM_INPUT_CLOSE, volume = inputs & CSM_INPUT_VOLUME;
    /* With low and high known to be prices and in order, what lies between them is a price too. */
    const double least = low ? b->low : CSM_PRICE_LEAST, greatest = high ? b->high : CSM_PRICE_GREATEST;
    bool fits = least >= CSM_PRICE_LEAST && greatest <= CSM_PRICE_GREATEST && least <= greatest;
    if (open) fits = fits && b->open >= least && b->open <= greatest;
    if (close) fits = fits && b->close >= least && b->close <= greatest;
    if (volume)
        fits =
            fits && (b->volume == 0.0 || (b->volume >= CSM_VOLUME_LEAST && b->volume <= CSM_VOLUME_GREATEST));
    return fits;
}

/* The description is a constant of the same file, so its inputs fold into the check. */
#define CSM_KERNEL_PUSH(id)                                                                                  \
    extern const csm_kernel csm_kernel_##id##_scalar;                                                        \
    static bool id##_push(void *state, const csm_bar *b, double *out) {                                      \
        if (!bar_fits(b, csm_kernel_##id##_scalar.description.inputs)) return false;                         \
        const candle c = {b->open, b->high, b->low, b->close, b->volume};                                    \
        id##_step((id *)state, &c, out);                                                                     \
        return true;                                                                                         \
    }
#define CSM_KERNEL_PUSH_OF(id) id##_push
#else
#define CSM_KERNEL_PUSH_OF(id) NULL
#define CSM_KERNEL_PUSH(id)
#endif

/* An average waits for its own last value, so one tile leaves most of the processor idle: two are run in turn. The
 * states are copied to locals whose address nobody else has, which lets the compiler keep them in registers. */
#define CSM_INDICATOR_RELATED(id, relation_, parameters_, outputs_, ...)                                     \
    static void id##_begin(void *state, const double *parameters, void *rows) {                              \
        id##_init((id *)state, parameters, (real *)rows);                                                    \
    }                                                                                                        \
    CSM_INLINE void id##_bar(id *s, const csm_tile *tile, double *out, size_t at, size_t output_stride) {    \
        const candle b = candle_load(tile, at);                                                              \
        real value[outputs_];                                                                                \
        id##_step(s, &b, value);                                                                             \
        for (size_t k = 0; k < (outputs_); k++) real_store(out + k * output_stride + at, value[k]);          \
    }                                                                                                        \
    static void id##_run(void *const *states, const csm_tile *tiles, double *const *out, size_t ways,        \
                         size_t count, size_t output_stride) {                                               \
        const csm_tile first = tiles[0];                                                                     \
        id s = *(id *)states[0];                                                                             \
        if (ways == 2) {                                                                                     \
            const csm_tile second = tiles[1];                                                                \
            id r = *(id *)states[1];                                                                         \
            for (size_t at = 0; at < count * LANES; at += LANES) {                                           \
                id##_bar(&s, &first, out[0], at, output_stride);                                             \
                id##_bar(&r, &second, out[1], at, output_stride);                                            \
            }                                                                                                \
            *(id *)states[1] = r;                                                                            \
        } else {                                                                                             \
            for (size_t at = 0; at < count * LANES; at += LANES)                                             \
                id##_bar(&s, &first, out[0], at, output_stride);                                             \
        }                                                                                                    \
        *(id *)states[0] = s;                                                                                \
    }                                                                                                        \
    CSM_KERNEL_PUSH(id)                                                                                      \
    extern const csm_kernel CSM_ISA_SYMBOL(csm_kernel_##id);                                                 \
    const csm_kernel CSM_ISA_SYMBOL(csm_kernel_##id) = {                                                     \
        .description = {.parameter_count = (parameters_), .output_count = (outputs_), __VA_ARGS__},          \
        .state_bytes = sizeof(id),                                                                           \
        .rows = id##_rows,                                                                                   \
        .init = id##_begin,                                                                                  \
        .run = id##_run,                                                                                     \
        .push = CSM_KERNEL_PUSH_OF(id),                                                                      \
        .warmup = id##_warmup,                                                                               \
        .memory = id##_memory,                                                                               \
        .relation = (relation_)}

#define CSM_INDICATOR(id, parameters_, outputs_, ...)                                                        \
    CSM_INDICATOR_RELATED(id, NULL, parameters_, outputs_, __VA_ARGS__)

#define CSM_PERIOD_MAX 10000
/* A window or smoothing length in bars. */
#define CSM_PERIOD(name_, minimum_, standard_)                                                               \
    {                                                                                                        \
        .name = (name_), .minimum = (minimum_), .maximum = CSM_PERIOD_MAX, .standard = (standard_),          \
        .integer = 1                                                                                         \
    }

/* ---- how long the start of a series is remembered (frame/memory.c) ---- */

/* An indicator that sums from the first bar on never forgets it. */
#define CSM_MEMORY_ENDLESS SIZE_MAX
/* Steps after which `stages` exponential averages in a row, each with factor k, give less than `weight` to what they
 * held before. Stages with several factors: pass the smallest. */
size_t csm_memory_decay(double k, unsigned stages, double weight);
/* Weight left to the start. A level keeps DESIGN's 1e-6; ratios and differences of averages magnify it and go further. */
#define CSM_WEIGHT_LEVEL 1e-6
#define CSM_WEIGHT_RATIO 1e-8
#define CSM_WEIGHT_DIFFERENCE 1e-10

#endif
