/* SPDX-License-Identifier: MIT */
/*
 * Drift of the relation: Brier losses of a model, one mean a horizon block, first those of its walk, then those of its own live
 * forecasts as they mature. ADWIN and Page-Hinkley read the series; what they find in its live part is an alarm of the ledger.
 */
#include "pipeline/drift.h"

#include "core/real.h"
#include "learn/ledger.h"
#include "pipeline/alarms.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SHARE_OF_BUDGET 0.5 /* of the alarm budget; features have the rest */
#define DETECTORS 2
#define TOLERANCE                                                                                            \
    0.5 /* of Page-Hinkley, in standard deviations of a block's mean: half of the change it is tuned for */
#define WALK_LEAST 10 /* blocks of the walk from which its spread is known */

typedef struct loss_series {
    double *loss; /* a block each */
    size_t walk;  /* of the walk */
    size_t length;
    size_t capacity;
    double sum; /* of the block that is open */
    double count;
    int64_t block;
} loss_series;

static csm_status close_block(loss_series *s) {
    if (s->count == 0) return CSM_OK;
    if (s->length == s->capacity) {
        const size_t capacity = s->capacity ? 2 * s->capacity : 256;
        double *loss = csm_realloc_array(s->loss, capacity, sizeof *loss);
        if (!loss) return CSM_ENOMEM;
        s->loss = loss;
        s->capacity = capacity;
    }
    s->loss[s->length++] = s->sum / s->count;
    s->sum = s->count = 0;
    return CSM_OK;
}

static csm_status add_loss(loss_series *s, csm_time time, csm_time horizon, double probability,
                           double outcome) {
    const int64_t block = csm_time_floor(time, horizon) / horizon;
    csm_status status = CSM_OK;
    if (s->count > 0 && block != s->block) status = close_block(s);
    s->block = block;
    s->sum += (probability - outcome) * (probability - outcome);
    s->count++;
    return status;
}

static csm_status add_live(loss_series *out, const csm_store *store, const char *model, csm_time horizon,
                           csm_time as_of) {
    csm_statement *s = NULL;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT l.decision, l.probability, o.rises FROM ledger h JOIN ledger l ON l.batch = h.row AND l.kind "
        "IN (1, 3) JOIN outcomes o ON o.row = l.row AND o.state = 0 WHERE h.kind = 0 AND substr(h.text, 7, "
        "64) = ?1 AND l.backfill = 0 AND l.horizon = ?2 AND l.probability IS NOT NULL AND l.decision < ?3 "
        "ORDER BY l.decision, l.row");
    /* A block is read once its last label has ended: its mean does not change any more. */
    const csm_time closed = csm_time_floor(as_of, horizon) - horizon;
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, model);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, horizon);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, closed);
    for (bool more = true; status == CSM_OK;) {
        status = csm_statement_step(s, &more);
        if (status != CSM_OK || !more) break;
        status = add_loss(out, csm_statement_i64(s, 0), horizon, csm_statement_f64(s, 1),
                          (double)csm_statement_i64(s, 2));
    }
    csm_statement_close(s);
    return status == CSM_OK ? close_block(out) : status;
}

static csm_status make_series(loss_series *out, const csm_pipeline *p, const csm_training *training,
                              size_t h) {
    const horizon_walk *walk = &training->horizon[h].walk;
    const csm_time horizon = training->horizon[h].facts.horizon;
    csm_status status = CSM_OK;
    for (size_t i = 0; status == CSM_OK && i < walk->length; i++) {
        const csm_walk_row *row = &walk->rows[i];
        if (!isnan(row->probability))
            status = add_loss(out, row->time, horizon, row->probability, row->rises);
    }
    if (status == CSM_OK) status = close_block(out);
    out->walk = out->length;
    if (status == CSM_OK)
        status = add_live(out, p->store, training->hash, horizon, csm_context_now(p->context));
    return status;
}

/* ---- detectors: index of the first live value that raised an alarm, SIZE_MAX for none ---- */

static csm_status run_adwin(size_t *at, const loss_series *s, double level) {
    csm_adwin *adwin = NULL;
    csm_adwin_options options;
    csm_adwin_options_init(&options);
    options.delta = level;
    options.interval = 1;
    csm_status status = csm_adwin_new(&adwin, &options);
    *at = SIZE_MAX;
    for (size_t i = 0; status == CSM_OK && i < s->length && *at == SIZE_MAX; i++) {
        csm_adwin_info before = {0}, after = {0};
        int alarm = 0;
        status = csm_adwin_describe(&before, adwin);
        if (status == CSM_OK) status = csm_adwin_add(&alarm, adwin, s->loss[i]);
        if (status == CSM_OK) status = csm_adwin_describe(&after, adwin);
        if (status == CSM_OK && alarm && i >= s->walk && after.mean > before.mean) *at = i;
    }
    csm_adwin_free(adwin);
    return status;
}

/* Threshold of a one-sided CUSUM of standard normal values with this tolerance, so that false alarms are 1 / level values apart on
 * average: Siegmund's (1985) approximation (exp(2 d b) - 2 d b - 1) / (2 d^2), b = threshold + 1.166. */
static double threshold_of(double level) {
    double low = 0, high = 200;
    for (int i = 0; i < 60; i++) {
        const double b = 0.5 * (low + high), x = 2 * TOLERANCE * b;
        if ((csm_exp(x) - x - 1) / (2 * TOLERANCE * TOLERANCE) < 1 / level)
            low = b;
        else
            high = b;
    }
    return high > 1.166 + 0.5 ? high - 1.166 : 0.5;
}

static csm_status run_page_hinkley(size_t *at, const loss_series *s, double level) {
    double mean = 0, squares = 0;
    *at = SIZE_MAX;
    if (s->walk < WALK_LEAST) return CSM_OK;
    for (size_t i = 0; i < s->walk; i++) mean += s->loss[i] / (double)s->walk;
    for (size_t i = 0; i < s->walk; i++) squares += (s->loss[i] - mean) * (s->loss[i] - mean);
    const double deviation = sqrt(squares / (double)(s->walk - 1));
    if (!(deviation > 0)) return CSM_OK;
    csm_page_hinkley *test = NULL;
    csm_page_hinkley_options options;
    csm_page_hinkley_options_init(&options);
    options.tolerance = TOLERANCE;
    options.threshold = threshold_of(level);
    options.memory = 1;
    csm_status status = csm_page_hinkley_new(&test, &options);
    for (size_t i = 0; status == CSM_OK && i < s->length && *at == SIZE_MAX; i++) {
        csm_page_hinkley_info info;
        int alarm = 0;
        status = csm_page_hinkley_add(&alarm, test, (s->loss[i] - mean) / deviation);
        if (status == CSM_OK) status = csm_page_hinkley_describe(&info, test);
        if (status == CSM_OK && alarm == 1 && i >= s->walk) *at = i;
    }
    csm_page_hinkley_free(test);
    return status;
}

csm_status csm_drift_in_losses(size_t *adwin, size_t *page_hinkley, const double *loss, size_t walk,
                               size_t length, double level) {
    const loss_series series = {.loss = (double *)loss, .walk = walk, .length = length}; /* read only */
    csm_status status = run_adwin(adwin, &series, level);
    return status == CSM_OK ? run_page_hinkley(page_hinkley, &series, level) : status;
}

/* ---- alarms ---- */

static csm_status look(csm_pipeline *p, const csm_training *training, size_t h, bool backfill) {
    const csm_time horizon = training->horizon[h].facts.horizon;
    const double budget = csm_config_real(p->config, "learn.false_alarms") * SHARE_OF_BUDGET;
    loss_series series = {0};
    double level = 0;
    size_t adwin = SIZE_MAX, hinkley = SIZE_MAX;
    csm_status status = make_series(&series, p, training, h);
    if (status == CSM_OK)
        status = csm_learn_alarm_level(&level, budget, DETECTORS * training->horizons, horizon);
    if (status == CSM_OK)
        status = csm_drift_in_losses(&adwin, &hinkley, series.loss, series.walk, series.length, level);
    if (status == CSM_OK && (adwin != SIZE_MAX || hinkley != SIZE_MAX)) {
        double before = 0;
        char text[512];
        for (size_t i = 0; i < series.walk; i++) before += series.loss[i] / (double)series.walk;
        snprintf(text, sizeof text,
                 "losses\nblocks_of_walk %zu\nblocks_live %zu\nloss_of_walk %.6g\nlevel %.3g\n%s%s",
                 series.walk, series.length - series.walk, series.walk ? before : (double)NAN, level,
                 adwin != SIZE_MAX ? "adwin rose\n" : "", hinkley != SIZE_MAX ? "page_hinkley rose\n" : "");
        status = csm_alarm_raise(p, training->hash, horizon, text, backfill);
    }
    csm_dealloc(series.loss);
    return status;
}

csm_status csm_drift_of_losses(csm_pipeline *p, const csm_training *training, bool backfill) {
    csm_status status = CSM_OK;
    for (size_t h = 0; status == CSM_OK && h < training->horizons; h++) {
        size_t standing = 0;
        status = csm_alarms_at(&standing, p->store, training->hash, training->horizon[h].facts.horizon,
                               CSM_TIME_MAX);
        if (status == CSM_OK && standing == 0) status = look(p, training, h, backfill);
    }
    return status;
}
