/* SPDX-License-Identifier: MIT */
/* golden/values.txt holds what TA-Lib or a plain NumPy computation makes of golden/bars.txt; make_golden.py wrote it. */
#include "indicator/bars.h"

#include "core/platform.h"

#define LINE_MAX_BYTES 512
/* Relative to the output's greatest value: TA-Lib's own running sums are good to about this. */
#define TOLERANCE 1e-9

typedef struct golden_case {
    const csm_indicator *indicator;
    double parameters[CSM_INDICATOR_PARAMETERS_MAX];
    size_t first;
    double *values; /* (400, output_count) */
    double scale[CSM_INDICATOR_OUTPUTS_MAX];
} golden_case;

static test_bars recorded;

static void case_begin(golden_case *c, const char *line) {
    char name[64];
    int at = 0;
    assert_int_equal(1, sscanf(line, "case %63s%n", name, &at));
    c->indicator = csm_indicator_find(name);
    if (c->indicator == NULL) fail_msg("golden case of an unknown indicator: %s", name);
    const char *next = line + at;
    for (uint32_t k = 0; k < c->indicator->parameter_count; k++) {
        int used = 0;
        assert_int_equal(1, sscanf(next, "%lf%n", &c->parameters[k], &used));
        next += used;
    }
    assert_int_equal(1, sscanf(next, " ; %zu", &c->first));
    const csm_bars bars = test_bars_view(&recorded, recorded.length);
    csm_matrix output = csm_matrix_f64(c->values, recorded.length, c->indicator->output_count);
    if (csm_indicator_run(c->indicator, c->parameters, &bars, &output) != CSM_OK)
        fail_msg("%s", csm_error_message());
    for (uint32_t k = 0; k < c->indicator->output_count; k++) {
        c->scale[k] = 0.0;
        for (size_t t = c->first; t < recorded.length; t++)
            c->scale[k] = fmax(c->scale[k], fabs(c->values[t * c->indicator->output_count + k]));
    }
}

static void case_compare(const golden_case *c, const char *line) {
    size_t t;
    int at = 0;
    assert_int_equal(1, sscanf(line, "%zu%n", &t, &at));
    const uint32_t outputs = c->indicator->output_count;
    for (uint32_t k = 0; k < outputs; k++) {
        double expected;
        int used = 0;
        assert_int_equal(1, sscanf(line + at, "%lf%n", &expected, &used));
        at += used;
        const double ours = c->values[t * outputs + k];
        if (!(fabs(ours - expected) <= TOLERANCE * fmax(c->scale[k], fabs(expected))))
            fail_msg("%s(%g), %s, bar %zu: %.15g, expected %.15g", c->indicator->name, c->parameters[0],
                     c->indicator->outputs[k], t, ours, expected);
    }
}

/* Runs `each` over the file: once a case line, once a value line. */
static void golden_walk(void (*on_case)(golden_case *), void (*on_value)(const golden_case *, const char *),
                        char *seen) {
    FILE *file = fopen(CSM_SOURCE_DIR "/tests/indicator/golden/values.txt", "r");
    assert_non_null(file);
    char line[LINE_MAX_BYTES];
    golden_case c = {.values = malloc(recorded.length * CSM_INDICATOR_OUTPUTS_MAX * sizeof(double))};
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#') continue;
        if (strncmp(line, "case ", 5) == 0) {
            case_begin(&c, line);
            for (size_t i = 0; i < csm_indicator_count(); i++)
                if (csm_indicator_at(i) == c.indicator) seen[i] = 1;
            if (on_case != NULL) on_case(&c);
        } else if (on_value != NULL) {
            on_value(&c, line);
        }
    }
    fclose(file);
    free(c.values);
}

static void values_equal_those_of_another_implementation(void **unused) {
    (void)unused;
    char *seen = calloc(csm_indicator_count(), 1);
    golden_walk(NULL, case_compare, seen);
    for (size_t i = 0; i < csm_indicator_count(); i++)
        if (!seen[i]) fail_msg("%s has no golden values", csm_indicator_at(i)->name);
    free(seen);
}

static void warmup_is_exact(golden_case *c) {
    size_t warmup;
    assert_int_equal(CSM_OK, csm_indicator_warmup(&warmup, c->indicator, c->parameters));
    if (warmup != c->first)
        fail_msg("%s(%g): warm-up %zu, the other implementation starts at bar %zu", c->indicator->name,
                 c->parameters[0], warmup, c->first);
    const uint32_t outputs = c->indicator->output_count;
    for (size_t t = 0; t < recorded.length; t++)
        for (uint32_t k = 0; k < outputs; k++) {
            const double x = c->values[t * outputs + k];
            if (isnan(x) != (t < warmup))
                fail_msg("%s: bar %zu is %g, warm-up %zu", c->indicator->name, t, x, warmup);
        }
}

static void the_first_output_stands_where_the_warmup_says(void **unused) {
    (void)unused;
    char *seen = calloc(csm_indicator_count(), 1);
    golden_walk(warmup_is_exact, NULL, seen);
    free(seen);
}

static void every_indicator_is_in_the_manual(void **unused) {
    (void)unused;
    csm_buffer manual = {0};
    assert_int_equal(CSM_OK, csm_file_read(&manual, CSM_SOURCE_DIR "/docs/indicator.md", (size_t)1 << 20));
    for (size_t i = 0; i < csm_indicator_count(); i++) {
        char row[64];
        snprintf(row, sizeof row, "| `%s` |", csm_indicator_at(i)->name);
        if (strstr(manual.data, row) == NULL)
            fail_msg("docs/indicator.md has no row for %s", csm_indicator_at(i)->name);
    }
    csm_buffer_free(&manual);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_equal_those_of_another_implementation),
        cmocka_unit_test(the_first_output_stands_where_the_warmup_says),
        cmocka_unit_test(every_indicator_is_in_the_manual),
    };
    recorded = test_bars_recorded();
    const int failed = cmocka_run_group_tests_name("indicator golden", tests, NULL, NULL);
    test_bars_free(&recorded);
    return failed;
}
