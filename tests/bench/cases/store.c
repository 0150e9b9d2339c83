/* SPDX-License-Identifier: MIT */
/* Recorded hourly candles into a workspace and back. store FOLDER FILE...: reads the CSV files (header, then
 * ts,open,high,low,close,volume) into tables first, then serves "write" (a new workspace; quality: bytes of its
 * segments) and "read" (all bars of the last one as doubles; quality: sum of closes). */
#include "program.h"

#include "core/platform.h"
#include "store/append.h"

#include <ftw.h>
#include <stdlib.h>

typedef struct series {
    csm_table *rows;
    csm_stream stream;
} series;

typedef struct work {
    csm_context *context;
    const char *folder;
    unsigned turn;
    size_t count;
    series *list;
} work;

static void check(csm_status status) {
    if (!status) return;
    fprintf(stderr, "%s: %s\n", csm_status_name(status), csm_error_message());
    exit(1);
}

static csm_table *read_csv(const char *path) {
    csm_table *table = NULL;
    char line[256];
    FILE *file = fopen(path, "r");
    check(csm_table_new(&table, "bars"));
    if (!file || !fgets(line, sizeof line, file)) exit(2);
    while (fgets(line, sizeof line, file)) {
        csm_decimal field[6], cells[10];
        char *at = line;
        for (int i = 0; i < 6; i++) {
            const size_t length = strcspn(at, ",\n");
            check(csm_decimal_parse(&field[i], at, length));
            at += length + 1;
        }
        const csm_time time = field[0].ticks * CSM_SECOND;
        cells[0] = (csm_decimal){.ticks = time};
        cells[1] = (csm_decimal){.ticks = time + CSM_HOUR};
        for (int i = 1; i < 6; i++) cells[i + 1] = field[i];
        cells[7] = cells[8] = (csm_decimal){.ticks = CSM_CELL_MISSING};
        cells[9] = (csm_decimal){.ticks = CSM_BAR_TRADED};
        check(csm_table_append(table, cells));
    }
    fclose(file);
    return table;
}

static char *workspace_of(const work *w) {
    return csm_strformat("%s/%u", w->folder, w->turn);
}

static int remove_entry(const char *path, const struct stat *info, int flag, struct FTW *where) {
    (void)info;
    (void)flag;
    (void)where;
    return remove(path);
}

#define GROUP ((size_t)32)

/* Series [begin, end) with one acknowledgement. A group works on its rows in place, so it gets copies, not timed. */
static double append_group(csm_store *store, const work *w, size_t begin, size_t end,
                           const csm_provenance *source) {
    csm_append appends[GROUP];
    size_t failed;
    for (size_t i = begin; i < end; i++) {
        csm_append *append = &appends[i - begin];
        *append = (csm_append){.stream = w->list[i].stream, .provenance = *source};
        check(csm_table_new(&append->rows, "bars"));
        check(csm_table_extend(append->rows, w->list[i].rows, 0, w->list[i].rows->rows));
    }
    const double started = bench_now();
    check(csm_append_group(store, w->context, appends, end - begin, &failed));
    const double seconds = bench_now() - started;
    for (size_t i = begin; i < end; i++) csm_table_free(appends[i - begin].rows);
    return seconds;
}

static bench_result write_all(work *w) {
    char *before = workspace_of(w);
    if (w->turn) nftw(before, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    csm_dealloc(before);
    w->turn++;
    char *path = workspace_of(w);
    csm_store *store = NULL;
    int64_t bytes = 0;
    const csm_provenance source = {
        .source = "bench", .request = "recorded candles", .origin = "", .received = csm_platform_now()};
    const double started = bench_now();
    check(csm_store_open(&store, w->context, path, CSM_STORE_CREATE));
    double seconds = bench_now() - started;
    for (size_t i = 0; i < w->count; i += GROUP)
        seconds += append_group(store, w, i, w->count - i < GROUP ? w->count : i + GROUP, &source);
    check(csm_catalog_number(&bytes, store, "SELECT sum(bytes) FROM segments", 0));
    csm_store_free(store);
    csm_dealloc(path);
    return (bench_result){.seconds = seconds, .quality = (double)bytes};
}

static bench_result read_all(work *w) {
    char *path = workspace_of(w);
    csm_store *store = NULL;
    double sum = 0;
    const double started = bench_now();
    check(csm_store_open(&store, w->context, path, CSM_STORE_READ));
    for (size_t i = 0; i < w->count; i++) {
        csm_bar_series *bars = NULL;
        check(csm_store_read_bars(&bars, store, w->context, &w->list[i].stream, CSM_TIME_MIN, CSM_TIME_MAX,
                                  CSM_TIME_MAX));
        const csm_bars view = csm_bar_series_view(bars);
        if (view.length) sum += view.close[view.length - 1];
        csm_bar_series_free(bars);
    }
    csm_store_free(store);
    const double seconds = bench_now() - started;
    csm_dealloc(path);
    return (bench_result){.seconds = seconds, .quality = sum};
}

int main(int argc, char **argv) {
    char line[64];
    work w = {.folder = argc > 2 ? argv[1] : "", .count = argc > 2 ? (size_t)argc - 2 : 0};
    if (w.count == 0) return 2;
    csm_context_options options;
    csm_context_options_init(&options);
    options.threads = 2;
    check(csm_context_new(&w.context, &options));
    w.list = calloc(w.count, sizeof *w.list);
    for (size_t i = 0; w.list && i < w.count; i++) {
        const char *name = strrchr(argv[i + 2], '/');
        w.list[i].rows = read_csv(argv[i + 2]);
        w.list[i].stream = (csm_stream){.kind = "bars",
                                        .venue = "bench",
                                        .symbol = name ? name + 1 : argv[i + 2],
                                        .interval = CSM_HOUR,
                                        .epoch = 1};
    }
    while (fgets(line, sizeof line, stdin)) {
        const bench_result result = strncmp(line, "write", 5) == 0 ? write_all(&w) : read_all(&w);
        printf("%.9g %.17g\n", result.seconds, result.quality);
        fflush(stdout);
    }
    for (size_t i = 0; i < w.count; i++) csm_table_free(w.list[i].rows);
    free(w.list);
    csm_context_free(w.context);
    return 0;
}
