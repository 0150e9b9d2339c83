/* SPDX-License-Identifier: MIT */
#include "fuse/targets.h"

#include "cost/cost.h"

#include "fuse/frame.h"

#include <math.h>

#define EVENT_RULES                                                                                          \
    "absolute;entry=open of the first traded bar not before the decision;exit=close of the last traded bar " \
    "that closes by decision+horizon;missing bar at either end=unknown;delisted inside=0"

struct csm_targets {
    size_t count;
    csm_target *targets; /* one a frame row */
    csm_time horizon;
    char event[CSM_HASH_TEXT];
};

void csm_targets_free(csm_targets *targets) {
    if (!targets) return;
    csm_dealloc(targets->targets);
    csm_dealloc(targets);
}

const csm_target *csm_targets_at(const csm_targets *targets, size_t row) {
    return targets && row < targets->count ? &targets->targets[row] : NULL;
}

csm_time csm_targets_horizon(const csm_targets *targets) {
    return targets ? targets->horizon : 0;
}

const char *csm_targets_event(const csm_targets *targets) {
    return targets ? targets->event : "";
}

/* The event is the same for all markets: rules, horizon and the cost table's assumptions. A market's own fee schedule
 * enters the ledger row beside it (csm_cost_hash). */
static csm_status name_event(csm_targets *targets, csm_time interval, const csm_cost_options *cost) {
    csm_buffer text = {0};
    csm_status status =
        csm_buffer_printf(&text, "%s;interval=%lld;horizon=%lld;age=%lld;", EVENT_RULES, (long long)interval,
                          (long long)targets->horizon, (long long)CSM_TARGET_AGE_LIMIT);
    if (!status) status = csm_cost_options_text(&text, cost);
    if (!status) {
        const csm_hash hash = csm_hash_bytes(text.data, text.length);
        csm_hash_format(&hash, targets->event);
    }
    csm_buffer_free(&text);
    return status;
}

static csm_status cost_of(double *out, const csm_cost_model *model, csm_time decision, csm_time as_of) {
    csm_cost cost;
    *out = (double)NAN;
    if (decision > as_of) return CSM_OK; /* what a later decision will know is not known yet */
    const csm_status status = csm_cost_at(&cost, model, decision);
    if (!status) *out = cost.total;
    return status;
}

/* Rows [begin, end) of one market. */
static csm_status market_targets(csm_targets *targets, csm_context *context, const csm_store *store,
                                 const csm_frame *frame, const csm_market *market, size_t begin, size_t end,
                                 csm_time as_of, const csm_cost_options *options) {
    const csm_time interval = frame->options.interval, *times = frame->times;
    csm_cost_model *model = NULL;
    csm_raw_bars raw = {0};
    csm_status status = csm_cost_open(&model, context, store, market, as_of, options);
    if (!status)
        status = csm_raw_bars_read(&raw, context, store, market, interval, times[begin],
                                   times[end - 1] + targets->horizon, as_of);
    const csm_bars bars = csm_raw_bars_view(&raw, interval);
    for (size_t r = begin; r < end && !status; r++) {
        double cost;
        status = cost_of(&cost, model, times[r], as_of);
        if (!status)
            status = csm_target_of(&targets->targets[r], &bars, times[r], targets->horizon, as_of,
                                   market->delisted, cost);
    }
    csm_raw_bars_free(&raw);
    csm_cost_free(model);
    return status ? csm_fail_prefix(status, "targets of %s", market->id) : CSM_OK;
}

csm_status csm_fuse_targets(csm_targets **out, csm_context *context, const csm_store *store,
                            const csm_frame *frame, const csm_market *const *markets, size_t market_count,
                            csm_time horizon, csm_time as_of, const csm_cost_options *cost) {
    csm_cost_options options;
    if (!out || !context || !store || !frame || (market_count > 0 && !markets))
        return csm_fail(CSM_EINVAL, "targets: out, context, store, frame and markets must not be NULL");
    *out = NULL;
    if (market_count != frame->market_count)
        return csm_fail(CSM_EINVAL, "targets: %zu markets for a frame of %zu", market_count,
                        frame->market_count);
    csm_status status = csm_target_check(frame->options.interval, horizon);
    csm_cost_options_init(&options);
    if (!status) status = csm_options_take(&options, sizeof options, cost, "csm_cost_options");
    if (status) return status;
    csm_targets *targets = csm_alloc_array(1, sizeof *targets);
    if (!targets) return CSM_ENOMEM;
    targets->horizon = horizon;
    targets->count = frame->rows;
    targets->targets = csm_alloc_array(frame->rows, sizeof *targets->targets);
    status = targets->targets ? name_event(targets, frame->options.interval, &options) : CSM_ENOMEM;
    for (size_t m = 0; m < market_count && !status; m++) {
        status = csm_progress(context, "fuse: targets", m, market_count);
        if (!status && frame->row_offset[m] < frame->row_offset[m + 1])
            status = market_targets(targets, context, store, frame, markets[m], frame->row_offset[m],
                                    frame->row_offset[m + 1], as_of, &options);
    }
    if (status) {
        csm_targets_free(targets);
        return status;
    }
    *out = targets;
    return CSM_OK;
}
