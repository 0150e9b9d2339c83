/* SPDX-License-Identifier: MIT */
/* Combinatorial purged cross-validation (Lopez de Prado 2018, chapters 7 and 12). */
#include "core/internal.h"

#include <cryptosmart/model.h>

#include <stdlib.h>

#define GROUPS_MAX 32
#define EMBARGO_MAX (400000 * CSM_HOUR)

static uint64_t binomial(uint32_t n, uint32_t k) {
    uint64_t ways = 1;
    for (uint32_t i = 1; i <= k; i++)
        ways = ways * (n - k + i) / i; /* whole at each step; n <= 32 stays below 2^35 */
    return k > n ? 0 : ways;
}

static csm_status check_counts(uint32_t groups, uint32_t tests) {
    if (groups < 2 || groups > GROUPS_MAX || tests < 1 || tests >= groups)
        return csm_fail(CSM_EINVAL,
                        "combinatorial: %u of %u groups; 2..%d groups, and fewer tested than there are",
                        tests, groups, GROUPS_MAX);
    return CSM_OK;
}

csm_status csm_model_combinations(uint64_t *count, uint32_t groups, uint32_t tests) {
    if (!count) return csm_fail(CSM_EINVAL, "combinatorial: count is NULL");
    csm_status status = check_counts(groups, tests);
    if (!status) *count = binomial(groups, tests);
    return status;
}

/* Lexicographic: combinations with the first group come first. */
static void choose_groups(bool *tested, uint32_t groups, uint32_t tests, uint64_t combination) {
    for (uint32_t g = 0; g < groups; g++) {
        uint64_t with = tests ? binomial(groups - g - 1, tests - 1) : 0;
        tested[g] = combination < with;
        if (tested[g])
            tests--;
        else
            combination -= with;
    }
}

typedef struct group_span {
    csm_time first; /* decision */
    csm_time last;  /* decision of the next group's first; CSM_TIME_MAX for the last one */
    csm_time ends;  /* of its labels */
    bool empty;     /* too few different decisions for so many groups */
} group_span;

static int by_time(const void *a, const void *b) {
    csm_time left = *(const csm_time *)a, right = *(const csm_time *)b;
    return (left > right) - (left < right);
}

static uint32_t group_of(const group_span *span, uint32_t groups, csm_time begin) {
    uint32_t low = 0, high = groups - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (begin < span[middle].last)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static csm_status make_groups(group_span *span, uint32_t groups, const csm_time *begin, const csm_time *end,
                              size_t n) {
    csm_time *sorted = csm_alloc_array(n, sizeof *sorted);
    if (!sorted) return CSM_ENOMEM;
    for (size_t i = 0; i < n; i++) sorted[i] = begin[i];
    qsort(sorted, n, sizeof *sorted, by_time);
    for (uint32_t g = 0; g < groups; g++) {
        csm_time first = sorted[n * g / groups];
        span[g] =
            (group_span){first, g + 1 < groups ? sorted[n * (g + 1) / groups] : CSM_TIME_MAX, first, true};
    }
    for (size_t i = 0; i < n; i++) {
        group_span *own = &span[group_of(span, groups, begin[i])];
        own->empty = false;
        if (end[i] > own->ends) own->ends = end[i];
    }
    csm_dealloc(sorted);
    return CSM_OK;
}

/* Whether the row must not train beside a tested group. */
static bool is_tainted(const group_span *span, csm_time begin, csm_time end, csm_time embargo) {
    csm_time clear = span->ends > CSM_TIME_MAX - embargo ? CSM_TIME_MAX : span->ends + embargo;
    return !span->empty && end > span->first && begin < clear;
}

csm_status csm_model_combinatorial(uint8_t *part, const csm_time *begin, const csm_time *end, size_t n,
                                   uint32_t groups, uint32_t tests, uint64_t combination, csm_time embargo) {
    group_span span[GROUPS_MAX];
    bool tested[GROUPS_MAX];
    if (n == 0 || !part || !begin || !end)
        return csm_fail(CSM_EINVAL, "combinatorial: %zu rows, or part, begin or end is NULL", n);
    csm_status status = check_counts(groups, tests);
    if (status) return status;
    if (combination >= binomial(groups, tests))
        return csm_fail(CSM_EINVAL, "combinatorial: combination %llu of %llu",
                        (unsigned long long)combination, (unsigned long long)binomial(groups, tests));
    if (embargo < 0 || embargo > EMBARGO_MAX)
        return csm_fail(CSM_EINVAL, "combinatorial: embargo of %lld ns", (long long)embargo);
    for (size_t i = 0; i < n; i++) {
        if (end[i] < begin[i])
            return csm_fail(CSM_EINVAL, "combinatorial: label %zu ends at %lld, before it begins at %lld", i,
                            (long long)end[i], (long long)begin[i]);
    }
    if ((status = make_groups(span, groups, begin, end, n))) return status;
    choose_groups(tested, groups, tests, combination);
    for (size_t i = 0; i < n; i++) {
        part[i] = tested[group_of(span, groups, begin[i])] ? CSM_PART_TEST : CSM_PART_TRAIN;
        for (uint32_t g = 0; g < groups && part[i] == CSM_PART_TRAIN; g++) {
            if (tested[g] && is_tainted(&span[g], begin[i], end[i], embargo)) part[i] = CSM_PART_NONE;
        }
    }
    return CSM_OK;
}
