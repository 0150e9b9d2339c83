# SPDX-License-Identifier: MIT
"""30 indicators fed bar by bar, as a live process does: csm_indicator_push against TA-Lib's two ways (see the .c file)."""
import os

from frame import BUILD, QUICK, Case, Program

SERIES, BARS, HISTORY = (8, 1100, 1000) if QUICK else (64, 3000, 1000)


def prepare(way):
    import candles
    import peer_talib

    data, origin = candles.hourly(SERIES, BARS)
    path = os.path.join(BUILD, f"stream-{SERIES}-{BARS}.bin")
    data.tofile(path)
    program = Program("indicators_stream", peer_talib.path(), path, str(SERIES), str(BARS), str(HISTORY), way)
    return program.work(f"30 indicators x {SERIES} series x {BARS - HISTORY} bars after {HISTORY} of history, {origin}; "
                        f"one thread; TA-Lib's {way}; quality is the peer's greatest relative difference from ours")


CASES = [
    Case("indicators-stream", "features", "TA-Lib-recompute", 5, lambda: prepare("recompute"), ["TA-Lib"]),
    Case("indicators-stream-handles", "features", "TA-Lib-handles", 1, lambda: prepare("handles"), ["TA-Lib"]),
]
