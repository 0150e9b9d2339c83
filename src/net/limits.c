/* SPDX-License-Identifier: MIT */
#include "net/limits.h"

#include <math.h>
#include <string.h>

/* A bucket that takes longer than this to fill is a mistake of the caller. */
#define CSM_BUCKET_DEPTH_MOST (400 * CSM_DAY)

void csm_limits_init(csm_limits *limits) {
    memset(limits, 0, sizeof *limits);
    limits->unknown_before = CSM_TIME_MIN;
}

void csm_limits_free(csm_limits *limits) {
    for (size_t i = 0; i < limits->bucket_count; i++) {
        csm_dealloc(limits->buckets[i]->source);
        csm_dealloc(limits->buckets[i]->key);
        csm_dealloc(limits->buckets[i]);
    }
    for (size_t i = 0; i < limits->source_count; i++) {
        csm_dealloc(limits->sources[i]->name);
        csm_dealloc(limits->sources[i]->latch_reason);
        csm_dealloc(limits->sources[i]);
    }
    csm_dealloc(limits->buckets);
    csm_dealloc(limits->sources);
    csm_limits_init(limits);
}

csm_status csm_bucket_rule_make(csm_bucket_rule *out, const char *what, double rate, double burst) {
    if (!(rate > 0 && rate <= 1e6))
        return csm_fail(CSM_EINVAL, "net: %s: %g tokens a second are outside 0..1e6", what, rate);
    if (!(burst >= 1 && burst <= 1e6))
        return csm_fail(CSM_EINVAL, "net: %s: a burst of %g is outside 1..1e6", what, burst);
    const double interval = (double)CSM_SECOND / rate;
    if (interval * burst > (double)CSM_BUCKET_DEPTH_MOST)
        return csm_fail(CSM_EINVAL, "net: %s: %g tokens at %g a second take over 400 days to fill", what,
                        burst, rate);
    out->interval = (csm_time)ceil(interval);
    out->depth = (csm_time)ceil(interval * burst);
    return CSM_OK;
}

static int compare_bucket(const csm_bucket *bucket, const char *source, const char *key) {
    const int order = strcmp(bucket->source, source);
    return order ? order : strcmp(bucket->key, key);
}

/* First position whose bucket is not before (source, key). */
static size_t bucket_position(const csm_limits *limits, const char *source, const char *key) {
    size_t low = 0, high = limits->bucket_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_bucket(limits->buckets[middle], source, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t source_position(const csm_limits *limits, const char *name) {
    size_t low = 0, high = limits->source_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(limits->sources[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

csm_status csm_limits_bucket(csm_bucket **out, csm_limits *limits, const char *source, const char *key) {
    const size_t at = bucket_position(limits, source, key);
    if (at < limits->bucket_count && compare_bucket(limits->buckets[at], source, key) == 0) {
        *out = limits->buckets[at];
        return CSM_OK;
    }
    csm_bucket **grown = csm_realloc_array(limits->buckets, limits->bucket_count + 1, sizeof(csm_bucket *));
    if (!grown) return CSM_ENOMEM;
    limits->buckets = grown;
    csm_bucket *bucket = csm_alloc_array(1, sizeof *bucket);
    if (!bucket) return CSM_ENOMEM;
    bucket->source = csm_strdup(source);
    bucket->key = csm_strdup(key);
    bucket->full_at = CSM_TIME_MIN;
    if (!bucket->source || !bucket->key) {
        csm_dealloc(bucket->source);
        csm_dealloc(bucket->key);
        csm_dealloc(bucket);
        return CSM_ENOMEM;
    }
    memmove(grown + at + 1, grown + at, (limits->bucket_count - at) * sizeof(csm_bucket *));
    grown[at] = bucket;
    limits->bucket_count++;
    *out = bucket;
    return CSM_OK;
}

csm_status csm_limits_bucket_ruled(csm_bucket **out, csm_limits *limits, const char *source, const char *key,
                                   const csm_bucket_rule *rule) {
    const size_t known = limits->bucket_count;
    const csm_status status = csm_limits_bucket(out, limits, source, key);
    if (status == CSM_OK && limits->bucket_count > known && limits->unknown_before != CSM_TIME_MIN)
        (*out)->full_at = limits->unknown_before + rule->depth;
    return status;
}

csm_status csm_limits_source(csm_limit_source **out, csm_limits *limits, const char *name) {
    const size_t at = source_position(limits, name);
    if (at < limits->source_count && strcmp(limits->sources[at]->name, name) == 0) {
        *out = limits->sources[at];
        return CSM_OK;
    }
    csm_limit_source **grown =
        csm_realloc_array(limits->sources, limits->source_count + 1, sizeof(csm_limit_source *));
    if (!grown) return CSM_ENOMEM;
    limits->sources = grown;
    csm_limit_source *source = csm_alloc_array(1, sizeof *source);
    if (!source) return CSM_ENOMEM;
    source->name = csm_strdup(name);
    source->latched_at = CSM_TIME_MIN;
    source->paused_until = CSM_TIME_MIN;
    if (!source->name) {
        csm_dealloc(source);
        return CSM_ENOMEM;
    }
    memmove(grown + at + 1, grown + at, (limits->source_count - at) * sizeof(csm_limit_source *));
    grown[at] = source;
    limits->source_count++;
    *out = source;
    return CSM_OK;
}

static csm_time bucket_full_at(const csm_bucket *bucket, const csm_bucket_rule *rule, csm_time now) {
    const csm_time empty = now + rule->depth;
    if (bucket->full_at < now) return now;
    return bucket->full_at > empty ? empty : bucket->full_at;
}

csm_time csm_bucket_ready(const csm_bucket *bucket, const csm_bucket_rule *rule, csm_time now) {
    return bucket_full_at(bucket, rule, now) - (rule->depth - rule->interval);
}

void csm_bucket_take(csm_bucket *bucket, const csm_bucket_rule *rule, csm_time now) {
    bucket->full_at = bucket_full_at(bucket, rule, now) + rule->interval;
}
