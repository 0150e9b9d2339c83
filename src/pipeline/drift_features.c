/* SPDX-License-Identifier: MIT */
/*
 * Drift of features, an early warning before any outcome. Windows are disjoint and counted from the epoch. A window's distance from the
 * training is the mean over features of the population stability index and of the Kolmogorov-Smirnov distance. Features remember weeks,
 * and coins move together, so p-values that take rows as independent would alarm for ever. Instead the distances of the training's own
 * windows say what is usual: the logarithm of the new one against theirs, by Student's t for one further observation.
 */
#include "pipeline/drift.h"

#include "core/real.h"
#include "pipeline/alarms.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BINS 10
#define WINDOWS_LEAST 8 /* of the training, from which a spread is known */
#define SHARE_OF_BUDGET 0.5
#define STREAMS 2 /* PSI and KS */

void csm_drift_reference_free(drift_reference *reference) {
    csm_dealloc(reference->quantile);
    csm_dealloc(reference->psi);
    csm_dealloc(reference->ks);
    *reference = (drift_reference){0};
}

/* ---- values of one feature ---- */

/* Midnight rows of [from, to). */
static size_t choose_rows(size_t *row, const csm_frame *frame, csm_time from, csm_time to) {
    const csm_time *times = csm_frame_times(frame);
    size_t n = 0;
    for (size_t r = 0; r < csm_frame_rows(frame); r++) {
        if (times[r] >= from && times[r] < to && times[r] % CSM_DAY == 0) row[n++] = r;
    }
    return n;
}

static void take_feature(double *out, const csm_matrix *x, const size_t *row, size_t n, size_t feature) {
    const float *data = x->data;
    for (size_t i = 0; i < n; i++) out[i] = data[(ptrdiff_t)row[i] * x->row_stride + (ptrdiff_t)feature];
}

/* Mean distances of the rows from the reference. room: n + CSM_DRIFT_QUANTILES values. */
static csm_status distances(double *psi, double *ks, const drift_reference *reference, const csm_matrix *x,
                            const size_t *row, size_t n, double *room) {
    double *known = room + n;
    *psi = *ks = 0;
    for (size_t f = 0; f < reference->features; f++) {
        double index = 0;
        csm_ks distance;
        take_feature(room, x, row, n, f);
        for (size_t q = 0; q < CSM_DRIFT_QUANTILES; q++)
            known[q] = reference->quantile[f * CSM_DRIFT_QUANTILES + q];
        csm_status status = csm_learn_psi(&index, known, CSM_DRIFT_QUANTILES, room, n, BINS);
        if (status == CSM_OK) status = csm_learn_ks(&distance, known, CSM_DRIFT_QUANTILES, room, n);
        if (status != CSM_OK) return status;
        *psi += index / (double)reference->features;
        *ks += distance.statistic / (double)reference->features;
    }
    return CSM_OK;
}

/* ---- the reference ---- */

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void keep_quantiles(drift_reference *out, const csm_matrix *x, const size_t *row, size_t n,
                           double *room) {
    for (size_t f = 0; f < out->features; f++) {
        take_feature(room, x, row, n, f);
        qsort(room, n, sizeof *room, ascending);
        for (size_t q = 0; q < CSM_DRIFT_QUANTILES; q++) {
            const double at = ((double)q + 0.5) / CSM_DRIFT_QUANTILES * (double)n;
            out->quantile[f * CSM_DRIFT_QUANTILES + q] = (float)room[(size_t)at];
        }
    }
}

static csm_status judge_windows(drift_reference *out, csm_context *context, const csm_frame *frame,
                                csm_time first, csm_time last, size_t *row, double *room) {
    const csm_matrix x = csm_frame_matrix(frame);
    csm_status status = CSM_OK;
    csm_time from = csm_time_floor(first, out->window);
    if (from < first) from += out->window; /* whole windows alone */
    for (; status == CSM_OK && from + out->window <= last + CSM_DAY; from += out->window) {
        const size_t n = choose_rows(row, frame, from, from + out->window);
        if (n < BINS) continue;
        status = csm_progress(context, "drift reference", out->windows, 0);
        if (status == CSM_OK)
            status = distances(&out->psi[out->windows], &out->ks[out->windows], out, &x, row, n, room);
        out->windows++;
    }
    return status;
}

csm_status csm_drift_reference_make(drift_reference *out, csm_context *context, const csm_frame *frame,
                                    csm_time window, csm_time as_of) {
    const size_t rows = csm_frame_rows(frame), features = csm_frame_matrix(frame).cols;
    const csm_time *times = csm_frame_times(frame);
    csm_time first = CSM_TIME_MAX, last = CSM_TIME_MIN;
    size_t *row = csm_alloc_array(rows + 1, sizeof *row);
    *out = (drift_reference){.window = window, .features = features};
    const size_t n = row ? choose_rows(row, frame, CSM_TIME_MIN, as_of) : 0;
    for (size_t i = 0; i < n; i++) {
        if (times[row[i]] < first) first = times[row[i]];
        if (times[row[i]] > last) last = times[row[i]];
    }
    const size_t windows = n > 0 ? (size_t)((last - first) / window) + 2 : 0;
    double *room = csm_alloc_array(n + CSM_DRIFT_QUANTILES, sizeof *room);
    out->quantile = csm_alloc_array(features * CSM_DRIFT_QUANTILES + 1, sizeof *out->quantile);
    out->psi = csm_alloc_array(windows + 1, sizeof *out->psi);
    out->ks = csm_alloc_array(windows + 1, sizeof *out->ks);
    csm_status status = row && room && out->quantile && out->psi && out->ks ? CSM_OK : CSM_ENOMEM;
    if (status == CSM_OK && n >= CSM_DRIFT_QUANTILES) {
        const csm_matrix x = csm_frame_matrix(frame);
        keep_quantiles(out, &x, row, n, room);
        status = judge_windows(out, context, frame, first, last, row, room);
    }
    csm_dealloc(room);
    csm_dealloc(row);
    if (status != CSM_OK || n < CSM_DRIFT_QUANTILES) csm_drift_reference_free(out);
    return status;
}

/* ---- a live window ---- */

/* Upper tail of Student's t, by Wallace's (1959) normalising transformation; right to a few thousandths from 3 degrees on. */
static double t_tail(double t, double degrees) {
    const double z = sqrt(degrees * csm_log1p(t * t / degrees)) * (8 * degrees + 1) / (8 * degrees + 3);
    return csm_normal_cdf(t > 0 ? -z : z);
}

static double p_value(double distance, const double *usual, size_t n) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(usual[i] > 0)) return NAN;
        mean += csm_log(usual[i]) / (double)n;
    }
    for (size_t i = 0; i < n; i++) squares += (csm_log(usual[i]) - mean) * (csm_log(usual[i]) - mean);
    const double deviation = n > 1 ? sqrt(squares / (double)(n - 1)) : 0;
    if (n < WINDOWS_LEAST || !(deviation > 0) || !(distance > 0)) return NAN;
    return t_tail((csm_log(distance) - mean) / (deviation * sqrt(1 + 1 / (double)n)), (double)(n - 1));
}

csm_status csm_drift_of_window(window_drift *out, const drift_reference *reference, const csm_frame *frame,
                               csm_time from, csm_time to) {
    const csm_matrix x = csm_frame_matrix(frame);
    *out = (window_drift){.psi = NAN, .ks = NAN, .psi_p = NAN, .ks_p = NAN};
    if (x.cols != reference->features)
        return csm_fail(CSM_EINVAL, "drift: %zu features, the reference has %zu", x.cols,
                        reference->features);
    size_t *row = csm_alloc_array(csm_frame_rows(frame) + 1, sizeof *row);
    const size_t n = row ? choose_rows(row, frame, from, to) : 0;
    double *room = csm_alloc_array(n + CSM_DRIFT_QUANTILES, sizeof *room);
    csm_status status = row && room ? CSM_OK : CSM_ENOMEM;
    if (status == CSM_OK && n >= BINS) {
        status = distances(&out->psi, &out->ks, reference, &x, row, n, room);
        out->psi_p = p_value(out->psi, reference->psi, reference->windows);
        out->ks_p = p_value(out->ks, reference->ks, reference->windows);
        out->rows = n;
    }
    csm_dealloc(room);
    csm_dealloc(row);
    return status;
}

static csm_status build_window(csm_frame **out, csm_pipeline *p, const csm_training *training, csm_time from,
                               csm_time to) {
    universe u = {0};
    csm_fuse_options options = p->settings.fuse;
    options.as_of = to;
    options.from = from;
    options.to = to;
    csm_status status = csm_universe_make(&u, p, to, false);
    if (status == CSM_OK)
        status = csm_fuse_build(out, p->context, p->store, training->recipe, u.market, u.count, &options);
    csm_universe_free(&u);
    return status;
}

csm_status csm_drift_of_features(csm_pipeline *p, const csm_training *training, bool backfill) {
    const drift_reference *reference = &training->drift;
    if (reference->features == 0 || reference->windows < WINDOWS_LEAST) return CSM_OK;
    const csm_time now = csm_context_now(p->context), to = csm_time_floor(now, reference->window);
    const csm_time from = to - reference->window;
    size_t standing = 0;
    double level = 0;
    window_drift drift;
    csm_frame *frame = NULL;
    csm_status status = csm_alarms_at(&standing, p->store, training->hash, 0, CSM_TIME_MAX);
    if (status != CSM_OK || standing > 0 || from < training->as_of) return status;
    status = csm_learn_alarm_level(&level, SHARE_OF_BUDGET * csm_config_real(p->config, "learn.false_alarms"),
                                   STREAMS, reference->window);
    if (status == CSM_OK) status = build_window(&frame, p, training, from, to);
    if (status == CSM_OK) status = csm_drift_of_window(&drift, reference, frame, from, to);
    csm_frame_free(frame);
    if (status == CSM_ENODATA) return CSM_OK;
    if (status != CSM_OK || !(drift.psi_p < level || drift.ks_p < level)) return status;
    char text[512];
    snprintf(text, sizeof text,
             "features\nwindow_days %.0f\nrows %zu\nwindows_of_training %zu\npsi %.6g\npsi_p %.3g\nks "
             "%.6g\nks_p %.3g\nlevel "
             "%.3g\n",
             (double)reference->window / (double)CSM_DAY, drift.rows, reference->windows, drift.psi,
             drift.psi_p, drift.ks, drift.ks_p, level);
    return csm_alarm_raise(p, training->hash, 0, text, backfill);
}
