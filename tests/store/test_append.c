/* SPDX-License-Identifier: MIT */
#include "fixture.h"

static void test_a_few_rows_come_back_as_they_were(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 100);
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table *back = read_all(store, w, &stream), *expected = bars_from(0, 100);
    assert_same_table(expected, back);
    csm_table_free(back);
    csm_store_free(store);
    store = open_store(w, CSM_STORE_READ);
    back = read_all(store, w, &stream);
    assert_same_table(expected, back);
    csm_table_free(back);
    csm_table_free(expected);
    csm_store_free(store);
}

static void test_many_rows_become_a_segment_and_come_back(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 40000);
    int64_t tail, segments;
    assert_ok(csm_catalog_number(&tail, store, "SELECT count(*) FROM tail", -1));
    assert_ok(csm_catalog_number(&segments, store, "SELECT count(*) FROM segments", -1));
    assert_int_equal(tail, 0);
    assert_int_equal(segments, 1);
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table *back = read_all(store, w, &stream), *expected = bars_from(0, 40000);
    assert_same_table(expected, back);
    csm_table_free(back);
    csm_table_free(expected);
    csm_store_free(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_few_rows_come_back_as_they_were, workspace_setup,
                                        workspace_teardown),
        cmocka_unit_test_setup_teardown(test_many_rows_become_a_segment_and_come_back, workspace_setup,
                                        workspace_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
