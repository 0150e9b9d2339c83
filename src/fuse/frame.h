/* SPDX-License-Identifier: MIT */
#ifndef CSM_FUSE_FRAME_H
#define CSM_FUSE_FRAME_H

#include "fuse/panel.h"
#include "fuse/recipe.h"

/* What csm_frame_facts answers from. */
typedef struct csm_facts_track {
    csm_time first; /* open of the first final bar; CSM_TIME_MAX: none */
    size_t traded;
    csm_time *close_time; /* of traded bars */
    double *close;
    size_t days;       /* UTC days from first_day on */
    int64_t first_day; /* days since 1970 */
    double *day_value; /* price x volume of the day; NaN where a bar of it is missing */
} csm_facts_track;

struct csm_frame {
    csm_recipe *recipe;
    csm_fuse_options options;
    size_t market_count;
    csm_time first_decision; /* decisions asked for: first + i * interval, i < decisions */
    size_t decisions;
    size_t rows;
    float *matrix; /* (rows, features) */
    csm_time *times;
    uint32_t *markets;
    size_t *row_offset; /* (market_count + 1) rows of market m: [row_offset[m], row_offset[m + 1]) */
    size_t excluded_count;
    csm_excluded_row *excluded;
    size_t *excluded_offset;  /* (market_count + 1) */
    csm_facts_track *facts;   /* (market_count) */
    csm_time fear_greed_from; /* when its first value was known; CSM_TIME_MAX: never */
    csm_time bitcoin_from;    /* open of BTC's first bar; CSM_TIME_MAX: not there */
};

/* What is compared across the coins, at each decision. */
typedef struct csm_across_result {
    double *common; /* (decisions) the same for all; NULL for ranks */
    float *own; /* (tracks, decisions) each coin's own value, NaN where it is not present; then its rank */
} csm_across_result;

/* The indicators of a recipe over the tracks [first, first + tracks), a group at a time. */
typedef struct csm_indicator_table {
    size_t first;
    size_t tracks;
    size_t request_count;
    csm_indicator_request *requests;
    size_t *request;  /* (features) which request a feature reads; SIZE_MAX: none */
    size_t outputs;   /* of all requests */
    double **columns; /* (tracks, requests) each (traded, outputs of the request), row-major, in `values` */
    size_t capacity;  /* bars */
    double *values;   /* (capacity, outputs) */
} csm_indicator_table;

/* Features that share sequence and memory share their windows. */
typedef struct csm_window_class {
    csm_sequence sequence;
    size_t memory;
    uint32_t feature; /* first of the recipe that is of this class */
} csm_window_class;

/* One build: read by all workers, except that each has its own subject. */
typedef struct csm_build {
    csm_context *context; /* may be NULL */
    const csm_panel *panel;
    const csm_recipe *recipe;
    csm_time first_decision;
    size_t decisions;
    uint32_t threads;
    uint32_t workers;          /* threads over tracks: no more than there are */
    csm_subject *subjects;     /* (workers) */
    csm_across_result *across; /* (features) empty where the formula compares nothing */
    float *own;                /* the block of the results' own */
    csm_window_class *classes; /* (class_count) by their first feature */
    size_t class_count;
    size_t longest[3]; /* by sequence: the largest memory; 0: no feature */
    bool crosses;      /* the recipe compares coins */
} csm_build;

/* Decisions of one market before any feature: those whose windows are sound, and the others with their reasons. */
typedef struct csm_row_plan {
    size_t count;
    uint32_t *decision; /* (count) ascending */
    uint32_t *slot;     /* (count) relative to the track */
    size_t excluded_count;
    csm_excluded_row *excluded;
} csm_row_plan;
csm_status csm_plan_classes(csm_build *build);
csm_status csm_plan_market(csm_row_plan *out, const csm_build *build, size_t track);
void csm_row_plan_free(csm_row_plan *plan);

/* Fills rows of `plan` at `matrix` (count, features) and drops those that lack a value: plan->count and plan->excluded
 * are updated, rows close up. */
csm_status csm_rows_fill(float *matrix, csm_row_plan *plan, const csm_build *build, csm_subject *subject,
                         size_t track, const csm_indicator_table *table);

/* Slot, relative to the track, of decision 0; that of decision d is d more. Negative: before its first bar. May be past
 * its slots. */
static inline int64_t csm_build_slot(const csm_build *build, const csm_track *track) {
    const csm_panel *panel = build->panel;
    const csm_time start = panel->origin + (csm_time)track->first * panel->interval;
    return (build->first_decision - start) / panel->interval - 1; /* all lie on the interval's grid */
}

csm_status csm_indicator_table_open(csm_indicator_table *out, const csm_recipe *recipe);
void csm_indicator_table_free(csm_indicator_table *table);
/* From track `begin`, as many as one group holds; what the group before held is overwritten. */
csm_status csm_indicator_table_run(csm_indicator_table *table, const csm_build *build, size_t begin);
const double *csm_indicator_table_column(const csm_indicator_table *table, size_t track, size_t feature);

/* Fills build->across (allocated, zeroed by the caller) for every feature that compares coins. */
csm_status csm_across_run(csm_build *build);
void csm_across_free(csm_build *build);

/* The frame of a panel: the one path from bars to rows, for live frames, replays and audits. */
csm_status csm_frame_from_panel(csm_frame **out, csm_context *context, const csm_panel *panel,
                                const csm_recipe *recipe, const csm_fuse_options *options);
csm_status csm_facts_build(csm_frame *frame, const csm_panel *panel, uint32_t threads);
csm_status csm_fuse_options_check(csm_fuse_options *out, const csm_fuse_options *options);

#endif
