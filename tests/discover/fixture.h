/* SPDX-License-Identifier: MIT */
/* Recorded replies for the tests of discover and ingest. */
#ifndef CSM_TEST_FIXTURE_H
#define CSM_TEST_FIXTURE_H

#include "core/platform.h"

#include <archive.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#define FIXTURE_2021 "fixtures/kraken_rest/AssetPairs.2021-04-17.304pairs.cryptofeed.json"
#define FIXTURE_2026 "fixtures/kraken_rest/AssetPairs.2026-01-12.1434pairs.nolicence.json.xz"

static inline void fixture_unpack(csm_buffer *out, const char *path) {
    struct archive *reader = archive_read_new();
    archive_read_support_filter_xz(reader);
    archive_read_support_format_raw(reader);
    struct archive_entry *entry = NULL;
    assert_int_equal(archive_read_open_filename(reader, path, 65536), ARCHIVE_OK);
    assert_int_equal(archive_read_next_header(reader, &entry), ARCHIVE_OK);
    char block[65536];
    la_ssize_t got;
    while ((got = archive_read_data(reader, block, sizeof block)) > 0)
        assert_int_equal(csm_buffer_append(out, block, (size_t)got), CSM_OK);
    assert_int_equal(got, 0);
    archive_read_free(reader);
}

/* A file of the shared recordings, unpacked when its name ends in .xz. Skips the test, saying so, where it is absent. */
static inline csm_buffer fixture_read(const char *name) {
    csm_buffer text = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", CSM_SHARED_DIR, name);
    if (!csm_file_exists(path)) {
        print_message("skipped: %s is not here\n", path);
        skip();
    }
    size_t length = strlen(path);
    if (length > 3 && strcmp(path + length - 3, ".xz") == 0)
        fixture_unpack(&text, path);
    else
        assert_int_equal(csm_file_read(&text, path, (size_t)64 << 20), CSM_OK);
    return text;
}

#endif
