# SPDX-License-Identifier: MIT
"""The few structs and functions of the shared library that Python cases need, through ctypes.

The public bindings are a product of their own; benchmarks call the C functions as a C host would.
"""
import ctypes
import os

import numpy as np

from frame import BUILD

library = ctypes.CDLL(os.path.join(BUILD, "libcryptosmart.so"))
library.csm_error_message.restype = ctypes.c_char_p
library.csm_indicator_find.restype = ctypes.c_void_p

F32, F64 = 1, 2


class Matrix(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("rows", ctypes.c_size_t), ("cols", ctypes.c_size_t),
                ("row_stride", ctypes.c_ssize_t), ("col_stride", ctypes.c_ssize_t), ("dtype", ctypes.c_int),
                ("reserved", ctypes.c_uint32)]


class Bars(ctypes.Structure):
    _fields_ = [("length", ctypes.c_size_t), ("interval", ctypes.c_int64), ("time", ctypes.c_void_p),
                ("open", ctypes.c_void_p), ("high", ctypes.c_void_p), ("low", ctypes.c_void_p),
                ("close", ctypes.c_void_p), ("volume", ctypes.c_void_p), ("state", ctypes.c_void_p)]


class ContextOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("seed", ctypes.c_uint64), ("threads", ctypes.c_uint32),
                ("log_level", ctypes.c_uint32)]


def check(status):
    """Raises with the library's own text."""
    if status != 0:
        raise RuntimeError(f"{status}: {library.csm_error_message().decode()}")


def context(threads):
    options = ContextOptions()
    library.csm_context_options_init(ctypes.byref(options))
    options.threads = threads
    out = ctypes.c_void_p()
    check(library.csm_context_new(ctypes.byref(out), ctypes.byref(options)))
    return out


def matrix(array):
    """A view of a one- or two-dimensional NumPy array of float32 or float64."""
    a = array.reshape(len(array), -1) if array.ndim == 1 else array
    size = a.itemsize
    return Matrix(a.ctypes.data, a.shape[0], a.shape[1], a.strides[0] // size, a.strides[1] // size,
                  F64 if a.dtype == np.float64 else F32, 0)


HOUR = 3_600_000_000_000


def bars(time, columns):
    """time: int64 nanoseconds; columns: open, high, low, close, volume, contiguous float64."""
    return Bars(len(time), HOUR, time.ctypes.data, *(c.ctypes.data for c in columns), None)
