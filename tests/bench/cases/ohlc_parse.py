# SPDX-License-Identifier: MIT
"""A candle reply of 50 KB to columns. Equal work: text to a column a field; ours checks every row and stays exact."""
import os

from frame import Case, Program, SHARED


def prepare():
    reply = os.path.join(SHARED, "fixtures", "kraken_rest", "xchange_ohlc.json")
    return Program("ohlc_parse", reply).work("recorded reply of 720 candles without white space, 1 thread")


CASES = [Case("ohlc-parse-jansson", "io", "jansson + strtod", 5, prepare)]
