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

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_good_answer_is_ok_and_whole),
        FIXTURE_TEST(every_status_has_its_class_and_number_of_tries),
    };
    return cmocka_run_group_tests_name("net perform", tests, NULL, NULL);
}
