/* SPDX-License-Identifier: MIT */
/* A Kraken candle reply to columns: ours (exact decimals, every row checked) against jansson and strtod into doubles. The
 * reply is the recorded one of 2017, written without white space as the exchange sends it. Quality: sum of closes. */
#include "ingest/ohlc_scan.h"
#include "core/platform.h"
#include "program.h"

#include <jansson.h>
#include <stdlib.h>

#define REPEAT 200
#define ROWS_MAX 1024

typedef struct bench {
    char *body;
    size_t length;
} bench;

static double sum_of_closes(const double *close, size_t rows) {
    double sum = 0.0;
    for (size_t i = 0; i < rows; i++) sum += close[i] == close[i] ? close[i] : 0.0; /* NaN: nobody traded */
    return sum;
}

static bench_result ours(void *user) {
    const bench *b = user;
    static double close[ROWS_MAX];
    size_t rows = 0;
    double began = bench_now();
    for (int i = 0; i < REPEAT; i++) {
        csm_table *table = NULL;
        csm_ohlc_reply reply;
        if (csm_table_new(&table, "bars") != CSM_OK ||
            csm_ohlc_scan(&reply, table, b->body, b->length, CSM_MINUTE, csm_platform_now()) != CSM_OK) {
            fprintf(stderr, "%s\n", csm_error_message());
            exit(1);
        }
        rows = csm_table_rows(table);
        if (i == REPEAT - 1) csm_table_doubles(table, 5, close);
        csm_table_free(table);
    }
    return (bench_result){(bench_now() - began) / REPEAT, sum_of_closes(close, rows)};
}

static bench_result peer(void *user) {
    const bench *b = user;
    static double columns[8][ROWS_MAX];
    size_t rows = 0;
    double began = bench_now();
    for (int i = 0; i < REPEAT; i++) {
        json_t *root = json_loadb(b->body, b->length, 0, NULL);
        json_t *result = json_object_get(root, "result");
        json_t *candles = json_object_get(result, "XXBTZUSD");
        rows = json_array_size(candles) - 1; /* the last one is open */
        for (size_t r = 0; r < rows; r++) {
            json_t *candle = json_array_get(candles, r);
            columns[0][r] = (double)json_integer_value(json_array_get(candle, 0));
            for (size_t c = 1; c < 7; c++)
                columns[c][r] = strtod(json_string_value(json_array_get(candle, c)), NULL);
            columns[7][r] = (double)json_integer_value(json_array_get(candle, 7));
        }
        json_decref(root);
    }
    double seconds = (bench_now() - began) / REPEAT;
    for (size_t r = 0; r < rows; r++)
        if (columns[7][r] == 0.0) columns[4][r] = 0.0;
    return (bench_result){seconds, sum_of_closes(columns[4], rows)};
}

int main(int count, char **arguments) {
    bench b = {0};
    json_t *root = count > 1 ? json_load_file(arguments[1], 0, NULL) : NULL;
    if (root == NULL) {
        fprintf(stderr, "usage: bench_ohlc_parse REPLY.json\n");
        return 1;
    }
    b.body = json_dumps(root, JSON_COMPACT);
    b.length = strlen(b.body);
    fprintf(stderr, "reply of %zu bytes\n", b.length);
    json_decref(root);
    int status = bench_serve(ours, peer, &b);
    free(b.body);
    return status;
}
