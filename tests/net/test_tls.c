/* SPDX-License-Identifier: MIT */
/* Certificates, against `openssl s_server` on loopback; skipped visibly where the openssl command is absent. */
#include "net/fixture.h"

#include <signal.h>
#include <sys/wait.h>

typedef struct tls_server {
    pid_t process;
    int port;
} tls_server;

static int shell(const char *format, ...) {
    char command[2000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    return system(command);
}

/* A certificate for `name` that nobody but its own file vouches for. */
static bool make_certificate(const fixture *f, const char *name, const char *alternative) {
    return shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
                 "/CN=test "
                 "-addext subjectAltName=%s -keyout %s/%s.key -out %s/%s.pem >/dev/null 2>&1",
                 alternative, f->folder, name, f->folder, name) == 0;
}

static tls_server start_server(const fixture *f, const char *name) {
    int out[2];
    char key[300], certificate[300];
    tls_server server = {0};
    snprintf(key, sizeof key, "%s/%s.key", f->folder, name);
    snprintf(certificate, sizeof certificate, "%s/%s.pem", f->folder, name);
    assert_int_equal(0, pipe(out));
    server.process = fork();
    if (server.process == 0) {
        dup2(out[1], 1);
        close(out[0]);
        execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-key", key, "-cert",
               certificate, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *lines = fdopen(out[0], "r");
    char line[300];
    while (server.port == 0 && fgets(line, sizeof line, lines))
        sscanf(line, "ACCEPT 127.0.0.1:%d", &server.port);
    fclose(lines);
    return server;
}

static void stop_server(tls_server server) {
    kill(server.process, SIGTERM);
    waitpid(server.process, NULL, 0);
}

/* One GET over TLS, judged. */
static void ask(fixture *f, const char *certificate, const char *host, const char *ca, uint32_t net_class,
                const char *word) {
    const tls_server server = start_server(f, certificate);
    if (server.port == 0) {
        stop_server(server);
        print_message("skipped: openssl s_server does not start\n");
        skip();
    }
    char url[100], bundle[300];
    snprintf(url, sizeof url, "https://%s:%d/", host, server.port);
    snprintf(bundle, sizeof bundle, "%s/%s.pem", f->folder, ca ? ca : "");
    csm_net_options options;
    csm_net_options_init(&options);
    options.ca_path = ca ? bundle : NULL;
    csm_net *net = fixture_net(f, &options);
    const csm_net_source source = fixture_source();
    csm_net_replies *replies = NULL;
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, url);
    if (reply->net_class != net_class || !strstr(reply->text, word))
        fail_msg("%s: %s", csm_net_class_name(reply->net_class), reply->text);
    assert_int_equal(1, reply->attempts);
    csm_net_replies_free(replies);
    csm_net_free(net);
    stop_server(server);
}

static void need_openssl(const fixture *f) {
    if (make_certificate(f, "local", "DNS:localhost,IP:127.0.0.1") &&
        make_certificate(f, "other", "DNS:example.org"))
        return;
    print_message("skipped: no openssl command that makes certificates\n");
    skip();
}

static void a_certificate_that_the_bundle_vouches_for_is_accepted(void **state) {
    need_openssl(*state);
    ask(*state, "local", "localhost", "local", CSM_NET_OK, "");
}

static void a_certificate_that_nobody_vouches_for_is_refused(void **state) {
    need_openssl(*state);
    ask(*state, "local", "localhost", NULL, CSM_NET_PERMANENT, "certificate");
    ask(*state, "local", "localhost", "other", CSM_NET_PERMANENT, "certificate");
}

static void a_certificate_for_another_name_is_refused(void **state) {
    need_openssl(*state);
    ask(*state, "other", "localhost", "other", CSM_NET_PERMANENT, "certificate");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_certificate_that_the_bundle_vouches_for_is_accepted),
        FIXTURE_TEST(a_certificate_that_nobody_vouches_for_is_refused),
        FIXTURE_TEST(a_certificate_for_another_name_is_refused),
    };
    return cmocka_run_group_tests_name("net tls", tests, NULL, NULL);
}
