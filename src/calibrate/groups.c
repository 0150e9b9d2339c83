/* SPDX-License-Identifier: MIT */
#include "calibrate/internal.h"

#include "core/platform.h"

#include <math.h>

#define LARGE_BYTES ((size_t)4 << 20)

static void hint_large(void *block, size_t bytes) {
    if (bytes >= LARGE_BYTES) csm_platform_large_pages(block, bytes);
}

bool csm_is_group_weight(double weight) {
    return weight >= 1e-100 && weight <= 1e100;
}

static csm_status refuse_row(const double *score, const double *outcome, const double *weight, size_t i) {
    if (!isfinite(score[i])) return csm_fail(CSM_EINVAL, "calibrator: score %zu is not finite", i);
    if (outcome[i] != 0 && outcome[i] != 1)
        return csm_fail(CSM_EINVAL, "calibrator: outcome %zu is %g, neither 0 nor 1", i, outcome[i]);
    return csm_fail(CSM_EINVAL, "calibrator: weight %zu is %g", i, weight ? weight[i] : 1);
}

/* Rows of weight 0 are left out. -0 joins 0. */
static csm_status take_rows(csm_scored_row *rows, size_t *count, const double *score, const double *outcome,
                            const double *weight, size_t n) {
    *count = 0;
    for (size_t i = 0; i < n; i++) {
        double w = weight ? weight[i] : 1;
        bool good =
            isfinite(score[i]) && (outcome[i] == 0 || outcome[i] == 1) && (w == 0 || csm_is_group_weight(w));
        if (!good) return refuse_row(score, outcome, weight, i);
        rows[*count] = (csm_scored_row){score[i] + 0.0, outcome[i] > 0 ? w : -w};
        *count += w != 0;
    }
    return CSM_OK;
}

static csm_status allocate(csm_score_groups *groups, size_t n) {
    groups->score = csm_alloc(n * sizeof *groups->score);
    groups->weight = csm_alloc(n * sizeof *groups->weight);
    groups->positive = csm_alloc(n * sizeof *groups->positive);
    if (!groups->score || !groups->weight || !groups->positive) return CSM_ENOMEM;
    hint_large(groups->score, n * sizeof *groups->score);
    hint_large(groups->weight, n * sizeof *groups->weight);
    hint_large(groups->positive, n * sizeof *groups->positive);
    return CSM_OK;
}

static void group_rows(csm_score_groups *out, const csm_scored_row *rows, size_t n) {
    size_t last = 0;
    for (size_t i = 0; i < n; i++) {
        double weight = fabs(rows[i].weight), positive = rows[i].weight > 0 ? weight : 0;
        if (i && rows[i].score == out->score[last]) {
            out->weight[last] += weight;
            out->positive[last] += positive;
            continue;
        }
        last = i ? last + 1 : 0;
        out->score[last] = rows[i].score;
        out->weight[last] = weight;
        out->positive[last] = positive;
    }
    out->count = n ? last + 1 : 0;
}

csm_status csm_score_groups_make(csm_score_groups *out, const double *score, const double *outcome,
                                 const double *weight, size_t n) {
    *out = (csm_score_groups){0};
    if (n > UINT32_MAX) return csm_fail(CSM_EINVAL, "calibrator: %zu rows are more than 2^32 - 1", n);
    size_t count, bytes = n * sizeof(csm_scored_row);
    csm_scored_row *rows = csm_alloc(bytes), *room = csm_alloc(bytes);
    csm_status status = rows && room ? CSM_OK : CSM_ENOMEM;
    if (status) goto done;
    hint_large(rows, bytes);
    hint_large(room, bytes);
    if ((status = take_rows(rows, &count, score, outcome, weight, n))) goto done;
    csm_sort_rows(rows, room, count);
    if ((status = allocate(out, count))) goto done;
    group_rows(out, rows, count);
done:
    csm_dealloc(room);
    csm_dealloc(rows);
    if (status) csm_score_groups_free(out);
    return status;
}

void csm_score_groups_free(csm_score_groups *groups) {
    csm_dealloc(groups->score);
    csm_dealloc(groups->weight);
    csm_dealloc(groups->positive);
    *groups = (csm_score_groups){0};
}
