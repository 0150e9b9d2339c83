# SPDX-License-Identifier: MIT
"""What a notebook shows of an object: plain HTML tables."""
from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from . import _native
from ._time import interval_text, time_text

if TYPE_CHECKING:
    from .workspace import Ranking


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return escape(str(value))


def _table(header: list[str], rows: list[list[Any]], caption: str) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def table_html(frame: Any, caption: str) -> str:
    return _table([str(name) for name in frame.columns], frame.to_numpy().tolist(), caption)


def _percent(value: float) -> str:
    return "" if value != value else f"{100 * value:.1f} %"


def ranking_html(ranking: Ranking) -> str:
    """The table of what is shown, or that nothing is, with the funnel below."""
    rows = []
    for place, row in enumerate(ranking.rows, 1):
        h = row.horizons[-1]
        rows.append([place, row.coin, interval_text(h.horizon), _percent(h.probability), _percent(h.lower), _percent(h.expected_return),
                     f"{_percent(h.low)} .. {_percent(h.high)}", _percent(h.cost), f"{row.price:.6g}", time_text(row.last_update)])  # fmt: skip
    caption = f"{len(ranking)} of {len(ranking.all)} coins, {time_text(ranking.time)}"
    if rows:
        header = ["", "coin", "horizon", "probability", "lower bound", "expected return (log)", "interval", "cost", "price", "last trade"]
        shown = _table(header, rows, caption)
    else:
        shown = f"<p><b>No reliable opportunities.</b> {escape(caption)}</p>"
    funnel = [[_native.csm_reason_text(step.reason), step.fell, step.left] for step in ranking.funnel]
    return shown + _table(["why not", "coins", "left"], funnel, "Where the others fell")
