/* SPDX-License-Identifier: MIT */
/* Dashboard and REST API: examples/daemon/web/. It runs on threads of its own and meets the daemon in daemon.db (database.h), in
 * scheduler_run_now and scheduler_cancel, and in the read-only parts of struct daemon. */
#ifndef DAEMON_WEB_H
#define DAEMON_WEB_H

#include <cryptosmart/cryptosmart.h>

struct daemon;
typedef struct web web;

/* Listens where daemon.listen and daemon.port say. Text in failure_text(). */
csm_status web_start(web **out, struct daemon *daemon);
/* Ends every connection and joins every thread; takes NULL. */
void web_stop(web *server);
/* `cryptosmartd user VERB ...`: argv[0] is the verb. Gives the exit code. */
int web_user(struct daemon *daemon, int argc, char **argv);

#endif
