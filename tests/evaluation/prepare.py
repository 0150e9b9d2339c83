#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the workspace of the evaluation: every coin of the recorded folder, with dated listings.

usage: prepare.py CANDLES_DIR FEAR_GREED_CSV CRYPTOSMART_PROGRAM WORKSPACE

The universe is everything in the folder but stablecoins, fiat and wrapped coins (the bundled sample's table of reasons). A
listing is written at each change: a coin enters at its first candle, and leaves when it has had none for three days. So what was
delisted stays in the sample until then, and labels and training hear of it through the registry.
"""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "data"))
import make_sample as sample


def listing_times(markets, end):
    """The first hour, each span's first hour, and the hour at which its end is noticed."""
    times = {sample.START}
    for spans, _, _ in markets.values():
        for first, last in spans:
            times.add(first)
            if last < end - sample.GAP:
                times.add(last + sample.GAP + 3600)
    return sorted(times)


def write_listings(folder, markets, end):
    offered = None
    for time in listing_times(markets, end):
        now = [coin for coin in sorted(markets) if sample.listed(markets[coin][0], time, end)]
        if now == offered:
            continue
        offered = now
        lines = [f"# as of {sample.text(time)}", f"# {sample.ORIGIN}", "venue,symbol,coin,quote,status,reason"]
        lines += [f"binance,{c}/USDT,{c},USDT,online,{sample.reason_of(c, markets, markets)}" for c in now]
        name = sample.text(time).replace(":", "")
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")


def import_coin(program, workspace, path, spans):
    for epoch, (first, last) in enumerate(spans, 1):
        newest = epoch == len(spans)
        sample.run(program, workspace, "import", str(path), "--venue", "binance", "--quote", "USDT", "--interval", "1h",
                   "--origin", sample.ORIGIN, "--epoch", str(epoch), "--from", sample.text(first),
                   "--to", sample.text(last + 3600), *([] if newest else ["--keep-last"]))


def main():
    candles, fear_greed, program, workspace = (pathlib.Path(a).resolve() for a in sys.argv[1:5])
    files = {p.name[:-7]: p for p in sorted(candles.glob("*.csv.xz"))}
    markets = {coin: sample.read_spans(path) for coin, path in files.items()}
    end = max(spans[-1][1] for spans, _, _ in markets.values())
    print(f"{len(markets)} coins, {sum(bool(sample.reason_of(c, markets, markets)) for c in markets)} of them excluded by reason, "
          f"{sum(m[0][-1][1] < end - sample.GAP for m in markets.values())} delisted before the end", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "listings").mkdir()
        write_listings(folder / "listings", markets, end)
        imported = str(folder / "imported")
        for coin, path in files.items():
            import_coin(program, imported, path, markets[coin][0])
        sample.run(program, imported, "import", str(fear_greed), "--venue", "alternative.me", "--symbol", "fear_greed",
                   "--origin", sample.FEAR_GREED_ORIGIN, "--from", "2021-01-01", "--to", sample.text(end), "--keep-last")
        sample.run(program, imported, "export", str(folder / "segments"))
        sample.run(program, str(workspace), "adopt", str(folder))


if __name__ == "__main__":
    main()
