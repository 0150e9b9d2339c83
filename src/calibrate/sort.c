/* SPDX-License-Identifier: MIT */
/* Stable sorting of scored rows by distribution: a row's place is near where its score lies between the least and the greatest, and
 * parts that hold too many rows are distributed again within their own range. Ranges that doubles cannot divide, and clusters
 * within clusters, are merged instead. */
#include "calibrate/internal.h"

#include <math.h>
#include <string.h>

#define PARTS_MAX 2048
#define FEW 24      /* rows that insertion sorts */
#define DEPTH_MAX 8 /* of distribution; clusters deeper than that are merged */

static void sort_into(csm_scored_row *out, csm_scored_row *rows, size_t n, int depth);

/* Sorts `rows` into `out`, which may be `rows`. */
static void insert_all(csm_scored_row *out, const csm_scored_row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        csm_scored_row row = rows[i];
        size_t k = i;
        for (; k > 0 && out[k - 1].score > row.score; k--) out[k] = out[k - 1];
        out[k] = row;
    }
}

static void merge(csm_scored_row *out, const csm_scored_row *rows, size_t middle, size_t n) {
    size_t left = 0, right = middle;
    for (size_t k = 0; k < n; k++) {
        bool take_left = left < middle && (right == n || rows[left].score <= rows[right].score);
        out[k] = rows[take_left ? left++ : right++];
    }
}

/* Sorts `rows` into `out` by merging; both are overwritten. */
static void merge_all(csm_scored_row *out, csm_scored_row *rows, size_t n) {
    memcpy(out, rows, n * sizeof *rows);
    for (size_t begin = 0; begin < n; begin += FEW) {
        size_t length = n - begin < FEW ? n - begin : FEW;
        insert_all(out + begin, out + begin, length);
    }
    for (size_t run = FEW; run < n; run *= 2) {
        for (size_t begin = 0; begin < n; begin += 2 * run) {
            size_t length = n - begin < 2 * run ? n - begin : 2 * run;
            merge(rows + begin, out + begin, run < length ? run : length, length);
        }
        memcpy(out, rows, n * sizeof *rows);
    }
}

/* The part of [low, low + 2 * half range) that a score lies in; rises with the score. */
typedef struct division {
    double half_low;
    double scale;
    uint32_t parts;
} division;

static uint32_t part_of(const division *d, double score) {
    uint32_t part = (uint32_t)((score / 2 - d->half_low) * d->scale);
    return part < d->parts ? part : d->parts - 1;
}

/* False when the rows already stand in order (*sorted) or their range cannot be divided. */
static bool divide(division *d, bool *sorted, const csm_scored_row *rows, size_t n) {
    double low = rows[0].score, high = low;
    *sorted = true;
    for (size_t i = 1; i < n; i++) {
        double score = rows[i].score;
        *sorted = *sorted && score >= rows[i - 1].score;
        low = score < low ? score : low;
        high = score > high ? score : high;
    }
    d->parts = n < PARTS_MAX ? (uint32_t)n : PARTS_MAX;
    d->half_low = low / 2;
    d->scale = (double)d->parts / (high / 2 - d->half_low);
    return !*sorted && isfinite(d->scale);
}

/* Distributes `rows` over `out`; part p ends at end[p]. Returns the size of the largest part. */
static uint32_t distribute(csm_scored_row *out, const csm_scored_row *rows, size_t n, const division *d,
                           uint32_t *end) {
    memset(end, 0, d->parts * sizeof *end);
    for (size_t i = 0; i < n; i++) end[part_of(d, rows[i].score)]++;
    uint32_t begin = 0, largest = 0;
    for (uint32_t p = 0; p < d->parts; p++) {
        uint32_t count = end[p];
        largest = count > largest ? count : largest;
        end[p] = begin;
        begin += count;
    }
    for (size_t i = 0; i < n; i++) out[end[part_of(d, rows[i].score)]++] = rows[i];
    return largest;
}

/* Sorts `rows` in place with room for as many. */
static void sort_within(csm_scored_row *rows, csm_scored_row *room, size_t n, int depth) {
    uint32_t end[PARTS_MAX];
    division d;
    bool sorted;
    if (n <= FEW) {
        insert_all(rows, rows, n);
    } else if (depth < DEPTH_MAX && divide(&d, &sorted, rows, n)) {
        bool small = distribute(room, rows, n, &d, end) <= FEW;
        if (small) insert_all(rows, room, n);
        for (uint32_t p = 0; p < d.parts && !small; p++) {
            size_t begin = p ? end[p - 1] : 0;
            sort_into(rows + begin, room + begin, end[p] - begin, depth + 1);
        }
    } else if (depth >= DEPTH_MAX || !sorted) {
        merge_all(room, rows, n);
        memcpy(rows, room, n * sizeof *rows);
    }
}

/* Sorts `rows` into `out`; both are overwritten. */
static void sort_into(csm_scored_row *out, csm_scored_row *rows, size_t n, int depth) {
    uint32_t end[PARTS_MAX];
    division d;
    bool sorted;
    if (n <= FEW) {
        insert_all(out, rows, n);
    } else if (depth < DEPTH_MAX && divide(&d, &sorted, rows, n)) {
        bool small = distribute(out, rows, n, &d, end) <= FEW;
        if (small) insert_all(out, out, n);
        for (uint32_t p = 0; p < d.parts && !small; p++) {
            size_t begin = p ? end[p - 1] : 0;
            sort_within(out + begin, rows + begin, end[p] - begin, depth + 1);
        }
    } else if (depth >= DEPTH_MAX || !sorted) {
        merge_all(out, rows, n);
    } else {
        memcpy(out, rows, n * sizeof *rows);
    }
}

void csm_sort_rows(csm_scored_row *rows, csm_scored_row *room, size_t n) {
    sort_within(rows, room, n, 0);
}

#define PIECE 1024 /* rows that stay in the first cache */

csm_status csm_sort_pieces(csm_scored_row *rows, csm_scored_row *room, size_t n, csm_sorted_piece *take,
                           void *user) {
    uint32_t end[PARTS_MAX];
    csm_scored_row piece[PIECE], *out = piece;
    division d;
    bool sorted;
    if (n <= FEW || !divide(&d, &sorted, rows, n)) {
        sort_into(room, rows, n, 0);
        take(user, room, n);
        return CSM_OK;
    }
    const uint32_t largest = distribute(room, rows, n, &d, end);
    if (largest > PIECE) out = csm_alloc((size_t)largest * sizeof *out);
    if (!out) return CSM_ENOMEM;
    for (uint32_t p = 0; p < d.parts; p++) {
        const size_t begin = p ? end[p - 1] : 0, length = end[p] - begin;
        sort_into(out, room + begin, length, 1);
        take(user, out, length);
    }
    if (out != piece) csm_dealloc(out);
    return CSM_OK;
}
