/* SPDX-License-Identifier: MIT */
/* The public doors of interchange. */
#include "model/gbt/exchange/exchange.h"

#include "core/platform.h"

#include <string.h>

#define IMPORT_LIMIT ((size_t)4 << 30)

typedef csm_status (*import_fn)(csm_model **out, const char *text, size_t length);
typedef csm_status (*export_fn)(csm_buffer *out, const csm_model *model, size_t rounds);

static const struct {
    const char *name;
    import_fn read;
    export_fn write;
} formats[] = {
    [CSM_EXCHANGE_LIGHTGBM] = {"LightGBM text", gbt_import_lightgbm, gbt_export_lightgbm},
    [CSM_EXCHANGE_XGBOOST] = {"XGBoost JSON", gbt_import_xgboost, NULL},
    [CSM_EXCHANGE_ONNX] = {"ONNX", NULL, gbt_export_onnx},
    [CSM_EXCHANGE_JSON] = {"JSON", NULL, gbt_export_json},
    [CSM_EXCHANGE_GRAPHVIZ] = {"Graphviz", NULL, gbt_export_graphviz},
};
#define FORMATS (sizeof formats / sizeof *formats)

csm_status csm_model_import(csm_model **out, const char *path, uint32_t format) {
    csm_buffer file = {0};
    if (!out || !path) return csm_fail(CSM_EINVAL, "import: out or path is NULL");
    *out = NULL;
    if (format >= FORMATS || !formats[format].read)
        return csm_fail(CSM_EINVAL, "import: format %u (%s) is not one that is read", format,
                        format < FORMATS ? formats[format].name : "unknown");
    csm_status status = csm_file_read(&file, path, IMPORT_LIMIT);
    if (!status) status = formats[format].read(out, file.length ? file.data : "", file.length);
    csm_buffer_free(&file);
    return status ? csm_fail_prefix(status, "import %s", path) : CSM_OK;
}

csm_status csm_model_export(const csm_model *model, const char *path, uint32_t format, size_t rounds) {
    csm_buffer file = {0};
    if (!model || !path) return csm_fail(CSM_EINVAL, "export: model or path is NULL");
    if (format >= FORMATS || !formats[format].write)
        return csm_fail(CSM_EINVAL, "export: format %u (%s) is not one that is written", format,
                        format < FORMATS ? formats[format].name : "unknown");
    if (model->learner != &csm_learner_gbt)
        return csm_fail(CSM_EUNSUPPORTED, "export: %s is not made of trees", model->info.learner);
    if (rounds > model->info.rounds)
        return csm_fail(CSM_EINVAL, "export: %zu rounds of a model that has %zu", rounds, model->info.rounds);
    csm_status status = formats[format].write(&file, model, rounds ? rounds : model->info.rounds);
    if (!status) status = csm_file_write_atomic(path, file.data, file.length, 0644);
    csm_buffer_free(&file);
    return status ? csm_fail_prefix(status, "export %s", path) : CSM_OK;
}
