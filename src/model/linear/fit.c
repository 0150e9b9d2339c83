/* SPDX-License-Identifier: MIT */
/*
 * Minimises mean loss + l2/2 |beta|^2 over standardised features. The Hessian of each loss is at most kappa times the
 * Gram matrix (squared and Huber 1, logistic 1/4: Boehning & Lindsay 1988), so a Newton step with that bound never
 * raises the loss, and one factorisation serves all steps. Logistic starts with the curvature at the base rate, which is
 * the true one where nothing can be predicted, and doubles it when a step fails.
 */
#include "model/linear/internal.h"

#include "core/real.h"

#include <math.h>
#include <string.h>

typedef struct fit {
    const csm_train_job *job;
    linear_model *model;
    csm_tile_kernels kernels;
    linear_blocks blocks;
    size_t features;
    double weight; /* sum */
    double l2;
    double curvature;
    double *y;          /* rows */
    double *block_sum;  /* (blocks, features + 2): gradient, of the intercept, loss */
    double *block_gram; /* (blocks, features * features) */
    double *gram;       /* (features, features), divided by the weight */
    double *factor;     /* of curvature * gram + l2 */
    double *gradient;   /* features + 1; the last one the intercept's */
    double *before;     /* features + 1: where the step began */
    double loss;        /* mean, without the penalty */
    double objective;   /* with it */
} fit;

/* ---- losses: value and slope in the score ---- */

static double loss_of(double *slope, double y, double score, const csm_train_job *job) {
    const double residual = score - y, delta = job->values[LINEAR_HUBER_DELTA];
    if (job->objective == CSM_OBJECTIVE_LOGISTIC) {
        *slope = csm_logistic(score) - y;
        return -(y > 0 ? y * csm_log_logistic(score) : 0) - (y < 1 ? (1 - y) * csm_log_logistic(-score) : 0);
    }
    if (job->objective == CSM_OBJECTIVE_HUBER && fabs(residual) > delta) {
        *slope = residual > 0 ? delta : -delta;
        return delta * (fabs(residual) - 0.5 * delta);
    }
    *slope = residual;
    return 0.5 * residual * residual;
}

/* ---- sums over rows ---- */

static size_t rows_of_tile(const linear_blocks *blocks, size_t block, size_t first) {
    size_t end = (block + 1) * blocks->length;
    if (end > blocks->rows) end = blocks->rows;
    return end - first < CSM_TILE_ROWS ? end - first : CSM_TILE_ROWS;
}

static csm_status evaluate_tile(fit *f, double *sum, double *tile, size_t first, size_t rows) {
    const csm_samples *samples = f->job->samples;
    double score[CSM_TILE_ROWS], residual[CSM_TILE_ROWS] = {0};
    const csm_status status = linear_tile(tile, f->model, &samples->x, first, rows);
    if (status) return status;
    for (size_t r = 0; r < CSM_TILE_ROWS; r++) score[r] = f->model->intercept;
    f->kernels.scores(score, tile, f->model->coefficient, f->features);
    for (size_t r = 0; r < rows; r++) {
        const double weight = samples->weight ? samples->weight[first + r] : 1;
        sum[f->features + 1] += weight * loss_of(&residual[r], f->y[first + r], score[r], f->job);
        residual[r] *= weight;
        sum[f->features] += residual[r];
    }
    f->kernels.gradient(sum, tile, residual, f->features);
    return CSM_OK;
}

static csm_status gram_tile(fit *f, double *sum, double *tile, size_t first, size_t rows) {
    const csm_samples *samples = f->job->samples;
    double weight[CSM_TILE_ROWS] = {0};
    const csm_status status = linear_tile(tile, f->model, &samples->x, first, rows);
    if (status) return status;
    for (size_t r = 0; r < rows; r++) weight[r] = samples->weight ? samples->weight[first + r] : 1;
    f->kernels.gram(sum, tile, weight, f->features);
    return CSM_OK;
}

typedef csm_status (*tile_fn)(fit *f, double *sum, double *tile, size_t first, size_t rows);

typedef struct pass {
    fit *fit;
    tile_fn tile;
    double *sum; /* (blocks, width) */
    size_t width;
} pass;

static csm_status pass_blocks(void *user, size_t begin, size_t end, uint32_t worker) {
    const pass *p = user;
    csm_status status = CSM_OK;
    (void)worker;
    double *tile = csm_alloc_array(p->fit->features * CSM_TILE_ROWS, sizeof *tile);
    if (!tile) return CSM_ENOMEM;
    for (size_t b = begin; b < end && status == CSM_OK; b++) {
        const linear_blocks *blocks = &p->fit->blocks;
        const size_t first = b * blocks->length;
        for (size_t r = first; r < first + blocks->length && r < blocks->rows && status == CSM_OK;
             r += CSM_TILE_ROWS)
            status = p->tile(p->fit, p->sum + b * p->width, tile, r, rows_of_tile(blocks, b, r));
    }
    csm_dealloc(tile);
    return status;
}

/* total[width]: the blocks' sums in order, divided by the weight. */
static csm_status run_pass(double *total, fit *f, tile_fn tile, double *sum, size_t width) {
    pass p = {f, tile, sum, width};
    memset(sum, 0, f->blocks.count * width * sizeof *sum);
    memset(total, 0, width * sizeof *total);
    const csm_status status =
        csm_parallel_for(csm_context_threads(f->job->context), f->blocks.count, 1, pass_blocks, &p);
    for (size_t b = 0; status == CSM_OK && b < f->blocks.count; b++) {
        for (size_t i = 0; i < width; i++) total[i] += sum[b * width + i];
    }
    for (size_t i = 0; i < width; i++) total[i] /= f->weight;
    return status;
}

static csm_status evaluate(fit *f) {
    const csm_status status = run_pass(f->gradient, f, evaluate_tile, f->block_sum, f->features + 2);
    if (status) return status;
    f->loss = f->gradient[f->features + 1];
    f->objective = f->loss;
    for (size_t i = 0; i < f->features; i++) {
        const double beta = f->model->coefficient[i];
        f->gradient[i] += f->l2 * beta;
        f->objective += 0.5 * f->l2 * beta * beta;
    }
    if (isfinite(f->objective)) return CSM_OK;
    return csm_fail(CSM_EINVAL, "linear: the training loss overflows; scale y");
}

/* ---- steps ---- */

static csm_status factorise(fit *f) {
    const size_t n = f->features;
    memcpy(f->factor, f->gram, n * n * sizeof *f->factor);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) f->factor[i * n + j] *= f->curvature;
        f->factor[i * n + i] += f->model->inverse[i] > 0 ? f->l2 : 1; /* a constant feature stays at 0 */
    }
    return linear_factor(f->factor, n);
}

/* One step from `before`; *moved is the largest change. Standardised features have mean 0, so the intercept stands apart. */
static void step(fit *f, double *direction, double *moved) {
    linear_model *model = f->model;
    memcpy(direction, f->gradient, f->features * sizeof *direction);
    linear_solve(direction, f->factor, f->features);
    f->before[f->features] = model->intercept;
    model->intercept -= f->gradient[f->features] / f->curvature;
    *moved = fabs(model->intercept - f->before[f->features]);
    for (size_t i = 0; i < f->features; i++) {
        f->before[i] = model->coefficient[i];
        model->coefficient[i] -= direction[i];
        if (fabs(direction[i]) > *moved) *moved = fabs(direction[i]);
    }
}

static void step_back(fit *f) {
    memcpy(f->model->coefficient, f->before, f->features * sizeof *f->before);
    f->model->intercept = f->before[f->features];
}

static csm_status descend(fit *f, csm_model_info *info) {
    const double most = f->job->objective == CSM_OBJECTIVE_LOGISTIC ? 0.25 : 1;
    const size_t iterations = (size_t)f->job->values[LINEAR_ITERATIONS];
    double *direction = csm_alloc_array(f->features, sizeof *direction);
    double moved = INFINITY;
    csm_status status = direction ? evaluate(f) : CSM_ENOMEM;
    if (status == CSM_OK) status = factorise(f);
    while (status == CSM_OK && info->rounds < iterations && moved > f->job->values[LINEAR_TOLERANCE]) {
        const double before = f->objective;
        if ((status = csm_progress(f->job->context, "train linear", info->rounds, iterations))) break;
        info->rounds++;
        step(f, direction, &moved);
        if ((status = evaluate(f))) break;
        if (f->objective <= before || f->curvature >= most) continue;
        step_back(f);
        moved = INFINITY;
        f->curvature = 2 * f->curvature < most ? 2 * f->curvature : most;
        if (!(status = evaluate(f))) status = factorise(f);
    }
    csm_dealloc(direction);
    return status;
}

/* ---- the whole fit ---- */

/* The best constant where that is simple: weighted mean, or its log-odds kept inside what the data can tell. */
static double start(double *curvature, const fit *f) {
    const double *weight = f->job->samples->weight;
    double mean = 0;
    for (size_t r = 0; r < f->blocks.rows; r++) mean += (weight ? weight[r] : 1) * f->y[r];
    mean /= f->weight;
    *curvature = 1;
    if (f->job->objective != CSM_OBJECTIVE_LOGISTIC) return mean;
    const double least = 0.5 / ((double)f->blocks.rows + 1);
    const double p = mean < least ? least : mean > 1 - least ? 1 - least : mean;
    *curvature = p * (1 - p);
    return csm_log(p) - csm_log(1 - p);
}

static csm_status open_fit(fit *f, const csm_train_job *job) {
    const csm_samples *samples = job->samples;
    const size_t p = samples->x.cols;
    f->job = job;
    f->features = p;
    f->l2 = job->values[LINEAR_L2];
    f->kernels = csm_tile_kernels_for(csm_backend_isa());
    f->blocks = linear_blocks_of(samples->length);
    if (p > SIZE_MAX / sizeof(double) / LINEAR_BLOCKS_MAX / p)
        return csm_fail(CSM_EINVAL, "linear: %zu features are too many", p);
    f->y = csm_alloc_array(samples->length, sizeof *f->y);
    f->block_sum = csm_alloc_array(f->blocks.count, (p + 2) * sizeof *f->block_sum);
    f->block_gram = csm_alloc_array(f->blocks.count, p * p * sizeof *f->block_gram);
    f->gram = csm_alloc_array(p * p, sizeof *f->gram);
    f->factor = csm_alloc_array(p * p, sizeof *f->factor);
    f->gradient = csm_alloc_array(p + 2, sizeof *f->gradient);
    f->before = csm_alloc_array(p + 1, sizeof *f->before);
    if (!f->y || !f->block_sum || !f->block_gram || !f->gram || !f->factor || !f->gradient || !f->before)
        return CSM_ENOMEM;
    for (size_t r = 0; r < samples->length; r++) {
        f->y[r] = csm_matrix_get(&samples->y, r, 0);
        f->weight += samples->weight ? samples->weight[r] : 1;
    }
    return linear_model_new(&f->model, p);
}

static void close_fit(fit *f) {
    csm_dealloc(f->y);
    csm_dealloc(f->block_sum);
    csm_dealloc(f->block_gram);
    csm_dealloc(f->gram);
    csm_dealloc(f->factor);
    csm_dealloc(f->gradient);
    csm_dealloc(f->before);
    linear_model_free(f->model);
}

/* Mean loss on other rows. */
static csm_status loss_on(double *out, fit *f, const csm_samples *samples) {
    fit other = {.job = f->job, .model = f->model, .kernels = f->kernels, .features = f->features};
    csm_train_job job = *f->job;
    job.samples = samples;
    other.job = &job;
    other.blocks = linear_blocks_of(samples->length);
    other.y = csm_alloc_array(samples->length, sizeof *other.y);
    other.block_sum = csm_alloc_array(other.blocks.count, (f->features + 2) * sizeof *other.block_sum);
    other.gradient = csm_alloc_array(f->features + 2, sizeof *other.gradient);
    csm_status status = other.y && other.block_sum && other.gradient ? CSM_OK : CSM_ENOMEM;
    for (size_t r = 0; status == CSM_OK && r < samples->length; r++) {
        other.y[r] = csm_matrix_get(&samples->y, r, 0);
        other.weight += samples->weight ? samples->weight[r] : 1;
    }
    if (status == CSM_OK) status = evaluate(&other);
    *out = other.loss;
    other.model = NULL;
    close_fit(&other);
    return status == CSM_EINVAL ? csm_fail_prefix(status, "validation") : status;
}

csm_status linear_train(void **state, csm_model_info *info, const csm_train_job *job) {
    fit f = {0};
    *state = NULL;
    if (job->samples->y.cols != 1)
        return csm_fail(CSM_EINVAL, "linear: y has %zu columns, it takes 1", job->samples->y.cols);
    if (job->early_stopping_rounds)
        return csm_fail(CSM_EINVAL, "linear: it is fitted to the end; early stopping does not apply");
    csm_status status = open_fit(&f, job);
    if (status == CSM_OK) status = linear_scale(f.model, job->context, job->samples);
    if (status == CSM_OK) status = run_pass(f.gram, &f, gram_tile, f.block_gram, f.features * f.features);
    if (status == CSM_OK) f.model->intercept = start(&f.curvature, &f);
    info->rounds = 0;
    if (status == CSM_OK) status = descend(&f, info);
    info->training_loss = f.loss;
    if (status == CSM_OK && job->validation) status = loss_on(&info->validation_loss, &f, job->validation);
    if (status == CSM_OK) {
        *state = f.model;
        f.model = NULL;
    }
    close_fit(&f);
    return status;
}
