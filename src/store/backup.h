/* SPDX-License-Identifier: MIT */
/* backup.json of a backup's folder: what it holds, each file with its size and SHA-256. */
#ifndef CSM_STORE_BACKUP_H
#define CSM_STORE_BACKUP_H

#include "core/internal.h"

#define CSM_BACKUP_LIST "backup.json"
#define CSM_BACKUP_LIST_BYTES_MAX ((size_t)1 << 28)

typedef struct csm_backup_file {
    char *path; /* below the folder, plain (store/manifest.h) */
    uint64_t bytes;
    char sha256[CSM_HASH_TEXT];
} csm_backup_file;

typedef struct csm_backup_list {
    csm_time created;
    csm_backup_file *files; /* paths ascend; catalog.db is one of them */
    size_t count;
    size_t capacity;
} csm_backup_list;

void csm_backup_list_free(csm_backup_list *list);
csm_status csm_backup_list_add(csm_backup_list *list, const char *path, uint64_t bytes, const char *sha256);
csm_status csm_backup_list_format(csm_buffer *out, csm_backup_list *list);
/* CSM_EPARSE or CSM_EUNSUPPORTED say what is wrong. */
csm_status csm_backup_list_parse(csm_backup_list *out, const char *json, size_t length);
/* Reads the list of a backup's folder; CSM_ENOTFOUND where there is none: no backup, or one that was not finished. */
csm_status csm_backup_list_read(csm_backup_list *out, const char *folder);

#endif
