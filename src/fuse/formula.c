/* SPDX-License-Identifier: MIT */
#include "fuse/formula.h"

#include "backend/isa.h"

#include <string.h>

/* ---- memory: the bars a formula reads ------------------------------------------------------------------- */

static size_t needs_WINDOW(const csm_feature *feature) {
    return csm_feature_window(feature);
}

/* A return over p bars, and p returns, begin one bar earlier. */
static size_t needs_LAG(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

static size_t needs_ONE(const csm_feature *feature) {
    (void)feature;
    return 1;
}

static size_t needs_TWO(const csm_feature *feature) {
    (void)feature;
    return 2;
}

static size_t needs_LONGER(const csm_feature *feature) {
    const double *p = feature->parameter;
    return (size_t)(p[0] > p[1] ? p[0] : p[1]);
}

static size_t needs_LONGER_LAG(const csm_feature *feature) {
    return needs_LONGER(feature) + 1;
}

/* A window of windows of returns. */
static size_t needs_BOTH(const csm_feature *feature) {
    return (size_t)feature->parameter[0] + (size_t)feature->parameter[1];
}

static size_t needs_INDICATOR(const csm_feature *feature) {
    size_t bars = 0;
    return csm_indicator_memory(&bars, feature->indicator, feature->indicator_parameter) ? SIZE_MAX : bars;
}

/* A cumulative indicator never forgets its start, but its change over a window is the window's alone. */
static size_t needs_FLOW(const csm_feature *feature) {
    const size_t bars = needs_INDICATOR(feature);
    return (bars == SIZE_MAX ? 1 : bars) + csm_feature_window(feature);
}

/* ---- the table ---------------------------------------------------------------------------------------------- */

#define CSM_FORMULA(id, group, sequence, memory, across, missing, parameters, indicator, text)               \
    csm_status csm_##id##_run_scalar(const csm_feature *, csm_subject *, double *);                          \
    csm_status csm_##id##_run_avx2(const csm_feature *, csm_subject *, double *);                            \
    csm_status csm_##id##_run_avx512(const csm_feature *, csm_subject *, double *);
#include "fuse/formulas.def"
#undef CSM_FORMULA

/* One table an instruction set: a formula is found by name in that of this machine. */
#define TABLE_ROW(id, group_, sequence_, memory_, across_, missing_, parameters_, indicator_, text_, isa)    \
    {.name = #id,                                                                                            \
     .group = #group_,                                                                                       \
     .text = text_,                                                                                          \
     .sequence = CSM_OVER_##sequence_,                                                                       \
     .across = CSM_ACROSS_##across_,                                                                         \
     .missing = CSM_REASON_MASK(missing_),                                                                   \
     .parameters = parameters_,                                                                              \
     .indicator = indicator_,                                                                                \
     .memory = needs_##memory_,                                                                              \
     .run = csm_##id##_run_##isa},

#define CSM_FORMULA(...) TABLE_ROW(__VA_ARGS__, scalar)
static const csm_formula formulas_scalar[] = {
#include "fuse/formulas.def"
};
#undef CSM_FORMULA

#ifdef CSM_HAVE_SIMD
#define CSM_FORMULA(...) TABLE_ROW(__VA_ARGS__, avx2)
static const csm_formula formulas_avx2[] = {
#include "fuse/formulas.def"
};
#undef CSM_FORMULA
#define CSM_FORMULA(...) TABLE_ROW(__VA_ARGS__, avx512)
static const csm_formula formulas_avx512[] = {
#include "fuse/formulas.def"
};
#undef CSM_FORMULA
#endif

const csm_formula *csm_formula_of(csm_isa isa, const char *name) {
    const csm_formula *table = CSM_ISA_SELECT(isa, formulas);
    for (size_t i = 0; i < sizeof formulas_scalar / sizeof formulas_scalar[0]; i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

const csm_formula *csm_formula_find(const char *name) {
    return csm_formula_of(csm_backend_isa(), name);
}
