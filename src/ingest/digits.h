/* SPDX-License-Identifier: MIT */
/* Short plain decimals, eight bytes at a time. The digits of a little-endian word are found and folded with a few additions
 * and multiplications (Lemire, "Number parsing at a gigabyte per second", 2021, section 5, tells the trick). */
#ifndef CSM_INGEST_DIGITS_H
#define CSM_INGEST_DIGITS_H

#include "core/internal.h"

#include <string.h>

#define CSM_DIGITS_REACH                                                                                     \
    18 /* bytes that csm_digits_take may look at: 8 digits, a point, 8 digits, what follows */

static inline uint64_t csm_digits_load(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word ^ 0x3030303030303030u; /* digits become 0..9 */
}

/* How many of the eight bytes, from the first, are digits. */
static inline unsigned csm_digits_run(uint64_t word) {
    uint64_t other = ((word + 0x7676767676767676u) | word) & 0x8080808080808080u;
    return other == 0 ? 8u : (unsigned)__builtin_ctzll(other) / 8u;
}

/* Value of the first `count` digits, 1..8. */
static inline uint64_t csm_digits_fold(uint64_t word, unsigned count) {
    word <<= 64 - 8 * count;
    word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ffu;
    word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffffu;
    return (word * 10000 + (word >> 32)) & 0xffffffffu;
}

/* "123.4500" of at most 7 digits before and 8 behind the point; *at moves behind it. The caller has CSM_DIGITS_REACH bytes.
 * False, and *at where it was, for anything else: the exact parser decides then. */
static inline bool csm_digits_take(const char **at, csm_decimal *out) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    static const int64_t power[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    const char *text = *at;
    uint64_t word = csm_digits_load(text);
    unsigned whole = csm_digits_run(word);
    if (whole == 0 || whole == 8) return false;
    int64_t ticks = (int64_t)csm_digits_fold(word, whole);
    text += whole;
    unsigned kept = 0;
    if (*text == '.') {
        word = csm_digits_load(text + 1);
        unsigned fraction = csm_digits_run(word);
        if (fraction == 0) return false;
        uint64_t digits = fraction == 8 ? word : word & (((uint64_t)1 << (8 * fraction)) - 1);
        kept = digits == 0 ? 0 : 8 - (unsigned)__builtin_clzll(digits) / 8; /* without zeros at the end */
        if (kept > 0) ticks = ticks * power[kept] + (int64_t)csm_digits_fold(word, kept);
        text += 1 + fraction;
    }
    *out = (csm_decimal){.ticks = ticks, .scale = (int32_t)kept, .reserved = 0};
    *at = text;
    return true;
#else
    (void)at;
    (void)out;
    return false;
#endif
}

#endif
