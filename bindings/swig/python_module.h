/* SPDX-License-Identifier: MIT */
/* What the typemaps of python.i call: results put together, checks that need the tables, start of the module. */

static PyObject *Py_NewRef_(PyObject *object) {
    Py_INCREF(object);
    return object;
}

/* Adds one result to those before: None, then the value, then a tuple. Takes both references. */
static PyObject *csm_py_append(PyObject *results, PyObject *value) {
    if (!value || !results) {
        Py_XDECREF(results);
        Py_XDECREF(value);
        return NULL;
    }
    if (results == Py_None) {
        Py_DECREF(results);
        return value;
    }
    const int many = PyTuple_CheckExact(results);
    PyObject *rest = many ? PyTuple_Pack(1, value) : PyTuple_Pack(2, results, value);
    PyObject *all = many && rest ? PySequence_Concat(results, rest) : Py_NewRef_(rest ? rest : Py_None);
    Py_XDECREF(rest);
    Py_DECREF(results);
    Py_DECREF(value);
    return all;
}

static PyTypeObject *csm_py_record_type(const csm_py_table *table) {
    for (size_t i = 0; i < sizeof csm_py_tables / sizeof csm_py_tables[0]; i++)
        if (csm_py_tables[i] == table) return csm_py_records[i];
    PyErr_Format(PyExc_SystemError, "no record type for %s", table->name);
    return NULL;
}

static PyObject *csm_py_record_of_reply(const csm_net_reply *reply) {
    return csm_py_record_out(reply, &table_csm_net_reply, NULL);
}

static PyObject *csm_py_record_of_trial(const csm_trial *trial) {
    return csm_py_record_out(trial, &table_csm_trial, NULL);
}

static PyObject *csm_py_records_out(const void *first, size_t count, const csm_py_table *table) {
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; tuple && i < count; i++) {
        PyObject *item = csm_py_record_out((const char *)first + i * table->size, table, NULL);
        if (!item)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, item);
    }
    return tuple;
}

/* The first argument that is a handle: what a call without `out` shows belongs to it. */
static PyObject *csm_py_first_handle(PyObject **arguments, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (arguments[i] && Py_IS_TYPE(arguments[i], csm_py_handle_type)) return arguments[i];
    return NULL;
}

static PyObject *csm_py_wide(PyObject *handle, size_t width) {
    if (handle && Py_IS_TYPE(handle, csm_py_handle_type)) ((csm_py_handle *)handle)->width = width;
    return handle;
}

static size_t csm_py_width(PyObject *handle) {
    return ((csm_py_handle *)handle)->width;
}

/* A name, or the name of a record of a table. */
static PyObject *csm_py_name_of(PyObject *value) {
    if (PyUnicode_Check(value) || !PyObject_HasAttrString(value, "name")) return Py_NewRef_(value);
    return PyObject_GetAttrString(value, "name");
}

static int csm_py_text_may_be_none(const char *function, const char *parameter) {
    static const char *const names[] = {"csm_store_streams kind",
                                        "csm_store_streams venue",
                                        "csm_discover_markets venue",
                                        "csm_model_save metadata_json",
                                        "csm_discover_parse_kraken assets",
                                        "csm_learn_feedback_add text",
                                        NULL};
    return csm_py_listed(names, function, parameter);
}

/* A sequence of structs as an array of pointers. */
static void *csm_py_pointers_in(PyObject *value, const csm_py_table *table, csm_py_arena *arena,
                                const char *what, size_t *count) {
    char *first = csm_py_structs_in(value, table, arena, what, count);
    csm_py_block *block = first ? csm_py_block_new(arena, (*count + 1) * sizeof(void *)) : NULL;
    if (!block) return NULL;
    void **pointers = (void **)block->memory;
    for (size_t i = 0; i < *count; i++) pointers[i] = first + i * table->size;
    return pointers;
}

/* A sequence of arrays that are written to. */
static csm_matrix *csm_py_matrices_in(PyObject *value, csm_py_arena *arena, const char *what, size_t *count) {
    Py_ssize_t n = 0;
    PyObject *items = csm_py_items_in(value, arena, what, &n);
    csm_py_block *block = items ? csm_py_block_new(arena, (size_t)(n + 1) * sizeof(csm_matrix)) : NULL;
    if (!block) return NULL;
    csm_matrix *matrices = (csm_matrix *)block->memory;
    for (Py_ssize_t i = 0; i < n; i++) {
        csm_py_block *held = csm_py_block_new(arena, 0);
        if (!held ||
            !csm_py_matrix_get(&matrices[i], &held->array, PySequence_Fast_GET_ITEM(items, i), 1, what))
            return NULL;
    }
    *count = (size_t)n;
    return matrices;
}

/* ---- checks of lengths (python_lengths.i) ------------------------------------------------------------------------------ */

static int csm_py_same(size_t found, size_t wanted, const char *what) {
    if (found == wanted) return 1;
    PyErr_Format(PyExc_ValueError, "%s has %zu elements, and must have %zu", what, found, wanted);
    return 0;
}

static size_t csm_py_hmm(const csm_hmm *hmm, unsigned states, unsigned features) {
    csm_hmm_info info;
    if (csm_hmm_describe(&info, hmm) != CSM_OK) return SIZE_MAX;
    size_t n = 1;
    for (unsigned i = 0; i < states; i++) n *= info.states;
    for (unsigned i = 0; i < features; i++) n *= info.features;
    return n;
}

/* Elements of the array that an argument's struct points at. */
static size_t csm_py_arena_count(const csm_py_arena *arena, const void *data) {
    for (const csm_py_block *block = arena->first; block; block = block->next)
        if (block->array.held && block->array.view.buf == data) return block->array.count;
    return 0;
}

static int csm_py_columns_good(const csm_py_arena *arena, size_t columns, const char *const *names,
                               const uint8_t *categorical, const int8_t *monotone) {
    size_t count = 0;
    while (names && names[count]) count++;
    return (!names || csm_py_same(count, columns, "feature_names")) &&
           (!categorical || csm_py_same(csm_py_arena_count(arena, categorical), columns, "categorical")) &&
           (!monotone || csm_py_same(csm_py_arena_count(arena, monotone), columns, "monotone"));
}

static int csm_py_requests_good(const csm_indicator_request *requests, size_t count,
                                const csm_py_arena *arena) {
    for (size_t i = 0; i < count; i++) {
        if (!requests[i].indicator) {
            PyErr_SetString(PyExc_ValueError, "a request has no indicator");
            return 0;
        }
        if (requests[i].parameters && !csm_py_same(csm_py_arena_count(arena, requests[i].parameters),
                                                   requests[i].indicator->parameter_count, "parameters"))
            return 0;
    }
    return 1;
}

/* ---- start ------------------------------------------------------------------------------------------------------------------ */

/* Walk rows as one array of bytes, with their layout: ((name, offset, format, elements), ...), record size, view. */
static PyObject *csm_py_walk(PyObject *owner, const csm_walk_row *rows, size_t count) {
    const csm_py_table *table = &table_csm_walk_row;
    PyObject *fields = PyTuple_New((Py_ssize_t)table->count);
    for (size_t i = 0; fields && i < table->count; i++) {
        const csm_py_field *field = &table->fields[i];
        PyObject *row = Py_BuildValue("(snsn)", field->name, (Py_ssize_t)field->offset,
                                      csm_py_numbers[field->number].name, (Py_ssize_t)field->elements);
        if (!row)
            Py_CLEAR(fields);
        else
            PyTuple_SET_ITEM(fields, (Py_ssize_t)i, row);
    }
    PyObject *view = fields ? csm_py_view_of(owner, rows, count * sizeof *rows, CSM_PY_U8) : NULL;
    PyObject *all = view ? Py_BuildValue("(OnO)", fields, (Py_ssize_t)sizeof *rows, view) : NULL;
    Py_XDECREF(fields);
    Py_XDECREF(view);
    return all;
}

/* "csm_ledger_entry" -> "LedgerEntry" */
static void csm_py_camel(const char *name, char *out, size_t size) {
    size_t n = 0;
    int upper = 1;
    for (const char *at = name + 4; *at && n + 1 < size; at++) {
        if (*at == '_') {
            upper = 1;
            continue;
        }
        out[n++] = (char)(upper && *at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
        upper = 0;
    }
    out[n] = 0;
}

static PyTypeObject *csm_py_record_make(PyObject *module, const csm_py_table *table) {
    PyStructSequence_Field *fields = PyMem_Calloc(table->count + 1, sizeof *fields);
    if (!fields) return NULL;
    for (size_t i = 0; i < table->count; i++) fields[i].name = table->fields[i].name;
    char name[64], full[96];
    csm_py_camel(table->name, name, sizeof name);
    PyOS_snprintf(full, sizeof full, "cryptosmart.%s", name);
    PyStructSequence_Desc description = {full, "A record of the library: see the C struct of this name.",
                                         fields, (int)table->count};
    PyTypeObject *type = PyStructSequence_NewType(&description);
    PyMem_Free(fields);
    if (type && PyObject_SetAttrString(module, name, (PyObject *)type) != 0) return NULL;
    return type;
}

static int csm_py_start(PyObject *module) {
    csm_py_handle_type = (PyTypeObject *)PyType_FromSpec(&csm_py_handle_spec);
    csm_py_view_type = (PyTypeObject *)PyType_FromSpec(&csm_py_view_spec);
    if (!csm_py_handle_type || !csm_py_view_type) return -1;
    csm_py_handle_type->tp_new = NULL;
    csm_py_view_type->tp_new = NULL;
    if (PyObject_SetAttrString(module, "Handle", (PyObject *)csm_py_handle_type) != 0) return -1;
    for (size_t i = 0; i < sizeof csm_py_tables / sizeof csm_py_tables[0]; i++) {
        csm_py_records[i] = csm_py_record_make(module, csm_py_tables[i]);
        if (!csm_py_records[i]) return -1;
    }
    return 0;
}
