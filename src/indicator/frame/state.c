/* SPDX-License-Identifier: MIT */
/* The memory of a state, and the stream that feeds it one bar at a time. */
#include "indicator/frame/frame.h"

static size_t round_up(size_t bytes) {
    return (bytes + CSM_TILE_ALIGN - 1) / CSM_TILE_ALIGN * CSM_TILE_ALIGN;
}

csm_status csm_kernel_bytes(size_t *out, const csm_kernel *kernel, const double *parameters, size_t lanes) {
    size_t window;
    if (__builtin_mul_overflow(kernel->rows(parameters), lanes * sizeof(double), &window) ||
        window > SIZE_MAX / 4)
        return csm_fail(CSM_ENOMEM, "%s: the window memory exceeds the address space",
                        kernel->description.name);
    *out = round_up(kernel->state_bytes) + round_up(window);
    return CSM_OK;
}

void csm_kernel_begin(void *memory, const csm_kernel *kernel, const double *parameters, size_t lanes) {
    const size_t state = round_up(kernel->state_bytes),
                 window = kernel->rows(parameters) * lanes * sizeof(double);
    memset(memory, 0, state + window);
    kernel->init(memory, parameters, (char *)memory + state);
}

void *csm_tile_alloc(void **base, size_t bytes) {
    *base = NULL;
    if (bytes > SIZE_MAX - CSM_TILE_ALIGN) {
        (void)csm_fail(CSM_ENOMEM, "indicator: %zu bytes exceed the address space", bytes);
        return NULL;
    }
    *base = csm_alloc(bytes + CSM_TILE_ALIGN);
    if (*base == NULL) return NULL;
    return (char *)*base + (CSM_TILE_ALIGN - (uintptr_t)*base % CSM_TILE_ALIGN) % CSM_TILE_ALIGN;
}

/* One block, so that a push touches few cache lines: this, the kernel's state and its windows. In the plain build no
 * kernel needs more than a double's alignment. */
struct csm_indicator_state {
    const csm_kernel *kernel;
    size_t warmup;
    size_t pushed;
    double memory[];
};

csm_status csm_indicator_state_new(csm_indicator_state **out, const csm_indicator *indicator,
                                   const double *parameters) {
    const csm_kernel *kernel;
    double checked[CSM_INDICATOR_PARAMETERS_MAX];
    size_t bytes;
    if (out == NULL) return csm_fail(CSM_EINVAL, "indicator: a state needs a place for its result");
    *out = NULL;
    const csm_status status = csm_kernel_find(&kernel, checked, indicator, parameters, CSM_ISA_SCALAR);
    if (status != CSM_OK) return status;
    const size_t own = (kernel->state_bytes + sizeof(double) - 1) / sizeof(double); /* in doubles */
    if (__builtin_add_overflow(kernel->rows(checked), own, &bytes) ||
        __builtin_mul_overflow(bytes, sizeof(double), &bytes) ||
        __builtin_add_overflow(bytes, sizeof(csm_indicator_state), &bytes))
        return csm_fail(CSM_ENOMEM, "%s: the window memory exceeds the address space", indicator->name);
    csm_indicator_state *state = csm_alloc_array(1, bytes);
    if (state == NULL) return CSM_ENOMEM;
    state->kernel = kernel;
    state->warmup = kernel->warmup(checked);
    kernel->init(state->memory, checked, state->memory + own);
    *out = state;
    return CSM_OK;
}

void csm_indicator_state_free(csm_indicator_state *state) {
    csm_dealloc(state);
}

/* Has the check of batches find the words. */
static csm_status refuse_bar(const csm_indicator_state *state, const csm_bar *bar) {
    const csm_time time = 0;
    const csm_indicator *indicator = &state->kernel->description;
    const csm_bars one = {.length = 1,
                          .interval = CSM_HOUR,
                          .time = &time,
                          .open = &bar->open,
                          .high = &bar->high,
                          .low = &bar->low,
                          .close = &bar->close,
                          .volume = &bar->volume};
    const csm_status status = csm_bars_check(&one, indicator->inputs);
    if (status == CSM_OK)
        return csm_fail(CSM_EINTERNAL, "%s: the stream refused a valid bar", indicator->name);
    return csm_fail_prefix(status, "%s: push %zu", indicator->name, state->pushed);
}

csm_status csm_indicator_push(csm_indicator_state *state, const csm_bar *bar, double *output) {
    if (state == NULL || bar == NULL || output == NULL)
        return csm_fail(CSM_EINVAL, "indicator: push needs a state, a bar and a place for its output");
    const csm_indicator *indicator = &state->kernel->description;
    if (!state->kernel->push(state->memory, bar, output)) return refuse_bar(state, bar);
    if (state->pushed < state->warmup)
        for (uint32_t k = 0; k < indicator->output_count; k++) output[k] = NAN;
    state->pushed++;
    return CSM_OK;
}
