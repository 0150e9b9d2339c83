# SPDX-License-Identifier: MIT
"""A C program and Python make the same bits of the same file (tests/bindings/same_bits.c says what is computed)."""
import pathlib
import re
import shutil
import subprocess

import cryptosmart as cs
import numpy as np
import pytest
from cryptosmart import calibrate, indicators, model

ROOT = pathlib.Path(__file__).resolve().parents[3]
CANDLES = ROOT / "tests" / "bindings" / "candles.csv"
FIRST, WINDOW = 60, 6


def library():
    """The library that this process has loaded."""
    maps = pathlib.Path("/proc/self/maps").read_text()
    return pathlib.Path(re.search(r"\S*/libcryptosmart\.so\S*", maps).group())


@pytest.fixture(scope="module")
def of_c(tmp_path_factory):
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("there is no C compiler")
    program, so = tmp_path_factory.mktemp("c") / "same_bits", library()
    sanitize = ["-fsanitize=address,undefined"] if b"__asan_init" in so.read_bytes() else []
    subprocess.run([compiler, "-std=c11", "-O1", *sanitize, f"-I{ROOT / 'include'}", str(CANDLES.with_name("same_bits.c")), str(so),
                    f"-Wl,-rpath,{so.parent}", "-o", str(program)], check=True)  # fmt: skip
    import os

    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    return subprocess.run([str(program), str(CANDLES)], check=True, capture_output=True, text=True, env=environment).stdout.splitlines()


def lines(name, values):
    flat = np.ascontiguousarray(values, dtype=np.float64).reshape(-1)
    return [f"{name} {i} {bits:016x}" for i, bits in enumerate(flat.view(np.uint64)) if not np.isnan(flat[i])]


def of_python():
    opened, high, low, close, volume = np.loadtxt(CANDLES, delimiter=",", unpack=True)
    context, out = cs.Context(seed=7, threads=2), []
    columns = {"open": opened, "high": high, "low": low, "close": close, "volume": volume}
    found = {name: indicators.run(name, columns) for name in ("rsi", "macd", "atr")}
    for name, values in found.items():
        out += lines(name, values)
    x = np.column_stack([found["rsi"][:, 0], found["macd"][:, 2], found["atr"][:, 0] / close])[FIRST:-1]
    y = (close[1:] > close[:-1]).astype(float)[FIRST:]
    trees = model.train("gbt", x, y, objective="logistic", rounds=12, leaves=7, min_rows=10, context=context)
    score = trees.predict(x, context=context)[:, 0]
    out += lines("trees", score)
    ends = np.arange(WINDOW - 1, len(x), dtype=np.int64)
    lstm = model.train("lstm", x, y[ends], objective="logistic", window_end=ends, window=WINDOW, hidden=4, epochs=1, context=context)
    out += lines("lstm", lstm.predict(x, window_end=ends, context=context))
    probability = cs.Calibrator("Platt").fit(score, y).predict(score)
    out += lines("platt", probability)
    hours = np.arange(len(y), dtype=np.int64) * 3_600_000_000_000
    brier = calibrate.scores(hours, y, probability, horizon="1h", context=context).brier
    return out + lines("brier", brier) + lines("spearman", calibrate.spearman(score, y))


def test_python_gives_the_bits_of_c(of_c):
    found = of_python()
    assert len(found) > 4000
    assert found == of_c


def test_a_view_of_every_other_column_gives_them_too(of_c):
    close = np.loadtxt(CANDLES, delimiter=",", usecols=3)
    wide = np.zeros((len(close), 4), np.float64)
    out = wide[:, 1:4:2]
    macd = np.empty((len(close), 3))
    indicators.run("macd", {"close": close}, out=macd)
    single = out[:, :1]
    indicators.run("rsi", {"close": close}, out=single)
    expected = [line for line in of_c if line.startswith("rsi ")]
    assert lines("rsi", single.copy()) == expected
