/* SPDX-License-Identifier: MIT */
/* The batch functions: checks, and series put in an order that keeps like lengths together. */
#include "indicator/frame/table_run.h"

/* Outputs beyond this many bytes bypass the caches: more than most last-level caches hold. */
#define BYPASS_BYTES ((size_t)64 << 20)

static csm_status output_check(const csm_matrix *matrix, const csm_indicator *indicator, size_t length) {
    if (matrix->dtype != CSM_F64 && matrix->dtype != CSM_F32)
        return csm_fail(CSM_EINVAL, "%s: output type %d is neither f32 nor f64", indicator->name,
                        (int)matrix->dtype);
    if (matrix->rows != length || matrix->cols != indicator->output_count)
        return csm_fail(CSM_EINVAL, "%s: output is %zu x %zu, %zu x %u is needed", indicator->name,
                        matrix->rows, matrix->cols, length, indicator->output_count);
    if (matrix->data == NULL && length > 0)
        return csm_fail(CSM_EINVAL, "%s: output has no memory", indicator->name);
    return CSM_OK;
}

static csm_status jobs_prepare(table_run *run, const csm_indicator_request *requests) {
    size_t cells = 0;
    const size_t count = run->job_count;
    for (size_t r = 0; r < count; r++) {
        job *j = &run->jobs[r];
        size_t bytes = 0;
        csm_status status = csm_kernel_find(&j->kernel, j->parameters, requests[r].indicator,
                                            requests[r].parameters, run->isa);
        if (status == CSM_OK) status = csm_kernel_bytes(&bytes, j->kernel, j->parameters, run->lanes);
        if (status != CSM_OK) return csm_fail_prefix(status, "request %zu", r);
        j->warmup = j->kernel->warmup(j->parameters);
        j->offset = run->state_bytes;
        if (__builtin_add_overflow(run->state_bytes, bytes, &run->state_bytes) ||
            run->state_bytes > SIZE_MAX / 4)
            return csm_fail(CSM_ENOMEM, "indicators: the states of %zu requests exceed the address space",
                            r + 1);
        run->inputs |= j->kernel->description.inputs;
        cells += j->kernel->description.output_count;
    }
    size_t bars = 0;
    for (size_t s = 0; s < run->series; s++) {
        csm_status status = csm_bars_check(&run->bars[s], run->inputs);
        for (size_t r = 0; r < count && status == CSM_OK; r++)
            status = output_check(&run->outputs[s * count + r], requests[r].indicator, run->bars[s].length);
        if (status != CSM_OK) return csm_fail_prefix(status, "series %zu", s);
        bars += run->bars[s].length;
    }
    run->bypass = cells > 0 && bars > BYPASS_BYTES / sizeof(double) / cells;
    return CSM_OK;
}

/* Longest first; equal lengths keep their order. A stable merge from the bottom up. */
static csm_status order_series(table_run *run) {
    const size_t n = run->series;
    size_t *spare = csm_alloc_array(n, sizeof *spare);
    if (spare == NULL) return CSM_ENOMEM;
    for (size_t s = 0; s < n; s++) run->order[s] = s;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t from = 0; from < n; from += 2 * width) {
            const size_t middle = n - from < width ? n : from + width;
            const size_t end = n - from < 2 * width ? n : from + 2 * width;
            size_t a = from, b = middle;
            for (size_t k = from; k < end; k++) {
                const bool left = b >= end || (a < middle && run->bars[run->order[a]].length >=
                                                                 run->bars[run->order[b]].length);
                spare[k] = left ? run->order[a++] : run->order[b++];
            }
        }
        memcpy(run->order, spare, n * sizeof *spare);
    }
    csm_dealloc(spare);
    return CSM_OK;
}

csm_status csm_indicator_run_table_isa(csm_isa isa, csm_context *context,
                                       const csm_indicator_request *requests, size_t request_count,
                                       const csm_bars *bars, size_t series, csm_matrix *outputs) {
    if (series == 0 || request_count == 0) return CSM_OK;
    if (requests == NULL || bars == NULL || outputs == NULL)
        return csm_fail(CSM_EINVAL, "indicators: requests, bars and outputs must be given");
    table_run run = {.context = context,
                     .bars = bars,
                     .outputs = outputs,
                     .job_count = request_count,
                     .series = series,
                     .lanes = csm_isa_lanes(isa),
                     .isa = isa};
    csm_status status = CSM_OK;
    run.jobs = csm_alloc_array(request_count, sizeof *run.jobs);
    run.order = csm_alloc_array(series, sizeof *run.order);
    if (run.jobs == NULL || run.order == NULL) {
        status = CSM_ENOMEM;
        goto done;
    }
    status = jobs_prepare(&run, requests);
    if (status == CSM_OK) status = order_series(&run);
    if (status != CSM_OK) goto done;
    status = csm_parallel_for(context == NULL ? 1 : csm_context_threads(context), csm_table_pairs(&run), 1,
                              csm_table_run_pairs, &run);
done:
    csm_dealloc(run.order);
    csm_dealloc(run.jobs);
    return status;
}

csm_status csm_indicator_run_table(csm_context *context, const csm_indicator_request *requests,
                                   size_t request_count, const csm_bars *bars, size_t series,
                                   csm_matrix *outputs) {
    /* One series has no second lane to fill. */
    const csm_isa isa = series == 1 ? CSM_ISA_SCALAR : csm_backend_isa();
    return csm_indicator_run_table_isa(isa, context, requests, request_count, bars, series, outputs);
}

csm_status csm_indicator_run_many(csm_context *context, const csm_indicator *indicator,
                                  const double *parameters, const csm_bars *bars, size_t series,
                                  csm_matrix *outputs) {
    const csm_indicator_request request = {indicator, parameters};
    return csm_indicator_run_table(context, &request, 1, bars, series, outputs);
}

csm_status csm_indicator_run(const csm_indicator *indicator, const double *parameters, const csm_bars *bars,
                             csm_matrix *output) {
    return csm_indicator_run_many(NULL, indicator, parameters, bars, 1, output);
}
