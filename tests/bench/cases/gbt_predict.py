# SPDX-License-Identifier: MIT
"""Raw scores of a batch of float32 rows, beside the library that trained the model: 200 trees of 63 leaves, 120 features of
recorded hourly candles. Quality is the mean score; the note has the greatest difference. The peer's way is the fastest of its ways
of predicting from a NumPy array (a sweep, printed in the note)."""
import time

from frame import QUICK, Case, Work


def fastest(ways):
    """The fastest of {name: function}, and the sweep as text."""
    seconds = {}
    for name, way in ways.items():
        way()
        began = time.perf_counter()
        way()
        seconds[name] = time.perf_counter() - began
    best = min(seconds, key=seconds.get)
    return ways[best], f"peer by {best} of " + ", ".join(f"{k} {v:.3f} s" for k, v in seconds.items())


def work(path, format_, ways):
    import gbt_peers
    import numpy as np

    model = gbt_peers.Model(path, format_)
    _, _, x, origin = gbt_peers.data()
    x = x[:1000] if QUICK else x[:200_000]
    out = np.empty((len(x), 1))
    peer, sweep = fastest({k: (lambda f=f: f(x)) for k, f in ways.items()})
    model.predict(x, out)
    difference = np.abs(out[:, 0] - peer()).max()
    note = (f"{len(x)} x {x.shape[1]} float32 of {origin}, {gbt_peers.TREES} trees of {gbt_peers.LEAVES} leaves, "
            f"{gbt_peers.THREADS} threads; {sweep}; greatest difference {difference:.1e}")
    return Work(lambda: model.predict(x, out), lambda: peer() is None or None,
                lambda: (float(out.mean()), float(np.mean(peer()))), note)


def beside_lightgbm():
    import gbt_peers

    path, booster = gbt_peers.lightgbm_model()
    threads = gbt_peers.THREADS
    return work(path, gbt_peers.LIGHTGBM_TEXT, {
        "predict": lambda x: booster.predict(x, raw_score=True, num_threads=threads),
        "predict without shape check": lambda x: booster.predict(x, raw_score=True, num_threads=threads,
                                                                 predict_disable_shape_check=True)})


def beside_xgboost():
    import gbt_peers
    import xgboost

    path, booster = gbt_peers.xgboost_model()
    return work(path, gbt_peers.XGBOOST_JSON, {
        "inplace_predict": lambda x: booster.inplace_predict(x, predict_type="margin"),
        "DMatrix and predict": lambda x: booster.predict(xgboost.DMatrix(x, nthread=gbt_peers.THREADS), output_margin=True)})


def single_row():
    import os

    import gbt_peers
    import lightgbm
    from frame import BUILD, Program

    path, _ = gbt_peers.lightgbm_model()
    _, _, x, _ = gbt_peers.data()
    rows = os.path.join(BUILD, "single-rows.f32")
    x[:: max(1, len(x) // 5000)][:5000].tofile(rows)
    library = os.path.join(os.path.dirname(lightgbm.__file__), "lib", "lib_lightgbm.so")
    return Program("gbt_single_row", path, rows, library, str(x.shape[1])).work(
        f"5000 rows, one at a time, {gbt_peers.TREES} trees of {gbt_peers.LEAVES} leaves, 1 thread; peer: its C function "
        "LGBM_BoosterPredictForMatSingleRowFast; quality: sum of scores")


CASES = [
    Case("gbt-predict-lightgbm", "gbt", "LightGBM", 6, beside_lightgbm, ["lightgbm"]),
    Case("gbt-predict-xgboost", "gbt", "XGBoost", 3, beside_xgboost, ["xgboost"]),
    Case("gbt-single-row", "gbt", "LightGBM", 5, single_row, ["lightgbm"]),
]
