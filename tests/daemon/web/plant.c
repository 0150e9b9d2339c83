/* SPDX-License-Identifier: MIT */
/* web_plant WORKSPACE DECISION: writes a decision into the ledger of a test's workspace in which every third coin passes the gate, so
 * that the dashboard's full table can be looked at. Marked as replayed. Nothing of it is a forecast. */
#include <cryptosmart/cryptosmart.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COINS 24

static const csm_time horizons[] = {CSM_HOUR, CSM_DAY, 7 * CSM_DAY, 30 * CSM_DAY};
static const char hex[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void plant_horizon(csm_horizon_forecast *h, size_t coin, size_t number) {
    static const char *const features[] = {"return_24", "rsi_14", "breadth_24"};
    const double step = (double)(coin % 7);
    h->horizon = horizons[number];
    h->expected_return = (0.004 + 0.003 * step) * (double)(number + 1) * (double)(number + 1);
    h->low = h->expected_return - 0.08 * (double)(number + 1);
    h->high = h->expected_return + 0.09 * (double)(number + 1);
    h->probability = coin % 3 == 0 ? 0.81 + 0.01 * step : 0.35 + 0.05 * step;
    h->lower = h->probability - 0.12;
    h->cost = 0.01;
    h->member_count = 1;
    snprintf(h->members[0].name, sizeof h->members[0].name, "trees");
    h->members[0].score_weight = h->members[0].return_weight = 1;
    snprintf(h->explained, sizeof h->explained, "trees");
    h->contribution_count = 3;
    for (size_t i = 0; i < 3; i++) {
        snprintf(h->contributions[i].feature, sizeof h->contributions[i].feature, "%s", features[i]);
        h->contributions[i].value = 0.1 * (double)(i + coin);
        h->contributions[i].contribution = (i == 1 ? -0.2 : 0.4) / (double)(i + 1);
    }
}

static void plant_coin(csm_forecast *f, const csm_market *m, size_t coin, csm_time decision) {
    memset(f, 0, sizeof *f);
    snprintf(f->coin, sizeof f->coin, "%s", m->coin);
    snprintf(f->market, sizeof f->market, "%s", m->id);
    f->epoch = m->epoch;
    f->time = f->last_update = decision;
    f->price = 1;
    f->horizon_count = 4;
    for (size_t h = 0; h < 4; h++) plant_horizon(&f->horizons[h], coin, h);
    f->gate.traded_value = 1e7;
    f->gate.history = 40 * CSM_WEEK;
    f->gate.matured = 1;
}

int main(int argc, char **argv) {
    csm_context *context = NULL;
    csm_store *store = NULL;
    csm_market_list *markets = NULL;
    csm_ranking *ranking = NULL;
    csm_forecast *forecasts = calloc(COINS, sizeof *forecasts);
    csm_ledger_head head;
    csm_time decision = 0;
    size_t count = 0;
    csm_ledger_lineage lineage = {
        .model = hex, .config = hex, .features = hex, .watermark = hex, .interval = CSM_HOUR};
    for (size_t h = 0; h < 4; h++) lineage.event[h] = hex;
    csm_status status =
        argc == 3 && forecasts ? csm_time_parse(&decision, argv[2], strlen(argv[2])) : CSM_EINVAL;
    if (status == CSM_OK) status = csm_context_new(&context, NULL);
    if (status == CSM_OK) status = csm_store_open(&store, context, argv[1], CSM_STORE_WRITE);
    if (status == CSM_OK)
        status = csm_discover_markets(&markets, store, NULL, decision,
                                      CSM_MARKETS_PROCESSED | CSM_MARKETS_CANONICAL);
    for (; status == CSM_OK && count < COINS && count < csm_market_list_count(markets); count++)
        plant_coin(&forecasts[count], csm_market_list_at(markets, count), count, decision);
    if (status == CSM_OK) status = csm_rank_build(&ranking, forecasts, count, NULL);
    if (status == CSM_OK) status = csm_learn_append(&head, context, store, ranking, &lineage, 1);
    if (status == CSM_OK)
        printf("%zu of %zu coins pass\n", csm_ranking_count(ranking), count);
    else
        fprintf(stderr, "web_plant: %s\n", csm_error_message());
    csm_ranking_free(ranking);
    csm_market_list_free(markets);
    csm_store_free(store);
    csm_context_free(context);
    free(forecasts);
    return status == CSM_OK ? 0 : 1;
}
