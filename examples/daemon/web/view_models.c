/* SPDX-License-Identifier: MIT */
/* Models with their record, and forecast probability against what happened. Numbers are those of the model's file. */
#include "rows.h"
#include "viewer.h"

#include <math.h>
#include <string.h>

static json_t *evidence_of(const csm_evidence *e) {
    return json_pack("{s:s,s:I,s:o,s:o,s:o,s:o,s:o}", "status", csm_evidence_name(e->status), "issued",
                     (json_int_t)e->issued, "blocks", json_number(e->blocks), "precision",
                     json_number(e->precision), "lower", json_number(e->lower), "upper",
                     json_number(e->upper), "e_value", json_number(e->e_value));
}

static json_t *scores_of(const csm_scores *s) {
    return json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "rows", (json_int_t)s->rows, "blocks",
                     json_number(s->blocks), "base_rate", json_number(s->base_rate), "brier",
                     json_band(&s->brier), "brier_skill", json_band(&s->brier_skill), "log_loss",
                     json_band(&s->log_loss), "ece", json_band(&s->ece), "rank_ic", json_band(&s->rank_ic));
}

static json_t *members_of(const csm_horizon_training *t) {
    json_t *members = json_array();
    for (size_t m = 0; m < t->members; m++) {
        const csm_member_training *member = &t->member[m];
        json_array_append_new(members, json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "name", member->name,
                                                 "score_weight", json_number(member->score_weight),
                                                 "return_weight", json_number(member->return_weight),
                                                 "brier_skill", json_band(&member->brier_skill), "rank_ic",
                                                 json_band(&member->rank_ic), "ensemble_gain",
                                                 json_band(&member->gain)));
    }
    return members;
}

static json_t *horizon_of(const csm_horizon_training *t) {
    char name[32];
    return json_pack("{s:s,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "horizon",
                     horizon_text(t->horizon, name, sizeof name), "training_rows", (json_int_t)t->rows,
                     "walk_rows", (json_int_t)t->walk_rows, "folds", (json_int_t)t->folds, "tuning_trials",
                     (json_int_t)t->trials, "blocks", json_number(t->blocks), "momentum_precision",
                     json_number(t->momentum_precision), "issued_return", json_number(t->issued_return),
                     "market_return", json_number(t->market_return), "scores", scores_of(&t->model),
                     "evidence", evidence_of(&t->evidence), "members", members_of(t));
}

static json_t *champion_of(const csm_training *t) {
    char from[80];
    json_t *horizons = json_array();
    snprintf(from, sizeof from, "models/%s", csm_training_hash(t));
    for (size_t h = 0; h < csm_training_horizons(t); h++)
        json_array_append_new(horizons, horizon_of(csm_training_horizon(t, h)));
    return json_pack("{s:s,s:s,s:s,s:o,s:s,s:I,s:o}", "from", from, "hash", csm_training_hash(t), "role",
                     "champion", "as_of", json_time(csm_training_as_of(t)), "recipe", csm_training_recipe(t),
                     "features", (json_int_t)csm_training_features(t), "horizons", horizons);
}

static json_t *entry_of(const csm_model_entry *m) {
    char from[80];
    snprintf(from, sizeof from, "models/%s", m->hash);
    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:I,s:o}", "from", from, "hash", m->hash, "role", m->role,
                     "as_of", json_time(m->as_of), "created", json_time(m->created), "since",
                     json_time(m->since), "brier_skill", json_number(m->brier_skill), "outcomes",
                     (json_int_t)m->outcomes, "brier", json_number(m->brier));
}

json_t *view_models(const view *v) {
    json_t *models = json_array();
    csm_model_list *list = NULL;
    if (csm_pipeline_models(&list, v->pipeline) == CSM_OK) {
        for (size_t i = 0; i < csm_model_list_count(list); i++)
            json_array_append_new(models, entry_of(csm_model_list_at(list, i)));
    }
    csm_model_list_free(list);
    return json_pack("{s:o,s:o,s:{s:s,s:I}}", "champion",
                     v->champion ? champion_of(v->champion) : json_null(), "models", models, "trials", "from",
                     "trials", "count", (json_int_t)v->status.trials);
}

/* ---- reliability ---- */

static json_t *bins_of(const csm_scores *s) {
    json_t *bins = json_array();
    for (size_t b = 0; b < s->bin_count; b++) {
        const csm_reliability_bin *bin = &s->bins[b];
        json_array_append_new(bins, json_pack("{s:I,s:o,s:o,s:o,s:o}", "count", (json_int_t)bin->count,
                                              "probability", json_number(bin->probability), "frequency",
                                              json_number(bin->frequency), "low", json_number(bin->low),
                                              "high", json_number(bin->high)));
    }
    return bins;
}

/* The record of live predictions, once some have matured. */
static json_t *live_of(const view *v, csm_time horizon) {
    csm_scores scores;
    csm_evidence evidence;
    if (csm_learn_scores(&scores, &evidence, v->context, v->store, horizon) != CSM_OK) return json_null();
    json_t *live = scores_of(&scores);
    json_object_set_new(live, "from", json_string("outcomes"));
    json_object_set_new(live, "bins", bins_of(&scores));
    json_object_set_new(live, "evidence", evidence_of(&evidence));
    return live;
}

json_t *view_reliability(const view *v) {
    json_t *horizons = json_array();
    char from[80] = "", name[32];
    if (v->champion) snprintf(from, sizeof from, "models/%s", csm_training_hash(v->champion));
    for (size_t h = 0; v->champion && h < csm_training_horizons(v->champion); h++) {
        const csm_horizon_training *t = csm_training_horizon(v->champion, h);
        json_t *walk = scores_of(&t->model);
        json_object_set_new(walk, "from", json_string(from));
        json_object_set_new(walk, "bins", bins_of(&t->model));
        json_object_set_new(walk, "evidence", evidence_of(&t->evidence));
        json_array_append_new(horizons, json_pack("{s:s,s:o,s:o}", "horizon",
                                                  horizon_text(t->horizon, name, sizeof name), "walk", walk,
                                                  "live", live_of(v, t->horizon)));
    }
    return json_pack("{s:o}", "horizons", horizons);
}
