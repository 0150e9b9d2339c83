/* SPDX-License-Identifier: MIT */
#include "model/gbt/predictor.h"

#include "core/real.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define WALK_TREES 12 /* walked side by side, so that their loads overlap */
#define WALK_STEPS 5

struct gbt_scratch {
    float *tile;           /* (GBT_TILE, GBT_BLOCK) */
    uint8_t *code;         /* (columns, GBT_BLOCK) */
    double *sum;           /* (outputs, GBT_BLOCK) */
    uint32_t *leaf;        /* GBT_BLOCK */
    void *mask;            /* GBT_MASK_BYTES, aligned */
    uint32_t *feature_key; /* features: keys of a single row */
    uint32_t *key;         /* columns */
    uint32_t *at;          /* trees + 1 */
    uint32_t *list;        /* trees + WALK_TREES */
    double *response;      /* outputs */
    void *block;           /* all of the above */
};

static size_t take_bytes(size_t *at, size_t bytes) {
    size_t begin = *at;
    *at += (bytes + 63) / 64 * 64;
    return begin;
}

csm_status gbt_scratch_new(gbt_scratch **out, const gbt_plan *plan) {
    gbt_scratch *scratch = csm_alloc_array(1, sizeof *scratch);
    size_t bytes = 64; /* columns and outputs are below 2^31: no overflow in 64 bits */
    *out = NULL;
    if (!scratch) return CSM_ENOMEM;
    size_t mask = take_bytes(&bytes, GBT_MASK_BYTES);
    size_t tile = take_bytes(&bytes, sizeof(float) * GBT_TILE * GBT_BLOCK);
    size_t sum = take_bytes(&bytes, sizeof(double) * GBT_BLOCK * plan->outputs);
    size_t leaf = take_bytes(&bytes, sizeof(uint32_t) * GBT_BLOCK);
    size_t key = take_bytes(&bytes, sizeof(uint32_t) * (plan->column_count + 1));
    size_t feature_key = take_bytes(&bytes, sizeof(uint32_t) * plan->features);
    size_t at = take_bytes(&bytes, sizeof(uint32_t) * (plan->trees + 1));
    size_t list = take_bytes(&bytes, sizeof(uint32_t) * (plan->trees + WALK_TREES));
    size_t response = take_bytes(&bytes, sizeof(double) * plan->outputs);
    size_t code = take_bytes(&bytes, GBT_BLOCK * plan->column_count);
    scratch->block = csm_alloc_array(1, bytes);
    if (!scratch->block) {
        csm_dealloc(scratch);
        return CSM_ENOMEM;
    }
    char *base = (char *)scratch->block + (64 - (uintptr_t)scratch->block % 64) % 64 - 64;
    scratch->mask = base + mask;
    scratch->tile = (float *)(void *)(base + tile);
    scratch->sum = (double *)(void *)(base + sum);
    scratch->leaf = (uint32_t *)(void *)(base + leaf);
    scratch->key = (uint32_t *)(void *)(base + key);
    scratch->feature_key = (uint32_t *)(void *)(base + feature_key);
    scratch->at = (uint32_t *)(void *)(base + at);
    scratch->list = (uint32_t *)(void *)(base + list);
    scratch->response = (double *)(void *)(base + response);
    scratch->code = (uint8_t *)(base + code);
    *out = scratch;
    return CSM_OK;
}

void gbt_scratch_free(gbt_scratch *scratch) {
    if (!scratch) return;
    csm_dealloc(scratch->block);
    csm_dealloc(scratch);
}

/* ---- results ---- */

static void soften(double *score, uint32_t outputs) {
    double most = score[0], total = 0;
    for (uint32_t o = 1; o < outputs; o++) most = score[o] > most ? score[o] : most;
    for (uint32_t o = 0; o < outputs; o++) total += score[o] = csm_exp(score[o] - most);
    for (uint32_t o = 0; o < outputs; o++) score[o] /= total;
}

static double respond(const gbt_link *link, double raw) {
    switch (link->kind) {
    case GBT_LINK_LOGISTIC:
        return csm_logistic(link->scale * raw);
    case GBT_LINK_EXP:
        return csm_exp(raw);
    case GBT_LINK_LOG1P_EXP:
        return raw > 0 ? raw + csm_log1p(csm_exp(-raw)) : csm_log1p(csm_exp(raw));
    case GBT_LINK_SQUARE:
        return raw < 0 ? -raw * raw : raw * raw;
    case GBT_LINK_STEP:
        return raw > 0 ? 1 : 0;
    default:
        return raw;
    }
}

void gbt_respond(const gbt_link *link, uint32_t outputs, double *score) {
    if (link[0].kind == GBT_LINK_SOFTMAX) {
        soften(score, outputs);
        return;
    }
    for (uint32_t o = 0; o < outputs; o++) score[o] = respond(&link[o], score[o]);
}

static size_t run_stages(const gbt_run *run) {
    size_t trees = run->plan->trees;
    if (!run->stage || trees == 0) return 1;
    return (trees + run->stage - 1) / run->stage;
}

size_t gbt_run_columns(const gbt_run *run) {
    if (run->result == GBT_RESULT_LEAF) return run->plan->trees;
    return run_stages(run) * run->plan->outputs;
}

/* Whether a stage ends after tree t. */
static bool ends_stage(const gbt_run *run, size_t t) {
    return t + 1 == run->plan->trees || (run->stage && (t + 1) % run->stage == 0);
}

static void store(csm_matrix *out, size_t r, size_t c, double value) {
    ptrdiff_t at = (ptrdiff_t)r * out->row_stride + (ptrdiff_t)c * out->col_stride;
    if (out->dtype == CSM_F64)
        ((double *)out->data)[at] = value;
    else
        ((float *)out->data)[at] = (float)value;
}

/* ---- blocks of rows ---- */

static csm_status refuse(const csm_matrix *x, size_t first, size_t rows, size_t feature, bool missing) {
    for (size_t r = first; r < first + rows; r++) {
        for (size_t f = feature; f < x->cols && f < feature + GBT_TILE; f++) {
            float value = (float)csm_matrix_get(x, r, f);
            if (!isfinite(value) && !(missing && isnan(value)))
                return csm_fail(CSM_EINVAL, "gbt: x is not a finite float at row %zu, column %zu", r, f);
        }
    }
    return csm_fail(CSM_EINVAL, "gbt: x changed while it was read");
}

csm_status gbt_code_rows(const uint8_t **code, const gbt_plan *plan, csm_isa isa, gbt_scratch *scratch,
                         const csm_matrix *x, size_t first, size_t rows) {
    uint32_t allowed = plan->missing ? GBT_SAW_NAN : 0;
    size_t c = 0;
    *code = scratch->code;
    for (size_t feature = 0; feature < plan->features; feature += GBT_TILE) {
        uint32_t saw = CSM_ISA_SELECT(isa, csm_gbt_load)(scratch->tile, x, first, rows, feature);
        if (saw & ~allowed) return refuse(x, first, rows, feature, plan->missing);
        for (; c < plan->column_count && plan->column[c].feature < feature + GBT_TILE; c++) {
            const float *values = scratch->tile + (plan->column[c].feature - feature) * GBT_BLOCK;
            CSM_ISA_SELECT(isa, csm_gbt_code)(scratch->code + c * GBT_BLOCK, values, &plan->column[c]);
        }
    }
    return CSM_OK;
}

static void store_stage(const gbt_run *run, gbt_scratch *scratch, csm_matrix *out, size_t first, size_t rows,
                        size_t stage) {
    uint32_t outputs = run->plan->outputs;
    for (size_t i = 0; i < rows; i++) {
        for (uint32_t o = 0; o < outputs; o++) scratch->response[o] = scratch->sum[o * GBT_BLOCK + i];
        if (run->result == GBT_RESULT_RESPONSE) gbt_respond(run->plan->link, outputs, scratch->response);
        for (uint32_t o = 0; o < outputs; o++)
            store(out, first + i, stage * outputs + o, scratch->response[o]);
    }
}

static void run_block(const gbt_run *run, gbt_scratch *scratch, csm_matrix *out, size_t first, size_t rows) {
    const gbt_plan *plan = run->plan;
    size_t stage = 0;
    bool leaves = run->result == GBT_RESULT_LEAF;
    for (uint32_t o = 0; o < plan->outputs; o++) {
        for (size_t i = 0; i < GBT_BLOCK; i++) scratch->sum[o * GBT_BLOCK + i] = plan->base[o];
    }
    for (size_t t = 0, o = 0; t < plan->trees; t++) {
        double *sum = scratch->sum + o * GBT_BLOCK; /* tree t adds to output t % outputs */
        o = o + 1 < plan->outputs ? o + 1 : 0;
        CSM_ISA_SELECT(run->isa, csm_gbt_tree)
        (sum, leaves ? scratch->leaf : NULL, &plan->tree[t], scratch->code, scratch->mask);
        for (size_t i = 0; leaves && i < rows; i++) store(out, first + i, t, scratch->leaf[i]);
        if (!leaves && ends_stage(run, t)) store_stage(run, scratch, out, first, rows, stage++);
    }
    if (!leaves && plan->trees == 0) store_stage(run, scratch, out, first, rows, 0);
}

csm_status gbt_run_rows(const gbt_run *run, gbt_scratch *scratch, const csm_matrix *x, csm_matrix *out,
                        size_t begin, size_t end) {
    for (size_t first = begin; first < end; first += GBT_BLOCK) {
        size_t rows = end - first < GBT_BLOCK ? end - first : GBT_BLOCK;
        const uint8_t *code;
        csm_status status = gbt_code_rows(&code, run->plan, run->isa, scratch, x, first, rows);
        if (status) return status;
        run_block(run, scratch, out, first, rows);
    }
    return CSM_OK;
}

/* ---- one row ---- */

static csm_status refuse_row(const gbt_plan *plan, const float *row) {
    size_t f = 0;
    while (isfinite(row[f]) || (plan->missing && isnan(row[f]))) f++;
    return csm_fail(CSM_EINVAL, "gbt: the row is not a finite float at column %zu", f);
}

/* Keys of the columns. Without missing values, zeros that are missing and sets, they are those of the features. */
static csm_status take_row(const gbt_plan *plan, gbt_scratch *scratch, const float *row) {
    uint32_t infinite = 0, nan = 0;
    for (size_t f = 0; f < plan->features; f++) {
        infinite |= fabsf(row[f]) > FLT_MAX;
        nan |= row[f] != row[f];
        scratch->feature_key[f] = gbt_key(row[f]);
    }
    if (infinite || (nan && !plan->missing)) return refuse_row(plan, row);
    for (size_t c = 0; c < plan->column_count; c++)
        scratch->key[c] = scratch->feature_key[plan->column_feature[c]];
    if (plan->plain && !nan) return CSM_OK;
    for (size_t c = 0; c < plan->column_count; c++) {
        const gbt_column *column = &plan->column[c];
        float value = row[column->feature];
        if (isnan(value) || (column->zero_is_missing && fabsf(value) <= GBT_ZERO))
            scratch->key[c] = gbt_key(column->missing_value);
        else if (column->set)
            scratch->key[c] = gbt_key(gbt_set_holds(column->set, value) ? 0 : 1);
    }
    return CSM_OK;
}

/* WALK_STEPS steps of WALK_TREES walks. A leaf's key keeps a walk where it is; moved[k]: the last step was one. */
static void walk_on(size_t at[WALK_TREES], uint32_t moved[WALK_TREES], const gbt_step *step,
                    const uint32_t *key) {
    for (int i = 0; i < WALK_STEPS; i++) {
        for (size_t k = 0; k < WALK_TREES; k++) {
            size_t next = at[k] + step[at[k]].left + (step[at[k]].key < key[step[at[k]].column]);
            if (i + 1 == WALK_STEPS) moved[k] = next != at[k];
            at[k] = next;
        }
    }
}

/* One tree after the other. */
static void walk_singly(const gbt_plan *plan, gbt_scratch *scratch) {
    for (size_t t = 0; t < plan->trees; t++) {
        uint32_t at = plan->root[t], before;
        do {
            before = at;
            at = plan->walk[at].left +
                 (scratch->key[plan->walk[at].column] > gbt_key(plan->walk[at].threshold));
        } while (at != before);
        scratch->at[t] = at;
    }
}

/* Leaves of all trees: scratch->at holds their nodes. Depths differ, so after a few steps those that still walk close up. */
static void walk_trees(const gbt_plan *plan, gbt_scratch *scratch) {
    uint32_t *at = scratch->at, *list = scratch->list;
    size_t count = plan->trees;
    memcpy(at, plan->root, count * sizeof *at);
    for (size_t t = 0; t < count; t++) list[t] = (uint32_t)t;
    at[plan->trees] = plan->any_leaf; /* walks nowhere: fills the last group */
    while (count) {
        size_t kept = 0;
        for (size_t k = 0; k < WALK_TREES; k++) list[count + k] = (uint32_t)plan->trees;
        for (size_t i = 0; i < count; i += WALK_TREES) {
            uint32_t tree[WALK_TREES], moved[WALK_TREES];
            size_t node[WALK_TREES];
            for (size_t k = 0; k < WALK_TREES; k++) node[k] = at[tree[k] = list[i + k]];
            walk_on(node, moved, plan->step, scratch->key);
            for (size_t k = 0; k < WALK_TREES; k++) {
                at[tree[k]] = (uint32_t)node[k];
                list[kept] = tree[k];
                kept += moved[k];
            }
        }
        count = kept;
    }
}

static void finish_stage(const gbt_run *run, const double *sum, double *out, size_t stage) {
    uint32_t outputs = run->plan->outputs;
    double *to = out + stage * outputs;
    memcpy(to, sum, outputs * sizeof *to);
    if (run->result == GBT_RESULT_RESPONSE) gbt_respond(run->plan->link, outputs, to);
}

csm_status gbt_run_row(const gbt_run *run, gbt_scratch *scratch, const float *row, double *out) {
    const gbt_plan *plan = run->plan;
    double *sum = scratch->sum;
    size_t stage = 0;
    csm_status status = take_row(plan, scratch, row);
    if (status) return status;
    memcpy(sum, plan->base, plan->outputs * sizeof *sum);
    if (plan->step)
        walk_trees(plan, scratch);
    else
        walk_singly(plan, scratch);
    if (run->result == GBT_RESULT_LEAF) {
        for (size_t t = 0; t < plan->trees; t++) out[t] = plan->walk[scratch->at[t]].bin;
        return CSM_OK;
    }
    for (size_t t = 0; t < plan->trees;) {
        size_t end = run->stage && plan->trees - t > run->stage ? t + run->stage : plan->trees;
        for (; plan->outputs == 1 && t < end; t++) sum[0] += plan->node_value[scratch->at[t]];
        for (; t < end; t++) sum[t % plan->outputs] += plan->node_value[scratch->at[t]];
        finish_stage(run, sum, out, stage++);
    }
    if (plan->trees == 0) finish_stage(run, sum, out, 0);
    return CSM_OK;
}
