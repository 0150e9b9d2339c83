/* SPDX-License-Identifier: MIT */
/* Against the definition: every window folded on its own. */
#include "fuse/series.h"

#include "fuse/rolling.h"

#define N 257

static void fill(double *x) {
    for (size_t i = 0; i < N; i++) x[i] = csm_random_normal(3, 1, i);
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median_of(const double *x, size_t window) {
    double sorted[N];
    memcpy(sorted, x, window * sizeof *x);
    qsort(sorted, window, sizeof *sorted, compare);
    return window % 2 ? sorted[window / 2] : 0.5 * (sorted[window / 2 - 1] + sorted[window / 2]);
}

static void windows_fold_what_they_hold(void **state) {
    (void)state;
    double x[N], sum[N], high[N], low[N], median[N], room[2][N + CSM_MEDIAN_ROOM];
    _Alignas(64) double folds[CSM_ROLLING_ROOM * N];
    fill(x);
    const size_t windows[] = {1, 2, 3, 7, 64, 100, 128, 256, 257, 258, 1000};
    for (size_t j = 0; j < sizeof windows / sizeof windows[0]; j++) {
        const size_t w = windows[j];
        csm_rolling_sum(sum, x, N, w, folds);
        csm_rolling_max(high, x, N, w, folds);
        csm_rolling_min(low, x, N, w, folds);
        csm_rolling_median(median, x, N, w, (double *const[]){room[0], room[1]});
        for (size_t i = 0; i < N; i++) {
            if (i + 1 < w) {
                assert_true(isnan(sum[i]) && isnan(high[i]) && isnan(low[i]) && isnan(median[i]));
                continue;
            }
            double s = 0, h = -INFINITY, l = INFINITY;
            for (size_t k = i + 1 - w; k <= i; k++) {
                s += x[k];
                h = fmax(h, x[k]);
                l = fmin(l, x[k]);
            }
            assert_true(fabs(sum[i] - s) < 1e-12);
            assert_true(high[i] == h && low[i] == l);
            assert_true(median[i] == median_of(x + i + 1 - w, w));
        }
    }
}

static void a_value_that_is_missing_stays_in_its_windows(void **state) {
    (void)state;
    double x[N], sum[N];
    _Alignas(64) double folds[CSM_ROLLING_ROOM * N];
    fill(x);
    x[0] = (double)NAN;
    x[100] = (double)NAN;
    csm_rolling_sum(sum, x, N, 30, folds);
    for (size_t i = 29; i < N; i++) assert_int_equal(isnan(sum[i]) != 0, i < 30 || (i >= 100 && i < 130));
}

static void a_sum_forgets_a_large_value_wholly(void **state) {
    (void)state;
    double x[N], sum[N];
    _Alignas(64) double folds[CSM_ROLLING_ROOM * N];
    for (size_t i = 0; i < N; i++) x[i] = 1;
    x[50] = 1e17;
    csm_rolling_sum(sum, x, N, 20, folds);
    for (size_t i = 70; i < N; i++) assert_true(sum[i] == 20);
}

static void fold_all(double out[4][N], csm_isa isa, const double *x, size_t n, size_t window) {
    const csm_rolling rolling = csm_rolling_of(isa);
    double room[2][N + CSM_MEDIAN_ROOM];
    _Alignas(64) double folds[CSM_ROLLING_ROOM * N];
    memset(out, 0, 4 * sizeof out[0]);
    rolling.sum(out[0], x, n, window, folds);
    rolling.max(out[1], x, n, window, folds);
    rolling.min(out[2], x, n, window, folds);
    rolling.median(out[3], x, n, window, (double *const[]){room[0], room[1]});
}

/* Every instruction set this machine has, for every place of a window in its block. */
static void every_instruction_set_folds_the_same_bits(void **state) {
    (void)state;
    double x[N], plain[4][N], wide[4][N];
    fill(x);
    for (size_t i = 0; i < N; i += 5) x[i] = x[i / 2]; /* ties */
    for (size_t window = 1; window <= 60; window++)
        for (size_t n = 0; n <= N; n += n < 20 ? 1 : 29) {
            fold_all(plain, CSM_ISA_SCALAR, x, n, window);
            for (int isa = CSM_ISA_AVX2; isa <= (int)csm_backend_isa(); isa++) {
                fold_all(wide, (csm_isa)isa, x, n, window);
                assert_memory_equal(plain, wide, sizeof plain);
            }
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_fold_what_they_hold),
        cmocka_unit_test(a_value_that_is_missing_stays_in_its_windows),
        cmocka_unit_test(a_sum_forgets_a_large_value_wholly),
        cmocka_unit_test(every_instruction_set_folds_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
