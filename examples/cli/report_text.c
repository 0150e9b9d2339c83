/* SPDX-License-Identifier: MIT */
/* Numbers, dates and small parts that every section of the report uses. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *count_text(size_t count, char *text, size_t size) {
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%zu", count);
    size_t at = 0;
    for (int i = 0; i < length && at + 4 < size; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            memcpy(text + at, "\xC2\xA0", 2); /* no-break space */
            at += 2;
        }
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}

const char *blocks_text(double blocks, char *text, size_t size) {
    if (blocks >= 0 && blocks < 1e15) return count_text((size_t)blocks, text, size);
    snprintf(text, size, "n/a");
    return text;
}

const char *fixed_text(double value, int decimals, char *text, size_t size) {
    if (isfinite(value))
        snprintf(text, size, "%.*f", decimals, value);
    else
        snprintf(text, size, "n/a");
    return text;
}

const char *date_text(csm_time time, char *text, size_t size) {
    if (time == CSM_TIME_MIN || time == CSM_TIME_MAX) {
        snprintf(text, size, "-");
        return text;
    }
    csm_calendar c = csm_time_calendar(time);
    snprintf(text, size, "%04d-%02d-%02d", (int)c.year, (int)c.month, (int)c.day);
    return text;
}

/* Spaces become no-break spaces, as far as they fit. */
static const char *keep_together(char *text, size_t size) {
    size_t length = strlen(text);
    for (size_t i = 0; i < length && length + 1 < size; i++) {
        if (text[i] != ' ') continue;
        memmove(text + i + 2, text + i + 1, length - i);
        memcpy(text + i, "\xC2\xA0", 2);
        length++;
    }
    return text;
}

const char *percent_kept(double value, char *text, size_t size) {
    percent_text(value, text, size);
    return keep_together(text, size);
}

const char *probability_kept(double value, char *text, size_t size) {
    probability_text(value, text, size);
    return keep_together(text, size);
}

void cell_count(markup *m, size_t count, double blocks) {
    char n[48], b[32];
    markup_add(m, "<td class=\"n\">%s <small>N<sub>eff</sub>&#160;%s</small></td>",
               count_text(count, n, sizeof n), blocks_text(blocks, b, sizeof b));
}

void cell_number(markup *m, const char *text) {
    markup_add(m, "<td class=\"n\">%s</td>", text);
}

void cell_return(markup *m, double log_return) {
    char text[48];
    const char *class = !isfinite(log_return) ? "n soft" : log_return < 0 ? "n fall" : "n rise";
    markup_add(m, "<td class=\"%s\">%s</td>", class, percent_kept(log_return, text, sizeof text));
}

void evidence_badge(markup *m, uint32_t status) {
    static const char *const classes[] = {"soft", "fall", "plain", "rise"};
    const char *name = csm_evidence_name(status);
    markup_add(m, "<span class=\"badge %s\">", status < 4 ? classes[status] : "soft");
    markup_text(m, name ? name : "?");
    markup_add(m, "</span>");
}

void table_begin(markup *m, const char *class, const char *label, const char *name) {
    markup_add(
        m,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s%s%s\"><table class=\"%s\">\n",
        label, *name ? ", " : "", name, class);
}

void table_columns(markup *m, const column *columns, size_t n) {
    markup_add(m, "<thead><tr>");
    for (size_t i = 0; i < n; i++)
        markup_add(m, "<th scope=\"col\"%s>%s</th>", columns[i].number ? " class=\"n\"" : "",
                   columns[i].title);
    markup_add(m, "</tr></thead>\n<tbody>\n");
}

void table_end(markup *m) {
    markup_add(m, "</tbody></table></div>\n");
}

const csm_horizon_forecast *forecast_at(const csm_forecast *forecast, csm_time horizon) {
    for (uint32_t h = 0; h < forecast->horizon_count; h++) {
        if (forecast->horizons[h].horizon == horizon) return &forecast->horizons[h];
    }
    return NULL;
}

int gate_index(const report *r) {
    size_t count = r->training ? csm_training_horizons(r->training) : 0;
    for (size_t h = 0; h < count; h++) {
        if (csm_training_horizon(r->training, h)->horizon == r->gate_horizon) return (int)h;
    }
    return -1;
}
