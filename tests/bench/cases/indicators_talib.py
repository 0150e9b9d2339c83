# SPDX-License-Identifier: MIT
"""30 indicators over 704 series of 17,520 recorded hourly candles, float64 in and out, one thread each."""
import ctypes

import numpy as np

from frame import QUICK, Case, Work

SERIES, BARS = (32, 2000) if QUICK else (704, 17520)
AT_ONCE = 32  # series a call of ours; both sides keep the outputs of this many series, 184 MB, then write them over


class Request(ctypes.Structure):
    _fields_ = [("indicator", ctypes.c_void_p), ("parameters", ctypes.c_void_p)]


def our_side(candles):
    """Returns (run, outputs): outputs[request] is (series, output, bar) of the last call."""
    import csm
    from peer_talib import INDICATORS

    time = np.arange(BARS, dtype=np.int64) * csm.HOUR
    context = csm.context(1)
    requests = (Request * len(INDICATORS))()
    outputs, keep = [], []
    for r, ((name, parameters), _) in enumerate(INDICATORS):
        handle = csm.library.csm_indicator_find(name.encode())
        values = np.array(parameters, dtype=np.float64)
        keep.append(values)
        requests[r] = Request(handle, values.ctypes.data if len(values) else None)
        count = ctypes.c_uint32.from_address(handle + 36).value  # csm_indicator.output_count
        outputs.append(np.zeros((AT_ONCE, count, BARS)))
    matrices = (csm.Matrix * (AT_ONCE * len(INDICATORS)))(
        *(csm.matrix(outputs[r][s].T) for s in range(AT_ONCE) for r in range(len(INDICATORS))))

    def run():
        for start in range(0, SERIES, AT_ONCE):
            bars = (csm.Bars * AT_ONCE)(*(csm.bars(time, candles[s]) for s in range(start, start + AT_ONCE)))
            csm.check(csm.library.csm_indicator_run_table(context, requests, ctypes.c_size_t(len(INDICATORS)), bars,
                                                          ctypes.c_size_t(AT_ONCE), matrices))

    run.keep = keep
    return run, outputs


def their_side(candles):
    """Returns (run, calls, outputs): outputs[call][output] is (series, bar), as on our side."""
    import peer_talib as talib

    library = talib.load()
    calls = [talib.Call(library, row, BARS) for _, row in talib.INDICATORS]
    outputs = [[np.zeros((AT_ONCE, BARS)) for _ in range(call.output_count)] for call in calls]
    pointers = [[[o[s].ctypes.data for o in columns] for columns in outputs] for s in range(AT_ONCE)]

    def run():
        for s in range(SERIES):
            columns = [candles[s, k].ctypes.data for k in range(5)]
            for call, out in zip(calls, pointers[s % AT_ONCE]):
                call.run(columns, out)

    return run, calls, outputs


def prepare():
    import candles as recorded
    import peer_talib as talib

    candles, origin = recorded.hourly(SERIES, BARS)
    ours, our_outputs = our_side(candles)
    peer, calls, peer_outputs = their_side(candles)

    def quality():
        """Greatest relative difference over the last series of each side."""
        worst = 0.0
        for r, call in enumerate(calls):
            begin, count = call.begin.value, call.count.value
            for s in range(AT_ONCE):
                for k, our in enumerate(call.ours):
                    mine = our_outputs[r][s, our, begin : begin + count]
                    worst = max(worst, talib.greatest_difference(mine, peer_outputs[r][k][s, :count]))
        return worst, 0.0

    return Work(ours, peer, quality, f"{len(calls)} indicators, {SERIES} series x {BARS} bars, {origin}; one thread "
                "each; quality is the greatest difference from TA-Lib relative to the column")


CASES = [Case("indicators-talib", "features", "TA-Lib", 4, prepare, ["TA-Lib"])]
