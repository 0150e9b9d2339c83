/* SPDX-License-Identifier: MIT */
/*
 * Tuning of the ensemble's members, horizon by horizon. A horizon's samples that matured before the walk's first test are
 * split into purged walk-forward folds of their own: the first half trains, the rest is tested in equal blocks. What the
 * walk will be judged by is never looked at. The loss is the direction's log loss, and a member's return model takes the
 * same parameters; of a member with one trunk it is that of both heads.
 */
#include "pipeline/tune.h"
#include "core/platform.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Streams of random numbers apart from those of the walk and the final models. */
#define TUNE_STREAM ((uint64_t)1 << 40)

/* ---- what is searched ---- */

static const struct {
    const char *learner;
    const char *parameter;
    double minimum;
    double maximum;
    int32_t log_scale;
} searches[] = {
#define CSM_SEARCH(learner, parameter, minimum, maximum, log_scale)                                          \
    {learner, parameter, minimum, maximum, log_scale},
#include "pipeline/tune.def"
#undef CSM_SEARCH
};
#define SEARCHES (sizeof searches / sizeof *searches)

typedef struct member_search {
    csm_learner_parameter space[SEARCHES];
    size_t space_count;
    csm_parameter fixed[sizeof((member_settings *)0)->parameter / sizeof(csm_parameter)];
    size_t fixed_count;
} member_search;

static const csm_learner_parameter *learner_parameter(const csm_learner *learner, const char *name) {
    for (size_t p = 0; p < learner->parameter_count; p++) {
        if (strcmp(learner->parameters[p].name, name) == 0) return &learner->parameters[p];
    }
    return NULL;
}

static csm_parameter *member_parameter(member_settings *member, const char *name) {
    for (size_t p = 0; p < member->parameter_count; p++) {
        if (strcmp(member->parameter[p].name, name) == 0) return &member->parameter[p];
    }
    return NULL;
}

/* The first trial is the configured setting, moved into the range where it lies outside. */
static void make_search(member_search *out, member_settings *member) {
    *out = (member_search){0};
    for (size_t i = 0; i < SEARCHES; i++) {
        const csm_learner_parameter *about = learner_parameter(member->learner, searches[i].parameter);
        if (strcmp(searches[i].learner, member->learner->name) != 0 || !about) continue;
        const csm_parameter *configured = member_parameter(member, about->name);
        csm_learner_parameter *axis = &out->space[out->space_count++];
        *axis = *about;
        axis->minimum = searches[i].minimum;
        axis->maximum = searches[i].maximum;
        axis->log_scale = searches[i].log_scale;
        if (configured) axis->standard = configured->value;
        if (axis->standard < axis->minimum) axis->standard = axis->minimum;
        if (axis->standard > axis->maximum) axis->standard = axis->maximum;
    }
    for (size_t p = 0; p < member->parameter_count; p++) {
        bool searched = false;
        for (size_t i = 0; i < out->space_count; i++)
            searched = searched || strcmp(out->space[i].name, member->parameter[p].name) == 0;
        if (!searched) out->fixed[out->fixed_count++] = member->parameter[p];
    }
}

/* ---- what it is searched on ---- */

typedef struct tuning_data {
    size_t length;
    int64_t *row;    /* of the frame */
    double *targets; /* (length, 2): rises, log return */
    double *weight;
    csm_time *begin;
    csm_time *end;
    uint32_t *market;
    float *x; /* (length, features) for members that read rows */
    csm_matrix frame;
    csm_fold folds[CSM_TUNE_FOLDS_MAX];
    size_t fold_count;
} tuning_data;

static void data_free(tuning_data *d) {
    csm_dealloc(d->row);
    csm_dealloc(d->targets);
    csm_dealloc(d->weight);
    csm_dealloc(d->begin);
    csm_dealloc(d->end);
    csm_dealloc(d->market);
    csm_dealloc(d->x);
}

/* Samples that matured before `limit`. */
static csm_status data_take(tuning_data *d, const horizon_samples *s, csm_time limit) {
    const size_t features = s->frame.cols;
    const float *frame = s->frame.data;
    size_t n = 0;
    for (size_t i = 0; i < s->length; i++) n += s->end[i] <= limit;
    d->frame = s->frame;
    d->row = csm_alloc_array(n + 1, sizeof *d->row);
    d->targets = csm_alloc_array(n + 1, 2 * sizeof *d->targets);
    d->weight = csm_alloc_array(n + 1, sizeof *d->weight);
    d->begin = csm_alloc_array(n + 1, sizeof *d->begin);
    d->end = csm_alloc_array(n + 1, sizeof *d->end);
    d->market = csm_alloc_array(n + 1, sizeof *d->market);
    d->x = csm_alloc_array(n + 1, features * sizeof *d->x);
    if (!d->row || !d->targets || !d->weight || !d->begin || !d->end || !d->market || !d->x)
        return CSM_ENOMEM;
    for (size_t i = 0; i < s->length; i++) {
        if (s->end[i] > limit) continue;
        const size_t k = d->length++;
        d->row[k] = s->row[i];
        d->targets[2 * k] = s->rises[i];
        d->targets[2 * k + 1] = s->log_return[i];
        d->begin[k] = s->begin[i];
        d->end[k] = s->end[i];
        d->market[k] = s->market[i];
        memcpy(d->x + k * features, frame + (ptrdiff_t)s->row[i] * s->frame.row_stride,
               features * sizeof *d->x);
    }
    return csm_model_uniqueness(d->weight, d->begin, d->end, d->market, d->length);
}

/* From the first decision to the walk's first test: half of it trains, the rest but the last horizon is tested. */
static csm_status data_fold(tuning_data *d, const horizon_settings *h, const tune_settings *tune,
                            csm_time from) {
    csm_walk_options options;
    csm_model_walk_options_init(&options);
    options.from = from;
    options.to = from + h->first - h->horizon;
    options.horizon = h->horizon;
    options.first_train = h->first / 2;
    const csm_time tested = options.to - from - options.first_train;
    if (tested < (csm_time)tune->folds || options.first_train <= h->horizon)
        return csm_fail(CSM_ENODATA, "too little data before the first test");
    options.test_span = (tested - 1) / (csm_time)tune->folds + 1;
    return csm_model_walk_forward(d->folds, CSM_TUNE_FOLDS_MAX, &d->fold_count, &options);
}

static csm_status data_make(tuning_data *d, const horizon_samples *s, const horizon_settings *h,
                            const tune_settings *tune) {
    csm_time from = CSM_TIME_MAX;
    if (s->length == 0) return csm_fail(CSM_ENODATA, "no samples");
    for (size_t i = 0; i < s->length; i++) {
        if (s->begin[i] < from) from = s->begin[i];
    }
    csm_status status = data_fold(d, h, tune, from);
    return status == CSM_OK ? data_take(d, s, from + h->first) : status;
}

/* ---- the register ---- */

typedef struct registrar {
    csm_pipeline *pipeline;
    const char *recipe;
    const char *subject;
    csm_time horizon;
    uint64_t seed;
} registrar;

static csm_status register_trial(void *user, const csm_tuner *tuner, const csm_trial *trial) {
    const registrar *r = user;
    json_t *object = json_object();
    for (size_t p = 0; p < trial->parameter_count; p++)
        json_object_set_new(object, trial->parameters[p].name, json_real(trial->parameters[p].value));
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (!text) return csm_fail(CSM_ENOMEM, "trial: no memory for its parameters");
    const csm_trial_record record = {.search = csm_tuner_key(tuner),
                                     .subject = r->subject,
                                     .recipe = r->recipe,
                                     .parameters = text,
                                     .number = (int64_t)trial->number,
                                     .steps = trial->to_step,
                                     .seed = r->seed,
                                     .horizon = r->horizon,
                                     .loss = trial->loss};
    const csm_status status = csm_learn_trial_add(r->pipeline->context, r->pipeline->store, &record);
    free(text); /* jansson's */
    return status;
}

/* ---- one member ---- */

typedef struct member_tuning {
    csm_pipeline *pipeline;
    const training_settings *settings;
    member_settings *member;
    const tuning_data *data;
    const char *recipe;
    csm_time horizon;
    uint64_t stream;
} member_tuning;

/* SHA-256 of all that decides the search's outcome. */
static void search_key(char *text, const member_tuning *t, const member_search *search,
                       const csm_tuner_options *options) {
    const tuning_data *d = t->data;
    csm_hasher hasher;
    csm_hasher_init(&hasher);
    const uint64_t numbers[] = {options->seed,       options->trials,     options->steps,
                                options->reduction,  d->length,           d->frame.cols,
                                t->settings->window, search->space_count, search->fixed_count};
    csm_hasher_update(&hasher, numbers, sizeof numbers);
    csm_hasher_update(&hasher, t->member->learner->name, strlen(t->member->learner->name) + 1);
    csm_hasher_update(&hasher, t->recipe, strlen(t->recipe) + 1);
    for (size_t i = 0; i < search->space_count; i++) {
        const csm_learner_parameter *p = &search->space[i];
        const double range[] = {p->minimum, p->maximum, p->standard};
        csm_hasher_update(&hasher, p->name, strlen(p->name) + 1);
        csm_hasher_update(&hasher, range, sizeof range);
    }
    for (size_t i = 0; i < search->fixed_count; i++) {
        csm_hasher_update(&hasher, search->fixed[i].name, strlen(search->fixed[i].name) + 1);
        csm_hasher_update(&hasher, &search->fixed[i].value, sizeof search->fixed[i].value);
    }
    csm_hasher_update(&hasher, d->folds, d->fold_count * sizeof *d->folds);
    csm_hasher_update(&hasher, d->begin, d->length * sizeof *d->begin);
    csm_hasher_update(&hasher, d->end, d->length * sizeof *d->end);
    csm_hasher_update(&hasher, d->targets, 2 * d->length * sizeof *d->targets);
    csm_hasher_update(&hasher, d->weight, d->length * sizeof *d->weight);
    csm_hasher_update(&hasher, d->x, d->length * d->frame.cols * sizeof *d->x);
    const csm_hash hash = csm_hasher_final(&hasher);
    csm_hash_format(&hash, text);
}

/* The tuner of a search that was killed, or a new one. The state of another search gives way: its trials are registered. */
static csm_status open_tuner(csm_tuner **out, const member_tuning *t, const member_search *search,
                             const char *path) {
    char key[CSM_HASH_TEXT];
    csm_tuner_options options;
    csm_tuner_options_init(&options);
    options.seed = csm_random_u64(csm_context_seed(t->pipeline->context), t->stream, 0);
    options.trials = t->settings->tune.trials;
    options.steps = (uint32_t)t->data->fold_count;
    options.reduction = t->settings->tune.reduction;
    options.key = key;
    search_key(key, t, search, &options);
    csm_status status = csm_tuner_load(out, path);
    if (status == CSM_OK && strcmp(csm_tuner_key(*out), key) == 0) return CSM_OK;
    if (status != CSM_OK && status != CSM_ENOTFOUND) return status;
    if (status == CSM_OK) {
        csm_log_write(t->pipeline->context, CSM_LOG_INFO, "pipeline",
                      "%s is of another search and is replaced", path);
        csm_tuner_free(*out);
    }
    return csm_tuner_new(out, search->space, search->space_count, &options);
}

static csm_status run_tuner(csm_tuner *tuner, const member_tuning *t, const member_search *search,
                            const char *path) {
    const tuning_data *d = t->data;
    csm_samples samples = {.weight = d->weight, .length = d->length};
    samples.x = csm_matrix_f32(d->x, d->length, d->frame.cols);
    samples.y = csm_matrix_f64(d->targets, d->length, 2);
    registrar register_of = {t->pipeline, t->recipe, t->member->name, t->horizon,
                             csm_context_seed(t->pipeline->context)};
    csm_tune_options options;
    csm_tune_options_init(&options);
    options.fixed = search->fixed;
    options.fixed_count = search->fixed_count;
    options.path = path;
    options.trial = register_trial;
    options.user = &register_of;
    options.stream = t->stream;
    options.objective = CSM_OBJECTIVE_LOGISTIC;
    options.device = t->member->device;
    options.device_index = t->member->device_index;
    options.precision = t->member->precision;
    csm_head heads[2];
    if (t->member->learner->sequences) {
        samples.x = d->frame;
        samples.window_end = d->row;
        samples.window_length = t->settings->window;
        csm_ensemble_heads(heads, d->targets, d->weight, d->length);
        options.heads = heads;
        options.head_count = 2;
    } else {
        samples.y.cols = 1; /* direction alone */
    }
    return csm_model_tune(tuner, t->pipeline->context, t->member->learner->name, &samples, d->begin, d->end,
                          d->folds, d->fold_count, &options);
}

/* The member with the best trial's parameters. */
static csm_status take_best(member_settings *member, const csm_tuner *tuner) {
    csm_trial best;
    csm_status status = csm_tuner_best(&best, tuner);
    for (size_t p = 0; status == CSM_OK && p < best.parameter_count; p++) {
        csm_parameter *at = member_parameter(member, best.parameters[p].name);
        if (!at && member->parameter_count == sizeof member->parameter / sizeof *member->parameter)
            return csm_fail(CSM_EINTERNAL, "%s: too many parameters are searched", member->name);
        if (!at) at = &member->parameter[member->parameter_count++];
        at->name = learner_parameter(member->learner, best.parameters[p].name)->name; /* static storage */
        at->value = best.parameters[p].value;
    }
    return status;
}

static char *state_path(const csm_pipeline *p, csm_time horizon, const char *member) {
    char name[CSM_TIME_TEXT];
    return csm_strformat("%s/tune/%s-%s.safetensors", p->workspace,
                         csm_interval_format(horizon, name, sizeof name), member);
}

static csm_status tune_member(size_t *trials, const member_tuning *t) {
    member_search search;
    csm_tuner *tuner = NULL;
    make_search(&search, t->member);
    if (search.space_count == 0) return CSM_OK;
    char *folder = csm_strformat("%s/tune", t->pipeline->workspace);
    char *path = state_path(t->pipeline, t->horizon, t->member->name);
    csm_status status = folder && path ? csm_folder_make(folder) : CSM_ENOMEM;
    if (status == CSM_OK) status = open_tuner(&tuner, t, &search, path);
    if (status == CSM_OK) status = run_tuner(tuner, t, &search, path);
    if (status == CSM_OK) status = take_best(t->member, tuner);
    *trials += csm_tuner_count(tuner); /* also those of a search that ended early */
    csm_tuner_free(tuner);
    csm_dealloc(path);
    csm_dealloc(folder);
    return status;
}

csm_status csm_tune_members(training_settings *settings, size_t *trials, csm_pipeline *pipeline,
                            const csm_recipe *recipe, const horizon_samples *samples, size_t h) {
    *trials = 0;
    if (settings->tune.trials == 0) return CSM_OK;
    tuning_data data = {0};
    const horizon_settings *horizon = &settings->horizon[h];
    csm_status status = data_make(&data, samples, horizon, &settings->tune);
    for (size_t m = 0; status == CSM_OK && m < settings->members; m++) {
        const member_tuning tuning = {pipeline,
                                      settings,
                                      &settings->member[m],
                                      &data,
                                      csm_recipe_name(recipe),
                                      horizon->horizon,
                                      TUNE_STREAM + 100000 * h + 1000 * m};
        status = tune_member(trials, &tuning);
        if (status != CSM_OK) csm_fail_prefix(status, "tuning %s", settings->member[m].name);
    }
    data_free(&data);
    if (status != CSM_ENODATA) return status;
    csm_log_write(pipeline->context, CSM_LOG_WARN, "pipeline",
                  "parameters stay as configured where they could not be tuned: %s", csm_error_message());
    return CSM_OK;
}

void csm_tune_forget(const csm_pipeline *pipeline) {
    const training_settings *s = &pipeline->settings;
    for (size_t h = 0; h < s->horizons; h++) {
        for (size_t m = 0; m < s->members; m++) {
            char *path = state_path(pipeline, s->horizon[h].horizon, s->member[m].name);
            if (!path || csm_file_remove(path) != CSM_OK)
                csm_log_write(pipeline->context, CSM_LOG_WARN, "pipeline",
                              "the state of a finished search stays: %s", csm_error_message());
            csm_dealloc(path);
        }
    }
}
