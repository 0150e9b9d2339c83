/* SPDX-License-Identifier: MIT */
/* Server-sent events: what happened, to every open page. Events say that something changed, not what it is now: pages ask for
 * that. A page that reads slowly misses events rather than holding anything up. */
#ifndef WEB_STREAMS_H
#define WEB_STREAMS_H

#include "request.h"

typedef struct streams streams;
streams *streams_new(struct dashboard *d); /* NULL: no memory */
/* Sends an event; data is one line of JSON. Any thread. */
void streams_send(streams *s, const char *event, const char *data);
size_t streams_count(streams *s);
/* Ends all; before the server stops, so that no connection stays suspended. */
void streams_stop(streams *s);
/* After the server has stopped. Takes NULL. */
void streams_free(streams *s);

#endif
