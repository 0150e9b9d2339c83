/* SPDX-License-Identifier: MIT */
/* The n-th allocation fails, for each n: no leak, no crash, and the last try succeeds. */
#include "fuse/workspace.h"

#define HOURS 120

static const char *names[] = {
    "return_24",     "volume_to_median_168", "rsi_14",    "obv_flow_24", "return_rank_24",
    "dispersion_24", "fear_greed",           "hour_sine", NULL};

static csm_values two_values(csm_time *time, csm_time *available, double *value) {
    for (int i = 0; i < 2; i++) {
        time[i] = SERIES_START + i * CSM_DAY;
        available[i] = time[i] + CSM_HOUR;
        value[i] = 40 + i;
    }
    return (csm_values){.length = 2, .time = time, .available = available, .value = value};
}

static void frames_survive_any_failing_allocation(void **state) {
    (void)state;
    series s[2] = {series_new(HOURS, 0), series_new(HOURS, 1)};
    s[0].available[50] += 5 * CSM_HOUR; /* a late bar and one that is not final need arrays of their own */
    series_idle(&s[1], HOURS - 1, CSM_BAR_PENDING);
    const csm_track_source sources[2] = {series_source(&s[0], "BTC"), series_source(&s[1], "ETH")};
    csm_time time[2], available[2];
    double value[2];
    const csm_values values = two_values(time, available, value);
    csm_recipe *recipe = recipe_of(names);
    csm_context *context = context_of(1);
    csm_fuse_options options;
    assert_ok(csm_fuse_options_check(&options, NULL));
    csm_status status = CSM_ENOMEM;
    uint64_t n = 0;
    while (status) {
        csm_panel *panel = NULL;
        csm_frame *frame = NULL;
        csm_fault_allocation(++n, false);
        status = csm_panel_from_arrays(&panel, 1, sources, 2, &values, &options);
        if (!status) status = csm_frame_from_panel(&frame, context, panel, recipe, &options);
        csm_fault_allocation(0, false);
        if (status) assert_status(CSM_ENOMEM, status);
        assert_int_equal(frame == NULL, status != CSM_OK);
        csm_frame_free(frame);
        csm_panel_free(panel);
    }
    assert_true(n > 30);
    csm_context_free(context);
    csm_recipe_free(recipe);
    for (int i = 0; i < 2; i++) series_free(&s[i]);
}

typedef csm_status (*attempt)(const workspace *w, const csm_store *store, const csm_market *const *markets,
                              csm_frame *frame);

static csm_status try_build(const workspace *w, const csm_store *store, const csm_market *const *markets,
                            csm_frame *frame) {
    csm_frame *again = NULL;
    const csm_status status = csm_fuse_build(&again, w->context, store, frame->recipe, markets, 1, NULL);
    csm_frame_free(again);
    return status;
}

static csm_status try_targets(const workspace *w, const csm_store *store, const csm_market *const *markets,
                              csm_frame *frame) {
    csm_targets *targets = NULL;
    const csm_status status =
        csm_fuse_targets(&targets, w->context, store, frame, markets, 1, CSM_HOUR, CSM_TIME_MAX, NULL);
    csm_targets_free(targets);
    return status;
}

static csm_status try_audit(const workspace *w, const csm_store *store, const csm_market *const *markets,
                            csm_frame *frame) {
    csm_audit audit;
    const csm_time time = SERIES_START + 90 * CSM_HOUR;
    return csm_fuse_audit(&audit, w->context, store, frame, markets, 1, &time, 1);
}

static csm_status try_outcome(const workspace *w, const csm_store *store, const csm_market *const *markets,
                              csm_frame *frame) {
    csm_target target;
    (void)frame;
    return csm_fuse_outcome(&target, w->context, store, markets[0], SERIES_START + 50 * CSM_HOUR, CSM_HOUR,
                            CSM_HOUR, CSM_TIME_MAX, 0);
}

static void reads_of_the_store_survive_any_failing_allocation(void **state) {
    const workspace *w = *state;
    static const char *few[] = {"return_24", "stoch_k_14", "fear_greed", NULL};
    static const attempt attempts[] = {try_build, try_targets, try_audit, try_outcome};
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    series s = series_new(HOURS, 0);
    csm_market market = market_of("BTC", "BTC/USD");
    const csm_market *markets[1] = {&market};
    csm_time time[2], available[2];
    double value[2];
    const csm_values values = two_values(time, available, value);
    series_round(&s);
    store_bars(store, w->context, &market, &s);
    store_values(store, w->context, &values);
    csm_recipe *recipe = recipe_of(few);
    csm_frame *frame = NULL;
    assert_ok(csm_fuse_build(&frame, w->context, store, recipe, markets, 1, NULL));
    assert_true(frame->rows > 0);
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        csm_status status = CSM_ENOMEM;
        for (uint64_t n = 1; status; n++) {
            csm_fault_allocation(n, false);
            status = attempts[i](w, store, markets, frame);
            csm_fault_allocation(0, false);
            if (status) assert_status(CSM_ENOMEM, status);
        }
    }
    csm_frame_free(frame);
    csm_recipe_free(recipe);
    csm_store_free(store);
    series_free(&s);
}

static int stop(void *user, const char *what, uint64_t done, uint64_t total) {
    (void)what;
    (void)done;
    (void)total;
    return --*(int *)user < 0;
}

static void a_build_can_be_cancelled_at_each_report(void **state) {
    (void)state;
    series s = series_new(HOURS, 0);
    const csm_track_source source = series_source(&s, "BTC");
    csm_recipe *recipe = recipe_of(names);
    csm_context *context = context_of(2);
    csm_fuse_options options;
    csm_panel *panel = NULL;
    assert_ok(csm_fuse_options_check(&options, NULL));
    assert_ok(csm_panel_from_arrays(&panel, 1, &source, 1, NULL, &options));
    int reports = 0, left;
    csm_status status = CSM_ECANCELLED;
    while (status) {
        csm_frame *frame = NULL;
        left = reports++;
        csm_context_set_progress(context, stop, &left);
        status = csm_frame_from_panel(&frame, context, panel, recipe, &options);
        if (status) assert_status(CSM_ECANCELLED, status);
        csm_frame_free(frame);
    }
    assert_true(reports > 2);
    csm_panel_free(panel);
    csm_context_free(context);
    csm_recipe_free(recipe);
    series_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_survive_any_failing_allocation),
        cmocka_unit_test_setup_teardown(reads_of_the_store_survive_any_failing_allocation, workspace_setup,
                                        workspace_teardown),
        cmocka_unit_test(a_build_can_be_cancelled_at_each_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
