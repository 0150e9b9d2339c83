# SPDX-License-Identifier: MIT
"""scikit-learn's own checks of the estimators."""
import pickle

import numpy as np
import pandas as pd
import pytest
from cryptosmart import LSTMRegressor, TreesClassifier, TreesRegressor
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

@parametrize_with_checks([TreesRegressor(rounds=20), TreesClassifier(rounds=20)])
def test_scikit_learn_accepts_the_trees(estimator, check):
    check(estimator)


def expected_of(estimator):
    return {
        "check_sample_weight_equivalence_on_dense_data": "batches are drawn from rows, so a row of weight 2 is not the same as two rows",
    }


@parametrize_with_checks(
    [LSTMRegressor(window=1, hidden=8, epochs=60, batch=16, learning_rate=0.02)], expected_failed_checks=expected_of
)
def test_scikit_learn_accepts_an_lstm_with_windows_of_one_row(estimator, check):
    check(estimator)


def data(n=300):
    random = np.random.default_rng(0)
    x = pd.DataFrame(random.normal(size=(n, 4)), columns=list("abcd"))
    return x, (x["a"] + 0.5 * random.normal(size=n) > 0).map({True: "up", False: "down"})


def test_they_work_inside_scikit_learn():
    x, y = data()
    pipeline = make_pipeline(StandardScaler(), TreesClassifier(rounds=20, min_rows=5))
    assert cross_val_score(pipeline, x, y, cv=3).mean() > 0.7
    search = GridSearchCV(TreesClassifier(rounds=10, min_rows=5), {"leaves": [2, 8]}, cv=3).fit(x, y)
    assert search.best_params_["leaves"] in (2, 8)
    trees = search.best_estimator_
    again = pickle.loads(pickle.dumps(trees))
    np.testing.assert_array_equal(again.predict_proba(x), trees.predict_proba(x))
    assert list(trees.feature_names_in_) == list("abcd") and trees.model_.feature_names == list("abcd")
    assert clone(trees).get_params() == trees.get_params()
    assert trees.feature_importances_.argmax() == 0 and trees.feature_importances_.sum() == pytest.approx(1)
    shap = trees.shap_values(x)
    np.testing.assert_allclose(shap.sum(axis=1) + trees.expected_value_, trees.decision_function(x), rtol=1e-9, atol=1e-9)


def test_threads_change_nothing_and_seeds_do():
    x, y = data()
    one = TreesClassifier(rounds=20, threads=1, column_share=0.5, min_rows=5).fit(x, y).decision_function(x)
    two = TreesClassifier(rounds=20, threads=2, column_share=0.5, min_rows=5).fit(x, y).decision_function(x)
    other = TreesClassifier(rounds=20, seed=2, column_share=0.5, min_rows=5).fit(x, y).decision_function(x)
    assert (one == two).all() and (one != other).any()


def test_missing_values_are_taken_when_asked_for():
    x, y = data()
    x = x.mask(np.random.default_rng(1).random(x.shape) < 0.1)
    with pytest.raises(ValueError, match="NaN"):
        TreesClassifier().fit(x, y)
    assert TreesClassifier(missing=True, rounds=20, min_rows=5).fit(x, y).score(x, y) > 0.7


def test_an_lstm_learns_what_a_single_row_does_not_show():
    random = np.random.default_rng(2)
    x = random.normal(size=(1500, 1))
    y = np.convolve(x[:, 0], [0, 0, 1.0], mode="full")[: len(x)]  # the value two rows ago
    lstm = LSTMRegressor(window=4, hidden=8, epochs=40, batch=64, learning_rate=0.01).fit(x, y)
    found = lstm.predict(x)
    assert np.isnan(found[:3]).all() and not np.isnan(found[3:]).any()
    assert np.corrcoef(found[3:], y[3:])[0, 1] > 0.8


def test_windows_never_cross_from_one_group_into_another():
    x = np.arange(40, dtype=float).reshape(-1, 1)
    groups = np.repeat([7, 3], 20)
    lstm = LSTMRegressor(window=5, hidden=2, epochs=1).fit(x, x[:, 0], groups=groups)
    missing = np.isnan(lstm.predict(x, groups=groups))
    assert missing.tolist() == [i % 20 < 4 for i in range(40)]
    with pytest.raises(ValueError, match="groups has shape"):
        lstm.predict(x, groups=groups[:3])
