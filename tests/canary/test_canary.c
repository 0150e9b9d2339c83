/* SPDX-License-Identifier: MIT */
/* The canaries of STATISTICS, each with its twin. A canary is a condition on what the pipeline says; it holds when nothing is wrong,
 * and its twin plants the fault it is there for and wants it to fail. A canary that cannot fail guards nothing. Faults are planted on
 * the way in (features, labels, universe) or in the record, not in the library: what is tested is that they would be seen.
 *
 *   shuffled labels     no skill               twin: the label among the features
 *   purged labels       no foresight           twin: a label's end forgotten, so nothing is purged
 *   random walk         about nothing issued   twin: a feature that holds the next bar
 *   planted signal      found and calibrated   twins: the signal lost; probabilities too bold
 *   one-bar leak        the audit alarms       in tests/fuse/test_store.c, with twins for bars, volume and sentiment
 *   flipped returns     calls flip             twin: labels that were not flipped
 *   doubled coins       N_eff unchanged        twin: coins counted as observations of their own
 *   truncated replay    the same bits          twin: a feature centred on the whole history
 *   overlapping labels  not independent        twins: labels counted by decision; weights of 1
 *   delisted coins      stay in the sample     twin: the universe of those that are listed today
 */
#include "panel.h"

#include "../pipeline/market.h"

#include <string.h>

/* ---- conditions ---- */

static bool has_no_skill(const horizon_result *r) {
    const csm_scores *s = &r->facts.model;
    return s->rows > 500 && s->brier_skill.value < 0.01 && s->brier_skill.low <= 0 &&
           fabs(s->rank_ic.value) < 0.05;
}

/* Raw scores are right about the direction as often as not. Calibration on few blocks would hide it when they are right more often. */
static bool has_no_foresight(const horizon_result *r) {
    size_t right = 0;
    for (size_t i = 0; i < r->walk.length; i++)
        right += (r->walk.rows[i].member_score[0] > 0) == (r->walk.rows[i].rises != 0);
    const double share = (double)right / (double)r->walk.length;
    return r->walk.length > 500 && share > 0.38 && share < 0.62;
}

static bool issues_about_nothing(const horizon_result *r) {
    return r->facts.walk_rows > 500 && r->facts.evidence.issued <= r->facts.walk_rows / 100 &&
           r->facts.evidence.status != CSM_EVIDENCE_CERTIFIED;
}

static bool is_found(const horizon_result *r) {
    return r->facts.evidence.issued > r->facts.walk_rows / 10 && r->facts.model.brier_skill.low > 0.2;
}

static bool is_calibrated(const horizon_result *r) {
    return r->facts.model.ece.value < 0.05 && r->facts.evidence.precision > 0.80 &&
           r->facts.evidence.precision < 0.90 && r->facts.evidence.status != CSM_EVIDENCE_REVOKED;
}

static void result_free(horizon_result *r) {
    csm_walk_free(&r->walk);
}

/* Makes a panel, plants, walks, and asks. */
static bool holds(bool (*condition)(const horizon_result *), panel p, panel_fault plant, walk_fault spoil) {
    horizon_result r = panel_walk(&p, plant, spoil);
    const bool answer = condition(&r);
    result_free(&r);
    panel_free(&p);
    return answer;
}

/* ---- shuffled labels ---- */

static void shuffle_labels(panel *p) {
    horizon_samples *s = &p->samples;
    for (size_t i = s->length; i-- > 1;) {
        const size_t k = (size_t)(csm_random_u64(99, 1, i) % (i + 1));
        const double rises = s->rises[i], log_return = s->log_return[i];
        s->rises[i] = s->rises[k];
        s->log_return[i] = s->log_return[k];
        s->rises[k] = rises;
        s->log_return[k] = log_return;
    }
}

static void shuffle_and_leak_the_label(panel *p) {
    shuffle_labels(p);
    for (size_t i = 0; i < p->samples.length; i++)
        *panel_x(p, (size_t)p->samples.row[i], FEATURE_EXTRA) += 2 * (float)p->samples.rises[i];
}

static void shuffled_labels_show_no_skill(void **state) {
    (void)state;
    assert_true(holds(has_no_skill, panel_new(1, 400, 1, 0.85, 0.3), shuffle_labels, NULL));
}

static void a_label_among_the_features_is_seen_though_labels_are_shuffled(void **state) {
    (void)state;
    assert_false(holds(has_no_skill, panel_new(1, 400, 1, 0.85, 0.3), shuffle_and_leak_the_label, NULL));
}

/* ---- purge: labels of five days on one market's random walk, the date among the features, and every test the day after its training ---- */

static void date_the_rows(panel *p) {
    for (size_t row = 0; row < p->coins * p->days; row++)
        *panel_x(p, row, FEATURE_EXTRA) = (float)(row % p->days);
    p->settings.test_span = CSM_DAY;
    for (size_t i = 0; i < p->settings.member[0].parameter_count; i++) {
        csm_parameter *parameter = &p->settings.member[0].parameter[i];
        if (strcmp(parameter->name, "leaves") == 0) parameter->value = 31;
        if (strcmp(parameter->name, "min_rows") == 0) parameter->value = PANEL_COINS;
        if (strcmp(parameter->name, "learning_rate") == 0) parameter->value = 0.3;
    }
}

static void date_the_rows_and_forget_the_ends(panel *p) {
    date_the_rows(p);
    p->settings.horizon[0].horizon = CSM_DAY;
    for (size_t i = 0; i < p->samples.length; i++) p->samples.end[i] = p->samples.begin[i] + CSM_DAY;
}

static void overlapping_labels_give_no_foresight_when_they_are_purged(void **state) {
    (void)state;
    assert_true(holds(has_no_foresight, panel_new(4, 300, 5, 0, 0.95), date_the_rows, NULL));
}

static void labels_that_are_not_purged_are_seen(void **state) {
    (void)state;
    assert_false(
        holds(has_no_foresight, panel_new(4, 300, 5, 0, 0.95), date_the_rows_and_forget_the_ends, NULL));
}

/* ---- random walk ---- */

static void leak_the_next_bar(panel *p) {
    for (size_t i = 0; i < p->samples.length; i++) {
        const size_t row = (size_t)p->samples.row[i], day = row % p->days;
        *panel_x(p, row, FEATURE_EXTRA) = (float)*panel_return(p, row / p->days, day + 1);
    }
}

static void a_driftless_random_walk_issues_about_nothing(void **state) {
    (void)state;
    assert_true(holds(issues_about_nothing, panel_new(2, 400, 1, 0, 0.5), NULL, NULL));
}

static void a_feature_that_holds_the_next_bar_is_seen(void **state) {
    (void)state;
    assert_false(holds(issues_about_nothing, panel_new(2, 400, 1, 0, 0.5), leak_the_next_bar, NULL));
}

/* ---- planted signal ---- */

static void lose_the_signal(panel *p) {
    for (size_t row = 0; row < p->coins * p->days; row++)
        *panel_x(p, row, FEATURE_SIGNAL) = (float)csm_random_normal(5, 5, row);
}

static void make_probabilities_bold(horizon_walk *walk) {
    for (size_t i = 0; i < walk->length; i++) {
        double *p = &walk->rows[i].probability;
        const double odds = *p / (1 - *p);
        if (!isnan(*p)) *p = odds * odds * odds / (1 + odds * odds * odds);
    }
}

static void a_signal_of_85_percent_is_found_and_calibrated(void **state) {
    (void)state;
    assert_true(holds(is_found, panel_new(3, 400, 1, 0.85, 0.3), NULL, NULL));
    assert_true(holds(is_calibrated, panel_new(3, 400, 1, 0.85, 0.3), NULL, NULL));
}

static void a_lost_signal_is_missed(void **state) {
    (void)state;
    assert_false(holds(is_found, panel_new(3, 400, 1, 0.85, 0.3), lose_the_signal, NULL));
}

static void bold_probabilities_are_not_called_calibrated(void **state) {
    (void)state;
    assert_false(holds(is_calibrated, panel_new(3, 400, 1, 0.85, 0.3), NULL, make_probabilities_bold));
}

/* ---- flipped returns ---- */

static void flip_features(panel *p) {
    for (size_t row = 0; row < p->coins * p->days; row++) {
        const size_t flipped[] = {FEATURE_SIGNAL, FEATURE_LAST, FEATURE_FIVE};
        for (size_t f = 0; f < 3; f++) *panel_x(p, row, flipped[f]) *= -1;
    }
}

static void flip_everything(panel *p) {
    flip_features(p);
    for (size_t i = 0; i < p->samples.length; i++) {
        p->samples.log_return[i] *= -1;
        p->samples.rises[i] = p->samples.log_return[i] > 0;
    }
}

/* Whether calls of the one walk are those the other is most against. */
static bool calls_flip(panel_fault flip) {
    panel honest = panel_new(6, 300, 1, 0.85, 0.3), other = panel_new(6, 300, 1, 0.85, 0.3);
    horizon_result a = panel_walk(&honest, NULL, NULL), b = panel_walk(&other, flip, NULL);
    size_t both = 0, issued = 0, against = 0;
    assert_int_equal(a.walk.length, b.walk.length);
    for (size_t i = 0; i < a.walk.length; i++) {
        if (!(a.walk.rows[i].probability >= 0.80)) continue;
        issued++;
        both += b.walk.rows[i].probability >= 0.80;
        against += b.walk.rows[i].probability <= 0.30;
    }
    result_free(&a);
    result_free(&b);
    panel_free(&honest);
    panel_free(&other);
    return issued > 100 && both == 0 && against > issued * 9 / 10;
}

static void calls_flip_with_the_returns(void **state) {
    (void)state;
    assert_true(calls_flip(flip_everything));
}

static void labels_that_did_not_flip_are_seen(void **state) {
    (void)state;
    assert_false(calls_flip(flip_features));
}

/* ---- doubled coins ---- */

/* Whether the walk says the same with every coin twice; the copies' decisions are `apart` later. */
static bool doubling_changes_nothing(csm_time apart) {
    panel p = panel_new(3, 300, 1, 0.85, 0.3);
    horizon_result r = panel_walk(&p, NULL, NULL);
    horizon_walk *w = &r.walk, doubled = {0};
    csm_evidence once, twice;
    doubled.rows = csm_alloc_array(2 * w->length, sizeof *doubled.rows);
    assert_non_null(doubled.rows);
    for (size_t i = 0; i < w->length; i++) {
        doubled.rows[2 * i] = doubled.rows[2 * i + 1] = w->rows[i];
        doubled.rows[2 * i + 1].market += PANEL_COINS;
        doubled.rows[2 * i + 1].time += apart;
        doubled.rows[2 * i + 1].matures += apart;
    }
    assert_ok(csm_walk_evidence(&once, w->rows, w->length, CSM_DAY, 0.80));
    assert_ok(csm_walk_evidence(&twice, doubled.rows, 2 * w->length, CSM_DAY, 0.80));
    const bool same = twice.blocks == once.blocks && twice.lower == once.lower && twice.upper == once.upper &&
                      twice.e_value == once.e_value && twice.issued == 2 * once.issued;
    csm_dealloc(doubled.rows);
    result_free(&r);
    panel_free(&p);
    return same;
}

static void doubled_coins_add_no_evidence(void **state) {
    (void)state;
    assert_true(doubling_changes_nothing(0));
}

static void coins_counted_as_observations_of_their_own_are_seen(void **state) {
    (void)state;
    assert_false(doubling_changes_nothing(1000 * CSM_DAY));
}

/* ---- truncated replay ---- */

static void centre_on_the_whole_history(panel *p) {
    for (size_t coin = 0; coin < p->coins; coin++) {
        double mean = 0;
        for (size_t day = 0; day < p->days; day++)
            mean += *panel_x(p, coin * p->days + day, FEATURE_NOISE) / (double)p->days;
        for (size_t day = 0; day < p->days; day++)
            *panel_x(p, coin * p->days + day, FEATURE_NOISE) -= (float)mean;
    }
}

/* Whether the days that both know were judged with the same bits, though one panel goes on. */
static bool replay_is_identical(panel_fault plant) {
    enum { SHORT = 250, LONG = 400, WHOLE = 5 + 120 + 2 * 60 }; /* two whole test blocks */
    panel p[2] = {panel_new(8, SHORT, 1, 0.85, 0.3), panel_new(8, LONG, 1, 0.85, 0.3)};
    horizon_result r[2] = {panel_walk(&p[0], plant, NULL), panel_walk(&p[1], plant, NULL)};
    const csm_time limit = PANEL_START + (csm_time)WHOLE * CSM_DAY;
    size_t same = 0, known = 0;
    for (size_t i = 0; i < r[0].walk.length && r[0].walk.rows[i].time < limit; i++) {
        known++;
        same += memcmp(&r[0].walk.rows[i], &r[1].walk.rows[i], sizeof(csm_walk_row)) == 0;
    }
    for (size_t k = 0; k < 2; k++) {
        result_free(&r[k]);
        panel_free(&p[k]);
    }
    return known > 1000 && same == known;
}

static void a_replay_that_ends_earlier_gives_the_same_bits(void **state) {
    (void)state;
    assert_true(replay_is_identical(NULL));
}

static void a_feature_centred_on_the_whole_history_is_seen(void **state) {
    (void)state;
    assert_false(replay_is_identical(centre_on_the_whole_history));
}

/* ---- overlapping labels ---- */

/* Whether thirteen months of daily calls on a horizon of thirty days, whose outcomes agree within each month, prove nothing. */
static bool proves_nothing(csm_time counted_as) {
    enum { DAYS = 390 };
    csm_walk_row *rows = csm_alloc_array(DAYS, sizeof *rows);
    csm_evidence e;
    assert_non_null(rows);
    for (size_t d = 0; d < DAYS; d++)
        rows[d] = (csm_walk_row){.time = (csm_time)d * CSM_DAY,
                                 .matures = (csm_time)d * CSM_DAY + counted_as,
                                 .probability = 0.85,
                                 .rises = d / 30 % 7 != 6}; /* right in twelve months of thirteen */
    assert_ok(csm_walk_evidence(&e, rows, DAYS, counted_as, 0.80));
    csm_dealloc(rows);
    return e.status == CSM_EVIDENCE_UNPROVEN && e.blocks <= 13;
}

static void a_year_of_overlapping_calls_proves_nothing(void **state) {
    (void)state;
    assert_true(proves_nothing(30 * CSM_DAY));
}

static void calls_counted_by_decision_are_seen(void **state) {
    (void)state;
    assert_false(proves_nothing(CSM_DAY));
}

/* Whether weights sum to about the number of disjoint labels. */
static bool weighs_as_disjoint(const double *weight, size_t n, size_t reach) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += weight[i];
    return sum < 1.5 * (double)n / (double)reach;
}

static void overlapping_labels_weigh_as_much_as_disjoint_ones(void **state) {
    (void)state;
    enum { N = 300, REACH = 20 };
    csm_time begin[N], end[N];
    uint32_t coin[N] = {0};
    double weight[N], ones[N];
    for (size_t i = 0; i < N; i++) {
        begin[i] = (csm_time)i * CSM_DAY;
        end[i] = begin[i] + REACH * CSM_DAY;
        ones[i] = 1;
    }
    assert_ok(csm_model_uniqueness(weight, begin, end, coin, N));
    assert_true(weighs_as_disjoint(weight, N, REACH));
    assert_false(weighs_as_disjoint(ones, N, REACH)); /* the twin */
}

/* ---- survivorship ---- */

#define LISTED_DAYS 200
#define LOST_COIN 2

/* Falls by a tenth a day in its last ten days; the others walk at random. */
static void crashing_coin(double *returns, uint32_t coin, uint64_t seed) {
    random_walk(returns, coin, seed);
    for (size_t hour = (LISTED_DAYS - 10) * 24; coin == LOST_COIN && hour < LISTED_DAYS * 24; hour++)
        returns[hour] -= 0.1 / 24;
}

static void list_at(market *m, csm_time time, uint32_t coins) {
    csm_buffer text = {0};
    csm_listing *listing = NULL;
    csm_discovery *discovery = NULL;
    assert_ok(csm_buffer_printf(&text, "venue,symbol,coin,quote,status,reason\n"));
    for (uint32_t c = 0; c < coins; c++) {
        char room[16];
        const char *name = market_name(room, sizeof room, c);
        assert_ok(csm_buffer_printf(&text, "test,%s/USD,%s,USD,online,\n", name, name));
    }
    const csm_provenance provenance = {"test", "generated for a test", "", time};
    assert_ok(csm_discover_parse_manifest(&listing, text.data, text.length));
    assert_ok(csm_discover_apply(&discovery, m->context, csm_pipeline_store(m->pipeline), listing, text.data,
                                 text.length, &provenance, NULL));
    csm_discovery_free(discovery);
    csm_listing_free(listing);
    csm_buffer_free(&text);
}

/* Whether the walk of a market whose third coin was delisted judges that coin to its end, the crash included. */
static bool remembers_the_lost_coin(bool listed_then) {
    market *m = market_new(0, crashing_coin, 21);
    csm_training *training = NULL;
    size_t rows = 0, fell = 0;
    assert_ok(csm_config_set(m->config, "train.members", "trees"));
    csm_pipeline_free(m->pipeline);
    assert_ok(csm_pipeline_open(&m->pipeline, m->context, m->config, m->workspace, CSM_STORE_WRITE));
    if (listed_then) list_at(m, MARKET_START, LOST_COIN + 1);
    list_at(m, MARKET_START + LISTED_DAYS * CSM_DAY, LOST_COIN);
    for (uint32_t c = 0; c <= LOST_COIN; c++)
        market_coin(m, c, crashing_coin, 21, c == LOST_COIN ? LISTED_DAYS * 24 : MARKET_HOURS);
    assert_ok(csm_pipeline_train(&training, m->pipeline, market_end()));
    const csm_walk_row *walk = csm_training_walk(training, 0);
    for (size_t i = 0; i < csm_training_horizon(training, 0)->walk_rows; i++) {
        if (strcmp(csm_training_coin(training, walk[i].market), "T2") != 0) continue;
        rows++;
        fell += walk[i].time >= MARKET_START + (LISTED_DAYS - 10) * CSM_DAY && !walk[i].rises;
    }
    csm_training_free(training);
    market_free(m);
    return rows > 20 && fell >= 9;
}

static void a_delisted_coin_stays_in_the_record_with_its_crash(void **state) {
    (void)state;
    assert_true(remembers_the_lost_coin(true));
}

static void a_universe_of_survivors_is_seen(void **state) {
    (void)state;
    assert_false(remembers_the_lost_coin(false));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shuffled_labels_show_no_skill),
        cmocka_unit_test(a_label_among_the_features_is_seen_though_labels_are_shuffled),
        cmocka_unit_test(overlapping_labels_give_no_foresight_when_they_are_purged),
        cmocka_unit_test(labels_that_are_not_purged_are_seen),
        cmocka_unit_test(a_driftless_random_walk_issues_about_nothing),
        cmocka_unit_test(a_feature_that_holds_the_next_bar_is_seen),
        cmocka_unit_test(a_signal_of_85_percent_is_found_and_calibrated),
        cmocka_unit_test(a_lost_signal_is_missed),
        cmocka_unit_test(bold_probabilities_are_not_called_calibrated),
        cmocka_unit_test(calls_flip_with_the_returns),
        cmocka_unit_test(labels_that_did_not_flip_are_seen),
        cmocka_unit_test(doubled_coins_add_no_evidence),
        cmocka_unit_test(coins_counted_as_observations_of_their_own_are_seen),
        cmocka_unit_test(a_replay_that_ends_earlier_gives_the_same_bits),
        cmocka_unit_test(a_feature_centred_on_the_whole_history_is_seen),
        cmocka_unit_test(a_year_of_overlapping_calls_proves_nothing),
        cmocka_unit_test(calls_counted_by_decision_are_seen),
        cmocka_unit_test(overlapping_labels_weigh_as_much_as_disjoint_ones),
        cmocka_unit_test(a_delisted_coin_stays_in_the_record_with_its_crash),
        cmocka_unit_test(a_universe_of_survivors_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
