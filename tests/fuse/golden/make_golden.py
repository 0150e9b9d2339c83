# SPDX-License-Identifier: MIT
"""Writes kraken_hours.csv (an excerpt of Kraken's own hourly OHLCVT files, Apache-2.0 copy of avkhimen/crypto_trader, see
LICENSE.txt there) and spine_1.csv, the features of features_pandas.py at some of its hours.

    python3 make_golden.py FOLDER_OF_XBTUSD_AND_ETHUSD_CSV_XZ     (pandas 3.1)
"""
import sys

import pandas as pd

import features_pandas

FIRST, HOURS = "2022-05-20 00:00", 1100
COLUMNS = ["open", "high", "low", "close", "volume"]


def excerpt(folder, name):
    table = pd.read_csv(f"{folder}/{name}.csv.xz", dtype=str).set_index("ts")
    first = int(pd.Timestamp(FIRST, tz="UTC").timestamp())
    rows = [str(first + 3600 * i) for i in range(HOURS)]
    return table.loc[rows, COLUMNS]


def main():
    coins = {"BTC": excerpt(sys.argv[1], "XBTUSD"), "ETH": excerpt(sys.argv[1], "ETHUSD")}
    both = pd.concat([t.add_prefix(c + "_") for c, t in coins.items()], axis=1)
    both.to_csv("kraken_hours.csv", lineterminator="\n")
    index = pd.to_datetime(both.index.astype("int64"), unit="s", utc=True)
    wide = [pd.DataFrame({c: t[k].astype(float).to_numpy() for c, t in coins.items()}, index) for k in COLUMNS]
    features = features_pandas.spine_1(features_pandas.Panel(*wide))
    with open("spine_1.csv", "w", encoding="ascii") as out:
        out.write("hour,coin," + ",".join(name for name, _ in features) + "\n")
        for hour in range(760, HOURS, 37):
            for c in coins:
                values = ",".join(f"{frame[c].iloc[hour]:.9g}" for _, frame in features)
                out.write(f"{hour},{c},{values}\n")


main()
