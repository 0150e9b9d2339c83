/* SPDX-License-Identifier: MIT */
#include "streams.h"

#include "server.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STREAMS_MOST 600
#define EVENTS_KEPT 64 /* a page further behind is told to look at everything */
#define EVENT_BYTES 256
#define STREAM_SECONDS 1800 /* then the page connects anew, and its session is looked at again */

typedef struct stream {
    struct stream *next, *before;
    struct streams *streams;
    struct MHD_Connection *connection;
    uint64_t next_event;
    int64_t ends; /* seconds of the monotonic clock */
    size_t sent;  /* bytes of the event under way */
    char text[EVENT_BYTES];
    size_t length;
    bool suspended;
} stream;

struct streams {
    dashboard *dashboard;
    pthread_mutex_t mutex;
    stream *first;
    size_t count;
    bool stopping;
    uint64_t events; /* ever */
    char text[EVENTS_KEPT][EVENT_BYTES];
};

static int64_t seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec;
}

streams *streams_new(dashboard *d) {
    streams *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->dashboard = d;
    pthread_mutex_init(&s->mutex, NULL);
    return s;
}

void streams_free(streams *s) {
    if (!s) return;
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

size_t streams_count(streams *s) {
    pthread_mutex_lock(&s->mutex);
    const size_t count = s->count;
    pthread_mutex_unlock(&s->mutex);
    return count;
}

static void resume_all(streams *s) {
    for (stream *t = s->first; t; t = t->next) {
        if (!t->suspended) continue;
        t->suspended = false;
        MHD_resume_connection(t->connection);
    }
}

void streams_send(streams *s, const char *event, const char *data) {
    pthread_mutex_lock(&s->mutex);
    snprintf(s->text[s->events % EVENTS_KEPT], EVENT_BYTES, "id: %llu\nevent: %s\ndata: %.200s\n\n",
             (unsigned long long)s->events, event, data);
    s->events++;
    resume_all(s);
    pthread_mutex_unlock(&s->mutex);
}

void streams_stop(streams *s) {
    if (!s) return;
    pthread_mutex_lock(&s->mutex);
    s->stopping = true;
    resume_all(s);
    pthread_mutex_unlock(&s->mutex);
}

static bool take_event(stream *t) {
    streams *s = t->streams;
    if (t->next_event >= s->events) return false;
    if (s->events - t->next_event > EVENTS_KEPT) {
        t->next_event = s->events;
        snprintf(t->text, sizeof t->text, "event: view\ndata: {}\n\n");
    } else {
        memcpy(t->text, s->text[t->next_event++ % EVENTS_KEPT], EVENT_BYTES);
    }
    t->length = strlen(t->text);
    t->sent = 0;
    return true;
}

/* MHD_ContentReaderCallback */
static ssize_t read_stream(void *cls, uint64_t position, char *out, size_t most) {
    stream *t = cls;
    streams *s = t->streams;
    ssize_t given = 0;
    (void)position;
    pthread_mutex_lock(&s->mutex);
    if (s->stopping || seconds() > t->ends) {
        given = MHD_CONTENT_READER_END_OF_STREAM;
    } else if (t->sent < t->length || take_event(t)) {
        const size_t left = t->length - t->sent, bytes = left < most ? left : most;
        memcpy(out, t->text + t->sent, bytes);
        t->sent += bytes;
        given = (ssize_t)bytes;
    } else {
        t->suspended = true;
        MHD_suspend_connection(t->connection);
    }
    pthread_mutex_unlock(&s->mutex);
    return given;
}

static void end_stream(void *cls) {
    stream *t = cls;
    streams *s = t->streams;
    pthread_mutex_lock(&s->mutex);
    if (t->before)
        t->before->next = t->next;
    else
        s->first = t->next;
    if (t->next) t->next->before = t->before;
    s->count--;
    pthread_mutex_unlock(&s->mutex);
    free(t);
}

static stream *begin_stream(request *r) {
    streams *s = r->dashboard->streams;
    stream *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->streams = s;
    t->connection = r->connection;
    t->ends = seconds() + STREAM_SECONDS;
    t->length = (size_t)snprintf(t->text, sizeof t->text, "retry: 3000\nevent: hello\ndata: {}\n\n");
    pthread_mutex_lock(&s->mutex);
    const bool room = s->count < STREAMS_MOST && !s->stopping;
    if (room) {
        t->next_event = s->events;
        t->next = s->first;
        if (t->next) t->next->before = t;
        s->first = t;
        s->count++;
    }
    pthread_mutex_unlock(&s->mutex);
    if (room) return t;
    free(t);
    return NULL;
}

void route_events(request *r) {
    stream *t = begin_stream(r);
    if (!t) {
        answer_problem(r, 503, "too many pages are open");
        answer_header(r, "Retry-After", "30");
        return;
    }
    r->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1024, read_stream, t, end_stream);
    if (!r->response) {
        end_stream(t);
        return;
    }
    r->status = 200;
    security_headers(r->dashboard, r->response);
    answer_header(r, "Content-Type", "text/event-stream");
    answer_header(r, "Cache-Control", "no-store");
}
