/* SPDX-License-Identifier: MIT */
/* The quick check of bars: whether any may be wrong, LANES consecutive bars at a time. */
#include "indicator/frame/frame.h"
#include "indicator/lane.h"

#define MAYBE_WRONG CSM_ISA_SYMBOL(csm_bars_maybe_wrong)

#if defined(CSM_BUILD_AVX512)
CSM_INLINE bool mask_any(mask m) {
    return m != 0;
}
#elif defined(CSM_BUILD_AVX2)
CSM_INLINE bool mask_any(mask m) {
    return _mm256_movemask_pd(m) != 0;
}
#else
CSM_INLINE bool mask_any(mask m) {
    return m != 0;
}
#endif

CSM_INLINE mask price_fits(real x) {
    return mask_and(real_ge(x, real_of(CSM_PRICE_LEAST)), real_le(x, real_of(CSM_PRICE_GREATEST)));
}

CSM_INLINE mask bars_fit(const double *open, const double *high, const double *low, const double *close,
                         const double *volume) {
    const real o = real_load(open), h = real_load(high), l = real_load(low), c = real_load(close);
    const real v = real_load(volume), zero = real_of(0.0);
    const mask prices =
        mask_and(mask_and(price_fits(o), price_fits(c)), mask_and(price_fits(h), price_fits(l)));
    const mask inside =
        mask_and(mask_and(real_le(l, o), real_le(o, h)), mask_and(real_le(l, c), real_le(c, h)));
    const mask traded = mask_or(real_eq(v, zero), mask_and(real_ge(v, real_of(CSM_VOLUME_LEAST)),
                                                           real_le(v, real_of(CSM_VOLUME_GREATEST))));
    return mask_and(mask_and(prices, inside), traded);
}

static bool not_ascending(const csm_time *time, size_t length) {
    unsigned wrong = 0;
    for (size_t i = 1; i < length; i++) wrong |= time[i] <= time[i - 1];
    return wrong != 0;
}

static bool not_traded(const uint8_t *state, size_t length) {
    unsigned seen = 0;
    for (size_t i = 0; i < length; i++) seen |= state[i];
    return seen != CSM_BAR_TRADED;
}

/* A column that is not asked for is stood in for by one that is, which may raise a false alarm but hides nothing. */
bool MAYBE_WRONG(const csm_bars *bars, uint32_t inputs) {
    const double *column[5] = {
        inputs & CSM_INPUT_OPEN ? bars->open : NULL, inputs & CSM_INPUT_HIGH ? bars->high : NULL,
        inputs & CSM_INPUT_LOW ? bars->low : NULL, inputs & CSM_INPUT_CLOSE ? bars->close : NULL,
        inputs & CSM_INPUT_VOLUME ? bars->volume : NULL};
    const double *price = column[3] ? column[3] : column[0] ? column[0] : column[1] ? column[1] : column[2];
    if (price == NULL) return true;
    for (int k = 0; k < 4; k++)
        if (column[k] == NULL) column[k] = price;
    if (column[4] == NULL) column[4] = price;
    size_t i = 0;
    mask fit = real_eq(real_of(0.0), real_of(0.0));
    for (; i + LANES <= bars->length; i += LANES)
        fit = mask_and(fit,
                       bars_fit(column[0] + i, column[1] + i, column[2] + i, column[3] + i, column[4] + i));
    if (i < bars->length && bars->length >= LANES) { /* the rest, with some bars once more */
        i = bars->length - LANES;
        fit = mask_and(fit,
                       bars_fit(column[0] + i, column[1] + i, column[2] + i, column[3] + i, column[4] + i));
    }
    return bars->length < LANES || mask_any(mask_not(fit)) || not_ascending(bars->time, bars->length) ||
           (bars->state != NULL && not_traded(bars->state, bars->length));
}
