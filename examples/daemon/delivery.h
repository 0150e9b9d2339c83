/* SPDX-License-Identifier: MIT */
/* Takes queued messages out of daemon.db and sends them on a thread of libuv's pool, one at a time: at least once, with retries. */
#ifndef DAEMON_DELIVERY_H
#define DAEMON_DELIVERY_H

#include "channel.h"

struct daemon;
typedef struct delivery delivery;

csm_status delivery_start(delivery **out, struct daemon *daemon);
/* Sends what is due, unless it is at it. On the loop's thread. */
void delivery_look(delivery *v);
/* Ends a sending under way within a second. */
void delivery_stop(delivery *v);
void delivery_free(delivery *v);
/* Sends one message now, on this thread. */
csm_status delivery_send_one(csm_time *retry_at, struct daemon *daemon, const char *channel,
                             const message *m);

#endif
