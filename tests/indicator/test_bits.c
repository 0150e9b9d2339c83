/* SPDX-License-Identifier: MIT */
/* Law 6 for indicators: one answer, whatever the instruction set, the number of threads, batch or stream. */
#include "indicator/bars.h"

#include "backend/isa.h"
#include "indicator/frame/frame.h"

#define SERIES 19 /* two whole groups of eight lanes and a rest */
#define LONGEST 1500

typedef struct market {
    test_bars bars[SERIES];
    csm_bars views[SERIES];
} market;

static market *market_new(void) {
    market *m = calloc(1, sizeof *m);
    for (size_t s = 0; s < SERIES; s++) {
        /* Lengths from none to some beyond several tiles, neither sorted nor multiples of a tile. */
        const size_t length = s == 4 ? 0 : s == 9 ? 1 : LONGEST - (s * 257) % LONGEST;
        m->bars[s] = test_bars_resampled(length, s + 1);
        m->views[s] = test_bars_view(&m->bars[s], length);
    }
    return m;
}

static void market_free(market *m) {
    for (size_t s = 0; s < SERIES; s++) test_bars_free(&m->bars[s]);
    free(m);
}

typedef struct results {
    double *values;
    csm_matrix *views; /* [series * requests] */
} results;

/* One matrix a series and request, row-major or column-major. */
static results results_new(const market *m, const csm_indicator_request *requests, size_t count,
                           bool column_major) {
    size_t cells = 0;
    for (size_t s = 0; s < SERIES; s++)
        for (size_t r = 0; r < count; r++) cells += m->views[s].length * requests[r].indicator->output_count;
    results out = {.values = malloc((cells + 1) * sizeof(double)),
                   .views = calloc(SERIES * count, sizeof(csm_matrix))};
    double *next = out.values;
    for (size_t s = 0; s < SERIES; s++)
        for (size_t r = 0; r < count; r++) {
            const size_t rows = m->views[s].length, cols = requests[r].indicator->output_count;
            out.views[s * count + r] = csm_matrix_f64(next, rows, cols);
            if (column_major) {
                out.views[s * count + r].row_stride = 1;
                out.views[s * count + r].col_stride = (ptrdiff_t)rows;
            }
            next += rows * cols;
        }
    return out;
}

static void results_free(results *r) {
    free(r->values);
    free(r->views);
}

static uint64_t value_bits(double x) {
    uint64_t bits;
    if (x != x) return UINT64_C(0x7ff8000000000000); /* any NaN is "no value" */
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void assert_same(const market *m, const csm_indicator_request *requests, size_t count,
                        const results *a, const results *b, const char *what) {
    for (size_t s = 0; s < SERIES; s++)
        for (size_t r = 0; r < count; r++)
            for (size_t t = 0; t < m->views[s].length; t++)
                for (uint32_t k = 0; k < requests[r].indicator->output_count; k++) {
                    const double x = csm_matrix_get(&a->views[s * count + r], t, k);
                    const double y = csm_matrix_get(&b->views[s * count + r], t, k);
                    if (value_bits(x) != value_bits(y))
                        fail_msg("%s: %s, output %u, series %zu, bar %zu: %.17g is not %.17g", what,
                                 requests[r].indicator->name, k, s, t, x, y);
                }
}

static size_t all_requests(csm_indicator_request **out) {
    const size_t count = csm_indicator_count();
    *out = calloc(count, sizeof **out);
    for (size_t i = 0; i < count; i++) (*out)[i].indicator = csm_indicator_at(i);
    return count;
}

static void every_instruction_set_gives_the_same_bits(void **unused) {
    (void)unused;
    csm_indicator_request *requests;
    const size_t count = all_requests(&requests);
    market *m = market_new();
    results plain = results_new(m, requests, count, false);
    assert_int_equal(CSM_OK, csm_indicator_run_table_isa(CSM_ISA_SCALAR, NULL, requests, count, m->views,
                                                         SERIES, plain.views));
    if (csm_backend_isa() == CSM_ISA_SCALAR) print_message("this processor has neither AVX2 nor AVX-512\n");
    for (csm_isa isa = CSM_ISA_AVX2; isa <= csm_backend_isa(); isa++) {
        results lanes = results_new(m, requests, count, isa == CSM_ISA_AVX512);
        assert_int_equal(
            CSM_OK, csm_indicator_run_table_isa(isa, NULL, requests, count, m->views, SERIES, lanes.views));
        assert_same(m, requests, count, &plain, &lanes, csm_backend_isa_name(isa));
        results_free(&lanes);
    }
    results_free(&plain);
    market_free(m);
    free(requests);
}

static void any_number_of_threads_gives_the_same_bits(void **unused) {
    (void)unused;
    csm_indicator_request *requests;
    const size_t count = all_requests(&requests);
    market *m = market_new();
    results one = results_new(m, requests, count, true), four = results_new(m, requests, count, true);
    csm_context_options options;
    csm_context_options_init(&options);
    options.threads = 4;
    csm_context *context;
    assert_int_equal(CSM_OK, csm_context_new(&context, &options));
    assert_int_equal(CSM_OK, csm_indicator_run_table(NULL, requests, count, m->views, SERIES, one.views));
    assert_int_equal(CSM_OK, csm_indicator_run_table(context, requests, count, m->views, SERIES, four.views));
    assert_same(m, requests, count, &one, &four, "four threads");
    csm_context_free(context);
    results_free(&one);
    results_free(&four);
    market_free(m);
    free(requests);
}

static void run_run_many_and_the_stream_equal_the_table(void **unused) {
    (void)unused;
    csm_indicator_request *requests;
    const size_t count = all_requests(&requests);
    market *m = market_new();
    results table = results_new(m, requests, count, false);
    assert_int_equal(CSM_OK, csm_indicator_run_table(NULL, requests, count, m->views, SERIES, table.views));
    for (size_t r = 0; r < count; r++) {
        const csm_indicator *indicator = requests[r].indicator;
        csm_matrix expected[SERIES];
        for (size_t s = 0; s < SERIES; s++) expected[s] = table.views[s * count + r];
        results from_table = {NULL, expected};

        results many = results_new(m, &requests[r], 1, true), single = results_new(m, &requests[r], 1, false);
        results stream = results_new(m, &requests[r], 1, false);
        assert_int_equal(CSM_OK, csm_indicator_run_many(NULL, indicator, NULL, m->views, SERIES, many.views));
        for (size_t s = 0; s < SERIES; s++) {
            assert_int_equal(CSM_OK, csm_indicator_run(indicator, NULL, &m->views[s], &single.views[s]));
            csm_indicator_state *state;
            assert_int_equal(CSM_OK, csm_indicator_state_new(&state, indicator, NULL));
            double *next = stream.views[s].data;
            for (size_t t = 0; t < m->views[s].length; t++, next += indicator->output_count) {
                const csm_bar one = test_bars_at(&m->bars[s], t);
                assert_int_equal(CSM_OK, csm_indicator_push(state, &one, next));
            }
            csm_indicator_state_free(state);
        }
        assert_same(m, &requests[r], 1, &from_table, &many, "run_many");
        assert_same(m, &requests[r], 1, &from_table, &single, "run");
        assert_same(m, &requests[r], 1, &from_table, &stream, "push");
        results_free(&many);
        results_free(&single);
        results_free(&stream);
    }
    results_free(&table);
    market_free(m);
    free(requests);
}

static void single_precision_and_strided_outputs_hold_the_rounded_doubles(void **unused) {
    (void)unused;
    const csm_indicator *indicator = csm_indicator_find("macd");
    market *m = market_new();
    const csm_indicator_request request = {indicator, NULL};
    results wide = results_new(m, &request, 1, false);
    assert_int_equal(CSM_OK, csm_indicator_run_table(NULL, &request, 1, m->views, SERIES, wide.views));
    float *cells = calloc(LONGEST * 7 * SERIES, sizeof *cells);
    csm_matrix narrow[SERIES];
    for (size_t s = 0; s < SERIES; s++) {
        narrow[s] = csm_matrix_f32(cells + s * LONGEST * 7 + 2, m->views[s].length, 3);
        narrow[s].row_stride =
            7; /* three columns of a seven-column feature matrix, last bar first when odd */
        if (s % 2 == 1 && m->views[s].length > 0) {
            narrow[s].data = (float *)narrow[s].data + 7 * (m->views[s].length - 1);
            narrow[s].row_stride = -7;
        }
    }
    assert_int_equal(CSM_OK, csm_indicator_run_table(NULL, &request, 1, m->views, SERIES, narrow));
    for (size_t s = 0; s < SERIES; s++)
        for (size_t t = 0; t < m->views[s].length; t++)
            for (size_t k = 0; k < 3; k++) {
                const double expected = (double)(float)csm_matrix_get(&wide.views[s], t, k);
                assert_int_equal(value_bits(expected), value_bits(csm_matrix_get(&narrow[s], t, k)));
            }
    for (size_t i = 0; i < LONGEST * 7 * SERIES; i++)
        if (i % 7 < 2 || i % 7 > 4) assert_true(cells[i] == 0.0f); /* neighbours untouched */
    free(cells);
    results_free(&wide);
    market_free(m);
}

static void outputs_that_bypass_the_cache_are_the_same(void **unused) {
    (void)unused;
    enum { series = 8, length = 40000, requests = 30 };
    csm_indicator_request request[requests];
    const csm_indicator *indicator = csm_indicator_find("ema");
    test_bars bars = test_bars_resampled(length, 3);
    csm_bars views[series];
    csm_matrix outputs[series * requests];
    double *values = aligned_alloc(64, (size_t)series * requests * length * sizeof(double));
    double *one = malloc(length * sizeof(double));
    for (size_t r = 0; r < requests; r++) request[r] = (csm_indicator_request){indicator, NULL};
    for (size_t s = 0; s < series; s++) views[s] = test_bars_view(&bars, length);
    for (size_t i = 0; i < series * requests; i++)
        outputs[i] = csm_matrix_f64(values + i * length, length, 1);
    assert_int_equal(CSM_OK, csm_indicator_run_table(NULL, request, requests, views, series, outputs));
    csm_matrix expected = csm_matrix_f64(one, length, 1);
    assert_int_equal(CSM_OK, csm_indicator_run(indicator, NULL, &views[0], &expected));
    for (size_t i = 0; i < series * requests; i++)
        for (size_t t = 0; t < length; t++)
            if (value_bits(one[t]) != value_bits(values[i * length + t]))
                fail_msg("output %zu differs at bar %zu", i, t);
    free(one);
    free(values);
    test_bars_free(&bars);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_set_gives_the_same_bits),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(run_run_many_and_the_stream_equal_the_table),
        cmocka_unit_test(single_precision_and_strided_outputs_hold_the_rounded_doubles),
        cmocka_unit_test(outputs_that_bypass_the_cache_are_the_same),
    };
    return cmocka_run_group_tests_name("indicator bits", tests, NULL, NULL);
}
