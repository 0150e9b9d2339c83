/* SPDX-License-Identifier: MIT */
/* Files and folders of a POSIX system. What must survive a power cut is synced file first, then folder. */
#include "core/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_CHUNK ((size_t)65536)
#define TEMPORARY_TRIES 10000
#define NAME_PART 180 /* of the target's name in a temporary's: NAME_MAX is 255 */

static int open_again(const char *path, int flags, unsigned mode) {
    int descriptor;
    do {
        descriptor = open(path, flags | O_CLOEXEC, (mode_t)mode);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

static ssize_t read_again(int descriptor, void *data, size_t length) {
    ssize_t got;
    do {
        got = read(descriptor, data, length);
    } while (got < 0 && errno == EINTR);
    return got;
}

static csm_status write_all(int descriptor, const char *data, size_t length, const char *path) {
    while (length > 0) {
        const ssize_t written = write(descriptor, data, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return csm_fail_errno(errno, "%s: write", path);
        data += written;
        length -= (size_t)written;
    }
    return CSM_OK;
}

static int sync_again(int descriptor) {
    int result;
    do {
        result = fsync(descriptor);
    } while (result < 0 && errno == EINTR);
    return result;
}

/* On Linux the descriptor is gone even when close reports EINTR, so it is never repeated. */
static csm_status close_checked(int descriptor, const char *path) {
    if (close(descriptor) < 0 && errno != EINTR) return csm_fail_errno(errno, "%s: close", path);
    return CSM_OK;
}

csm_status csm_file_read(csm_buffer *out, const char *path, size_t limit) {
    const int descriptor = open_again(path, O_RDONLY, 0);
    if (descriptor < 0) return csm_fail_errno(errno, "%s: open", path);
    csm_status status = CSM_OK;
    out->length = 0;
    for (;;) {
        status = csm_buffer_reserve(out, READ_CHUNK);
        if (status) break;
        const ssize_t got = read_again(descriptor, out->data + out->length, READ_CHUNK);
        if (got < 0) status = csm_fail_errno(errno, "%s: read", path);
        if (got <= 0) break;
        if ((size_t)got > limit - out->length) {
            status = csm_fail(CSM_EPARSE, "%s: larger than the limit of %zu bytes", path, limit);
            break;
        }
        out->length += (size_t)got;
    }
    if (status) out->length = 0;
    if (out->data) out->data[out->length] = '\0';
    close(descriptor);
    return status;
}

char *csm_path_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return csm_strdup(".");
    return slash == path ? csm_strdup("/") : csm_strndup(path, (size_t)(slash - path));
}

static csm_status open_temporary(int *descriptor, char **out, const char *path, unsigned mode) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const int folder_length = (int)(name - path);
    *out = NULL;
    if (*name == '\0') return csm_fail(CSM_EINVAL, "\"%s\" does not name a file", path);
    for (unsigned counter = 0; counter < TEMPORARY_TRIES; counter++) {
        char *temporary = csm_strformat("%.*s.tmp-%.*s-%llu-%u", folder_length, path, NAME_PART, name,
                                        (unsigned long long)csm_platform_process(), counter);
        if (!temporary) return CSM_ENOMEM;
        *descriptor = open_again(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
        if (*descriptor >= 0) {
            *out = temporary;
            return CSM_OK;
        }
        const int error = errno;
        csm_dealloc(temporary);
        if (error != EEXIST) return csm_fail_errno(error, "%s: temporary beside it", path);
    }
    return csm_fail(CSM_EIO, "%s: %d temporaries of this process stand beside it", path, TEMPORARY_TRIES);
}

static csm_status write_temporary(char **temporary, const char *path, const void *data, size_t length,
                                  unsigned mode, bool sync) {
    int descriptor = -1;
    csm_status status = open_temporary(&descriptor, temporary, path, mode);
    if (status || !*temporary) return status;
    status = write_all(descriptor, data, length, path);
    if (!status && sync && sync_again(descriptor) < 0) status = csm_fail_errno(errno, "%s: fsync", path);
    if (status)
        close(descriptor);
    else
        status = close_checked(descriptor, path);
    if (!status) return CSM_OK;
    unlink(*temporary);
    csm_dealloc(*temporary);
    *temporary = NULL;
    return status;
}

csm_status csm_file_write_beside(char **temporary, const char *path, const void *data, size_t length,
                                 unsigned mode) {
    return write_temporary(temporary, path, data, length, mode, false);
}

csm_status csm_file_write_atomic(const char *path, const void *data, size_t length, unsigned mode) {
    char *temporary = NULL;
    char *folder = NULL;
    csm_status status = write_temporary(&temporary, path, data, length, mode, true);
    if (status) return status;
    folder = csm_path_folder(path);
    if (!folder) {
        status = CSM_ENOMEM;
        goto done;
    }
    status = csm_file_rename(temporary, path);
    if (status) goto done;
    csm_dealloc(temporary);
    temporary = NULL;
    status = csm_folder_sync(folder);
done:
    if (temporary) unlink(temporary);
    csm_dealloc(temporary);
    csm_dealloc(folder);
    return status;
}

csm_status csm_file_sync(const char *path) {
    const int descriptor = open_again(path, O_RDONLY, 0);
    if (descriptor < 0) return csm_fail_errno(errno, "%s: open", path);
    csm_status status = CSM_OK;
    if (sync_again(descriptor) < 0) status = csm_fail_errno(errno, "%s: fsync", path);
    close(descriptor);
    return status;
}

csm_status csm_folder_sync(const char *path) {
    const int descriptor = open_again(path, O_RDONLY | O_DIRECTORY, 0);
    if (descriptor < 0) return csm_fail_errno(errno, "%s: open", path);
    csm_status status = CSM_OK;
    /* Some network file systems cannot sync a folder and say EINVAL; their renames are synchronous. */
    if (sync_again(descriptor) < 0 && errno != EINVAL) status = csm_fail_errno(errno, "%s: fsync", path);
    close(descriptor);
    return status;
}

csm_status csm_file_rename(const char *from, const char *to) {
    if (rename(from, to) < 0) return csm_fail_errno(errno, "%s: rename to %s", from, to);
    return CSM_OK;
}

csm_status csm_file_remove(const char *path) {
    if (unlink(path) < 0 && errno != ENOENT) return csm_fail_errno(errno, "%s: remove", path);
    return CSM_OK;
}

csm_status csm_file_link(const char *from, const char *to) {
    if (link(from, to) == 0) return CSM_OK;
    if (errno == EEXIST) return csm_fail(CSM_EEXIST, "%s: link from %s: it exists already", to, from);
    return csm_fail_errno(errno, "%s: link from %s", to, from);
}

bool csm_file_exists(const char *path) {
    struct stat found;
    return stat(path, &found) == 0;
}

csm_status csm_file_mode(unsigned *out, const char *path) {
    struct stat found;
    if (stat(path, &found) < 0) return csm_fail_errno(errno, "%s: mode", path);
    *out = (unsigned)found.st_mode & 07777u;
    return CSM_OK;
}

csm_status csm_file_size(uint64_t *out, const char *path) {
    struct stat found;
    if (stat(path, &found) < 0) return csm_fail_errno(errno, "%s: size", path);
    *out = (uint64_t)found.st_size;
    return CSM_OK;
}

csm_status csm_file_modified(csm_time *out, const char *path) {
    struct stat found;
    if (stat(path, &found) < 0) return csm_fail_errno(errno, "%s: time of change", path);
    *out = (csm_time)found.st_mtim.tv_sec * CSM_SECOND + found.st_mtim.tv_nsec;
    return CSM_OK;
}

bool csm_file_is_link(const char *path) {
    struct stat found;
    return lstat(path, &found) == 0 && S_ISLNK(found.st_mode);
}

csm_status csm_file_read_part(void *out, const char *path, uint64_t at, size_t length) {
    const int descriptor = open_again(path, O_RDONLY, 0);
    if (descriptor < 0) return csm_fail_errno(errno, "%s: open", path);
    csm_status status = CSM_OK;
    if (at > INT64_MAX || lseek(descriptor, (off_t)at, SEEK_SET) < 0)
        status = csm_fail(CSM_EPARSE, "%s: ends before byte %llu", path, (unsigned long long)at);
    for (size_t have = 0; !status && have < length;) {
        const ssize_t got = read_again(descriptor, (char *)out + have, length - have);
        if (got < 0)
            status = csm_fail_errno(errno, "%s: read", path);
        else if (got == 0)
            status =
                csm_fail(CSM_EPARSE, "%s: ends before byte %llu", path, (unsigned long long)(at + length));
        else
            have += (size_t)got;
    }
    close(descriptor);
    return status;
}

csm_status csm_file_hash(csm_hash *out, const char *path) {
    const int descriptor = open_again(path, O_RDONLY, 0);
    if (descriptor < 0) return csm_fail_errno(errno, "%s: open", path);
    csm_status status = CSM_OK;
    csm_hasher hasher;
    csm_hasher_init(&hasher);
    char *chunk = csm_alloc(READ_CHUNK);
    if (!chunk) {
        status = CSM_ENOMEM;
        goto done;
    }
    ssize_t got;
    while ((got = read_again(descriptor, chunk, READ_CHUNK)) > 0)
        csm_hasher_update(&hasher, chunk, (size_t)got);
    if (got < 0)
        status = csm_fail_errno(errno, "%s: read", path);
    else
        *out = csm_hasher_final(&hasher);
done:
    csm_dealloc(chunk);
    close(descriptor);
    return status;
}
