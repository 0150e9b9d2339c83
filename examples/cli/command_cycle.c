/* SPDX-License-Identifier: MIT */
/* Commands that train, predict and learn, and the audit. */
#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

csm_time gate_horizon(const cli *c) {
    csm_time horizon = 30 * CSM_DAY;
    (void)csm_interval_parse(&horizon, csm_config_get(c->config, "gate.horizon"));
    return horizon;
}

/* ---- train ---- */

static int show_training(const cli *c, const csm_training *training) {
    char text[64];
    end_progress();
    if (c->json) return print_json(json_training(training));
    printf("Trained as of %s UTC: model %.16s..., recipe %s, %zu features\n\n",
           time_text(csm_training_as_of(training), text, sizeof text), csm_training_hash(training),
           csm_training_recipe(training), csm_training_features(training));
    print_evaluation(stdout, training);
    return EXIT_OK;
}

int command_train(cli *c) {
    csm_time as_of = 0;
    const char *tune = take_option(c, "tune");
    const bool challenger = take_flag(c, "challenger");
    int code = take_time(c, "as-of", CSM_TIME_MAX, &as_of);
    if (code == EXIT_OK) code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    if (tune && csm_config_set(c->config, "train.tune", tune) != CSM_OK)
        return usage_error("--tune: %s", csm_error_message());
    csm_pipeline *p = NULL;
    csm_training *training = NULL;
    csm_status status = open_pipeline(c, &p, CSM_STORE_SHARED);
    if (status == CSM_OK)
        status = challenger ? csm_pipeline_train_challenger(&training, p, as_of)
                            : csm_pipeline_train(&training, p, as_of);
    code = status == CSM_OK ? show_training(c, training) : fail(c, status);
    csm_training_free(training);
    csm_pipeline_free(p);
    return code;
}

/* ---- predict, rank ---- */

static int show_ranking(const cli *c, const csm_ranking *ranking, bool csv) {
    end_progress();
    if (c->json) return print_json(json_ranking(ranking));
    if (csv) {
        print_ranking_csv(stdout, ranking);
        return EXIT_OK;
    }
    print_ranking(stdout, ranking, gate_horizon(c));
    print_funnel(stdout, ranking);
    return EXIT_OK;
}

static int predict(cli *c, bool dry) {
    csm_predict_options options;
    csm_predict_options_init(&options);
    bool csv = take_flag(c, "csv");
    options.dry = dry || take_flag(c, "dry");
    options.backfill = take_flag(c, "backfill") || c->replayed;
    int code = take_time(c, "as-of", CSM_TIME_MAX, &options.as_of);
    if (code == EXIT_OK) code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    csm_pipeline *p = NULL;
    csm_ranking *ranking = NULL;
    csm_status status = open_pipeline(c, &p, options.dry ? CSM_STORE_READ : CSM_STORE_WRITE);
    if (status == CSM_OK) status = csm_pipeline_predict(&ranking, p, &options);
    code = status == CSM_OK ? show_ranking(c, ranking, csv) : fail(c, status);
    csm_ranking_free(ranking);
    csm_pipeline_free(p);
    return code;
}

int command_predict(cli *c) {
    return predict(c, false);
}

int command_rank(cli *c) {
    return predict(c, true);
}

/* ---- run: the whole cycle ---- */

typedef struct cycle {
    csm_discovery *discovery;
    csm_ingest_report *ingest;
    csm_training *training;
    csm_ranking *ranking;
    csm_maturing maturing;
    csm_decision_list *decisions;
} cycle;

static csm_status run_cycle(cycle *out, csm_pipeline *p, const csm_predict_options *options) {
    csm_status status = csm_pipeline_discover(&out->discovery, p);
    if (status == CSM_OK) status = csm_pipeline_ingest(&out->ingest, p);
    if (status == CSM_OK) status = csm_pipeline_champion(&out->training, p);
    if (status == CSM_ENOTFOUND) status = csm_pipeline_train(&out->training, p, options->as_of);
    if (status == CSM_OK) status = csm_pipeline_predict(&out->ranking, p, options);
    if (status == CSM_OK) status = csm_pipeline_learn(&out->maturing, p);
    csm_decide_options decide;
    csm_decide_options_init(&decide);
    decide.backfill = options->backfill;
    if (status == CSM_OK) status = csm_pipeline_decide(&out->decisions, p, &decide);
    return status;
}

static int show_cycle(const cli *c, const cycle *done) {
    uint64_t rows = 0;
    for (size_t i = 0; i < csm_ingest_report_count(done->ingest); i++)
        rows += csm_ingest_report_at(done->ingest, i)->rows;
    end_progress();
    if (c->json)
        return print_json(json_pack("{s:o,s:I,s:o,s:o,s:o}", "coverage", json_coverage(done->discovery),
                                    "ingested_rows", (json_int_t)rows, "training",
                                    json_training(done->training), "ranking", json_ranking(done->ranking),
                                    "learned", json_learned(&done->maturing, done->decisions)));
    print_coverage(stdout, done->discovery);
    printf("\n%llu rows ingested\n\n", (unsigned long long)rows);
    print_ranking(stdout, done->ranking, gate_horizon(c));
    print_funnel(stdout, done->ranking);
    print_learned(stdout, &done->maturing, done->decisions);
    return EXIT_OK;
}

int command_run(cli *c) {
    csm_predict_options options;
    csm_predict_options_init(&options);
    options.backfill = c->replayed;
    int code = take_time(c, "as-of", CSM_TIME_MAX, &options.as_of);
    if (code == EXIT_OK) code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    csm_pipeline *p = NULL;
    cycle done = {0};
    csm_status status = open_pipeline(c, &p, CSM_STORE_CREATE);
    if (status == CSM_OK) status = run_cycle(&done, p, &options);
    code = status == CSM_OK ? show_cycle(c, &done) : fail(c, status);
    csm_decision_list_free(done.decisions);
    csm_ranking_free(done.ranking);
    csm_training_free(done.training);
    csm_ingest_report_free(done.ingest);
    csm_discovery_free(done.discovery);
    csm_pipeline_free(p);
    return code;
}

/* ---- audit ---- */

static int show_audit(const cli *c, const csm_audit *a) {
    char text[64];
    end_progress();
    if (c->json)
        print_json(json_pack("{s:I,s:I,s:I,s:o}", "times", (json_int_t)a->times, "rows", (json_int_t)a->rows,
                             "different", (json_int_t)a->different, "first", json_time(a->first_time)));
    else if (a->different == 0)
        printf("no leak: %zu rows at %zu times are bit-identical without and with a corrupted future\n",
               a->rows, a->times);
    else
        printf("LEAK: %zu of %zu rows differ, the first at %s UTC in market %u, feature %u\n", a->different,
               a->rows, time_text(a->first_time, text, sizeof text), a->first_market, a->first_feature);
    return a->different == 0 ? EXIT_OK : EXIT_DAMAGED;
}

int command_audit(cli *c) {
    const char *text = take_option(c, "times");
    int code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    char *end = NULL;
    unsigned long times = text ? strtoul(text, &end, 10) : 12;
    if (text && (*end || times == 0)) return usage_error("--times: '%s' is no positive number", text);
    csm_pipeline *p = NULL;
    csm_audit audit;
    csm_status status = open_pipeline(c, &p, CSM_STORE_READ);
    if (status == CSM_OK) status = csm_pipeline_audit(&audit, p, times);
    code = status == CSM_OK ? show_audit(c, &audit) : fail(c, status);
    csm_pipeline_free(p);
    return code;
}
