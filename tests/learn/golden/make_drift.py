# SPDX-License-Identifier: MIT
"""Writes drift_*.txt beside it, with river (ADWIN, Page-Hinkley) and scipy (Kolmogorov-Smirnov).

drift_stream.txt        one value a line: mean 0.2, then 0.5 from 400, then 0.1 from 900, then 0.1 with more noise
drift_adwin.txt         values seen at each alarm, window and its mean and variance after it (river's AdaptiveWindowing)
drift_page_hinkley.txt  values seen at each alarm, rises or falls
drift_samples.txt       two samples with ties; drift_ks.txt: lengths, scipy's statistic, kstwobign of it, PSI over 10 bins by numpy
"""
import os

import numpy as np
import river
import scipy
import scipy.stats
from river import drift
from river.drift.adwin import AdaptiveWindowing

HERE = os.path.dirname(os.path.abspath(__file__))
ORIGIN = f"numpy {np.__version__}, scipy {scipy.__version__}, river {river.__version__}"


def write(name, title, rows):
    with open(os.path.join(HERE, name), "w") as out:
        out.write(f"# {title}; {ORIGIN}; made by make_drift.py\n")
        for row in rows:
            out.write(" ".join(repr(float(v)) for v in row) + "\n")


rng = np.random.default_rng(31)
level = np.concatenate([np.full(400, 0.2), np.full(500, 0.5), np.full(700, 0.1)])
stream = np.round(level + rng.normal(size=1600) * np.where(np.arange(1600) < 1200, 0.1, 0.2), 4)
write("drift_stream.txt", "value", [(v,) for v in stream])

windows, rows = AdaptiveWindowing(delta=0.002, clock=8, max_buckets=5, min_window_length=5, grace_period=10), []
for i, v in enumerate(stream, start=1):
    if windows.update(v):
        width = windows.get_width()
        rows.append((i, width, windows.get_total() / width, windows.get_variance()))
assert 2 <= len(rows) < 200
write("drift_adwin.txt", "values width mean variance, interval 8", rows)

test, rows = drift.PageHinkley(min_instances=30, delta=0.02, threshold=3.0, alpha=0.9999), []
for i, v in enumerate(stream, start=1):
    test.update(v)
    if test.drift_detected:
        rise = test._sum_increase - test._min_increase > test.threshold
        rows.append((i, 1 if rise else -1))
assert len(rows) >= 2
write("drift_page_hinkley.txt", "values direction, tolerance 0.02, threshold 3", rows)

a, b = np.round(rng.normal(size=900), 2), np.round(rng.normal(size=900) * 1.1 + 0.15, 2)
write("drift_samples.txt", "a b", zip(a, b))


def psi(reference, current, bins):
    ordered = np.sort(reference)
    edges = np.unique(ordered[[int(len(ordered) * k / bins) - 1 for k in range(1, bins)]])
    shares = []
    for values in (reference, current):
        count = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1).astype(float)
        shares.append(np.where(count > 0, count, 0.5) / len(values))
    return ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum()


rows = []
for n, m in ((1, 1), (5, 3), (20, 30), (100, 37), (900, 900), (900, 10), (333, 801)):
    statistic = scipy.stats.ks_2samp(a[:n], b[:m], method="asymp").statistic
    rows.append((n, m, statistic, scipy.stats.kstwobign.sf(statistic * np.sqrt(n * m / (n + m))),
                 psi(a[:n], b[:m], 10) if min(n, m) >= 10 else np.nan))
write("drift_ks.txt", "a b statistic p_value psi", rows)
