/* SPDX-License-Identifier: MIT */
#include "ingest/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define BLOCK_BYTES 65536
#define RATIO_FROM ((uint64_t)64 << 20)

struct csm_archive {
    struct archive *reader;
    const char *path; /* borrowed from the caller */
    const char *base;
    uint64_t unpacked;
    char name[256];
};

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static csm_status fail(const csm_archive *archive, const char *where) {
    const char *text = archive_error_string(archive->reader);
    if (archive_errno(archive->reader) == ENOMEM) return csm_fail(CSM_ENOMEM, "%s: %s", archive->base, where);
    return csm_fail(CSM_EPARSE, "%s: %s: %s", archive->base, where, text != NULL ? text : "damaged");
}

csm_status csm_archive_open(csm_archive **out, const char *path) {
    *out = NULL;
    csm_archive *archive = csm_alloc_array(1, sizeof(csm_archive));
    if (archive == NULL) return CSM_ENOMEM;
    archive->path = path;
    archive->base = base_name(path);
    csm_status status = CSM_OK;
    archive->reader = archive_read_new();
    if (archive->reader == NULL) {
        status = csm_fail(CSM_ENOMEM, "%s: no memory to unpack it", archive->base);
        goto done;
    }
    archive_read_support_filter_gzip(archive->reader);
    archive_read_support_filter_xz(archive->reader);
    archive_read_support_format_zip(archive->reader);
    archive_read_support_format_raw(archive->reader);
    archive_read_support_format_empty(archive->reader);
    if (archive_read_open_filename(archive->reader, path, BLOCK_BYTES) != ARCHIVE_OK)
        status = fail(archive, "open");
done:
    if (status == CSM_OK)
        *out = archive;
    else
        csm_archive_close(archive);
    return status;
}

csm_status csm_archive_next(csm_archive *archive, const char **name) {
    struct archive_entry *entry = NULL;
    *name = NULL;
    for (;;) {
        int result = archive_read_next_header(archive->reader, &entry);
        if (result == ARCHIVE_EOF) return CSM_OK;
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) return fail(archive, "next entry");
        if (archive_format(archive->reader) == ARCHIVE_FORMAT_RAW) {
            *name = archive->base;
            return CSM_OK;
        }
        if (archive_entry_filetype(entry) == AE_IFREG) break;
    }
    const char *path = archive_entry_pathname_utf8(entry);
    if (path == NULL) path = archive_entry_pathname(entry);
    size_t length = path == NULL ? 0 : strlen(base_name(path));
    if (length == 0 || length >= sizeof archive->name)
        return csm_fail(CSM_EPARSE, "%s: an entry's name cannot be read", archive->base);
    memcpy(archive->name, base_name(path), length + 1);
    if (archive_entry_is_encrypted(entry))
        return csm_fail(CSM_EPARSE, "%s: %s is encrypted", archive->base, archive->name);
    *name = archive->name;
    return CSM_OK;
}

csm_status csm_archive_read(csm_archive *archive, char *bytes, size_t size, size_t *got) {
    *got = 0;
    la_ssize_t taken = archive_read_data(archive->reader, bytes, size);
    if (taken < 0) return fail(archive, "unpack");
    *got = (size_t)taken;
    archive->unpacked += *got;
    if (archive->unpacked > CSM_ARCHIVE_BYTES_MAX)
        return csm_fail(CSM_EPARSE, "%s: unpacks to over %" PRIu64 " bytes", archive->base,
                        CSM_ARCHIVE_BYTES_MAX);
    la_int64_t packed = archive_filter_bytes(archive->reader, -1);
    if (archive->unpacked > RATIO_FROM && packed > 0 &&
        archive->unpacked / CSM_ARCHIVE_RATIO_MAX > (uint64_t)packed)
        return csm_fail(CSM_EPARSE, "%s: %" PRIu64 " bytes come out of %" PRId64 ": a bomb", archive->base,
                        archive->unpacked, (int64_t)packed);
    return CSM_OK;
}

void csm_archive_close(csm_archive *archive) {
    if (archive == NULL) return;
    archive_read_free(archive->reader);
    csm_dealloc(archive);
}
