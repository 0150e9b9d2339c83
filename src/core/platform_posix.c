/* SPDX-License-Identifier: MIT */
/* Clocks, processors and threads of a POSIX system; platform_posix_*.c have files, folders and locks. */
#include "core/platform.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static csm_time read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (csm_time)now.tv_sec * CSM_SECOND + now.tv_nsec;
}

csm_time csm_platform_now(void) {
    return read_clock(CLOCK_REALTIME);
}

csm_time csm_platform_monotonic(void) {
    return read_clock(CLOCK_MONOTONIC);
}

void csm_platform_sleep(csm_time duration) {
    if (duration <= 0) return;
    struct timespec left = {.tv_sec = (time_t)(duration / CSM_SECOND),
                            .tv_nsec = (long)(duration % CSM_SECOND)};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

char *csm_platform_error_text(int error_number, char *text, size_t size) {
    char buffer[128];
    const char *found =
        strerror_r(error_number, buffer, sizeof buffer); /* GNU's form: may not use the buffer */
    snprintf(text, size, "%s", found);
    return text;
}

uint64_t csm_platform_process(void) {
    return (uint64_t)getpid();
}

/* Processors this process may run on, which in a container or under taskset are fewer than the machine's. */
void csm_platform_large_pages(void *block, size_t bytes) {
#ifdef MADV_HUGEPAGE
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE),
                    begin = ((uintptr_t)block + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)block + bytes) / page * page;
    const int error_number = errno; /* a hint that is not taken is no failure */
    if (end > begin) (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
    errno = error_number;
#else
    (void)block;
    (void)bytes;
#endif
}

uint32_t csm_platform_processors(void) {
    cpu_set_t allowed;
    long count = 0;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) count = CPU_COUNT(&allowed);
    if (count <= 0) count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (uint32_t)count : 1;
}

struct csm_thread {
    pthread_t id;
    void (*run)(void *user);
    void *user;
};

static void *enter_thread(void *argument) {
    const csm_thread *thread = argument;
    thread->run(thread->user);
    return NULL;
}

csm_status csm_thread_start(csm_thread **out, void (*run)(void *user), void *user) {
    *out = NULL;
    csm_thread *thread = csm_alloc(sizeof *thread);
    if (!thread) return CSM_ENOMEM;
    thread->run = run;
    thread->user = user;
    /* The host's signal handlers belong on the host's threads. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&thread->id, NULL, enter_thread, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        csm_dealloc(thread);
        return csm_fail_errno(error, "thread could not be started");
    }
    *out = thread;
    return CSM_OK;
}

void csm_thread_join(csm_thread *thread) {
    if (!thread) return;
    pthread_join(thread->id, NULL);
    csm_dealloc(thread);
}

struct csm_mutex {
    pthread_mutex_t native;
};

csm_status csm_mutex_new(csm_mutex **out) {
    *out = NULL;
    csm_mutex *mutex = csm_alloc(sizeof *mutex);
    if (!mutex) return CSM_ENOMEM;
    const int error = pthread_mutex_init(&mutex->native, NULL);
    if (error) {
        csm_dealloc(mutex);
        return csm_fail_errno(error, "mutex could not be made");
    }
    *out = mutex;
    return CSM_OK;
}

void csm_mutex_free(csm_mutex *mutex) {
    if (!mutex) return;
    pthread_mutex_destroy(&mutex->native);
    csm_dealloc(mutex);
}

void csm_mutex_lock(csm_mutex *mutex) {
    pthread_mutex_lock(&mutex->native);
}

void csm_mutex_unlock(csm_mutex *mutex) {
    pthread_mutex_unlock(&mutex->native);
}
