# SPDX-License-Identifier: MIT
"""cryptosmart: finds crypto coins about to rise, honestly.

>>> import cryptosmart as cs
>>> with cs.Workspace(sample) as workspace:            # `sample`: a folder with data and a trained model
...     table = workspace.predict("2023-12-30").to_pandas(all=True)
>>> table[["coin", "probability", "not_shown"]].shape[1]
3

Start with :class:`Workspace` (data, models, forecasts, ledger), or with the parts: :mod:`cryptosmart.indicators`,
:mod:`cryptosmart.model`, :class:`TreesClassifier`, :class:`TreesRegressor`, :class:`LSTMRegressor` (scikit-learn),
:class:`Calibrator`, :mod:`cryptosmart.calibrate`, :mod:`cryptosmart.drift`, :mod:`cryptosmart.tune` (Optuna) and
:mod:`cryptosmart.plots`. Every function of the C library is in ``cryptosmart._native`` under its own name.
"""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import _native
from ._config import Config
from ._context import Context
from ._errors import (
    Cancelled,
    Corrupt,
    Error,
    FileError,
    InvalidArgument,
    Locked,
    NoData,
    NotFound,
    OutOfMemory,
)

__version__: str = _native.csm_version()

#: name -> module; loaded when first asked for, so that importing the package stays quick
_LAZY = {
    "Workspace": "workspace", "Pipeline": "workspace", "Ranking": "workspace", "Training": "workspace", "Frame": "workspace",
    "Explanation": "workspace", "reasons": "workspace", "TreesClassifier": "estimators", "TreesRegressor": "estimators",
    "LSTMRegressor": "estimators", "Calibrator": "calibrate", "Model": "model", "train": "model", "Predictor": "model",
}  # fmt: skip
_MODULES = ("calibrate", "drift", "estimators", "indicators", "model", "plots", "tune", "workspace")

if TYPE_CHECKING:
    from . import calibrate, drift, estimators, indicators, model, plots, tune, workspace
    from .calibrate import Calibrator
    from .estimators import LSTMRegressor, TreesClassifier, TreesRegressor
    from .model import Model, Predictor, train
    from .workspace import Explanation, Frame, Pipeline, Ranking, Training, Workspace, reasons

__all__ = [
    "Calibrator", "Cancelled", "Config", "Context", "Corrupt", "Error", "Explanation", "FileError", "Frame", "InvalidArgument",
    "LSTMRegressor", "Locked", "Model", "NoData", "NotFound", "OutOfMemory", "Pipeline", "Predictor", "Ranking", "Training",
    "TreesClassifier", "TreesRegressor", "Workspace", "calibrate", "drift", "estimators", "indicators", "model", "plots", "reasons",
    "train", "tune", "workspace",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'cryptosmart' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
