/* SPDX-License-Identifier: MIT */
#include "scheduler.h"

#include "child.h"
#include "daemon.h"
#include "scheduler_table.h"

#include <stdlib.h>
#include <string.h>

#define TRIM_EVERY 250 /* ended runs between looks at how many are kept */
#define TICK 1000      /* ms between looks at the clock; requests and ends of runs look at once */

struct scheduler {
    daemon_state *daemon;
    job_entry jobs[JOBS_MOST];
    size_t count;
    pthread_mutex_t mutex; /* of jobs and count, which other threads ask for names */
    child *running;
    uv_timer_t tick;
    uv_async_t wake;
    int open_handles;
    uint32_t ended; /* runs since the record was trimmed */
    bool stopping;
    void (*stopped)(daemon_state *daemon);
};

static void advance(scheduler *s);

static void complain(scheduler *s, int64_t run) {
    log_write(&s->daemon->log, CSM_LOG_ERROR, "scheduler", &(log_about){.run = run}, "%s", failure_text());
}

/* ---- what may run beside what ---- */

static bool fits(const scheduler *s, const job_entry *j) {
    int64_t count = 0, most = settings_integer(s->daemon->config, "daemon.jobs_at_once");
    for (const child *c = s->running; c; c = c->next) {
        count++;
        if (strcmp(c->name, j->name) == 0) return false;
        if (c->kind->heavy && j->kind->heavy) return false;
        if (c->kind->network && j->kind->network) return false;
    }
    /* a heavy job never takes the last place: the short ones must go on beside it */
    return count < most && (!j->kind->heavy || most == 1 || count < most - 1);
}

/* ---- ends of runs ---- */

static void forget(scheduler *s, child *c) {
    for (child **at = &s->running; *at; at = &(*at)->next) {
        if (*at != c) continue;
        *at = c->next;
        return;
    }
}

static void judge(scheduler *s, child *c, run_record *end) {
    char text[128];
    run_end kind = schedule_classify(c->code, c->signal, text, sizeof text);
    end->run = c->run;
    end->code = c->code;
    end->signal = c->signal;
    if (c->overdue) {
        end->state = "timeout";
        snprintf(end->text, sizeof end->text, "took longer than its limit");
        return;
    }
    /* also one that was killed after its patience had ended, or had its cancel overtaken by an error */
    if (c->asked_to_end && kind != RUN_DONE) {
        end->state = s->stopping ? "interrupted" : "cancelled";
        snprintf(end->text, sizeof end->text, "%s", s->stopping ? "the daemon stopped" : "cancelled");
        return;
    }
    end->state = kind == RUN_DONE ? "done" : kind == RUN_CANCELLED ? "cancelled" : "failed";
    end->again = kind == RUN_AGAIN;
    snprintf(end->text, sizeof end->text, "%s", text);
}

static csm_time retry_wait(const scheduler *s, const child *c) {
    const csm_config *config = s->daemon->config;
    return schedule_backoff(c->attempt + 1, settings_duration(config, "daemon.retry_first"),
                            settings_duration(config, "daemon.retry_last"),
                            csm_random_uniform((uint64_t)c->run, 0, c->attempt));
}

static void on_child_ended(child *c) {
    scheduler *s = c->daemon->scheduler;
    run_record end = {.now = daemon_now(s->daemon), .more = c->more, .attempt = c->attempt};
    judge(s, c, &end);
    end.retry = end.again && c->attempt < (uint32_t)settings_integer(s->daemon->config, "daemon.retries");
    end.not_before = end.now + (end.retry ? retry_wait(s, c) : 0);
    if (end.code == CODE_NO_DATA)
        end.next_due = end.now + settings_duration(s->daemon->config, "daemon.retry_last");
    if (table_end_run(s->daemon->db, c->name, c->kind->priority, &end) != CSM_OK) complain(s, c->run);
    if (++s->ended % TRIM_EVERY == 0 &&
        table_trim(s->daemon->db, settings_integer(s->daemon->config, "daemon.keep_runs")) != CSM_OK)
        complain(s, c->run);
    log_write(&s->daemon->log, strcmp(end.state, "failed") == 0 ? CSM_LOG_WARN : CSM_LOG_INFO, "scheduler",
              &(log_about){.run = c->run}, "%s: %s: %s%s", c->name, end.state, end.text,
              end.retry ? "; it will be tried again" : "");
    forget(s, c);
    child_free(c);
    daemon_changed(s->daemon);
    if (s->daemon->alerts && !s->stopping) alerts_look(s->daemon->alerts);
    advance(s);
}

/* ---- starts of runs ---- */

static void start_run(scheduler *s, const job_entry *j, const queued_run *q) {
    child *c = NULL;
    char cursor[128] = "";
    csm_status status = table_start_run(s->daemon->db, q->run, daemon_now(s->daemon));
    if (status == CSM_OK) status = table_cursor(cursor, sizeof cursor, s->daemon->db, j->name);
    if (status == CSM_OK) status = child_start(&c, s->daemon, j, q->run, q->attempt, cursor, on_child_ended);
    if (status != CSM_OK) {
        complain(s, q->run);
        return;
    }
    c->next = s->running;
    s->running = c;
    if (!c->exited) (void)table_process(s->daemon->db, q->run, c->process.pid);
    log_write(&s->daemon->log, CSM_LOG_INFO, "scheduler", &(log_about){.run = q->run}, "%s: started (%s)",
              j->name, q->cause);
    daemon_changed(s->daemon);
}

static void start_what_fits(scheduler *s) {
    queued_run queue[QUEUE_MOST];
    size_t count = 0;
    if (table_queue(queue, &count, s->daemon->db, daemon_now(s->daemon)) != CSM_OK) complain(s, 0);
    for (size_t i = 0; i < count; i++) {
        const job_entry *j = schedule_find(s->jobs, s->count, queue[i].job);
        if (!j) /* its source has gone from the configuration */
            (void)table_drop_run(s->daemon->db, queue[i].run, daemon_now(s->daemon));
        else if (fits(s, j))
            start_run(s, j, &queue[i]);
    }
}

static void end_cancelled(scheduler *s) {
    for (child *c = s->running; c; c = c->next) {
        if (!c->asked_to_end && table_is_cancelled(s->daemon->db, c->run)) child_end(c);
    }
}

static void queue_due(scheduler *s) {
    csm_time now = daemon_now(s->daemon);
    for (size_t i = 0; i < s->count; i++) {
        const job_entry *j = &s->jobs[i];
        if (j->every > 0 && table_queue_due(s->daemon->db, j->name, j->kind->priority, now,
                                            schedule_next(now, j->every, j->after)) != CSM_OK)
            complain(s, 0);
    }
}

static void close_handles(scheduler *s);

static void advance(scheduler *s) {
    if (s->stopping) {
        if (!s->running) close_handles(s);
        return;
    }
    end_cancelled(s);
    queue_due(s);
    start_what_fits(s);
    if (s->daemon->test_clock && !s->running) {
        csm_time next = CSM_TIME_MAX;
        if (table_next_event(&next, s->daemon->db) != CSM_OK)
            complain(s, 0);
        else if (test_clock_move(s->daemon, next))
            uv_async_send(&s->wake);
    }
}

static void on_tick(uv_timer_t *timer) {
    advance(timer->data);
}

static void on_wake(uv_async_t *wake) {
    advance(wake->data);
}

/* ---- life ---- */

csm_status scheduler_reload(scheduler *s) {
    job_entry jobs[JOBS_MOST];
    size_t count = 0;
    csm_status status = schedule_jobs(jobs, &count, s->daemon->config);
    if (status != CSM_OK) return status;
    pthread_mutex_lock(&s->mutex);
    memcpy(s->jobs, jobs, sizeof jobs);
    s->count = count;
    pthread_mutex_unlock(&s->mutex);
    csm_time now = daemon_now(s->daemon);
    for (size_t i = 0; status == CSM_OK && i < count; i++)
        status = table_know_job(s->daemon->db, jobs[i].name, jobs[i].every, now,
                                schedule_next(now, jobs[i].every, jobs[i].after));
    if (status == CSM_OK) status = table_forget_sources(s->daemon->db, jobs, count, now);
    if (status == CSM_OK) uv_async_send(&s->wake);
    return status;
}

csm_status scheduler_start(scheduler **out, daemon_state *d) {
    scheduler *s = calloc(1, sizeof *s);
    size_t interrupted = 0;
    if (!s) return fail(CSM_ENOMEM, "no memory for the scheduler");
    s->daemon = d;
    pthread_mutex_init(&s->mutex, NULL);
    uv_async_init(&d->loop, &s->wake, on_wake);
    uv_timer_init(&d->loop, &s->tick);
    s->open_handles = 2;
    s->wake.data = s->tick.data = s;
    d->scheduler = *out = s;
    csm_status status = table_recover(&interrupted, d->db, daemon_now(d));
    if (status == CSM_OK && interrupted > 0)
        log_write(&d->log, CSM_LOG_WARN, "scheduler", NULL,
                  "%zu runs were interrupted by the last end of the daemon; they are queued again",
                  interrupted);
    if (status == CSM_OK) status = table_trim(d->db, settings_integer(d->config, "daemon.keep_runs"));
    if (status == CSM_OK) status = scheduler_reload(s);
    if (status == CSM_OK) uv_timer_start(&s->tick, on_tick, TICK, TICK);
    return status;
}

static void on_closed(uv_handle_t *handle) {
    scheduler *s = handle->data;
    if (--s->open_handles == 0 && s->stopped) s->stopped(s->daemon);
}

static void close_handles(scheduler *s) {
    if (uv_is_closing((uv_handle_t *)&s->tick)) return;
    uv_close((uv_handle_t *)&s->tick, on_closed);
    uv_close((uv_handle_t *)&s->wake, on_closed);
}

void scheduler_stop(scheduler *s, void (*ended)(daemon_state *daemon)) {
    s->stopping = true;
    s->stopped = ended;
    for (child *c = s->running; c; c = c->next) child_end(c);
    if (!s->running) close_handles(s);
}

void scheduler_free(scheduler *s) {
    if (!s) return;
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

/* ---- requests, from any thread ---- */

csm_status scheduler_run_now(int64_t *run, scheduler *s, const char *name, const char *who) {
    pthread_mutex_lock(&s->mutex);
    const job_entry *j = schedule_find(s->jobs, s->count, name);
    int priority = j ? j->kind->priority - 1 : 0; /* before others of its kind */
    pthread_mutex_unlock(&s->mutex);
    if (!j) return fail(CSM_ENOTFOUND, "there is no job '%s'", name);
    csm_status status = table_queue_by_hand(run, s->daemon->db, name, priority, who, daemon_now(s->daemon));
    if (status == CSM_OK) uv_async_send(&s->wake);
    return status;
}

csm_status scheduler_cancel(scheduler *s, int64_t run, const char *who) {
    csm_status status = table_cancel(s->daemon->db, run, who, daemon_now(s->daemon));
    if (status == CSM_OK) uv_async_send(&s->wake);
    return status;
}
