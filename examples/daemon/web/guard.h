/* SPDX-License-Identifier: MIT */
/* Ends connections whose request does not arrive in time: a client that sends a byte now and then never idles, so a limit on
 * idleness alone would let it keep a connection for ever. */
#ifndef WEB_GUARD_H
#define WEB_GUARD_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct guard guard;
/* seconds: in which a request must arrive, from the connection or from its first line. NULL: no memory. */
guard *guard_new(uint32_t seconds);
/* After the server has stopped. Takes NULL. */
void guard_free(guard *g);
/* MHD_NotifyConnectionCallback; cls is the guard. */
void guard_connection(void *cls, struct MHD_Connection *connection, void **socket,
                      enum MHD_ConnectionNotificationCode code);
/* The first line of a request came; it is whole; its answer has been sent. */
void guard_begins(struct MHD_Connection *connection);
void guard_arrived(struct MHD_Connection *connection);
/* Shuts what is late; called every second. Gives how many connections are open. */
size_t guard_sweep(guard *g);

#endif
