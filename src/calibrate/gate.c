/* SPDX-License-Identifier: MIT */
/* STATISTICS "The gate". */
#include "calibrate/internal.h"

#include <math.h>

#define THRESHOLD_LEAST 0.80
#define HISTORY_LEAST (12 * CSM_WEEK)

void csm_calibrate_gate_options_init(csm_gate_options *options) {
    *options = (csm_gate_options){.size = sizeof *options,
                                  .threshold = THRESHOLD_LEAST,
                                  .history_needed = HISTORY_LEAST,
                                  .notional = 1000,
                                  .participation = 0.01,
                                  .minimum_evidence = CSM_EVIDENCE_UNPROVEN};
}

csm_status csm_gate_options_take(csm_gate_options *out, const csm_gate_options *user) {
    csm_calibrate_gate_options_init(out);
    csm_status status = csm_options_take(out, sizeof *out, user, "csm_gate_options");
    if (status) return status;
    if (!(out->threshold >= THRESHOLD_LEAST && out->threshold <= 1))
        return csm_fail(CSM_EINVAL, "gate: threshold %g is outside %.2f..1", out->threshold, THRESHOLD_LEAST);
    if (out->history_needed < HISTORY_LEAST)
        return csm_fail(CSM_EINVAL, "gate: history of %.2f weeks is needed; 12 weeks are the least",
                        (double)out->history_needed / (double)CSM_WEEK);
    if (!(out->notional > 0) || !isfinite(out->notional))
        return csm_fail(CSM_EINVAL, "gate: notional %g is not a positive amount", out->notional);
    if (!(out->participation > 0 && out->participation <= 1))
        return csm_fail(CSM_EINVAL, "gate: participation %g is outside 0..1", out->participation);
    if (out->minimum_evidence > CSM_EVIDENCE_CERTIFIED || out->minimum_evidence == CSM_EVIDENCE_REVOKED)
        return csm_fail(CSM_EINVAL, "gate: minimum_evidence %u is not UNPROVEN, CONSISTENT or CERTIFIED",
                        out->minimum_evidence);
    return CSM_OK;
}

csm_status csm_calibrate_gate(csm_reason *show, csm_reason *trade, const csm_gate_input *input,
                              const csm_gate_options *user) {
    csm_gate_options options;
    if (!show || !trade || !input) return csm_fail(CSM_EINVAL, "gate: show, trade or input is NULL");
    csm_status status = csm_gate_options_take(&options, user);
    if (status) return status;
    if (input->evidence > CSM_EVIDENCE_CERTIFIED)
        return csm_fail(CSM_EINVAL, "gate: evidence %u is not known", input->evidence);
    if (input->probability < 0 || input->probability > 1)
        return csm_fail(CSM_EINVAL, "gate: probability %g", input->probability);
    bool forecast = !isnan(input->probability) && !isnan(input->expected_return);
    /* written so that whatever is unknown (NaN) fails */
    const struct {
        bool fails;
        csm_reason reason;
    } conditions[] = {
        {!forecast, CSM_REASON_MASK(NO_MODEL)},
        {!input->matured, CSM_REASON_MASK(NOT_CALIBRATED)},
        {input->history < options.history_needed, CSM_REASON_MASK(HISTORY_CLOCK)},
        {!(options.notional <= options.participation * input->traded_value), CSM_REASON_MASK(ILLIQUID)},
        {input->drift != 0, CSM_REASON_MASK(DRIFT_ALARM)},
        {input->evidence == CSM_EVIDENCE_REVOKED, CSM_REASON_MASK(EVIDENCE_REVOKED)},
        {input->evidence < options.minimum_evidence, CSM_REASON_MASK(EVIDENCE_LOW)},
        {forecast && !(input->probability >= options.threshold), CSM_REASON_MASK(PROBABILITY_LOW)},
        {forecast && !(input->expected_return > input->cost), CSM_REASON_MASK(RETURN_LOW)},
        {options.require_consensus && !input->agreement, CSM_REASON_MASK(NO_CONSENSUS)},
    };
    *show = input->data;
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        if (conditions[i].fails) *show |= conditions[i].reason;
    }
    *trade = 0;
    if (input->live < HISTORY_LEAST) *trade |= CSM_REASON_MASK(LIVE_CLOCK);
    if (!input->agreement) *trade |= CSM_REASON_MASK(NO_CONSENSUS);
    return CSM_OK;
}
