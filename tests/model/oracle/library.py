# SPDX-License-Identifier: MIT
"""The C functions that the oracles of this folder call, through ctypes. CSM_LIBRARY names libcryptosmart.so."""
import ctypes
import os

import numpy as np

F32, F64 = 1, 2
LIGHTGBM, XGBOOST, ONNX, JSON, GRAPHVIZ = range(5)
RAW, RESPONSE, LEAF = range(3)

library = ctypes.CDLL(os.environ.get("CSM_LIBRARY") or "build/release/libcryptosmart.so")
library.csm_error_message.restype = ctypes.c_char_p
library.csm_predictor_columns.restype = ctypes.c_size_t


class Error(RuntimeError):
    pass


class Matrix(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("rows", ctypes.c_size_t), ("cols", ctypes.c_size_t),
                ("row_stride", ctypes.c_ssize_t), ("col_stride", ctypes.c_ssize_t), ("dtype", ctypes.c_int),
                ("reserved", ctypes.c_uint32)]


class PredictorOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("rounds", ctypes.c_size_t), ("stage", ctypes.c_size_t),
                ("result", ctypes.c_uint32), ("concurrency", ctypes.c_uint32)]


class ModelInfo(ctypes.Structure):
    _fields_ = [("learner", ctypes.c_char_p), ("objective", ctypes.c_uint32), ("outputs", ctypes.c_uint32),
                ("features", ctypes.c_size_t), ("rounds", ctypes.c_size_t), ("trained_rows", ctypes.c_size_t),
                ("training_loss", ctypes.c_double), ("validation_loss", ctypes.c_double)]


def check(status):
    if status != 0:
        raise Error(f"{status}: {library.csm_error_message().decode()}")


def matrix(a):
    size = a.itemsize
    return Matrix(a.ctypes.data, a.shape[0], a.shape[1], a.strides[0] // size, a.strides[1] // size,
                  F64 if a.dtype == np.float64 else F32, 0)


class Model:
    def __init__(self, path, format):
        self.handle = ctypes.c_void_p()
        check(library.csm_model_import(ctypes.byref(self.handle), path.encode(), format))
        self.info = ModelInfo()
        check(library.csm_model_describe(ctypes.byref(self.info), self.handle))

    def __del__(self):
        library.csm_model_free(self.handle)

    def predict(self, x, result=RAW, rounds=0):
        options = PredictorOptions(ctypes.sizeof(PredictorOptions), rounds, 0, result, 1)
        predictor = ctypes.c_void_p()
        check(library.csm_predictor_new(ctypes.byref(predictor), self.handle, ctypes.byref(options)))
        out = np.zeros((len(x), library.csm_predictor_columns(predictor)))
        try:
            check(library.csm_predictor_run(predictor, None, ctypes.byref(matrix(x)), ctypes.byref(matrix(out))))
        finally:
            library.csm_predictor_free(predictor)
        return out

    def export(self, path, format):
        check(library.csm_model_export(self.handle, path.encode(), format, ctypes.c_size_t(0)))
