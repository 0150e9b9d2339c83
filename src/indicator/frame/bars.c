/* SPDX-License-Identifier: MIT */
/* Bars are checked once before they are computed with: a quick scan without branches, and a slow one that finds the
 * bar to name. */
#include "indicator/frame/frame.h"

static bool price_is_real(double x) {
    return x > 0.0 && x < INFINITY;
}

/* What is wrong with bar i, or NULL. Columns outside `inputs` may be absent. */
static const char *bar_defect(const csm_bars *bars, uint32_t inputs, size_t i) {
    if (bars->state != NULL && bars->state[i] != CSM_BAR_TRADED) return "is not a traded bar";
    if (i > 0 && bars->time[i] <= bars->time[i - 1]) return "is not later than the one before";
    if ((inputs & CSM_INPUT_OPEN) && !price_is_real(bars->open[i]))
        return "has an open that is not a positive number";
    if ((inputs & CSM_INPUT_HIGH) && !price_is_real(bars->high[i]))
        return "has a high that is not a positive number";
    if ((inputs & CSM_INPUT_LOW) && !price_is_real(bars->low[i]))
        return "has a low that is not a positive number";
    if ((inputs & CSM_INPUT_CLOSE) && !price_is_real(bars->close[i]))
        return "has a close that is not a positive number";
    if ((inputs & CSM_INPUT_VOLUME) && !(bars->volume[i] >= 0.0 && bars->volume[i] < INFINITY))
        return "has a volume that is negative or not finite";
    const bool high = inputs & CSM_INPUT_HIGH, low = inputs & CSM_INPUT_LOW;
    if (high && low && bars->high[i] < bars->low[i]) return "has a high below its low";
    if ((inputs & CSM_INPUT_OPEN) &&
        ((high && bars->open[i] > bars->high[i]) || (low && bars->open[i] < bars->low[i])))
        return "has an open outside its high and low";
    if ((inputs & CSM_INPUT_CLOSE) &&
        ((high && bars->close[i] > bars->high[i]) || (low && bars->close[i] < bars->low[i])))
        return "has a close outside its high and low";
    return NULL;
}

static size_t count_outside(const double *x, size_t length, double least) {
    size_t bad = 0;
    for (size_t i = 0; i < length; i++) bad += !((x[i] >= least) & (x[i] < INFINITY));
    return bad;
}

static size_t count_above(const double *x, const double *bound, size_t length) {
    size_t bad = 0;
    for (size_t i = 0; i < length; i++) bad += !(x[i] <= bound[i]);
    return bad;
}

/* Number of defects, so that good bars, the usual case, cost a few vector operations each. */
static size_t count_defects(const csm_bars *bars, uint32_t inputs) {
    const size_t n = bars->length;
    const double least_price = 4.9406564584124654e-324; /* the smallest double above zero */
    const bool high = inputs & CSM_INPUT_HIGH, low = inputs & CSM_INPUT_LOW;
    size_t bad = 0;
    if (inputs & CSM_INPUT_OPEN) {
        bad += count_outside(bars->open, n, least_price);
        if (high) bad += count_above(bars->open, bars->high, n);
        if (low) bad += count_above(bars->low, bars->open, n);
    }
    if (inputs & CSM_INPUT_CLOSE) {
        bad += count_outside(bars->close, n, least_price);
        if (high) bad += count_above(bars->close, bars->high, n);
        if (low) bad += count_above(bars->low, bars->close, n);
    }
    if (high) bad += count_outside(bars->high, n, least_price);
    if (low) bad += count_outside(bars->low, n, least_price);
    if (high && low) bad += count_above(bars->low, bars->high, n);
    if (inputs & CSM_INPUT_VOLUME) bad += count_outside(bars->volume, n, 0.0);
    for (size_t i = 1; i < n; i++) bad += bars->time[i] <= bars->time[i - 1];
    if (bars->state != NULL)
        for (size_t i = 0; i < n; i++) bad += bars->state[i] != CSM_BAR_TRADED;
    return bad;
}

csm_status csm_bars_check(const csm_bars *bars, uint32_t inputs) {
    if (bars->length == 0) return CSM_OK;
    if (bars->time == NULL) return csm_fail(CSM_EINVAL, "bars: the time column is missing");
    const struct {
        uint32_t input;
        const double *column;
        const char *name;
    } columns[] = {{CSM_INPUT_OPEN, bars->open, "open"},
                   {CSM_INPUT_HIGH, bars->high, "high"},
                   {CSM_INPUT_LOW, bars->low, "low"},
                   {CSM_INPUT_CLOSE, bars->close, "close"},
                   {CSM_INPUT_VOLUME, bars->volume, "volume"}};
    for (size_t k = 0; k < sizeof columns / sizeof columns[0]; k++)
        if ((inputs & columns[k].input) && columns[k].column == NULL)
            return csm_fail(CSM_EINVAL, "bars: the %s column is missing", columns[k].name);
    if (count_defects(bars, inputs) == 0) return CSM_OK;
    for (size_t i = 0; i < bars->length; i++) {
        const char *defect = bar_defect(bars, inputs, i);
        if (defect != NULL) return csm_fail(CSM_EINVAL, "bars: bar %zu %s", i, defect);
    }
    return csm_fail(CSM_EINTERNAL, "bars: the quick check and the slow one disagree");
}
