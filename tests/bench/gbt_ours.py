# SPDX-License-Identifier: MIT
"""csm_model_train through ctypes, as a C host would call it."""
import ctypes

import numpy as np

import csm

SQUARED, HUBER, QUANTILE, LOGISTIC = range(4)


class Samples(ctypes.Structure):
    _fields_ = [("x", csm.Matrix), ("y", csm.Matrix), ("weight", ctypes.c_void_p), ("window_end", ctypes.c_void_p),
                ("window_length", ctypes.c_size_t), ("length", ctypes.c_size_t), ("group", ctypes.c_void_p)]


class Parameter(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_double)]


class TrainOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("parameters", ctypes.c_void_p), ("parameter_count", ctypes.c_size_t),
                ("feature_names", ctypes.c_void_p), ("validation", ctypes.c_void_p), ("objective", ctypes.c_uint32),
                ("early_stopping_rounds", ctypes.c_uint32), ("stream", ctypes.c_uint64)]


def samples(x, y=None):
    return Samples(csm.matrix(x), csm.matrix(y) if y is not None else csm.Matrix(), None, None, 0, len(x), None)


def train(context, x, y, objective, **parameters):
    """A model; free it with free()."""
    given = (Parameter * len(parameters))(*(Parameter(k.encode(), float(v)) for k, v in parameters.items()))
    options = TrainOptions()
    options.size = ctypes.sizeof(options)
    options.parameters = ctypes.addressof(given)
    options.parameter_count = len(parameters)
    options.objective = objective
    out = ctypes.c_void_p()
    rows = samples(x, y)
    csm.check(csm.library.csm_model_train(ctypes.byref(out), context, b"gbt", ctypes.byref(rows), ctypes.byref(options)))
    return out


def predict(context, model, x):
    out = np.empty(len(x))
    rows, view = samples(x), csm.matrix(out)
    csm.check(csm.library.csm_model_predict(model, context, ctypes.byref(rows), ctypes.byref(view)))
    return out


def free(model):
    csm.library.csm_model_free(model)
