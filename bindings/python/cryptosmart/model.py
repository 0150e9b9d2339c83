# SPDX-License-Identifier: MIT
"""Learners behind one interface: train, predict, explain, save, exchange; and splits without leaks.

Shapes: ``x`` is (rows, features) for trees and the linear learner, and (hours, features) with ``window_end`` for the LSTM;
``y`` is (rows,) or (rows, outputs). float32 and float64 of any strides are read where they stand.
"""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

import numpy as np

from . import _native
from ._arrays import Array, column, matrix, output
from ._context import Context, context_of
from ._time import IntervalLike, TimeLike, interval, nanoseconds, time_array

_OBJECTIVES = {"squared": 0, "huber": 1, "quantile": 2, "logistic": 3, "lambdarank": 4}
_FORMATS = {"lightgbm": 0, "xgboost": 1, "onnx": 2, "json": 3, "graphviz": 4}
_DEVICES = {"cpu": 0, "cuda": 1}
Path = Union[str, "os.PathLike[str]"]


def _choice(table: Mapping[str, int], value: str, what: str) -> int:
    if value not in table:
        raise ValueError(f"{what} is {value!r}, and must be one of {', '.join(table)}")
    return table[value]


def learners() -> dict[str, Any]:
    """Learners by name: records with title, objectives, parameters (name, text, minimum, maximum, standard).

    >>> from cryptosmart import model
    >>> sorted(model.learners())
    ['gbt', 'linear', 'lstm']
    """
    rows = [_native.csm_model_learner_at(i) for i in range(_native.csm_model_learner_count())]
    return {row.name: row for row in rows}


def parameters(learner: str) -> dict[str, float]:
    """Names and standard values of a learner's parameters."""
    row = _native.csm_model_learner_find(learner)
    if row is None:
        raise ValueError(f"learner is {learner!r}, and must be one of {', '.join(learners())}")
    return {parameter.name: parameter.standard for parameter in row.parameters}


def _samples(
    x: Any, y: Any = None, weight: Any = None, window_end: Any = None, window: int = 0, group: Any = None
) -> dict[str, Any]:
    features = matrix(x)
    if features.ndim != 2:
        raise ValueError(f"x has shape {features.shape}, and must have two dimensions")
    length = len(features) if window_end is None else len(window_end)
    samples: dict[str, Any] = {"x": features, "length": length, "window_length": window}
    if y is not None:
        target = matrix(y, "y")
        if len(target) != length:
            raise ValueError(f"y has {len(target)} rows, and must have {length}")
        samples["y"] = target
    if weight is not None:
        samples["weight"] = column(weight, "weight", length)
    if window_end is not None:
        samples["window_end"] = column(window_end, "window_end", length, np.int64)
    if group is not None:
        samples["group"] = column(group, "group", length, np.uint32)
    return samples


class Model:
    """A trained model: immutable, may be shared by threads. Made by :func:`train`, :meth:`load` or :meth:`read`."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    @property
    def info(self) -> Any:
        """Record: learner, objective, outputs, features, rounds, trained_rows, training_loss, validation_loss."""
        return _native.csm_model_describe(self._handle)

    @property
    def feature_names(self) -> list[str]:
        return [_native.csm_model_feature_name(self._handle, i) for i in range(self.info.features)]

    @property
    def parameters(self) -> dict[str, float]:
        """What it was trained with."""
        count = len(parameters(self.info.learner))
        rows = [_native.csm_model_parameter(self._handle, i) for i in range(count)]
        return {row.name: row.value for row in rows}

    @property
    def window_length(self) -> int:
        """Hours a window must hold; 0 for a model of rows."""
        return int(_native.csm_model_window_length(self._handle))

    def predict(
        self, x: Any, *, window_end: Any = None, out: Optional[Array] = None, context: Optional[Context] = None
    ) -> Array:
        """Raw predictions (rows, outputs): log-odds for the logistic objective, the target's units otherwise.

        ``out``: an array of that shape, float32 or float64, any strides, written in place and returned.
        """
        samples = _samples(x, window_end=window_end, window=self.window_length)
        result = output(out, (samples["length"], self.info.outputs))
        _native.csm_model_predict(self._handle, context_of(context), samples, result)
        return result

    def importance(self) -> Array:
        """Total gain of the splits on each feature (features,); trees."""
        result = np.empty(self.info.features)
        _native.csm_model_importance(self._handle, result, len(result))
        return result

    def split_counts(self) -> Array:
        """How often each feature is split on (features,); trees."""
        result = np.empty(self.info.features)
        _native.csm_model_split_counts(self._handle, result, len(result))
        return result

    def shap(self, x: Any, *, background: Any = None, context: Optional[Context] = None) -> tuple[Array, Array]:
        """Exact Shapley values of raw scores: contributions (rows, features), or (rows, outputs, features) with several
        outputs, and expected values (outputs,). A row's contributions and the expected value add up to its prediction.

        ``background`` (rows, features): the values that absent features take; without it they follow the training rows.
        """
        rows, info = matrix(x), self.info
        explainer = _native.csm_explainer_new(self._handle, None if background is None else {"background": matrix(background)})
        values = np.empty((len(rows), info.outputs * (info.features + 1)))
        _native.csm_explainer_values(explainer, context_of(context), rows, values)
        values = values.reshape(len(rows), info.outputs, info.features + 1)
        expected = values[0, :, -1].copy() if len(rows) else np.full(info.outputs, np.nan)
        contributions = values[:, :, :-1]
        return (contributions[:, 0, :] if info.outputs == 1 else contributions), expected

    def integrated_gradients(
        self, x: Any, window_end: Any, sample: int, *, output: int = 0, steps: int = 64, context: Optional[Context] = None
    ) -> tuple[Array, float, float]:
        """What each hour and feature of one window adds to an LSTM's prediction: (window, features), the prediction of the
        mean window, and what the sum lacks."""
        samples = _samples(x, window_end=window_end, window=self.window_length)
        values = np.empty((self.window_length, self.info.features))
        base, error = _native.csm_model_integrated_gradients(
            self._handle, context_of(context), samples, sample, output, steps, values
        )
        return values, base, error

    def save(self, path: Path, metadata: Optional[str] = None) -> None:
        """Writes a safetensors file; ``metadata`` is a JSON object as text."""
        _native.csm_model_save(self._handle, path, metadata)

    @classmethod
    def load(cls, path: Path) -> Model:
        return cls(_native.csm_model_load(path))

    @classmethod
    def read(cls, path: Path, format: str = "lightgbm") -> Model:
        """A model of another library: "lightgbm" (text) or "xgboost" (JSON)."""
        return cls(_native.csm_model_import(path, _choice(_FORMATS, format, "format")))

    def write(self, path: Path, format: str = "onnx", rounds: int = 0) -> None:
        """Writes "lightgbm", "onnx", "json" or "graphviz"; ``rounds`` 0 for all."""
        _native.csm_model_export(self._handle, path, _choice(_FORMATS, format, "format"), rounds)

    def __repr__(self) -> str:
        info = self.info
        return f"<cryptosmart.Model, {info.learner}, {info.features} features, {info.outputs} output(s), {info.rounds} rounds>"


def train(
    learner: str,
    x: Any,
    y: Any,
    *,
    objective: str = "squared",
    weight: Any = None,
    window_end: Any = None,
    window: int = 0,
    group: Any = None,
    feature_names: Optional[Sequence[str]] = None,
    validation: Optional[tuple[Any, Any]] = None,
    early_stopping: int = 0,
    metric: Optional[str] = None,
    monotone: Any = None,
    categorical: Any = None,
    start: Optional[Model] = None,
    stream: int = 0,
    device: str = "cpu",
    context: Optional[Context] = None,
    **parameter: float,
) -> Model:
    """Trains a model; same seed, same data, same model, whatever the number of threads.

    Parameters
    ----------
    learner : str
        "gbt" (trees), "linear" or "lstm".
    x : array (rows, features), float32 or float64
        With ``window_end`` (samples,) int64 the LSTM sees rows ``window_end[i] - window + 1 .. window_end[i]``.
    y : array (rows,) or (rows, outputs)
    objective : str
        "squared", "huber", "quantile", "logistic" (y is 0 or 1), "lambdarank" (with ``group``).
    validation : (x, y), optional
        For ``early_stopping`` rounds without a better ``metric``.
    **parameter
        Of the learner; see :func:`parameters`.

    Examples
    --------
    >>> import numpy as np
    >>> from cryptosmart import model
    >>> random = np.random.default_rng(0)
    >>> x = random.normal(size=(400, 3))
    >>> y = (x[:, 0] + 0.1 * random.normal(size=400) > 0).astype(float)
    >>> trees = model.train("gbt", x, y, objective="logistic", rounds=20, min_rows=10)
    >>> trees.predict(x).shape, int(trees.importance().argmax())
    ((400, 1), 0)
    """
    known = parameters(learner)
    unknown = [name for name in parameter if name not in known]
    if unknown:
        raise TypeError(f"{learner} has no parameter {unknown[0]!r}; it has: {', '.join(known)}")
    options: dict[str, Any] = {
        "objective": _choice(_OBJECTIVES, objective, "objective"),
        "parameters": [{"name": name, "value": float(value)} for name, value in parameter.items()],
        "early_stopping_rounds": early_stopping,
        "stream": stream,
        "metric": metric,
        "device": _choice(_DEVICES, device, "device"),
        "start": None if start is None else start._handle,
    }
    samples = _samples(x, y, weight, window_end, window, group)
    names = feature_names if feature_names is not None else getattr(x, "columns", None)
    if names is not None:
        options["feature_names"] = [str(name) for name in names]
    if validation is not None:
        options["validation"] = _samples(validation[0], validation[1], window=window)
    if monotone is not None:
        options["monotone"] = np.ascontiguousarray(monotone, dtype=np.int8)
    if categorical is not None:
        options["categorical"] = np.ascontiguousarray(categorical, dtype=np.uint8)
    return Model(_native.csm_model_train(context_of(context), learner, samples, options))


# ---- splits without leaks --------------------------------------------------------------------------------------------


def walk_forward(
    begin: TimeLike,
    end: TimeLike,
    *,
    horizon: IntervalLike,
    first_train: IntervalLike,
    test_span: IntervalLike,
    train_span: IntervalLike = 0,
    validate_span: IntervalLike = 0,
) -> list[Any]:
    """Walk-forward folds in order of time, with a purge of one horizon between train and test.

    Records of half-open spans in nanoseconds: train_from, train_to, validate_from, validate_to, test_from, test_to.

    >>> from cryptosmart import model
    >>> folds = model.walk_forward("2022-01-01", "2023-01-01", horizon="30d", first_train="180d", test_span="90d")
    >>> len(folds), (folds[0].test_from - folds[0].train_to) // (86400 * 10**9)
    (3, 30)
    """
    options = {
        "from": nanoseconds(begin), "to": nanoseconds(end), "horizon": interval(horizon), "first_train": interval(first_train),
        "test_span": interval(test_span), "train_span": interval(train_span), "validate_span": interval(validate_span),
    }  # fmt: skip
    length = max(options["test_span"], 1)
    capacity = max(1, (options["to"] - options["from"]) // length + 2)
    return list(_native.csm_model_walk_forward(capacity, options))


def purge(begin: Any, end: Any, start: TimeLike, stop: TimeLike, limit: TimeLike) -> Array:
    """Mask (rows,): decisions ``begin`` within [start, stop) whose label has ended, at ``end``, by ``limit``."""
    first, last = time_array(begin), time_array(end)
    keep = np.zeros(len(first), dtype=np.uint8)
    _native.csm_model_purge(keep, first, last, len(first), nanoseconds(start), nanoseconds(stop), nanoseconds(limit))
    return keep.astype(bool)


def uniqueness(begin: Any, end: Any, group: Any) -> Array:
    """Average uniqueness (rows,) in (0, 1] of labels that overlap within their group (Lopez de Prado 2018, ch. 4.4)."""
    first, last = time_array(begin), time_array(end)
    out = np.empty(len(first))
    _native.csm_model_uniqueness(out, first, last, column(group, "group", len(first), np.uint32), len(first))
    return out


def stack(
    prediction: Any, y: Any, *, objective: str = "logistic", weight: Any = None, shrink: float = 0.0
) -> Array:
    """Weights (members,) that mix out-of-fold predictions (rows, members) with the least loss; none negative."""
    members = matrix(prediction, "prediction")
    out = np.empty(members.shape[1])
    target = column(y, "y", len(members))
    sample_weight = None if weight is None else column(weight, "weight", len(members))
    _native.csm_model_stack(out, members, target, sample_weight, len(target), _choice(_OBJECTIVES, objective, "objective"), shrink)
    return out


class Predictor:
    """Trees made ready for single rows and small batches: no allocation in a call, may be shared by threads."""

    def __init__(self, model: Model, *, result: str = "raw", rounds: int = 0, concurrency: int = 1) -> None:
        options = {"result": _choice({"raw": 0, "response": 1, "leaf": 2}, result, "result"), "rounds": rounds, "concurrency": concurrency}
        self._handle = _native.csm_predictor_new(model._handle, options)
        self.columns = int(_native.csm_predictor_columns(self._handle))
        self.features = int(model.info.features)

    def __call__(self, x: Any, out: Optional[Array] = None, context: Optional[Context] = None) -> Array:
        """(rows, columns) of ``x`` (rows, features); one thread unless a context is given."""
        rows = matrix(x)
        result = output(out, (len(rows), self.columns))
        _native.csm_predictor_run(self._handle, None if context is None else context_of(context), rows, result)
        return result

    def row(self, row: Array, out: Array) -> Array:
        """One row of float32 (features,) into ``out``, float64 (columns,)."""
        _native.csm_predictor_row(self._handle, row, self.features, out, self.columns)
        return out
