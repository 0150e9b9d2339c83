/* SPDX-License-Identifier: MIT */
/* The trainer beside the plain one in plain/, by threads and instruction sets, and its properties. */
#include "model/support.h"

#include "model/gbt/train.h"

#include "model/plain/bins.c"
#include "model/plain/grow.c"
#include "model/plain/histogram.c"
#include "model/plain/objective.c"
#include "model/plain/train.c"

typedef csm_status (*train_fn)(void **state, csm_model_info *info, const csm_train_job *job);

static csm_isa forced_isa = CSM_ISA_SCALAR;

static csm_status train_forced(void **state, csm_model_info *info, const csm_train_job *job) {
    return gbt_train_on(state, info, job, forced_isa);
}

/* An ensemble by any trainer. */
static gbt_ensemble *grow_with(train_fn trainer, const dataset *set, csm_objective objective,
                               uint32_t threads, const csm_parameter *parameters, size_t count) {
    csm_context *context = context_new(threads);
    double values[GBT_PARAMETER_COUNT];
    csm_model_info info = {.outputs = 1, .features = set->features};
    void *state;
    assert_ok(csm_model_parameters(values, &csm_learner_gbt.about, parameters, count));
    csm_head head = {.objective = objective, .weight = 1};
    head.parameter = values[objective == CSM_OBJECTIVE_QUANTILE ? GBT_QUANTILE : GBT_HUBER_DELTA];
    csm_train_job job = {.context = context,
                         .samples = &set->samples,
                         .values = values,
                         .objective = objective,
                         .heads = &head,
                         .head_count = 1};
    assert_ok(trainer(&state, &info, &job));
    csm_context_free(context);
    return state;
}

static void expect_same_splits(const gbt_ensemble *a, const gbt_ensemble *b, double tolerance) {
    assert_int_equal(a->trees, b->trees);
    assert_int_equal(a->node_count, b->node_count);
    for (size_t n = 0; n < a->node_count; n++) {
        assert_int_equal(a->nodes[n].feature, b->nodes[n].feature);
        assert_int_equal(a->nodes[n].bin, b->nodes[n].bin);
        assert_int_equal(a->nodes[n].left, b->nodes[n].left);
        assert_true(a->nodes[n].threshold == b->nodes[n].threshold);
        assert_true(a->nodes[n].cover == b->nodes[n].cover);
        assert_true(fabs(a->nodes[n].value - b->nodes[n].value) <= tolerance);
        assert_true(fabs(a->nodes[n].gain - b->nodes[n].gain) <= tolerance * (1 + fabs(a->nodes[n].gain)));
    }
}

static void exact_sums_give_the_plain_trainers_splits(void **state) {
    (void)state;
    static const csm_objective objectives[] = {CSM_OBJECTIVE_SQUARED, CSM_OBJECTIVE_HUBER,
                                               CSM_OBJECTIVE_QUANTILE, CSM_OBJECTIVE_LOGISTIC};
    for (size_t k = 0; k < COUNT(objectives); k++) {
        for (int bins = 40; bins <= 255; bins += 215) {
            const csm_parameter parameters[] = {{"rounds", 8},     {"leaves", 20},      {"quantise", 0},
                                                {"bins", bins},    {"min_rows", 5},     {"row_share", 0.8},
                                                {"quantile", 0.7}, {"huber_delta", 0.7}};
            dataset set = dataset_new(3000, 7, 21 + k, 0);
            if (objectives[k] == CSM_OBJECTIVE_LOGISTIC)
                plant_classes(&set, 21);
            else
                plant_regression(&set, 21, 0.5);
            for (size_t i = 0; i < 3000; i++) set.weight[i] = 0.5 + csm_random_uniform(21, 7, i);
            if (k % 2) set.samples.weight = set.weight;
            gbt_ensemble *fast = grow_with(gbt_train, &set, objectives[k], 2, parameters, COUNT(parameters));
            gbt_ensemble *plain =
                grow_with(plain_train, &set, objectives[k], 1, parameters, COUNT(parameters));
            expect_same_splits(fast, plain, 1e-9);
            gbt_ensemble_free(fast);
            gbt_ensemble_free(plain);
            dataset_free(&set);
        }
    }
}

static void expect_same_bits(const gbt_ensemble *a, const gbt_ensemble *b) {
    assert_int_equal(a->node_count, b->node_count);
    for (size_t n = 0; n < a->node_count; n++) {
        assert_int_equal(a->nodes[n].feature, b->nodes[n].feature);
        assert_memory_equal(&a->nodes[n].threshold, &b->nodes[n].threshold, sizeof(float));
        assert_memory_equal(&a->nodes[n].value, &b->nodes[n].value, sizeof(double));
        assert_memory_equal(&a->nodes[n].gain, &b->nodes[n].gain, sizeof(double));
    }
}

static void any_threads_and_instruction_set_give_the_same_bits(void **state) {
    (void)state;
    const csm_isa best = csm_backend_isa();
    for (int variant = 0; variant < 4; variant++) {
        const csm_parameter parameters[] = {{"rounds", 4},
                                            {"leaves", 31},
                                            {"bins", variant % 2 ? 63 : 255},
                                            {"column_share", variant == 2 ? 0.6 : 1},
                                            {"row_share", variant == 3 ? 0.7 : 1},
                                            {"quantise", variant != 2}};
        dataset set = dataset_new(30000, 21, 31 + (uint64_t)variant, 0);
        gbt_ensemble *first = NULL;
        if (variant < 2)
            plant_classes(&set, 31);
        else
            plant_regression(&set, 31, 1);
        for (int isa = CSM_ISA_SCALAR; isa <= (int)best; isa++) {
            for (uint32_t threads = 1; threads <= 4; threads *= 2) {
                forced_isa = (csm_isa)isa;
                gbt_ensemble *ensemble = grow_with(
                    train_forced, &set, variant < 2 ? CSM_OBJECTIVE_LOGISTIC : CSM_OBJECTIVE_SQUARED, threads,
                    parameters, COUNT(parameters));
                if (!first) {
                    first = ensemble;
                    continue;
                }
                expect_same_bits(first, ensemble);
                gbt_ensemble_free(ensemble);
            }
        }
        gbt_ensemble_free(first);
        dataset_free(&set);
    }
}

/* How the rows of sums_of_rows_are_the_sums are given. */
enum { LISTED_ROWS = 1, SOME_FEATURES = 2, WITH_SCRATCH = 4, COUNTS = 8, SUM_VARIANTS = 16 };

static void expect_sums(uint64_t *expected, const csm_gbt_rows *rows, const uint32_t *quantum) {
    for (size_t i = 0; i < rows->count; i++) {
        size_t r = rows->row ? rows->row[i] : rows->first + i;
        int64_t gradient = quantum ? (int32_t)quantum[r] >> 13 : 0;
        uint64_t value = quantum ? ((uint64_t)gradient << CSM_GBT_WIDE_SHIFT) + (quantum[r] & 8191) : 1;
        for (size_t j = 0; j < rows->features; j++)
            expected[rows->feature[j] * rows->slots + rows->code[r * rows->stride + rows->feature[j]]] +=
                value;
    }
}

/* The kernels themselves, beside sums of the quanta one by one: rows one by one and two features at once, from columns and
 * transposed, over more than one cache line of codes and an odd number of features. */
static void sums_of_rows_are_the_sums(void **state) {
    (void)state;
    enum { ROWS = 20000, FEATURES = 131, SUMS = FEATURES * 256 };
    dataset set = dataset_new(ROWS, FEATURES, 42, 0);
    csm_context *context = context_new(1);
    uint32_t feature[FEATURES], some[5] = {1, 4, 5, 11, 130};
    uint32_t *quantum = calloc(ROWS, sizeof *quantum), *row = calloc(ROWS, sizeof *row);
    uint64_t *sums = calloc(SUMS, sizeof *sums), *expected = calloc(SUMS, sizeof *expected);
    void *scratch = aligned_alloc(64, CSM_GBT_SCRATCH);
    size_t count = 0;
    memset(scratch, 0, CSM_GBT_SCRATCH);
    for (uint32_t f = 0; f < FEATURES; f++) feature[f] = f;
    for (uint32_t i = 0; i < ROWS; i += 1 + i % 3) row[count++] = i;
    for (uint32_t i = 0; i < ROWS; i++)
        quantum[i] = (uint32_t)((int32_t)(i * 7919 % 1023) - 511) * 8192 + i % 16;
    for (int bits = 255; bits > 0; bits -= 191) {
        gbt_bins bins;
        const gbt_bins_options options = {.bins = (uint32_t)bits};
        assert_ok(
            gbt_bins_build(&bins, context, &set.samples.x, &options, csm_gbt_kernels_of(CSM_ISA_SCALAR)));
        for (int isa = CSM_ISA_SCALAR; isa <= (int)csm_backend_isa(); isa++) {
            for (int variant = 0; variant < SUM_VARIANTS; variant++) {
                const uint32_t *given = variant & COUNTS ? NULL : quantum;
                csm_gbt_rows rows = {.code = bins.code,
                                     .stride = bins.stride,
                                     .row = variant & LISTED_ROWS ? row : NULL,
                                     .first = 77,
                                     .count = variant & LISTED_ROWS ? count : ROWS - 177,
                                     .feature = variant & SOME_FEATURES ? some : feature + 1,
                                     .features = variant & SOME_FEATURES ? 5 : FEATURES - 2,
                                     .slots = bins.slots,
                                     .narrow_shift = 13,
                                     .column = bins.column,
                                     .column_rows = bins.rows,
                                     .scratch = variant & WITH_SCRATCH ? scratch : NULL};
                memset(sums, 0, SUMS * sizeof *sums);
                memset(expected, 0, SUMS * sizeof *expected);
                expect_sums(expected, &rows, given);
                csm_gbt_kernels_of((csm_isa)isa)->sum_rows(sums, &rows, given);
                assert_memory_equal(sums, expected, SUMS * sizeof *sums);
                rows.column = NULL; /* as where they would be too large */
                memset(sums, 0, SUMS * sizeof *sums);
                csm_gbt_kernels_of((csm_isa)isa)->sum_rows(sums, &rows, given);
                assert_memory_equal(sums, expected, SUMS * sizeof *sums);
            }
        }
        gbt_bins_free(&bins);
    }
    free(sums);
    free(expected);
    free(scratch);
    free(quantum);
    free(row);
    csm_context_free(context);
    dataset_free(&set);
}

static void partitions_are_stable(void **state) {
    (void)state;
    enum { ROWS = 1000, LAST = 77 };
    uint8_t code[ROWS], goes_left[256];
    uint32_t row[ROWS], left[ROWS + 16], right[ROWS + 16];
    for (uint32_t i = 0; i < ROWS; i++) code[i] = (uint8_t)(i * 31), row[i] = i;
    for (int isa = CSM_ISA_SCALAR; isa <= (int)csm_backend_isa(); isa++) {
        for (int plain = 0; plain < 2; plain++) {
            size_t l = 0, r = 0;
            for (size_t b = 0; b < 256; b++) goes_left[b] = plain ? b <= LAST : b % 3 == 0;
            size_t lefts = csm_gbt_kernels_of((csm_isa)isa)
                               ->partition(left, right, row, ROWS, code, 1, goes_left, plain ? LAST : -1);
            for (uint32_t i = 0; i < ROWS; i++) {
                if (goes_left[code[i]])
                    assert_int_equal(left[l++], i);
                else
                    assert_int_equal(right[r++], i);
            }
            assert_int_equal(l, lefts);
        }
    }
}

static void logistic_is_the_real_one(void **state) {
    (void)state;
    double score[1001], p[1001];
    for (int i = 0; i < 1001; i++) score[i] = (i - 500) * (i % 7 ? 0.11 : 3);
    for (int isa = CSM_ISA_SCALAR; isa <= (int)csm_backend_isa(); isa++) {
        csm_gbt_kernels_of((csm_isa)isa)->logistic(p, score, 1001);
        for (int i = 0; i < 1001; i++) {
            double expected = 1 / (1 + exp(-score[i]));
            if (score[i] < -700) continue; /* the kernel keeps exp(-708) for less */
            assert_true(fabs(p[i] - expected) <= 1e-15 * expected);
        }
    }
}

static void rounding_is_unbiased_and_within_its_limits(void **state) {
    (void)state;
    enum { ROWS = 100000 };
    float *gradient = calloc(ROWS, sizeof *gradient);
    uint32_t *first = calloc(ROWS, sizeof *first), *other = calloc(ROWS, sizeof *other);
    for (size_t i = 0; i < ROWS; i++) gradient[i] = i % 2 ? 0.3F : -1;
    for (int isa = CSM_ISA_SCALAR; isa <= (int)csm_backend_isa(); isa++) {
        uint32_t *quantum = isa == CSM_ISA_SCALAR ? first : other;
        csm_gbt_kernels_of((csm_isa)isa)
            ->quantise(quantum, gradient, gradient, 0, ROWS, 10, 1, 10, 15, 13, 5);
        assert_memory_equal(first, quantum, ROWS * sizeof *first);
    }
    double sum = 0, hessians = 0;
    for (size_t i = 0; i < ROWS; i++) {
        int32_t g = (int32_t)first[i] >> 13, h = (int32_t)(first[i] & 8191);
        if (i % 2 == 0) assert_true(g == -10 && h == 0);
        if (i % 2) sum += g, hessians += h;
    }
    assert_true(fabs(sum / (ROWS / 2) - 3) < 0.01);
    assert_true(fabs(hessians / (ROWS / 2) - 0.3) < 0.01);
    free(gradient);
    free(first);
    free(other);
}

static void quantised_trees_lose_next_to_nothing(void **state) {
    (void)state;
    dataset set = dataset_new(20000, 10, 51, 0);
    plant_classes(&set, 51);
    double loss[2];
    for (int quantise = 0; quantise < 2; quantise++) {
        const csm_parameter parameters[] = {{"rounds", 40}, {"quantise", quantise}};
        csm_model *model;
        assert_ok(train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 2, parameters, COUNT(parameters)));
        loss[quantise] = describe(model).training_loss;
        csm_model_free(model);
    }
    assert_true(fabs(loss[1] / loss[0] - 1) < 2e-3);
    dataset_free(&set);
}

static void leaves_keep_min_rows_where_hessians_only_estimate_them(void **state) {
    (void)state;
    dataset set = dataset_new(4000, 5, 61, 0);
    plant_classes(&set, 61);
    for (size_t i = 0; i < 4000; i++) set.weight[i] = i % 10 ? 0.05 : 10; /* estimates are far off */
    set.samples.weight = set.weight;
    const csm_parameter parameters[] = {{"rounds", 10}, {"leaves", 40}, {"min_rows", 60}, {"min_hessian", 0}};
    gbt_ensemble *e = grow_with(gbt_train, &set, CSM_OBJECTIVE_LOGISTIC, 2, parameters, COUNT(parameters));
    assert_true(e->trees > 0);
    for (size_t n = 0; n < e->node_count; n++) assert_true(e->nodes[n].cover >= 60);
    gbt_ensemble_free(e);
    dataset_free(&set);
}

static void a_permutation_of_columns_permutes_the_splits(void **state) {
    (void)state;
    dataset set = dataset_new(2000, 4, 71, 0), turned = dataset_new(2000, 4, 71, 0);
    plant_regression(&set, 71, 1);
    for (size_t i = 0; i < 2000; i++) {
        turned.y[i] = set.y[i];
        for (size_t f = 0; f < 4; f++) turned.x[4 * i + f] = set.x[4 * i + (f + 1) % 4];
    }
    const csm_parameter parameters[] = {{"rounds", 10}};
    gbt_ensemble *a = grow_with(gbt_train, &set, CSM_OBJECTIVE_SQUARED, 1, parameters, 1);
    gbt_ensemble *b = grow_with(gbt_train, &turned, CSM_OBJECTIVE_SQUARED, 1, parameters, 1);
    assert_int_equal(a->node_count, b->node_count);
    for (size_t n = 0; n < a->node_count; n++) {
        int32_t f = b->nodes[n].feature;
        assert_int_equal(a->nodes[n].feature, f < 0 ? f : (f + 1) % 4);
        assert_true(a->nodes[n].value == b->nodes[n].value);
    }
    gbt_ensemble_free(a);
    gbt_ensemble_free(b);
    dataset_free(&set);
    dataset_free(&turned);
}

static void a_failed_allocation_anywhere_is_reported_and_leaks_nothing(void **state) {
    (void)state;
    dataset set = dataset_new(400, 3, 81, 0);
    plant_classes(&set, 81);
    const csm_parameter parameters[] = {{"rounds", 2}, {"leaves", 4}, {"bins", 60}};
    csm_model *model = NULL;
    csm_context *context = context_new(1);
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.objective = CSM_OBJECTIVE_LOGISTIC;
    options.parameters = parameters;
    options.parameter_count = COUNT(parameters);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status; n++) {
        csm_fault_allocation(n, false);
        status = csm_model_train(&model, context, "gbt", &set.samples, &options);
        csm_fault_allocation(0, false);
        assert_true(status == CSM_OK || status == CSM_ENOMEM);
    }
    csm_model_free(model);
    csm_context_free(context);
    dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_sums_give_the_plain_trainers_splits),
        cmocka_unit_test(any_threads_and_instruction_set_give_the_same_bits),
        cmocka_unit_test(sums_of_rows_are_the_sums),
        cmocka_unit_test(partitions_are_stable),
        cmocka_unit_test(logistic_is_the_real_one),
        cmocka_unit_test(rounding_is_unbiased_and_within_its_limits),
        cmocka_unit_test(quantised_trees_lose_next_to_nothing),
        cmocka_unit_test(leaves_keep_min_rows_where_hessians_only_estimate_them),
        cmocka_unit_test(a_permutation_of_columns_permutes_the_splits),
        cmocka_unit_test(a_failed_allocation_anywhere_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
