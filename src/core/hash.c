/* SPDX-License-Identifier: MIT */
#include "core/internal.h"

#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(csm_hasher),
               "csm_hasher is too small for libsodium");
_Static_assert(_Alignof(crypto_hash_sha256_state) <= _Alignof(csm_hasher),
               "csm_hasher is aligned too loosely");

static crypto_hash_sha256_state *state_of(csm_hasher *hasher) {
    return (crypto_hash_sha256_state *)(void *)hasher->state;
}

void csm_hasher_init(csm_hasher *hasher) {
    memset(hasher, 0, sizeof *hasher);
    crypto_hash_sha256_init(state_of(hasher));
}

#define BLOCK ((size_t)64)
#define LONG_BYTES                                                                                           \
    ((size_t)4096) /* asking the processor what it can takes as long as hashing some hundred bytes */

/* Whole blocks from a block's border on, on libsodium's state (a public struct); the rest is left to it. */
static size_t take_blocks(crypto_hash_sha256_state *state, const uint8_t *data, size_t length) {
    const size_t blocks = length / BLOCK;
    if (!csm_hash_blocks(state->state, data, blocks)) return 0;
    state->count += 8 * (uint64_t)(blocks * BLOCK);
    return blocks * BLOCK;
}

void csm_hasher_update(csm_hasher *hasher, const void *data, size_t length) {
    crypto_hash_sha256_state *state = state_of(hasher);
    const uint8_t *bytes = data;
    if (length >= LONG_BYTES) { /* up to a block's border first */
        const size_t behind = (size_t)(state->count / 8 % BLOCK), missing = behind ? BLOCK - behind : 0;
        crypto_hash_sha256_update(state, bytes, missing);
        bytes += missing;
        length -= missing;
        const size_t taken = take_blocks(state, bytes, length);
        bytes += taken;
        length -= taken;
    }
    if (length) crypto_hash_sha256_update(state, bytes, length);
}

csm_hash csm_hasher_final(csm_hasher *hasher) {
    csm_hash hash;
    crypto_hash_sha256_final(state_of(hasher), hash.bytes);
    return hash;
}

csm_hash csm_hash_bytes(const void *data, size_t length) {
    csm_hasher hasher;
    csm_hasher_init(&hasher);
    csm_hasher_update(&hasher, data, length);
    return csm_hasher_final(&hasher);
}

char *csm_hash_format(const csm_hash *hash, char *text) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < CSM_HASH_BYTES; i++) {
        text[2 * i] = digits[hash->bytes[i] >> 4];
        text[2 * i + 1] = digits[hash->bytes[i] & 15];
    }
    text[2 * CSM_HASH_BYTES] = '\0';
    return text;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

csm_status csm_hash_parse(csm_hash *out, const char *text) {
    csm_hash hash;
    if (!text) return csm_fail(CSM_EINVAL, "hash: text is NULL");
    for (size_t i = 0; i < 2 * CSM_HASH_BYTES; i++) {
        const int value = hex_value(text[i]);
        if (value < 0)
            return csm_fail(CSM_EPARSE, "hash: byte %zu is not a hexadecimal digit; 64 of them are needed",
                            i);
        uint8_t *byte = &hash.bytes[i / 2];
        *byte = (uint8_t)(i % 2 ? *byte | value : value << 4);
    }
    if (text[2 * CSM_HASH_BYTES] != '\0')
        return csm_fail(CSM_EPARSE, "hash: more than 64 hexadecimal digits");
    *out = hash;
    return CSM_OK;
}
