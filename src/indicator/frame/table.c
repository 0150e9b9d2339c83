/* SPDX-License-Identifier: MIT */
/* The table of indicators, made from indicators.def. */
#include "indicator/frame/frame.h"

#define CSM_INDICATOR_ROW(id) extern const csm_kernel csm_kernel_##id##_scalar;
#include "indicator/indicators.def"
#undef CSM_INDICATOR_ROW
#ifdef CSM_HAVE_SIMD
#define CSM_INDICATOR_ROW(id) extern const csm_kernel csm_kernel_##id##_avx2, csm_kernel_##id##_avx512;
#include "indicator/indicators.def"
#undef CSM_INDICATOR_ROW
#endif

typedef struct table_row {
    const csm_kernel *scalar;
#ifdef CSM_HAVE_SIMD
    const csm_kernel *avx2;
    const csm_kernel *avx512;
#endif
} table_row;

static const table_row table[] = {
#ifdef CSM_HAVE_SIMD
#define CSM_INDICATOR_ROW(id) {&csm_kernel_##id##_scalar, &csm_kernel_##id##_avx2, &csm_kernel_##id##_avx512},
#else
#define CSM_INDICATOR_ROW(id) {&csm_kernel_##id##_scalar},
#endif
#include "indicator/indicators.def"
#undef CSM_INDICATOR_ROW
};

#define TABLE_ROWS (sizeof table / sizeof table[0])

size_t csm_indicator_count(void) {
    return TABLE_ROWS;
}

const csm_indicator *csm_indicator_at(size_t index) {
    return index < TABLE_ROWS ? &table[index].scalar->description : NULL;
}

const csm_indicator *csm_indicator_find(const char *name) {
    if (name == NULL) return NULL;
    for (size_t i = 0; i < TABLE_ROWS; i++)
        if (strcmp(table[i].scalar->description.name, name) == 0) return &table[i].scalar->description;
    return NULL;
}

static const table_row *row_of(const csm_indicator *indicator) {
    for (size_t i = 0; i < TABLE_ROWS; i++)
        if (&table[i].scalar->description == indicator) return &table[i];
    return NULL;
}

static const csm_kernel *row_kernel(const table_row *row, csm_isa isa) {
#ifdef CSM_HAVE_SIMD
    if (isa == CSM_ISA_AVX512) return row->avx512;
    if (isa == CSM_ISA_AVX2) return row->avx2;
#endif
    (void)isa;
    return row->scalar;
}

size_t csm_isa_lanes(csm_isa isa) {
#ifdef CSM_HAVE_SIMD
    if (isa == CSM_ISA_AVX512) return 8;
    if (isa == CSM_ISA_AVX2) return 4;
#endif
    (void)isa;
    return 1;
}

csm_status csm_kernel_find(const csm_kernel **out, double parameters[CSM_INDICATOR_PARAMETERS_MAX],
                           const csm_indicator *indicator, const double *given, csm_isa isa) {
    const table_row *row = row_of(indicator);
    if (row == NULL)
        return csm_fail(CSM_EINVAL, "indicator: the handle is not from csm_indicator_at or _find");
    for (uint32_t k = 0; k < indicator->parameter_count; k++) {
        const csm_indicator_parameter *parameter = &indicator->parameters[k];
        const double value = given == NULL ? parameter->standard : given[k];
        if (!(value >= parameter->minimum && value <= parameter->maximum))
            return csm_fail(CSM_EINVAL, "%s: %s %g is outside %g..%g", indicator->name, parameter->name,
                            value, parameter->minimum, parameter->maximum);
        if (parameter->integer && value != floor(value))
            return csm_fail(CSM_EINVAL, "%s: %s %g is not a whole number", indicator->name, parameter->name,
                            value);
        parameters[k] = value;
    }
    const char *broken = row->scalar->relation == NULL ? NULL : row->scalar->relation(parameters);
    if (broken != NULL) return csm_fail(CSM_EINVAL, "%s: %s", indicator->name, broken);
    *out = row_kernel(row, isa);
    return CSM_OK;
}

csm_status csm_indicator_check(const csm_indicator *indicator, const double *parameters) {
    const csm_kernel *kernel;
    double checked[CSM_INDICATOR_PARAMETERS_MAX];
    return csm_kernel_find(&kernel, checked, indicator, parameters, CSM_ISA_SCALAR);
}

csm_status csm_indicator_warmup(size_t *out, const csm_indicator *indicator, const double *parameters) {
    const csm_kernel *kernel;
    double checked[CSM_INDICATOR_PARAMETERS_MAX];
    if (out == NULL) return csm_fail(CSM_EINVAL, "indicator: warm-up needs a place for its result");
    csm_status status = csm_kernel_find(&kernel, checked, indicator, parameters, CSM_ISA_SCALAR);
    if (status == CSM_OK) *out = kernel->warmup(checked);
    return status;
}

csm_status csm_indicator_memory(size_t *out, const csm_indicator *indicator, const double *parameters) {
    const csm_kernel *kernel;
    double checked[CSM_INDICATOR_PARAMETERS_MAX];
    if (out == NULL) return csm_fail(CSM_EINVAL, "indicator: memory needs a place for its result");
    csm_status status = csm_kernel_find(&kernel, checked, indicator, parameters, CSM_ISA_SCALAR);
    if (status == CSM_OK) *out = kernel->memory(checked);
    return status;
}
