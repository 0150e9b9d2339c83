# SPDX-License-Identifier: MIT
"""TA-Lib's C functions out of its Python wheel, called directly with outputs allocated beforehand: no array is made and
no NaN looked for inside the measured time, which favours the peer over its own Python functions."""
import ctypes
import glob
import importlib.util
import os

import numpy as np

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)
HLC = (HIGH, LOW, CLOSE)

# ours: (name, parameters), and the peer's: (function, columns, arguments as int or float, outputs, our output of each).
# Where TA-Lib needs several calls for the outputs of one of ours (ADX and its DI, AROON and its oscillator), it is
# asked for the first only, while ours computes and writes them all.
INDICATORS = [
    (("sma", (20,)), ("SMA", (CLOSE,), (20,), 1, (0,))),
    (("ema", (20,)), ("EMA", (CLOSE,), (20,), 1, (0,))),
    (("wma", (20,)), ("WMA", (CLOSE,), (20,), 1, (0,))),
    (("dema", (20,)), ("DEMA", (CLOSE,), (20,), 1, (0,))),
    (("tema", (20,)), ("TEMA", (CLOSE,), (20,), 1, (0,))),
    (("kama", (30,)), ("KAMA", (CLOSE,), (30,), 1, (0,))),
    (("trix", (15,)), ("TRIX", (CLOSE,), (15,), 1, (0,))),
    (("macd", (12, 26, 9)), ("MACD", (CLOSE,), (12, 26, 9), 3, (0, 1, 2))),
    (("adx", (14,)), ("ADX", HLC, (14,), 1, (0,))),
    (("aroon", (14,)), ("AROON", (HIGH, LOW), (14,), 2, (1, 0))),
    (("rsi", (14,)), ("RSI", (CLOSE,), (14,), 1, (0,))),
    (("cmo", (14,)), ("CMO", (CLOSE,), (14,), 1, (0,))),
    (("stoch", (14, 3, 3)), ("STOCH", HLC, (14, 3, 0, 3, 0), 2, (0, 1))),
    (("cci", (20,)), ("CCI", HLC, (20,), 1, (0,))),
    (("roc", (10,)), ("ROC", (CLOSE,), (10,), 1, (0,))),
    (("mom", (10,)), ("MOM", (CLOSE,), (10,), 1, (0,))),
    (("willr", (14,)), ("WILLR", HLC, (14,), 1, (0,))),
    (("ppo", (12, 26)), ("PPO", (CLOSE,), (12, 26, 1), 1, (0,))),
    (("ultosc", (7, 14, 28)), ("ULTOSC", HLC, (7, 14, 28), 1, (0,))),
    (("mfi", (14,)), ("MFI", HLC + (VOLUME,), (14,), 1, (0,))),
    (("bop", ()), ("BOP", (OPEN,) + HLC, (), 1, (0,))),
    (("atr", (14,)), ("ATR", HLC, (14,), 1, (0,))),
    (("natr", (14,)), ("NATR", HLC, (14,), 1, (0,))),
    (("true_range", ()), ("TRANGE", HLC, (), 1, (0,))),
    (("bbands", (20, 2.0)), ("BBANDS", (CLOSE,), (20, 2.0, 2.0, 0), 3, (0, 1, 2))),
    (("stddev", (20,)), ("STDDEV", (CLOSE,), (20, 1.0), 1, (0,))),
    (("obv", ()), ("OBV", (CLOSE, VOLUME), (), 1, (0,))),
    (("ad", ()), ("AD", HLC + (VOLUME,), (), 1, (0,))),
    (("adosc", (3, 10)), ("ADOSC", HLC + (VOLUME,), (3, 10), 1, (0,))),
    (("minmax", (20,)), ("MINMAX", (CLOSE,), (20,), 2, (0, 1))),
]


def path():
    """The C library inside the wheel."""
    package = os.path.dirname(importlib.util.find_spec("talib").origin)
    libraries = glob.glob(os.path.join(os.path.dirname(package), "ta_lib.libs", "libta*lib*.so*"))
    if not libraries:
        raise RuntimeError("this TA-Lib wheel carries no shared C library")
    return libraries[0]


def load():
    library = ctypes.CDLL(path())
    if library.TA_Initialize() != 0:
        raise RuntimeError("TA_Initialize failed")
    return library


class Call:
    """One TA-Lib function bound to its parameters; `run` takes pointers to columns and outputs."""

    def __init__(self, library, row, bars):
        name, self.columns, arguments, self.output_count, self.ours = row
        self.function = getattr(library, "TA_" + name)
        self.arguments = [ctypes.c_double(a) if isinstance(a, float) else ctypes.c_int(a) for a in arguments]
        self.bars = bars
        self.begin, self.count = ctypes.c_int(), ctypes.c_int()

    def run(self, columns, outputs):
        status = self.function(ctypes.c_int(0), ctypes.c_int(self.bars - 1),
                               *(ctypes.c_void_p(columns[k]) for k in self.columns), *self.arguments,
                               ctypes.byref(self.begin), ctypes.byref(self.count),
                               *(ctypes.c_void_p(o) for o in outputs[: self.output_count]))
        if status != 0:
            raise RuntimeError(f"TA-Lib gave {status}")


def greatest_difference(ours, theirs):
    """Largest difference relative to the column's own size."""
    return float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))
