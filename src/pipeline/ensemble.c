/* SPDX-License-Identifier: MIT */
/* The members of a horizon's ensemble, trained on the same weighted rows, and what each says. */
#include "pipeline/training.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the rows that train ---- */

typedef struct training_rows {
    size_t length;
    int64_t *row;    /* of the frame */
    double *targets; /* (length, 2): rises, log return */
    double *weight;
    csm_time *begin;
    csm_time *end;
    uint32_t *market;
    float *x; /* (length, features); NULL until a member reads rows */
} training_rows;

static void rows_free(training_rows *rows) {
    csm_dealloc(rows->row);
    csm_dealloc(rows->targets);
    csm_dealloc(rows->weight);
    csm_dealloc(rows->begin);
    csm_dealloc(rows->end);
    csm_dealloc(rows->market);
    csm_dealloc(rows->x);
}

static csm_status rows_gather(training_rows *rows, const horizon_samples *s, const uint8_t *keep) {
    size_t n = 0;
    for (size_t i = 0; i < s->length; i++) n += keep[i] != 0;
    rows->row = csm_alloc_array(n + 1, sizeof *rows->row);
    rows->targets = csm_alloc_array(n + 1, 2 * sizeof *rows->targets);
    rows->weight = csm_alloc_array(n + 1, sizeof *rows->weight);
    rows->begin = csm_alloc_array(n + 1, sizeof *rows->begin);
    rows->end = csm_alloc_array(n + 1, sizeof *rows->end);
    rows->market = csm_alloc_array(n + 1, sizeof *rows->market);
    if (!rows->row || !rows->targets || !rows->weight || !rows->begin || !rows->end || !rows->market)
        return CSM_ENOMEM;
    for (size_t i = 0; i < s->length; i++) {
        if (!keep[i]) continue;
        const size_t k = rows->length++;
        rows->row[k] = s->row[i];
        rows->targets[2 * k] = s->rises[i];
        rows->targets[2 * k + 1] = s->log_return[i];
        rows->begin[k] = s->begin[i];
        rows->end[k] = s->end[i];
        rows->market[k] = s->market[i];
    }
    return csm_model_uniqueness(rows->weight, rows->begin, rows->end, rows->market, rows->length);
}

/* Rows of the frame, one after the other. */
static csm_status copy_rows(float **out, const csm_matrix *frame, const int64_t *row, size_t n) {
    const float *x = frame->data;
    *out = csm_alloc_array(n * frame->cols + 1, sizeof **out);
    if (!*out) return CSM_ENOMEM;
    for (size_t i = 0; i < n; i++)
        memcpy(*out + i * frame->cols, x + (ptrdiff_t)row[i] * frame->row_stride, frame->cols * sizeof **out);
    return CSM_OK;
}

/* ---- training ---- */

typedef struct member_job {
    csm_context *context;
    const horizon_samples *samples;
    training_rows *rows;
    const char *const *names; /* of features */
    const training_settings *settings;
    const member_settings *member;
} member_job;

/* Rows, or the windows that end in them, with columns [first, first + columns) of the targets. */
static csm_status samples_of(csm_samples *out, const member_job *job, size_t first, size_t columns) {
    training_rows *rows = job->rows;
    *out = (csm_samples){.weight = rows->weight, .length = rows->length};
    out->y = csm_matrix_f64(rows->targets, rows->length, 2);
    out->y.data = rows->targets + first;
    out->y.cols = columns;
    if (job->member->learner->sequences) {
        out->x = job->samples->frame;
        out->window_end = rows->row;
        out->window_length = job->settings->window;
        return CSM_OK;
    }
    csm_status status = CSM_OK;
    if (!rows->x) status = copy_rows(&rows->x, &job->samples->frame, rows->row, rows->length);
    if (status == CSM_OK) out->x = csm_matrix_f32(rows->x, rows->length, job->samples->frame.cols);
    return status;
}

static csm_train_options options_of(const member_job *job, uint64_t stream) {
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.parameters = job->member->parameter;
    options.parameter_count = job->member->parameter_count;
    options.feature_names = job->names;
    options.stream = stream;
    options.device = job->member->device;
    options.device_index = job->member->device_index;
    options.precision = job->member->precision;
    return options;
}

static csm_status train_model(csm_model **out, const member_job *job, size_t column, uint32_t objective,
                              uint64_t stream) {
    csm_samples samples;
    csm_train_options options = options_of(job, stream);
    options.objective = objective;
    csm_status status = samples_of(&samples, job, column, 1);
    if (status == CSM_OK)
        status = csm_model_train(out, job->context, job->member->learner->name, &samples, &options);
    return status;
}

/* Weighted standard deviation of the training returns. */
static double deviation_of(const double *targets, const double *weights, size_t n) {
    double weight = 0, mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        weight += weights[i];
        mean += weights[i] * targets[2 * i + 1];
    }
    mean /= weight;
    for (size_t i = 0; i < n; i++) {
        const double apart = targets[2 * i + 1] - mean;
        squares += weights[i] * apart * apart;
    }
    return sqrt(squares / weight);
}

#define HUBER_DEVIATIONS 3 /* beyond so many a return pulls no harder: far enough out to leave a mean */

void csm_ensemble_heads(csm_head *heads, const double *targets, const double *weight, size_t n) {
    const double delta = HUBER_DEVIATIONS * deviation_of(targets, weight, n);
    heads[0] = (csm_head){.objective = CSM_OBJECTIVE_LOGISTIC, .column = 0, .weight = 1};
    heads[1] = (csm_head){.objective = delta > 0 ? CSM_OBJECTIVE_HUBER : CSM_OBJECTIVE_SQUARED,
                          .column = 1,
                          .parameter = delta,
                          .weight = 1};
}

/* One trunk with two heads: direction, return. */
static csm_status train_two_heads(csm_model **out, const member_job *job, uint64_t stream) {
    csm_samples samples;
    csm_head heads[2];
    csm_train_options options = options_of(job, stream);
    csm_ensemble_heads(heads, job->rows->targets, job->rows->weight, job->rows->length);
    options.heads = heads;
    options.head_count = 2;
    csm_status status = samples_of(&samples, job, 0, 2);
    if (status == CSM_OK)
        status = csm_model_train(out, job->context, job->member->learner->name, &samples, &options);
    return status;
}

static csm_status train_member(member_models *out, const member_job *job, uint64_t stream) {
    if (job->rows->length == 0) return csm_fail(CSM_ENODATA, "no rows to train on");
    if (job->member->learner->sequences) return train_two_heads(&out->direction, job, 2 * stream);
    csm_status status = train_model(&out->direction, job, 0, CSM_OBJECTIVE_LOGISTIC, 2 * stream);
    if (status == CSM_OK) status = train_model(&out->expected, job, 1, CSM_OBJECTIVE_SQUARED, 2 * stream + 1);
    return status;
}

static csm_status feature_names(const char ***out, const csm_recipe *recipe) {
    size_t n = csm_recipe_features(recipe);
    const char **names = csm_alloc_array(n + 1, sizeof *names);
    if (!names) return CSM_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        csm_feature_info info;
        csm_status status = csm_recipe_feature(&info, recipe, i);
        if (status != CSM_OK) {
            csm_dealloc((void *)names);
            return status;
        }
        names[i] = info.name;
    }
    *out = names;
    return CSM_OK;
}

csm_status csm_ensemble_train(ensemble *out, csm_context *context, const horizon_samples *samples,
                              const uint8_t *keep, const csm_recipe *recipe,
                              const training_settings *settings, uint64_t stream) {
    *out = (ensemble){.members = settings->members};
    training_rows rows = {0};
    const char **names = NULL;
    csm_status status = feature_names(&names, recipe);
    if (status == CSM_OK) status = rows_gather(&rows, samples, keep);
    for (size_t m = 0; status == CSM_OK && m < settings->members; m++) {
        const member_job job = {context, samples, &rows, names, settings, &settings->member[m]};
        snprintf(out->name[m], sizeof out->name[m], "%s", settings->member[m].name);
        status = train_member(&out->member[m], &job, stream);
        if (status != CSM_OK) csm_fail_prefix(status, "%s", settings->member[m].name);
    }
    out->window = settings->window;
    if (status != CSM_OK) csm_ensemble_free(out);
    rows_free(&rows);
    csm_dealloc((void *)names);
    return status;
}

void csm_ensemble_free(ensemble *e) {
    for (size_t m = 0; m < CSM_MEMBERS_MAX; m++) {
        csm_model_free(e->member[m].direction);
        csm_model_free(e->member[m].expected);
    }
    *e = (ensemble){0};
}

/* ---- prediction ---- */

typedef struct saying {
    const ensemble *ensemble;
    csm_context *context;
    csm_samples rows;    /* what members that read rows see */
    csm_samples windows; /* what those that read sequences see */
    double *both;        /* (rows, 2): direction and return of one member */
} saying;

/* What member m says: two models, or one with two outputs. */
static csm_status say(saying *s, size_t m) {
    const member_models *member = &s->ensemble->member[m];
    const size_t n = s->rows.length;
    csm_model_info info;
    csm_matrix out = csm_matrix_f64(s->both, n, 2);
    csm_status status = csm_model_describe(&info, member->direction);
    if (status != CSM_OK) return status;
    const csm_samples *samples = csm_model_learner_find(info.learner)->sequences ? &s->windows : &s->rows;
    if (!member->expected) return csm_model_predict(member->direction, s->context, samples, &out);
    out.cols = 1;
    status = csm_model_predict(member->direction, s->context, samples, &out);
    out.data = s->both + 1;
    return status == CSM_OK ? csm_model_predict(member->expected, s->context, samples, &out) : status;
}

csm_status csm_ensemble_predict(const ensemble *e, csm_context *context, const csm_matrix *frame,
                                const int64_t *row, size_t n, double *score, double *expected) {
    float *x = NULL;
    if (n == 0) return CSM_OK;
    saying s = {.ensemble = e, .context = context, .both = csm_alloc_array(n, 2 * sizeof(double))};
    csm_status status = s.both ? copy_rows(&x, frame, row, n) : CSM_ENOMEM;
    s.rows = (csm_samples){.x = csm_matrix_f32(x, n, frame->cols), .length = n};
    s.windows = (csm_samples){.x = *frame, .window_end = row, .window_length = e->window, .length = n};
    for (size_t m = 0; status == CSM_OK && m < e->members; m++) {
        status = say(&s, m);
        if (status != CSM_OK) csm_fail_prefix(status, "%s", e->name[m]);
        for (size_t i = 0; status == CSM_OK && i < n; i++) {
            score[i * e->members + m] = s.both[2 * i];
            expected[i * e->members + m] = s.both[2 * i + 1];
        }
    }
    csm_dealloc(x);
    csm_dealloc(s.both);
    return status;
}

/* ---- mixing ---- */

double csm_ensemble_mix(const double *values, const double *weight, size_t members) {
    double sum = 0;
    for (size_t m = 0; m < members; m++) sum += weight[m] * values[m];
    return sum;
}

ensemble_weights csm_ensemble_equal(size_t members) {
    ensemble_weights weights = {.members = members};
    for (size_t m = 0; m < members; m++) weights.score[m] = weights.expected[m] = 1 / (double)members;
    return weights;
}

/* The penalty toward equal weights is the target's variance over the number of disjoint blocks: what one block more would
 * weigh. So a few blocks cannot crown a member. */
csm_status csm_ensemble_stack(ensemble_weights *out, const csm_walk_row *rows, size_t n, size_t members,
                              double blocks) {
    *out = csm_ensemble_equal(members);
    if (members == 1 || n == 0 || !(blocks >= 1)) return CSM_OK;
    double *score = csm_alloc_array(n, members * sizeof *score),
           *expected = csm_alloc_array(n, members * sizeof *expected);
    double *rises = csm_alloc_array(n, sizeof *rises), *realised = csm_alloc_array(n, sizeof *realised);
    csm_status status = score && expected && rises && realised ? CSM_OK : CSM_ENOMEM;
    double rate = 0, mean = 0, squares = 0;
    for (size_t i = 0; status == CSM_OK && i < n; i++) {
        memcpy(score + i * members, rows[i].member_score, members * sizeof *score);
        memcpy(expected + i * members, rows[i].member_return, members * sizeof *expected);
        rises[i] = rows[i].rises;
        realised[i] = rows[i].log_return;
        rate += rises[i] / (double)n;
        mean += realised[i] / (double)n;
        squares += realised[i] * realised[i] / (double)n;
    }
    if (status == CSM_OK) {
        const csm_matrix scores = csm_matrix_f64(score, n, members),
                         returns = csm_matrix_f64(expected, n, members);
        status = csm_model_stack(out->score, &scores, rises, NULL, n, CSM_OBJECTIVE_LOGISTIC,
                                 rate * (1 - rate) / blocks);
        if (status == CSM_OK)
            status = csm_model_stack(out->expected, &returns, realised, NULL, n, CSM_OBJECTIVE_SQUARED,
                                     (squares - mean * mean > 0 ? squares - mean * mean : 0) / blocks);
    }
    csm_dealloc(score);
    csm_dealloc(expected);
    csm_dealloc(rises);
    csm_dealloc(realised);
    return status;
}
