/* SPDX-License-Identifier: MIT */
/* What came of a decision (STATISTICS "The event"). */
#include "fuse/panel.h"
#include "fuse/targets.h"

#include "core/real.h"

#include <math.h>

#define HORIZON_LIMIT (3660 * CSM_DAY)

csm_status csm_target_check(csm_time interval, csm_time horizon) {
    if (interval < CSM_SECOND || interval > 366 * CSM_DAY)
        return csm_fail(CSM_EINVAL, "target: interval %lld ns is outside 1 s .. 366 days",
                        (long long)interval);
    if (horizon < interval || horizon > HORIZON_LIMIT || horizon % interval != 0)
        return csm_fail(CSM_EINVAL,
                        "target: horizon %lld ns is not a multiple of the interval, up to ten years",
                        (long long)horizon);
    return CSM_OK;
}

/* First bar that opens at or after `time`. */
static size_t first_bar(const csm_bars *bars, csm_time time) {
    size_t low = 0, high = bars->length;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (bars->time[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint8_t state_of(const csm_bars *bars, size_t i) {
    return bars->state ? bars->state[i] : CSM_BAR_TRADED;
}

/* True when every bar from `from` to `to` (opens, exclusive) was received and nobody traded in it. i: the first of them. */
static bool idle_between(const csm_bars *bars, size_t i, csm_time from, csm_time to) {
    for (csm_time open = from; open < to; open += bars->interval, i++)
        if (i >= bars->length || bars->time[i] != open || state_of(bars, i) != CSM_BAR_NO_TRADE) return false;
    return true;
}

/* Index of the first traded bar that opens in [from, to); SIZE_MAX: none. */
static size_t first_traded(const csm_bars *bars, csm_time from, csm_time to) {
    for (size_t i = first_bar(bars, from); i < bars->length && bars->time[i] < to; i++)
        if (state_of(bars, i) == CSM_BAR_TRADED) return i;
    return SIZE_MAX;
}

/* Index of the last traded bar that closes at or before `end` and is not before `entry`. */
static size_t last_traded(const csm_bars *bars, size_t entry, csm_time end) {
    size_t i = first_bar(bars, end - bars->interval + 1);
    while (i > entry && state_of(bars, i - 1) != CSM_BAR_TRADED) i--;
    return i > entry ? i - 1 : entry;
}

static csm_time lesser(csm_time a, csm_time b) {
    return a < b ? a : b;
}

/* Entry: the open of the first bar traded at or after the decision. A bar that is missing before it may have traded. */
static size_t find_entry(csm_target *t, const csm_bars *bars, csm_time decision, csm_time end,
                         bool delisted) {
    const csm_time limit = lesser(end, decision + CSM_TARGET_AGE_LIMIT + 1);
    const size_t entry = first_traded(bars, decision, limit);
    const size_t first = first_bar(bars, decision);
    const csm_time until = entry == SIZE_MAX ? limit : bars->time[entry];
    const bool idle = idle_between(bars, first, decision, until);
    t->state = entry != SIZE_MAX && idle ? CSM_TARGET_KNOWN : CSM_TARGET_UNKNOWN;
    if (entry == SIZE_MAX && (idle || delisted)) t->state = CSM_TARGET_NO_ENTRY;
    if (t->state != CSM_TARGET_KNOWN) return SIZE_MAX;
    t->entry_time = bars->time[entry];
    t->entry = bars->open[entry];
    return entry;
}

static void find_exit(csm_target *t, const csm_bars *bars, size_t entry, csm_time end, bool delisted) {
    const size_t last = last_traded(bars, entry, end);
    const csm_time close = bars->time[last] + bars->interval;
    const bool reachable = end - close <= CSM_TARGET_AGE_LIMIT && idle_between(bars, last + 1, close, end);
    if (!reachable && !delisted) {
        t->state = CSM_TARGET_UNKNOWN;
        return;
    }
    t->exit_time = close;
    t->exit = bars->close[last];
    t->log_return = csm_log(t->exit / t->entry);
    t->rises = !delisted && t->log_return > t->cost;
}

csm_status csm_target_of(csm_target *out, const csm_bars *bars, csm_time decision, csm_time horizon,
                         csm_time as_of, csm_time delisted, double cost) {
    const csm_time end = decision + horizon;
    const bool gone = delisted > decision && delisted <= end && delisted <= as_of;
    csm_target target = {.entry_time = CSM_TIME_MIN,
                         .exit_time = CSM_TIME_MIN,
                         .matures = end,
                         .entry = (double)NAN,
                         .exit = (double)NAN,
                         .log_return = (double)NAN,
                         .cost = cost};
    if (delisted <= decision) {
        target.state = CSM_TARGET_NO_ENTRY;
        *out = target;
        return CSM_OK;
    }
    const size_t entry = find_entry(&target, bars, decision, end, gone);
    if (end > as_of)
        target.state = CSM_TARGET_PENDING;
    else if (entry != SIZE_MAX)
        find_exit(&target, bars, entry, end, gone);
    *out = target;
    return CSM_OK;
}

csm_status csm_fuse_outcome(csm_target *out, csm_context *context, const csm_store *store,
                            const csm_market *market, csm_time decision, csm_time interval, csm_time horizon,
                            csm_time as_of, double cost) {
    if (!out || !context || !store || !market)
        return csm_fail(CSM_EINVAL, "outcome: out, context, store and market must not be NULL");
    csm_status status = csm_target_check(interval, horizon);
    if (status) return status;
    if (decision < 0 || decision > CSM_TIME_MAX - horizon || csm_time_floor(decision, interval) != decision)
        return csm_fail(CSM_EINVAL, "outcome: decision %lld is not a multiple of the interval",
                        (long long)decision);
    csm_raw_bars raw;
    status = csm_raw_bars_read(&raw, context, store, market, interval, decision, decision + horizon, as_of);
    if (status) return status;
    const csm_bars bars = csm_raw_bars_view(&raw, interval);
    status = csm_target_of(out, &bars, decision, horizon, as_of, market->delisted, cost);
    csm_raw_bars_free(&raw);
    return status;
}
