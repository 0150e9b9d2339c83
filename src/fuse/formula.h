/* SPDX-License-Identifier: MIT */
/*
 * A feature is a formula with parameters. A formula is one function and one line in formulas.def: it writes a whole
 * column over one market's bars, reading nothing after the bar it writes; a NaN says that there is no value.
 */
#ifndef CSM_FUSE_FORMULA_H
#define CSM_FUSE_FORMULA_H

#include "fuse/subject.h"

#include <cryptosmart/backend.h>
#include <cryptosmart/indicator.h>

#define CSM_FORMULA_PARAMETERS_MAX 2

/* What becomes of the column: it is the feature, or what is compared across the markets present at each time. */
typedef enum csm_across {
    CSM_ACROSS_NONE = 0,
    CSM_ACROSS_COMMON = 1,    /* the same for all markets: computed once, on a track that spans the panel */
    CSM_ACROSS_MEAN = 2,      /* feature: mean over the markets, the same for all */
    CSM_ACROSS_DEVIATION = 3, /* feature: standard deviation over the markets */
    CSM_ACROSS_RANK = 4       /* feature: the market's rank, 0 lowest .. 1 highest */
} csm_across;

typedef struct csm_formula csm_formula;

typedef struct csm_feature {
    char *name;
    const csm_formula *formula;
    double parameter[CSM_FORMULA_PARAMETERS_MAX];
    const csm_indicator *indicator; /* NULL unless the formula takes one */
    double indicator_parameter[CSM_INDICATOR_PARAMETERS_MAX];
    uint32_t output; /* of the indicator */
    size_t memory;
} csm_feature;

struct csm_formula {
    const char *name;
    const char *group;
    const char *text;
    csm_sequence sequence;
    csm_across across;
    csm_reason missing; /* why, when there is no value */
    uint32_t parameters;
    uint32_t indicator; /* 1: computed from an indicator */
    size_t (*memory)(const csm_feature *feature);
    /* out: one value for each element of the sequence */
    csm_status (*run)(const csm_feature *feature, csm_subject *subject, double *out);
};

const csm_formula *csm_formula_find(const char *name); /* NULL when unknown */
/* The same for another instruction set, which this machine must have: for tests. */
const csm_formula *csm_formula_of(csm_isa isa, const char *name);

/* First parameter as a number of bars. */
static inline size_t csm_feature_window(const csm_feature *feature) {
    return (size_t)feature->parameter[0];
}

#endif
