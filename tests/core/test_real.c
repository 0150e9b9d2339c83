/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "core/real.h"

#include <math.h>

typedef struct function {
    const char *name;
    double (*value)(double);
    double ulps; /* the bound that real.h states */
} function;

static const function functions[] = {
    {"log", csm_log, 1},
    {"log1p", csm_log1p, 1},
    {"exp", csm_exp, 1},
    {"expm1", csm_expm1, 1},
    {"tanh", csm_tanh, 1},
    {"logistic", csm_logistic, 1},
    {"log_logistic", csm_log_logistic, 2},
    {"cos_turn", csm_cos_turn, 1},
    {"sin_turn", csm_sin_turn, 1},
    {"normal_cdf", csm_normal_cdf, 5},
    {"normal_quantile", csm_normal_quantile, 8},
};

#define FUNCTIONS (sizeof functions / sizeof functions[0])

static double ulp_of(double x) {
    int exponent;
    frexp(x, &exponent);
    return ldexp(1, exponent - 53 < -1074 ? -1074 : exponent - 53);
}

static void every_function_is_within_its_bound_of_the_exact_value(void **state) {
    (void)state;
    FILE *file = fopen(CSM_SOURCE_DIR "/tests/core/golden/real.txt", "r");
    assert_non_null(file);
    size_t checked[FUNCTIONS] = {0};
    char line[256];
    while (fgets(line, sizeof line, file)) {
        char name[32];
        double x, expected, remainder;
        if (line[0] == '#') continue;
        assert_int_equal(sscanf(line, "%31s %la %la %la", name, &x, &expected, &remainder), 4);
        size_t f = 0;
        while (f < FUNCTIONS && strcmp(functions[f].name, name) != 0) f++;
        assert_true(f < FUNCTIONS);
        const double got = functions[f].value(x);
        const double error = fabs((got - expected) - remainder) / ulp_of(expected);
        if (!(error <= functions[f].ulps))
            fail_msg("%s(%a) is %a, %.3f ulp off %a", name, x, got, error, expected);
        checked[f]++;
    }
    fclose(file);
    for (size_t f = 0; f < FUNCTIONS; f++) assert_true(checked[f] >= 70);
}

typedef struct edge {
    double (*value)(double);
    double x;
    double expected;
} edge;

static void assert_same(double got, double expected, double x) {
    const int same = isnan(expected) ? isnan(got) : got == expected && !signbit(got) == !signbit(expected);
    if (!same) fail_msg("at %a: %a instead of %a", x, got, expected);
}

static void the_edges_are_those_of_annex_f(void **state) {
    (void)state;
    const edge edges[] = {
        {csm_log, 1, 0},
        {csm_log, 0.0, -INFINITY},
        {csm_log, -0.0, -INFINITY},
        {csm_log, -1, NAN},
        {csm_log, -INFINITY, NAN},
        {csm_log, INFINITY, INFINITY},
        {csm_log1p, 0.0, 0.0},
        {csm_log1p, -0.0, -0.0},
        {csm_log1p, -1, -INFINITY},
        {csm_log1p, -1.5, NAN},
        {csm_log1p, INFINITY, INFINITY},
        {csm_log1p, 1e-300, 1e-300},
        {csm_exp, 0.0, 1},
        {csm_exp, -0.0, 1},
        {csm_exp, INFINITY, INFINITY},
        {csm_exp, -INFINITY, 0},
        {csm_exp, 709.79, INFINITY},
        {csm_exp, 1e300, INFINITY},
        {csm_exp, -745.2, 0},
        {csm_exp, -745.13, 0x1p-1074},
        {csm_exp, -1e300, 0},
        {csm_expm1, 0.0, 0.0},
        {csm_expm1, -0.0, -0.0},
        {csm_expm1, INFINITY, INFINITY},
        {csm_expm1, -INFINITY, -1},
        {csm_expm1, 0x1p-1074, 0x1p-1074},
        {csm_expm1, 710.1, INFINITY},
        {csm_tanh, 0.0, 0.0},
        {csm_tanh, -0.0, -0.0},
        {csm_tanh, INFINITY, 1},
        {csm_tanh, -INFINITY, -1},
        {csm_tanh, -0x1p-1074, -0x1p-1074},
        {csm_logistic, 0, 0.5},
        {csm_logistic, INFINITY, 1},
        {csm_logistic, -INFINITY, 0},
        {csm_logistic, -745.13, 0x1p-1074},
        {csm_log_logistic, INFINITY, -0.0},
        {csm_log_logistic, -INFINITY, -INFINITY},
        {csm_log_logistic, -1e300, -1e300},
        {csm_cos_turn, 0, 1},
        {csm_cos_turn, 0.25, 0.0},
        {csm_cos_turn, 0.5, -1},
        {csm_cos_turn, -0.75, 0.0},
        {csm_cos_turn, 1e300, 1},
        {csm_cos_turn, INFINITY, NAN},
        {csm_sin_turn, 0.0, 0.0},
        {csm_sin_turn, 0.25, 1},
        {csm_sin_turn, -0.25, -1},
        {csm_sin_turn, 0.5, 0.0},
        {csm_sin_turn, 3.75, -1},
        {csm_sin_turn, -INFINITY, NAN},
        {csm_normal_cdf, 0, 0.5},
        {csm_normal_cdf, INFINITY, 1},
        {csm_normal_cdf, -INFINITY, 0},
        {csm_normal_cdf, 40, 1},
        {csm_normal_quantile, 0.5, 0},
        {csm_normal_quantile, 0, -INFINITY},
        {csm_normal_quantile, 1, INFINITY},
        {csm_normal_quantile, -0.1, NAN},
        {csm_normal_quantile, 1.1, NAN},
    };
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        assert_same(edges[i].value(edges[i].x), edges[i].expected, edges[i].x);
    for (size_t f = 0; f < FUNCTIONS; f++) assert_true(isnan(functions[f].value(NAN)));
}

static void symmetries_hold_to_the_bit(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        const double x = 20 * csm_random_uniform(1, 0, i);
        assert_true(csm_tanh(-x) == -csm_tanh(x));
        assert_true(csm_sin_turn(-x) == -csm_sin_turn(x));
        assert_true(csm_cos_turn(-x) == csm_cos_turn(x));
        const double p = 0.5 + x / 41;
        assert_true(csm_normal_quantile(1 - p) == -csm_normal_quantile(p));
        assert_true(fabs(csm_normal_cdf(x) + csm_normal_cdf(-x) - 1) <= 0x1p-52);
        assert_true(fabs(csm_logistic(x) + csm_logistic(-x) - 1) <= 0x1p-52);
    }
}

/* The same bits for every compiler, optimisation and instruction set (law 6). The constant is the hash of this grid
 * under gcc 12 -O0, -O3 and -O3 -mavx512f and clang 14 -O0 and -O3, all alike. */
#define GRID_HASH "905d5e89355bfb9eb347405c1be7b3202949959b984feebf07edbfea2bec88b5"

static void a_grid_of_values_has_the_same_bits_everywhere(void **state) {
    (void)state;
    csm_hasher hasher;
    csm_hasher_init(&hasher);
    for (uint64_t i = 0; i < 200000; i++) {
        const double u = csm_random_uniform(2024, 0, i);
        const int power = (int)(csm_random_u64(2024, 1, i) % 64) - 54;
        const double magnitude = ldexp(1 + u, power);
        const double points[FUNCTIONS] = {magnitude,
                                          magnitude - 0.5 * u,
                                          1400 * u - 700,
                                          100 * u - 40,
                                          40 * u - 20,
                                          80 * u - 40,
                                          80 * u - 40,
                                          8 * u - 4,
                                          8 * u - 4,
                                          46 * u - 38,
                                          u};
        double values[FUNCTIONS + 1];
        for (size_t f = 0; f < FUNCTIONS; f++) values[f] = functions[f].value(points[f]);
        values[FUNCTIONS] = csm_random_normal(2024, 2, i);
        csm_hasher_update(&hasher, values, sizeof values);
    }
    const csm_hash hash = csm_hasher_final(&hasher);
    char text[CSM_HASH_TEXT];
    assert_string_equal(csm_hash_format(&hash, text), GRID_HASH);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_within_its_bound_of_the_exact_value),
        cmocka_unit_test(the_edges_are_those_of_annex_f),
        cmocka_unit_test(symmetries_hold_to_the_bit),
        cmocka_unit_test(a_grid_of_values_has_the_same_bits_everywhere),
    };
    return cmocka_run_group_tests_name("core.real", tests, NULL, NULL);
}
