# SPDX-License-Identifier: MIT
"""What gbt-predict-*, gbt-single-row and gbt-shap-* share: a model trained by the peer on recorded hourly candles, imported
into this library, so that both sides compute the same; and the C functions of prediction and explanation."""
import ctypes
import os

import numpy as np

import csm
import gbt_data
from frame import BUILD, QUICK

THREADS = os.cpu_count()
SERIES, BARS = 12, 20000
TREES, LEAVES = (5 if QUICK else 200), 63
LIGHTGBM_TEXT, XGBOOST_JSON = 0, 1

csm.library.csm_predictor_columns.restype = ctypes.c_size_t


def data():
    """Rows, labels, the rows again as one contiguous block, and their origin. Peers train on each sixth row: the trees' shape is what counts here."""
    x, y, _, _, _, _, origin = gbt_data.hourly(SERIES, BARS)
    return x, y, np.ascontiguousarray(x), origin


def lightgbm_model():
    import lightgbm

    path = os.path.join(BUILD, f"peer-lightgbm-{TREES}.txt")
    if not os.path.exists(path):
        x, y, _, _ = data()
        x, y = x[::6], y[::6]
        parameters = dict(objective="binary", num_leaves=LEAVES, learning_rate=0.05, num_threads=THREADS, verbose=-1)
        lightgbm.train(parameters, lightgbm.Dataset(x, y), TREES).save_model(path)
    return path, lightgbm.Booster(model_file=path)


def xgboost_model():
    import xgboost

    path = os.path.join(BUILD, f"peer-xgboost-{TREES}.json")
    if not os.path.exists(path):
        x, y, _, _ = data()
        x, y = x[::6], y[::6]
        parameters = dict(objective="binary:logistic", tree_method="hist", grow_policy="lossguide", max_leaves=LEAVES, max_depth=0,
                          eta=0.05, nthread=THREADS)
        xgboost.train(parameters, xgboost.DMatrix(x, y), TREES).save_model(path)
    booster = xgboost.Booster(model_file=path)
    booster.set_param({"nthread": THREADS})
    return path, booster


class Model:
    """An imported model with its predictor and explainer."""

    def __init__(self, path, format_):
        self.model, self.predictor, self.explainer = (ctypes.c_void_p() for _ in range(3))
        csm.check(csm.library.csm_model_import(ctypes.byref(self.model), path.encode(), format_))
        csm.check(csm.library.csm_predictor_new(ctypes.byref(self.predictor), self.model, None))
        csm.check(csm.library.csm_explainer_new(ctypes.byref(self.explainer), self.model, None))
        self.context = csm.context(THREADS)

    def predict(self, x, out):
        csm.check(csm.library.csm_predictor_run(self.predictor, self.context, ctypes.byref(csm.matrix(x)),
                                                ctypes.byref(csm.matrix(out))))

    def explain(self, x, out):
        csm.check(csm.library.csm_explainer_values(self.explainer, self.context, ctypes.byref(csm.matrix(x)),
                                                   ctypes.byref(csm.matrix(out))))
