/* SPDX-License-Identifier: MIT */
/* The workspace lock of a POSIX system. */
#include "core/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPLACED_TRIES 100

struct csm_lock {
    int descriptor;
    pid_t owner;
    bool abandoned; /* the text of the holder before is still there */
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

static bool holds_text(int descriptor) {
    struct stat info;
    return fstat(descriptor, &info) < 0 || info.st_size > 0;
}

static csm_status write_owner(int descriptor, const char *path) {
    char text[32];
    const int length = snprintf(text, sizeof text, "%lld\n", (long long)getpid());
    if (ftruncate(descriptor, 0) < 0 || pwrite(descriptor, text, (size_t)length, 0) != length)
        return csm_fail_errno(errno, "%s: write the process id", path);
    return CSM_OK;
}

static csm_status open_lock(int *descriptor, const char *path) {
    do {
        *descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    } while (*descriptor < 0 && errno == EINTR);
    if (*descriptor < 0) return csm_fail_errno(errno, "%s: open lock", path);
    return CSM_OK;
}

csm_status csm_lock_take(csm_lock **out, const char *path) {
    *out = NULL;
    csm_lock *lock = csm_alloc(sizeof *lock);
    if (!lock) return CSM_ENOMEM;
    lock->owner = getpid();
    csm_status status = CSM_OK;
    bool taken = false;
    for (int tries = 0; tries < REPLACED_TRIES && !taken; tries++) {
        status = open_lock(&lock->descriptor, path);
        if (status) goto done;
        status = lock_descriptor(lock->descriptor, path);
        taken = !status && still_the_file(lock->descriptor, path);
        if (taken) lock->abandoned = holds_text(lock->descriptor);
        if (taken) status = write_owner(lock->descriptor, path);
        if (!taken || status) close(lock->descriptor);
        if (status) goto done;
    }
    if (!taken) status = csm_fail(CSM_EIO, "%s: the lock file is replaced again and again", path);
done:
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
        const int cleared = ftruncate(lock->descriptor, 0);
        (void)cleared; /* the text serves messages and asks for a recovery: a failure here harms nobody */
    }
    csm_lock_abandon(lock);
}

bool csm_lock_was_abandoned(const csm_lock *lock) {
    return lock->abandoned;
}

void csm_lock_abandon(csm_lock *lock) {
    if (!lock) return;
    if (lock->owner == getpid()) flock(lock->descriptor, LOCK_UN);
    close(lock->descriptor);
    csm_dealloc(lock);
}
