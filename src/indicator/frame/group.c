/* SPDX-License-Identifier: MIT */
/*
 * Series are taken in groups of as many lanes as the instruction set has, and groups in pairs, the two ways of
 * csm_kernel.run. A pair walks through time in tiles of CSM_TILE_BARS bars; each tile is transposed once, every
 * requested indicator runs over it while it is in the cache, and its output is transposed back. All lanes stand at the
 * same index; a series that has ended is carried on with its last bar and its results are dropped.
 */
#include "indicator/frame/table_run.h"

#define WAYS 2
/* A job writes this many bars before they are transposed to the caller's memory: they stay in the L1. */
#define OUTPUT_BARS ((size_t)128)

typedef struct group {
    const csm_bars *bars[CSM_LANES_MAX]; /* lanes beyond `used` repeat the first */
    size_t series[CSM_LANES_MAX];
    size_t used;
    char *states;
    double *columns[5]; /* (CSM_TILE_BARS, lanes) each; NULL when not asked for */
    double *out;        /* (CSM_INDICATOR_OUTPUTS_MAX, OUTPUT_BARS, lanes) */
} group;

typedef struct pair {
    group groups[WAYS];
    csm_tile tiles[WAYS];
    double *out[WAYS];
    size_t ways; /* 1 for the last group of an odd number */
    size_t longest;
    size_t first_tile; /* bars of it: later tiles then start on whole cache lines of the outputs */
} pair;

static const double *bars_column(const csm_bars *bars, int input) {
    const double *const columns[5] = {bars->open, bars->high, bars->low, bars->close, bars->volume};
    return columns[input];
}

static void group_load(const table_run *run, const group *g, size_t from, size_t count) {
    double carried[CSM_LANES_MAX][CSM_TILE_BARS];
    for (int input = 0; input < 5; input++) {
        const double *columns[CSM_LANES_MAX];
        if (g->columns[input] == NULL) continue;
        for (size_t k = 0; k < run->lanes; k++) {
            const double *column = bars_column(g->bars[k], input);
            const size_t length = g->bars[k]->length;
            if (from + count <= length) {
                columns[k] = column + from;
                continue;
            }
            for (size_t t = 0; t < count; t++) {
                const size_t i = from + t;
                carried[k][t] = length == 0 ? 1.0 : column[i < length ? i : length - 1];
            }
            columns[k] = carried[k];
        }
        CSM_ISA_SELECT(run->isa, csm_tile_pack)(g->columns[input], columns, count);
    }
}

static void store_strided(const csm_matrix *matrix, size_t col, size_t from, const double *lane, size_t lanes,
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
static void group_store(const table_run *run, const group *g, size_t r, size_t col, const double *tile,
                        size_t from, size_t count) {
    double *columns[CSM_LANES_MAX];
    bool whole = g->used == run->lanes;
    for (size_t k = 0; k < g->used && whole; k++) {
        const csm_matrix *matrix = &run->outputs[g->series[k] * run->job_count + r];
        whole = matrix->dtype == CSM_F64 && matrix->row_stride == 1 && from + count <= matrix->rows;
        if (whole) columns[k] = (double *)matrix->data + (ptrdiff_t)col * matrix->col_stride + from;
    }
    if (whole) {
        CSM_ISA_SELECT(run->isa, csm_tile_unpack)(columns, tile, count, run->bypass);
        return;
    }
    for (size_t k = 0; k < g->used; k++) {
        const csm_matrix *matrix = &run->outputs[g->series[k] * run->job_count + r];
        if (from >= matrix->rows) continue;
        const size_t left = matrix->rows - from;
        store_strided(matrix, col, from, tile + k, run->lanes, left < count ? left : count);
    }
}

/* One job over the bars from..from+count of the series, bars `at` and on of the tile. */
static void pair_run(const table_run *run, const pair *p, size_t r, size_t from, size_t at, size_t count) {
    const job *j = &run->jobs[r];
    const size_t lane = at * run->lanes;
    void *const states[WAYS] = {p->groups[0].states + j->offset, p->groups[1].states + j->offset};
    const size_t warm = j->warmup <= from ? 0 : j->warmup - from < count ? j->warmup - from : count;
    csm_tile tiles[WAYS];
    for (size_t w = 0; w < WAYS; w++) {
        const csm_tile *tile = &p->tiles[w];
        tiles[w] = (csm_tile){tile->open + lane, tile->high + lane, tile->low + lane, tile->close + lane,
                              tile->volume + lane};
    }
    j->kernel->run(states, tiles, p->out, p->ways, count, OUTPUT_BARS * run->lanes);
    for (size_t w = 0; w < p->ways; w++)
        for (uint32_t col = 0; col < j->kernel->description.output_count; col++) {
            double *out = p->out[w] + col * OUTPUT_BARS * run->lanes;
            for (size_t i = 0; i < warm * run->lanes; i++) out[i] = NAN;
            group_store(run, &p->groups[w], r, col, out, from, count);
        }
}

static void pair_tile(const table_run *run, const pair *p, size_t from, size_t count) {
    for (size_t w = 0; w < p->ways; w++) group_load(run, &p->groups[w], from, count);
    for (size_t r = 0; r < run->job_count; r++)
        for (size_t at = 0; at < count; at += OUTPUT_BARS)
            pair_run(run, p, r, from + at, at, count - at < OUTPUT_BARS ? count - at : OUTPUT_BARS);
}

static void group_choose(const table_run *run, group *g, size_t first) {
    g->used = run->series - first < run->lanes ? run->series - first : run->lanes;
    for (size_t k = 0; k < run->lanes; k++) {
        g->series[k] = run->order[first + (k < g->used ? k : 0)];
        g->bars[k] = &run->bars[g->series[k]];
    }
    for (size_t r = 0; r < run->job_count; r++)
        csm_kernel_begin(g->states + run->jobs[r].offset, run->jobs[r].kernel, run->jobs[r].parameters,
                         run->lanes);
}

static void pair_choose(const table_run *run, pair *p, size_t index) {
    const size_t first = index * WAYS * run->lanes;
    p->ways = 0;
    while (p->ways < WAYS && first + p->ways * run->lanes < run->series) {
        group_choose(run, &p->groups[p->ways], first + p->ways * run->lanes);
        p->ways++;
    }
    p->longest = p->groups[0].bars[0]->length;
    const uintptr_t past =
        (uintptr_t)run->outputs[p->groups[0].series[0] * run->job_count].data % CSM_TILE_ALIGN;
    p->first_tile = past % sizeof(double) != 0 ? CSM_TILE_BARS : CSM_TILE_BARS - past / sizeof(double);
}

static size_t group_bytes(const table_run *run) {
    const size_t rows = 5 * CSM_TILE_BARS + CSM_INDICATOR_OUTPUTS_MAX * OUTPUT_BARS;
    return run->state_bytes + rows * run->lanes * sizeof(double);
}

/* Cuts a group's memory into states, input columns and output. Columns that no job reads share one that is. */
static void group_place(const table_run *run, group *g, csm_tile *tile, char *memory) {
    const size_t column = CSM_TILE_BARS * run->lanes;
    double *next = (double *)(void *)(memory + run->state_bytes);
    const double *at[5];
    g->states = memory;
    for (int input = 0; input < 5; input++) {
        const bool wanted = run->inputs & 1u << input;
        g->columns[input] = wanted ? next : NULL;
        at[input] = next;
        if (wanted) next += column;
    }
    g->out = next;
    *tile = (csm_tile){at[0], at[1], at[2], at[3], at[4]};
}

size_t csm_table_pairs(const table_run *run) {
    const size_t together = WAYS * run->lanes;
    return run->series / together + (run->series % together != 0);
}

csm_status csm_table_run_pairs(void *user, size_t begin, size_t end, uint32_t worker) {
    const table_run *run = user;
    pair p;
    void *base;
    (void)worker;
    char *memory = csm_tile_alloc(&base, WAYS * group_bytes(run));
    if (memory == NULL) return CSM_ENOMEM;
    for (size_t w = 0; w < WAYS; w++) {
        group_place(run, &p.groups[w], &p.tiles[w], memory + w * group_bytes(run));
        p.out[w] = p.groups[w].out;
    }
    csm_status status = CSM_OK;
    for (size_t index = begin; index < end && status == CSM_OK; index++) {
        pair_choose(run, &p, index);
        for (size_t from = 0, count = p.first_tile; from < p.longest; from += count, count = CSM_TILE_BARS) {
            if (count > p.longest - from) count = p.longest - from;
            pair_tile(run, &p, from, count);
        }
        if (run->bypass) CSM_ISA_SELECT(run->isa, csm_tile_publish)();
        if (run->context != NULL && csm_cancelled(run->context))
            status = csm_fail(CSM_ECANCELLED, "indicators: cancelled by the caller");
    }
    csm_dealloc(base);
    return status;
}
