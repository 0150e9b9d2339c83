/* SPDX-License-Identifier: MIT */
#include "workers.h"

#include <pthread.h>
#include <stdlib.h>

#define THREADS_MOST 8

struct workers {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread[THREADS_MOST];
    size_t threads;
    request *first, *last;
    size_t queued;
    size_t capacity;
    bool stopping;
};

static request *next_request(workers *w) {
    pthread_mutex_lock(&w->mutex);
    while (!w->first && !w->stopping) pthread_cond_wait(&w->changed, &w->mutex);
    request *r = w->first;
    if (r) {
        w->first = r->next;
        if (!w->first) w->last = NULL;
        w->queued--;
    }
    pthread_mutex_unlock(&w->mutex);
    return r;
}

static void *work(void *user) {
    workers *w = user;
    for (request *r = next_request(w); r; r = next_request(w)) {
        r->route->run(r);
        r->worked = true;
        MHD_resume_connection(r->connection); /* from here on the request is its connection's again */
    }
    return NULL;
}

workers *workers_new(size_t threads, size_t queue) {
    workers *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->capacity = queue;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->changed, NULL);
    for (; w->threads < threads && w->threads < THREADS_MOST; w->threads++) {
        if (pthread_create(&w->thread[w->threads], NULL, work, w) != 0) break;
    }
    if (w->threads > 0) return w;
    workers_free(w);
    return NULL;
}

bool workers_take(workers *w, request *r) {
    pthread_mutex_lock(&w->mutex);
    const bool taken = !w->stopping && w->queued < w->capacity;
    if (taken) {
        /* before a worker can resume it */
        MHD_suspend_connection(r->connection);
        r->next = NULL;
        if (w->last)
            w->last->next = r;
        else
            w->first = r;
        w->last = r;
        w->queued++;
        pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&w->mutex);
    return taken;
}

void workers_stop(workers *w) {
    if (!w) return;
    pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->mutex);
    for (size_t i = 0; i < w->threads; i++) pthread_join(w->thread[i], NULL);
    w->threads = 0;
}

void workers_free(workers *w) {
    if (!w) return;
    workers_stop(w);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}
