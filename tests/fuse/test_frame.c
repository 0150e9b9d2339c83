/* SPDX-License-Identifier: MIT */
#include "fuse/series.h"

#include <stdio.h>

static csm_recipe *without_sentiment(void) {
    csm_recipe *whole = NULL, *recipe = NULL;
    if (csm_fuse_recipe(&whole, "spine-1")) fail_msg("%s", csm_error_message());
    assert_int_equal(csm_fuse_recipe_without(&recipe, whole, "sentiment"), CSM_OK);
    csm_recipe_free(whole);
    return recipe;
}

static void every_decision_is_a_row_or_has_a_reason(void **state) {
    (void)state;
    series s[3] = {series_new(1500, 0), series_new(1500, 1), series_new(1200, 2)};
    const csm_track_source sources[3] = {series_source(&s[0], "BTC"), series_source(&s[1], "ETH"),
                                         series_source(&s[2], "ADA")};
    csm_recipe *recipe = without_sentiment();
    csm_frame *frame = frame_of(sources, 3, NULL, recipe, NULL, 2);
    const csm_matrix m = csm_frame_matrix(frame);
    assert_int_equal(m.rows + csm_frame_excluded_count(frame), 3 * 1500);
    assert_true(m.rows > 2000);
    for (size_t r = 0; r < m.rows; r++)
        for (size_t f = 0; f < m.cols; f++) assert_true(isfinite(((const float *)m.data)[r * m.cols + f]));
    csm_frame_free(frame);
    csm_recipe_free(recipe);
    for (int i = 0; i < 3; i++) series_free(&s[i]);
}

static void the_same_bits_come_from_any_number_of_threads(void **state) {
    (void)state;
    series s[3] = {series_new(1500, 0), series_new(1500, 1), series_new(1200, 2)};
    const csm_track_source sources[3] = {series_source(&s[0], "BTC"), series_source(&s[1], "ETH"),
                                         series_source(&s[2], "ADA")};
    csm_recipe *recipe = without_sentiment();
    csm_frame *a = frame_of(sources, 3, NULL, recipe, NULL, 1),
              *b = frame_of(sources, 3, NULL, recipe, NULL, 5);
    assert_int_equal(a->rows, b->rows);
    assert_memory_equal(a->matrix, b->matrix, a->rows * recipe->count * sizeof(float));
    assert_memory_equal(a->times, b->times, a->rows * sizeof(csm_time));
    csm_frame_free(a);
    csm_frame_free(b);
    csm_recipe_free(recipe);
    for (int i = 0; i < 3; i++) series_free(&s[i]);
}

static void the_same_bits_come_from_any_instruction_set(void **state) {
    (void)state;
    series s[2] = {series_new(1000, 0), series_new(1000, 1)};
    const csm_track_source sources[2] = {series_source(&s[0], "BTC"), series_source(&s[1], "ETH")};
    csm_recipe *recipe = without_sentiment();
    csm_frame *best = frame_of(sources, 2, NULL, recipe, NULL, 1);
    assert_true(best->rows > 500);
    for (int isa = CSM_ISA_SCALAR; isa <= (int)csm_backend_isa(); isa++) {
        for (size_t f = 0; f < recipe->count; f++)
            recipe->features[f].formula = csm_formula_of((csm_isa)isa, recipe->features[f].formula->name);
        csm_frame *frame = frame_of(sources, 2, NULL, recipe, NULL, 1);
        assert_int_equal(frame->rows, best->rows);
        assert_memory_equal(frame->matrix, best->matrix, best->rows * recipe->count * sizeof(float));
        csm_frame_free(frame);
    }
    csm_frame_free(best);
    csm_recipe_free(recipe);
    for (int i = 0; i < 2; i++) series_free(&s[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_decision_is_a_row_or_has_a_reason),
        cmocka_unit_test(the_same_bits_come_from_any_number_of_threads),
        cmocka_unit_test(the_same_bits_come_from_any_instruction_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
