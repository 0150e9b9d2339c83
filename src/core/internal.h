/* SPDX-License-Identifier: MIT */
/* What stages use of core beyond its public header. */
#ifndef CSM_CORE_INTERNAL_H
#define CSM_CORE_INTERNAL_H

#include <cryptosmart/core.h>

#include <stdbool.h>

/* ---- errors ---- */

/* Sets this thread's error text and returns `status`:
 * return csm_fail(CSM_EINVAL, "rsi: period %d is outside 2..1000", n); */
csm_status csm_fail(csm_status status, const char *format, ...) CSM_PRINTF(2, 3);
#ifdef __clang_analyzer__ /* which cannot see that the result is the status given, and never 0 */
#define csm_fail(status, ...) ((void)(csm_fail)(status, __VA_ARGS__), (status))
#endif
/* Puts "prefix: " before the current text and returns `status`: names the place on the way up. */
csm_status csm_fail_prefix(csm_status status, const char *format, ...) CSM_PRINTF(2, 3);
/* As csm_fail with ": strerror(error_number)" appended; ENOSPC/EDQUOT give CSM_ENOSPACE, EROFS CSM_EREADONLY,
 * ENOMEM CSM_ENOMEM, ENOENT CSM_ENOTFOUND, all else CSM_EIO. */
csm_status csm_fail_errno(int error_number, const char *format, ...) CSM_PRINTF(2, 3);

/* ---- memory: one hook. A test fails the n-th allocation of this thread (CSM_FAULTS builds only) ---- */

void *csm_alloc(size_t bytes); /* NULL and error text on failure; zero bytes give a valid pointer */
void *csm_alloc_array(size_t count, size_t element); /* zeroed, overflow checked */
void *csm_realloc_array(void *block, size_t count,
                        size_t element); /* overflow checked, new part not zeroed */
char *csm_strdup(const char *text);
char *csm_strndup(const char *text, size_t length);
char *csm_strformat(const char *format, ...) CSM_PRINTF(1, 2);
void csm_dealloc(void *block);
#ifdef CSM_FAULTS
/* The n-th allocation from now (1 = next) on this thread fails, and all after it when `forever`; 0 switches it off. */
void csm_fault_allocation(uint64_t n, bool forever);
uint64_t csm_fault_allocations_seen(void); /* since the last csm_fault_allocation call */
#endif

/* ---- options: struct size protocol ---- */

/* Copies the caller's struct (first member size_t size) over `out`, which holds the defaults. `user` NULL: nothing.
 * A smaller struct fills its part; bytes beyond `known` must be zero. `name` is for the error text. */
csm_status csm_options_take(void *out, size_t known, const void *user, const char *name);

/* ---- context ---- */

void csm_log_write(const csm_context *context, csm_log_level level, const char *module, const char *format,
                   ...) CSM_PRINTF(4, 5);
/* Reports progress and answers cancel: CSM_OK or CSM_ECANCELLED with text. context may be NULL. Only on the thread
 * that entered the library; workers poll csm_cancelled. */
csm_status csm_progress(csm_context *context, const char *what, uint64_t done, uint64_t total);
bool csm_cancelled(const csm_context *context);
/* An object that works with a context holds a reference, so that both may be freed in any order. csm_context_free
 * takes the owner's callbacks away and drops the owner's reference. Both take NULL; retain returns its argument. */
csm_context *csm_context_retain(csm_context *context);
void csm_context_release(csm_context *context);

/* ---- parallel loops ---- */

typedef csm_status (*csm_task_fn)(void *user, size_t begin, size_t end, uint32_t worker);
/* Runs task over [0, n) in chunks of `grain` on up to `threads` threads that are made here and joined before return
 * (fork-safe: no pool survives). Chunks are handed out in order; a chunk's result must not depend on who runs it.
 * The first failure by chunk index wins, its text is copied to the caller's thread. worker < threads. */
csm_status csm_parallel_for(uint32_t threads, size_t n, size_t grain, csm_task_fn task, void *user);

/* ---- hashing and text ---- */

/* decimals */
#define CSM_DECIMAL_SCALE_MAX 18
extern const int64_t csm_power_of_ten[CSM_DECIMAL_SCALE_MAX + 1];
/* -1, 0, 1, exact for any two scales from 0 to 18. */
int csm_decimal_compare(csm_decimal left, csm_decimal right);

#define CSM_HASH_BYTES 32
#define CSM_HASH_TEXT 65 /* lower-case hex and terminator */
typedef struct csm_hash {
    uint8_t bytes[CSM_HASH_BYTES];
} csm_hash;
csm_hash csm_hash_bytes(const void *data, size_t length);   /* SHA-256 (FIPS 180-4), libsodium */
char *csm_hash_format(const csm_hash *hash, char *text);    /* text[CSM_HASH_TEXT] */
csm_status csm_hash_parse(csm_hash *out, const char *text); /* 64 hex digits */
typedef struct csm_hasher {
    _Alignas(16) uint8_t state[128];
} csm_hasher;
void csm_hasher_init(csm_hasher *hasher);
void csm_hasher_update(csm_hasher *hasher, const void *data, size_t length);
csm_hash csm_hasher_final(csm_hasher *hasher);
/* Whole 64-byte blocks into the eight words of SHA-256's state; false, and nothing done, where the processor has no
 * instructions for it. */
bool csm_hash_blocks(uint32_t state[8], const uint8_t *data, size_t blocks);

/* Growing byte buffer, always zero-terminated once something was appended. Zero-initialise; free with csm_buffer_free,
 * or take `data` and free it with csm_dealloc. What is appended may not lie inside the buffer itself. */
typedef struct csm_buffer {
    char *data;
    size_t length;
    size_t capacity;
} csm_buffer;
csm_status csm_buffer_reserve(csm_buffer *buffer, size_t more); /* room for `more` bytes at data + length */
csm_status csm_buffer_append(csm_buffer *buffer, const void *data, size_t length);
csm_status csm_buffer_printf(csm_buffer *buffer, const char *format, ...) CSM_PRINTF(2, 3);
/* 17 significant digits, which read back exactly, with a point whatever the host's locale says. */
csm_status csm_buffer_real(csm_buffer *buffer, double value);
void csm_buffer_free(csm_buffer *buffer);

/* ---- random numbers ---- */

/* One block of Philox4x32-10; csm_random_u64 uses counter = (index, stream), key = seed, low word first. */
void csm_philox4x32(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

#endif
