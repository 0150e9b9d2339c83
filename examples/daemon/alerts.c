/* SPDX-License-Identifier: MIT */
#include "alerts.h"

#include "daemon.h"
#include "delivery.h"
#include "rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOOK 5000 /* ms */
#define FACTS_MOST 1024
#define NAME_BYTES 128
#define ALERT_BYTES (NAME_BYTES + 32)

/* A condition that holds, but not yet for long enough; lost at a restart, when waiting begins anew. */
typedef struct waiting {
    char alert[ALERT_BYTES];
    csm_time since;
} waiting;

struct alerts {
    daemon_state *daemon;
    delivery *delivery;
    uv_timer_t timer;
    waiting waiting[FACTS_MOST];
    size_t waiting_count;
};

typedef struct fact {
    char name[NAME_BYTES];
    char text[512];
    double value;
} fact;

typedef struct fact_list {
    fact *fact;
    size_t count;
} fact_list;

static int take_fact(void *user, sqlite3_stmt *row) {
    fact_list *list = user;
    fact *f = &list->fact[list->count++];
    snprintf(f->name, sizeof f->name, "%s", row_text(row, 0));
    snprintf(f->text, sizeof f->text, "%s", row_text(row, 2));
    f->value = sqlite3_column_type(row, 1) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(row, 1);
    return list->count == FACTS_MOST;
}

static int take_job(void *user, sqlite3_stmt *row) {
    fact_list *list = user;
    fact *f = &list->fact[list->count++];
    snprintf(f->name, sizeof f->name, "job.failures.%s", row_text(row, 0));
    snprintf(f->text, sizeof f->text, "%s failed %lld times in a row: %s", row_text(row, 0),
             (long long)sqlite3_column_int64(row, 1), row_text(row, 2));
    f->value = (double)sqlite3_column_int64(row, 1);
    return list->count == FACTS_MOST;
}

/* ---- one rule on one fact ---- */

static csm_time *since_of(alerts *a, const char *alert) {
    for (size_t i = 0; i < a->waiting_count; i++) {
        if (strcmp(a->waiting[i].alert, alert) == 0) return &a->waiting[i].since;
    }
    if (a->waiting_count == FACTS_MOST) return NULL;
    waiting *w = &a->waiting[a->waiting_count++];
    snprintf(w->alert, sizeof w->alert, "%s", alert);
    w->since = CSM_TIME_MIN;
    return &w->since;
}

static csm_status queue_messages(alerts *a, int64_t alert, const rule *r, const char *subject,
                                 const char *text, csm_time now) {
    const csm_config *config = a->daemon->config;
    csm_time send_at = now;
    csm_status status = CSM_OK;
    char channel[32];
    if (r->severity != SEVERITY_critical)
        send_at = quiet_until(now, settings_duration(config, "alert.quiet_from"),
                              settings_duration(config, "alert.quiet_to"));
    for (size_t i = 0;
         status == CSM_OK && settings_item(config, "alert.channels", i, channel, sizeof channel); i++)
        status = database_run(
            a->daemon->db,
            "INSERT INTO notifications(alert, channel, state, subject, text, created, not_before)"
            " VALUES(?,?,'queued',?,?,?,?)",
            "isssii", alert, channel, subject, text, now, send_at);
    return status;
}

static csm_status raise_alert(alerts *a, const rule *r, const char *name, const fact *f, csm_time now) {
    daemon_state *d = a->daemon;
    csm_status status = database_begin(d->db);
    if (status != CSM_OK) return status;
    status = database_run(d->db, "INSERT INTO alerts(rule, severity, text, value, raised) VALUES(?,?,?,?,?)",
                          "sssdi", name, rule_severity_name(r->severity), f->text, f->value, now);
    int64_t id = database_last_id(d->db);
    if (status == CSM_OK) status = queue_messages(a, id, r, r->text, f->text, now);
    status = database_end(d->db, status);
    if (status == CSM_OK)
        log_write(&d->log, CSM_LOG_WARN, "alerts", NULL, "alert %lld raised: %s: %s: %s", (long long)id, name,
                  r->text, f->text);
    daemon_changed(d);
    return status;
}

static csm_status clear_alert(alerts *a, const rule *r, int64_t id, const char *name, const fact *f,
                              csm_time now) {
    daemon_state *d = a->daemon;
    char subject[256];
    snprintf(subject, sizeof subject, "over: %s", r->text);
    csm_status status = database_begin(d->db);
    if (status != CSM_OK) return status;
    status = database_run(d->db, "UPDATE alerts SET cleared=? WHERE id=?", "ii", now, id);
    if (status == CSM_OK) status = queue_messages(a, id, r, subject, f->text, now);
    status = database_end(d->db, status);
    if (status == CSM_OK)
        log_write(&d->log, CSM_LOG_INFO, "alerts", NULL, "alert %lld cleared: %s: %s", (long long)id, name,
                  f->text);
    daemon_changed(d);
    return status;
}

static double threshold_of(const csm_config *config, const char *option) {
    if (!*option) return 0;
    csm_time span = settings_duration(config, option);
    return span > 0 ? (double)span / (double)CSM_SECOND : settings_real(config, option);
}

static csm_status judge(alerts *a, const rule *r, const char *subject, const fact *f, csm_time now) {
    const csm_config *config = a->daemon->config;
    char name[ALERT_BYTES];
    int64_t id = 0;
    snprintf(name, sizeof name, "%s%s%s", r->name, *subject ? "." : "", subject);
    csm_status status = database_integer(&id, a->daemon->db,
                                         "SELECT id FROM alerts WHERE rule=? AND cleared IS NULL", "s", name);
    if (status != CSM_OK && status != CSM_ENOTFOUND) return status;
    csm_time *since = since_of(a, name);
    if (!since) return fail(CSM_ENOSPACE, "more than %d conditions wait", FACTS_MOST);
    switch (rule_judge(r, threshold_of(config, r->option), f->value, status == CSM_OK, now,
                       settings_duration(config, "alert.hold"), since)) {
    case RULE_RAISE:
        return raise_alert(a, r, name, f, now);
    case RULE_CLEAR:
        return clear_alert(a, r, id, name, f, now);
    case RULE_QUIET:
    case RULE_WAITING:
        break;
    }
    return CSM_OK;
}

void alerts_look(alerts *a) {
    daemon_state *d = a->daemon;
    const char *subject = "";
    fact_list list = {.fact = calloc(FACTS_MOST, sizeof(fact))};
    csm_status status = list.fact ? CSM_OK : fail(CSM_ENOMEM, "no memory for facts");
    if (status == CSM_OK)
        status = database_query(
            d->db, take_job, &list,
            "SELECT name, failures, coalesce((SELECT text FROM job_runs WHERE job=name AND state IN"
            " ('failed','timeout') ORDER BY id DESC LIMIT 1), '') FROM jobs LIMIT 200",
            "");
    if (status == CSM_OK)
        status =
            database_query(d->db, take_fact, &list, "SELECT name, value, text FROM facts ORDER BY name", "");
    for (size_t i = 0; status == CSM_OK && i < list.count; i++) {
        for (size_t k = 0; status == CSM_OK && k < rules_count(); k++) {
            if (rule_matches(rules_at(k), list.fact[i].name, &subject))
                status = judge(a, rules_at(k), subject, &list.fact[i], daemon_now(d));
        }
    }
    if (status != CSM_OK) log_write(&d->log, CSM_LOG_ERROR, "alerts", NULL, "%s", failure_text());
    free(list.fact);
    delivery_look(a->delivery);
}

/* ---- life ---- */

static void on_timer(uv_timer_t *timer) {
    alerts_look(timer->data);
}

csm_status alerts_start(alerts **out, daemon_state *d) {
    alerts *a = calloc(1, sizeof *a);
    if (!a) return fail(CSM_ENOMEM, "no memory for alerts");
    a->daemon = d;
    csm_status status = delivery_start(&a->delivery, d);
    uv_timer_init(&d->loop, &a->timer);
    a->timer.data = a;
    if (status == CSM_OK) uv_timer_start(&a->timer, on_timer, LOOK, LOOK);
    *out = a;
    return status;
}

void alerts_stop(alerts *a) {
    if (!a) return;
    uv_timer_stop(&a->timer);
    delivery_stop(a->delivery);
}

void alerts_free(alerts *a) {
    if (!a) return;
    delivery_free(a->delivery);
    free(a);
}

int alerts_test(daemon_state *d) {
    char channel[32];
    const char *text = "This is a test of the alerts. Nothing is wrong.";
    const message m = {
        .severity = "test", .subject = "cryptosmart: test", .text = text, .time = daemon_now(d)};
    size_t sent = 0, tried = 0;
    for (size_t i = 0; settings_item(d->config, "alert.channels", i, channel, sizeof channel); i++) {
        csm_time retry_at = 0;
        csm_status status = delivery_send_one(&retry_at, d, channel, &m);
        char said[1024];
        snprintf(said, sizeof said, "%s", status == CSM_OK ? "sent" : failure_text());
        redactor_apply(&d->redactor, said);
        printf("%s: %s\n", channel, said);
        tried++;
        sent += status == CSM_OK;
    }
    if (tried == 0) puts("alert.channels is empty: alerts go into the record alone");
    return sent == tried ? CODE_OK : CODE_NETWORK;
}
