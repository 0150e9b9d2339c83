# SPDX-License-Identifier: MIT
"""Writes luck_*.txt beside it, with scipy, statsmodels and arch; the first line of each file says with which.

luck_returns.txt      two series of returns, autocorrelated and skewed; luck_sharpe.txt: for each series and number of lags the
                      moments (scipy), the standard error of the mean (statsmodels, HAC), probabilistic and deflated ratio (formulas)
luck_panel.txt        returns of 7 strategies; luck_overfitting.txt: combinations, probability, median rank, loss by enumeration
luck_superior.txt     arch's SPA of each first 1..7 columns, studentised beforehand: statistic and three p-values of 4000 resamples
"""
import itertools
import os

import arch
import numpy as np
import scipy
import scipy.stats
import statsmodels
import statsmodels.api as sm
from arch.bootstrap import SPA

HERE = os.path.dirname(os.path.abspath(__file__))
ORIGIN = (f"numpy {np.__version__}, scipy {scipy.__version__}, statsmodels {statsmodels.__version__}, arch {arch.__version__}")


def write(name, title, rows):
    with open(os.path.join(HERE, name), "w") as out:
        out.write(f"# {title}; {ORIGIN}; made by make_luck.py\n")
        for row in rows:
            out.write(" ".join(repr(float(v)) for v in row) + "\n")


rng = np.random.default_rng(41)


def series(n, memory, drift):
    shock = rng.gamma(2.0, 1.0, size=n) - 2.0
    x = np.zeros(n)
    for i in range(n):
        x[i] = memory * x[i - 1] + 0.01 * shock[i] if i else 0.01 * shock[i]
    return np.round(x + drift, 6)


def exceeds(ratio, benchmark, n, skew, kurtosis):
    return scipy.stats.norm.cdf((ratio - benchmark) * np.sqrt(n - 1)
                                / np.sqrt(1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2))


returns = [series(300, 0.4, 0.002), series(300, -0.2, -0.0005)]
write("luck_returns.txt", "two series", zip(*returns))
rows = []
for r in returns:
    for lags, benchmark, trials, spread in ((0, 0.0, 1, 0.0), (5, 0.02, 40, 0.0), (20, -0.05, 1000, 0.07)):
        n, ratio = len(r), r.mean() / r.std(ddof=1)
        skew, kurtosis = scipy.stats.skew(r), scipy.stats.kurtosis(r, fisher=False)
        error = sm.OLS(r, np.ones(n)).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}).bse[0]
        spread = spread or 1 / np.sqrt(n - 1)
        normal = scipy.stats.norm.ppf
        best = 0.0 if trials == 1 else spread * ((1 - np.euler_gamma) * normal(1 - 1 / trials)
                                                + np.euler_gamma * normal(1 - 1 / (trials * np.e)))
        rows.append((lags, benchmark, trials, 0 if spread == 1 / np.sqrt(n - 1) else spread, ratio, skew, kurtosis, error,
                     exceeds(ratio, benchmark, n, skew, kurtosis), best, exceeds(ratio, best, n, skew, kurtosis)))
write("luck_sharpe.txt", "lags benchmark trials spread; ratio skewness kurtosis error probabilistic best deflated", rows)

panel = np.round(rng.normal(size=(203, 7)) * 0.01 + np.array([0, 0.0005, -0.001, 0, 0.001, 0, 0.0002]), 6)
write("luck_panel.txt", "returns of 7 strategies", panel)
rows = []
for parts in (2, 6, 10):
    which = np.arange(len(panel)) * parts // len(panel)
    ratio = lambda x: x.mean(axis=0) / x.std(axis=0)
    overfit, losing, ranks = 0, 0, []
    for inside in itertools.combinations(range(parts), parts // 2):
        chosen = np.isin(which, inside)
        winner = np.argmax(ratio(panel[chosen]))
        outside = ratio(panel[~chosen])
        rank = scipy.stats.rankdata(outside)[winner]
        overfit += rank / (panel.shape[1] + 1) <= 0.5
        losing += panel[~chosen][:, winner].mean() < 0
        ranks.append((rank - 1) / (panel.shape[1] - 1))
    rows.append((parts, len(ranks), overfit / len(ranks), np.median(ranks), losing / len(ranks)))
write("luck_overfitting.txt", "parts combinations probability median_rank loss", rows)

rows, run = [], 6
for columns in range(1, 8):
    gain = panel[:, :columns]
    first = SPA(np.zeros(len(gain)), -gain, block_size=run, reps=10, seed=1)
    first.compute()
    scaled = gain / np.sqrt(first._loss_diff_var)
    test = SPA(np.zeros(len(gain)), -scaled, block_size=run, reps=4000, seed=1)
    test.compute()
    rows.append((np.sqrt(len(gain)) * scaled.mean(axis=0).max(), *test.pvalues))
write("luck_superior.txt", "statistic lower consistent upper, by number of columns; run 6", rows)
