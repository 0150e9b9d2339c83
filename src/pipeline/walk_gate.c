/* SPDX-License-Identifier: MIT */
/* The gate as it would have stood at each step of the walk. */
#include "pipeline/training.h"

#include <math.h>

/* The row of (time, market), or NULL. Rows are sorted by time, then market. */
static const csm_walk_row *find_row(const horizon_walk *walk, csm_time time, uint32_t market) {
    size_t low = 0, high = walk->length;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const csm_walk_row *row = &walk->rows[middle];
        if (row->time < time || (row->time == time && row->market < market))
            low = middle + 1;
        else
            high = middle;
    }
    const csm_walk_row *row = low < walk->length ? &walk->rows[low] : NULL;
    return row && row->time == time && row->market == market ? row : NULL;
}

/* Whether every horizon that made a calibrated prediction at this decision points up, and all did make one. */
static bool all_agree(const horizon_walk *walks, size_t horizons, csm_time time, uint32_t market) {
    for (size_t h = 0; h < horizons; h++) {
        const csm_walk_row *row = find_row(&walks[h], time, market);
        if (!row || !(row->probability >= 0.5 && row->expected_return > 0)) return false;
    }
    return true;
}

static csm_status gate_row(csm_walk_row *row, uint32_t evidence, const horizon_walk *walks,
                           const training_settings *settings, const csm_frame *frame) {
    csm_market_facts facts;
    csm_status status = csm_frame_facts(&facts, frame, row->market, row->time);
    if (status != CSM_OK) return status;
    csm_gate_input input = {.probability = row->probability,
                            .expected_return = row->expected_return,
                            .cost = row->cost,
                            .traded_value = facts.traded_value,
                            .history = facts.history,
                            .matured = isnan(row->probability) ? 0u : 1u,
                            .evidence = evidence,
                            .agreement = all_agree(walks, settings->horizons, row->time, row->market)};
    csm_reason trade = 0;
    return csm_calibrate_gate(&row->show, &trade, &input, &settings->rank.gate);
}

csm_status csm_walk_gate(horizon_walk *walks, const training_settings *settings, const csm_frame *frame) {
    for (size_t h = 0; h < settings->horizons; h++) {
        bool gate = settings->horizon[h].horizon == settings->rank.horizon;
        for (size_t i = 0; i < walks[h].length; i++) {
            csm_walk_row *row = &walks[h].rows[i];
            csm_status status = CSM_OK;
            if (gate)
                status = gate_row(row, walks[h].evidence[i], walks, settings, frame);
            else if (isnan(row->probability))
                row->show = CSM_REASON_MASK(NOT_CALIBRATED);
            else if (row->probability < settings->rank.gate.threshold)
                row->show = CSM_REASON_MASK(PROBABILITY_LOW);
            if (status != CSM_OK) return status;
        }
    }
    return CSM_OK;
}
