/* SPDX-License-Identifier: MIT */
#include "model/gbt/train.h"

#include <math.h>

/* A data set with its running scores. */
typedef struct boosted_set {
    const csm_matrix *x;
    gbt_target target;
    double *y;
    double *score;
} boosted_set;

/* Everything of one training run. */
typedef struct training {
    const csm_train_job *job;
    const csm_gbt_kernels *kernels;
    gbt_bins bins;
    boosted_set learn;
    boosted_set check; /* validation; rows 0 without */
    gbt_quanta quanta;
    uint32_t *row;
    uint32_t *feature;
    gbt_node *nodes; /* of the tree being grown */
    size_t node_count;
    gbt_grower *grower;
    gbt_ensemble *ensemble;
    size_t best_trees; /* by validation loss */
    double best_loss;
} training;

static csm_status open_set(boosted_set *set, const csm_samples *samples, const csm_train_job *job) {
    set->x = &samples->x;
    set->y = csm_alloc_array(samples->length, sizeof *set->y);
    set->score = csm_alloc_array(samples->length, sizeof *set->score);
    if (!set->y || !set->score) return CSM_ENOMEM;
    set->target = (gbt_target){.objective = job->objective,
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

static csm_status open_sets(training *t) {
    const csm_train_job *job = t->job;
    double base;
    csm_status status = open_set(&t->learn, job->samples, job);
    if (status) return status;
    if (job->validation) {
        if ((status = check_finite(&job->validation->x))) return status;
        if ((status = open_set(&t->check, job->validation, job))) return status;
    }
    if ((status = gbt_base_score(&base, &t->learn.target))) return status;
    for (size_t r = 0; r < t->learn.target.rows; r++) t->learn.score[r] = base;
    for (size_t r = 0; r < t->check.target.rows; r++) t->check.score[r] = base;
    if ((status = gbt_ensemble_new(&t->ensemble, job->samples->x.cols, 1, &base))) return status;
    if (job->objective == CSM_OBJECTIVE_LOGISTIC) t->ensemble->link[0].kind = GBT_LINK_LOGISTIC;
    return CSM_OK;
}

static csm_status open_training(training *t, const csm_train_job *job, csm_isa isa) {
    const csm_samples *samples = job->samples;
    const double *values = job->values;
    bool exact = values[GBT_QUANTISE] < 1;
    gbt_grow_options grow = {.leaves = (uint32_t)values[GBT_LEAVES],
                             .depth = (uint32_t)values[GBT_DEPTH],
                             .limits = {.min_rows = values[GBT_MIN_ROWS],
                                        .min_hessian = values[GBT_MIN_HESSIAN],
                                        .l2 = values[GBT_L2],
                                        .min_gain = values[GBT_MIN_GAIN]},
                             .learning_rate = values[GBT_LEARNING_RATE]};
    t->job = job;
    t->kernels = csm_gbt_kernels_of(isa);
    csm_status status =
        gbt_bins_build(&t->bins, job->context, &samples->x, (uint32_t)values[GBT_BINS], t->kernels);
    if (status || (status = open_sets(t))) return status;
    if ((status = gbt_quanta_new(&t->quanta, &t->learn.target, exact))) return status;
    t->row = csm_alloc_array(samples->length, sizeof *t->row);
    t->feature = csm_alloc_array(samples->x.cols, sizeof *t->feature);
    t->nodes = csm_alloc_array(2 * (size_t)grow.leaves - 1, sizeof *t->nodes);
    if (!t->row || !t->feature || !t->nodes) return CSM_ENOMEM;
    return gbt_grower_new(&t->grower, &t->bins, &grow, t->kernels, exact, csm_context_threads(job->context));
}

static void close_training(training *t) {
    gbt_bins_free(&t->bins);
    gbt_quanta_free(&t->quanta);
    csm_dealloc(t->learn.y);
    csm_dealloc(t->learn.score);
    csm_dealloc(t->check.y);
    csm_dealloc(t->check.score);
    csm_dealloc(t->row);
    csm_dealloc(t->feature);
    csm_dealloc(t->nodes);
    gbt_grower_free(t->grower);
    gbt_ensemble_free(t->ensemble);
}

/* ---- scores after a tree ---- */

/* For rows that the tree was not grown from too. */
static csm_status score_learn_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    training *t = user;
    (void)worker;
    for (size_t r = begin; r < end; r++) {
        const uint8_t *code = t->bins.code + r * t->bins.stride;
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
            node = &t->nodes[node->left + !gbt_goes_left(t->ensemble, node, value)];
        }
        t->check.score[r] += node->value;
    }
    return CSM_OK;
}

static csm_status add_tree(training *t, bool all_rows) {
    uint32_t threads = csm_context_threads(t->job->context);
    csm_status status = gbt_ensemble_append(t->ensemble, t->nodes, t->node_count);
    if (status) return status;
    status = all_rows ? gbt_add_leaves(t->learn.score, t->grower, t->row)
                      : csm_parallel_for(threads, t->learn.target.rows, GBT_ROW_BLOCK, score_learn_rows, t);
    if (status || !t->job->validation) return status;
    return csm_parallel_for(threads, t->check.target.rows, GBT_ROW_BLOCK, score_check_rows, t);
}

/* ---- rounds ---- */

/* *stop: validation has not improved for early_stopping_rounds rounds. */
static csm_status check_stopping(training *t, csm_model_info *info, bool *stop) {
    if (!t->job->validation) return CSM_OK;
    csm_status status = gbt_loss(&info->validation_loss, &t->check.target, t->check.score, t->job->context);
    if (status) return status;
    if (t->ensemble->trees == 0 || info->validation_loss < t->best_loss) {
        t->best_loss = info->validation_loss;
        t->best_trees = t->ensemble->trees;
    }
    uint32_t patience = t->job->early_stopping_rounds;
    *stop = patience && t->ensemble->trees - t->best_trees >= patience;
    return CSM_OK;
}

static csm_status boost_round(training *t, uint64_t round) {
    const csm_train_job *job = t->job;
    const double *values = job->values;
    uint64_t seed = csm_context_seed(job->context);
    uint64_t key = csm_random_u64(seed, csm_random_u64(seed, job->stream, 2), round);
    csm_status status =
        gbt_quanta_fill(&t->quanta, &t->learn.target, t->learn.score, key, t->kernels, job->context);
    if (status) return status;
    gbt_tree_data data = {.target = &t->learn.target,
                          .score = t->learn.score,
                          .quanta = &t->quanta,
                          .row = t->row,
                          .feature = t->feature};
    data.row_count = gbt_draw_rows(t->row, t->bins.rows, values[GBT_ROW_SHARE], seed, job->stream, round);
    data.feature_count =
        gbt_draw_features(t->feature, t->bins.features, values[GBT_COLUMN_SHARE], seed, job->stream, round);
    if ((status = gbt_grow(t->nodes, &t->node_count, t->grower, &data))) return status;
    return t->node_count == 1 ? CSM_OK : add_tree(t, data.row_count == t->bins.rows);
}

static csm_status boost(training *t, csm_model_info *info) {
    size_t rounds = (size_t)t->job->values[GBT_ROUNDS];
    bool sampled = t->job->values[GBT_ROW_SHARE] < 1 || t->job->values[GBT_COLUMN_SHARE] < 1;
    bool stop = false;
    csm_status status = check_stopping(t, info, &stop);
    for (size_t round = 0; round < rounds && !stop && !status; round++) {
        if ((status = csm_progress(t->job->context, "train gbt", round, rounds))) break;
        if ((status = boost_round(t, round))) break;
        if (t->node_count > 1)
            status = check_stopping(t, info, &stop);
        else if (!sampled) /* nothing gains: another sample may, the same data will not */
            break;
    }
    return status;
}

/* Scores of the learning rows by the trees that are kept. */
static csm_status rescore(training *t) {
    const gbt_ensemble *ensemble = t->ensemble;
    for (size_t r = 0; r < t->learn.target.rows; r++) {
        const uint8_t *code = t->bins.code + r * t->bins.stride;
        double score = ensemble->base[0];
        for (size_t tree = 0; tree < ensemble->trees; tree++) {
            const gbt_node *node = &ensemble->nodes[ensemble->root[tree]];
            while (node->feature >= 0)
                node = &ensemble->nodes[node->left + (code[node->feature] > node->bin)];
            score += node->value;
        }
        t->learn.score[r] = score;
    }
    return CSM_OK;
}

static csm_status finish(training *t, csm_model_info *info) {
    if (t->job->early_stopping_rounds) {
        info->validation_loss = t->best_loss;
        if (t->best_trees < t->ensemble->trees) {
            gbt_ensemble_truncate(t->ensemble, t->best_trees);
            rescore(t);
        }
    }
    info->rounds = t->ensemble->trees;
    csm_status status = gbt_loss(&info->training_loss, &t->learn.target, t->learn.score, t->job->context);
    if (status || isfinite(info->training_loss)) return status;
    return csm_fail(CSM_EINVAL, "gbt: the training loss overflows after %zu trees; scale y", info->rounds);
}

csm_status gbt_train_on(void **state, csm_model_info *info, const csm_train_job *job, csm_isa isa) {
    training t = {0};
    *state = NULL;
    if (job->samples->y.cols != 1)
        return csm_fail(CSM_EINVAL, "gbt: y has %zu columns, trees take 1", job->samples->y.cols);
    csm_status status = open_training(&t, job, isa);
    if (!status) status = boost(&t, info);
    if (!status) status = finish(&t, info);
    if (!status) {
        *state = t.ensemble;
        t.ensemble = NULL;
    }
    close_training(&t);
    return status;
}

csm_status gbt_train(void **state, csm_model_info *info, const csm_train_job *job) {
    return gbt_train_on(state, info, job, csm_backend_isa());
}
