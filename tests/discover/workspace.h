/* SPDX-License-Identifier: MIT */
/* A temporary folder with a store, and a clock that stands still. */
#ifndef CSM_TEST_DISCOVER_WORKSPACE_H
#define CSM_TEST_DISCOVER_WORKSPACE_H

#include "discover/fixture.h"

#include <cryptosmart/ingest.h>

#include <ftw.h>
#include <stdlib.h>

typedef struct workspace {
    char path[512];
    csm_context *context;
    csm_store *store;
    csm_time now;
} workspace;

#define assert_ok(call)                                                                                      \
    do {                                                                                                     \
        csm_status assert_ok_status = (call);                                                                \
        if (assert_ok_status != CSM_OK)                                                                      \
            fail_msg("%s: %s: %s", #call, csm_status_name(assert_ok_status), csm_error_message());           \
    } while (0)

static inline csm_time workspace_clock(void *user) {
    return ((const workspace *)user)->now;
}

static inline int workspace_remove_one(const char *path, const struct stat *info, int kind,
                                       struct FTW *where) {
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline int workspace_setup(void **state) {
    workspace *w = calloc(1, sizeof *w);
    const char *folder = getenv("TMPDIR");
    csm_context_options options;
    if (w == NULL) return -1;
    snprintf(w->path, sizeof w->path, "%s/csm-ingest-XXXXXX", folder != NULL ? folder : "/tmp");
    if (mkdtemp(w->path) == NULL) return -1;
    csm_context_options_init(&options);
    options.threads = 2;
    w->now = (csm_time)1704067200 * CSM_SECOND; /* 2024-01-01T00:00:00Z */
    if (csm_context_new(&w->context, &options) != CSM_OK) return -1;
    csm_context_set_clock(w->context, workspace_clock, w);
    char store[600];
    snprintf(store, sizeof store, "%s/store", w->path);
    if (csm_store_open(&w->store, w->context, store, CSM_STORE_CREATE) != CSM_OK) {
        print_message("%s\n", csm_error_message());
        return -1;
    }
    *state = w;
    return 0;
}

static inline int workspace_teardown(void **state) {
    workspace *w = *state;
    csm_store_free(w->store);
    csm_context_free(w->context);
    nftw(w->path, workspace_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

/* A file in the workspace; the path stays valid until the next call. */
static inline const char *workspace_file(const workspace *w, const char *name, const void *bytes,
                                         size_t length) {
    static char path[800];
    snprintf(path, sizeof path, "%s/%s", w->path, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline const char *workspace_text(const workspace *w, const char *name, const char *text) {
    return workspace_file(w, name, text, strlen(text));
}

static inline csm_table *workspace_read(const workspace *w, const char *kind, const char *venue,
                                        const char *symbol, csm_time interval, int32_t epoch) {
    csm_stream stream = {kind, venue, symbol, interval, epoch, 0};
    csm_table *table = NULL;
    assert_ok(
        csm_store_read(&table, w->store, w->context, &stream, CSM_TIME_MIN, CSM_TIME_MAX, CSM_TIME_MAX));
    return table;
}

#endif
