/* SPDX-License-Identifier: MIT */
/* What a child says, line by line, into daemon.db. A child is our own program, but its lines are judged like any input: bounded,
 * parsed, redacted, and kept as text when they are not what they should be. */
#include "child.h"
#include "daemon.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void keep_line(child *c, const char *level, const char *module, const char *text) {
    if (c->lines >= CHILD_LOG_LINES) return;
    if (++c->lines == CHILD_LOG_LINES) text = "(more lines were not kept)";
    csm_status status = database_run(
        c->daemon->db,
        "INSERT OR REPLACE INTO job_log(run, line, time, level, module, text) VALUES(?,?,?,?,?,?)", "iiisss",
        c->run, c->lines, daemon_now(c->daemon), level, module, text);
    if (status != CSM_OK)
        log_write(&c->daemon->log, CSM_LOG_ERROR, "database", &(log_about){.run = c->run}, "%s",
                  failure_text());
    daemon_changed(c->daemon);
}

static const char *text_of(const json_t *object, const char *key, const char *standard) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : standard;
}

void report_log(child *c, char *line) {
    redactor_apply(&c->daemon->redactor, line);
    if (!*line) return;
    json_t *said = json_loads(line, 0, NULL);
    const char *text = text_of(said, "text", NULL), *level = text_of(said, "level", "error");
    int known = log_level_parse(level);
    log_about about = {
        .run = c->run, .coin = text_of(said, "coin", NULL), .horizon = text_of(said, "horizon", NULL)};
    if (!text || known < 0) { /* not from our log: a sanitizer, the C library, a crash */
        keep_line(c, "error", c->name, line);
        log_write(&c->daemon->log, CSM_LOG_ERROR, c->name, &about, "%s", line);
    } else {
        keep_line(c, level, text_of(said, "module", c->name), text);
        log_write(&c->daemon->log, (csm_log_level)known, text_of(said, "module", c->name), &about, "%s",
                  text);
    }
    json_decref(said);
}

/* ---- results ---- */

static csm_status take_fact(child *c, const char *name, const json_t *said) {
    const json_t *value = json_object_get(said, "value");
    return database_run(
        c->daemon->db,
        "INSERT INTO facts(name, value, text, time, run) VALUES(?,?,?,?,?) ON CONFLICT(name) DO UPDATE SET"
        " value=excluded.value, text=excluded.text, time=excluded.time, run=excluded.run",
        "sdsii", name, json_is_number(value) ? json_number_value(value) : (double)NAN,
        text_of(said, "text", ""), daemon_now(c->daemon), c->run);
}

static csm_status take_result(child *c, const json_t *result) {
    char *text = json_dumps(result, JSON_COMPACT);
    if (!text) return fail(CSM_ENOMEM, "no memory for a result");
    csm_status status =
        database_run(c->daemon->db, "UPDATE job_runs SET result=? WHERE id=?", "si", text, c->run);
    free(text);
    return status;
}

static csm_status take_usage(child *c, const json_t *said) {
    return database_run(c->daemon->db, "UPDATE job_runs SET memory=?, processor=? WHERE id=?", "iii",
                        (int64_t)json_integer_value(json_object_get(said, "memory")),
                        (int64_t)json_integer_value(json_object_get(said, "processor")), c->run);
}

static csm_status take_cursor(child *c, const char *cursor) {
    c->more = *cursor != 0;
    return database_run(c->daemon->db, "UPDATE jobs SET cursor=? WHERE name=?", "ss", cursor, c->name);
}

void report_line(child *c, char *line) {
    csm_status status = CSM_OK;
    redactor_apply(&c->daemon->redactor, line);
    json_t *said = json_loads(line, 0, NULL), *result = json_object_get(said, "result");
    const char *fact = text_of(said, "fact", NULL), *cursor = text_of(said, "cursor", NULL);
    const char *progress = text_of(said, "progress", NULL);
    if (fact)
        status = take_fact(c, fact, said);
    else if (cursor)
        status = take_cursor(c, cursor);
    else if (result)
        status = take_result(c, result);
    else if (json_object_get(said, "memory"))
        status = take_usage(c, said);
    else if (progress)
        status =
            database_run(c->daemon->db, "UPDATE job_runs SET progress=? WHERE id=?", "si", progress, c->run);
    else
        keep_line(c, "warn", c->name, line);
    if (status != CSM_OK)
        log_write(&c->daemon->log, CSM_LOG_ERROR, "database", &(log_about){.run = c->run}, "%s",
                  failure_text());
    json_decref(said);
    daemon_changed(c->daemon);
}
