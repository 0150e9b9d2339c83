/* SPDX-License-Identifier: MIT */
/* The whole frame of spine-1 without sentiment: bench_features_pandas CANDLES MATRIX THREADS. CANDLES: u64 series, u64 bars,
 * then open, high, low, close, volume of each series as doubles. After the first run MATRIX holds the rows as floats. */
#include "program.h"

#include "fuse/frame.h"

#include <stdlib.h>

#define START (INT64_C(1609459200) * CSM_SECOND)

typedef struct data {
    size_t series;
    size_t bars;
    double *values; /* (series, 5, bars) */
    csm_time *time;
    csm_track_source *sources;
    char (*coins)[16];
    csm_context *context;
    csm_recipe *recipe;
    const char *matrix;
} data;

static int read_candles(data *d, const char *path) {
    FILE *file = fopen(path, "rb");
    uint64_t size[2];
    if (!file || fread(size, sizeof *size, 2, file) != 2) return -1;
    d->series = size[0];
    d->bars = size[1];
    const size_t count = d->series * d->bars * 5;
    d->values = calloc(count, sizeof *d->values);
    d->time = calloc(d->bars, sizeof *d->time);
    d->sources = calloc(d->series, sizeof *d->sources);
    d->coins = calloc(d->series, sizeof *d->coins);
    const int whole = fread(d->values, sizeof *d->values, count, file) == count;
    fclose(file);
    for (size_t i = 0; i < d->bars; i++) d->time[i] = START + (csm_time)i * CSM_HOUR;
    for (size_t s = 0; s < d->series; s++) {
        const double *v = d->values + s * 5 * d->bars;
        snprintf(d->coins[s], sizeof d->coins[s], s == 0 ? "BTC" : "C%zu", s);
        d->sources[s] = (csm_track_source){.coin = d->coins[s],
                                           .delisted = CSM_TIME_MAX,
                                           .bars = {.length = d->bars,
                                                    .interval = CSM_HOUR,
                                                    .time = d->time,
                                                    .open = v,
                                                    .high = v + d->bars,
                                                    .low = v + 2 * d->bars,
                                                    .close = v + 3 * d->bars,
                                                    .volume = v + 4 * d->bars}};
    }
    return whole ? 0 : -1;
}

static bench_result build(void *user) {
    data *d = user;
    csm_fuse_options options;
    csm_panel *panel = NULL;
    csm_frame *frame = NULL;
    csm_fuse_options_check(&options, NULL);
    const double started = bench_now();
    csm_status status =
        csm_panel_from_arrays(&panel, csm_context_threads(d->context), d->sources, d->series, NULL, &options);
    if (!status) status = csm_frame_from_panel(&frame, d->context, panel, d->recipe, &options);
    const bench_result result = {bench_now() - started, (double)csm_frame_rows(frame)};
    if (status) fprintf(stderr, "%s\n", csm_error_message());
    if (d->matrix) {
        FILE *file = fopen(d->matrix, "wb");
        if (file && frame) fwrite(frame->matrix, sizeof(float), frame->rows * d->recipe->count, file);
        if (file) fclose(file);
        d->matrix = NULL;
    }
    csm_frame_free(frame);
    csm_panel_free(panel);
    return result;
}

int main(int count, char **arguments) {
    data d = {0};
    csm_context_options options;
    csm_recipe *whole = NULL;
    if (count != 4 || read_candles(&d, arguments[1])) return 1;
    d.matrix = arguments[2];
    csm_context_options_init(&options);
    options.threads = (uint32_t)atoi(arguments[3]);
    if (csm_context_new(&d.context, &options) || csm_fuse_recipe(&whole, "spine-1") ||
        csm_fuse_recipe_without(&d.recipe, whole, "sentiment"))
        return 1;
    return bench_serve(build, build, &d);
}
