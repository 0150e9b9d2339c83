# SPDX-License-Identifier: MIT
"""Exceptions: one class, with subclasses where a program would act differently."""
from __future__ import annotations

from . import _native


class Error(Exception):
    """What the library reports: ``code`` (negative int), ``status`` ("CSM_EINVAL") and ``message`` (what was wrong, and where).

    >>> import cryptosmart as cs
    >>> try:
    ...     cs.Context(threads=5000)
    ... except cs.Error as error:
    ...     print(error.status, "-", error.message)
    CSM_EINVAL - csm_context_options: threads 5000 is outside 0..1024
    """

    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message

    def __reduce__(self) -> tuple[type[Error], tuple[int, str, str]]:
        return (type(self), (self.code, self.status, self.message))


class InvalidArgument(Error, ValueError):
    """An argument or option is wrong: fix the call."""


class NotFound(Error, LookupError):
    """What was named does not exist."""


class NoData(Error):
    """Not enough real data for an answer; abstaining is a result."""


class Cancelled(Error):
    """The call was cancelled."""


class Locked(Error):
    """Another process writes this workspace."""


class Corrupt(Error):
    """Stored bytes fail their checksum or invariant."""


class OutOfMemory(Error, MemoryError):
    """An allocation failed."""


class FileError(Error, OSError):
    """The operating system refused a file or socket."""

    def __init__(self, code: int, status: str, message: str) -> None:
        Error.__init__(self, code, status, message)


_CLASSES: dict[str, type[Error]] = {
    "CSM_EINVAL": InvalidArgument,
    "CSM_ENOTFOUND": NotFound,
    "CSM_ENODATA": NoData,
    "CSM_ECANCELLED": Cancelled,
    "CSM_ELOCKED": Locked,
    "CSM_ECORRUPT": Corrupt,
    "CSM_ENOMEM": OutOfMemory,
    "CSM_EIO": FileError,
}


def _make(code: int, status: str, message: str) -> Error:
    return _CLASSES.get(status, Error)(code, status, message)


_native.set_error_factory(_make)
