/* SPDX-License-Identifier: MIT */
#include "model/plain/plain.h"

#include <math.h>
#include <string.h>

#define ROW_CHUNK 8192

/* A data set with its running scores. */
typedef struct boosted_set {
    const csm_matrix *x;
    plain_target target;
    double *y;
    double *score;
} boosted_set;

/* Everything of one training run. */
typedef struct training {
    const csm_train_job *job;
    plain_bins bins;
    boosted_set learn;
    boosted_set check; /* validation; rows 0 without */
    plain_pair *pair;
    uint32_t *row;
    uint32_t *feature;
    gbt_node *nodes; /* of the tree being grown */
    size_t node_count;
    plain_grower *grower;
    gbt_ensemble *ensemble;
    size_t best_trees; /* by validation loss */
    double best_loss;
    double training_loss_at_best;
} training;

static csm_status open_set(boosted_set *set, const csm_samples *samples, const csm_train_job *job) {
    set->x = &samples->x;
    set->y = csm_alloc_array(samples->length, sizeof *set->y);
    set->score = csm_alloc_array(samples->length, sizeof *set->score);
    if (!set->y || !set->score) return CSM_ENOMEM;
    set->target = (plain_target){.objective = job->objective,
                                 .huber_delta = job->values[GBT_HUBER_DELTA],
                                 .quantile = job->values[GBT_QUANTILE],
                                 .rows = samples->length,
                                 .y = set->y,
                                 .weight = samples->weight};
    for (size_t r = 0; r < samples->length; r++) {
        set->y[r] = csm_matrix_get(&samples->y, r, 0);
        set->target.weight_sum += samples->weight ? samples->weight[r] : 1;
    }
    return CSM_OK;
}

static csm_status check_finite(const csm_matrix *x) {
    for (size_t r = 0; r < x->rows; r++) {
        for (size_t f = 0; f < x->cols; f++) {
            if (!isfinite((float)csm_matrix_get(x, r, f)))
                return csm_fail(CSM_EINVAL, "validation: x is not a finite float at row %zu, column %zu", r,
                                f);
        }
    }
    return CSM_OK;
}

static csm_status open_training(training *t, const csm_train_job *job) {
    const csm_samples *samples = job->samples;
    plain_grow_options grow = {.leaves = (uint32_t)job->values[GBT_LEAVES],
                               .depth = (uint32_t)job->values[GBT_DEPTH],
                               .min_rows = (uint64_t)job->values[GBT_MIN_ROWS],
                               .min_hessian = job->values[GBT_MIN_HESSIAN],
                               .l2 = job->values[GBT_L2],
                               .min_gain = job->values[GBT_MIN_GAIN],
                               .learning_rate = job->values[GBT_LEARNING_RATE]};
    double base;
    t->job = job;
    csm_status status =
        plain_bins_build(&t->bins, job->context, &samples->x, (uint32_t)job->values[GBT_BINS]);
    if (status) return status;
    if ((status = open_set(&t->learn, samples, job))) return status;
    if (job->validation) {
        if ((status = check_finite(&job->validation->x))) return status;
        if ((status = open_set(&t->check, job->validation, job))) return status;
    }
    if ((status = plain_base_score(&base, &t->learn.target))) return status;
    for (size_t r = 0; r < t->learn.target.rows; r++) t->learn.score[r] = base;
    for (size_t r = 0; r < t->check.target.rows; r++) t->check.score[r] = base;
    t->pair = csm_alloc_array(samples->length, sizeof *t->pair);
    t->row = csm_alloc_array(samples->length, sizeof *t->row);
    t->feature = csm_alloc_array(samples->x.cols, sizeof *t->feature);
    t->nodes = csm_alloc_array(2 * (size_t)grow.leaves - 1, sizeof *t->nodes);
    if (!t->pair || !t->row || !t->feature || !t->nodes) return CSM_ENOMEM;
    if ((status = plain_grower_new(&t->grower, &t->bins, &grow))) return status;
    if ((status = gbt_ensemble_new(&t->ensemble, samples->x.cols, 1, &base))) return status;
    if (job->objective == CSM_OBJECTIVE_LOGISTIC) t->ensemble->link[0].kind = GBT_LINK_LOGISTIC;
    return CSM_OK;
}

static void close_training(training *t) {
    plain_bins_free(&t->bins);
    csm_dealloc(t->learn.y);
    csm_dealloc(t->learn.score);
    csm_dealloc(t->check.y);
    csm_dealloc(t->check.score);
    csm_dealloc(t->pair);
    csm_dealloc(t->row);
    csm_dealloc(t->feature);
    csm_dealloc(t->nodes);
    plain_grower_free(t->grower);
    gbt_ensemble_free(t->ensemble);
}

/* ---- sampling: depends on (seed, stream, round, row or feature) alone ---- */

/* Each row with the chance row_share, in order; never none. */
static size_t draw_rows(training *t, uint64_t round) {
    double share = t->job->values[GBT_ROW_SHARE];
    size_t rows = t->bins.rows, kept = 0;
    uint64_t seed = csm_context_seed(t->job->context), stream = csm_random_u64(seed, t->job->stream, 0);
    for (size_t r = 0; r < rows; r++) {
        if (share >= 1 || csm_random_uniform(seed, stream, round * rows + r) < share)
            t->row[kept++] = (uint32_t)r;
    }
    if (kept == 0 && rows > 0) t->row[kept++] = (uint32_t)(round % rows);
    return kept;
}

static void shift_into_order(uint32_t *feature, size_t at) {
    uint32_t value = feature[at];
    for (; at > 0 && feature[at - 1] > value; at--) feature[at] = feature[at - 1];
    feature[at] = value;
}

/* ceil(column_share * features) of them without repetition (Fisher-Yates), ascending. */
static size_t draw_features(training *t, uint64_t round) {
    size_t features = t->bins.features;
    size_t wanted = (size_t)ceil(t->job->values[GBT_COLUMN_SHARE] * (double)features);
    if (wanted > features) wanted = features;
    uint64_t seed = csm_context_seed(t->job->context), stream = csm_random_u64(seed, t->job->stream, 1);
    for (size_t f = 0; f < features; f++) t->feature[f] = (uint32_t)f;
    if (wanted == features) return features;
    for (size_t i = 0; i < wanted; i++) {
        double u = csm_random_uniform(seed, stream, round * features + i);
        size_t j = i + (size_t)(u * (double)(features - i));
        uint32_t swap = t->feature[i];
        t->feature[i] = t->feature[j];
        t->feature[j] = swap;
    }
    for (size_t i = 1; i < wanted; i++) shift_into_order(t->feature, i);
    return wanted;
}

/* ---- scores after a tree ---- */

static csm_status score_learn_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    training *t = user;
    (void)worker;
    for (size_t r = begin; r < end; r++) {
        const uint8_t *code = t->bins.code + r * t->bins.features;
        const gbt_node *node = t->nodes;
        while (node->feature >= 0) node = &t->nodes[node->left + (code[node->feature] > node->bin)];
        t->learn.score[r] += node->value;
    }
    return CSM_OK;
}

static csm_status score_check_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    training *t = user;
    (void)worker;
    for (size_t r = begin; r < end; r++) {
        const gbt_node *node = t->nodes;
        while (node->feature >= 0) {
            float value = (float)csm_matrix_get(t->check.x, r, (size_t)node->feature);
            node = &t->nodes[node->left + !(value <= node->threshold)];
        }
        t->check.score[r] += node->value;
    }
    return CSM_OK;
}

static csm_status add_tree(training *t) {
    uint32_t threads = csm_context_threads(t->job->context);
    csm_status status = gbt_ensemble_append(t->ensemble, t->nodes, t->node_count);
    if (status) return status;
    status = csm_parallel_for(threads, t->learn.target.rows, ROW_CHUNK, score_learn_rows, t);
    if (status || !t->job->validation) return status;
    return csm_parallel_for(threads, t->check.target.rows, ROW_CHUNK, score_check_rows, t);
}

/* ---- rounds ---- */

/* Losses and the next gradients. *stop: validation has not improved for early_stopping_rounds rounds. */
static csm_status evaluate(training *t, csm_model_info *info, bool *stop) {
    csm_context *context = t->job->context;
    csm_status status =
        plain_evaluate(&info->training_loss, t->pair, &t->learn.target, t->learn.score, context);
    if (status) return status;
    if (!isfinite(info->training_loss))
        return csm_fail(CSM_EINVAL, "gbt: the training loss overflows after %zu trees; scale y",
                        t->ensemble->trees);
    if (!t->job->validation) return CSM_OK;
    status = plain_evaluate(&info->validation_loss, NULL, &t->check.target, t->check.score, context);
    if (status) return status;
    if (t->ensemble->trees == 0 || info->validation_loss < t->best_loss) {
        t->best_loss = info->validation_loss;
        t->best_trees = t->ensemble->trees;
        t->training_loss_at_best = info->training_loss;
    }
    uint32_t patience = t->job->early_stopping_rounds;
    *stop = patience && t->ensemble->trees - t->best_trees >= patience;
    return CSM_OK;
}

static csm_status boost(training *t, csm_model_info *info) {
    size_t rounds = (size_t)t->job->values[GBT_ROUNDS];
    bool sampled = t->job->values[GBT_ROW_SHARE] < 1 || t->job->values[GBT_COLUMN_SHARE] < 1;
    bool stop = false;
    csm_status status = evaluate(t, info, &stop);
    for (size_t round = 0; round < rounds && !stop && !status; round++) {
        if ((status = csm_progress(t->job->context, "train gbt", round, rounds))) break;
        plain_tree_data data = {
            .target = &t->learn.target, .score = t->learn.score, .pair = t->pair, .row = t->row};
        data.row_count = draw_rows(t, round);
        data.feature = t->feature;
        data.feature_count = draw_features(t, round);
        if ((status = plain_grow(t->nodes, &t->node_count, t->grower, &data, t->job->context))) break;
        if (t->node_count == 1) { /* nothing gains: another sample may, the same data will not */
            if (sampled) continue;
            break;
        }
        if (!(status = add_tree(t))) status = evaluate(t, info, &stop);
    }
    return status;
}

csm_status plain_train(void **state, csm_model_info *info, const csm_train_job *job) {
    training t = {0};
    *state = NULL;
    if (job->samples->y.cols != 1)
        return csm_fail(CSM_EINVAL, "gbt: y has %zu columns, trees take 1", job->samples->y.cols);
    csm_status status = open_training(&t, job);
    if (!status) status = boost(&t, info);
    if (status) goto done;
    if (job->early_stopping_rounds) {
        gbt_ensemble_truncate(t.ensemble, t.best_trees);
        info->validation_loss = t.best_loss;
        info->training_loss = t.training_loss_at_best;
    }
    info->rounds = t.ensemble->trees;
    *state = t.ensemble;
    t.ensemble = NULL;
done:
    close_training(&t);
    return status;
}
