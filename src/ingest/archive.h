/* SPDX-License-Identifier: MIT */
/* History files as bytes: plain, .gz, .xz, and the entries of a .zip. Nothing is written to disk, so an entry's path is a name
 * and no more. */
#ifndef CSM_INGEST_ARCHIVE_H
#define CSM_INGEST_ARCHIVE_H

#include "core/internal.h"

#define CSM_ARCHIVE_BYTES_MAX ((uint64_t)4 << 30) /* unpacked, of one file */
#define CSM_ARCHIVE_RATIO_MAX 400                 /* unpacked : packed, once 64 MiB are unpacked */

typedef struct csm_archive csm_archive;

csm_status csm_archive_open(csm_archive **out, const char *path);
/* The next regular entry; *name NULL after the last. A file that is no archive is one entry with its own name. */
csm_status csm_archive_next(csm_archive *archive, const char **name);
/* Up to `size` bytes of the entry; *got 0 at its end. Damaged, encrypted and bursting archives are CSM_EPARSE. */
csm_status csm_archive_read(csm_archive *archive, char *bytes, size_t size, size_t *got);
void csm_archive_close(csm_archive *archive); /* takes NULL */

#endif
