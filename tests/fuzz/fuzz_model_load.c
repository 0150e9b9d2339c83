/* SPDX-License-Identifier: MIT */
/* Model files: the container, models and calibrators inside it. Bytes are tried as they are and with their checksum made
 * right, since behind a wrong one nothing else would ever be reached. */
#include "calibrate/internal.h"
#include "model/internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DIGITS_AT (8 + sizeof("{\"__metadata__\":{\"csm.sha256\":\"") - 1)

static void predict(const csm_model *model) {
    csm_model_info info;
    if (csm_model_describe(&info, model) || info.features > 1000 || info.outputs > 4) return;
    float x[1000] = {0};
    double out[4];
    const size_t window = csm_model_window_length(model);
    const int64_t end = (int64_t)window - 1;
    if (window * info.features > 1000) return;
    csm_samples samples = {.x = csm_matrix_f32(x, window ? window : 1, info.features), .length = 1};
    if (window) {
        samples.window_end = &end;
        samples.window_length = window;
    }
    csm_matrix view = csm_matrix_f64(out, 1, info.outputs);
    (void)csm_model_predict(model, NULL, &samples, &view);
}

static void calibrate(const csm_calibrator *calibrator) {
    static const double score[] = {-1e9, -1, 0, 0.3, 1e9};
    double p0[5], p1[5];
    (void)csm_calibrator_apply(calibrator, score, p0, 5);
    (void)csm_calibrator_venn_abers(calibrator, score, p0, p1, 5);
}

static void load(const uint8_t *data, size_t size) {
    csm_tensors *tensors;
    csm_model *model;
    csm_calibrator *calibrator;
    if (csm_tensors_read(&tensors, data, size)) return;
    if (!csm_model_read(&model, tensors, "")) {
        predict(model);
        csm_model_free(model);
    }
    if (!csm_calibrator_read(&calibrator, tensors, "")) {
        calibrate(calibrator);
        csm_calibrator_free(calibrator);
    }
    csm_tensors_free(tensors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char digits[CSM_HASH_TEXT];
    load(data, size);
    if (size < DIGITS_AT + CSM_HASH_TEXT) return 0;
    uint8_t *copy = malloc(size);
    if (!copy) return 0;
    memcpy(copy, data, size);
    memset(copy + DIGITS_AT, '0', CSM_HASH_TEXT - 1);
    csm_hash hash = csm_hash_bytes(copy, size);
    memcpy(copy + DIGITS_AT, csm_hash_format(&hash, digits), CSM_HASH_TEXT - 1);
    load(copy, size);
    free(copy);
    return 0;
}
