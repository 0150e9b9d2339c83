# SPDX-License-Identifier: MIT
"""Writes linear.txt and stack.txt beside it. Needs numpy, scipy and scikit-learn.

linear.txt  x0 x1 x2 y class weight, then predictions: scikit-learn Ridge, scikit-learn LogisticRegression (log-odds), and Huber's
            loss with a ridge by scipy's BFGS; all on features standardised with the weights, l2 = 0.05 beside the mean loss
stack.txt   three members' predictions (log-odds), y, class, weight
stack_expected.txt  weights of 0 or more by scipy's L-BFGS-B: squared and logistic, shrink 0 and 0.02
"""
import os

import numpy as np
import scipy
import sklearn
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, Ridge

HERE = os.path.dirname(os.path.abspath(__file__))
ORIGIN = f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}"
L2 = 0.05
DELTA = 0.5


def write(name, title, rows):
    with open(os.path.join(HERE, name), "w") as out:
        out.write(f"# {title}; {ORIGIN}; made by make_linear.py\n")
        for row in rows:
            out.write(" ".join(f"{v:.12g}" for v in row) + "\n")


def linear():
    rng = np.random.default_rng(7)
    n = 150
    x = np.float32(np.round(rng.normal(size=(n, 3)) * [1, 20, 0.1] + [0, 300, -5], 3)).astype(float)
    z0 = (x - x.mean(0)) / x.std(0)
    y = np.round(0.8 * z0[:, 0] - 0.5 * z0[:, 1] + rng.standard_t(2, size=n), 4)
    k = (rng.uniform(size=n) < expit(-1 + z0[:, 0] + 0.5 * z0[:, 2])).astype(float)
    w = np.round(rng.uniform(0.2, 3, size=n), 2)
    mean = np.average(x, axis=0, weights=w)
    z = (x - mean) / np.sqrt(np.average((x - mean) ** 2, axis=0, weights=w))
    ridge = Ridge(alpha=L2 * w.sum(), tol=1e-14, solver="cholesky").fit(z, y, sample_weight=w)
    logit = LogisticRegression(C=1 / (L2 * w.sum()), tol=1e-14, solver="newton-cholesky", max_iter=1000).fit(z, k, sample_weight=w)

    def huber(b):
        r = np.abs(z @ b[1:] + b[0] - y)
        loss = np.where(r <= DELTA, 0.5 * r * r, DELTA * (r - 0.5 * DELTA))
        slope = np.clip(z @ b[1:] + b[0] - y, -DELTA, DELTA) * w / w.sum()
        return (np.average(loss, weights=w) + 0.5 * L2 * b[1:] @ b[1:],
                np.concatenate([[slope.sum()], slope @ z + L2 * b[1:]]))

    robust = minimize(huber, np.zeros(4), jac=True, method="BFGS", options={"gtol": 1e-13, "maxiter": 10000}).x
    write("linear.txt", "x0 x1 x2 y class weight ridge logit huber",
          np.column_stack([x, y, k, w, ridge.predict(z), logit.decision_function(z), np.round(z @ robust[1:] + robust[0], 7)]))


def stack():
    rng = np.random.default_rng(8)
    n = 300
    truth = rng.normal(size=n)
    f = np.round(np.column_stack([truth + rng.normal(size=n), 0.5 * truth + 0.7 * rng.normal(size=n), rng.normal(size=n)]), 6)
    y = np.round(truth + rng.normal(size=n), 6)
    k = (rng.uniform(size=n) < expit(truth)).astype(float)
    w = np.round(rng.uniform(0.2, 3, size=n), 2)
    write("stack.txt", "member0 member1 member2 y class weight", np.column_stack([f, y, k, w]))
    rows = []
    for logistic in (0, 1):
        for shrink in (0, 0.02):
            def loss(v):
                s = f @ v
                each = np.logaddexp(0, s) - k * s if logistic else 0.5 * (s - y) ** 2
                return np.average(each, weights=w) + 0.5 * shrink * np.sum((v - 1 / 3) ** 2)

            def slope(v):
                s = f @ v
                residual = (expit(s) - k if logistic else s - y) * w / w.sum()
                return residual @ f + shrink * (v - 1 / 3)

            found = minimize(loss, np.full(3, 1 / 3), jac=slope, method="L-BFGS-B", bounds=[(0, None)] * 3,
                             options={"ftol": 1e-16, "gtol": 1e-12, "maxiter": 1000})
            rows.append([logistic, shrink, *np.round(found.x, 6), round(found.fun, 9)])
    write("stack_expected.txt", "logistic shrink weight0 weight1 weight2 loss", rows)


linear()
stack()
