/* SPDX-License-Identifier: MIT */
/* The plots: reliability, precision over coverage, interval coverage, rank IC and the gate over time. */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HIGH_PROBABILITY 0.80 /* the least threshold of the gate */

/* ---- frames ---- */

svg_plot square_plot(markup *m) {
    return (svg_plot){
        .out = m, .width = 420, .height = 310, .left = 48, .right = 402, .top = 26, .bottom = 266};
}

static svg_plot wide_plot(markup *m, double height) {
    return (svg_plot){
        .out = m, .width = 860, .height = height, .left = 48, .right = 840, .top = 26, .bottom = height - 30};
}

void begin_figure(svg_plot *plot, const char *kind, const char *name, const char *title,
                  const char *description) {
    char id[64], full[128];
    snprintf(id, sizeof id, "%s-%s", kind, name);
    snprintf(full, sizeof full, "%s, %s", title, name);
    markup_add(plot->out, "<figure class=\"%s\">", plot->width > 500 ? "wide" : "plot");
    svg_begin(plot, id, full, description);
}

void end_figure(svg_plot *plot, const char *title, const char *caption) {
    svg_end(plot);
    markup_add(plot->out, "<figcaption><b>%s.</b> %s</figcaption></figure>\n", title, caption);
}

/* Whole percents at round distances, on either axis. */
void percent_ticks(svg_plot *plot, const svg_scale *scale, void (*tick)(svg_plot *, double, const char *)) {
    double step = fmax(0.01, svg_round_step(scale->high - scale->low, 5));
    char text[32];
    int last = (int)floor(scale->high / step + 1e-9);
    for (int k = (int)ceil(scale->low / step - 1e-9); k <= last; k++) {
        snprintf(text, sizeof text, "%d %%", (int)lround(100 * k * step));
        tick(plot, k * step, text);
    }
}

/* Months of the calendar, spaced so that at most `most` fall into the axis; weeks where the axis is shorter than 75 days. */
void time_ticks(svg_plot *plot, csm_time from, csm_time to, int most) {
    static const int steps[] = {1, 2, 3, 6, 12, 24, 60, 120};
    char text[32];
    if (to - from < 75 * CSM_DAY) {
        csm_time step = to - from > 14 * CSM_DAY ? 2 * CSM_WEEK : CSM_DAY * (1 + (to - from) / (7 * CSM_DAY));
        for (csm_time t = csm_time_floor(from + step - 1, CSM_DAY); t <= to; t += step)
            svg_tick_x(plot, (double)t, date_text(t, text, sizeof text) + 5);
        return;
    }
    csm_calendar first = csm_time_calendar(from), last = csm_time_calendar(to);
    int begin = 12 * first.year + first.month, end = 12 * last.year + last.month - 1,
        step = steps[7]; /* months since year 0 */
    for (size_t s = 8; s-- > 0;) {
        if ((end - begin) / steps[s] < most) step = steps[s];
    }
    for (int month = begin + (step - begin % step) % step; month <= end; month += step) {
        csm_calendar at = {.year = month / 12, .month = month % 12 + 1, .day = 1};
        csm_time t = 0;
        if (csm_time_from_calendar(&t, &at) != CSM_OK) return;
        snprintf(text, sizeof text, "%04d-%02d", (int)at.year, (int)at.month);
        svg_tick_x(plot, (double)t, text);
    }
}

/* ---- reliability ---- */

/* The part of 0..1 that holds all bins and their bands, in tenths, the same for both axes. */
static svg_scale reliability_scale(const csm_scores *s) {
    double low = 1, high = 0;
    for (size_t b = 0; b < s->bin_count; b++) {
        const csm_reliability_bin *bin = &s->bins[b];
        if (bin->count == 0) continue;
        low = fmin(low, fmin(bin->probability, fmin(bin->frequency, bin->low)));
        high = fmax(high, fmax(bin->probability, fmax(bin->frequency, bin->high)));
    }
    svg_scale scale = {.low = fmax(0, floor(10 * low) / 10), .high = fmin(1, ceil(10 * high) / 10)};
    if (!(scale.high - scale.low >= 0.1)) scale = (svg_scale){.low = 0, .high = 1};
    return scale;
}

static void reliability_bin(svg_plot *plot, const csm_reliability_bin *bin, size_t largest) {
    char p[32], f[32], low[32], high[32], n[48], title[192];
    snprintf(title, sizeof title, "predicted %s, happened %s (%s to %s), %s predictions",
             probability_kept(bin->probability, p, sizeof p), probability_kept(bin->frequency, f, sizeof f),
             probability_kept(bin->low, low, sizeof low), probability_kept(bin->high, high, sizeof high),
             count_text(bin->count, n, sizeof n));
    if (isfinite(bin->low) && isfinite(bin->high))
        svg_line(plot, "band", bin->probability, bin->low, bin->probability, bin->high);
    svg_dot(plot, "dot", bin->probability, bin->frequency,
            2 + 2.5 * sqrt((double)bin->count / (double)largest), title);
}

static void reliability_table(markup *m, const csm_scores *s, const char *name) {
    static const column columns[] = {
        {"predicted", true}, {"happened", true}, {"90&#160;% band", true}, {"predictions", true}};
    char text[48], low[32], high[32];
    markup_add(m, "<details><summary>Reliability, as a table</summary>\n");
    table_begin(m, "reliability", "Reliability", name);
    markup_add(m, "<caption>Bins of equal mass</caption>\n");
    table_columns(m, columns, sizeof columns / sizeof *columns);
    for (size_t b = 0; b < s->bin_count; b++) {
        const csm_reliability_bin *bin = &s->bins[b];
        if (bin->count == 0) continue;
        markup_add(m, "<tr>");
        cell_number(m, probability_kept(bin->probability, text, sizeof text));
        cell_number(m, probability_kept(bin->frequency, text, sizeof text));
        markup_add(m, "<td class=\"n soft\">%s &#8230; %s</td>", probability_kept(bin->low, low, sizeof low),
                   probability_kept(bin->high, high, sizeof high));
        cell_number(m, count_text(bin->count, text, sizeof text));
        markup_add(m, "</tr>\n");
    }
    table_end(m);
    markup_add(m, "</details>\n");
}

void plot_reliability(markup *m, const csm_horizon_training *t, const char *name) {
    const csm_scores *s = &t->model;
    svg_plot plot = square_plot(m);
    plot.x = plot.y = reliability_scale(s);
    size_t largest = 1;
    for (size_t b = 0; b < s->bin_count; b++)
        largest = s->bins[b].count > largest ? s->bins[b].count : largest;
    begin_figure(&plot, "reliability", name, "Reliability diagram",
                 "Share of predictions that came true, over the predicted probability, in bins of equal "
                 "mass. On the diagonal both agree.");
    percent_ticks(&plot, &plot.y, svg_tick_y);
    percent_ticks(&plot, &plot.x, svg_tick_x);
    svg_line(&plot, "guide", plot.x.low, plot.y.low, plot.x.high, plot.y.high);
    if (s->base_rate > plot.y.low && s->base_rate < plot.y.high) {
        svg_line(&plot, "base", plot.x.low, s->base_rate, plot.x.high, s->base_rate);
        svg_label(&plot, "note", "end", plot.x.high, s->base_rate, 0, -4, "base rate");
    }
    for (size_t b = 0; b < s->bin_count; b++) {
        if (s->bins[b].count > 0) reliability_bin(&plot, &s->bins[b], largest);
    }
    svg_axis_names(&plot, "predicted", "happened");
    char n[48], blocks[32], caption[256];
    snprintf(caption, sizeof caption,
             "Dots on the diagonal are calibrated; bars are 90&#160;%% block-bootstrap bands. %s "
             "predictions, %s disjoint blocks.",
             count_text(s->rows, n, sizeof n), blocks_text(s->blocks, blocks, sizeof blocks));
    svg_end(&plot);
    markup_add(m, "<figcaption><b>Reliability.</b> %s</figcaption>\n", caption);
    reliability_table(m, s, name);
    markup_add(m, "</figure>\n");
}

/* ---- precision over coverage ---- */

#define CURVE_POINTS 160

static void precision_line(svg_plot *plot, const char *class, const precision_point *points, size_t count) {
    svg_path_begin(plot, class);
    for (size_t i = 0; i < count; i++) {
        if (points[i].coverage >= plot->x.low) svg_path_to(plot, points[i].coverage, points[i].precision);
    }
    svg_path_end(plot);
}

static void coverage_ticks(svg_plot *plot) {
    static const struct {
        double value;
        const char *label;
    } ticks[] = {{0.00001, "0.001 %"}, {0.0001, "0.01 %"}, {0.001, "0.1 %"},
                 {0.01, "1 %"},        {0.1, "10 %"},      {1, "100 %"}};
    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++) {
        if (ticks[i].value >= plot->x.low) svg_tick_x(plot, ticks[i].value, ticks[i].label);
    }
}

csm_status plot_precision(markup *m, const csm_horizon_training *t, const csm_walk_row *rows,
                          const char *name) {
    precision_point model[CURVE_POINTS], momentum[CURVE_POINTS];
    size_t models = 0, momenta = 0;
    csm_status status =
        precision_curve(model, &models, CURVE_POINTS, rows, t->walk_rows, t->horizon, ORDER_PROBABILITY);
    if (status == CSM_OK)
        status =
            precision_curve(momentum, &momenta, CURVE_POINTS, rows, t->walk_rows, t->horizon, ORDER_MOMENTUM);
    if (status != CSM_OK || models < 2) return status;
    svg_plot plot = square_plot(m);
    /* a precision of fewer than ten predictions says nothing */
    plot.x =
        (svg_scale){.low = fmin(0.5, 10 / (double)model[models - 1].count), .high = 1, .logarithmic = true};
    plot.y = (svg_scale){.low = 0, .high = 1};
    begin_figure(&plot, "precision", name, "Precision over coverage",
                 "Share of rising outcomes among the predictions with the highest probability, over the "
                 "share of all predictions taken, beside the same share taken by momentum.");
    percent_ticks(&plot, &plot.y, svg_tick_y);
    coverage_ticks(&plot);
    svg_line(&plot, "guide", plot.x.low, HIGH_PROBABILITY, 1, HIGH_PROBABILITY);
    svg_line(&plot, "base", plot.x.low, t->model.base_rate, 1, t->model.base_rate);
    precision_line(&plot, "line second", momentum, momenta);
    precision_line(&plot, "line first", model, models);
    svg_axis_names(&plot, "share of predictions taken", "precision");
    char n[48], blocks[32], caption[384];
    snprintf(
        caption, sizeof caption,
        "Predictions ordered by probability (<span class=\"key-line first\">model</span>) and by momentum "
        "(<span class=\"key-line second\">rule</span>), from ten predictions on; dotted: base rate, "
        "dashed: 80&#160;%%. %s predictions, %s disjoint blocks in all.",
        count_text(model[models - 1].count, n, sizeof n),
        blocks_text(model[models - 1].blocks, blocks, sizeof blocks));
    end_figure(&plot, "Precision over coverage", caption);
    return CSM_OK;
}

/* ---- intervals ---- */

static size_t period_end(const csm_walk_row *rows, size_t n, size_t begin, int months) {
    size_t end = begin;
    while (end < n && period_of(rows[end].time, months) == period_of(rows[begin].time, months)) end++;
    return end;
}

static void interval_dot(svg_plot *plot, const csm_walk_row *rows, size_t n) {
    interval_score score = score_intervals(rows, n);
    if (score.rows == 0) return;
    char from[32], to[32], coverage[32], width[32], count[48], title[224];
    snprintf(title, sizeof title, "%s to %s: %s of %s returns inside, mean width %s",
             date_text(rows[0].time, from, sizeof from), date_text(rows[n - 1].time, to, sizeof to),
             probability_kept(score.coverage, coverage, sizeof coverage),
             count_text(score.rows, count, sizeof count), fixed_text(score.width, 3, width, sizeof width));
    svg_dot(plot, "dot", ((double)rows[0].time + (double)rows[n - 1].time) / 2, score.coverage, 4, title);
}

/* Tenths under the lowest coverage of a period, one half at most. */
static double interval_floor(const csm_walk_row *rows, size_t n, int months) {
    double lowest = 0.5;
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = period_end(rows, n, begin, months);
        interval_score score = score_intervals(rows + begin, end - begin);
        if (score.rows > 0) lowest = fmin(lowest, floor(10 * score.coverage) / 10);
    }
    return lowest;
}

void plot_intervals(markup *m, const csm_walk_row *rows, size_t n, const char *name) {
    interval_score all = score_intervals(rows, n);
    if (all.rows == 0 || rows[n - 1].time <= rows[0].time) return;
    int months = period_months(rows, n);
    svg_plot plot = square_plot(m);
    plot.x = (svg_scale){.low = (double)rows[0].time, .high = (double)rows[n - 1].time};
    plot.y = (svg_scale){.low = interval_floor(rows, n, months), .high = 1};
    begin_figure(&plot, "intervals", name, "Coverage of conformal intervals",
                 "Share of returns inside their conformal interval over time.");
    percent_ticks(&plot, &plot.y, svg_tick_y);
    time_ticks(&plot, rows[0].time, rows[n - 1].time, 6);
    svg_line(&plot, "base", plot.x.low, all.coverage, plot.x.high, all.coverage);
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = period_end(rows, n, begin, months);
        interval_dot(&plot, rows + begin, end - begin);
    }
    svg_axis_names(&plot, "", "inside");
    char caption[192];
    snprintf(caption, sizeof caption,
             "Returns inside the interval known at the time, by calendar %s of the decision; dotted: over "
             "all of them.",
             months == 1 ? "month" : "quarter");
    end_figure(&plot, "Coverage of conformal intervals", caption);
}

/* ---- rank IC ---- */

static void ic_line(svg_plot *plot, const char *class, const ic_period *periods, size_t count, bool model) {
    svg_path_begin(plot, class);
    for (size_t i = 0; i < count; i++) {
        const double value = model ? periods[i].model : periods[i].momentum;
        if (isfinite(value)) svg_path_to(plot, ((double)periods[i].from + (double)periods[i].to) / 2, value);
    }
    svg_path_end(plot);
}

static void ic_dots(svg_plot *plot, const ic_period *periods, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const ic_period *p = &periods[i];
        char from[32], to[32], model[32], momentum[32], dates[48], title[224];
        if (!isfinite(p->model)) continue;
        snprintf(title, sizeof title, "%s to %s: model %s, momentum %s, mean over %s dates",
                 date_text(p->from, from, sizeof from), date_text(p->to, to, sizeof to),
                 fixed_text(p->model, 3, model, sizeof model),
                 fixed_text(p->momentum, 3, momentum, sizeof momentum),
                 count_text(p->dates, dates, sizeof dates));
        svg_dot(plot, "dot", ((double)p->from + (double)p->to) / 2, p->model, 3.5, title);
    }
}

/* Twentieths that hold every period. */
static svg_scale ic_scale(const ic_period *periods, size_t count) {
    double low = 0, high = 0.05;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, fmin(periods[i].model, periods[i].momentum)); /* fmin leaves NaN out */
        high = fmax(high, fmax(periods[i].model, periods[i].momentum));
    }
    return (svg_scale){.low = floor(20 * low) / 20, .high = ceil(20 * high) / 20};
}

static void ic_ticks(svg_plot *plot) {
    const double step = fmax(0.05, svg_round_step(plot->y.high - plot->y.low, 5));
    char text[32];
    for (int k = (int)ceil(plot->y.low / step - 1e-9); k <= (int)floor(plot->y.high / step + 1e-9); k++) {
        snprintf(text, sizeof text, "%+.2f", k * step);
        svg_tick_y(plot, k * step, k ? text : "0");
    }
}

csm_status plot_rank_ic(markup *m, const csm_walk_row *rows, size_t n, const char *name) {
    ic_period *periods = NULL;
    size_t count = 0;
    csm_status status = ic_periods(&periods, &count, rows, n);
    if (status != CSM_OK || count < 2) {
        free(periods);
        return status;
    }
    svg_plot plot = square_plot(m);
    plot.x = (svg_scale){.low = (double)periods[0].from, .high = (double)periods[count - 1].to};
    plot.y = ic_scale(periods, count);
    begin_figure(&plot, "rank-ic", name, "Rank IC over time",
                 "Mean rank correlation between expected and realised returns of the coins of a date, by "
                 "calendar period, beside that of momentum.");
    ic_ticks(&plot);
    time_ticks(&plot, periods[0].from, periods[count - 1].to, 6);
    svg_line(&plot, "zero", plot.x.low, 0, plot.x.high, 0);
    ic_line(&plot, "line second", periods, count, false);
    ic_line(&plot, "line first", periods, count, true);
    ic_dots(&plot, periods, count);
    svg_axis_names(&plot, "", "rank IC");
    char caption[320];
    snprintf(caption, sizeof caption,
             "Mean over the dates of a calendar %s (0 where the model expects the same of all coins): <span "
             "class=\"key-line first\">model</span> and <span "
             "class=\"key-line second\">momentum</span>. Above 0.10 a day is a reason to look for a leak.",
             period_months(rows, n) == 1 ? "month" : "quarter");
    end_figure(&plot, "Rank IC over time", caption);
    free(periods);
    return CSM_OK;
}

/* ---- the gate over time ---- */

static void timeline_calls(svg_plot *plot, const walk_date *date, double width) {
    char day[32], p[32], title[160];
    size_t misses = date->shown - date->shown_rises;
    snprintf(title, sizeof title, "%s: %zu shown, %zu rose; highest probability %s",
             date_text(date->time, day, sizeof day), date->shown, date->shown_rises,
             probability_kept(date->best, p, sizeof p));
    double x = (double)date->time;
    if (date->shown_rises) svg_bar(plot, "bar-rise", x, 0, x + width, (double)date->shown_rises, title);
    if (misses) svg_bar(plot, "bar-fall", x, 0, x + width, -(double)misses, title);
}

/* Calls shown on each date: those that rose above the line, the others below it. */
static void timeline_shown(markup *m, const walk_date *dates, size_t count, const char *name, double width) {
    svg_plot plot = wide_plot(m, 150);
    double rises = 1, misses = 1;
    for (size_t i = 0; i < count; i++) {
        rises = fmax(rises, (double)dates[i].shown_rises);
        misses = fmax(misses, (double)(dates[i].shown - dates[i].shown_rises));
    }
    plot.x = (svg_scale){.low = (double)dates[0].time, .high = (double)dates[count - 1].time + width};
    plot.y = (svg_scale){.low = -misses, .high = rises};
    begin_figure(&plot, "shown", name, "Calls shown on each date",
                 "Calls that rose stand above the line, the others below it.");
    char text[32];
    snprintf(text, sizeof text, "%.0f", rises);
    svg_tick_y(&plot, rises, text);
    snprintf(text, sizeof text, "%.0f", misses);
    svg_tick_y(&plot, -misses, text);
    svg_tick_y(&plot, 0, "0");
    time_ticks(&plot, dates[0].time, dates[count - 1].time, 12);
    for (size_t i = 0; i < count; i++) {
        if (dates[i].shown) timeline_calls(&plot, &dates[i], width);
    }
    svg_axis_names(&plot, "", "calls shown: rose above the line, did not below it");
    end_figure(&plot, "What was shown", "Calls of the dates on which the gate was open.");
}

void plot_timeline(markup *m, const walk_date *dates, size_t count, const char *name) {
    svg_plot plot = wide_plot(m, 230);
    size_t open = 0;
    double width = (double)walk_step(dates, count);
    if (dates[count - 1].time <= dates[0].time) return;
    for (size_t i = 0; i < count; i++) open += dates[i].shown > 0;
    plot.x = (svg_scale){.low = (double)dates[0].time, .high = (double)dates[count - 1].time + width};
    plot.y = (svg_scale){.low = 0, .high = 1};
    begin_figure(&plot, "timeline", name, "Highest probability of each date",
                 "The highest calibrated probability among all coins on each date of the walk-forward "
                 "record, and the threshold of 80 percent.");
    percent_ticks(&plot, &plot.y, svg_tick_y);
    time_ticks(&plot, dates[0].time, dates[count - 1].time, 12);
    svg_path_begin(&plot, "line first");
    for (size_t i = 0; i < count; i++) {
        if (isfinite(dates[i].best)) svg_path_step(&plot, (double)dates[i].time, dates[i].best);
    }
    svg_path_end(&plot);
    svg_line(&plot, "guide", plot.x.low, HIGH_PROBABILITY, plot.x.high, HIGH_PROBABILITY);
    svg_axis_names(&plot, "", "highest probability of the date");
    end_figure(&plot, "How near the gate came",
               "The highest calibrated probability of any coin on each date; dashed: 80&#160;%, the least "
               "threshold of the gate.");
    if (open > 0) timeline_shown(m, dates, count, name, width);
}
