/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

typedef struct watched {
    struct watched *next, *before;
    guard *guard;
    int socket;
    int64_t due; /* seconds of the monotonic clock; 0: nothing is awaited but what the idle limit covers */
} watched;

struct guard {
    pthread_mutex_t mutex;
    watched *first;
    int64_t patience;
    size_t count;
};

static int64_t seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec;
}

guard *guard_new(uint32_t patience) {
    guard *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->patience = patience;
    pthread_mutex_init(&g->mutex, NULL);
    return g;
}

void guard_free(guard *g) {
    if (!g) return;
    pthread_mutex_destroy(&g->mutex);
    free(g);
}

static void watch(guard *g, struct MHD_Connection *connection, void **state) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    watched *w = info ? calloc(1, sizeof *w) : NULL;
    *state = w;
    if (!w) return; /* the idle limit and the limit on connections remain */
    w->guard = g;
    w->socket = info->connect_fd;
    w->due = seconds() + g->patience;
    pthread_mutex_lock(&g->mutex);
    w->next = g->first;
    if (w->next) w->next->before = w;
    g->first = w;
    g->count++;
    pthread_mutex_unlock(&g->mutex);
}

static void forget(guard *g, watched *w) {
    if (!w) return;
    pthread_mutex_lock(&g->mutex);
    if (w->before)
        w->before->next = w->next;
    else
        g->first = w->next;
    if (w->next) w->next->before = w->before;
    g->count--;
    pthread_mutex_unlock(&g->mutex);
    free(w);
}

void guard_connection(void *cls, struct MHD_Connection *connection, void **state,
                      enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        watch(cls, connection, state);
    else
        forget(cls, *state);
}

static void set_due(struct MHD_Connection *connection, bool awaited) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    watched *w = info ? info->socket_context : NULL;
    if (!w) return;
    pthread_mutex_lock(&w->guard->mutex);
    w->due = awaited ? seconds() + w->guard->patience : 0;
    pthread_mutex_unlock(&w->guard->mutex);
}

void guard_begins(struct MHD_Connection *connection) {
    set_due(connection, true);
}

void guard_arrived(struct MHD_Connection *connection) {
    set_due(connection, false);
}

size_t guard_sweep(guard *g) {
    const int64_t now = seconds();
    pthread_mutex_lock(&g->mutex);
    /* the entry leaves the list before its socket is closed, so the number cannot have become another's */
    for (watched *w = g->first; w; w = w->next) {
        if (w->due && w->due < now) shutdown(w->socket, SHUT_RDWR);
    }
    const size_t count = g->count;
    pthread_mutex_unlock(&g->mutex);
    return count;
}
