/* SPDX-License-Identifier: MIT */
/*
 * A live feed: every bar of every series goes to 30 indicators, one value in, one out. Ours is csm_indicator_push. The
 * peer is TA-Lib's C library, found in its Python wheel at run time, in one of two ways: "handles", the stream API that
 * version 0.8 brought (TA_RSI_Open, TA_RSI_Update), or "recompute", the function of the last bar alone
 * (TA_RSI(t, t, ...)), which is what talib.stream did before and all that TA-Lib 0.4 and 0.6 have. So that its averages
 * settle as ours have, TA-Lib is told to start UNSTABLE bars earlier; its remaining error is the peer's quality.
 * Arguments: the library, a file of candles as float64 (series, 5, bars), series, bars, history, the way.
 */
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>

#include <cryptosmart/indicator.h>

#include "program.h"

#define OUTPUTS_MAX 4
/* (13/14)^200 is 4e-7: what is left of the start in Wilder's averages of 14 bars. */
#define UNSTABLE 200
#define UNSTABLE_FUNCTIONS 32 /* more than TA_FuncUnstId has; those unknown are refused without harm */

typedef void (*any_function)(void); /* a symbol; cast to its own type before each call */

typedef struct bars_of {
    const double *open, *high, *low, *close, *volume;
} bars_of;

typedef struct stream_row {
    const char *name;
    int (*open)(any_function symbol, void **stream, const bars_of *b, int n, double *o);
    int (*update)(any_function symbol, void *stream, const csm_bar *b, double *o);
    int (*last)(any_function symbol, const bars_of *b, int t, double *o);
    const char *ours;
    double parameters[CSM_INDICATOR_PARAMETERS_MAX];
    int our_output[OUTPUTS_MAX]; /* of the peer's outputs */
    int outputs;
} stream_row;

#define LIST(...) __VA_ARGS__
/* Three functions that call TA_NAME_Open, TA_NAME_Update and TA_NAME with their own types. Lists of parameters end in a
 * comma, so that they may be empty. */
#define STREAM(name, in_types, in_values, more_types, more_values, out_types, out_values, bar_types,         \
               bar_values)                                                                                   \
    static int open_##name(any_function symbol, void **stream, const bars_of *b, int n, double *o) {         \
        return ((int (*)(void **, LIST in_types, int, LIST more_types LIST out_types))symbol)(               \
            stream, LIST in_values, n, LIST more_values LIST out_values);                                    \
    }                                                                                                        \
    static int update_##name(any_function symbol, void *stream, const csm_bar *b, double *o) {               \
        return ((int (*)(void *, LIST bar_types, LIST out_types))symbol)(stream, LIST bar_values,            \
                                                                         LIST out_values);                   \
    }                                                                                                        \
    static int last_##name(any_function symbol, const bars_of *b, int t, double *o) {                        \
        int begin, count;                                                                                    \
        return ((int (*)(int, int, LIST in_types, LIST more_types int *, int *, LIST out_types))symbol)(     \
            t, t, LIST in_values, LIST more_values & begin, &count, LIST out_values);                        \
    }
typedef const double *column;
typedef double *value;
#define CLOSE_TO(name, more_types, more_values, out_types, out_values)                                       \
    STREAM(name, (column), (b->close), more_types, more_values, out_types, out_values, (double), (b->close))
#define HLC_TO(name, more_types, more_values, out_types, out_values)                                         \
    STREAM(name, (column, column, column), (b->high, b->low, b->close), more_types, more_values, out_types,  \
           out_values, (double, double, double), (b->high, b->low, b->close))
#define HLCV_TO(name, more_types, more_values)                                                               \
    STREAM(name, (column, column, column, column), (b->high, b->low, b->close, b->volume), more_types,       \
           more_values, (value), (o), (double, double, double, double),                                      \
           (b->high, b->low, b->close, b->volume))
#define CLOSE_TO_ONE(name, more_types, more_values) CLOSE_TO(name, more_types, more_values, (value), (o))
#define HLC_TO_ONE(name, more_types, more_values) HLC_TO(name, more_types, more_values, (value), (o))

CLOSE_TO_ONE(SMA, (int, ), (20, ))
CLOSE_TO_ONE(EMA, (int, ), (20, ))
CLOSE_TO_ONE(WMA, (int, ), (20, ))
CLOSE_TO_ONE(DEMA, (int, ), (20, ))
CLOSE_TO_ONE(TEMA, (int, ), (20, ))
CLOSE_TO_ONE(KAMA, (int, ), (30, ))
CLOSE_TO_ONE(TRIX, (int, ), (15, ))
CLOSE_TO(MACD, (int, int, int, ), (12, 26, 9, ), (value, value, value), (o, o + 1, o + 2))
HLC_TO_ONE(ADX, (int, ), (14, ))
STREAM(AROON, (column, column), (b->high, b->low), (int, ), (14, ), (value, value), (o, o + 1),
       (double, double), (b->high, b->low))
CLOSE_TO_ONE(RSI, (int, ), (14, ))
CLOSE_TO_ONE(CMO, (int, ), (14, ))
HLC_TO(STOCH, (int, int, int, int, int, ), (14, 3, 0, 3, 0, ), (value, value), (o, o + 1))
HLC_TO_ONE(CCI, (int, ), (20, ))
CLOSE_TO_ONE(ROC, (int, ), (10, ))
CLOSE_TO_ONE(MOM, (int, ), (10, ))
HLC_TO_ONE(WILLR, (int, ), (14, ))
CLOSE_TO_ONE(PPO, (int, int, int, ), (12, 26, 1, ))
HLC_TO_ONE(ULTOSC, (int, int, int, ), (7, 14, 28, ))
HLCV_TO(MFI, (int, ), (14, ))
STREAM(BOP, (column, column, column, column), (b->open, b->high, b->low, b->close), (), (), (value), (o),
       (double, double, double, double), (b->open, b->high, b->low, b->close))
HLC_TO_ONE(ATR, (int, ), (14, ))
HLC_TO_ONE(NATR, (int, ), (14, ))
HLC_TO_ONE(TRANGE, (), ())
CLOSE_TO(BBANDS, (int, double, double, int, ), (20, 2.0, 2.0, 0, ), (value, value, value), (o, o + 1, o + 2))
CLOSE_TO_ONE(STDDEV, (int, double, ), (20, 1.0, ))
STREAM(OBV, (column, column), (b->close, b->volume), (), (), (value), (o), (double, double),
       (b->close, b->volume))
HLCV_TO(AD, (), ())
HLCV_TO(ADOSC, (int, int, ), (3, 10, ))
CLOSE_TO(MINMAX, (int, ), (20, ), (value, value), (o, o + 1))

#define ROW(name, ...)                                                                                       \
    { #name, open_##name, update_##name, last_##name, __VA_ARGS__ }
static const stream_row rows[] = {
    ROW(SMA, "sma", {20}, {0}, 1),
    ROW(EMA, "ema", {20}, {0}, 1),
    ROW(WMA, "wma", {20}, {0}, 1),
    ROW(DEMA, "dema", {20}, {0}, 1),
    ROW(TEMA, "tema", {20}, {0}, 1),
    ROW(KAMA, "kama", {30}, {0}, 1),
    ROW(TRIX, "trix", {15}, {0}, 1),
    ROW(MACD, "macd", {12, 26, 9}, {0, 1, 2}, 3),
    ROW(ADX, "adx", {14}, {0}, 1),
    ROW(AROON, "aroon", {14}, {1, 0}, 2),
    ROW(RSI, "rsi", {14}, {0}, 1),
    ROW(CMO, "cmo", {14}, {0}, 1),
    ROW(STOCH, "stoch", {14, 3, 3}, {0, 1}, 2),
    ROW(CCI, "cci", {20}, {0}, 1),
    ROW(ROC, "roc", {10}, {0}, 1),
    ROW(MOM, "mom", {10}, {0}, 1),
    ROW(WILLR, "willr", {14}, {0}, 1),
    ROW(PPO, "ppo", {12, 26}, {0}, 1),
    ROW(ULTOSC, "ultosc", {7, 14, 28}, {0}, 1),
    ROW(MFI, "mfi", {14}, {0}, 1),
    ROW(BOP, "bop", {0}, {0}, 1),
    ROW(ATR, "atr", {14}, {0}, 1),
    ROW(NATR, "natr", {14}, {0}, 1),
    ROW(TRANGE, "true_range", {0}, {0}, 1),
    ROW(BBANDS, "bbands", {20, 2.0}, {0, 1, 2}, 3),
    ROW(STDDEV, "stddev", {20}, {0}, 1),
    ROW(OBV, "obv", {0}, {0}, 1),
    ROW(AD, "ad", {0}, {0}, 1),
    ROW(ADOSC, "adosc", {3, 10}, {0}, 1),
    ROW(MINMAX, "minmax", {20}, {0, 1}, 2),
};
#define ROWS (sizeof rows / sizeof rows[0])

typedef struct feed {
    void *library;
    double *candles; /* (series, 5, bars) */
    size_t series;
    size_t bars;
    size_t history; /* bars both sides have seen before the clock starts */
    any_function peer_call[ROWS];
    double *ours; /* (series, ROWS, OUTPUTS_MAX) at the last bar */
    double *peer;
} feed;

static bars_of series_columns(const feed *f, size_t s) {
    const double *first = f->candles + s * 5 * f->bars;
    return (bars_of){first, first + f->bars, first + 2 * f->bars, first + 3 * f->bars, first + 4 * f->bars};
}

static csm_bar bar_at(const feed *f, size_t s, size_t t) {
    const bars_of b = series_columns(f, s);
    return (csm_bar){b.open[t], b.high[t], b.low[t], b.close[t], b.volume[t]};
}

static void must(int status, const char *what) {
    if (status == 0) return;
    fprintf(stderr, "indicators_stream: %s gave %d: %s\n", what, status, csm_error_message());
    exit(1);
}

/* Of the peer from ours at the last bar, running totals apart (they depend on where one starts). */
static double greatest_difference(const feed *f) {
    double worst = 0.0;
    for (size_t i = 0; i < f->series * ROWS; i++) {
        size_t memory;
        const stream_row *row = &rows[i % ROWS];
        must(csm_indicator_memory(&memory, csm_indicator_find(row->ours), row->parameters), row->ours);
        for (int k = 0; k < row->outputs && memory != SIZE_MAX; k++) {
            const double x = f->ours[i * OUTPUTS_MAX + (size_t)row->our_output[k]];
            const double y = f->peer[i * OUTPUTS_MAX + (size_t)k];
            worst = fmax(worst, fabs(x - y) / fmax(1.0, fabs(x)));
        }
    }
    return worst;
}

static bench_result run_ours(void *user) {
    feed *f = user;
    csm_indicator_state **states = calloc(f->series * ROWS, sizeof *states);
    for (size_t s = 0; s < f->series; s++)
        for (size_t r = 0; r < ROWS; r++) {
            const csm_indicator *indicator = csm_indicator_find(rows[r].ours);
            must(csm_indicator_state_new(&states[s * ROWS + r], indicator, rows[r].parameters), rows[r].ours);
            for (size_t t = 0; t < f->history; t++) {
                const csm_bar bar = bar_at(f, s, t);
                must(csm_indicator_push(states[s * ROWS + r], &bar, f->ours), rows[r].ours);
            }
        }
    const double started = bench_now();
    for (size_t t = f->history; t < f->bars; t++)
        for (size_t s = 0; s < f->series; s++) {
            const csm_bar bar = bar_at(f, s, t);
            for (size_t r = 0; r < ROWS; r++)
                must(csm_indicator_push(states[s * ROWS + r], &bar, f->ours + (s * ROWS + r) * OUTPUTS_MAX),
                     "push");
        }
    const double seconds = bench_now() - started;
    for (size_t i = 0; i < f->series * ROWS; i++) csm_indicator_state_free(states[i]);
    free(states);
    return (bench_result){seconds, 0.0};
}

static any_function symbol(const feed *f, const char *text) {
    any_function found;
    *(void **)&found = dlsym(f->library, text); /* POSIX's own way past ISO C */
    if (found == NULL) must(1, text);
    return found;
}

static any_function stream_symbol(const feed *f, const char *name, const char *verb) {
    char text[64];
    snprintf(text, sizeof text, "TA_%s%s", name, verb);
    return symbol(f, text);
}

static bench_result run_handles(void *user) {
    feed *f = user;
    void **streams = calloc(f->series * ROWS, sizeof *streams);
    for (size_t r = 0; r < ROWS; r++) {
        f->peer_call[r] = stream_symbol(f, rows[r].name, "_Update");
        for (size_t s = 0; s < f->series; s++) {
            const bars_of b = series_columns(f, s);
            must(rows[r].open(stream_symbol(f, rows[r].name, "_Open"), &streams[s * ROWS + r], &b,
                              (int)f->history, f->peer),
                 rows[r].name);
        }
    }
    const double started = bench_now();
    for (size_t t = f->history; t < f->bars; t++)
        for (size_t s = 0; s < f->series; s++) {
            const csm_bar bar = bar_at(f, s, t);
            for (size_t r = 0; r < ROWS; r++)
                must(rows[r].update(f->peer_call[r], streams[s * ROWS + r], &bar,
                                    f->peer + (s * ROWS + r) * OUTPUTS_MAX),
                     rows[r].name);
        }
    const double seconds = bench_now() - started;
    for (size_t r = 0; r < ROWS; r++)
        for (size_t s = 0; s < f->series; s++)
            ((int (*)(void *))stream_symbol(f, rows[r].name, "_Close"))(streams[s * ROWS + r]);
    free(streams);
    return (bench_result){seconds, greatest_difference(f)};
}

static bench_result run_recompute(void *user) {
    feed *f = user;
    const any_function settle = symbol(f, "TA_SetUnstablePeriod");
    for (int id = 0; id < UNSTABLE_FUNCTIONS; id++) (void)((int (*)(int, unsigned))settle)(id, UNSTABLE);
    for (size_t r = 0; r < ROWS; r++) f->peer_call[r] = stream_symbol(f, rows[r].name, "");
    const double started = bench_now();
    for (size_t t = f->history; t < f->bars; t++)
        for (size_t s = 0; s < f->series; s++) {
            /* The window of the last bars that a live process would keep. */
            const bars_of all = series_columns(f, s);
            const size_t from = t + 1 - f->history;
            const bars_of b = {all.open + from, all.high + from, all.low + from, all.close + from,
                               all.volume + from};
            for (size_t r = 0; r < ROWS; r++)
                must(rows[r].last(f->peer_call[r], &b, (int)f->history - 1,
                                  f->peer + (s * ROWS + r) * OUTPUTS_MAX),
                     rows[r].name);
        }
    const double seconds = bench_now() - started;
    return (bench_result){seconds, greatest_difference(f)};
}

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    feed f = {.library = dlopen(argv[1], RTLD_NOW),
              .series = strtoul(argv[3], NULL, 10),
              .bars = strtoul(argv[4], NULL, 10),
              .history = strtoul(argv[5], NULL, 10)};
    FILE *file = fopen(argv[2], "rb");
    const size_t count = f.series * 5 * f.bars;
    f.candles = malloc(count * sizeof(double));
    if (f.library == NULL || file == NULL || f.candles == NULL ||
        fread(f.candles, sizeof(double), count, file) != count)
        return 2;
    fclose(file);
    must(((int (*)(void))symbol(&f, "TA_Initialize"))(), "TA_Initialize");
    f.ours = calloc(f.series * ROWS * OUTPUTS_MAX, sizeof(double));
    f.peer = calloc(f.series * ROWS * OUTPUTS_MAX, sizeof(double));
    return bench_serve(run_ours, strcmp(argv[6], "handles") == 0 ? run_handles : run_recompute, &f);
}
