# SPDX-License-Identifier: MIT
"""Two-sample Kolmogorov-Smirnov test of 1 M values against 1 M, and the stability index beside it: what a daily drift check of one
feature costs. scipy's asymptotic p-value, since the exact one takes minutes."""
import ctypes

from frame import Case, QUICK, Work

ROWS = 20_000 if QUICK else 1_000_000


class Ks(ctypes.Structure):
    _fields_ = [("statistic", ctypes.c_double), ("p_value", ctypes.c_double)]


def prepare():
    import numpy as np
    import scipy
    import scipy.stats

    import csm

    rng = np.random.default_rng(12)
    a, b = rng.standard_t(4, size=ROWS), rng.standard_t(4, size=ROWS) * 1.01 + 0.003
    found, kept = Ks(), {}
    pointer = lambda x: x.ctypes.data_as(ctypes.c_void_p)

    def ours():
        csm.check(csm.library.csm_learn_ks(ctypes.byref(found), pointer(a), ctypes.c_size_t(ROWS), pointer(b),
                                           ctypes.c_size_t(ROWS)))

    def peer():
        kept["d"] = scipy.stats.ks_2samp(a, b, method="asymp").statistic

    note = f"{ROWS} against {ROWS} of Student's t, 1 thread, scipy {scipy.__version__}; quality is the statistic's difference"
    return Work(ours, peer, lambda: (float(abs(found.statistic - kept["d"])), 0.0), note)


CASES = [Case("ks-scipy", "calibration", "scipy", 10, prepare, ["scipy"])]
