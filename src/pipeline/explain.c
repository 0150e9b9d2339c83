/* SPDX-License-Identifier: MIT */
/* Why a forecast is what it is: contributions of features to the trees' score (TreeSHAP), for ledger rows and for readers. */
#include "pipeline/predictor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- all rows of a decision ---- */

static csm_status gather_rows(float **out, const predictor *p) {
    const csm_matrix x = csm_frame_matrix(p->frame);
    const float *from = x.data;
    *out = csm_alloc_array(p->rows * x.cols + 1, sizeof **out);
    if (!*out) return CSM_ENOMEM;
    for (size_t r = 0; r < p->rows; r++)
        memcpy(*out + r * x.cols, from + (ptrdiff_t)p->row[r] * x.row_stride, x.cols * sizeof **out);
    return CSM_OK;
}

/* An explainer of the first member made of trees; NULL when there is none. */
static csm_status explainer_of(csm_explainer **out, uint32_t *member, const ensemble *e) {
    *out = NULL;
    for (size_t m = 0; m < e->members; m++) {
        const csm_status status = csm_explainer_new(out, e->member[m].direction, NULL);
        *member = (uint32_t)m;
        if (status != CSM_EUNSUPPORTED) return status;
    }
    return CSM_OK;
}

csm_status csm_predictor_explain(predictor *p) {
    const size_t features = csm_frame_matrix(p->frame).cols;
    float *rows = NULL;
    csm_status status = p->rows > 0 ? gather_rows(&rows, p) : CSM_OK;
    const csm_matrix x = csm_matrix_f32(rows, p->rows, features);
    for (size_t h = 0; status == CSM_OK && p->rows > 0 && h < p->training->horizons; h++) {
        csm_explainer *explainer = NULL;
        status = explainer_of(&explainer, &p->explained[h], &p->training->horizon[h].ensemble);
        if (status == CSM_OK && explainer) {
            double *values = csm_alloc_array(p->rows, (features + 1) * sizeof *values);
            p->contribution[h] = csm_matrix_f64(values, values ? p->rows : 0, features + 1);
            status = values ? csm_explainer_values(explainer, p->pipeline->context, &x, &p->contribution[h])
                            : CSM_ENOMEM;
        }
        csm_explainer_free(explainer);
    }
    csm_dealloc(rows);
    return status;
}

/* ---- one row ---- */

static int greatest_first(const void *a, const void *b) {
    const csm_contribution *x = a, *y = b;
    const double left = fabs(x->contribution), right = fabs(y->contribution);
    if (left != right) return left > right ? -1 : 1;
    return strcmp(x->feature, y->feature);
}

/* Every feature's, greatest first: as many as the recipe has, and the base. NULL, with CSM_OK, where there are none. */
static csm_status all_contributions(csm_contribution **out, double *base, const predictor *p, size_t h,
                                    size_t row) {
    const csm_matrix *values = &p->contribution[h];
    const csm_matrix x = csm_frame_matrix(p->frame);
    *out = NULL;
    *base = NAN;
    if (values->rows == 0) return CSM_OK;
    csm_contribution *list = csm_alloc_array(x.cols + 1, sizeof *list);
    csm_status status = list ? CSM_OK : CSM_ENOMEM;
    for (size_t f = 0; status == CSM_OK && f < x.cols; f++) {
        csm_feature_info info;
        status = csm_recipe_feature(&info, p->training->recipe, f);
        if (status != CSM_OK) break;
        snprintf(list[f].feature, sizeof list[f].feature, "%s", info.name);
        list[f].value = csm_matrix_get(&x, (size_t)p->row[row], f);
        list[f].contribution = csm_matrix_get(values, row, f);
    }
    if (status != CSM_OK) {
        csm_dealloc(list);
        return status;
    }
    qsort(list, x.cols, sizeof *list, greatest_first);
    *base = csm_matrix_get(values, row, x.cols);
    *out = list;
    return CSM_OK;
}

csm_status csm_predictor_contributions(csm_horizon_forecast *out, const predictor *p, size_t h, size_t row) {
    csm_contribution *list = NULL;
    double base = NAN;
    const size_t features = csm_frame_matrix(p->frame).cols;
    csm_status status = all_contributions(&list, &base, p, h, row);
    if (status != CSM_OK || !list) return status;
    memcpy(out->explained, p->training->horizon[h].ensemble.name[p->explained[h]], sizeof out->explained);
    out->contribution_count = (uint32_t)(features < CSM_CONTRIBUTIONS_MAX ? features : CSM_CONTRIBUTIONS_MAX);
    memcpy(out->contributions, list, out->contribution_count * sizeof *list);
    csm_dealloc(list);
    return CSM_OK;
}

/* ---- for readers ---- */

struct csm_explanation {
    csm_forecast forecast;
    size_t horizon;
    csm_contribution *list; /* every feature's; NULL: none */
    size_t count;
    double base;
};

void csm_explanation_free(csm_explanation *explanation) {
    if (!explanation) return;
    csm_dealloc(explanation->list);
    csm_dealloc(explanation);
}

const csm_forecast *csm_explanation_forecast(const csm_explanation *explanation) {
    return explanation ? &explanation->forecast : NULL;
}

const csm_horizon_forecast *csm_explanation_horizon(const csm_explanation *explanation) {
    return explanation ? &explanation->forecast.horizons[explanation->horizon] : NULL;
}

size_t csm_explanation_count(const csm_explanation *explanation) {
    return explanation ? explanation->count : 0;
}

const csm_contribution *csm_explanation_at(const csm_explanation *explanation, size_t index) {
    return explanation && index < explanation->count ? &explanation->list[index] : NULL;
}

double csm_explanation_base(const csm_explanation *explanation) {
    return explanation ? explanation->base : NAN;
}

static csm_status find_market(uint32_t *out, const predictor *p, const char *name) {
    for (size_t m = 0; m < p->markets.count; m++) {
        const csm_market *market = p->markets.market[m];
        if (strcmp(market->id, name) != 0 && strcmp(market->coin, name) != 0) continue;
        *out = (uint32_t)m;
        return CSM_OK;
    }
    return csm_fail(CSM_ENOTFOUND, "explain: no market or coin '%s' in the universe", name);
}

static csm_status find_horizon(size_t *out, const predictor *p, csm_time horizon) {
    char name[CSM_TIME_TEXT];
    for (*out = 0; *out < p->training->horizons; ++*out) {
        if (p->training->horizon[*out].facts.horizon == horizon) return CSM_OK;
    }
    return csm_fail(CSM_EINVAL, "explain: the champion has no horizon %s",
                    csm_interval_format(horizon, name, sizeof name));
}

static csm_status explain(csm_explanation *e, predictor *p, const char *name, csm_time horizon) {
    csm_training *champion = NULL;
    csm_ranking *ranking = NULL;
    uint32_t market = 0;
    csm_status status = csm_pipeline_champion(&champion, p->pipeline);
    if (status == CSM_OK) status = csm_predictor_forecast(p, champion);
    if (status == CSM_OK) status = find_market(&market, p, name);
    if (status == CSM_OK) status = find_horizon(&e->horizon, p, horizon);
    if (status == CSM_OK)
        status = csm_rank_build(&ranking, p->forecasts, p->markets.count, &p->pipeline->settings.rank);
    if (status == CSM_OK) e->forecast = *csm_ranking_all_at(ranking, market);
    for (size_t r = 0; status == CSM_OK && r < p->rows; r++) {
        if (csm_frame_markets(p->frame)[p->row[r]] != market) continue;
        status = all_contributions(&e->list, &e->base, p, e->horizon, r);
        e->count = e->list ? csm_frame_matrix(p->frame).cols : 0;
    }
    csm_ranking_free(ranking);
    return status;
}

csm_status csm_pipeline_explain(csm_explanation **out, csm_pipeline *pipeline, const char *market,
                                csm_time horizon, csm_time as_of) {
    if (!out || !pipeline || !market)
        return csm_fail(CSM_EINVAL, "explain: out, pipeline and market are required");
    *out = NULL;
    csm_explanation *e = csm_alloc_array(1, sizeof *e);
    if (!e) return CSM_ENOMEM;
    e->base = NAN;
    predictor p = {.pipeline = pipeline};
    p.as_of = as_of == CSM_TIME_MAX ? csm_context_now(pipeline->context) : as_of;
    const csm_status status =
        explain(e, &p, market, horizon == 0 ? pipeline->settings.rank.horizon : horizon);
    csm_predictor_release(&p);
    if (status != CSM_OK) {
        csm_explanation_free(e);
        return status;
    }
    *out = e;
    return CSM_OK;
}
