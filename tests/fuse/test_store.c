/* SPDX-License-Identifier: MIT */
/* The whole stage over a store: frames, facts, windows, targets, outcomes, audit. */
#include "fuse/workspace.h"

#include "fuse/audit.h"

#define HOURS 1200
#define DAYS 60
#define MARKETS 3

typedef struct bed {
    workspace *w;
    csm_store *store;
    series series[MARKETS];
    csm_market market[MARKETS];
    const csm_market *markets[MARKETS];
    csm_values values;
    csm_recipe *recipe;
} bed;

static csm_time decision(size_t hour) {
    return SERIES_START + (csm_time)(hour + 1) * CSM_HOUR;
}

static csm_values daily_values(void) {
    csm_values v = {.length = DAYS};
    v.time = calloc(DAYS, sizeof *v.time);
    v.available = calloc(DAYS, sizeof *v.available);
    v.value = calloc(DAYS, sizeof *v.value);
    for (size_t d = 0; d < DAYS; d++) {
        v.time[d] = SERIES_START + (csm_time)d * CSM_DAY;
        v.available[d] = v.time[d] + CSM_HOUR;
        v.value[d] = (double)(d * 37 % 101);
    }
    return v;
}

static int setup(void **state) {
    bed *b = calloc(1, sizeof *b);
    const char *coins[MARKETS] = {"BTC", "ETH", "ADA"}, *symbols[MARKETS] = {"BTC/USD", "ETH/USD", "ADA/USD"};
    workspace_setup((void **)&b->w);
    b->store = open_store(b->w, CSM_STORE_CREATE);
    for (size_t i = 0; i < MARKETS; i++) {
        b->series[i] = series_new(i == 2 ? HOURS - 100 : HOURS, i);
        b->market[i] = market_of(coins[i], symbols[i]);
        b->markets[i] = &b->market[i];
        if (i == 1) series_idle(&b->series[i], 900, CSM_BAR_NO_TRADE);
        if (i == 1) series_idle(&b->series[i], 1000, CSM_BAR_GAP);
        series_round(&b->series[i]);
        store_bars(b->store, b->w->context, &b->market[i], &b->series[i]);
    }
    b->values = daily_values();
    store_values(b->store, b->w->context, &b->values);
    assert_ok(csm_fuse_recipe(&b->recipe, "spine-1"));
    *state = b;
    return 0;
}

static int teardown(void **state) {
    bed *b = *state;
    csm_recipe_free(b->recipe);
    free(b->values.time);
    free(b->values.available);
    free(b->values.value);
    for (size_t i = 0; i < MARKETS; i++) series_free(&b->series[i]);
    csm_store_free(b->store);
    workspace_teardown((void **)&b->w);
    free(b);
    return 0;
}

static csm_frame *build(const bed *b, const csm_fuse_options *options) {
    csm_frame *frame = NULL;
    assert_ok(csm_fuse_build(&frame, b->w->context, b->store, b->recipe, b->markets, MARKETS, options));
    return frame;
}

static void a_frame_of_the_store_is_the_frame_of_its_arrays(void **state) {
    const bed *b = *state;
    csm_track_source sources[MARKETS];
    for (size_t i = 0; i < MARKETS; i++) sources[i] = series_source(&b->series[i], b->market[i].coin);
    csm_frame *stored = build(b, NULL), *direct = frame_of(sources, MARKETS, &b->values, b->recipe, NULL, 3);
    assert_true(stored->rows > 900);
    assert_int_equal(stored->rows, direct->rows);
    assert_int_equal(stored->excluded_count, direct->excluded_count);
    assert_memory_equal(stored->matrix, direct->matrix, stored->rows * b->recipe->count * sizeof(float));
    assert_memory_equal(stored->excluded, direct->excluded,
                        stored->excluded_count * sizeof *stored->excluded);
    const csm_matrix m = csm_frame_matrix(stored);
    assert_true(m.rows == stored->rows && m.cols == b->recipe->count && m.dtype == CSM_F32);
    assert_string_equal(csm_recipe_hash(csm_frame_recipe(stored)), csm_recipe_hash(b->recipe));
    csm_frame_free(stored);
    csm_frame_free(direct);
}

static void as_of_hides_what_became_available_later(void **state) {
    const bed *b = *state;
    csm_fuse_options options;
    csm_fuse_options_init(&options);
    options.as_of = decision(950);
    csm_frame *then = build(b, &options), *now = build(b, NULL);
    assert_true(then->times[then->row_offset[1] - 1] == decision(950));
    for (size_t m = 0; m < MARKETS; m++) {
        const size_t rows = then->row_offset[m + 1] - then->row_offset[m];
        assert_true(rows > 100);
        assert_memory_equal(then->matrix + then->row_offset[m] * b->recipe->count,
                            now->matrix + now->row_offset[m] * b->recipe->count,
                            rows * b->recipe->count * sizeof(float));
    }
    csm_frame_free(then);
    csm_frame_free(now);
}

static void the_audit_finds_nothing_in_an_honest_recipe(void **state) {
    const bed *b = *state;
    csm_frame *frame = build(b, NULL);
    const csm_time times[] = {decision(740), decision(900), decision(1001), decision(1150)};
    csm_audit audit;
    assert_ok(csm_fuse_audit(&audit, b->w->context, b->store, frame, b->markets, MARKETS, times, 4));
    assert_int_equal(audit.times, 4);
    assert_true(audit.rows >= 2 * 2 * 2);
    assert_int_equal(audit.different, 0);
    assert_true(audit.first_time == CSM_TIME_MIN);
    const csm_time wrong = decision(900) + 1;
    assert_status(CSM_ENOTFOUND,
                  csm_fuse_audit(&audit, b->w->context, b->store, frame, b->markets, MARKETS, &wrong, 1));
    assert_status(CSM_EINVAL,
                  csm_fuse_audit(&audit, b->w->context, b->store, frame, b->markets, 2, times, 1));
    csm_frame_free(frame);
}

/* ---- leaks, planted -------------------------------------------------------------------------------------------------- */

static size_t one_bar(const csm_feature *feature) {
    (void)feature;
    return 1;
}

/* The return of the bar after the decision, where there is one; else of the bar before: never missing. */
static csm_status next_return(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++)
        out[k] = k + 1 < track->traded ? track->log_return[k + 1] : track->close[k];
    return CSM_OK;
}

static csm_status next_volume(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->known; k++) out[k] = track->known_volume[k + 1 < track->known ? k + 1 : k];
    return CSM_OK;
}

static csm_status sentiment_before_it_is_out(const csm_feature *feature, csm_subject *subject, double *out) {
    (void)feature;
    for (size_t s = 0; s < subject->track->slots; s++) {
        const csm_time day = csm_panel_decision(subject->panel, subject->track->first + s) / CSM_DAY;
        const size_t d = (size_t)(day - SERIES_START / CSM_DAY);
        out[s] = d < subject->panel->fear_greed.length ? subject->panel->fear_greed.value[d] : 50;
    }
    return CSM_OK;
}

static const csm_formula leaks[] = {
    {.name = "next_return",
     .group = "price",
     .text = "leak",
     .sequence = CSM_OVER_TRADED,
     .missing = 1,
     .memory = one_bar,
     .run = next_return},
    {.name = "next_rank",
     .group = "cross",
     .text = "leak",
     .sequence = CSM_OVER_TRADED,
     .across = CSM_ACROSS_RANK,
     .missing = 1,
     .memory = one_bar,
     .run = next_return},
    {.name = "next_breadth",
     .group = "cross",
     .text = "leak",
     .sequence = CSM_OVER_TRADED,
     .across = CSM_ACROSS_MEAN,
     .missing = 1,
     .memory = one_bar,
     .run = next_return},
    {.name = "next_volume",
     .group = "volume",
     .text = "leak",
     .sequence = CSM_OVER_KNOWN,
     .missing = 1,
     .memory = one_bar,
     .run = next_volume},
    {.name = "early_sentiment",
     .group = "sentiment",
     .text = "leak",
     .sequence = CSM_OVER_SLOTS,
     .missing = 1,
     .memory = one_bar,
     .run = sentiment_before_it_is_out},
};

static void the_audit_finds_a_leak_of_one_bar(void **state) {
    bed b = *(const bed *)*state;
    const csm_recipe *honest = b.recipe;
    for (size_t i = 0; i < sizeof leaks / sizeof leaks[0]; i++) {
        csm_recipe *leaky = NULL;
        assert_ok(csm_recipe_new(&leaky, "leaky", 3));
        assert_ok(csm_recipe_add(leaky, &honest->features[0]));
        assert_ok(csm_recipe_add(leaky, &honest->features[1]));
        assert_ok(csm_recipe_add(leaky, &(csm_feature){.name = (char *)"leak", .formula = &leaks[i]}));
        assert_ok(csm_recipe_seal(leaky));
        b.recipe = leaky;
        csm_frame *frame = build(&b, NULL);
        /* midnight: the day's sentiment is not out */
        const csm_time times[] = {decision(23 + 24 * 35), decision(23 + 24 * 40)};
        csm_audit audit;
        assert_ok(csm_fuse_audit(&audit, b.w->context, b.store, frame, b.markets, MARKETS, times, 2));
        if (audit.different == 0) fail_msg("%s was not found", leaks[i].name);
        assert_true(audit.first_time == times[0]);
        assert_int_equal(audit.first_feature, 2);
        csm_frame_free(frame);
        csm_recipe_free(leaky);
    }
}

/* ---- what a frame answers ---------------------------------------------------------------------------------------------- */

static void windows_end_where_enough_rows_follow_each_other(void **state) {
    const bed *b = *state;
    csm_frame *frame = build(b, NULL);
    size_t count = 0, whole = 0;
    assert_ok(csm_frame_windows(NULL, 0, &count, frame, 1));
    assert_int_equal(count, frame->rows);
    assert_ok(csm_frame_windows(NULL, 0, &count, frame, 48));
    int64_t *ends = calloc(count, sizeof *ends);
    assert_ok(csm_frame_windows(ends, count, &whole, frame, 48));
    assert_int_equal(whole, count);
    assert_true(count > 200);
    for (size_t i = 0; i < count; i++) {
        const size_t r = (size_t)ends[i];
        assert_true(r >= 47);
        assert_int_equal(frame->markets[r], frame->markets[r - 47]);
        assert_true(frame->times[r] - frame->times[r - 47] == 47 * CSM_HOUR);
    }
    assert_status(CSM_EINVAL, csm_frame_windows(ends, count, &whole, frame, 0));
    free(ends);
    csm_frame_free(frame);
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void facts_are_what_was_known(void **state) {
    const bed *b = *state;
    csm_frame *frame = build(b, NULL);
    csm_market_facts facts;
    const csm_time time = decision(900); /* 37 whole days, the 38th runs; bar 900 of market 1 had no trade */
    assert_ok(csm_frame_facts(&facts, frame, 1, time));
    assert_true(facts.first == SERIES_START);
    assert_true(facts.last_trade == decision(899));
    assert_true(facts.price == b->series[1].column[3][899]);
    double days[30];
    for (size_t d = 0; d < 30; d++) {
        days[d] = 0;
        for (size_t i = 24 * (d + 7); i < 24 * (d + 8); i++)
            days[d] += b->series[1].column[3][i] * b->series[1].column[4][i];
    }
    qsort(days, 30, sizeof *days, compare);
    assert_true(fabs(facts.traded_value - 0.5 * (days[14] + days[15])) < 1e-6 * days[15]);
    assert_true(facts.history == time - SERIES_START - CSM_HOUR); /* sentiment began an hour in and ties */
    assert_ok(csm_frame_facts(&facts, frame, 1, SERIES_START));
    assert_true(facts.last_trade == CSM_TIME_MIN && isnan(facts.price) && facts.history == 0);
    assert_ok(csm_frame_facts(&facts, frame, 1, decision(1030))); /* day 41 has a gap and does not count */
    assert_true(!isnan(facts.traded_value));
    csm_market_facts last;
    assert_ok(csm_frame_facts(&facts, frame, 0, decision(HOURS - 1)));
    assert_ok(csm_frame_facts(&last, frame, 0, CSM_TIME_MAX)); /* the frame knows nothing later */
    assert_memory_equal(&facts, &last, sizeof facts);
    assert_status(CSM_EINVAL, csm_frame_facts(&facts, frame, MARKETS, time));
    csm_frame_free(frame);
}

static void sentiment_shortens_the_history_of_a_recipe_that_reads_it(void **state) {
    const bed *b = *state;
    csm_recipe *rest = NULL;
    csm_values late = b->values;
    csm_track_source source = series_source(&b->series[0], "BTC");
    late.time += 20;
    late.available += 20;
    late.value += 20;
    late.length -= 20;
    assert_ok(csm_fuse_recipe_without(&rest, b->recipe, "sentiment"));
    csm_frame *with = frame_of(&source, 1, &late, b->recipe, NULL, 1);
    csm_frame *without = frame_of(&source, 1, &late, rest, NULL, 1);
    csm_market_facts facts;
    assert_ok(csm_frame_facts(&facts, with, 0, decision(1100)));
    assert_true(facts.history == decision(1100) - SERIES_START - 20 * CSM_DAY - CSM_HOUR);
    assert_ok(csm_frame_facts(&facts, without, 0, decision(1100)));
    assert_true(facts.history == decision(1100) - SERIES_START);
    csm_frame_free(with);
    csm_frame_free(without);
    csm_recipe_free(rest);
}

/* ---- targets --------------------------------------------------------------------------------------------------------- */

static void targets_and_the_ledgers_outcome_agree(void **state) {
    const bed *b = *state;
    csm_frame *frame = build(b, NULL);
    csm_targets *targets = NULL, *again = NULL;
    csm_cost_options cost;
    csm_cost_options_init(&cost);
    const csm_time as_of = decision(1180), horizon = 24 * CSM_HOUR;
    assert_ok(csm_fuse_targets(&targets, b->w->context, b->store, frame, b->markets, MARKETS, horizon, as_of,
                               NULL));
    size_t states[4] = {0}, rises = 0;
    for (size_t r = 0; r < frame->rows; r++) {
        const csm_target *t = csm_targets_at(targets, r);
        states[t->state]++;
        rises += t->rises;
        csm_target o;
        assert_ok(csm_fuse_outcome(&o, b->w->context, b->store, b->markets[frame->markets[r]],
                                   frame->times[r], CSM_HOUR, horizon, as_of, t->cost));
        if (frame->times[r] <= as_of) assert_memory_equal(t, &o, sizeof o);
        if (t->state != CSM_TARGET_KNOWN) continue;
        const series *s = &b->series[frame->markets[r]];
        const size_t i = (size_t)((frame->times[r] - SERIES_START) / CSM_HOUR);
        const size_t in = isnan(s->column[0][i]) ? i + 1 : i, out = i + 23;
        assert_true(t->entry == s->column[0][in]);
        if (!isnan(s->column[3][out])) assert_true(t->exit == s->column[3][out]);
        assert_int_equal(t->rises, t->log_return > t->cost);
        if (r > 40) r += 6;
    }
    assert_true(states[CSM_TARGET_KNOWN] > 50 && states[CSM_TARGET_PENDING] > 0 &&
                states[CSM_TARGET_UNKNOWN] > 0);
    assert_true(rises > 0);
    assert_null(csm_targets_at(targets, frame->rows));
    assert_true(csm_targets_horizon(targets) == horizon);
    assert_int_equal(strlen(csm_targets_event(targets)), 64);
    cost.notional = 5000;
    assert_ok(
        csm_fuse_targets(&again, b->w->context, b->store, frame, b->markets, MARKETS, horizon, as_of, &cost));
    assert_string_not_equal(csm_targets_event(again), csm_targets_event(targets));
    csm_targets_free(again);
    again = NULL;
    assert_status(CSM_EINVAL, csm_fuse_targets(&again, b->w->context, b->store, frame, b->markets, MARKETS,
                                               CSM_MINUTE, as_of, NULL));
    assert_null(again);
    csm_targets_free(targets);
    csm_targets_free(NULL);
    csm_frame_free(frame);
}

static void a_revision_reads_as_it_was_known(void **state) {
    const bed *b = *state;
    csm_fuse_options options;
    csm_fuse_options_init(&options);
    series late = series_new(HOURS, 0);
    series_round(&late);
    csm_market market = market_of("BTC", "REV/USD");
    const csm_market *one = &market;
    store_bars(b->store, b->w->context, &market, &late);
    series fix = late; /* bar 1000 is corrected ten hours later */
    fix.length = 1;
    fix.time += 1000;
    fix.available += 1000;
    fix.state += 1000;
    for (int c = 0; c < 5; c++) fix.column[c] += 1000;
    fix.column[4][0] *= 2;
    fix.available[0] += 10 * CSM_HOUR;
    store_bars(b->store, b->w->context, &market, &fix);
    csm_frame *frame = NULL;
    csm_recipe *rest = NULL;
    assert_ok(csm_fuse_recipe_without(&rest, b->recipe, "sentiment"));
    assert_ok(csm_fuse_build(&frame, b->w->context, b->store, rest, &one, 1, NULL));
    csm_reason reasons;
    assert_ok(csm_frame_reasons(&reasons, frame, 0, decision(1005)));
    assert_true(reasons == CSM_REASON_MASK(PENDING));
    assert_ok(csm_frame_reasons(&reasons, frame, 0, decision(1010)));
    assert_true(reasons == 0);
    const csm_time times[] = {decision(999), decision(1005), decision(1010), decision(1100)};
    csm_audit audit;
    assert_ok(csm_fuse_audit(&audit, b->w->context, b->store, frame, &one, 1, times, 4));
    assert_int_equal(audit.different, 0);
    assert_true(audit.rows >= 6);
    csm_frame_free(frame);
    csm_recipe_free(rest);
    series_free(&late);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_of_the_store_is_the_frame_of_its_arrays),
        cmocka_unit_test(as_of_hides_what_became_available_later),
        cmocka_unit_test(the_audit_finds_nothing_in_an_honest_recipe),
        cmocka_unit_test(the_audit_finds_a_leak_of_one_bar),
        cmocka_unit_test(windows_end_where_enough_rows_follow_each_other),
        cmocka_unit_test(facts_are_what_was_known),
        cmocka_unit_test(sentiment_shortens_the_history_of_a_recipe_that_reads_it),
        cmocka_unit_test(targets_and_the_ledgers_outcome_agree),
        cmocka_unit_test(a_revision_reads_as_it_was_known),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
