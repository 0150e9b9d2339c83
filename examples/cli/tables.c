/* SPDX-License-Identifier: MIT */
/* Tables for people. */
#include "cli.h"
#include "report.h"

#include <math.h>
#include <string.h>

static void print_header(FILE *out, const csm_forecast *f) {
    fprintf(out, "%-8s", "coin");
    for (uint32_t h = f->horizon_count; h-- > 0;) {
        char name[32], title[40];
        snprintf(title, sizeof title, "exp. %s", horizon_text(f->horizons[h].horizon, name, sizeof name));
        fprintf(out, "%11s", title);
    }
    fprintf(out, "%13s%13s  %-11s%-8s%s\n", "probability", "lower bound", "evidence", "agree", "last update");
}

static void print_row(FILE *out, const csm_forecast *f, csm_time gate_horizon) {
    char text[64];
    const csm_horizon_forecast *gate = forecast_at(f, gate_horizon);
    fprintf(out, "%-8s", f->coin);
    for (uint32_t h = f->horizon_count; h-- > 0;)
        fprintf(out, "%11s", percent_text(f->horizons[h].expected_return, text, sizeof text));
    fprintf(out, "%13s", probability_text(gate ? gate->probability : NAN, text, sizeof text));
    fprintf(out, "%13s", probability_text(gate ? gate->lower : NAN, text, sizeof text));
    fprintf(out, "  %-11s", gate ? csm_evidence_name(gate->evidence) : "-");
    snprintf(text, sizeof text, "%u of %u", f->agreement, f->horizon_count);
    fprintf(out, "%-8s", text);
    fprintf(out, "%s\n", time_text(f->last_update, text, sizeof text));
}

void print_ranking(FILE *out, const csm_ranking *ranking, csm_time gate_horizon) {
    size_t shown = csm_ranking_count(ranking), total = csm_ranking_total(ranking);
    char text[64];
    if (total == 0) return;
    const csm_forecast *first = csm_ranking_all_at(ranking, 0);
    fprintf(out, "Decision of %s UTC, %zu coins looked at.\n\n", time_text(first->time, text, sizeof text),
            total);
    if (shown == 0) {
        fprintf(out, "  no reliable opportunities\n\n");
        return;
    }
    bool live = true;
    for (size_t i = 0; i < shown; i++)
        live = live && !(csm_ranking_at(ranking, i)->trade & CSM_REASON_MASK(LIVE_CLOCK));
    if (!live) fprintf(out, "  backtest evidence only: the live clock is under 12 weeks\n\n");
    print_header(out, first);
    for (size_t i = 0; i < shown; i++) print_row(out, csm_ranking_at(ranking, i), gate_horizon);
    fputc('\n', out);
}

void print_funnel(FILE *out, const csm_ranking *ranking) {
    fprintf(out, "The gate, condition by condition:\n\n%8s%8s%8s  %s\n", "left", "fell", "failed",
            "condition");
    fprintf(out, "%8zu%8s%8s  %s\n", csm_ranking_total(ranking), "", "", "coins looked at");
    for (size_t i = 0; i < csm_ranking_funnel_count(ranking); i++) {
        const csm_funnel_step *step = csm_ranking_funnel_at(ranking, i);
        if (step->failed == 0) continue;
        fprintf(out, "%8zu%8zu%8zu  %s: %s\n", step->left, step->fell, step->failed,
                csm_reason_name(step->reason), csm_reason_text(step->reason));
    }
    fprintf(out, "%8zu%8s%8s  %s\n\n", csm_ranking_count(ranking), "", "", "shown");
}

static void csv_number(FILE *out, double value) {
    if (isfinite(value))
        fprintf(out, ",%.10g", value);
    else
        fputc(',', out);
}

void print_ranking_csv(FILE *out, const csm_ranking *ranking) {
    char text[CSM_TIME_TEXT], name[32];
    size_t total = csm_ranking_total(ranking);
    if (total == 0) return;
    const csm_forecast *first = csm_ranking_all_at(ranking, 0);
    fprintf(out, "coin,market,epoch,decision,last_update,price");
    for (uint32_t h = 0; h < first->horizon_count; h++) {
        horizon_text(first->horizons[h].horizon, name, sizeof name);
        fprintf(out, ",expected_%s,low_%s,high_%s,probability_%s,lower_%s,cost_%s,evidence_%s", name, name,
                name, name, name, name, name);
    }
    fputc('\n', out);
    for (size_t i = 0; i < csm_ranking_count(ranking); i++) {
        const csm_forecast *f = csm_ranking_at(ranking, i);
        fprintf(out, "%s,%s,%d,%s", f->coin, f->market, (int)f->epoch,
                csm_time_format(f->time, text, sizeof text));
        fprintf(out, ",%s",
                f->last_update == CSM_TIME_MIN ? "" : csm_time_format(f->last_update, text, sizeof text));
        csv_number(out, f->price);
        for (uint32_t h = 0; h < f->horizon_count; h++) {
            const csm_horizon_forecast *at = &f->horizons[h];
            const double values[] = {at->expected_return, at->low,   at->high,
                                     at->probability,     at->lower, at->cost};
            for (size_t k = 0; k < 6; k++) csv_number(out, values[k]);
            fprintf(out, ",%s", csm_evidence_name(at->evidence));
        }
        fputc('\n', out);
    }
}

/* ---- evaluation ---- */

static void print_band(FILE *out, const char *title, const csm_band *model, const csm_band *base,
                       double factor) {
    fprintf(out, "    %-22s", title);
    if (isfinite(model->value))
        fprintf(out, "%8.4f  [%.4f, %.4f]", factor * model->value, factor * model->low, factor * model->high);
    else
        fprintf(out, "%8s", "n/a");
    if (base && isfinite(base->value)) fprintf(out, "   %.4f", factor * base->value);
    fputc('\n', out);
}

static void print_reliability(FILE *out, const csm_scores *s) {
    fprintf(out, "    reliability: predicted -> happened (rows)\n");
    for (size_t b = 0; b < s->bin_count; b++) {
        const csm_reliability_bin *bin = &s->bins[b];
        if (bin->count == 0) continue;
        fprintf(out, "      %5.1f %% -> %5.1f %%  [%.1f, %.1f]  (%zu)\n", 100 * bin->probability,
                100 * bin->frequency, 100 * bin->low, 100 * bin->high, bin->count);
    }
}

static void print_issued(FILE *out, const csm_horizon_training *t) {
    char net[32], twice[32], market[32], precision[32], lower[32], momentum[32];
    const csm_evidence *e = &t->evidence;
    fprintf(out, "    issued at 80 %%: %zu predictions in %.0f disjoint blocks, evidence %s\n", e->issued,
            e->blocks, csm_evidence_name(e->status));
    if (e->issued == 0) return;
    fprintf(out, "      precision %s, 95 %% lower bound %s; momentum rule of the same coverage %s\n",
            probability_text(e->precision, precision, sizeof precision),
            probability_text(e->lower, lower, sizeof lower),
            probability_text(t->momentum_precision, momentum, sizeof momentum));
    fprintf(out, "      mean return net of costs %s, with costs doubled %s; holding all coins %s\n",
            percent_text(t->issued_return, net, sizeof net),
            percent_text(t->issued_return_doubled_costs, twice, sizeof twice),
            percent_text(t->market_return, market, sizeof market));
}

/* Each member alone; the last column is the paired difference of Brier scores on the same rows. */
static void print_members(FILE *out, const csm_horizon_training *t) {
    if (t->members < 2) return;
    fprintf(out, "    %-10s%8s%8s  %-26s %-26s %s\n", "member", "weight", "of ret.", "Brier skill alone",
            "rank IC alone", "its Brier less the ensemble's");
    for (size_t m = 0; m < t->members; m++) {
        const csm_member_training *member = &t->member[m];
        const csm_band *bands[] = {&member->brier_skill, &member->rank_ic, &member->gain};
        fprintf(out, "    %-10s%8.2f%8.2f ", member->name, member->score_weight, member->return_weight);
        for (size_t b = 0; b < 3; b++)
            fprintf(out, " %7.4f [%7.4f, %7.4f]", bands[b]->value, bands[b]->low, bands[b]->high);
        fputc('\n', out);
    }
}

void print_evaluation(FILE *out, const csm_training *training) {
    for (size_t h = 0; h < csm_training_horizons(training); h++) {
        const csm_horizon_training *t = csm_training_horizon(training, h);
        char name[32], rate[32];
        fprintf(out,
                "  %s: %zu walk-forward predictions in %zu folds, %.0f disjoint blocks (N_eff), base rate "
                "%s, %zu labels unknown\n",
                horizon_text(t->horizon, name, sizeof name), t->walk_rows, t->folds, t->blocks,
                probability_text(t->base_rate, rate, sizeof rate), t->unknown);
        if (t->trials > 0)
            fprintf(out, "    parameters chosen among %zu trials on data before the first test\n", t->trials);
        if (t->model.rows == 0) {
            fprintf(out, "    nothing was calibrated yet: too few matured blocks\n\n");
            continue;
        }
        fprintf(out, "    %-22s%8s  %-20s %s\n", "", "model", "90 % band", "base rate / momentum");
        print_band(out, "Brier", &t->model.brier, &t->baseline.brier, 1);
        print_band(out, "Brier skill", &t->model.brier_skill, &t->baseline.brier_skill, 1);
        print_band(out, "log loss", &t->model.log_loss, &t->baseline.log_loss, 1);
        print_band(out, "ECE (equal mass)", &t->model.ece, &t->baseline.ece, 1);
        print_band(out, "rank IC", &t->model.rank_ic, &t->baseline.rank_ic, 1);
        print_members(out, t);
        print_reliability(out, &t->model);
        print_issued(out, t);
        fputc('\n', out);
    }
}

void print_coverage(FILE *out, const csm_discovery *discovery) {
    const csm_coverage *c = csm_discovery_coverage(discovery);
    char text[64];
    fprintf(out, "Coverage run %lld of %s, listing of %s UTC, SHA-256 %.16s...\n", (long long)c->run,
            c->venue, time_text(c->time, text, sizeof text), c->listing_hash);
    fprintf(out, "  pairs: %zu offered = %zu processed + %zu excluded\n", c->pairs_offered,
            c->pairs_processed, c->pairs_excluded);
    fprintf(out, "  coins: %zu offered = %zu processed + %zu excluded\n", c->coins_offered,
            c->coins_processed, c->coins_excluded);
    for (uint32_t bit = 0; bit < 64; bit++) {
        if (c->pairs_by_reason[bit] || c->coins_by_reason[bit])
            fprintf(out, "    %6zu pairs %6zu coins  %s\n", c->pairs_by_reason[bit], c->coins_by_reason[bit],
                    csm_reason_name(bit));
    }
    size_t events = csm_discovery_event_count(discovery);
    size_t by_kind[8] = {0};
    for (size_t i = 0; i < events; i++) by_kind[csm_discovery_event_at(discovery, i)->kind & 7]++;
    for (uint32_t k = 0; k < 5; k++) {
        if (by_kind[k]) fprintf(out, "  %zu %s\n", by_kind[k], csm_discover_event_name(k));
    }
    size_t named = 0;
    for (size_t i = 0; i < events && named < 20; i++) {
        const csm_listing_event *e = csm_discovery_event_at(discovery, i);
        if (e->kind == CSM_LISTING_NEW && by_kind[CSM_LISTING_NEW] > 20) continue;
        fprintf(out, "    %-10s %s\n", csm_discover_event_name(e->kind), e->market);
        named++;
    }
    if (events > named) fprintf(out, "    and %zu more; --json lists all\n", events - named);
}
