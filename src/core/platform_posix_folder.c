/* SPDX-License-Identifier: MIT */
/* Folders of a POSIX system. */
#include "core/platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A new folder outlives a power cut only once its parent is synced. */
static csm_status sync_parent(const char *path) {
    char *parent = csm_path_folder(path);
    if (!parent) return CSM_ENOMEM;
    const csm_status status = csm_folder_sync(parent);
    csm_dealloc(parent);
    return status;
}

csm_status csm_folder_add(bool *made, const char *path) {
    *made = mkdir(path, 0777) == 0;
    if (*made) return CSM_OK;
    const int error = errno;
    struct stat found;
    /* An existing folder may answer EEXIST, but also EROFS or EACCES where it stands on a mount of its own. */
    if (stat(path, &found) == 0) {
        if (S_ISDIR(found.st_mode)) return CSM_OK;
        return csm_fail(CSM_EEXIST, "%s: exists and is not a folder", path);
    }
    return csm_fail_errno(error, "%s: make folder", path);
}

static csm_status make_one(const char *path) {
    bool made;
    const csm_status status = csm_folder_add(&made, path);
    return !status && made ? sync_parent(path) : status;
}

csm_status csm_folder_make(const char *path) {
    if (*path == '\0') return csm_fail(CSM_EINVAL, "folder: the path is empty");
    char *part = csm_strdup(path);
    if (!part) return CSM_ENOMEM;
    csm_status status = CSM_OK;
    for (char *slash = strchr(part + 1, '/'); slash && !status; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        status = make_one(part);
        *slash = '/';
    }
    if (!status) status = make_one(part);
    csm_dealloc(part);
    return status;
}

csm_status csm_folder_remove(const char *path) {
    if (rmdir(path) < 0 && errno != ENOENT) return csm_fail_errno(errno, "%s: remove folder", path);
    return CSM_OK;
}

bool csm_folder_is_writable(const char *path) {
    return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0;
}

csm_status csm_folder_space(uint64_t *free_bytes, const char *path) {
    struct statvfs found;
    if (statvfs(path, &found) < 0) return csm_fail_errno(errno, "%s: free space", path);
    *free_bytes = (uint64_t)found.f_bavail * (uint64_t)found.f_frsize;
    return CSM_OK;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef struct name_list {
    char **names;
    size_t count;
    size_t capacity;
} name_list;

static csm_status add_name(name_list *list, const char *name) {
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? 2 * list->capacity : 16;
        char **names = csm_realloc_array(list->names, capacity, sizeof *names);
        if (!names) return CSM_ENOMEM;
        list->names = names;
        list->capacity = capacity;
    }
    list->names[list->count] = csm_strdup(name);
    if (!list->names[list->count]) return CSM_ENOMEM;
    list->count++;
    return CSM_OK;
}

csm_status csm_folder_list(char ***out, size_t *count, const char *path) {
    *out = NULL;
    *count = 0;
    DIR *folder = opendir(path);
    if (!folder) return csm_fail_errno(errno, "%s: open folder", path);
    name_list list = {0};
    csm_status status = CSM_OK;
    while (!status) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry) {
            if (errno) status = csm_fail_errno(errno, "%s: read folder", path);
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        status = add_name(&list, entry->d_name);
    }
    closedir(folder);
    if (status) {
        csm_folder_list_free(list.names, list.count);
        return status;
    }
    if (list.count) qsort(list.names, list.count, sizeof *list.names, compare_names);
    *out = list.names;
    *count = list.count;
    return CSM_OK;
}

void csm_folder_list_free(char **names, size_t count) {
    if (!names) return;
    for (size_t i = 0; i < count; i++) csm_dealloc(names[i]);
    csm_dealloc(names);
}

bool csm_folder_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}
