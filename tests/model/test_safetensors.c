/* SPDX-License-Identifier: MIT */
#include "core/support.h"

#include "model/safetensors.h"

static const double reals[] = {0.5, -1.25, 1e300};
static const uint8_t bytes[] = {1, 2, 3, 255, 5};
static const float floats[] = {1, 2, 3, 4, 5, 6};
static const int32_t integers[] = {-7, 9};

static csm_status add_sample(csm_tensors_writer *writer) {
    static const size_t shape[] = {2, 3};
    csm_status status = csm_tensors_add_text(writer, "csm.", "note", "f\xc3\xbcr \"alle\"\n");
    if (!status) status = csm_tensors_add_array(writer, "a.", "bytes", CSM_TENSOR_U8, bytes, 5);
    if (!status) status = csm_tensors_add(writer, "a.", "floats", CSM_TENSOR_F32, shape, 2, floats);
    if (!status) status = csm_tensors_add_array(writer, "b.", "reals", CSM_TENSOR_F64, reals, 3);
    if (!status) status = csm_tensors_add_array(writer, "b.", "none", CSM_TENSOR_I64, NULL, 0);
    if (!status) status = csm_tensors_add_array(writer, "b.", "integers", CSM_TENSOR_I32, integers, 2);
    return status;
}

static csm_status write_sample(csm_buffer *file) {
    csm_tensors_writer *writer;
    csm_status status = csm_tensors_writer_new(&writer);
    if (status) return status;
    status = add_sample(writer);
    if (!status) status = csm_tensors_finish(file, writer);
    csm_tensors_writer_free(writer);
    return status;
}

static void what_is_written_is_read_back(void **state) {
    (void)state;
    csm_buffer file = {0};
    csm_tensors *tensors;
    assert_ok(write_sample(&file));
    assert_ok(csm_tensors_read(&tensors, file.data, file.length));
    assert_int_equal(csm_tensors_count(tensors), 5);
    const csm_tensor *found = csm_tensors_find(tensors, "a.", "floats");
    assert_non_null(found);
    assert_int_equal(found->rank, 2);
    assert_int_equal(found->shape[0], 2);
    assert_int_equal(found->shape[1], 3);
    assert_memory_equal(found->data, floats, sizeof floats);
    assert_null(csm_tensors_find(tensors, "a", "floats"));
    assert_null(csm_tensors_at(tensors, 5));
    assert_string_equal(csm_tensors_text(tensors, "", "csm.note"), "f\xc3\xbcr \"alle\"\n");
    assert_null(csm_tensors_text(tensors, "", "note"));
    void *copy;
    size_t count = SIZE_MAX;
    assert_ok(csm_tensors_copy(&copy, &count, tensors, "b.", "reals", CSM_TENSOR_F64));
    assert_int_equal(count, 3);
    assert_memory_equal(copy, reals, sizeof reals);
    csm_dealloc(copy);
    assert_fails(CSM_ECORRUPT, "not F32",
                 csm_tensors_copy(&copy, &count, tensors, "b.", "reals", CSM_TENSOR_F32));
    assert_fails(CSM_ECORRUPT, "rank 2",
                 csm_tensors_copy(&copy, &count, tensors, "a.", "floats", CSM_TENSOR_F32));
    assert_fails(CSM_ECORRUPT, "missing",
                 csm_tensors_copy(&copy, &count, tensors, "c.", "reals", CSM_TENSOR_F64));
    count = 4;
    assert_fails(CSM_ECORRUPT, "not 4",
                 csm_tensors_copy(&copy, &count, tensors, "b.", "reals", CSM_TENSOR_F64));
    csm_tensors_free(tensors);
    csm_buffer_free(&file);
}

static void an_independent_python_reader_agrees(void **state) {
    (void)state;
    if (system("python3 -c 'import json, struct, hashlib' >/dev/null 2>&1") != 0) {
        print_message("no python3: skipped\n");
        skip();
    }
    char *folder = support_folder_new(), *path = support_path(folder, "sample.safetensors");
    csm_buffer file = {0};
    assert_ok(write_sample(&file));
    assert_ok(csm_file_write_atomic(path, file.data, file.length, 0644));
    char *command = csm_strformat("python3 %s/tests/model/read_safetensors.py %s", CSM_SOURCE_DIR, path);
    FILE *python = popen(command, "r");
    char text[1024] = {0};
    assert_non_null(python);
    text[fread(text, 1, sizeof text - 1, python)] = '\0';
    assert_int_equal(pclose(python), 0);
    assert_string_equal(text, "b.reals F64 [3] 1e+300\n"
                              "b.none I64 [0] 0.0\n"
                              "a.floats F32 [2, 3] 21.0\n"
                              "b.integers I32 [2] 2.0\n"
                              "a.bytes U8 [5] 266.0\n"
                              "f\xc3\xbcr \"alle\"\n\n");
    csm_dealloc(command);
    csm_dealloc(path);
    csm_buffer_free(&file);
    support_folder_remove(folder);
}

static void the_same_content_gives_the_same_bytes(void **state) {
    (void)state;
    csm_buffer one = {0}, two = {0};
    assert_ok(write_sample(&one));
    assert_ok(write_sample(&two));
    assert_int_equal(one.length, two.length);
    assert_memory_equal(one.data, two.data, one.length);
    csm_buffer_free(&one);
    csm_buffer_free(&two);
}

static void every_changed_bit_and_every_lost_byte_is_refused(void **state) {
    (void)state;
    csm_buffer file = {0};
    csm_tensors *tensors;
    assert_ok(write_sample(&file));
    for (size_t bit = 0; bit < 8 * file.length; bit++) {
        file.data[bit / 8] = (char)(file.data[bit / 8] ^ 1 << bit % 8);
        csm_status status = csm_tensors_read(&tensors, file.data, file.length);
        if (status != CSM_EPARSE && status != CSM_ECORRUPT)
            fail_msg("bit %zu: %s", bit, csm_status_name(status));
        file.data[bit / 8] = (char)(file.data[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t length = 0; length < file.length; length++)
        assert_int_not_equal(csm_tensors_read(&tensors, file.data, length), CSM_OK);
    assert_ok(csm_buffer_append(&file, "x", 1));
    assert_int_not_equal(csm_tensors_read(&tensors, file.data, file.length), CSM_OK);
    csm_buffer_free(&file);
}

/* A file with this header (after the checksum's entry) and data, its checksum made right. */
static csm_status read_forged(const char *rest_of_header, size_t data_bytes) {
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    csm_buffer file = {0};
    csm_tensors *tensors = NULL;
    char digits[CSM_HASH_TEXT];
    char *header = csm_strformat("{\"__metadata__\":{\"csm.sha256\":\"%s\"%s", zeros, rest_of_header);
    uint64_t length = strlen(header);
    assert_ok(csm_buffer_append(&file, &length, 8));
    assert_ok(csm_buffer_append(&file, header, length));
    for (size_t i = 0; i < data_bytes; i++) assert_ok(csm_buffer_append(&file, "", 1));
    csm_hash hash = csm_hash_bytes(file.data, file.length);
    memcpy(strstr(file.data + 8, zeros), csm_hash_format(&hash, digits), 64);
    csm_status status = csm_tensors_read(&tensors, file.data, file.length);
    csm_tensors_free(tensors);
    csm_buffer_free(&file);
    csm_dealloc(header);
    return status;
}

#define ENTRY(name, dtype, shape, begin, end)                                                                \
    ",\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

static void hostile_headers_are_refused_with_text(void **state) {
    (void)state;
    assert_ok(read_forged("}}", 0));
    assert_ok(read_forged("}" ENTRY("a", "F32", "[2]", "0", "8") "}", 8));
    assert_ok(read_forged("}" ENTRY("scalar", "F64", "[]", "0", "8") "}", 8));
    static const struct {
        const char *header;
        size_t data;
        const char *text;
    } cases[] = {
        {"}" ENTRY("a", "F32", "[2]", "0", "8") ENTRY("a", "F32", "[2]", "0", "8") "}", 8, "duplicate"},
        {"}" ENTRY("a", "F32", "[2]", "0", "8") ENTRY("b", "F32", "[2]", "0", "8") "}", 8, "overlaps"},
        {"}" ENTRY("a", "F32", "[2]", "0", "8") ENTRY("b", "F32", "[2]", "4", "12") "}", 12, "overlaps"},
        {"}" ENTRY("a", "F32", "[1]", "0", "4") ENTRY("b", "F32", "[1]", "8", "12") "}", 12, "hole"},
        {"}" ENTRY("a", "F32", "[2]", "0", "8") "}", 9, "after the last tensor"},
        {"}" ENTRY("a", "F32", "[2]", "0", "8") "}", 7, "leave the file"},
        {"}" ENTRY("a", "F32", "[3]", "0", "8") "}", 8, "its shape needs 12"},
        {"}" ENTRY("a", "F32", "[2]", "8", "0") "}", 8, "leave the file"},
        {"}" ENTRY("a", "F32", "[2]", "-8", "0") "}", 8, "leave the file"},
        {"}" ENTRY("a", "F32", "[2]", "0.0", "8") "}", 8, "leave the file"},
        {"}" ENTRY("a", "F32", "[-2]", "0", "8") "}", 8, "dimension 0"},
        {"}" ENTRY("a", "F32", "[4294967296,4294967296,2]", "0", "8") "}", 8, "dimension 1"},
        {"}" ENTRY("a", "F64", "[4611686018427387904]", "0", "8") "}", 8, "overflows"},
        {"}" ENTRY("a", "F32", "[1,1,1,1,2]", "0", "8") "}", 8, "rank 5"},
        {"}" ENTRY("a", "F16X", "[2]", "0", "8") "}", 8, "dtype 'F16X'"},
        {"},\"a\":7}", 8, "not {dtype"},
        {"},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"more\":1}}", 8, "not {dtype"},
        {",\"n\":7}}", 0, "'n' is not a string"},
        {"}", 0, "header"},
        {"}}}", 0, "header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(CSM_EPARSE, cases[i].text, read_forged(cases[i].header, cases[i].data));
}

static void a_file_of_another_program_is_refused(void **state) {
    (void)state;
    csm_tensors *tensors;
    uint64_t length = 2;
    char file[10];
    memcpy(file, &length, 8);
    memcpy(file + 8, "{}", 2);
    assert_fails(CSM_EPARSE, "checksum", csm_tensors_read(&tensors, file, sizeof file));
    length = UINT64_MAX;
    memcpy(file, &length, 8);
    assert_fails(CSM_EPARSE, "header of 18446744073709551615", csm_tensors_read(&tensors, file, sizeof file));
    assert_fails(CSM_EPARSE, "0 bytes", csm_tensors_read(&tensors, file, 0));
}

static void the_writer_refuses_what_the_reader_would(void **state) {
    (void)state;
    csm_tensors_writer *writer;
    csm_buffer file = {0};
    static const size_t huge[] = {SIZE_MAX / 2, 4};
    char name[CSM_TENSOR_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_ok(csm_tensors_writer_new(&writer));
    assert_ok(csm_tensors_add_array(writer, "a", "bc", CSM_TENSOR_U8, bytes, 5));
    assert_fails(CSM_EINVAL, "twice", csm_tensors_add_array(writer, "ab", "c", CSM_TENSOR_U8, bytes, 5));
    assert_fails(CSM_EINVAL, "larger", csm_tensors_add(writer, "", "x", CSM_TENSOR_F64, huge, 2, bytes));
    assert_fails(CSM_EINVAL, "rank 0", csm_tensors_add(writer, "", "x", CSM_TENSOR_F64, huge, 0, bytes));
    assert_fails(CSM_EINVAL, "name over", csm_tensors_add_array(writer, "", name, CSM_TENSOR_U8, bytes, 5));
    assert_ok(csm_tensors_add_text(writer, "", "k", "v"));
    assert_fails(CSM_EINVAL, "twice", csm_tensors_add_text(writer, "", "k", "w"));
    assert_ok(csm_tensors_add_text(writer, "", "bad", "\xff\xfe"));
    assert_fails(CSM_EINVAL, "UTF-8", csm_tensors_finish(&file, writer));
    csm_tensors_writer_free(writer);
    csm_tensors_writer_free(NULL);
    csm_tensors_free(NULL);
    csm_buffer_free(&file);
}

static void every_failed_allocation_ends_in_an_error(void **state) {
    (void)state;
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status; n++) {
        csm_buffer file = {0};
        csm_tensors *tensors = NULL;
        csm_fault_allocation(n, false);
        status = write_sample(&file);
        if (!status) status = csm_tensors_read(&tensors, file.data, file.length);
        csm_fault_allocation(0, false);
        if (status) assert_int_equal(status, CSM_ENOMEM);
        csm_tensors_free(tensors);
        csm_buffer_free(&file);
        assert_true(n < 1000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(an_independent_python_reader_agrees),
        cmocka_unit_test(the_same_content_gives_the_same_bytes),
        cmocka_unit_test(every_changed_bit_and_every_lost_byte_is_refused),
        cmocka_unit_test(hostile_headers_are_refused_with_text),
        cmocka_unit_test(a_file_of_another_program_is_refused),
        cmocka_unit_test(the_writer_refuses_what_the_reader_would),
        cmocka_unit_test(every_failed_allocation_ends_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
