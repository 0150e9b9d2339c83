/* SPDX-License-Identifier: MIT */
/* Folders and the workspace lock of a POSIX system. */
#include "core/platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static csm_status make_one(const char *path) {
    if (mkdir(path, 0777) == 0) return CSM_OK;
    const int error = errno;
    struct stat found;
    /* An existing folder may answer EEXIST, but also EROFS or EACCES where it stands on a mount of its own. */
    if (stat(path, &found) == 0) {
        if (S_ISDIR(found.st_mode)) return CSM_OK;
        return csm_fail(CSM_EEXIST, "%s: exists and is not a folder", path);
    }
    return csm_fail_errno(error, "%s: make folder", path);
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

struct csm_lock {
    int descriptor;
    pid_t owner;
};

static csm_status fail_locked(int descriptor, const char *path) {
    char text[32];
    const ssize_t got = pread(descriptor, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    char *end;
    const long long holder = strtoll(text, &end, 10);
    if (end == text || holder <= 0) return csm_fail(CSM_ELOCKED, "%s: locked by another process", path);
    return csm_fail(CSM_ELOCKED, "%s: locked by process %lld", path, holder);
}

/* flock rather than fcntl: it belongs to this open file, so that neither another open and close of the same path in
 * this process drops it, nor a second csm_lock_take of this process passes. */
static csm_status lock_descriptor(int descriptor, const char *path) {
    int result;
    do {
        result = flock(descriptor, LOCK_EX | LOCK_NB);
    } while (result < 0 && errno == EINTR);
    if (result == 0) return CSM_OK;
    if (errno == EWOULDBLOCK) return fail_locked(descriptor, path);
    return csm_fail_errno(errno, "%s: lock", path);
}

/* False when the file was removed or replaced between our open and our lock: the lock would then guard nothing. */
static bool still_the_file(int descriptor, const char *path) {
    struct stat ours, theirs;
    return fstat(descriptor, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

static csm_status write_owner(int descriptor, const char *path) {
    char text[32];
    const int length = snprintf(text, sizeof text, "%lld\n", (long long)getpid());
    if (ftruncate(descriptor, 0) < 0 || pwrite(descriptor, text, (size_t)length, 0) != length)
        return csm_fail_errno(errno, "%s: write the process id", path);
    return CSM_OK;
}

csm_status csm_lock_take(csm_lock **out, const char *path) {
    *out = NULL;
    csm_lock *lock = csm_alloc(sizeof *lock);
    if (!lock) return CSM_ENOMEM;
    csm_status status = CSM_OK;
    lock->owner = getpid();
    for (;;) {
        do {
            lock->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        } while (lock->descriptor < 0 && errno == EINTR);
        if (lock->descriptor < 0) {
            status = csm_fail_errno(errno, "%s: open lock", path);
            break;
        }
        status = lock_descriptor(lock->descriptor, path);
        if (!status && still_the_file(lock->descriptor, path))
            status = write_owner(lock->descriptor, path);
        else if (!status) {
            close(lock->descriptor);
            continue;
        }
        if (status) close(lock->descriptor);
        break;
    }
    if (status) {
        csm_dealloc(lock);
        return status;
    }
    *out = lock;
    return CSM_OK;
}

void csm_lock_release(csm_lock *lock) {
    if (!lock) return;
    if (lock->owner == getpid()) {
        /* The text only serves messages; a failure here harms nobody. */
        if (ftruncate(lock->descriptor, 0) == 0) {
        }
        flock(lock->descriptor, LOCK_UN);
    }
    close(lock->descriptor);
    csm_dealloc(lock);
}
