/* SPDX-License-Identifier: MIT */
#include "net/fixture.h"

#include "net/internal.h"

static void redacts_to(const char *url, const char *const *names, const char *expected) {
    char text[512];
    assert_ptr_equal(text, csm_net_redact(url, names, text, sizeof text));
    assert_string_equal(expected, text);
}

static void named_parameters_and_user_info_are_masked_and_all_else_stays(void **state) {
    (void)state;
    static const char *const names[] = {"apikey", "auth_token", NULL};
    redacts_to("https://x.io/a?apikey=S3CRET&b=1", names, "https://x.io/a?apikey=***&b=1");
    redacts_to("https://x.io/a?b=1&APIKEY=S3CRET#top", names, "https://x.io/a?b=1&APIKEY=***#top");
    redacts_to("https://x.io/a?api%6bey=S3CRET", names, "https://x.io/a?api%6bey=***");
    redacts_to("https://x.io/a?auth_token=a&auth_token=b;apikey=c", names,
               "https://x.io/a?auth_token=***&auth_token=***;apikey=***");
    redacts_to("https://x.io/a?apikey=", names, "https://x.io/a?apikey=");
    redacts_to("https://x.io/a?apikey", names, "https://x.io/a?apikey");
    redacts_to("https://x.io/a?apikey==x=y&z=apikey", names, "https://x.io/a?apikey=***&z=apikey");
    redacts_to("https://x.io/a?myapikey=1&apikeys=2", names, "https://x.io/a?myapikey=1&apikeys=2");
    redacts_to("https://user:pass@x.io/a", names, "https://***@x.io/a");
    redacts_to("https://a@b@x.io/?c=d@e", NULL, "https://***@x.io/?c=d@e");
    redacts_to("https://x.io/a?apikey=S3CRET", NULL, "https://x.io/a?apikey=S3CRET");
    redacts_to("", names, "");
    redacts_to(NULL, names, "");
    redacts_to("?apikey=x", names, "?apikey=***");
}

static void secrets_within_a_path_are_masked_by_their_pattern(void **state) {
    (void)state;
    static const char *const bot[] = {"/bot*", NULL};
    redacts_to("https://api.telegram.org/bot123:ABC/getMe?x=1", bot,
               "https://api.telegram.org/bot***/getMe?x=1");
    redacts_to("https://api.telegram.org/about", bot, "https://api.telegram.org/about");
    static const char *const slack[] = {"/services/*/*/*", NULL};
    redacts_to("https://hooks.slack.com/services/T0/B0/XYZ", slack,
               "https://hooks.slack.com/services/***/***/***");
    static const char *const llama[] = {"/*/api/", NULL};
    redacts_to("https://pro-api.llama.fi/KEY/api/tvl", llama, "https://pro-api.llama.fi/***/api/tvl");
    redacts_to("https://pro-api.llama.fi/KEY/other", llama, "https://pro-api.llama.fi/KEY/other");
}

static void a_redacted_text_is_cut_to_size_after_masking(void **state) {
    (void)state;
    static const char *const names[] = {"k", NULL};
    for (size_t size = 1; size < 40; size++) {
        char text[64];
        memset(text, 'Z', sizeof text);
        csm_net_redact("https://x.io/?k=SECRETSECRET&m=1", names, text, size);
        assert_true(strlen(text) < size);
        assert_null(strstr(text, "SECRET"));
        assert_int_equal('Z', text[size]);
    }
}

static void secrets_are_scrubbed_from_any_text_as_sent_and_decoded(void **state) {
    (void)state;
    static const char *const names[] = {"key", NULL};
    static const char *const headers[] = {"Authorization: Bearer abcdef123456", "Accept: application/json",
                                          NULL};
    const csm_net_request request = {.url = "https://x.io/?key=top%2Fsecret&n=1", .headers = headers};
    char text[200] = "bad key top/secret (top%2Fsecret), bearer abcdef123456,\r\nwants application/json";
    assert_int_equal(CSM_OK, csm_net_scrub_text(text, sizeof text, &request, names));
    assert_string_equal("bad key *** (***), bearer ***,  wants application/json", text);
}

/* ---- canaries: planted secrets, looked for wherever text leaves the library ---- */

#define CANARY_QUERY "CANARYquery11"
#define CANARY_HEADER "CANARYheader22"
#define CANARY_PATH "CANARYpath33"

static uint32_t echoing_judge(void *user, const csm_net_reply *reply, csm_time *retry_at, char *text,
                              size_t text_size) {
    (void)user;
    (void)retry_at;
    snprintf(text, text_size, "server says: %s", reply->body);
    return strstr(reply->url, "auth") ? CSM_NET_AUTH : CSM_NET_TRANSIENT;
}

static void echo_secrets(loopback *server, int fd, const loopback_request *request, void *user) {
    (void)server;
    (void)user;
    char text[12000];
    const int n = snprintf(text, sizeof text, "invalid key in %s; %s", request->path,
                           strstr(request->headers, CANARY_HEADER) ? CANARY_HEADER : "-");
    loopback_reply(fd, 200, "Content-Type: text/" CANARY_HEADER "\r\n", text, (size_t)n);
}

static void no_canary(const char *where, const char *text) {
    if (strstr(text, "CANARY")) fail_msg("%s: %s", where, text);
}

static void planted_secrets_appear_in_no_text_log_state_or_cassette(void **state) {
    static const char *const names[] = {"apikey", "/bot*", NULL};
    static const char *const headers[] = {"Authorization: Bearer " CANARY_HEADER, NULL};
    fixture *f = *state;
    loopback *server = loopback_start(echo_secrets, NULL);
    csm_net_options options;
    csm_net_options_init(&options);
    options.state_path = f->state;
    options.cassette_path = f->cassette;
    options.cassette_mode = CSM_CASSETTE_RECORD;
    csm_net *net = fixture_net(f, &options);
    csm_net_source source = fixture_source();
    source.classify = echoing_judge;
    source.secret_parameters = names;
    char urls[3][200];
    snprintf(urls[0], sizeof urls[0], "%s/bot" CANARY_PATH "/x?apikey=" CANARY_QUERY, server->base);
    snprintf(urls[1], sizeof urls[1], "http://127.0.0.1:1/bot" CANARY_PATH "/x?apikey=" CANARY_QUERY);
    snprintf(urls[2], sizeof urls[2], "%s/bot" CANARY_PATH "/auth?apikey=" CANARY_QUERY, server->base);
    for (size_t i = 0; i < 3; i++) {
        const csm_net_request request = {.url = urls[i], .headers = headers};
        csm_net_replies *replies = NULL;
        assert_int_equal(CSM_OK,
                         csm_net_perform(&replies, net, f->context, &source, &request, 1, NULL, NULL));
        const csm_net_reply *reply = csm_net_replies_at(replies, 0);
        assert_int_equal(i == 2 ? CSM_NET_AUTH : CSM_NET_TRANSIENT, reply->net_class);
        assert_true(strlen(reply->text) > 10);
        no_canary("text", reply->text);
        no_canary("url", reply->url);
        no_canary("content type", reply->content_type);
        csm_net_replies_free(replies);
    }
    static const char *const bad[] = {"Authorization Bearer " CANARY_HEADER, NULL};
    const csm_net_request request = {.url = urls[0], .headers = bad};
    csm_net_replies *replies = NULL;
    assert_int_equal(CSM_EINVAL,
                     csm_net_perform(&replies, net, f->context, &source, &request, 1, NULL, NULL));
    no_canary("error", csm_error_message());
    csm_net_free(net);
    no_canary("log", f->log.data);
    assert_non_null(strstr(f->log.data, "apikey=***"));
    char *text = fixture_read(f->state);
    assert_non_null(strstr(text, "latched"));
    no_canary("state", text);
    free(text);
    text = fixture_read(f->cassette);
    assert_non_null(strstr(text, "/bot***/x?apikey=***"));
    no_canary("cassette", text);
    free(text);
    loopback_stop(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(named_parameters_and_user_info_are_masked_and_all_else_stays),
        FIXTURE_TEST(secrets_within_a_path_are_masked_by_their_pattern),
        FIXTURE_TEST(a_redacted_text_is_cut_to_size_after_masking),
        FIXTURE_TEST(secrets_are_scrubbed_from_any_text_as_sent_and_decoded),
        FIXTURE_TEST(planted_secrets_appear_in_no_text_log_state_or_cassette),
    };
    return cmocka_run_group_tests_name("net redact", tests, NULL, NULL);
}
