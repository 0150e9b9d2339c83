/* SPDX-License-Identifier: MIT */
/* Logarithms of arrays against those of single numbers, bit by bit, in each instruction set of this machine. */
#include "fuse/series.h"

#include "backend/isa.h"
#include "fuse/logs.h"

#define N 4096

void csm_logs_scalar(double *out, const double *x, size_t n);
void csm_log1ps_scalar(double *out, const double *x, size_t n);
#ifdef CSM_HAVE_SIMD
void csm_logs_avx2(double *out, const double *x, size_t n);
void csm_log1ps_avx2(double *out, const double *x, size_t n);
#endif

typedef void (*logs)(double *out, const double *x, size_t n);

static bool same(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void compare(logs many, double (*one)(double), const double *x, size_t n) {
    double out[N];
    many(out, x, n);
    for (size_t i = 0; i < n; i++)
        if (!same(out[i], one(x[i]))) fail_msg("of %.17g: %.17g, not %.17g", x[i], out[i], one(x[i]));
}

static void compare_all(const double *x, size_t n) {
    compare(csm_logs, csm_log, x, n);
    compare(csm_log1ps, csm_log1p, x, n);
    compare(csm_logs_scalar, csm_log, x, n);
    compare(csm_log1ps_scalar, csm_log1p, x, n);
#ifdef CSM_HAVE_SIMD
    if (csm_backend_isa() >= CSM_ISA_AVX2) {
        compare(csm_logs_avx2, csm_log, x, n);
        compare(csm_log1ps_avx2, csm_log1p, x, n);
    }
#endif
}

static void arrays_have_the_bits_of_single_numbers(void **state) {
    (void)state;
    double x[N];
    for (int spread = 0; spread < 6; spread++) {
        for (size_t i = 0; i < N; i++)
            x[i] = csm_exp(pow(10, spread - 3) * csm_random_normal(5, (uint64_t)spread, i));
        compare_all(x, N);
        compare_all(x + 1, 77);
    }
}

static void edges_are_those_of_single_numbers(void **state) {
    (void)state;
    const double edges[] = {0.0,
                            0x1p-1074,
                            0x1p-1022,
                            0x1.fffffffffffffp-1023,
                            0x1p-60,
                            0x1p-54,
                            0x1p-53,
                            0.41,
                            0.40999999999999997,
                            0.41000000000000003,
                            0.70710678118654746,
                            0.70710678118654757,
                            1.0,
                            0x1.fffffffffffffp-1,
                            0x1.0000000000001p0,
                            1.4142135623730951,
                            2.0,
                            1e308,
                            0x1.fffffffffffffp1023,
                            INFINITY,
                            (double)NAN};
    compare_all(edges, sizeof edges / sizeof edges[0]);
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) compare_all(edges + i, 1);
    const double below[] = {-1.0, -0.0, -INFINITY};
    compare(csm_logs, csm_log, below, 3);
}

static void a_result_may_take_the_place_of_its_argument(void **state) {
    (void)state;
    double x[200], y[200];
    for (size_t i = 0; i < 200; i++) x[i] = y[i] = 0.1 + csm_random_uniform(5, 9, i);
    csm_logs(x, x, 200);
    for (size_t i = 0; i < 200; i++) assert_true(same(x[i], csm_log(y[i])));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_have_the_bits_of_single_numbers),
        cmocka_unit_test(edges_are_those_of_single_numbers),
        cmocka_unit_test(a_result_may_take_the_place_of_its_argument),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
