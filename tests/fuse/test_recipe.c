/* SPDX-License-Identifier: MIT */
#include "fuse/series.h"

#include <stdio.h>

static csm_recipe *spine(void) {
    csm_recipe *recipe = NULL;
    if (csm_fuse_recipe(&recipe, "spine-1")) fail_msg("%s", csm_error_message());
    return recipe;
}

static void a_built_in_recipe_fits_twelve_weeks(void **state) {
    (void)state;
    csm_recipe *recipe = spine();
    assert_string_equal(csm_recipe_name(recipe), "spine-1");
    assert_in_range(csm_recipe_features(recipe), 90, 130);
    assert_in_range(csm_recipe_memory(recipe), 720, 31 * 24);
    size_t most = 0;
    for (size_t i = 0; i < csm_recipe_features(recipe); i++) {
        csm_feature_info info;
        assert_int_equal(csm_recipe_feature(&info, recipe, i), CSM_OK);
        assert_non_null(info.name);
        assert_true(strlen(info.text) > 10);
        assert_true(info.memory >= 1);
        if (info.memory > most) most = info.memory;
    }
    assert_int_equal(most, csm_recipe_memory(recipe));
    csm_feature_info info;
    assert_int_equal(csm_recipe_feature(&info, recipe, csm_recipe_features(recipe)), CSM_EINVAL);
    csm_recipe_free(recipe);
}

static void recipes_are_listed_and_unknown_ones_refused(void **state) {
    (void)state;
    csm_recipe *recipe = NULL;
    assert_string_equal(csm_fuse_recipe_name(0), "spine-1");
    assert_null(csm_fuse_recipe_name(csm_fuse_recipe_count()));
    assert_int_equal(csm_fuse_recipe(&recipe, "spine-99"), CSM_ENOTFOUND);
    assert_non_null(strstr(csm_error_message(), "spine-99"));
    assert_null(recipe);
    assert_int_equal(csm_fuse_recipe(&recipe, NULL), CSM_EINVAL);
    csm_recipe_free(NULL);
}

static void json_gives_the_same_recipe_back(void **state) {
    (void)state;
    csm_recipe *recipe = spine(), *again = NULL;
    char *json = NULL, *twice = NULL;
    assert_int_equal(csm_fuse_recipe_json(&json, recipe), CSM_OK);
    if (csm_fuse_recipe_parse(&again, json, strlen(json))) fail_msg("%s", csm_error_message());
    assert_string_equal(csm_recipe_hash(again), csm_recipe_hash(recipe));
    assert_int_equal(strlen(csm_recipe_hash(again)), 64);
    assert_int_equal(csm_fuse_recipe_json(&twice, again), CSM_OK);
    assert_string_equal(json, twice);
    csm_fuse_text_free(json);
    csm_fuse_text_free(twice);
    csm_recipe_free(recipe);
    csm_recipe_free(again);
}

static void a_group_leaves_visibly(void **state) {
    (void)state;
    csm_recipe *recipe = spine(), *rest = NULL, *same = NULL;
    assert_int_equal(csm_fuse_recipe_without(&rest, recipe, "sentiment"), CSM_OK);
    assert_string_equal(csm_recipe_name(rest), "spine-1-sentiment");
    assert_int_equal(csm_recipe_features(rest), csm_recipe_features(recipe) - 4);
    assert_string_not_equal(csm_recipe_hash(rest), csm_recipe_hash(recipe));
    assert_int_equal(csm_fuse_recipe_without(&same, rest, "onchain"), CSM_OK);
    assert_string_equal(csm_recipe_hash(same), csm_recipe_hash(rest));
    csm_recipe_free(rest);
    csm_recipe_free(same);
    const char *groups[] = {"price", "volume", "indicator", "cross", "bitcoin", "sentiment", "calendar"};
    csm_recipe *left = recipe;
    for (size_t i = 0; i < 6; i++) {
        csm_recipe *next = NULL;
        assert_int_equal(csm_fuse_recipe_without(&next, left, groups[i]), CSM_OK);
        csm_recipe_free(left);
        left = next;
    }
    csm_recipe *none = NULL;
    assert_int_equal(csm_fuse_recipe_without(&none, left, groups[6]), CSM_EINVAL);
    assert_null(none);
    csm_recipe_free(left);
}

static void hostile_recipes_are_refused_with_the_place(void **state) {
    (void)state;
#define ONE(text) "{\"format\":1,\"name\":\"x\",\"features\":[" text "]}"
#define RETURN(parameters, memory)                                                                           \
    "{\"name\":\"a\",\"group\":\"price\",\"formula\":\"log_return\",\"parameters\":" parameters              \
    ",\"memory\":" memory "}"
    static const struct {
        const char *json;
        csm_status status;
        const char *place;
    } cases[] = {
        {"", CSM_EPARSE, "byte"},
        {"[]", CSM_EUNSUPPORTED, "format"},
        {"{\"format\":2,\"name\":\"x\",\"features\":[]}", CSM_EUNSUPPORTED, "format"},
        {"{\"format\":1,\"features\":[]}", CSM_EPARSE, "name"},
        {"{\"format\":1,\"name\":\"x\",\"features\":[]}", CSM_EPARSE, "features"},
        {"{\"format\":1,\"name\":\"x\",\"features\":{}}", CSM_EPARSE, "features"},
        {"{\"format\":1,\"format\":1,\"name\":\"x\",\"features\":[]}", CSM_EPARSE, "byte"},
        {ONE("1"), CSM_EPARSE, "feature 0"},
        {ONE("{\"name\":\"a\"}"), CSM_EPARSE, "formula"},
        {ONE(RETURN("[0]", "1")), CSM_EINVAL, "log_return is 0"},
        {ONE(RETURN("[1.5]", "2")), CSM_EINVAL, "1.5"},
        {ONE(RETURN("[-3]", "2")), CSM_EINVAL, "-3"},
        {ONE(RETURN("[1e300]", "2")), CSM_EINVAL, "1e+300"},
        {ONE(RETURN("[]", "2")), CSM_EPARSE, "parameters"},
        {ONE(RETURN("[1,2]", "2")), CSM_EPARSE, "parameters"},
        {ONE(RETURN("[\"1\"]", "2")), CSM_EPARSE, "not a number"},
        {ONE(RETURN("[24]", "24")), CSM_EUNSUPPORTED, "needs 25 bars"},
        {ONE(RETURN("[24]", "25") "," RETURN("[24]", "25")), CSM_EINVAL, "twice"},
        {ONE("{\"name\":\"a\",\"group\":\"price\",\"formula\":\"magic\",\"parameters\":[],\"memory\":1}"),
         CSM_EUNSUPPORTED, "magic"},
        {ONE("{\"name\":\"a\",\"group\":\"volume\",\"formula\":\"body\",\"parameters\":[],\"memory\":1}"),
         CSM_EPARSE, "group"},
        {ONE("{\"name\":\"a\",\"group\":\"indicator\",\"formula\":\"indicator_value\",\"parameters\":[],"
             "\"indicator\":\"nothing\",\"indicator_parameters\":[],\"output\":\"x\",\"memory\":1}"),
         CSM_EUNSUPPORTED, "nothing"},
        {ONE("{\"name\":\"a\",\"group\":\"indicator\",\"formula\":\"indicator_value\",\"parameters\":[],"
             "\"indicator\":\"rsi\",\"indicator_parameters\":[14],\"output\":\"x\",\"memory\":1}"),
         CSM_EUNSUPPORTED, "output"},
        {ONE("{\"name\":\"a\",\"group\":\"indicator\",\"formula\":\"indicator_value\",\"parameters\":[],"
             "\"indicator\":\"rsi\",\"indicator_parameters\":[-14],\"output\":\"rsi\",\"memory\":1}"),
         CSM_EINVAL, "rsi"},
        {ONE("{\"name\":\"a\",\"group\":\"indicator\",\"formula\":\"indicator_spread\",\"parameters\":[],"
             "\"indicator\":\"rsi\",\"indicator_parameters\":[14],\"output\":\"rsi\",\"memory\":1}"),
         CSM_EINVAL, "third output"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        csm_recipe *recipe = NULL;
        const csm_status status = csm_fuse_recipe_parse(&recipe, cases[i].json, strlen(cases[i].json));
        if (status != cases[i].status || !strstr(csm_error_message(), cases[i].place))
            fail_msg("%s gave %s: %s", cases[i].json, csm_status_name(status), csm_error_message());
        assert_null(recipe);
    }
}

static void memory_that_runs_out_leaves_nothing_behind(void **state) {
    (void)state;
    csm_recipe *recipe = spine();
    char *json = NULL;
    assert_int_equal(csm_fuse_recipe_json(&json, recipe), CSM_OK);
    csm_status status = CSM_ENOMEM;
    uint64_t n = 0;
    while (status) {
        csm_recipe *again = NULL;
        csm_fault_allocation(++n, false);
        status = csm_fuse_recipe_parse(&again, json, strlen(json));
        csm_fault_allocation(0, false);
        if (status) assert_int_equal(status, CSM_ENOMEM);
        assert_int_equal(again == NULL, status != CSM_OK);
        csm_recipe_free(again);
    }
    assert_true(n > 100);
    csm_fuse_text_free(json);
    csm_recipe_free(recipe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_built_in_recipe_fits_twelve_weeks),
        cmocka_unit_test(recipes_are_listed_and_unknown_ones_refused),
        cmocka_unit_test(json_gives_the_same_recipe_back),
        cmocka_unit_test(a_group_leaves_visibly),
        cmocka_unit_test(hostile_recipes_are_refused_with_the_place),
        cmocka_unit_test(memory_that_runs_out_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
