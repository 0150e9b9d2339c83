/* SPDX-License-Identifier: MIT */
/* A learner's parameters searched over purged folds. Every trial trains on the same rows with the same random streams, so
 * that trials differ by their parameters alone. */
#include "core/real.h"
#include "model/tune/internal.h"

#include <math.h>
#include <string.h>

typedef struct tuning {
    csm_tuner *tuner;
    csm_context *context;
    const csm_learner_class *class;
    const csm_learner *learner; /* of the class */
    const csm_samples *samples;
    const csm_time *begin;
    const csm_time *end;
    const csm_fold *folds;
    csm_tune_options options;
    csm_parameter *parameters; /* fixed, then the trial's */
    csm_head *heads;           /* what is scored */
    size_t head_count;
} tuning;

void csm_tune_options_init(csm_tune_options *options) {
    *options = (csm_tune_options){.size = sizeof *options, .objective = CSM_OBJECTIVE_SQUARED};
}

/* ---- rows of a fold ---- */

/* Some of the samples, copied; a sequence learner's hours stay the caller's. */
typedef struct subset {
    csm_samples samples;
    void *x;
    double *y;
    double *weight;
    int64_t *window_end;
} subset;

static void subset_clear(subset *s) {
    csm_dealloc(s->x);
    csm_dealloc(s->y);
    csm_dealloc(s->weight);
    csm_dealloc(s->window_end);
    *s = (subset){0};
}

static csm_status copy_rows(subset *out, const csm_samples *all, const uint8_t *keep, size_t n) {
    const size_t features = all->x.cols, element = all->x.dtype == CSM_F32 ? sizeof(float) : sizeof(double);
    if (features && n > SIZE_MAX / features) return csm_fail(CSM_EINVAL, "tune: %zu rows", n);
    char *x = out->x = csm_alloc_array(n * features + 1, element);
    if (!x) return CSM_ENOMEM;
    for (size_t i = 0; i < all->length; i++) {
        for (size_t f = 0; keep[i] && f < features; f++) {
            const ptrdiff_t at = (ptrdiff_t)i * all->x.row_stride + (ptrdiff_t)f * all->x.col_stride;
            memcpy(x, (const char *)all->x.data + at * (ptrdiff_t)element, element);
            x += element;
        }
    }
    out->samples.x =
        element == sizeof(float) ? csm_matrix_f32(out->x, n, features) : csm_matrix_f64(out->x, n, features);
    return CSM_OK;
}

/* Rows with keep[i] != 0. */
static csm_status subset_take(subset *out, const csm_samples *all, const uint8_t *keep) {
    const size_t outputs = all->y.cols;
    size_t n = 0, k = 0;
    *out = (subset){.samples = *all};
    out->samples.group = NULL; /* no objective with a loss of its own looks at groups */
    for (size_t i = 0; i < all->length; i++) n += keep[i] != 0;
    csm_status status = all->window_end ? CSM_OK : copy_rows(out, all, keep, n);
    if (status != CSM_OK) return status;
    out->y = csm_alloc_array(n * outputs + 1, sizeof *out->y);
    if (all->weight) out->weight = csm_alloc_array(n + 1, sizeof *out->weight);
    if (all->window_end) out->window_end = csm_alloc_array(n + 1, sizeof *out->window_end);
    if (!out->y || (all->weight && !out->weight) || (all->window_end && !out->window_end)) return CSM_ENOMEM;
    for (size_t i = 0; i < all->length; i++) {
        if (!keep[i]) continue;
        for (size_t o = 0; o < outputs; o++) out->y[k * outputs + o] = csm_matrix_get(&all->y, i, o);
        if (all->weight && out->weight) out->weight[k] = all->weight[i];
        if (all->window_end && out->window_end) out->window_end[k] = all->window_end[i];
        k++;
    }
    out->samples.y = csm_matrix_f64(out->y, n, outputs);
    out->samples.weight = out->weight;
    out->samples.window_end = out->window_end;
    out->samples.length = n;
    return CSM_OK;
}

static csm_status take_training(subset *out, const tuning *t, const csm_fold *fold, uint8_t *keep) {
    const csm_time limit = fold->validate_to > fold->validate_from ? fold->validate_from : fold->test_from;
    csm_status status =
        csm_model_purge(keep, t->begin, t->end, t->samples->length, fold->train_from, fold->train_to, limit);
    return status == CSM_OK ? subset_take(out, t->samples, keep) : status;
}

static csm_status take_test(subset *out, const tuning *t, const csm_fold *fold, uint8_t *keep) {
    csm_status status = csm_model_purge(keep, t->begin, t->end, t->samples->length, fold->test_from,
                                        fold->test_to, CSM_TIME_MAX);
    return status == CSM_OK ? subset_take(out, t->samples, keep) : status;
}

/* ---- loss ---- */

static double loss_of(const csm_head *head, double y, double score) {
    const double error = y - score, defined_by = head->parameter;
    switch (head->objective) {
    case CSM_OBJECTIVE_LOGISTIC:
        return -y * csm_log_logistic(score) - (1 - y) * csm_log_logistic(-score);
    case CSM_OBJECTIVE_QUANTILE:
        return error >= 0 ? defined_by * error : (defined_by - 1) * error;
    case CSM_OBJECTIVE_HUBER:
        return fabs(error) <= defined_by ? 0.5 * error * error
                                         : defined_by * (fabs(error) - 0.5 * defined_by);
    default:
        return error * error;
    }
}

/* Weighted mean over rows and heads. CSM_ENODATA when no row has weight. */
static csm_status mean_loss(double *out, const tuning *t, const csm_samples *test, const double *score) {
    double sum = 0, weights = 0, head_weights = 0;
    for (size_t h = 0; h < t->head_count; h++) head_weights += t->heads[h].weight;
    for (size_t i = 0; i < test->length; i++) {
        const double weight = test->weight ? test->weight[i] : 1;
        for (size_t h = 0; h < t->head_count; h++) {
            const csm_head *head = &t->heads[h];
            sum += weight * head->weight *
                   loss_of(head, csm_matrix_get(&test->y, i, head->column), score[i * t->head_count + h]);
        }
        weights += weight;
    }
    if (!(weights > 0)) return csm_fail(CSM_ENODATA, "no row to score");
    *out = sum / weights / head_weights;
    return CSM_OK;
}

/* ---- one step ---- */

static csm_status evaluate(double *loss, const tuning *t, size_t parameter_count, size_t step) {
    const csm_fold *fold = &t->folds[step];
    subset training = {0}, test = {0};
    csm_model *model = NULL;
    double *score = NULL;
    uint8_t *keep = csm_alloc_array(t->samples->length + 1, sizeof *keep);
    csm_status status = keep ? take_training(&training, t, fold, keep) : CSM_ENOMEM;
    if (status == CSM_OK) status = take_test(&test, t, fold, keep);
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.parameters = t->parameters;
    options.parameter_count = parameter_count;
    options.objective = t->options.objective;
    options.heads = t->options.heads;
    options.head_count = t->options.head_count;
    options.categorical = t->options.categorical;
    options.monotone = t->options.monotone;
    options.stream = t->options.stream + step;
    options.device = t->options.device;
    options.device_index = t->options.device_index;
    options.precision = t->options.precision;
    if (status == CSM_OK && test.samples.length == 0) status = csm_fail(CSM_ENODATA, "no row to score");
    if (status == CSM_OK)
        status = csm_model_train(&model, t->context, t->learner->name, &training.samples, &options);
    if (status == CSM_OK) score = csm_alloc_array(test.samples.length, t->head_count * sizeof *score);
    if (status == CSM_OK && !score) status = CSM_ENOMEM;
    if (status == CSM_OK) {
        csm_matrix view = csm_matrix_f64(score, test.samples.length, t->head_count);
        status = csm_model_predict(model, t->context, &test.samples, &view);
    }
    if (status == CSM_OK) status = mean_loss(loss, t, &test.samples, score);
    csm_dealloc(score);
    csm_model_free(model);
    subset_clear(&test);
    subset_clear(&training);
    csm_dealloc(keep);
    return status == CSM_OK ? status : csm_fail_prefix(status, "fold %zu", step);
}

/* ---- the search ---- */

/* The trial as it was before it was asked for: what is not registered and saved was not told. */
static void take_back(tune_trial *trial, const csm_trial *asked) {
    for (uint32_t s = asked->from_step; s < asked->to_step; s++) trial->loss[s] = NAN;
    trial->told = asked->from_step;
    trial->wanted = asked->to_step;
    trial->state = CSM_TRIAL_RUNNING;
    trial->handed = false;
}

/* Evaluates what was asked, and tells, registers and saves it. */
static csm_status run_trial(tuning *t, const csm_trial *trial, double *loss) {
    const size_t fixed = t->options.fixed_count;
    for (size_t p = 0; p < trial->parameter_count; p++) t->parameters[fixed + p] = trial->parameters[p];
    csm_status status = CSM_OK;
    for (uint32_t s = trial->from_step; status == CSM_OK && s < trial->to_step; s++) {
        status = csm_progress(t->context, "tune", trial->number, t->tuner->options.trials);
        if (status == CSM_OK)
            status = evaluate(&loss[s - trial->from_step], t, fixed + trial->parameter_count, s);
    }
    if (status == CSM_OK)
        status = csm_tuner_tell(t->tuner, trial->number, loss, trial->to_step - trial->from_step);
    csm_trial told;
    if (status == CSM_OK) status = csm_tuner_trial(&told, t->tuner, trial->number);
    if (status == CSM_OK && t->options.trial) status = t->options.trial(t->options.user, t->tuner, &told);
    if (status == CSM_OK && t->options.path) status = csm_tuner_save(t->tuner, t->options.path);
    if (status != CSM_OK) take_back(&t->tuner->trials[trial->number], trial);
    return status;
}

static csm_status check_searched(const tuning *t) {
    for (size_t d = 0; d < t->tuner->dimensions; d++) {
        const tune_axis *axis = &t->tuner->axes[d];
        const csm_learner_parameter *p = t->learner->parameters;
        const csm_learner_parameter *last = p + t->learner->parameter_count;
        while (p < last && strcmp(p->name, axis->name) != 0) p++;
        if (p == last)
            return csm_fail(CSM_EINVAL, "tune: %s has no parameter %s", t->learner->name, axis->name);
        if (strcmp(p->name, "quantile") == 0 || strcmp(p->name, "huber_delta") == 0)
            return csm_fail(CSM_EINVAL, "tune: %s defines the loss and cannot be searched by it", p->name);
        if (axis->minimum < p->minimum || axis->maximum > p->maximum || (p->integer && !axis->integer))
            return csm_fail(CSM_EINVAL, "tune: %s %g..%g is not within %s's %g..%g", p->name, axis->minimum,
                            axis->maximum, t->learner->name, p->minimum, p->maximum);
        for (size_t f = 0; f < t->options.fixed_count; f++) {
            if (strcmp(t->options.fixed[f].name, p->name) == 0)
                return csm_fail(CSM_EINVAL, "tune: %s is both fixed and searched", p->name);
        }
    }
    return CSM_OK;
}

/* Heads with the parameters that define their losses. */
static csm_status resolve_heads(tuning *t) {
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.objective = t->options.objective;
    options.heads = t->options.heads;
    options.head_count = t->options.head_count;
    double *values = csm_alloc_array(t->learner->parameter_count, sizeof *values);
    if (!values) return CSM_ENOMEM;
    csm_status status = csm_model_parameters(values, t->learner, t->options.fixed, t->options.fixed_count);
    if (status == CSM_OK)
        status = csm_heads_resolve(&t->heads, &t->head_count, t->class, t->samples, &options, values);
    csm_dealloc(values);
    for (size_t h = 0; status == CSM_OK && h < t->head_count; h++) {
        const uint32_t objective = t->heads[h].objective;
        if (objective > CSM_OBJECTIVE_LOGISTIC || !(t->learner->objectives & (1u << objective)))
            status = csm_fail(CSM_EINVAL, "tune: objective %u is not one of %s's with a loss of its own",
                              objective, t->learner->name);
    }
    return status;
}

static csm_status check(tuning *t, size_t fold_count) {
    const csm_samples *samples = t->samples;
    if (fold_count != t->tuner->options.steps)
        return csm_fail(CSM_EINVAL, "tune: %zu folds for a tuner of %u steps", fold_count,
                        t->tuner->options.steps);
    if (t->options.fixed_count && !t->options.fixed)
        return csm_fail(CSM_EINVAL, "tune: %zu fixed parameters but no array", t->options.fixed_count);
    for (size_t f = 0; f < t->options.fixed_count; f++) {
        if (!t->options.fixed[f].name)
            return csm_fail(CSM_EINVAL, "tune: fixed parameter %zu has no name", f);
    }
    if (samples->length == 0) return csm_fail(CSM_ENODATA, "tune: no rows");
    if (!samples->y.data) return csm_fail(CSM_EINVAL, "tune: y has no data");
    /* with heads, each column has its own objective, as in csm_model_train */
    const csm_objective objective =
        t->options.heads ? CSM_OBJECTIVE_SQUARED : (csm_objective)t->options.objective;
    csm_status status = csm_samples_check(samples, t->learner, objective, samples->x.cols, "tune");
    if (status == CSM_OK) status = resolve_heads(t);
    return status == CSM_OK ? check_searched(t) : status;
}

csm_status csm_model_tune(csm_tuner *tuner, csm_context *context, const char *learner,
                          const csm_samples *samples, const csm_time *begin, const csm_time *end,
                          const csm_fold *folds, size_t fold_count, const csm_tune_options *user) {
    if (!tuner || !context || !samples || !begin || !end || !folds)
        return csm_fail(CSM_EINVAL, "tune: tuner, context, samples, begin, end and folds are required");
    tuning t = {.tuner = tuner,
                .context = context,
                .class = csm_learner_class_find(learner),
                .samples = samples,
                .begin = begin,
                .end = end,
                .folds = folds};
    double *loss = NULL;
    if (!t.class)
        return csm_fail(CSM_ENOTFOUND, "tune: no learner is called '%s'", learner ? learner : "(NULL)");
    t.learner = &t.class->about;
    csm_tune_options_init(&t.options);
    csm_status status = csm_options_take(&t.options, sizeof t.options, user, "csm_tune_options");
    if (status == CSM_OK) status = check(&t, fold_count);
    if (status != CSM_OK) goto done;
    loss = csm_alloc_array(fold_count, sizeof *loss);
    t.parameters = csm_alloc_array(t.options.fixed_count + tuner->dimensions, sizeof *t.parameters);
    if (!loss || !t.parameters) status = CSM_ENOMEM;
    if (status == CSM_OK && t.options.fixed_count)
        memcpy(t.parameters, t.options.fixed, t.options.fixed_count * sizeof *t.parameters);
    while (status == CSM_OK) {
        csm_trial trial;
        status = csm_tuner_ask(&trial, tuner);
        if (status == CSM_ENODATA) {
            status = CSM_OK;
            break;
        }
        if (status == CSM_OK) status = run_trial(&t, &trial, loss);
    }
done:
    csm_dealloc(t.heads);
    csm_dealloc(t.parameters);
    csm_dealloc(loss);
    return status;
}
