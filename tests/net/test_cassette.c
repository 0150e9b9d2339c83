/* SPDX-License-Identifier: MIT */
#include "net/fixture.h"

#include "net/cassette.h"

/* A little of everything: errors first, binary, empty, limits. */
static void various(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)user;
    static const char binary[] = "\x1f\x8b\0\xff\xfe data";
    if (strcmp(request->path, "/flaky") == 0 && request->index < 3) /* after the two posts */
        loopback_text(fd, 502, NULL, "<html>bad gateway</html>");
    else if (strcmp(request->path, "/limited") == 0)
        loopback_text(fd, 429, "Retry-After: 7200\r\n", "slow down");
    else if (strcmp(request->path, "/binary") == 0)
        loopback_reply(fd, 200, "Content-Type: application/octet-stream\r\n", binary, sizeof binary - 1);
    else if (strcmp(request->path, "/none") == 0)
        loopback_text(fd, 204, NULL, "");
    else if (strcmp(request->path, "/missing") == 0)
        loopback_text(fd, 404, NULL, "no such thing");
    else if (strcmp(request->path, "/cut") == 0)
        loopback_write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", 41);
    else
        loopback_reply(fd, 200, "Content-Type: text/plain; charset=utf-8\r\n",
                       request->body_length ? request->body : request->path,
                       request->body_length ? request->body_length : strlen(request->path));
}

static const char *const paths[] = {"/flaky", "/a", "/binary",   "/none",   "/missing",
                                    "/cut",   "/a", "/b?x=%20y", "/limited"};
#define PATHS (sizeof paths / sizeof paths[0])

/* GETs of all paths and two POSTs to one address with different bodies. */
static csm_net_replies *session(fixture *f, csm_net *net, const char *base) {
    static char urls[PATHS + 2][200];
    csm_net_request requests[PATHS + 2] = {0};
    for (size_t i = 0; i < PATHS; i++) {
        snprintf(urls[i], sizeof urls[i], "%s%s", base, paths[i]);
        requests[i + 2].url = urls[i];
    }
    for (size_t i = 0; i < 2; i++) {
        snprintf(urls[PATHS + i], sizeof urls[0], "%s/post", base);
        requests[i] = (csm_net_request){
            .url = urls[PATHS + i], .body = i ? "second" : "first", .body_length = i ? 6 : 5};
    }
    csm_net_source source = fixture_source();
    source.in_flight = 1;
    source.backoff_first = source.backoff_last =
        CSM_MICROSECOND; /* "/flaky" again before "/limited" stops all */
    csm_net_replies *replies = NULL;
    const csm_status status =
        csm_net_perform(&replies, net, f->context, &source, requests, PATHS + 2, NULL, NULL);
    if (status) fail_msg("%s", csm_error_message());
    return replies;
}

static void same_but_replayed(const csm_net_reply *a, const csm_net_reply *b) {
    assert_int_equal(a->net_class, b->net_class);
    assert_int_equal(a->http_status, b->http_status);
    assert_int_equal(a->attempts, b->attempts);
    assert_int_equal(a->sent, b->sent);
    assert_int_equal(a->received, b->received);
    assert_int_equal(a->retry_at, b->retry_at);
    assert_string_equal(a->url, b->url);
    assert_string_equal(a->content_type, b->content_type);
    assert_string_equal(a->text, b->text);
    assert_int_equal(a->length, b->length);
    assert_memory_equal(a->body, b->body, a->length + 1);
    assert_int_equal(0, a->replayed);
    assert_int_equal(1, b->replayed);
}

static void what_was_recorded_is_played_again_without_the_server(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(various, NULL);
    char base[64];
    snprintf(base, sizeof base, "%s", server->base);
    csm_net_options options;
    csm_net_options_init(&options);
    options.cassette_path = f->cassette;
    options.cassette_mode = CSM_CASSETTE_RECORD;
    csm_net *net = fixture_net(f, &options);
    csm_net_replies *live = session(f, net, base);
    csm_net_free(net);
    loopback_stop(server);
    assert_int_equal(CSM_NET_OK, csm_net_replies_at(live, 2)->net_class);
    assert_int_equal(2, csm_net_replies_at(live, 2)->attempts);
    assert_int_equal(CSM_NET_LIMITED, csm_net_replies_at(live, PATHS + 1)->net_class);

    options.cassette_mode = CSM_CASSETTE_REPLAY;
    net = fixture_net(f, &options);
    csm_net_replies *played = session(f, net, base);
    for (size_t i = 0; i < PATHS + 2; i++)
        same_but_replayed(csm_net_replies_at(live, i), csm_net_replies_at(played, i));
    csm_net_replies_free(played);
    csm_net_replies_free(live);
    csm_net_free(net);
}

static void a_request_that_was_not_recorded_is_permanent_and_says_so(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(various, NULL);
    csm_net_options options;
    csm_net_options_init(&options);
    options.cassette_path = f->cassette;
    options.cassette_mode = CSM_CASSETTE_RECORD;
    csm_net *net = fixture_net(f, &options);
    const csm_net_source source = fixture_source();
    csm_net_replies *replies = NULL;
    fixture_get(&replies, f, net, &source, fixture_url(server, "/a"));
    csm_net_replies_free(replies);
    csm_net_free(net);
    options.cassette_mode = CSM_CASSETTE_REPLAY;
    net = fixture_net(f, &options);
    fixture_get(&replies, f, net, &source, fixture_url(server, "/a"));
    csm_net_replies_free(replies);
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, fixture_url(server, "/a"));
    assert_int_equal(CSM_NET_PERMANENT, reply->net_class);
    assert_non_null(strstr(reply->text, "no further answer to GET http://127.0.0.1"));
    assert_int_equal(0, reply->attempts);
    csm_net_replies_free(replies);
    reply = fixture_get(&replies, f, net, &source, fixture_url(server, "/other"));
    assert_int_equal(CSM_NET_PERMANENT, reply->net_class);
    assert_non_null(strstr(reply->text, "no answer to GET http://127.0.0.1"));
    csm_net_replies_free(replies);
    assert_int_equal(1, loopback_requests(server));
    csm_net_free(net);
    loopback_stop(server);
}

static void a_cassette_is_one_session_and_is_never_overwritten(void **state) {
    fixture *f = *state;
    csm_net_options options;
    csm_net_options_init(&options);
    options.cassette_path = f->cassette;
    options.cassette_mode = CSM_CASSETTE_RECORD;
    csm_net_free(fixture_net(f, &options));
    csm_net *net = NULL;
    assert_int_equal(CSM_EEXIST, csm_net_new(&net, f->context, &options));
    options.cassette_mode = CSM_CASSETTE_REPLAY;
    options.cassette_path = "/nonexistent-folder/c.jsonl";
    assert_int_equal(CSM_ENOTFOUND, csm_net_new(&net, f->context, &options));
}

#define HEAD "{\"format\":\"cryptosmart.net.cassette\",\"version\":1}\n"
#define TIMES "\"sent\":\"2024-01-01T00:00:00Z\",\"received\":\"2024-01-01T00:00:01Z\""
#define GOOD "{\"method\":\"GET\",\"url\":\"https://x/\"," TIMES ",\"status\":200,\"text\":\"hi\"}\n"

static void a_damaged_cassette_names_its_line(void **state) {
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"", "line 1"},
        {"{}\n", "line 1"},
        {"{\"format\":\"cryptosmart.net.cassette\",\"version\":2}\n", "line 1"},
        {HEAD "\n", "line 2"},
        {HEAD "[]\n", "line 2"},
        {HEAD GOOD "{\"method\":\"GET\"", "line 3: the line has no end"},
        {HEAD GOOD GOOD "{\"method\":\"GET\"}\n", "line 4"},
        {HEAD "{\"method\":1,\"url\":\"u\"," TIMES ",\"status\":200}\n", "\"method\""},
        {HEAD "{\"method\":\"GET\",\"url\":\"u\"," TIMES ",\"status\":1000}\n", "1000 is outside"},
        {HEAD "{\"method\":\"GET\",\"url\":\"u\"," TIMES ",\"status\":\"200\"}\n", "\"status\""},
        {HEAD "{\"method\":\"GET\",\"url\":\"u\"," TIMES ",\"status\":0}\n", "\"class\""},
        {HEAD "{\"method\":\"GET\",\"url\":\"u\"," TIMES ",\"status\":0,\"class\":0}\n", "\"class\""},
        {HEAD "{\"method\":\"GET\",\"url\":\"u\"," TIMES ",\"status\":200,\"base64\":\"?\"}\n", "base64"},
        {HEAD "{\"method\":\"GET\",\"url\":\"u\"," TIMES
              ",\"status\":200,\"base64\":\"QQ==\",\"text\":\"x\"}\n",
         "both"},
        {HEAD "{\"method\":\"GET\",\"url\":\"u\",\"sent\":\"x\",\"received\":\"y\",\"status\":200}\n",
         "line 2"},
        {HEAD "{\"method\":\"GET\",\"method\":\"GET\",\"url\":\"u\"," TIMES ",\"status\":200}\n", "line 2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        csm_cassette *cassette = NULL;
        const csm_status status = csm_cassette_parse(&cassette, cases[i].text, strlen(cases[i].text), "tape");
        if (status != (i == 2 ? CSM_EUNSUPPORTED : CSM_EPARSE) ||
            !strstr(csm_error_message(), cases[i].word) || !strstr(csm_error_message(), "tape: line"))
            fail_msg("case %zu: %s: %s", i, csm_status_name(status), csm_error_message());
        assert_null(cassette);
    }
}

static void a_long_tape_is_played_in_order(void **state) {
    fixture *f = *state;
    csm_cassette *cassette = NULL;
    assert_int_equal(CSM_OK, csm_cassette_record(&cassette, f->cassette));
    for (int i = 0; i < 3000; i++) {
        char url[32], body[32];
        snprintf(url, sizeof url, "https://x/%d", i % 7);
        snprintf(body, sizeof body, "%d", i);
        const csm_exchange exchange = {.method = "GET",
                                       .url = url,
                                       .body_hash = "",
                                       .sent = i,
                                       .received = i,
                                       .http_status = 200,
                                       .failure = "",
                                       .content_type = "",
                                       .retry_after = "",
                                       .body = body,
                                       .length = strlen(body)};
        assert_int_equal(CSM_OK, csm_cassette_add(cassette, &exchange));
    }
    csm_cassette_free(cassette);
    assert_int_equal(CSM_OK, csm_cassette_play(&cassette, f->cassette));
    for (int i = 0; i < 3000; i++) {
        char url[32];
        size_t recorded = 0;
        snprintf(url, sizeof url, "https://x/%d", i % 7);
        const csm_exchange *exchange = csm_cassette_next(cassette, "GET", url, "", &recorded);
        assert_non_null(exchange);
        assert_int_equal(i, atoi(exchange->body));
        assert_int_equal(i, exchange->received);
        assert_true(recorded == 428 || recorded == 429);
    }
    size_t recorded = 0;
    assert_null(csm_cassette_next(cassette, "GET", "https://x/0", "", &recorded));
    assert_null(csm_cassette_next(cassette, "POST", "https://x/0", "", &recorded));
    assert_int_equal(0, recorded);
    csm_cassette_free(cassette);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(what_was_recorded_is_played_again_without_the_server),
        FIXTURE_TEST(a_request_that_was_not_recorded_is_permanent_and_says_so),
        FIXTURE_TEST(a_cassette_is_one_session_and_is_never_overwritten),
        FIXTURE_TEST(a_damaged_cassette_names_its_line),
        FIXTURE_TEST(a_long_tape_is_played_in_order),
    };
    return cmocka_run_group_tests_name("net cassette", tests, NULL, NULL);
}
