/* SPDX-License-Identifier: MIT */
#include "net/fixture.h"

#include "net/internal.h"

static void seconds_and_dates_after_are_read(void **state) {
    (void)state;
    csm_time at = 0;
    const csm_time received = 784111770 * CSM_SECOND + 5; /* RFC 9110's example date is 784111777 */
    assert_true(csm_retry_after_parse(&at, "120", received));
    assert_int_equal(received + 120 * CSM_SECOND, at);
    assert_true(csm_retry_after_parse(&at, " 0 ", received));
    assert_int_equal(received, at);
    assert_true(csm_retry_after_parse(&at, "Sun, 06 Nov 1994 08:49:37 GMT", received));
    assert_int_equal(784111777 * CSM_SECOND, at);
    assert_true(csm_retry_after_parse(&at, "Sunday, 06-Nov-94 08:49:37 GMT", received)); /* RFC 850 */
    assert_int_equal(784111777 * CSM_SECOND, at);
    assert_true(csm_retry_after_parse(&at, "Sun, 06 Nov 1993 08:49:37 GMT", received)); /* over: now */
    assert_int_equal(received, at);
    assert_true(csm_retry_after_parse(&at, "99999999999999999999999999", received)); /* ten years at most */
    assert_true(at > received && at < received + 3700 * CSM_DAY);
    assert_false(csm_retry_after_parse(&at, "", received));
    assert_false(csm_retry_after_parse(&at, "soon", received));
    assert_false(csm_retry_after_parse(&at, "-5", received));
    assert_false(csm_retry_after_parse(&at, "5s", received));
}

static void the_wait_before_a_retry_doubles_and_is_the_same_for_the_same_seed(void **state) {
    (void)state;
    csm_net_source source = fixture_source();
    source.backoff_first = CSM_SECOND;
    source.backoff_last = 60 * CSM_SECOND;
    const csm_time limits[] = {1, 2, 4, 8, 16, 32, 60, 60};
    csm_time sum[8] = {0};
    for (uint64_t seed = 0; seed < 200; seed++)
        for (uint32_t attempt = 1; attempt <= 8; attempt++) {
            const csm_time wait = csm_retry_backoff(&source, seed, "https://x/", attempt, false);
            assert_true(wait >= 0 && wait < limits[attempt - 1] * CSM_SECOND);
            assert_int_equal(wait, csm_retry_backoff(&source, seed, "https://x/", attempt, false));
            const csm_time floored = csm_retry_backoff(&source, seed, "https://x/", attempt, true);
            assert_true(floored >= limits[attempt - 1] * CSM_SECOND / 2 &&
                        floored < limits[attempt - 1] * CSM_SECOND);
            sum[attempt - 1] += wait;
        }
    for (size_t i = 0; i < 8;
         i++) { /* full jitter: the mean is half of the step; 5 sigma of 200 uniforms is 0.1 */
        const double mean = (double)sum[i] / 200 / (double)(limits[i] * CSM_SECOND);
        assert_true(mean > 0.4 && mean < 0.6);
    }
    assert_int_not_equal(csm_retry_backoff(&source, 1, "https://x/", 1, false),
                         csm_retry_backoff(&source, 2, "https://x/", 1, false));
    assert_int_not_equal(csm_retry_backoff(&source, 1, "https://x/", 1, false),
                         csm_retry_backoff(&source, 1, "https://y/", 1, false));
}

/* Fails `user` times with the text's status and headers, then answers. */
typedef struct failing {
    unsigned times;
    int status;
    const char *headers;
} failing;

static void fail_then_answer(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    const failing *plan = user;
    if (request->index < plan->times)
        loopback_text(fd, plan->status, plan->headers, "no");
    else
        loopback_text(fd, 200, NULL, "yes");
}

static void a_transient_failure_is_tried_again_until_it_passes(void **state) {
    fixture *f = *state;
    failing plan = {2, 503, NULL};
    loopback *server = loopback_start(fail_then_answer, &plan);
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    csm_net_replies *replies = NULL;
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, fixture_url(server, "/"));
    assert_int_equal(CSM_NET_OK, reply->net_class);
    assert_int_equal(3, reply->attempts);
    assert_string_equal("yes", reply->body);
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void a_short_retry_after_is_waited_for(void **state) {
    fixture *f = *state;
    failing plan = {1, 429, "Retry-After: 1\r\n"};
    loopback *server = loopback_start(fail_then_answer, &plan);
    csm_net *net = fixture_net(f, NULL);
    const csm_net_source source = fixture_source();
    csm_net_replies *replies = NULL;
    const csm_time before = csm_platform_monotonic();
    const csm_net_reply *reply = fixture_get(&replies, f, net, &source, fixture_url(server, "/"));
    assert_int_equal(CSM_NET_OK, reply->net_class);
    assert_int_equal(2, reply->attempts);
    assert_true(csm_platform_monotonic() - before >= 900 * CSM_MILLISECOND);
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void a_long_retry_after_ends_the_request_and_holds_the_source_across_restarts(void **state) {
    fixture *f = *state;
    failing plan = {1, 429, "Retry-After: 3600\r\n"};
    loopback *server = loopback_start(fail_then_answer, &plan);
    csm_net_options options;
    csm_net_options_init(&options);
    options.state_path = f->state;
    f->clock = 1700000000 * CSM_SECOND;
    csm_net *net = fixture_net(f, &options);
    csm_net_source source = fixture_source();
    source.in_flight = 1;
    const csm_time until = f->clock + 3600 * CSM_SECOND;
    csm_net_request requests[3] = {0};
    for (size_t i = 0; i < 3; i++) requests[i].url = fixture_url(server, "/");
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_OK, csm_net_perform(&replies, net, f->context, &source, requests, 3, NULL, NULL));
    for (size_t i = 0; i < 3; i++) {
        const csm_net_reply *reply = csm_net_replies_at(replies, i);
        assert_int_equal(CSM_NET_LIMITED, reply->net_class);
        assert_int_equal(i == 0, reply->attempts);
        assert_int_equal(until, reply->retry_at);
    }
    assert_int_equal(1, loopback_requests(server));
    csm_net_replies_free(replies);
    csm_net_free(net);

    f->clock += 3000 * CSM_SECOND;
    net = fixture_net(f, &options);
    assert_int_equal(CSM_NET_LIMITED, fixture_get(&replies, f, net, &source, requests[0].url)->net_class);
    csm_net_replies_free(replies);
    f->clock += 600 * CSM_SECOND;
    assert_int_equal(CSM_NET_OK, fixture_get(&replies, f, net, &source, requests[0].url)->net_class);
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void a_source_that_stays_over_its_limit_is_left_alone(void **state) {
    fixture *f = *state;
    failing plan = {1000, 429, NULL};
    loopback *server = loopback_start(fail_then_answer, &plan);
    csm_net *net = fixture_net(f, NULL);
    csm_net_source source = fixture_source();
    source.in_flight = 1;
    csm_net_request requests[20] = {0};
    for (size_t i = 0; i < 20; i++) requests[i].url = fixture_url(server, "/");
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_OK, csm_net_perform(&replies, net, f->context, &source, requests, 20, NULL, NULL));
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(CSM_NET_LIMITED, csm_net_replies_at(replies, i)->net_class);
    assert_int_equal(3, loopback_requests(server)); /* not 60 */
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void answers_over_the_limit_that_were_on_the_wire_together_count_once(void **state) {
    fixture *f = *state;
    failing plan = {4, 429, NULL};
    loopback *server = loopback_start(fail_then_answer, &plan);
    csm_net *net = fixture_net(f, NULL);
    csm_net_source source = fixture_source();
    source.in_flight = 4;
    csm_net_request requests[4] = {0};
    for (size_t i = 0; i < 4; i++) requests[i].url = fixture_url(server, "/");
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_OK, csm_net_perform(&replies, net, f->context, &source, requests, 4, NULL, NULL));
    for (size_t i = 0; i < 4; i++) assert_int_equal(CSM_NET_OK, csm_net_replies_at(replies, i)->net_class);
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void a_source_that_is_down_is_not_asked_for_every_request(void **state) {
    fixture *f = *state;
    failing plan = {100000, 503, NULL};
    loopback *server = loopback_start(fail_then_answer, &plan);
    csm_net *net = fixture_net(f, NULL);
    csm_net_source source = fixture_source();
    source.in_flight = 1;
    csm_net_request requests[30] = {0};
    for (size_t i = 0; i < 30; i++) requests[i].url = fixture_url(server, "/");
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_OK, csm_net_perform(&replies, net, f->context, &source, requests, 30, NULL, NULL));
    for (size_t i = 0; i < 30; i++)
        assert_int_equal(CSM_NET_TRANSIENT, csm_net_replies_at(replies, i)->net_class);
    assert_int_equal(5, loopback_requests(server)); /* far from 90 */
    assert_int_equal(0, csm_net_replies_at(replies, 29)->attempts);
    assert_non_null(strstr(csm_net_replies_at(replies, 29)->text, "HTTP 503"));
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(seconds_and_dates_after_are_read),
        FIXTURE_TEST(the_wait_before_a_retry_doubles_and_is_the_same_for_the_same_seed),
        FIXTURE_TEST(a_transient_failure_is_tried_again_until_it_passes),
        FIXTURE_TEST(a_short_retry_after_is_waited_for),
        FIXTURE_TEST(a_long_retry_after_ends_the_request_and_holds_the_source_across_restarts),
        FIXTURE_TEST(a_source_that_stays_over_its_limit_is_left_alone),
        FIXTURE_TEST(answers_over_the_limit_that_were_on_the_wire_together_count_once),
        FIXTURE_TEST(a_source_that_is_down_is_not_asked_for_every_request),
    };
    return cmocka_run_group_tests_name("net retry", tests, NULL, NULL);
}
