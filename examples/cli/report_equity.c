/* SPDX-License-Identifier: MIT */
/* The wealth that issued calls would have made, and its falls. */
#include "report.h"

#include <math.h>

enum { EQUITY_HOLDING, EQUITY_DOUBLED, EQUITY_NET, EQUITY_LINES };

static const char *const equity_classes[EQUITY_LINES] = {"line third", "line second", "line first"};

/* Each date with issued calls puts the share step / horizon of the wealth into them until they mature, so that
 * overlapping calls never take more than all of it. */
typedef struct equity {
    const walk_date *dates;
    size_t count;
    double share;
    double sum[EQUITY_LINES]; /* log of the wealth at the end */
    double low;               /* of all lines */
    double high;
} equity;

/* Growth of the logarithm of the wealth when the date's calls mature. */
static double equity_gain(const equity *e, size_t date, int line) {
    const walk_date *d = &e->dates[date];
    const double returns[EQUITY_LINES] = {d->holding, d->net_doubled, d->net};
    return d->issued ? log1p(e->share * returns[line]) : 0;
}

static equity equity_of(const walk_date *dates, size_t count, csm_time horizon) {
    csm_time step = walk_step(dates, count);
    equity e = {.dates = dates, .count = count, .share = 1};
    if (step > 0 && step < horizon) e.share = (double)step / (double)horizon;
    for (int line = 0; line < EQUITY_LINES; line++) {
        for (size_t i = 0; i < count; i++) {
            e.sum[line] += equity_gain(&e, i, line);
            e.low = fmin(e.low, e.sum[line]);
            e.high = fmax(e.high, e.sum[line]);
        }
    }
    return e;
}

/* Round values between the lowest and the highest; the axis reaches `least` parts above zero. */
static void equity_ticks(svg_plot *plot, const equity *e, int least) {
    double step = e->high > e->low ? svg_round_step(e->high - e->low, 4) : 0.1;
    int decimals = (int)fmax(1, ceil(-log10(step) - 1e-9));
    char text[32];
    int lowest = (int)floor(e->low / step), highest = (int)fmax(least, ceil(e->high / step));
    plot->y = (svg_scale){.low = lowest * step, .high = highest * step};
    for (int k = lowest; k <= highest; k++) {
        snprintf(text, sizeof text, "%+.*f", decimals, k * step);
        svg_tick_y(plot, k * step, k ? text : "0");
    }
}

static void equity_path(svg_plot *plot, const equity *e, int line) {
    double sum = 0;
    svg_path_begin(plot, equity_classes[line]);
    svg_path_step(plot, (double)e->dates[0].time, 0);
    for (size_t i = 0; i < e->count; i++) {
        sum += equity_gain(e, i, line);
        if (e->dates[i].issued) svg_path_step(plot, (double)e->dates[i].matures, sum);
    }
    svg_path_step(plot, plot->x.high, sum);
    svg_path_end(plot);
}

static void equity_caption(svg_plot *plot, const equity *e, const csm_horizon_training *t,
                           size_t issued_dates) {
    char n[48], d[48], blocks[32], net[32], doubled[32], holding[32], caption[768];
    snprintf(caption, sizeof caption,
             "<span class=\"key-line first\">Issued calls net of costs</span> %s, <span class=\"key-line "
             "second\">with costs doubled</span> %s, <span class=\"key-line third\">all coins on the same "
             "dates, before costs</span> %s. Each date takes 1/%.0f of the wealth until its calls mature. "
             "%s calls on %s dates, %s disjoint blocks.",
             percent_kept(e->sum[EQUITY_NET], net, sizeof net),
             percent_kept(e->sum[EQUITY_DOUBLED], doubled, sizeof doubled),
             percent_kept(e->sum[EQUITY_HOLDING], holding, sizeof holding), 1 / e->share,
             count_text(t->evidence.issued, n, sizeof n), count_text(issued_dates, d, sizeof d),
             blocks_text(t->evidence.blocks, blocks, sizeof blocks));
    end_figure(plot, "Cumulative return of issued calls", caption);
}

void plot_equity(markup *m, const csm_horizon_training *t, const walk_date *dates, size_t count,
                 const char *name) {
    size_t issued_dates = 0;
    for (size_t i = 0; i < count; i++) issued_dates += dates[i].issued > 0;
    if (issued_dates == 0) return;
    equity e = equity_of(dates, count, t->horizon);
    if (!isfinite(e.sum[EQUITY_NET] + e.sum[EQUITY_DOUBLED] + e.sum[EQUITY_HOLDING])) return;
    svg_plot plot = square_plot(m);
    plot.x = (svg_scale){.low = (double)dates[0].time, .high = (double)dates[count - 1].matures};
    begin_figure(&plot, "equity", name, "Cumulative return of issued calls",
                 "Cumulative logarithmic return of the issued calls net of costs, with costs doubled, and "
                 "of holding every coin on the same dates.");
    equity_ticks(&plot, &e, 1);
    time_ticks(&plot, dates[0].time, dates[count - 1].matures, 6);
    svg_line(&plot, "zero", plot.x.low, 0, plot.x.high, 0);
    for (int line = 0; line < EQUITY_LINES; line++) equity_path(&plot, &e, line);
    svg_axis_names(&plot, "", "log return");
    equity_caption(&plot, &e, t, issued_dates);
}

/* ---- drawdown ---- */

/* Walks the wealth of one line; returns its deepest fall below its highest so far, and draws it where there is a plot. */
static double walk_falls(svg_plot *plot, const equity *e, int line) {
    double sum = 0, highest = 0, deepest = 0;
    for (size_t i = 0; i < e->count; i++) {
        sum += equity_gain(e, i, line);
        highest = fmax(highest, sum);
        deepest = fmin(deepest, sum - highest);
        if (plot && e->dates[i].issued) svg_path_step(plot, (double)e->dates[i].matures, sum - highest);
    }
    if (plot) svg_path_step(plot, plot->x.high, sum - highest);
    return deepest;
}

double issued_drawdown(const walk_date *dates, size_t count, csm_time horizon) {
    const equity e = equity_of(dates, count, horizon);
    size_t issued = 0;
    for (size_t i = 0; i < count; i++) issued += dates[i].issued > 0;
    return issued ? walk_falls(NULL, &e, EQUITY_NET) : NAN;
}

void plot_drawdown(markup *m, const csm_horizon_training *t, const walk_date *dates, size_t count,
                   const char *name) {
    const equity e = equity_of(dates, count, t->horizon);
    double deepest[EQUITY_LINES], low = 0;
    for (int line = 0; line < EQUITY_LINES; line++) {
        deepest[line] = walk_falls(NULL, &e, line);
        low = fmin(low, deepest[line]);
    }
    if (!(low < 0) || !isfinite(low)) return;
    svg_plot plot = square_plot(m);
    equity frame = {.low = low};
    plot.x = (svg_scale){.low = (double)dates[0].time, .high = (double)dates[count - 1].matures};
    begin_figure(&plot, "drawdown", name, "Drawdown of issued calls",
                 "How far the cumulative logarithmic return of the issued calls stood below its highest so "
                 "far, net of costs, with costs doubled, and for every coin on the same dates.");
    equity_ticks(&plot, &frame, 0);
    time_ticks(&plot, dates[0].time, dates[count - 1].matures, 6);
    svg_line(&plot, "zero", plot.x.low, 0, plot.x.high, 0);
    for (int line = 0; line < EQUITY_LINES; line++) {
        svg_path_begin(&plot, equity_classes[line]);
        svg_path_step(&plot, plot.x.low, 0);
        walk_falls(&plot, &e, line);
        svg_path_end(&plot);
    }
    svg_axis_names(&plot, "", "below the highest");
    char net[32], doubled[32], holding[32], caption[512];
    snprintf(caption, sizeof caption,
             "Deepest fall of the <span class=\"key-line first\">issued calls net of costs</span> %s, <span "
             "class=\"key-line second\">with costs doubled</span> %s, <span class=\"key-line third\">all "
             "coins on the same dates</span> %s.",
             percent_kept(deepest[EQUITY_NET], net, sizeof net),
             percent_kept(deepest[EQUITY_DOUBLED], doubled, sizeof doubled),
             percent_kept(deepest[EQUITY_HOLDING], holding, sizeof holding));
    end_figure(&plot, "Drawdown of issued calls", caption);
}
