/* SPDX-License-Identifier: MIT */
#include "calibrate/internal.h"

#include "core/real.h"

#include <math.h>

void csm_calibrator_options_init(csm_calibrator_options *options) {
    *options = (csm_calibrator_options){.size = sizeof *options, .method = CSM_CALIBRATION_AUTO};
}

/* ---- methods ---- */

/* STATISTICS "Probability, evidence, gate". */
static const struct {
    const char *name;
    double blocks_needed;
    bool parametric;
} methods[CSM_CALIBRATIONS] = {[CSM_CALIBRATION_AUTO] = {"auto", 0, false},
                               [CSM_CALIBRATION_PLATT] = {"Platt", 0, true},
                               [CSM_CALIBRATION_ISOTONIC] = {"isotonic", CSM_BLOCKS_ISOTONIC, false},
                               [CSM_CALIBRATION_BETA] = {"beta", 0, true},
                               [CSM_CALIBRATION_TEMPERATURE] = {"temperature", CSM_BLOCKS_UNSHRUNK, true},
                               [CSM_CALIBRATION_VENN_ABERS] = {"Venn-Abers", CSM_BLOCKS_ISOTONIC, false}};

const char *csm_calibration_name(uint32_t method) {
    return method < CSM_CALIBRATIONS ? methods[method].name : "unknown";
}

bool csm_calibration_is_parametric(uint32_t method) {
    return methods[method].parametric;
}

double csm_calibration_blocks_needed(uint32_t method) {
    return methods[method].blocks_needed;
}

uint32_t csm_calibration_by_blocks(double blocks) {
    return blocks >= CSM_BLOCKS_ISOTONIC ? CSM_CALIBRATION_ISOTONIC : CSM_CALIBRATION_PLATT;
}

csm_status csm_calibrator_options_check(csm_calibrator_options *out, const csm_calibrator_options *user) {
    csm_calibrator_options_init(out);
    csm_status status = csm_options_take(out, sizeof *out, user, "csm_calibrator_options");
    if (status) return status;
    if (out->method >= CSM_CALIBRATIONS)
        return csm_fail(CSM_EINVAL, "calibrator: method %u is not known", out->method);
    if (!(out->blocks > 0) || !isfinite(out->blocks))
        return csm_fail(CSM_EINVAL, "calibrator: blocks = %g; give csm_calibrate_blocks of the rows",
                        out->blocks);
    if (out->blocks < methods[out->method].blocks_needed)
        return csm_fail(CSM_ENODATA, "calibrator: %s needs %g disjoint blocks, the rows hold %g",
                        methods[out->method].name, methods[out->method].blocks_needed, out->blocks);
    return CSM_OK;
}

/* ---- fit ---- */

/* Share of the anchor in a probability: all of it without a block, falling in a line to none at 30 blocks, so that p
 * does not jump when a block matures. */
static double shrinkage_of(double blocks) {
    return blocks >= CSM_BLOCKS_UNSHRUNK ? 0 : 1 - blocks / CSM_BLOCKS_UNSHRUNK;
}

/* What probabilities are shrunk toward: the base rate, but never above what the blocks support, counting each block as
 * one observation under Laplace's rule: (blocks * base + 1) / (blocks + 2). A high base rate over few blocks thus cannot
 * carry a coin over the gate. */
static double anchor_of(const csm_calibrator_info *info) {
    double supported = (info->blocks * info->base_rate + 1) / (info->blocks + 2);
    return info->base_rate < supported ? info->base_rate : supported;
}

static csm_status check_classes(const csm_score_groups *groups, size_t n, double *base_rate) {
    double positive = 0, weight = 0, negative = 0;
    for (size_t k = 0; k < groups->count; k++) {
        positive += groups->positive[k];
        negative += groups->weight[k] - groups->positive[k];
        weight += groups->weight[k];
    }
    if (n < 2 || !(positive > 0) || !(negative > 0))
        return csm_fail(CSM_ENODATA,
                        "calibrator: %zu rows with %g positive of weight %g; it needs both outcomes", n,
                        positive, weight);
    *base_rate = positive / weight;
    return CSM_OK;
}

csm_status csm_calibrator_begin(csm_calibrator **out, const double *score, const double *outcome,
                                const double *weight, size_t n, const csm_calibrator_options *options) {
    *out = NULL;
    csm_calibrator *calibrator = csm_alloc_array(1, sizeof *calibrator);
    if (!calibrator) return CSM_ENOMEM;
    csm_calibrator_info *info = &calibrator->info;
    *info = (csm_calibrator_info){.matured = options->matured != 0,
                                  .rows = n,
                                  .blocks = options->blocks,
                                  .shrinkage = shrinkage_of(options->blocks)};
    for (size_t m = 0; m < CSM_CALIBRATIONS; m++) info->log_loss[m] = NAN;
    csm_status status = csm_score_groups_make(&calibrator->groups, score, outcome, weight, n);
    if (!status) status = check_classes(&calibrator->groups, n, &info->base_rate);
    if (!status) status = csm_isotonic_fit(&calibrator->isotonic, &calibrator->groups);
    if (status)
        csm_calibrator_free(calibrator);
    else
        *out = calibrator;
    return status;
}

csm_status csm_calibrator_set_method(csm_calibrator *calibrator, uint32_t method) {
    csm_calibrator_info *info = &calibrator->info;
    info->method = method;
    info->slope = info->slope_high = info->intercept = NAN;
    if (!methods[method].parametric) return CSM_OK;
    return csm_logistic_fit(&info->slope, &info->slope_high, &info->intercept, method, &calibrator->groups);
}

csm_status csm_calibrator_fit(csm_calibrator **out, const double *score, const double *outcome,
                              const double *weight, size_t n, const csm_calibrator_options *user) {
    csm_calibrator_options options;
    csm_calibrator *calibrator = NULL;
    if (!out) return csm_fail(CSM_EINVAL, "calibrator: out is NULL");
    *out = NULL;
    if (n && (!score || !outcome)) return csm_fail(CSM_EINVAL, "calibrator: score or outcome is NULL");
    csm_status status = csm_calibrator_options_check(&options, user);
    if (status) return status;
    uint32_t method = options.method ? options.method : csm_calibration_by_blocks(options.blocks);
    status = csm_calibrator_begin(&calibrator, score, outcome, weight, n, &options);
    if (!status) status = csm_calibrator_set_method(calibrator, method);
    if (status)
        csm_calibrator_free(calibrator);
    else
        *out = calibrator;
    return status;
}

void csm_calibrator_free(csm_calibrator *calibrator) {
    if (!calibrator) return;
    csm_score_groups_free(&calibrator->groups);
    csm_isotonic_free(&calibrator->isotonic);
    csm_venn_abers_free(atomic_load(&calibrator->venn_abers));
    csm_dealloc(calibrator);
}

static csm_status check_scores(const csm_calibrator *calibrator, const double *score, const double *first,
                               const double *second, size_t n) {
    if (!calibrator || (n && (!score || !first || !second)))
        return csm_fail(CSM_EINVAL, "calibrator: an argument is NULL");
    size_t finite = 0; /* without a branch, so that many are looked at at once */
    for (size_t i = 0; i < n; i++) finite += isfinite(score[i]) != 0;
    for (size_t i = 0; finite < n && i < n; i++) {
        if (!isfinite(score[i])) return csm_fail(CSM_EINVAL, "calibrator: score %zu is not finite", i);
    }
    return CSM_OK;
}

/* The pools are made when first asked for. Threads may ask at once: all make them, one keeps its own. The object was never
 * a const one, only the caller's view of it is. */
static csm_status venn_abers_of(const csm_venn_abers **out, const csm_calibrator *calibrator) {
    _Atomic(csm_venn_abers *) *kept = &((csm_calibrator *)(uintptr_t)calibrator)->venn_abers;
    csm_venn_abers *pools = atomic_load(kept), *mine = NULL;
    if (!pools) {
        csm_status status = csm_venn_abers_fit(&mine, &calibrator->groups);
        if (status) return status;
        if (atomic_compare_exchange_strong(kept, &pools, mine))
            pools = mine;
        else
            csm_venn_abers_free(mine);
    }
    *out = pools;
    return CSM_OK;
}

/* Of the pair, the value whose worst regret in log loss is least: p1 / (1 - p0 + p1) (Vovk, Petej & Fedorova 2015). */
static double merged(const csm_venn_abers *pools, const csm_score_groups *groups, double score) {
    double p0 = csm_venn_abers_at(pools, groups, score, 0), p1 = csm_venn_abers_at(pools, groups, score, 1);
    return p1 / (1 - p0 + p1);
}

csm_status csm_calibrator_apply(const csm_calibrator *calibrator, const double *score, double *probability,
                                size_t n) {
    csm_status status = check_scores(calibrator, score, probability, probability, n);
    if (status) return status;
    const csm_calibrator_info *info = &calibrator->info;
    const csm_venn_abers *pools = NULL;
    if (info->method == CSM_CALIBRATION_VENN_ABERS && (status = venn_abers_of(&pools, calibrator)))
        return status;
    const double anchor = anchor_of(info), shrinkage = info->shrinkage;
    if (info->method == CSM_CALIBRATION_ISOTONIC) {
        csm_isotonic_apply(&calibrator->isotonic, score, probability, n);
    } else {
        for (size_t i = 0; i < n; i++)
            probability[i] = pools ? merged(pools, &calibrator->groups, score[i])
                                   : csm_logistic_at(score[i], info->method, info->slope, info->slope_high,
                                                     info->intercept);
    }
    for (size_t i = 0; shrinkage > 0 && i < n; i++) probability[i] += shrinkage * (anchor - probability[i]);
    return CSM_OK;
}

csm_status csm_calibrator_venn_abers(const csm_calibrator *calibrator, const double *score, double *p0,
                                     double *p1, size_t n) {
    csm_status status = check_scores(calibrator, score, p0, p1, n);
    if (status) return status;
    const csm_venn_abers *pools;
    if ((status = venn_abers_of(&pools, calibrator))) return status;
    for (size_t i = 0; i < n; i++) {
        p0[i] = csm_venn_abers_at(pools, &calibrator->groups, score[i], 0);
        p1[i] = csm_venn_abers_at(pools, &calibrator->groups, score[i], 1);
    }
    return CSM_OK;
}

csm_status csm_calibrator_describe(csm_calibrator_info *out, const csm_calibrator *calibrator) {
    if (!out || !calibrator) return csm_fail(CSM_EINVAL, "calibrator: out or calibrator is NULL");
    *out = calibrator->info;
    return CSM_OK;
}
