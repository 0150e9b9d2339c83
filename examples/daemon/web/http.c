/* SPDX-License-Identifier: MIT */
/* Connections to requests: libmicrohttpd's callbacks, limits, start and stop. */
#include "server.h"
#include "streams.h"
#include "viewer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MOST 1024
#define CONNECTIONS_OF_ONE 512 /* address: a proxy's users come from one */
#define IDLE_SECONDS 60
#define CONNECTION_BYTES (32 * 1024) /* request line, headers and what is sent at once */
#define PASSWORD_THREADS 2
#define PASSWORD_QUEUE 16
#define READER_THREADS 2
#define READER_QUEUE 128

csm_time dashboard_now(const dashboard *d) {
    struct timespec now;
    if (d->options.host.clock) return d->options.host.clock(d->options.host.user);
    clock_gettime(CLOCK_REALTIME, &now);
    return (csm_time)now.tv_sec * CSM_SECOND + now.tv_nsec;
}

void dashboard_log(const dashboard *d, csm_log_level level, const char *format, ...) {
    char text[512];
    va_list arguments;
    if (!d->options.host.log) return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    d->options.host.log(d->options.host.user, level, text);
}

/* ---- one request ---- */

static void client_address(request *r) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    snprintf(r->address, sizeof r->address, "-");
    if (address && address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, r->address,
                  sizeof r->address);
    else if (address && address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, r->address,
                  sizeof r->address);
}

static enum MHD_Result check_argument(void *cls, enum MHD_ValueKind kind, const char *name,
                                      const char *value) {
    request *r = cls;
    char text[200];
    (void)kind;
    if (argument_good(r->route, name, value, text, sizeof text)) return MHD_YES;
    answer_problem(r, 400, "%s", text);
    return MHD_NO;
}

/* What the head alone decides. A refusal here ends the connection before any body is read. */
static void look_at_head(request *r, const char *method, const char *path) {
    char allowed[80];
    const char *length = request_header(r, "Content-Length");
    r->route = route_find(method, path, &r->path, allowed, sizeof allowed);
    if (!r->route) {
        answer_problem(r, *allowed ? 405 : 404,
                       *allowed ? "this path has other methods: %s" : "nothing is here%s",
                       *allowed ? allowed : "");
        if (*allowed) answer_header(r, "Allow", allowed);
        return;
    }
    if (!request_permitted(r)) return;
    if (length && (strlen(length) > 9 || strtol(length, NULL, 10) > BODY_BYTES)) {
        r->dashboard->refused++;
        answer_problem(r, 413, "a body has at most %d bytes", BODY_BYTES);
        return;
    }
    MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, check_argument, r);
}

static void take_body(request *r, const char *bytes, size_t length) {
    if (r->response) return; /* refused: the rest is read and dropped */
    if (length > BODY_BYTES - r->body_length) {
        r->dashboard->refused++;
        answer_problem(r, 413, "a body has at most %d bytes", BODY_BYTES);
        return;
    }
    char *body = realloc(r->body, r->body_length + length + 1);
    if (!body) {
        answer_problem(r, 500, "no memory for the body");
        return;
    }
    memcpy(body + r->body_length, bytes, length);
    r->body = body;
    r->body_length += length;
    r->body[r->body_length] = 0;
}

static bool is_json(const char *type) {
    return type && strncmp(type, "application/json", 16) == 0 && (type[16] == 0 || type[16] == ';');
}

/* Routes with fields take a JSON object, others nothing. */
static void look_at_body(request *r) {
    char text[300];
    bool wanted = false;
    for (size_t i = 0; i < route_field_count; i++)
        wanted |= strcmp(route_fields[i].route, r->route->name) == 0;
    if (!wanted) {
        if (r->body_length) answer_problem(r, 400, "this takes no body");
        return;
    }
    if (!is_json(request_header(r, "Content-Type"))) {
        answer_problem(r, 415, "the body must be application/json");
        return;
    }
    r->fields = body_parse(r->route, r->body ? r->body : "", r->body_length, text, sizeof text);
    if (!r->fields) answer_problem(r, 400, "%s", text);
}

/* Whether the request now is a worker's: then it must not be touched until its connection goes on. */
static bool run_route(request *r) {
    dashboard *d = r->dashboard;
    look_at_body(r);
    if (r->response) return false;
    if (!(r->route->flags & SLOW)) {
        r->route->run(r);
        return false;
    }
    const bool hashes = strstr(r->route->name, "login") || strstr(r->route->name, "password") ||
                        strcmp(r->route->name, "user_add") == 0;
    if (workers_take(hashes ? d->passwords : d->readers, r)) return true;
    d->refused++;
    answer_problem(r, 503, "too many requests wait already");
    answer_header(r, "Retry-After", "2");
    return false;
}

static enum MHD_Result send_answer(request *r) {
    if (!r->response) answer_problem(r, 500, "no memory for an answer");
    return r->response ? MHD_queue_response(r->connection, r->status, r->response) : MHD_NO;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state) {
    request *r = *state;
    (void)version;
    if (!r) return MHD_NO;
    if (!r->connection) { /* the head is whole */
        r->connection = connection;
        r->dashboard = cls;
        client_address(r);
        look_at_head(r, method, path);
        if (!r->response) return MHD_YES;
        return send_answer(r);
    }
    if (*upload_size) {
        take_body(r, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    guard_arrived(connection);
    if (!r->worked && !r->response) {
        r->dashboard->requests++;
        if (run_route(r)) return MHD_YES;
    }
    return send_answer(r);
}

/* Called with the first line of a request: the clock for the rest of it starts. */
static void *begin_request(void *cls, const char *uri, struct MHD_Connection *connection) {
    (void)cls;
    (void)uri;
    guard_begins(connection);
    return calloc(1, sizeof(request));
}

static void end_request(void *cls, struct MHD_Connection *connection, void **state,
                        enum MHD_RequestTerminationCode code) {
    dashboard *d = cls;
    request *r = *state;
    (void)code;
    guard_arrived(connection);
    if (!r) return;
    if (r->status >= 100 && r->status < 600) d->answers[r->status / 100]++;
    if (r->response && !r->shared) MHD_destroy_response(r->response);
    viewer_release(d->viewer, r->held);
    json_decref(r->fields);
    free(r->body);
    free(r);
    *state = NULL;
}

/* ---- start ---- */

static csm_status failed(char *text, size_t size, csm_status status, const char *format, ...)
    CSM_PRINTF(4, 5);
static csm_status failed(char *text, size_t size, csm_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, size, format, arguments);
    va_end(arguments);
    return status;
}

/* The bytes of a small file, with a terminator. A key must be the owner's alone. */
static csm_status read_pem(char **out, const char *path, bool secret, char *text, size_t size) {
    csm_status status = CSM_OK;
    struct stat about;
    char *bytes = NULL;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &about) != 0) {
        status = failed(text, size, CSM_EIO, "%s: %s", path, strerror(errno));
        goto done;
    }
    if (secret && (about.st_mode & (S_IRWXG | S_IRWXO))) {
        status = failed(text, size, CSM_EINVAL, "%s: a private key must have mode 0600", path);
        goto done;
    }
    if (!S_ISREG(about.st_mode) || about.st_size > 1 << 20) {
        status = failed(text, size, CSM_EINVAL, "%s: no PEM file", path);
        goto done;
    }
    bytes = calloc(1, (size_t)about.st_size + 1);
    if (!bytes || read(file, bytes, (size_t)about.st_size) != about.st_size)
        status = failed(text, size, CSM_EIO, "%s: cannot be read", path);
done:
    if (file >= 0) close(file);
    if (status != CSM_OK) free(bytes);
    *out = status == CSM_OK ? bytes : NULL;
    return status;
}

typedef union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} socket_address;

static csm_status parse_listen(socket_address *out, const dashboard_options *o, char *text, size_t size) {
    bool loopback = false;
    const char *listen = o->listen && *o->listen ? o->listen : "127.0.0.1";
    const bool tls = o->certificate && *o->certificate;
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, listen, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(o->port);
        loopback = ntohl(out->v4.sin_addr.s_addr) >> 24 == 127;
    } else if (inet_pton(AF_INET6, listen, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(o->port);
        loopback = IN6_IS_ADDR_LOOPBACK(&out->v6.sin6_addr);
    } else {
        return failed(text, size, CSM_EINVAL, "daemon.listen: '%s' is no IP address", listen);
    }
    if (!loopback && !tls)
        return failed(text, size, CSM_EINVAL,
                      "daemon.listen: %s is beyond loopback, which needs daemon.tls_certificate and "
                      "daemon.tls_key",
                      listen);
    return CSM_OK;
}

static uint32_t thread_count(uint32_t wanted) {
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const uint32_t count = wanted ? wanted : processors > 0 ? (uint32_t)processors : 2;
    return count < 2 ? 2 : count > 8 ? 8 : count;
}

static void log_line(void *cls, const char *format, va_list arguments) {
    char text[400];
    vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\n")] = 0;
    dashboard_log(cls, CSM_LOG_DEBUG, "%s", text);
}

static csm_status listen_on(dashboard *d, const socket_address *address, char *text, size_t size) {
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, d->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, d->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"},
        {MHD_OPTION_END, 0, NULL}};
    if (address->any.sa_family == AF_INET6) flags |= MHD_USE_IPv6;
    if (d->certificate)
        flags |= MHD_USE_TLS;
    else
        tls[0].option = MHD_OPTION_END;
    d->server = MHD_start_daemon(
        flags, d->options.port, NULL, NULL, handle, d, MHD_OPTION_EXTERNAL_LOGGER, log_line, d,
        MHD_OPTION_SOCK_ADDR, &address->any, MHD_OPTION_THREAD_POOL_SIZE, thread_count(d->options.threads),
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MOST, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned int)CONNECTIONS_OF_ONE, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_URI_LOG_CALLBACK,
        begin_request, d, MHD_OPTION_NOTIFY_COMPLETED, end_request, d, MHD_OPTION_NOTIFY_CONNECTION,
        guard_connection, d->guard, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_LISTEN_BACKLOG_SIZE, 512u,
        MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (!d->server)
        return failed(text, size, CSM_EIO, "cannot listen on %s port %u%s: %s",
                      d->options.listen ? d->options.listen : "127.0.0.1", (unsigned)d->options.port,
                      d->certificate ? " with this certificate and key" : "", strerror(errno));
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(d->server, MHD_DAEMON_INFO_BIND_PORT);
    d->port = info && info->port ? info->port : d->options.port;
    return CSM_OK;
}

static csm_status start_parts(dashboard *d, char *text, size_t size) {
    const dashboard_options *o = &d->options;
    socket_address address;
    csm_status status = parse_listen(&address, o, text, size);
    if (status == CSM_OK && o->certificate && *o->certificate) {
        status = read_pem(&d->certificate, o->certificate, false, text, size);
        if (status == CSM_OK) status = read_pem(&d->key, o->key ? o->key : "", true, text, size);
    }
    if (status != CSM_OK) return status;
    d->started = dashboard_now(d);
    status = accounts_open(&d->accounts, d->database, o->host.clock, o->host.user);
    if (status != CSM_OK) return failed(text, size, status, "%s", accounts_error());
    d->limiter = limiter_new();
    d->guard = guard_new(o->receive_time ? o->receive_time : 15);
    d->passwords = workers_new(PASSWORD_THREADS, PASSWORD_QUEUE);
    d->readers = workers_new(READER_THREADS, READER_QUEUE);
    d->streams = streams_new(d);
    d->viewer = viewer_new(d);
    if (!d->limiter || !d->guard || !d->passwords || !d->readers || !d->streams || !d->viewer)
        return failed(text, size, CSM_ENOMEM, "no memory or threads for the web server");
    return listen_on(d, &address, text, size);
}

csm_status dashboard_start(dashboard **out, const dashboard_options *options, char *text, size_t size) {
    dashboard *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d) return failed(text, size, CSM_ENOMEM, "no memory for the web server");
    d->options = *options;
    d->workspace = strdup(options->workspace);
    d->database = strdup(options->database);
    csm_status status = d->workspace && d->database
                            ? start_parts(d, text, size)
                            : failed(text, size, CSM_ENOMEM, "no memory for the web server");
    if (status == CSM_OK)
        *out = d;
    else
        dashboard_stop(d);
    return status;
}

uint16_t dashboard_port(const dashboard *d) {
    return d->port;
}

void dashboard_stop(dashboard *d) {
    if (!d) return;
    d->stopping = true;
    const MHD_socket listening = d->server ? MHD_quiesce_daemon(d->server) : MHD_INVALID_SOCKET;
    workers_stop(d->passwords);
    workers_stop(d->readers);
    viewer_stop(d->viewer);
    streams_stop(d->streams);
    if (d->server) MHD_stop_daemon(d->server);
    if (listening != MHD_INVALID_SOCKET) close(listening);
    workers_free(d->passwords);
    workers_free(d->readers);
    viewer_free(d->viewer);
    streams_free(d->streams);
    guard_free(d->guard);
    limiter_free(d->limiter);
    accounts_free(d->accounts);
    free(d->certificate);
    free(d->key);
    free(d->workspace);
    free(d->database);
    free(d);
}
