# SPDX-License-Identifier: MIT
"""Times are nanoseconds UTC in the library; here anything that names a time is taken, and pandas objects in UTC come back."""
from __future__ import annotations

import datetime as _datetime
from typing import Any, Optional, Union

import numpy as np

from . import _native

TIME_MIN = -(2**63)
TIME_MAX = 2**63 - 1
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

#: What is taken as a time: text (RFC 3339), datetime, pandas.Timestamp, numpy.datetime64, or nanoseconds since 1970.
TimeLike = Union[str, int, _datetime.date, np.datetime64, Any]
#: What is taken as a length of time: "1h", "30d", timedelta, numpy.timedelta64, or nanoseconds.
IntervalLike = Union[str, int, _datetime.timedelta, np.timedelta64]

_EPOCH = _datetime.datetime(1970, 1, 1, tzinfo=_datetime.timezone.utc)


def nanoseconds(time: Optional[TimeLike], default: int = TIME_MAX) -> int:
    """Nanoseconds since 1970-01-01T00:00:00Z; a time without a zone is UTC, and None is ``default``.

    >>> nanoseconds("2023-12-30")
    1703894400000000000
    """
    if time is None:
        return default
    if isinstance(time, str):
        return int(_native.csm_time_parse(time))
    if isinstance(time, (int, np.integer)) and not isinstance(time, bool):
        return int(time)
    if isinstance(time, np.datetime64):
        return int(time.astype("datetime64[ns]").astype(np.int64))
    if hasattr(time, "value") and hasattr(time, "nanosecond"):  # pandas.Timestamp, whose tz is in .value already
        return int(time.value)
    if isinstance(time, _datetime.datetime):
        aware = time if time.tzinfo else time.replace(tzinfo=_datetime.timezone.utc)
        delta = aware - _EPOCH
        return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds * 1000
    if isinstance(time, _datetime.date):
        return (time - _EPOCH.date()).days * DAY
    raise TypeError(f"{type(time).__name__} is not a time: give text, datetime, Timestamp, datetime64 or nanoseconds")


def interval(length: IntervalLike) -> int:
    """Nanoseconds of a length of time.

    >>> interval("30d") == 30 * DAY
    True
    """
    if isinstance(length, str):
        return int(_native.csm_interval_parse(length))
    if isinstance(length, (int, np.integer)) and not isinstance(length, bool):
        return int(length)
    if isinstance(length, np.timedelta64):
        return int(length.astype("timedelta64[ns]").astype(np.int64))
    if isinstance(length, _datetime.timedelta):
        return (length.days * 86_400 + length.seconds) * SECOND + length.microseconds * 1000
    raise TypeError(f"{type(length).__name__} is not a length of time: give '1h', a timedelta or nanoseconds")


def interval_text(length: int) -> str:
    """The shortest name of a length: ``"30d"``."""
    return str(_native.csm_interval_format(length))


def time_text(time: int) -> str:
    """RFC 3339 in UTC; "" for a time that is not known."""
    return "" if time in (TIME_MIN, TIME_MAX) else str(_native.csm_time_format(time))


def time_array(times: Any) -> np.ndarray[Any, Any]:
    """Nanoseconds (int64, contiguous) of a DatetimeIndex, a datetime64 array or an int64 array, without a copy if it can be."""
    if hasattr(times, "tz") and times.tz is not None:  # DatetimeIndex in any zone
        times = times.tz_convert("UTC").tz_localize(None)
    elif hasattr(times, "dt") and getattr(times.dt, "tz", None) is not None:  # Series
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    array = np.asarray(times)
    if array.dtype.kind == "M":
        array = array.astype("datetime64[ns]", copy=False).view(np.int64)
    if array.dtype != np.int64:
        raise TypeError(f"times have dtype {array.dtype}, and must be datetime64 or int64 (nanoseconds)")
    if array.ndim != 1:
        raise ValueError(f"times have {array.ndim} dimensions, and must have 1")
    return np.ascontiguousarray(array)


def utc_index(times: Any, name: Optional[str] = "time") -> Any:
    """A pandas.DatetimeIndex in UTC of int64 nanoseconds; unknown times are NaT."""
    import pandas as pd

    array = np.array(times, dtype=np.int64)
    array[array == TIME_MAX] = TIME_MIN  # NaT
    return pd.DatetimeIndex(array.view("datetime64[ns]"), name=name).tz_localize("UTC")
