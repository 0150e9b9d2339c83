/* SPDX-License-Identifier: MIT */
/* Kinds of records: their columns, what makes a row valid, and how rows compare. */
#ifndef CSM_STORE_KIND_H
#define CSM_STORE_KIND_H

#include "core/internal.h"
#include "store/columns.h"

#include <cryptosmart/store.h>

#define CSM_COLUMNS_MAX 10
#define CSM_SCALE_MAX CSM_DECIMAL_SCALE_MAX
#define CSM_COLUMN_TIME 0
#define CSM_COLUMN_AVAILABLE 1
/* Of "bars". */
#define CSM_COLUMN_OPEN 2
#define CSM_COLUMN_HIGH 3
#define CSM_COLUMN_LOW 4
#define CSM_COLUMN_CLOSE 5
#define CSM_COLUMN_VOLUME 6
#define CSM_COLUMN_STATE 9

/* Two clocks disagree: records may claim to be this much younger than their receipt. */
#define CSM_CLOCK_SKEW CSM_MINUTE

typedef enum csm_domain {
    CSM_DOMAIN_ANY,
    CSM_DOMAIN_TIME,   /* ns, scale 0 */
    CSM_DOMAIN_PRICE,  /* > 0 */
    CSM_DOMAIN_AMOUNT, /* >= 0 */
    CSM_DOMAIN_COUNT,  /* integer >= 0 */
    CSM_DOMAIN_CODE,   /* 0 or 1 */
    CSM_DOMAIN_STATE   /* csm_bar_state */
} csm_domain;

enum { CSM_KEY = 1, CSM_REQUIRED = 2, CSM_SHARED = 4 };

typedef enum csm_column_predictor {
    CSM_PREDICT_NONE,     /* zero */
    CSM_PREDICT_PREVIOUS, /* this column, last row that has a value */
    CSM_PREDICT_COLUMN,   /* column `of`, same row */
    CSM_PREDICT_BEFORE,   /* column `of`, last earlier row that has a value */
    CSM_PREDICT_ABOVE,    /* max(open, close), same row */
    CSM_PREDICT_BELOW     /* min(open, close), same row */
} csm_column_predictor;

typedef struct csm_column {
    const char *name;
    csm_domain domain;
    uint32_t flags;
    csm_column_predictor predictor;
    uint32_t of;
} csm_column;

typedef struct csm_kind {
    const char *name;
    size_t columns;
    csm_column column[CSM_COLUMNS_MAX];
} csm_kind;

struct csm_table {
    const csm_kind *kind;
    size_t rows;
    size_t capacity;
    int32_t scale[CSM_COLUMNS_MAX];
    int64_t *ticks[CSM_COLUMNS_MAX]; /* capacity each, one after the other */
    int64_t *cells;                  /* of all columns: one large block is cheaper to get than ten */
};

const csm_kind *csm_kind_find(const char *name); /* NULL when unknown */
const csm_kind *csm_kind_at(size_t index);       /* sorted by name; NULL past the end */

/* One row against its kind's rules. `received` is CSM_TIME_MAX where no receipt bounds it. */
csm_status csm_kind_check_row(const csm_table *table, size_t row, csm_time interval, csm_time received);
/* All rows; names the first that fails. */
csm_status csm_kind_check_rows(const csm_table *table, const csm_extremes *range, csm_time interval,
                               csm_time received);
/* Extremes of each column. */
void csm_table_range(csm_extremes *range, const csm_table *table);
/* Order of rows: time, key columns, and (where a key cell is missing) all values; then available. */
int csm_kind_compare_key(const csm_table *table, size_t a, size_t b);
int csm_kind_compare(const csm_table *table, size_t a, size_t b);
/* Same values in all columns but `available`. */
bool csm_kind_same_values(const csm_table *table, size_t a, size_t b);

/* ---- tables ---- */

csm_status csm_table_make(csm_table **out, const csm_kind *kind);
csm_status csm_table_reserve(csm_table *table, size_t rows); /* total capacity */
/* Brings a column to a larger scale; CSM_EINVAL names the column when a value then leaves int64. */
csm_status csm_table_rescale(csm_table *table, size_t column, int32_t scale);
bool csm_table_can_rescale(const csm_table *table, size_t column, int32_t scale);
/* Appends rows [begin, end) of `from`, a table of the same kind. */
csm_status csm_table_extend(csm_table *table, const csm_table *from, size_t begin, size_t end);
/* Smallest scale that holds every value of the column. */
int32_t csm_table_least_scale(const csm_table *table, size_t column);
/* Brings every column to its smallest scale. */
void csm_table_trim(csm_table *table);
/* Every row is later than the one above: in order, and no two rows share a key. */
bool csm_table_times_ascend(const csm_table *table);
/* order[i] is the row that belongs at place i; stable. *sorted: the table was in order already. */
csm_status csm_table_order(size_t **order, bool *sorted, const csm_table *table);
/* Keeps the rows `keep[0..count)` in that order. keep may not repeat a row. */
csm_status csm_table_take(csm_table *table, const size_t *keep, size_t count);

#endif
