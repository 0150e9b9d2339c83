/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <sodium.h>

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC_HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* FIPS 180-4 example */

static void hashes_are_those_of_the_standard(void **state) {
    (void)state;
    char text[CSM_HASH_TEXT];
    csm_hash hash = csm_hash_bytes("abc", 3);
    assert_string_equal(csm_hash_format(&hash, text), ABC_HASH);
    hash = csm_hash_bytes(NULL, 0);
    assert_string_equal(csm_hash_format(&hash, text), EMPTY_HASH);
}

static void pieces_hash_as_the_whole(void **state) {
    (void)state;
    char data[1000];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (char)(i * 7);
    const csm_hash whole = csm_hash_bytes(data, sizeof data);
    csm_hasher hasher;
    csm_hasher_init(&hasher);
    csm_hasher_update(&hasher, data, 1);
    csm_hasher_update(&hasher, data, 0);
    csm_hasher_update(&hasher, data + 1, 499);
    csm_hasher_update(&hasher, data + 500, 500);
    const csm_hash pieces = csm_hasher_final(&hasher);
    assert_memory_equal(&whole, &pieces, sizeof whole);
}

/* Long updates take the processor's own instructions where it has them. */
static void every_length_and_cut_hashes_as_libsodium_does(void **state) {
    (void)state;
    static uint8_t data[20000];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)csm_random_u64(7, 7, i);
    for (uint64_t n = 0; n < 300; n++) {
        const size_t length = n < 100 ? 4050 + n : (size_t)(csm_random_u64(1, n, 0) % sizeof data);
        const size_t cut = length ? (size_t)(csm_random_u64(2, n, 0) % length) : 0;
        uint8_t expected[crypto_hash_sha256_BYTES];
        crypto_hash_sha256(expected, data, length);
        csm_hasher hasher;
        csm_hasher_init(&hasher);
        csm_hasher_update(&hasher, data, cut);
        csm_hasher_update(&hasher, data + cut, length - cut);
        const csm_hash pieces = csm_hasher_final(&hasher), whole = csm_hash_bytes(data, length);
        assert_memory_equal(expected, pieces.bytes, sizeof expected);
        assert_memory_equal(expected, whole.bytes, sizeof expected);
    }
}

static void a_hash_is_read_back_from_its_text(void **state) {
    (void)state;
    const csm_hash expected = csm_hash_bytes("abc", 3);
    csm_hash hash;
    assert_ok(csm_hash_parse(&hash, ABC_HASH));
    assert_memory_equal(&hash, &expected, sizeof hash);
    assert_ok(csm_hash_parse(&hash, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"));
    assert_memory_equal(&hash, &expected, sizeof hash);
}

static void a_text_that_is_no_hash_is_refused(void **state) {
    (void)state;
    csm_hash hash;
    assert_fails(CSM_EPARSE, "byte 0", csm_hash_parse(&hash, ""));
    assert_fails(CSM_EPARSE, "byte 63",
                 csm_hash_parse(&hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a"));
    assert_fails(CSM_EPARSE, "more than 64", csm_hash_parse(&hash, ABC_HASH "0"));
    assert_fails(CSM_EPARSE, "byte 1 ", csm_hash_parse(&hash, "bg"));
    assert_fails(CSM_EINVAL, "NULL", csm_hash_parse(&hash, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_the_standard),
        cmocka_unit_test(pieces_hash_as_the_whole),
        cmocka_unit_test(every_length_and_cut_hashes_as_libsodium_does),
        cmocka_unit_test(a_hash_is_read_back_from_its_text),
        cmocka_unit_test(a_text_that_is_no_hash_is_refused),
    };
    return cmocka_run_group_tests_name("core.hash", tests, NULL, NULL);
}
