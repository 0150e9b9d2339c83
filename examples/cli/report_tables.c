/* SPDX-License-Identifier: MIT */
/* Sections of the ranking: what is shown, and the gate as a funnel. */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is shown ---- */

static void shown_columns(const report *r, const csm_forecast *first) {
    column columns[CSM_HORIZONS_MAX + 5] = {{"coin", false}};
    char titles[CSM_HORIZONS_MAX][48], name[32];
    size_t n = 1;
    for (uint32_t h = first->horizon_count; h-- > 0;) {
        snprintf(titles[h], sizeof titles[h], "exp.&#160;%s",
                 horizon_text(first->horizons[h].horizon, name, sizeof name));
        columns[n++] = (column){titles[h], true};
    }
    columns[n++] = (column){"probability", true};
    columns[n++] = (column){"lower bound", true};
    columns[n++] = (column){"evidence", false};
    columns[n++] = (column){"last update (UTC)", false};
    table_columns(r->out, columns, n);
}

static void shown_row(const report *r, const csm_forecast *f) {
    markup *m = r->out;
    char text[64];
    const csm_horizon_forecast *gate = forecast_at(f, r->gate_horizon);
    markup_add(m, "<tr><th scope=\"row\">");
    markup_text(m, f->coin);
    markup_add(m, " <small>");
    markup_text(m, f->market);
    markup_add(m, "</small></th>");
    for (uint32_t h = f->horizon_count; h-- > 0;) cell_return(m, f->horizons[h].expected_return);
    cell_number(m, probability_kept(gate ? gate->probability : NAN, text, sizeof text));
    cell_number(m, probability_kept(gate ? gate->lower : NAN, text, sizeof text));
    markup_add(m, "<td>");
    if (gate) evidence_badge(m, gate->evidence);
    markup_add(m, "</td><td>%s</td></tr>\n", time_text(f->last_update, text, sizeof text));
}

bool live_clock_full(const csm_ranking *ranking) {
    for (size_t i = 0; i < csm_ranking_total(ranking); i++) {
        if (csm_ranking_all_at(ranking, i)->trade & CSM_REASON_MASK(LIVE_CLOCK)) return false;
    }
    return true;
}

void report_shown(const report *r) {
    markup *m = r->out;
    size_t shown = csm_ranking_count(r->ranking);
    char horizon[32];
    horizon_text(r->gate_horizon, horizon, sizeof horizon);
    bool live = live_clock_full(r->ranking);
    markup_add(m, "<section id=\"table\"><h2>%s</h2>\n",
               shown == 0 ? "No reliable opportunities"
               : live     ? "Coins that pass the gate"
                          : "Backtest evidence only");
    if (shown == 0) {
        markup_add(m, "<p>No coin passed every condition of the gate. Abstaining is a result: the "
                      "conditions below say where each coin fell.</p></section>\n");
        return;
    }
    if (!live)
        markup_add(m, "<p class=\"note\">The live clock is under 12 weeks: what follows rests on the "
                      "walk-forward record alone, and none of it is a trade signal.</p>\n");
    table_begin(m, "shown", "Coins shown", "");
    markup_add(m,
               "<caption>Highest expected return over %s first. Expected returns are before costs. "
               "Probability, lower bound and evidence are those of %s.</caption>\n",
               horizon, horizon);
    shown_columns(r, csm_ranking_at(r->ranking, 0));
    for (size_t i = 0; i < shown; i++) shown_row(r, csm_ranking_at(r->ranking, i));
    table_end(m);
    markup_add(m, "</section>\n");
}

/* ---- the gate ---- */

/* A bar of what is left (solid) and what fell here (light), of all coins. */
static void funnel_bar(markup *m, size_t left, size_t fell, size_t total) {
    double unit = total ? 100 / (double)total : 0;
    markup_add(
        m,
        "<td class=\"bar\"><svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" "
        "aria-hidden=\"true\"><rect class=\"track\" width=\"100\" height=\"10\"/><rect class=\"bar-rise\" "
        "width=\"%.2f\" height=\"10\"/><rect class=\"bar-fall\" x=\"%.2f\" width=\"%.2f\" "
        "height=\"10\"/></svg></td>",
        unit * (double)left, unit * (double)left, unit * (double)fell);
}

static void funnel_row(const report *r, const csm_funnel_step *step) {
    markup *m = r->out;
    char text[48];
    const char *name = csm_reason_name(step->reason), *sentence = csm_reason_text(step->reason);
    markup_add(m, "<tr%s id=\"reason-%u\"><th scope=\"row\">", step->failed ? "" : " class=\"idle\"",
               (unsigned)step->reason);
    markup_text(m, sentence ? sentence : "unknown condition");
    markup_add(m, " <small>");
    markup_text(m, name ? name : "?");
    markup_add(m, "</small></th>");
    cell_number(m, step->failed ? count_text(step->failed, text, sizeof text) : "0");
    cell_number(m, step->fell ? count_text(step->fell, text, sizeof text) : "0");
    cell_number(m, count_text(step->left, text, sizeof text));
    funnel_bar(m, step->left, step->fell, csm_ranking_total(r->ranking));
    markup_add(m, "</tr>\n");
}

static void funnel_edge(const report *r, const char *title, size_t left) {
    char text[48];
    markup_add(r->out, "<tr class=\"edge\"><th scope=\"row\">%s</th><td></td><td></td>", title);
    cell_number(r->out, count_text(left, text, sizeof text));
    funnel_bar(r->out, left, 0, csm_ranking_total(r->ranking));
    markup_add(r->out, "</tr>\n");
}

/* ---- what would open it ---- */

typedef struct nearness {
    const csm_forecast *forecast;
    int reasons;
    double probability; /* at the gate's horizon; -1: none */
} nearness;

static int nearest_first(const void *a, const void *b) {
    const nearness *x = a, *y = b;
    if (x->reasons != y->reasons) return x->reasons - y->reasons;
    if (x->probability != y->probability) return x->probability > y->probability ? -1 : 1;
    return strcmp(x->forecast->market, y->forecast->market);
}

static int bits_of(csm_reason reasons) {
    int bits = 0;
    for (; reasons; reasons &= reasons - 1) bits++;
    return bits;
}

static void nearest_coin(const report *r, const nearness *coin) {
    markup *m = r->out;
    const csm_forecast *f = coin->forecast;
    const csm_horizon_forecast *gate = forecast_at(f, r->gate_horizon);
    char p[32], expected[32], cost[32];
    bool first = true;
    markup_add(m, "<li><b>");
    markup_text(m, f->coin);
    markup_add(m, "</b>: ");
    for (uint32_t bit = 0; bit < 64; bit++) {
        if (!(f->show >> bit & 1)) continue;
        markup_add(m, first ? "" : "; ");
        first = false;
        if (bit == CSM_REASON_PROBABILITY_LOW && gate)
            markup_add(m, "its probability is %s", probability_kept(gate->probability, p, sizeof p));
        else if (bit == CSM_REASON_RETURN_LOW && gate)
            markup_add(m, "its expected return of %s does not exceed the costs of %s",
                       percent_kept(gate->expected_return, expected, sizeof expected),
                       probability_kept(expm1(gate->cost), cost, sizeof cost));
        else
            markup_text(m, csm_reason_text(bit) ? csm_reason_text(bit) : "unknown condition");
    }
    markup_add(m, "</li>\n");
}

#define NEAREST_COINS 3

/* The coins that fail the fewest conditions, and which ones. */
static void what_would_open(const report *r) {
    size_t total = csm_ranking_total(r->ranking), n = 0;
    nearness *coins = calloc(total + 1, sizeof *coins);
    if (!coins) {
        r->out->failed = true;
        return;
    }
    for (size_t i = 0; i < total; i++) {
        const csm_forecast *f = csm_ranking_all_at(r->ranking, i);
        const csm_horizon_forecast *gate = forecast_at(f, r->gate_horizon);
        double p = gate && isfinite(gate->probability) ? gate->probability : -1;
        if (f->show) coins[n++] = (nearness){f, bits_of(f->show), p};
    }
    qsort(coins, n, sizeof *coins, nearest_first);
    if (n > 0) {
        markup_add(
            r->out,
            "<h3>What would open it</h3>\n"
            "<p>The coins that fail the fewest conditions. The threshold of probability is 80&#160;%% or "
            "what is configured above it.</p>\n"
            "<ul>\n");
        for (size_t i = 0; i < n && i < NEAREST_COINS; i++) nearest_coin(r, &coins[i]);
        markup_add(r->out, "</ul>\n");
    }
    free(coins);
}

void report_funnel(const report *r) {
    static const column columns[] = {{"condition", false},
                                     {"fail", true},
                                     {"fall here", true},
                                     {"left", true},
                                     {"<span class=\"hidden\">share of all coins</span>", false}};
    markup *m = r->out;
    char name[32];
    markup_add(m,
               "<section id=\"gate\"><h2>The gate</h2>\n"
               "<p>Every coin meets the conditions in this order and falls at the first that it fails. "
               "Probability and expected return are those of %s.</p>\n",
               horizon_text(r->gate_horizon, name, sizeof name));
    table_begin(m, "funnel", "Funnel of the gate", "");
    markup_add(m, "<caption>Coins that fail a condition at all, that fall at it first, and that are left "
                  "after it.</caption>\n");
    table_columns(m, columns, sizeof columns / sizeof *columns);
    funnel_edge(r, "coins looked at", csm_ranking_total(r->ranking));
    for (size_t i = 0; i < csm_ranking_funnel_count(r->ranking); i++)
        funnel_row(r, csm_ranking_funnel_at(r->ranking, i));
    funnel_edge(r, "shown", csm_ranking_count(r->ranking));
    table_end(m);
    what_would_open(r);
    markup_add(m, "</section>\n");
}
