/* SPDX-License-Identifier: MIT */
#include "core/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SCALE_MAX CSM_DECIMAL_SCALE_MAX
#define DIGITS_MAX 18
#define EXPONENT_LIMIT                                                                                       \
    100000 /* more is out of range whatever the digits; keeps the sum below from overflowing */

__extension__ typedef unsigned __int128 uint128;

const int64_t csm_power_of_ten[CSM_DECIMAL_SCALE_MAX + 1] = {1,
                                                             10,
                                                             100,
                                                             1000,
                                                             10000,
                                                             100000,
                                                             1000000,
                                                             10000000,
                                                             100000000,
                                                             1000000000,
                                                             10000000000,
                                                             100000000000,
                                                             1000000000000,
                                                             10000000000000,
                                                             100000000000000,
                                                             1000000000000000,
                                                             10000000000000000,
                                                             100000000000000000,
                                                             1000000000000000000};

int csm_decimal_compare(csm_decimal left, csm_decimal right) {
    __extension__ typedef __int128 int128;
    int128 a = left.ticks, b = right.ticks;
    if (left.scale < right.scale) a *= csm_power_of_ten[right.scale - left.scale];
    if (right.scale < left.scale) b *= csm_power_of_ten[left.scale - right.scale];
    return a < b ? -1 : a > b;
}

/* A number as read: digits * 10^exponent with no zero at either end of its digits. */
typedef struct reading {
    const char *text;
    size_t length;
    size_t at;
    uint64_t digits;
    int significant;
    int64_t exponent;
    bool negative;
    bool any;
} reading;

static csm_status fail_at(const reading *r, const char *what) {
    const int shown = r->length > 64 ? 64 : (int)r->length;
    return csm_fail(CSM_EPARSE, "decimal \"%.*s\": %s at byte %zu", shown, r->text, what, r->at);
}

static bool digit_next(const reading *r) {
    return r->at < r->length && r->text[r->at] >= '0' && r->text[r->at] <= '9';
}

/* Zeros wait in `zeros` until another digit shows that they were not trailing. */
static csm_status take_digits(reading *r, bool fraction, int64_t *zeros) {
    for (; digit_next(r); r->at++) {
        const int digit = r->text[r->at] - '0';
        r->any = true;
        if (fraction) r->exponent--;
        if (digit == 0) {
            *zeros += r->significant > 0;
            continue;
        }
        if (*zeros + r->significant + 1 > DIGITS_MAX) return fail_at(r, "more than 18 significant digits");
        for (; *zeros > 0; --*zeros, r->significant++) r->digits *= 10;
        r->digits = r->digits * 10 + (uint64_t)digit;
        r->significant++;
    }
    return CSM_OK;
}

static csm_status take_exponent(reading *r) {
    if (r->at >= r->length || (r->text[r->at] != 'e' && r->text[r->at] != 'E')) return CSM_OK;
    r->at++;
    const bool negative = r->at < r->length && r->text[r->at] == '-';
    if (r->at < r->length && (r->text[r->at] == '-' || r->text[r->at] == '+')) r->at++;
    if (!digit_next(r)) return fail_at(r, "an exponent without digits");
    int64_t value = 0;
    for (; digit_next(r); r->at++) {
        if (value < EXPONENT_LIMIT) value = value * 10 + (r->text[r->at] - '0');
    }
    r->exponent += negative ? -value : value;
    return CSM_OK;
}

static csm_status take_number(reading *r) {
    int64_t zeros = 0;
    if (r->at < r->length && (r->text[r->at] == '-' || r->text[r->at] == '+')) {
        r->negative = r->text[r->at] == '-';
        r->at++;
    }
    csm_status status = take_digits(r, false, &zeros);
    if (!status && r->at < r->length && r->text[r->at] == '.') {
        r->at++;
        status = take_digits(r, true, &zeros);
    }
    if (status) return status;
    if (!r->any) return fail_at(r, "no digit");
    r->exponent += zeros;
    status = take_exponent(r);
    if (!status && r->at < r->length) status = fail_at(r, "an unexpected byte");
    return status;
}

csm_status csm_decimal_parse(csm_decimal *out, const char *text, size_t length) {
    if (!out || !text) return csm_fail(CSM_EINVAL, "csm_decimal_parse: an argument is NULL");
    reading r = {.text = text, .length = length};
    const csm_status status = take_number(&r);
    if (status) return status;
    if (r.digits == 0) {
        *out = (csm_decimal){0};
        return CSM_OK;
    }
    if (r.exponent < -SCALE_MAX) return fail_at(&r, "more than 18 decimals");
    if (r.exponent > SCALE_MAX) return fail_at(&r, "a number beyond 64 bits");
    const uint64_t scaled = r.exponent > 0 ? (uint64_t)csm_power_of_ten[r.exponent] : 1;
    if (r.digits > (uint64_t)INT64_MAX / scaled) return fail_at(&r, "a number beyond 64 bits");
    const int64_t ticks = (int64_t)(r.digits * scaled);
    *out = (csm_decimal){.ticks = r.negative ? -ticks : ticks,
                         .scale = (int32_t)(r.exponent < 0 ? -r.exponent : 0)};
    return CSM_OK;
}

static int bit_length(uint128 value) {
    const uint64_t high = (uint64_t)(value >> 64);
    return high ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t)value);
}

/* magnitude / divisor rounded once, magnitude > 2^53. With 64 bits more the quotient has at least 58; 53 of them are
 * kept, the next decides the rounding, and a sticky bit stands for all that is cut and the remainder. */
static double divide_exactly(uint64_t magnitude, uint64_t divisor) {
    const uint128 numerator = (uint128)magnitude << 64;
    const uint128 quotient = numerator / divisor;
    const int excess = bit_length(quotient) - 54;
    const uint128 cut = quotient & (((uint128)1 << excess) - 1);
    const bool sticky = cut != 0 || numerator % divisor != 0;
    uint64_t kept = (uint64_t)(quotient >> excess);
    const bool half = kept & 1;
    kept >>= 1;
    kept += half && (sticky || (kept & 1));
    return ldexp((double)kept, excess + 1 - 64);
}

double csm_decimal_double(csm_decimal value) {
    if (value.scale < 0 || value.scale > SCALE_MAX) return (double)NAN;
    const bool negative = value.ticks < 0;
    const uint64_t magnitude = negative ? 0 - (uint64_t)value.ticks : (uint64_t)value.ticks;
    const uint64_t divisor = (uint64_t)csm_power_of_ten[value.scale];
    double result;
    /* Two exact doubles: the division is the one rounding. 10^18 is exact, because 5^18 < 2^53. */
    if (magnitude <= (uint64_t)1 << 53)
        result = (double)magnitude / (double)divisor;
    else
        result = divide_exactly(magnitude, divisor);
    return negative ? -result : result;
}

char *csm_decimal_format(csm_decimal value, char *text, size_t size) {
    if (!text || size == 0) return text;
    if (value.scale < 0 || value.scale > SCALE_MAX) {
        snprintf(text, size, "nan");
        return text;
    }
    const bool negative = value.ticks < 0;
    const uint64_t magnitude = negative ? 0 - (uint64_t)value.ticks : (uint64_t)value.ticks;
    const uint64_t divisor = (uint64_t)csm_power_of_ten[value.scale];
    const char *sign = negative ? "-" : "";
    const unsigned long long whole = magnitude / divisor, fraction = magnitude % divisor;
    if (value.scale == 0)
        snprintf(text, size, "%s%llu", sign, whole);
    else
        snprintf(text, size, "%s%llu.%0*llu", sign, whole, (int)value.scale, fraction);
    return text;
}
