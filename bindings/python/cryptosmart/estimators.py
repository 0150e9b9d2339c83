# SPDX-License-Identifier: MIT
"""Trees and LSTM as scikit-learn estimators."""
from __future__ import annotations

from typing import Any, Optional

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from . import model as _model
from ._arrays import Array
from ._context import Context

try:  # scikit-learn 1.6 and later
    from sklearn.utils.validation import _check_sample_weight, validate_data
except ImportError:  # pragma: no cover - older scikit-learn
    from sklearn.utils.validation import _check_sample_weight

    def validate_data(estimator: Any, *arguments: Any, **options: Any) -> Any:
        return estimator._validate_data(*arguments, **options)


class _Trees(BaseEstimator):
    """What both estimators of trees share."""

    def __init__(
        self,
        rounds: int = 100,
        leaves: int = 31,
        learning_rate: float = 0.1,
        min_rows: int = 20,
        l2: float = 0.0,
        column_share: float = 1.0,
        missing: bool = False,
        seed: int = 1,
        threads: int = 0,
        parameters: Optional[dict[str, float]] = None,
    ) -> None:
        self.rounds = rounds
        self.leaves = leaves
        self.learning_rate = learning_rate
        self.min_rows = min_rows
        self.l2 = l2
        self.column_share = column_share
        self.missing = missing
        self.seed = seed
        self.threads = threads
        self.parameters = parameters

    def _options(self) -> dict[str, Any]:
        names = ("rounds", "leaves", "learning_rate", "min_rows", "l2", "column_share", "missing")
        return {**{name: float(getattr(self, name)) for name in names}, **(self.parameters or {})}

    def _finite(self) -> Any:
        return "allow-nan" if self.missing else True

    def _fit(self, x: Any, y: Array, sample_weight: Any, objective: str, feature_names: Any) -> None:
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, x, dtype=np.float64)
        with Context(seed=self.seed, threads=self.threads) as context:
            self.model_ = _model.train(
                "gbt", x, y, objective=objective, weight=weight, feature_names=feature_names, context=context, **self._options()
            )

    def _raw(self, x: Any) -> Array:
        check_is_fitted(self, "model_")
        rows = validate_data(self, x, reset=False, dtype=[np.float64, np.float32], ensure_all_finite=self._finite())
        return self.model_.predict(rows)

    @property
    def feature_importances_(self) -> Array:
        """Share of the total gain (features,)."""
        check_is_fitted(self, "model_")
        gain = self.model_.importance()
        total = gain.sum()
        return gain / total if total > 0 else gain

    def shap_values(self, X: Any) -> Array:
        """Exact contributions (rows, features) to the raw score; with :attr:`expected_value_` they add up to it."""
        check_is_fitted(self, "model_")
        rows = validate_data(self, X, reset=False, dtype=[np.float64, np.float32], ensure_all_finite=self._finite())
        values, expected = self.model_.shap(rows)
        self.expected_value_ = float(expected[0])
        return values

    def __getstate__(self) -> dict[str, Any]:
        return _packed(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(_unpacked(state))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = bool(self.missing)
        return tags

    def _more_tags(self) -> dict[str, Any]:
        return {"allow_nan": bool(self.missing)}


def _packed(state: dict[str, Any]) -> dict[str, Any]:
    """A state for pickle, with the model as the bytes of its file."""
    import os
    import tempfile

    if "model_" not in state:
        return state
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.safetensors")
        state["model_"].save(path)
        with open(path, "rb") as file:
            return {**state, "model_": file.read()}


def _unpacked(state: dict[str, Any]) -> dict[str, Any]:
    import os
    import tempfile

    if not isinstance(state.get("model_"), bytes):
        return state
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.safetensors")
        with open(path, "wb") as file:
            file.write(state["model_"])
        return {**state, "model_": _model.Model.load(path)}


class TreesRegressor(RegressorMixin, _Trees):
    """Gradient-boosted trees on the mean; scikit-learn's interface.

    Parameters
    ----------
    rounds, leaves, learning_rate, min_rows, l2, column_share
        Of ``cryptosmart.model.parameters("gbt")``; ``parameters`` takes the rest as a dict.
    missing : bool
        Whether NaN is a value of its own.
    seed, threads : int
        Results depend on the seed, never on the threads.

    Examples
    --------
    >>> import numpy as np
    >>> from cryptosmart import TreesRegressor
    >>> x = np.linspace(0, 1, 200).reshape(-1, 1)
    >>> TreesRegressor(rounds=50).fit(x, x[:, 0] ** 2).score(x, x[:, 0] ** 2) > 0.98
    True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> TreesRegressor:
        names = getattr(X, "columns", None)
        X, y = validate_data(
            self, X, y, dtype=[np.float64, np.float32], y_numeric=True, ensure_all_finite=self._finite()
        )
        self._fit(X, np.asarray(y, dtype=np.float64), sample_weight, "squared", names)
        return self

    def predict(self, X: Any) -> Array:
        return self._raw(X)[:, 0]


class TreesClassifier(ClassifierMixin, _Trees):
    """Gradient-boosted trees on the log loss of two classes; probabilities are raw: see :class:`cryptosmart.Calibrator`.

    Examples
    --------
    >>> import numpy as np
    >>> from cryptosmart import TreesClassifier
    >>> x = np.linspace(0, 1, 200).reshape(-1, 1)
    >>> trees = TreesClassifier(rounds=20).fit(x, np.where(x[:, 0] > 0.5, "up", "down"))
    >>> trees.classes_.tolist(), str(trees.predict([[0.9]])[0]), trees.predict_proba([[0.9]]).shape
    (['down', 'up'], 'up', (1, 2))
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> TreesClassifier:
        names = getattr(X, "columns", None)
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32], ensure_all_finite=self._finite())
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) > 2:
            raise ValueError(
                f"Only binary classification is supported. The type of the target is multiclass: {len(self.classes_)} classes"
            )
        if len(self.classes_) < 2:
            raise ValueError("Classifier can't train when only one class is present.")
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
            if len(np.unique(codes[sample_weight > 0])) < 2:
                raise ValueError("Classifier can't train when only one class has weight.")
        self._fit(X, codes.astype(np.float64), sample_weight, "logistic", names)
        return self

    def decision_function(self, X: Any) -> Array:
        """Log-odds of the second class (rows,)."""
        return self._raw(X)[:, 0]

    def predict_proba(self, X: Any) -> Array:
        """(rows, 2), in the order of ``classes_``."""
        second = 1.0 / (1.0 + np.exp(-self.decision_function(X)))
        return np.column_stack([1.0 - second, second])

    def predict(self, X: Any) -> Array:
        chosen = (self.decision_function(X) > 0).astype(int)
        return np.asarray(self.classes_[chosen])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _more_tags(self) -> dict[str, Any]:
        return {**super()._more_tags(), "binary_only": True}


class LSTMRegressor(RegressorMixin, BaseEstimator):
    """An LSTM on windows of consecutive rows, oldest first.

    Row i is predicted from rows ``i - window + 1 .. i`` of the X it stands in. Rows without a whole window behind them are not
    trained on and get NaN, so one X is one uninterrupted series; ``groups`` marks where one ends and another begins.

    Examples
    --------
    >>> import numpy as np
    >>> from cryptosmart import LSTMRegressor
    >>> x = np.sin(np.arange(300) / 8).reshape(-1, 1)
    >>> lstm = LSTMRegressor(window=6, hidden=4, epochs=2).fit(x, np.roll(x[:, 0], -1))
    >>> lstm.predict(x).shape, int(np.isnan(lstm.predict(x)).sum())
    ((300,), 5)
    """

    def __init__(
        self,
        window: int = 24,
        hidden: int = 32,
        layers: int = 1,
        epochs: int = 10,
        batch: int = 256,
        learning_rate: float = 0.002,
        seed: int = 1,
        threads: int = 0,
        parameters: Optional[dict[str, float]] = None,
        device: str = "cpu",
    ) -> None:
        self.window = window
        self.hidden = hidden
        self.layers = layers
        self.epochs = epochs
        self.batch = batch
        self.learning_rate = learning_rate
        self.seed = seed
        self.threads = threads
        self.parameters = parameters
        self.device = device

    def _ends(self, length: int, groups: Any) -> Array:
        """Rows with a whole window of their own group behind them."""
        ends = np.arange(self.window - 1, length, dtype=np.int64)
        if groups is None:
            return ends
        marks = np.asarray(groups)
        if marks.shape != (length,):
            raise ValueError(f"groups has shape {marks.shape}, and must have ({length},)")
        change = np.concatenate([[0], np.cumsum(marks[1:] != marks[:-1])])
        whole: Array = ends[change[ends] == change[ends - self.window + 1]]
        return whole

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> LSTMRegressor:
        names = getattr(X, "columns", None)
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32], y_numeric=True)
        ends = self._ends(len(X), groups)
        if len(ends) == 0:
            raise ValueError(f"n_samples={len(X)}: no row has a window of {self.window} rows behind it")
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)[ends]
        options: dict[str, Any] = {name: float(getattr(self, name)) for name in ("hidden", "layers", "epochs", "batch", "learning_rate")}
        with Context(seed=self.seed, threads=self.threads) as context:
            self.model_ = _model.train(
                "lstm", X, np.asarray(y, dtype=np.float64)[ends], weight=weight, window_end=ends, window=self.window,
                feature_names=names, device=self.device, context=context, **{**options, **(self.parameters or {})},
            )  # fmt: skip
        return self

    def predict(self, X: Any, groups: Any = None) -> Array:
        """(rows,), NaN where the window is not whole."""
        check_is_fitted(self, "model_")
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        ends = self._ends(len(X), groups)
        out = np.full(len(X), np.nan)
        if len(ends):
            out[ends] = self.model_.predict(X, window_end=ends)[:, 0]
        return out

    def __getstate__(self) -> dict[str, Any]:
        return _packed(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(_unpacked(state))
