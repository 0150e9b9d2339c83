/* SPDX-License-Identifier: MIT */
/* Token buckets, pauses and latches of the sources: what must survive a restart. */
#ifndef CSM_NET_LIMITS_H
#define CSM_NET_LIMITS_H

#include <cryptosmart/net.h>

#include "core/internal.h"

/* A bucket in the form of the generic cell rate algorithm (ITU-T I.371): one time says all. */
typedef struct csm_bucket {
    char *source;
    char *key;        /* "" for the source's own bucket */
    csm_time full_at; /* when the bucket is full again; in the past: it is full */
} csm_bucket;

typedef struct csm_bucket_rule {
    csm_time interval; /* between tokens */
    csm_time depth;    /* burst * interval */
} csm_bucket_rule;

typedef struct csm_limit_source {
    char *name;
    char *latch_reason; /* NULL: not latched */
    csm_time latched_at;
    csm_time paused_until; /* CSM_TIME_MIN: not paused */
} csm_limit_source;

typedef struct csm_limits {
    csm_bucket **buckets; /* sorted by source, then key */
    size_t bucket_count;
    csm_limit_source **sources; /* sorted by name */
    size_t source_count;
    csm_time unknown_before; /* buckets not listed count as empty at this time; CSM_TIME_MIN: as full */
    bool dirty;              /* differs from the state file */
} csm_limits;

void csm_limits_init(csm_limits *limits);
void csm_limits_free(csm_limits *limits);

/* Rate in tokens a second, burst >= 1. */
csm_status csm_bucket_rule_make(csm_bucket_rule *out, const char *what, double rate, double burst);
/* The bucket, made when new. Pointers stay valid until csm_limits_free. */
csm_status csm_limits_bucket(csm_bucket **out, csm_limits *limits, const char *source, const char *key);
/* The same, with a new one filled as the limits know it: full, or empty after a lost state file. */
csm_status csm_limits_bucket_ruled(csm_bucket **out, csm_limits *limits, const char *source, const char *key,
                                   const csm_bucket_rule *rule);
csm_status csm_limits_source(csm_limit_source **out, csm_limits *limits, const char *name);

/* When a token can be taken, <= now when one can. A bucket is never emptier than empty, whatever a clock once said. */
csm_time csm_bucket_ready(const csm_bucket *bucket, const csm_bucket_rule *rule, csm_time now);
void csm_bucket_take(csm_bucket *bucket, const csm_bucket_rule *rule, csm_time now);

#endif
