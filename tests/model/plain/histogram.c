/* SPDX-License-Identifier: MIT */
#include "model/plain/plain.h"

/* Below this many bucket updates starting threads costs more than it saves. */
#define PARALLEL_UPDATES 65536
/* Fewest features of a chunk: neighbouring codes of a row share a cache line. */
#define FEATURE_CHUNK 16
/* Rows whose codes are fetched ahead: those of a leaf lie anywhere in memory. */
#define FETCH_AHEAD 12
/* Of two sums of squares that cancel, this share is rounding. */
#define GAIN_NOISE 1e-12

typedef struct fill_job {
    plain_bucket *histogram;
    const plain_bins *bins;
    const plain_pair *pair;
    const uint32_t *row;
    size_t count;
    const uint32_t *feature;
} fill_job;

static csm_status fill_features(void *user, size_t begin, size_t end, uint32_t worker) {
    const fill_job *job = user;
    const plain_bins *bins = job->bins;
    (void)worker;
    for (size_t j = begin; j < end; j++) {
        uint32_t f = job->feature[j];
        for (uint32_t b = bins->first[f]; b < bins->first[f + 1]; b++) job->histogram[b] = (plain_bucket){0};
    }
    for (size_t i = 0; i < job->count; i++) {
        uint32_t r = job->row[i];
        if (i + FETCH_AHEAD < job->count) {
            size_t ahead = job->row[i + FETCH_AHEAD];
            __builtin_prefetch(&job->pair[ahead]);
            __builtin_prefetch(&bins->code[ahead * bins->features + job->feature[begin]]);
            __builtin_prefetch(&bins->code[ahead * bins->features + job->feature[end - 1]]);
        }
        plain_pair pair = job->pair[r];
        const uint8_t *code = bins->code + (size_t)r * bins->features;
        for (size_t j = begin; j < end; j++) {
            uint32_t f = job->feature[j];
            plain_bucket *bucket = &job->histogram[bins->first[f] + code[f]];
            bucket->gradient += pair.gradient;
            bucket->hessian += pair.hessian;
            bucket->count++;
        }
    }
    return CSM_OK;
}

csm_status plain_histogram_fill(plain_bucket *histogram, const plain_bins *bins, const plain_pair *pair,
                                const uint32_t *row, size_t count, const uint32_t *feature,
                                size_t feature_count, csm_context *context) {
    fill_job job = {histogram, bins, pair, row, count, feature};
    uint32_t threads = csm_context_threads(context);
    if (count * feature_count < PARALLEL_UPDATES || threads == 1)
        return fill_features(&job, 0, feature_count, 0);
    size_t grain = (feature_count + threads - 1) / threads;
    if (grain < FEATURE_CHUNK) grain = FEATURE_CHUNK;
    return csm_parallel_for(threads, feature_count, grain, fill_features, &job);
}

void plain_histogram_subtract(plain_bucket *parent, const plain_bucket *child, const plain_bins *bins,
                              const uint32_t *feature, size_t feature_count) {
    for (size_t j = 0; j < feature_count; j++) {
        uint32_t f = feature[j];
        for (uint32_t b = bins->first[f]; b < bins->first[f + 1]; b++) {
            parent[b].count -= child[b].count;
            parent[b].gradient -= child[b].gradient;
            parent[b].hessian -= child[b].hessian;
            if (parent[b].count == 0) parent[b] = (plain_bucket){0}; /* not the rounding of the sums */
        }
    }
}

static bool is_leaf_allowed(const plain_bucket *sums, const plain_grow_options *options) {
    return sums->count >= options->min_rows && sums->hessian >= options->min_hessian &&
           sums->hessian + options->l2 > 0;
}

/* Half of this is the loss that a leaf with these sums takes away (Chen & Guestrin 2016, eq. 6). */
static double leaf_score(const plain_bucket *sums, double l2) {
    return sums->gradient * sums->gradient / (sums->hessian + l2);
}

/* Best split of one feature: the first bin of the highest gain. */
static plain_split best_of_feature(uint32_t f, const plain_bucket *histogram, const plain_bucket *total,
                                   const plain_bins *bins, const plain_grow_options *options) {
    plain_split best = {0};
    plain_bucket left = {0};
    double whole = leaf_score(total, options->l2);
    for (uint32_t b = bins->first[f]; b + 1 < bins->first[f + 1]; b++) {
        if (histogram[b].count == 0) continue;
        left.gradient += histogram[b].gradient;
        left.hessian += histogram[b].hessian;
        left.count += histogram[b].count;
        plain_bucket right = {total->gradient - left.gradient, total->hessian - left.hessian,
                              total->count - left.count};
        if (!is_leaf_allowed(&left, options) || !is_leaf_allowed(&right, options)) continue;
        double parts = leaf_score(&left, options->l2) + leaf_score(&right, options->l2);
        double gain = parts - whole;
        if (gain > best.gain && gain > options->min_gain && gain > GAIN_NOISE * parts)
            best = (plain_split){gain, f, b - bins->first[f], left, right};
    }
    return best;
}

typedef struct split_job {
    plain_split *best; /* one for each feature of the tree */
    const plain_bucket *histogram;
    const plain_bucket *total;
    const plain_bins *bins;
    const uint32_t *feature;
    const plain_grow_options *options;
} split_job;

static csm_status search_features(void *user, size_t begin, size_t end, uint32_t worker) {
    const split_job *job = user;
    (void)worker;
    for (size_t j = begin; j < end; j++)
        job->best[j] = best_of_feature(job->feature[j], job->histogram, job->total, job->bins, job->options);
    return CSM_OK;
}

csm_status plain_best_split(plain_split *out, const plain_bucket *histogram, const plain_bucket *total,
                            const plain_bins *bins, const uint32_t *feature, size_t feature_count,
                            const plain_grow_options *options, csm_context *context) {
    split_job job = {
        csm_alloc_array(feature_count, sizeof(plain_split)), histogram, total, bins, feature, options};
    if (!job.best) return CSM_ENOMEM;
    uint32_t threads = csm_context_threads(context);
    size_t buckets = bins->first[bins->features];
    csm_status status = buckets < PARALLEL_UPDATES || threads == 1
                            ? search_features(&job, 0, feature_count, 0)
                            : csm_parallel_for(threads, feature_count, FEATURE_CHUNK, search_features, &job);
    *out = (plain_split){0};
    for (size_t j = 0; j < feature_count && !status; j++) {
        if (job.best[j].gain > out->gain) *out = job.best[j];
    }
    csm_dealloc(job.best);
    return status;
}
