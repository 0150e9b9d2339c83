/* SPDX-License-Identifier: MIT */
#include "model/explain/trees.h"

#include <math.h>
#include <string.h>

typedef struct explain_job {
    const tree_explanation *explanation;
    const csm_matrix *x;
    csm_matrix *out;
} explain_job;

static void store(csm_matrix *out, size_t r, size_t c, double value) {
    ptrdiff_t at = (ptrdiff_t)r * out->row_stride + (ptrdiff_t)c * out->col_stride;
    if (out->dtype == CSM_F64)
        ((double *)out->data)[at] = value;
    else
        ((float *)out->data)[at] = (float)value;
}

/* ---- contributions ---- */

/* phi (outputs, features, width) of `rows` rows into out from row `first`. */
static void store_values(const explain_job *job, const double *phi, size_t width, size_t first, size_t rows) {
    const tree_explanation *e = job->explanation;
    size_t features = e->plan->features;
    for (size_t r = 0; r < rows; r++) {
        for (uint32_t o = 0; o < e->plan->outputs; o++) {
            size_t column = o * (features + 1);
            for (size_t f = 0; f < features; f++)
                store(job->out, first + r, column + f, phi[(o * features + f) * width + r]);
            store(job->out, first + r, column + features, e->expected[o]);
        }
    }
}

static csm_status explain_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    const explain_job *job = user;
    const tree_explanation *e = job->explanation;
    size_t width = e->pattern ? GBT_BLOCK : GBT_SLICE, count = e->plan->outputs * e->plan->features * width;
    gbt_scratch *scratch = NULL;
    (void)worker;
    double *phi = csm_alloc_array(count, sizeof *phi);
    csm_status status = phi ? gbt_scratch_new(&scratch, e->plan) : CSM_ENOMEM;
    for (size_t first = begin; first < end && !status; first += GBT_BLOCK) {
        size_t rows = end - first < GBT_BLOCK ? end - first : GBT_BLOCK;
        const uint8_t *code;
        if ((status = gbt_code_rows(&code, e->plan, e->isa, scratch, job->x, first, rows))) break;
        for (size_t at = 0; at < rows; at += width) {
            size_t taken = rows - at < width ? rows - at : width;
            memset(phi, 0, count * sizeof *phi);
            if (e->pattern)
                tree_intervene(e, phi, code, rows);
            else
                CSM_ISA_SELECT(e->isa, csm_gbt_explain)(phi, e->plan->features, &e->paths, code, at);
            store_values(job, phi, width, first + at, taken);
        }
    }
    gbt_scratch_free(scratch);
    csm_dealloc(phi);
    return status;
}

csm_status tree_explain(const tree_explanation *explanation, csm_context *context, const csm_matrix *x,
                        csm_matrix *out) {
    explain_job job = {explanation, x, out};
    return csm_parallel_for(context ? csm_context_threads(context) : 1, x->rows, GBT_BLOCK, explain_rows,
                            &job);
}

/* ---- interactions ---- */

/*
 * Pairs i, j of one path, as csm_gbt_explain does for one feature: phi_ij = 1/2 v (o_i - z_i)(o_j - z_j) int prod over the
 * others (Lundberg et al. 2020, eq. 3 f). What is left of phi_i goes to the diagonal. total (features + 1)^2.
 */
static void interact_path(double *total, const tree_explanation *e, const gbt_path *path, const uint8_t *code,
                          size_t row) {
    const gbt_path_feature *feature = e->paths.feature + path->feature;
    const double *constant = e->paths.constant + path->constant, *weight = e->paths.weight[path->nodes];
    uint32_t nodes = path->nodes;
    size_t side = e->plan->features + 1;
    double product[GBT_PATH_NODES];
    bool passes[GBT_PATH_FEATURES];
    for (uint32_t q = 0; q < nodes; q++) product[q] = path->value * weight[q];
    for (uint32_t j = 0; j < path->features; j++) {
        passes[j] = tree_passes(&e->paths, &feature[j], code, row);
        const double *factor = constant + 3 * (size_t)nodes * j + (passes[j] ? nodes : 0);
        for (uint32_t q = 0; q < nodes; q++) product[q] *= factor[q];
    }
    for (uint32_t i = 0; i < path->features; i++) {
        const double *gi = passes[i] ? constant + 3 * (size_t)nodes * i + 2 * (size_t)nodes : weight + nodes;
        double own = 0, shared = 0, without[GBT_PATH_NODES];
        for (uint32_t q = 0; q < nodes; q++) own += without[q] = product[q] * gi[q];
        for (uint32_t j = 0; j < path->features; j++) {
            const double *gj =
                passes[j] ? constant + 3 * (size_t)nodes * j + 2 * (size_t)nodes : weight + nodes;
            double pair = 0;
            if (j == i) continue;
            for (uint32_t q = 0; q < nodes; q++) pair += without[q] * gj[q];
            total[(size_t)feature[i].feature * side + feature[j].feature] += pair / 2;
            shared += pair / 2;
        }
        total[(size_t)feature[i].feature * side + feature[i].feature] += own - shared;
    }
}

static csm_status interact_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    const explain_job *job = user;
    const tree_explanation *e = job->explanation;
    size_t side = e->plan->features + 1, outputs = e->plan->outputs;
    gbt_scratch *scratch = NULL;
    (void)worker;
    double *total = csm_alloc_array(outputs * side, side * sizeof *total);
    csm_status status = total ? gbt_scratch_new(&scratch, e->plan) : CSM_ENOMEM;
    for (size_t first = begin; first < end && !status; first += GBT_BLOCK) {
        size_t rows = end - first < GBT_BLOCK ? end - first : GBT_BLOCK;
        const uint8_t *code;
        if ((status = gbt_code_rows(&code, e->plan, e->isa, scratch, job->x, first, rows))) break;
        for (size_t r = 0; r < rows; r++) {
            memset(total, 0, outputs * side * side * sizeof *total);
            for (size_t p = 0; p < e->paths.count; p++)
                interact_path(total + e->paths.path[p].output * side * side, e, &e->paths.path[p], code, r);
            for (size_t o = 0; o < outputs; o++) total[(o + 1) * side * side - 1] = e->expected[o];
            for (size_t i = 0; i < outputs * side * side; i++) store(job->out, first + r, i, total[i]);
        }
    }
    gbt_scratch_free(scratch);
    csm_dealloc(total);
    return status;
}

csm_status tree_interact(const tree_explanation *explanation, csm_context *context, const csm_matrix *x,
                         csm_matrix *out) {
    explain_job job = {explanation, x, out};
    return csm_parallel_for(context ? csm_context_threads(context) : 1, x->rows, 16, interact_rows, &job);
}
