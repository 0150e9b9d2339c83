/* SPDX-License-Identifier: MIT */
/* Answers and addresses that mean no good. */
#include "net/fixture.h"

#include "net/internal.h"

#include <zlib.h>

/* One GET with three tries against a server that answers as `answer` does. */
static void judge(fixture *f, loopback_answer answer, void *user, const csm_net_options *options,
                  uint32_t net_class, uint32_t attempts, const char *word) {
    loopback *server = loopback_start(answer, user);
    csm_net *net = fixture_net(f, options);
    const csm_net_source source = fixture_source();
    csm_net_replies *replies = NULL;
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, fixture_url(server, "/"));
    if (reply->net_class != net_class || reply->attempts != attempts || !strstr(reply->text, word))
        fail_msg("%s after %u tries: %s", csm_net_class_name(reply->net_class), (unsigned)reply->attempts,
                 reply->text);
    if (reply->http_status == 0) assert_int_equal(0, reply->length);
    assert_non_null(reply->body);
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void cut_short(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)request;
    (void)user;
    const char *text = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":";
    loopback_write(fd, text, strlen(text));
}

static void a_cut_answer_is_transient_and_no_part_of_it_is_handed_on(void **state) {
    judge(*state, cut_short, NULL, NULL, CSM_NET_TRANSIENT, 3, "");
}

static void hang_up(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)fd;
    (void)request;
    (void)user;
}

static void a_server_that_hangs_up_is_transient(void **state) {
    judge(*state, hang_up, NULL, NULL, CSM_NET_TRANSIENT, 3, "mpty reply");
}

static void write_text(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)request;
    loopback_write(fd, user, strlen(user));
}

static void what_is_not_http_is_a_parse_failure(void **state) {
    judge(*state, write_text, "ICY 200 what\r\n\r\nhello", NULL, CSM_NET_PARSE, 1, "HTTP");
}

static void damaged_compression_is_a_parse_failure(void **state) {
    judge(*state, write_text,
          "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!", NULL,
          CSM_NET_PARSE, 1, "compression");
}

static void a_redirect_is_not_followed(void **state) {
    judge(*state, write_text,
          "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 1\r\n\r\nx", NULL,
          CSM_NET_PERMANENT, 1, "redirects are not followed");
}

static csm_net_options small(void) {
    csm_net_options options;
    csm_net_options_init(&options);
    options.most_bytes = 100000;
    options.total_timeout = 10 * CSM_SECOND;
    return options;
}

static void declared_too_large(void **state) {
    const csm_net_options options = small();
    judge(*state, write_text, "HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\nx", &options,
          CSM_NET_PERMANENT, 1, "larger than the 100000 bytes");
}

static void without_end(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)request;
    (void)user;
    static const char block[16384];
    const char *head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    loopback_write(fd, head, strlen(head));
    for (int i = 0; i < 4000 && !atomic_load(&server->stop); i++)
        if (send(fd, block, sizeof block, MSG_NOSIGNAL) <= 0) return;
}

static void an_answer_without_end_is_cut_off_at_the_limit(void **state) {
    const csm_net_options options = small();
    judge(*state, without_end, NULL, &options, CSM_NET_PERMANENT, 1, "larger than the 100000 bytes");
}

static void gzip_bomb(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)request;
    (void)user;
    static unsigned char zeros[1 << 16], packed[1 << 17];
    z_stream stream = {0};
    assert_int_equal(Z_OK, deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY));
    stream.next_out = packed;
    stream.avail_out = sizeof packed;
    for (int i = 0; i < 1024; i++) { /* 64 MiB become about 64 KiB */
        stream.next_in = zeros;
        stream.avail_in = sizeof zeros;
        assert_int_equal(i == 1023 ? Z_STREAM_END : Z_OK,
                         deflate(&stream, i == 1023 ? Z_FINISH : Z_NO_FLUSH));
    }
    assert_true(stream.total_out < 90000);
    loopback_reply(fd, 200, "Content-Encoding: gzip\r\n", packed, stream.total_out);
    deflateEnd(&stream);
}

static void a_small_answer_that_unpacks_to_a_huge_one_is_cut_off_at_the_limit(void **state) {
    const csm_net_options options = small();
    judge(*state, gzip_bomb, NULL, &options, CSM_NET_PERMANENT, 1, "larger than the 100000 bytes");
}

static void header_flood(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)request;
    (void)user;
    const char *head = "HTTP/1.1 200 OK\r\n";
    loopback_write(fd, head, strlen(head));
    for (int i = 0; i < 20000 && !atomic_load(&server->stop); i++) {
        const char *line = "X-Filler: 0123456789012345678901234567890123456789012345678901234567890123\r\n";
        if (send(fd, line, strlen(line), MSG_NOSIGNAL) <= 0) return;
    }
}

static void headers_without_end_are_cut_off(void **state) {
    judge(*state, header_flood, NULL, NULL, CSM_NET_PERMANENT, 1, "larger");
}

/* A byte now and then, until the client goes away. */
static void drip(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)request;
    (void)user;
    const char *head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    loopback_write(fd, head, strlen(head));
    while (!atomic_load(&server->stop)) {
        if (send(fd, "x", 1, MSG_NOSIGNAL) <= 0) return;
        csm_platform_sleep(5 * CSM_MILLISECOND);
    }
}

static void an_answer_that_drips_ends_at_the_total_time(void **state) {
    csm_net_options options;
    csm_net_options_init(&options);
    options.total_timeout = 50 * CSM_MILLISECOND;
    judge(*state, drip, NULL, &options, CSM_NET_TRANSIENT, 3, "timed out");
}

static void a_closed_port_is_transient(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(hang_up, NULL);
    char url[128];
    snprintf(url, sizeof url, "%s/", server->base);
    loopback_stop(server);
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    csm_net_replies *replies = NULL;
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, url);
    assert_int_equal(CSM_NET_TRANSIENT, reply->net_class);
    assert_int_equal(3, reply->attempts);
    assert_int_equal(0, reply->http_status);
    csm_net_replies_free(replies);
    csm_net_free(net);
}

/* ---- where a request may go ---- */

static void urls_that_may_not_be_asked_are_refused_before_anything_is_sent(void **state) {
    static const char *const urls[] = {
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://10.0.0.1/",
        "http://user:password@127.0.0.1/",
        "https://user@example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/",
        "//example.com/",
        "",
        "https://",
        "https://exa mple.com/",
        "http://localhost.example.com/",
        "http://[::2]/",
        "http://[::ffff:127.0.0.1]/", /* written so, it is not the loopback name we know */
    };
    fixture *f = *state;
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        csm_net_replies *replies = NULL;
        const csm_net_reply *reply = fixture_get(&replies, f, net, &source, urls[i]);
        if (reply->net_class != CSM_NET_PERMANENT || reply->attempts != 0 ||
            !strstr(reply->text, "URL refused"))
            fail_msg("%s: %s after %u tries: %s", urls[i], csm_net_class_name(reply->net_class),
                     (unsigned)reply->attempts, reply->text);
        csm_net_replies_free(replies);
    }
    char *longest = malloc(CSM_NET_URL_MOST + 2);
    memset(longest, 'a', CSM_NET_URL_MOST + 1);
    longest[CSM_NET_URL_MOST + 1] = '\0';
    memcpy(longest, "https://", 8);
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_NET_PERMANENT, fixture_get(&replies, f, net, &source, longest)->net_class);
    csm_net_replies_free(replies);
    free(longest);
    csm_net_free(net);
}

static void inner_addresses_are_refused_when_connected(void **state) {
    static const char *const urls[] = {
        "https://10.1.2.3/",         "https://172.16.0.1/",
        "https://192.168.1.1/",      "https://169.254.169.254/latest/",
        "https://100.64.0.1/",       "https://[fe80::1]/",
        "https://[fd00:ec2::254]/",  "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/", "https://0.0.0.0/",
    };
    fixture *f = *state;
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        csm_net_replies *replies = NULL;
        const csm_net_reply *reply = fixture_get(&replies, f, net, &source, urls[i]);
        if (reply->net_class != CSM_NET_PERMANENT || !strstr(reply->text, "refused: it is not a public one"))
            fail_msg("%s: %s: %s", urls[i], csm_net_class_name(reply->net_class), reply->text);
        assert_int_equal(1, reply->attempts);
        csm_net_replies_free(replies);
    }
    csm_net_free(net);
}

/* The machine's own name resolves to an inner address on most machines: a name is no way around the rule. */
static void a_name_that_resolves_to_an_inner_address_is_refused(void **state) {
    fixture *f = *state;
    char host[256] = "", url[300];
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0' || strcmp(host, "localhost") == 0) skip();
    snprintf(url, sizeof url, "https://%s:1/", host);
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    csm_net_replies *replies = NULL;
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, url);
    const bool resolved = !strstr(reply->text, "resolve");
    if (resolved) {
        assert_int_equal(CSM_NET_PERMANENT, reply->net_class);
        assert_non_null(strstr(reply->text, "refused"));
    }
    csm_net_replies_free(replies);
    csm_net_free(net);
    if (!resolved) {
        print_message("skipped: this machine's name does not resolve\n");
        skip();
    }
}

static void inner_addresses_are_reached_when_the_caller_allows_them(void **state) {
    fixture *f = *state;
    csm_net_options options;
    csm_net_options_init(&options);
    options.allow_private = 1;
    options.connect_timeout = 200 * CSM_MILLISECOND;
    csm_net *net = fixture_net(f, &options);
    csm_net_source source = fixture_source();
    source.attempts = 1;
    /* loopback by address, on a port where nobody speaks TLS: connected or refused by the system, not by us */
    static const struct {
        const char *url;
        bool reached;
    } cases[] = {{"https://[::ffff:127.0.0.1]:1/", true},
                 {"https://0.0.0.0:1/", false},
                 {"https://224.0.0.1:1/", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        csm_net_replies *replies = NULL;
        const csm_net_reply *reply = fixture_get(&replies, f, net, &source, cases[i].url);
        if ((reply->net_class == CSM_NET_TRANSIENT) != cases[i].reached ||
            (strstr(reply->text, "refused: it is not a public one") != NULL) == cases[i].reached)
            fail_msg("%s: %s: %s", cases[i].url, csm_net_class_name(reply->net_class), reply->text);
        csm_net_replies_free(replies);
    }
    csm_net_free(net);
}

static void addresses_are_public_or_not(void **state) {
    static const struct {
        const char *text;
        bool is_public, loopback;
    } cases[] = {
        {"8.8.8.8", true, false},
        {"1.1.1.1", true, false},
        {"104.16.0.1", true, false},
        {"127.0.0.1", false, true},
        {"127.255.0.3", false, true},
        {"0.0.0.0", false, false},
        {"10.255.255.255", false, false},
        {"11.0.0.0", true, false},
        {"172.15.255.255", true, false},
        {"172.31.0.1", false, false},
        {"172.32.0.0", true, false},
        {"192.0.2.1", false, false},
        {"192.168.0.0", false, false},
        {"198.19.255.255", false, false},
        {"198.20.0.0", true, false},
        {"169.254.1.1", false, false},
        {"100.63.255.255", true, false},
        {"100.127.0.1", false, false},
        {"224.0.0.1", false, false},
        {"255.255.255.255", false, false},
        {"203.0.113.9", false, false},
        {"::1", false, true},
        {"::", false, false},
        {"2606:4700::1111", true, false},
        {"fe80::1", false, false},
        {"fc00::1", false, false},
        {"fd12:3456::1", false, false},
        {"ff02::1", false, false},
        {"2001:db8::1", false, false},
        {"2001::1", false, false},
        {"2002:a00:1::", false, false},
        {"::ffff:8.8.8.8", true, false},
        {"::ffff:127.0.0.1", false, true},
        {"::ffff:192.168.0.1", false, false},
        {"64:ff9b::808:808", true, false},
        {"64:ff9b::7f00:1", false, false},
        {"64:ff9b:1::1", false, false},
        {"100::1", false, false},
        {"::7f00:1", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        const struct sockaddr *address = (const struct sockaddr *)(const void *)&v4;
        if (inet_pton(AF_INET, cases[i].text, &v4.sin_addr) != 1) {
            assert_int_equal(1, inet_pton(AF_INET6, cases[i].text, &v6.sin6_addr));
            address = (const struct sockaddr *)(const void *)&v6;
        }
        char text[64];
        if (csm_address_public(address) != cases[i].is_public ||
            csm_address_loopback(address) != cases[i].loopback)
            fail_msg("%s", csm_address_format(address, text, sizeof text));
    }
    const struct sockaddr local = {.sa_family = AF_UNIX};
    assert_false(csm_address_public(&local));
    assert_false(csm_address_loopback(&local));
}

static void say_hello(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)request;
    (void)user;
    loopback_text(fd, 200, NULL, "hello");
}

static void loopback_is_reached_by_its_name_and_the_environments_proxy_is_ignored(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(say_hello, NULL);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    char url[128];
    snprintf(url, sizeof url, "http://localhost:%d/", server->port);
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    csm_net_replies *replies = NULL;
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, url);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    assert_string_equal("hello", reply->body);
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

/* ---- cancelling ---- */

typedef struct canceller {
    csm_context *context;
    csm_time at;
} canceller;

static void cancel_soon(void *user) {
    canceller *c = user;
    csm_platform_sleep(30 * CSM_MILLISECOND);
    c->at = csm_platform_monotonic();
    csm_context_cancel(c->context);
}

static void hold(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)fd;
    (void)request;
    (void)user;
    while (!atomic_load(&server->stop)) csm_platform_sleep(2 * CSM_MILLISECOND);
}

static void cancel_during(fixture *f, const csm_net_source *source, loopback_answer answer, size_t n) {
    loopback *server = loopback_start(answer, NULL);
    csm_net *net = fixture_net(f, NULL);
    csm_net_request requests[8] = {0};
    for (size_t i = 0; i < n; i++) requests[i].url = fixture_url(server, "/");
    canceller c = {.context = f->context};
    csm_thread *thread = NULL;
    assert_int_equal(CSM_OK, csm_thread_start(&thread, cancel_soon, &c));
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_ECANCELLED,
                     csm_net_perform(&replies, net, f->context, source, requests, n, NULL, NULL));
    const csm_time ended = csm_platform_monotonic();
    csm_thread_join(thread);
    const csm_time took = ended - c.at;
    assert_null(replies);
    print_message("cancelled after %.1f ms\n", (double)took / 1e6);
    assert_true(took < 5 * CSM_SECOND); /* about 40 ms; far below any timeout in any case */
    csm_context_resume(f->context);
    csm_net_free(net);
    loopback_stop(server);
}

static void a_cancel_from_another_thread_ends_a_request_on_the_wire(void **state) {
    const csm_net_source source = fixture_source();
    cancel_during(*state, &source, hold, 4);
}

static void a_cancel_from_another_thread_ends_a_wait_for_a_token(void **state) {
    csm_net_source source = fixture_source();
    source.rate = 1.0 / 60;
    source.burst = 1;
    cancel_during(*state, &source, say_hello, 2);
}

static void always_busy(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)request;
    (void)user;
    loopback_text(fd, 503, "Retry-After: 60\r\n", "busy");
}

static void a_cancel_from_another_thread_ends_a_wait_before_a_retry(void **state) {
    const csm_net_source source = fixture_source();
    cancel_during(*state, &source, always_busy, 1);
}

static int stop_at_once(void *user, const char *what, uint64_t done, uint64_t total) {
    (void)user;
    assert_string_equal("requests", what);
    assert_int_equal(0, done);
    assert_int_equal(1, total);
    return 1;
}

static void a_progress_callback_can_cancel(void **state) {
    fixture *f = *state;
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    const csm_net_request request = {.url = "http://127.0.0.1:1/"};
    csm_net_replies *replies = NULL;
    csm_context_set_progress(f->context, stop_at_once, NULL);
    assert_int_equal(CSM_ECANCELLED,
                     csm_net_perform(&replies, net, f->context, &source, &request, 1, NULL, NULL));
    csm_net_free(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_cut_answer_is_transient_and_no_part_of_it_is_handed_on),
        FIXTURE_TEST(a_server_that_hangs_up_is_transient),
        FIXTURE_TEST(what_is_not_http_is_a_parse_failure),
        FIXTURE_TEST(damaged_compression_is_a_parse_failure),
        FIXTURE_TEST(a_redirect_is_not_followed),
        FIXTURE_TEST(declared_too_large),
        FIXTURE_TEST(an_answer_without_end_is_cut_off_at_the_limit),
        FIXTURE_TEST(a_small_answer_that_unpacks_to_a_huge_one_is_cut_off_at_the_limit),
        FIXTURE_TEST(headers_without_end_are_cut_off),
        FIXTURE_TEST(an_answer_that_drips_ends_at_the_total_time),
        FIXTURE_TEST(a_closed_port_is_transient),
        FIXTURE_TEST(urls_that_may_not_be_asked_are_refused_before_anything_is_sent),
        FIXTURE_TEST(inner_addresses_are_refused_when_connected),
        FIXTURE_TEST(a_name_that_resolves_to_an_inner_address_is_refused),
        FIXTURE_TEST(inner_addresses_are_reached_when_the_caller_allows_them),
        FIXTURE_TEST(addresses_are_public_or_not),
        FIXTURE_TEST(loopback_is_reached_by_its_name_and_the_environments_proxy_is_ignored),
        FIXTURE_TEST(a_cancel_from_another_thread_ends_a_request_on_the_wire),
        FIXTURE_TEST(a_cancel_from_another_thread_ends_a_wait_for_a_token),
        FIXTURE_TEST(a_cancel_from_another_thread_ends_a_wait_before_a_retry),
        FIXTURE_TEST(a_progress_callback_can_cancel),
    };
    return cmocka_run_group_tests_name("net hostile", tests, NULL, NULL);
}
