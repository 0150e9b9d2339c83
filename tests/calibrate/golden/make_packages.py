# SPDX-License-Identifier: MIT
"""Writes golden files beside it from two packages' own calibrators, through their public front where they have one.

conformal_mapie.txt   MAPIE SplitConformalRegressor, prefit: half of the interval's width for the residuals of conformal.txt
sigmoid_sklearn.txt   scikit-learn CalibratedClassifierCV, method "sigmoid", prefit: probability at scores, rows of platt.txt, unweighted.
                      Its search (L-BFGS, tolerance 1e-4 of the gradient) stops near the minimum: 1e-4 is what can be asked
"""
import os
import warnings

import mapie
import numpy as np
import sklearn
from mapie.regression import SplitConformalRegressor
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

HERE = os.path.dirname(os.path.abspath(__file__))


def read(name):
    return np.loadtxt(os.path.join(HERE, name))


def write(name, text, rows):
    with open(os.path.join(HERE, name), "w") as out:
        out.write(f"# {text}; MAPIE {mapie.__version__}, scikit-learn {sklearn.__version__}; made by make_packages.py\n")
        for row in rows:
            out.write(" ".join(repr(float(v)) for v in row) + "\n")


class Zero(RegressorMixin, BaseEstimator):
    def fit(self, x, y):
        self.fitted_ = True
        return self

    def predict(self, x):
        return np.zeros(len(x))


def conformal():
    rows = read("conformal.txt")
    residuals, levels = rows[:99, 0], rows[99:, 0]
    x = np.zeros((99, 1))
    out = []
    for alpha in levels:
        regressor = SplitConformalRegressor(Zero().fit(x, residuals), confidence_level=1 - alpha, prefit=True)
        regressor.conformalize(x, residuals)
        interval = regressor.predict_interval(x[:1])[1].ravel()
        out.append((alpha, (interval[1] - interval[0]) / 2))
    write("conformal_mapie.txt", "alpha radius", out)


class Score(ClassifierMixin, BaseEstimator):
    def fit(self, x, y):
        self.classes_ = np.array([0, 1])
        return self

    def decision_function(self, x):
        return x[:, 0]

    def predict(self, x):
        return (x[:, 0] > 0).astype(int)


def sigmoid():
    x, y, _ = read("platt.txt").T
    scores = x - 100  # around 0, where its search begins
    model = CalibratedClassifierCV(FrozenEstimator(Score().fit(scores[:, None], y)), method="sigmoid")
    model.fit(scores[:, None], y.astype(int))
    asked = np.linspace(-8, 8, 17)
    write("sigmoid_sklearn.txt", "score less 100, probability",
          zip(asked, model.predict_proba(asked[:, None])[:, 1]))


warnings.simplefilter("ignore")
conformal()
sigmoid()
