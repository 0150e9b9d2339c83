/* SPDX-License-Identifier: MIT */
/* What training takes beyond the caller's view: measured on some rows, and by the same arithmetic below 3 GB for 12 M x 120. */
#include "model/support.h"

#include "model/gbt/train.h"

#define SLACK ((size_t)48 << 20) /* histograms, chunks, the allocator and the program itself */

/* Of the model docs/model.md states: codes, columns up to their limit, the sample, and 36 bytes a row; the copy of scores
 * at the start is 8 more. */
static size_t stated_bytes(size_t rows, size_t features, size_t stride) {
    size_t columns = rows * features <= GBT_COLUMN_BYTES_MAX ? rows * features : 0;
    size_t sampled = rows < GBT_BIN_SAMPLE ? rows : GBT_BIN_SAMPLE;
    return rows * (stride + 36 + 8) + columns + sampled * (features + 2) * sizeof(uint32_t);
}

static size_t peak_bytes(void) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    size_t kilobytes = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "VmHWM:", 6) == 0) kilobytes = strtoul(line + 6, NULL, 10);
    }
    if (file) fclose(file);
    return kilobytes * 1024;
}

/* Makes the peak what the process holds now; false where the kernel does not let it. */
static bool reset_peak(void) {
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file) return false;
    bool written = fputs("5", file) >= 0;
    return fclose(file) == 0 && written;
}

static void training_takes_no_more_than_is_stated(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    print_message("skipped: a sanitizer's own memory is in the peak\n");
    skip();
#endif
    enum { ROWS = 250000, FEATURES = 100 };
    dataset set = dataset_new(ROWS, FEATURES, 1, 0);
    const csm_parameter parameters[] = {{"rounds", 2}, {"bins", 63}};
    csm_model *model;
    plant_classes(&set, 1);
    if (!reset_peak()) {
        dataset_free(&set);
        print_message("skipped: the peak of memory cannot be reset here\n");
        skip();
    }
    size_t before = peak_bytes();
    assert_ok(train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 2, parameters, COUNT(parameters)));
    size_t taken = peak_bytes() - before, stated = stated_bytes(ROWS, FEATURES, 128);
    if (taken > stated + SLACK) fail_msg("%zu bytes were taken, %zu are stated", taken, stated);
    csm_model_free(model);
    dataset_free(&set);
}

static void twelve_million_rows_of_120_features_take_less_than_3_gb(void **state) {
    (void)state;
    assert_true(stated_bytes(12000000, 120, 128) + SLACK < 3000000000u);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_takes_no_more_than_is_stated),
        cmocka_unit_test(twelve_million_rows_of_120_features_take_less_than_3_gb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
