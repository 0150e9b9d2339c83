/* SPDX-License-Identifier: MIT */
/*
 * same_bits CANDLES: what the C interface makes of a file, one number a line as "name index hexadecimal bits". The tests of each
 * language do the same and compare the text. Steps: RSI 14, MACD and ATR 14 of the candles; features (RSI, MACD's histogram, ATR / close) from
 * bar 60 on and whether the next close is higher; trees (12 rounds, 7 leaves, min_rows 10, seed 7) and an LSTM (window 6, hidden 4, 1 epoch)
 * on them; Platt's calibration of the trees' scores; Brier score and Spearman's correlation.
 */
#include <cryptosmart/cryptosmart.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BARS = 600,
    FIRST = 60,
    ROWS = BARS - 1 - FIRST,
    WINDOW = 6,
    WINDOWS = ROWS - WINDOW + 1,
    FEATURES = 3
};

static double column[5][BARS];
static csm_time opened[BARS];
static double rsi[BARS], macd[BARS][3], atr[BARS];
static double x[ROWS][FEATURES], y[ROWS], score[ROWS], probability[ROWS];
static double window_y[WINDOWS], window_score[WINDOWS];
static int64_t window_end[WINDOWS];

static void need(csm_status status) {
    if (status == CSM_OK) return;
    fprintf(stderr, "same_bits: %s\n", csm_error_message());
    exit(1);
}

static void put(const char *name, size_t index, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    printf("%s %zu %016llx\n", name, index, (unsigned long long)bits);
}

static void put_all(const char *name, const double *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i])) put(name, i, values[i]);
}

static void read_candles(const char *path) {
    char line[256];
    int row = 0;
    FILE *file = fopen(path, "r");
    if (!file) exit(1);
    while (row < BARS && fgets(line, sizeof line, file)) {
        char *at = line;
        if (*at == '#') continue;
        for (int i = 0; i < 5; i++) {
            size_t length = strcspn(at, ",\n");
            csm_decimal value;
            need(csm_decimal_parse(&value, at, length));
            column[i][row] = csm_decimal_double(value);
            at += length + 1;
        }
        opened[row] = row * CSM_HOUR;
        row++;
    }
    fclose(file);
    if (row != BARS) exit(1);
}

static void indicator(const char *name, double *out, size_t outputs) {
    csm_bars bars = {BARS, CSM_HOUR, opened, column[0], column[1], column[2], column[3], column[4], NULL};
    csm_matrix matrix = csm_matrix_f64(out, BARS, outputs);
    need(csm_indicator_run(csm_indicator_find(name), NULL, &bars, &matrix));
    put_all(name, out, BARS * outputs);
}

static void features(void) {
    for (int i = 0; i < ROWS; i++) {
        const int bar = FIRST + i;
        x[i][0] = rsi[bar];
        x[i][1] = macd[bar][2];
        x[i][2] = atr[bar] / column[3][bar];
        y[i] = column[3][bar + 1] > column[3][bar] ? 1.0 : 0.0;
    }
    for (int i = 0; i < WINDOWS; i++) {
        window_end[i] = i + WINDOW - 1;
        window_y[i] = y[i + WINDOW - 1];
    }
}

static void trees(csm_context *context) {
    const csm_parameter parameters[] = {{"rounds", 12}, {"leaves", 7}, {"min_rows", 10}};
    csm_samples samples = {
        .x = csm_matrix_f64(&x[0][0], ROWS, FEATURES), .y = csm_matrix_f64(y, ROWS, 1), .length = ROWS};
    csm_matrix out = csm_matrix_f64(score, ROWS, 1);
    csm_train_options options;
    csm_model *model = NULL;
    csm_model_train_options_init(&options);
    options.parameters = parameters;
    options.parameter_count = 3;
    options.objective = CSM_OBJECTIVE_LOGISTIC;
    need(csm_model_train(&model, context, "gbt", &samples, &options));
    need(csm_model_predict(model, context, &samples, &out));
    put_all("trees", score, ROWS);
    csm_model_free(model);
}

static void lstm(csm_context *context) {
    const csm_parameter parameters[] = {{"hidden", 4}, {"epochs", 1}};
    csm_samples samples = {.x = csm_matrix_f64(&x[0][0], ROWS, FEATURES),
                           .y = csm_matrix_f64(window_y, WINDOWS, 1),
                           .window_end = window_end,
                           .window_length = WINDOW,
                           .length = WINDOWS};
    csm_matrix out = csm_matrix_f64(window_score, WINDOWS, 1);
    csm_train_options options;
    csm_model *model = NULL;
    csm_model_train_options_init(&options);
    options.parameters = parameters;
    options.parameter_count = 2;
    options.objective = CSM_OBJECTIVE_LOGISTIC;
    need(csm_model_train(&model, context, "lstm", &samples, &options));
    need(csm_model_predict(model, context, &samples, &out));
    put_all("lstm", window_score, WINDOWS);
    csm_model_free(model);
}

static void calibration(csm_context *context) {
    static uint32_t coin[ROWS];
    csm_calibrator_options options;
    csm_calibrator *calibrator = NULL;
    csm_calibrator_options_init(&options);
    options.method = CSM_CALIBRATION_PLATT;
    options.blocks = ROWS;
    need(csm_calibrator_fit(&calibrator, score, y, NULL, ROWS, &options));
    need(csm_calibrator_apply(calibrator, score, probability, ROWS));
    put_all("platt", probability, ROWS);
    csm_calibrator_free(calibrator);
    const csm_outcomes outcomes = {.length = ROWS,
                                   .horizon = CSM_HOUR,
                                   .time = opened,
                                   .coin = coin,
                                   .probability = probability,
                                   .outcome = y};
    csm_scores scores;
    need(csm_calibrate_scores(&scores, context, &outcomes, NULL));
    put("brier", 0, scores.brier.value);
    put("brier", 1, scores.brier.low);
    put("brier", 2, scores.brier.high);
    put("spearman", 0, csm_calibrate_spearman(score, y, ROWS));
}

int main(int argc, char **argv) {
    csm_context *context = NULL;
    csm_context_options options;
    csm_context_options_init(&options);
    options.seed = 7;
    options.threads = 2;
    if (argc != 2) return 2;
    read_candles(argv[1]);
    need(csm_context_new(&context, &options));
    indicator("rsi", rsi, 1);
    indicator("macd", &macd[0][0], 3);
    indicator("atr", atr, 1);
    features();
    trees(context);
    lstm(context);
    calibration(context);
    csm_context_free(context);
    return 0;
}
