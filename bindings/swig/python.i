/* SPDX-License-Identifier: MIT */
/* What each type of the C interface is in Python. The C behind it: python_handle.h, python_call.h, python_array.h, python_record.h. */
%{
#define PY_SSIZE_T_CLEAN
#include "python_handle.h"
#include "python_call.h"
#include "python_array.h"
#include "python_record.h"
#include "python_types.h"
#include "python_module.h"
%}

%init %{
    if (csm_py_start(m) != 0) return NULL;
%}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

/* swig_obj is the wrapper's array of arguments; a function without any sees this one. */
%{
static PyObject *swig_obj[1] = {NULL};
#define CSM_PY_ARGUMENTS swig_obj, sizeof swig_obj / sizeof *swig_obj
#define CSM_PY_CALL(action)                                                                                            \
    do {                                                                                                               \
        csm_py_call call_ = csm_py_begin(CSM_PY_ARGUMENTS);                                                            \
        action                                                                                                         \
        if (!csm_py_end(&call_)) SWIG_fail;                                                                            \
    } while (0)
%}
%exception { CSM_PY_CALL($action); }

%typemap(out) csm_status {
    if ($1 != CSM_OK) {
        csm_py_fail($1);
        SWIG_fail;
    }
    $result = Py_NewRef_(Py_None);
}
%typemap(out) csm_status csm_net_class_status "$result = PyLong_FromLong($1);"

/* ---- structs ------------------------------------------------------------------------------------------------------- */

%rename("$ignore", %$isclass) "";

%define %csm_struct(T)
%typemap(in) const T * (T value, csm_py_arena arena = {0}) {
    memset(&value, 0, sizeof value);
    arena.call = swig_obj;
    arena.function = "$symname";
    arena.empty = -1;
    if (!csm_py_record_in(&value, &table_##T, $input, &arena, "$1_name")) SWIG_fail;
    $1 = &value;
}
%typemap(freearg) const T * "csm_py_arena_done(&arena$argnum);"
%typemap(argout) const T * ""
%typemap(in) T (csm_py_arena arena = {0}) {
    memset(&$1, 0, sizeof $1);
    arena.call = swig_obj;
    arena.function = "$symname";
    arena.empty = -1;
    if (!csm_py_record_in(&$1, &table_##T, $input, &arena, "$1_name")) SWIG_fail;
}
%typemap(freearg) T "csm_py_arena_done(&arena$argnum);"
%typemap(in, numinputs=0) T * (T value) "memset(&value, 0, sizeof value); $1 = &value;"
%typemap(freearg) T * ""
%typemap(argout) T * {
    $result = csm_py_append($result, csm_py_record_out($1, &table_##T, NULL));
    if (!$result) SWIG_fail;
}
%typemap(out) const T * {
    $result = $1 ? csm_py_record_out($1, &table_##T, NULL) : Py_NewRef_(Py_None);
}
%typemap(out) T {
    $result = csm_py_record_out(&$1, &table_##T, csm_py_first_handle(CSM_PY_ARGUMENTS));
}
%enddef

/* None means the defaults. */
%define %csm_options(T, INIT)
%typemap(in) const T * (T value, csm_py_arena arena = {0}) {
    $1 = NULL;
    arena.call = swig_obj;
    arena.function = "$symname";
    arena.empty = -1;
    if ($input != Py_None) {
        memset(&value, 0, sizeof value);
        if (!csm_py_record_in(&value, &table_##T, $input, &arena, "$1_name")) SWIG_fail;
        $1 = &value;
    }
}
%enddef

%define %csm_sequence(T, NAME, COUNT)
%typemap(in) (const T *NAME, size_t COUNT) (csm_py_arena arena = {0}) {
    arena.call = swig_obj;
    arena.function = "$symname";
    arena.empty = -1;
    $1 = csm_py_structs_in($input, &table_##T, &arena, "$1_name", &$2);
    if (!$1) SWIG_fail;
}
%typemap(freearg) (const T *NAME, size_t COUNT) "csm_py_arena_done(&arena$argnum);"
%enddef

/* arrays of numbers keep their count as an argument of its own: others may share it */
%define %csm_array(T, NAME, COUNT)
%enddef

/* ---- objects ---------------------------------------------------------------------------------------------------------- */

%define %csm_object(T, FREE)
%ignore FREE;
%typemap(in) T * (void *object = NULL, csm_py_use use = {0}) {
    if (!csm_py_object(&object, &use, $input, &kind_##T, 1, swig_obj, "$symname", "$1_name")) SWIG_fail;
    $1 = object;
}
%typemap(in) const T * (void *object = NULL, csm_py_use use = {0}) {
    if (!csm_py_object(&object, &use, $input, &kind_##T, 0, swig_obj, "$symname", "$1_name")) SWIG_fail;
    $1 = object;
}
%typemap(freearg) T *, const T * "csm_py_done(&use$argnum);"
%typemap(argout) T *, const T * ""
%typemap(in, numinputs=0) T **out (T *made = NULL) "$1 = &made;"
%typemap(argout) T **out {
    $result = csm_py_append($result, csm_py_made(*$1, &kind_##T, CSM_PY_ARGUMENTS));
    if (!$result) SWIG_fail;
}
%typemap(out) T *, const T * {
    $result = csm_py_wrap((void *)$1, &kind_##T, csm_py_first_handle(CSM_PY_ARGUMENTS), 1);
}
%enddef

%include "types.i"

/* made by csm_context_new: Ctrl-C is noticed where progress is told */
%typemap(argout) csm_context **out {
    PyObject *made_ = csm_py_made(*$1, &kind_csm_context, CSM_PY_ARGUMENTS);
    if (made_ && made_ != Py_None) csm_context_set_progress(*$1, csm_py_progress, made_);
    $result = csm_py_append($result, made_);
    if (!$result) SWIG_fail;
}

/* made with a width that the library does not tell again */
%typemap(argout) csm_aggregate **out {
    $result = csm_py_append($result, csm_py_wide(csm_py_made(*$1, &kind_csm_aggregate, CSM_PY_ARGUMENTS), arg2));
    if (!$result) SWIG_fail;
}
%typemap(argout) csm_indicator_state **out {
    $result = csm_py_append($result, csm_py_wide(csm_py_made(*$1, &kind_csm_indicator_state, CSM_PY_ARGUMENTS), arg2->output_count));
    if (!$result) SWIG_fail;
}

%typemap(in) const csm_decimal *cells (csm_py_arena arena = {0}, size_t count = 0) {
    arena.empty = -1;
    $1 = csm_py_structs_in($input, &table_csm_decimal, &arena, "$1_name", &count);
    if (!$1) SWIG_fail;
}

/* rows of tables: copied out as records, named on the way in */
%define %csm_row(T, FIND)
%typemap(in) const T * (csm_py_arena arena = {0}) {
    PyObject *name_ = csm_py_name_of($input);
    const char *text_ = name_ ? csm_py_text_in(name_, &arena, "$symname: $1_name", NULL) : NULL;
    Py_XDECREF(name_);
    if (!text_) SWIG_fail;
    $1 = ($1_ltype)FIND(text_);
    if (!$1) {
        PyErr_Format(PyExc_ValueError, "$symname: there is no $1_name '%s'", text_);
        SWIG_fail;
    }
}
%enddef
%csm_row(csm_indicator, csm_indicator_find)
%csm_row(csm_source, csm_ingest_source_find)

%typemap(in) (const csm_market *const *markets, size_t market_count) (csm_py_arena arena = {0}) {
    arena.empty = -1;
    $1 = csm_py_pointers_in($input, &table_csm_market, &arena, "$1_name", &$2);
    if (!$1) SWIG_fail;
}
%typemap(freearg) (const csm_market *const *markets, size_t market_count) "csm_py_arena_done(&arena$argnum);"

/* ---- views ---------------------------------------------------------------------------------------------------------------- */

%typemap(in) const csm_matrix * (csm_matrix matrix, csm_py_array array = {0}) {
    if (!csm_py_matrix_get(&matrix, &array, $input, 0, "$symname: $1_name")) SWIG_fail;
    $1 = &matrix;
}
%typemap(in) csm_matrix * (csm_matrix matrix, csm_py_array array = {0}) {
    if (!csm_py_matrix_get(&matrix, &array, $input, 1, "$symname: $1_name")) SWIG_fail;
    $1 = &matrix;
}
%typemap(freearg) const csm_matrix *, csm_matrix * "csm_py_array_done(&array$argnum);"
%typemap(argout) const csm_matrix *, csm_matrix * ""
%typemap(out) csm_matrix "$result = csm_py_view_of_matrix(swig_obj[0], $1);"

%typemap(in) csm_matrix *outputs (csm_py_arena arena = {0}, size_t count = 0) {
    $1 = csm_py_matrices_in($input, &arena, "$symname: $1_name", &count);
    if (!$1) SWIG_fail;
}
%typemap(freearg) csm_matrix *outputs "csm_py_arena_done(&arena$argnum);"

%define %csm_numbers(T, NUMBER)
%typemap(in) const T * (csm_py_array array = {0}) {
    void *data_;
    if (!csm_py_array_get(&data_, &array, $input, NUMBER, 0, "$symname: $1_name")) SWIG_fail;
    $1 = data_;
}
%typemap(in) T * (csm_py_array array = {0}) {
    void *data_;
    if (!csm_py_array_get(&data_, &array, $input, NUMBER, 1, "$symname: $1_name")) SWIG_fail;
    $1 = data_;
}
%typemap(freearg) const T *, T * "csm_py_array_done(&array$argnum);"
%typemap(argout) const T *, T * ""
%enddef
%csm_numbers(double, CSM_PY_F64)
%csm_numbers(float, CSM_PY_F32)
%csm_numbers(int64_t, CSM_PY_I64)
%csm_numbers(uint32_t, CSM_PY_U32)
%csm_numbers(uint8_t, CSM_PY_U8)
%csm_numbers(int8_t, CSM_PY_I8)

/* arrays that an object shows */
%typemap(out) const csm_time *csm_frame_times "$result = csm_py_view_of(swig_obj[0], $1, csm_frame_rows(arg1), CSM_PY_I64);"
%typemap(out) const uint32_t *csm_frame_markets "$result = csm_py_view_of(swig_obj[0], $1, csm_frame_rows(arg1), CSM_PY_U32);"
%typemap(out) const int64_t *csm_table_ticks {
    const int known_ = $1 || csm_table_column_name(arg1, arg2);
    $result = known_ ? csm_py_view_of(swig_obj[0], $1, csm_table_rows(arg1), CSM_PY_I64) : Py_NewRef_(Py_None);
}
%typemap(out) const csm_walk_row *csm_training_walk {
    const csm_horizon_training *horizon_ = csm_training_horizon(arg1, arg2);
    $result = csm_py_walk(swig_obj[0], $1, horizon_ ? horizon_->walk_rows : 0);
}

/* ---- single results ------------------------------------------------------------------------------------------------------- */

%define %csm_result(T, DECLARATION, MAKE)
%typemap(in, numinputs=0) DECLARATION (T value = 0) "$1 = &value;"
%typemap(freearg) DECLARATION ""
%typemap(argout) DECLARATION {
    $result = csm_py_append($result, MAKE(*$1));
    if (!$result) SWIG_fail;
}
%enddef
%csm_result(size_t, size_t *, PyLong_FromSize_t)
%csm_result(uint64_t, uint64_t *, PyLong_FromUnsignedLongLong)
%csm_result(int, int *alarm, PyLong_FromLong)
%csm_result(uint32_t, uint32_t *out, PyLong_FromUnsignedLong)
%csm_result(int64_t, int64_t *out, PyLong_FromLongLong)
%csm_result(csm_time, csm_time *out, PyLong_FromLongLong)
%csm_result(csm_reason, csm_reason *, PyLong_FromUnsignedLongLong)
%csm_result(double, double *radius, PyFloat_FromDouble)
%csm_result(double, double *psi, PyFloat_FromDouble)
%csm_result(double, double *base, PyFloat_FromDouble)
%csm_result(double, double *error, PyFloat_FromDouble)
%csm_result(double, double *log_likelihood, PyFloat_FromDouble)
%csm_result(double, double *mean_price, PyFloat_FromDouble)
%csm_result(double, double *level, PyFloat_FromDouble)

/* lists whose length the call tells: the caller says how many may come */
%typemap(in) (csm_fold *folds, size_t capacity, size_t *count) (csm_py_arena arena = {0}, size_t found = 0) {
    $2 = PyLong_AsSize_t($input);
    if (PyErr_Occurred()) SWIG_fail;
    csm_py_block *block_ = $2 < PTRDIFF_MAX / sizeof(csm_fold) / 2 ? csm_py_block_new(&arena, ($2 + 1) * sizeof(csm_fold)) : NULL;
    if (!block_) {
        PyErr_NoMemory();
        SWIG_fail;
    }
    $1 = (csm_fold *)block_->memory;
    $3 = &found;
}
%typemap(argout) (csm_fold *folds, size_t capacity, size_t *count) {
    $result = csm_py_append($result, csm_py_records_out($1, *$3, &table_csm_fold));
    if (!$result) SWIG_fail;
}
%typemap(freearg) (csm_fold *folds, size_t capacity, size_t *count) "csm_py_arena_done(&arena$argnum);"
%typemap(in) (int64_t *ends, size_t capacity, size_t *count) (csm_py_array array = {0}, size_t found = 0) {
    void *data_;
    if (!csm_py_array_get(&data_, &array, $input, CSM_PY_I64, 1, "$symname: $1_name")) SWIG_fail;
    $1 = data_;
    $2 = array.count;
    $3 = &found;
}
%typemap(argout) (int64_t *ends, size_t capacity, size_t *count) {
    $result = csm_py_append($result, PyLong_FromSize_t(*$3));
    if (!$result) SWIG_fail;
}
%typemap(freearg) (int64_t *ends, size_t capacity, size_t *count) "csm_py_array_done(&array$argnum);"

/* ---- text ----------------------------------------------------------------------------------------------------------------- */

%typemap(in) const char * (csm_py_arena arena = {0}) {
    $1 = NULL;
    if ($input != Py_None) {
        $1 = (char *)csm_py_text_in($input, &arena, "$symname: $1_name", NULL);
        if (!$1) SWIG_fail;
    } else if (!csm_py_text_may_be_none("$symname", "$1_name")) {
        PyErr_SetString(PyExc_TypeError, "$symname: $1_name is None, and must be a str");
        SWIG_fail;
    }
}
%typemap(freearg) const char * "csm_py_arena_done(&arena$argnum);"
%typemap(out) const char * "$result = csm_py_text_out($1);"

%define %csm_bytes(POINTER, LENGTH)
%typemap(in) (POINTER, LENGTH) (csm_py_arena arena = {0}) {
    $1 = NULL;
    $2 = 0;
    if ($input != Py_None || !csm_py_text_may_be_none("$symname", "$1_name")) {
        $1 = (void *)csm_py_text_in($input, &arena, "$symname: $1_name", &$2);
        if (!$1) SWIG_fail;
    }
}
%typemap(freearg) (POINTER, LENGTH) "csm_py_arena_done(&arena$argnum);"
%enddef
%csm_bytes(const char *text, size_t length)
%csm_bytes(const char *json, size_t length)
%csm_bytes(const char *pairs, size_t pairs_length)
%csm_bytes(const char *assets, size_t assets_length)
%csm_bytes(const void *raw, size_t raw_length)

%typemap(in) const char *const * (csm_py_arena arena = {0}) {
    $1 = NULL;
    if ($input != Py_None) {
        $1 = (char **)csm_py_strings_in($input, &arena, "$symname: $1_name", NULL);
        if (!$1) SWIG_fail;
    }
}
%typemap(freearg) const char *const * "csm_py_arena_done(&arena$argnum);"

/* text that the function writes: hex hashes, formatted values */
%typemap(in, numinputs=0) (char *hex, size_t size) (char text[80]) "text[0] = 0; $1 = text; $2 = sizeof text;"
%typemap(argout) (char *hex, size_t size) {
    $result = csm_py_append($result, csm_py_text_out($1));
    if (!$result) SWIG_fail;
}
%typemap(in, numinputs=0) (char *text, size_t size) (char text[4096]) "text[0] = 0; $1 = text; $2 = sizeof text;"
%typemap(out) char * "$result = csm_py_text_out($1);"
%typemap(in, numinputs=0) char **json (char *text = NULL) "$1 = &text;"
%typemap(argout) char **json {
    $result = csm_py_append($result, csm_py_text_out(*$1));
    csm_fuse_text_free(*$1);
    if (!$result) SWIG_fail;
}
%ignore csm_fuse_text_free;
%typemap(in, numinputs=0) char **text (char *text = NULL) "$1 = &text;"
%typemap(argout) char **text {
    $result = csm_py_append($result, csm_py_text_out(*$1));
    csm_learn_text_free(*$1);
    if (!$result) SWIG_fail;
}
%ignore csm_learn_text_free;

/* ---- callbacks ------------------------------------------------------------------------------------------------------------- */

%typemap(in) (csm_log_fn log, void *user) {
    const int set_ = csm_py_set_callback(swig_obj[0], $input, CSM_PY_LOG);
    if (set_ < 0) SWIG_fail;
    $1 = set_ ? csm_py_log : NULL;
    $2 = swig_obj[0];
}
%typemap(in) (csm_progress_fn progress, void *user) {
    if (csm_py_set_callback(swig_obj[0], $input, CSM_PY_PROGRESS) < 0) SWIG_fail;
    $1 = csm_py_progress;
    $2 = swig_obj[0];
}
%typemap(in) (csm_clock_fn clock, void *user) {
    const int set_ = csm_py_set_callback(swig_obj[0], $input, CSM_PY_CLOCK);
    if (set_ < 0) SWIG_fail;
    $1 = set_ ? csm_py_clock : NULL;
    $2 = swig_obj[0];
}
%typemap(in) (csm_net_reply_fn on_reply, void *user) {
    if ($input != Py_None && !PyCallable_Check($input)) {
        PyErr_SetString(PyExc_TypeError, "on_reply must be callable or None");
        SWIG_fail;
    }
    $1 = $input == Py_None ? NULL : csm_py_net_reply;
    $2 = $input;
}

/* ---- not for Python, with the reason in docs/python.md ------------------------------------------------------------------------- */

%ignore csm_matrix_f32;
%ignore csm_matrix_f64;
%ignore csm_series_f32;
%ignore csm_series_f64;
%ignore csm_matrix_get;
%ignore csm_series_get;
%ignore csm_ingest_report_join;
%ignore csm_error_message;

%include "python_lengths.i"

%inline %{
/* The exception that a status becomes: factory(status, name, message). */
static void set_error_factory(PyObject *factory) {
    Py_XINCREF(factory);
    Py_XSETREF(csm_py_error_factory, factory);
}
%}
