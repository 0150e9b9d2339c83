/* SPDX-License-Identifier: MIT */
/* Rows of numbers from tests/STAGE/golden (made by the scripts there with other implementations). */
#ifndef CSM_TESTS_CORE_GOLDEN_H
#define CSM_TESTS_CORE_GOLDEN_H

#include "core/support.h"

#define GOLDEN_COLUMNS_MAX 16

typedef struct golden {
    size_t rows;
    double *column[GOLDEN_COLUMNS_MAX];
} golden;

static inline golden golden_read_from(const char *stage, const char *name, size_t columns) {
    golden table = {0};
    char *path = csm_strformat("%s/tests/%s/golden/%s", CSM_SOURCE_DIR, stage, name);
    FILE *file = fopen(path, "r");
    if (!file) fail_msg("%s is missing", path);
    char line[1024];
    size_t capacity = 4096;
    for (size_t c = 0; c < columns; c++) table.column[c] = calloc(capacity, sizeof(double));
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '#') continue;
        assert_true(table.rows < capacity);
        char *at = line;
        for (size_t c = 0; c < columns; c++) {
            char *end;
            table.column[c][table.rows] = strtod(at, &end);
            if (end == at) fail_msg("%s: row %zu has no column %zu", path, table.rows, c);
            at = end;
        }
        table.rows++;
    }
    fclose(file);
    csm_dealloc(path);
    assert_true(table.rows > 0);
    return table;
}

static inline void golden_free(golden *table) {
    for (size_t c = 0; c < GOLDEN_COLUMNS_MAX; c++) free(table->column[c]);
}

/* Within a relative and absolute distance. */
static inline void assert_near(double found, double expected, double tolerance) {
    double distance = found > expected ? found - expected : expected - found;
    double size = expected > 0 ? expected : -expected;
    if (!(distance <= tolerance * (1 + size)))
        fail_msg("%.17g is not %.17g within %g", found, expected, tolerance);
}

#endif
