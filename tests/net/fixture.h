/* SPDX-License-Identifier: MIT */
/* What the net tests share: a context whose log is kept, a temporary folder, a patient default source. */
#ifndef CSM_TESTS_NET_FIXTURE_H
#define CSM_TESTS_NET_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <cryptosmart/net.h>

#include "net/loopback.h"

#include <dirent.h>
#include <sys/stat.h>

typedef struct fixture {
    csm_context *context;
    csm_buffer log;
    csm_time clock; /* CSM_TIME_MIN: the system's */
    char folder[256];
    char state[300];
    char cassette[300];
} fixture;

static inline void fixture_log(void *user, csm_log_level level, const char *module, const char *text) {
    fixture *f = user;
    assert_int_equal(CSM_OK, csm_buffer_printf(&f->log, "%d %s %s\n", (int)level, module, text));
}

static inline csm_time fixture_clock(void *user) {
    const fixture *f = user;
    return f->clock == CSM_TIME_MIN ? csm_platform_now() : f->clock;
}

static inline int fixture_setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    if (!f) return -1;
    const char *folder = getenv("TMPDIR");
    snprintf(f->folder, sizeof f->folder, "%s/csm-net-XXXXXX", folder ? folder : "/tmp");
    if (!mkdtemp(f->folder)) return -1;
    snprintf(f->state, sizeof f->state, "%s/net.state.json", f->folder);
    snprintf(f->cassette, sizeof f->cassette, "%s/session.jsonl", f->folder);
    csm_context_options options;
    csm_context_options_init(&options);
    options.log_level = CSM_LOG_DEBUG;
    options.seed = 7;
    if (csm_context_new(&f->context, &options)) return -1;
    f->clock = CSM_TIME_MIN;
    csm_context_set_log(f->context, fixture_log, f);
    csm_context_set_clock(f->context, fixture_clock, f);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state) {
    fixture *f = *state;
    DIR *folder = opendir(f->folder);
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", f->folder, entry->d_name);
        if (entry->d_name[0] != '.') remove(path);
    }
    if (folder) closedir(folder);
    rmdir(f->folder);
    csm_context_free(f->context);
    csm_buffer_free(&f->log);
    free(f);
    return 0;
}

/* Quick, with short backoffs: 1..4 ms. */
static inline csm_net_source fixture_source(void) {
    return (csm_net_source){.name = "test",
                            .rate = 100000,
                            .burst = 1000,
                            .attempts = 3,
                            .in_flight = 4,
                            .backoff_first = CSM_MILLISECOND,
                            .backoff_last = 4 * CSM_MILLISECOND};
}

static inline csm_net *fixture_net(fixture *f, const csm_net_options *options) {
    csm_net *net = NULL;
    const csm_status status = csm_net_new(&net, f->context, options);
    if (status) fail_msg("csm_net_new: %s", csm_error_message());
    return net;
}

/* One GET; the caller frees *replies. */
static inline const csm_net_reply *fixture_get(csm_net_replies **replies, fixture *f, csm_net *net,
                                               const csm_net_source *source, const char *url) {
    const csm_net_request request = {.url = url};
    const csm_status status = csm_net_perform(replies, net, f->context, source, &request, 1, NULL, NULL);
    if (status) fail_msg("csm_net_perform: %s", csm_error_message());
    return csm_net_replies_at(*replies, 0);
}

static inline char *fixture_url(const loopback *server, const char *path) {
    static char url[4096];
    snprintf(url, sizeof url, "%s%s", server->base, path);
    return url;
}

/* The whole of a file as text; the caller frees it. */
static inline char *fixture_read(const char *path) {
    csm_buffer data = {0};
    if (csm_file_read(&data, path, (size_t)1 << 26)) fail_msg("%s", csm_error_message());
    char *text = strdup(data.data ? data.data : "");
    csm_buffer_free(&data);
    return text;
}

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

#endif
