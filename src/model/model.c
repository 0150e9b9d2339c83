/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

#include <math.h>
#include <stdlib.h>

void csm_model_train_options_init(csm_train_options *options) {
    *options = (csm_train_options){.size = sizeof *options, .objective = CSM_OBJECTIVE_SQUARED};
}

csm_status csm_model_new(csm_model **out, const csm_learner_class *learner, const csm_model_info *info,
                         const char *const *feature_names, const double *values) {
    csm_model *model = csm_alloc_array(1, sizeof *model);
    *out = NULL;
    if (!model) return CSM_ENOMEM;
    model->learner = learner;
    model->info = *info;
    model->feature_names = csm_alloc_array(info->features, sizeof *model->feature_names);
    model->values = csm_alloc_array(learner->about.parameter_count, sizeof *model->values);
    if (!model->feature_names || !model->values) goto fail;
    for (size_t p = 0; p < learner->about.parameter_count; p++) model->values[p] = values[p];
    for (size_t f = 0; f < info->features; f++) {
        char *name = feature_names ? csm_strdup(feature_names[f]) : csm_strformat("f%zu", f);
        if (!name) goto fail;
        model->feature_names[f] = name;
    }
    *out = model;
    return CSM_OK;
fail:
    csm_model_free(model);
    return CSM_ENOMEM;
}

void csm_model_free(csm_model *model) {
    if (!model) return;
    if (model->state) model->learner->free(model->state);
    for (size_t f = 0; model->feature_names && f < model->info.features; f++)
        csm_dealloc(model->feature_names[f]);
    csm_dealloc(model->feature_names);
    csm_dealloc(model->values);
    csm_dealloc(model);
}

/* At least two distinct targets for logistic: with one class there is nothing to tell apart. */
static csm_status check_classes(const csm_samples *samples) {
    const csm_matrix *y = &samples->y;
    bool above = false, below = false;
    for (size_t r = 0; r < y->rows && !(above && below); r++) {
        if (samples->weight && !(samples->weight[r] > 0)) continue;
        double value = csm_matrix_get(y, r, 0);
        above = above || value > 0;
        below = below || value < 1;
    }
    if (above && below) return CSM_OK;
    return csm_fail(CSM_ENODATA, "train: all %zu targets are of one class", y->rows);
}

/* What only learners with `refit`, the trees, take. */
static csm_status check_tree_options(const csm_learner_class *learner, const csm_samples *samples,
                                     const csm_train_options *options) {
    if (!learner->refit && (options->categorical || options->monotone || options->start || options->metric))
        return csm_fail(CSM_EUNSUPPORTED, "%s: categorical, monotone, start and metric are for trees",
                        learner->about.name);
    if (options->start && options->start->learner != learner)
        return csm_fail(CSM_EINVAL, "%s: the model to go on from is a %s", learner->about.name,
                        options->start->info.learner);
    for (size_t f = 0; f < samples->x.cols; f++) {
        if (options->categorical && options->categorical[f] > 1)
            return csm_fail(CSM_EINVAL, "train: categorical[%zu] is %d, not 0 or 1", f,
                            options->categorical[f]);
        if (options->monotone && (options->monotone[f] < -1 || options->monotone[f] > 1))
            return csm_fail(CSM_EINVAL, "train: monotone[%zu] is %d, not -1, 0 or 1", f,
                            options->monotone[f]);
        if (options->categorical && options->monotone && options->categorical[f] && options->monotone[f])
            return csm_fail(CSM_EINVAL, "train: feature %zu is categorical and cannot be monotone", f);
    }
    return CSM_OK;
}

static csm_status check_device(const csm_learner_class *learner, const csm_train_options *options) {
    if (options->device > CSM_DEVICE_CUDA)
        return csm_fail(CSM_EINVAL, "train: device %u is none of 0 (CPU), 1 (CUDA)", options->device);
    if (options->precision > CSM_PRECISION_BF16)
        return csm_fail(CSM_EINVAL, "train: precision %u is outside 0..3", options->precision);
    if (options->device == CSM_DEVICE_CUDA && !learner->cuda)
        return csm_fail(CSM_EUNSUPPORTED, "train: %s is trained on the CPU only", learner->about.name);
    return CSM_OK;
}

static csm_status check_training(const csm_learner_class *learner, const csm_samples *samples,
                                 const csm_train_options *options) {
    if (options->objective > 31 || !(learner->about.objectives & (1u << options->objective)))
        return csm_fail(CSM_EINVAL, "%s: objective %u is not one it takes", learner->about.name,
                        options->objective);
    if (samples->length == 0) return csm_fail(CSM_ENODATA, "train: no rows");
    if (!samples->y.data) return csm_fail(CSM_EINVAL, "train: y has no data");
    /* with heads, each column has its own objective: csm_heads_resolve looks at them */
    csm_objective objective = options->heads ? CSM_OBJECTIVE_SQUARED : (csm_objective)options->objective;
    csm_status status = csm_samples_check(samples, &learner->about, objective, samples->x.cols, "train");
    if (status) return status;
    if (objective == CSM_OBJECTIVE_LOGISTIC && (status = check_classes(samples))) return status;
    for (size_t f = 0; options->feature_names && f < samples->x.cols; f++) {
        if (!options->feature_names[f]) return csm_fail(CSM_EINVAL, "train: feature %zu has no name", f);
    }
    if ((status = check_tree_options(learner, samples, options))) return status;
    if ((status = check_device(learner, options))) return status;
    if (!options->validation) {
        if (!options->early_stopping_rounds) return CSM_OK;
        return csm_fail(CSM_EINVAL, "train: early stopping after %u rounds needs validation samples",
                        options->early_stopping_rounds);
    }
    if (options->validation->length == 0) return csm_fail(CSM_ENODATA, "validation: no rows");
    if (!options->validation->y.data || options->validation->y.cols != samples->y.cols)
        return csm_fail(CSM_EINVAL, "validation: y has %zu columns, training has %zu",
                        options->validation->y.cols, samples->y.cols);
    return csm_samples_check(options->validation, &learner->about, objective, samples->x.cols, "validation");
}

csm_status csm_model_train(csm_model **out, csm_context *context, const char *learner_name,
                           const csm_samples *samples, const csm_train_options *user) {
    csm_train_options options;
    csm_model *model = NULL;
    double *values = NULL;
    csm_head *heads = NULL;
    size_t head_count = 0;
    if (!out || !context || !samples) return csm_fail(CSM_EINVAL, "train: out, context or samples is NULL");
    *out = NULL;
    csm_model_train_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_train_options");
    if (status) return status;
    const csm_learner_class *learner = csm_learner_class_find(learner_name);
    if (!learner)
        return csm_fail(CSM_ENOTFOUND, "train: no learner is called '%s'",
                        learner_name ? learner_name : "(NULL)");
    if ((status = check_training(learner, samples, &options))) return status;
    values = csm_alloc_array(learner->about.parameter_count, sizeof *values);
    if (!values) return CSM_ENOMEM;
    status = csm_model_parameters(values, &learner->about, options.parameters, options.parameter_count);
    if (status) goto done;
    if ((status = csm_heads_resolve(&heads, &head_count, learner, samples, &options, values))) goto done;
    csm_model_info info = {.learner = learner->about.name,
                           .objective = heads[0].objective,
                           .outputs = (uint32_t)head_count,
                           .features = samples->x.cols,
                           .trained_rows = samples->length,
                           .training_loss = NAN,
                           .validation_loss = NAN};
    if ((status = csm_model_new(&model, learner, &info, options.feature_names, values))) goto done;
    csm_train_job job = {context,
                         samples,
                         options.validation,
                         values,
                         (csm_objective)options.objective,
                         options.early_stopping_rounds,
                         options.stream,
                         heads,
                         head_count,
                         options.checkpoint,
                         options.categorical,
                         options.monotone,
                         options.start ? options.start->state : NULL,
                         options.metric,
                         (csm_device)options.device,
                         options.device_index,
                         (csm_precision)options.precision};
    if ((status = learner->train(&model->state, &model->info, &job))) goto done;
    *out = model;
    model = NULL;
done:
    csm_model_free(model);
    csm_dealloc(heads);
    csm_dealloc(values);
    return status;
}

csm_status csm_model_refit(csm_model **out, csm_context *context, const csm_model *model,
                           const csm_samples *samples, const csm_head *user_heads, double decay) {
    csm_model *refitted = NULL;
    csm_head *heads = NULL;
    size_t head_count = 0;
    if (!out || !context || !model || !samples)
        return csm_fail(CSM_EINVAL, "refit: out, context, model or samples is NULL");
    *out = NULL;
    if (!model->learner->refit)
        return csm_fail(CSM_EUNSUPPORTED, "refit: %s has no leaves", model->info.learner);
    if (!(decay >= 0 && decay <= 1)) return csm_fail(CSM_EINVAL, "refit: decay %g is outside 0..1", decay);
    if (samples->length == 0) return csm_fail(CSM_ENODATA, "refit: no rows");
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.objective = model->info.objective;
    options.heads = user_heads;
    options.head_count = user_heads ? model->info.outputs : 0;
    csm_objective objective = user_heads ? CSM_OBJECTIVE_SQUARED : (csm_objective)options.objective;
    csm_status status =
        csm_samples_check(samples, &model->learner->about, objective, model->info.features, "refit");
    if (!status)
        status = csm_heads_resolve(&heads, &head_count, model->learner, samples, &options, model->values);
    if (!status && head_count != model->info.outputs)
        status =
            csm_fail(CSM_EINVAL, "refit: y has %zu columns for %u outputs", head_count, model->info.outputs);
    csm_train_job job = {.context = context,
                         .samples = samples,
                         .values = model->values,
                         .objective = (csm_objective)options.objective,
                         .heads = heads,
                         .head_count = head_count};
    if (!status)
        status = csm_model_new(&refitted, model->learner, &model->info,
                               (const char *const *)model->feature_names, model->values);
    if (!status) status = model->learner->refit(&refitted->state, model->state, &job, decay);
    if (!status) {
        *out = refitted;
        refitted = NULL;
    }
    csm_model_free(refitted);
    csm_dealloc(heads);
    return status;
}

csm_status csm_model_predict(const csm_model *model, csm_context *context, const csm_samples *samples,
                             csm_matrix *out) {
    if (!model || !samples || !out) return csm_fail(CSM_EINVAL, "predict: model, samples or out is NULL");
    csm_samples rows = *samples;
    rows.y = (csm_matrix){0};
    rows.weight = NULL;
    csm_status status = csm_samples_check(&rows, &model->learner->about, (csm_objective)model->info.objective,
                                          model->info.features, "predict");
    if (status) return status;
    if (out->rows != samples->length || out->cols != model->info.outputs || (samples->length && !out->data) ||
        (out->dtype != CSM_F32 && out->dtype != CSM_F64))
        return csm_fail(CSM_EINVAL, "predict: out is %zu x %zu, expected %zu x %u of f32 or f64", out->rows,
                        out->cols, samples->length, model->info.outputs);
    if (samples->length == 0) return CSM_OK;
    return model->learner->predict(model->state, context, &rows, out);
}

csm_status csm_model_describe(csm_model_info *out, const csm_model *model) {
    if (!out || !model) return csm_fail(CSM_EINVAL, "describe: out or model is NULL");
    *out = model->info;
    return CSM_OK;
}

csm_status csm_model_parameter(csm_parameter *out, const csm_model *model, size_t index) {
    if (!out || !model) return csm_fail(CSM_EINVAL, "parameter: out or model is NULL");
    const csm_learner *learner = &model->learner->about;
    if (index >= learner->parameter_count)
        return csm_fail(CSM_EINVAL, "parameter: %s has no parameter %zu", learner->name, index);
    *out = (csm_parameter){learner->parameters[index].name, model->values[index]};
    return CSM_OK;
}

const char *csm_model_feature_name(const csm_model *model, size_t feature) {
    return model && feature < model->info.features ? model->feature_names[feature] : NULL;
}

csm_status csm_model_importance(const csm_model *model, double *out, size_t features) {
    if (!model || !out) return csm_fail(CSM_EINVAL, "importance: model or out is NULL");
    if (features != model->info.features)
        return csm_fail(CSM_EINVAL, "importance: room for %zu features, the model has %zu", features,
                        model->info.features);
    if (!model->learner->importance)
        return csm_fail(CSM_EUNSUPPORTED, "importance: %s has none by gain", model->info.learner);
    return model->learner->importance(model->state, out);
}
