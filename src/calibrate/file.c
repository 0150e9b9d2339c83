/* SPDX-License-Identifier: MIT */
/* A calibrator inside a model file: metadata PREFIX.calibrator (JSON), tensors PREFIX.calibrator.score, .weight and
 * .positive (the fitting rows by distinct score; isotonic regression and Venn-Abers follow from them). */
#include "calibrate/internal.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#define CALIBRATOR_FORMAT 1

/* JSON has no NaN: null stands for it. */
static json_t *real_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *losses(const csm_calibrator_info *info) {
    json_t *array = json_array();
    for (size_t m = 0; array && m < CSM_CALIBRATIONS; m++)
        json_array_append_new(array, real_or_null(info->log_loss[m]));
    return array;
}

csm_status csm_calibrator_write(csm_tensors_writer *writer, const char *prefix,
                                const csm_calibrator *calibrator) {
    const csm_calibrator_info *info = &calibrator->info;
    const csm_score_groups *groups = &calibrator->groups;
    csm_status status = CSM_OK;
    json_t *object = json_pack(
        "{s:i, s:i, s:i, s:I, s:f, s:f, s:f, s:o, s:o, s:o, s:o, s:I}", "format", CALIBRATOR_FORMAT, "method",
        (int)info->method, "matured", (int)info->matured, "rows", (json_int_t)info->rows, "blocks",
        info->blocks, "base_rate", info->base_rate, "shrinkage", info->shrinkage, "slope",
        real_or_null(info->slope), "slope_high", real_or_null(info->slope_high), "intercept",
        real_or_null(info->intercept), "log_loss", losses(info), "judged", (json_int_t)info->judged);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    if (!text) {
        status = csm_fail(CSM_ENOMEM, "calibrator: no memory for its description");
        goto done;
    }
    if ((status = csm_tensors_add_text(writer, prefix, "calibrator", text))) goto done;
    status = csm_tensors_add_array(writer, prefix, "calibrator.score", CSM_TENSOR_F64, groups->score,
                                   groups->count);
    if (!status)
        status = csm_tensors_add_array(writer, prefix, "calibrator.weight", CSM_TENSOR_F64, groups->weight,
                                       groups->count);
    if (!status)
        status = csm_tensors_add_array(writer, prefix, "calibrator.positive", CSM_TENSOR_F64,
                                       groups->positive, groups->count);
done:
    free(text); /* jansson's */
    json_decref(object);
    return status;
}

static double number_or_nan(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* What only a chosen calibrator has: absent in files of those that were asked for. */
static csm_status take_losses(csm_calibrator_info *info, const json_t *object) {
    const json_t *array = json_object_get(object, "log_loss");
    double judged = json_object_get(object, "judged") ? number_or_nan(object, "judged") : 0;
    if (!(judged >= 0 && judged <= (double)UINT32_MAX) ||
        (array && json_array_size(array) > CSM_CALIBRATIONS))
        return csm_fail(CSM_ECORRUPT, "judged %g, %zu losses", judged, json_array_size(array));
    info->judged = (size_t)judged;
    for (size_t m = 0; m < CSM_CALIBRATIONS; m++) {
        const json_t *loss = json_array_get(array, m);
        info->log_loss[m] = json_is_number(loss) ? json_number_value(loss) : NAN;
    }
    return CSM_OK;
}

static bool parameters_fit(const csm_calibrator_info *info) {
    if (!csm_calibration_is_parametric(info->method)) return true;
    return info->slope >= 0 && isfinite(info->slope) && isfinite(info->intercept) &&
           (info->method != CSM_CALIBRATION_BETA || (info->slope_high >= 0 && isfinite(info->slope_high)));
}

static csm_status take_info(csm_calibrator_info *info, const json_t *object) {
    double format = number_or_nan(object, "format"), method = number_or_nan(object, "method");
    double matured = number_or_nan(object, "matured"), rows = number_or_nan(object, "rows");
    if (format != CALIBRATOR_FORMAT)
        return csm_fail(CSM_EUNSUPPORTED, "format %g; this build reads %d", format, CALIBRATOR_FORMAT);
    if (!(method > CSM_CALIBRATION_AUTO && method < CSM_CALIBRATIONS && floor(method) == method) ||
        (matured != 0 && matured != 1) || !(rows >= 2 && rows <= (double)UINT32_MAX))
        return csm_fail(CSM_ECORRUPT, "method %g, matured %g, rows %g", method, matured, rows);
    *info = (csm_calibrator_info){.method = (uint32_t)method,
                                  .matured = (uint32_t)matured,
                                  .rows = (size_t)rows,
                                  .blocks = number_or_nan(object, "blocks"),
                                  .base_rate = number_or_nan(object, "base_rate"),
                                  .shrinkage = number_or_nan(object, "shrinkage"),
                                  .slope = number_or_nan(object, "slope"),
                                  .slope_high = number_or_nan(object, "slope_high"),
                                  .intercept = number_or_nan(object, "intercept")};
    if (!(info->blocks > 0) || !(info->base_rate > 0 && info->base_rate < 1) ||
        !(info->shrinkage >= 0 && info->shrinkage <= 1) || !parameters_fit(info))
        return csm_fail(CSM_ECORRUPT, "blocks %g, base rate %g, shrinkage %g, slope %g, intercept %g",
                        info->blocks, info->base_rate, info->shrinkage, info->slope, info->intercept);
    return take_losses(info, object);
}

static csm_status take_groups(csm_score_groups *groups, const csm_tensors *tensors, const char *prefix) {
    size_t count = SIZE_MAX;
    csm_status status = csm_tensors_copy((void **)&groups->score, &count, tensors, prefix, "calibrator.score",
                                         CSM_TENSOR_F64);
    if (!status)
        status = csm_tensors_copy((void **)&groups->weight, &count, tensors, prefix, "calibrator.weight",
                                  CSM_TENSOR_F64);
    if (!status)
        status = csm_tensors_copy((void **)&groups->positive, &count, tensors, prefix, "calibrator.positive",
                                  CSM_TENSOR_F64);
    if (status) return status;
    if (count == 0) return csm_fail(CSM_ECORRUPT, "no scores");
    groups->count = count;
    for (size_t k = 0; k < count; k++) {
        if (!isfinite(groups->score[k]) || (k && !(groups->score[k - 1] < groups->score[k])) ||
            !csm_is_group_weight(groups->weight[k]) ||
            !(groups->positive[k] >= 0 && groups->positive[k] <= groups->weight[k]))
            return csm_fail(CSM_ECORRUPT, "group %zu: score %g, weight %g, positive %g", k, groups->score[k],
                            groups->weight[k], groups->positive[k]);
    }
    return CSM_OK;
}

csm_status csm_calibrator_read(csm_calibrator **out, const csm_tensors *tensors, const char *prefix) {
    const char *text = csm_tensors_text(tensors, prefix, "calibrator");
    csm_calibrator *calibrator = NULL;
    json_error_t error;
    *out = NULL;
    if (!text) return csm_fail(CSM_ENOTFOUND, "calibrator: the file has none under '%s'", prefix);
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    csm_status status = CSM_ENOMEM;
    calibrator = csm_alloc_array(1, sizeof *calibrator);
    if (!calibrator) goto done;
    if ((status = take_info(&calibrator->info, object))) goto done;
    if ((status = take_groups(&calibrator->groups, tensors, prefix))) goto done;
    if ((status = csm_isotonic_fit(&calibrator->isotonic, &calibrator->groups))) goto done;
    *out = calibrator;
    calibrator = NULL;
done:
    csm_calibrator_free(calibrator);
    json_decref(object);
    return status ? csm_fail_prefix(status, "calibrator '%s'", prefix) : CSM_OK;
}
