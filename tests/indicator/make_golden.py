# SPDX-License-Identifier: MIT
"""Writes golden/values.txt: what other implementations make of golden/bars.txt.

Where TA-Lib has the indicator, its C library computes it (package TA-Lib from PyPI). Everything else is computed here
from its published formula, window by window, with NumPy: slow, plain and sharing nothing with the library's code.

    python3 -m venv v && v/bin/pip install numpy TA-Lib && v/bin/python tests/indicator/make_golden.py
"""
import math
import os

import numpy as np
import talib

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
BARS = np.loadtxt(os.path.join(FOLDER, "bars.txt"), comments="#")
OPEN, HIGH, LOW, CLOSE, VOLUME = (np.ascontiguousarray(BARS[:, k]) for k in range(1, 6))
N = len(CLOSE)
NAN = float("nan")


def windows(n, f, first=0):
    """f(slice of the last n bars) for each bar from `first` + n - 1 on."""
    out = np.full(N, NAN)
    for t in range(first + n - 1, N):
        out[t] = f(slice(t - n + 1, t + 1))
    return out


def average(x, n, k=None):
    """Exponential average seeded with the mean of the first n numbers of x."""
    k = 2 / (n + 1) if k is None else k
    out = np.full(N, NAN)
    start = int(np.argmax(~np.isnan(x)))
    out[start + n - 1] = np.mean(x[start : start + n])
    for t in range(start + n, N):
        out[t] = out[t - 1] + k * (x[t] - out[t - 1])
    return out


def ratio(x, y, n):
    out = np.full(N, NAN)
    out[n:] = x[n:] / y[:-n] if y is x else x[n:] / y[n:]
    return out


TYPICAL = (HIGH + LOW + CLOSE) / 3
RETURN = np.concatenate([[NAN], np.log(CLOSE[1:] / CLOSE[:-1])])
CHANGE = np.concatenate([[NAN], CLOSE[1:] - CLOSE[:-1]])
LAST = np.concatenate([[NAN], CLOSE[:-1]])
RANGE = np.concatenate([[NAN], np.maximum(HIGH, LAST)[1:] - np.minimum(LOW, LAST)[1:]])
FLOW = np.where(HIGH > LOW, (2 * CLOSE - HIGH - LOW) / np.where(HIGH > LOW, HIGH - LOW, 1), 0) * VOLUME


def wma(x, n):
    weights = np.arange(1, n + 1) / (n * (n + 1) / 2)
    return windows(n, lambda w: weights @ x[w], int(np.argmax(~np.isnan(x))))


def hma(n):
    return wma(2 * wma(CLOSE, n // 2) - wma(CLOSE, n), int(math.sqrt(n)))


def middle(n):
    return windows(n, lambda w: (HIGH[w].max() + LOW[w].min()) / 2)


def linreg(n):
    r2 = windows(n, lambda w: np.corrcoef(np.arange(n), CLOSE[w])[0, 1] ** 2)
    return talib.LINEARREG(CLOSE, n), talib.LINEARREG_SLOPE(CLOSE, n), r2


def vortex(n):
    plus, minus = np.full(N, NAN), np.full(N, NAN)
    plus[1:], minus[1:] = np.abs(HIGH[1:] - LOW[:-1]), np.abs(LOW[1:] - HIGH[:-1])
    total = windows(n, lambda w: RANGE[w].sum(), 1)
    return windows(n, lambda w: plus[w].sum(), 1) / total, windows(n, lambda w: minus[w].sum(), 1) / total


def macd(f, s, g):
    return talib.MACD(CLOSE, f, s, g)


def adx(n):
    return (talib.ADX(HIGH, LOW, CLOSE, n), talib.PLUS_DI(HIGH, LOW, CLOSE, n), talib.MINUS_DI(HIGH, LOW, CLOSE, n))


def aroon(n):
    down, up = talib.AROON(HIGH, LOW, n)
    return up, down, talib.AROONOSC(HIGH, LOW, n)


def tsi(long, short):
    smooth = average(average(CHANGE, long), short)
    return 100 * smooth / average(average(np.abs(CHANGE), long), short)


def bbands(n, width):
    upper, centre, lower = talib.BBANDS(CLOSE, n, width, width)
    return upper, centre, lower, (CLOSE - lower) / (upper - lower)


def keltner(n, a, m):
    centre, reach = talib.EMA(CLOSE, n), m * talib.ATR(HIGH, LOW, CLOSE, a)
    return centre + reach, centre, centre - reach


def ulcer(n):
    below = windows(n, lambda w: 100 * (CLOSE[w][-1] / CLOSE[w].max() - 1))
    return windows(n, lambda w: math.sqrt(np.mean(below[w] ** 2)), n - 1)


def choppiness(n):
    def one(w):
        return 100 * math.log10(RANGE[w].sum() / (HIGH[w].max() - LOW[w].min())) / math.log10(n)

    return windows(n, one, 1)


def rogers_satchell(n):
    terms = np.log(HIGH / CLOSE) * np.log(HIGH / OPEN) + np.log(LOW / CLOSE) * np.log(LOW / OPEN)
    return windows(n, lambda w: math.sqrt(terms[w].mean()))


def garman_klass(n):
    terms = 0.5 * np.log(HIGH / LOW) ** 2 - (2 * math.log(2) - 1) * np.log(CLOSE / OPEN) ** 2
    return windows(n, lambda w: math.sqrt(terms[w].mean()))


def vpt():
    out = np.cumsum(np.concatenate([[0], VOLUME[1:] * CHANGE[1:] / CLOSE[:-1]]))
    out[0] = NAN
    return out


def eom(n):
    half = (HIGH + LOW) / 2
    ease = np.concatenate([[NAN], (half[1:] - half[:-1]) * (HIGH - LOW)[1:] / VOLUME[1:]])
    return windows(n, lambda w: ease[w].mean(), 1)


def standardised(n, power):
    def one(w):
        d = RETURN[w] - RETURN[w].mean()
        return np.mean(d**power) / np.mean(d**2) ** (power / 2)

    return windows(n, one, 1)


def autocorrelation(n):
    earlier = np.concatenate([[NAN], RETURN[:-1]])
    return windows(n, lambda w: np.corrcoef(RETURN[w], earlier[w])[0, 1], 2)


def efficiency_ratio(n):
    out = np.full(N, NAN)
    for t in range(n, N):
        out[t] = abs(CLOSE[t] - CLOSE[t - n]) / np.abs(CHANGE[t - n + 1 : t + 1]).sum()
    return out


def variance_ratio(n, q):
    far = np.full(N, NAN)
    far[q:] = np.log(CLOSE[q:] / CLOSE[:-q])
    return windows(n, lambda w: far[w].var() / (q * RETURN[w].var()), q)


def log_return(n):
    return np.log(ratio(CLOSE, CLOSE, n))


T, P = "TA-Lib", "NumPy"
# name: (origin, function of the parameters, the parameters to try)
CASES = {
    "sma": (T, lambda n: talib.SMA(CLOSE, n), [(20,), (1,), (7,)]),
    "ema": (T, lambda n: talib.EMA(CLOSE, n), [(20,), (50,)]),
    "wma": (T, lambda n: talib.WMA(CLOSE, n), [(20,), (2,)]),
    "dema": (T, lambda n: talib.DEMA(CLOSE, n), [(20,), (5,)]),
    "tema": (T, lambda n: talib.TEMA(CLOSE, n), [(20,), (5,)]),
    "trima": (T, lambda n: talib.TRIMA(CLOSE, n), [(20,), (9,)]),
    "hma": (P, hma, [(20,), (9,)]),
    "kama": (T, lambda n: talib.KAMA(CLOSE, n), [(30,), (10,)]),
    "trix": (T, lambda n: talib.TRIX(CLOSE, n), [(15,), (4,)]),
    "macd": (T, macd, [(12, 26, 9), (5, 35, 5)]),
    "adx": (T, adx, [(14,), (5,)]),
    "aroon": (T, aroon, [(14,), (25,)]),
    "ichimoku": (P, lambda a, b, c: (middle(a), middle(b), (middle(a) + middle(b)) / 2, middle(c)), [(9, 26, 52)]),
    "linreg": ("TA-Lib (value, slope), NumPy (r2)", linreg, [(14,), (30,)]),
    "vortex": (P, vortex, [(14,)]),
    "rsi": (T, lambda n: talib.RSI(CLOSE, n), [(14,), (2,)]),
    "cmo": (T, lambda n: talib.CMO(CLOSE, n), [(14,), (6,)]),
    "stoch": (T, lambda n, k, d: talib.STOCH(HIGH, LOW, CLOSE, n, k, 0, d, 0), [(14, 3, 3), (5, 1, 4)]),
    "stochrsi": (T, lambda n, k, d: talib.STOCHRSI(CLOSE, n, k, d, 0), [(14, 14, 3), (14, 5, 3)]),
    "cci": (T, lambda n: talib.CCI(HIGH, LOW, CLOSE, n), [(20,), (14,)]),
    "roc": (T, lambda n: talib.ROC(CLOSE, n), [(10,), (1,)]),
    "mom": (T, lambda n: talib.MOM(CLOSE, n), [(10,)]),
    "willr": (T, lambda n: talib.WILLR(HIGH, LOW, CLOSE, n), [(14,)]),
    "ppo": (T, lambda f, s: talib.PPO(CLOSE, f, s, 1), [(12, 26)]),
    "ultosc": (T, lambda a, b, c: talib.ULTOSC(HIGH, LOW, CLOSE, a, b, c), [(7, 14, 28)]),
    "mfi": (T, lambda n: talib.MFI(HIGH, LOW, CLOSE, VOLUME, n), [(14,)]),
    "bop": (T, lambda: talib.BOP(OPEN, HIGH, LOW, CLOSE), [()]),
    "tsi": (P, tsi, [(25, 13)]),
    "ao": (P, lambda f, s: windows(f, lambda w: np.mean(HIGH[w] + LOW[w]) / 2)
           - windows(s, lambda w: np.mean(HIGH[w] + LOW[w]) / 2), [(5, 34)]),
    "true_range": (T, lambda: talib.TRANGE(HIGH, LOW, CLOSE), [()]),
    "atr": (T, lambda n: talib.ATR(HIGH, LOW, CLOSE, n), [(14,), (2,)]),
    "natr": (T, lambda n: talib.NATR(HIGH, LOW, CLOSE, n), [(14,)]),
    "bbands": ("TA-Lib (bands), NumPy (percent_b)", bbands, [(20, 2.0), (5, 1.5)]),
    "stddev": (T, lambda n: talib.STDDEV(CLOSE, n, 1.0), [(20,)]),
    "realised_volatility": (P, lambda n: windows(n, lambda w: math.sqrt((RETURN[w] ** 2).sum()), 1), [(24,)]),
    "parkinson": (P, lambda n: windows(n, lambda w: math.sqrt(np.mean(np.log(HIGH[w] / LOW[w]) ** 2)
                                                            / (4 * math.log(2)))), [(24,)]),
    "garman_klass": (P, garman_klass, [(24,)]),
    "rogers_satchell": (P, rogers_satchell, [(24,)]),
    "donchian": ("TA-Lib MAX and MIN", lambda n: (talib.MAX(HIGH, n), middle(n), talib.MIN(LOW, n)), [(20,)]),
    "keltner": ("TA-Lib EMA and ATR", keltner, [(20, 10, 2.0)]),
    "ulcer": (P, ulcer, [(14,)]),
    "choppiness": (P, choppiness, [(14,)]),
    "obv": (T, lambda: talib.OBV(CLOSE, VOLUME), [()]),
    "ad": (T, lambda: talib.AD(HIGH, LOW, CLOSE, VOLUME), [()]),
    "adosc": (T, lambda f, s: talib.ADOSC(HIGH, LOW, CLOSE, VOLUME, f, s), [(3, 10)]),
    "cmf": (P, lambda n: windows(n, lambda w: FLOW[w].sum() / VOLUME[w].sum()), [(20,)]),
    "vwap": (P, lambda n: windows(n, lambda w: TYPICAL[w] @ VOLUME[w] / VOLUME[w].sum()), [(24,)]),
    "force_index": (P, lambda n: average(CHANGE * VOLUME, n), [(13,)]),
    "vpt": (P, vpt, [()]),
    "eom": (P, eom, [(14,)]),
    "zscore": (P, lambda n: windows(n, lambda w: (CLOSE[w][-1] - CLOSE[w].mean()) / CLOSE[w].std()), [(20,)]),
    "skewness": (P, lambda n: standardised(n, 3), [(48,), (5,)]),
    "kurtosis": (P, lambda n: standardised(n, 4) - 3, [(48,), (5,)]),
    "minmax": (T, lambda n: talib.MINMAX(CLOSE, n), [(20,)]),
    "autocorrelation": (P, autocorrelation, [(48,)]),
    "drawdown": (P, lambda n: windows(n, lambda w: CLOSE[w][-1] / CLOSE[w].max() - 1), [(168,), (12,)]),
    "efficiency_ratio": (P, efficiency_ratio, [(10,)]),
    "log_return": (P, log_return, [(1,), (24,)]),
    "variance_ratio": (P, variance_ratio, [(168, 4), (40, 2)]),
}


def main():
    with open(os.path.join(FOLDER, "values.txt"), "w", encoding="ascii") as out:
        out.write(f"# Written by make_golden.py from bars.txt with TA-Lib {talib.__ta_version__.decode().split()[0]}"
                  f" (Python {talib.__version__}), NumPy {np.__version__}.\n")
        out.write("# case NAME PARAMETERS ; first bar with all outputs ; origin\n# bar outputs\n")
        for name, (origin, function, choices) in CASES.items():
            for parameters in choices:
                columns = function(*parameters)
                columns = columns if isinstance(columns, tuple) else (columns,)
                first = max(int(np.argmax(~np.isnan(c))) for c in columns)
                out.write(f"case {name} {' '.join(f'{p:g}' for p in parameters)} ; {first} ; {origin}\n")
                for t in sorted({first, first + 1, first + 2, *range(first + 9, N, 23), N - 1}):
                    out.write(f"{t} {' '.join(f'{c[t]:.15g}' for c in columns)}\n")


if __name__ == "__main__":
    main()
