/* SPDX-License-Identifier: MIT */
#include "support.h"

static void a_row_major_view_reads_what_it_borrows(void **state) {
    (void)state;
    float small[6] = {1, 2, 3, 4, 5, 6};
    double wide[6] = {10, 20, 30, 40, 50, 60};
    const csm_matrix f32 = csm_matrix_f32(small, 2, 3);
    const csm_matrix f64 = csm_matrix_f64(wide, 3, 2);
    assert_int_equal(f32.dtype, CSM_F32);
    assert_int_equal(f32.rows, 2);
    assert_int_equal(f32.cols, 3);
    assert_true(csm_matrix_get(&f32, 1, 2) == 6);
    assert_true(csm_matrix_get(&f32, 0, 1) == 2);
    assert_int_equal(f64.dtype, CSM_F64);
    assert_true(csm_matrix_get(&f64, 2, 0) == 50);
}

static void strides_transpose_and_reverse_without_a_copy(void **state) {
    (void)state;
    double data[6] = {1, 2, 3, 4, 5, 6};
    csm_matrix transposed = csm_matrix_f64(data, 3, 2);
    transposed.row_stride = 1;
    transposed.col_stride = 3;
    assert_true(csm_matrix_get(&transposed, 2, 0) == 3);
    assert_true(csm_matrix_get(&transposed, 0, 1) == 4);
    csm_matrix reversed = csm_matrix_f64(data + 5, 6, 1);
    reversed.row_stride = -1;
    assert_true(csm_matrix_get(&reversed, 0, 0) == 6);
    assert_true(csm_matrix_get(&reversed, 5, 0) == 1);
}

static void a_series_is_a_view_of_one_dimension(void **state) {
    (void)state;
    float small[4] = {1, 2, 3, 4};
    double wide[2] = {0.5, 1.5};
    csm_series f32 = csm_series_f32(small, 2);
    f32.stride = 2;
    const csm_series f64 = csm_series_f64(wide, 2);
    assert_int_equal(f32.dtype, CSM_F32);
    assert_true(csm_series_get(&f32, 1) == 3);
    assert_int_equal(f64.length, 2);
    assert_true(csm_series_get(&f64, 1) == 1.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_major_view_reads_what_it_borrows),
        cmocka_unit_test(strides_transpose_and_reverse_without_a_copy),
        cmocka_unit_test(a_series_is_a_view_of_one_dimension),
    };
    return cmocka_run_group_tests_name("core.view", tests, NULL, NULL);
}
