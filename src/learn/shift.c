/* SPDX-License-Identifier: MIT */
/* Whether two samples come from one distribution: population stability index and Kolmogorov-Smirnov. */
#include <cryptosmart/learn.h>

#include "calibrate/internal.h"
#include "core/internal.h"
#include "core/real.h"

#include <math.h>

#define BINS_MAX 100
#define CELLS_LEAST 64
#define CELLS_MOST 65536
#define ROWS_A_CELL 16
#define YEAR (365.25 * (double)CSM_DAY)

static csm_status check_values(const double *values, size_t n, const char *what, const char *side) {
    if (n && !values) return csm_fail(CSM_EINVAL, "%s: %s is NULL", what, side);
    if (n > UINT32_MAX)
        return csm_fail(CSM_EINVAL, "%s: %zu values of %s are more than 2^32 - 1", what, n, side);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            return csm_fail(CSM_EINVAL, "%s: value %zu of %s is not finite", what, i, side);
    }
    return CSM_OK;
}

/* ---- population stability index ---- */

/* Upper edges of bins of equal shares, the last one open: distinct values, so that ties leave fewer bins. Returns their count. */
static size_t equal_mass_edges(double *edge, const csm_scored_row *sorted, size_t n, uint32_t bins) {
    size_t edges = 0;
    for (uint32_t b = 1; b < bins; b++) {
        double value = sorted[(size_t)((double)n * b / bins) - 1].score;
        if (edges == 0 || value > edge[edges - 1]) edge[edges++] = value;
    }
    return edges;
}

static void count_bins(double *count, const double *values, size_t n, const double *edge, size_t edges) {
    for (size_t i = 0; i < n; i++) {
        size_t low = 0, high = edges;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (values[i] <= edge[middle])
                high = middle;
            else
                low = middle + 1;
        }
        count[low]++;
    }
}

static double index_of(const double *reference, double n, const double *current, double m, size_t bins) {
    double psi = 0;
    for (size_t b = 0; b < bins; b++) {
        double r = (reference[b] > 0 ? reference[b] : 0.5) / n, c = (current[b] > 0 ? current[b] : 0.5) / m;
        psi += (c - r) * csm_log(c / r);
    }
    return psi;
}

csm_status csm_learn_psi(double *psi, const double *reference, size_t reference_count, const double *current,
                         size_t current_count, uint32_t bins) {
    double edge[BINS_MAX], count[2][BINS_MAX] = {{0}};
    if (!psi) return csm_fail(CSM_EINVAL, "psi: psi is NULL");
    if (bins < 2 || bins > BINS_MAX)
        return csm_fail(CSM_EINVAL, "psi: %u bins are outside 2..%d", bins, BINS_MAX);
    csm_status status = check_values(reference, reference_count, "psi", "reference");
    if (!status) status = check_values(current, current_count, "psi", "current");
    if (status) return status;
    if (reference_count < bins || current_count < bins)
        return csm_fail(CSM_ENODATA, "psi: %zu and %zu values for %u bins", reference_count, current_count,
                        bins);
    csm_scored_row *rows = csm_alloc_array(reference_count, sizeof *rows);
    csm_scored_row *room = csm_alloc_array(reference_count, sizeof *room);
    if (!rows || !room) {
        status = CSM_ENOMEM;
        goto done;
    }
    for (size_t i = 0; i < reference_count; i++) rows[i].score = reference[i];
    csm_sort_rows(rows, room, reference_count);
    size_t edges = equal_mass_edges(edge, rows, reference_count, bins);
    count_bins(count[0], reference, reference_count, edge, edges);
    count_bins(count[1], current, current_count, edge, edges);
    *psi = index_of(count[0], (double)reference_count, count[1], (double)current_count, edges + 1);
done:
    csm_dealloc(room);
    csm_dealloc(rows);
    return status;
}

/* ---- Kolmogorov-Smirnov ---- */

/* The range of both samples in cells of equal width. Distances at cells' ends are known from counts; a cell is looked into only
 * when its rows could carry the distance beyond the greatest of those. */
typedef struct ks_cells {
    double half_low;
    double scale;
    double a_step; /* 1 / a_count */
    double b_step;
    size_t count;
    uint32_t *a;
    uint32_t *b;
    uint32_t *next; /* where an opened cell's next gathered row goes; at last its end */
    uint8_t *open;
} ks_cells;

static size_t cell_of(const ks_cells *cells, double value) {
    size_t cell = (size_t)((value / 2 - cells->half_low) * cells->scale);
    return cell < cells->count ? cell : cells->count - 1;
}

static void stretch(double *low, double *high, const double *values, size_t n) {
    double least = *low, most = *high;
    for (size_t i = 0; i < n; i++) {
        least = values[i] < least ? values[i] : least;
        most = values[i] > most ? values[i] : most;
    }
    *low = least;
    *high = most;
}

static csm_status cells_new(ks_cells *cells, size_t rows) {
    size_t count = rows / ROWS_A_CELL;
    count = count < CELLS_LEAST ? CELLS_LEAST : count > CELLS_MOST ? CELLS_MOST : count;
    *cells = (ks_cells){.count = count};
    cells->a = csm_alloc_array(count, sizeof *cells->a);
    cells->b = csm_alloc_array(count, sizeof *cells->b);
    cells->next = csm_alloc_array(count, sizeof *cells->next);
    cells->open = csm_alloc_array(count, sizeof *cells->open);
    return cells->a && cells->b && cells->next && cells->open ? CSM_OK : CSM_ENOMEM;
}

static void cells_free(ks_cells *cells) {
    csm_dealloc(cells->a);
    csm_dealloc(cells->b);
    csm_dealloc(cells->next);
    csm_dealloc(cells->open);
}

static csm_status count_cells(ks_cells *cells, const double *a, size_t a_count, const double *b,
                              size_t b_count) {
    csm_status status = cells_new(cells, a_count + b_count);
    if (status) return status;
    double low = a[0], high = a[0];
    stretch(&low, &high, a, a_count);
    stretch(&low, &high, b, b_count);
    cells->half_low = low / 2;
    cells->scale = (double)cells->count / (high / 2 - low / 2);
    if (!isfinite(cells->scale)) cells->scale = 0;
    cells->a_step = 1 / (double)a_count;
    cells->b_step = 1 / (double)b_count;
    for (size_t i = 0; i < a_count; i++) cells->a[cell_of(cells, a[i])]++;
    for (size_t i = 0; i < b_count; i++) cells->b[cell_of(cells, b[i])]++;
    return CSM_OK;
}

/* Counts, then the greatest distance at cells' ends; opens the cells that could exceed it. Returns how many rows they hold. */
static size_t open_cells(ks_cells *cells, double *greatest) {
    size_t a = 0, b = 0, rows = 0;
    *greatest = 0;
    for (size_t c = 0; c < cells->count; c++) {
        a += cells->a[c];
        b += cells->b[c];
        double distance = fabs((double)a * cells->a_step - (double)b * cells->b_step);
        if (distance > *greatest) *greatest = distance;
    }
    a = b = 0;
    for (size_t c = 0; c < cells->count; c++) {
        double before = (double)a * cells->a_step - (double)b * cells->b_step;
        double up = before + (double)cells->a[c] * cells->a_step,
               down = before - (double)cells->b[c] * cells->b_step;
        cells->open[c] = cells->a[c] && cells->b[c] && (up > *greatest || -down > *greatest);
        cells->next[c] = (uint32_t)rows;
        if (cells->open[c]) rows += (size_t)cells->a[c] + cells->b[c];
        a += cells->a[c];
        b += cells->b[c];
    }
    return rows;
}

static void gather(csm_scored_row *rows, const ks_cells *cells, const double *values, size_t n, double side) {
    for (size_t i = 0; i < n; i++) {
        size_t c = cell_of(cells, values[i]);
        if (cells->open[c]) rows[cells->next[c]++] = (csm_scored_row){values[i], side};
    }
}

/* Greatest distance within one opened cell; a and b are the counts before it. */
static double look_into(const csm_scored_row *rows, size_t n, const ks_cells *cells, size_t a, size_t b) {
    double greatest = 0;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].weight > 0)
            a++;
        else
            b++;
        if (i + 1 < n && rows[i + 1].score == rows[i].score) continue;
        double distance = fabs((double)a * cells->a_step - (double)b * cells->b_step);
        if (distance > greatest) greatest = distance;
    }
    return greatest;
}

static csm_status open_distance(double *greatest, const ks_cells *cells, size_t open, const double *a,
                                size_t a_count, const double *b, size_t b_count) {
    size_t before_a = 0, before_b = 0;
    csm_status status = CSM_ENOMEM;
    csm_scored_row *rows = csm_alloc(open * sizeof *rows), *room = csm_alloc(open * sizeof *room);
    if (!rows || !room) goto done;
    gather(rows, cells, a, a_count, 1);
    gather(rows, cells, b, b_count, -1);
    for (size_t c = 0; c < cells->count; c++) {
        size_t n = (size_t)cells->a[c] + cells->b[c];
        if (cells->open[c]) {
            size_t at = cells->next[c] - n;
            csm_sort_rows(rows + at, room + at, n);
            double distance = look_into(rows + at, n, cells, before_a, before_b);
            if (distance > *greatest) *greatest = distance;
        }
        before_a += cells->a[c];
        before_b += cells->b[c];
    }
    status = CSM_OK;
done:
    csm_dealloc(room);
    csm_dealloc(rows);
    return status;
}

/* Kolmogorov's limiting distribution, upper tail: of its two series the one that converges. */
static double kolmogorov_tail(double x) {
    const double pi = 3.14159265358979323846;
    double sum = 0;
    if (x < 1e-3) return 1;
    for (int j = 1; j <= 20 && x >= 1; j++) sum += (j % 2 ? 2 : -2) * csm_exp(-2.0 * j * j * x * x);
    if (x >= 1) return sum;
    for (int j = 1; j <= 39; j += 2) sum += csm_exp(-j * j * pi * pi / (8 * x * x));
    return 1 - sqrt(2 * pi) / x * sum;
}

csm_status csm_learn_ks(csm_ks *out, const double *a, size_t a_count, const double *b, size_t b_count) {
    if (!out) return csm_fail(CSM_EINVAL, "ks: out is NULL");
    csm_status status = check_values(a, a_count, "ks", "a");
    if (!status) status = check_values(b, b_count, "ks", "b");
    if (status) return status;
    if (a_count == 0 || b_count == 0 || a_count > UINT32_MAX - b_count)
        return csm_fail(a_count && b_count ? CSM_EINVAL : CSM_ENODATA, "ks: %zu and %zu values", a_count,
                        b_count);
    double greatest;
    ks_cells cells;
    status = count_cells(&cells, a, a_count, b, b_count);
    size_t open = status ? 0 : open_cells(&cells, &greatest);
    if (open) status = open_distance(&greatest, &cells, open, a, a_count, b, b_count);
    cells_free(&cells);
    if (status) return status;
    double effective = (double)a_count * ((double)b_count / ((double)a_count + (double)b_count));
    *out = (csm_ks){greatest < 1 ? greatest : 1, kolmogorov_tail(greatest * sqrt(effective))};
    return CSM_OK;
}

/* ---- alarm budget ---- */

csm_status csm_learn_alarm_level(double *level, double false_alarms, size_t streams, csm_time interval) {
    if (!level) return csm_fail(CSM_EINVAL, "alarm_level: level is NULL");
    if (!(false_alarms > 0) || !isfinite(false_alarms))
        return csm_fail(CSM_EINVAL, "alarm_level: %g false alarms a year", false_alarms);
    if (streams == 0 || interval <= 0)
        return csm_fail(CSM_EINVAL, "alarm_level: %zu streams, interval %lld ns", streams,
                        (long long)interval);
    double share = false_alarms * ((double)interval / YEAR) / (double)streams;
    *level = share < 0.5 ? share : 0.5;
    return CSM_OK;
}
