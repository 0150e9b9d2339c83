/* SPDX-License-Identifier: MIT */
#include "core/platform.h"

#include <stdatomic.h>
#include <stdio.h>

#define NO_FAILURE SIZE_MAX
#define FAILURE_TEXT 1024

typedef struct loop {
    csm_task_fn task;
    void *user;
    size_t n;
    size_t grain;
    size_t chunks;
    atomic_size_t next;         /* chunk to hand out */
    atomic_size_t failed_chunk; /* lowest index that failed, or NO_FAILURE */
    csm_mutex *lock;            /* guards the two below and writes of failed_chunk */
    csm_status status;
    char text[FAILURE_TEXT];
} loop;

typedef struct worker {
    loop *loop;
    csm_thread *thread;
    uint32_t index;
} worker;

static void record_failure(loop *l, size_t chunk, csm_status status) {
    csm_mutex_lock(l->lock);
    if (chunk < atomic_load(&l->failed_chunk)) {
        l->status = status;
        snprintf(l->text, sizeof l->text, "%s", csm_error_message());
        atomic_store(&l->failed_chunk, chunk);
    }
    csm_mutex_unlock(l->lock);
}

static csm_status run_chunk(const loop *l, size_t chunk, uint32_t index) {
    const size_t begin = chunk * l->grain;
    const size_t end = l->n - begin > l->grain ? begin + l->grain : l->n;
    return l->task(l->user, begin, end, index);
}

/* Chunks are handed out in order and a chunk once handed out is finished, so whichever thread fails first, every
 * lower chunk has run: the lowest failure is the same for any number of threads. */
static void run_worker(void *user) {
    worker *w = user;
    loop *l = w->loop;
    while (atomic_load(&l->failed_chunk) == NO_FAILURE) {
        const size_t chunk = atomic_fetch_add(&l->next, 1);
        if (chunk >= l->chunks) break;
        const csm_status status = run_chunk(l, chunk, w->index);
        if (status) record_failure(l, chunk, status);
    }
}

static csm_status run_inline(const loop *l) {
    csm_status status = CSM_OK;
    for (size_t chunk = 0; chunk < l->chunks && !status; chunk++) status = run_chunk(l, chunk, 0);
    return status;
}

static csm_status run_threads(loop *l, uint32_t threads) {
    worker *workers = csm_alloc_array(threads, sizeof *workers);
    if (!workers) return CSM_ENOMEM;
    csm_status status = csm_mutex_new(&l->lock);
    if (status) goto done;
    for (uint32_t i = 0; i < threads; i++) workers[i] = (worker){.loop = l, .index = i};
    for (uint32_t i = 1; i < threads && !status; i++)
        status = csm_thread_start(&workers[i].thread, run_worker, &workers[i]);
    if (status && status != CSM_ENOMEM)
        status = CSM_OK; /* the system gives no more threads: fewer do the same work */
    if (status) atomic_store(&l->next, l->chunks);
    run_worker(&workers[0]);
    for (uint32_t i = 1; i < threads; i++) csm_thread_join(workers[i].thread);
    if (!status && l->status) status = csm_fail(l->status, "%s", l->text);
done:
    csm_mutex_free(l->lock);
    csm_dealloc(workers);
    return status;
}

csm_status csm_parallel_for(uint32_t threads, size_t n, size_t grain, csm_task_fn task, void *user) {
    if (threads == 0 || grain == 0)
        return csm_fail(CSM_EINTERNAL, "parallel loop: %u threads with chunks of %zu; both must be positive",
                        threads, grain);
    if (n == 0) return CSM_OK;
    loop l = {.task = task, .user = user, .n = n, .grain = grain, .chunks = (n - 1) / grain + 1};
    atomic_init(&l.next, 0);
    atomic_init(&l.failed_chunk, NO_FAILURE);
    if (threads > l.chunks) threads = (uint32_t)l.chunks;
    return threads == 1 ? run_inline(&l) : run_threads(&l, threads);
}
