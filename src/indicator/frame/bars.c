/* SPDX-License-Identifier: MIT */
/* Bars are checked once before they are computed with: a quick scan without branches, and a slow one that finds the
 * bar to name. */
#include "indicator/frame/frame.h"

/* What is wrong with a price, or NULL. */
static const char *price_defect(const double *column, size_t i, bool wanted) {
    return !wanted || (column[i] >= CSM_PRICE_LEAST && column[i] <= CSM_PRICE_GREATEST)
               ? NULL
               : "is not a price between 1e-60 and 1e60";
}

static bool outside(const csm_bars *bars, uint32_t inputs, const double *column, size_t i) {
    return ((inputs & CSM_INPUT_HIGH) && column[i] > bars->high[i]) ||
           ((inputs & CSM_INPUT_LOW) && column[i] < bars->low[i]);
}

/* What is wrong with bar i and in which column, or NULL. Columns outside `inputs` may be absent. */
static const char *bar_defect(const csm_bars *bars, uint32_t inputs, size_t i, const char **column) {
    const struct {
        uint32_t input;
        const double *values;
        const char *name;
    } prices[] = {{CSM_INPUT_OPEN, bars->open, "open"},
                  {CSM_INPUT_HIGH, bars->high, "high"},
                  {CSM_INPUT_LOW, bars->low, "low"},
                  {CSM_INPUT_CLOSE, bars->close, "close"}};
    *column = "state";
    if (bars->state != NULL && bars->state[i] != CSM_BAR_TRADED) return "is not that of a traded bar";
    *column = "time";
    if (i > 0 && bars->time[i] <= bars->time[i - 1]) return "is not later than that of the bar before";
    for (size_t k = 0; k < sizeof prices / sizeof prices[0]; k++) {
        *column = prices[k].name;
        const char *defect = price_defect(prices[k].values, i, inputs & prices[k].input);
        if (defect != NULL) return defect;
    }
    for (size_t k = 0; k < sizeof prices / sizeof prices[0]; k++) {
        *column = prices[k].name;
        if ((inputs & prices[k].input) && outside(bars, inputs, prices[k].values, i))
            return "is not between low and high";
    }
    *column = "volume";
    const double volume = inputs & CSM_INPUT_VOLUME ? bars->volume[i] : 0.0;
    return volume == 0.0 || (volume >= CSM_VOLUME_LEAST && volume <= CSM_VOLUME_GREATEST)
               ? NULL
               : "is neither 0 nor between 1e-60 and 1e60";
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
    const csm_isa isa = bars->length < CSM_LANES_MAX ? CSM_ISA_SCALAR : csm_backend_isa();
    if (!CSM_ISA_SELECT(isa, csm_bars_maybe_wrong)(bars, inputs)) return CSM_OK;
    for (size_t i = 0; i < bars->length; i++) {
        const char *column;
        const char *defect = bar_defect(bars, inputs, i, &column);
        if (defect != NULL) return csm_fail(CSM_EINVAL, "bars: the %s of bar %zu %s", column, i, defect);
    }
    return CSM_OK;
}
