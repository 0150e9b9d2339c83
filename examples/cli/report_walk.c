/* SPDX-License-Identifier: MIT */
/* The time machine: what the gate would have shown in the walk-forward record, and what became of it. */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EPISODES_SHOWN 12
#define DATES_SHOWN 10
#define CLOSEST_SHOWN 5

typedef struct machine {
    const report *report;
    const csm_horizon_training *training;
    const csm_walk_row *rows;
    size_t n;
    walk_date *dates;
    size_t count;
    const char *name; /* of the horizon */
} machine;

static void coin_of(markup *m, const csm_training *training, uint32_t market) {
    const char *coin = csm_training_coin(training, market);
    markup_text(m, coin ? coin : "?");
}

/* ---- sums over shown calls ---- */

typedef struct calls {
    size_t dates;
    size_t count;
    size_t rises;
    double net; /* sum of log returns net of costs */
    double worst;
    double best;
    csm_time first;
    csm_time last;
} calls;

static void add_date(calls *c, const machine *t, const walk_date *date) {
    if (date->shown == 0) return;
    if (c->dates++ == 0) *c = (calls){.dates = 1, .first = date->time, .worst = INFINITY, .best = -INFINITY};
    c->last = date->time;
    for (size_t i = date->begin; i < date->end; i++) {
        const csm_walk_row *row = &t->rows[i];
        if (!is_shown(row)) continue;
        double net = row->log_return - row->cost;
        c->count++;
        c->rises += row->rises != 0;
        c->net += net;
        c->worst = fmin(c->worst, net);
        c->best = fmax(c->best, net);
    }
}

/* ---- the gate was open ---- */

static void summary(const machine *t) {
    markup *m = t->report->out;
    calls all = {0};
    size_t calibrated = 0;
    for (size_t i = 0; i < t->count; i++) {
        add_date(&all, t, &t->dates[i]);
        calibrated += isfinite(t->dates[i].best) ? 1 : 0;
    }
    char dates[48], of[48], n[48], blocks[32], rises[48], share[32], net[32], worst[32], best[32];
    markup_add(m,
               "<p>The gate was open on <b>%s</b> of %s dates with calibrated predictions. It showed "
               "<b>%s</b> calls in <b>%s</b> disjoint blocks of %s (N<sub>eff</sub>); <b>%s</b> of them "
               "rose by more than their costs, a precision of <b>%s</b>. Net of costs a call returned %s "
               "in the mean of its logarithm, %s at worst and %s at best.</p>\n",
               count_text(all.dates, dates, sizeof dates), count_text(calibrated, of, sizeof of),
               count_text(all.count, n, sizeof n),
               blocks_text(walk_blocks(t->rows, t->n, t->training->horizon, is_shown), blocks, sizeof blocks),
               t->name, count_text(all.rises, rises, sizeof rises),
               probability_kept((double)all.rises / (double)all.count, share, sizeof share),
               percent_kept(all.net / (double)all.count, net, sizeof net),
               percent_kept(all.worst, worst, sizeof worst), percent_kept(all.best, best, sizeof best));
}

/* Open dates with no more than a horizon between them are one episode: their calls share their fate. */
static size_t find_episodes(calls *out, const machine *t) {
    size_t episodes = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (t->dates[i].shown == 0) continue;
        if (episodes == 0 || t->dates[i].time - out[episodes - 1].last > t->training->horizon)
            out[episodes++] = (calls){0};
        add_date(&out[episodes - 1], t, &t->dates[i]);
    }
    return episodes;
}

static void episode_row(markup *m, const calls *c) {
    char from[32], to[32], n[48];
    markup_add(m, "<tr><th scope=\"row\">%s &#8211; %s</th>", date_text(c->first, from, sizeof from),
               date_text(c->last, to, sizeof to));
    cell_number(m, count_text(c->dates, n, sizeof n));
    cell_number(m, count_text(c->count, n, sizeof n));
    cell_number(m, count_text(c->rises, n, sizeof n));
    cell_return(m, c->net / (double)c->count);
    cell_return(m, c->worst);
    cell_return(m, c->best);
    markup_add(m, "</tr>\n");
}

static void episodes_table(const machine *t) {
    static const column columns[] = {{"decisions", false}, {"dates", true}, {"calls", true}, {"rose", true},
                                     {"mean net", true},   {"worst", true}, {"best", true}};
    markup *m = t->report->out;
    calls *episodes = calloc(t->count + 1, sizeof *episodes);
    if (!episodes) {
        m->failed = true;
        return;
    }
    size_t found = find_episodes(episodes, t), from = found > EPISODES_SHOWN ? found - EPISODES_SHOWN : 0;
    char all[48], shown[48];
    table_begin(m, "episodes", "Episodes", "");
    markup_add(m,
               "<caption>Episodes in which the gate was open, the newest %s of %s. Calls less than %s "
               "apart overlap: an episode is nearer to one observation than to many.</caption>\n",
               count_text(found - from, shown, sizeof shown), count_text(found, all, sizeof all), t->name);
    table_columns(m, columns, sizeof columns / sizeof *columns);
    for (size_t i = found; i-- > from;) episode_row(m, &episodes[i]);
    table_end(m);
    free(episodes);
}

static void call_cells(const machine *t, const csm_walk_row *row) {
    markup *m = t->report->out;
    char text[64];
    markup_add(m, "<td>");
    coin_of(m, t->report->training, row->market);
    markup_add(m, "</td>");
    cell_number(m, probability_kept(row->probability, text, sizeof text));
    cell_number(m, probability_kept(row->lower, text, sizeof text));
    cell_number(m, percent_kept(row->expected_return, text, sizeof text));
    cell_return(m, row->log_return);
    cell_return(m, row->log_return - row->cost);
    markup_add(m, "<td class=\"%s\">%s</td></tr>\n", row->rises ? "rise" : "fall",
               row->rises ? "rose" : "did not");
}

static void calls_columns(markup *m, const char *name) {
    char after[48];
    snprintf(after, sizeof after, "after %s", name);
    const column columns[] = {{"decision (UTC)", false}, {"coin", false},    {"probability", true},
                              {"lower bound", true},     {"expected", true}, {after, true},
                              {"net of costs", true},    {"outcome", false}};
    table_columns(m, columns, sizeof columns / sizeof *columns);
}

static void date_rows(const machine *t, const walk_date *date) {
    markup *m = t->report->out;
    char text[64];
    bool first = true;
    for (size_t i = date->begin; i < date->end; i++) {
        if (!is_shown(&t->rows[i])) continue;
        markup_add(m, "<tr>");
        if (first)
            markup_add(m, "<th scope=\"rowgroup\" rowspan=\"%zu\">%s</th>", date->shown,
                       time_text(date->time, text, sizeof text));
        first = false;
        call_cells(t, &t->rows[i]);
    }
}

static void last_dates_table(const machine *t) {
    markup *m = t->report->out;
    size_t from = t->count, dates = 0;
    while (from > 0 && dates < DATES_SHOWN) dates += t->dates[--from].shown > 0;
    table_begin(m, "grouped", "Last dates", "");
    markup_add(m,
               "<caption>The last %zu dates on which the gate was open: everything it showed, losses "
               "included.</caption>\n",
               dates);
    calls_columns(m, t->name);
    bool first = true;
    for (size_t i = t->count; i-- > from;) {
        if (t->dates[i].shown == 0) continue;
        if (!first) markup_add(m, "</tbody>\n<tbody>\n");
        first = false;
        date_rows(t, &t->dates[i]);
    }
    table_end(m);
}

/* ---- it never opened ---- */

static int most_probable_first(const void *a, const void *b) {
    const csm_walk_row *const *x = a, *const *y = b;
    if ((*x)->probability != (*y)->probability) return (*x)->probability > (*y)->probability ? -1 : 1;
    return ((*x)->time > (*y)->time) - ((*x)->time < (*y)->time);
}

/* Whether a row lies within a horizon of one already taken. */
static bool overlaps(const csm_walk_row *const *taken, size_t count, const csm_walk_row *row,
                     csm_time horizon) {
    for (size_t i = 0; i < count; i++) {
        csm_time distance =
            row->time > taken[i]->time ? row->time - taken[i]->time : taken[i]->time - row->time;
        if (distance < horizon) return true;
    }
    return false;
}

/* The highest probabilities, at most one a horizon's length. */
static size_t find_closest(const csm_walk_row **out, const machine *t) {
    const csm_walk_row **order = calloc(t->n + 1, sizeof *order);
    size_t known = 0, taken = 0;
    if (!order) {
        t->report->out->failed = true;
        return 0;
    }
    for (size_t i = 0; i < t->n; i++) {
        if (isfinite(t->rows[i].probability)) order[known++] = &t->rows[i];
    }
    qsort((void *)order, known, sizeof *order, most_probable_first);
    for (size_t i = 0; i < known && taken < CLOSEST_SHOWN; i++) {
        if (!overlaps(out, taken, order[i], t->training->horizon)) out[taken++] = order[i];
    }
    free((void *)order);
    return taken;
}

static void never_open(const machine *t) {
    markup *m = t->report->out;
    const csm_walk_row *closest[CLOSEST_SHOWN];
    size_t found = find_closest(closest, t);
    char text[64], p[32], happened[32];
    if (found == 0) {
        markup_add(
            m,
            "<p>The gate was never open: no prediction at %s could be calibrated yet, for want of matured "
            "blocks.</p>\n",
            t->name);
        return;
    }
    markup_add(
        m, "<p>The gate was never open. The highest calibrated probability ever reached was <b>%s</b>, for ",
        probability_kept(closest[0]->probability, p, sizeof p));
    coin_of(m, t->report->training, closest[0]->market);
    markup_add(m, " on %s; over the %s that followed it %s: %s before costs.</p>\n",
               date_text(closest[0]->time, text, sizeof text), t->name,
               closest[0]->rises ? "rose by more than its costs" : "did not rise by more than its costs",
               percent_kept(closest[0]->log_return, happened, sizeof happened));
    table_begin(m, "closest", "Closest calls", "");
    markup_add(m,
               "<caption>The highest probabilities of the walk-forward record, at most one in %s, and what "
               "became of them.</caption>\n",
               t->name);
    calls_columns(m, t->name);
    for (size_t i = 0; i < found; i++) {
        markup_add(m, "<tr><th scope=\"row\">%s</th>", time_text(closest[i]->time, text, sizeof text));
        call_cells(t, closest[i]);
    }
    table_end(m);
}

csm_status report_time_machine(const report *r) {
    markup *m = r->out;
    int h = gate_index(r);
    if (h < 0) return CSM_OK;
    char name[32];
    machine t = {.report = r,
                 .training = csm_training_horizon(r->training, (size_t)h),
                 .rows = csm_training_walk(r->training, (size_t)h),
                 .name = horizon_text(r->gate_horizon, name, sizeof name)};
    t.n = t.rows ? t.training->walk_rows : 0;
    if (walk_dates(&t.dates, &t.count, t.rows, t.n) != CSM_OK) return CSM_ENOMEM;
    size_t open = 0;
    for (size_t i = 0; i < t.count; i++) open += t.dates[i].shown > 0;
    markup_add(m, "<section id=\"time-machine\"><h2>Time machine</h2>\n"
                  "<p class=\"note\">Each past decision was made by a model, a calibrator and bounds that "
                  "knew nothing after it. Evidence from such a record is backtest evidence.</p>\n");
    if (open > 0)
        summary(&t);
    else
        never_open(&t);
    size_t first = walk_uncalibrated(t.dates, t.count);
    if (t.count > first) plot_timeline(m, t.dates + first, t.count - first, name);
    if (open > 0) {
        episodes_table(&t);
        last_dates_table(&t);
    }
    markup_add(m, "</section>\n");
    free(t.dates);
    return CSM_OK;
}
