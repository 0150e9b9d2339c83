/* SPDX-License-Identifier: MIT */
#include "fuse/formula.h"

#include <string.h>

static const csm_formula formulas[] = {
#define CSM_FORMULA(id, group_, sequence_, across_, missing_, parameters_, indicator_, text_)                \
    {.name = #id,                                                                                            \
     .group = #group_,                                                                                       \
     .text = text_,                                                                                          \
     .sequence = CSM_OVER_##sequence_,                                                                       \
     .across = CSM_ACROSS_##across_,                                                                         \
     .missing = CSM_REASON_MASK(missing_),                                                                   \
     .parameters = parameters_,                                                                              \
     .indicator = indicator_,                                                                                \
     .memory = csm_##id##_memory,                                                                            \
     .run = csm_##id##_run},
#include "fuse/formulas.def"
#undef CSM_FORMULA
};

const csm_formula *csm_formula_find(const char *name) {
    for (size_t i = 0; i < sizeof formulas / sizeof formulas[0]; i++)
        if (strcmp(formulas[i].name, name) == 0) return &formulas[i];
    return NULL;
}
