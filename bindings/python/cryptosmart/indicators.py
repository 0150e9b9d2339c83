# SPDX-License-Identifier: MIT
"""Technical indicators over NumPy arrays and pandas: one function an indicator, made from the library's own table.

Each takes its columns in the order open, high, low, close, volume (those it reads), or one DataFrame with columns of these names, and
its parameters as keywords. One output comes back as an array (rows,) or Series, several as a dict of arrays or a
DataFrame. Bars before the warm-up are NaN; nothing is filled in. ``help(indicators.rsi)`` says what one reads and returns.

>>> import numpy as np
>>> from cryptosmart import indicators
>>> close = np.array([10, 11, 12, 11, 13, 14, 13, 15], dtype=float)
>>> indicators.sma(close, period=3).round(2).tolist()
[nan, nan, 11.0, 11.33, 12.0, 12.67, 13.33, 14.0]
>>> sorted(indicators.bbands(close, period=4))
['lower', 'middle', 'percent_b', 'upper']
"""
from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Callable, Optional

import numpy as np

from . import _native
from ._arrays import Array, column, output
from ._time import HOUR, time_array

_COLUMNS = (("open", 1), ("high", 2), ("low", 4), ("close", 8), ("volume", 16))
_GROUPS = ("trend", "momentum", "volatility", "volume", "statistics")


def _reads(row: Any) -> list[str]:
    return [name for name, bit in _COLUMNS if row.inputs & bit]


def table() -> list[Any]:
    """Every indicator: records with name, title, source, group, parameters and outputs."""
    return [_native.csm_indicator_at(i) for i in range(_native.csm_indicator_count())]


def _find(name: str) -> Any:
    row = _native.csm_indicator_find(name)
    if row is None:
        raise ValueError(f"there is no indicator {name!r}")
    return row


def _parameters(row: Any, given: Mapping[str, float]) -> Optional[Array]:
    names = [parameter.name for parameter in row.parameters]
    for name in given:
        if name not in names:
            raise TypeError(f"{row.name}() has no parameter {name!r}" + (f"; it has: {', '.join(names)}" if names else ""))
    if not names:
        return None
    return np.array([float(given.get(p.name, p.standard)) for p in row.parameters])


def _bars(row: Any, columns: Mapping[str, Any], times: Any) -> tuple[dict[str, Any], int]:
    arrays: dict[str, Any] = {name: column(values, name) for name, values in columns.items()}
    length = len(next(iter(arrays.values())))
    for name, values in arrays.items():
        if len(values) != length:
            raise ValueError(f"{row.name}(): {name} has {len(values)} rows, and must have {length}")
    step = HOUR
    if times is None:
        arrays["time"] = np.arange(length, dtype=np.int64) * HOUR
    else:
        arrays["time"] = time_array(times)
        if length > 1:
            step = max(1, int(np.diff(arrays["time"]).min()))
    return {**arrays, "interval": step}, length


def run(name: str, columns: Mapping[str, Any], *, times: Any = None, out: Optional[Array] = None, **parameters: float) -> Array:
    """Runs an indicator: (rows, outputs) of float64, or the caller's ``out`` of that shape (float32 or float64, any strides).

    ``columns``: arrays (rows,) by name; contiguous float64 ones are read where they stand. ``times``: the bars' opens, which
    must rise; without them the bars are taken as consecutive.
    """
    row = _find(name)
    missing = [wanted for wanted in _reads(row) if wanted not in columns]
    if missing:
        raise TypeError(f"{name}() reads {', '.join(_reads(row))}, and {missing[0]} is missing")
    bars, length = _bars(row, {wanted: columns[wanted] for wanted in _reads(row)}, times)
    result = output(out, (length, row.output_count))
    _native.csm_indicator_run(name, _parameters(row, parameters), bars, result)
    return result


def warmup(name: str, **parameters: float) -> int:
    """Bars without an output at the beginning."""
    return int(_native.csm_indicator_warmup(name, _parameters(_find(name), parameters)))


def memory(name: str, **parameters: float) -> int:
    """Bars after which the start of the series weighs less than 1e-6."""
    return int(_native.csm_indicator_memory(name, _parameters(_find(name), parameters)))


class Stream:
    """An indicator fed bar by bar: the same bits as over the whole series.

    >>> from cryptosmart import indicators
    >>> stream = indicators.Stream("sma", period=2)
    >>> [stream.push(close=price) for price in (10.0, 12.0, 14.0)]
    [nan, 11.0, 13.0]
    """

    def __init__(self, name: str, **parameters: float) -> None:
        row = _find(name)
        self.outputs: tuple[str, ...] = row.outputs
        self._handle = _native.csm_indicator_state_new(name, _parameters(row, parameters))
        self._out = np.empty(row.output_count)

    def push(self, *, close: float, open: Optional[float] = None, high: Optional[float] = None, low: Optional[float] = None,
             volume: float = 0.0) -> Any:  # fmt: skip
        """One bar: a float, or a dict with several outputs. Open, high and low that are not given equal the close."""
        bar = {
            "open": close if open is None else open,
            "high": close if high is None else high,
            "low": close if low is None else low,
            "close": close,
            "volume": volume,
        }
        _native.csm_indicator_push(self._handle, bar, self._out)
        return float(self._out[0]) if len(self.outputs) == 1 else dict(zip(self.outputs, self._out.tolist()))


def _apply(row: Any, positional: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
    reads = _reads(row)
    first: Any = positional[0] if positional else None
    if len(positional) == 1 and hasattr(first, "columns") and hasattr(first, "index"):
        columns, index = {name: first[name] for name in reads}, first.index
    elif len(positional) == len(reads):
        columns, index = dict(zip(reads, positional)), getattr(first, "index", None)
        index = None if callable(index) else index
    else:
        raise TypeError(f"{row.name}() takes {', '.join(reads)}, or one DataFrame; {len(positional)} array(s) were given")
    times = index if index is not None and getattr(getattr(index, "dtype", None), "kind", "") == "M" else None
    values = run(row.name, columns, times=times, **parameters)
    if index is not None:
        import pandas as pd

        if len(row.outputs) == 1:
            return pd.Series(values[:, 0], index=index, name=row.name)
        return pd.DataFrame(values, index=index, columns=list(row.outputs))
    return values[:, 0] if len(row.outputs) == 1 else dict(zip(row.outputs, values.T))


def _function(row: Any) -> Callable[..., Any]:
    def indicator(*columns: Any, **parameters: float) -> Any:
        return _apply(row, columns, parameters)

    kind = inspect.Parameter.POSITIONAL_ONLY
    signature = [inspect.Parameter(name, kind) for name in _reads(row)]
    described = []
    for p in row.parameters:
        standard = int(p.standard) if p.integer else p.standard
        signature.append(inspect.Parameter(p.name, inspect.Parameter.KEYWORD_ONLY, default=standard))
        described.append(f"{p.name} : {'int' if p.integer else 'float'}, {p.minimum:g}..{p.maximum:g}, default {standard}")
    indicator.__name__ = indicator.__qualname__ = row.name
    indicator.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    indicator.__doc__ = (
        f"{row.title} ({_GROUPS[row.group]}).\n\n{row.source}\n\nReads {', '.join(_reads(row))}: arrays (rows,), or one DataFrame.\n"
        + ("\nParameters\n----------\n" + "\n".join(described) + "\n" if described else "")
        + f"\nReturns\n-------\n{', '.join(row.outputs)} : (rows,), NaN during the warm-up.\n"
    )
    return indicator


__all__ = ["Stream", "memory", "run", "table", "warmup"]
for _row in table():
    globals()[_row.name] = _function(_row)
    __all__.append(_row.name)


def __getattr__(name: str) -> Callable[..., Any]:
    raise AttributeError(f"there is no indicator {name!r}; cryptosmart.indicators.table() lists them")
