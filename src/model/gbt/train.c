/* SPDX-License-Identifier: MIT */
#include "model/gbt/train.h"

#include <math.h>

/* A data set with its targets and running scores, one of each for every head. */
typedef struct boosted_set {
    const csm_samples *samples; /* NULL: there is none */
    gbt_target *target;
    double **score;
} boosted_set;

/* Everything of one training run. */
typedef struct training {
    const csm_train_job *job;
    const csm_gbt_kernels *kernels;
    size_t heads;
    gbt_bins bins;
    boosted_set learn;
    boosted_set check; /* validation */
    gbt_quanta quanta;
    gbt_metric metric;
    uint32_t *row;
    uint32_t *feature;
    gbt_node *nodes; /* of the tree being grown */
    size_t node_count;
    gbt_grower *grower;
    gbt_ensemble *ensemble;
    size_t start_trees; /* taken over from job->start */
    size_t best_trees;  /* by the metric on validation */
    double best_metric;
    double best_loss;
} training;

/* ---- opening ---- */

static csm_status open_set(boosted_set *set, const csm_samples *samples, const csm_train_job *job) {
    set->target = csm_alloc_array(job->head_count, sizeof *set->target);
    set->score = csm_alloc_array(job->head_count, sizeof *set->score);
    if (!set->target || !set->score) return CSM_ENOMEM;
    set->samples = samples;
    for (size_t h = 0; h < job->head_count; h++) {
        csm_status status = gbt_target_open(&set->target[h], &set->score[h], samples, &job->heads[h]);
        if (status) return status;
    }
    return CSM_OK;
}

static void close_set(boosted_set *set, size_t heads) {
    for (size_t h = 0; h < heads; h++) {
        if (set->target) gbt_target_close(&set->target[h]);
        if (set->score) csm_dealloc(set->score[h]);
    }
    csm_dealloc(set->target);
    csm_dealloc((void *)set->score);
}

/* Scores of a set by the trees that there are. */
static csm_status score_set(training *t, boosted_set *set) {
    if (!set->samples) return CSM_OK;
    size_t rows = set->samples->length;
    double *out = csm_alloc_array(rows * t->heads, sizeof *out); /* rows < 2^31, heads <= 4096 */
    if (!out) return CSM_ENOMEM;
    csm_matrix view = csm_matrix_f64(out, rows, t->heads);
    csm_status status = gbt_predict(t->ensemble, t->job->context, set->samples, &view);
    for (size_t h = 0; h < t->heads && !status; h++) {
        for (size_t r = 0; r < rows; r++) set->score[h][r] = out[r * t->heads + h];
    }
    csm_dealloc(out);
    return status;
}

/* A copy of the model that training goes on from. */
static csm_status take_start(training *t, const gbt_ensemble *start) {
    if (start->features != t->bins.features || start->outputs != t->heads)
        return csm_fail(CSM_EINVAL,
                        "gbt: the model to go on from has %zu features and %u outputs, not %zu and %zu",
                        start->features, start->outputs, t->bins.features, t->heads);
    t->start_trees = start->trees;
    return gbt_ensemble_copy(&t->ensemble, start);
}

static csm_status new_ensemble(training *t) {
    double *base = csm_alloc_array(t->heads, sizeof *base);
    csm_status status = base ? CSM_OK : CSM_ENOMEM;
    for (size_t h = 0; h < t->heads && !status; h++) status = gbt_base_score(&base[h], &t->learn.target[h]);
    if (!status) status = gbt_ensemble_new(&t->ensemble, t->bins.features, (uint32_t)t->heads, base);
    csm_dealloc(base);
    for (size_t h = 0; h < t->heads && !status; h++) {
        if (t->job->heads[h].objective == CSM_OBJECTIVE_LOGISTIC)
            t->ensemble->link[h].kind = GBT_LINK_LOGISTIC;
    }
    return status;
}

static csm_status open_ensemble(training *t) {
    csm_status status = t->job->start ? take_start(t, t->job->start) : new_ensemble(t);
    if (status) return status;
    t->ensemble->missing = t->ensemble->missing || t->bins.missing;
    if ((status = score_set(t, &t->learn))) return status;
    return score_set(t, &t->check);
}

static csm_status open_training(training *t, const csm_train_job *job, csm_isa isa) {
    const csm_samples *samples = job->samples;
    const double *values = job->values;
    bool exact = values[GBT_QUANTISE]<1, missing = values[GBT_MISSING]> 0;
    bool hessians = values[GBT_GOSS_TOP] > 0;
    gbt_grow_options grow = {.leaves = (uint32_t)values[GBT_LEAVES],
                             .depth = (uint32_t)values[GBT_DEPTH],
                             .limits = {.min_rows = values[GBT_MIN_ROWS],
                                        .min_hessian = values[GBT_MIN_HESSIAN],
                                        .l2 = values[GBT_L2],
                                        .min_gain = values[GBT_MIN_GAIN]},
                             .learning_rate = values[GBT_LEARNING_RATE],
                             .l1 = values[GBT_L1],
                             .depth_wise = values[GBT_DEPTH_WISE] > 0,
                             .monotone = job->monotone};
    t->job = job;
    t->heads = job->head_count;
    t->kernels = csm_gbt_kernels_of(isa);
    const gbt_bins_options reading = {
        .bins = (uint32_t)values[GBT_BINS], .missing = missing, .categorical = job->categorical};
    csm_status status = job->device == CSM_DEVICE_CUDA ? gbt_card_check(job) : CSM_OK;
    if (!status) status = gbt_metric_find(&t->metric, job->metric);
    if (!status && job->validation) status = gbt_check_x(&job->validation->x, missing, "validation");
    if (!status) status = gbt_bins_build(&t->bins, job->context, &samples->x, &reading, t->kernels);
    if (!status) status = open_set(&t->learn, samples, job);
    if (!status && job->validation) status = open_set(&t->check, job->validation, job);
    if (!status) status = open_ensemble(t);
    if (status) return status;
    for (size_t h = 0; h < t->heads; h++) hessians = hessians || !gbt_hessian_is_one(&t->learn.target[h]);
    if ((status = gbt_quanta_new(&t->quanta, samples->length, exact, hessians))) return status;
    t->row = csm_alloc_array(samples->length, sizeof *t->row);
    t->feature = csm_alloc_array(samples->x.cols, sizeof *t->feature);
    t->nodes = csm_alloc_array(2 * (size_t)grow.leaves - 1, sizeof *t->nodes);
    if (!t->row || !t->feature || !t->nodes) return CSM_ENOMEM;
    status =
        gbt_grower_new(&t->grower, &t->bins, &grow, t->kernels, exact, csm_context_threads(job->context));
    if (!status && job->device == CSM_DEVICE_CUDA) status = gbt_card_open(t->grower, job->device_index);
    return status;
}

static void close_training(training *t) {
    gbt_bins_free(&t->bins);
    gbt_quanta_free(&t->quanta);
    close_set(&t->learn, t->heads);
    close_set(&t->check, t->heads);
    csm_dealloc(t->row);
    csm_dealloc(t->feature);
    csm_dealloc(t->nodes);
    gbt_grower_free(t->grower);
    gbt_ensemble_free(t->ensemble);
}

/* ---- scores after a tree ---- */

typedef struct score_job {
    const training *t;
    const csm_matrix *x; /* NULL: codes */
    double *score;
} score_job;

/* Whether a learning row's code goes left. */
static bool code_goes_left(const training *t, const gbt_node *node, uint8_t code) {
    const gbt_bins *bins = &t->bins;
    if (node->flags & GBT_NODE_MISSING_NAN && code == bins->slots - 1)
        return node->flags & GBT_NODE_MISSING_LEFT;
    if (!(node->flags & GBT_NODE_CATEGORICAL)) return code <= node->bin;
    float category = bins->category[(size_t)node->feature * bins->slots + code];
    return gbt_set_holds(t->ensemble->category + node->set, category);
}

static csm_status score_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    const score_job *job = user;
    const training *t = job->t;
    (void)worker;
    for (size_t r = begin; r < end; r++) {
        const uint8_t *code = t->bins.code + r * t->bins.stride;
        const gbt_node *node = t->nodes;
        while (node->feature >= 0) {
            bool left = job->x ? gbt_goes_left(t->ensemble, node,
                                               (float)csm_matrix_get(job->x, r, (size_t)node->feature))
                               : code_goes_left(t, node, code[node->feature]);
            node = &t->nodes[node->left + !left];
        }
        job->score[r] += node->value;
    }
    return CSM_OK;
}

static csm_status add_tree(training *t, size_t head, size_t row_count) {
    uint32_t threads = csm_context_threads(t->job->context);
    score_job learn = {t, NULL, t->learn.score[head]};
    csm_status status = gbt_ensemble_append(t->ensemble, t->nodes, t->node_count);
    if (status || t->node_count == 1) return status;
    status = row_count == t->bins.rows
                 ? gbt_add_leaves(t->learn.score[head], t->grower, t->row)
                 : csm_parallel_for(threads, t->bins.rows, GBT_ROW_BLOCK, score_rows, &learn);
    if (status || !t->check.samples) return status;
    score_job check = {t, &t->check.samples->x, t->check.score[head]};
    return csm_parallel_for(threads, t->check.samples->length, GBT_ROW_BLOCK, score_rows, &check);
}

/* ---- rounds ---- */

/* Mean over the heads. */
static csm_status measure(double *out, const training *t, const boosted_set *set, gbt_metric metric) {
    *out = 0;
    for (size_t h = 0; h < t->heads; h++) {
        double value;
        csm_status status = metric(&value, &set->target[h], set->score[h], t->job->context);
        if (status) return status;
        *out += value / (double)t->heads;
    }
    return CSM_OK;
}

/* *stop: validation has not improved for early_stopping_rounds rounds. */
static csm_status check_stopping(training *t, csm_model_info *info, bool *stop) {
    if (!t->check.samples) return CSM_OK;
    double value;
    size_t trees = t->ensemble->trees;
    csm_status status = measure(&info->validation_loss, t, &t->check, gbt_loss);
    value = info->validation_loss;
    if (!status && t->metric != gbt_loss) status = measure(&value, t, &t->check, t->metric);
    if (status) return status;
    if (trees == t->start_trees || value < t->best_metric) {
        t->best_metric = value;
        t->best_loss = info->validation_loss;
        t->best_trees = trees;
    }
    uint32_t patience = t->job->early_stopping_rounds;
    *stop = patience && (trees - t->best_trees) / t->heads >= patience;
    return CSM_OK;
}

/* Which rows a tree sees; GOSS weighs them before they are rounded. */
static csm_status draw(training *t, gbt_tree_data *data, uint64_t round) {
    const double *values = t->job->values;
    uint64_t seed = csm_context_seed(t->job->context), stream = t->job->stream;
    data->feature_count =
        gbt_draw_features(t->feature, t->bins.features, values[GBT_COLUMN_SHARE], seed, stream, round);
    if (values[GBT_GOSS_TOP] > 0)
        return gbt_draw_by_gradient(t->row, &data->row_count, &t->quanta, values[GBT_GOSS_TOP],
                                    values[GBT_GOSS_OTHER], seed, stream, round);
    data->row_count = gbt_draw_rows(t->row, t->bins.rows, values[GBT_ROW_SHARE], seed, stream, round);
    return CSM_OK;
}

/* One tree for one head. */
static csm_status boost_head(training *t, size_t head, uint64_t round) {
    const csm_train_job *job = t->job;
    const gbt_target *target = &t->learn.target[head];
    const double *score = t->learn.score[head];
    uint64_t seed = csm_context_seed(job->context);
    uint64_t key = csm_random_u64(seed, csm_random_u64(seed, job->stream, 2), round * t->heads + head);
    bool hessians = job->values[GBT_GOSS_TOP] > 0 || !gbt_hessian_is_one(target);
    gbt_tree_data data = {
        .target = target, .score = score, .quanta = &t->quanta, .row = t->row, .feature = t->feature};
    csm_status status = target->ranked ? gbt_rank(target, score, job->context) : CSM_OK;
    if (!status) status = gbt_quanta_derive(&t->quanta, target, score, hessians, t->kernels, job->context);
    if (!status) status = draw(t, &data, round);
    if (!status) status = gbt_quanta_round(&t->quanta, target, key, t->kernels, job->context);
    if (!status) status = gbt_grow(t->nodes, &t->node_count, t->grower, &data, t->ensemble);
    return status ? status : add_tree(t, head, data.row_count);
}

/* One tree for each head; *grown when one of them has a split. Trees without any are not kept. */
static csm_status boost_round(training *t, uint64_t round, bool *grown) {
    size_t trees = t->ensemble->trees;
    *grown = false;
    for (size_t head = 0; head < t->heads; head++) {
        csm_status status = boost_head(t, head, round);
        if (status) return status;
        *grown = *grown || t->node_count > 1;
    }
    if (!*grown) gbt_ensemble_truncate(t->ensemble, trees);
    return CSM_OK;
}

static csm_status boost(training *t, csm_model_info *info) {
    const double *values = t->job->values;
    size_t rounds = (size_t)values[GBT_ROUNDS];
    bool sampled = values[GBT_ROW_SHARE] < 1 || values[GBT_COLUMN_SHARE] < 1 || values[GBT_GOSS_TOP] > 0;
    bool stop = false, grown;
    csm_status status = check_stopping(t, info, &stop);
    for (size_t round = 0; round < rounds && !stop && !status; round++) {
        if ((status = csm_progress(t->job->context, "train gbt", round, rounds))) break;
        if ((status = boost_round(t, t->start_trees / t->heads + round, &grown))) break;
        if (grown)
            status = check_stopping(t, info, &stop);
        else if (!sampled) /* nothing gains: another sample may, the same data will not */
            break;
    }
    return status;
}

static csm_status finish(training *t, csm_model_info *info) {
    csm_status status = CSM_OK;
    if (t->job->early_stopping_rounds) {
        info->validation_loss = t->best_loss;
        if (t->best_trees < t->ensemble->trees) {
            gbt_ensemble_truncate(t->ensemble, t->best_trees);
            status = score_set(t, &t->learn);
        }
    }
    info->rounds = t->ensemble->trees / t->heads;
    if (!status) status = measure(&info->training_loss, t, &t->learn, gbt_loss);
    if (status || isfinite(info->training_loss)) return status;
    return csm_fail(CSM_EINVAL, "gbt: the training loss overflows after %zu rounds; scale y", info->rounds);
}

csm_status gbt_train_on(void **state, csm_model_info *info, const csm_train_job *job, csm_isa isa) {
    training t = {0};
    *state = NULL;
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
