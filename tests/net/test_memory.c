/* SPDX-License-Identifier: MIT */
/* Every allocation of the calling thread fails once: an error and no leak (the sanitizers watch), never a crash. */
#include "net/fixture.h"

static void short_story(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)user;
    if (strstr(request->path, "busy") && request->index % 2 == 0)
        loopback_text(fd, 503, NULL, "busy");
    else
        loopback_text(
            fd, strstr(request->path, "auth") ? 401 : 200, "Content-Type: text/plain\r\n",
            "an answer of some length, so that its buffer grows more than once: 0123456789 0123456789");
}

/* A client's life: made, asked, latched, freed. */
static csm_status live(fixture *f, const loopback *server, const csm_net_options *options) {
    static const char *const names[] = {"key", NULL};
    static const char *const headers[] = {"X-Secret: 0123456789", NULL};
    char urls[3][128];
    snprintf(urls[0], sizeof urls[0], "%s/busy?key=12345%%206", server->base);
    snprintf(urls[1], sizeof urls[1], "%s/x", server->base);
    snprintf(urls[2], sizeof urls[2], "%s/auth", server->base);
    const csm_net_request requests[3] = {{.url = urls[0], .key = "A", .headers = headers},
                                         {.url = urls[1], .key = "B", .body = "post", .body_length = 4},
                                         {.url = urls[2]}};
    csm_net_source source = fixture_source();
    source.in_flight = 1;
    source.key_rate = 1000;
    source.key_burst = 10;
    source.secret_parameters = names;
    csm_net *net = NULL;
    csm_net_replies *replies = NULL;
    csm_status status = csm_net_new(&net, f->context, options);
    if (!status) status = csm_net_perform(&replies, net, f->context, &source, requests, 3, NULL, NULL);
    if (!status) status = csm_net_latch(net, "other", "reason");
    if (!status) status = csm_net_unlatch(net, "test");
    csm_net_replies_free(replies);
    csm_net_free(net);
    return status;
}

static void fail_each_allocation(fixture *f, const csm_net_options *options, bool record) {
    loopback *server = loopback_start(short_story, NULL);
    csm_context_set_log(f->context, NULL, NULL);
    uint64_t n = 1;
    for (; n < 2000; n++) {
        if (record) remove(f->cassette);
        csm_fault_allocation(n, false);
        const csm_status status = live(f, server, options);
        const bool reached = csm_fault_allocations_seen() >= n;
        csm_fault_allocation(0, false);
        if (!reached) {
            if (status) fail_msg("without a fault: %s", csm_error_message());
            break;
        }
        /* A failure that only cost a log line or a kept error text may pass. */
        if (status && status != CSM_ENOMEM)
            fail_msg("allocation %llu: %s: %s", (unsigned long long)n, csm_status_name(status),
                     csm_error_message());
        remove(f->state);
    }
    print_message("%llu allocations failed in turn\n", (unsigned long long)n - 1);
    assert_true(n > 20 && n < 2000);
    loopback_stop(server);
}

static void each_failed_allocation_of_a_live_call_is_an_error(void **state) {
    fixture *f = *state;
    csm_net_options options;
    csm_net_options_init(&options);
    options.state_path = f->state;
    fail_each_allocation(f, &options, false);
}

static void each_failed_allocation_while_recording_is_an_error(void **state) {
    fixture *f = *state;
    csm_net_options options;
    csm_net_options_init(&options);
    options.cassette_path = f->cassette;
    options.cassette_mode = CSM_CASSETTE_RECORD;
    fail_each_allocation(f, &options, true);
}

static void each_failed_allocation_while_replaying_is_an_error(void **state) {
    fixture *f = *state;
    csm_net_options options;
    csm_net_options_init(&options);
    options.cassette_path = f->cassette;
    options.cassette_mode = CSM_CASSETTE_RECORD;
    loopback *server = loopback_start(short_story, NULL);
    assert_int_equal(CSM_OK, live(f, server, &options));
    options.cassette_mode = CSM_CASSETTE_REPLAY;
    csm_context_set_log(f->context, NULL, NULL);
    uint64_t n = 1;
    for (; n < 2000; n++) {
        csm_fault_allocation(n, false);
        const csm_status status = live(f, server, &options);
        const bool reached = csm_fault_allocations_seen() >= n;
        csm_fault_allocation(0, false);
        if (!reached) break;
        if (status && status != CSM_ENOMEM)
            fail_msg("allocation %llu: %s", (unsigned long long)n, csm_error_message());
    }
    assert_true(n > 20 && n < 2000);
    loopback_stop(server);
}

static void a_state_file_read_without_memory_is_an_error_and_stays(void **state) {
    fixture *f = *state;
    const char *text =
        "{\"format\":\"cryptosmart.net.state\",\"version\":1,\"buckets\":[{\"source\":\"a\",\"key\":\"b\","
        "\"full_at\":\"2250-01-01T00:00:00Z\"}],\"sources\":[{\"name\":\"c\",\"latched\":\"d\"}]}";
    assert_int_equal(CSM_OK, csm_file_write_atomic(f->state, text, strlen(text), 0600));
    csm_net_options options;
    csm_net_options_init(&options);
    options.state_path = f->state;
    csm_context_set_log(f->context, NULL, NULL);
    for (uint64_t n = 1;; n++) {
        csm_net *net = NULL;
        csm_fault_allocation(n, false);
        const csm_status status = csm_net_new(&net, f->context, &options);
        const bool reached = csm_fault_allocations_seen() >= n;
        csm_fault_allocation(0, false);
        csm_net_free(net);
        if (!reached) break;
        assert_int_equal(CSM_ENOMEM, status);
        char *kept = fixture_read(f->state);
        assert_string_equal(text, kept);
        free(kept);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(each_failed_allocation_of_a_live_call_is_an_error),
        FIXTURE_TEST(each_failed_allocation_while_recording_is_an_error),
        FIXTURE_TEST(each_failed_allocation_while_replaying_is_an_error),
        FIXTURE_TEST(a_state_file_read_without_memory_is_an_error_and_stays),
    };
    return cmocka_run_group_tests_name("net memory", tests, NULL, NULL);
}
