/* SPDX-License-Identifier: MIT */
/* A model as metadata text (what it is) and tensors (what it learnt). */
#include "model/internal.h"

#include "core/platform.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_FORMAT 1
#define MODEL_FILE_LIMIT ((size_t)8 << 30)
#define FEATURES_MAX 100000

/* JSON has no NaN: null stands for it. */
static json_t *real_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *describe_json(const csm_model *model) {
    const csm_model_info *info = &model->info;
    json_t *features = json_array();
    json_t *parameters = json_object();
    for (size_t f = 0; f < info->features; f++) {
        if (json_array_append_new(features, json_string(model->feature_names[f])) != 0) goto fail;
    }
    for (size_t p = 0; p < model->learner->about.parameter_count; p++) {
        if (json_object_set_new(parameters, model->learner->about.parameters[p].name,
                                json_real(model->values[p])))
            goto fail;
    }
    return json_pack("{s:i, s:s, s:i, s:i, s:I, s:I, s:o, s:o, s:o, s:o}", "format", MODEL_FORMAT, "learner",
                     info->learner, "objective", (int)info->objective, "outputs", (int)info->outputs,
                     "rounds", (json_int_t)info->rounds, "trained_rows", (json_int_t)info->trained_rows,
                     "training_loss", real_or_null(info->training_loss), "validation_loss",
                     real_or_null(info->validation_loss), "parameters", parameters, "features", features);
fail:
    json_decref(features);
    json_decref(parameters);
    return NULL;
}

csm_status csm_model_write(csm_tensors_writer *writer, const char *prefix, const csm_model *model) {
    json_t *description = describe_json(model);
    char *text = description ? json_dumps(description, JSON_COMPACT) : NULL;
    csm_status status = CSM_OK;
    if (!text) {
        status = csm_fail(CSM_EINVAL, "model: a feature name is not UTF-8, or memory is short");
        goto done;
    }
    if ((status = csm_tensors_add_text(writer, prefix, "model", text))) goto done;
    status = model->learner->write(model->state, writer, prefix);
done:
    free(text); /* jansson's */
    json_decref(description);
    return status;
}

static bool take_size(size_t *out, const json_t *object, const char *key, size_t limit) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *out = (size_t)json_integer_value(value);
    return *out <= limit;
}

/* A number, or null for NaN. */
static bool take_real(double *out, const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    *out = json_is_null(value) ? NAN : json_number_value(value);
    return json_is_null(value) || json_is_number(value);
}

static csm_status take_info(csm_model_info *info, const csm_learner_class **learner, const json_t *object) {
    size_t format = 0, objective = 0, outputs = 0;
    const char *name = json_string_value(json_object_get(object, "learner"));
    if (!take_size(&format, object, "format", INT32_MAX)) return csm_fail(CSM_ECORRUPT, "no format number");
    if (format != MODEL_FORMAT)
        return csm_fail(CSM_EUNSUPPORTED, "format %zu; this build reads %d", format, MODEL_FORMAT);
    *learner = csm_learner_class_find(name);
    if (!*learner)
        return csm_fail(CSM_EUNSUPPORTED, "learner '%.64s' is not in this build", name ? name : "(none)");
    if (!take_size(&objective, object, "objective", 31) ||
        !((*learner)->about.objectives & (1u << objective)) ||
        !take_size(&outputs, object, "outputs", 4096) || outputs == 0 ||
        !take_size(&info->rounds, object, "rounds", INT32_MAX) ||
        !take_size(&info->trained_rows, object, "trained_rows", INT64_MAX) ||
        !take_real(&info->training_loss, object, "training_loss") ||
        !take_real(&info->validation_loss, object, "validation_loss"))
        return csm_fail(CSM_ECORRUPT, "its description lacks a member or holds one out of range");
    info->learner = (*learner)->about.name;
    info->objective = (uint32_t)objective;
    info->outputs = (uint32_t)outputs;
    return CSM_OK;
}

/* The array of names (borrowed from `object`), csm_dealloc. */
static csm_status take_names(const char ***out, csm_model_info *info, const json_t *object) {
    const json_t *features = json_object_get(object, "features");
    info->features = json_array_size(features);
    if (info->features == 0 || info->features > FEATURES_MAX)
        return csm_fail(CSM_ECORRUPT, "%zu feature names are outside 1..%d", info->features, FEATURES_MAX);
    *out = csm_alloc_array(info->features, sizeof **out);
    if (!*out) return CSM_ENOMEM;
    for (size_t f = 0; f < info->features; f++) {
        (*out)[f] = json_string_value(json_array_get(features, f));
        if (!(*out)[f]) return csm_fail(CSM_ECORRUPT, "feature name %zu is not text", f);
    }
    return CSM_OK;
}

static csm_status take_parameters(double **out, const csm_learner *learner, json_t *object) {
    json_t *parameters = json_object_get(object, "parameters");
    const char *name;
    json_t *value;
    size_t count = 0;
    csm_parameter *given = csm_alloc_array(json_object_size(parameters), sizeof *given);
    csm_status status = CSM_ENOMEM;
    *out = csm_alloc_array(learner->parameter_count, sizeof **out);
    if (!given || !*out) goto done;
    json_object_foreach(parameters, name, value) given[count++] =
        (csm_parameter){name, json_number_value(value)};
    status = csm_model_parameters(*out, learner, given, count);
    if (status) status = csm_fail_prefix(CSM_ECORRUPT, "parameters");
done:
    csm_dealloc(given);
    return status;
}

csm_status csm_model_read(csm_model **out, const csm_tensors *tensors, const char *prefix) {
    const char *text = csm_tensors_text(tensors, prefix, "model");
    const csm_learner_class *learner = NULL;
    const char **names = NULL;
    double *values = NULL;
    csm_model *model = NULL;
    csm_model_info info = {0};
    json_error_t error;
    *out = NULL;
    if (!text) return csm_fail(CSM_ENOTFOUND, "model: the file has no model '%s'", prefix);
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    csm_status status = CSM_OK;
    if (!json_is_object(object)) {
        status = csm_fail(CSM_EPARSE, "description: not a JSON object");
        goto done;
    }
    if ((status = take_info(&info, &learner, object))) goto done;
    if ((status = take_names(&names, &info, object))) goto done;
    if ((status = take_parameters(&values, &learner->about, object))) goto done;
    if ((status = csm_model_new(&model, learner, &info, names, values))) goto done;
    if ((status = learner->read(&model->state, &model->info, tensors, prefix))) goto done;
    *out = model;
    model = NULL;
done:
    csm_model_free(model);
    csm_dealloc(values);
    csm_dealloc(names);
    json_decref(object);
    return status ? csm_fail_prefix(status, "model '%s'", prefix) : CSM_OK;
}

static csm_status check_metadata(const char *metadata_json) {
    json_error_t error;
    if (!metadata_json) return CSM_OK;
    json_t *object = json_loads(metadata_json, JSON_REJECT_DUPLICATES, &error);
    bool is_object = json_is_object(object);
    json_decref(object);
    return is_object ? CSM_OK : csm_fail(CSM_EINVAL, "metadata_json is not a JSON object");
}

csm_status csm_model_save(const csm_model *model, const char *path, const char *metadata_json) {
    csm_tensors_writer *writer = NULL;
    csm_buffer file = {0};
    if (!model || !path) return csm_fail(CSM_EINVAL, "save: model or path is NULL");
    csm_status status = check_metadata(metadata_json);
    if (status) return csm_fail_prefix(status, "save %s", path);
    if ((status = csm_tensors_writer_new(&writer))) goto done;
    if ((status = csm_tensors_add_text(writer, "", "csm.version", csm_version()))) goto done;
    if (metadata_json && (status = csm_tensors_add_text(writer, "", "csm.metadata", metadata_json)))
        goto done;
    if ((status = csm_model_write(writer, "", model))) goto done;
    if ((status = csm_tensors_finish(&file, writer))) goto done;
    status = csm_file_write_atomic(path, file.data, file.length, 0644);
done:
    csm_buffer_free(&file);
    csm_tensors_writer_free(writer);
    return status;
}

csm_status csm_model_load(csm_model **out, const char *path) {
    csm_buffer file = {0};
    csm_tensors *tensors = NULL;
    if (!out || !path) return csm_fail(CSM_EINVAL, "load: out or path is NULL");
    *out = NULL;
    csm_status status = csm_file_read(&file, path, MODEL_FILE_LIMIT);
    if (status) goto done;
    if (!(status = csm_tensors_read(&tensors, file.data, file.length)))
        status = csm_model_read(out, tensors, "");
    if (status) status = csm_fail_prefix(status, "load %s", path);
done:
    csm_tensors_free(tensors);
    csm_buffer_free(&file);
    return status;
}
