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

/* Rows of weight 0 are left out. -0 joins 0. Outcomes follow no pattern that a branch could be predicted by, so there is none. */
static csm_status take_rows(csm_scored_row *rows, size_t *count, const double *score, const double *outcome,
                            const double *weight, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const double w = weight ? weight[i] : 1, y = outcome[i];
        const int good =
            (isfinite(score[i]) != 0) & ((y == 0) | (y == 1)) & ((w == 0) | csm_is_group_weight(w));
        if (!good) return refuse_row(score, outcome, weight, i);
        rows[kept] = (csm_scored_row){score[i] + 0.0, (2 * y - 1) * w};
        kept += w != 0;
    }
    *count = kept;
    return CSM_OK;
}

/* Room for n groups, and for n rows behind the scores: they are read before weights stand there. */
static csm_status allocate(csm_score_groups *groups, csm_scored_row **rows, size_t n) {
    const size_t bytes = 3 * n * sizeof *groups->block; /* n < 2^32 */
    groups->block = csm_alloc(bytes);
    if (!groups->block) return CSM_ENOMEM;
    hint_large(groups->block, bytes);
    groups->score = groups->block;
    groups->weight = groups->block + n;
    groups->positive = groups->weight + n;
    *rows = (csm_scored_row *)(void *)groups->weight;
    return CSM_OK;
}

/* A csm_sorted_piece: rows of the last group's score join it. */
static void group_rows(void *user, const csm_scored_row *rows, size_t n) {
    csm_score_groups *out = user;
    double *score = out->score, *total = out->weight, *risen = out->positive;
    size_t count = out->count;
    for (size_t i = 0; i < n; i++) {
        const double weight = fabs(rows[i].weight), positive = (weight + rows[i].weight) / 2;
        if (count && rows[i].score == score[count - 1]) {
            total[count - 1] += weight;
            risen[count - 1] += positive;
            continue;
        }
        score[count] = rows[i].score;
        total[count] = weight;
        risen[count++] = positive;
    }
    out->count = count;
}

csm_status csm_score_groups_make(csm_score_groups *out, const double *score, const double *outcome,
                                 const double *weight, size_t n) {
    *out = (csm_score_groups){0};
    if (n > UINT32_MAX) return csm_fail(CSM_EINVAL, "calibrator: %zu rows are more than 2^32 - 1", n);
    size_t count = 0;
    const size_t bytes = n * sizeof(csm_scored_row);
    csm_scored_row *rows = NULL, *room = csm_alloc(bytes);
    csm_status status = room ? allocate(out, &rows, n) : CSM_ENOMEM;
    if (!status) hint_large(room, bytes);
    if (!status) status = take_rows(rows, &count, score, outcome, weight, n);
    if (!status) status = csm_sort_pieces(rows, room, count, group_rows, out);
    csm_dealloc(room);
    if (status) csm_score_groups_free(out);
    return status;
}

void csm_score_groups_free(csm_score_groups *groups) {
    if (!groups->block) {
        csm_dealloc(groups->score);
        csm_dealloc(groups->weight);
        csm_dealloc(groups->positive);
    }
    csm_dealloc(groups->block);
    *groups = (csm_score_groups){0};
}
