/* SPDX-License-Identifier: MIT */
#include "calibrate/internal.h"

#include <math.h>

csm_status csm_panel_copy(double **values, const csm_matrix *matrix, const char *what) {
    *values = NULL;
    if (!matrix || !matrix->data) return csm_fail(CSM_EINVAL, "%s: the matrix is NULL", what);
    if (matrix->rows == 0 || matrix->cols == 0 || matrix->rows > UINT32_MAX || matrix->cols > UINT32_MAX)
        return csm_fail(CSM_EINVAL, "%s: a matrix of %zu rows and %zu columns", what, matrix->rows,
                        matrix->cols);
    double *copy = csm_alloc_array(matrix->rows * matrix->cols, sizeof *copy);
    if (!copy) return CSM_ENOMEM;
    for (size_t c = 0; c < matrix->cols; c++) {
        for (size_t r = 0; r < matrix->rows; r++) {
            double value = copy[c * matrix->rows + r] = csm_matrix_get(matrix, r, c);
            if (isfinite(value)) continue;
            csm_dealloc(copy);
            return csm_fail(CSM_EINVAL, "%s: row %zu, column %zu is not finite", what, r, c);
        }
    }
    *values = copy;
    return CSM_OK;
}
