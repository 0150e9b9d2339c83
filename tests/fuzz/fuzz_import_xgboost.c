/* SPDX-License-Identifier: MIT */
/* An XGBoost JSON model: an error, or a model that predicts and can be written again. */
#include "model/gbt/exchange/exchange.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    csm_model *model = NULL;
    csm_buffer out = {0};
    if (gbt_import_xgboost(&model, (const char *)data, size) == CSM_OK && model->info.features <= 64 &&
        model->info.outputs <= 16) {
        double scores[16];
        float row[64];
        csm_matrix view = csm_matrix_f64(scores, 1, model->info.outputs);
        for (size_t f = 0; f < model->info.features; f++) row[f] = f % 3 == 2 ? NAN : (float)f - 1;
        const csm_samples samples = {.x = csm_matrix_f32(row, 1, model->info.features), .length = 1};
        if (csm_model_predict(model, NULL, &samples, &view)) __builtin_trap();
        (void)gbt_export_json(&out, model, model->info.rounds);
    }
    csm_buffer_free(&out);
    csm_model_free(model);
    return 0;
}
