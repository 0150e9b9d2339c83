# SPDX-License-Identifier: MIT
"""Isotonic regression, fit and prediction of 1 M rows: log-odds as a model gives them, doubles without ties, one thread on both
sides. Ours also keeps what Venn-Abers bounds need."""
import ctypes

from frame import Case, QUICK, Work

ROWS = 20_000 if QUICK else 1_000_000


class CalibratorOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("method", ctypes.c_uint32), ("matured", ctypes.c_uint32),
                ("blocks", ctypes.c_double)]


def prepare():
    import numpy as np
    import sklearn
    from sklearn.isotonic import IsotonicRegression

    import csm

    rng = np.random.default_rng(11)
    x = rng.normal(size=ROWS) * 1.3 - 0.4
    y = (rng.uniform(size=ROWS) < 1 / (1 + np.exp(-0.8 * x))).astype(float)
    asked = rng.normal(size=ROWS) * 1.3 - 0.4
    ours_p, kept = np.empty(ROWS), {}
    options = CalibratorOptions()
    csm.library.csm_calibrator_options_init(ctypes.byref(options))
    options.method, options.blocks = 2, 4000.0
    pointer = lambda a: a.ctypes.data_as(ctypes.c_void_p)

    def ours():
        calibrator = ctypes.c_void_p()
        csm.check(csm.library.csm_calibrator_fit(ctypes.byref(calibrator), pointer(x), pointer(y), None,
                                                 ctypes.c_size_t(ROWS), ctypes.byref(options)))
        csm.check(csm.library.csm_calibrator_apply(calibrator, pointer(asked), pointer(ours_p), ctypes.c_size_t(ROWS)))
        csm.library.csm_calibrator_free(calibrator)

    def peer():
        kept["p"] = IsotonicRegression(out_of_bounds="clip").fit(x, y).predict(asked)

    note = f"{ROWS} rows, fit and predict, 1 thread, scikit-learn {sklearn.__version__}; quality is the greatest difference"
    return Work(ours, peer, lambda: (float(abs(ours_p - kept["p"]).max()), 0.0), note)


CASES = [Case("isotonic-sklearn", "calibration", "scikit-learn", 8, prepare, ["scikit-learn"])]
