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
    static const column columns[] = {
        {"top tenth of each date", false}, {"mean net return", true}, {"costs doubled", true}};
    table_begin(m, "strategies", "Top tenths", name);
    markup_add(
        m,
        "<caption>The tenth of the coins with the highest expected return, mean over %zu disjoint "
        "blocks, whatever its probability; coins with equal expectations share their places. Returns are "
        "means of logarithms, written as simple returns.</caption>\n",
        s->blocks);
    table_columns(m, columns, sizeof columns / sizeof *columns);
    for (size_t k = 0; k < s->strategies; k++) {
        markup_add(m, "<tr><th scope=\"row\">%s</th>", s->name[k]);
        cell_return(m, s->top[k]);
        cell_return(m, s->top_doubled[k]);
        markup_add(m, "</tr>\n");
    }
    markup_add(m, "<tr><th scope=\"row\">every coin, before costs</th>");
    cell_return(m, s->market);
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
