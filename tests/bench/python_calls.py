#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What Python costs: import time, a scalar call beside the same call from C, and whether large arrays are copied.

Run it with the Python in which cryptosmart is installed: PYTHON tests/bench/python_calls.py. Exit code 1 when a scalar call costs more than
1 microsecond over C, or when anything is copied that should not be.
"""
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import timeit

import numpy as np

import cryptosmart as cs
from cryptosmart import _native, indicators, model

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
FLOOR_NS = 1000.0

C = r"""
#include <cryptosmart/cryptosmart.h>
#include <stdio.h>
#include <time.h>
int main(void) {
    struct timespec a, b;
    volatile double sum = 0;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (uint64_t i = 0; i < 5000000; i++) sum += csm_random_uniform(1, 2, i);
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("%f\n", ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / 5e6);
    return 0;
}
"""


def library():
    return re.search(r"\S*/libcryptosmart\.so\S*", pathlib.Path("/proc/self/maps").read_text()).group()


def c_call_ns():
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder, "call.c"), pathlib.Path(folder, "call")
        source.write_text(C)
        so = library()
        subprocess.run(["cc", "-O2", f"-I{ROOT / 'include'}", str(source), so, f"-Wl,-rpath,{os.path.dirname(so)}", "-o", str(program)], check=True)
        return statistics.median(float(subprocess.run([program], check=True, capture_output=True).stdout) for _ in range(ROUNDS))


def call_ns(statement, names, number=500_000):
    empty = min(timeit.repeat("pass", number=number, repeat=ROUNDS))
    return (statistics.median(timeit.repeat(statement, globals=names, number=number, repeat=ROUNDS)) - empty) / number * 1e9


def import_ms():
    """Of cryptosmart, and of NumPy alone, each in a fresh interpreter."""
    code = "import time; t = time.perf_counter(); import {}; print((time.perf_counter() - t) * 1e3)"
    return {name: round(statistics.median(float(subprocess.run([sys.executable, "-c", code.format(name)], check=True, capture_output=True).stdout)
                                          for _ in range(ROUNDS)), 1) for name in ("numpy", "cryptosmart")}  # fmt: skip


def copies():
    """Bytes that crossing the border copies: growth of the process's peak memory during a call on 256 MB."""
    import resource

    x = np.zeros((8_000_000, 4))
    x[:, 0] = np.arange(len(x)) % 7
    trees = model.train("gbt", x[:1000], x[:1000, 0].copy(), rounds=1, min_rows=5)
    out = np.empty((len(x), 1))
    trees.predict(x[:10], out=out[:10])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with cs.Context(threads=1) as context:
        assert trees.predict(x, out=out, context=context) is out
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return round(grown, 1)


def main():
    names = {"f": _native.csm_random_uniform, "context": cs.Context()._handle, "threads": _native.csm_context_threads,
             "row": np.zeros(3, np.float32), "out": np.empty(1), "stream": indicators.Stream("sma", period=20)}  # fmt: skip
    x = np.random.default_rng(0).normal(size=(300, 3))
    names["predictor"] = model.Predictor(model.train("gbt", x, x[:, 0].copy(), rounds=20, min_rows=5))
    in_c = c_call_ns()
    found = {
        "import_ms": import_ms(),
        "c_call_ns": round(in_c, 1),
        "python_call_ns": round(call_ns("f(1, 2, 3)", names), 1),
        "context_property_ns": round(call_ns("threads(context)", names), 1),
        "predict_one_row_ns": round(call_ns("predictor.row(row, out)", names, 100_000), 1),
        "push_one_bar_ns": round(call_ns("stream.push(close=1.0)", names, 100_000), 1),
        "grown_mb_of_256": copies(),
    }
    found["overhead_ns"] = round(found["python_call_ns"] - in_c, 1)
    print(json.dumps(found, indent=2))
    return found["overhead_ns"] > FLOOR_NS or found["grown_mb_of_256"] > 16


if __name__ == "__main__":
    sys.exit(main())
