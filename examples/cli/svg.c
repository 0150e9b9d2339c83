/* SPDX-License-Identifier: MIT */
#include "svg.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- markup ---- */

void markup_free(markup *m) {
    free(m->text);
    *m = (markup){0};
}

/* Room for `more` bytes and the terminator. */
static bool reserve(markup *m, size_t more) {
    if (m->failed) return false;
    if (more < m->capacity - m->length) return true;
    size_t capacity = m->capacity ? m->capacity : 1 << 16;
    while (capacity / 2 <= m->length + more && capacity <= SIZE_MAX / 4) capacity *= 2;
    char *text = capacity / 2 > m->length + more ? realloc(m->text, capacity) : NULL;
    if (!text) {
        m->failed = true;
        return false;
    }
    m->text = text;
    m->capacity = capacity;
    return true;
}

static void add_bytes(markup *m, const char *bytes, size_t length) {
    if (!reserve(m, length)) return;
    memcpy(m->text + m->length, bytes, length);
    m->length += length;
    m->text[m->length] = 0;
}

void markup_add(markup *m, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        m->failed = true;
    else if (reserve(m, (size_t)length)) {
        vsnprintf(m->text + m->length, m->capacity - m->length, format, again);
        m->length += (size_t)length;
    }
    va_end(again);
}

/* Length of the well-formed UTF-8 character at `text` (RFC 3629), 0 when there is none. */
static size_t utf8_length(const unsigned char *text) {
    static const struct {
        unsigned char from, to, second_from, second_to;
        size_t length;
    } forms[] = {{0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
                 {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
                 {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
    if (text[0] < 0x80) return 1;
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        if (text[0] < forms[f].from || text[0] > forms[f].to) continue;
        if (text[1] < forms[f].second_from || text[1] > forms[f].second_to) return 0;
        for (size_t i = 2; i < forms[f].length; i++) {
            if (text[i] < 0x80 || text[i] > 0xBF) return 0;
        }
        return forms[f].length;
    }
    return 0;
}

static const char *escape_of(unsigned char c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return c < 0x20 || c == 0x7F ? "\xEF\xBF\xBD" : NULL;
    }
}

void markup_text(markup *m, const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        const char *escape = escape_of(*at);
        size_t length = utf8_length(at);
        if (escape)
            add_bytes(m, escape, strlen(escape));
        else if (length)
            add_bytes(m, (const char *)at, length);
        else
            add_bytes(m, "\xEF\xBF\xBD", 3);
        at += length ? length : 1;
    }
}

/* ---- plots ---- */

static double position(const svg_scale *scale, double value) {
    if (scale->logarithmic) return (log(value) - log(scale->low)) / (log(scale->high) - log(scale->low));
    return (value - scale->low) / (scale->high - scale->low);
}

double svg_x(const svg_plot *plot, double value) {
    return plot->left + position(&plot->x, value) * (plot->right - plot->left);
}

double svg_y(const svg_plot *plot, double value) {
    return plot->bottom - position(&plot->y, value) * (plot->bottom - plot->top);
}

void svg_begin(svg_plot *plot, const char *id, const char *title, const char *description) {
    markup *m = plot->out;
    markup_add(m,
               "<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-labelledby=\"%s-t %s-d\">"
               "<title id=\"%s-t\">",
               plot->width, plot->height, id, id, id);
    markup_text(m, title);
    markup_add(m, "</title><desc id=\"%s-d\">", id);
    markup_text(m, description);
    markup_add(m, "</desc>\n");
}

void svg_end(svg_plot *plot) {
    markup_add(plot->out, "</svg>\n");
}

static void text_at(svg_plot *plot, const char *class, const char *anchor, double x, double y,
                    const char *text) {
    markup_add(plot->out, "<text class=\"%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, anchor, x,
               y);
    markup_text(plot->out, text);
    markup_add(plot->out, "</text>\n");
}

static void line_between(svg_plot *plot, const char *class, double x0, double y0, double x1, double y1) {
    markup_add(plot->out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class, x0,
               y0, x1, y1);
}

void svg_tick_x(svg_plot *plot, double value, const char *label) {
    double x = svg_x(plot, value);
    line_between(plot, "tick", x, plot->bottom, x, plot->bottom + 4);
    text_at(plot, "axis", "middle", x, plot->bottom + 16, label);
}

void svg_tick_y(svg_plot *plot, double value, const char *label) {
    double y = svg_y(plot, value);
    line_between(plot, "grid", plot->left, y, plot->right, y);
    text_at(plot, "axis", "end", plot->left - 6, y + 3.5, label);
}

void svg_line(svg_plot *plot, const char *class, double x0, double y0, double x1, double y1) {
    line_between(plot, class, svg_x(plot, x0), svg_y(plot, y0), svg_x(plot, x1), svg_y(plot, y1));
}

void svg_bar(svg_plot *plot, const char *class, double x0, double y0, double x1, double y1,
             const char *title) {
    double left = fmin(svg_x(plot, x0), svg_x(plot, x1)), right = fmax(svg_x(plot, x0), svg_x(plot, x1));
    double top = fmin(svg_y(plot, y0), svg_y(plot, y1)), bottom = fmax(svg_y(plot, y0), svg_y(plot, y1));
    markup_add(plot->out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">", class,
               left, top, right - left, bottom - top);
    if (title) {
        markup_add(plot->out, "<title>");
        markup_text(plot->out, title);
        markup_add(plot->out, "</title>");
    }
    markup_add(plot->out, "</rect>\n");
}

void svg_dot(svg_plot *plot, const char *class, double x, double y, double radius, const char *title) {
    markup_add(plot->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\">", class, svg_x(plot, x),
               svg_y(plot, y), radius);
    if (title) {
        markup_add(plot->out, "<title>");
        markup_text(plot->out, title);
        markup_add(plot->out, "</title>");
    }
    markup_add(plot->out, "</circle>\n");
}

void svg_label(svg_plot *plot, const char *class, const char *anchor, double x, double y, double dx,
               double dy, const char *text) {
    text_at(plot, class, anchor, svg_x(plot, x) + dx, svg_y(plot, y) + dy, text);
}

void svg_axis_names(svg_plot *plot, const char *x, const char *y) {
    text_at(plot, "axis name", "end", plot->right, plot->height - 4, x);
    text_at(plot, "axis name", "start", 2, 12, y);
}

void svg_path_begin(svg_plot *plot, const char *class) {
    plot->points = 0;
    markup_add(plot->out, "<path class=\"%s\" d=\"", class);
}

void svg_path_to(svg_plot *plot, double x, double y) {
    double at_x = svg_x(plot, x), at_y = svg_y(plot, y);
    if (plot->points > 0 && fabs(at_x - plot->last_x) < 0.5 && fabs(at_y - plot->last_y) < 0.5) return;
    markup_add(plot->out, "%s%.1f %.1f", plot->points++ ? "L" : "M", at_x, at_y);
    plot->last_x = at_x;
    plot->last_y = at_y;
}

void svg_path_step(svg_plot *plot, double x, double y) {
    double at_x = svg_x(plot, x), at_y = svg_y(plot, y);
    if (plot->points == 0) {
        svg_path_to(plot, x, y);
        return;
    }
    if (fabs(at_x - plot->last_x) < 0.5 && fabs(at_y - plot->last_y) < 0.5) return;
    markup_add(plot->out, "H%.1f", at_x);
    if (fabs(at_y - plot->last_y) >= 0.05) markup_add(plot->out, "V%.1f", at_y);
    plot->last_x = at_x;
    plot->last_y = at_y;
}

void svg_path_end(svg_plot *plot) {
    markup_add(plot->out, "%s\"/>\n", plot->points ? "" : "M0 0");
}

double svg_round_step(double range, int count) {
    if (!(range > 0) || count < 1) return 1;
    double raw = range / count, power = pow(10, floor(log10(raw)));
    double leading = raw / power;
    return power * (leading < 1.5 ? 1 : leading < 3.5 ? 2 : leading < 7.5 ? 5 : 10);
}
