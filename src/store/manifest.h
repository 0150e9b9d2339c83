/* SPDX-License-Identifier: MIT */
/* manifest.json of an exported folder. */
#ifndef CSM_STORE_MANIFEST_H
#define CSM_STORE_MANIFEST_H

#include "store/segment_file.h"

#define CSM_MANIFEST_BYTES_MAX ((size_t)1 << 28)

typedef struct csm_manifest_entry {
    char *path;
    csm_stream stream; /* strings are owned; kind is static */
    char sha256[CSM_HASH_TEXT];
    uint64_t bytes;
    uint64_t rows;
    csm_span span;
    csm_provenance *sources;
    size_t source_count;
} csm_manifest_entry;

typedef struct csm_manifest {
    csm_manifest_entry *entries;
    size_t count;
} csm_manifest;

/* CSM_EPARSE or CSM_EUNSUPPORTED names the entry and what is wrong with it. */
csm_status csm_manifest_parse(csm_manifest *out, const char *json, size_t length);
/* Entries sorted by path, keys by name, two equal manifests are equal bytes. */
csm_status csm_manifest_format(csm_buffer *out, const csm_manifest *manifest);
void csm_manifest_free(csm_manifest *manifest);
/* Relative, plain bytes, no "." or ".." component, ends with ".h5". */
bool csm_manifest_path_is_plain(const char *path);
/* The same of any file: relative, of letters, digits, ".", "_" and "-", no component hidden or "..". */
bool csm_path_is_plain(const char *path);

#endif
