/* SPDX-License-Identifier: MIT */
/*
 * fuse: all data of a coin at a time, as it was known then. A recipe names the features; a frame holds the complete rows
 * and the reasons for every other; targets say what came of them.
 */
#ifndef CRYPTOSMART_FUSE_H
#define CRYPTOSMART_FUSE_H

#include <cryptosmart/core.h>
#include <cryptosmart/cost.h>
#include <cryptosmart/discover.h>
#include <cryptosmart/model.h>
#include <cryptosmart/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- recipes ------------------------------------------------------------------------------------------------------ */

typedef struct csm_recipe csm_recipe; /* immutable */

typedef struct csm_feature_info {
    const char *name; /* "rsi_14" */
    const char
        *group;       /* price volume indicator book onchain sentiment events cross bitcoin regime calendar */
    const char *text; /* one sentence */
    size_t memory;    /* bars it needs */
} csm_feature_info;

CSM_API size_t csm_fuse_recipe_count(void);
CSM_API const char *csm_fuse_recipe_name(size_t index); /* built-in recipes: "spine-1", … NULL past the end */
CSM_API csm_status csm_fuse_recipe(csm_recipe **out, const char *name);
/* A recipe as JSON, and back: how it is saved inside a model. *json is freed by csm_fuse_text_free. */
CSM_API csm_status csm_fuse_recipe_json(char **json, const csm_recipe *recipe);
CSM_API void csm_fuse_text_free(char *text);
CSM_API csm_status csm_fuse_recipe_parse(csm_recipe **out, const char *json, size_t length);
/* The recipe without the features of `group` (a source that is not configured). */
CSM_API csm_status csm_fuse_recipe_without(csm_recipe **out, const csm_recipe *recipe, const char *group);
CSM_API void csm_recipe_free(csm_recipe *recipe);
CSM_API const char *csm_recipe_name(const csm_recipe *recipe);
CSM_API const char *csm_recipe_hash(const csm_recipe *recipe); /* SHA-256 hex of its canonical JSON */
CSM_API size_t csm_recipe_features(const csm_recipe *recipe);
CSM_API csm_status csm_recipe_feature(csm_feature_info *out, const csm_recipe *recipe, size_t index);
CSM_API size_t csm_recipe_memory(const csm_recipe *recipe); /* bars: the most any feature needs */

/* ---- frames --------------------------------------------------------------------------------------------------------- */

typedef struct csm_fuse_options {
    size_t size;
    csm_time interval; /* of bars and decisions; default 1 h */
    csm_time from;     /* decisions in [from, to); a decision time is the close of the bar it follows */
    csm_time to;
    csm_time as_of;       /* nothing that became available later is read; default CSM_TIME_MAX */
    csm_time stale_after; /* oldest last trade; default 6 h */
    csm_time gap_limit;   /* longest gap in a window; default 12 h */
    double gap_share;     /* most bars in GAP of a window; default 0.01 */
} csm_fuse_options;
CSM_API void csm_fuse_options_init(csm_fuse_options *options);

typedef struct csm_frame csm_frame; /* immutable */

/* Builds the point-in-time feature matrix of the markets. The feature at t reads only what was available at t: the store is
 * read once with as_of, and every computation is causal; csm_fuse_audit proves it. */
CSM_API csm_status csm_fuse_build(csm_frame **out, csm_context *context, const csm_store *store,
                                  const csm_recipe *recipe, const csm_market *const *markets,
                                  size_t market_count, const csm_fuse_options *options);
CSM_API void csm_frame_free(csm_frame *frame);
CSM_API size_t csm_frame_rows(const csm_frame *frame);
/* (rows, features) f32, row-major, sorted by market, then time. A view. */
CSM_API csm_matrix csm_frame_matrix(const csm_frame *frame);
CSM_API const csm_time *csm_frame_times(const csm_frame *frame);   /* decision time of each row */
CSM_API const uint32_t *csm_frame_markets(const csm_frame *frame); /* index into `markets` of each row */
CSM_API const csm_recipe *csm_frame_recipe(const csm_frame *frame);

/* Rows left out. */
typedef struct csm_excluded_row {
    csm_time time;
    uint32_t market;
    uint32_t feature; /* first one that had no value; UINT32_MAX when not a feature's fault */
    csm_reason reasons;
} csm_excluded_row;
CSM_API size_t csm_frame_excluded_count(const csm_frame *frame);
CSM_API const csm_excluded_row *csm_frame_excluded_at(const csm_frame *frame,
                                                      size_t index); /* by market, then time */
/* Reasons of one (market, decision time): 0 when the row is there; CSM_ENOTFOUND when not asked for. */
CSM_API csm_status csm_frame_reasons(csm_reason *out, const csm_frame *frame, uint32_t market, csm_time time);

/* What was known of a market at a time, or at the end of the frame where that is earlier. */
typedef struct csm_market_facts {
    csm_time first;      /* open of the first final bar */
    csm_time last_trade; /* close of the last traded bar; CSM_TIME_MIN: none yet */
    double price;        /* of that trade */
    double
        traded_value; /* median over the last 30 days of price x volume a day, quote currency; NaN: unknown */
    csm_time history; /* span of final data in the shortest group of the recipe */
} csm_market_facts;
CSM_API csm_status csm_frame_facts(csm_market_facts *out, const csm_frame *frame, uint32_t market,
                                   csm_time time);

/* Window ends for sequence models: rows whose previous length-1 rows are consecutive intervals of the same market. Writes
 * up to capacity row indices; *count is the whole number. */
CSM_API csm_status csm_frame_windows(int64_t *ends, size_t capacity, size_t *count, const csm_frame *frame,
                                     size_t length);

/* ---- targets ---------------------------------------------------------------------------------------------------------- */

typedef enum csm_target_state {
    CSM_TARGET_KNOWN = 0,
    CSM_TARGET_UNKNOWN = 1, /* the outcome lies in a GAP: counted, never trained on or scored */
    CSM_TARGET_PENDING = 2, /* not matured at as_of */
    CSM_TARGET_NO_ENTRY = 3
} csm_target_state;

typedef struct csm_target {
    csm_time entry_time;
    csm_time exit_time; /* close of the bar whose price counts */
    csm_time matures;   /* decision + horizon: when the label is known */
    double entry;
    double exit;
    double log_return; /* ln(exit / entry); NaN unless KNOWN */
    double cost;       /* c known at the decision */
    uint32_t state;    /* csm_target_state */
    uint32_t rises;    /* Y = 1{log_return > cost} */
} csm_target;

typedef struct csm_targets csm_targets; /* one a frame row; immutable */
CSM_API csm_status csm_fuse_targets(csm_targets **out, csm_context *context, const csm_store *store,
                                    const csm_frame *frame, const csm_market *const *markets,
                                    size_t market_count, csm_time horizon, csm_time as_of,
                                    const csm_cost_options *cost);
CSM_API void csm_targets_free(csm_targets *targets);
CSM_API const csm_target *csm_targets_at(const csm_targets *targets, size_t row); /* NULL past the end */
CSM_API csm_time csm_targets_horizon(const csm_targets *targets);
/* SHA-256 hex of event kind, horizon, entry and exit rules, Q and cost table: the event's id. */
CSM_API const char *csm_targets_event(const csm_targets *targets);

/* One (market, decision) outcome without a frame: what the ledger uses to score itself. */
CSM_API csm_status csm_fuse_outcome(csm_target *out, csm_context *context, const csm_store *store,
                                    const csm_market *market, csm_time decision, csm_time interval,
                                    csm_time horizon, csm_time as_of, double cost);

/* ---- audit -------------------------------------------------------------------------------------------------------------- */

typedef struct csm_audit {
    size_t times;        /* decision times replayed */
    size_t rows;         /* rows compared, bit by bit */
    size_t different;    /* rows that differ: a leak */
    csm_time first_time; /* of the first difference; CSM_TIME_MIN: none */
    uint32_t first_market;
    uint32_t first_feature;
} csm_audit;
/* Rebuilds the rows at `times` from a store in which everything available later is gone, and again with everything later
 * corrupted, and compares with the frame. */
CSM_API csm_status csm_fuse_audit(csm_audit *out, csm_context *context, const csm_store *store,
                                  const csm_frame *frame, const csm_market *const *markets,
                                  size_t market_count, const csm_time *times, size_t time_count);

#ifdef __cplusplus
}
#endif
#endif
