/* SPDX-License-Identifier: MIT */
/* Buckets, with a clock of the test's own: nothing here waits. */
#include "net/fixture.h"

#include "net/internal.h"

#define START ((csm_time)1700000000 * CSM_SECOND)

static void answer_yes(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)request;
    (void)user;
    loopback_text(fd, 200, NULL, "yes");
}

/* One token a minute, three at most; whoever would have to wait is told so at once. */
static csm_net_source slow_source(void) {
    csm_net_source source = fixture_source();
    source.rate = 1.0 / 60;
    source.burst = 3;
    source.in_flight = 1;
    return source;
}

static csm_net *impatient(fixture *f) {
    csm_net_options options;
    csm_net_options_init(&options);
    options.state_path = f->state;
    options.most_wait = 0;
    return fixture_net(f, &options);
}

/* How many of n requests are sent. */
static size_t sent_of(fixture *f, csm_net *net, const csm_net_source *source, const loopback *server,
                      size_t n, csm_time *retry_at) {
    csm_net_request requests[16] = {0};
    for (size_t i = 0; i < n; i++) requests[i].url = fixture_url(server, "/");
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_OK, csm_net_perform(&replies, net, f->context, source, requests, n, NULL, NULL));
    size_t sent = 0;
    for (size_t i = 0; i < n; i++) {
        const csm_net_reply *reply = csm_net_replies_at(replies, i);
        sent += reply->net_class == CSM_NET_OK;
        if (reply->net_class == CSM_NET_LIMITED && retry_at) *retry_at = reply->retry_at;
        assert_int_equal(reply->net_class == CSM_NET_OK, reply->attempts);
    }
    csm_net_replies_free(replies);
    return sent;
}

static void a_bucket_gives_its_burst_and_then_its_rate_also_after_a_restart(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(answer_yes, NULL);
    const csm_net_source source = slow_source();
    csm_time retry_at = 0;
    f->clock = START;
    csm_net *net = impatient(f);
    assert_int_equal(3, sent_of(f, net, &source, server, 5, &retry_at));
    assert_true(retry_at >= START + 60 * CSM_SECOND && retry_at < START + 90 * CSM_SECOND);
    csm_net_free(net);

    f->clock = START + 30 * CSM_SECOND;
    net = impatient(f);
    assert_int_equal(0, sent_of(f, net, &source, server, 1, &retry_at));
    csm_net_free(net);

    f->clock = START + 135 * CSM_SECOND; /* two tokens have come */
    net = impatient(f);
    assert_int_equal(2, sent_of(f, net, &source, server, 5, NULL));
    csm_net_free(net);

    f->clock = START + 10 * CSM_DAY; /* never more than the burst */
    net = impatient(f);
    assert_int_equal(3, sent_of(f, net, &source, server, 9, NULL));
    csm_net_free(net);
    loopback_stop(server);
}

static void each_key_has_its_own_bucket_within_the_sources(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(answer_yes, NULL);
    csm_net_source source = fixture_source();
    source.key_rate = 1.0 / 60;
    source.key_burst = 1;
    f->clock = START;
    csm_net *net = impatient(f);
    static const char *const keys[] = {"A", "A", "B", NULL, "A", NULL};
    static const bool sent[] = {true, false, true, true, false, true};
    csm_net_request requests[6] = {0};
    for (size_t i = 0; i < 6; i++) {
        requests[i].url = fixture_url(server, "/");
        requests[i].key = keys[i];
    }
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_OK, csm_net_perform(&replies, net, f->context, &source, requests, 6, NULL, NULL));
    for (size_t i = 0; i < 6; i++) assert_int_equal(sent[i], csm_net_replies_at(replies, i)->attempts);
    csm_net_replies_free(replies);
    csm_net_free(net);
    loopback_stop(server);
}

static void tokens_are_waited_for_when_the_wait_is_short(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(answer_yes, NULL);
    csm_net_source source = fixture_source();
    source.rate = 100;
    source.burst = 1;
    csm_net *net = fixture_net(f, NULL);
    const csm_time before = csm_platform_monotonic();
    assert_int_equal(11, sent_of(f, net, &source, server, 11, NULL));
    assert_true(csm_platform_monotonic() - before >= 90 * CSM_MILLISECOND);
    csm_net_free(net);
    loopback_stop(server);
}

static void waits_end_even_when_the_contexts_clock_stands_still(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(answer_yes, NULL);
    csm_net_source source = fixture_source();
    source.rate = 200;
    source.burst = 1;
    f->clock = START;
    csm_net *net = fixture_net(f, NULL);
    assert_int_equal(10, sent_of(f, net, &source, server, 10, NULL));
    csm_net_free(net);
    loopback_stop(server);
}

static void spent_tokens_of_a_slow_bucket_are_on_disk_before_the_answer(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(answer_yes, NULL);
    const csm_net_source source = slow_source();
    f->clock = START;
    csm_net *net = impatient(f);
    assert_int_equal(3, sent_of(f, net, &source, server, 3, NULL));
    csm_limits limits; /* as a second process would find it after a kill */
    csm_limits_init(&limits);
    char *text = fixture_read(f->state);
    assert_int_equal(CSM_OK, csm_state_parse(&limits, text, strlen(text)));
    csm_bucket_rule rule;
    csm_bucket *bucket = NULL;
    assert_int_equal(CSM_OK, csm_bucket_rule_make(&rule, "test", source.rate, source.burst));
    assert_int_equal(CSM_OK, csm_limits_bucket(&bucket, &limits, "test", ""));
    assert_true(csm_bucket_ready(bucket, &rule, START) > START);
    csm_limits_free(&limits);
    free(text);
    csm_net_free(net);
    loopback_stop(server);
}

static void write_state(const fixture *f, const char *text) {
    assert_int_equal(CSM_OK, csm_file_write_atomic(f->state, text, strlen(text), 0600));
}

static void a_damaged_state_file_is_kept_aside_and_never_gives_a_full_bucket(void **state) {
    static const char *const damaged[] = {
        "",
        "{",
        "[]",
        "{\"format\":\"other\",\"version\":1}",
        "{\"format\":\"cryptosmart.net.state\",\"version\":1,\"buckets\":[{}],\"sources\":[]}",
        "{\"format\":\"cryptosmart.net.state\",\"version\":1,\"buckets\":[],\"sources\":[{\"name\":1}]}",
        "{\"format\":\"cryptosmart.net.state\",\"version\":1,\"buckets\":[{\"source\":\"test\",\"key\":\"\","
        "\"full_at\":\"yesterday\"}],\"sources\":[]}",
        "{\"format\":\"cryptosmart.net.state\",\"version\":1,\"buckets\":[],\"sources\":[{\"name\":\"x\","
        "\"latched\":true}]}",
    };
    fixture *f = *state;
    loopback *server = loopback_start(answer_yes, NULL);
    const csm_net_source source = slow_source();
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        write_state(f, damaged[i]);
        f->log.length = 0;
        f->clock = START + (csm_time)i * CSM_DAY;
        csm_net *net = impatient(f);
        assert_non_null(strstr(f->log.data, "is damaged"));
        char when[CSM_TIME_TEXT], aside[400];
        snprintf(aside, sizeof aside, "%s.damaged.%s", f->state,
                 csm_time_format(f->clock, when, sizeof when));
        char *kept = fixture_read(aside);
        assert_string_equal(damaged[i], kept);
        free(kept);
        assert_int_equal(0, sent_of(f, net, &source, server, 1, NULL));
        csm_net_free(net);
        f->clock += 70 * CSM_SECOND; /* one token since the damage; a restart does not make more of it */
        net = impatient(f);
        assert_int_equal(1, sent_of(f, net, &source, server, 5, NULL));
        csm_net_free(net);
    }
    loopback_stop(server);
}

static void a_state_of_a_later_version_is_refused_and_left_alone(void **state) {
    fixture *f = *state;
    const char *later = "{\"format\":\"cryptosmart.net.state\",\"version\":2}";
    write_state(f, later);
    csm_net_options options;
    csm_net_options_init(&options);
    options.state_path = f->state;
    csm_net *net = NULL;
    assert_int_equal(CSM_EUNSUPPORTED, csm_net_new(&net, f->context, &options));
    assert_non_null(strstr(csm_error_message(), "version 2"));
    char *text = fixture_read(f->state);
    assert_string_equal(later, text);
    free(text);
}

static void a_bucket_from_a_wrong_clock_is_at_worst_empty(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(answer_yes, NULL);
    const csm_net_source source = slow_source();
    write_state(
        f,
        "{\"format\":\"cryptosmart.net.state\",\"version\":1,\"buckets\":[{\"source\":\"test\",\"key\":\"\","
        "\"full_at\":\"2261-01-01T00:00:00Z\"}],\"sources\":[]}");
    f->clock = START;
    csm_net *net = impatient(f);
    csm_time retry_at = 0;
    assert_int_equal(0, sent_of(f, net, &source, server, 1, &retry_at));
    assert_true(retry_at <= START + 61 * CSM_SECOND + CSM_DAY);
    f->clock = retry_at;
    csm_net_free(net);
    loopback_stop(server);
}

static void two_clients_do_not_share_a_state_file(void **state) {
    fixture *f = *state;
    csm_net_options options;
    csm_net_options_init(&options);
    options.state_path = f->state;
    csm_net *first = fixture_net(f, &options);
    csm_net *second = NULL;
    assert_int_equal(CSM_ELOCKED, csm_net_new(&second, f->context, &options));
    csm_net_free(first);
    csm_net_free(fixture_net(f, &options));
}

static void a_state_file_that_cannot_be_written_is_an_error_not_silence(void **state) {
    fixture *f = *state;
    loopback *server = loopback_start(answer_yes, NULL);
    csm_net_options options;
    csm_net_options_init(&options);
    options.state_path = "/nonexistent-folder/net.json";
    csm_net *net = NULL;
    assert_int_not_equal(CSM_OK, csm_net_new(&net, f->context, &options));
    assert_non_null(strstr(csm_error_message(), "nonexistent-folder"));
    loopback_stop(server);
}

static void latches_survive_in_the_state_file_and_unlatching_removes_them(void **state) {
    fixture *f = *state;
    csm_net *net = impatient(f);
    assert_int_equal(CSM_OK, csm_net_latch(net, "paid", "HTTP 402: payment required"));
    char *text = fixture_read(f->state);
    assert_non_null(strstr(text, "payment required"));
    free(text);
    assert_int_equal(CSM_OK, csm_net_unlatch(net, "paid"));
    text = fixture_read(f->state);
    assert_null(strstr(text, "paid"));
    free(text);
    assert_int_equal(CSM_EINVAL, csm_net_latch(net, "", "x"));
    assert_int_equal(CSM_EINVAL, csm_net_unlatch(NULL, "x"));
    csm_net_free(net);
}

static void the_state_file_is_readable_by_its_owner_alone(void **state) {
    fixture *f = *state;
    csm_net *net = impatient(f);
    assert_int_equal(CSM_OK, csm_net_latch(net, "paid", "x"));
    struct stat info;
    assert_int_equal(0, stat(f->state, &info));
    assert_int_equal(0600, info.st_mode & 0777);
    csm_net_free(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_bucket_gives_its_burst_and_then_its_rate_also_after_a_restart),
        FIXTURE_TEST(each_key_has_its_own_bucket_within_the_sources),
        FIXTURE_TEST(tokens_are_waited_for_when_the_wait_is_short),
        FIXTURE_TEST(waits_end_even_when_the_contexts_clock_stands_still),
        FIXTURE_TEST(spent_tokens_of_a_slow_bucket_are_on_disk_before_the_answer),
        FIXTURE_TEST(a_damaged_state_file_is_kept_aside_and_never_gives_a_full_bucket),
        FIXTURE_TEST(a_state_of_a_later_version_is_refused_and_left_alone),
        FIXTURE_TEST(a_bucket_from_a_wrong_clock_is_at_worst_empty),
        FIXTURE_TEST(two_clients_do_not_share_a_state_file),
        FIXTURE_TEST(a_state_file_that_cannot_be_written_is_an_error_not_silence),
        FIXTURE_TEST(latches_survive_in_the_state_file_and_unlatching_removes_them),
        FIXTURE_TEST(the_state_file_is_readable_by_its_owner_alone),
    };
    return cmocka_run_group_tests_name("net limits", tests, NULL, NULL);
}
