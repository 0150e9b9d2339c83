/* SPDX-License-Identifier: MIT */
/*
 * indicator: technical indicators over the bars that exist. One file an indicator (src/indicator/), one line in
 * indicators.def; look-up, documentation, golden tests and fuzzing follow from that table. Batch and stream come from
 * one state and give the same bits.
 */
#ifndef CRYPTOSMART_INDICATOR_H
#define CRYPTOSMART_INDICATOR_H

#include <cryptosmart/core.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CSM_INDICATOR_PARAMETERS_MAX 4
#define CSM_INDICATOR_OUTPUTS_MAX 4

typedef enum csm_indicator_group {
    CSM_INDICATOR_TREND = 0,
    CSM_INDICATOR_MOMENTUM = 1,
    CSM_INDICATOR_VOLATILITY = 2,
    CSM_INDICATOR_VOLUME = 3,
    CSM_INDICATOR_STATISTICS = 4
} csm_indicator_group;

/* Which columns of a bar an indicator reads (bits of csm_indicator.inputs). */
#define CSM_INPUT_OPEN 1u
#define CSM_INPUT_HIGH 2u
#define CSM_INPUT_LOW 4u
#define CSM_INPUT_CLOSE 8u
#define CSM_INPUT_VOLUME 16u

typedef struct csm_indicator_parameter {
    const char *name; /* "period" */
    double minimum;
    double maximum;
    double standard; /* its usual value */
    int32_t integer; /* 1 when only whole numbers are taken */
    int32_t reserved;
} csm_indicator_parameter;

/* One row of the table. Static storage, lives as long as the library is loaded. */
typedef struct csm_indicator {
    const char *name;   /* "rsi" */
    const char *title;  /* "Relative strength index" */
    const char *source; /* the publication its formula is from */
    csm_indicator_group group;
    uint32_t inputs;
    uint32_t parameter_count;
    uint32_t output_count;
    csm_indicator_parameter parameters[CSM_INDICATOR_PARAMETERS_MAX];
    const char *outputs[CSM_INDICATOR_OUTPUTS_MAX]; /* "macd", "signal", "histogram" */
} csm_indicator;

/* The table, in the order of indicators.def. Handles are these pointers, not copies of what they point at. */
CSM_API size_t csm_indicator_count(void);
CSM_API const csm_indicator *csm_indicator_at(size_t index);       /* NULL past the end */
CSM_API const csm_indicator *csm_indicator_find(const char *name); /* NULL when unknown */

/* Checks `parameters` (parameter_count values; NULL means the usual ones). CSM_EINVAL names the parameter and range. */
CSM_API csm_status csm_indicator_check(const csm_indicator *indicator, const double *parameters);

/* Bars after which the first output exists: outputs of bars 0 .. warmup-1 are NaN. */
CSM_API csm_status csm_indicator_warmup(size_t *out, const csm_indicator *indicator,
                                        const double *parameters);
/* Bars after which the start of the series weighs less than 1e-6 in the output (DESIGN "Features"); equals warmup + 1
 * for windows without recursion. A feature needs this many bars. SIZE_MAX for running totals (obv, ad, vpt), which never
 * forget: their level depends on where the series starts. */
CSM_API csm_status csm_indicator_memory(size_t *out, const csm_indicator *indicator,
                                        const double *parameters);

/* Runs over `bars` (all CSM_BAR_TRADED: callers compact first). Columns that the indicator does not read may be NULL.
 * output: (length, output_count) f64 or f32, caller's memory, any strides. A flat market gives the limit documented in
 * docs/indicator.md, never 0/0; where no limit exists NaN. No output is infinite.
 * CSM_EINVAL names the index and column of a bar that is not traded, not later than the one before, has a price outside
 * 1e-60..1e60, a volume that is neither 0 nor in that range, or an open or close outside its low and high. */
CSM_API csm_status csm_indicator_run(const csm_indicator *indicator, const double *parameters,
                                     const csm_bars *bars, csm_matrix *output);

/* The same over many series at once (SIMD across series, threads over groups); same bits as csm_indicator_run. */
CSM_API csm_status csm_indicator_run_many(csm_context *context, const csm_indicator *indicator,
                                          const double *parameters, const csm_bars *bars, size_t series,
                                          csm_matrix *outputs);

/* Several indicators over many series in one pass through memory, the fast path of fuse. outputs[series * requests]:
 * matrix of series s, request r at outputs[s * requests + r]. */
typedef struct csm_indicator_request {
    const csm_indicator *indicator;
    const double *parameters; /* NULL: the usual ones */
} csm_indicator_request;
CSM_API csm_status csm_indicator_run_table(csm_context *context, const csm_indicator_request *requests,
                                           size_t request_count, const csm_bars *bars, size_t series,
                                           csm_matrix *outputs);

/* One bar at a time. */
typedef struct csm_indicator_state csm_indicator_state;
typedef struct csm_bar {
    double open;
    double high;
    double low;
    double close;
    double volume;
} csm_bar;
/* A state may be used by one thread at a time. Its memory is proportional to the longest window. */
CSM_API csm_status csm_indicator_state_new(csm_indicator_state **out, const csm_indicator *indicator,
                                           const double *parameters);
CSM_API void csm_indicator_state_free(csm_indicator_state *state);
/* output: output_count values, NaN during warm-up. The same bits as csm_indicator_run gives for this bar. CSM_EINVAL on a
 * bar that csm_indicator_run would refuse; the state is then as it was. A push takes constant time on average; an
 * indicator with a window of n bars spends O(n) once in n pushes. */
CSM_API csm_status csm_indicator_push(csm_indicator_state *state, const csm_bar *bar, double *output);

#ifdef __cplusplus
}
#endif
#endif
