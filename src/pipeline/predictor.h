/* SPDX-License-Identifier: MIT */
/* One decision over the whole universe: what a model says of every coin, before anything is ranked or written. */
#ifndef CSM_PIPELINE_PREDICTOR_H
#define CSM_PIPELINE_PREDICTOR_H

#include "pipeline/pipeline.h"

typedef struct predictor {
    csm_pipeline *pipeline;
    csm_training *training;
    universe markets;
    csm_frame *frame; /* the one decision */
    csm_time as_of;
    csm_time decision;
    csm_time live;
    bool shadow;                                /* the model shows nothing */
    bool expired;                               /* its data are older than its life */
    bool drift;                                 /* an alarm stands against it at the gate's horizon */
    uint32_t evidence[CSM_HORIZONS_MAX];        /* csm_evidence_status in force */
    double radius[CSM_HORIZONS_MAX];            /* of the interval, in force */
    ensemble_weights weights[CSM_HORIZONS_MAX]; /* of the training, as matured losses have changed them */
    csm_forecast *forecasts;                    /* one a market */
    size_t rows; /* of the frame that can be predicted: at the decision, with whole windows */
    int64_t *row;
    double *score[CSM_HORIZONS_MAX]; /* (rows, members) */
    double *expected[CSM_HORIZONS_MAX];
    csm_matrix contribution[CSM_HORIZONS_MAX]; /* (rows, features + 1), the base last; rows 0: none */
    uint32_t explained[CSM_HORIZONS_MAX];      /* member that they are of */
} predictor;

/* Forecasts of every market as of p->as_of by `training`, which p takes over; p->pipeline, p->as_of and p->shadow are set. CSM_EINVAL when it
 * was trained on later data. Free p whatever comes of it. */
csm_status csm_predictor_forecast(predictor *p, csm_training *training);
void csm_predictor_release(predictor *p);

/* TreeSHAP of every row by the first member that is made of trees; none where there is no such member. */
csm_status csm_predictor_explain(predictor *p);
/* The greatest contributions of one row into a forecast. */
csm_status csm_predictor_contributions(csm_horizon_forecast *out, const predictor *p, size_t h, size_t row);

#endif
