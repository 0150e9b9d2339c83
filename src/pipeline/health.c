/* SPDX-License-Identifier: MIT */
/* The health score: six parts within 0..1, each defined in docs/learn.md; a part that cannot be known yet is not guessed. */
#include "pipeline/champion.h"
#include "store/catalog.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_BACK (28 * CSM_DAY) /* of the error ratio */
#define DATA_REASONS (((csm_reason)1 << 32) - 1)

static void part(csm_health_part *out, const char *name, double weight) {
    *out = (csm_health_part){.name = name, .weight = weight, .value = NAN};
}

/* ---- validation accuracy: share of calibrated walk predictions on the right side of one half ---- */

static void accuracy(csm_health_part *out, const csm_training *champion) {
    double sum = 0;
    size_t horizons = 0, rows = 0;
    for (size_t h = 0; champion && h < champion->horizons; h++) {
        const horizon_walk *walk = &champion->horizon[h].walk;
        size_t judged = 0, right = 0;
        for (size_t i = 0; i < walk->length; i++) {
            if (isnan(walk->rows[i].probability)) continue;
            judged++;
            right += (walk->rows[i].probability >= 0.5) == (walk->rows[i].rises != 0);
        }
        if (judged == 0) continue;
        sum += (double)right / (double)judged;
        horizons++;
        rows += judged;
    }
    if (horizons > 0) out->value = sum / (double)horizons;
    if (horizons > 0)
        snprintf(out->text, sizeof out->text, "mean over %zu horizons of the walk, %zu predictions", horizons,
                 rows);
    else
        snprintf(out->text, sizeof out->text, "no calibrated walk-forward prediction yet");
}

/* ---- portfolio Sharpe: what was issued at the gate's horizon, equal weights, one return a closed block ---- */

typedef struct block_sum {
    int64_t index;
    double sum;
    double count;
} block_sum;

static csm_status portfolio(csm_health_part *out, const csm_training *champion, const csm_pipeline *p) {
    const horizon_walk *walk = NULL;
    const csm_time horizon = p->settings.rank.horizon;
    for (size_t h = 0; champion && h < champion->horizons; h++) {
        if (champion->horizon[h].facts.horizon == horizon) walk = &champion->horizon[h].walk;
    }
    const size_t length = walk ? walk->length : 0;
    block_sum *blocks = csm_alloc_array(length + 1, sizeof *blocks);
    double *returns = csm_alloc_array(length + 1, sizeof *returns);
    size_t n = 0;
    csm_status status = blocks && returns ? CSM_OK : CSM_ENOMEM;
    for (size_t i = 0; status == CSM_OK && i < length; i++) { /* rows are in order of time */
        const csm_walk_row *row = &walk->rows[i];
        if (!(row->probability >= p->settings.rank.gate.threshold)) continue;
        const int64_t index = csm_time_floor(row->time, horizon) / horizon;
        if (n == 0 || blocks[n - 1].index != index) blocks[n++] = (block_sum){.index = index};
        blocks[n - 1].sum += row->log_return - row->cost;
        blocks[n - 1].count++;
    }
    for (size_t b = 0; b < n; b++) returns[b] = blocks[b].sum / blocks[b].count;
    csm_sharpe sharpe = {0};
    if (status == CSM_OK && n >= 3) status = csm_calibrate_sharpe(&sharpe, returns, n, NULL);
    if (status == CSM_OK && n >= 3) {
        out->value = sharpe.probabilistic;
        snprintf(out->text, sizeof out->text,
                 "probability that the true ratio is above 0: %zu blocks with something issued, ratio %.2f",
                 n, sharpe.sharpe);
    } else if (status == CSM_OK || status == CSM_ENODATA) {
        snprintf(out->text, sizeof out->text,
                 "%zu blocks with something issued at the gate's horizon; 3 are needed", n);
        status = CSM_OK;
    }
    csm_dealloc(returns);
    csm_dealloc(blocks);
    return status;
}

/* ---- feedback, errors, data ---- */

static csm_status feedback(csm_health_part *out, const csm_pipeline *p) {
    csm_feedback_counts counts;
    const csm_status status = csm_learn_feedback_count(&counts, p->store);
    if (status != CSM_OK) return status;
    const size_t judged = counts.right + counts.wrong;
    if (judged > 0) out->value = (double)counts.right / (double)judged;
    if (judged > 0)
        snprintf(out->text, sizeof out->text, "%zu forecasts called right, %zu wrong", counts.right,
                 counts.wrong);
    else
        snprintf(out->text, sizeof out->text, "nobody has judged a forecast yet");
    return CSM_OK;
}

static csm_status count_two(double *first, double *second, const csm_pipeline *p, const char *sql,
                            int64_t bound) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(&s, p->store, sql);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, bound);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    *first = *second = 0;
    if (status == CSM_OK && row) {
        *first = (double)csm_statement_i64(s, 0);
        *second = (double)csm_statement_i64(s, 1);
    }
    csm_statement_close(s);
    return status;
}

static csm_status errors(csm_health_part *out, const csm_pipeline *p, double error_ratio) {
    if (!isnan(error_ratio)) {
        out->value = 1 - error_ratio;
        snprintf(out->text, sizeof out->text, "the host counts %.2f %% failures", 100 * error_ratio);
        return CSM_OK;
    }
    double unknown = 0, scored = 0;
    const csm_status status =
        count_two(&unknown, &scored, p,
                  "SELECT coalesce(sum(state <> 0), 0), count(*) FROM outcomes WHERE scored >= ?1",
                  csm_context_now(p->context) - LOOK_BACK);
    if (status != CSM_OK) return status;
    if (scored > 0) out->value = 1 - unknown / scored;
    if (scored > 0)
        snprintf(out->text, sizeof out->text, "%.0f of %.0f outcomes of four weeks stayed unknown", unknown,
                 scored);
    else
        snprintf(out->text, sizeof out->text,
                 "no outcome matured in four weeks, and the host counts no failures");
    return CSM_OK;
}

/* Coins of the newest run without a reason in their data. */
static csm_status completeness(csm_health_part *out, const csm_pipeline *p) {
    double whole = 0, coins = 0;
    const csm_status status = count_two(
        &whole, &coins, p,
        "SELECT coalesce(sum((show & ?1) = 0), 0), count(*) FROM (SELECT DISTINCT market, epoch, show FROM "
        "ledger WHERE kind = 1 AND batch = (SELECT max(batch) FROM ledger WHERE kind = 1))",
        (int64_t)DATA_REASONS);
    if (status != CSM_OK) return status;
    if (coins > 0) out->value = whole / coins;
    if (coins > 0)
        snprintf(out->text, sizeof out->text, "%.0f of %.0f coins of the newest run had complete data", whole,
                 coins);
    else
        snprintf(out->text, sizeof out->text, "no prediction run stands in the ledger yet");
    return CSM_OK;
}

static void freshness(csm_health_part *out, const csm_training *champion, const csm_pipeline *p) {
    if (!champion) {
        snprintf(out->text, sizeof out->text, "no model was trained yet");
        return;
    }
    const double age = (double)(csm_context_now(p->context) - champion->as_of),
                 life = (double)csm_config_duration(p->config, "learn.model_life");
    out->value = age <= 0 ? 1 : age >= life ? 0 : 1 - age / life;
    snprintf(out->text, sizeof out->text, "the champion's data are %.1f days old, its life is %.0f days",
             age / (double)CSM_DAY, life / (double)CSM_DAY);
}

/* ---- the score ---- */

static void add_up(csm_health *out) {
    double sum = 0, weights = 0;
    for (size_t i = 0; i < CSM_HEALTH_PARTS; i++) {
        if (isnan(out->part[i].value)) {
            out->missing++;
            continue;
        }
        sum += out->part[i].weight * out->part[i].value;
        weights += out->part[i].weight;
    }
    out->score = out->missing ? (double)NAN : sum;
    out->available = weights > 0 ? sum / weights : (double)NAN;
    out->go = out->score >= out->go_at;
}

csm_status csm_pipeline_health(csm_health *out, const csm_pipeline *pipeline, double error_ratio) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "health: out and pipeline are required");
    if (!isnan(error_ratio) && !(error_ratio >= 0 && error_ratio <= 1))
        return csm_fail(CSM_EINVAL, "health: error_ratio %g is outside 0..1", error_ratio);
    *out = (csm_health){.go_at = csm_config_real(pipeline->config, "health.go")};
    part(&out->part[0], "validation accuracy", 0.4);
    part(&out->part[1], "portfolio Sharpe", 0.2);
    part(&out->part[2], "feedback success", 0.1);
    part(&out->part[3], "freedom from errors", 0.1);
    part(&out->part[4], "data completeness", 0.1);
    part(&out->part[5], "tuning freshness", 0.1);
    csm_training *champion = NULL;
    csm_status status = csm_pipeline_champion(&champion, pipeline);
    if (status == CSM_ENOTFOUND) status = CSM_OK;
    if (status == CSM_OK) accuracy(&out->part[0], champion);
    if (status == CSM_OK) status = portfolio(&out->part[1], champion, pipeline);
    if (status == CSM_OK) status = feedback(&out->part[2], pipeline);
    if (status == CSM_OK) status = errors(&out->part[3], pipeline, error_ratio);
    if (status == CSM_OK) status = completeness(&out->part[4], pipeline);
    if (status == CSM_OK) freshness(&out->part[5], champion, pipeline);
    add_up(out);
    csm_training_free(champion);
    return status;
}
