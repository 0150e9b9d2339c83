/* SPDX-License-Identifier: MIT */
/* Memory both ways without copies: what exports Python's buffer protocol becomes a view of the library's, and the other way
 * round an exporter object shows memory of the library and keeps its owner alive. */

typedef enum csm_py_number {
    CSM_PY_NONE,
    CSM_PY_I8,
    CSM_PY_U8,
    CSM_PY_I32,
    CSM_PY_U32,
    CSM_PY_I64,
    CSM_PY_U64,
    CSM_PY_SIZE,
    CSM_PY_F32,
    CSM_PY_F64
} csm_py_number;

static const struct {
    const char *name;
    const char *format; /* struct module's, as exported */
    const char *codes;  /* accepted */
    size_t size;
} csm_py_numbers[] = {
    {"nothing", "", "", 0},    {"int8", "b", "b", 1},     {"uint8", "B", "B?", 1},
    {"int32", "i", "i", 4},    {"uint32", "I", "IL", 4},  {"int64", "q", "lqmMn", 8},
    {"uint64", "Q", "LQN", 8}, {"uint64", "Q", "LQN", 8}, {"float32", "f", "f", 4},
    {"float64", "d", "d", 8},
};

typedef struct csm_py_array {
    Py_buffer view;
    int held;
    size_t count; /* elements */
} csm_py_array;

static void csm_py_array_done(csm_py_array *array) {
    if (array->held) PyBuffer_Release(&array->view);
    array->held = 0;
}

static int csm_py_is_number(const Py_buffer *view, csm_py_number number) {
    const char *format = view->format ? view->format : "B";
    if (*format == '@' || *format == '=' || *format == '<') format++;
    return format[0] && !format[1] && strchr(csm_py_numbers[number].codes, format[0]) &&
           (size_t)view->itemsize == csm_py_numbers[number].size;
}

/* A buffer of `argument`; says clearly why there is none. */
static int csm_py_buffer(Py_buffer *view, PyObject *argument, int flags, const char *what) {
    if (!PyObject_CheckBuffer(argument)) {
        PyErr_Format(PyExc_TypeError, "%s is a %s, and must be an array (anything with the buffer protocol)",
                     what, Py_TYPE(argument)->tp_name);
        return 0;
    }
    if (PyObject_GetBuffer(argument, view, flags) == 0) return 1;
    if ((flags & PyBUF_WRITABLE) && PyObject_GetBuffer(argument, view, flags & ~PyBUF_WRITABLE) == 0) {
        PyBuffer_Release(view);
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "%s is read-only, and the result is written into it", what);
    }
    return 0;
}

/* Contiguous numbers of one type; None gives NULL. */
static int csm_py_array_get(void **out, csm_py_array *array, PyObject *argument, csm_py_number number,
                            int writable, const char *what) {
    *out = NULL;
    if (argument == Py_None) return 1;
    if (!csm_py_buffer(&array->view, argument, PyBUF_STRIDES | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0),
                       what))
        return 0;
    array->held = 1;
    if (!csm_py_is_number(&array->view, number)) {
        PyErr_Format(PyExc_TypeError, "%s has elements of format '%s', and must have %s", what,
                     array->view.format ? array->view.format : "B", csm_py_numbers[number].name);
        return 0;
    }
    if (!PyBuffer_IsContiguous(&array->view, 'C')) {
        PyErr_Format(PyExc_ValueError, "%s is not contiguous (numpy.ascontiguousarray copies it)", what);
        return 0;
    }
    array->count = (size_t)(array->view.len / array->view.itemsize);
    *out = array->view.buf;
    return 1;
}

/* Each array has at least `count` elements; NULL passes where `optional`. */
static int csm_py_long_enough(const csm_py_array *array, size_t count, int optional, const char *what) {
    if (!array->held && optional) return 1;
    if (!array->held) {
        PyErr_Format(PyExc_TypeError, "%s is None, and must be an array of %zu elements", what, count);
        return 0;
    }
    if (array->count == count) return 1;
    PyErr_Format(PyExc_ValueError, "%s has %zu elements, and must have %zu", what, array->count, count);
    return 0;
}

/* float32 or float64 of one or two dimensions, any strides; one dimension is one column. */
static int csm_py_matrix_get(csm_matrix *out, csm_py_array *array, PyObject *argument, int writable,
                             const char *what) {
    if (!csm_py_buffer(&array->view, argument, PyBUF_STRIDES | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0),
                       what))
        return 0;
    array->held = 1;
    const Py_buffer *view = &array->view;
    const int is_f32 = csm_py_is_number(view, CSM_PY_F32);
    if (!is_f32 && !csm_py_is_number(view, CSM_PY_F64)) {
        PyErr_Format(
            PyExc_TypeError,
            "%s has elements of format '%s', and must have float32 or float64 of this machine's byte order",
            what, view->format ? view->format : "B");
        return 0;
    }
    if (view->ndim < 1 || view->ndim > 2) {
        PyErr_Format(PyExc_ValueError, "%s has %d dimensions, and must have 1 or 2", what, view->ndim);
        return 0;
    }
    const Py_ssize_t columns = view->ndim == 2 ? view->shape[1] : 1;
    const Py_ssize_t column_stride = view->ndim == 2 ? view->strides[1] : view->itemsize;
    if (view->strides[0] % view->itemsize || column_stride % view->itemsize ||
        (size_t)view->buf % (size_t)view->itemsize) {
        PyErr_Format(PyExc_ValueError, "%s has elements that are not aligned to %zd bytes", what,
                     view->itemsize);
        return 0;
    }
    *out = (csm_matrix){.data = view->buf,
                        .rows = (size_t)view->shape[0],
                        .cols = (size_t)columns,
                        .row_stride = (ptrdiff_t)(view->strides[0] / view->itemsize),
                        .col_stride = (ptrdiff_t)(column_stride / view->itemsize),
                        .dtype = is_f32 ? CSM_F32 : CSM_F64};
    array->count = out->rows * out->cols;
    return 1;
}

/* ---- memory of the library, as an exporter of the buffer protocol -------------------------------------------------- */

typedef struct csm_py_view {
    PyObject_HEAD PyObject *owner; /* handle */
    void *data;
    const char *format;
    Py_ssize_t itemsize;
    Py_ssize_t shape[2];
    Py_ssize_t strides[2];
    int dimensions;
} csm_py_view;

static PyTypeObject *csm_py_view_type;

static void csm_py_view_dealloc(PyObject *self) {
    csm_py_view *view = (csm_py_view *)self;
    PyTypeObject *type = Py_TYPE(self);
    ((csm_py_handle *)view->owner)->views--;
    Py_DECREF(view->owner);
    PyObject_Free(self);
    Py_DECREF(type);
}

static int csm_py_view_buffer(PyObject *self, Py_buffer *out, int flags) {
    csm_py_view *view = (csm_py_view *)self;
    if (flags & PyBUF_WRITABLE) {
        PyErr_SetString(PyExc_BufferError, "this memory belongs to the library and is read-only");
        return -1;
    }
    Py_ssize_t count = 1;
    for (int i = 0; i < view->dimensions; i++) count *= view->shape[i];
    memset(out, 0, sizeof *out);
    out->buf = view->data;
    out->obj = self;
    Py_INCREF(self);
    out->len = count * view->itemsize;
    out->itemsize = view->itemsize;
    out->readonly = 1;
    out->ndim = view->dimensions;
    out->format = (flags & PyBUF_FORMAT) ? (char *)view->format : NULL;
    out->shape = view->shape;
    out->strides = view->strides;
    return 0;
}

static PyType_Slot csm_py_view_slots[] = {
    {Py_tp_dealloc, csm_py_view_dealloc}, {Py_bf_getbuffer, csm_py_view_buffer}, {0, NULL}};
static PyType_Spec csm_py_view_spec = {"cryptosmart._native.View", sizeof(csm_py_view), 0, Py_TPFLAGS_DEFAULT,
                                       csm_py_view_slots};

static csm_py_view *csm_py_view_new(PyObject *owner, const void *data, Py_ssize_t itemsize,
                                    const char *format) {
    static double nothing;
    csm_py_view *view = PyObject_New(csm_py_view, csm_py_view_type);
    if (!view) return NULL;
    csm_py_handle *handle = (csm_py_handle *)owner;
    handle->views++;
    Py_INCREF(owner);
    view->owner = owner;
    view->data = data ? (void *)data : &nothing;
    view->format = format;
    view->itemsize = itemsize;
    view->dimensions = 1;
    view->shape[1] = 1;
    view->strides[0] = itemsize;
    view->strides[1] = itemsize;
    return view;
}

static PyObject *csm_py_view_of(PyObject *owner, const void *data, size_t count, csm_py_number number) {
    csm_py_view *view =
        csm_py_view_new(owner, data, (Py_ssize_t)csm_py_numbers[number].size, csm_py_numbers[number].format);
    if (view) view->shape[0] = data ? (Py_ssize_t)count : 0;
    return (PyObject *)view;
}

static PyObject *csm_py_view_of_matrix(PyObject *owner, csm_matrix matrix) {
    const csm_py_number number = matrix.dtype == CSM_F32 ? CSM_PY_F32 : CSM_PY_F64;
    const Py_ssize_t size = (Py_ssize_t)csm_py_numbers[number].size;
    csm_py_view *view = csm_py_view_new(owner, matrix.data, size, csm_py_numbers[number].format);
    if (!view) return NULL;
    view->dimensions = 2;
    view->shape[0] = (Py_ssize_t)matrix.rows;
    view->shape[1] = (Py_ssize_t)matrix.cols;
    view->strides[0] = matrix.row_stride * size;
    view->strides[1] = matrix.col_stride * size;
    return (PyObject *)view;
}
