#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tune_parzen.txt: log densities of Optuna's multivariate Parzen estimator over four kinds of axes.

The density is in coordinates of [0, 1] along real axes, so the logarithm of each real axis' extent is added.
"""
import math
import pathlib
import warnings

import numpy as np
import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_weights

HERE = pathlib.Path(__file__).parent
SPACE = {"a": FloatDistribution(-5, 5), "b": FloatDistribution(1e-3, 1, log=True),
         "c": IntDistribution(0, 60), "d": IntDistribution(2, 256, log=True)}


def observations(rng, n):
    """Whole numbers without repetition: which of two equal ones is called the left one is numpy's sort's affair."""
    return {"a": rng.uniform(-5, 5, n), "b": np.exp(rng.uniform(math.log(1e-3), 0, n)),
            "c": rng.permutation(61)[:n].astype(float), "d": 2 + rng.permutation(255)[:n].astype(float)}


def write_parzen():
    rng = np.random.default_rng(7)
    with open(HERE / "tune_parzen.txt", "w") as out:
        out.write(f"# set observation=0/point=1 a b c d log_density; optuna {optuna.__version__}; made by make_tune.py\n")
        for number, n in enumerate((1, 2, 5, 24, 25, 40)):
            seen, points = observations(rng, n), observations(rng, 20)
            parzen = _ParzenEstimator(seen, SPACE, _ParzenEstimatorParameters(1.0, True, False, default_weights, True))
            density = parzen.log_pdf(points) + math.log(10) + math.log(math.log(1e3))
            for kind, rows, last in ((0, seen, np.zeros(n)), (1, points, density)):
                for i in range(len(last)):
                    out.write(f"{number} {kind} " + " ".join(repr(float(rows[k][i])) for k in "abcd") + f" {float(last[i])!r}\n")


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    write_parzen()
