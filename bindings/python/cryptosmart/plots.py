# SPDX-License-Identifier: MIT
"""Plots with matplotlib. Each draws into ``ax`` (made when None) and returns it."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ._time import interval_text, time_text

if TYPE_CHECKING:
    from .workspace import Explanation, Ranking, Training

_UP, _DOWN, _MAIN, _GREY = "#1a7f5a", "#b3423a", "#2d5f9a", "#8a8f98"


def _axes(ax: Any, width: float = 7.0, height: float = 4.0) -> Any:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def ranking(found: Ranking, ax: Any = None, *, all: bool = False, limit: int = 20) -> Any:
    """The ranking as a table; ``all`` adds what the gate does not show, by expected return, in grey."""
    rows = found.all if all else found.rows
    rows = sorted(rows, key=lambda row: (row.show != 0, -np.nan_to_num(row.horizons[-1].expected_return, nan=-9e9)))[:limit]
    ax = _axes(ax, 8.0, 0.9 + 0.28 * max(len(rows), 1))
    ax.axis("off")
    ax.set_title(f"{len(found)} of {len(found.all)} coins shown, {time_text(found.time)}", fontsize=10, loc="left")
    if not rows:
        ax.text(0.0, 0.5, "No reliable opportunities", fontsize=12, transform=ax.transAxes)
        return ax
    cells, colours = [], []
    for row in rows:
        h = row.horizons[-1]
        values = [h.probability, h.lower, h.expected_return, h.low, h.high]
        cells.append([row.coin, interval_text(h.horizon), *("" if v != v else f"{100 * v:.1f} %" for v in values)])
        colours.append(["white" if row.show == 0 else "#eceef1"] * 7)
    header = ["coin", "horizon", "probability", "lower", "expected", "from", "to"]
    table = ax.table(cellText=cells, colLabels=header, cellColours=colours, loc="upper left", cellLoc="right")
    table.auto_set_font_size(False)
    table.set_fontsize(8)
    return ax


def calibration(scores: Any, ax: Any = None) -> Any:
    """Reliability: how often what was forecast with a probability happened, with its band. ``scores``: a record of
    :func:`cryptosmart.calibrate.scores`, or ``training.horizon().model``."""
    ax = _axes(ax, 4.6, 4.6)
    ax.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--", label="as promised")
    bins = [b for b in scores.bins if b.count]
    if bins:
        p = np.array([b.probability for b in bins])
        f = np.array([b.frequency for b in bins])
        band = np.array([[b.frequency - b.low for b in bins], [b.high - b.frequency for b in bins]])
        ax.errorbar(p, f, yerr=np.maximum(band, 0), fmt="o", color=_MAIN, capsize=2, markersize=4, label="happened")
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="forecast probability", ylabel="share that happened",
           title=f"{scores.rows} forecasts in {scores.blocks:.0f} independent blocks")  # fmt: skip
    ax.legend(loc="upper left", frameon=False)
    return ax


def beeswarm(values: Any, x: Any, names: Optional[list[str]] = None, ax: Any = None, *, limit: int = 12) -> Any:
    """SHAP contributions (rows, features) of each row, coloured by the feature's value in ``x`` (low blue, high red)."""
    contributions = np.asarray(values, dtype=float)
    features = np.asarray(x, dtype=float)
    if contributions.ndim != 2 or contributions.shape != features.shape:
        raise ValueError(f"contributions have shape {contributions.shape} and x {features.shape}: both must be (rows, features)")
    labels = names if names is not None else [str(c) for c in getattr(x, "columns", [f"f{i}" for i in range(features.shape[1])])]
    order = np.argsort(-np.abs(contributions).mean(axis=0))[:limit]
    ax = _axes(ax, 7.0, 0.8 + 0.32 * len(order))
    for place, feature in enumerate(order[::-1]):
        shift = contributions[:, feature]
        rank = features[:, feature].argsort().argsort() / max(len(shift) - 1, 1)
        ax.scatter(shift, place + _spread(shift), c=rank, cmap="coolwarm", s=6, linewidths=0, rasterized=True)
    ax.axvline(0, color=_GREY, linewidth=0.8)
    ax.set_yticks(range(len(order)), [labels[i] for i in order[::-1]])
    ax.set_xlabel("contribution to the score (log-odds)")
    return ax


def _spread(values: Any) -> Any:
    """Vertical places that keep the points of a row apart: the denser, the wider."""
    low, high = float(values.min()), float(values.max())
    cells = np.zeros(len(values), int) if high <= low else ((values - low) / (high - low) * 60).astype(int)
    out = np.zeros(len(values))
    for cell in np.unique(cells):
        where = np.flatnonzero(cells == cell)
        out[where] = (np.arange(len(where)) - (len(where) - 1) / 2) * min(0.03, 0.7 / len(where))
    return out


def waterfall(explanation: Explanation, ax: Any = None, *, limit: int = 10) -> Any:
    """From the expected score to this coin's: the greatest contributions one after the other, the rest as one step."""
    rows = explanation.contributions
    ax = _axes(ax, 7.0, 0.9 + 0.34 * (min(limit, len(rows)) + 1))
    if not rows:
        ax.axis("off")
        ax.text(0, 0.5, f"{explanation.forecast.market}: no contribution is known", transform=ax.transAxes)
        return ax
    steps = [(f"{row.feature} = {row.value:.3g}", row.contribution) for row in rows[:limit]]
    steps.append((f"{len(rows) - len(steps)} other features", sum(row.contribution for row in rows[limit:])))
    level = explanation.base
    for place, (_, contribution) in enumerate(steps):
        ax.barh(-place, contribution, left=level, color=_UP if contribution >= 0 else _DOWN, height=0.6)
        level += contribution
    ax.axvline(explanation.base, color=_GREY, linewidth=0.8, linestyle="--")
    ax.axvline(level, color="black", linewidth=0.8)
    ax.set_yticks([-i for i in range(len(steps))], [name for name, _ in steps])
    ax.set(xlabel="score of the trees (log-odds)",
           title=f"{explanation.forecast.coin}, {interval_text(explanation.horizon.horizon)}: {explanation.base:.2f} to {level:.2f}")  # fmt: skip
    return ax


def history(training: Training, horizon: Any = None, ax: Any = None, *, threshold: float = 0.8) -> Any:
    """Probabilities of the walk-forward record over time; calls at or above the threshold by what became of them."""
    rows = training.walk_array(horizon)
    rows = rows[~np.isnan(rows["probability"])]
    ax = _axes(ax, 8.0, 3.6)
    days = rows["time"].view("datetime64[ns]")
    issued = rows["probability"] >= threshold
    rose = rows["rises"] == 1
    ax.scatter(days[~issued], rows["probability"][~issued], s=3, color=_GREY, alpha=0.25, linewidths=0, label="not called", rasterized=True)
    ax.scatter(days[issued & rose], rows["probability"][issued & rose], s=14, color=_UP, label=f"called, rose ({int((issued & rose).sum())})")
    ax.scatter(days[issued & ~rose], rows["probability"][issued & ~rose], s=14, color=_DOWN, marker="x",
               label=f"called, did not ({int((issued & ~rose).sum())})")  # fmt: skip
    ax.axhline(threshold, color="black", linewidth=0.8)
    ax.set(ylim=(0, 1), ylabel="probability", title=f"Horizon {interval_text(training.horizon(horizon).horizon)}, as known at each time")
    ax.legend(loc="lower left", frameon=False, fontsize=8)
    return ax


def coverage(run: Any, ax: Any = None) -> Any:
    """What the exchange offered: processed, and excluded by reason. ``run``: ``workspace.coverage()``."""
    from . import _native

    counts = [(str(_native.csm_reason_text(bit)), n) for bit, n in enumerate(run.pairs_by_reason) if n]
    counts = [("processed", run.pairs_processed), *sorted(counts, key=lambda item: -item[1])]
    ax = _axes(ax, 7.0, 0.9 + 0.36 * len(counts))
    for place, (_, n) in enumerate(counts):
        ax.barh(-place, n, color=_MAIN if place == 0 else _GREY, height=0.6)
        ax.text(n, -place, f" {n}", va="center", fontsize=8)
    ax.set_yticks([-i for i in range(len(counts))], [name for name, _ in counts])
    ax.set(xlabel="pairs", title=f"{run.pairs_offered} offered = {run.pairs_processed} processed + {run.pairs_excluded} excluded, {time_text(run.time)}")
    return ax
