# SPDX-License-Identifier: MIT
"""C, Python and C# make the same bits of the same file: tests/bindings/same/same.c says what is computed, and how it is written."""
import os
import pathlib
import re
import shutil
import subprocess

import cryptosmart as cs
import numpy as np
import pytest
from cryptosmart import _native, indicators, model

ROOT = pathlib.Path(__file__).resolve().parents[3]
SAME = ROOT / "tests" / "bindings" / "same"
WINDOW = 6


def library():
    """The library that this process has loaded."""
    maps = pathlib.Path("/proc/self/maps").read_text()
    return pathlib.Path(re.search(r"\S*/libcryptosmart\.so\S*", maps).group())


@pytest.fixture(scope="module")
def of_c(tmp_path_factory):
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("there is no C compiler")
    program, so = tmp_path_factory.mktemp("c") / "same", library()
    sanitize = ["-fsanitize=address,undefined"] if b"__asan_init" in so.read_bytes() else []
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    subprocess.run([compiler, "-std=c11", "-O1", *sanitize, f"-I{ROOT / 'include'}", str(SAME / "same.c"), str(so),
                    f"-Wl,-rpath,{so.parent}", "-Wl,--allow-shlib-undefined", "-o", str(program)], check=True, env=environment)  # fmt: skip
    found = subprocess.run([str(program), str(SAME / "bars.csv")], check=True, capture_output=True, text=True, env=environment)
    return found.stdout.splitlines()


def lines(name, values):
    flat = np.ascontiguousarray(values, dtype=np.float64).reshape(-1)
    return [f"{name} {i} {bits:016x}" for i, bits in enumerate(flat.view(np.uint64))]


def of_python():
    table = np.loadtxt(SAME / "bars.csv", delimiter=",", skiprows=1)
    when = table[:, 0].astype(np.int64) * 1_000_000_000
    columns = {name: np.ascontiguousarray(table[:, i + 1]) for i, name in enumerate(("open", "high", "low", "close", "volume"))}
    out = []
    for row in indicators.table():
        values = indicators.run(row.name, columns, times=when)
        for i in range(row.output_count):
            out += lines(f"indicator.{row.name}.{i}", values[:, i])
    o, h, low, c, v = columns.values()
    x = np.column_stack([c / o - 1, (h - low) / c, v / 1000, np.arange(len(c)) % 24]).astype(np.float32)[:-1]
    y = (c[1:] > c[:-1]).astype(float)
    with cs.Context() as context:
        trees = model.train("gbt", x, y, objective="logistic", rounds=20, min_rows=5, context=context)
        score = trees.predict(x, context=context)
        out += lines("trees", score)
        contributions, expected = trees.shap(x, context=context)
        out += lines("shap", np.column_stack([contributions, np.broadcast_to(expected, (len(x), 1))]))
        ends = np.arange(WINDOW - 1, len(x), dtype=np.int64)
        lstm = model.train("lstm", x, y[WINDOW - 1 :], objective="logistic", window_end=ends, window=WINDOW, hidden=4, epochs=1, context=context)
        out += lines("lstm", lstm.predict(x, window_end=ends, context=context))
    out += lines("calibrated", cs.Calibrator("Platt", blocks=40).fit(score[:, 0], y).predict(score[:, 0]))
    return out + lines("normal", [_native.csm_random_normal(1, 2, i) for i in range(10)])


def test_python_gives_the_bits_of_c(of_c):
    found = of_python()
    assert len(found) > 30000
    assert found == of_c


def test_a_column_of_a_wider_array_gives_them_too(of_c):
    close = np.loadtxt(SAME / "bars.csv", delimiter=",", skiprows=1, usecols=4)
    wide = np.zeros((len(close), 4))
    indicators.run("rsi", {"close": close}, out=wide[:, 2:3])
    assert lines("indicator.rsi.0", wide[:, 2]) == [line for line in of_c if line.startswith("indicator.rsi.0 ")]
    assert (wide[:, [0, 1, 3]] == 0).all()
