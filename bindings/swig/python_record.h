/* SPDX-License-Identifier: MIT */
/*
 * Structs of the library and Python objects. A struct that comes back becomes a named tuple (one type a struct), copied whole, so
 * that nothing of it can dangle. A struct that goes in is filled from a dict, or from any object with the fields as
 * attributes. Both follow the tables that list_types.py writes.
 */

typedef enum csm_py_field_kind {
    CSM_PY_NUMBER,
    CSM_PY_ARRAY_FIXED,   /* double x[4] */
    CSM_PY_ARRAY,         /* const double *x */
    CSM_PY_CHARS,         /* char x[32] */
    CSM_PY_STRING,        /* const char *x */
    CSM_PY_STRINGS,       /* const char *const *x, NULL-terminated */
    CSM_PY_STRINGS_FIXED, /* const char *x[8] */
    CSM_PY_BYTES,         /* const char *x with a length */
    CSM_PY_STRUCT,
    CSM_PY_STRUCTS_FIXED,
    CSM_PY_STRUCTS,        /* const T *x with a count */
    CSM_PY_STRUCT_POINTER, /* const T *x, one */
    CSM_PY_MATRIX,
    CSM_PY_MATRIX_POINTER,
    CSM_PY_INDICATOR, /* a row of the table, by name */
    CSM_PY_OBJECT,    /* const T *x, opaque */
    CSM_PY_CALLBACK,
    CSM_PY_ADDRESS /* `user` of the callback beside it */
} csm_py_field_kind;

typedef struct csm_py_field {
    const char *name;
    size_t offset;
    csm_py_field_kind kind;
    csm_py_number number;
    size_t elements;        /* of fixed arrays */
    const void *nested;     /* csm_py_table, or csm_py_kind of an object */
    ptrdiff_t count_offset; /* of the field that counts this one's elements; -1: none */
    size_t count_size;
} csm_py_field;

typedef struct csm_py_table {
    const char *name;
    size_t size;
    const csm_py_field *fields;
    size_t count;
    void (*init)(void *options); /* writes the defaults; NULL: not an option struct */
} csm_py_table;

static PyTypeObject *csm_py_record_type(const csm_py_table *table);

/* ---- out of the library ---------------------------------------------------------------------------------------------- */

static PyObject *csm_py_number_out(const void *from, csm_py_number number) {
    switch (number) {
    case CSM_PY_I8:
        return PyLong_FromLong(*(const int8_t *)from);
    case CSM_PY_U8:
        return PyLong_FromLong(*(const uint8_t *)from);
    case CSM_PY_I32:
        return PyLong_FromLong(*(const int32_t *)from);
    case CSM_PY_U32:
        return PyLong_FromUnsignedLong(*(const uint32_t *)from);
    case CSM_PY_I64:
        return PyLong_FromLongLong(*(const int64_t *)from);
    case CSM_PY_U64:
        return PyLong_FromUnsignedLongLong(*(const uint64_t *)from);
    case CSM_PY_SIZE:
        return PyLong_FromSize_t(*(const size_t *)from);
    case CSM_PY_F32:
        return PyFloat_FromDouble((double)*(const float *)from);
    case CSM_PY_F64:
        return PyFloat_FromDouble(*(const double *)from);
    case CSM_PY_NONE:
        break;
    }
    Py_RETURN_NONE;
}

static PyObject *csm_py_text_out(const char *text) {
    if (!text) Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

static PyObject *csm_py_record_out(const void *from, const csm_py_table *table, PyObject *owner);

static size_t csm_py_elements(const char *base, const csm_py_field *field) {
    if (field->count_offset < 0) return field->elements;
    const void *count = base + field->count_offset;
    const size_t n = field->count_size == 4 ? *(const uint32_t *)count : *(const size_t *)count;
    return field->elements > 0 && n > field->elements ? field->elements : n;
}

static PyObject *csm_py_items_out(const char *base, const csm_py_field *field, PyObject *owner) {
    const int fixed = field->elements > 0;
    const char *first = fixed ? base + field->offset : *(const char *const *)(base + field->offset);
    const size_t n = first ? csm_py_elements(base, field) : 0;
    const csm_py_table *table = field->nested;
    PyObject *tuple = PyTuple_New((Py_ssize_t)n);
    for (size_t i = 0; tuple && i < n; i++) {
        PyObject *item;
        if (field->kind == CSM_PY_STRINGS_FIXED)
            item = csm_py_text_out(((const char *const *)first)[i]);
        else if (table)
            item = csm_py_record_out(first + i * table->size, table, owner);
        else
            item = csm_py_number_out(first + i * csm_py_numbers[field->number].size, field->number);
        if (!item) Py_CLEAR(tuple);
        if (tuple) PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, item);
    }
    return tuple;
}

static PyObject *csm_py_field_out(const char *base, const csm_py_field *field, PyObject *owner) {
    const char *at = base + field->offset;
    switch (field->kind) {
    case CSM_PY_NUMBER:
        return csm_py_number_out(at, field->number);
    case CSM_PY_CHARS:
        return PyUnicode_DecodeUTF8(at, (Py_ssize_t)strnlen(at, field->elements), "replace");
    case CSM_PY_STRING:
        return csm_py_text_out(*(const char *const *)at);
    case CSM_PY_BYTES:
        if (!*(const char *const *)at) Py_RETURN_NONE;
        return PyBytes_FromStringAndSize(*(const char *const *)at, (Py_ssize_t)csm_py_elements(base, field));
    case CSM_PY_STRUCT:
        return csm_py_record_out(at, field->nested, owner);
    case CSM_PY_ARRAY_FIXED:
    case CSM_PY_STRINGS_FIXED:
    case CSM_PY_STRUCTS_FIXED:
    case CSM_PY_STRUCTS:
        return csm_py_items_out(base, field, owner);
    case CSM_PY_ARRAY:
        if (!owner || !*(const void *const *)at) Py_RETURN_NONE;
        return csm_py_view_of(owner, *(const void *const *)at, csm_py_elements(base, field), field->number);
    default:
        Py_RETURN_NONE;
    }
}

/* `owner`: handle whose memory the struct's arrays are; NULL: it has none. */
static PyObject *csm_py_record_out(const void *from, const csm_py_table *table, PyObject *owner) {
    PyTypeObject *type = csm_py_record_type(table);
    PyObject *record = type ? PyStructSequence_New(type) : NULL;
    for (size_t i = 0; record && i < table->count; i++) {
        PyObject *value = csm_py_field_out(from, &table->fields[i], owner);
        if (value)
            PyStructSequence_SET_ITEM(record, (Py_ssize_t)i, value);
        else
            Py_CLEAR(record);
    }
    return record;
}

/* ---- into the library ------------------------------------------------------------------------------------------------- */

/* Memory and Python objects that an argument needs until its call has ended. */
typedef struct csm_py_block {
    struct csm_py_block *next;
    csm_py_array array;
    PyObject *object;
    csm_py_use use;
    max_align_t memory[];
} csm_py_block;

typedef struct csm_py_arena {
    csm_py_block *first;
    const void *call;
    const char *function;
    ptrdiff_t empty; /* offset of the count of an array without elements in the struct at hand; -1: none */
} csm_py_arena;

static csm_py_block *csm_py_block_new(csm_py_arena *arena, size_t bytes) {
    csm_py_block *block = PyMem_Calloc(1, sizeof *block + bytes);
    if (!block) {
        PyErr_NoMemory();
        return NULL;
    }
    block->next = arena->first;
    arena->first = block;
    return block;
}

static void csm_py_arena_done(csm_py_arena *arena) {
    while (arena->first) {
        csm_py_block *block = arena->first;
        arena->first = block->next;
        csm_py_array_done(&block->array);
        csm_py_done(&block->use);
        Py_XDECREF(block->object);
        PyMem_Free(block);
    }
}

static int csm_py_number_in(void *to, PyObject *value, csm_py_number number, const char *what) {
    if (number == CSM_PY_F32 || number == CSM_PY_F64) {
        const double real = PyFloat_AsDouble(value);
        if (real == -1.0 && PyErr_Occurred()) goto wrong;
        if (number == CSM_PY_F32)
            *(float *)to = (float)real;
        else
            *(double *)to = real;
        return 1;
    }
    PyObject *whole = PyNumber_Index(value);
    if (!whole) goto wrong;
    if (number == CSM_PY_U64 || number == CSM_PY_SIZE) {
        const unsigned long long n = PyLong_AsUnsignedLongLong(whole);
        Py_DECREF(whole);
        if (n == (unsigned long long)-1 && PyErr_Occurred()) goto wrong;
        *(uint64_t *)to = n;
        return 1;
    }
    const long long n = PyLong_AsLongLong(whole);
    Py_DECREF(whole);
    if (n == -1 && PyErr_Occurred()) goto wrong;
    const int fits = number == CSM_PY_I64 || (number == CSM_PY_I32 && n == (int32_t)n) ||
                     (number == CSM_PY_U32 && n == (long long)(uint32_t)n) ||
                     (number == CSM_PY_I8 && n == (int8_t)n) || (number == CSM_PY_U8 && n == (uint8_t)n);
    if (!fits) {
        PyErr_Format(PyExc_ValueError, "%s: %lld is outside the range of %s", what, n,
                     csm_py_numbers[number].name);
        return 0;
    }
    memcpy(to, &n, csm_py_numbers[number].size); /* little endian, as all this library runs on */
    return 1;
wrong:
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError, "%s is a %s, and must be a %s", what, Py_TYPE(value)->tp_name,
                     number == CSM_PY_F32 || number == CSM_PY_F64 ? "number" : "whole number");
    } else if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "%s is outside the range of %s", what, csm_py_numbers[number].name);
    }
    return 0;
}

/* Text of a str, bytes or path; lives as long as the arena. */
static const char *csm_py_text_in(PyObject *value, csm_py_arena *arena, const char *what, size_t *length) {
    csm_py_block *block = csm_py_block_new(arena, 0);
    if (!block) return NULL;
    if (PyUnicode_Check(value) || PyBytes_Check(value)) {
        Py_INCREF(value);
        block->object = value;
    } else {
        block->object = PyOS_FSPath(value);
        if (!block->object) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError, "%s is a %s, and must be a str", what, Py_TYPE(value)->tp_name);
            return NULL;
        }
    }
    Py_ssize_t bytes = 0;
    const char *text = NULL;
    if (PyUnicode_Check(block->object)) {
        text = PyUnicode_AsUTF8AndSize(block->object, &bytes);
    } else {
        text = PyBytes_AS_STRING(block->object);
        bytes = PyBytes_GET_SIZE(block->object);
    }
    if (text && !length && strlen(text) != (size_t)bytes) {
        PyErr_Format(PyExc_ValueError, "%s contains a null character", what);
        return NULL;
    }
    if (length) *length = (size_t)bytes;
    return text;
}

static int csm_py_record_in(void *to, const csm_py_table *table, PyObject *source, csm_py_arena *arena,
                            const char *what);

/* A sequence's items, held by the arena. */
static PyObject *csm_py_items_in(PyObject *value, csm_py_arena *arena, const char *what, Py_ssize_t *n) {
    csm_py_block *block = csm_py_block_new(arena, 0);
    if (!block) return NULL;
    if (PyUnicode_Check(value) || PyBytes_Check(value) || PyDict_Check(value) ||
        !(block->object = PySequence_Fast(value, ""))) {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError, "%s is a %s, and must be a sequence", what, Py_TYPE(value)->tp_name);
        return NULL;
    }
    *n = PySequence_Fast_GET_SIZE(block->object);
    return block->object;
}

static const char *const *csm_py_strings_in(PyObject *value, csm_py_arena *arena, const char *what,
                                            size_t *count) {
    Py_ssize_t n = 0;
    PyObject *items = csm_py_items_in(value, arena, what, &n);
    csm_py_block *block = items ? csm_py_block_new(arena, ((size_t)n + 1) * sizeof(char *)) : NULL;
    if (!block) return NULL;
    const char **strings = (const char **)block->memory;
    for (Py_ssize_t i = 0; i < n; i++) {
        strings[i] = csm_py_text_in(PySequence_Fast_GET_ITEM(items, i), arena, what, NULL);
        if (!strings[i]) return NULL;
    }
    if (count) *count = (size_t)n;
    return strings;
}

/* A sequence of structs as an array. */
static void *csm_py_structs_in(PyObject *value, const csm_py_table *table, csm_py_arena *arena,
                               const char *what, size_t *count) {
    Py_ssize_t n = 0;
    PyObject *items = csm_py_items_in(value, arena, what, &n);
    csm_py_block *block = items ? csm_py_block_new(arena, (size_t)(n + 1) * table->size) : NULL;
    if (!block) return NULL;
    char *first = (char *)block->memory;
    for (Py_ssize_t i = 0; i < n; i++)
        if (!csm_py_record_in(first + (size_t)i * table->size, table, PySequence_Fast_GET_ITEM(items, i),
                              arena, what))
            return NULL;
    *count = (size_t)n;
    return first;
}

static int csm_py_set_count(char *base, const csm_py_field *field, size_t n, csm_py_arena *arena,
                            const char *what) {
    if (field->count_offset < 0) return 1;
    if (n == 0) arena->empty = field->count_offset;
    if (field->count_size == 4) {
        *(uint32_t *)(base + field->count_offset) = (uint32_t)n;
        return n <= UINT32_MAX;
    }
    size_t *count = (size_t *)(base + field->count_offset);
    if (*count != 0 && *count != n) {
        PyErr_Format(PyExc_ValueError, "%s has %zu elements, and must have %zu like what stands beside it",
                     what, n, *count);
        return 0;
    }
    *count = n;
    return 1;
}

static int csm_py_fixed_in(char *base, const csm_py_field *field, PyObject *value, csm_py_arena *arena,
                           const char *what) {
    Py_ssize_t n = 0;
    PyObject *items = csm_py_items_in(value, arena, what, &n);
    if (!items) return 0;
    if ((size_t)n > field->elements) {
        PyErr_Format(PyExc_ValueError, "%s has %zd elements, and at most %zu fit", what, n, field->elements);
        return 0;
    }
    const csm_py_table *table = field->nested;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(items, i);
        char *at = base + field->offset;
        if (field->kind == CSM_PY_STRINGS_FIXED) {
            const char **strings = (const char **)at;
            if (item != Py_None && !(strings[i] = csm_py_text_in(item, arena, what, NULL))) return 0;
        } else if (table) {
            if (!csm_py_record_in(at + (size_t)i * table->size, table, item, arena, what)) return 0;
        } else if (!csm_py_number_in(at + (size_t)i * csm_py_numbers[field->number].size, item, field->number,
                                     what)) {
            return 0;
        }
    }
    if (field->count_offset >= 0 && field->count_size == 4)
        return csm_py_set_count(base, field, (size_t)n, arena, what);
    return 1;
}

static int csm_py_chars_in(char *at, const csm_py_field *field, PyObject *value, csm_py_arena *arena,
                           const char *what) {
    const char *text = csm_py_text_in(value, arena, what, NULL);
    if (!text) return 0;
    if (strlen(text) >= field->elements) {
        PyErr_Format(PyExc_ValueError, "%s is longer than %zu bytes", what, field->elements - 1);
        return 0;
    }
    strcpy(at, text);
    return 1;
}

static int csm_py_callback_in(char *at, PyObject *value, csm_py_arena *arena, const char *what) {
    csm_py_block *block =
        PyCallable_Check(value) && strstr(what, ".trial") ? csm_py_block_new(arena, 0) : NULL;
    if (!block) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "%s is a %s, and must be a callable or None", what,
                         Py_TYPE(value)->tp_name);
        return 0;
    }
    Py_INCREF(value);
    block->object = value;
    *(csm_trial_fn *)at = csm_py_trial;
    *(void **)(at + sizeof(csm_trial_fn)) = value; /* `user` follows its callback */
    return 1;
}

static int csm_py_pointer_in(char *base, const csm_py_field *field, PyObject *value, csm_py_arena *arena,
                             const char *what) {
    char *at = base + field->offset;
    size_t n = 0;
    csm_py_block *block = NULL;
    switch (field->kind) {
    case CSM_PY_ARRAY:
        block = csm_py_block_new(arena, 0);
        if (!block || !csm_py_array_get((void **)at, &block->array, value, field->number, 0, what)) return 0;
        return csm_py_set_count(base, field, block->array.count, arena, what);
    case CSM_PY_STRINGS:
        *(const char *const **)at = csm_py_strings_in(value, arena, what, &n);
        return *(void **)at && csm_py_set_count(base, field, n, arena, what);
    case CSM_PY_BYTES:
        *(const char **)at = csm_py_text_in(value, arena, what, &n);
        return *(void **)at && csm_py_set_count(base, field, n, arena, what);
    case CSM_PY_STRUCTS:
        *(void **)at = csm_py_structs_in(value, field->nested, arena, what, &n);
        return *(void **)at && csm_py_set_count(base, field, n, arena, what);
    case CSM_PY_STRUCT_POINTER:
        block = csm_py_block_new(arena, ((const csm_py_table *)field->nested)->size);
        if (!block) return 0;
        *(void **)at = block->memory;
        return csm_py_record_in(block->memory, field->nested, value, arena, what);
    case CSM_PY_MATRIX_POINTER:
        block = csm_py_block_new(arena, sizeof(csm_matrix));
        if (!block) return 0;
        *(void **)at = block->memory;
        return csm_py_matrix_get((csm_matrix *)block->memory, &block->array, value, 0, what);
    case CSM_PY_OBJECT:
        block = csm_py_block_new(arena, 0);
        return block && csm_py_object((void **)at, &block->use, value, field->nested, 0, arena->call,
                                      arena->function, what);
    default:
        return 0;
    }
}

static int csm_py_field_in(char *base, const csm_py_field *field, PyObject *value, csm_py_arena *arena,
                           const char *what) {
    char *at = base + field->offset;
    csm_py_block *block = NULL;
    switch (field->kind) {
    case CSM_PY_NUMBER:
        return csm_py_number_in(at, value, field->number, what);
    case CSM_PY_CHARS:
        return csm_py_chars_in(at, field, value, arena, what);
    case CSM_PY_STRING:
        return (*(const char **)at = csm_py_text_in(value, arena, what, NULL)) != NULL;
    case CSM_PY_STRUCT:
        return csm_py_record_in(at, field->nested, value, arena, what);
    case CSM_PY_MATRIX:
        block = csm_py_block_new(arena, 0);
        return block && csm_py_matrix_get((csm_matrix *)at, &block->array, value, 0, what);
    case CSM_PY_INDICATOR: {
        const char *name = csm_py_text_in(value, arena, what, NULL);
        if (!name) return 0;
        *(const csm_indicator **)at = csm_indicator_find(name);
        if (!*(void **)at) PyErr_Format(PyExc_ValueError, "there is no indicator '%s'", name);
        return *(void **)at != NULL;
    }
    case CSM_PY_ARRAY_FIXED:
    case CSM_PY_STRINGS_FIXED:
    case CSM_PY_STRUCTS_FIXED:
        return csm_py_fixed_in(base, field, value, arena, what);
    case CSM_PY_CALLBACK:
        return csm_py_callback_in(at, value, arena, what);
    case CSM_PY_ADDRESS:
        return 1;
    default:
        return csm_py_pointer_in(base, field, value, arena, what);
    }
}

static int csm_py_unknown(const csm_py_table *table, PyObject *source) {
    PyObject *key = NULL, *value = NULL;
    Py_ssize_t position = 0;
    while (PyDict_Next(source, &position, &key, &value)) {
        int known = 0;
        for (size_t i = 0; i < table->count && !known; i++)
            known = PyUnicode_Check(key) && PyUnicode_CompareWithASCIIString(key, table->fields[i].name) == 0;
        if (!known) {
            PyErr_Format(PyExc_TypeError, "%s has no field %R", table->name, key);
            return 1;
        }
    }
    return 0;
}

/* A number that counts arrays beside it agrees with them. */
static int csm_py_count_in(char *base, const csm_py_table *table, const csm_py_field *field, PyObject *value,
                           const char *what) {
    int counts = 0;
    for (size_t i = 0; i < table->count; i++)
        counts |= table->fields[i].count_offset == (ptrdiff_t)field->offset;
    if (!counts || csm_py_numbers[field->number].size != sizeof(size_t)) return 1;
    const size_t found = *(const size_t *)(base + field->offset);
    const size_t given = PyLong_AsSize_t(value);
    if (given == (size_t)-1 && PyErr_Occurred()) return 0;
    if (found == 0 || found == given) return 1;
    PyErr_Format(PyExc_ValueError, "%s is %zu, but an array beside it has %zu elements", what, given, found);
    return 0;
}

/* Fills a struct, zero before, from a dict or an object's attributes. What is absent or None keeps its default. */
static int csm_py_record_in(void *to, const csm_py_table *table, PyObject *source, csm_py_arena *arena,
                            const char *what) {
    (void)what;
    const ptrdiff_t outer_empty = arena->empty;
    arena->empty = -1;
    if (table->init) table->init(to);
    const int is_dict = PyDict_Check(source);
    if (is_dict && csm_py_unknown(table, source)) return 0;
    if (!is_dict && !PyObject_HasAttrString(source, table->fields[0].name)) {
        PyErr_Format(PyExc_TypeError, "%s: %s is neither a dict nor a record of this kind", table->name,
                     Py_TYPE(source)->tp_name);
        return 0;
    }
    for (size_t i = 0; i < table->count; i++) {
        const csm_py_field *field = &table->fields[i];
        PyObject *value = NULL;
        if (is_dict) {
            value = PyDict_GetItemString(source, field->name);
            Py_XINCREF(value);
        } else {
            value = PyObject_GetAttrString(source, field->name);
            if (!value) PyErr_Clear();
        }
        if (!value || value == Py_None) {
            Py_XDECREF(value);
            continue;
        }
        char name[160];
        PyOS_snprintf(name, sizeof name, "%s.%s", table->name, field->name);
        const int good = (field->kind != CSM_PY_NUMBER || csm_py_count_in(to, table, field, value, name)) &&
                         csm_py_field_in(to, field, value, arena, name);
        Py_DECREF(value);
        if (!good) return 0;
    }
    if (arena->empty >= 0 && *(const size_t *)((const char *)to + arena->empty) != 0) {
        PyErr_Format(PyExc_ValueError, "%s: an array is empty, and those beside it are not", table->name);
        return 0;
    }
    arena->empty = outer_empty;
    return 1;
}
