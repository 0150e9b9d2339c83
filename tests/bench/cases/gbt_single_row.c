/* SPDX-License-Identifier: MIT */
/* One row at a time: csm_predictor_row against LightGBM's fastest function for it, on the same model.
 * Arguments: MODEL.txt ROWS.f32 lib_lightgbm.so FEATURES */
#include <cryptosmart/model.h>

#include "program.h"

#include <dlfcn.h>
#include <stdlib.h>

typedef int (*create_fn)(const char *path, int *iterations, void **booster);
typedef int (*start_fn)(void *booster, int predict_type, int start, int rounds, int data_type, int columns,
                        const char *parameters, void **config);
typedef int (*row_fn)(void *config, const void *row, int64_t *length, double *out);

typedef struct bench {
    csm_predictor *predictor;
    row_fn peer_row;
    void *peer;
    float *x;
    size_t rows, features;
} bench;

static bench_result ours(void *user) {
    const bench *b = user;
    double sum = 0, out, began = bench_now();
    for (size_t r = 0; r < b->rows; r++) {
        if (csm_predictor_row(b->predictor, b->x + r * b->features, b->features, &out, 1)) exit(1);
        sum += out;
    }
    return (bench_result){bench_now() - began, sum};
}

static bench_result peer(void *user) {
    const bench *b = user;
    double sum = 0, out, began = bench_now();
    int64_t length;
    for (size_t r = 0; r < b->rows; r++) {
        if (b->peer_row(b->peer, b->x + r * b->features, &length, &out)) exit(1);
        sum += out;
    }
    return (bench_result){bench_now() - began, sum};
}

static void open_peer(bench *b, const char *library, const char *model) {
    void *handle = dlopen(library, RTLD_NOW), *booster;
    create_fn create;
    start_fn start;
    int iterations;
    if (!handle) exit(1);
    *(void **)&create = dlsym(handle, "LGBM_BoosterCreateFromModelfile");
    *(void **)&start = dlsym(handle, "LGBM_BoosterPredictForMatSingleRowFastInit");
    *(void **)&b->peer_row = dlsym(handle, "LGBM_BoosterPredictForMatSingleRowFast");
    if (!create || !start || !b->peer_row || create(model, &iterations, &booster)) exit(1);
    if (start(booster, 1 /* raw */, 0, 0, 0 /* float32 */, (int)b->features, "num_threads=1", &b->peer))
        exit(1);
}

static void read_rows(bench *b, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) exit(1);
    long bytes = ftell(file);
    rewind(file);
    b->rows = (size_t)bytes / sizeof(float) / b->features;
    b->x = malloc((size_t)bytes);
    if (!b->x || fread(b->x, 1, (size_t)bytes, file) != (size_t)bytes) exit(1);
    fclose(file);
}

int main(int argc, char **argv) {
    bench b = {0};
    csm_model *model;
    if (argc != 5) return 2;
    b.features = (size_t)atol(argv[4]);
    if (csm_model_import(&model, argv[1], CSM_EXCHANGE_LIGHTGBM)) return 1;
    if (csm_predictor_new(&b.predictor, model, NULL)) return 1;
    read_rows(&b, argv[2]);
    open_peer(&b, argv[3], argv[1]);
    return bench_serve(ours, peer, &b);
}
