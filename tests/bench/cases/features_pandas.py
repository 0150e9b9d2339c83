# SPDX-License-Identifier: MIT
"""The whole feature matrix of spine-1 (without sentiment) over recorded hourly candles, as float32 rows: ours on all
processors; the same formulas in pandas on wide frames, which is its fastest form, on one thread, which is all it has."""
import os
import sys

from frame import BUILD, QUICK, ROOT, Case, Program, Work

SERIES, BARS = (4, 2000) if QUICK else (24, 20000)


def prepare():
    import numpy as np
    import pandas as pd

    import candles

    sys.path.insert(0, os.path.join(ROOT, "tests", "fuse", "golden"))
    import features_pandas

    data, origin = candles.hourly(SERIES, BARS)
    folder = os.path.join(BUILD, "features")
    os.makedirs(folder, exist_ok=True)
    paths = [os.path.join(folder, "candles.bin"), os.path.join(folder, "matrix.bin")]
    with open(paths[0], "wb") as file:
        np.array([SERIES, BARS], dtype=np.uint64).tofile(file)
        data.tofile(file)
    threads = os.cpu_count()
    program = Program("features_pandas", *paths, str(threads))
    index = pd.date_range("2021-01-01", periods=BARS, freq="h", tz="UTC")
    coins = ["BTC"] + [f"C{i}" for i in range(1, SERIES)]
    wide = [pd.DataFrame(np.ascontiguousarray(data[:, k].T), index, coins) for k in range(5)]
    kept = {}

    def peer():
        features = features_pandas.spine_1(features_pandas.Panel(*wide))
        whole = np.empty((SERIES, BARS, len(features)), np.float32)
        for f, (_, frame) in enumerate(features):
            whole[:, :, f] = frame.to_numpy().T
        rows = whole.reshape(-1, len(features))
        kept["rows"] = rows[np.isfinite(rows).all(axis=1)]

    def quality():
        """Rows of either side and, for ours, whether any value is off by more than 1 in 1000 of its column's spread."""
        theirs = kept["rows"]
        ours = np.fromfile(paths[1], np.float32).reshape(-1, theirs.shape[1])
        # recursive indicators give values before their seed is forgotten; ours waits for the recipe's memory
        per_coin = len(ours) // SERIES
        theirs = theirs.reshape(SERIES, -1, theirs.shape[1])[:, -per_coin:].reshape(ours.shape)
        difference = np.abs(ours.astype(float) - theirs) / theirs.std(axis=0, dtype=float).clip(1e-12)
        return float(np.quantile(difference, 0.9999)), 0.0

    note = (f"{SERIES} x {BARS} x 118, {origin}, ours {threads} threads, pandas {pd.__version__} 1 thread; quality is the "
            "difference in standard deviations that one value in 10,000 exceeds")
    work = Work(lambda: program.run("ours"), peer, quality, note, program.close)
    work.peak_mb = program.peak_mb
    return work


CASES = [Case("features-pandas", "features", "pandas", 50, prepare, ["pandas"])]
