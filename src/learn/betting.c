/* SPDX-License-Identifier: MIT */
/*
 * Whether paired differences are above or below 0 on average, by betting (Waudby-Smith & Ramdas 2023, predictable plug-in bets), as
 * calibrate's evidence is: one bet a closed horizon block, and where labels of neighbouring blocks overlap even and odd blocks are bet
 * on apart, half the larger wealth counting.
 */
#include "learn/betting.h"

#include "calibrate/internal.h"
#include "core/real.h"

#include <math.h>

#define BET_LIMIT 0.75 /* of a bet that could lose everything: values reach 1 */
#define LEVEL 0.05     /* that the bets are tuned for; wealth counts at any */
#define WEALTH_MOST 0x1p512

/* One gambler's chain of blocks: what it has seen decides its next bet. */
typedef struct chain {
    double sum;     /* of means seen, begun with half of one */
    double squares; /* of deviations, begun with a variance of 1 / 4 */
    double count;
    double wealth[2];
    double largest[2]; /* up, down */
} chain;

static void bet(chain *c, double mean) {
    const double t = c->count + 1, variance = c->squares / t;
    double stake = sqrt(-2 * csm_log(LEVEL) / (variance * t * csm_log(1 + t)));
    if (stake > BET_LIMIT) stake = BET_LIMIT;
    for (int way = 0; way < 2; way++) {
        c->wealth[way] *= 1 + stake * (way ? -mean : mean);
        if (c->wealth[way] > WEALTH_MOST) c->wealth[way] = WEALTH_MOST;
        if (c->wealth[way] > c->largest[way]) c->largest[way] = c->wealth[way];
    }
    c->count = t;
    c->sum += mean;
    const double apart = mean - c->sum / (t + 1);
    c->squares += apart * apart;
}

static bool overlap(const csm_time *time, size_t n, csm_time horizon) {
    for (size_t i = 1; i < n; i++) {
        if (csm_block_index(time[i - 1], horizon) != csm_block_index(time[i], horizon) &&
            time[i] - time[i - 1] < horizon)
            return true;
    }
    return false;
}

csm_status csm_bet_on_blocks(csm_bets *out, const csm_time *time, const double *value, size_t n,
                             csm_time horizon, csm_time as_of) {
    const size_t chains = overlap(time, n, horizon) ? 2 : 1;
    chain c[2] = {{.squares = 0.25, .wealth = {1, 1}, .largest = {1, 1}},
                  {.squares = 0.25, .wealth = {1, 1}, .largest = {1, 1}}};
    *out = (csm_bets){0};
    for (size_t begin = 0, end; begin < n; begin = end) {
        const int64_t index = csm_block_index(time[begin], horizon);
        double sum = 0;
        for (end = begin; end < n && csm_block_index(time[end], horizon) == index; end++) {
            if (!(value[end] >= -1 && value[end] <= 1))
                return csm_fail(CSM_EINVAL, "bets: value %zu is %g", end, value[end]);
            sum += value[end];
        }
        if (index > csm_block_index(as_of, horizon) - 2) break; /* its last label may not have ended */
        bet(&c[chains == 2 && index % 2 != 0], sum / (double)(end - begin));
        out->blocks++;
    }
    for (size_t k = 0; k < chains; k++) {
        out->up = fmax(out->up, c[k].largest[0] / (double)chains);
        out->down = fmax(out->down, c[k].largest[1] / (double)chains);
    }
    return CSM_OK;
}
