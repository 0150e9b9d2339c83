/* SPDX-License-Identifier: MIT */
/* A call into the library: other Python threads may run during long ones; what a callback raised comes out at its end. */

/* What a callback of this thread's running call raised first. */
static _Thread_local struct {
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    csm_context *cancelled; /* context that was told to cancel; NULL: none */
    int depth;              /* running calls */
} csm_py_raised;

typedef struct csm_py_call {
    PyThreadState *state; /* NULL: Python's lock is kept */
} csm_py_call;

static csm_py_call csm_py_begin(PyObject **arguments, size_t count) {
    csm_py_call call = {NULL};
    csm_py_raised.depth++;
    if (csm_py_owner(arguments, count)) call.state = PyEval_SaveThread();
    return call;
}

/* 1 when the call goes on, 0 when a callback raised. */
static int csm_py_end(csm_py_call *call) {
    if (call->state) PyEval_RestoreThread(call->state);
    csm_py_raised.depth--;
    if (!csm_py_raised.type) return 1;
    if (csm_py_raised.cancelled) csm_context_resume(csm_py_raised.cancelled);
    PyErr_Restore(csm_py_raised.type, csm_py_raised.value, csm_py_raised.traceback);
    csm_py_raised.type = csm_py_raised.value = csm_py_raised.traceback = NULL;
    csm_py_raised.cancelled = NULL;
    return 0;
}

/* Keeps what was raised for the end of the call, and asks the context to cancel. */
static void csm_py_keep(csm_context *context) {
    if (csm_py_raised.depth == 0 || csm_py_raised.type) {
        PyErr_WriteUnraisable(NULL);
        return;
    }
    PyErr_Fetch(&csm_py_raised.type, &csm_py_raised.value, &csm_py_raised.traceback);
    if (!context) return;
    csm_py_raised.cancelled = context;
    csm_context_cancel(context);
}

static PyObject *csm_py_error_factory; /* (status, name, message) -> exception; NULL: RuntimeError */

/* Raises what the library reported on this thread. */
static void csm_py_fail(csm_status status) {
    PyObject *message =
        PyUnicode_DecodeUTF8(csm_error_message(), (Py_ssize_t)strlen(csm_error_message()), "replace");
    if (!message) return;
    if (!csm_py_error_factory) {
        PyErr_SetObject(PyExc_RuntimeError, message);
    } else {
        PyObject *error =
            PyObject_CallFunction(csm_py_error_factory, "isO", (int)status, csm_status_name(status), message);
        if (error) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_XDECREF(error);
    }
    Py_DECREF(message);
}

/* ---- trampolines: one a callback type; `user` is the handle of the context, or the callable ----------------------- */

static void csm_py_log(void *user, csm_log_level level, const char *module, const char *text) {
    const PyGILState_STATE state = PyGILState_Ensure();
    csm_py_handle *handle = user;
    PyObject *callable = handle->log;
    if (callable && !csm_py_raised.type) {
        Py_INCREF(callable);
        PyObject *line = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
        PyObject *result = line ? PyObject_CallFunction(callable, "isO", (int)level, module, line) : NULL;
        if (!result) csm_py_keep(handle->object);
        Py_XDECREF(result);
        Py_XDECREF(line);
        Py_DECREF(callable);
    }
    PyGILState_Release(state);
}

/* Also where Ctrl-C is noticed, so every context has this one. A true result or anything raised cancels. */
static int csm_py_progress(void *user, const char *what, uint64_t done, uint64_t total) {
    const PyGILState_STATE state = PyGILState_Ensure();
    csm_py_handle *handle = user;
    int cancel = csm_py_raised.type != NULL;
    if (!cancel && PyErr_CheckSignals() != 0) {
        csm_py_keep(NULL);
        cancel = 1;
    }
    PyObject *callable = handle->progress;
    if (!cancel && callable) {
        Py_INCREF(callable);
        PyObject *result =
            PyObject_CallFunction(callable, "sKK", what, (unsigned long long)done, (unsigned long long)total);
        cancel = result ? PyObject_IsTrue(result) : -1;
        if (cancel < 0) csm_py_keep(NULL);
        Py_XDECREF(result);
        Py_DECREF(callable);
    }
    PyGILState_Release(state);
    return cancel != 0;
}

static csm_time csm_py_clock(void *user) {
    const PyGILState_STATE state = PyGILState_Ensure();
    csm_py_handle *handle = user;
    csm_time now = 0;
    if (handle->clock && !csm_py_raised.type) {
        PyObject *result = PyObject_CallNoArgs(handle->clock);
        now = result ? PyLong_AsLongLong(result) : 0;
        if (PyErr_Occurred()) csm_py_keep(handle->object);
        Py_XDECREF(result);
    }
    PyGILState_Release(state);
    return now;
}

static PyObject *csm_py_record_of_reply(const csm_net_reply *reply);
static PyObject *csm_py_record_of_trial(const csm_trial *trial);

static int csm_py_net_reply(void *user, size_t index, const csm_net_reply *reply) {
    const PyGILState_STATE state = PyGILState_Ensure();
    int cancel = 1;
    if (!csm_py_raised.type) {
        PyObject *record = csm_py_record_of_reply(reply);
        PyObject *result =
            record ? PyObject_CallFunction((PyObject *)user, "nO", (Py_ssize_t)index, record) : NULL;
        cancel = result ? PyObject_IsTrue(result) : -1;
        if (cancel < 0) csm_py_keep(NULL);
        Py_XDECREF(result);
        Py_XDECREF(record);
    }
    PyGILState_Release(state);
    return cancel != 0;
}

static csm_status csm_py_trial(void *user, const csm_tuner *tuner, const csm_trial *trial) {
    const PyGILState_STATE state = PyGILState_Ensure();
    (void)tuner;
    PyObject *record = csm_py_raised.type ? NULL : csm_py_record_of_trial(trial);
    PyObject *result = record ? PyObject_CallOneArg((PyObject *)user, record) : NULL;
    const int failed = !result;
    if (PyErr_Occurred()) csm_py_keep(NULL);
    Py_XDECREF(result);
    Py_XDECREF(record);
    PyGILState_Release(state);
    return failed ? CSM_ECANCELLED : CSM_OK;
}

typedef enum csm_py_callback { CSM_PY_LOG, CSM_PY_PROGRESS, CSM_PY_CLOCK } csm_py_callback;

/* Keeps a context's callback. 1: set, 0: None was given, -1: neither callable nor None. */
static int csm_py_set_callback(PyObject *context, PyObject *callable, csm_py_callback which) {
    if (callable != Py_None && !PyCallable_Check(callable)) {
        PyErr_Format(PyExc_TypeError, "a callback is a %s, and must be callable or None",
                     Py_TYPE(callable)->tp_name);
        return -1;
    }
    csm_py_handle *handle = (csm_py_handle *)context;
    PyObject **slot = which == CSM_PY_LOG        ? &handle->log
                      : which == CSM_PY_PROGRESS ? &handle->progress
                                                 : &handle->clock;
    PyObject *before = *slot;
    if (callable == Py_None) {
        *slot = NULL;
    } else {
        Py_INCREF(callable);
        *slot = callable;
    }
    Py_XDECREF(before);
    return callable != Py_None;
}
