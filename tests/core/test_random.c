/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <math.h>

/* Random123's kat_vectors, "philox4x32 10". */
static const struct {
    uint32_t counter[4];
    uint32_t key[2];
    uint32_t expected[4];
} known[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void philox_gives_the_published_answers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint32_t out[4];
        csm_philox4x32(out, known[i].counter, known[i].key);
        assert_memory_equal(out, known[i].expected, sizeof out);
    }
}

static void seed_stream_and_index_are_key_and_counter(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const uint64_t index = known[i].counter[0] | (uint64_t)known[i].counter[1] << 32;
        const uint64_t stream = known[i].counter[2] | (uint64_t)known[i].counter[3] << 32;
        const uint64_t seed = known[i].key[0] | (uint64_t)known[i].key[1] << 32;
        const uint64_t expected = known[i].expected[0] | (uint64_t)known[i].expected[1] << 32;
        assert_int_equal(csm_random_u64(seed, stream, index), expected);
        assert_true(csm_random_uniform(seed, stream, index) == (double)(expected >> 11) * 0x1p-53);
    }
}

static void uniform_numbers_fill_the_unit_interval(void **state) {
    (void)state;
    const int n = 200000;
    int counts[20] = {0};
    for (int i = 0; i < n; i++) {
        const double u = csm_random_uniform(1, 2, (uint64_t)i);
        assert_true(u >= 0 && u < 1);
        counts[(int)(u * 20)]++;
    }
    double chi_square = 0;
    for (int i = 0; i < 20; i++) chi_square += (counts[i] - n / 20.0) * (counts[i] - n / 20.0) / (n / 20.0);
    assert_true(chi_square < 43.8); /* 99.9 % point of 19 degrees of freedom; the sequence is fixed */
}

static void normal_numbers_have_the_moments_of_the_normal_law(void **state) {
    (void)state;
    const int n = 400000;
    double moments[5] = {0};
    for (int i = 0; i < n; i++) {
        const double z = csm_random_normal(3, 4, (uint64_t)i);
        double power = 1;
        for (int k = 1; k <= 4; k++) moments[k] += (power *= z) / n;
    }
    /* four standard errors: sqrt(1, 2, 15, 96) / sqrt(n) */
    assert_true(fabs(moments[1]) < 4 * 1.0 / sqrt(n));
    assert_true(fabs(moments[2] - 1) < 4 * sqrt(2.0 / n));
    assert_true(fabs(moments[3]) < 4 * sqrt(15.0 / n));
    assert_true(fabs(moments[4] - 3) < 4 * sqrt(96.0 / n));
}

static void streams_are_unrelated(void **state) {
    (void)state;
    const int n = 100000;
    double product = 0;
    for (int i = 0; i < n; i++)
        product += csm_random_normal(1, 0, (uint64_t)i) * csm_random_normal(1, 1, (uint64_t)i) / n;
    assert_true(fabs(product) < 4 / sqrt(n));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(seed_stream_and_index_are_key_and_counter),
        cmocka_unit_test(uniform_numbers_fill_the_unit_interval),
        cmocka_unit_test(normal_numbers_have_the_moments_of_the_normal_law),
        cmocka_unit_test(streams_are_unrelated),
    };
    return cmocka_run_group_tests_name("core.random", tests, NULL, NULL);
}
