# SPDX-License-Identifier: MIT
"""Writes conformal_online.txt beside it: the recursions of Gibbs & Candes (2021, equation 2) and of Angelopoulos, Candes & Tibshirani
(2023, equations 3 and 5, without a scorecaster) in plain numpy, with the quantile of split conformal prediction taken by numpy."""
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(51)
residual = np.round(rng.standard_t(4, size=600) * np.where(np.arange(600) < 300, 1.0, 2.5), 4)
size, alpha, window = np.abs(residual), 0.1, 50


def adaptive(step):
    level, radii = alpha, []
    for t in range(len(size)):
        seen = size[max(0, t - window):t]
        if level <= 0:
            radius = np.inf
        elif level >= 1:
            radius = 0.0
        else:
            radius = np.quantile(np.append(seen, np.inf), 1 - level, method="inverted_cdf")
        radii.append(radius)
        level += step * (alpha - (size[t] > radius))
    return radii


def pid(step, gain, saturation, start):
    tracked, missed, radius, radii = start, 0, start, []
    for t in range(len(size)):
        radii.append(radius)
        miss = float(size[t] > radius)
        missed += miss
        tracked += step * size[max(0, t - window + 1):t + 1].max() * (miss - alpha)
        n = t + 1
        radius = max(0.0, tracked + gain * np.tan((missed - alpha * n) * np.log(n + 1) / (saturation * (n + 1))))
    return radii


rows = zip(residual, adaptive(0.005), adaptive(0.05), pid(0.1, 0.0, 5.0, 1.0), pid(0.05, 2.0, 5.0, 1.0))
with open(os.path.join(HERE, "conformal_online.txt"), "w") as out:
    out.write(f"# residual, radius issued with it: adaptive 0.005, adaptive 0.05, PID 0.1, PID 0.05 gain 2; numpy {np.__version__}; "
              "made by make_conformal.py\n")
    for row in rows:
        out.write(" ".join(repr(float(v)) for v in row) + "\n")
