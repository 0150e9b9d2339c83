/* SPDX-License-Identifier: MIT */
/* Tells systemd how the daemon is: one datagram to NOTIFY_SOCKET (sd_notify(3)). Does nothing where systemd did not start us. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=text"; several joined by newlines. 0 when sent or not wanted, else errno. */
int notify(const char *state);
/* Half of WATCHDOG_USEC in ms, when it is for this process; 0: no watchdog. */
uint64_t notify_watchdog_period(void);

#endif
