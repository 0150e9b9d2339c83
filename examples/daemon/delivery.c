/* SPDX-License-Identifier: MIT */
#include "delivery.h"

#include "daemon.h"
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

typedef struct letter {
    int64_t id;
    int64_t alert;
    int64_t attempts;
    csm_time time;
    char channel[32];
    char severity[16];
    char subject[256];
    char text[1024];
} letter;

struct delivery {
    daemon_state *daemon;
    uv_work_t work;
    bool busy;
    bool stopping;
    csm_context *context; /* of the sending under way, so that it can be ended */
    csm_net *net;
    letter letter;
    csm_status status;
    csm_time retry_at;
    char error[512];
};

static csm_status open_net(csm_context **context, csm_net **net, const daemon_state *d) {
    csm_net_options options;
    csm_net_options_init(&options);
    options.total_timeout = 30 * CSM_SECOND;
    options.most_bytes = 1 << 20;
    options.most_wait = 5 * CSM_SECOND;
    csm_status status = csm_context_new(context, NULL);
    if (status == CSM_OK) csm_context_set_log(*context, log_library, (void *)(uintptr_t)&d->log);
    if (status == CSM_OK) status = csm_net_new(net, *context, &options);
    return status == CSM_OK ? CSM_OK : fail_library(status, "alerts");
}

csm_status delivery_send_one(csm_time *retry_at, daemon_state *d, const char *channel, const message *m) {
    csm_context *context = NULL;
    csm_net *net = NULL;
    csm_status status = open_net(&context, &net, d);
    const channel_access access = {
        .config = d->config, .secrets = &d->secrets, .context = context, .net = net};
    if (status == CSM_OK) status = channel_send(retry_at, &access, channel, m);
    csm_net_free(net);
    csm_context_free(context);
    return status;
}

/* ---- on the pool's thread ---- */

static void send_letter(uv_work_t *work) {
    delivery *v = work->data;
    const letter *l = &v->letter;
    const message m = {
        .alert = l->alert, .severity = l->severity, .subject = l->subject, .text = l->text, .time = l->time};
    const channel_access access = {
        .config = v->daemon->config, .secrets = &v->daemon->secrets, .context = v->context, .net = v->net};
    v->status = channel_send(&v->retry_at, &access, l->channel, &m);
    snprintf(v->error, sizeof v->error, "%s", v->status == CSM_OK ? "" : failure_text());
    redactor_apply(&v->daemon->redactor, v->error);
}

/* ---- on the loop's thread ---- */

static csm_time next_try(const delivery *v, csm_time now) {
    csm_time wait = schedule_backoff(
        (uint32_t)v->letter.attempts + 1, settings_duration(v->daemon->config, "alert.retry_first"),
        settings_duration(v->daemon->config, "alert.retry_last"),
        csm_random_uniform((uint64_t)v->letter.id, 1, (uint64_t)v->letter.attempts));
    return v->status == CSM_ELIMITED && v->retry_at > now + wait ? v->retry_at : now + wait;
}

static void on_sent(uv_work_t *work, int cancelled) {
    delivery *v = work->data;
    daemon_state *d = v->daemon;
    const letter *l = &v->letter;
    csm_time now = daemon_now(d);
    bool may_pass = v->status == CSM_ELIMITED || v->status == CSM_ETRANSIENT || v->status == CSM_EIO ||
                    v->status == CSM_ENOMEM || v->status == CSM_ECANCELLED;
    bool again = may_pass && l->attempts < settings_integer(d->config, "alert.retries");
    csm_status status = CSM_OK;
    v->busy = false;
    if (cancelled || v->stopping) return; /* it stays queued, and may come twice */
    if (v->status == CSM_OK)
        status = database_run(
            d->db, "UPDATE notifications SET state='sent', sent=?, attempts=attempts+1, error='' WHERE id=?",
            "ii", now, l->id);
    else
        status = database_run(
            d->db, "UPDATE notifications SET state=?, not_before=?, attempts=attempts+1, error=? WHERE id=?",
            "sisi", again ? "queued" : "failed", next_try(v, now), v->error, l->id);
    if (v->status != CSM_OK)
        log_write(&d->log, again ? CSM_LOG_WARN : CSM_LOG_ERROR, "alerts", NULL, "message %lld by %s: %s%s",
                  (long long)l->id, l->channel, v->error, again ? "; it will be tried again" : "");
    if (status != CSM_OK) log_write(&d->log, CSM_LOG_ERROR, "database", NULL, "%s", failure_text());
    daemon_changed(d);
    if (status == CSM_OK) delivery_look(v);
}

static int take_letter(void *user, sqlite3_stmt *row) {
    letter *l = user;
    l->id = sqlite3_column_int64(row, 0);
    l->alert = sqlite3_column_int64(row, 1);
    l->attempts = sqlite3_column_int64(row, 2);
    l->time = sqlite3_column_int64(row, 3);
    snprintf(l->channel, sizeof l->channel, "%s", row_text(row, 4));
    snprintf(l->severity, sizeof l->severity, "%s", row_text(row, 5));
    snprintf(l->subject, sizeof l->subject, "%s", row_text(row, 6));
    snprintf(l->text, sizeof l->text, "%s", row_text(row, 7));
    return 1;
}

void delivery_look(delivery *v) {
    daemon_state *d = v->daemon;
    if (v->busy || v->stopping) return;
    v->letter = (letter){.id = 0};
    csm_status status = database_query(d->db, take_letter, &v->letter,
                                       "SELECT n.id, n.alert, n.attempts, n.created, n.channel, a.severity, "
                                       "n.subject, n.text FROM notifications n"
                                       " JOIN alerts a ON a.id=n.alert WHERE n.state='queued' AND "
                                       "n.not_before<=? ORDER BY n.not_before, n.id LIMIT 1",
                                       "i", daemon_now(d));
    if (status != CSM_OK) log_write(&d->log, CSM_LOG_ERROR, "database", NULL, "%s", failure_text());
    if (status != CSM_OK || v->letter.id == 0) return;
    v->busy = uv_queue_work(&d->loop, &v->work, send_letter, on_sent) == 0;
}

csm_status delivery_start(delivery **out, daemon_state *d) {
    delivery *v = calloc(1, sizeof *v);
    if (!v) return fail(CSM_ENOMEM, "no memory for messages");
    v->daemon = d;
    v->work.data = v;
    *out = v;
    return open_net(&v->context, &v->net, d);
}

void delivery_stop(delivery *v) {
    v->stopping = true;
    if (v->context) csm_context_cancel(v->context);
}

void delivery_free(delivery *v) {
    if (!v) return;
    csm_net_free(v->net);
    csm_context_free(v->context);
    free(v);
}
