/* SPDX-License-Identifier: MIT */
/* Input: one byte chooses the indicator, then four parameters of eight bytes, then bars of five doubles. Whatever the
 * parameters and bars, batch, lanes and stream agree bit for bit or refuse alike, and nothing is infinite. */
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"
#include "indicator/frame/frame.h"

#define BARS_MAX 512
#define SERIES 9

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct columns {
    csm_time time[BARS_MAX];
    double price[5][BARS_MAX];
    size_t length;
} columns;

static double take(const uint8_t **data, size_t *size) {
    double x = 0.0;
    const size_t bytes = *size < sizeof x ? *size : sizeof x;
    memcpy(&x, *data, bytes);
    *data += bytes;
    *size -= bytes;
    return x;
}

/* Half of the inputs are taken as they are, half are bent into valid bars so that the formulas are reached. */
static void read_bars(columns *c, const uint8_t *data, size_t size, bool bend) {
    while (size > 0 && c->length < BARS_MAX) {
        double x[5];
        for (int k = 0; k < 5; k++) x[k] = take(&data, &size);
        for (int k = 0; k < 5 && bend; k++) {
            x[k] = fabs(x[k]);
            if (!(x[k] >= 1e-60)) x[k] = k == 4 ? 0.0 : 1.0;
            if (!(x[k] <= 1e60)) x[k] = 1e60;
        }
        if (bend) {
            x[1] = fmax(fmax(x[0], x[1]), fmax(x[2], x[3]));
            x[2] = fmin(fmin(x[0], x[2]), x[3]);
        }
        c->time[c->length] = (csm_time)c->length;
        for (int k = 0; k < 5; k++) c->price[k][c->length] = x[k];
        c->length++;
    }
}

static void same(double x, double y) {
    if (isinf(x)) abort();
    if (isnan(x) && isnan(y)) return;
    if (memcmp(&x, &y, sizeof x) != 0) abort();
}

static void compare_stream(const csm_indicator *indicator, const double *parameters, const columns *c,
                           const double *batch) {
    csm_indicator_state *state;
    if (csm_indicator_state_new(&state, indicator, parameters) != CSM_OK) abort();
    for (size_t t = 0; t < c->length; t++) {
        const csm_bar bar = {c->price[0][t], c->price[1][t], c->price[2][t], c->price[3][t], c->price[4][t]};
        double output[CSM_INDICATOR_OUTPUTS_MAX];
        if (csm_indicator_push(state, &bar, output) != CSM_OK) abort();
        for (uint32_t k = 0; k < indicator->output_count; k++)
            same(output[k], batch[t * indicator->output_count + k]);
    }
    csm_indicator_state_free(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    double parameters[CSM_INDICATOR_PARAMETERS_MAX];
    if (size < 2) return 0;
    const csm_indicator *indicator = csm_indicator_at(data[0] % csm_indicator_count());
    const uint8_t how = data[1];
    data += 2;
    size -= 2;
    for (int k = 0; k < CSM_INDICATOR_PARAMETERS_MAX; k++) {
        parameters[k] = take(&data, &size);
        if (how & 2) parameters[k] = 1.0 + fmod(fabs(floor(parameters[k])), 40.0);
    }
    const double *given = how & 4 ? NULL : parameters;
    if (csm_indicator_check(indicator, given) != CSM_OK) return 0;
    columns *c = calloc(1, sizeof *c);
    double *values = malloc((SERIES + 1) * BARS_MAX * CSM_INDICATOR_OUTPUTS_MAX * sizeof *values);
    read_bars(c, data, size, how & 1);
    csm_bars bars[SERIES];
    csm_matrix outputs[SERIES];
    const size_t cells = c->length * indicator->output_count;
    for (size_t s = 0; s < SERIES; s++) {
        bars[s] = (csm_bars){.length = c->length,
                             .interval = 1,
                             .time = c->time,
                             .open = c->price[0],
                             .high = c->price[1],
                             .low = c->price[2],
                             .close = c->price[3],
                             .volume = c->price[4]};
        outputs[s] = csm_matrix_f64(values + s * cells, c->length, indicator->output_count);
    }
    const csm_indicator_request request = {indicator, given};
    double *single = values + SERIES * cells;
    csm_matrix output = csm_matrix_f64(single, c->length, indicator->output_count);
    const csm_status status = csm_indicator_run(indicator, given, &bars[0], &output);
    for (csm_isa isa = CSM_ISA_SCALAR; isa <= csm_backend_isa(); isa++) {
        if (csm_indicator_run_table_isa(isa, NULL, &request, 1, bars, SERIES, outputs) != status) abort();
        for (size_t i = 0; i < SERIES * cells && status == CSM_OK; i++) same(values[i], single[i % cells]);
    }
    if (status == CSM_OK) compare_stream(indicator, given, c, single);
    free(values);
    free(c);
    return 0;
}
