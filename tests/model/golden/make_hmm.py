# SPDX-License-Identifier: MIT
"""Writes hmm_*.txt beside it with hmmlearn, without priors.

hmm_rows.txt        two features: log volatility and return of a simulated market with two regimes
hmm_fit.txt         after 12 iterations of GaussianHMM from stated parameters: start, transition, mean, variance, log-likelihood of the
                    rows, one number a line
hmm_filtered.txt    filtered probability of state 1 at each 10th row: the last smoothed one of the rows up to there
"""
import os

import hmmlearn
import numpy as np
from hmmlearn.hmm import GaussianHMM

HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, title, rows):
    with open(os.path.join(HERE, name), "w") as out:
        out.write(f"# {title}; numpy {np.__version__}, hmmlearn {hmmlearn.__version__}; made by make_hmm.py\n")
        for row in rows:
            out.write(" ".join(repr(float(v)) for v in row) + "\n")


rng = np.random.default_rng(61)
state, rows = 0, []
for _ in range(500):
    state = state ^ int(rng.uniform() < (0.03, 0.08)[state])
    rows.append((rng.normal() * 0.5 + (-4.0, -2.8)[state], rng.normal() * (0.01, 0.04)[state] + (0.001, -0.004)[state]))
x = np.round(rows, 6)
write("hmm_rows.txt", "log volatility, return", x)

model = GaussianHMM(2, covariance_type="diag", n_iter=12, tol=-1e300, init_params="", params="stmc", means_weight=0,
                    covars_prior=0, covars_weight=1, startprob_prior=1, transmat_prior=1)
model.startprob_ = np.array([0.6, 0.4])
model.transmat_ = np.array([[0.8, 0.2], [0.3, 0.7]])
model.means_ = np.array([[-4.5, 0.0], [-3.0, 0.01]])
model.covars_ = np.array([[0.4, 0.001], [0.5, 0.002]])
model.fit(x)
assert len(model.monitor_.history) == 12
write("hmm_fit.txt", "start 2, transition 4, mean 4, variance 4, log-likelihood",
      [(v,) for v in np.concatenate([model.startprob_, model.transmat_.ravel(), model.means_.ravel(),
                                     np.array([np.diag(c) for c in model.covars_]).ravel(), [model.score(x)]])])
write("hmm_filtered.txt", "row, probability of state 1",
      [(t, model.predict_proba(x[: t + 1])[-1, 1]) for t in range(0, 500, 10)])
