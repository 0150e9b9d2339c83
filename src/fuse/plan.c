/* SPDX-License-Identifier: MIT */
/* Which decisions of a market can have a row at all: the rules of DESIGN "Data" that no feature's value is needed for. */
#include "fuse/frame.h"

csm_status csm_plan_classes(csm_build *build) {
    const csm_recipe *recipe = build->recipe;
    build->classes = csm_alloc_array(recipe->count, sizeof *build->classes);
    if (!build->classes) return CSM_ENOMEM;
    for (size_t f = 0; f < recipe->count; f++) {
        const csm_feature *feature = &recipe->features[f];
        const csm_sequence sequence = feature->formula->sequence;
        size_t c = 0;
        while (c < build->class_count &&
               (build->classes[c].memory != feature->memory || build->classes[c].sequence != sequence))
            c++;
        if (feature->memory > build->longest[sequence]) build->longest[sequence] = feature->memory;
        if (c < build->class_count) continue;
        build->classes[build->class_count++] =
            (csm_window_class){.sequence = sequence, .memory = feature->memory, .feature = (uint32_t)f};
    }
    build->crosses = csm_recipe_uses(recipe, "cross") || csm_recipe_uses(recipe, "bitcoin");
    return CSM_OK;
}

void csm_row_plan_free(csm_row_plan *plan) {
    csm_dealloc(plan->decision);
    csm_dealloc(plan->slot);
    csm_dealloc(plan->excluded);
    *plan = (csm_row_plan){0};
}

static csm_reason absence_at(const csm_build *build, const csm_track *track, csm_time decision,
                             int64_t slot) {
    const csm_panel *panel = build->panel;
    const csm_reason gone = track->delisted <= decision ? CSM_REASON_MASK(DELISTED) : 0;
    if (track->span == 0 || slot < 0) return gone | CSM_REASON_MASK(NO_DATA);
    if ((uint64_t)slot >= track->slots) return gone | CSM_REASON_MASK(STALE);
    csm_reason reasons = csm_track_absence(panel, track, (size_t)slot);
    if (build->crosses && panel->late && panel->late[track->first + (size_t)slot])
        reasons |= CSM_REASON_MASK(PENDING);
    return reasons;
}

/* A window without any gap holds none of a shorter one of its sequence. */
static bool all_windows_whole(const csm_build *build, const csm_track *track, size_t s) {
    for (int sequence = 0; sequence < 3; sequence++) {
        const size_t memory = build->longest[sequence];
        if (memory > 0 && !csm_track_whole(track, (csm_sequence)sequence, memory, s)) return false;
    }
    return true;
}

static csm_reason judge_windows(const csm_build *build, const csm_track *track, size_t s, uint32_t *feature) {
    csm_reason reasons = 0;
    if (all_windows_whole(build, track, s)) return 0;
    for (size_t c = 0; c < build->class_count; c++) {
        const csm_window_class *class = &build->classes[c];
        const csm_reason reason = csm_track_window(build->panel, track, class->sequence, class->memory, s);
        if (reason && !reasons) *feature = class->feature;
        reasons |= reason;
    }
    return reasons;
}

csm_status csm_plan_market(csm_row_plan *out, const csm_build *build, size_t index) {
    const csm_track *track = &build->panel->tracks[index];
    csm_row_plan plan = {0};
    plan.decision = csm_alloc_array(build->decisions, sizeof *plan.decision);
    plan.slot = csm_alloc_array(build->decisions, sizeof *plan.slot);
    size_t room = 0;
    const int64_t first = csm_build_slot(build, track);
    const size_t present = build->crosses && build->panel->late ? 0 : csm_track_present(build->panel, track);
    size_t longest = 1;
    for (int i = 0; i < 3; i++)
        if (build->longest[i] > longest) longest = build->longest[i];
    csm_status status = plan.decision && plan.slot ? CSM_OK : CSM_ENOMEM;
    for (size_t d = 0; d < build->decisions && !status; d++) {
        csm_excluded_row row = {.time = build->first_decision + (csm_time)d * build->panel->interval,
                                .market = (uint32_t)index,
                                .feature = UINT32_MAX};
        const size_t slot = (size_t)(first + (int64_t)d);
        if (first + (int64_t)d + 1 >= (int64_t)longest && first + (int64_t)d < (int64_t)present) {
            plan.decision[plan.count] = (uint32_t)d;
            plan.slot[plan.count++] = (uint32_t)slot;
            continue;
        }
        row.reasons = absence_at(build, track, row.time, first + (int64_t)d);
        if (!row.reasons) row.reasons = judge_windows(build, track, slot, &row.feature);
        if (!row.reasons) {
            plan.decision[plan.count] = (uint32_t)d;
            plan.slot[plan.count++] = (uint32_t)slot;
            continue;
        }
        if (plan.excluded_count == room) {
            room = room < 64 ? 64 : 2 * room;
            csm_excluded_row *grown = csm_realloc_array(plan.excluded, room, sizeof *grown);
            if (grown) plan.excluded = grown;
            if (!grown) status = CSM_ENOMEM;
        }
        if (!status) plan.excluded[plan.excluded_count++] = row;
    }
    if (status) csm_row_plan_free(&plan);
    *out = plan;
    return status;
}
