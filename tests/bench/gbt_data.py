# SPDX-License-Identifier: MIT
"""The matrices that trees are measured on.

hourly(): recorded hourly candles as rows of 120 float32 features (8 quantities over 15 windows); y is whether the next 24 hours
gain more than 1 %, r that return. The last fifth in time is the test, a day before it is left out.
public(): a task of the shape of a well-known public one (HIGGS: 1 M rows x 28), made by a fixed formula, since nothing is downloaded.
"""
import os

import numpy as np

from frame import BUILD, QUICK

WINDOWS = (2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 96, 168, 240, 336)
HORIZON = 24
WARM = WINDOWS[-1] + 1


def rolling_mean(x, w):
    total = np.concatenate(([0.0], np.cumsum(x)))
    out = np.full(len(x), np.nan)
    out[w - 1 :] = (total[w:] - total[:-w]) / w
    return out


def rolling_max(x, w):
    """By doubling: the maximum over w is that of two overlapping windows of a power of two."""
    out, span = x.copy(), 1
    while 2 * span <= w:
        out[span:] = np.maximum(out[span:], out[:-span])
        span *= 2
    shift = w - span
    if shift:
        out[shift:] = np.maximum(out[shift:], out[:-shift])
    return out


def features(open_, high, low, close, volume):
    """(bars, 120) of one series."""
    with np.errstate(all="ignore"):
        log = np.log(close)
        step = np.diff(log, prepend=log[0])
        spread = np.log(high / low)
        scaled = np.log1p(volume)
    columns = []
    for w in WINDOWS:
        past = np.full(len(log), np.nan)
        past[w:] = log[w:] - log[:-w]
        mean, square = rolling_mean(step, w), rolling_mean(step * step, w)
        deviation = np.sqrt(np.maximum(square - mean * mean, 0))
        columns += [past, deviation, rolling_mean(np.abs(step), w), log - rolling_max(log, w), log + rolling_max(-log, w),
                    scaled - rolling_mean(scaled, w), rolling_mean(step**3, w), rolling_mean(spread, w)]
    return np.stack(columns, axis=1)


def hourly(series=60, bars=20000):
    """x_train, y_train, r_train, x_test, y_test, r_test, origin; x row-major float32."""
    import candles

    if QUICK:
        series, bars = 3, 3000
    cache = os.path.join(BUILD, f"gbt-hourly-{series}-{bars}.npz")
    data, origin = candles.hourly(series, bars)
    if not os.path.exists(cache):
        rows, outcome, hour = [], [], []
        for s in range(series):
            columns = data[s]
            x = features(*columns)
            log = np.log(columns[3])
            r = log[HORIZON:] - log[:-HORIZON]
            rows.append(x[WARM:-HORIZON].astype(np.float32))
            outcome.append(r[WARM:])
            hour.append(np.arange(WARM, bars - HORIZON))
        x, r, hour = np.concatenate(rows), np.concatenate(outcome), np.concatenate(hour)
        keep = np.isfinite(x).all(axis=1) & np.isfinite(r)
        np.savez(cache, x=x[keep], r=r[keep], hour=hour[keep])
    with np.load(cache) as file:
        x, r, hour = file["x"], file["r"], file["hour"]
    cut = bars - (bars - WARM) // 5
    learn, check = hour < cut - HORIZON, hour >= cut
    y = (r > np.log(1.01)).astype(np.float64)
    return x[learn], y[learn], r[learn], x[check], y[check], r[check], origin


def public(rows=1_000_000, features_=28, tests=200_000):
    if QUICK:
        rows, tests = 5000, 2000
    random = np.random.default_rng(1)
    x = random.standard_normal((rows + tests, features_), dtype=np.float32)
    x[:, ::3] = np.exp(0.5 * x[:, ::3])
    odds = (x[:, 0] - 1) * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * x[:, 4] * x[:, 5] - 0.7 * np.abs(x[:, 7]) + 0.3 * x[:, 10]
    y = (random.random(rows + tests) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    return x[:rows], y[:rows], x[rows:], y[rows:], "a formula of 7 of 28 features with noise"


def auc(y, score):
    order = np.argsort(score, kind="stable")
    ranked, y = score[order], y[order]
    ends = np.flatnonzero(np.diff(ranked, append=np.inf))
    starts = np.concatenate(([0], ends[:-1] + 1))
    rank = np.repeat((starts + ends) / 2 + 1, ends - starts + 1)
    ones = y > 0
    n = ones.sum()
    return float((rank[ones].sum() - n * (n + 1) / 2) / (n * (len(y) - n)))
