/* SPDX-License-Identifier: MIT */
#include "net/fixture.h"

/* Answers by the path: /status/503 gives that status; others see their cases. */
static void by_path(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)user;
    if (strncmp(request->path, "/status/", 8) == 0)
        loopback_text(fd, atoi(request->path + 8), NULL, "body");
    else
        loopback_text(fd, 200, "Content-Type: application/json\r\n", "{\"ok\":true}");
}

static void a_good_answer_is_ok_and_whole(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(by_path, NULL);
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    csm_net_replies *replies = NULL;
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, fixture_url(server, "/x"));
    assert_string_equal("", reply->text);
    assert_int_equal(CSM_NET_OK, reply->net_class);
    assert_int_equal(200, reply->http_status);
    assert_int_equal(1, reply->attempts);
    assert_int_equal(0, reply->replayed);
    assert_string_equal("{\"ok\":true}", reply->body);
    assert_int_equal(11, reply->length);
    assert_string_equal("application/json", reply->content_type);
    assert_true(reply->sent <= reply->received);
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void every_status_has_its_class_and_number_of_tries(void **state) {
    static const struct {
        int status;
        uint32_t net_class, tries;
    } cases[] = {{200, CSM_NET_OK, 1},        {201, CSM_NET_OK, 1},        {204, CSM_NET_EMPTY, 1},
                 {301, CSM_NET_PERMANENT, 1}, {302, CSM_NET_PERMANENT, 1}, {304, CSM_NET_EMPTY, 1},
                 {400, CSM_NET_PERMANENT, 1}, {401, CSM_NET_AUTH, 1},      {402, CSM_NET_AUTH, 1},
                 {403, CSM_NET_AUTH, 1},      {404, CSM_NET_PERMANENT, 1}, {408, CSM_NET_TRANSIENT, 3},
                 {410, CSM_NET_PERMANENT, 1}, {418, CSM_NET_LIMITED, 3},   {429, CSM_NET_LIMITED, 3},
                 {451, CSM_NET_PERMANENT, 1}, {500, CSM_NET_TRANSIENT, 3}, {501, CSM_NET_PERMANENT, 1},
                 {502, CSM_NET_TRANSIENT, 3}, {503, CSM_NET_TRANSIENT, 3}, {520, CSM_NET_TRANSIENT, 3}};
    fixture *f = *state;
    loopback *server = loopback_start(by_path, NULL);
    const csm_net_source source = fixture_source();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[32];
        csm_net *net = fixture_net(f, NULL);
        snprintf(path, sizeof path, "/status/%d", cases[i].status);
        csm_net_replies *replies = NULL;
        const unsigned before = loopback_requests(server);
        const csm_net_reply *reply = fixture_get(&replies, f, net, &source, fixture_url(server, path));
        if (reply->net_class != cases[i].net_class || reply->attempts != cases[i].tries)
            fail_msg("status %d: %s after %u tries: %s", cases[i].status,
                     csm_net_class_name(reply->net_class), (unsigned)reply->attempts, reply->text);
        assert_int_equal(cases[i].status, reply->http_status);
        assert_int_equal(cases[i].tries, loopback_requests(server) - before);
        csm_net_replies_free(replies);
        csm_net_free(net);
    }
    loopback_stop(server);
}

static void edge_page(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)request;
    (void)user;
    loopback_text(fd, 403, "Content-Type: text/html\r\n", "\r\n<!DOCTYPE html><title>Just a moment</title>");
}

static void a_403_page_of_the_edge_is_transient_not_a_refusal_of_credentials(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(edge_page, NULL);
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    csm_net_replies *replies = NULL;
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, fixture_url(server, "/"));
    assert_int_equal(CSM_NET_TRANSIENT, reply->net_class);
    assert_int_equal(3, reply->attempts);
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void empty_body(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)request;
    (void)user;
    loopback_text(fd, 200, NULL, "");
}

static void an_empty_body_with_200_is_not_taken_for_a_quiet_day(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(empty_body, NULL);
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    csm_net_replies *replies = NULL;
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, fixture_url(server, "/"));
    assert_int_equal(CSM_NET_PARSE, reply->net_class);
    assert_string_equal("", reply->body);
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void echo_post(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)user;
    char text[10000];
    const int n =
        snprintf(text, sizeof text, "%s %s agent=%d custom=%d [%.*s]", request->method, request->path,
                 strstr(request->headers, "User-Agent: bot/1") != NULL,
                 strstr(request->headers, "X-Thing: 7") != NULL, (int)request->body_length, request->body);
    loopback_reply(fd, 200, NULL, text, (size_t)n);
}

static void a_body_is_posted_with_the_callers_headers_and_agent(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(echo_post, NULL);
    csm_net_options options;
    csm_net_options_init(&options);
    options.user_agent = "bot/1";
    csm_net *net = fixture_net(f, &options);
    const csm_net_source source = fixture_source();
    static const char *const headers[] = {"X-Thing: 7", "Content-Type: text/plain", NULL};
    const csm_net_request request = {.url = fixture_url(server, "/send?a=b"),
                                     .body = "hello\0there",
                                     .body_length = 5,
                                     .headers = headers};
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_OK, csm_net_perform(&replies, net, f->context, &source, &request, 1, NULL, NULL));
    assert_string_equal("POST /send?a=b agent=1 custom=1 [hello]", csm_net_replies_at(replies, 0)->body);
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

/* ---- many at once ---- */

static void linger(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)user;
    loopback_linger(server, 3 * CSM_MILLISECOND);
    loopback_text(fd, 200, NULL, request->path);
}

typedef struct arrivals {
    size_t count;
    bool seen[64];
    size_t stop_after;
} arrivals;

static int on_arrival(void *user, size_t index, const csm_net_reply *reply) {
    arrivals *a = user;
    assert_int_equal(CSM_NET_OK, reply->net_class);
    assert_false(a->seen[index]);
    a->seen[index] = true;
    return ++a->count == a->stop_after;
}

static void many_requests_each_get_their_own_answer_and_no_more_than_allowed_fly(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(linger, NULL);
    csm_net *net = fixture_net(f, NULL);
    csm_net_source source = fixture_source();
    source.in_flight = 3;
    csm_net_request requests[40] = {0};
    char urls[40][96];
    for (size_t i = 0; i < 40; i++) {
        snprintf(urls[i], sizeof urls[i], "%s/item/%zu", server->base, i);
        requests[i].url = urls[i];
    }
    arrivals a = {0};
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_OK,
                     csm_net_perform(&replies, net, f->context, &source, requests, 40, on_arrival, &a));
    assert_int_equal(40, csm_net_replies_count(replies));
    assert_int_equal(40, a.count);
    for (size_t i = 0; i < 40; i++)
        assert_string_equal(urls[i] + strlen(server->base), csm_net_replies_at(replies, i)->body);
    assert_null(csm_net_replies_at(replies, 40));
    assert_true(atomic_load(&server->peak) <= 3);
    assert_true(atomic_load(&server->peak) >= 2);
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void the_caller_cancels_the_rest_by_its_callback(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(linger, NULL);
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    csm_net_request requests[40] = {0};
    for (size_t i = 0; i < 40; i++) requests[i].url = fixture_url(server, "/same");
    arrivals a = {.stop_after = 5};
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_ECANCELLED,
                     csm_net_perform(&replies, net, f->context, &source, requests, 40, on_arrival, &a));
    assert_null(replies);
    assert_int_equal(5, a.count);
    assert_true(loopback_requests(server) < 40);
    csm_net_free(net);
    loopback_stop(server);
}

static int perform_again(void *user, size_t index, const csm_net_reply *reply) {
    (void)index;
    (void)reply;
    void **both = user;
    fixture *f = both[0];
    const csm_net_source source = fixture_source();
    const csm_net_request request = {.url = "http://127.0.0.1:1/"};
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_EINVAL,
                     csm_net_perform(&replies, both[1], f->context, &source, &request, 1, NULL, NULL));
    return 0;
}

static void performing_within_the_callback_is_refused(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(by_path, NULL);
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    const csm_net_request request = {.url = fixture_url(server, "/x")};
    void *both[2] = {f, net};
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_OK,
                     csm_net_perform(&replies, net, f->context, &source, &request, 1, perform_again, both));
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void no_requests_give_no_replies(void **state) {
    fixture *f = *state;
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_OK, csm_net_perform(&replies, net, f->context, &source, NULL, 0, NULL, NULL));
    assert_int_equal(0, csm_net_replies_count(replies));
    csm_net_replies_free(replies);
    csm_net_free(net);
}

/* ---- the source judges ---- */

static uint32_t judge_envelope(void *user, const csm_net_reply *reply, csm_time *retry_at, char *text,
                               size_t text_size) {
    (void)user;
    if (strstr(reply->body, "limit")) {
        *retry_at = reply->received + 2 * CSM_MILLISECOND;
        snprintf(text, text_size, "over the limit");
        return CSM_NET_LIMITED;
    }
    if (strstr(reply->body, "nothing")) return CSM_NET_EMPTY;
    if (strstr(reply->body, "badkey")) {
        snprintf(text, text_size, "bad key");
        return CSM_NET_AUTH;
    }
    return reply->net_class;
}

/* The third answer is good. */
static void good_at_last(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    loopback_text(fd, 200, NULL, request->index < 2 ? user : "good");
}

static void an_error_inside_200_is_judged_by_the_source(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(good_at_last, "limit");
    csm_net *net = fixture_net(f, NULL);
    csm_net_source source = fixture_source();
    source.classify = judge_envelope;
    csm_net_replies *replies = NULL;
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, fixture_url(server, "/"));
    assert_int_equal(CSM_NET_OK, reply->net_class);
    assert_int_equal(3, reply->attempts);
    assert_int_equal(CSM_TIME_MIN, reply->retry_at);
    assert_string_equal("", reply->text);
    assert_string_equal("good", reply->body);
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void refused_credentials_switch_the_source_off_until_unlatched(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(good_at_last, "badkey");
    csm_net_options options;
    csm_net_options_init(&options);
    options.state_path = f->state;
    csm_net *net = fixture_net(f, &options);
    csm_net_source source = fixture_source();
    source.classify = judge_envelope;
    source.in_flight = 1;
    csm_net_request requests[3] = {0};
    for (size_t i = 0; i < 3; i++) requests[i].url = fixture_url(server, "/");
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_OK, csm_net_perform(&replies, net, f->context, &source, requests, 3, NULL, NULL));
    assert_int_equal(CSM_NET_AUTH, csm_net_replies_at(replies, 0)->net_class);
    assert_int_equal(1, csm_net_replies_at(replies, 0)->attempts);
    assert_int_equal(CSM_NET_LATCHED, csm_net_replies_at(replies, 1)->net_class);
    assert_int_equal(0, csm_net_replies_at(replies, 1)->attempts);
    assert_int_equal(CSM_NET_LATCHED, csm_net_replies_at(replies, 2)->net_class);
    assert_non_null(strstr(csm_net_replies_at(replies, 2)->text, "bad key"));
    assert_int_equal(1, loopback_requests(server));
    csm_net_replies_free(replies);
    csm_net_free(net);

    net = fixture_net(f, &options); /* a restart does not forget */
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, fixture_url(server, "/"));
    assert_int_equal(CSM_NET_LATCHED, reply->net_class);
    assert_int_equal(1, loopback_requests(server));
    csm_net_replies_free(replies);
    assert_int_equal(CSM_OK, csm_net_unlatch(net, "test"));
    reply = fixture_get(&replies, f, net, &source, fixture_url(server, "/"));
    assert_int_equal(2, loopback_requests(server));
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void a_latch_of_one_source_leaves_others_alone(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(by_path, NULL);
    csm_net *net = fixture_net(f, NULL);
    csm_net_source source = fixture_source();
    assert_int_equal(CSM_OK, csm_net_latch(net, "other", "no plan"));
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_NET_OK, fixture_get(&replies, f, net, &source, fixture_url(server, "/"))->net_class);
    csm_net_replies_free(replies);
    source.name = "other";
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, fixture_url(server, "/"));
    assert_int_equal(CSM_NET_LATCHED, reply->net_class);
    assert_non_null(strstr(reply->text, "no plan"));
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static uint32_t judge_nonsense(void *user, const csm_net_reply *reply, csm_time *retry_at, char *text,
                               size_t text_size) {
    (void)user;
    (void)reply;
    (void)retry_at;
    memset(text, 'x', text_size);
    return 8;
}

static void a_class_that_does_not_exist_is_refused(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(by_path, NULL);
    csm_net *net = fixture_net(f, NULL);
    csm_net_source source = fixture_source();
    source.classify = judge_nonsense;
    const csm_net_request request = {.url = fixture_url(server, "/x")};
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_EINVAL,
                     csm_net_perform(&replies, net, f->context, &source, &request, 1, NULL, NULL));
    assert_non_null(strstr(csm_error_message(), "class 8"));
    csm_net_free(net);
    loopback_stop(server);
}

/* ---- wrong calls ---- */

static void wrong_sources_and_requests_are_refused_with_the_value_named(void **state) {
    fixture *f = *state;
    csm_net *net = fixture_net(f, NULL);
    csm_net_replies *replies = NULL;
    csm_net_request request = {.url = "http://127.0.0.1:1/"};
    csm_net_source source;
#define REFUSED(change, word)                                                                                \
    source = fixture_source();                                                                               \
    change;                                                                                                  \
    assert_int_equal(CSM_EINVAL,                                                                             \
                     csm_net_perform(&replies, net, f->context, &source, &request, 1, NULL, NULL));          \
    assert_non_null(strstr(csm_error_message(), word));
    REFUSED(source.attempts = 0, "0 attempts");
    REFUSED(source.attempts = 11, "11 attempts");
    REFUSED(source.in_flight = 65, "65 requests");
    REFUSED(source.rate = 0, "0 tokens");
    REFUSED(source.rate = -1, "-1 tokens");
    REFUSED(source.burst = 0.5, "burst of 0.5");
    REFUSED(source.key_rate = -2, "key_rate -2");
    REFUSED(source.backoff_last = 0, "backoff");
    REFUSED(source.name = NULL, "name");
    REFUSED((source.rate = 1e-7, source.burst = 1e6), "400 days");
    static const char *const split[] = {"X: a\r\nY: b", NULL};
    REFUSED(request.headers = split, "header");
    request.headers = NULL;
    REFUSED(request.body_length = 1, "body");
    request.body_length = 0;
    REFUSED(request.url = NULL, "URL");
#undef REFUSED
    csm_net_free(net);
}

static void wrong_options_are_refused_with_the_value_named(void **state) {
    fixture *f = *state;
    csm_net *net = NULL;
    csm_net_options options;
#define REFUSED(change, word)                                                                                \
    csm_net_options_init(&options);                                                                          \
    change;                                                                                                  \
    assert_int_equal(CSM_EINVAL, csm_net_new(&net, f->context, &options));                                   \
    assert_null(net);                                                                                        \
    assert_non_null(strstr(csm_error_message(), word));
    REFUSED(options.connect_timeout = 0, "connect_timeout 0");
    REFUSED(options.total_timeout = -5, "total_timeout -5");
    REFUSED(options.most_bytes = 0, "most_bytes 0");
    REFUSED(options.most_wait = -1, "most_wait -1");
    REFUSED(options.cassette_mode = 3, "cassette_mode 3");
    REFUSED(options.cassette_mode = CSM_CASSETTE_REPLAY, "cassette_path");
    REFUSED(options.user_agent = "a\nb", "user_agent");
#undef REFUSED
    assert_int_equal(CSM_EINVAL, csm_net_new(NULL, f->context, NULL));
    assert_int_equal(CSM_EINVAL, csm_net_new(&net, NULL, NULL));
    csm_net_free(NULL);
    csm_net_replies_free(NULL);
}

static void an_older_smaller_options_struct_is_accepted(void **state) {
    fixture *f = *state;
    csm_net_options options;
    csm_net_options_init(&options);
    memset((char *)&options + offsetof(csm_net_options, most_wait), 0xff, sizeof options.most_wait);
    options.size = offsetof(csm_net_options, most_wait);
    csm_net_free(fixture_net(f, &options));
    struct {
        csm_net_options known;
        uint64_t later;
    } newer = {.later = 1};
    csm_net_options_init(&newer.known);
    newer.known.size = sizeof newer;
    csm_net *net = NULL;
    assert_int_not_equal(CSM_OK, csm_net_new(&net, f->context, &newer.known));
    newer.later = 0;
    csm_net_free(fixture_net(f, &newer.known));
}

static void classes_have_names_and_statuses(void **state) {
    (void)state;
    assert_string_equal("OK", csm_net_class_name(CSM_NET_OK));
    assert_string_equal("LATCHED", csm_net_class_name(CSM_NET_LATCHED));
    assert_string_equal("UNKNOWN", csm_net_class_name(8));
    assert_int_equal(CSM_OK, csm_net_class_status(CSM_NET_EMPTY));
    assert_int_equal(CSM_ELIMITED, csm_net_class_status(CSM_NET_LIMITED));
    assert_int_equal(CSM_EAUTH, csm_net_class_status(CSM_NET_LATCHED));
    assert_int_equal(CSM_EINVAL, csm_net_class_status(99));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_good_answer_is_ok_and_whole),
        FIXTURE_TEST(every_status_has_its_class_and_number_of_tries),
        FIXTURE_TEST(a_403_page_of_the_edge_is_transient_not_a_refusal_of_credentials),
        FIXTURE_TEST(an_empty_body_with_200_is_not_taken_for_a_quiet_day),
        FIXTURE_TEST(a_body_is_posted_with_the_callers_headers_and_agent),
        FIXTURE_TEST(many_requests_each_get_their_own_answer_and_no_more_than_allowed_fly),
        FIXTURE_TEST(the_caller_cancels_the_rest_by_its_callback),
        FIXTURE_TEST(performing_within_the_callback_is_refused),
        FIXTURE_TEST(no_requests_give_no_replies),
        FIXTURE_TEST(an_error_inside_200_is_judged_by_the_source),
        FIXTURE_TEST(a_class_that_does_not_exist_is_refused),
        FIXTURE_TEST(refused_credentials_switch_the_source_off_until_unlatched),
        FIXTURE_TEST(a_latch_of_one_source_leaves_others_alone),
        FIXTURE_TEST(wrong_sources_and_requests_are_refused_with_the_value_named),
        FIXTURE_TEST(wrong_options_are_refused_with_the_value_named),
        FIXTURE_TEST(an_older_smaller_options_struct_is_accepted),
        FIXTURE_TEST(classes_have_names_and_statuses),
    };
    return cmocka_run_group_tests_name("net perform", tests, NULL, NULL);
}
