/* SPDX-License-Identifier: MIT */
#include "child.h"

#include "daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_MOST 16
#define MILLISECONDS(time) ((uint64_t)((time) / CSM_MILLISECOND))

static void handle_closed(uv_handle_t *handle) {
    child *c = handle->data;
    if (--c->open_handles == 0 && c->ended) c->ended(c);
}

static void close_handle(child *c, uv_handle_t *handle) {
    handle->data = c;
    if (!uv_is_closing(handle)) uv_close(handle, handle_closed);
}

/* ---- lines ---- */

static void take_line(child_pipe *p) {
    child *c = p->child;
    p->line[p->used] = 0;
    if (p == &c->out)
        report_line(c, p->line);
    else
        report_log(c, p->line);
    p->used = 0;
}

static void take_bytes(child_pipe *p, const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n') {
            if (!p->cutting) take_line(p);
            p->cutting = false;
        } else if (!p->cutting) {
            p->line[p->used++] = bytes[i];
            if (p->used == CHILD_LINE - 1) {
                take_line(p);
                p->cutting = true;
            }
        }
    }
}

static void give_buffer(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
    (void)handle;
    size = size < 16384 ? size : 16384;
    buffer->base = malloc(size);
    buffer->len = buffer->base ? size : 0;
}

static void on_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    child_pipe *p = stream->data;
    if (count > 0) take_bytes(p, buffer->base, (size_t)count);
    free(buffer->base);
    if (count >= 0) return;
    if (p->used > 0 && !p->cutting) take_line(p);
    close_handle(p->child, (uv_handle_t *)stream);
}

static int open_pipe(child_pipe *p, child *c) {
    p->child = c;
    p->line = malloc(CHILD_LINE);
    if (!p->line) return UV_ENOMEM;
    int code = uv_pipe_init(&c->daemon->loop, &p->pipe, 0);
    if (code == 0) c->open_handles++;
    p->pipe.data = p;
    return code;
}

/* ---- end ---- */

static void on_exit_of(uv_process_t *process, int64_t code, int signal) {
    child *c = process->data;
    c->exited = true;
    c->code = code;
    c->signal = signal;
    uv_timer_stop(&c->timer);
    close_handle(c, (uv_handle_t *)&c->timer);
    close_handle(c, (uv_handle_t *)process);
}

static void on_patience_over(uv_timer_t *timer) {
    child *c = timer->data;
    if (!c->exited) uv_process_kill(&c->process, SIGKILL);
}

void child_end(child *c) {
    if (c->exited || c->asked_to_end) return;
    csm_time patience = settings_duration(c->daemon->config, "daemon.stop_patience");
    c->asked_to_end = true;
    uv_process_kill(&c->process, SIGTERM);
    uv_timer_start(&c->timer, on_patience_over, MILLISECONDS(patience), 0);
}

static void on_overdue(uv_timer_t *timer) {
    child *c = timer->data;
    c->overdue = true;
    child_end(c);
}

void child_free(child *c) {
    if (!c) return;
    free(c->out.line);
    free(c->err.line);
    free(c);
}

/* ---- start ---- */

typedef struct command_line {
    const char *word[ARGUMENTS_MOST + 1];
    int count;
    char run[24];
    char parent[24];
    char now[CSM_TIME_TEXT];
} command_line;

static void add_word(command_line *line, const char *word) {
    if (line->count < ARGUMENTS_MOST) line->word[line->count++] = word;
}

static void write_command(command_line *line, const daemon_state *d, const child *c, const char *cursor) {
    add_word(line, d->program);
    add_word(line, "--workspace");
    add_word(line, d->workspace);
    if (d->test_clock) {
        add_word(line, "--test-now");
        add_word(line, csm_time_format(daemon_now(d), line->now, sizeof line->now));
    }
    snprintf(line->run, sizeof line->run, "%lld", (long long)c->run);
    add_word(line, "--run");
    add_word(line, line->run);
    snprintf(line->parent, sizeof line->parent, "%lld", (long long)getpid());
    add_word(line, "--parent");
    add_word(line, line->parent);
    if (*cursor) {
        add_word(line, "--cursor");
        add_word(line, cursor);
    }
    add_word(line, "job");
    add_word(line, c->name);
    line->word[line->count] = NULL;
}

static int spawn(child *c, const char *cursor) {
    command_line line = {.count = 0};
    write_command(&line, c->daemon, c, cursor);
    char **environment = child_environment(c->daemon->config);
    if (!environment) return UV_ENOMEM;
    uv_stdio_container_t streams[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->out.pipe},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->err.pipe}};
    uv_process_options_t options = {.exit_cb = on_exit_of,
                                    .file = c->daemon->program,
                                    .args = (char **)(uintptr_t)line.word,
                                    .env = environment,
                                    .stdio_count = 3,
                                    .stdio = streams};
    c->process.data = c;
    int code = uv_spawn(&c->daemon->loop, &c->process, &options);
    child_environment_free(environment);
    return code;
}

/* Handles that libuv knows must be closed before their memory goes. */
static void give_up(child *c) {
    c->exited = true;
    c->code = CODE_FAILED;
    if (c->out.pipe.data) close_handle(c, (uv_handle_t *)&c->out.pipe);
    if (c->err.pipe.data) close_handle(c, (uv_handle_t *)&c->err.pipe);
    if (c->process.data) close_handle(c, (uv_handle_t *)&c->process);
    close_handle(c, (uv_handle_t *)&c->timer);
}

csm_status child_start(child **out, daemon_state *d, const job_entry *what, int64_t run, uint32_t attempt,
                       const char *cursor, void (*ended)(child *child)) {
    child *c = calloc(1, sizeof *c);
    if (!c) return fail(CSM_ENOMEM, "no memory for a child process");
    c->daemon = d;
    c->kind = what->kind;
    snprintf(c->name, sizeof c->name, "%s", what->name);
    c->run = run;
    c->attempt = attempt;
    c->ended = ended;
    uv_timer_init(&d->loop, &c->timer);
    c->open_handles = 1;
    c->timer.data = c;
    int code = open_pipe(&c->out, c);
    if (code == 0) code = open_pipe(&c->err, c);
    if (code == 0) {
        code = spawn(c, cursor);
        c->open_handles++; /* libuv wants the handle closed after a failed spawn too */
    }
    *out = c;
    if (code != 0) {
        log_write(&d->log, CSM_LOG_ERROR, "scheduler", &(log_about){.run = run}, "%s cannot be started: %s",
                  c->name, uv_strerror(code));
        give_up(c);
        return CSM_OK;
    }
    uv_read_start((uv_stream_t *)&c->out.pipe, give_buffer, on_bytes);
    uv_read_start((uv_stream_t *)&c->err.pipe, give_buffer, on_bytes);
    csm_time wall = settings_duration(d->config, c->kind->heavy ? "daemon.wall_heavy" : "daemon.wall_light");
    uv_timer_start(&c->timer, on_overdue, MILLISECONDS(wall), 0);
    return CSM_OK;
}
