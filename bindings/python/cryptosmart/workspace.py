# SPDX-License-Identifier: MIT
"""A workspace: data, models and ledger in one folder, and the cycle that runs on them."""
from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Optional, Union

import numpy as np

from . import _native
from ._arrays import Array
from ._config import Config
from ._context import Context, context_of
from ._time import TIME_MAX, TIME_MIN, IntervalLike, TimeLike, interval, interval_text, nanoseconds, time_text, utc_index
from .calibrate import EVIDENCE
from .views import ranking_html, table_html

_MODES = {"read": 0, "write": 1, "create": 2, "shared": 3}
TARGETS = ("KNOWN", "UNKNOWN", "PENDING", "NO_ENTRY")


def reasons(mask: int) -> list[str]:
    """Names of the bits of a reason: why a coin, row or prediction was left out.

    >>> import cryptosmart as cs
    >>> cs.reasons((1 << 19) | (1 << 32))
    ['STALE', 'PROBABILITY_LOW']
    """
    text = str(_native.csm_reason_format(int(mask)))
    return text.split("|") if text else []


def _frame(records: Any, columns: tuple[str, ...], times: tuple[str, ...] = ()) -> Any:
    """A DataFrame of records' fields; those named in `times` become UTC timestamps."""
    import pandas as pd

    rows = list(records)
    data: dict[str, Any] = {}
    for name in columns:
        values = [getattr(row, name) for row in rows]
        data[name] = utc_index(np.array(values, dtype=np.int64), None) if name in times else values
    return pd.DataFrame(data, columns=list(columns))


class Ranking:
    """What passed the gate at one decision time, highest expected return first. Empty is a normal result.

    A sequence of records (coin, market, price, horizons, gate, show, ...); :meth:`to_pandas` makes a table.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.rows = [_native.csm_ranking_at(handle, i) for i in range(_native.csm_ranking_count(handle))]
        self.all = [_native.csm_ranking_all_at(handle, i) for i in range(_native.csm_ranking_total(handle))]
        self.funnel = [_native.csm_ranking_funnel_at(handle, i) for i in range(_native.csm_ranking_funnel_count(handle))]

    @property
    def time(self) -> int:
        """Decision time, nanoseconds UTC."""
        return int(self.all[0].time) if self.all else TIME_MIN

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def __getitem__(self, index: int) -> Any:
        return self.rows[index]

    def to_pandas(self, horizon: Optional[IntervalLike] = None, *, all: bool = False) -> Any:
        """One row a coin: coin, market, price, time and last_update (UTC), and at ``horizon`` (default: the last) probability and lower
        bound, expected return with its interval (log returns), cost, evidence; why it is not shown. ``all``: also what is not shown."""
        import pandas as pd

        rows = self.all if all else self.rows
        wanted = None if horizon is None else interval(horizon)
        table = []
        for row in rows:
            chosen = [h for h in row.horizons if wanted is None or h.horizon == wanted]
            if not chosen:
                raise ValueError(f"there is no horizon of {interval_text(wanted or 0)}")
            h = chosen[-1]
            table.append({
                "coin": row.coin, "market": row.market, "price": row.price, "horizon": interval_text(h.horizon),
                "probability": h.probability, "lower": h.lower, "expected_return": h.expected_return, "low": h.low, "high": h.high,
                "cost": h.cost, "evidence": EVIDENCE[h.evidence], "agreement": row.agreement,
                "not_shown": "|".join(reasons(row.show)), "not_traded": "|".join(reasons(row.trade)),
            })  # fmt: skip
        names = ("coin market price horizon probability lower expected_return low high cost evidence agreement not_shown not_traded").split()
        frame = pd.DataFrame(table, columns=names)
        for name in ("time", "last_update"):
            frame[name] = utc_index(np.array([getattr(row, name) for row in rows], dtype=np.int64), None)
        return frame

    def funnel_to_pandas(self) -> Any:
        """Where everything else fell: reason, coins that fell there first, coins that fail it at all, coins left."""
        import pandas as pd

        return pd.DataFrame(
            [{"reason": _native.csm_reason_name(s.reason), "text": _native.csm_reason_text(s.reason), "fell": s.fell, "failed": s.failed,
              "left": s.left} for s in self.funnel],
            columns=["reason", "text", "fell", "failed", "left"],
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<cryptosmart.Ranking, {len(self)} of {len(self.all)} coins shown, {time_text(self.time)}>"

    def _repr_html_(self) -> str:
        return ranking_html(self)


class Frame:
    """Features of the universe, as they were known at each decision time. Immutable.

    ``matrix``: (rows, features) float32, a view of the library's memory; ``times`` (rows,) int64 nanoseconds UTC; ``markets``
    (rows,) index into ``market_ids``; ``features``: names.
    """

    def __init__(self, handle: Any, market_ids: list[str]) -> None:
        self._handle = handle
        self.market_ids = market_ids
        self.matrix: Array = np.asarray(_native.csm_frame_matrix(handle))
        self.times: Array = np.asarray(_native.csm_frame_times(handle))
        self.markets: Array = np.asarray(_native.csm_frame_markets(handle))
        recipe = _native.csm_frame_recipe(handle)
        self.recipe = str(_native.csm_recipe_name(recipe))
        self.infos = [_native.csm_recipe_feature(recipe, i) for i in range(_native.csm_recipe_features(recipe))]
        self.features = [info.name for info in self.infos]

    def __len__(self) -> int:
        return len(self.times)

    def to_pandas(self) -> Any:
        """Features by (market, time), the index in UTC. The values are the library's own memory, not a copy: read-only."""
        import pandas as pd

        ids = np.array(self.market_ids, dtype=object)
        index = pd.MultiIndex.from_arrays([ids[self.markets], utc_index(self.times)], names=["market", "time"])
        return pd.DataFrame(self.matrix, index=index, columns=self.features, copy=False)

    def excluded(self) -> Any:
        """Rows that were left out: time, market, first feature without a value, reasons."""
        rows = [_native.csm_frame_excluded_at(self._handle, i) for i in range(_native.csm_frame_excluded_count(self._handle))]
        frame = _frame(rows, ("time", "market", "feature", "reasons"), ("time",))
        frame["market"] = [self.market_ids[i] for i in frame["market"]]
        frame["feature"] = [self.features[i] if i < len(self.features) else "" for i in frame["feature"]]
        frame["reasons"] = ["|".join(reasons(mask)) for mask in frame["reasons"]]
        return frame

    def windows(self, length: int) -> Array:
        """Rows with ``length`` - 1 consecutive rows of the same market before them: ``window_end`` of an LSTM."""
        ends = np.empty(len(self), dtype=np.int64)
        count = _native.csm_frame_windows(ends, self._handle, length)
        return ends[:count]

    def __repr__(self) -> str:
        return f"<cryptosmart.Frame, {len(self)} rows, {len(self.features)} features of {self.recipe}>"


class Training:
    """Models, calibrators and the walk-forward record of one training. Immutable."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        count = _native.csm_training_horizons(handle)
        self.horizons = [_native.csm_training_horizon(handle, i) for i in range(count)]

    @property
    def hash(self) -> str:
        """SHA-256 of the model file."""
        return str(_native.csm_training_hash(self._handle))

    @property
    def as_of(self) -> int:
        return int(_native.csm_training_as_of(self._handle))

    @property
    def recipe(self) -> str:
        return str(_native.csm_training_recipe(self._handle))

    def _index(self, horizon: Optional[IntervalLike]) -> int:
        if horizon is None:
            return len(self.horizons) - 1
        for i, row in enumerate(self.horizons):
            if row.horizon == interval(horizon):
                return i
        raise ValueError(f"horizon {horizon!r} was not trained; there are {', '.join(interval_text(h.horizon) for h in self.horizons)}")

    def horizon(self, horizon: Optional[IntervalLike] = None) -> Any:
        """Everything recorded for one horizon (default: the last): rows, folds, model and baseline scores, evidence, members, ..."""
        return self.horizons[self._index(horizon)]

    def walk_array(self, horizon: Optional[IntervalLike] = None) -> Array:
        """Walk-forward predictions as a structured array over the library's own memory, by time, then market; read-only."""
        fields, size, view = _native.csm_training_walk(self._handle, self._index(horizon))
        dtype = np.dtype({
            "names": [name for name, _, _, _ in fields],
            "formats": [(form, (count,)) if count else form for _, _, form, count in fields],
            "offsets": [offset for _, offset, _, _ in fields],
            "itemsize": size,
        })  # fmt: skip
        return np.asarray(view).view(dtype)

    def walk(self, horizon: Optional[IntervalLike] = None) -> Any:
        """The walk-forward record as a DataFrame: what would have been said at each time, knowing nothing later, and what happened."""
        import pandas as pd

        rows = self.walk_array(horizon)
        names = [name for name in rows.dtype.names or () if not name.startswith("member_")]
        data: dict[str, Any] = {name: rows[name] for name in names}
        data["time"], data["matures"] = utc_index(rows["time"]), utc_index(rows["matures"])
        known = {int(i): _native.csm_training_market(self._handle, int(i)) for i in np.unique(rows["market"])}
        coins = {i: _native.csm_training_coin(self._handle, i) for i in known}
        data["coin"] = [coins[int(i)] for i in rows["market"]]
        data["market"] = [known[int(i)] for i in rows["market"]]
        data["rises"] = rows["rises"].astype(bool)
        return pd.DataFrame(data)

    def summary(self) -> Any:
        """One row a horizon: rows, blocks, base rate, Brier skill and rank IC with bands, evidence."""
        import pandas as pd

        return pd.DataFrame([{
            "horizon": interval_text(h.horizon), "rows": h.rows, "blocks": h.blocks, "base_rate": h.base_rate,
            "brier_skill": h.model.brier_skill.value, "brier_skill_low": h.model.brier_skill.low, "brier_skill_high": h.model.brier_skill.high,
            "rank_ic": h.model.rank_ic.value, "rank_ic_low": h.model.rank_ic.low, "rank_ic_high": h.model.rank_ic.high,
            "ece": h.model.ece.value, "issued": h.evidence.issued, "precision": h.evidence.precision,
            "evidence": EVIDENCE[h.evidence.status],
        } for h in self.horizons])  # fmt: skip

    def __repr__(self) -> str:
        return f"<cryptosmart.Training {self.hash[:12]}, {len(self.horizons)} horizons, as of {time_text(self.as_of)}>"

    def _repr_html_(self) -> str:
        return table_html(self.summary(), f"Training {self.hash[:12]} as of {time_text(self.as_of)}, recipe {self.recipe}")


class Explanation:
    """Why a coin's forecast is what it is: contributions of features to the score of the trees, in log-odds."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.forecast = _native.csm_explanation_forecast(handle)
        self.horizon = _native.csm_explanation_horizon(handle)
        self.base = float(_native.csm_explanation_base(handle))
        self.contributions = [_native.csm_explanation_at(handle, i) for i in range(_native.csm_explanation_count(handle))]

    def to_pandas(self) -> Any:
        """One row a feature, greatest contribution first."""
        import pandas as pd

        return pd.DataFrame(self.contributions, columns=["feature", "value", "contribution"])

    def members(self) -> Any:
        """What each member of the ensemble says alone, and how much it counts."""
        return _frame(self.horizon.members, ("name", "score", "score_weight", "expected_return", "return_weight"))

    def __repr__(self) -> str:
        return f"<cryptosmart.Explanation, {self.forecast.market}, {len(self.contributions)} features>"

    def _repr_html_(self) -> str:
        return table_html(self.to_pandas().head(15), f"{self.forecast.market} at {interval_text(self.horizon.horizon)}")


class Workspace:
    """A workspace and the cycle that runs on it: adopt or discover and ingest, fuse, train, predict, learn.

    Parameters
    ----------
    path : path
        The folder.
    config : Config, mapping or YAML file, optional
    mode : str
        "read" takes no lock and writes nothing; "write" takes the lock and recovers; "create" makes an absent folder as well;
        "shared" takes the lock for each commit only.
    context : Context, optional
        Progress, log, seed, threads. Without one the workspace has its own with the defaults.

    Examples
    --------
    >>> import cryptosmart as cs
    >>> with cs.Workspace(sample, mode="read") as workspace:        # `sample`: a folder with a trained model
    ...     ranking = workspace.predict("2023-12-30")
    ...     print(len(ranking.all) > 20, workspace.champion().recipe)
    True spine-1
    """

    def __init__(
        self,
        path: Union[str, os.PathLike[str]],
        config: Union[Config, dict[str, Any], str, os.PathLike[str], None] = None,
        *,
        mode: str = "read",
        context: Optional[Context] = None,
    ) -> None:
        if mode not in _MODES:
            raise ValueError(f"mode is {mode!r}, and must be one of {', '.join(_MODES)}")
        self.path = os.fspath(path)
        self.config = config if isinstance(config, Config) else Config(config)
        self.context = context if context is not None else Context(
            seed=int(self.config["run.seed"]), threads=int(self.config["run.threads"]))  # fmt: skip
        self._handle = _native.csm_pipeline_open(self.context._handle, self.config._handle, path, _MODES[mode])

    # ---- object ----

    @property
    def closed(self) -> bool:
        return bool(self._handle.closed)

    def close(self) -> None:
        """Closes the folder; later calls raise ValueError."""
        self._handle.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<cryptosmart.Workspace {self.path!r}{', closed' if self.closed else ''}>"

    def _store(self) -> Any:
        return _native.csm_pipeline_store(self._handle)

    # ---- data ----

    def adopt(self, folder: Union[str, os.PathLike[str]]) -> Any:
        """Adopts a folder of listings and segments; the newest listing's coverage: offered = processed + excluded."""
        return _native.csm_discovery_coverage(_native.csm_pipeline_adopt(self._handle, folder))

    def discover(self) -> Any:
        """Fetches the exchange's listing: its coverage."""
        return _native.csm_discovery_coverage(_native.csm_pipeline_discover(self._handle))

    def coverage(self, venue: Optional[str] = None) -> Any:
        """The newest stored coverage run of a venue (default: that of the first market)."""
        if venue is None:
            listed = self._markets(TIME_MAX)
            if not listed:
                raise _no_market()
            venue = listed[0].venue
        return _native.csm_discovery_coverage(_native.csm_discover_last(self._store(), venue))

    def ingest(self) -> Any:
        """Runs the configured sources: one row for each source and market."""
        report = _native.csm_pipeline_ingest(self._handle)
        rows = [_native.csm_ingest_report_at(report, i) for i in range(_native.csm_ingest_report_count(report))]
        return _frame(rows, ("source", "market", "requests", "rows", "newest", "text"), ("newest",))

    def _markets(self, as_of: int) -> list[Any]:
        found = _native.csm_pipeline_universe(self._handle, as_of)
        return [_native.csm_market_list_at(found, i) for i in range(_native.csm_market_list_count(found))]

    def universe(self, as_of: Optional[TimeLike] = None) -> Any:
        """Markets that would be modelled: id, coin, quote, venue, symbol, epoch, listed, delisted."""
        rows = self._markets(nanoseconds(as_of))
        return _frame(rows, ("id", "coin", "quote", "venue", "symbol", "epoch", "listed", "delisted"), ("listed", "delisted"))

    def streams(self) -> Any:
        """What is stored: kind, venue, symbol, interval, rows, first, last, source."""
        found = _native.csm_store_streams(self._store(), None, None)
        rows = [_native.csm_stream_list_at(found, i) for i in range(_native.csm_stream_list_count(found))]
        frame = _frame(rows, ("rows", "first", "last", "source"), ("first", "last"))
        for at, name in enumerate(("kind", "venue", "symbol", "epoch")):
            frame.insert(at, name, [getattr(row.stream, name) for row in rows])
        frame.insert(3, "interval", [interval_text(row.stream.interval) if row.stream.interval else "" for row in rows])
        return frame

    def bars(
        self,
        market: str,
        every: IntervalLike = "1h",
        start: Optional[TimeLike] = None,
        stop: Optional[TimeLike] = None,
        *,
        as_of: Optional[TimeLike] = None,
        epoch: int = 1,
    ) -> Any:
        """Bars of a market ("binance:BTC/USDT") in [start, stop), as known at ``as_of``: open, high, low, close, volume by the bar's open
        in UTC, and ``state`` (0 traded, 1 nobody traded, 2 gap). Nothing is filled in. Columns share the library's memory."""
        import pandas as pd

        venue, _, symbol = market.partition(":")
        stream = {"kind": "bars", "venue": venue, "symbol": symbol, "interval": interval(every), "epoch": epoch}
        series = _native.csm_store_read_bars(
            self._store(), self.context._handle, stream, nanoseconds(start, TIME_MIN), nanoseconds(stop), nanoseconds(as_of)
        )
        view = _native.csm_bar_series_view(series)
        names = ("open", "high", "low", "close", "volume")
        time = np.asarray(view.time) if view.length else np.empty(0, np.int64)
        data = {name: np.asarray(getattr(view, name)) if view.length else np.empty(0) for name in names}
        data["state"] = np.asarray(view.state) if view.state is not None else np.zeros(view.length, np.uint8)
        return pd.DataFrame(data, index=utc_index(time), copy=False)

    def fuse(
        self, start: Optional[TimeLike] = None, stop: Optional[TimeLike] = None, *, as_of: Optional[TimeLike] = None
    ) -> Frame:
        """Features of the universe at decisions in [start, stop), each as it was known then."""
        known = nanoseconds(as_of)
        frame = _native.csm_pipeline_fuse(self._handle, nanoseconds(start, TIME_MIN), nanoseconds(stop), known)
        # as csm_pipeline_fuse orders them: every listing epoch that ever was
        flags = _native.CSM_MARKETS_PROCESSED | _native.CSM_MARKETS_CANONICAL | _native.CSM_MARKETS_EVER
        found = _native.csm_discover_markets(self._store(), self.config["universe.venue"] or None, known, flags)
        return Frame(frame, [_native.csm_market_list_at(found, i).id for i in range(_native.csm_market_list_count(found))])

    # ---- models ----

    def train(self, as_of: Optional[TimeLike] = None) -> Training:
        """Trains every horizon on what was known at ``as_of``, registers the result as champion and returns it."""
        return Training(_native.csm_pipeline_train(self._handle, nanoseconds(as_of)))

    def champion(self) -> Training:
        """The model that predicts; :class:`NotFound` when nothing was trained."""
        return Training(_native.csm_pipeline_champion(self._handle))

    evaluate = champion  #: the walk-forward record of the champion is its evaluation

    def models(self) -> Any:
        """Champion, challenger, shadow and retired models."""
        found = _native.csm_pipeline_models(self._handle)
        rows = [_native.csm_model_list_at(found, i) for i in range(_native.csm_model_list_count(found))]
        names = ("hash", "role", "as_of", "created", "brier_skill", "log_loss", "outcomes", "brier")
        return _frame(rows, names, ("as_of", "created"))

    def predict(self, as_of: Optional[TimeLike] = None, *, write: bool = False, backfill: bool = False) -> Ranking:
        """Forecasts as of a time (default: now), through the gate, ranked. ``write``: into the ledger; ``backfill`` marks a
        replayed past decision there."""
        options = {"as_of": nanoseconds(as_of), "dry": int(not write), "backfill": int(backfill)}
        return Ranking(_native.csm_pipeline_predict(self._handle, options))

    def explain(self, market: str, horizon: Optional[IntervalLike] = None, *, as_of: Optional[TimeLike] = None) -> Explanation:
        """Why a coin ("BTC" or a market's id) is forecast as it is."""
        length = 0 if horizon is None else interval(horizon)
        return Explanation(_native.csm_pipeline_explain(self._handle, market, length, nanoseconds(as_of)))

    # ---- learning ----

    def learn(self) -> Any:
        """Writes the outcome of every forecast whose time has come: record of matured, unknown, pending."""
        return _native.csm_pipeline_learn(self._handle)

    def ledger(
        self,
        horizon: Optional[IntervalLike] = None,
        start: Optional[TimeLike] = None,
        stop: Optional[TimeLike] = None,
        *,
        shown_only: bool = False,
    ) -> Any:
        """Forecasts as they were written, with what came of them."""
        length = 0 if horizon is None else interval(horizon)
        found = _native.csm_learn_history(self._store(), length, nanoseconds(start, TIME_MIN), nanoseconds(stop), int(shown_only))
        rows = [_native.csm_ledger_history_at(found, i) for i in range(_native.csm_ledger_history_count(found))]
        names = ("row", "decision", "written", "market", "coin", "horizon", "probability", "lower", "expected_return", "low", "high", "cost",
                 "state", "rises", "log_return", "backfill", "show")  # fmt: skip
        frame = _frame(rows, names, ("decision", "written"))
        frame["horizon"] = [interval_text(row.horizon) for row in rows]
        frame["state"] = [TARGETS[row.state] for row in rows]
        frame["shown"] = [row.show == 0 for row in rows]
        frame["not_shown"] = ["|".join(reasons(row.show)) for row in rows]
        return frame.drop(columns="show")

    def feedback(self, row: int, right: Optional[bool], who: str, text: str = "") -> None:
        """What somebody says of a forecast (``row`` of :meth:`ledger`): right, wrong, or None to withdraw it. Stands beside the outcome."""
        verdict = 0 if right is None else 1 if right else -1
        _native.csm_learn_feedback_add(self.context._handle, self._store(), row, verdict, who, text)

    def decisions(self, after: int = 0) -> Any:
        """What the learning loop did and why: alarms, challengers, promotions, weights."""
        found = _native.csm_learn_decisions(self._store(), after)
        rows = [_native.csm_decision_list_at(found, i) for i in range(_native.csm_decision_list_count(found))]
        frame = _frame(rows, ("row", "written", "time", "kind", "model", "text"), ("written", "time"))
        frame["kind"] = [_native.csm_decision_name(row.kind) for row in rows]
        return frame

    def promote(self, model: str, *, force: bool = False) -> None:
        """Makes a model champion, where the ledger's evidence supports it or ``force`` is given; the one before goes on in shadow."""
        _native.csm_pipeline_promote(self._handle, model, int(force))

    def rollback(self) -> None:
        """The champion before comes back; :class:`NotFound` when there is none."""
        _native.csm_pipeline_rollback(self._handle)

    def backup(self, folder: Union[str, os.PathLike[str]]) -> None:
        """One consistent generation of the workspace in an empty or absent folder, every file with its hash."""
        _native.csm_store_backup(self._store(), self.context._handle, folder)

    @staticmethod
    def restore(backup: Union[str, os.PathLike[str]], folder: Union[str, os.PathLike[str]]) -> None:
        """Copies a backup into an empty or absent folder, every hash compared."""
        _native.csm_store_restore(context_of(None), backup, folder)

    def refresh(self) -> None:
        """In "shared" mode: sees what others committed since."""
        _native.csm_store_refresh(self._store())

    def verify_ledger(self) -> Any:
        """Recomputes the chain of hashes: record of rows and hash; :class:`Corrupt` names the first wrong row."""
        return _native.csm_learn_verify(self.context._handle, self._store())

    def audit(self, times: int = 3) -> Any:
        """Rebuilds features from truncated and corrupted data: record with rows compared and rows that differ (leaks)."""
        return _native.csm_pipeline_audit(self._handle, times)

    def gate(self, horizon: IntervalLike) -> Any:
        """Why the gate is open or shut at a horizon, and what would open it (``text``)."""
        return _native.csm_pipeline_gate(self._handle, interval(horizon))

    def health(self) -> Any:
        """Health score and its parts."""
        return _native.csm_pipeline_health(self._handle, float("nan"))

    def status(self) -> Any:
        """Record: markets, universe, rows, first, last, trained, ledger, recipe, ..."""
        return _native.csm_pipeline_status_report(self._handle)

    def doctor(self) -> Any:
        """Looks at machine, build, workspace and data: name, level, text."""
        found = _native.csm_pipeline_doctor(self.context._handle, self.config._handle, self.path)
        rows = [_native.csm_checks_at(found, i) for i in range(_native.csm_checks_count(found))]
        return _frame(rows, ("name", "level", "text"))


def _no_market() -> Exception:
    return ValueError("the workspace has no market yet: adopt a folder or discover")


Pipeline = Workspace
