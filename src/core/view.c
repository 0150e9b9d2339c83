/* SPDX-License-Identifier: MIT */
#include <cryptosmart/core.h>

csm_matrix csm_matrix_f32(float *data, size_t rows, size_t cols) {
    return (csm_matrix){.data = data,
                        .rows = rows,
                        .cols = cols,
                        .row_stride = (ptrdiff_t)cols,
                        .col_stride = 1,
                        .dtype = CSM_F32};
}

csm_matrix csm_matrix_f64(double *data, size_t rows, size_t cols) {
    return (csm_matrix){.data = data,
                        .rows = rows,
                        .cols = cols,
                        .row_stride = (ptrdiff_t)cols,
                        .col_stride = 1,
                        .dtype = CSM_F64};
}

csm_series csm_series_f32(float *data, size_t length) {
    return (csm_series){.data = data, .length = length, .stride = 1, .dtype = CSM_F32};
}

csm_series csm_series_f64(double *data, size_t length) {
    return (csm_series){.data = data, .length = length, .stride = 1, .dtype = CSM_F64};
}

double csm_matrix_get(const csm_matrix *matrix, size_t r, size_t c) {
    const ptrdiff_t at = (ptrdiff_t)r * matrix->row_stride + (ptrdiff_t)c * matrix->col_stride;
    return matrix->dtype == CSM_F32 ? (double)((const float *)matrix->data)[at]
                                    : ((const double *)matrix->data)[at];
}

double csm_series_get(const csm_series *series, size_t i) {
    const ptrdiff_t at = (ptrdiff_t)i * series->stride;
    return series->dtype == CSM_F32 ? (double)((const float *)series->data)[at]
                                    : ((const double *)series->data)[at];
}
