/* SPDX-License-Identifier: MIT */
#include "calibrate/internal.h"

#include <string.h>

#define DIGIT_BITS 11
#define DIGITS ((size_t)1 << DIGIT_BITS)
#define PASSES 6 /* 66 bits cover 64 */

typedef struct keyed {
    uint64_t key;
    uint32_t index;
} keyed;

static uint32_t digit_of(uint64_t key, int pass) {
    return (uint32_t)(key >> (pass * DIGIT_BITS)) & (uint32_t)(DIGITS - 1);
}

/* Least significant digit first; digits that all keys share cost no pass. The result stands in the returned array. */
static keyed *radix_sort(keyed *rows, keyed *spare, size_t n, size_t *place) {
    memset(place, 0, PASSES * DIGITS * sizeof *place);
    for (size_t i = 0; i < n; i++) {
        for (int pass = 0; pass < PASSES; pass++)
            place[(size_t)pass * DIGITS + digit_of(rows[i].key, pass)]++;
    }
    for (int pass = 0; pass < PASSES; pass++) {
        size_t *start = place + (size_t)pass * DIGITS, sum = 0;
        if (start[digit_of(rows[0].key, pass)] == n) continue;
        for (size_t d = 0; d < DIGITS; d++) {
            size_t count = start[d];
            start[d] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++) spare[start[digit_of(rows[i].key, pass)]++] = rows[i];
        keyed *swap = rows;
        rows = spare;
        spare = swap;
    }
    return rows;
}

/* rows holds n keys in input order. */
static csm_status order_rows(uint32_t *order, keyed *rows, size_t n) {
    size_t sorted = 1;
    while (sorted < n && rows[sorted - 1].key <= rows[sorted].key) sorted++;
    const keyed *result = rows;
    keyed *spare = NULL;
    size_t *place = NULL;
    if (sorted < n) {
        spare = csm_alloc_array(n, sizeof *spare);
        place = csm_alloc_array(PASSES * DIGITS, sizeof *place);
        if (spare && place) result = radix_sort(rows, spare, n, place);
    }
    bool enough = sorted >= n || (spare && place);
    for (size_t i = 0; i < n && enough; i++) order[i] = result[i].index;
    csm_dealloc(place);
    csm_dealloc(spare);
    return enough ? CSM_OK : CSM_ENOMEM;
}

static csm_status new_rows(keyed **out, size_t n) {
    if (n > UINT32_MAX) return csm_fail(CSM_EINVAL, "calibrate: %zu rows are more than 2^32 - 1", n);
    *out = csm_alloc_array(n, sizeof **out);
    return *out ? CSM_OK : CSM_ENOMEM;
}

csm_status csm_order_f64(uint32_t *order, const double *key, size_t n) {
    keyed *rows = NULL;
    csm_status status = new_rows(&rows, n);
    if (status) return status;
    for (size_t i = 0; i < n; i++) {
        double value = key[i] + 0.0; /* -0 joins 0 */
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        rows[i] = (keyed){bits >> 63 ? ~bits : bits | (uint64_t)1 << 63, (uint32_t)i};
    }
    status = order_rows(order, rows, n);
    csm_dealloc(rows);
    return status;
}

csm_status csm_order_time(uint32_t *order, const csm_time *key, size_t n) {
    keyed *rows = NULL;
    csm_status status = new_rows(&rows, n);
    if (status) return status;
    for (size_t i = 0; i < n; i++) rows[i] = (keyed){(uint64_t)key[i] ^ (uint64_t)1 << 63, (uint32_t)i};
    status = order_rows(order, rows, n);
    csm_dealloc(rows);
    return status;
}
