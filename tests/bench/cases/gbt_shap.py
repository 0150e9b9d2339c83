# SPDX-License-Identifier: MIT
"""Exact path-dependent Shapley values of every feature, beside the library that trained the model: 200 trees of 63 leaves, 120
features of recorded hourly candles. Quality is the greatest difference of a row's sum from its raw score; the note has the greatest
difference of a value from the peer's."""
from frame import QUICK, Case, Work


def work(path, format_, contributions, score):
    import gbt_peers
    import numpy as np

    model = gbt_peers.Model(path, format_)
    _, _, x, origin = gbt_peers.data()
    count = 20 if QUICK else 500
    x = np.ascontiguousarray(x[:: len(x) // count][:count])
    out = np.empty((len(x), x.shape[1] + 1))
    model.explain(x, out)
    theirs = contributions(x)
    raw = np.empty((len(x), 1))
    model.predict(x, raw)
    note = (f"{len(x)} rows of {origin}, {gbt_peers.TREES} trees of {gbt_peers.LEAVES} leaves, {gbt_peers.THREADS} threads; greatest "
            f"difference of a value {np.abs(out - theirs).max():.1e}")
    return Work(lambda: model.explain(x, out), lambda: contributions(x) is None or None,
                lambda: (float(np.abs(out.sum(1) - raw[:, 0]).max()), float(np.abs(theirs.sum(1) - score(x)).max())), note)


def beside_lightgbm():
    import gbt_peers

    path, booster = gbt_peers.lightgbm_model()
    return work(path, gbt_peers.LIGHTGBM_TEXT, lambda x: booster.predict(x, pred_contrib=True, num_threads=gbt_peers.THREADS),
                lambda x: booster.predict(x, raw_score=True))


def beside_xgboost():
    import gbt_peers
    import xgboost

    path, booster = gbt_peers.xgboost_model()
    return work(path, gbt_peers.XGBOOST_JSON, lambda x: booster.predict(xgboost.DMatrix(x), pred_contribs=True),
                lambda x: booster.predict(xgboost.DMatrix(x), output_margin=True))


CASES = [
    Case("gbt-shap-lightgbm", "gbt", "LightGBM", 10, beside_lightgbm, ["lightgbm"]),
    Case("gbt-shap-xgboost", "gbt", "XGBoost", 3, beside_xgboost, ["xgboost"]),
]
