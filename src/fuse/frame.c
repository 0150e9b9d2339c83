/* SPDX-License-Identifier: MIT */
/*
 * From a panel to the matrix. Each market's features are computed column by column over all its history, picked at the
 * decisions asked for, and turned into rows where every one of them is present.
 */
#include "fuse/frame.h"

#include <math.h>
#include <string.h>

#define TRANSPOSE_ROWS 64
#define DECISION_LIMIT (UINT64_C(1) << 28)

/* What one market gives. */
typedef struct market_rows {
    size_t rows;
    float *matrix; /* (rows, features) */
    csm_time *times;
    size_t excluded_count;
    csm_excluded_row *excluded;
} market_rows;

typedef struct row_job {
    const csm_build *build;
    csm_subject *subjects;            /* one a worker */
    market_rows *results;             /* one a track */
    const csm_indicator_table *table; /* of this group */
    size_t first_track;
    bool crosses; /* the recipe compares coins */
} row_job;

/* One market on the way: its candidate decisions, by feature. */
typedef struct candidates {
    size_t count;
    uint32_t *decision;  /* (count) */
    uint32_t *slot;      /* (count) */
    float *value;        /* (features, count) */
    csm_reason *reasons; /* (decisions) */
    uint32_t *feature;   /* (decisions) first that had no value */
} candidates;

static void candidates_free(candidates *c) {
    csm_dealloc(c->decision);
    csm_dealloc(c->slot);
    csm_dealloc(c->value);
    csm_dealloc(c->reasons);
    csm_dealloc(c->feature);
}

static csm_reason absence_at(const row_job *job, const csm_track *track, size_t d, size_t *slot) {
    const csm_panel *panel = job->build->panel;
    const csm_time decision = job->build->first_decision + (csm_time)d * panel->interval;
    const csm_reason gone = track->delisted <= decision ? CSM_REASON_MASK(DELISTED) : 0;
    *slot = track->span > 0 ? csm_build_slot(job->build, track, d) : SIZE_MAX;
    if (*slot == SIZE_MAX) return gone | CSM_REASON_MASK(NO_DATA);
    if (*slot >= track->slots) return gone | CSM_REASON_MASK(STALE);
    csm_reason reasons = csm_track_absence(panel, track, *slot);
    if (job->crosses && panel->late && panel->late[track->first + *slot]) reasons |= CSM_REASON_MASK(PENDING);
    return reasons;
}

static csm_status find_candidates(candidates *c, const row_job *job, const csm_track *track) {
    const size_t decisions = job->build->decisions;
    c->decision = csm_alloc_array(decisions, sizeof *c->decision);
    c->slot = csm_alloc_array(decisions, sizeof *c->slot);
    c->reasons = csm_alloc_array(decisions, sizeof *c->reasons);
    c->feature = csm_alloc_array(decisions, sizeof *c->feature);
    if (!c->decision || !c->slot || !c->reasons || !c->feature) return CSM_ENOMEM;
    for (size_t d = 0; d < decisions; d++) {
        size_t slot;
        c->reasons[d] = absence_at(job, track, d, &slot);
        c->feature[d] = UINT32_MAX;
        if (c->reasons[d]) continue;
        c->decision[c->count] = (uint32_t)d;
        c->slot[c->count++] = (uint32_t)slot;
    }
    c->value = csm_alloc(c->count * job->build->recipe->count * sizeof *c->value);
    return c->value ? CSM_OK : CSM_ENOMEM;
}

/* ---- one feature ------------------------------------------------------------------------------------------------------- */

static void miss(candidates *c, size_t i, uint32_t feature, csm_reason reason) {
    const uint32_t d = c->decision[i];
    c->reasons[d] |= reason;
    if (c->feature[d] == UINT32_MAX) c->feature[d] = feature;
}

/* Windows are judged once for each run of features that share sequence and memory. */
typedef struct window_class {
    csm_sequence sequence;
    size_t memory;
    csm_reason *reasons; /* (candidates) */
} window_class;

static void judge_windows(window_class *class, const csm_build *build, const csm_track *track,
                          const candidates *c, const csm_feature *feature) {
    if (class->memory == feature->memory && class->sequence == feature->formula->sequence) return;
    class->memory = feature->memory;
    class->sequence = feature->formula->sequence;
    for (size_t i = 0; i < c->count; i++)
        class->reasons[i] = csm_track_window(build->panel, track, class->sequence, class->memory, c->slot[i]);
}

static double value_at(const csm_build *build, const csm_subject *subject, const csm_feature *feature,
                       size_t f, size_t track, uint32_t slot, uint32_t d) {
    const csm_across_result *across = &build->across[f];
    if (across->common) return across->common[d];
    if (across->own) return across->own[track * build->decisions + d];
    return subject->column[csm_track_newest(subject->track, feature->formula->sequence, slot)];
}

static void fill_feature(candidates *c, const csm_build *build, const csm_subject *subject, size_t track,
                         size_t f, const window_class *class) {
    const csm_feature *feature = &build->recipe->features[f];
    float *value = c->value + f * c->count;
    for (size_t i = 0; i < c->count; i++) {
        value[i] = NAN;
        if (!class->reasons[i])
            value[i] = (float)value_at(build, subject, feature, f, track, c->slot[i], c->decision[i]);
        if (class->reasons[i])
            miss(c, i, (uint32_t)f, class->reasons[i]);
        else if (!isfinite(value[i]))
            miss(c, i, (uint32_t)f, feature->formula->missing);
    }
}

static csm_status fill_features(candidates *c, const csm_build *build, csm_subject *subject, size_t track,
                                const csm_indicator_table *table) {
    window_class class = {.reasons = csm_alloc_array(c->count, sizeof *class.reasons)};
    if (!class.reasons) return CSM_ENOMEM;
    for (size_t f = 0; f < build->recipe->count; f++) {
        const csm_feature *feature = &build->recipe->features[f];
        if (csm_cancelled(build->context)) break;
        judge_windows(&class, build, subject->track, c, feature);
        subject->indicator = csm_indicator_table_column(table, track, f);
        if (feature->formula->across == CSM_ACROSS_NONE)
            feature->formula->run(feature, subject, subject->column);
        fill_feature(c, build, subject, track, f, &class);
    }
    csm_dealloc(class.reasons);
    return csm_cancelled(build->context) ? csm_fail(CSM_ECANCELLED, "fuse: cancelled") : CSM_OK;
}

/* ---- one market -------------------------------------------------------------------------------------------------------- */

static void transpose(float *out, const candidates *c, size_t features, const uint32_t *kept, size_t rows) {
    for (size_t begin = 0; begin < rows; begin += TRANSPOSE_ROWS) {
        const size_t end = rows - begin > TRANSPOSE_ROWS ? begin + TRANSPOSE_ROWS : rows;
        for (size_t f = 0; f < features; f++)
            for (size_t r = begin; r < end; r++) out[r * features + f] = c->value[f * c->count + kept[r]];
    }
}

static csm_status keep_rows(market_rows *out, const candidates *c, const csm_build *build) {
    const size_t features = build->recipe->count;
    uint32_t *kept = csm_alloc_array(c->count, sizeof *kept);
    if (!kept) return CSM_ENOMEM;
    for (size_t i = 0; i < c->count; i++)
        if (!c->reasons[c->decision[i]]) kept[out->rows++] = (uint32_t)i;
    out->matrix = csm_alloc(out->rows * features * sizeof *out->matrix);
    out->times = csm_alloc_array(out->rows, sizeof *out->times);
    if (out->matrix && out->times) {
        transpose(out->matrix, c, features, kept, out->rows);
        for (size_t r = 0; r < out->rows; r++)
            out->times[r] = build->first_decision + (csm_time)c->decision[kept[r]] * build->panel->interval;
    }
    csm_dealloc(kept);
    return out->matrix && out->times ? CSM_OK : CSM_ENOMEM;
}

static csm_status keep_excluded(market_rows *out, const candidates *c, const csm_build *build, size_t track) {
    size_t count = 0;
    for (size_t d = 0; d < build->decisions; d++) count += c->reasons[d] != 0;
    out->excluded = csm_alloc_array(count, sizeof *out->excluded);
    if (!out->excluded) return CSM_ENOMEM;
    for (size_t d = 0; d < build->decisions; d++) {
        if (!c->reasons[d]) continue;
        const csm_time time = build->first_decision + (csm_time)d * build->panel->interval;
        out->excluded[out->excluded_count++] = (csm_excluded_row){
            .time = time, .market = (uint32_t)track, .feature = c->feature[d], .reasons = c->reasons[d]};
    }
    return CSM_OK;
}

static csm_status build_market(const row_job *job, csm_subject *subject, size_t track,
                               const csm_indicator_table *table) {
    candidates c = {0};
    subject->track = &job->build->panel->tracks[track];
    csm_status status = find_candidates(&c, job, subject->track);
    if (!status && c.count > 0) status = fill_features(&c, job->build, subject, track, table);
    if (!status) status = keep_rows(&job->results[track], &c, job->build);
    if (!status) status = keep_excluded(&job->results[track], &c, job->build, track);
    candidates_free(&c);
    return status;
}

static csm_status build_markets(void *user, size_t begin, size_t end, uint32_t worker) {
    const row_job *job = user;
    csm_status status = CSM_OK;
    for (size_t i = begin; i < end && !status; i++)
        status = build_market(job, &job->subjects[worker], job->first_track + i, job->table);
    return status;
}

/* ---- all markets ------------------------------------------------------------------------------------------------------- */

static csm_status build_groups(row_job *job) {
    const csm_build *build = job->build;
    const size_t tracks = build->panel->count;
    csm_status status = CSM_OK;
    for (size_t begin = 0; begin < tracks && !status;) {
        csm_indicator_table table;
        status = csm_progress(build->context, "fuse: features", begin, tracks);
        if (!status) status = csm_indicator_table_run(&table, build, begin);
        if (status) break;
        job->first_track = begin;
        job->table = &table;
        status = csm_parallel_for(build->workers, table.tracks, 1, build_markets, job);
        begin += table.tracks;
        csm_indicator_table_free(&table);
    }
    return status;
}

static csm_status gather(csm_frame *frame, market_rows *results) {
    const size_t features = frame->recipe->count;
    for (size_t i = 0; i < frame->market_count; i++) {
        frame->row_offset[i + 1] = frame->row_offset[i] + results[i].rows;
        frame->excluded_offset[i + 1] = frame->excluded_offset[i] + results[i].excluded_count;
    }
    frame->rows = frame->row_offset[frame->market_count];
    frame->excluded_count = frame->excluded_offset[frame->market_count];
    frame->matrix = csm_realloc_array(NULL, frame->rows, features * sizeof *frame->matrix);
    frame->times = csm_alloc_array(frame->rows, sizeof *frame->times);
    frame->markets = csm_alloc_array(frame->rows, sizeof *frame->markets);
    frame->excluded = csm_alloc_array(frame->excluded_count, sizeof *frame->excluded);
    if (!frame->matrix || !frame->times || !frame->markets || !frame->excluded) return CSM_ENOMEM;
    for (size_t i = 0; i < frame->market_count; i++) {
        market_rows *r = &results[i];
        const size_t at = frame->row_offset[i];
        if (r->rows > 0) {
            memcpy(frame->matrix + at * features, r->matrix, r->rows * features * sizeof *r->matrix);
            memcpy(frame->times + at, r->times, r->rows * sizeof *r->times);
        }
        for (size_t k = 0; k < r->rows; k++) frame->markets[at + k] = (uint32_t)i;
        if (r->excluded_count > 0)
            memcpy(frame->excluded + frame->excluded_offset[i], r->excluded,
                   r->excluded_count * sizeof *r->excluded);
        csm_dealloc(r->matrix);
        csm_dealloc(r->times);
        csm_dealloc(r->excluded);
        *r = (market_rows){0};
    }
    return CSM_OK;
}

static csm_status run_rows(csm_frame *frame, csm_build *build) {
    row_job job = {.build = build, .crosses = csm_recipe_uses(build->recipe, "cross")};
    csm_status status = CSM_ENOMEM;
    job.subjects = csm_alloc_array(build->workers, sizeof *job.subjects);
    job.results = csm_alloc_array(build->panel->count, sizeof *job.results);
    if (!job.subjects || !job.results) goto done;
    status = CSM_OK;
    for (uint32_t i = 0; i < build->workers && !status; i++)
        status = csm_subject_open(&job.subjects[i], build->panel);
    if (!status) status = build_groups(&job);
    if (!status) status = gather(frame, job.results);
done:
    for (uint32_t i = 0; job.subjects && i < build->workers; i++) csm_subject_close(&job.subjects[i]);
    for (size_t i = 0; job.results && i < build->panel->count; i++) {
        csm_dealloc(job.results[i].matrix);
        csm_dealloc(job.results[i].times);
        csm_dealloc(job.results[i].excluded);
    }
    csm_dealloc(job.results);
    csm_dealloc(job.subjects);
    return status;
}

/* Decisions are the multiples of the interval in [from, to), not after as_of; open ends are the data's. */
static csm_status plan_decisions(csm_build *build, const csm_fuse_options *options) {
    const csm_panel *panel = build->panel;
    const csm_time interval = options->interval;
    csm_time first = options->from, end = options->to, data_end = panel->origin;
    for (size_t i = 0; i < panel->count; i++) {
        const csm_track *track = &panel->tracks[i];
        const csm_time last = track->start + (csm_time)track->span * interval;
        if (track->span > 0 && last > data_end) data_end = last;
    }
    if (first == CSM_TIME_MIN) first = panel->slots > 0 ? panel->origin + interval : end;
    if (end == CSM_TIME_MAX) end = panel->slots > 0 ? data_end + 1 : first;
    if (options->as_of < CSM_TIME_MAX && options->as_of + 1 < end) end = options->as_of + 1;
    if (first >= end) return CSM_OK;
    const csm_time floored = csm_time_floor(first, interval);
    build->first_decision = floored < first ? floored + interval : first;
    if (build->first_decision >= end) return CSM_OK;
    const uint64_t span = (uint64_t)end - 1 - (uint64_t)build->first_decision;
    if (span / (uint64_t)interval >= DECISION_LIMIT)
        return csm_fail(CSM_EINVAL, "fuse: from and to span %llu intervals, at most %llu are taken",
                        (unsigned long long)(span / (uint64_t)interval), (unsigned long long)DECISION_LIMIT);
    build->decisions = (size_t)(span / (uint64_t)interval) + 1;
    return CSM_OK;
}

static csm_status run_build(csm_frame *frame, csm_build *build) {
    csm_status status = plan_decisions(build, &frame->options);
    if (status) return status;
    frame->first_decision = build->first_decision;
    frame->decisions = build->decisions;
    build->across = csm_alloc_array(build->recipe->count, sizeof *build->across);
    if (!build->across) return CSM_ENOMEM;
    if (build->decisions > 0) status = csm_across_run(build);
    if (!status) status = run_rows(frame, build);
    csm_across_free(build->across, build->recipe->count);
    return status ? status : csm_facts_build(frame, build->panel);
}

csm_status csm_frame_from_panel(csm_frame **out, csm_context *context, const csm_panel *panel,
                                const csm_recipe *recipe, const csm_fuse_options *options) {
    *out = NULL;
    csm_frame *frame = csm_alloc_array(1, sizeof *frame);
    if (!frame) return CSM_ENOMEM;
    frame->options = *options;
    frame->market_count = panel->count;
    frame->row_offset = csm_alloc_array(panel->count + 1, sizeof *frame->row_offset);
    frame->excluded_offset = csm_alloc_array(panel->count + 1, sizeof *frame->excluded_offset);
    csm_status status = frame->row_offset && frame->excluded_offset ? CSM_OK : CSM_ENOMEM;
    if (!status) status = csm_recipe_copy(&frame->recipe, recipe);
    if (!status) {
        csm_build build = {.context = context, .panel = panel, .recipe = frame->recipe};
        build.threads = csm_context_threads(context);
        build.workers = build.threads;
        if (build.workers > panel->count) build.workers = panel->count > 0 ? (uint32_t)panel->count : 1;
        status = run_build(frame, &build);
    }
    if (status) {
        csm_frame_free(frame);
        return status;
    }
    *out = frame;
    return CSM_OK;
}
