/* SPDX-License-Identifier: MIT */
/* Hidden Markov model. S states, F features, T rows.
 *   hmm.c          the object, its parameters, filtering
 *   baum_welch.c   fitting
 *   walk.c         filtering by models fitted on the past */
#ifndef CSM_MODEL_HMM_H
#define CSM_MODEL_HMM_H

#include <cryptosmart/model.h>

#include "core/internal.h"

#define CSM_HMM_STATES_MAX 16

struct csm_hmm {
    csm_hmm_info info;
    double *start;      /* (S) */
    double *transition; /* (S, S): from, to */
    double *mean;       /* (S, F) */
    double *variance;   /* (S, F) */
};

csm_status csm_hmm_new(csm_hmm **out, uint32_t states, size_t features);
/* emission[s]: density of a row in state s, divided by the largest of them; returns the logarithm of that. */
double csm_hmm_emission(double *emission, const csm_hmm *hmm, const double *row);
/* One step forward: probability[S] of the row before, all zero at the first, becomes that of this row. Returns the scale: the row's
 * density given its past, over the largest emission. */
double csm_hmm_forward(double *probability, const csm_hmm *hmm, const double *emission);
/* Copies a finite (T, F) matrix, row by row. */
csm_status csm_hmm_rows(double **rows, const csm_matrix *x, size_t features, const char *what);

#endif
