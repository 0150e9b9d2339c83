/* SPDX-License-Identifier: MIT */
/* Test mode: time is a replay's (cryptosmart-replay, /replay/status and /replay/time), stands while jobs run, and jumps to the next
 * turn when none does. So a simulated month takes as long as its work. Refused unless the replay is on this machine. */
#ifndef DAEMON_TEST_CLOCK_H
#define DAEMON_TEST_CLOCK_H

#include <cryptosmart/cryptosmart.h>
#include <stdbool.h>

struct daemon;

/* Takes the time from the replay at `url`, "http://127.0.0.1:PORT". */
csm_status test_clock_open(struct daemon *daemon, const char *url);
csm_time test_clock_now(void);
/* Moves the replay's time on to `next`, at most to the end that CRYPTOSMARTD_TEST_END names; false when it did not move. */
bool test_clock_move(struct daemon *daemon, csm_time next);

#endif
