/* SPDX-License-Identifier: MIT */
/* Text of this thread's last failure in the daemon: its own, or the library's when it has none. */
#ifndef DAEMON_FAILURE_H
#define DAEMON_FAILURE_H

#include <cryptosmart/cryptosmart.h>

/* Keeps the text and returns `status`. */
csm_status fail(csm_status status, const char *format, ...) CSM_PRINTF(2, 3);
/* Keeps the library's text with `where` before it, and returns `status`. */
csm_status fail_library(csm_status status, const char *where);
/* Never NULL; valid until this thread's next failure. */
const char *failure_text(void);

/* Exit codes of the program and of its children; 0 to 7 are those of the command line (docs/cli.md). */
enum {
    CODE_OK = 0,
    CODE_FAILED = 1,
    CODE_USAGE = 2,
    CODE_NO_DATA = 3,
    CODE_COVERAGE = 4,
    CODE_BUSY = 5,
    CODE_NETWORK = 6,
    CODE_DAMAGED = 7,
    CODE_CANCELLED = 130
};
int exit_code(csm_status status);

#endif
