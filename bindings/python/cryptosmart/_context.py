# SPDX-License-Identifier: MIT
"""Threads, seed, progress, log and clock of the calls that take long."""
from __future__ import annotations

import logging
import threading
from typing import Any, Callable, Optional, Union

from . import _native
from ._time import TimeLike, nanoseconds

Progress = Callable[[str, int, int], Any]
Log = Callable[[int, str, str], Any]

_LEVELS = {"error": 0, "warning": 1, "info": 2, "debug": 3}
_PYTHON_LEVELS = (logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG)


class _Bar:
    """One tqdm bar for each thing that is counted."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._what = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        from tqdm.auto import tqdm

        if what != self._what or self._bar is None:
            self.close()
            self._what = what
            self._bar = tqdm(total=total or None, desc=what, leave=False)
        self._bar.n = done
        self._bar.refresh() if done == total else self._bar.update(0)
        if total and done >= total:
            self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = None


class Context:
    """How calls run. One context serves one thread at a time; a second thread gets ``RuntimeError``.

    Long calls let other Python threads run, and Ctrl-C cancels them. What a callback raises cancels the call and is raised
    by it.

    Parameters
    ----------
    seed : int
        Of every random stream. Same seed, same data, same answer.
    threads : int
        Worker threads, 0 for the number of processors. Results do not depend on it.
    progress : bool or callable, optional
        True shows a tqdm bar; a callable gets ``(what, done, total)``, and a true result cancels.
    log : str or callable, optional
        A level ("error", "warning", "info", "debug"), whose lines go to ``logging.getLogger("cryptosmart")``, or a callable
        that gets ``(level, module, text)``, level 0 (error) to 3 (debug).
    clock : callable or time, optional
        The time now, as nanoseconds UTC or anything that names a time: for replays.

    Examples
    --------
    >>> import cryptosmart as cs
    >>> with cs.Context(seed=42, threads=2) as context:
    ...     print(context.seed, context.threads)
    42 2
    >>> cs.Context(clock="2023-12-30").now
    1703894400000000000
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        threads: int = 0,
        progress: Union[bool, Progress, None] = None,
        log: Union[str, Log, None] = None,
        clock: Union[Callable[[], int], TimeLike, None] = None,
    ) -> None:
        level = 3 if callable(log) else _LEVELS.get(log or "warning")
        if level is None:
            raise ValueError(f"log is {log!r}, and must be one of {', '.join(_LEVELS)}, or a callable")
        self._handle = _native.csm_context_new({"seed": seed, "threads": threads, "log_level": level})
        if progress is True:
            _native.csm_context_set_progress(self._handle, _Bar())
        elif progress:
            _native.csm_context_set_progress(self._handle, progress)
        _native.csm_context_set_log(self._handle, log if callable(log) else _log)
        if callable(clock):
            _native.csm_context_set_clock(self._handle, clock)
        elif clock is not None:
            now = nanoseconds(clock)
            _native.csm_context_set_clock(self._handle, lambda: now)

    @property
    def seed(self) -> int:
        return int(_native.csm_context_seed(self._handle))

    @property
    def threads(self) -> int:
        return int(_native.csm_context_threads(self._handle))

    @property
    def now(self) -> int:
        """Nanoseconds UTC by this context's clock."""
        return int(_native.csm_context_now(self._handle))

    def cancel(self) -> None:
        """Ends the running call with :class:`Cancelled`, from any thread. Holds until :meth:`resume`."""
        _native.csm_context_cancel(self._handle)

    def resume(self) -> None:
        _native.csm_context_resume(self._handle)

    @property
    def closed(self) -> bool:
        return bool(self._handle.closed)

    def close(self) -> None:
        self._handle.close()

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<cryptosmart.Context, closed>" if self.closed else f"<cryptosmart.Context, seed {self.seed}, {self.threads} threads>"


def _log(level: int, module: str, text: str) -> None:
    logging.getLogger("cryptosmart").log(_PYTHON_LEVELS[level], "%s: %s", module, text)


_local = threading.local()


def context_of(context: Optional[Context]) -> Any:
    """The handle of ``context``, or of this thread's own with the defaults."""
    if context is None:
        context = getattr(_local, "context", None)
        if context is None or context.closed:
            context = _local.context = Context()
    if not isinstance(context, Context):
        raise TypeError(f"context is a {type(context).__name__}, and must be a cryptosmart.Context")
    return context._handle
