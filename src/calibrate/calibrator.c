/* SPDX-License-Identifier: MIT */
#include "calibrate/internal.h"

#include "core/real.h"

#include <math.h>

void csm_calibrator_options_init(csm_calibrator_options *options) {
    *options = (csm_calibrator_options){.size = sizeof *options, .method = CSM_CALIBRATION_AUTO};
}

/* STATISTICS "Probability, evidence, gate": Platt until 100 blocks, isotonic from there on. */
static csm_status choose_method(uint32_t *out, const csm_calibrator_options *options) {
    if (options->method > CSM_CALIBRATION_ISOTONIC)
        return csm_fail(CSM_EINVAL, "calibrator: method %u is not known", options->method);
    if (!(options->blocks > 0) || !isfinite(options->blocks))
        return csm_fail(CSM_EINVAL, "calibrator: blocks = %g; give csm_calibrate_blocks of the rows",
                        options->blocks);
    bool enough = options->blocks >= CSM_BLOCKS_ISOTONIC;
    if (options->method == CSM_CALIBRATION_ISOTONIC && !enough)
        return csm_fail(CSM_ENODATA, "calibrator: isotonic needs %d disjoint blocks, the rows hold %g",
                        CSM_BLOCKS_ISOTONIC, options->blocks);
    *out = options->method;
    if (*out == CSM_CALIBRATION_AUTO) *out = enough ? CSM_CALIBRATION_ISOTONIC : CSM_CALIBRATION_PLATT;
    return CSM_OK;
}

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

csm_status csm_calibrator_fit(csm_calibrator **out, const double *score, const double *outcome,
                              const double *weight, size_t n, const csm_calibrator_options *user) {
    csm_calibrator_options options;
    if (!out) return csm_fail(CSM_EINVAL, "calibrator: out is NULL");
    *out = NULL;
    if (n && (!score || !outcome)) return csm_fail(CSM_EINVAL, "calibrator: score or outcome is NULL");
    csm_calibrator_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_calibrator_options");
    if (status) return status;
    uint32_t method;
    if ((status = choose_method(&method, &options))) return status;
    csm_calibrator *calibrator = csm_alloc_array(1, sizeof *calibrator);
    if (!calibrator) return CSM_ENOMEM;
    csm_calibrator_info *info = &calibrator->info;
    *info = (csm_calibrator_info){.method = method,
                                  .matured = options.matured != 0,
                                  .rows = n,
                                  .blocks = options.blocks,
                                  .shrinkage = shrinkage_of(options.blocks),
                                  .slope = NAN,
                                  .intercept = NAN};
    if ((status = csm_score_groups_make(&calibrator->groups, score, outcome, weight, n))) goto done;
    if ((status = check_classes(&calibrator->groups, n, &info->base_rate))) goto done;
    if (method == CSM_CALIBRATION_PLATT &&
        (status = csm_platt_fit(&info->slope, &info->intercept, &calibrator->groups)))
        goto done;
    if ((status = csm_isotonic_fit(&calibrator->isotonic, &calibrator->groups))) goto done;
    *out = calibrator;
    calibrator = NULL;
done:
    csm_calibrator_free(calibrator);
    return status;
}

void csm_calibrator_free(csm_calibrator *calibrator) {
    if (!calibrator) return;
    csm_score_groups_free(&calibrator->groups);
    csm_isotonic_free(&calibrator->isotonic);
    csm_dealloc(calibrator);
}

static csm_status check_scores(const csm_calibrator *calibrator, const double *score, const double *first,
                               const double *second, size_t n) {
    if (!calibrator || (n && (!score || !first || !second)))
        return csm_fail(CSM_EINVAL, "calibrator: an argument is NULL");
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(score[i])) return csm_fail(CSM_EINVAL, "calibrator: score %zu is not finite", i);
    }
    return CSM_OK;
}

csm_status csm_calibrator_apply(const csm_calibrator *calibrator, const double *score, double *probability,
                                size_t n) {
    csm_status status = check_scores(calibrator, score, probability, probability, n);
    if (status) return status;
    const csm_calibrator_info *info = &calibrator->info;
    double anchor = anchor_of(info);
    for (size_t i = 0; i < n; i++) {
        double p = info->method == CSM_CALIBRATION_PLATT
                       ? csm_logistic(info->slope * score[i] + info->intercept)
                       : csm_isotonic_at(&calibrator->isotonic, score[i]);
        probability[i] = p + info->shrinkage * (anchor - p);
    }
    return CSM_OK;
}

csm_status csm_calibrator_venn_abers(const csm_calibrator *calibrator, const double *score, double *p0,
                                     double *p1, size_t n) {
    csm_status status = check_scores(calibrator, score, p0, p1, n);
    if (status) return status;
    for (size_t i = 0; i < n; i++) {
        p0[i] = csm_isotonic_with(&calibrator->isotonic, &calibrator->groups, score[i], 0);
        p1[i] = csm_isotonic_with(&calibrator->isotonic, &calibrator->groups, score[i], 1);
    }
    return CSM_OK;
}

csm_status csm_calibrator_describe(csm_calibrator_info *out, const csm_calibrator *calibrator) {
    if (!out || !calibrator) return csm_fail(CSM_EINVAL, "calibrator: out or calibrator is NULL");
    *out = calibrator->info;
    return CSM_OK;
}
