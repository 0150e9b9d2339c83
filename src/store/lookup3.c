/* SPDX-License-Identifier: MIT */
#include "store/hdf5.h"

static uint32_t rotate(uint32_t value, int bits) {
    return value << bits | value >> (32 - bits);
}

static uint32_t word_at(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Names a, b, c and the constants are the paper's: http://burtleburtle.net/bob/c/lookup3.c */
static void mix(uint32_t s[3]) {
    static const int shift[6] = {4, 6, 8, 16, 19, 4};
    for (int i = 0; i < 6; i++) {
        uint32_t *x = &s[i % 3], *y = &s[(i + 1) % 3], *z = &s[(i + 2) % 3];
        *x -= *z;
        *x ^= rotate(*z, shift[i]);
        *z += *y;
    }
}

static void finish(uint32_t s[3]) {
    static const int shift[7] = {14, 11, 25, 16, 4, 14, 24};
    for (int i = 0; i < 7; i++) {
        uint32_t *x = &s[(i + 2) % 3], *y = &s[(i + 1) % 3];
        *x ^= *y;
        *x -= rotate(*y, shift[i]);
    }
}

uint32_t csm_lookup3(const uint8_t *data, size_t length) {
    const uint32_t start = 0xdeadbeef + (uint32_t)length;
    uint32_t s[3] = {start, start, start};
    if (length == 0) return s[2];
    for (; length > 12; length -= 12, data += 12) {
        for (int i = 0; i < 3; i++) s[i] += word_at(data + 4 * i);
        mix(s);
    }
    for (size_t i = 0; i < length; i++) s[i / 4] += (uint32_t)data[i] << (8 * (i % 4));
    finish(s);
    return s[2];
}
