# SPDX-License-Identifier: MIT
"""Search for good parameters: with Optuna over the learners' own tables, on purged folds."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Optional

import numpy as np

from . import _native, model
from ._arrays import Array, column, matrix
from ._context import Context
from ._time import time_array


def suggest(trial: Any, learner: str, names: Optional[Iterable[str]] = None, **ranges: Any) -> dict[str, float]:
    """Parameters of a learner proposed by an Optuna trial, within the table's ranges or narrower ones, ``name=(low, high)``.

    >>> import optuna
    >>> from cryptosmart import tune
    >>> trial = optuna.trial.FixedTrial({"leaves": 31, "learning_rate": 0.1})
    >>> tune.suggest(trial, "gbt", leaves=(4, 64), learning_rate=(0.01, 0.3))
    {'leaves': 31, 'learning_rate': 0.1}
    """
    row = model.learners().get(learner)
    if row is None:
        raise ValueError(f"learner is {learner!r}, and must be one of {', '.join(model.learners())}")
    table = {parameter.name: parameter for parameter in row.parameters}
    wanted = list(dict.fromkeys([*(names or []), *ranges]))
    unknown = [name for name in wanted if name not in table]
    if unknown:
        raise TypeError(f"{learner} has no parameter {unknown[0]!r}; it has: {', '.join(table)}")
    values: dict[str, float] = {}
    for name in wanted:
        parameter = table[name]
        low, high = ranges.get(name, (parameter.minimum, parameter.maximum))
        logarithm = bool(parameter.log_scale) and low > 0
        if parameter.integer:
            values[name] = trial.suggest_int(name, int(low), int(high), log=logarithm)
        else:
            values[name] = trial.suggest_float(name, low, high, log=logarithm)
    return values


def _loss(objective: str, y: Array, raw: Array) -> float:
    if objective == "logistic":
        return float(np.mean(np.logaddexp(0.0, raw) - y * raw))
    if objective == "squared":
        return float(np.mean((y - raw) ** 2))
    raise ValueError(f"objective is {objective!r}, and must be 'squared' or 'logistic'")


def objective(
    learner: str,
    x: Any,
    y: Any,
    begin: Any,
    end: Any,
    folds: Sequence[Any],
    *,
    loss: str = "logistic",
    ranges: Optional[dict[str, tuple[float, float]]] = None,
    context: Optional[Context] = None,
    **fixed: float,
) -> Callable[[Any], float]:
    """An objective for ``optuna.Study.optimize``: mean loss over walk-forward folds, labels purged, with pruning after each fold.

    ``begin`` and ``end`` (rows,): when each label's decision and outcome were; ``folds``: of :func:`cryptosmart.model.walk_forward`.
    Every trial counts as one that was tried: give their number to :func:`cryptosmart.calibrate.sharpe`.
    """
    rows, target = matrix(x), column(y, "y")
    first, last = time_array(begin), time_array(end)
    if not len(rows) == len(target) == len(first) == len(last):
        raise ValueError("x, y, begin and end differ in length")

    def evaluate(trial: Any) -> float:
        narrower: dict[str, Any] = dict(ranges or {})
        parameters: dict[str, Any] = {**fixed, **suggest(trial, learner, **narrower)}
        losses: list[float] = []
        for step, fold in enumerate(folds):
            train = model.purge(first, last, fold.train_from, fold.train_to, fold.test_from)
            test = (first >= fold.test_from) & (first < fold.test_to)
            if not train.any() or not test.any():
                continue
            trained = model.train(learner, rows[train], target[train], objective=loss, context=context, **parameters)
            losses.append(_loss(loss, target[test], trained.predict(rows[test], context=context)[:, 0]))
            trial.report(float(np.mean(losses)), step)
            if trial.should_prune():
                import optuna

                raise optuna.TrialPruned()
        if not losses:
            raise ValueError("no fold has rows to train on and to test")
        return float(np.mean(losses))

    return evaluate


def search(
    learner: str,
    x: Any,
    y: Any,
    begin: Any,
    end: Any,
    folds: Sequence[Any],
    *,
    trials: int = 20,
    loss: str = "logistic",
    seed: int = 1,
    context: Optional[Context] = None,
    **options: Any,
) -> Any:
    """A finished Optuna study: ``study.best_params``, ``study.trials_dataframe()``. ``options`` are those of :func:`objective`."""
    import optuna

    study = optuna.create_study(direction="minimize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective(learner, x, y, begin, end, folds, loss=loss, context=context, **options), n_trials=trials)
    return study


class Tuner:
    """The library's own search (tree-structured Parzen estimator with successive halving), by asking and telling.

    >>> from cryptosmart import tune
    >>> tuner = tune.Tuner({"l2": (0.001, 10.0)}, "linear", trials=8, seed=2)
    >>> for number, parameters in tuner:
    ...     tuner.tell(number, [abs(parameters["l2"] - 0.5)])
    >>> tuner.best.number < 8, len(tuner)
    (True, 8)
    """

    def __init__(self, ranges: dict[str, tuple[float, float]], learner: str, **options: Any) -> None:
        table = {parameter.name: parameter for parameter in model.learners()[learner].parameters}
        space = []
        for name, (low, high) in ranges.items():
            row = table[name]
            space.append({"name": name, "text": row.text, "minimum": low, "maximum": high, "integer": row.integer,
                          "log_scale": row.log_scale, "standard": min(max(row.standard, low), high)})  # fmt: skip
        self._handle = _native.csm_tuner_new(space, options or None)

    def ask(self) -> Optional[Any]:
        """The next trial (number, parameters, from_step, to_step), or None when all is done."""
        from ._errors import NoData

        try:
            return _native.csm_tuner_ask(self._handle)
        except NoData:
            return None

    def tell(self, number: int, losses: Any) -> None:
        """Losses of the steps that were asked for."""
        values = column(losses, "losses")
        _native.csm_tuner_tell(self._handle, number, values, len(values))

    def __iter__(self) -> Any:
        while True:
            trial = self.ask()
            if trial is None:
                return
            yield trial.number, {parameter.name: parameter.value for parameter in trial.parameters}

    def __len__(self) -> int:
        return int(_native.csm_tuner_count(self._handle))

    @property
    def best(self) -> Any:
        return _native.csm_tuner_best(self._handle)
