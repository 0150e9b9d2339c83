/* SPDX-License-Identifier: MIT */
/* The quickstart: adopt the bundled data, train, predict as of its last day, and explain what is seen. */
#include "cli.h"
#include "skill.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct quickstart {
    csm_pipeline *pipeline;
    csm_training *training;
    csm_ranking *ranking;
    judgement *judged;
    csm_time gate_horizon;
    csm_time as_of;
    size_t gate; /* index of the gate's horizon in the training */
} quickstart;

/* ---- time machine ---- */

static const csm_horizon_training *gate_training(const quickstart *q) {
    return csm_training_horizon(q->training, q->gate);
}

static void print_outcome(const quickstart *q, const csm_walk_row *row) {
    char expected[32], happened[32], probability[32], lower[32];
    printf("    %-8s p %7s (lower %s)  expected %8s  happened %8s  %s\n",
           csm_training_coin(q->training, row->market),
           probability_text(row->probability, probability, sizeof probability),
           probability_text(row->lower, lower, sizeof lower),
           percent_text(row->expected_return, expected, sizeof expected),
           percent_text(row->log_return, happened, sizeof happened),
           row->rises ? "rose by more than its costs" : "did not");
}

static void print_highest(const quickstart *q, const csm_walk_row *rows, size_t n) {
    const csm_walk_row *highest = NULL;
    char text[64];
    for (size_t i = 0; i < n; i++) {
        if (!isnan(rows[i].probability) && (!highest || rows[i].probability > highest->probability))
            highest = &rows[i];
    }
    if (!highest) {
        printf("  No probability could be calibrated yet: too few matured predictions.\n\n");
        return;
    }
    printf("  The gate never opened. The highest probability ever reached, on %s UTC:\n\n",
           time_text(highest->time, text, sizeof text));
    print_outcome(q, highest);
    putchar('\n');
}

static void print_time_machine(const quickstart *q) {
    enum { DATES = 5 };
    const csm_walk_row *rows = csm_training_walk(q->training, q->gate);
    size_t n = gate_training(q)->walk_rows, shown = 0, rose = 0, dates = 0, begin = n;
    csm_time last = CSM_TIME_MIN;
    for (size_t i = 0; i < n; i++) {
        shown += rows[i].show == 0;
        rose += rows[i].show == 0 && rows[i].rises;
    }
    printf("Time machine: what the gate would have shown in the walk-forward, and what became of it\n\n");
    if (shown == 0) {
        print_highest(q, rows, n);
        return;
    }
    for (size_t i = n; i-- > 0 && dates <= DATES;) {
        if (rows[i].show != 0) continue;
        if (rows[i].time != last && ++dates > DATES) break;
        last = rows[i].time;
        begin = i;
    }
    printf("  %zu calls in all, %zu rose by more than their costs. The last dates:\n\n", shown, rose);
    last = CSM_TIME_MIN;
    for (size_t i = begin; i < n; i++) {
        char text[64];
        if (rows[i].show != 0) continue;
        if (rows[i].time != last) printf("  %s UTC\n", time_text(rows[i].time, text, sizeof text));
        last = rows[i].time;
        print_outcome(q, &rows[i]);
    }
    putchar('\n');
}

/* ---- what would open the gate ---- */

static void print_opening(const quickstart *q) {
    const csm_horizon_training *t = gate_training(q);
    double best = NAN;
    const char *coin = "";
    char name[32], text[32];
    for (size_t i = 0; i < csm_ranking_total(q->ranking); i++) {
        const csm_forecast *f = csm_ranking_all_at(q->ranking, i);
        if (!isnan(f->gate.probability) && !(f->gate.probability <= best))
            best = f->gate.probability, coin = f->coin;
    }
    horizon_text(q->gate_horizon, name, sizeof name);
    printf("What would open it: a calibrated probability of 80 %% at %s; today's highest is %s (%s).\n", name,
           probability_text(best, text, sizeof text), coin);
    printf("Evidence at %s is %s: %zu issued predictions in %.0f disjoint blocks; 14 blocks is where proof "
           "can begin.\n\n",
           name, csm_evidence_name(t->evidence.status), t->evidence.issued, t->evidence.blocks);
}

static void print_own_data(void) {
    printf("Now your own Kraken data:\n"
           "  1. cryptosmart --workspace ~/coins discover           one request pair: every market Kraken "
           "lists, coverage proved\n"
           "  2. cryptosmart --workspace ~/coins ingest             newest bars, tickers, books: about 6 "
           "requests a market,\n"
           "     1 a second; 600 markets take about an hour, and 720 hourly bars (30 days) is all that one "
           "request gives\n"
           "  3. history: download Kraken's OHLCVT archive (support.kraken.com, article 360047124832), then\n"
           "     cryptosmart --workspace ~/coins import FILE.zip --venue kraken --origin \"Kraken OHLCVT "
           "archive\"\n"
           "  4. the archive lags by up to a quarter; its tail comes from Trades, 1000 trades a request, 1 "
           "request a second:\n"
           "     cryptosmart -c trades.yaml --workspace ~/coins ingest   with  ingest: {sources: "
           "[kraken.trades]}\n"
           "  5. cryptosmart --workspace ~/coins train              walk forward over what was imported\n"
           "  6. cryptosmart --workspace ~/coins predict            the table, and the ledger row before the "
           "outcome\n"
           "  7. cryptosmart --workspace ~/coins learn              when outcomes mature: score them\n\n");
}

/* ---- the run ---- */

static csm_status last_day(quickstart *q) {
    csm_pipeline_status s;
    csm_status status = csm_pipeline_status_report(&s, q->pipeline);
    if (status == CSM_OK)
        q->as_of = csm_time_floor(s.last, CSM_DAY); /* midnight: where the longer horizons decide */
    return status;
}

static csm_status train_and_predict(quickstart *q) {
    csm_predict_options options;
    csm_predict_options_init(&options);
    options.backfill = 1;
    csm_status status = last_day(q);
    options.as_of = q->as_of;
    if (status == CSM_OK) status = csm_pipeline_champion(&q->training, q->pipeline);
    if (status == CSM_OK && csm_training_as_of(q->training) != q->as_of) {
        csm_training_free(q->training);
        q->training = NULL;
        status = CSM_ENOTFOUND;
    }
    if (status == CSM_ENOTFOUND) status = csm_pipeline_train(&q->training, q->pipeline, q->as_of);
    if (status == CSM_OK) status = csm_pipeline_predict(&q->ranking, q->pipeline, &options);
    for (size_t h = 0; status == CSM_OK && h < csm_training_horizons(q->training); h++) {
        if (csm_training_horizon(q->training, h)->horizon == q->gate_horizon) q->gate = h;
    }
    return status;
}

static void print_everything(const quickstart *q) {
    char text[64];
    printf("\nModel %.16s..., trained as of %s UTC, recipe %s with %zu features.\n\n",
           csm_training_hash(q->training), time_text(q->as_of, text, sizeof text),
           csm_training_recipe(q->training), csm_training_features(q->training));
    printf("Sentiment: Crypto Fear & Greed Index by alternative.me, "
           "https://alternative.me/crypto/fear-and-greed-index/\n\n");
    print_ranking(stdout, q->ranking, q->gate_horizon);
    print_funnel(stdout, q->ranking);
    print_opening(q);
    print_time_machine(q);
    printf("Reliability of the walk-forward, beside the base rate and a momentum rule:\n\n");
    print_evaluation(stdout, q->training);
}

int command_quickstart(cli *c) {
    const char *data = take_option(c, "data"), *html = take_option(c, "html");
    int code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    if (!data) return usage_error("quickstart: --data FOLDER is required");
    quickstart q = {.gate_horizon = 30 * CSM_DAY};
    csm_discovery *discovery = NULL;
    (void)csm_interval_parse(&q.gate_horizon, csm_config_get(c->config, "gate.horizon"));
    csm_status status = open_pipeline(c, &q.pipeline, CSM_STORE_CREATE);
    if (status == CSM_OK) status = csm_pipeline_adopt(&discovery, q.pipeline, data);
    if (status == CSM_OK && !c->json) end_progress(), print_coverage(stdout, discovery);
    if (status == CSM_OK) status = train_and_predict(&q);
    if (status == CSM_OK && html) status = judge_record(&q.judged, c->context, q.pipeline, q.training);
    if (status == CSM_OK && html)
        status = write_report(html, q.ranking, q.training, q.judged, q.gate_horizon);
    end_progress();
    if (status != CSM_OK)
        code = fail(c, status);
    else if (c->json)
        print_json(json_pack("{s:o,s:o,s:o}", "coverage", json_coverage(discovery), "ranking",
                             json_ranking(q.ranking), "training", json_training(q.training)));
    else
        print_everything(&q);
    if (status == CSM_OK && !c->json && html) printf("Report: %s\n\n", html);
    if (status == CSM_OK && !c->json) print_own_data();
    csm_discovery_free(discovery);
    free(q.judged);
    csm_ranking_free(q.ranking);
    csm_training_free(q.training);
    csm_pipeline_free(q.pipeline);
    return code;
}
