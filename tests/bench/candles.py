# SPDX-License-Identifier: MIT
"""Real hourly candles as (series, column, bar): column 0..4 are open, high, low, close, volume."""
import glob
import io
import lzma
import os

import numpy as np

from frame import BUILD, ROOT, SHARED

RECORDED = os.path.join(SHARED, "data", "market", "binance_spot_1h_2021_2023")
BUNDLED = os.path.join(ROOT, "examples", "data")


def read_csv(path):
    opener = lzma.open if path.endswith(".xz") else open
    with opener(path, "rb") as file:
        return np.loadtxt(io.BytesIO(file.read()), delimiter=",", skiprows=1, usecols=range(6))[:-1]


def hourly(series=704, bars=17520):
    """`series` stretches of `bars` consecutive recorded candles; returns (array, where they are from).

    A symbol with more candles than `bars` gives several stretches, each starting later than the one before; where the
    recorded set is absent, the bundled sample is repeated end to end."""
    cache = os.path.join(BUILD, f"hourly-{series}-{bars}.npy")
    if os.path.exists(cache):
        with open(cache + ".txt", encoding="utf-8") as file:
            return np.load(cache), file.read()
    paths = sorted(p for p in glob.glob(os.path.join(RECORDED, "*.csv.xz")))
    if paths:
        tables = [t for t in map(read_csv, paths) if len(t) >= bars]
        origin = f"{len(tables)} symbols of binance_spot_1h_2021_2023"
    else:
        paths = sorted(glob.glob(os.path.join(BUNDLED, "**", "*.csv*"), recursive=True))
        if not paths:
            raise RuntimeError(f"no candles: neither {RECORDED} nor a sample under {BUNDLED}")
        tables = [np.tile(t, (-(-bars // len(t)), 1)) for t in map(read_csv, paths)]
        origin = f"the bundled sample ({len(tables)} symbols), repeated"
    rounds = -(-series // len(tables))
    out = np.empty((series, 5, bars))
    for s in range(series):
        table, turn = tables[s % len(tables)], s // len(tables)
        start = (len(table) - bars) * turn // max(rounds - 1, 1)
        out[s] = table[start : start + bars, 1:6].T
    np.save(cache, out)
    with open(cache + ".txt", "w", encoding="utf-8") as file:
        file.write(origin)
    return out, origin
