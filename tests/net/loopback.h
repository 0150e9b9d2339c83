/* SPDX-License-Identifier: MIT */
/* A real HTTP server on 127.0.0.1 for tests: every connection gets a thread and one request, and the test writes the
 * answer's bytes itself, so that slow, cut and lying answers are possible. */
#ifndef CSM_TESTS_NET_LOOPBACK_H
#define CSM_TESTS_NET_LOOPBACK_H

#include "core/platform.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOPBACK_CONNECTIONS 512

typedef struct loopback loopback;

typedef struct loopback_request {
    unsigned index; /* of arrival at this server */
    char method[8];
    char path[2048]; /* with query */
    char headers[8192];
    char body[8192];
    size_t body_length;
} loopback_request;

/* Answers one request on connection fd. */
typedef void (*loopback_answer)(loopback *server, int fd, const loopback_request *request, void *user);

typedef struct loopback_connection {
    loopback *server;
    csm_thread *thread;
    int fd;
} loopback_connection;

struct loopback {
    int fd;
    int port;
    char base[64]; /* http://127.0.0.1:PORT */
    loopback_answer answer;
    void *user;
    csm_thread *thread;
    atomic_int stop;
    atomic_uint requests;
    atomic_uint now;  /* requests held by loopback_linger */
    atomic_uint peak; /* most at once */
    size_t count;
    loopback_connection connections[LOOPBACK_CONNECTIONS];
};

static inline void loopback_write(int fd, const void *data, size_t length) {
    const char *p = data;
    while (length > 0) {
        const ssize_t n = send(fd, p, length, MSG_NOSIGNAL);
        if (n <= 0) return;
        p += n;
        length -= (size_t)n;
    }
}

/* `headers` are whole lines, each with its \r\n. */
static inline void loopback_reply(int fd, int status, const char *headers, const void *body, size_t length) {
    char head[4096];
    const int n =
        snprintf(head, sizeof head, "HTTP/1.1 %d Text\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n",
                 status, length, headers ? headers : "");
    loopback_write(fd, head, (size_t)n);
    loopback_write(fd, body, length);
}

static inline void loopback_text(int fd, int status, const char *headers, const char *body) {
    loopback_reply(fd, status, headers, body, strlen(body));
}

/* Reads head and body; false when the client went away first. */
static inline bool loopback_read(int fd, loopback_request *request) {
    char data[20000];
    size_t length = 0;
    char *end = NULL;
    while (!end && length < sizeof data - 1) {
        const ssize_t n = recv(fd, data + length, sizeof data - 1 - length, 0);
        if (n <= 0) return false;
        length += (size_t)n;
        data[length] = '\0';
        end = strstr(data, "\r\n\r\n");
    }
    if (!end || sscanf(data, "%7s %2047s", request->method, request->path) != 2) return false;
    const size_t head = (size_t)(end - data) + 4;
    snprintf(request->headers, sizeof request->headers, "%.*s", (int)head, data);
    const char *declared = strcasestr(request->headers, "content-length:");
    const size_t wanted = declared ? strtoul(declared + 15, NULL, 10) : 0;
    while (length - head < wanted && length < sizeof data - 1) {
        const ssize_t n = recv(fd, data + length, sizeof data - 1 - length, 0);
        if (n <= 0) return false;
        length += (size_t)n;
    }
    request->body_length = wanted < sizeof request->body ? wanted : sizeof request->body;
    memcpy(request->body, data + head, request->body_length);
    return true;
}

/* Holds a request for a while and counts how many are held at once. The count falls before the answer leaves: a client
 * that has its answer may send the next request before this thread runs again. */
static inline void loopback_linger(loopback *server, csm_time span) {
    const unsigned now = atomic_fetch_add(&server->now, 1) + 1;
    unsigned peak = atomic_load(&server->peak);
    while (now > peak && !atomic_compare_exchange_weak(&server->peak, &peak, now)) {
    }
    csm_platform_sleep(span);
    atomic_fetch_sub(&server->now, 1);
}

static inline void loopback_serve(void *user) {
    loopback_connection *connection = user;
    loopback *server = connection->server;
    loopback_request *request = calloc(1, sizeof *request);
    if (request && loopback_read(connection->fd, request)) {
        request->index = atomic_fetch_add(&server->requests, 1);
        server->answer(server, connection->fd, request, server->user);
    }
    free(request);
    shutdown(connection->fd, SHUT_RDWR);
    close(connection->fd);
}

static inline void loopback_accept(void *user) {
    loopback *server = user;
    while (!atomic_load(&server->stop)) {
        struct pollfd wait = {.fd = server->fd, .events = POLLIN};
        if (poll(&wait, 1, 10) <= 0 || server->count == LOOPBACK_CONNECTIONS) continue;
        loopback_connection *connection = &server->connections[server->count];
        connection->server = server;
        connection->fd = accept(server->fd, NULL, NULL);
        if (connection->fd < 0) continue;
        if (csm_thread_start(&connection->thread, loopback_serve, connection) == CSM_OK) server->count++;
    }
}

static inline loopback *loopback_start(loopback_answer answer, void *user) {
    loopback *server = calloc(1, sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (!server) return NULL;
    server->answer = answer;
    server->user = user;
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->fd, (struct sockaddr *)(void *)&address, sizeof address) != 0 ||
        listen(server->fd, 128) != 0 ||
        getsockname(server->fd, (struct sockaddr *)(void *)&address, &size) != 0) {
        perror("loopback server");
        exit(1);
    }
    server->port = ntohs(address.sin_port);
    snprintf(server->base, sizeof server->base, "http://127.0.0.1:%d", server->port);
    if (csm_thread_start(&server->thread, loopback_accept, server) != CSM_OK) exit(1);
    return server;
}

static inline unsigned loopback_requests(loopback *server) {
    return atomic_load(&server->requests);
}

static inline void loopback_stop(loopback *server) {
    if (!server) return;
    atomic_store(&server->stop, 1);
    csm_thread_join(server->thread);
    for (size_t i = 0; i < server->count; i++) csm_thread_join(server->connections[i].thread);
    close(server->fd);
    free(server);
}

#endif
