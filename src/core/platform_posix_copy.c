/* SPDX-License-Identifier: MIT */
/* Copying a file of any size, with the hash of what was copied. */
#include "core/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 18)

static int open_again(const char *path, int flags) {
    int descriptor;
    do {
        descriptor = open(path, flags | O_CLOEXEC, 0644);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor;
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

static csm_status copy_bytes(csm_hash *hash, int in, int out, const char *from, const char *to) {
    csm_status status = CSM_OK;
    csm_hasher hasher;
    char *chunk = csm_alloc(CHUNK);
    if (!chunk) return CSM_ENOMEM;
    csm_hasher_init(&hasher);
    while (!status) {
        const ssize_t got = read(in, chunk, CHUNK);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) status = csm_fail_errno(errno, "%s: read", from);
        if (got <= 0) break;
        csm_hasher_update(&hasher, chunk, (size_t)got);
        status = write_all(out, chunk, (size_t)got, to);
    }
    if (!status) *hash = csm_hasher_final(&hasher);
    csm_dealloc(chunk);
    return status;
}

csm_status csm_file_copy(csm_hash *hash, const char *from, const char *to) {
    const int in = open_again(from, O_RDONLY);
    if (in < 0) return csm_fail_errno(errno, "%s: open", from);
    const int out = open_again(to, O_WRONLY | O_CREAT | O_EXCL);
    csm_status status = out < 0 ? csm_fail_errno(errno, "%s: make", to) : CSM_OK;
    if (!status) status = copy_bytes(hash, in, out, from, to);
    if (!status && fsync(out) < 0) status = csm_fail_errno(errno, "%s: fsync", to);
    if (out >= 0 && close(out) < 0 && errno != EINTR && !status)
        status = csm_fail_errno(errno, "%s: close", to);
    close(in);
    if (status && out >= 0) unlink(to);
    return status;
}
