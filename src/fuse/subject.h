/* SPDX-License-Identifier: MIT */
/* What a formula sees of one market: its track, its indicators, and sums over windows that several features share. */
#ifndef CSM_FUSE_SUBJECT_H
#define CSM_FUSE_SUBJECT_H

#include "fuse/panel.h"

#include <cryptosmart/backend.h>

/* Families of columns that are summed over the same windows. A family's sums of one window are computed together. */
typedef enum csm_family {
    CSM_FAMILY_RETURNS = 0, /* traded: r, r^2, r^3, r^4 of the one-bar log return */
    CSM_FAMILY_TRADED = 1,  /* traded: volume, close x volume, volume of rising bars, close */
    CSM_FAMILY_KNOWN = 2,   /* known: volume, volume^2, place x volume, close x volume */
    CSM_FAMILY_FACTOR = 3,  /* slots, pairs of factor x and return y: 1, x, y, x^2, y^2, x y */
    CSM_FAMILY_BITCOIN = 4, /* the same with BTC's return as x */
    CSM_FAMILY_COUNT_
} csm_family;
#define CSM_FAMILY_COLUMNS 6

enum { CSM_RETURN_1, CSM_RETURN_2, CSM_RETURN_3, CSM_RETURN_4 };
enum { CSM_TRADED_VOLUME, CSM_TRADED_VALUE, CSM_TRADED_RISING, CSM_TRADED_CLOSE };
enum { CSM_KNOWN_VOLUME, CSM_KNOWN_SQUARE, CSM_KNOWN_PLACED, CSM_KNOWN_VALUE };
enum { CSM_PAIR_COUNT, CSM_PAIR_X, CSM_PAIR_Y, CSM_PAIR_XX, CSM_PAIR_YY, CSM_PAIR_XY };

#define CSM_COLUMN(column) (1u << (column))
#define CSM_ALL_COLUMNS (CSM_COLUMN(CSM_FAMILY_COLUMNS) - 1)

/* The columns of a family for the track of now: written to the scratch from CSM_SCRATCH_OWN on, or taken as they are. */
typedef struct csm_columns {
    size_t count;
    size_t n;
    const double *x[CSM_FAMILY_COLUMNS];
} csm_columns;

typedef struct csm_sums {
    csm_family family;
    size_t window;
    const csm_track *track; /* of which they are now; NULL: stale */
    uint32_t known;         /* columns that are computed: bits CSM_COLUMN */
    double *column[CSM_FAMILY_COLUMNS];
} csm_sums;

/* scratch: CSM_SCRATCH_COLUMNS arrays, each as long as the longest sequence; a formula's own while it runs, except that
 * csm_subject_sums overwrites those from CSM_SCRATCH_OWN on. */
#define CSM_SCRATCH_COLUMNS 12
#define CSM_SCRATCH_OWN 6
typedef struct csm_subject csm_subject;
typedef csm_columns csm_family_fn(const csm_subject *subject, csm_family family, uint32_t wanted);
csm_family_fn *csm_family_columns_of(csm_isa isa);

typedef struct csm_slab {
    struct csm_slab *before;
    double *columns; /* (SLAB_COLUMNS, length) */
} csm_slab;

struct csm_subject {
    const csm_panel *panel;
    const csm_track *track;
    const double
        *indicator; /* the feature's indicator over the traded bars, (traded, indicator outputs), row-major */
    double *scratch[CSM_SCRATCH_COLUMNS];
    double *column; /* where a formula writes */
    double *room;   /* workspace of windows, aligned to a cache line, in room_block */
    void *room_block;
    float *strip; /* the rows of a market by column */
    size_t strip_values;
    size_t longest;
    size_t length;    /* of a column: longest, and room for a median's bounds */
    csm_slab *slabs;  /* columns are cut from blocks of large pages */
    size_t slab_left; /* columns of the newest */
    size_t sums_count;
    csm_sums *sums;
};

/* One worker's subject: as long as the longest track, or the panel. */
csm_status csm_subject_open(csm_subject *subject, const csm_panel *panel);
void csm_subject_close(csm_subject *subject);
/* Sums of the family over the window, column by column, for the track of now; those of `columns` are computed, once a track
 * and window. They live until the next call. */
csm_status csm_subject_sums(const csm_sums **out, csm_subject *subject, csm_family family, size_t window,
                            uint32_t columns);
/* Room for `columns` of `stride` values in subject->strip; what stood there is lost. */
csm_status csm_subject_strip(csm_subject *subject, size_t columns, size_t stride);

#endif
