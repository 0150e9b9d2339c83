/* SPDX-License-Identifier: MIT */
/* Looks at facts by the rules of rules.def, keeps alerts in daemon.db, queues a message a channel for each that is raised or cleared, and
 * delivers them from a thread of its own, again and again until the other side has taken them. */
#ifndef DAEMON_ALERTS_H
#define DAEMON_ALERTS_H

#include <cryptosmart/cryptosmart.h>

struct daemon;
typedef struct alerts alerts;

csm_status alerts_start(alerts **out, struct daemon *daemon);
/* Judges all facts now; also done every few seconds. On the loop's thread. */
void alerts_look(alerts *a);
/* Ends a delivery under way and closes the handles; the rest waits in the record. */
void alerts_stop(alerts *a);
void alerts_free(alerts *a);

/* Sends one message to every configured channel and prints what became of it; gives the exit code (`--alert-test`). */
int alerts_test(struct daemon *daemon);

#endif
