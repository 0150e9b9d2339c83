#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the bundled sample from recorded hourly candles, with the project's own program.

usage: make_sample.py CANDLES_DIR FEAR_GREED_CSV CRYPTOSMART_PROGRAM OUT_DIR

The universe is the 24 coins with the highest median daily traded value in the first 12 weeks, chosen with nothing that was
known later: every one of the 12 weeks present, stablecoins, fiat and wrapped coins excluded by reason. What was delisted or
listed anew later stays in, and the dated listings say when. Run it twice: the result is the same.
"""
import csv
import lzma
import pathlib
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from datetime import datetime, timezone

START = 1617566400  # 2021-04-04T20:00Z, the first hour of the set
WEEKS = 12
FIRST = START + WEEKS * 7 * 86400
COINS = 24
RECEIVED = "2026-11-21T00:00:00Z"  # when the recorded files were read for this sample: its records' receive time
GAP = 3 * 86400  # longer without a candle: not listed
ORIGIN = ("Binance spot klines as published by the exchange; read from github.com/misrori/binance_startegy "
          "@dbfa7fe7fdd3ffeb898a7e34030bb2811d04e451 data/*USDT_1h.csv (no licence file: facts only)")
FEAR_GREED_ORIGIN = ("alternative.me Crypto Fear & Greed Index (attribution asked); union of github.com/zcahkwn/crypto-indices "
                     "@5f229e85a5e4c497efde44b09c494c598958caf0 and github.com/DiogoMag/Crypto-DCA-Backtesting "
                     "@96e5626f40f3f1e7ee2e70e5523f1eba8e591506")
# Reasons of reasons.def. What a base is by design was known at the time.
EXCLUDED = {
    "STABLECOIN": {"BUSD", "USDC", "TUSD", "USDP", "PAX", "DAI", "SUSD", "UST", "USTC", "FDUSD", "PAXG", "USDS", "AEUR"},
    "FIAT_BASE": {"EUR", "GBP", "AUD"},
    "WRAPPED": {"WBTC", "BETH", "WBETH", "BTCST"},
}


def text(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_spans(path):
    """Spans [first, last] of listing, and daily traded value of the first weeks."""
    spans, daily, weeks = [], defaultdict(float), set()
    with lzma.open(path, "rt") as lines:
        for row in csv.DictReader(lines):
            time = int(row["ts"])
            if not spans or time - spans[-1][1] > GAP:
                spans.append([time, time])
            spans[-1][1] = time
            if START <= time < FIRST:
                daily[time // 86400] += float(row["close"]) * float(row["volume"])
                weeks.add((time - START) // (7 * 86400))
    return spans, daily, weeks


def reason_of(coin, markets, chosen):
    for reason, coins in EXCLUDED.items():
        if coin in coins:
            return reason
    return "" if coin in chosen else "OUTSIDE_SAMPLE"


def choose(markets):
    value = {}
    for coin, (_, daily, weeks) in markets.items():
        if len(weeks) == WEEKS and not reason_of(coin, markets, {coin}):
            value[coin] = statistics.median(daily.values())
    return set(sorted(value, key=lambda coin: (-value[coin], coin))[:COINS])


def listed(spans, time, end):
    return any(first <= time and (time - last <= GAP or last >= end - GAP) for first, last in spans)


def write_listing(folder, markets, chosen, time, end):
    lines = [f"# as of {text(time)}", f"# {ORIGIN}", "venue,symbol,coin,quote,status,reason"]
    for coin in sorted(markets):
        if listed(markets[coin][0], time, end):
            lines.append(f"binance,{coin}/USDT,{coin},USDT,online,{reason_of(coin, markets, chosen)}")
    (folder / f"{text(time)[:10]}.csv").write_text("\n".join(lines) + "\n")


def listing_times(markets, chosen, end):
    """The universe's own date, and each change of a chosen coin's listing after it."""
    times = {FIRST}
    for coin in chosen:
        spans = markets[coin][0]
        for i, (first, last) in enumerate(spans):
            if i > 0:
                times.add(first)
            if last < end - GAP:
                times.add(last + GAP + 3600)
    return sorted(times)


def run(program, workspace, *arguments):
    subprocess.run([program, "--now", RECEIVED, "--workspace", workspace, *arguments], check=True, stdout=subprocess.DEVNULL)


def main():
    candles, fear_greed, program, out = (pathlib.Path(a).resolve() for a in sys.argv[1:5])
    markets = {p.name[:-7]: read_spans(p) for p in sorted(candles.glob("*.csv.xz"))}
    end = max(spans[-1][1] for spans, _, _ in markets.values())
    chosen = choose(markets)
    print("universe:", " ".join(sorted(chosen)))
    (out / "listings").mkdir(parents=True, exist_ok=True)
    for time in listing_times(markets, chosen, end):
        write_listing(out / "listings", markets, chosen, time, end)
    with tempfile.TemporaryDirectory() as folder:
        workspace = folder + "/workspace"
        for coin in sorted(chosen):
            for epoch, (first, last) in enumerate(markets[coin][0], 1):
                newest = epoch == len(markets[coin][0])
                run(program, workspace, "import", str(candles / f"{coin}.csv.xz"), "--venue", "binance", "--quote", "USDT",
                    "--interval", "1h", "--origin", ORIGIN, "--epoch", str(epoch), "--from", text(first),
                    "--to", text(last + 3600), *([] if newest else ["--keep-last"]))
        run(program, workspace, "import", str(fear_greed), "--venue", "alternative.me", "--symbol", "fear_greed",
            "--origin", FEAR_GREED_ORIGIN, "--from", "2021-01-01", "--to", text(end), "--keep-last")
        run(program, workspace, "export", str(out / "segments"))


if __name__ == "__main__":
    main()
