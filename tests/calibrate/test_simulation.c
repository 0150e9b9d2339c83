/* SPDX-License-Identifier: MIT */
/*
 * What evidence is worth when the truth is known: five coins are issued every day for three years, their outcomes share a market
 * factor, labels last one hour, one day, a week or a month, and somebody looks every day. With a true precision of exactly 0.80 a
 * certificate is false; it may come in at most 5 % of runs, at any look. Counting outcomes instead fails that by far.
 *
 *   test_calibrate_simulation [RUNS [POWER_RUNS]]   default 150 and 40; the figures of docs/calibrate.md: 4000 and 1000
 *
 * Returns of a coin are a random walk, share FACTOR of whose variance is the market's. A call is right when the coin's return over
 * the horizon lies above the quantile 1 - precision of its distribution, so that the precision is exact, and outcomes of
 * neighbouring days overlap as real ones do.
 */
#include "calibrate/golden.h"

#include "calibrate/internal.h"
#include "core/real.h"

#include <math.h>

#define DAYS 1095
#define COINS 5
#define FACTOR 0.6
#define ROWS ((size_t)DAYS * COINS)

static size_t runs = 150, power_runs = 40;

typedef struct horizon_case {
    const char *name;
    csm_time horizon;
    size_t steps; /* daily increments that a label spans */
} horizon_case;

static const horizon_case cases[] = {
    {"1h", CSM_HOUR, 1}, {"24h", CSM_DAY, 1}, {"7d", 7 * CSM_DAY, 7}, {"30d", 30 * CSM_DAY, 30}};
#define CASES (sizeof cases / sizeof *cases)

typedef struct world {
    csm_time time[ROWS];
    uint32_t coin[ROWS];
    double probability[ROWS];
    double outcome[ROWS];
    double path[COINS][DAYS + 31];
} world;

/* Calls of one run, by day, then coin. */
static csm_outcomes simulate(world *w, const horizon_case *c, double precision, uint64_t seed) {
    double threshold = csm_normal_quantile(1 - precision) * sqrt((double)c->steps);
    for (uint32_t k = 0; k < COINS; k++) {
        w->path[k][0] = 0;
        for (size_t d = 0; d < DAYS + 30; d++)
            w->path[k][d + 1] = w->path[k][d] + sqrt(FACTOR) * csm_random_normal(seed, 1, d) +
                                sqrt(1 - FACTOR) * csm_random_normal(seed, 2 + k, d);
    }
    for (size_t i = 0; i < ROWS; i++) {
        size_t d = i / COINS, k = i % COINS;
        w->time[i] = (csm_time)d * CSM_DAY;
        w->coin[i] = (uint32_t)k;
        w->probability[i] = 0.85;
        w->outcome[i] = w->path[k][d + c->steps] - w->path[k][d] > threshold;
    }
    return (csm_outcomes){.length = ROWS,
                          .horizon = c->horizon,
                          .time = w->time,
                          .coin = w->coin,
                          .probability = w->probability,
                          .outcome = w->outcome};
}

/* Evidence at a look: what has matured by then. */
static csm_evidence look(csm_outcomes outcomes, csm_time now) {
    csm_evidence_options options;
    csm_evidence evidence;
    csm_calibrate_evidence_options_init(&options);
    options.as_of = now;
    size_t days = (size_t)((now - outcomes.horizon) / CSM_DAY) + 1;
    outcomes.length = now < outcomes.horizon ? 0 : days < DAYS ? days * COINS : ROWS;
    assert_ok(csm_calibrate_evidence(&evidence, &outcomes, &options));
    return evidence;
}

/* A normal 95 % lower bound of the share of right calls, as if they were independent, over 0.80 on some day after 14 blocks. */
static bool naive_counting_certifies(const csm_outcomes *o) {
    double right = 0;
    for (size_t i = 0; i < o->length; i++) {
        right += o->outcome[i];
        double n = (double)i + 1,
               blocks = (double)o->time[i] / (double)(o->horizon > CSM_DAY ? o->horizon : CSM_DAY);
        if ((i + 1) % COINS == 0 && blocks >= 14 && right / n - 0.80 > 1.6449 * sqrt(0.8 * 0.2 / n))
            return true;
    }
    return false;
}

static double share(size_t count, size_t of) {
    return 100.0 * (double)count / (double)of;
}

/* Looks never take anything back, so that the last one tells of all. */
static void daily_looks_only_tighten(void **state) {
    (void)state;
    world *w = calloc(1, sizeof *w);
    for (size_t h = 1; h < CASES; h++) {
        csm_outcomes o = simulate(w, &cases[h], 0.80, 7 + h);
        csm_time first = 3 * (csm_time)cases[h].steps; /* from then on it is known whether labels overlap */
        csm_evidence last = look(o, first * CSM_DAY);
        for (csm_time day = first + 1; day <= 400; day++) {
            csm_evidence now = look(o, day * CSM_DAY);
            assert_true(now.lower >= last.lower && now.upper <= last.upper && now.e_value >= last.e_value);
            bool ended = day * CSM_DAY % cases[h].horizon == 0; /* only the end of a block adds one */
            assert_true(now.blocks == last.blocks || (ended && now.blocks == last.blocks + 1));
            last = now;
        }
        assert_true(last.blocks >= 400.0 / (double)cases[h].steps - 3);
    }
    free(w);
}

static void a_precision_of_exactly_80_percent_is_rarely_certified_however_often_one_looks(void **state) {
    (void)state;
    world *w = calloc(1, sizeof *w);
    print_message(
        "true precision 0.80, %zu runs: falsely certified, falsely revoked, certified by naive counting\n",
        runs);
    for (size_t h = 0; h < CASES; h++) {
        size_t certified = 0, revoked = 0, naive = 0;
        for (uint64_t run = 0; run < runs; run++) {
            csm_outcomes o = simulate(w, &cases[h], 0.80, 1000 * h + 100000 * run + 1);
            csm_evidence last = look(o, (DAYS + 62) * CSM_DAY);
            certified += last.lower >= 0.80 && last.blocks >= 14;
            revoked += last.upper < 0.80 || last.e_value >= 20;
            naive += naive_counting_certifies(&o);
        }
        print_message("  %-4s %5.1f %%  %5.1f %%  %5.1f %%\n", cases[h].name, share(certified, runs),
                      share(revoked, runs), share(naive, runs));
        double allowed = 0.05 * (double)runs + 4 * sqrt(0.05 * 0.95 * (double)runs);
        assert_true((double)certified <= allowed);
        assert_true((double)revoked <= allowed);
        assert_true(share(naive, runs) > 10); /* or the world would be too easy to prove anything */
    }
    free(w);
}

/* What the caution costs: how often a better precision is certified within three years. */
static void power_rises_with_the_true_precision(void **state) {
    (void)state;
    static const double precision[] = {0.85, 0.90, 0.95};
    world *w = calloc(1, sizeof *w);
    print_message("certified within three years, %zu runs, at a true precision of 0.85, 0.90, 0.95\n",
                  power_runs);
    for (size_t h = 0; h < CASES; h++) {
        size_t certified[3] = {0};
        for (size_t p = 0; p < 3; p++) {
            for (uint64_t run = 0; run < power_runs; run++) {
                csm_outcomes o = simulate(w, &cases[h], precision[p], 1000 * h + 100000 * run + 2);
                csm_evidence last = look(o, (DAYS + 62) * CSM_DAY);
                certified[p] += last.status == CSM_EVIDENCE_CERTIFIED;
            }
        }
        print_message("  %-4s %5.1f %%  %5.1f %%  %5.1f %%\n", cases[h].name, share(certified[0], power_runs),
                      share(certified[1], power_runs), share(certified[2], power_runs));
        assert_true(certified[0] <= certified[1] && certified[1] <= certified[2]);
        if (cases[h].steps == 1) assert_true(share(certified[1], power_runs) > 90);
    }
    free(w);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(daily_looks_only_tighten),
        cmocka_unit_test(a_precision_of_exactly_80_percent_is_rarely_certified_however_often_one_looks),
        cmocka_unit_test(power_rises_with_the_true_precision),
    };
    if (argc > 1) runs = (size_t)strtoul(argv[1], NULL, 10);
    if (argc > 2) power_runs = (size_t)strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
