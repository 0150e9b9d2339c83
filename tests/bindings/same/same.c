/* SPDX-License-Identifier: MIT */
/*
 * same BARS.csv: what the C interface makes of one file, a line a number: "NAME INDEX BITS", the bits of a double in hexadecimal. The
 * same program in other languages must write the same text (tests/bindings/csharp/Same.cs, tests/bindings/python/same.py).
 *
 * 1. Columns ts (seconds), open, high, low, close, volume are read as exact decimals.
 * 2. Every indicator of the table with its usual parameters: "indicator.NAME.OUTPUT".
 * 3. Features of row i but the last, as float: close/open - 1, (high - low)/close, volume/1000, i mod 24; label: close rises next.
 *    Trees (logistic, 20 rounds, min_rows 5): raw predictions "trees" and contributions "shap".
 * 4. LSTM (logistic, hidden 4, epochs 1) over windows of 6 rows that end at rows 5 and later: "lstm".
 * 5. Platt calibrator of the trees' predictions, 40 blocks: "calibrated".
 * 6. csm_random_normal(1, 2, 0..9): "normal".
 */
#include <cryptosmart/cryptosmart.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 1000
#define FEATURES 4
#define WINDOW 6

static size_t rows;
static csm_time when[ROWS_MAX];
static double column[5][ROWS_MAX];
static float x[ROWS_MAX * FEATURES];
static double y[ROWS_MAX];
static double predicted[ROWS_MAX];
static double result[ROWS_MAX * 8];

static int failed(const char *what) {
    fprintf(stderr, "same: %s: %s\n", what, csm_error_message());
    return 1;
}

static void write_all(const char *name, const double *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        printf("%s %zu %016" PRIx64 "\n", name, i, bits);
    }
}

static int read_bars(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) return 1;
    char line[256];
    int bad = !fgets(line, sizeof line, file); /* header */
    while (!bad && rows < ROWS_MAX && fgets(line, sizeof line, file)) {
        char *rest = line;
        for (int c = 0; c < 6 && !bad; c++) {
            csm_decimal value;
            size_t length = strcspn(rest, ",\n");
            bad = csm_decimal_parse(&value, rest, length) != CSM_OK;
            if (c == 0)
                when[rows] = value.ticks * CSM_SECOND;
            else
                column[c - 1][rows] = csm_decimal_double(value);
            rest += length + 1;
        }
        rows++;
    }
    fclose(file);
    return bad;
}

static int indicators(void) {
    csm_bars bars = {.length = rows,
                     .interval = CSM_HOUR,
                     .time = when,
                     .open = column[0],
                     .high = column[1],
                     .low = column[2],
                     .close = column[3],
                     .volume = column[4]};
    for (size_t i = 0; i < csm_indicator_count(); i++) {
        const csm_indicator *indicator = csm_indicator_at(i);
        csm_matrix output = csm_matrix_f64(result, rows, indicator->output_count);
        if (csm_indicator_run(indicator, NULL, &bars, &output)) return failed(indicator->name);
        for (uint32_t o = 0; o < indicator->output_count; o++) {
            char name[64];
            static double one[ROWS_MAX];
            for (size_t r = 0; r < rows; r++) one[r] = result[r * indicator->output_count + o];
            snprintf(name, sizeof name, "indicator.%s.%u", indicator->name, o);
            write_all(name, one, rows);
        }
    }
    return 0;
}

static void features(void) {
    for (size_t i = 0; i + 1 < rows; i++) {
        x[i * FEATURES] = (float)(column[3][i] / column[0][i] - 1);
        x[i * FEATURES + 1] = (float)((column[1][i] - column[2][i]) / column[3][i]);
        x[i * FEATURES + 2] = (float)(column[4][i] / 1000);
        x[i * FEATURES + 3] = (float)(i % 24);
        y[i] = column[3][i + 1] > column[3][i] ? 1 : 0;
    }
}

static int trees(csm_context *context) {
    csm_model *model = NULL;
    csm_explainer *explainer = NULL;
    size_t n = rows - 1;
    csm_parameter parameters[] = {{"rounds", 20}, {"min_rows", 5}};
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.objective = CSM_OBJECTIVE_LOGISTIC;
    options.parameters = parameters;
    options.parameter_count = 2;
    csm_samples samples = {.x = csm_matrix_f32(x, n, FEATURES), .y = csm_matrix_f64(y, n, 1), .length = n};
    csm_matrix out = csm_matrix_f64(predicted, n, 1);
    csm_matrix values = csm_matrix_f64(result, n, FEATURES + 1);
    int bad = csm_model_train(&model, context, "gbt", &samples, &options) ||
              csm_model_predict(model, context, &samples, &out) ||
              csm_explainer_new(&explainer, model, NULL) ||
              csm_explainer_values(explainer, context, &samples.x, &values);
    if (!bad) {
        write_all("trees", predicted, n);
        write_all("shap", result, n * (FEATURES + 1));
    }
    csm_explainer_free(explainer);
    csm_model_free(model);
    return bad ? failed("trees") : 0;
}

static int lstm(csm_context *context) {
    static int64_t ends[ROWS_MAX];
    csm_model *model = NULL;
    size_t n = rows - 1 - (WINDOW - 1);
    for (size_t i = 0; i < n; i++) ends[i] = (int64_t)(i + WINDOW - 1);
    csm_parameter parameters[] = {{"hidden", 4}, {"epochs", 1}};
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.objective = CSM_OBJECTIVE_LOGISTIC;
    options.parameters = parameters;
    options.parameter_count = 2;
    csm_samples samples = {.x = csm_matrix_f32(x, rows - 1, FEATURES),
                           .y = csm_matrix_f64(y + WINDOW - 1, n, 1),
                           .window_end = ends,
                           .window_length = WINDOW,
                           .length = n};
    csm_matrix out = csm_matrix_f64(result, n, 1);
    int bad = csm_model_train(&model, context, "lstm", &samples, &options) ||
              csm_model_predict(model, context, &samples, &out);
    if (!bad) write_all("lstm", result, n);
    csm_model_free(model);
    return bad ? failed("lstm") : 0;
}

static int calibrated(void) {
    csm_calibrator *calibrator = NULL;
    csm_calibrator_options options;
    csm_calibrator_options_init(&options);
    options.method = CSM_CALIBRATION_PLATT;
    options.blocks = 40;
    int bad = csm_calibrator_fit(&calibrator, predicted, y, NULL, rows - 1, &options) ||
              csm_calibrator_apply(calibrator, predicted, result, rows - 1);
    if (!bad) write_all("calibrated", result, rows - 1);
    csm_calibrator_free(calibrator);
    return bad ? failed("calibrator") : 0;
}

int main(int argc, char **argv) {
    csm_context *context = NULL;
    if (argc != 2 || read_bars(argv[1])) return failed("cannot read the bars");
    if (csm_context_new(&context, NULL)) return failed("context");
    features();
    int bad = indicators() || trees(context) || lstm(context) || calibrated();
    for (uint64_t i = 0; i < 10; i++) result[i] = csm_random_normal(1, 2, i);
    write_all("normal", result, 10);
    csm_context_free(context);
    return bad;
}
