# SPDX-License-Identifier: MIT
"""Training trees beside LightGBM, XGBoost and CatBoost: rows of 120 features of recorded hourly candles, 2 threads, 63 leaves.

gbt-train-best: seconds of a tree against the fastest of the peers' configurations below (a sweep of 5 trees each is printed and
kept in the note); gbt-train-default: against LightGBM's defaults (255 bins) with ours at 255 bins; gbt-bin: the peer's Dataset and
ours' bins (a training of one tree with two leaves, which takes a few milliseconds more); gbt-fit: binning and 100 trees together.
Each side trains the difference of two runs (TREES + 1 trees less 1 tree) so that binning does not count where it is not meant.
Quality is the AUC of 100 trees on the last fifth in time.
"""
import os
import time

from frame import QUICK, Case, Work

THREADS = os.cpu_count()
LEAVES, RATE, TREES = 63, 0.1, (2 if QUICK else 10)
FIT = 5 if QUICK else 100
COMMON = dict(objective="binary", num_leaves=LEAVES, learning_rate=RATE, min_data_in_leaf=20, lambda_l2=1.0,
              min_sum_hessian_in_leaf=1e-3, num_threads=THREADS, verbose=-1)
QUANTISED = dict(use_quantized_grad=True, quant_train_renew_leaf=True)
LIGHTGBM = {
    "255 bins": {},
    "63 bins, by rows": dict(max_bin=63, force_row_wise=True),
    "63 bins, by columns": dict(max_bin=63, force_col_wise=True),
    "63 bins, quantised, by rows": dict(max_bin=63, force_row_wise=True, **QUANTISED),
    "255 bins, quantised": dict(**QUANTISED),
}
XGBOOST = {"256 bins, lossguide": 256, "64 bins, lossguide": 64}
_data = {}


def data():
    import gbt_data

    if not _data:
        _data["hourly"] = gbt_data.hourly()
    return _data["hourly"]


class Ours:
    def __init__(self, bins):
        import csm

        self.bins, self.context = bins, csm.context(THREADS)

    def fit(self, trees, leaves=LEAVES):
        import gbt_ours

        x, y = data()[:2]
        return gbt_ours.train(self.context, x, y, gbt_ours.LOGISTIC, rounds=trees, leaves=leaves, learning_rate=RATE,
                              min_rows=20, bins=self.bins)

    def seconds(self, trees, leaves=LEAVES):
        import gbt_ours

        began = time.perf_counter()
        model = self.fit(trees, leaves)
        took = time.perf_counter() - began
        gbt_ours.free(model)
        return took

    def auc(self, trees):
        import gbt_data
        import gbt_ours

        model = self.fit(trees)
        x, y = data()[3:5]
        value = gbt_data.auc(y, gbt_ours.predict(self.context, model, x))
        gbt_ours.free(model)
        return value


class LightGBM:
    def __init__(self, extra):
        self.parameters = dict(COMMON, **extra)
        self.set = None

    def bin(self):
        import lightgbm

        x, y = data()[:2]
        self.set = lightgbm.Dataset(x, y, params=self.parameters, free_raw_data=False)
        self.set.construct()

    def fit(self, trees):
        import lightgbm

        if self.set is None:
            self.bin()
        return lightgbm.train(self.parameters, self.set, trees)

    def auc(self, trees):
        import gbt_data

        x, y = data()[3:5]
        return gbt_data.auc(y, self.fit(trees).predict(x, raw_score=True))


class XGBoost:
    def __init__(self, bins):
        self.parameters = dict(objective="binary:logistic", tree_method="hist", grow_policy="lossguide", max_leaves=LEAVES,
                               max_depth=0, max_bin=bins, eta=RATE, reg_lambda=1.0, nthread=THREADS, verbosity=0)
        self.set = None

    def bin(self):
        import xgboost

        x, y = data()[:2]
        self.set = xgboost.QuantileDMatrix(x, y, max_bin=self.parameters["max_bin"], nthread=THREADS)

    def fit(self, trees):
        import xgboost

        if self.set is None:
            self.bin()
        return xgboost.train(self.parameters, self.set, trees)

    def auc(self, trees):
        import gbt_data
        import xgboost

        x, y = data()[3:5]
        return gbt_data.auc(y, self.fit(trees).predict(xgboost.DMatrix(x), output_margin=True))


class CatBoost:
    """Depth-wise trees of depth 6 (64 leaves) are its fastest; leaf-wise ones with 63 leaves are slower."""

    def __init__(self, bins):
        self.bins, self.set = bins, None

    def bin(self):
        import catboost

        x, y = data()[:2]
        self.set = catboost.Pool(x, y)
        self.set.quantize(border_count=self.bins - 1)

    def fit(self, trees):
        import catboost

        if self.set is None:
            self.bin()
        model = catboost.CatBoostClassifier(iterations=trees, depth=6, learning_rate=RATE, thread_count=THREADS, verbose=0, allow_writing_files=False,
                                            boosting_type="Plain", bootstrap_type="No", l2_leaf_reg=1)
        return model.fit(self.set)

    def auc(self, trees):
        import gbt_data

        x, y = data()[3:5]
        return gbt_data.auc(y, self.fit(trees).predict(x, prediction_type="RawFormulaVal"))


def per_tree(fit, trees=TREES):
    began = time.perf_counter()
    fit(1)
    one = time.perf_counter() - began
    began = time.perf_counter()
    fit(trees + 1)
    return (time.perf_counter() - began - one) / trees


def ours_per_tree(ours):
    one = ours.seconds(1)
    return (ours.seconds(TREES + 1) - one) / TREES


def sweep():
    """Every configuration by name with its seconds a tree."""
    peers = {f"LightGBM {k}": LightGBM(v) for k, v in LIGHTGBM.items()}
    peers.update({f"XGBoost {k}": XGBoost(v) for k, v in XGBOOST.items()})
    peers["CatBoost 64 bins, depth 6"] = CatBoost(64)
    times = {}
    for name, peer in peers.items():
        peer.bin()
        times[name] = per_tree(peer.fit, 1 if QUICK else 5)
        print(f"  sweep: {name}: {1000 * times[name]:.0f} ms a tree", flush=True)
        if times[name] > min(times.values()):
            peer.set = None
    best = min(times, key=times.get)
    return best, peers[best], "; ".join(f"{k} {1000 * v:.0f} ms" for k, v in times.items())


def prepare_best():
    best, peer, note = sweep()
    ours = Ours(63)
    x, origin = data()[0], data()[6]
    return Work(lambda: ours_per_tree(ours), lambda: per_tree(peer.fit), lambda: (ours.auc(FIT), peer.auc(FIT)),
                f"{x.shape[0]} x {x.shape[1]}, {origin}, {THREADS} threads, 63 leaves, 63 bins; best peer {best}; sweep: {note}")


def prepare_default():
    ours, peer = Ours(255), LightGBM({})
    peer.bin()
    return Work(lambda: ours_per_tree(ours), lambda: per_tree(peer.fit), lambda: (ours.auc(FIT), peer.auc(FIT)),
                f"{data()[0].shape[0]} x {data()[0].shape[1]}, {THREADS} threads, 63 leaves, 255 bins, LightGBM's other defaults")


def prepare_bin():
    ours, peer = Ours(255), LightGBM({})
    data()
    return Work(lambda: ours.seconds(1, leaves=2), peer.bin, note=f"255 bins, {THREADS} threads; ours with one tree of two leaves")


def prepare_fit():
    ours = Ours(63)
    peer = LightGBM(LIGHTGBM["63 bins, quantised, by rows"])
    data()

    def fit():
        peer.set = None
        peer.fit(FIT)

    return Work(lambda: ours.seconds(FIT), fit, lambda: (ours.auc(FIT), peer.auc(FIT)),
                f"binning and {FIT} trees, 63 leaves, 63 bins, {THREADS} threads; LightGBM by rows, quantised, renewed leaves")


def prepare_public():
    import gbt_data

    _data["hourly"] = (lambda x, y, xt, yt, origin: (x, y, None, xt, yt, None, origin))(*gbt_data.public())
    best, peer, note = sweep()
    ours = Ours(63)
    work = Work(lambda: ours_per_tree(ours), lambda: per_tree(peer.fit), lambda: (ours.auc(FIT), peer.auc(FIT)),
                f"{data()[0].shape[0]} x {data()[0].shape[1]}, {data()[6]}, 63 leaves, 63 bins; best peer {best}; sweep: {note}",
                _data.clear)
    return work


PEERS = ["lightgbm", "xgboost", "catboost", "scikit-learn"]
CASES = [
    Case("gbt-train-best", "gbt", "best of LightGBM, XGBoost, CatBoost", 1.5, prepare_best, PEERS),
    Case("gbt-train-default", "gbt", "LightGBM", 3, prepare_default, ["lightgbm"]),
    Case("gbt-bin", "gbt", "LightGBM", 8, prepare_bin, ["lightgbm"]),
    Case("gbt-fit", "gbt", "LightGBM", 2, prepare_fit, ["lightgbm"]),
    Case("gbt-train-public", "gbt", "best of LightGBM, XGBoost, CatBoost", 1.5, prepare_public, PEERS),
]
