# SPDX-License-Identifier: MIT
"""Scores into probabilities that were checked; how good forecasts were, and whether that was skill or luck.

Arrays are (rows,) float64: scores (log-odds), outcomes (0 or 1), probabilities. Times are nanoseconds or anything of pandas.
"""
from __future__ import annotations

from typing import Any, Optional

import numpy as np

from . import _native
from ._arrays import Array, column, matrix
from ._context import Context, context_of
from ._time import IntervalLike, interval, time_array

METHODS = ("auto", "Platt", "isotonic", "beta", "temperature", "Venn-Abers")
EVIDENCE = ("UNPROVEN", "REVOKED", "CONSISTENT", "CERTIFIED")


class Calibrator:
    """From scores to probabilities, with the caution that few independent observations ask for.

    Parameters
    ----------
    method : str
        "auto" chooses by the number of blocks, or by purged log loss when labels' times are given; "Platt", "isotonic",
        "beta", "temperature", "Venn-Abers".
    blocks : float, optional
        Disjoint horizon-long blocks behind the scores (:func:`blocks`): what the rows are worth as independent observations.
        Without it every row counts as one.

    Examples
    --------
    >>> import numpy as np
    >>> from cryptosmart import Calibrator
    >>> random = np.random.default_rng(1)
    >>> score = random.normal(size=2000)
    >>> outcome = (random.random(2000) < 1 / (1 + np.exp(-2 * score))).astype(float)
    >>> calibrator = Calibrator("Platt").fit(score, outcome)
    >>> bool(abs(calibrator.info.slope - 2) < 0.3), calibrator.predict([0.0, 3.0]).round(1).tolist()
    (True, [0.5, 1.0])
    """

    def __init__(self, method: str = "auto", *, blocks: Optional[float] = None, matured: bool = False) -> None:
        lower = [name.lower() for name in METHODS]
        if method.lower() not in lower:
            raise ValueError(f"method is {method!r}, and must be one of {', '.join(METHODS)}")
        self.method = METHODS[lower.index(method.lower())]
        self.blocks = blocks
        self.matured = matured
        self._handle: Any = None

    def fit(self, score: Any, outcome: Any, weight: Any = None, *, begin: Any = None, end: Any = None) -> Calibrator:
        """``begin`` and ``end``: times of each label, from decision to outcome, for the choice of the method on purged folds."""
        scores = column(score, "score")
        n = len(scores)
        outcomes = column(outcome, "outcome", n)
        weights = None if weight is None else column(weight, "weight", n)
        options = {"method": METHODS.index(self.method), "matured": int(self.matured), "blocks": float(self.blocks or n)}
        if begin is None:
            self._handle = _native.csm_calibrator_fit(scores, outcomes, weights, n, options)
        else:
            self._handle = _native.csm_calibrator_choose(scores, outcomes, weights, time_array(begin), time_array(end), n, options)
        return self

    def _fitted(self) -> Any:
        if self._handle is None:
            raise ValueError("this Calibrator is not fitted yet: call fit(score, outcome)")
        return self._handle

    def predict(self, score: Any) -> Array:
        """Probabilities (rows,), monotone in the score."""
        scores = column(score, "score")
        out = np.empty(len(scores))
        _native.csm_calibrator_apply(self._fitted(), scores, out, len(out))
        return out

    def venn_abers(self, score: Any) -> tuple[Array, Array]:
        """Lower and upper probability (rows,) each (Vovk, Petej & Fedorova 2015)."""
        scores = column(score, "score")
        low, high = np.empty(len(scores)), np.empty(len(scores))
        _native.csm_calibrator_venn_abers(self._fitted(), scores, low, high, len(low))
        return low, high

    @property
    def info(self) -> Any:
        """Record: method in use, rows, blocks, base_rate, shrinkage, slope, intercept, log_loss by method, ..."""
        return _native.csm_calibrator_describe(self._fitted())


def blocks(time: Any, horizon: IntervalLike) -> float:
    """Disjoint horizon-long blocks that hold at least one decision time.

    >>> import numpy as np
    >>> from cryptosmart import calibrate
    >>> calibrate.blocks(np.arange(72) * 3_600_000_000_000, "24h")
    3.0
    """
    times = time_array(time)
    return float(_native.csm_calibrate_blocks(times, len(times), interval(horizon)))


def _outcomes(
    time: Any, coin: Any, horizon: IntervalLike, outcome: Any, probability: Any, expected: Any, realised: Any
) -> dict[str, Any]:
    times = time_array(time)
    n = len(times)
    given = {"probability": probability, "expected": expected, "realised": realised}
    return {
        "length": n, "horizon": interval(horizon), "time": times,
        "coin": np.zeros(n, np.uint32) if coin is None else column(coin, "coin", n, np.uint32),
        "outcome": column(outcome, "outcome", n),
        **{name: column(values, name, n) for name, values in given.items() if values is not None},
    }  # fmt: skip


def scores(
    time: Any,
    outcome: Any,
    probability: Any,
    *,
    horizon: IntervalLike,
    coin: Any = None,
    expected: Any = None,
    realised: Any = None,
    bins: int = 10,
    bootstrap: int = 400,
    context: Optional[Context] = None,
) -> Any:
    """How good forecasts were, with bands by a block bootstrap that respects overlapping labels.

    Record: brier, brier_skill, log_loss, ece, rank_ic (each value, low, high), reliability, resolution, uncertainty, blocks, bins (count,
    probability, frequency, low, high), ...

    >>> import numpy as np
    >>> from cryptosmart import calibrate
    >>> time = np.repeat(np.arange(100), 5) * 86_400_000_000_000
    >>> probability = np.tile([0.1, 0.3, 0.5, 0.7, 0.9], 100)
    >>> outcome = (np.random.default_rng(2).random(500) < probability).astype(float)
    >>> found = calibrate.scores(time, outcome, probability, horizon="24h")
    >>> found.blocks, bool(found.brier.low < found.brier.value < found.brier.high)
    (100.0, True)
    """
    rows = _outcomes(time, coin, horizon, outcome, probability, expected, realised)
    return _native.csm_calibrate_scores(context_of(context), rows, {"bins": bins, "bootstrap": bootstrap})


def brier_gain(
    time: Any, outcome: Any, probability: Any, other: Any, *, horizon: IntervalLike, coin: Any = None, bootstrap: int = 400,
    context: Optional[Context] = None,
) -> Any:  # fmt: skip
    """Brier score of ``other`` less that of ``probability``, with a paired band: above 0 the latter is better."""
    rows = _outcomes(time, coin, horizon, outcome, probability, None, None)
    return _native.csm_calibrate_brier_gain(context_of(context), rows, column(other, "other", rows["length"]), bootstrap)


def evidence(time: Any, outcome: Any, probability: Any, *, horizon: IntervalLike, coin: Any = None, **options: Any) -> Any:
    """Whether calls at or above the threshold came true as often as promised, valid under daily looks.

    ``options``: threshold, target, level, revoke_at, blocks_needed, as_of. ``EVIDENCE[record.status]`` names the result.
    """
    return _native.csm_calibrate_evidence(_outcomes(time, coin, horizon, outcome, probability, None, None), options or None)


def spearman(a: Any, b: Any) -> float:
    """Rank correlation with mean ranks for ties; NaN when either side is constant."""
    first = column(a, "a")
    return float(_native.csm_calibrate_spearman(first, column(b, "b", len(first)), len(first)))


def conformal_radius(residual: Any, alpha: float = 0.1) -> float:
    """Half-width of an interval that holds 1 - alpha of what comes (split conformal).

    >>> from cryptosmart import calibrate
    >>> calibrate.conformal_radius([float(i) for i in range(1, 100)], alpha=0.1)
    90.0
    """
    values = column(residual, "residual")
    return float(_native.csm_calibrate_conformal(values, len(values), alpha))


class OnlineConformal:
    """A conformal radius that widens after misses and narrows after hits; "adaptive" or "pid"."""

    def __init__(self, method: str = "adaptive", **options: float) -> None:
        methods = ("adaptive", "pid")
        if method not in methods:
            raise ValueError(f"method is {method!r}, and must be one of {', '.join(methods)}")
        defaults = _native.csm_conformal_options_init(methods.index(method))
        values = {name: getattr(defaults, name) for name in ("method", "window", "alpha", "step", "gain", "saturation", "start")}
        self._handle = _native.csm_conformal_new({**values, **options})

    def add(self, residual: float, issued: float) -> None:
        """An outcome's residual, and the radius its forecast was issued with."""
        _native.csm_conformal_add(self._handle, residual, issued)

    @property
    def info(self) -> Any:
        return _native.csm_conformal_describe(self._handle)

    @property
    def radius(self) -> float:
        return float(self.info.radius)


def sharpe(returns: Any, **options: Any) -> Any:
    """Sharpe ratio with its standard error, probabilistic and deflated (``trials``: settings ever tried).

    >>> import numpy as np
    >>> from cryptosmart import calibrate
    >>> luck = calibrate.sharpe(np.random.default_rng(3).normal(0.02, 1, 250), trials=100)
    >>> bool(luck.deflated < luck.probabilistic)
    True
    """
    values = column(returns, "returns")
    return _native.csm_calibrate_sharpe(values, len(values), options or None)


def overfitting(returns: Any, parts: int = 16) -> Any:
    """Probability of backtest overfitting of returns (periods, strategies), by symmetric cross-validation."""
    return _native.csm_calibrate_overfitting(matrix(returns, "returns"), parts)


def superior(gain: Any, *, context: Optional[Context] = None, **options: Any) -> Any:
    """Hansen's test of whether the best of several models (periods, models) beats the benchmark by more than luck."""
    return _native.csm_calibrate_superior(context_of(context), matrix(gain, "gain"), options or None)
