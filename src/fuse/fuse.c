/* SPDX-License-Identifier: MIT */
#include "fuse/frame.h"

#define AGE_LIMIT (3650 * CSM_DAY)

void csm_fuse_options_init(csm_fuse_options *options) {
    if (!options) return;
    *options = (csm_fuse_options){.size = sizeof *options,
                                  .interval = CSM_HOUR,
                                  .from = CSM_TIME_MIN,
                                  .to = CSM_TIME_MAX,
                                  .as_of = CSM_TIME_MAX,
                                  .stale_after = 6 * CSM_HOUR,
                                  .gap_limit = 12 * CSM_HOUR,
                                  .gap_share = 0.01};
}

csm_status csm_fuse_options_check(csm_fuse_options *out, const csm_fuse_options *options) {
    csm_fuse_options_init(out);
    const csm_status status = csm_options_take(out, sizeof *out, options, "csm_fuse_options");
    if (status) return status;
    if (out->interval < CSM_SECOND || out->interval > 366 * CSM_DAY)
        return csm_fail(CSM_EINVAL, "fuse: interval %lld ns is outside 1 s .. 366 days",
                        (long long)out->interval);
    if (out->stale_after < 0 || out->stale_after > AGE_LIMIT)
        return csm_fail(CSM_EINVAL, "fuse: stale_after %lld ns is outside 0 .. 10 years",
                        (long long)out->stale_after);
    if (out->gap_limit < 0 || out->gap_limit > AGE_LIMIT)
        return csm_fail(CSM_EINVAL, "fuse: gap_limit %lld ns is outside 0 .. 10 years",
                        (long long)out->gap_limit);
    if (!(out->gap_share >= 0 && out->gap_share <= 1))
        return csm_fail(CSM_EINVAL, "fuse: gap_share %g is outside 0..1", out->gap_share);
    if (out->from > out->to) return csm_fail(CSM_EINVAL, "fuse: from is after to");
    return CSM_OK;
}

csm_status csm_fuse_build(csm_frame **out, csm_context *context, const csm_store *store,
                          const csm_recipe *recipe, const csm_market *const *markets, size_t market_count,
                          const csm_fuse_options *options) {
    csm_fuse_options o;
    if (!out || !context || !store || !recipe || (market_count > 0 && !markets))
        return csm_fail(CSM_EINVAL, "fuse: out, context, store, recipe and markets must not be NULL");
    *out = NULL;
    if (market_count >= UINT32_MAX)
        return csm_fail(CSM_EINVAL, "fuse: %zu markets are too many", market_count);
    csm_status status = csm_fuse_options_check(&o, options);
    if (status) return status;
    csm_panel *panel = NULL;
    status = csm_panel_from_store(&panel, context, store, markets, market_count,
                                  csm_recipe_uses(recipe, "sentiment"), &o);
    if (!status) status = csm_frame_from_panel(out, context, panel, recipe, &o);
    csm_panel_free(panel);
    return status;
}
