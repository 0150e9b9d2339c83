/* SPDX-License-Identifier: MIT */
/* Threads for what must not hold up a thread that serves connections. The queue is bounded: what does not fit is refused. */
#ifndef WEB_WORKERS_H
#define WEB_WORKERS_H

#include "request.h"

typedef struct workers workers;
/* NULL: no memory or no thread. */
workers *workers_new(size_t threads, size_t queue);
/* Suspends the request's connection and queues it: its route runs on a worker, then the connection goes on. false: full. */
bool workers_take(workers *w, request *r);
/* Answers what is queued, takes nothing more. Before the server stops, so that no connection stays suspended. */
void workers_stop(workers *w);
void workers_free(workers *w);

#endif
