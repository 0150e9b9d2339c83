# SPDX-License-Identifier: MIT
"""Writes the golden files beside it. Needs numpy, scipy and scikit-learn; the first line of each file says what made it.

isotonic.txt        scikit-learn IsotonicRegression: fitted values at the fitting rows
isotonic_at.txt     the same, predictions between and outside them
venn_abers.txt      scikit-learn IsotonicRegression refitted with the row added, for each query and both outcomes
platt.txt           rows;  platt_fit.txt: scikit-learn LogisticRegression without penalty on Platt's prior targets
scores.txt          rows;  scores_expected.txt: scikit-learn brier_score_loss and log_loss, scipy spearmanr by date, numpy
spearman.txt        scipy.stats.spearmanr with ties
evidence*.txt       Waudby-Smith & Ramdas 2023 on a grid of candidates, in plain Python
conformal.txt       numpy quantile "higher" of the augmented residuals (Lei et al. 2018)
"""
import math
import os

import numpy as np
import scipy
import scipy.stats
import sklearn
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = 0.97  # of the e-value: one that the data speak against
ORIGIN = f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}"


def write(name, title, rows):
    with open(os.path.join(HERE, name), "w") as out:
        out.write(f"# {title}; {ORIGIN}; made by make.py\n")
        for row in rows:
            out.write(" ".join(repr(float(v)) for v in row) + "\n")


def isotonic():
    rng = np.random.default_rng(1)
    n = 200
    x = np.round(rng.normal(size=n), 1)  # ties
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-2 * x))).astype(float)
    w = np.round(rng.uniform(0.1, 1, size=n), 3)
    fit = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=w)
    write("isotonic.txt", "score outcome weight fitted", zip(x, y, w, fit.predict(x)))
    q = np.concatenate([rng.normal(size=60), [-9, 9, x.min(), x.max()]])
    write("isotonic_at.txt", "score predicted", zip(q, fit.predict(q)))
    rows = []
    for s in np.concatenate([rng.normal(size=25), x[:10], [-9, 9]]):
        pair = []
        for outcome in (0.0, 1.0):
            more = IsotonicRegression().fit(np.append(x, s), np.append(y, outcome), sample_weight=np.append(w, 1.0))
            pair.append(more.predict([s])[0])
        rows.append((s, *pair))
    write("venn_abers.txt", "score p0 p1, fitting rows of isotonic.txt", rows)


def platt():
    rng = np.random.default_rng(2)
    n = 150
    x = rng.normal(size=n) * 3 + 100  # far from 0: the fit must not care
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-0.7 * (x - 101)))).astype(float)
    w = np.round(rng.uniform(0.1, 1, size=n), 3)
    rows = []
    for weight in (np.ones(n), w):
        positive, negative = (weight * y).sum(), (weight * (1 - y)).sum()
        target = np.where(y > 0, (positive + 1) / (positive + 2), 1 / (negative + 2))
        center = x.mean()
        fit = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-13, max_iter=1000)
        fit.fit(np.concatenate([x, x])[:, None] - center, np.concatenate([np.ones(n), np.zeros(n)]),
                sample_weight=np.concatenate([weight * target, weight * (1 - target)]))
        slope = fit.coef_[0, 0]
        rows.append((slope, fit.intercept_[0] - slope * center))
    write("platt.txt", "score outcome weight", zip(x, y, w))
    write("platt_fit.txt", "slope intercept: all weights 1, then weighted", rows)


def scores():
    rng = np.random.default_rng(3)
    dates, coins, horizon = 60, 12, 7
    time = np.repeat(np.arange(dates), coins) * 2  # two days apart
    n = len(time)
    p = np.round(rng.uniform(0.02, 0.98, size=n), 2)  # ties
    y = (rng.uniform(size=n) < p**1.3).astype(float)
    realised = rng.normal(size=n)
    expected = np.round(0.3 * realised + rng.normal(size=n), 1)
    write("scores.txt", "day probability outcome expected realised; horizon 7 days",
          zip(time, p, y, expected, realised))
    ics = [scipy.stats.spearmanr(expected[time == d], realised[time == d])[0] for d in np.unique(time)]
    bins = 10
    middle = scipy.stats.rankdata(p) - 0.5  # middle of a tie's ranks
    which = np.minimum((bins * middle / n).astype(int), bins - 1)
    ece = reliability = resolution = 0.0
    brier, base = brier_score_loss(y, p), y.mean()
    for b in np.unique(which):
        m = which == b
        ece += m.mean() * abs(p[m].mean() - y[m].mean())
        reliability += m.mean() * (p[m].mean() - y[m].mean()) ** 2
        resolution += m.mean() * (y[m].mean() - base) ** 2
        resolution += m.mean() * (2 * np.cov(p[m], y[m], bias=True)[0, 1] - p[m].var())
    blocks = len(np.unique(time // horizon))
    write("scores_expected.txt",
          "rows blocks base brier skill log_loss ece ic icir reliability resolution uncertainty bins dates",
          [(n, blocks, base, brier, 1 - brier / (base * (1 - base)), log_loss(y, p), ece, np.mean(ics),
            np.mean(ics) / np.std(ics, ddof=1), reliability, resolution, base * (1 - base), len(np.unique(which)),
            dates)])


def spearman():
    rng = np.random.default_rng(4)
    a = np.round(rng.normal(size=80), 1)
    b = np.round(a + rng.normal(size=80), 1)
    write("spearman.txt", "a b rho of the first n rows (n = line, from 3)",
          [(a[i], b[i], scipy.stats.spearmanr(a[: i + 1], b[: i + 1])[0] if i >= 2 else 0) for i in range(80)])


def wealth_path(x, m, level, sign):
    """Running product of WSR 2023, hedged capital's one side with predictable plug-in bets."""
    mu, var, total, squares, wealth, path = 0.5, 0.25, 0.5, 0.25, 1.0, []
    for t, value in enumerate(x, start=1):
        bet = math.sqrt(2 * math.log(1 / level) / (var * t * math.log(1 + t)))
        bet = min(bet, 0.75 / m if sign > 0 else 0.75 / (1 - m))
        wealth *= 1 + sign * bet * (value - m)
        path.append(wealth)
        total += value
        mu = total / (t + 1)
        squares += (value - mu) ** 2
        var = squares / (t + 1)
    return path


def bounds(x, level):
    grid = np.linspace(0, 1, 20001)[1:-1]
    low = [m for m in grid if max(wealth_path(x, m, level, 1)) >= 1 / level]
    high = [m for m in grid if max(wealth_path(x, m, level, -1)) >= 1 / level]
    return max(low, default=0.0), min(high, default=1.0)


def evidence():
    rng = np.random.default_rng(5)
    coins, blocks = 8, 60
    # one decision a block: labels do not overlap, one chain
    p = rng.uniform(0.6, 1, size=blocks * coins)
    y = (rng.uniform(size=blocks * coins) < 0.9).astype(float)
    time = np.repeat(np.arange(blocks), coins) + 0.25  # in blocks
    write("evidence.txt", "time in blocks, probability, outcome; one decision a block", zip(time, p, y))
    issued = p >= 0.8
    means = [y[issued & (time == t)].mean() for t in np.unique(time) if (issued & (time == t)).any()]
    low, high = bounds(means, 0.05)
    single = (issued.sum(), len(means), y[issued].mean(), low, high, max([1] + wealth_path(means, TARGET, 0.05, -1)))
    # two decisions a block: labels reach into the next block, even and odd blocks at half the level each
    time = np.repeat(np.arange(2 * blocks) / 2 + 0.1, coins // 2)
    write("evidence_overlap.txt", "time in blocks, probability, outcome; two decisions a block", zip(time, p, y))
    index = np.floor(time)
    low, high, wealth = 0.0, 1.0, 0.0
    count = 0
    for parity in (0, 1):
        means = [y[issued & (index == b)].mean() for b in range(parity, blocks, 2) if (issued & (index == b)).any()]
        count += len(means)
        chain_low, chain_high = bounds(means, 0.025)
        low, high = max(low, chain_low), min(high, chain_high)
        wealth = max(wealth, max([1] + wealth_path(means, TARGET, 0.025, -1)) / 2)
    double = (issued.sum(), count, y[issued].mean(), low, high, wealth)
    write("evidence_expected.txt", "issued blocks precision lower upper, e_value against 0.97: evidence.txt, evidence_overlap.txt",
          [single, double])


def conformal():
    rng = np.random.default_rng(6)
    r = rng.normal(size=99)
    rows = [(v, 0) for v in r]
    for alpha in (0.05, 0.1, 0.2, 0.5):
        rows.append((alpha, np.quantile(np.append(np.abs(r), np.inf), 1 - alpha, method="inverted_cdf")))
    write("conformal.txt", "99 residuals, then alpha radius", rows)


for make in (isotonic, platt, scores, spearman, evidence, conformal):
    make()
