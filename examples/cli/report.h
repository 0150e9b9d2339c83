/* SPDX-License-Identifier: MIT */
/* The parts of the HTML report. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli.h"
#include "skill.h"
#include "svg.h"

typedef struct report {
    markup *out;
    const csm_ranking *ranking;   /* NULL: none */
    const csm_training *training; /* NULL: none */
    const judgement *judged;      /* one a horizon of the training; NULL: not judged */
    csm_time gate_horizon;
} report;

extern const char *const report_style[]; /* the page's style sheet, in pieces; NULL at the end */

/* ---- text ---- */

const char *count_text(size_t count, char *text, size_t size);               /* "16 320" */
const char *blocks_text(double blocks, char *text, size_t size);             /* "22", "n/a" */
const char *fixed_text(double value, int decimals, char *text, size_t size); /* "0.2412", "n/a" */
const char *date_text(csm_time time, char *text, size_t size);               /* "2023-12-30" */
/* percent_text and probability_text, held together by no-break spaces. */
const char *percent_kept(double value, char *text, size_t size);
const char *probability_kept(double value, char *text, size_t size);
/* "<td class=n>16 320 <small>N<sub>eff</sub> 22</small></td>": no count without its disjoint blocks. */
void cell_count(markup *m, size_t count, double blocks);
void cell_number(markup *m, const char *text);
/* A log return as simple return, coloured by its sign. */
void cell_return(markup *m, double log_return);
void evidence_badge(markup *m, uint32_t status);

/* A table that scrolls sideways where the page is narrow: begin, caption, columns, rows, end. */
typedef struct column {
    const char *title;
    bool number; /* right-aligned */
} column;
void table_begin(markup *m, const char *class, const char *label,
                 const char *name);                             /* name: "" or a horizon's */
void table_columns(markup *m, const column *columns, size_t n); /* opens the body */
void table_end(markup *m);

/* The forecast's entry for a horizon, or NULL. */
const csm_horizon_forecast *forecast_at(const csm_forecast *forecast, csm_time horizon);
/* Whether the workspace's ledger spans the 12 weeks that a trade signal needs. */
bool live_clock_full(const csm_ranking *ranking);
/* The index of the gate's horizon among the training's, or -1. */
int gate_index(const report *r);

/* ---- what the walk-forward record says (report_rows.c) ---- */

/* A call: the calibrated probability reached the gate's threshold. */
bool is_issued(const csm_walk_row *row);
/* Shown: the whole gate was passed. */
bool is_shown(const csm_walk_row *row);

/* One decision time of a walk. Returns are simple ones, means over coins. */
typedef struct walk_date {
    csm_time time;
    csm_time matures; /* the last of its rows */
    size_t begin;     /* rows [begin, end) of the walk */
    size_t end;
    size_t issued;
    size_t shown;
    size_t shown_rises;
    double best;        /* highest calibrated probability; NaN: none */
    double net;         /* issued calls net of costs; NaN: none issued */
    double net_doubled; /* with costs doubled */
    double holding;     /* every coin of the date, without costs */
} walk_date;

/* Dates in order; *out is freed by the caller. CSM_ENOMEM alone. */
csm_status walk_dates(walk_date **out, size_t *count, const csm_walk_row *rows, size_t n);
/* Leading dates without a calibrated prediction. */
size_t walk_uncalibrated(const walk_date *dates, size_t count);
/* The usual spacing of the dates: the most frequent distance among the first; 0 for fewer than two. */
csm_time walk_step(const walk_date *dates, size_t count);
/* Disjoint blocks of the rows for which keep(row) holds. */
double walk_blocks(const csm_walk_row *rows, size_t n, csm_time horizon,
                   bool (*keep)(const csm_walk_row *row));

/* Precision of the first `count` rows in an order, at an end of a run of ties only. */
typedef struct precision_point {
    size_t count;
    double coverage; /* count / all rows */
    double precision;
    double blocks; /* disjoint blocks among them */
} precision_point;

typedef enum walk_order { ORDER_PROBABILITY, ORDER_MOMENTUM } walk_order;

/* At most `limit` (>= 2) points, evenly spread in the logarithm of the count, the last of all rows. Judged rows alone: those
 * with both a probability and a known momentum, so that both orders stand on the same rows. */
csm_status precision_curve(precision_point *out, size_t *points, size_t limit, const csm_walk_row *rows,
                           size_t n, csm_time horizon, walk_order order);

/* Conformal intervals against what happened. */
typedef struct interval_score {
    size_t rows;
    double coverage;
    double width; /* mean, log */
} interval_score;
interval_score score_intervals(const csm_walk_row *rows, size_t n);

/* Rank correlation of coins within their date, as a mean over the dates of a calendar month or quarter. */
typedef struct ic_period {
    csm_time from; /* decision of the first date */
    csm_time to;   /* of the last */
    size_t dates;  /* on which both are known */
    double model;  /* expected with realised return; NaN: no date */
    double momentum;
} ic_period;
/* 1 month a period, or 3 where there would be more than twelve; and the number of the period that holds `time`. */
int period_months(const csm_walk_row *rows, size_t n);
int period_of(csm_time time, int months);
/* Periods in order, over rows with a calibrated probability and a known momentum; *out is freed by the caller. CSM_ENOMEM alone. */
csm_status ic_periods(ic_period **out, size_t *count, const csm_walk_row *rows, size_t n);

/* ---- sections ---- */

void report_shown(const report *r);              /* report_tables.c */
void report_funnel(const report *r);             /* report_tables.c */
void report_coins(const report *r);              /* report_coins.c */
csm_status report_time_machine(const report *r); /* report_walk.c */
csm_status report_horizons(const report *r);     /* report_horizon.c */
/* report_skill.c */
void report_skill(markup *m, const csm_horizon_training *t, const skill *s, const char *name);
void report_regimes(markup *m, const csm_horizon_training *t, const regime_slice slices[REGIMES],
                    const char *name);

/* ---- frames of plots (report_plots.c) ---- */

svg_plot square_plot(markup *m);
void begin_figure(svg_plot *plot, const char *kind, const char *name, const char *title,
                  const char *description);
void end_figure(svg_plot *plot, const char *title, const char *caption);
/* Whole percents at round distances, on either axis. */
void percent_ticks(svg_plot *plot, const svg_scale *scale, void (*tick)(svg_plot *, double, const char *));
/* Months of the calendar, at most `most` on the axis; weeks where it is shorter than 75 days. */
void time_ticks(svg_plot *plot, csm_time from, csm_time to, int most);

/* ---- plots (report_plots.c, report_equity.c): a <figure> each ---- */

void plot_reliability(markup *m, const csm_horizon_training *t, const char *name);
csm_status plot_precision(markup *m, const csm_horizon_training *t, const csm_walk_row *rows,
                          const char *name);
void plot_equity(markup *m, const csm_horizon_training *t, const walk_date *dates, size_t count,
                 const char *name);
/* Of the same wealth, how far it stood below its highest. */
void plot_drawdown(markup *m, const csm_horizon_training *t, const walk_date *dates, size_t count,
                   const char *name);
/* The deepest such fall net of costs, a log return of at most 0; NaN where nothing was issued. */
double issued_drawdown(const walk_date *dates, size_t count, csm_time horizon);
csm_status plot_rank_ic(markup *m, const csm_walk_row *rows, size_t n, const char *name);
void plot_intervals(markup *m, const csm_walk_row *rows, size_t n, const char *name);
void plot_timeline(markup *m, const walk_date *dates, size_t count, const char *name);

#endif
