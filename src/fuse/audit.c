/* SPDX-License-Identifier: MIT */
/* The audit of law 2: what was not known at t must not change a bit of the rows at t, gone or corrupted. */
#include "fuse/audit.h"

#include <math.h>
#include <string.h>

#define AUDIT_STREAM UINT64_C(0x6175646974)

/* ---- comparing ----------------------------------------------------------------------------------------------------- */

/* Row of (market, time); SIZE_MAX: not there. */
static size_t find_row(const csm_frame *frame, size_t market, csm_time time) {
    size_t low = frame->row_offset[market], high = frame->row_offset[market + 1];
    const size_t end = high;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (frame->times[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && frame->times[low] == time ? low : SIZE_MAX;
}

static void note(csm_audit *out, csm_time time, size_t market, size_t feature) {
    if (out->different++ > 0) return;
    out->first_time = time;
    out->first_market = (uint32_t)market;
    out->first_feature = feature == SIZE_MAX ? UINT32_MAX : (uint32_t)feature;
}

/* A frame leaves out rows whose data came late or was revised later; the replay knows nothing of that. */
static bool held_back(const csm_frame *frame, size_t market, csm_time time) {
    csm_reason reasons = 0;
    if (csm_frame_reasons(&reasons, frame, (uint32_t)market, time)) return false;
    return (reasons & CSM_REASON_MASK(PENDING)) != 0;
}

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

void csm_audit_compare(csm_audit *out, const csm_frame *frame, const csm_frame *replay, csm_time time) {
    const size_t features = frame->recipe->count;
    for (size_t m = 0; m < frame->market_count; m++) {
        const size_t here = find_row(frame, m, time), there = find_row(replay, m, time);
        if (here == SIZE_MAX && (there == SIZE_MAX || held_back(frame, m, time))) continue;
        out->rows++;
        if (here == SIZE_MAX || there == SIZE_MAX) {
            note(out, time, m, SIZE_MAX);
            continue;
        }
        const float *a = frame->matrix + here * features, *b = replay->matrix + there * features;
        for (size_t f = 0; f < features; f++) {
            if (bits_of(a[f]) == bits_of(b[f])) continue;
            note(out, time, m, f);
            break;
        }
    }
}

/* ---- corrupting ---------------------------------------------------------------------------------------------------- */

static csm_status copy_raw(csm_raw_bars *out, const csm_track_source *source) {
    const csm_bars *b = &source->bars;
    const size_t n = b->length;
    *out = (csm_raw_bars){.length = n};
    out->time = csm_alloc_array(n, sizeof *out->time);
    out->available = csm_alloc_array(n, sizeof *out->available);
    out->open = csm_alloc_array(n, sizeof *out->open);
    out->high = csm_alloc_array(n, sizeof *out->high);
    out->low = csm_alloc_array(n, sizeof *out->low);
    out->close = csm_alloc_array(n, sizeof *out->close);
    out->volume = csm_alloc_array(n, sizeof *out->volume);
    out->state = csm_alloc_array(n, 1);
    if (!out->time || !out->available || !out->open || !out->high || !out->low || !out->close ||
        !out->volume || !out->state)
        return CSM_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        out->time[i] = b->time[i];
        out->available[i] = source->available ? source->available[i] : b->time[i] + b->interval;
        out->open[i] = b->open[i];
        out->high[i] = b->high[i];
        out->low[i] = b->low[i];
        out->close[i] = b->close[i];
        out->volume[i] = b->volume[i];
        out->state[i] = b->state ? b->state[i] : CSM_BAR_TRADED;
    }
    return CSM_OK;
}

/* Prices anywhere between a thousandth and a thousandfold, volumes of any size, one bar in eight not traded. */
static void corrupt_bars(csm_raw_bars *raw, csm_time time, uint64_t seed, uint64_t market) {
    for (size_t i = 0; i < raw->length; i++) {
        if (raw->available[i] <= time) continue;
        const uint64_t stream = AUDIT_STREAM + market;
        const double u = csm_random_uniform(seed, stream, 4 * i),
                     v = csm_random_uniform(seed, stream, 4 * i + 1);
        const double scale = u < 0.5 ? 0.001 + u : 1 + 1000 * (u - 0.5), spread = 1 + v;
        const double price = raw->state[i] == CSM_BAR_TRADED ? raw->close[i] * scale : 1 + 1000 * u;
        raw->low[i] = price;
        raw->open[i] = price * (v < 0.5 ? 1 : spread);
        raw->close[i] = price * (v < 0.5 ? spread : 1);
        raw->high[i] = price * spread;
        raw->volume[i] = 1e6 * csm_random_uniform(seed, stream, 4 * i + 2);
        const bool idle = csm_random_u64(seed, stream, 4 * i + 3) % 8 == 0;
        raw->state[i] = idle ? CSM_BAR_NO_TRADE : CSM_BAR_TRADED;
    }
}

static csm_status corrupt_values(csm_values *out, const csm_values *values, csm_time time, uint64_t seed) {
    const size_t n = values->length;
    *out = (csm_values){.length = n};
    out->time = csm_alloc_array(n, sizeof *out->time);
    out->available = csm_alloc_array(n, sizeof *out->available);
    out->value = csm_alloc_array(n, sizeof *out->value);
    if (!out->time || !out->available || !out->value) return CSM_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        out->time[i] = values->time[i];
        out->available[i] = values->available[i];
        out->value[i] = values->value[i];
        if (values->available[i] > time) out->value[i] = 1e3 * csm_random_uniform(seed, AUDIT_STREAM - 1, i);
    }
    return CSM_OK;
}

static csm_fuse_options one_decision(const csm_frame *frame, csm_time time) {
    csm_fuse_options options = frame->options;
    options.from = time;
    options.to = time + 1;
    return options;
}

csm_status csm_audit_corrupted(csm_frame **out, csm_context *context, const csm_frame *frame,
                               const csm_track_source *sources, size_t count, const csm_values *fear_greed,
                               csm_time time) {
    const csm_fuse_options options = one_decision(frame, time);
    const uint64_t seed = csm_context_seed(context);
    csm_panel *panel = NULL;
    *out = NULL;
    csm_status status = csm_panel_new(&panel, count, &options);
    for (size_t i = 0; i < count && !status; i++) {
        csm_raw_bars raw;
        csm_track_source source = sources[i];
        status = copy_raw(&raw, &sources[i]);
        if (!status) {
            corrupt_bars(&raw, time, seed, i);
            source.bars = csm_raw_bars_view(&raw, options.interval);
            source.available = raw.available;
            if (source.delisted > time) source.delisted = time + 1;
            status = csm_track_build(&panel->tracks[i], &source, options.interval);
        }
        csm_raw_bars_free(&raw);
    }
    if (!status) status = corrupt_values(&panel->fear_greed, fear_greed, time, seed);
    if (!status) status = csm_panel_finish(panel, csm_context_threads(context));
    if (!status) status = csm_frame_from_panel(out, context, panel, frame->recipe, &options);
    csm_panel_free(panel);
    return status;
}

/* ---- the audit ----------------------------------------------------------------------------------------------------- */

typedef struct audit_inputs {
    size_t count;
    csm_raw_bars *raw;
    csm_track_source *sources;
    csm_values fear_greed;
} audit_inputs;

static void inputs_free(audit_inputs *inputs) {
    for (size_t i = 0; inputs->raw && i < inputs->count; i++) csm_raw_bars_free(&inputs->raw[i]);
    csm_dealloc(inputs->raw);
    csm_dealloc(inputs->sources);
    csm_values_free(&inputs->fear_greed);
}

static csm_status read_inputs(audit_inputs *inputs, csm_context *context, const csm_store *store,
                              const csm_frame *frame, const csm_market *const *markets, size_t count) {
    const csm_fuse_options *o = &frame->options;
    csm_status status = CSM_OK;
    inputs->count = count;
    inputs->raw = csm_alloc_array(count, sizeof *inputs->raw);
    inputs->sources = csm_alloc_array(count, sizeof *inputs->sources);
    if (!inputs->raw || !inputs->sources) return CSM_ENOMEM;
    for (size_t i = 0; i < count && !status; i++) {
        status = csm_raw_bars_read(&inputs->raw[i], context, store, markets[i], o->interval, CSM_TIME_MIN,
                                   o->to, o->as_of);
        inputs->sources[i] = (csm_track_source){.coin = markets[i]->coin,
                                                .delisted = markets[i]->delisted,
                                                .bars = csm_raw_bars_view(&inputs->raw[i], o->interval),
                                                .available = inputs->raw[i].available};
    }
    if (!status && csm_recipe_uses(frame->recipe, "sentiment"))
        status = csm_values_read(&inputs->fear_greed, context, store, "fear_greed", o->as_of);
    return status;
}

static csm_status audit_time(csm_audit *out, csm_context *context, const csm_store *store,
                             const csm_frame *frame, const csm_market *const *markets,
                             const audit_inputs *inputs, csm_time time) {
    csm_fuse_options options = one_decision(frame, time);
    csm_frame *replay = NULL;
    options.as_of = time;
    csm_status status =
        csm_fuse_build(&replay, context, store, frame->recipe, markets, inputs->count, &options);
    if (!status) csm_audit_compare(out, frame, replay, time);
    csm_frame_free(replay);
    replay = NULL;
    if (!status)
        status = csm_audit_corrupted(&replay, context, frame, inputs->sources, inputs->count,
                                     &inputs->fear_greed, time);
    if (!status) csm_audit_compare(out, frame, replay, time);
    csm_frame_free(replay);
    return status;
}

csm_status csm_fuse_audit(csm_audit *out, csm_context *context, const csm_store *store,
                          const csm_frame *frame, const csm_market *const *markets, size_t market_count,
                          const csm_time *times, size_t time_count) {
    if (!out || !context || !store || !frame || (market_count > 0 && !markets) || (time_count > 0 && !times))
        return csm_fail(CSM_EINVAL, "audit: no argument may be NULL");
    if (market_count != frame->market_count)
        return csm_fail(CSM_EINVAL, "audit: %zu markets for a frame of %zu", market_count,
                        frame->market_count);
    audit_inputs inputs = {0};
    csm_audit audit = {.first_time = CSM_TIME_MIN};
    csm_status status = read_inputs(&inputs, context, store, frame, markets, market_count);
    for (size_t i = 0; i < time_count && !status; i++) {
        csm_reason reasons;
        status = csm_progress(context, "fuse: audit", i, time_count);
        if (!status && market_count > 0) status = csm_frame_reasons(&reasons, frame, 0, times[i]);
        if (!status) status = audit_time(&audit, context, store, frame, markets, &inputs, times[i]);
        audit.times++;
    }
    inputs_free(&inputs);
    if (!status) *out = audit;
    return status;
}
