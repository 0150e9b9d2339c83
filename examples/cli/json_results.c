/* SPDX-License-Identifier: MIT */
/* Results of the library as JSON documents. */
#include "cli.h"

#include <math.h>
#include <string.h>

static json_t *json_members(const csm_horizon_forecast *h) {
    json_t *members = json_array();
    for (uint32_t m = 0; m < h->member_count; m++) {
        const csm_member_forecast *member = &h->members[m];
        json_array_append_new(members, json_pack("{s:s,s:o,s:o,s:o,s:o}", "name", member->name, "score",
                                                 json_number(member->score), "score_weight",
                                                 json_number(member->score_weight), "expected_return",
                                                 json_number(member->expected_return), "return_weight",
                                                 json_number(member->return_weight)));
    }
    return members;
}

static json_t *json_horizon(const csm_horizon_forecast *h) {
    char name[32];
    return json_pack(
        "{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:o}", "horizon", horizon_text(h->horizon, name, sizeof name),
        "expected_return", json_number(h->expected_return), "low", json_number(h->low), "high",
        json_number(h->high), "probability", json_number(h->probability), "lower", json_number(h->lower),
        "cost", json_number(h->cost), "evidence", csm_evidence_name(h->evidence), "members", json_members(h));
}

json_t *json_forecast(const csm_forecast *f) {
    json_t *horizons = json_array();
    for (uint32_t h = 0; h < f->horizon_count; h++)
        json_array_append_new(horizons, json_horizon(&f->horizons[h]));
    return json_pack("{s:s,s:s,s:i,s:o,s:o,s:o,s:o,s:i,s:o,s:o,s:o}", "coin", f->coin, "market", f->market,
                     "epoch", (int)f->epoch, "time", json_time(f->time), "last_update",
                     json_time(f->last_update), "price", json_number(f->price), "traded_value",
                     json_number(f->gate.traded_value), "agreement", (int)f->agreement, "horizons", horizons,
                     "reasons", json_reasons(f->show), "trade_reasons", json_reasons(f->trade));
}

json_t *json_ranking(const csm_ranking *ranking) {
    json_t *shown = json_array(), *all = json_array(), *funnel = json_array();
    for (size_t i = 0; i < csm_ranking_count(ranking); i++)
        json_array_append_new(shown, json_forecast(csm_ranking_at(ranking, i)));
    for (size_t i = 0; i < csm_ranking_total(ranking); i++)
        json_array_append_new(all, json_forecast(csm_ranking_all_at(ranking, i)));
    for (size_t i = 0; i < csm_ranking_funnel_count(ranking); i++) {
        const csm_funnel_step *step = csm_ranking_funnel_at(ranking, i);
        json_array_append_new(funnel,
                              json_pack("{s:s,s:I,s:I,s:I}", "condition", csm_reason_name(step->reason),
                                        "fell", (json_int_t)step->fell, "failed", (json_int_t)step->failed,
                                        "left", (json_int_t)step->left));
    }
    return json_pack("{s:o,s:o,s:o,s:s}", "shown", shown, "funnel", funnel, "all", all, "verdict",
                     csm_ranking_count(ranking) ? "opportunities" : "no reliable opportunities");
}

static json_t *json_band(const csm_band *band) {
    return json_pack("{s:o,s:o,s:o}", "value", json_number(band->value), "low", json_number(band->low),
                     "high", json_number(band->high));
}

static json_t *json_scores(const csm_scores *s) {
    json_t *bins = json_array();
    for (size_t b = 0; b < s->bin_count; b++) {
        const csm_reliability_bin *bin = &s->bins[b];
        json_array_append_new(bins, json_pack("{s:I,s:o,s:o,s:o,s:o}", "count", (json_int_t)bin->count,
                                              "probability", json_number(bin->probability), "frequency",
                                              json_number(bin->frequency), "low", json_number(bin->low),
                                              "high", json_number(bin->high)));
    }
    return json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:o}", "rows", (json_int_t)s->rows,
                     "blocks", json_number(s->blocks), "base_rate", json_number(s->base_rate), "brier",
                     json_band(&s->brier), "brier_skill", json_band(&s->brier_skill), "reliability",
                     json_number(s->reliability), "resolution", json_number(s->resolution), "uncertainty",
                     json_number(s->uncertainty), "log_loss", json_band(&s->log_loss), "ece",
                     json_band(&s->ece), "rank_ic", json_band(&s->rank_ic), "rank_icir",
                     json_number(s->rank_icir), "dates", (json_int_t)s->dates, "bins", bins);
}

static json_t *json_evidence(const csm_evidence *e) {
    return json_pack("{s:s,s:I,s:o,s:o,s:o,s:o,s:o}", "status", csm_evidence_name(e->status), "issued",
                     (json_int_t)e->issued, "blocks", json_number(e->blocks), "precision",
                     json_number(e->precision), "lower", json_number(e->lower), "upper",
                     json_number(e->upper), "e_value", json_number(e->e_value));
}

static json_t *json_parameters(const csm_training *training, size_t horizon, size_t member) {
    json_t *parameters = json_object();
    csm_parameter parameter;
    for (size_t p = 0; csm_training_parameter(&parameter, training, horizon, member, p) == CSM_OK; p++)
        json_object_set_new(parameters, parameter.name, json_number(parameter.value));
    return parameters;
}

static json_t *json_training_members(const csm_training *training, size_t h) {
    const csm_horizon_training *t = csm_training_horizon(training, h);
    json_t *members = json_array();
    for (size_t m = 0; m < t->members; m++) {
        const csm_member_training *member = &t->member[m];
        json_array_append_new(members, json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "name", member->name,
                                                 "parameters", json_parameters(training, h, m),
                                                 "score_weight", json_number(member->score_weight),
                                                 "return_weight", json_number(member->return_weight),
                                                 "brier_skill", json_band(&member->brier_skill), "rank_ic",
                                                 json_band(&member->rank_ic), "ensemble_gain",
                                                 json_band(&member->gain)));
    }
    return members;
}

json_t *json_training(const csm_training *training) {
    json_t *horizons = json_array();
    for (size_t h = 0; h < csm_training_horizons(training); h++) {
        const csm_horizon_training *t = csm_training_horizon(training, h);
        char name[32];
        json_array_append_new(
            horizons, json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
                                "horizon", horizon_text(t->horizon, name, sizeof name), "tuning_trials",
                                (json_int_t)t->trials, "training_rows", (json_int_t)t->rows, "walk_rows",
                                (json_int_t)t->walk_rows, "folds", (json_int_t)t->folds, "unknown_labels",
                                (json_int_t)t->unknown, "blocks", json_number(t->blocks), "base_rate",
                                json_number(t->base_rate), "model", json_scores(&t->model), "baseline",
                                json_scores(&t->baseline), "evidence", json_evidence(&t->evidence),
                                "momentum_precision", json_number(t->momentum_precision), "market_return",
                                json_number(t->market_return), "issued_return", json_number(t->issued_return),
                                "issued_return_doubled_costs", json_number(t->issued_return_doubled_costs),
                                "members", json_training_members(training, h)));
    }
    return json_pack("{s:s,s:o,s:s,s:I,s:o}", "model", csm_training_hash(training), "as_of",
                     json_time(csm_training_as_of(training)), "recipe", csm_training_recipe(training),
                     "features", (json_int_t)csm_training_features(training), "horizons", horizons);
}

json_t *json_coverage(const csm_discovery *discovery) {
    const csm_coverage *c = csm_discovery_coverage(discovery);
    json_t *pairs = json_object(), *coins = json_object(), *events = json_array();
    for (uint32_t bit = 0; bit < 64; bit++) {
        if (c->pairs_by_reason[bit])
            json_object_set_new(pairs, csm_reason_name(bit),
                                json_integer((json_int_t)c->pairs_by_reason[bit]));
        if (c->coins_by_reason[bit])
            json_object_set_new(coins, csm_reason_name(bit),
                                json_integer((json_int_t)c->coins_by_reason[bit]));
    }
    for (size_t i = 0; i < csm_discovery_event_count(discovery); i++) {
        const csm_listing_event *e = csm_discovery_event_at(discovery, i);
        json_array_append_new(events,
                              json_pack("{s:s,s:s,s:i,s:s,s:s,s:o}", "kind", csm_discover_event_name(e->kind),
                                        "market", e->market, "epoch", (int)e->epoch, "before", e->before,
                                        "after", e->after, "time", json_time(e->time)));
    }
    return json_pack("{s:I,s:s,s:s,s:o,s:{s:I,s:I,s:I,s:o},s:{s:I,s:I,s:I,s:o},s:o}", "run",
                     (json_int_t)c->run, "venue", c->venue, "listing_hash", c->listing_hash, "time",
                     json_time(c->time), "pairs", "offered", (json_int_t)c->pairs_offered, "processed",
                     (json_int_t)c->pairs_processed, "excluded", (json_int_t)c->pairs_excluded, "by_reason",
                     pairs, "coins", "offered", (json_int_t)c->coins_offered, "processed",
                     (json_int_t)c->coins_processed, "excluded", (json_int_t)c->coins_excluded, "by_reason",
                     coins, "events", events);
}
