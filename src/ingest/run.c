/* SPDX-License-Identifier: MIT */
/* csm_ingest_run: asks a source for each market, stores what comes as it comes, and remembers where it stopped. */
#include "discover/replay_source.h"
#include "ingest/cursor.h"
#include "ingest/report.h"
#include "ingest/revise.h"
#include "ingest/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 32 /* replies held at once: 32 candle replies are 2 MB */

static const csm_time usual_intervals[] = {CSM_HOUR, 4 * CSM_HOUR, CSM_DAY, CSM_WEEK};

/* What is asked of one market (and interval) until it has no more. */
typedef struct ingest_job {
    const csm_market *market; /* NULL where not per market */
    csm_stream stream;
    csm_cursor cursor;
    char *url;
    size_t item;
    bool done;
} ingest_job;

typedef struct ingest_run {
    csm_context *context;
    csm_store *store;
    csm_net *net;
    const csm_source *source;
    const csm_source_driver *driver;
    csm_ingest_options options; /* complete */
    csm_ingest_report *report;
    char *source_name;                /* with the prefix: what provenance says */
    const csm_market *const *markets; /* the caller's */
    size_t market_count;
    csm_market_list *registry; /* of the venue, for sources that answer for every market */
    ingest_job *jobs;
    size_t job_count;
    ingest_job *batch[BATCH];
    uint64_t requests;
    csm_status failure; /* of the store or of memory: ends the run */
    char *failure_text;
} ingest_run;

void csm_ingest_options_init(csm_ingest_options *options) {
    if (options == NULL) return;
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
    options->provenance_prefix = "";
    options->from = CSM_TIME_MIN;
    options->depth = 100;
}

/* ---- rows into the store ---- */

static bool is_revisable(const char *kind) {
    return strcmp(kind, "bars") == 0 || strcmp(kind, "value") == 0;
}

/* Rows that belong to an earlier listing epoch of the symbol are not this market's. */
static csm_status rows_of_epoch(csm_table **out, const csm_table *rows, const csm_market *market) {
    csm_decimal cells[16];
    csm_status status = csm_table_new(out, csm_table_kind(rows));
    size_t columns = csm_table_columns(rows);
    if (status == CSM_OK && columns > sizeof cells / sizeof cells[0])
        status = csm_fail(CSM_EINTERNAL, "%s has %zu columns", csm_table_kind(rows), columns);
    for (size_t i = 0; status == CSM_OK && i < csm_table_rows(rows); i++) {
        if (csm_table_ticks(rows, 0)[i] < market->listed) continue;
        for (size_t c = 0; c < columns; c++)
            cells[c] = (csm_decimal){.ticks = csm_table_ticks(rows, c)[i], .scale = csm_table_scale(rows, c)};
        status = csm_table_append(*out, cells);
    }
    return status;
}

static csm_status rows_store(ingest_run *run, const csm_stream *stream, const csm_market *market,
                             const csm_table *rows, const csm_provenance *provenance, csm_ingest_item *item) {
    csm_table *current = NULL, *fresh = NULL;
    uint64_t before = 0, after = 0;
    csm_time newest = CSM_TIME_MIN;
    csm_status status = CSM_OK;
    if (market != NULL && market->epoch > 1) {
        status = rows_of_epoch(&current, rows, market);
        rows = current;
    }
    if (status == CSM_OK && is_revisable(stream->kind)) {
        status = csm_rows_revise(&fresh, run->store, run->context, stream, rows, provenance->received);
        rows = fresh;
    }
    if (status == CSM_OK) status = csm_stream_extent(&before, &newest, run->store, stream);
    if (status == CSM_OK && csm_table_rows(rows) > 0)
        status = csm_store_append(run->store, run->context, stream, rows, provenance);
    if (status == CSM_OK) status = csm_stream_extent(&after, &newest, run->store, stream);
    if (status == CSM_OK) {
        item->rows += after - before;
        if (newest > item->newest) item->newest = newest;
    }
    csm_table_free(current);
    csm_table_free(fresh);
    return status;
}

/* ---- an answer ---- */

static const csm_market *market_of_native(const ingest_run *run, const char *native) {
    for (size_t i = 0; i < run->market_count; i++)
        if (strcmp(run->markets[i]->native, native) == 0) return run->markets[i];
    for (size_t i = 0; run->market_count == 0 && i < csm_market_list_count(run->registry); i++) {
        const csm_market *market = csm_market_list_at(run->registry, i);
        if (strcmp(market->native, native) == 0) return market;
    }
    return NULL;
}

/* Kraken answers with its primary id, whichever of the pair's names was asked for. */
static csm_status part_check(const csm_source_part *part, const csm_market *market) {
    if (strcmp(part->native, market->native) == 0 || strcmp(part->native, market->altname) == 0 ||
        strcmp(part->native, market->symbol) == 0)
        return CSM_OK;
    return csm_fail(CSM_EPARSE, "asked for %s, the reply is about %.60s", market->native, part->native);
}

/* An answer about every market: rows of those that are known and wanted. */
static csm_status parts_store(ingest_run *run, const ingest_job *job, const csm_source_answer *answer,
                              const csm_provenance *provenance, csm_ingest_item *item) {
    size_t unknown = 0, unusable = 0;
    char text[120] = "";
    csm_status status = CSM_OK;
    for (size_t i = 0; status == CSM_OK && i < answer->part_count; i++) {
        const csm_source_part *part = &answer->parts[i];
        const csm_market *market = market_of_native(run, part->native);
        unknown += market == NULL;
        unusable += market != NULL && part->rows == NULL;
        if (market == NULL || part->rows == NULL) continue;
        csm_stream stream = job->stream;
        stream.symbol = market->symbol;
        stream.epoch = market->epoch;
        status = rows_store(run, &stream, market, part->rows, provenance, item);
    }
    if (unknown + unusable > 0)
        snprintf(text, sizeof text, "%zu markets not asked for, %zu not usable", unknown, unusable);
    return status != CSM_OK ? status : csm_report_say(run->report, item, text);
}

static csm_status answer_store(ingest_run *run, const ingest_job *job, const csm_source_answer *answer,
                               const csm_net_reply *reply, csm_ingest_item *item) {
    const csm_provenance provenance = {
        .source = run->source_name, .request = reply->url, .origin = "", .received = reply->received};
    if (run->driver->archives) {
        csm_status status = csm_raw_reply_keep(run->store, run->source_name, reply->url, reply->received,
                                               reply->body, reply->length);
        if (status != CSM_OK) return status;
    }
    if (job->market == NULL && run->driver->series == NULL)
        return parts_store(run, job, answer, &provenance, item);
    for (size_t i = 0; i < answer->part_count; i++) {
        csm_status status = CSM_OK;
        if (job->market != NULL) status = part_check(&answer->parts[i], job->market);
        if (status == CSM_OK)
            status = rows_store(run, &job->stream, job->market, answer->parts[i].rows, &provenance, item);
        if (status != CSM_OK) return status;
    }
    return CSM_OK;
}

/* After the rows are safe: a kill in between asks again, and the store knows the rows already. */
static csm_status cursor_move(ingest_run *run, ingest_job *job, const csm_source_answer *answer) {
    if (answer->cursor == NULL) return CSM_OK;
    char *text = csm_strdup(answer->cursor);
    if (text == NULL) return CSM_ENOMEM;
    csm_dealloc(job->cursor.text);
    job->cursor.text = text;
    if (answer->last_id != CSM_ID_UNKNOWN) job->cursor.last_id = answer->last_id;
    return csm_cursor_save(run->store, run->source_name, &job->stream, &job->cursor,
                           csm_context_now(run->context));
}

static csm_source_ask ask_of(const ingest_run *run, const ingest_job *job) {
    return (csm_source_ask){.base_url = run->options.base_url,
                            .market = job->market,
                            .cursor = job->cursor.text,
                            .last_id = job->cursor.last_id,
                            .interval = job->stream.interval,
                            .from = run->options.from,
                            .now = csm_context_now(run->context),
                            .depth = run->options.depth};
}

/* These end the run; anything else is the market's own misfortune. */
static bool stops_everything(csm_status status) {
    return status == CSM_ENOMEM || status == CSM_ECANCELLED || status == CSM_ENOSPACE ||
           status == CSM_EREADONLY || status == CSM_EIO || status == CSM_ECORRUPT ||
           status == CSM_EINTERNAL || status == CSM_EPROVENANCE;
}

/* "4h: text", so that a market's intervals can be told apart. */
static csm_status job_say(ingest_run *run, const ingest_job *job, const char *text) {
    char joined[400], interval[32];
    csm_ingest_item *item = &run->report->items[job->item];
    if (*text == '\0') return CSM_OK;
    if (job->stream.interval == 0) return csm_report_say(run->report, item, text);
    snprintf(joined, sizeof joined, "%s: %s",
             csm_interval_format(job->stream.interval, interval, sizeof interval), text);
    return csm_report_say(run->report, item, joined);
}

static csm_status reply_take(ingest_run *run, ingest_job *job, const csm_net_reply *reply) {
    csm_source_answer answer = CSM_SOURCE_ANSWER_INIT;
    csm_ingest_item *item = &run->report->items[job->item];
    const csm_source_ask ask = ask_of(run, job);
    csm_status status = run->driver->parse(&answer, &ask, reply->body, reply->length, reply->received);
    if (status == CSM_OK) status = answer_store(run, job, &answer, reply, item);
    if (status == CSM_OK) status = cursor_move(run, job, &answer);
    if (status == CSM_OK && answer.note.length > 0) status = job_say(run, job, answer.note.data);
    if (status == CSM_OK) job->done = !answer.more;
    if (status != CSM_OK && !stops_everything(status)) {
        job->done = true;
        item->net_class = CSM_NET_PARSE;
        status = job_say(run, job, csm_error_message());
    }
    csm_source_answer_free(&answer);
    return status;
}

static int on_reply(void *user, size_t index, const csm_net_reply *reply) {
    ingest_run *run = user;
    ingest_job *job = run->batch[index];
    csm_ingest_item *item = &run->report->items[job->item];
    csm_status status = CSM_OK;
    item->requests += reply->attempts;
    if (item->net_class == CSM_NET_OK || reply->net_class != CSM_NET_OK) item->net_class = reply->net_class;
    if (reply->net_class == CSM_NET_OK) {
        status = reply_take(run, job, reply);
    } else {
        job->done = true;
        status = job_say(run, job, reply->text);
    }
    if (status == CSM_OK) return 0;
    run->failure = status;
    csm_dealloc(run->failure_text);
    run->failure_text = csm_strdup(csm_error_message());
    return 1;
}

/* ---- batches ---- */

static csm_status url_make(const ingest_run *run, ingest_job *job) {
    csm_buffer url = {0};
    const csm_source_ask ask = ask_of(run, job);
    csm_status status = run->driver->request(&url, &ask);
    csm_dealloc(job->url);
    job->url = status == CSM_OK ? csm_strdup(url.data) : NULL;
    if (status == CSM_OK && job->url == NULL) status = CSM_ENOMEM;
    csm_buffer_free(&url);
    return status;
}

/* Up to BATCH jobs that want an answer, beginning at *next, within the bound of requests. */
static csm_status batch_fill(ingest_run *run, size_t *next, csm_net_request *requests, size_t *count) {
    *count = 0;
    for (; *next < run->job_count && *count < BATCH; ++*next) {
        ingest_job *job = &run->jobs[*next];
        if (job->done) continue;
        if (run->options.most_requests > 0 && run->requests + *count >= run->options.most_requests) break;
        csm_status status = url_make(run, job);
        if (status != CSM_OK) return status;
        run->batch[*count] = job;
        requests[(*count)++] =
            (csm_net_request){.url = job->url, .key = job->market != NULL ? job->market->native : NULL};
    }
    return CSM_OK;
}

static csm_status batch_perform(ingest_run *run, const csm_net_request *requests, size_t count) {
    csm_net_replies *replies = NULL;
    const csm_net_source source = csm_source_at(run->driver->net, run->options.base_url);
    csm_status status =
        csm_net_perform(&replies, run->net, run->context, &source, requests, count, on_reply, run);
    csm_net_replies_free(replies);
    run->requests += count;
    if (run->failure == CSM_OK) return status;
    return csm_fail(run->failure, "%s", run->failure_text != NULL ? run->failure_text : "");
}

/* Page by page over all jobs, so that every market gets its newest data before any gets its deep history. */
static csm_status jobs_run(ingest_run *run) {
    csm_net_request requests[BATCH];
    for (;;) {
        size_t next = 0, asked = 0, count = 0;
        do {
            csm_status status = csm_progress(run->context, run->source->name, next, run->job_count);
            if (status == CSM_OK) status = batch_fill(run, &next, requests, &count);
            if (status == CSM_OK && count > 0) status = batch_perform(run, requests, count);
            if (status != CSM_OK) return status;
            asked += count;
        } while (count > 0);
        if (asked == 0) return CSM_OK;
    }
}

/* ---- setting up ---- */

static csm_status job_init(ingest_run *run, ingest_job *job, const csm_market *market, csm_time interval,
                           size_t item) {
    job->market = market;
    job->item = item;
    job->stream = (csm_stream){.kind = run->source->kind,
                               .venue = run->driver->venue,
                               .symbol = market != NULL ? market->symbol : run->driver->series,
                               .interval = interval,
                               .epoch = market != NULL ? market->epoch : 1};
    if (job->stream.symbol == NULL)
        job->stream.symbol = "*"; /* every market: names a cursor, never a stream */
    return csm_cursor_load(&job->cursor, run->store, run->source_name, &job->stream);
}

static csm_status market_check(const ingest_run *run, const csm_market *market) {
    if (market == NULL || market->native == NULL || market->symbol == NULL || market->venue == NULL)
        return csm_fail(CSM_EINVAL, "%s: a market without native id, symbol or venue", run->source->name);
    if (strcmp(market->venue, run->driver->venue) != 0)
        return csm_fail(CSM_EINVAL, "%s: %s is no market of %s", run->source->name, market->id,
                        run->driver->venue);
    for (const char *c = market->native; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("&?#%+/", *c) != NULL)
            return csm_fail(CSM_EINVAL, "%s: native id \"%.60s\" cannot stand in a URL", run->source->name,
                            market->native);
    return CSM_OK;
}

/* Jobs by interval, then market: a pair's own rate limit has time to recover between its intervals. */
static csm_status jobs_make(ingest_run *run) {
    const csm_time none = 0;
    const csm_time *intervals = run->driver->by_interval ? run->options.intervals : &none;
    size_t interval_count = run->driver->by_interval ? run->options.interval_count : 1;
    size_t asked = run->source->per_market ? run->market_count : 1;
    csm_ingest_item *item = NULL;
    run->jobs = csm_alloc_array(asked * interval_count, sizeof(ingest_job));
    if (run->jobs == NULL) return CSM_ENOMEM;
    for (size_t i = 0; i < asked; i++) {
        const char *id = run->source->per_market ? run->markets[i]->id : "";
        csm_status status = csm_report_item(&item, run->report, run->source->name, id);
        if (status != CSM_OK) return status;
    }
    for (size_t k = 0; k < interval_count; k++) {
        for (size_t i = 0; i < asked; i++) {
            const csm_market *market = run->source->per_market ? run->markets[i] : NULL;
            csm_status status = job_init(run, &run->jobs[run->job_count++], market, intervals[k], i);
            if (status != CSM_OK) return status;
        }
    }
    return CSM_OK;
}

static csm_status options_settle(ingest_run *run, const csm_ingest_options *options) {
    csm_ingest_options *o = &run->options;
    csm_ingest_options_init(o);
    csm_status status = csm_options_take(o, sizeof *o, options, "csm_ingest_options");
    if (status != CSM_OK) return status;
    if (o->base_url == NULL) o->base_url = run->source->base_url;
    if (o->provenance_prefix == NULL) o->provenance_prefix = "";
    if (o->intervals == NULL) {
        o->intervals = usual_intervals;
        o->interval_count = sizeof usual_intervals / sizeof usual_intervals[0];
    }
    if (o->interval_count == 0) return csm_fail(CSM_EINVAL, "%s: no interval is given", run->source->name);
    if (o->depth < 1 || o->depth > 500)
        return csm_fail(CSM_EINVAL, "%s: %u levels are outside 1..500", run->source->name, o->depth);
    run->source_name = csm_strformat("%s%s", o->provenance_prefix, run->source->name);
    return run->source_name == NULL ? CSM_ENOMEM : CSM_OK;
}

static csm_status run_prepare(ingest_run *run, const csm_ingest_options *options) {
    csm_status status = options_settle(run, options);
    for (size_t i = 0; status == CSM_OK && i < run->market_count; i++)
        status = market_check(run, run->markets[i]);
    if (status == CSM_OK && !run->source->per_market && run->driver->series == NULL && run->market_count == 0)
        status = csm_discover_markets(&run->registry, run->store, run->driver->venue, CSM_TIME_MAX,
                                      CSM_MARKETS_PROCESSED);
    if (status == CSM_OK) status = csm_report_new(&run->report);
    return status == CSM_OK ? jobs_make(run) : status;
}

static void run_free(ingest_run *run) {
    for (size_t i = 0; i < run->job_count; i++) {
        csm_dealloc(run->jobs[i].cursor.text);
        csm_dealloc(run->jobs[i].url);
    }
    csm_dealloc(run->jobs);
    csm_dealloc(run->source_name);
    csm_dealloc(run->failure_text);
    csm_market_list_free(run->registry);
}

csm_status csm_ingest_run(csm_ingest_report **out, csm_context *context, csm_store *store, csm_net *net,
                          const csm_source *source, const csm_market *const *markets, size_t market_count,
                          const csm_ingest_options *options) {
    if (out == NULL) return csm_fail(CSM_EINVAL, "csm_ingest_run: out is NULL");
    *out = NULL;
    if (context == NULL || store == NULL || net == NULL || source == NULL)
        return csm_fail(CSM_EINVAL, "csm_ingest_run: context, store, net or source is NULL");
    if (market_count > 0 && markets == NULL)
        return csm_fail(CSM_EINVAL, "csm_ingest_run: %zu markets, but markets is NULL", market_count);
    ingest_run run = {.context = context,
                      .store = store,
                      .net = net,
                      .source = csm_ingest_source_find(source->name),
                      .driver = csm_source_driver_of(source),
                      .markets = markets,
                      .market_count = market_count};
    if (run.driver == NULL)
        return csm_fail(CSM_EINVAL, "csm_ingest_run: %s is no source of this library", source->name);
    csm_status status = run_prepare(&run, options);
    if (status == CSM_OK) status = jobs_run(&run);
    run_free(&run);
    if (status == CSM_OK)
        *out = run.report;
    else
        csm_ingest_report_free(run.report);
    return status;
}
