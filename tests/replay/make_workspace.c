/* SPDX-License-Identifier: MIT */
/* Test aid: fills a new workspace. make_workspace DIR < lines: "stream KIND VENUE SYMBOL SECONDS EPOCH", then a row a line,
 * cells separated by blanks in the kind's order, '-' where one is missing; times in ns. */
#include <cryptosmart/cryptosmart.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MOST 16

typedef struct maker {
    csm_context *context;
    csm_store *store;
    csm_table *table;
    csm_stream stream;
    char kind[16], venue[32], symbol[32];
} maker;

static csm_status flush_rows(maker *m) {
    const csm_provenance provenance = {"test", "make_workspace", "made for a test", 2208988800 * CSM_SECOND};
    csm_status status = CSM_OK;
    if (m->table && csm_table_rows(m->table) > 0)
        status = csm_store_append(m->store, m->context, &m->stream, m->table, &provenance);
    csm_table_free(m->table);
    m->table = NULL;
    return status;
}

static csm_status begin_stream(maker *m, const char *line) {
    long long seconds = 0;
    int epoch = 0;
    csm_status status = flush_rows(m);
    if (status) return status;
    if (sscanf(line, "stream %15s %31s %31s %lld %d", m->kind, m->venue, m->symbol, &seconds, &epoch) != 5)
        return CSM_EPARSE;
    m->stream = (csm_stream){m->kind, m->venue, m->symbol, seconds * CSM_SECOND, epoch, 0};
    return csm_table_new(&m->table, m->kind);
}

static csm_status add_row(maker *m, char *line) {
    csm_decimal cells[COLUMNS_MOST] = {{0, 0, 0}};
    size_t n = 0;
    for (char *cell = strtok(line, " \n"); cell && n < COLUMNS_MOST; cell = strtok(NULL, " \n"), n++) {
        cells[n].ticks = CSM_CELL_MISSING;
        /* times have 19 digits, one more than an exact decimal takes */
        if (n < 2)
            cells[n].ticks = strtoll(cell, NULL, 10);
        else if (strcmp(cell, "-") != 0 && csm_decimal_parse(&cells[n], cell, strlen(cell)))
            return CSM_EPARSE;
    }
    return n == csm_table_columns(m->table) ? csm_table_append(m->table, cells) : CSM_EPARSE;
}

int main(int count, char **arguments) {
    maker m = {0};
    char line[1024];
    unsigned long number = 0;
    csm_status status = count == 2 ? csm_context_new(&m.context, NULL) : CSM_EINVAL;
    if (!status) status = csm_store_open(&m.store, m.context, arguments[1], CSM_STORE_CREATE);
    while (!status && fgets(line, sizeof line, stdin)) {
        number++;
        if (strncmp(line, "stream ", 7) == 0)
            status = begin_stream(&m, line);
        else
            status = m.table ? add_row(&m, line) : CSM_EPARSE;
    }
    if (!status) status = flush_rows(&m);
    if (!status) status = csm_store_roll(m.store, m.context);
    if (status) fprintf(stderr, "line %lu: %s: %s\n", number, csm_status_name(status), csm_error_message());
    csm_table_free(m.table);
    csm_store_free(m.store);
    csm_context_free(m.context);
    return status ? 1 : 0;
}
