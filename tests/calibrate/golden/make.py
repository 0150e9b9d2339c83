# SPDX-License-Identifier: MIT
"""Writes the golden files beside it. Needs numpy, scipy, scikit-learn, betacal and venn-abers; the first line of each file says what made it.

isotonic.txt        scikit-learn IsotonicRegression: fitted values at the fitting rows
isotonic_at.txt     the same, predictions between and outside them
venn_abers.txt      scikit-learn IsotonicRegression refitted with the row added, for each query and both outcomes
platt.txt           rows;  platt_fit.txt: scikit-learn LogisticRegression without penalty on Platt's prior targets
beta.txt            rows;  beta_fit.txt: the same regression on Kull's two features, slopes of 0 or above; betacal agrees
temperature_fit.txt scipy's minimum of the log loss over one slope, rows of beta.txt
venn_abers_merged.txt  venn-abers VennAbers, probability of the pair, rows of isotonic.txt unweighted
choose.txt          rows;  choose_expected.txt: log loss of each method on forward folds, scikit-learn's regressions
scores.txt          rows;  scores_expected.txt: scikit-learn brier_score_loss and log_loss, scipy spearmanr by date, numpy
spearman.txt        scipy.stats.spearmanr with ties
evidence*.txt       Waudby-Smith & Ramdas 2023 on a grid of candidates, in plain Python
conformal.txt       numpy quantile "higher" of the augmented residuals (Lei et al. 2018)
"""
import math
import os

import betacal
import numpy as np
import scipy
import scipy.optimize
import scipy.stats
import sklearn
import venn_abers
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


def soft_targets(y, w):
    """Rows of both classes that carry Platt's prior targets."""
    positive, negative = (w * y).sum(), (w * (1 - y)).sum()
    target = np.where(y > 0, (positive + 1) / (positive + 2), 1 / (negative + 2))
    return np.concatenate([np.ones(len(y)), np.zeros(len(y))]), np.concatenate([w * target, w * (1 - target)])


def regression(features, y, w):
    label, weight = soft_targets(y, w)
    fit = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-14, max_iter=1000)
    both = np.concatenate([features, features])
    fit.fit(both, label, sample_weight=weight)
    design = np.column_stack([both, np.ones(len(both))])
    at = np.append(fit.coef_[0], fit.intercept_[0])
    for _ in range(3):  # scikit-learn's line search ends near 1e-8; Newton steps from there
        p = 1 / (1 + np.exp(-design @ at))
        at -= np.linalg.solve(design.T * (weight * p * (1 - p)) @ design, design.T @ (weight * (p - label)))
    assert np.allclose(at, np.append(fit.coef_[0], fit.intercept_[0]), atol=1e-6)
    fit.coef_[0], fit.intercept_[0] = at[:-1], at[-1]
    return fit


def log_logistic(x):
    return -np.logaddexp(0, -x)


def beta_fit(x, y, w):
    """slope of ln g, slope of -ln (1 - g), intercept; a negative slope is left out (Kull et al., section 4)."""
    features = np.stack([log_logistic(x), -log_logistic(-x)], axis=1)
    use = [0, 1]
    fit = regression(features, y, w)
    if (fit.coef_[0] < 0).any():
        use = [int(np.argmax(fit.coef_[0]))]
        fit = regression(features[:, use], y, w)
    slopes = np.zeros(2)
    slopes[use] = fit.coef_[0]
    assert (slopes >= 0).all()
    return slopes[0], slopes[1], fit.intercept_[0]


def temperature_slope(x, y, w):
    label, weight = soft_targets(y, w)
    both = np.concatenate([x, x])
    loss = lambda s: -(weight * np.where(label > 0, log_logistic(s * both), log_logistic(-s * both))).sum()
    slope = lambda s: (weight * both * (1 / (1 + np.exp(-s * both)) - label)).sum()
    return scipy.optimize.brentq(slope, 0, 50, xtol=1e-15, rtol=1e-15) if slope(0) < 0 else 0.0


def beta():
    rng = np.random.default_rng(7)
    n = 400
    x = np.round(rng.normal(size=n) * 2 - 0.5, 2)  # ties
    w = np.round(rng.uniform(0.1, 1, size=n), 3)
    kinds = [1 / (1 + np.exp(-(0.9 * log_logistic(x) - 0.3 * log_logistic(-x) + 0.4))), 1 / (1 + np.exp(-0.8 * x)),
             0.1 + 0.8 * np.exp(-np.abs(x - 0.5))]  # falls at the high end: that slope is held at 0
    ys = [(rng.uniform(size=n) < p).astype(float) for p in kinds]
    write("beta.txt", "score weight outcome outcome outcome", zip(x, w, *ys))
    rows, slopes = [], []
    for y in ys:
        for weight in (np.ones(n), w):
            rows.append(beta_fit(x, y, weight))
            label, soft = soft_targets(y, weight)
            g = 1 / (1 + np.exp(-x))
            theirs = betacal.BetaCalibration("abm").fit(np.concatenate([g, g]), label, soft)
            ours = 1 / (1 + np.exp(-(rows[-1][0] * log_logistic(x) - rows[-1][1] * log_logistic(-x) + rows[-1][2])))
            assert abs(theirs.predict(g) - ours).max() < 2e-3  # betacal stops at lbfgs's tolerance of 1e-4
            slopes.append((temperature_slope(x, y, weight),))
    write("beta_fit.txt", "slope slope_high intercept: each outcome with weights 1, then weighted", rows)
    write("temperature_fit.txt", "slope: as beta_fit.txt", slopes)


def venn_abers_merged():
    table = np.loadtxt(os.path.join(HERE, "isotonic.txt"))
    x, y = table[:, 0], table[:, 1]
    queries = np.concatenate([np.arange(-25, 26) / 10 + 0.05, x[:20]])
    rescale = lambda s: (s + 10) / 20  # the package takes probabilities; order is all that counts
    as_two = lambda p: np.stack([1 - p, p], axis=1)
    package = venn_abers.VennAbers()
    package.fit(as_two(rescale(x)), y)
    merged, pair = package.predict_proba(as_two(rescale(queries)))
    write("venn_abers_merged.txt", "score p0 p1 probability", zip(queries, pair[:, 0], pair[:, 1], merged[:, 1]))


def choose():
    """Forward folds of csm_calibrator_choose: later half in five parts, rows known whose labels ended before the part."""
    rng = np.random.default_rng(8)
    dates, coins, lasts, blocks = 150, 4, 3, 120.0
    begin = np.repeat(np.arange(dates), coins)
    n = len(begin)
    x = np.round(rng.normal(size=n) * 1.5, 2)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-(0.5 * log_logistic(x) - 1.4 * log_logistic(-x) - 0.2)))).astype(float)
    order = rng.permutation(n)  # rows need not be in order of time
    begin, x, y = begin[order], x[order], y[order]
    end = begin + lasts
    write("choose.txt", "begin end score outcome", zip(begin, end, x, y))
    at, half, loss, weight = np.sort(begin), n // 2, np.zeros(5), 0
    for f in range(5):
        start = at[half + f * (n - half) // 5]
        stop = at[half + (f + 1) * (n - half) // 5] if f < 4 else np.inf
        known, asked = end <= start, (begin >= start) & (begin < stop)
        share = blocks * known.sum() / n
        shrink = max(0, 1 - share / 30)
        base = y[known].mean()
        anchor = min(base, (share * base + 1) / (share + 2))
        kx, ky, ones, q = x[known], y[known], np.ones(known.sum()), x[asked]
        platt = regression(kx[:, None], ky, ones)
        b = beta_fit(kx, ky, ones)
        pairs = []
        for value in (0.0, 1.0):
            pairs.append([IsotonicRegression().fit(np.append(kx, s), np.append(ky, value)).predict([s])[0] for s in q])
        p0, p1 = np.array(pairs)
        forecasts = [platt.predict_proba(q[:, None])[:, 1], IsotonicRegression(out_of_bounds="clip").fit(kx, ky).predict(q),
                     1 / (1 + np.exp(-(b[0] * log_logistic(q) - b[1] * log_logistic(-q) + b[2]))),
                     1 / (1 + np.exp(-temperature_slope(kx, ky, ones) * q)), p1 / (1 - p0 + p1)]
        for m, p in enumerate(forecasts):
            p = p + shrink * (anchor - p)
            said = np.maximum(np.where(y[asked] > 0, p, 1 - p), 1e-15)
            loss[m] -= np.log(said).sum()
        weight += asked.sum()
    write("choose_expected.txt", "log loss of Platt isotonic beta temperature Venn-Abers, rows judged; 120 blocks",
          [(*loss / weight, weight)])


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


for make in (isotonic, platt, beta, venn_abers_merged, choose, scores, spearman, evidence, conformal):
    make()
