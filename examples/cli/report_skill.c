/* SPDX-License-Identifier: MIT */
/* Skill or luck: trials, tails and benchmarks counted. */
#include "report.h"

#include <math.h>

static const char *p_text(const csm_superior *test, char *text, size_t size) {
    return fixed_text(test->consistent, 3, text, size);
}

static void sharpe_text(markup *m, const csm_horizon_training *t, const skill *s) {
    const csm_sharpe *x = &s->issued;
    char dates[48], silent[48], trials[48], ratio[32], annual[32], probable[32], best[32], deflated[32];
    markup_add(m, "<p>On %s of %s dates nothing was issued. ", count_text(s->silent, silent, sizeof silent),
               count_text(s->dates, dates, sizeof dates));
    if (x->rows == 0) {
        markup_add(m, "So there is no Sharpe ratio of issued calls to judge.</p>\n");
        return;
    }
    const double years = (double)t->horizon / (365.0 * (double)CSM_DAY);
    markup_add(
        m,
        "Sharpe ratio of the issued calls, net of costs, over %zu disjoint blocks: <b>%s</b> a block (%s a "
        "year). Probability that the true ratio is above 0: <b>%s</b> (probabilistic); above %s, the best "
        "that %s trials without skill reach on average: <b>%s</b> (deflated).</p>\n",
        x->rows, fixed_text(x->sharpe, 3, ratio, sizeof ratio),
        fixed_text(x->sharpe / sqrt(years), 2, annual, sizeof annual),
        probability_kept(x->probabilistic, probable, sizeof probable),
        fixed_text(x->expected_best, 3, best, sizeof best),
        count_text((size_t)s->trials, trials, sizeof trials),
        probability_kept(x->deflated, deflated, sizeof deflated));
}

static void strategies_table(markup *m, const skill *s, const char *name) {
    static const column columns[] = {{"top tenth of each date", false}, {"mean net return", true},
                                     {"costs doubled", true},           {"less the lowest tenth, net", true},
                                     {"rose by more than costs", true}, {"turnover", true}};
    char text[32];
    table_begin(m, "strategies", "Top tenths", name);
    markup_add(
        m,
        "<caption>The tenth of the coins with the highest expected return, mean over %zu disjoint "
        "blocks, whatever its probability; coins with equal expectations share their places. Returns are "
        "means of logarithms, written as simple returns.</caption>\n",
        s->blocks);
    table_columns(m, columns, sizeof columns / sizeof *columns);
    for (size_t k = 0; k < s->strategies; k++) {
        const skill_strategy *t = &s->strategy[k];
        markup_add(m, "<tr><th scope=\"row\">%s</th>", t->name);
        cell_return(m, t->top);
        cell_return(m, t->top_doubled);
        cell_return(m, t->spread);
        cell_number(m, probability_kept(t->precision, text, sizeof text));
        cell_number(m, probability_kept(t->turnover, text, sizeof text));
        markup_add(m, "</tr>\n");
    }
    markup_add(m, "<tr><th scope=\"row\">every coin, before costs</th>");
    cell_return(m, s->market);
    cell_number(m, "");
    cell_number(m, "");
    cell_number(m, probability_kept(s->base_rate, text, sizeof text));
    cell_number(m, "");
    markup_add(m, "</tr>\n");
    table_end(m);
}

static void tests_text(markup *m, const skill *s) {
    char base[32], momentum[32], market[32], probability[32], rank[32];
    markup_add(
        m,
        "<p>Superior predictive ability (Hansen 2005), chance of a lead as large without any: over the "
        "base rate by Brier score p&#160;=&#160;<b>%s</b>; top tenths over momentum's "
        "p&#160;=&#160;<b>%s</b>, over every coin p&#160;=&#160;<b>%s</b>. ",
        p_text(&s->over_base, base, sizeof base), p_text(&s->over_momentum, momentum, sizeof momentum),
        p_text(&s->over_market, market, sizeof market));
    if (s->parts == 0)
        markup_add(m, "Too few blocks for a probability of backtest overfitting.</p>\n");
    else
        markup_add(m,
                   "Probability of backtest overfitting, choosing the best of these %zu top tenths by one "
                   "half of %u parts of the record: <b>%s</b> over %zu combinations (50&#160;%% is a choice "
                   "that says nothing); the chosen one's median rank in the other half is %s of 1.</p>\n",
                   s->strategies, s->parts,
                   probability_kept(s->overfitting.probability, probability, sizeof probability),
                   s->overfitting.combinations, fixed_text(s->overfitting.median_rank, 2, rank, sizeof rank));
}

void report_skill(markup *m, const csm_horizon_training *t, const skill *s, const char *name) {
    if (s->blocks == 0) return;
    markup_add(m, "<h3>Skill or luck</h3>\n");
    sharpe_text(m, t, s);
    strategies_table(m, s, name);
    tests_text(m, s);
}

/* ---- regimes ---- */

static void regime_band(markup *m, const csm_band *band) {
    char value[32], low[32], high[32];
    cell_number(m, fixed_text(band->value, 4, value, sizeof value));
    markup_add(m, "<td class=\"n soft\">%s &#8230; %s</td>", fixed_text(band->low, 4, low, sizeof low),
               fixed_text(band->high, 4, high, sizeof high));
}

static void regime_row(markup *m, const regime_slice *s, const char *name) {
    char text[48];
    markup_add(m, "<tr><th scope=\"row\">%s</th>", name);
    cell_count(m, s->model.rows, s->model.blocks);
    cell_number(m, probability_kept(s->model.base_rate, text, sizeof text));
    regime_band(m, &s->model.brier_skill);
    regime_band(m, &s->model.rank_ic);
    cell_number(m, count_text(s->issued, text, sizeof text));
    cell_number(m, s->issued ? probability_kept(s->precision, text, sizeof text) : "");
    markup_add(m, "</tr>\n");
}

static void member_text(markup *m, const csm_horizon_training *t, const regime_slice *s, const char *regime) {
    char value[32], low[32], high[32];
    markup_add(m, "<p class=\"small\">Rank IC of the members alone, %s: ", regime);
    for (size_t k = 0; k < s->members; k++)
        markup_add(m, "%s%s %s (%s &#8230; %s)", k ? ", " : "", t->member[k].name,
                   fixed_text(s->member_ic[k].value, 4, value, sizeof value),
                   fixed_text(s->member_ic[k].low, 4, low, sizeof low),
                   fixed_text(s->member_ic[k].high, 4, high, sizeof high));
    if (s->ahead < 0)
        markup_add(m, ". None is above the ensemble&#8217;s band.</p>\n");
    else
        markup_add(m, ". <b>%s</b> is above the ensemble&#8217;s band.</p>\n", t->member[s->ahead].name);
}

void report_regimes(markup *m, const csm_horizon_training *t, const regime_slice slices[REGIMES],
                    const char *name) {
    static const column columns[] = {{"market", false},        {"predictions", true},    {"base rate", true},
                                     {"Brier skill", true},    {"90&#160;% band", true}, {"rank IC", true},
                                     {"90&#160;% band", true}, {"issued", true},         {"precision", true}};
    if (slices[0].model.rows + slices[1].model.rows == 0) return;
    markup_add(m, "<h3>By regime</h3>\n");
    table_begin(m, "regimes", "Regimes", name);
    markup_add(
        m, "<caption>The same predictions by the state of the market at the decision: filtered, by models of "
           "earlier days alone. Each row is scored against its own base rate.</caption>\n");
    table_columns(m, columns, sizeof columns / sizeof *columns);
    for (int k = 0; k < REGIMES; k++) {
        if (slices[k].model.rows > 0) regime_row(m, &slices[k], regime_name(k));
    }
    table_end(m);
    for (int k = 0; k < REGIMES; k++) {
        if (slices[k].model.rows > 0 && slices[k].members > 0) member_text(m, t, &slices[k], regime_name(k));
    }
}
