# SPDX-License-Identifier: MIT
"""Arrays in, without copies where their memory already is what the library reads, and with a clear error where it cannot be."""
from __future__ import annotations

from typing import Any, Optional

import numpy as np

Array = np.ndarray[Any, Any]


def matrix(x: Any, name: str = "x") -> Array:
    """A float32 or float64 array of one or two dimensions: ``x`` itself, or the block of a DataFrame, whatever its strides."""
    array = x.to_numpy() if hasattr(x, "to_numpy") else np.asarray(x)
    if not array.dtype.isnative:
        raise TypeError(f"{name} has another byte order than this machine")
    if array.dtype not in (np.float32, np.float64):
        raise TypeError(f"{name} has dtype {array.dtype}, and must be float32 or float64")
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} has {array.ndim} dimensions, and must have 1 or 2")
    return np.asarray(array)


def column(x: Any, name: str, length: Optional[int] = None, dtype: Any = np.float64) -> Array:
    """A contiguous one-dimensional array of ``dtype``. Floats are converted, and a strided one is copied; nothing else is."""
    array = x.to_numpy() if hasattr(x, "to_numpy") else np.asarray(x)
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}, and must have one dimension")
    if length is not None and len(array) != length:
        raise ValueError(f"{name} has {len(array)} elements, and must have {length}")
    kinds = "fiub" if np.dtype(dtype).kind == "f" else "iub"
    if array.dtype.kind not in kinds:
        raise TypeError(f"{name} has dtype {array.dtype}, and must be {np.dtype(dtype).name}")
    return np.ascontiguousarray(array, dtype=dtype)


def output(out: Optional[Array], shape: tuple[int, ...], name: str = "out") -> Array:
    """The caller's array for a result after a check of its shape, or a new one of float64."""
    if out is None:
        return np.empty(shape, dtype=np.float64)
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name} is a {type(out).__name__}, and must be a numpy.ndarray")
    if out.shape != shape:
        raise ValueError(f"{name} has shape {out.shape}, and must have {shape}")
    return out


def address(array: Any) -> int:
    """Where an array's first element stands: two arrays of one address share memory."""
    return int(np.asarray(array).__array_interface__["data"][0])
