/* SPDX-License-Identifier: MIT */
/* Configuration: defaults, YAML with every fault's place, environment, typed reading, checks across options. */
#include "pipeline/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static csm_config *fresh(void) {
    csm_config *config = NULL;
    assert_int_equal(csm_config_new(&config), CSM_OK);
    return config;
}

static csm_status parse(csm_config *config, const char *yaml) {
    return csm_config_parse(config, yaml, strlen(yaml), "test.yaml");
}

static void every_default_passes_its_own_check(void **state) {
    (void)state;
    for (size_t i = 0; i < csm_config_option_count(); i++) {
        const csm_option *option = csm_config_option_at(i);
        if (csm_config_check_value(option, option->standard) != CSM_OK) fail_msg("%s", csm_error_message());
        assert_int_equal(csm_config_find(option->name), i);
        assert_non_null(strchr(option->name, '.'));
    }
    assert_null(csm_config_option_at(csm_config_option_count()));
}

static void the_defaults_as_a_whole_are_consistent(void **state) {
    (void)state;
    csm_config *config = fresh();
    assert_int_equal(csm_config_check(config), CSM_OK);
    csm_config_free(config);
}

static void yaml_replaces_what_it_names_and_leaves_the_rest(void **state) {
    (void)state;
    csm_config *config = fresh();
    assert_int_equal(
        parse(config, "gate:\n  threshold: 0.85\ntrain:\n  horizons: [1h, 3d, 30d]\nrun: {seed: 7}\n"),
        CSM_OK);
    assert_string_equal(csm_config_get(config, "gate.threshold"), "0.85");
    assert_string_equal(csm_config_get(config, "train.horizons"), "1h,3d,30d");
    assert_true(csm_config_integer(config, "run.seed") == 7);
    assert_string_equal(csm_config_get(config, "gate.horizon"), "30d");
    csm_config_free(config);
}

/* ---- options of a host program ---- */

static const csm_option host_rows[] = {
    {"daemon.port", "port of the dashboard", "8080", 1, 65535, CSM_OPTION_INTEGER, 0},
    {"daemon.hosts", "names it answers to", "", 0, 4, CSM_OPTION_LIST, 0},
};

static void a_host_reads_its_own_options_from_the_same_sources(void **state) {
    (void)state;
    csm_config *config = NULL, *copy = NULL, *plain = fresh();
    char with[65], without[65];
    const char *const environment[] = {"CRYPTOSMART__DAEMON__PORT=9090", "HOME=/", NULL};
    assert_int_equal(csm_config_new_with(&config, host_rows, 2), CSM_OK);
    assert_string_equal(csm_config_get(config, "daemon.port"), "8080");
    assert_int_equal(parse(config, "daemon: {port: 81, hosts: [a, b]}\ngate: {threshold: 0.9}\n"), CSM_OK);
    assert_string_equal(csm_config_get(config, "daemon.port"), "81");
    assert_string_equal(csm_config_get(config, "daemon.hosts"), "a,b");
    assert_int_equal(csm_config_environment(config, environment), CSM_OK);
    assert_int_equal(csm_config_copy(&copy, config), CSM_OK);
    assert_string_equal(csm_config_get(copy, "daemon.port"), "9090");
    assert_int_equal(csm_config_count(copy), csm_config_option_count() + 2);
    assert_string_equal(csm_config_option(copy, csm_config_option_count() + 1)->name, "daemon.hosts");
    assert_null(csm_config_option(copy, csm_config_option_count() + 2));
    assert_int_equal(parse(plain, "gate: {threshold: 0.9}\n"), CSM_OK);
    assert_int_equal(csm_config_hash(with, sizeof with, config), CSM_OK);
    assert_int_equal(csm_config_hash(without, sizeof without, plain), CSM_OK);
    assert_string_equal(with, without);
    csm_config_free(copy);
    csm_config_free(config);
    csm_config_free(plain);
}

static void a_hosts_options_are_checked_like_the_librarys(void **state) {
    (void)state;
    csm_config *config = NULL;
    assert_int_equal(csm_config_new_with(&config, host_rows, 2), CSM_OK);
    assert_int_equal(parse(config, "daemon:\n  port: 70000\n  prot: 1\n"), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "test.yaml:2:3: daemon.port"));
    assert_non_null(strstr(csm_error_message(), "unknown option 'daemon.prot'"));
    csm_config_free(config);
    csm_option bad[] = {host_rows[0], host_rows[0]};
    assert_int_equal(csm_config_new_with(&config, bad, 2), CSM_EEXIST);
    assert_null(config);
    bad[0].name = "gate.threshold";
    assert_int_equal(csm_config_new_with(&config, bad, 1), CSM_EEXIST);
    static const char *const names[] = {"port", "daemon.", ".port", "Daemon.port", "a.b.c", "a.b__c"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bad[0].name = names[i];
        assert_int_equal(csm_config_new_with(&config, bad, 1), CSM_EINVAL);
    }
    bad[0] = host_rows[0];
    bad[0].standard = "none";
    assert_int_equal(csm_config_new_with(&config, bad, 1), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "standard value"));
    for (uint64_t n = 1;; n++) {
        csm_fault_allocation(n, false);
        const csm_status status = csm_config_new_with(&config, host_rows, 2);
        csm_fault_allocation(0, false);
        if (status == CSM_OK) break;
        assert_int_equal(status, CSM_ENOMEM);
        assert_null(config);
    }
    csm_config_free(config);
}

static void a_later_file_overrides_an_earlier_one(void **state) {
    (void)state;
    csm_config *config = fresh();
    assert_int_equal(parse(config, "cost: {notional: 500, assumed_fee: 0.002}\n"), CSM_OK);
    assert_int_equal(parse(config, "cost: {notional: 2500}\n"), CSM_OK);
    assert_true(csm_config_real(config, "cost.notional") == 2500);
    assert_true(csm_config_real(config, "cost.assumed_fee") == 0.002);
    csm_config_free(config);
}

static void all_faults_of_a_file_are_named_at_once_with_their_places(void **state) {
    (void)state;
    csm_config *config = fresh();
    const char *yaml = "gate:\n  threshold: 0.5\n  colour: red\nfuse: 3\nrun:\n  threads: two\n";
    assert_int_equal(parse(config, yaml), CSM_EINVAL);
    const char *text = csm_error_message();
    assert_non_null(strstr(text, "test.yaml:2:3: gate.threshold: 0.5 is outside 0.8..1"));
    assert_non_null(strstr(text, "test.yaml:3:3: unknown option 'gate.colour'"));
    assert_non_null(strstr(text, "test.yaml:4:1: section 'fuse' holds no options"));
    assert_non_null(strstr(text, "test.yaml:6:3: run.threads: 'two' is not a number"));
    csm_config_free(config);
}

static void text_that_the_yaml_reader_could_hang_on_is_refused_with_its_place(void **state) {
    (void)state;
    const struct {
        const char *yaml, *says;
    } cases[] = {
        {"gate:\n  threshold: \"\xa6\"\n", "test.yaml:2:15: not UTF-8"},
        {"a\xc3", "test.yaml:1:2: not UTF-8"},             /* cut short */
        {"a\xe0\x80\x80", "test.yaml:1:2: not UTF-8"},     /* longer than needed */
        {"a\xed\xa0\x80", "test.yaml:1:2: not UTF-8"},     /* a surrogate */
        {"a\xf4\x90\x80\x80", "test.yaml:1:2: not UTF-8"}, /* past U+10FFFF */
        {"run: {seed: 7\x01}\n", "test.yaml:1:14: a control character"},
        {"%\"\xa6", "test.yaml:1:1: directives"},                      /* libfyaml's issue 101 */
        {"\xef\xbb\xbf%YAML 1.2\n---\n", "test.yaml:1:2: directives"}, /* after a byte order mark */
        {"a: 1\r%x", "test.yaml:1:6: directives"},
        {"a: 1\xe2\x80\xa8%x", "test.yaml:1:6: directives"},
    };
    csm_config *config = fresh();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(config, cases[i].yaml), CSM_EINVAL);
        if (!strstr(csm_error_message(), cases[i].says))
            fail_msg("%s, not %s", csm_error_message(), cases[i].says);
    }
    assert_int_equal(parse(config, "# Preis in \xe2\x82\xac, 100 %\nrun: {seed: 7}\n"), CSM_OK);
    csm_config_free(config);
}

static void a_file_with_a_fault_changes_nothing(void **state) {
    (void)state;
    csm_config *config = fresh();
    char before[65], after[65];
    assert_int_equal(csm_config_hash(before, sizeof before, config), CSM_OK);
    assert_int_equal(parse(config, "cost: {notional: 77}\ngate: {history: 2w}\n"), CSM_EINVAL);
    assert_int_equal(csm_config_hash(after, sizeof after, config), CSM_OK);
    assert_string_equal(before, after);
    csm_config_free(config);
}

static void broken_yaml_is_refused_with_line_and_column(void **state) {
    (void)state;
    csm_config *config = fresh();
    assert_int_equal(parse(config, "gate: {threshold: 0.9\n"), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "test.yaml:"));
    csm_config_free(config);
}

static void an_empty_file_is_a_file_without_options(void **state) {
    (void)state;
    csm_config *config = fresh();
    assert_int_equal(parse(config, ""), CSM_OK);
    assert_int_equal(parse(config, "# nothing here\n"), CSM_OK);
    csm_config_free(config);
}

static void the_gate_cannot_be_lowered(void **state) {
    (void)state;
    csm_config *config = fresh();
    assert_int_equal(csm_config_set(config, "gate.threshold", "0.79"), CSM_EINVAL);
    assert_int_equal(csm_config_set(config, "gate.history", "11w"), CSM_EINVAL);
    assert_int_equal(csm_config_set(config, "gate.threshold", "0.80"), CSM_OK);
    csm_config_free(config);
}

static void numbers_must_be_numbers(void **state) {
    (void)state;
    csm_config *config = fresh();
    const char *const wrong[] = {"", "nan", "inf", "1e400", "0x10", "1,5", "--1", "1 000"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(csm_config_set(config, "cost.notional", wrong[i]), CSM_EINVAL);
    assert_int_equal(csm_config_set(config, "run.threads", "1.5"), CSM_EINVAL);
    assert_int_equal(csm_config_set(config, "run.threads", "-1"), CSM_EINVAL);
    csm_config_free(config);
}

static void the_environment_overrides_and_names_what_it_does_not_know(void **state) {
    (void)state;
    csm_config *config = fresh();
    const char *const good[] = {"PATH=/bin", "CRYPTOSMART__GATE__MINIMUM_EVIDENCE=CERTIFIED", NULL};
    const char *const unknown[] = {"CRYPTOSMART__GATE__COLOUR=red", NULL};
    const char *const shapeless[] = {"CRYPTOSMART__GATE=1", NULL};
    assert_int_equal(csm_config_environment(config, good), CSM_OK);
    assert_string_equal(csm_config_get(config, "gate.minimum_evidence"), "CERTIFIED");
    assert_int_equal(csm_config_environment(config, unknown), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "gate.colour"));
    assert_int_equal(csm_config_environment(config, shapeless), CSM_EINVAL);
    csm_config_free(config);
}

static void lists_must_match_the_horizons(void **state) {
    (void)state;
    csm_config *config = fresh();
    assert_int_equal(csm_config_set(config, "train.horizons", "1h,30d"), CSM_OK);
    assert_int_equal(csm_config_check(config), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "train.steps: 4 items for 2 horizons"));
    csm_config_free(config);
}

static void the_gates_horizon_must_be_trained(void **state) {
    (void)state;
    csm_config *config = fresh();
    assert_int_equal(csm_config_set(config, "gate.horizon", "3d"), CSM_OK);
    assert_int_equal(csm_config_check(config), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "gate.horizon: 3d is not among"));
    csm_config_free(config);
}

static void items_of_a_list_are_trimmed(void **state) {
    (void)state;
    csm_config *config = fresh();
    char item[16];
    assert_int_equal(csm_config_set(config, "universe.quotes", "USD, EUR ,USDT"), CSM_OK);
    assert_int_equal(csm_config_items(config, "universe.quotes"), 3);
    assert_true(csm_config_item(config, "universe.quotes", 1, item, sizeof item));
    assert_string_equal(item, "EUR");
    assert_false(csm_config_item(config, "universe.quotes", 3, item, sizeof item));
    csm_config_free(config);
}

static void every_source_of_the_defaults_exists_at_its_configured_address(void **state) {
    (void)state;
    csm_config *config = fresh();
    char name[64];
    for (size_t i = 0; csm_config_item(config, "ingest.sources", i, name, sizeof name); i++) {
        const csm_source *source = csm_ingest_source_find(name);
        if (!source) fail_msg("no source is called %s", name);
        const char *option = strncmp(name, "kraken.", 7) == 0 ? "kraken.url" : "fear_greed.url";
        assert_string_equal(csm_config_get(config, option), source->base_url);
    }
    csm_config_free(config);
}

static void the_hash_follows_every_value(void **state) {
    (void)state;
    csm_config *config = fresh();
    char before[65], after[65];
    assert_int_equal(csm_config_hash(before, sizeof before, config), CSM_OK);
    assert_int_equal(csm_config_set(config, "gbt.rounds", "81"), CSM_OK);
    assert_int_equal(csm_config_hash(after, sizeof after, config), CSM_OK);
    assert_string_not_equal(before, after);
    csm_config_free(config);
}

static void a_failed_allocation_leaves_the_configuration_as_it_was(void **state) {
    (void)state;
    csm_config *config = fresh();
    char before[65], after[65];
    assert_int_equal(csm_config_hash(before, sizeof before, config), CSM_OK);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status != CSM_OK; n++) {
        csm_fault_allocation(n, false);
        status = parse(config, "gate: {threshold: 0.9}\n");
        csm_fault_allocation(0, false);
        if (status == CSM_OK) break;
        assert_int_equal(status, CSM_ENOMEM);
        assert_int_equal(csm_config_hash(after, sizeof after, config), CSM_OK);
        assert_string_equal(before, after);
    }
    assert_string_equal(csm_config_get(config, "gate.threshold"), "0.9");
    csm_config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_passes_its_own_check),
        cmocka_unit_test(the_defaults_as_a_whole_are_consistent),
        cmocka_unit_test(yaml_replaces_what_it_names_and_leaves_the_rest),
        cmocka_unit_test(a_host_reads_its_own_options_from_the_same_sources),
        cmocka_unit_test(a_hosts_options_are_checked_like_the_librarys),
        cmocka_unit_test(a_later_file_overrides_an_earlier_one),
        cmocka_unit_test(all_faults_of_a_file_are_named_at_once_with_their_places),
        cmocka_unit_test(text_that_the_yaml_reader_could_hang_on_is_refused_with_its_place),
        cmocka_unit_test(a_file_with_a_fault_changes_nothing),
        cmocka_unit_test(broken_yaml_is_refused_with_line_and_column),
        cmocka_unit_test(an_empty_file_is_a_file_without_options),
        cmocka_unit_test(the_gate_cannot_be_lowered),
        cmocka_unit_test(numbers_must_be_numbers),
        cmocka_unit_test(the_environment_overrides_and_names_what_it_does_not_know),
        cmocka_unit_test(lists_must_match_the_horizons),
        cmocka_unit_test(the_gates_horizon_must_be_trained),
        cmocka_unit_test(items_of_a_list_are_trimmed),
        cmocka_unit_test(every_source_of_the_defaults_exists_at_its_configured_address),
        cmocka_unit_test(the_hash_follows_every_value),
        cmocka_unit_test(a_failed_allocation_leaves_the_configuration_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
