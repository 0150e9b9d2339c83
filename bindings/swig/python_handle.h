/* SPDX-License-Identifier: MIT */
/*
 * A Python object that owns one object of the library, and the rules of its use: closed objects are refused, and so is use by
 * two calls at once where the library wants one. Calls that may take long let other Python threads run, so the rules are
 * checked before each call and hold until it ends; everything else happens under Python's own lock.
 */
#include <Python.h>
#include <stddef.h>
#include <string.h>

typedef struct csm_py_kind {
    const char *name; /* "csm_context" */
    void (*destroy)(void *object);
} csm_py_kind;

typedef struct csm_py_handle {
    PyObject_HEAD void *object; /* NULL: closed */
    const csm_py_kind *kind;
    PyObject
        *owner; /* handle that is used along with this one, or that this one is borrowed from; NULL: none */
    const void *user; /* call that may change it; NULL: none */
    int depth;        /* uses by that call */
    int readers;      /* calls that read it */
    Py_ssize_t views; /* arrays that look into it */
    int borrowed;     /* 1: belongs to owner */
    size_t width;     /* numbers that a push or a round takes, where the library does not tell */
    PyObject *log;    /* callbacks of a context */
    PyObject *progress;
    PyObject *clock;
} csm_py_handle;

static PyTypeObject *csm_py_handle_type;

/* Calls with one of these may take long. They are used by one call at a time, whoever owns them included. */
static int csm_py_is_long(const csm_py_kind *kind) {
    return strcmp(kind->name, "csm_context") == 0 || strcmp(kind->name, "csm_pipeline") == 0 ||
           strcmp(kind->name, "csm_store") == 0 || strcmp(kind->name, "csm_net") == 0;
}

static int csm_py_busy(const csm_py_handle *handle) {
    return handle->user != NULL || handle->readers > 0;
}

static void csm_py_destroy(csm_py_handle *handle) {
    void *object = handle->object;
    handle->object = NULL;
    if (object && !handle->borrowed) handle->kind->destroy(object);
}

static void csm_py_handle_dealloc(PyObject *self) {
    csm_py_handle *handle = (csm_py_handle *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    csm_py_destroy(handle);
    Py_CLEAR(handle->owner);
    Py_CLEAR(handle->log);
    Py_CLEAR(handle->progress);
    Py_CLEAR(handle->clock);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static int csm_py_handle_traverse(PyObject *self, visitproc visit, void *arg) {
    csm_py_handle *handle = (csm_py_handle *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(handle->owner);
    Py_VISIT(handle->log);
    Py_VISIT(handle->progress);
    Py_VISIT(handle->clock);
    return 0;
}

/* Breaks cycles through callbacks only: the owner stays until the object itself goes. */
static int csm_py_handle_clear(PyObject *self) {
    csm_py_handle *handle = (csm_py_handle *)self;
    if (handle->object && strcmp(handle->kind->name, "csm_context") == 0) csm_py_destroy(handle);
    Py_CLEAR(handle->log);
    Py_CLEAR(handle->progress);
    Py_CLEAR(handle->clock);
    return 0;
}

static PyObject *csm_py_handle_close(PyObject *self, PyObject *unused) {
    csm_py_handle *handle = (csm_py_handle *)self;
    (void)unused;
    if (csm_py_busy(handle)) {
        PyErr_Format(PyExc_RuntimeError, "%s: cannot be closed while a call uses it", handle->kind->name);
        return NULL;
    }
    if (handle->views > 0) {
        PyErr_Format(PyExc_BufferError, "%s: cannot be closed while %zd array(s) look into it",
                     handle->kind->name, handle->views);
        return NULL;
    }
    csm_py_destroy(handle);
    Py_RETURN_NONE;
}

static PyObject *csm_py_handle_closed(PyObject *self, void *unused) {
    (void)unused;
    return PyBool_FromLong(((csm_py_handle *)self)->object == NULL);
}

static PyObject *csm_py_handle_repr(PyObject *self) {
    const csm_py_handle *handle = (const csm_py_handle *)self;
    return PyUnicode_FromFormat("<%s%s>", handle->kind->name, handle->object ? "" : ", closed");
}

static PyMethodDef csm_py_handle_methods[] = {
    {"close", csm_py_handle_close, METH_NOARGS, "Frees the object; later calls with it raise ValueError."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef csm_py_handle_getset[] = {
    {"closed", csm_py_handle_closed, NULL, "True when the object was freed.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot csm_py_handle_slots[] = {{Py_tp_dealloc, csm_py_handle_dealloc},
                                            {Py_tp_traverse, csm_py_handle_traverse},
                                            {Py_tp_clear, csm_py_handle_clear},
                                            {Py_tp_repr, csm_py_handle_repr},
                                            {Py_tp_methods, csm_py_handle_methods},
                                            {Py_tp_getset, csm_py_handle_getset},
                                            {0, NULL}};
static PyType_Spec csm_py_handle_spec = {"cryptosmart._native.Handle", sizeof(csm_py_handle), 0,
                                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, csm_py_handle_slots};

/* The first argument of a call that is a handle of long calls: what is made by the call is used along with it. */
static csm_py_handle *csm_py_owner(PyObject **arguments, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!arguments[i] || !Py_IS_TYPE(arguments[i], csm_py_handle_type)) continue;
        csm_py_handle *handle = (csm_py_handle *)arguments[i];
        if (csm_py_is_long(handle->kind)) return handle;
    }
    return NULL;
}

/* Takes `object`; None for NULL. */
static PyObject *csm_py_wrap(void *object, const csm_py_kind *kind, PyObject *owner, int borrowed) {
    if (!object) Py_RETURN_NONE;
    csm_py_handle *handle = PyObject_GC_New(csm_py_handle, csm_py_handle_type);
    if (!handle) {
        if (!borrowed) kind->destroy(object);
        return NULL;
    }
    memset((char *)handle + sizeof(PyObject), 0, sizeof *handle - sizeof(PyObject));
    handle->object = object;
    handle->kind = kind;
    handle->borrowed = borrowed;
    Py_XINCREF(owner);
    handle->owner = owner;
    PyObject_GC_Track((PyObject *)handle);
    return (PyObject *)handle;
}

/* What a call made. */
static PyObject *csm_py_made(void *object, const csm_py_kind *kind, PyObject **arguments, size_t count) {
    PyObject *owner = csm_py_is_long(kind) ? (PyObject *)csm_py_owner(arguments, count) : NULL;
    return csm_py_wrap(object, kind, owner, 0);
}

static int csm_py_usable(const csm_py_handle *handle, const char *function) {
    const csm_py_handle *owner = handle->borrowed ? (const csm_py_handle *)handle->owner : NULL;
    if (handle->object && (!owner || csm_py_usable(owner, function))) return 1;
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "%s: the %s is closed", function, handle->kind->name);
    return 0;
}

static void csm_py_release(csm_py_handle *handle, int exclusive) {
    if (handle->owner && (csm_py_is_long(handle->kind) || handle->borrowed))
        csm_py_release((csm_py_handle *)handle->owner, exclusive);
    if (!exclusive)
        handle->readers--;
    else if (--handle->depth == 0)
        handle->user = NULL;
}

static int csm_py_acquire(csm_py_handle *handle, const void *call, int exclusive, const char *function) {
    if ((handle->user && handle->user != call) || (exclusive && handle->readers > 0)) {
        PyErr_Format(PyExc_RuntimeError,
                     "%s: the %s is in use by another thread, or by the call that this callback belongs to",
                     function, handle->kind->name);
        return 0;
    }
    if (exclusive) {
        handle->user = call;
        handle->depth++;
    } else {
        handle->readers++;
    }
    if (handle->owner && (csm_py_is_long(handle->kind) || handle->borrowed)) {
        csm_py_handle *owner = (csm_py_handle *)handle->owner;
        if (!csm_py_acquire(owner, call, exclusive, function)) {
            if (!exclusive)
                handle->readers--;
            else if (--handle->depth == 0)
                handle->user = NULL;
            return 0;
        }
    }
    return 1;
}

/* Use of an argument until csm_py_done. */
typedef struct csm_py_use {
    csm_py_handle *handle; /* NULL: not in use */
    int exclusive;
} csm_py_use;

static void csm_py_done(csm_py_use *use) {
    if (use->handle) csm_py_release(use->handle, use->exclusive);
    use->handle = NULL;
}

/* Functions of any thread, and those that only look at what never changes. */
static int csm_py_unguarded(const char *function) {
    static const char *const names[] = {"csm_context_cancel", "csm_context_resume", "csm_context_threads",
                                        "csm_context_seed",   "csm_pipeline_store", NULL};
    for (size_t i = 0; names[i]; i++)
        if (strcmp(names[i], function) == 0) return 1;
    return 0;
}

/* Whether "function parameter" is one of the names, which NULL ends. */
static int csm_py_listed(const char *const *names, const char *function, const char *parameter) {
    const size_t length = strlen(function);
    for (size_t i = 0; names[i]; i++)
        if (strncmp(names[i], function, length) == 0 && names[i][length] == ' ' &&
            strcmp(names[i] + length + 1, parameter) == 0)
            return 1;
    return 0;
}

/* Functions that take NULL for an object. */
static int csm_py_takes_none(const char *function, const char *parameter) {
    static const char *const names[] = {"csm_model_predict context",
                                        "csm_predictor_run context",
                                        "csm_explainer_values context",
                                        "csm_explainer_interactions context",
                                        "csm_explainer_importance context",
                                        "csm_hmm_fit initial",
                                        NULL};
    return csm_py_listed(names, function, parameter);
}

/* The object behind an argument, in use by `call` from here on. */
static int csm_py_object(void **out, csm_py_use *use, PyObject *argument, const csm_py_kind *kind,
                         int exclusive, const void *call, const char *function, const char *parameter) {
    *out = NULL;
    if (argument == Py_None && csm_py_takes_none(function, parameter)) return 1;
    if (!Py_IS_TYPE(argument, csm_py_handle_type) || ((csm_py_handle *)argument)->kind != kind) {
        const char *got = Py_IS_TYPE(argument, csm_py_handle_type) ? ((csm_py_handle *)argument)->kind->name
                                                                   : Py_TYPE(argument)->tp_name;
        PyErr_Format(PyExc_TypeError, "%s: %s is a %s, and must be a %s", function, parameter, got,
                     kind->name);
        return 0;
    }
    csm_py_handle *handle = (csm_py_handle *)argument;
    if (!csm_py_usable(handle, function)) return 0;
    *out = handle->object;
    if (csm_py_unguarded(function)) return 1;
    if (csm_py_is_long(kind)) exclusive = 1;
    if (!csm_py_acquire(handle, call, exclusive, function)) return 0;
    use->handle = handle;
    use->exclusive = exclusive;
    return 1;
}
