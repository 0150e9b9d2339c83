/* SPDX-License-Identifier: MIT */
/* csm_predictor: a plan, what is asked of it, and scratch memory that calls take and give back. */
#include "model/gbt/predictor.h"

#include "core/platform.h"

#include <stdatomic.h>

#define GRAIN ((size_t)8 * GBT_BLOCK)

struct csm_predictor {
    gbt_plan *plan;
    gbt_run run;
    _Atomic(gbt_scratch *)
        ready;           /* one of the spare ones, or NULL: what a lone caller needs, without the lock */
    csm_mutex *lock;     /* guards the three below */
    gbt_scratch **spare; /* room for all that were ever made */
    size_t spare_count;
    size_t made;
};

void csm_predictor_options_init(csm_predictor_options *options) {
    *options = (csm_predictor_options){.size = sizeof *options, .result = CSM_RESULT_RAW, .concurrency = 1};
}

/* Scratch memory of a call on one thread; a new one only when more threads call at once than ever before. */
static csm_status take_scratch(gbt_scratch **out, csm_predictor *predictor) {
    csm_status status = CSM_OK;
    *out = atomic_exchange(&predictor->ready, NULL);
    if (*out) return CSM_OK;
    csm_mutex_lock(predictor->lock);
    if (predictor->spare_count) {
        *out = predictor->spare[--predictor->spare_count];
    } else {
        gbt_scratch **grown = csm_realloc_array(predictor->spare, predictor->made + 1, sizeof(gbt_scratch *));
        if (grown) predictor->spare = grown;
        status = grown ? gbt_scratch_new(out, predictor->plan) : CSM_ENOMEM;
        if (!status) predictor->made++;
    }
    csm_mutex_unlock(predictor->lock);
    return status;
}

static void give_scratch(csm_predictor *predictor, gbt_scratch *scratch) {
    gbt_scratch *none = NULL;
    if (atomic_compare_exchange_strong(&predictor->ready, &none, scratch)) return;
    csm_mutex_lock(predictor->lock);
    predictor->spare[predictor->spare_count++] = scratch;
    csm_mutex_unlock(predictor->lock);
}

static csm_status make_spare(csm_predictor *predictor, uint32_t count) {
    predictor->spare = csm_alloc_array(count, sizeof(gbt_scratch *));
    if (!predictor->spare) return CSM_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        csm_status status = gbt_scratch_new(&predictor->spare[i], predictor->plan);
        if (status) return status;
        predictor->spare_count = ++predictor->made;
    }
    return CSM_OK;
}

static csm_status check_options(const csm_predictor_options *options, const csm_model *model) {
    if (model->learner != &csm_learner_gbt)
        return csm_fail(CSM_EUNSUPPORTED, "predictor: %s is not made of trees", model->info.learner);
    if (options->result > CSM_RESULT_LEAF)
        return csm_fail(CSM_EINVAL, "predictor: result %u is none of csm_result", options->result);
    if (options->rounds > model->info.rounds)
        return csm_fail(CSM_EINVAL, "predictor: %zu rounds of a model that has %zu", options->rounds,
                        model->info.rounds);
    if (options->stage && options->result == CSM_RESULT_LEAF)
        return csm_fail(CSM_EINVAL, "predictor: leaf numbers have no stages");
    if (options->concurrency > 1024)
        return csm_fail(CSM_EINVAL, "predictor: concurrency %u is outside 0..1024", options->concurrency);
    return CSM_OK;
}

csm_status csm_predictor_new(csm_predictor **out, const csm_model *model, const csm_predictor_options *user) {
    csm_predictor_options options;
    if (!out || !model) return csm_fail(CSM_EINVAL, "predictor: out or model is NULL");
    *out = NULL;
    csm_predictor_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_predictor_options");
    if (status) return status;
    if ((status = check_options(&options, model))) return status;
    const gbt_ensemble *ensemble = model->state;
    csm_predictor *predictor = csm_alloc_array(1, sizeof *predictor);
    if (!predictor) return CSM_ENOMEM;
    size_t rounds = options.rounds ? options.rounds : model->info.rounds;
    size_t stage = options.stage > rounds ? rounds : options.stage;
    if ((status = gbt_plan_new(&predictor->plan, ensemble, rounds * ensemble->outputs))) goto fail;
    if ((status = csm_mutex_new(&predictor->lock))) goto fail;
    atomic_init(&predictor->ready, NULL);
    predictor->run =
        (gbt_run){predictor->plan, (gbt_result)options.result, stage * ensemble->outputs, csm_backend_isa()};
    if ((status = make_spare(predictor, options.concurrency))) goto fail;
    *out = predictor;
    return CSM_OK;
fail:
    csm_predictor_free(predictor);
    return status;
}

void csm_predictor_free(csm_predictor *predictor) {
    if (!predictor) return;
    gbt_scratch_free(atomic_load(&predictor->ready));
    for (size_t i = 0; i < predictor->spare_count; i++) gbt_scratch_free(predictor->spare[i]);
    csm_dealloc(predictor->spare);
    csm_mutex_free(predictor->lock);
    gbt_plan_free(predictor->plan);
    csm_dealloc(predictor);
}

size_t csm_predictor_columns(const csm_predictor *predictor) {
    return predictor ? gbt_run_columns(&predictor->run) : 0;
}

csm_status csm_predictor_row(const csm_predictor *predictor, const float *row, size_t features, double *out,
                             size_t columns) {
    gbt_scratch *scratch;
    if (!predictor || !row || !out) return csm_fail(CSM_EINVAL, "predict: predictor, row or out is NULL");
    if (features != predictor->plan->features || columns != gbt_run_columns(&predictor->run))
        return csm_fail(CSM_EINVAL, "predict: %zu features into %zu columns, expected %zu into %zu", features,
                        columns, predictor->plan->features, gbt_run_columns(&predictor->run));
    csm_predictor *owner = (csm_predictor *)(uintptr_t)predictor; /* its spare memory is behind its lock */
    csm_status status = take_scratch(&scratch, owner);
    if (status) return status;
    status = gbt_run_row(&predictor->run, scratch, row, out);
    give_scratch(owner, scratch);
    return status;
}

typedef struct predict_job {
    csm_predictor *predictor;
    const csm_matrix *x;
    csm_matrix *out;
} predict_job;

static csm_status predict_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    const predict_job *job = user;
    gbt_scratch *scratch;
    (void)worker;
    csm_status status = take_scratch(&scratch, job->predictor);
    if (status) return status;
    status = gbt_run_rows(&job->predictor->run, scratch, job->x, job->out, begin, end);
    give_scratch(job->predictor, scratch);
    return status;
}

static bool is_real(const csm_matrix *matrix) {
    return matrix->dtype == CSM_F32 || matrix->dtype == CSM_F64;
}

csm_status csm_predictor_run(const csm_predictor *predictor, csm_context *context, const csm_matrix *x,
                             csm_matrix *out) {
    if (!predictor || !x || !out) return csm_fail(CSM_EINVAL, "predict: predictor, x or out is NULL");
    size_t columns = gbt_run_columns(&predictor->run);
    if (x->cols != predictor->plan->features || (x->rows && !x->data) || !is_real(x))
        return csm_fail(CSM_EINVAL, "predict: x has %zu columns, expected %zu of f32 or f64", x->cols,
                        predictor->plan->features);
    if (out->rows != x->rows || out->cols != columns || (x->rows && columns && !out->data) || !is_real(out))
        return csm_fail(CSM_EINVAL, "predict: out is %zu x %zu, expected %zu x %zu of f32 or f64", out->rows,
                        out->cols, x->rows, columns);
    predict_job job = {(csm_predictor *)(uintptr_t)predictor, x, out};
    uint32_t threads = context ? csm_context_threads(context) : 1;
    return csm_parallel_for(threads, x->rows, GRAIN, predict_rows, &job);
}
