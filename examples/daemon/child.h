/* SPDX-License-Identifier: MIT */
/* One run of a job as a child process: this program again, as `job NAME`. Its standard output carries results as JSON lines
 * (docs/daemon.md), its standard error log lines; both are taken line by line, bounded, into daemon.db. */
#ifndef DAEMON_CHILD_H
#define DAEMON_CHILD_H

#include "schedule.h"

#include <uv.h>

struct daemon;

#define CHILD_LINE 65536     /* bytes of a line; a longer one is cut */
#define CHILD_LOG_LINES 4000 /* of a run that are kept */

typedef struct child_pipe {
    uv_pipe_t pipe;
    struct child *child;
    size_t used;
    char *line; /* CHILD_LINE bytes */
    bool cutting;
} child_pipe;

typedef struct child {
    struct daemon *daemon;
    uv_process_t process;
    uv_timer_t timer; /* wall limit first, then patience before SIGKILL */
    child_pipe out;
    child_pipe err;
    const job_kind *kind;
    char name[JOB_NAME];
    int64_t run;
    uint32_t attempt;
    int64_t lines;
    int open_handles;
    bool asked_to_end;
    bool overdue; /* ran past its wall time */
    bool more;    /* left a cursor: there is more to do at once */
    bool exited;
    int64_t code;
    int signal;
    void (*ended)(struct child *child); /* process, pipes and timer are closed */
    struct child *next;
} child;

/* Starts run `run` of a job; `cursor` is what the run before left ("" when whole). */
csm_status child_start(child **out, struct daemon *daemon, const job_entry *what, int64_t run,
                       uint32_t attempt, const char *cursor, void (*ended)(child *child));
/* SIGTERM now, SIGKILL after the patience. */
void child_end(child *c);
void child_free(child *c);

/* The environment of a job (child_environment.c), NULL-terminated; NULL without memory. */
char **child_environment(const csm_config *config);
void child_environment_free(char **environment);

/* What a line of standard output says, put into daemon.db (report.c). */
void report_line(child *c, char *line);
/* A line of standard error, put into the run's log and the daemon's. */
void report_log(child *c, char *line);

#endif
