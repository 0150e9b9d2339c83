/* SPDX-License-Identifier: MIT */
/* One csm_net_perform call: its errands, and what happens to each as answers arrive. */
#ifndef CSM_NET_RUN_H
#define CSM_NET_RUN_H

#include "net/internal.h"

typedef enum csm_errand_state {
    CSM_ERRAND_WAITING = 0,
    CSM_ERRAND_RUNNING,
    CSM_ERRAND_DONE
} csm_errand_state;

/* One request until it is settled. */
typedef struct csm_errand {
    const csm_net_request *request;
    csm_net_answer *answer;
    csm_bucket *bucket; /* of its key; NULL: none */
    size_t index;
    csm_errand_state state;
    csm_time not_before;    /* backoff; 0: none */
    uint32_t limits_seen;   /* run's limited_in_all when this try was sent */
    uint32_t failures_seen; /* run's failed_in_all then */
    size_t recorded;        /* exchanges of this request in the cassette */
    csm_transfer transfer;
    char body_hash[CSM_HASH_TEXT]; /* "" without a body */
} csm_errand;

typedef struct csm_run {
    csm_net *net;
    csm_context *context;
    const csm_net_source *source;
    const csm_net_request *requests;
    size_t n;
    csm_net_reply_fn on_reply;
    void *user;
    csm_bucket_rule rule;
    csm_bucket_rule key_rule;
    bool keyed;
    csm_limit_source *limit;
    csm_bucket *bucket; /* of the source */
    csm_net_replies *replies;
    csm_errand *errands;
    size_t first_open; /* all before are done */
    size_t open;
    size_t running;
    uint32_t limited_in_all;   /* pauses that answers over the limit began */
    uint32_t limited_in_a_row; /* the same since the last good answer */
    csm_time last_received;
    uint32_t failed_in_all;   /* rounds of tries that failed: several on the wire together are one */
    uint32_t failed_in_a_row; /* the same since the last answer */
    csm_time resume_at;       /* nothing is sent before, because the source seems down; 0: at once */
    char last_failure[CSM_NET_TEXT];
} csm_run;

/* The transfer ended: judge, record, and settle or wait for another try. */
csm_status csm_run_arrived(csm_run *run, csm_errand *errand, CURLcode code);
/* The same with the next recorded exchange; *played is false when there is none (left). */
csm_status csm_run_play(csm_run *run, csm_errand *errand, bool *played);
/* Settles an errand that the cassette has no answer for: as the live run did, or as PERMANENT. */
csm_status csm_run_unplayed(csm_run *run, csm_errand *errand);
/* No further request of this call is to be sent: the source is latched, over its limit, or down. */
bool csm_run_stopped(const csm_run *run);
/* Settles an errand of a stopped run unsent. */
csm_status csm_run_refuse(csm_run *run, csm_errand *errand);
/* Settles an errand as LIMITED until `ready`. */
csm_status csm_run_postpone(csm_run *run, csm_errand *errand, csm_time ready);
/* The reply is final: latch, count, tell the caller. CSM_ECANCELLED when the caller wants no more. */
csm_status csm_run_settle(csm_run *run, csm_errand *errand);

#endif
