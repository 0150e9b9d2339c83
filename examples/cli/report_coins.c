/* SPDX-License-Identifier: MIT */
/* Every coin with its forecast per horizon, shaded by how far it stands from what is usual. */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct coin_row {
    const csm_forecast *forecast;
    double probability; /* at the gate's horizon; -1: none */
} coin_row;

static int most_probable_first(const void *a, const void *b) {
    const coin_row *x = a, *y = b;
    if (x->probability != y->probability) return x->probability > y->probability ? -1 : 1;
    return strcmp(x->forecast->market, y->forecast->market);
}

/* Share of rising outcomes in the horizon's walk: what a probability is shaded against. One half when it is not known. */
static double base_rate_of(const report *r, csm_time horizon) {
    size_t count = r->training ? csm_training_horizons(r->training) : 0;
    for (size_t h = 0; h < count; h++) {
        const csm_horizon_training *t = csm_training_horizon(r->training, h);
        if (t->horizon == horizon && isfinite(t->base_rate)) return t->base_rate;
    }
    return 0.5;
}

/* "up3", "down1" or "" for the size of a deviation; full shade at `full`. */
static const char *shade_class(double deviation, double full) {
    static const char *const classes[] = {"down5", "down4", "down3", "down2", "down1", "level",
                                          "up1",   "up2",   "up3",   "up4",   "up5"};
    if (!isfinite(deviation)) return "none";
    double steps = round(5 * deviation / full);
    return classes[(int)fmax(0, fmin(10, 5 + steps))];
}

static void coin_horizon(const report *r, const csm_horizon_forecast *h) {
    markup *m = r->out;
    char text[48];
    double base = base_rate_of(r, h->horizon);
    /* a return counts as large at 2 % an hour, growing with the square root of time */
    double large = 0.02 * sqrt((double)h->horizon / (double)CSM_HOUR);
    markup_add(m, "<td class=\"n heat first %s\">%s</td>", shade_class(h->probability - base, 0.4),
               probability_kept(h->probability, text, sizeof text));
    markup_add(m, "<td class=\"n heat %s\">%s</td>", shade_class(h->expected_return, large),
               percent_kept(h->expected_return, text, sizeof text));
}

static void coin_reasons(const report *r, const csm_forecast *f) {
    markup *m = r->out;
    if (f->show == 0) markup_add(m, "<b>shown</b>");
    for (uint32_t bit = 0; bit < 64; bit++) {
        if (!(f->show >> bit & 1)) continue;
        const char *name = csm_reason_name(bit);
        markup_add(m, "<a href=\"#reason-%u\">", (unsigned)bit);
        markup_text(m, name ? name : "?");
        markup_add(m, "</a> ");
    }
}

static void coins_header(const report *r, const csm_forecast *first) {
    markup *m = r->out;
    char name[32];
    markup_add(m, "<thead><tr><th scope=\"col\" rowspan=\"2\">coin</th>");
    for (uint32_t h = first->horizon_count; h-- > 0;)
        markup_add(m, "<th scope=\"colgroup\" colspan=\"2\" class=\"first mid\">%s</th>",
                   horizon_text(first->horizons[h].horizon, name, sizeof name));
    markup_add(m, "<th scope=\"col\" rowspan=\"2\">why it is not shown</th></tr>\n<tr>");
    for (uint32_t h = first->horizon_count; h-- > 0;)
        markup_add(m, "<th scope=\"col\" class=\"n first\"><abbr "
                      "title=\"probability\">prob.</abbr></th><th scope=\"col\" class=\"n\"><abbr "
                      "title=\"expected return\">exp.</abbr></th>");
    markup_add(m, "</tr></thead>\n");
}

static void coins_table(const report *r, const coin_row *coins, size_t total) {
    markup *m = r->out;
    coins_header(r, coins[0].forecast);
    markup_add(m, "<tbody>\n");
    for (size_t i = 0; i < total; i++) {
        const csm_forecast *f = coins[i].forecast;
        markup_add(m, "<tr><th scope=\"row\">");
        markup_text(m, f->coin);
        markup_add(m, "</th>");
        for (uint32_t h = f->horizon_count; h-- > 0;) coin_horizon(r, &f->horizons[h]);
        markup_add(m, "<td class=\"reasons\">");
        coin_reasons(r, f);
        markup_add(m, "</td></tr>\n");
    }
    table_end(m);
    markup_add(m, "</section>\n");
}

void report_coins(const report *r) {
    markup *m = r->out;
    char count[48], name[32];
    size_t total = csm_ranking_total(r->ranking);
    if (total == 0) return;
    coin_row *coins = calloc(total, sizeof *coins);
    if (!coins) {
        m->failed = true;
        return;
    }
    for (size_t i = 0; i < total; i++) {
        const csm_forecast *f = csm_ranking_all_at(r->ranking, i);
        const csm_horizon_forecast *gate = forecast_at(f, r->gate_horizon);
        coins[i] = (coin_row){f, gate && isfinite(gate->probability) ? gate->probability : -1};
    }
    qsort(coins, total, sizeof *coins, most_probable_first);
    markup_add(m, "<section id=\"coins\"><h2>All coins</h2>\n");
    table_begin(m, "heatmap", "All coins", "");
    markup_add(m,
               "<caption>%s coins, most probable at %s first. A probability is shaded by its distance from "
               "the horizon's base rate, an expected return by its size: <span class=\"key "
               "up4\">above</span> <span class=\"key down4\">below</span>.</caption>\n",
               count_text(total, count, sizeof count), horizon_text(r->gate_horizon, name, sizeof name));
    coins_table(r, coins, total);
    free(coins);
}
