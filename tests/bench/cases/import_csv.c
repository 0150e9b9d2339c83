/* SPDX-License-Identifier: MIT */
/* Imports a folder of CSV files into a new store, over and over; the peer is Python (import_csv.py). Quality: rows stored. */
#include "core/platform.h"
#include "program.h"

#include <cryptosmart/ingest.h>

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct bench {
    const char *folder;
    const char *scratch;
    csm_context *context;
} bench;

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where) {
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static void check(csm_status status) {
    if (status == CSM_OK) return;
    fprintf(stderr, "%s: %s\n", csm_status_name(status), csm_error_message());
    exit(1);
}

static bench_result ours(void *user) {
    const bench *b = user;
    csm_store *store = NULL;
    csm_ingest_report *report = NULL;
    csm_import_options options;
    csm_import_options_init(&options);
    options.venue = "binance";
    options.quote = "USDT";
    options.origin = "benchmark";
    options.drop_last = 0;
    nftw(b->scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    double began = bench_now();
    check(csm_store_open(&store, b->context, b->scratch, CSM_STORE_CREATE));
    check(csm_ingest_import(&report, b->context, store, b->folder, &options));
    csm_store_free(store);
    bench_result result = {bench_now() - began, 0.0};
    for (size_t i = 0; i < csm_ingest_report_count(report); i++)
        result.quality += (double)csm_ingest_report_at(report, i)->rows;
    csm_ingest_report_free(report);
    return result;
}

int main(int count, char **arguments) {
    if (count != 4) {
        fprintf(stderr, "usage: bench_import_csv FOLDER SCRATCH THREADS\n");
        return 1;
    }
    bench b = {.folder = arguments[1], .scratch = arguments[2]};
    csm_context_options options;
    csm_context_options_init(&options);
    options.threads = (uint32_t)atoi(arguments[3]);
    check(csm_context_new(&b.context, &options));
    int status = bench_serve(ours, ours, &b);
    nftw(b.scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    csm_context_free(b.context);
    return status;
}
