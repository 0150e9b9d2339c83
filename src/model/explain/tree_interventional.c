/* SPDX-License-Identifier: MIT */
/*
 * Against background rows b (Lundberg et al. 2020, "interventional"): a feature outside S takes b's value, so on a path
 * z_j is 0 or 1. Only those j count that the row alone passes (a of them) or b alone (c): with (a - 1)! c! / (a + c)! of
 * the leaf for each of the first, and -a! (c - 1)! / (a + c)! for each of the second, when together they pass the path.
 * Rows and background rows that pass the same features are alike, so both are grouped.
 */
#include "model/explain/trees.h"

#include <stdlib.h>
#include <string.h>

#define SIDE (INTERVENTIONAL_FEATURES + 1)

static int compare_patterns(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* share[a][c] = (a - 1)! c! / (a + c)! = 1 / (a C(a + c, a)), by Pascal's triangle. */
static csm_status make_shares(tree_explanation *e) {
    double row[2 * SIDE] = {1};
    e->share = csm_alloc_array((size_t)SIDE * SIDE, sizeof *e->share);
    if (!e->share) return CSM_ENOMEM;
    for (size_t n = 1; n < 2 * SIDE; n++) {
        for (size_t k = n; k > 0; k--) row[k] += row[k - 1]; /* row[k] = C(n, k) */
        for (size_t a = 1; a <= n && a < SIDE; a++) {
            if (n - a < SIDE) e->share[a * SIDE + (n - a)] = 1 / ((double)a * row[a]);
        }
    }
    return CSM_OK;
}

/* Codes of all background rows, block after block: (blocks, columns, GBT_BLOCK). */
static csm_status code_background(uint8_t **out, const tree_explanation *e, const csm_matrix *background) {
    size_t blocks = (background->rows + GBT_BLOCK - 1) / GBT_BLOCK, block = e->plan->column_count * GBT_BLOCK;
    gbt_scratch *scratch = NULL;
    *out = csm_alloc_array(blocks, block ? block : 1);
    csm_status status = *out ? gbt_scratch_new(&scratch, e->plan) : CSM_ENOMEM;
    for (size_t b = 0; b < blocks && !status; b++) {
        size_t rows = background->rows - b * GBT_BLOCK;
        const uint8_t *code = NULL;
        status = gbt_code_rows(&code, e->plan, e->isa, scratch, background, b * GBT_BLOCK,
                               rows < GBT_BLOCK ? rows : GBT_BLOCK);
        if (!status && block) memcpy(*out + b * block, code, block);
    }
    gbt_scratch_free(scratch);
    return status;
}

static csm_status group_background(csm_buffer *out, const tree_explanation *e, const gbt_path *path,
                                   const uint8_t *code, uint64_t *pattern, size_t rows) {
    size_t block = e->plan->column_count * GBT_BLOCK;
    csm_status status = CSM_OK;
    for (size_t r = 0; r < rows; r++)
        pattern[r] = tree_pattern(&e->paths, path, code + r / GBT_BLOCK * block, r % GBT_BLOCK);
    qsort(pattern, rows, sizeof *pattern, compare_patterns);
    for (size_t begin = 0, end; begin < rows && !status; begin = end) {
        for (end = begin + 1; end < rows && pattern[end] == pattern[begin];) end++;
        const background_pattern group = {pattern[begin], (double)(end - begin) / (double)rows};
        status = csm_buffer_append(out, &group, sizeof group);
    }
    return status;
}

/* The mean prediction: a path counts where all of its features pass. */
static void set_expected(tree_explanation *e) {
    memcpy(e->expected, e->plan->base, e->plan->outputs * sizeof *e->expected);
    for (size_t p = 0; p < e->paths.count; p++) {
        const gbt_path *path = &e->paths.path[p];
        uint64_t all = path->features < 64 ? ((uint64_t)1 << path->features) - 1 : ~(uint64_t)0;
        for (size_t b = e->first_pattern[p]; b < e->first_pattern[p + 1]; b++) {
            if (e->pattern[b].passes == all) e->expected[path->output] += path->value * e->pattern[b].weight;
        }
    }
}

static csm_status take_patterns(tree_explanation *e, const csm_buffer *groups) {
    e->pattern = csm_alloc(groups->length ? groups->length : 1);
    if (!e->pattern) return CSM_ENOMEM;
    if (groups->length) memcpy(e->pattern, groups->data, groups->length);
    set_expected(e);
    return CSM_OK;
}

csm_status tree_background_set(tree_explanation *e, const csm_matrix *background) {
    uint8_t *code = NULL;
    csm_buffer groups = {0};
    csm_status status = CSM_ENOMEM;
    uint64_t *pattern = csm_alloc_array(background->rows, sizeof *pattern);
    e->first_pattern = csm_alloc_array(e->paths.count + 1, sizeof *e->first_pattern);
    if (!pattern || !e->first_pattern) goto done;
    if ((status = make_shares(e))) goto done;
    if ((status = code_background(&code, e, background))) goto done;
    for (size_t p = 0; p < e->paths.count; p++) {
        const gbt_path *path = &e->paths.path[p];
        if (path->features > INTERVENTIONAL_FEATURES) {
            status = csm_fail(CSM_EUNSUPPORTED,
                              "explain: a path of %u distinct features; %d are the most against a background",
                              path->features, INTERVENTIONAL_FEATURES);
            goto done;
        }
        if ((status = group_background(&groups, e, path, code, pattern, background->rows))) goto done;
        e->first_pattern[p + 1] = groups.length / sizeof *e->pattern;
    }
    status = take_patterns(e, &groups);
done:
    csm_dealloc(pattern);
    csm_dealloc(code);
    csm_buffer_free(&groups);
    return status;
}

/* Values of the path's features for a row that passes `passes`. */
static void explain_pattern(double *value, const tree_explanation *e, size_t p, uint64_t passes) {
    const gbt_path *path = &e->paths.path[p];
    uint64_t all = path->features < 64 ? ((uint64_t)1 << path->features) - 1 : ~(uint64_t)0;
    memset(value, 0, path->features * sizeof *value);
    for (size_t b = e->first_pattern[p]; b < e->first_pattern[p + 1]; b++) {
        uint64_t other = e->pattern[b].passes, mine = passes & ~other, its = other & ~passes;
        if ((passes | other) != all) continue;
        size_t a = (size_t)__builtin_popcountll(mine), c = (size_t)__builtin_popcountll(its);
        double leaf = path->value * e->pattern[b].weight;
        for (; mine; mine &= mine - 1) value[__builtin_ctzll(mine)] += leaf * e->share[a * SIDE + c];
        for (; its; its &= its - 1) value[__builtin_ctzll(its)] -= leaf * e->share[c * SIDE + a];
    }
}

void tree_intervene(const tree_explanation *e, double *phi, const uint8_t *code, size_t rows) {
    uint64_t seen[GBT_BLOCK];
    double value[GBT_BLOCK][INTERVENTIONAL_FEATURES];
    for (size_t p = 0; p < e->paths.count; p++) {
        const gbt_path *path = &e->paths.path[p];
        const gbt_path_feature *feature = e->paths.feature + path->feature;
        size_t count = 0;
        for (size_t r = 0; r < rows; r++) {
            uint64_t passes = tree_pattern(&e->paths, path, code, r);
            size_t known = 0;
            while (known < count && seen[known] != passes) known++;
            if (known == count) {
                seen[count++] = passes;
                explain_pattern(value[known], e, p, passes);
            }
            double *to = phi + (size_t)path->output * e->plan->features * GBT_BLOCK + r;
            for (uint32_t j = 0; j < path->features; j++)
                to[(size_t)feature[j].feature * GBT_BLOCK] += value[known][j];
        }
    }
}
