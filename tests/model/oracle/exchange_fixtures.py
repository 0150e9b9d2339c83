# SPDX-License-Identifier: MIT
"""Writes tests/model/exchange/: a small LightGBM and two small XGBoost models, rows, and what those libraries predict.

    python tests/model/oracle/exchange_fixtures.py     (needs numpy lightgbm xgboost)
"""
import os

import lightgbm as lgb
import numpy as np
import xgboost as xgb

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "exchange")
rng = np.random.default_rng(11)
x = rng.normal(size=(2000, 4)).astype(np.float32).round(3)
x[:, 3] = rng.integers(0, 40, 2000)
y = x[:, 0] + x[:, 1] * x[:, 2] + x[:, 3] % 5
x[rng.random(x.shape) < 0.1] = np.nan
x[rng.random(x.shape) < 0.05] = 0
names = ["momentum", "volatility", "volume", "weekday"]

booster = lgb.train(dict(verbose=-1, num_leaves=7, objective="binary", sigmoid=0.8, min_data_per_group=5, cat_smooth=1,
                         num_threads=1, deterministic=True),
                    lgb.Dataset(x, (y > 2).astype(int), categorical_feature=[3], feature_name=names), 4)
text = booster.model_to_string()
with open(os.path.join(folder, "lightgbm.txt"), "w", encoding="utf-8") as file:
    file.write(text[: text.index("\nfeature_importances:")] + "\n")

matrix = xgb.DMatrix(x, np.digitize(y, [1, 3]), feature_names=names, feature_types=["q"] * 3 + ["c"], enable_categorical=True)
multi = xgb.train(dict(max_depth=3, objective="multi:softprob", num_class=3, max_cat_to_onehot=1, nthread=1), matrix, 2)
multi.save_model(os.path.join(folder, "xgboost_multi.json"))
dart = xgb.train(dict(max_depth=2, objective="binary:logistic", booster="dart", rate_drop=0.6, nthread=1, seed=2),
                 xgb.DMatrix(x, (y > 2).astype(int), feature_names=names), 4)
dart.save_model(os.path.join(folder, "xgboost_dart.json"))

rows = x[:120]
part = xgb.DMatrix(rows, feature_names=names, feature_types=["q"] * 3 + ["c"], enable_categorical=True)
plain = xgb.DMatrix(rows, feature_names=names)
table = np.column_stack([rows, booster.predict(rows, raw_score=True), booster.predict(rows),
                         multi.predict(part, output_margin=True), multi.predict(part),
                         dart.predict(plain, output_margin=True), dart.predict(plain)])
header = (f"x0,x1,x2,x3,lightgbm_raw,lightgbm_response,multi_raw_0..2,multi_response_0..2,dart_raw,dart_response "
          f"(LightGBM {lgb.__version__}; XGBoost {xgb.__version__})")
np.savetxt(os.path.join(folder, "rows.csv"), table, fmt="%.9g", delimiter=",", header=header, comments="")
