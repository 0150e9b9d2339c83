/* SPDX-License-Identifier: MIT */
/*
 * Evidence for the precision of issued predictions, by betting (Waudby-Smith & Ramdas 2023, section 4: predictable
 * plug-in bets). Against each candidate precision m one gambler bets that block means lie above it, another that they
 * lie below; a candidate on which a gambler's wealth ever reached 1 / level is refuted for good. Ville's inequality
 * bounds the chance of a false refutation at any time by `level`, so looking daily costs nothing.
 *
 *   wealth up   (m): product over blocks of 1 + min(bet, c / m)       (mean - m)   refutes small m: lower bound
 *   wealth down (m): product over blocks of 1 - min(bet, c / (1 - m)) (mean - m)   refutes large m: upper bound
 *
 * Blocks are horizon-long spans counted from the epoch. A label reaches from its block into the next one. Where decisions
 * of neighbouring blocks have labels that overlap, neither is the next block's bet known before its outcomes begin nor
 * are their means a martingale difference; then even and odd blocks are bet on apart, each at half the level (Bonferroni),
 * since labels two blocks apart never meet.
 */
#include "calibrate/internal.h"

#include "core/real.h"

#include <math.h>

#define BET_LIMIT 0.75 /* c: of what a bet could lose at most; the paper recommends 1/2 or 3/4 */
#define BISECTIONS 50
#define WEALTH_MAX 0x1p512
#define WEALTH_MIN 0x1p-512

const char *csm_evidence_name(uint32_t status) {
    static const char *const names[] = {[CSM_EVIDENCE_UNPROVEN] = "UNPROVEN",
                                        [CSM_EVIDENCE_REVOKED] = "REVOKED",
                                        [CSM_EVIDENCE_CONSISTENT] = "CONSISTENT",
                                        [CSM_EVIDENCE_CERTIFIED] = "CERTIFIED"};
    return status < sizeof names / sizeof *names ? names[status] : "UNKNOWN";
}

void csm_calibrate_evidence_options_init(csm_evidence_options *options) {
    *options = (csm_evidence_options){.size = sizeof *options,
                                      .threshold = 0.80,
                                      .target = 0.80,
                                      .level = 0.05,
                                      .revoke_at = 20,
                                      .blocks_needed = 14,
                                      .as_of = CSM_TIME_MAX};
}

static csm_status check_options(const csm_evidence_options *o) {
    if (!(o->threshold >= 0 && o->threshold <= 1))
        return csm_fail(CSM_EINVAL, "evidence: threshold %g is outside 0..1", o->threshold);
    if (!(o->target > 0 && o->target < 1))
        return csm_fail(CSM_EINVAL, "evidence: target %g is outside 0..1", o->target);
    if (!(o->level >= 1e-6 && o->level <= 0.5))
        return csm_fail(CSM_EINVAL, "evidence: level %g is outside 1e-6..0.5", o->level);
    if (!(o->revoke_at > 1) || !isfinite(o->revoke_at))
        return csm_fail(CSM_EINVAL, "evidence: revoke_at %g is not above 1", o->revoke_at);
    if (!(o->blocks_needed >= 1) || !isfinite(o->blocks_needed))
        return csm_fail(CSM_EINVAL, "evidence: blocks_needed %g is under 1", o->blocks_needed);
    return CSM_OK;
}

/* ---- blocks ---- */

/* Block means that one gambler bets on, in order of time, and the bets. */
typedef struct betting_chain {
    double *mean;
    double *bet;
    size_t length;
} betting_chain;

typedef struct issued_blocks {
    betting_chain chain[2]; /* all blocks in the first, or even and odd ones */
    size_t chains;          /* 1 or 2 */
    size_t issued;
    size_t blocks;
    double outcomes; /* sum over issued */
} issued_blocks;

/* Whether a label of one block overlaps one of the next block, anywhere among the decisions. */
static bool labels_overlap(const csm_outcomes *o, const uint32_t *order) {
    for (size_t i = 1; i < o->length; i++) {
        csm_time last = o->time[order[i - 1]], next = o->time[order[i]], end;
        if (csm_block_index(last, o->horizon) == csm_block_index(next, o->horizon)) continue;
        if (__builtin_add_overflow(last, o->horizon, &end) || next < end) return true;
    }
    return false;
}

/* A block is bet on once its last label has ended: those of a decision just before its end last into the next block. */
static bool is_closed(int64_t index, csm_time horizon, csm_time as_of) {
    return as_of == CSM_TIME_MAX || index <= csm_block_index(as_of, horizon) - 2;
}

static void add_block(issued_blocks *blocks, int64_t index, double outcomes, size_t count, bool closed) {
    if (count == 0) return;
    blocks->issued += count;
    blocks->outcomes += outcomes;
    if (!closed) return;
    betting_chain *chain = &blocks->chain[blocks->chains == 2 && index % 2 != 0];
    chain->mean[chain->length++] = outcomes / (double)count;
    blocks->blocks++;
}

static void gather_blocks(issued_blocks *blocks, const csm_outcomes *o, const uint32_t *order,
                          const csm_evidence_options *options) {
    for (size_t begin = 0, end; begin < o->length; begin = end) {
        int64_t index = csm_block_index(o->time[order[begin]], o->horizon);
        double outcomes = 0;
        size_t count = 0;
        for (end = begin; end < o->length && csm_block_index(o->time[order[end]], o->horizon) == index;
             end++) {
            if (o->probability[order[end]] < options->threshold) continue;
            outcomes += o->outcome[order[end]];
            count++;
        }
        add_block(blocks, index, outcomes, count, is_closed(index, o->horizon, options->as_of));
    }
}

/* ---- bets and wealth ---- */

/* Predictable plug-in (WSR 2023, one-sided): sqrt(2 log(1 / level) / (variance t log(1 + t))), where the
 * variance is that of the blocks before, begun with 1/4. */
static void place_bets(betting_chain *chain, double level) {
    double sum = 0.5, squares = 0.25, variance = 0.25;
    double evidence = -2 * csm_log(level);
    for (size_t i = 0; i < chain->length; i++) {
        double t = (double)(i + 1);
        chain->bet[i] = sqrt(evidence / (variance * t * csm_log(1 + t)));
        sum += chain->mean[i];
        double error = chain->mean[i] - sum / (t + 1);
        squares += error * error;
        variance = squares / (t + 1);
    }
}

/* Largest wealth of the gambler against precision m, up (direction 1) or down (-1); no further once it is >= enough.
 * Wealth is kept as wealth * WEALTH_MIN^scales, so that it neither vanishes nor overflows. */
static double largest_wealth(const betting_chain *chain, double m, double direction, double enough) {
    double limit = BET_LIMIT / (direction > 0 ? m : 1 - m);
    double wealth = 1, largest = 1;
    int scales = 0;
    for (size_t i = 0; i < chain->length && largest < enough; i++) {
        double bet = chain->bet[i] < limit ? chain->bet[i] : limit;
        wealth *= 1 + direction * bet * (chain->mean[i] - m);
        if (wealth < WEALTH_MIN)
            wealth *= WEALTH_MAX, scales++;
        else if (scales > 0 && wealth > 1)
            wealth *= WEALTH_MIN, scales--;
        if (scales == 0 && wealth > largest) largest = wealth;
    }
    return largest;
}

/* Both wealths are monotone in m: bisection finds where refutation ends, and keeps the refuted side. */
static double refuted_up_to(const betting_chain *chain, double direction, double level) {
    double refuted = direction > 0 ? 0 : 1, open = direction > 0 ? 1 : 0;
    for (int i = 0; i < BISECTIONS; i++) {
        double m = 0.5 * (refuted + open);
        if (largest_wealth(chain, m, direction, 1 / level) >= 1 / level)
            refuted = m;
        else
            open = m;
    }
    return refuted;
}

/* STATISTICS' order. */
static uint32_t status_of(const csm_evidence *evidence, const csm_evidence_options *options) {
    if (evidence->blocks < options->blocks_needed) return CSM_EVIDENCE_UNPROVEN;
    if (evidence->upper < options->target || evidence->e_value >= options->revoke_at)
        return CSM_EVIDENCE_REVOKED;
    if (evidence->lower >= options->target) return CSM_EVIDENCE_CERTIFIED;
    return CSM_EVIDENCE_CONSISTENT;
}

static void weigh(csm_evidence *out, issued_blocks *blocks, const csm_evidence_options *options) {
    double share = (double)blocks->chains;
    *out = (csm_evidence){.issued = blocks->issued, .blocks = (double)blocks->blocks, .lower = 0, .upper = 1};
    out->precision = blocks->issued ? blocks->outcomes / (double)blocks->issued : NAN;
    for (size_t c = 0; c < blocks->chains; c++) {
        betting_chain *chain = &blocks->chain[c];
        double level = options->level / share;
        place_bets(chain, level);
        double lower = refuted_up_to(chain, 1, level), upper = refuted_up_to(chain, -1, level);
        double wealth = largest_wealth(chain, options->target, -1, WEALTH_MAX) / share;
        if (lower > out->lower) out->lower = lower;
        if (upper < out->upper) out->upper = upper;
        if (wealth > out->e_value) out->e_value = wealth;
    }
    out->status = status_of(out, options);
}

csm_status csm_calibrate_evidence(csm_evidence *out, const csm_outcomes *outcomes,
                                  const csm_evidence_options *user) {
    csm_evidence_options options;
    issued_blocks blocks = {0};
    if (!out) return csm_fail(CSM_EINVAL, "evidence: out is NULL");
    csm_calibrate_evidence_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_evidence_options");
    if (status) return status;
    if ((status = check_options(&options))) return status;
    if ((status = csm_outcomes_check(outcomes, "evidence"))) return status;
    size_t n = outcomes->length;
    uint32_t *order = csm_alloc_array(n, sizeof *order);
    double *room = csm_alloc_array(n, 4 * sizeof *room);
    if (!order || !room) {
        status = CSM_ENOMEM;
        goto done;
    }
    if ((status = csm_order_time(order, outcomes->time, n))) goto done;
    for (size_t c = 0; c < 2; c++) {
        blocks.chain[c].mean = room + 2 * c * n;
        blocks.chain[c].bet = room + (2 * c + 1) * n;
    }
    blocks.chains = labels_overlap(outcomes, order) ? 2 : 1;
    gather_blocks(&blocks, outcomes, order, &options);
    weigh(out, &blocks, &options);
done:
    csm_dealloc(room);
    csm_dealloc(order);
    return status;
}
