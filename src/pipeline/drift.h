/* SPDX-License-Identifier: MIT */
#ifndef CSM_PIPELINE_DRIFT_H
#define CSM_PIPELINE_DRIFT_H

#include "pipeline/pipeline.h"

/* Looks for drift in matured losses of the model, horizon by horizon, and writes an alarm where there is a new one. */
csm_status csm_drift_of_losses(csm_pipeline *pipeline, const csm_training *training, bool backfill);

/* The detectors alone: index of the first of the values behind the first `walk` at which each raises an alarm, SIZE_MAX for none. level: chance
 * of a false alarm a value, of each. */
csm_status csm_drift_in_losses(size_t *adwin, size_t *page_hinkley, const double *loss, size_t walk,
                               size_t length, double level);

/* Compares features of the newest closed window after the training's data with the training's, and writes an alarm where they lie further
 * from them than the training's own windows make likely. */
csm_status csm_drift_of_features(csm_pipeline *pipeline, const csm_training *training, bool backfill);
/* How a window lies: p-values of its mean PSI and KS distance among those of the training's windows; NaN: too few. */
typedef struct window_drift {
    double psi;
    double ks;
    double psi_p;
    double ks_p;
    size_t rows; /* 0: nothing to compare */
} window_drift;
csm_status csm_drift_of_window(window_drift *out, const drift_reference *reference, const csm_frame *frame,
                               csm_time from, csm_time to);

#endif
