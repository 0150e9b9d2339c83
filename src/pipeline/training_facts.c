/* SPDX-License-Identifier: MIT */
#include "pipeline/training_facts.h"

#include <string.h>

/* One walk over the members serves both directions. */
typedef struct number_row {
    double *number;
    size_t at;
    bool reading;
    bool bad; /* a count that is no whole number */
} number_row;

static void real(number_row *row, double *value) {
    if (row->reading)
        *value = row->number[row->at++];
    else
        row->number[row->at++] = *value;
}

static double whole(number_row *row, double current) {
    real(row, &current);
    if (row->reading &&
        !(current >= 0 && current <= 9007199254740992.0 && current == (double)(uint64_t)current)) {
        row->bad = true;
        return 0;
    }
    return current;
}

static void size(number_row *row, size_t *value) {
    *value = (size_t)whole(row, (double)*value);
}

static void code(number_row *row, uint32_t *value) {
    *value = (uint32_t)whole(row, (double)*value);
}

static void band(number_row *row, csm_band *value) {
    real(row, &value->value);
    real(row, &value->low);
    real(row, &value->high);
}

static void scores(number_row *row, csm_scores *s) {
    size(row, &s->rows);
    real(row, &s->blocks);
    real(row, &s->base_rate);
    band(row, &s->brier);
    band(row, &s->brier_skill);
    real(row, &s->reliability);
    real(row, &s->resolution);
    real(row, &s->uncertainty);
    band(row, &s->log_loss);
    band(row, &s->ece);
    band(row, &s->rank_ic);
    real(row, &s->rank_icir);
    size(row, &s->dates);
    size(row, &s->bin_count);
    if (s->bin_count > CSM_RELIABILITY_BINS_MAX) {
        row->bad = true;
        s->bin_count = 0;
    }
    for (size_t b = 0; b < CSM_RELIABILITY_BINS_MAX; b++) {
        size(row, &s->bins[b].count);
        real(row, &s->bins[b].probability);
        real(row, &s->bins[b].frequency);
        real(row, &s->bins[b].low);
        real(row, &s->bins[b].high);
    }
}

static void walk_members(number_row *row, csm_horizon_training *f) {
    size(row, &f->rows);
    size(row, &f->walk_rows);
    size(row, &f->folds);
    size(row, &f->unknown);
    real(row, &f->blocks);
    real(row, &f->base_rate);
    code(row, &f->calibrator.method);
    code(row, &f->calibrator.matured);
    size(row, &f->calibrator.rows);
    real(row, &f->calibrator.blocks);
    real(row, &f->calibrator.base_rate);
    real(row, &f->calibrator.shrinkage);
    real(row, &f->calibrator.slope);
    real(row, &f->calibrator.intercept);
    real(row, &f->calibrator.slope_high);
    for (size_t m = 0; m < CSM_CALIBRATIONS; m++) real(row, &f->calibrator.log_loss[m]);
    size(row, &f->calibrator.judged);
    scores(row, &f->model);
    scores(row, &f->baseline);
    code(row, &f->evidence.status);
    size(row, &f->evidence.issued);
    real(row, &f->evidence.blocks);
    real(row, &f->evidence.precision);
    real(row, &f->evidence.lower);
    real(row, &f->evidence.upper);
    real(row, &f->evidence.e_value);
    real(row, &f->momentum_precision);
    real(row, &f->market_return);
    real(row, &f->issued_return);
    real(row, &f->issued_return_doubled_costs);
    size(row, &f->trials);
    size(row, &f->members);
    if (f->members > CSM_MEMBERS_MAX) {
        row->bad = true;
        f->members = 0;
    }
    for (size_t m = 0; m < CSM_MEMBERS_MAX; m++) {
        csm_member_training *member = &f->member[m];
        real(row, &member->score_weight);
        real(row, &member->return_weight);
        band(row, &member->brier_skill);
        band(row, &member->rank_ic);
        band(row, &member->gain);
    }
}

void csm_facts_to_numbers(double *out, const csm_horizon_training *facts) {
    csm_horizon_training copy = *facts;
    number_row row = {.number = out};
    memset(out, 0, CSM_FACTS_NUMBERS * sizeof *out);
    walk_members(&row, &copy);
}

csm_status csm_facts_from_numbers(csm_horizon_training *out, const double *numbers) {
    double copy[CSM_FACTS_NUMBERS];
    memcpy(copy, numbers, sizeof copy);
    number_row row = {.number = copy, .reading = true};
    *out = (csm_horizon_training){0};
    walk_members(&row, out);
    if (row.at != CSM_FACTS_NUMBERS)
        return csm_fail(CSM_EINTERNAL, "training facts: %zu numbers were read", row.at);
    return row.bad ? csm_fail(CSM_ECORRUPT, "training facts: a count is no whole number") : CSM_OK;
}
