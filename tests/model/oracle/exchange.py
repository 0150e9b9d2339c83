# SPDX-License-Identifier: MIT
"""Interchange against the real libraries: models of LightGBM and XGBoost are imported and must predict alike; what is
exported must predict alike there and in onnxruntime.

    CSM_LIBRARY=build/release/libcryptosmart.so python tests/model/oracle/exchange.py
    (needs numpy lightgbm xgboost onnx onnxruntime; prints a line a model and fails on the first difference above 1e-6)
"""
import json
import os
import subprocess
import tempfile

import lightgbm as lgb
import numpy as np
import onnx
import onnxruntime
import xgboost as xgb

from library import GRAPHVIZ, JSON, LIGHTGBM, ONNX, RAW, RESPONSE, XGBOOST, Error, Model

ROWS, FEATURES, TOLERANCE = 3000, 8, 1e-6
folder = tempfile.mkdtemp()
path = os.path.join(folder, "model")


def data(seed, missing=True, categories=0, zeros=False):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, FEATURES)).astype(np.float32)
    if zeros:
        x[rng.random(x.shape) < 0.3] = 0
    if categories:
        x[:, -1] = rng.integers(0, categories, ROWS)
    signal = np.nan_to_num(x[:, 0] + x[:, 1] * x[:, 2] - (x[:, 3] > 0.5) + (x[:, -1] % 5) / 2)
    if missing:
        x[rng.random(x.shape) < 0.1] = np.nan
    return x, signal + 0.3 * rng.normal(size=ROWS)


def compare(name, ours, theirs, tolerance=TOLERANCE):
    theirs = np.asarray(theirs, dtype=float).reshape(ours.shape)
    difference = np.max(np.abs(ours - theirs) / (1 + np.abs(theirs)))
    print(f"{name:58} {difference:.1e}")
    assert difference <= tolerance, name


def exported(name, model, x):
    """What we wrote, read by LightGBM and onnxruntime, and dumped."""
    raw, response = model.predict(x, RAW), model.predict(x, RESPONSE)
    try:
        model.export(path, LIGHTGBM)
        back = lgb.Booster(model_file=path)
        compare(name + " -> LightGBM raw", raw, back.predict(x, raw_score=True))
        compare(name + " -> LightGBM response", response, back.predict(x))
        compare(name + " -> LightGBM -> ours", raw, Model(path, LIGHTGBM).predict(x), 1e-12)
    except Error as error:
        print(f"{name:58} LightGBM refused: {error}")
    try:
        model.export(path, ONNX)
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        answers = session.run(None, {"x": x})
        compare(name + " -> onnxruntime raw", raw, answers[0])
        if len(answers) > 1:
            compare(name + " -> onnxruntime response", response, answers[1])
    except Error as error:
        print(f"{name:58} ONNX refused: {error}")
    model.export(path, JSON)
    with open(path, encoding="utf-8") as file:
        assert len(json.load(file)["trees"]) == model.info.rounds * model.info.outputs
    model.export(path, GRAPHVIZ)
    try:
        subprocess.run(["dot", "-Tcanon", path], check=True, stdout=subprocess.DEVNULL)
    except FileNotFoundError:
        pass


def lightgbm_model(name, x, y, parameters, rounds=30, **dataset):
    booster = lgb.train(dict(verbose=-1) | parameters, lgb.Dataset(x, y, **dataset), rounds)
    booster.save_model(path)
    model = Model(path, LIGHTGBM)
    rounds = booster.num_trees() if parameters.get("boosting") == "rf" else 1  # LightGBM's raw score is the sum there
    compare("LightGBM " + name, model.predict(x), booster.predict(x, raw_score=True) / rounds)
    compare("LightGBM " + name + " response", model.predict(x, RESPONSE), booster.predict(x))
    exported("  " + name, model, x)


def xgboost_model(name, x, y, parameters, rounds=30, tolerance=TOLERANCE, **dataset):
    matrix = xgb.DMatrix(x, y, **dataset)
    booster = xgb.train(dict(max_depth=5) | parameters, matrix, rounds)
    booster.save_model(path + ".json")
    model = Model(path + ".json", XGBOOST)
    compare("XGBoost " + name, model.predict(x), booster.predict(matrix, output_margin=True), tolerance)
    if parameters["objective"] != "multi:softmax":
        compare("XGBoost " + name + " response", model.predict(x, RESPONSE), booster.predict(matrix), tolerance)
    exported("  " + name, model, x)


def all_lightgbm():
    x, y = data(1)
    for objective in ("regression", "regression_l1", "huber", "fair", "quantile"):
        lightgbm_model(objective, x, y, dict(objective=objective, alpha=0.8))
    positive = np.exp(y / 3)
    for objective in ("poisson", "gamma", "tweedie", "mape"):
        lightgbm_model(objective, x, positive, dict(objective=objective))
    lightgbm_model("regression sqrt", x, y, dict(objective="regression", reg_sqrt=True))
    classes = (y > 0).astype(float)
    lightgbm_model("binary", x, classes, dict(objective="binary"))
    lightgbm_model("binary sigmoid 0.7", x, classes, dict(objective="binary", sigmoid=0.7))
    share = 1 / (1 + np.exp(-y))
    lightgbm_model("cross_entropy", x, share, dict(objective="cross_entropy"))
    lightgbm_model("cross_entropy_lambda", x, share, dict(objective="cross_entropy_lambda"))
    three = np.digitize(y, [-0.5, 0.7])
    lightgbm_model("multiclass", x, three, dict(objective="multiclass", num_class=3))
    lightgbm_model("multiclassova", x, three, dict(objective="multiclassova", num_class=3))
    lightgbm_model("lambdarank", x, three, dict(objective="lambdarank"), group=[100] * (ROWS // 100))
    lightgbm_model("dart", x, y, dict(objective="regression", boosting="dart", drop_rate=0.5))
    lightgbm_model("random forest", x, y, dict(objective="regression", boosting="rf", bagging_fraction=0.6, bagging_freq=1))
    lightgbm_model("1 round", x, y, dict(objective="regression"), rounds=1)
    lightgbm_model("constant", x, np.full(ROWS, 3.5), dict(objective="regression"), rounds=3)
    lightgbm_model("use_missing off", x, y, dict(objective="regression", use_missing=False))
    x, y = data(2, zeros=True)
    lightgbm_model("zero_as_missing", x, y, dict(objective="regression", zero_as_missing=True))
    x, y = data(3, missing=False)
    lightgbm_model("no missing", x, y, dict(objective="regression"))
    lightgbm_model("1023 leaves", x, y, dict(objective="regression", min_data_in_leaf=1, num_leaves=1023))
    for categories in (5, 40, 300):
        x, y = data(4, categories=categories)
        lightgbm_model(f"{categories} categories", x, y, dict(objective="regression", min_data_per_group=5, cat_smooth=1),
                       categorical_feature=[FEATURES - 1])
        other = x.copy()
        other[:, -1] = np.random.default_rng(0).integers(-3, 2 * categories, ROWS)
        booster = lgb.train(dict(verbose=-1, min_data_per_group=5, cat_smooth=1),
                            lgb.Dataset(x, y, categorical_feature=[FEATURES - 1]), 20)
        booster.save_model(path)
        compare(f"LightGBM {categories} categories, unseen ones", Model(path, LIGHTGBM).predict(other), booster.predict(other))


def all_xgboost():
    x, y = data(5)
    for objective in ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror"):
        xgboost_model(objective, x, y, dict(objective=objective))
    xgboost_model("reg:quantileerror", x, y, dict(objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9]))
    positive = np.exp(y / 3)
    for objective in ("count:poisson", "reg:gamma", "reg:tweedie", "reg:squaredlogerror"):
        xgboost_model(objective, x, positive, dict(objective=objective))
    classes = (y > 0).astype(float)
    for objective in ("binary:logistic", "binary:logitraw", "binary:hinge", "reg:logistic"):
        xgboost_model(objective, x, classes, dict(objective=objective))
    xgboost_model("base_score 0.2", x, classes, dict(objective="binary:logistic", base_score=0.2))
    three = np.digitize(y, [-0.5, 0.7])
    for objective in ("multi:softprob", "multi:softmax"):
        xgboost_model(objective, x, three, dict(objective=objective, num_class=3))
    xgboost_model("parallel trees", x, three, dict(objective="multi:softprob", num_class=3, num_parallel_tree=3, subsample=0.5))
    xgboost_model("two targets", x, np.stack([y, 2 - y], 1), dict(objective="reg:squarederror"))
    xgboost_model("dart", x, y, dict(objective="reg:squarederror", booster="dart", rate_drop=0.5))
    xgboost_model("dart multi", x, three, dict(objective="multi:softprob", booster="dart", rate_drop=0.5, num_class=3))
    xgboost_model("exact", x, y, dict(objective="reg:squarederror", tree_method="exact"))
    xgboost_model("lossguide 255 leaves", x, y,
                  dict(objective="reg:squarederror", grow_policy="lossguide", max_leaves=255, max_depth=0))
    for categories, onehot in ((4, 10), (40, 1), (300, 1)):
        x, y = data(6, categories=categories)
        types = ["q"] * (FEATURES - 1) + ["c"]
        xgboost_model(f"{categories} categories", x, y, dict(objective="reg:squarederror", max_cat_to_onehot=onehot),
                      feature_types=types, enable_categorical=True)


def refusals():
    x, y = data(7, missing=False)
    lgb.train(dict(verbose=-1, linear_tree=True, objective="regression"), lgb.Dataset(x, y), 3).save_model(path)
    xgb.train(dict(booster="gblinear"), xgb.DMatrix(x, y), 3).save_model(path + ".json")
    xgb.train(dict(multi_strategy="multi_output_tree"), xgb.DMatrix(x, np.stack([y, -y], 1)), 3).save_model(path + "2.json")
    for file, format, word in ((path, LIGHTGBM, "linear"), (path + ".json", XGBOOST, "gblinear"), (path + "2.json", XGBOOST, "values")):
        try:
            Model(file, format)
        except Error as error:
            assert str(error).startswith("-19") and word in str(error), error
            print(f"refused: {error}")
        else:
            raise AssertionError(f"{file} was not refused")


all_lightgbm()
all_xgboost()
refusals()
print("all equal")
