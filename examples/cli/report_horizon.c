/* SPDX-License-Identifier: MIT */
/* What the walk-forward record shows at each horizon, beside base rate and momentum rule. */
#include "report.h"

#include <math.h>
#include <stdlib.h>

/* ---- scores ---- */

typedef struct score_line {
    const char *title;
    const char *better;
    const char *beside; /* what stands in the last column */
    const csm_band *model;
    const csm_band *baseline;
} score_line;

static void score_row(markup *m, const score_line *line) {
    char value[32], low[32], high[32], base[32];
    markup_add(m, "<tr><th scope=\"row\">%s <small>%s</small></th>", line->title, line->better);
    cell_number(m, fixed_text(line->model->value, 4, value, sizeof value));
    if (isfinite(line->model->low) && isfinite(line->model->high))
        markup_add(m, "<td class=\"n soft\">%s &#8230; %s</td>",
                   fixed_text(line->model->low, 4, low, sizeof low),
                   fixed_text(line->model->high, 4, high, sizeof high));
    else
        markup_add(m, "<td class=\"n soft\">n/a</td>");
    markup_add(m, "<td class=\"n\">%s <small>%s</small></td></tr>\n",
               fixed_text(line->baseline->value, 4, base, sizeof base), line->beside);
}

static void scores_table(markup *m, const csm_horizon_training *t, const char *name) {
    const csm_scores *s = &t->model, *b = &t->baseline;
    const score_line lines[] = {
        {"Brier score", "lower is better", "base rate", &s->brier, &b->brier},
        {"Brier skill", "above 0 beats the base rate", "base rate", &s->brier_skill, &b->brier_skill},
        {"log loss", "lower is better", "base rate", &s->log_loss, &b->log_loss},
        {"ECE, equal mass", "lower is better", "base rate", &s->ece, &b->ece},
        {"rank IC", "above 0 orders coins well", "momentum", &s->rank_ic, &b->rank_ic},
    };
    static const column columns[] = {
        {"score", false}, {"model", true}, {"90&#160;% band", true}, {"base rate or momentum", true}};
    char rows[48], blocks[32], dates[48], a[32], c[32], d[32], e[32];
    table_begin(m, "scores", "Scores", name);
    markup_add(
        m,
        "<caption>Scores of %s judged predictions on %s dates in <b>%s disjoint blocks</b> "
        "(N<sub>eff</sub>), with 90&#160;%% bands from a block bootstrap, beside the base rate known at "
        "the time and a momentum rule.</caption>\n",
        count_text(s->rows, rows, sizeof rows), count_text(s->dates, dates, sizeof dates),
        blocks_text(s->blocks, blocks, sizeof blocks));
    table_columns(m, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) score_row(m, &lines[i]);
    table_end(m);
    markup_add(
        m, "<p class=\"small\">Brier = reliability %s &#8722; resolution %s + uncertainty %s. ICIR %s.</p>\n",
        fixed_text(s->reliability, 4, a, sizeof a), fixed_text(s->resolution, 4, c, sizeof c),
        fixed_text(s->uncertainty, 4, d, sizeof d), fixed_text(s->rank_icir, 2, e, sizeof e));
}

/* ---- evidence of issued calls ---- */

static void issued_row(markup *m, const char *title, double precision, double net, double doubled) {
    char text[32];
    markup_add(m, "<tr><th scope=\"row\">%s</th>", title);
    cell_number(m, isfinite(precision) ? probability_kept(precision, text, sizeof text) : "");
    if (isfinite(net))
        cell_return(m, net);
    else
        cell_number(m, "");
    if (isfinite(doubled))
        cell_return(m, doubled);
    else
        cell_number(m, "");
    markup_add(m, "</tr>\n");
}

static void issued_table(markup *m, const csm_horizon_training *t, const char *name) {
    static const column columns[] = {
        {"", false}, {"rose by more than costs", true}, {"mean net return", true}, {"costs doubled", true}};
    const csm_evidence *e = &t->evidence;
    char n[48], blocks[32], lower[32], upper[32], wealth[32];
    if (e->issued == 0) {
        markup_add(m,
                   "<p>No call was issued at %s: the calibrated probability never reached the gate's "
                   "threshold. Nothing is proven either way.</p>\n",
                   name);
        return;
    }
    table_begin(m, "issued", "Issued calls", name);
    markup_add(
        m,
        "<caption>%s calls issued at the gate's threshold in <b>%s disjoint blocks</b> (N<sub>eff</sub>), "
        "beside what stood open to anybody. Returns are means of logarithms, written as simple "
        "returns.</caption>\n",
        count_text(e->issued, n, sizeof n), blocks_text(e->blocks, blocks, sizeof blocks));
    table_columns(m, columns, sizeof columns / sizeof *columns);
    issued_row(m, "issued calls", e->precision, t->issued_return, t->issued_return_doubled_costs);
    issued_row(m, "momentum rule of the same coverage", t->momentum_precision, NAN, NAN);
    issued_row(m, "all coins on the same dates, before costs", NAN, t->market_return, NAN);
    issued_row(m, "base rate of all judged predictions", t->base_rate, NAN, NAN);
    table_end(m);
    markup_add(
        m,
        "<p class=\"small\">Precision lies between %s and %s (one-sided 95&#160;%% betting bounds, every "
        "block weighing the same). The e-process against &#8220;precision &#8805; 80&#160;%%&#8221; "
        "reached %s; 20 revokes.</p>\n",
        probability_kept(e->lower, lower, sizeof lower), probability_kept(e->upper, upper, sizeof upper),
        fixed_text(e->e_value, 2, wealth, sizeof wealth));
}

/* ---- precision at chosen coverages ---- */

#define CURVE_POINTS 200

/* The first point of at least `coverage`. */
static const precision_point *point_at(const precision_point *points, size_t count, double coverage) {
    for (size_t i = 0; i < count; i++) {
        if (points[i].coverage >= coverage) return &points[i];
    }
    return NULL;
}

static csm_status coverage_table(markup *m, const csm_horizon_training *t, const csm_walk_row *rows,
                                 const char *name) {
    static const column columns[] = {
        {"coverage", false}, {"predictions", true}, {"precision", true}, {"momentum", true}};
    static const double coverages[] = {0.01, 0.05, 0.10, 0.25, 0.50, 1};
    precision_point model[CURVE_POINTS], momentum[CURVE_POINTS];
    size_t models = 0, momenta = 0;
    csm_status status =
        precision_curve(model, &models, CURVE_POINTS, rows, t->walk_rows, t->horizon, ORDER_PROBABILITY);
    if (status == CSM_OK)
        status =
            precision_curve(momentum, &momenta, CURVE_POINTS, rows, t->walk_rows, t->horizon, ORDER_MOMENTUM);
    if (status != CSM_OK || models == 0) return status;
    table_begin(m, "coverage", "Precision by coverage", name);
    markup_add(m, "<caption>Precision of the most probable predictions, beside the same share taken by "
                  "momentum. Ties are taken whole.</caption>\n");
    table_columns(m, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < sizeof coverages / sizeof *coverages; i++) {
        const precision_point *p = point_at(model, models, coverages[i]);
        const precision_point *q = point_at(momentum, momenta, coverages[i]);
        char text[32];
        if (!p || !q) continue;
        markup_add(m, "<tr><th scope=\"row\">%s</th>", probability_kept(p->coverage, text, sizeof text));
        cell_count(m, p->count, p->blocks);
        cell_number(m, probability_kept(p->precision, text, sizeof text));
        cell_number(m, probability_kept(q->precision, text, sizeof text));
        markup_add(m, "</tr>\n");
    }
    table_end(m);
    return CSM_OK;
}

/* ---- intervals ---- */

static bool has_interval(const csm_walk_row *row) {
    return isfinite(row->low) && isfinite(row->high);
}

static void interval_text(markup *m, const csm_horizon_training *t, const csm_walk_row *rows,
                          const char *name) {
    interval_score score = score_intervals(rows, t->walk_rows);
    char n[48], blocks[32], coverage[32], width[32], low[32], high[32];
    if (score.rows == 0) {
        markup_add(
            m, "<p class=\"small\">No conformal interval was known at %s: too few matured predictions.</p>\n",
            name);
        return;
    }
    markup_add(
        m,
        "<p>Conformal intervals (90&#160;%% asked for unless configured otherwise) held the return in "
        "<b>%s</b> of %s predictions, %s disjoint blocks. Their mean width is %s log units: about %s to %s "
        "around the forecast.</p>\n",
        probability_kept(score.coverage, coverage, sizeof coverage), count_text(score.rows, n, sizeof n),
        blocks_text(walk_blocks(rows, t->walk_rows, t->horizon, has_interval), blocks, sizeof blocks),
        fixed_text(score.width, 3, width, sizeof width), percent_kept(-score.width / 2, low, sizeof low),
        percent_kept(score.width / 2, high, sizeof high));
}

/* ---- one horizon ---- */

static void band_cell(markup *m, const csm_band *band) {
    char value[32], low[32], high[32];
    cell_number(m, fixed_text(band->value, 4, value, sizeof value));
    markup_add(m, "<td class=\"n soft\">%s &#8230; %s</td>", fixed_text(band->low, 4, low, sizeof low),
               fixed_text(band->high, 4, high, sizeof high));
}

static void members_table(markup *m, const csm_horizon_training *t, const char *name) {
    static const column columns[] = {{"member", false},        {"weight", true},
                                     {"of return", true},      {"Brier skill alone", true},
                                     {"90&#160;% band", true}, {"rank IC alone", true},
                                     {"90&#160;% band", true}, {"Brier less the ensemble's", true},
                                     {"90&#160;% band", true}};
    char text[32];
    if (t->members < 2) return;
    table_begin(m, "members", "Members", name);
    markup_add(m, "<caption>The members of the ensemble, each judged alone with a calibrator of its own. The "
                  "last difference is "
                  "paired on the same rows: above 0 the ensemble is better.</caption>\n");
    table_columns(m, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < t->members; i++) {
        const csm_member_training *member = &t->member[i];
        markup_add(m, "<tr><th scope=\"row\">%s</th>", member->name);
        cell_number(m, fixed_text(member->score_weight, 2, text, sizeof text));
        cell_number(m, fixed_text(member->return_weight, 2, text, sizeof text));
        band_cell(m, &member->brier_skill);
        band_cell(m, &member->rank_ic);
        band_cell(m, &member->gain);
        markup_add(m, "</tr>\n");
    }
    table_end(m);
}

/* What each method lost on the purged folds that the choice was made by. */
static void add_losses(markup *m, const csm_calibrator_info *info) {
    char n[48], loss[32];
    markup_add(m, ", chosen by log loss on %s rows of purged folds (", count_text(info->judged, n, sizeof n));
    const char *between = "";
    for (uint32_t method = 0; method < CSM_CALIBRATIONS; method++) {
        if (isnan(info->log_loss[method])) continue;
        markup_add(m, "%s%s %s", between, csm_calibration_name(method),
                   fixed_text(info->log_loss[method], 4, loss, sizeof loss));
        between = ", ";
    }
    markup_add(m, ")");
}

static void horizon_facts(markup *m, const csm_horizon_training *t) {
    char n[48], walk[48], folds[48], unknown[48], blocks[32], base[32], shrinkage[32], fitted[48];
    markup_add(m,
               "<p>%s walk-forward predictions in %s folds, <b>%s disjoint blocks</b> (N<sub>eff</sub>); "
               "base rate %s; %s labels unknown (in gaps) and never used. Final model from %s rows. "
               "Calibrator: %s",
               count_text(t->walk_rows, walk, sizeof walk), count_text(t->folds, folds, sizeof folds),
               blocks_text(t->blocks, blocks, sizeof blocks),
               probability_kept(t->base_rate, base, sizeof base),
               count_text(t->unknown, unknown, sizeof unknown), count_text(t->rows, n, sizeof n),
               t->calibrator.method ? csm_calibration_name(t->calibrator.method) : "none yet");
    if (t->calibrator.rows > 0)
        markup_add(m, " on %s matured predictions in %s blocks",
                   count_text(t->calibrator.rows, fitted, sizeof fitted),
                   blocks_text(t->calibrator.blocks, blocks, sizeof blocks));
    if (t->calibrator.rows > 0 && t->calibrator.shrinkage > 0)
        markup_add(m, ", shrunk by %s toward the base rate",
                   probability_kept(t->calibrator.shrinkage, shrinkage, sizeof shrinkage));
    if (t->calibrator.judged > 0) add_losses(m, &t->calibrator);
    markup_add(m, ".</p>\n");
}

static csm_status horizon_plots(markup *m, const csm_horizon_training *t, const csm_walk_row *rows,
                                const char *name) {
    walk_date *dates = NULL;
    size_t count = 0;
    csm_status status = walk_dates(&dates, &count, rows, t->walk_rows);
    markup_add(m, "<div class=\"plots\">\n");
    if (t->model.bin_count > 0) plot_reliability(m, t, name);
    if (status == CSM_OK) status = plot_precision(m, t, rows, name);
    size_t first = walk_uncalibrated(dates, count);
    if (status == CSM_OK) status = plot_rank_ic(m, rows, t->walk_rows, name);
    if (status == CSM_OK) {
        plot_equity(m, t, dates + first, count - first, name);
        plot_drawdown(m, t, dates + first, count - first, name);
    }
    if (status == CSM_OK && first < count)
        plot_intervals(m, rows + dates[first].begin, t->walk_rows - dates[first].begin, name);
    markup_add(m, "</div>\n");
    free(dates);
    return status;
}

static csm_status one_horizon(const report *r, size_t index) {
    markup *m = r->out;
    const csm_horizon_training *t = csm_training_horizon(r->training, index);
    const csm_walk_row *rows = csm_training_walk(r->training, index);
    char name[32];
    horizon_text(t->horizon, name, sizeof name);
    markup_add(m, "<section id=\"horizon-%s\"><h2>Horizon %s ", name, name);
    evidence_badge(m, t->evidence.status);
    markup_add(m, "</h2>\n");
    horizon_facts(m, t);
    csm_status status = CSM_OK;
    if (t->model.rows == 0 || !rows) {
        markup_add(m, "<p>Nothing was calibrated at this horizon yet: too few matured blocks.</p>\n");
    } else {
        scores_table(m, t, name);
        members_table(m, t, name);
        issued_table(m, t, name);
        if (r->judged) report_skill(m, t, &r->judged[index].skill, name);
        if (r->judged) report_regimes(m, t, r->judged[index].regime, name);
        interval_text(m, t, rows, name);
        status = horizon_plots(m, t, rows, name);
        if (status == CSM_OK) {
            markup_add(m, "<details><summary>Precision by coverage, as a table</summary>\n");
            status = coverage_table(m, t, rows, name);
            markup_add(m, "</details>\n");
        }
    }
    markup_add(m, "</section>\n");
    return status;
}

csm_status report_horizons(const report *r) {
    csm_status status = CSM_OK;
    for (size_t h = csm_training_horizons(r->training); status == CSM_OK && h-- > 0;)
        status = one_horizon(r, h);
    return status;
}
