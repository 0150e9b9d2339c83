/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include "store/hdf5.h"
#include "store/segment.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <zlib.h>

static const csm_provenance one_source = {.source = "import.csv",
                                          .request = "BTC.csv sha256:00",
                                          .origin = "Apache-2.0, Kraken",
                                          .received = START};

static csm_stream stream_of(const char *kind) {
    return (csm_stream){.kind = kind, .venue = "kraken", .symbol = "BTC/USD", .interval = HOUR, .epoch = 1};
}

/* Any ticks, present or missing: coding must give them back, valid as records or not. */
static csm_table *random_table(const csm_kind *kind, uint64_t seed, size_t rows) {
    csm_table *table = NULL;
    assert_ok(csm_table_make(&table, kind));
    assert_ok(csm_table_reserve(table, rows));
    for (size_t c = 0; c < kind->columns; c++) {
        const uint64_t style = csm_random_u64(seed, 100 + c, 0) % 6;
        int64_t walk = (int64_t)(csm_random_u64(seed, 200 + c, 0) % 1000000);
        table->scale[c] = c < 2 ? 0 : (int32_t)(csm_random_u64(seed, 300 + c, 0) % 19);
        for (size_t i = 0; i < rows; i++) {
            const uint64_t r = csm_random_u64(seed, c, i);
            int64_t value;
            if (style == 0)
                value = (int64_t)r; /* all 64 bits */
            else if (style == 1)
                value = walk += (int64_t)(r % 201) - 100;
            else if (style == 2)
                value = 42;
            else if (style == 3)
                value = (r & 1) ? INT64_MAX : INT64_MIN + 1;
            else if (style == 4)
                value = walk += 250 * (int64_t)(r % 3);
            else
                value = (int64_t)(r % 256) - 128;
            if (c > 1 && (style & 1) && r % 5 == 0) value = CSM_CELL_MISSING;
            if (value == CSM_CELL_MISSING && c < 2) value = 0;
            table->ticks[c][i] = value;
        }
    }
    table->rows = rows;
    size_t *order;
    bool sorted;
    assert_ok(csm_table_order(&order, &sorted, table));
    assert_ok(csm_table_take(table, order, rows));
    csm_dealloc(order);
    return table;
}

static void assert_same_ticks(const csm_table *a, const csm_table *b) {
    assert_int_equal(a->rows, b->rows);
    for (size_t c = 0; c < a->kind->columns; c++) {
        assert_int_equal(a->scale[c], b->scale[c]);
        assert_memory_equal(a->ticks[c], b->ticks[c], a->rows * sizeof(int64_t));
    }
}

static void test_any_ticks_of_any_kind_come_back(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 100, 4097, 16384, 16385, 40000};
    for (uint64_t seed = 0; seed < 40; seed++) {
        const csm_kind *kind = csm_kind_at(seed % 5);
        const size_t rows = sizes[csm_random_u64(seed, 9, 9) % (seed % 4 ? 5 : 8)];
        csm_table *table = random_table(kind, seed, rows);
        const csm_provenance sources[3] = {one_source, one_source, one_source};
        uint32_t *index = calloc(rows, sizeof *index);
        for (size_t i = 0; i < rows && seed % 2; i++) index[i] = (uint32_t)(csm_random_u64(seed, 50, i) % 3);
        const csm_stream stream = stream_of(kind->name);
        csm_buffer image = {0}, again = {0};
        csm_segment *segment;
        assert_ok(csm_segment_encode(&image, &stream, table, index, sources, 3, 1));
        assert_ok(csm_segment_encode(&again, &stream, table, index, sources, 3, 3));
        assert_int_equal(image.length, again.length); /* the same bytes for any number of threads */
        assert_memory_equal(image.data, again.data, image.length);
        assert_ok(csm_segment_decode(&segment, image.data, image.length, "memory", true, 2));
        assert_same_ticks(table, segment->table);
        assert_memory_equal(index, segment->provenance, rows * sizeof *index);
        assert_string_equal(segment->stream.symbol, "BTC/USD");
        assert_int_equal(segment->source_count, 3);
        assert_string_equal(segment->sources[2].origin, one_source.origin);
        assert_true(segment->sources[1].received == START);
        csm_segment_free(segment);
        csm_buffer_free(&image);
        csm_buffer_free(&again);
        csm_table_free(table);
        free(index);
    }
}

static void test_every_cut_and_every_kind_of_rubbish_is_refused(void **state) {
    (void)state;
    csm_table *bars = bars_from(0, 300);
    uint32_t *index = calloc(300, sizeof *index);
    const csm_stream stream = stream_of("bars");
    csm_buffer image = {0};
    csm_segment *segment = NULL;
    assert_ok(csm_segment_encode(&image, &stream, bars, index, &one_source, 1, 1));
    for (size_t length = 0; length < image.length; length += 1 + length / 50) {
        assert_status(CSM_ECORRUPT, csm_segment_decode(&segment, image.data, length, "cut", false, 1));
        assert_null(segment);
        assert_text("cut: ");
    }
    char rubbish[5000];
    for (size_t i = 0; i < sizeof rubbish; i++) rubbish[i] = (char)csm_random_u64(1, 2, i);
    assert_status(CSM_ECORRUPT, csm_segment_decode(&segment, rubbish, sizeof rubbish, "rubbish", false, 1));
    csm_buffer_free(&image);
    csm_table_free(bars);
    free(index);
}

static void test_a_row_out_of_order_or_outside_the_head_s_span_is_refused(void **state) {
    (void)state;
    csm_table *bars = bars_from(0, 10);
    uint32_t index[10] = {0};
    const csm_stream stream = stream_of("bars");
    csm_buffer image = {0};
    csm_segment *segment;
    const int64_t swap = bars->ticks[0][3];
    bars->ticks[0][3] = bars->ticks[0][4];
    bars->ticks[0][4] = swap;
    assert_ok(csm_segment_encode(&image, &stream, bars, index, &one_source, 1, 1));
    assert_status(CSM_ECORRUPT, csm_segment_decode(&segment, image.data, image.length, "m", true, 1));
    assert_text("out of order");
    csm_buffer_free(&image);
    index[5] = 7; /* a source there is not */
    csm_table_free(bars);
    bars = bars_from(0, 10);
    assert_ok(csm_segment_encode(&image, &stream, bars, index, &one_source, 1, 1));
    assert_status(CSM_ECORRUPT, csm_segment_decode(&segment, image.data, image.length, "m", true, 1));
    assert_text("provenance 7 of 1");
    csm_buffer_free(&image);
    csm_table_free(bars);
}

static void test_lookup3_is_jenkins(void **state) {
    (void)state;
    /* http://burtleburtle.net/bob/c/lookup3.c, driver5 */
    assert_int_equal(csm_lookup3((const uint8_t *)"", 0), 0xdeadbeef);
    assert_int_equal(csm_lookup3((const uint8_t *)"Four score and seven years ago", 30), 0x17770551);
}

static void test_fletcher32_is_hdf5s(void **state) {
    (void)state;
    /* H5_checksum_fletcher32 of HDF5 1.10.8 sums big-endian words from 0; "abcde" by hand: words 6162 6364, then 65 as
     * 6500: sums c4c6+6500 -> 129c6 -> 29c7, and 6162+c4c6+129c6 -> 24fee -> 4ff0 */
    assert_int_equal(csm_fletcher32((const uint8_t *)"abcde", 5), 0x4ff029c7);
    assert_int_equal(csm_fletcher32((const uint8_t *)"", 0), 0);
}

/* ---- HDF5 is shared with the host ---- */

static herr_t host_printer(hid_t stack, void *user) {
    (void)stack;
    ++*(int *)user;
    return 0;
}

static void test_the_host_s_hdf5_errors_stay_as_they_were(void **state) {
    const workspace *w = *state;
    int printed = 0;
    H5E_auto2_t print = NULL;
    void *user = NULL;
    H5Eset_auto2(H5E_DEFAULT, host_printer, &printed);
    assert_true(H5Fopen("/nonexistent/file.h5", H5F_ACC_RDONLY, H5P_DEFAULT) < 0);
    assert_int_equal(printed, 1);
    const ssize_t before = H5Eget_num(H5E_DEFAULT);
    assert_true(before > 0);
    csm_hdf5_guard guard;
    assert_ok(csm_hdf5_enter(&guard));
    assert_true(H5Fopen("/nonexistent/other.h5", H5F_ACC_RDONLY, H5P_DEFAULT) < 0);
    csm_hdf5_leave(&guard);
    assert_int_equal(printed, 1);
    assert_int_equal(H5Eget_num(H5E_DEFAULT), before); /* the host may still ask for its own failure */
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 5000);
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table_free(read_all(store, w, &stream));
    csm_store_free(store);
    assert_int_equal(printed, 1);
    H5Eget_auto2(H5E_DEFAULT, &print, &user);
    assert_ptr_equal(print, host_printer);
    assert_ptr_equal(user, &printed);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

/* An image opened by HDF5 itself, its filters included. */
static hid_t open_image(const csm_buffer *image) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    assert_true(H5Pset_fapl_core(access, 65536, 0) >= 0);
    assert_true(H5Pset_file_image(access, image->data, image->length) >= 0);
    const hid_t file = H5Fopen("memory", H5F_ACC_RDONLY, access);
    H5Pclose(access);
    assert_true(file >= 0);
    return file;
}

static void test_hdf5_reads_the_numbers_that_were_stored(void **state) {
    (void)state;
    const size_t rows = 20000;
    for (uint64_t seed = 0; seed < 10; seed++) {
        const csm_kind *kind = csm_kind_at(seed % 5);
        csm_table *table = random_table(kind, 1000 + seed, rows);
        const csm_stream stream = stream_of(kind->name);
        csm_buffer image = {0};
        assert_ok(csm_segment_encode(&image, &stream, table, NULL, &one_source, 1, 2));
        const hid_t file = open_image(&image);
        int64_t *expected = calloc(rows, sizeof *expected);
        uint64_t *got = calloc(rows, sizeof *got);
        for (size_t c = 0; c < kind->columns; c++) {
            csm_coding coding;
            csm_coding_plan(&coding, table, c);
            csm_coding_store(expected, &coding, table, c, 0, rows);
            const hid_t set = H5Dopen2(file, kind->column[c].name, H5P_DEFAULT);
            assert_true(set >= 0);
            assert_true(H5Dread(set, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, got) >= 0);
            assert_memory_equal(expected, got, rows * sizeof *got);
            H5Dclose(set);
        }
        H5Fclose(file);
        free(got);
        free(expected);
        csm_buffer_free(&image);
        csm_table_free(table);
    }
}

/* Contents with numbers changed, and a CRC that is right again: what hostile bytes can say. */
static void test_contents_that_lie_are_refused_and_named(void **state) {
    (void)state;
    static const struct {
        size_t at; /* number from the start of the contents */
        int64_t value;
        const char *text;
    } lies[] = {
        {0, 3, "version 3 is newer"},  {0, 0, "version is 0"},
        {1, -1, "epoch is -1"},        {3, 0, "rows is 0"},
        {3, INT64_MAX, "rows is"},     {4, 0, "chunk_rows is 0"},
        {4, 301, "chunk_rows is 301"}, {3, 299, ""}, /* then chunks hold a row too many */
    };
    csm_table *bars = bars_from(0, 300);
    const csm_stream stream = stream_of("bars");
    csm_buffer image = {0};
    csm_segment *segment = NULL;
    assert_ok(csm_segment_encode(&image, &stream, bars, NULL, &one_source, 1, 1));
    uint8_t *bytes = (uint8_t *)image.data, *footer = bytes + image.length - CSM_FOOTER_BYTES;
    const size_t body = image.length - CSM_FOOTER_BYTES;
    const size_t contents = footer[20] | (size_t)footer[21] << 8;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        uint8_t *number = bytes + body - contents + 8 * lies[i].at, before[8];
        memcpy(before, number, 8);
        for (int b = 0; b < 8; b++) number[b] = (uint8_t)((uint64_t)lies[i].value >> (8 * b));
        const uLong crc = crc32(0, bytes, (uInt)body);
        for (int b = 0; b < 4; b++) footer[16 + b] = (uint8_t)(crc >> (8 * b));
        const csm_status status = csm_segment_decode(&segment, bytes, image.length, "liar", true, 1);
        assert_true(status == CSM_ECORRUPT || status == CSM_EUNSUPPORTED);
        assert_text("liar: ");
        assert_text(lies[i].text);
        memcpy(number, before, 8);
    }
    csm_buffer_free(&image);
    csm_table_free(bars);
}

static void test_files_the_host_has_open_stay_open(void **state) {
    const workspace *w = *state;
    char path[300];
    snprintf(path, sizeof path, "%s/host.h5", w->path);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 5000);
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table_free(read_all(store, w, &stream));
    csm_store_free(store);
    assert_int_equal(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 1); /* nothing of ours is left */
    assert_true(H5Fclose(file) >= 0);
}

static void test_a_forked_child_reads_too(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 5000);
    csm_store_free(store);
    const pid_t child = fork();
    if (child == 0) {
        csm_store *reader = NULL;
        csm_table *table = NULL;
        const csm_stream stream = bar_stream("BTC/USD");
        csm_status status = csm_store_open(&reader, w->context, w->path, CSM_STORE_READ);
        if (!status)
            status =
                csm_store_read(&table, reader, w->context, &stream, CSM_TIME_MIN, CSM_TIME_MAX, CSM_TIME_MAX);
        const bool good = !status && csm_table_rows(table) == 5000;
        csm_table_free(table);
        csm_store_free(reader);
        _exit(good ? 0 : 1);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
}

/* ---- h5py, as docs/store.md tells its users ---- */

static void test_h5py_reads_the_same_decimals(void **state) {
    const workspace *w = *state;
    char command[1200];
    const char *python = getenv("CSM_TEST_PYTHON") ? getenv("CSM_TEST_PYTHON") : "python3";
    snprintf(command, sizeof command, "%s -c 'import h5py, numpy' 2>/dev/null", python);
    if (system(command) != 0) {
        print_message("skipped: %s has no h5py; CSM_TEST_PYTHON names one that has\n", python);
        skip();
    }
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_stream stream = bar_stream("BTC/USD");
    const csm_provenance source = source_at(START + 90000 * HOUR);
    csm_table *bars = bars_from(0, 40000);
    for (int64_t i = 0; i < 300; i++) { /* quiet hours in the middle and at the end, and a gap before */
        const csm_time time = START + (40000 + i * (i < 200 ? 1 : 3)) * HOUR;
        const csm_decimal quiet[10] = {
            dec(time, 0), dec(time + HOUR, 0), missing(), missing(), missing(),
            missing(),    dec(0, 0),           missing(), dec(0, 0), dec(CSM_BAR_NO_TRADE, 0)};
        if (i < 100)
            assert_ok(csm_table_append(bars, quiet));
        else
            add_bar(bars, 40000 + i * (i < 200 ? 1 : 3), 3500000 + i * 37 % 11, i);
    }
    assert_ok(csm_store_append(store, w->context, &stream, bars, &source));
    csm_table *back = read_all(store, w, &stream);
    assert_same_table(bars, back);
    char expected[400];
    snprintf(expected, sizeof expected, "%s/expected.csv", w->path);
    FILE *file = fopen(expected, "w");
    for (size_t i = 0; i < back->rows; i++) {
        for (size_t c = 0; c < 10; c++) {
            char text[64] = "nan";
            const csm_decimal cell = dec(back->ticks[c][i], back->scale[c]);
            if (cell.ticks != CSM_CELL_MISSING) csm_decimal_format(cell, text, sizeof text);
            fprintf(file, "%s%s", text, c < 9 ? "," : "\n");
        }
    }
    fclose(file);
    csm_table_free(back);
    csm_table_free(bars);
    csm_store_free(store);
    snprintf(command, sizeof command, "%s %s/tests/store/check_h5py.py %s/docs/store.md '%s/segments' '%s'",
             python, CSM_SOURCE_DIR, CSM_SOURCE_DIR, w->path, expected);
    assert_int_equal(system(command), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, workspace_setup, workspace_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_any_ticks_of_any_kind_come_back),
        TEST(test_every_cut_and_every_kind_of_rubbish_is_refused),
        TEST(test_a_row_out_of_order_or_outside_the_head_s_span_is_refused),
        TEST(test_lookup3_is_jenkins),
        TEST(test_fletcher32_is_hdf5s),
        TEST(test_the_host_s_hdf5_errors_stay_as_they_were),
        TEST(test_hdf5_reads_the_numbers_that_were_stored),
        TEST(test_contents_that_lie_are_refused_and_named),
        TEST(test_files_the_host_has_open_stay_open),
        TEST(test_a_forked_child_reads_too),
        TEST(test_h5py_reads_the_same_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
