/* SPDX-License-Identifier: MIT */
/*
 * Batch: series are taken in groups of as many lanes as the instruction set has. A group walks through time in tiles
 * of CSM_TILE_BARS bars; each tile is transposed once, every requested indicator runs over it while it is in the
 * cache, and its output is transposed back. All lanes of a group stand at the same index; a series that has ended is
 * carried on with its last bar and its results are dropped.
 */
#include "indicator/frame/frame.h"

/* Outputs beyond this many bytes bypass the caches: more than most last-level caches hold. */
#define BYPASS_BYTES ((size_t)64 << 20)

typedef struct job {
    const csm_kernel *kernel;
    double parameters[CSM_INDICATOR_PARAMETERS_MAX];
    size_t warmup;
    size_t offset; /* of its state in a group's memory */
} job;

typedef struct table_run {
    csm_context *context;
    const csm_bars *bars;
    csm_matrix *outputs;
    job *jobs;
    size_t job_count;
    size_t *order; /* series, longest first, so that groups are of like length */
    size_t series;
    size_t lanes;
    size_t state_bytes; /* of one group, all jobs */
    csm_isa isa;
    uint32_t inputs;
    bool bypass;
} table_run;

typedef struct group {
    const csm_bars *bars[CSM_LANES_MAX]; /* lanes beyond `used` repeat lane 0 */
    size_t series[CSM_LANES_MAX];
    size_t used;
    size_t longest;
    char *states;
    double *columns[5]; /* (CSM_TILE_BARS, lanes) each; NULL when not asked for */
    double *out;        /* (CSM_INDICATOR_OUTPUTS_MAX, CSM_TILE_BARS, lanes) */
    csm_tile tile;
} group;

static const double *bars_column(const csm_bars *bars, int input) {
    const double *const columns[5] = {bars->open, bars->high, bars->low, bars->close, bars->volume};
    return columns[input];
}

static void pack(csm_isa isa, double *tile, const double *const *columns, size_t count) {
    CSM_ISA_SELECT(isa, csm_tile_pack)(tile, columns, count);
}

static void unpack(csm_isa isa, double *const *columns, const double *tile, size_t count, bool bypass) {
    CSM_ISA_SELECT(isa, csm_tile_unpack)(columns, tile, count, bypass);
}

static void group_load(const table_run *run, group *g, size_t from, size_t count) {
    double carried[CSM_LANES_MAX][CSM_TILE_BARS];
    for (int input = 0; input < 5; input++) {
        const double *columns[CSM_LANES_MAX];
        if (g->columns[input] == NULL) continue;
        for (size_t k = 0; k < run->lanes; k++) {
            const double *column = bars_column(g->bars[k], input);
            const size_t length = g->bars[k]->length;
            columns[k] = column + from;
            if (from + count <= length) continue;
            for (size_t t = 0; t < count; t++) {
                const size_t i = from + t;
                carried[k][t] = length == 0 ? 1.0 : column[i < length ? i : length - 1];
            }
            columns[k] = carried[k];
        }
        pack(run->isa, g->columns[input], columns, count);
    }
}

static void store_strided(csm_matrix *matrix, size_t col, size_t from, const double *lane, size_t lanes,
                          size_t count) {
    const ptrdiff_t start = (ptrdiff_t)from * matrix->row_stride + (ptrdiff_t)col * matrix->col_stride;
    if (matrix->dtype == CSM_F64) {
        double *at = (double *)matrix->data + start;
        for (size_t t = 0; t < count; t++) at[(ptrdiff_t)t * matrix->row_stride] = lane[t * lanes];
    } else {
        float *at = (float *)matrix->data + start;
        for (size_t t = 0; t < count; t++) at[(ptrdiff_t)t * matrix->row_stride] = (float)lane[t * lanes];
    }
}

/* Writes one output of one job: all lanes at once when each column is contiguous doubles, else lane by lane. */
static void group_store(const table_run *run, group *g, size_t r, size_t col, size_t from, size_t count) {
    const double *tile = g->out + col * CSM_TILE_BARS * run->lanes;
    double *columns[CSM_LANES_MAX];
    bool whole = g->used == run->lanes;
    for (size_t k = 0; k < g->used && whole; k++) {
        const csm_matrix *matrix = &run->outputs[g->series[k] * run->job_count + r];
        whole = matrix->dtype == CSM_F64 && matrix->row_stride == 1 && from + count <= matrix->rows;
        if (whole) columns[k] = (double *)matrix->data + (ptrdiff_t)col * matrix->col_stride + from;
    }
    if (whole) {
        unpack(run->isa, columns, tile, count, run->bypass);
        return;
    }
    for (size_t k = 0; k < g->used; k++) {
        csm_matrix *matrix = &run->outputs[g->series[k] * run->job_count + r];
        if (from >= matrix->rows) continue;
        const size_t left = matrix->rows - from;
        store_strided(matrix, col, from, tile + k, run->lanes, left < count ? left : count);
    }
}

static void group_tile(const table_run *run, group *g, size_t from, size_t count) {
    const size_t stride = CSM_TILE_BARS * run->lanes;
    group_load(run, g, from, count);
    for (size_t r = 0; r < run->job_count; r++) {
        const job *j = &run->jobs[r];
        j->kernel->run(g->states + j->offset, &g->tile, count, g->out, stride);
        for (uint32_t col = 0; col < j->kernel->description.output_count; col++) {
            const size_t cold = j->warmup <= from ? 0 : j->warmup - from < count ? j->warmup - from : count;
            for (size_t i = 0; i < cold * run->lanes; i++) g->out[col * stride + i] = NAN;
            group_store(run, g, r, col, from, count);
        }
    }
}

static void group_choose(const table_run *run, group *g, size_t index) {
    const size_t first = index * run->lanes;
    g->used = run->series - first < run->lanes ? run->series - first : run->lanes;
    for (size_t k = 0; k < run->lanes; k++) {
        g->series[k] = run->order[first + (k < g->used ? k : 0)];
        g->bars[k] = &run->bars[g->series[k]];
    }
    g->longest = g->bars[0]->length;
    for (size_t r = 0; r < run->job_count; r++)
        csm_kernel_begin(g->states + run->jobs[r].offset, run->jobs[r].kernel, run->jobs[r].parameters,
                         run->lanes);
}

/* Cuts a worker's memory into states, input columns and output. Columns that no job reads share one that is. */
static void group_place(const table_run *run, group *g, char *memory) {
    const size_t column = CSM_TILE_BARS * run->lanes;
    double *next = (double *)(void *)(memory + run->state_bytes);
    const double *any = next;
    g->states = memory;
    for (int input = 0; input < 5; input++) {
        const bool wanted = run->inputs & 1u << input;
        g->columns[input] = wanted ? next : NULL;
        if (wanted) next += column;
    }
    g->out = next;
    g->tile = (csm_tile){g->columns[0] ? g->columns[0] : any, g->columns[1] ? g->columns[1] : any,
                         g->columns[2] ? g->columns[2] : any, g->columns[3] ? g->columns[3] : any,
                         g->columns[4] ? g->columns[4] : any};
}

static csm_status run_groups(void *user, size_t begin, size_t end, uint32_t worker) {
    const table_run *run = user;
    const size_t columns = 5 + CSM_INDICATOR_OUTPUTS_MAX;
    group g;
    void *base;
    (void)worker;
    char *memory =
        csm_tile_alloc(&base, run->state_bytes + columns * CSM_TILE_BARS * run->lanes * sizeof(double));
    if (memory == NULL) return CSM_ENOMEM;
    group_place(run, &g, memory);
    csm_status status = CSM_OK;
    for (size_t index = begin; index < end && status == CSM_OK; index++) {
        group_choose(run, &g, index);
        for (size_t from = 0; from < g.longest; from += CSM_TILE_BARS) {
            const size_t left = g.longest - from;
            group_tile(run, &g, from, left < CSM_TILE_BARS ? left : CSM_TILE_BARS);
        }
        if (run->context != NULL && csm_cancelled(run->context))
            status = csm_fail(CSM_ECANCELLED, "indicators: cancelled by the caller");
    }
    csm_dealloc(base);
    return status;
}

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
    for (size_t r = 0; r < run->job_count; r++) {
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
        for (size_t r = 0; r < run->job_count && status == CSM_OK; r++)
            status = output_check(&run->outputs[s * run->job_count + r], requests[r].indicator,
                                  run->bars[s].length);
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
    const size_t groups = (series + run.lanes - 1) / run.lanes;
    status =
        csm_parallel_for(context == NULL ? 1 : csm_context_threads(context), groups, 1, run_groups, &run);
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
