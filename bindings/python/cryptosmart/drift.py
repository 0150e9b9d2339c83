# SPDX-License-Identifier: MIT
"""Whether the world changed: tests on streams and on samples, and weights that follow what happened."""
from __future__ import annotations

from typing import Any

import numpy as np

from . import _native
from ._arrays import Array, column, matrix
from ._context import Context, context_of
from ._time import IntervalLike, interval


class Adwin:
    """ADWIN2 (Bifet & Gavalda 2007): a window that drops its older part when its mean differs from the newer one's.

    >>> from cryptosmart import drift
    >>> adwin = drift.Adwin()
    >>> any(adwin.add(value) for value in [0.0] * 300), any(adwin.add(value) for value in [1.0] * 300)
    (False, True)
    """

    def __init__(self, **options: float) -> None:
        self._handle = _native.csm_adwin_new(options or None)

    def add(self, value: float) -> bool:
        """Whether this value raised an alarm."""
        return bool(_native.csm_adwin_add(self._handle, value))

    @property
    def info(self) -> Any:
        """Record: values, alarms, width, mean, variance."""
        return _native.csm_adwin_describe(self._handle)


class PageHinkley:
    """Page-Hinkley test in both directions: 1 the mean rose, -1 it fell, 0 neither."""

    def __init__(self, **options: float) -> None:
        self._handle = _native.csm_page_hinkley_new(options or None)

    def add(self, value: float) -> int:
        return int(_native.csm_page_hinkley_add(self._handle, value))

    @property
    def info(self) -> Any:
        """Record: values, alarms, mean, rise, fall."""
        return _native.csm_page_hinkley_describe(self._handle)


def psi(reference: Any, current: Any, bins: int = 10) -> float:
    """Population stability index: 0.1 is little, 0.25 much."""
    a, b = column(reference, "reference"), column(current, "current")
    return float(_native.csm_learn_psi(a, len(a), b, len(b), bins))


def ks(a: Any, b: Any) -> Any:
    """Two-sample Kolmogorov-Smirnov test: record with statistic and p_value.

    >>> from cryptosmart import drift
    >>> drift.ks([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).statistic
    0.0
    """
    first, second = column(a, "a"), column(b, "b")
    return _native.csm_learn_ks(first, len(first), second, len(second))


def alarm_level(false_alarms: float, streams: int, every: IntervalLike) -> float:
    """Level of each check, so that at most ``false_alarms`` a year come up by chance."""
    return float(_native.csm_learn_alarm_level(false_alarms, streams, interval(every)))


class Weights:
    """Weights of members by what they lost so far (exponentially weighted aggregation).

    >>> from cryptosmart import drift
    >>> weights = drift.Weights(2)
    >>> for _ in range(50):
    ...     weights.add([0.1, 0.9])
    >>> bool(weights.values[0] > 0.99)
    True
    """

    def __init__(self, members: int, delay: float = 0.0) -> None:
        self._handle = _native.csm_aggregate_new(members, delay)
        self.members = members

    def add(self, loss: Any) -> None:
        """Losses (members,) of one round, each within 0..1; NaN: that one made no forecast."""
        _native.csm_aggregate_add(self._handle, column(loss, "loss", self.members))

    @property
    def values(self) -> Array:
        out = np.empty(self.members)
        _native.csm_aggregate_weights(out, self._handle)
        return out


class Regimes:
    """Hidden Markov model with Gaussian emissions: probabilities of hidden states, filtered, so the past never sees the future.

    >>> import numpy as np
    >>> from cryptosmart import drift
    >>> random = np.random.default_rng(4)
    >>> x = np.concatenate([random.normal(0, 1, (300, 1)), random.normal(6, 1, (300, 1))])
    >>> regimes = drift.Regimes(states=2).fit(x)
    >>> regimes.filter(x)[[10, 590]].round().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, states: int = 2, **options: float) -> None:
        self.states = states
        self.options = options
        self._handle: Any = None

    def fit(self, x: Any, context: Any = None) -> Regimes:
        """``x``: (rows in order of time, features), finite."""
        if context is not None and not isinstance(context, Context):
            raise TypeError(f"context is a {type(context).__name__}, and must be a cryptosmart.Context")
        self._handle = _native.csm_hmm_fit(context_of(context), matrix(x), None, {"states": self.states, **self.options})
        return self

    def _fitted(self) -> Any:
        if self._handle is None:
            raise ValueError("these Regimes are not fitted yet: call fit(x)")
        return self._handle

    def filter(self, x: Any) -> Array:
        """Probabilities (rows, states) given each row and those before it."""
        rows = matrix(x)
        out = np.empty((len(rows), self.states))
        self.log_likelihood_ = float(_native.csm_hmm_filter(out, self._fitted(), rows))
        return out

    @property
    def info(self) -> Any:
        """Record: states, iterations, features, log_likelihood."""
        return _native.csm_hmm_describe(self._fitted())
