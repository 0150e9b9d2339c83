/* SPDX-License-Identifier: MIT */
/*
 * Intervals online: adaptive conformal inference (Gibbs & Candes 2021) moves the level after each outcome, judged by the interval that was
 * issued with its forecast. Recomputed from walk and ledger at each prediction; nothing is kept elsewhere.
 */
#include "pipeline/interval.h"

#include "store/catalog.h"

#include <math.h>

static csm_status take_walk(csm_conformal *c, const horizon_result *result, size_t window) {
    const horizon_walk *walk = &result->walk;
    csm_status status = CSM_OK;
    for (size_t i = walk->length > window ? walk->length - window : 0; status == CSM_OK && i < walk->length;
         i++) {
        const csm_walk_row *row = &walk->rows[i];
        const double radius = 0.5 * (row->high - row->low);
        if (isnan(row->expected_return)) continue;
        status = csm_conformal_add(c, row->log_return - row->expected_return,
                                   isnan(radius) ? result->radius : radius);
    }
    return status;
}

/* Live forecasts of the model whose outcome could be known by as_of, shadow ones too. */
static csm_status take_live(csm_conformal *c, size_t *rows, const csm_store *store,
                            const csm_training *training, csm_time horizon, csm_time as_of) {
    csm_statement *s = NULL;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT o.log_return - l.expected, (l.high - l.low) / 2 FROM ledger h JOIN ledger l ON l.batch = "
        "h.row "
        "AND l.kind IN (1, 3) JOIN outcomes o ON o.row = l.row AND o.state = 0 WHERE h.kind = 0 AND "
        "substr(h.text, 7, 64) = ?1 AND l.backfill = 0 AND l.horizon = ?2 AND l.decision <= ?3 ORDER BY "
        "l.decision, l.row");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, training->hash);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, horizon);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, as_of - horizon);
    for (bool more = true; status == CSM_OK;) {
        status = csm_statement_step(s, &more);
        if (status != CSM_OK || !more) break;
        const double residual = csm_statement_f64(s, 0), issued = csm_statement_f64(s, 1);
        if (!isfinite(residual) || isnan(issued)) continue;
        status = csm_conformal_add(c, residual, issued);
        ++*rows;
    }
    csm_statement_close(s);
    return status;
}

csm_status csm_radius_in_force(double *radius, const csm_pipeline *p, const csm_training *training, size_t h,
                               csm_time as_of) {
    const horizon_result *result = &training->horizon[h];
    csm_conformal *c = NULL;
    csm_conformal_options options;
    csm_conformal_info info;
    size_t rows = 0;
    *radius = result->radius;
    if (isnan(result->radius) || !csm_config_boolean(p->config, "learn.intervals")) return CSM_OK;
    csm_conformal_options_init(&options, CSM_CONFORMAL_ADAPTIVE);
    options.alpha = 1 - p->settings.interval_level;
    csm_status status = csm_conformal_new(&c, &options);
    if (status == CSM_OK) status = take_walk(c, result, options.window);
    if (status == CSM_OK) status = take_live(c, &rows, p->store, training, result->facts.horizon, as_of);
    if (status == CSM_OK && rows > 0) {
        status = csm_conformal_describe(&info, c);
        *radius = info.radius;
    }
    csm_conformal_free(c);
    return status;
}
