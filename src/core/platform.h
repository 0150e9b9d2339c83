/* SPDX-License-Identifier: MIT */
/* What the operating system gives. platform_posix.c implements it; a Windows twin stays one file away. */
#ifndef CSM_CORE_PLATFORM_H
#define CSM_CORE_PLATFORM_H

#include "core/internal.h"

/* clocks */
csm_time csm_platform_now(void);       /* wall clock, UTC */
csm_time csm_platform_monotonic(void); /* for durations only */
void csm_platform_sleep(csm_time duration);

/* What errno value `error_number` means, in the host's language. Returns `text`. */
char *csm_platform_error_text(int error_number, char *text, size_t size);
uint64_t csm_platform_process(void); /* id of this process */

/* A hint that `block` is large, will be filled, and is best backed by large pages; may do nothing. */
void csm_platform_large_pages(void *block, size_t bytes);

/* processors and threads */
uint32_t csm_platform_processors(void);
typedef struct csm_thread csm_thread;
csm_status csm_thread_start(csm_thread **out, void (*run)(void *user), void *user);
void csm_thread_join(csm_thread *thread); /* frees it too; takes NULL */
typedef struct csm_mutex csm_mutex;
csm_status csm_mutex_new(csm_mutex **out);
void csm_mutex_free(csm_mutex *mutex);
void csm_mutex_lock(csm_mutex *mutex);
void csm_mutex_unlock(csm_mutex *mutex);

/* files: paths are UTF-8, '/' separated. Errors carry the path. */
/* The folder that holds `path`: "." for a bare name, "/" for a name in the root. NULL and text without memory. */
char *csm_path_folder(const char *path);
/* Replaces the buffer's content. CSM_EPARSE when the file is larger than `limit` bytes. */
csm_status csm_file_read(csm_buffer *out, const char *path, size_t limit);
/* Temporary ".tmp-<name>-<process>-<counter>" in the same folder, fsync, rename over `path`, fsync the folder. Mode
 * such as 0644, less the umask. On failure the old file is untouched and the temporary removed. */
csm_status csm_file_write_atomic(const char *path, const void *data, size_t length, unsigned mode);
/* The first step of it: the temporary, closed but not synced. Its name is *temporary (csm_dealloc). */
csm_status csm_file_write_beside(char **temporary, const char *path, const void *data, size_t length,
                                 unsigned mode);
csm_status csm_file_sync(const char *path);
csm_status csm_folder_sync(const char *path);
csm_status csm_folder_make(const char *path); /* with parents, each synced; existing is fine */
/* One folder, its parent not synced; *made: it was not there before. */
csm_status csm_folder_add(bool *made, const char *path);
csm_status csm_file_rename(const char *from, const char *to);
csm_status csm_file_remove(const char *path);               /* absent is fine */
csm_status csm_file_link(const char *from, const char *to); /* hard link; CSM_EEXIST when `to` is there */
bool csm_file_exists(const char *path);
csm_status csm_file_mode(unsigned *out, const char *path); /* permission bits, such as 0600 */
csm_status csm_file_size(uint64_t *out, const char *path);
bool csm_file_is_link(const char *path); /* a symbolic link, whatever it points to */
/* Exactly `length` bytes from `at`; CSM_EPARSE when the file ends before. */
csm_status csm_file_read_part(void *out, const char *path, uint64_t at, size_t length);
csm_status csm_file_hash(csm_hash *out, const char *path);
/* To a new file, synced but for its folder; the hash is of what was copied. */
csm_status csm_file_copy(csm_hash *hash, const char *from, const char *to);
csm_status csm_file_modified(csm_time *out, const char *path); /* when its bytes last changed */
bool csm_folder_is_writable(const char *path);                 /* whether this user may make files in it */
csm_status csm_folder_remove(const char *path);                /* only when empty; absent is fine */
csm_status csm_folder_space(uint64_t *free_bytes, const char *path); /* bytes this user may still write */
bool csm_folder_exists(const char *path);                            /* a folder, or a link to one */
/* Names in a folder, sorted by bytes, "." and ".." left out. Free with csm_folder_list_free. */
csm_status csm_folder_list(char ***out, size_t *count, const char *path);
void csm_folder_list_free(char **names, size_t count);

/* An exclusive lock that dies with its process. CSM_ELOCKED when another process, or another csm_lock_take of this one,
 * holds it, with the process id in the text. A forked child that never calls exec keeps the lock alive until it ends,
 * but its csm_lock_release does not unlock the parent. The file stays. */
typedef struct csm_lock csm_lock;
csm_status csm_lock_take(csm_lock **out, const char *path);
void csm_lock_release(csm_lock *lock); /* takes NULL */
/* Whether the last holder ended without csm_lock_release: killed, or by csm_lock_abandon. A power failure may hide it. */
bool csm_lock_was_abandoned(const csm_lock *lock);
/* Unlocks like a kill would: the next holder finds the lock abandoned. Takes NULL. */
void csm_lock_abandon(csm_lock *lock);

#endif
