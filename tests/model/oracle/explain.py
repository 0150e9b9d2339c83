# SPDX-License-Identifier: MIT
"""Explanations against LightGBM's pred_contrib, XGBoost's pred_contribs and pred_interactions, and the shap library.

    CSM_LIBRARY=build/release/libcryptosmart.so python tests/model/oracle/explain.py
    (needs numpy lightgbm xgboost shap; fails on the first difference above the tolerance printed)
"""
import ctypes
import os
import tempfile

import lightgbm as lgb
import numpy as np
import shap
import xgboost as xgb

from library import LIGHTGBM, XGBOOST, Matrix, Model, check, library, matrix

ROWS, FEATURES = 1500, 7
path = os.path.join(tempfile.mkdtemp(), "model")


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("background", ctypes.POINTER(Matrix))]


def explain(model, x, background=None, interactions=False):
    view = ctypes.pointer(matrix(background)) if background is not None else None
    options, explainer = Options(ctypes.sizeof(Options), view), ctypes.c_void_p()
    check(library.csm_explainer_new(ctypes.byref(explainer), model.handle, ctypes.byref(options)))
    side = x.shape[1] + 1
    out = np.zeros((len(x), model.info.outputs * (side * side if interactions else side)))
    call = library.csm_explainer_interactions if interactions else library.csm_explainer_values
    check(call(explainer, None, ctypes.byref(matrix(x)), ctypes.byref(matrix(out))))
    library.csm_explainer_free(explainer)
    return out


def compare(name, ours, theirs, tolerance):
    difference = np.max(np.abs(ours.reshape(len(ours), -1) - np.asarray(theirs, dtype=float).reshape(len(ours), -1)))
    print(f"{name:44} {difference:.1e} (at most {tolerance:g})")
    assert difference <= tolerance, name


rng = np.random.default_rng(3)
x = rng.normal(size=(ROWS, FEATURES)).astype(np.float32)
x[:, -1] = rng.integers(0, 30, ROWS)
y = x[:, 0] + x[:, 1] * x[:, 2] - (x[:, 3] > 0.5) + x[:, -1] % 5
some = x[:100]
holes = x.copy()
holes[rng.random(x.shape) < 0.1] = np.nan

for name, rows, extra in (("numeric", x, {}), ("missing and categories", holes, {"categorical_feature": [FEATURES - 1]})):
    booster = lgb.train(dict(verbose=-1, num_leaves=20, min_data_per_group=5, cat_smooth=1), lgb.Dataset(rows, y, **extra), 20)
    booster.save_model(path)
    model = Model(path, LIGHTGBM)
    compare(f"LightGBM {name}", explain(model, rows[:100]), booster.predict(rows[:100], pred_contrib=True), 1e-9)
three = np.digitize(y, [1, 3])
booster = lgb.train(dict(verbose=-1, objective="multiclass", num_class=3), lgb.Dataset(x, three), 5)
booster.save_model(path)
compare("LightGBM 3 classes", explain(Model(path, LIGHTGBM), some), booster.predict(some, pred_contrib=True), 1e-9)

booster = lgb.train(dict(verbose=-1, num_leaves=20), lgb.Dataset(x, y), 20)
booster.save_model(path)
model, background = Model(path, LIGHTGBM), x[200:260]
other = shap.TreeExplainer(booster, background, feature_perturbation="interventional")
compare("shap, interventional", explain(model, some, background)[:, :-1], other.shap_values(some, check_additivity=False), 1e-5)
compare("shap, path-dependent", explain(model, some)[:, :-1],
        shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent").shap_values(some), 1e-9)

rows = xgb.DMatrix(holes[:100])
booster = xgb.train(dict(max_depth=5), xgb.DMatrix(holes, y), 20)
booster.save_model(path + ".json")
model = Model(path + ".json", XGBOOST)
compare("XGBoost", explain(model, holes[:100]), booster.predict(rows, pred_contribs=True), 1e-4)
compare("XGBoost, interactions", explain(model, holes[:100], interactions=True), booster.predict(rows, pred_interactions=True), 1e-4)
print("all equal")
