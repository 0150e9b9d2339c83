/* SPDX-License-Identifier: MIT */
/* Markup in a growing buffer, and the few parts that a plot is made of. */
#ifndef CLI_SVG_H
#define CLI_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once memory runs out, `failed` is set and further additions do nothing: one check at the end is enough. */
typedef struct markup {
    char *text;
    size_t length;
    size_t capacity;
    bool failed;
} markup;

void markup_free(markup *m);
/* Markup as it stands. %s only for constants, numbers as text and escaped text. */
void markup_add(markup *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text from outside: & < > " ' escaped; control characters and broken UTF-8 become U+FFFD. */
void markup_text(markup *m, const char *text);

/* ---- plots ---- */

/* A scale from values to the plot's units; logarithmic ones take values > 0. */
typedef struct svg_scale {
    double low;
    double high;
    bool logarithmic;
} svg_scale;

/* Units are those of the viewBox. Colours come from the classes of the page's style. */
typedef struct svg_plot {
    markup *out;
    double width;
    double height;
    double left, right, top, bottom; /* of the data area: x from left to right, y from bottom (low) to top */
    svg_scale x;
    svg_scale y;
    uint32_t points; /* of the open path */
    double last_x;   /* of the open path, plot units */
    double last_y;
} svg_plot;

/* id: unique on the page. Title and description are read to those who do not see the plot. */
void svg_begin(svg_plot *plot, const char *id, const char *title, const char *description);
void svg_end(svg_plot *plot);
double svg_x(const svg_plot *plot, double value);
double svg_y(const svg_plot *plot, double value);

/* A hairline across the data area with its label outside, and the label alone. */
void svg_tick_x(svg_plot *plot, double value, const char *label);
void svg_tick_y(svg_plot *plot, double value, const char *label);
void svg_line(svg_plot *plot, const char *class, double x0, double y0, double x1, double y1);
/* A rectangle between two corners; `title` is shown on hover, NULL: none. */
void svg_bar(svg_plot *plot, const char *class, double x0, double y0, double x1, double y1,
             const char *title);
void svg_dot(svg_plot *plot, const char *class, double x, double y, double radius, const char *title);
/* Text at a place of the data area, moved by (dx, dy) plot units. anchor: start, middle or end. */
void svg_label(svg_plot *plot, const char *class, const char *anchor, double x, double y, double dx,
               double dy, const char *text);
/* Names of the axes. */
void svg_axis_names(svg_plot *plot, const char *x, const char *y);

/* A line through points given in order of x. Points closer than half a unit to the one before are left out. */
void svg_path_begin(svg_plot *plot, const char *class);
void svg_path_to(svg_plot *plot, double x, double y);
/* As svg_path_to, level until x. */
void svg_path_step(svg_plot *plot, double x, double y);
void svg_path_end(svg_plot *plot);

/* A round step (1, 2 or 5 times a power of ten) that cuts `range` into about `count` parts. */
double svg_round_step(double range, int count);

#endif
