# SPDX-License-Identifier: MIT
"""Each endpoint against values worked out here, in Python's own decimals."""
import json
import lzma
import os
import pathlib
import sys
import tempfile
from decimal import Decimal
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from replay import ASSETS, HOUR, LISTING, NS, Replay, bar_line, run_tests

T0 = 1_699_999_200 // (7 * 86400) * (7 * 86400)  # a week's beginning as exchanges count: a Thursday
DAY, WEEK = 86400, 7 * 86400


def hour_bars(count, start=T0, missing=(), with_vwap=True):
    """(time, o, h, l, c, volume, vwap, trades) of each hour, as text."""
    rows = []
    for i in range(count):
        if i in missing:
            continue
        price = Decimal(100) + Decimal((i * 37) % 113) / 4
        o, c = price, price + Decimal((i * 7) % 5) / 2 - 1
        h, l = max(o, c) + Decimal(i % 3) / 4, min(o, c) - Decimal(i % 4) / 4
        volume = Decimal(1 + (i * 13) % 29) / 8
        rows.append((start + i * HOUR, o, h, l, c, volume, (o + c) / 2 if with_vwap else None, 1 + i % 17))
    return rows


def stream(rows, venue="kraken", symbol="BTC/USD", step=HOUR, epoch=1):
    lines = [f"stream bars {venue} {symbol} {step} {epoch}"]
    for time, o, h, l, c, volume, vwap, trades in rows:
        lines.append(bar_line(time, step, o, h, l, c, volume, "-" if vwap is None else vwap,
                              "-" if trades is None else trades))
    return lines


def at(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def expected(rows, step, now):
    """Kraken's candles: at most 720 closed ones, holes filled with the last close, without the open one."""
    groups = {}
    for time, o, h, l, c, volume, vwap, trades in rows:
        if time + HOUR <= now:
            groups.setdefault(time // step * step, []).append((o, h, l, c, volume, vwap, trades))
    candles, close, time = [], None, min(groups)
    while time + step <= now:
        if time in groups:
            g = groups[time]
            close, volume = g[-1][3], sum(r[4] for r in g)
            vwap = sum(r[4] * r[5] for r in g) / volume if all(r[5] is not None for r in g) else None
            candles.append([time, g[0][0], max(r[1] for r in g), min(r[2] for r in g), close, vwap, volume,
                            sum(r[6] if r[6] is not None else 0 for r in g)])
        else:
            candles.append([time, close, close, close, close, Decimal(0), Decimal(0), 0])
        time += step
    return candles[-720:]


def check_candles(result, rows, minutes, now, open_row=True):
    step = minutes * 60
    got, want = result["XXBTZUSD"], expected(rows, step, now)
    assert len(got) == len(want) + open_row, (len(got), len(want))
    for g, w in zip(got, want):
        assert g[0] == w[0] and g[7] == w[7], (g, w)
        assert [Decimal(v) for v in g[1:5]] == w[1:5], (g, w)
        assert Decimal(g[6]) == w[6] and len(g[6].split(".")[1]) >= 8, (g, w)
        if w[5] is not None:
            assert abs(Decimal(g[5]) - w[5]) <= Decimal("0.0101"), (g, w)  # rounded to the recorded decimals
    assert result["last"] == want[-1][0], "last is the newest closed candle"
    assert [b[0] - a[0] for a, b in zip(got, got[1:])] == [step] * (len(got) - 1)
    return got


def test_ohlc_has_720_closed_candles_and_the_open_one_with_holes_filled():
    rows = hour_bars(1000, missing={300, 301, 990, 995})
    now = T0 + 999 * HOUR + 1800
    with Replay(stream(rows), "--time", at(now)) as server:
        got = check_candles(server.result("OHLC", pair="XBTUSD", interval=60), rows, 60, now)
        assert len(got) == 721
        hole = next(row for row in got if row[0] == T0 + 990 * HOUR)
        close = next(row for row in got if row[0] == T0 + 989 * HOUR)[4]
        assert hole[1:] == [close, close, close, close, "0.0", "0.00000000", 0], hole
        # no finer data: nothing is known of the open hour, so it looks as before its first trade
        assert got[-1] == [T0 + 999 * HOUR, *[got[-2][4]] * 4, "0.0", "0.00000000", 0], got[-1]


def test_longer_intervals_are_made_of_hours():
    rows = hour_bars(24 * 60, missing={5, 6, 7, 8, 9, 10, 11, 12, 100, 600})
    now = T0 + 24 * 50 * HOUR + 5 * HOUR + 7
    with Replay(stream(rows), "--time", at(now)) as server:
        for minutes in (240, 1440, 10080):
            got = check_candles(server.result("OHLC", pair="XBTUSD", interval=minutes), rows, minutes, now)
            # the open candle is built of the hours that are over
            hours = [r for r in rows if got[-1][0] <= r[0] and r[0] + HOUR <= now]
            assert [Decimal(got[-1][k]) for k in (1, 4)] == [hours[0][1], hours[-1][4]], got[-1]
            assert got[-1][7] == sum(r[7] for r in hours)


def test_the_open_hour_is_built_of_recorded_minutes():
    hours = hour_bars(30)
    minutes = [(T0 + 29 * HOUR + i * 60, Decimal(i + 1), Decimal(i + 2), Decimal(i + 1), Decimal(i + 2), Decimal(2), None, 3)
               for i in range(60)]
    with Replay(stream(hours) + stream(minutes, step=60), "--time", at(T0 + 29 * HOUR + 630)) as server:
        row = server.result("OHLC", pair="XBTUSD", interval=60)["XXBTZUSD"][-1]
        assert row == [T0 + 29 * HOUR, "1.0", "11.0", "1.0", "11.0", "0.0", "20.00000000", 30], row


def test_a_reply_that_kraken_gave_is_given_again():
    """720 minutes of August 2017 as Kraken's REST sent them: out of its traded candles come its filled ones too."""
    path = pathlib.Path(os.environ.get("CSM_SHARED_DIR", "")) / "fixtures/kraken_rest/xchange_ohlc.json"
    if not path.is_file():
        print("  left out: no recorded reply in CSM_SHARED_DIR")
        return
    recorded = json.loads(path.read_text())["result"]
    rows = recorded["XXBTZUSD"]
    assert sum(row[7] == 0 for row in rows) == 17
    lines = ["stream bars kraken BTC/USD 60 1"]
    lines += [bar_line(t, 60, o, h, l, c, v, w, n) for t, o, h, l, c, w, v, n in rows if n > 0]
    with Replay(lines, "--time", at(rows[-1][0] + 30)) as server:
        got = server.result("OHLC", pair="XBTUSD", interval=1)
        assert got["last"] == recorded["last"] and len(got["XXBTZUSD"]) == len(rows)
        for g, w in zip(got["XXBTZUSD"][:-1], rows[:-1]):
            assert g[0] == w[0] and g[7] == w[7] and [Decimal(v) for v in g[1:7]] == [Decimal(v) for v in w[1:7]], (g, w)


def test_what_happens_later_changes_nothing_now():
    now = T0 + 100 * HOUR + 60
    rows = hour_bars(200)
    altered = rows[:100] + [(t, o * 3, h * 3, l * 3, c * 3, v, w, n) for t, o, h, l, c, v, w, n in rows[100:]]
    answers = []
    for data in (rows, altered, ):
        with Replay(stream(data), "--time", at(now)) as server:
            answers.append([server.raw(f"/0/public/{path}")[2] for path in
                            ("OHLC?pair=XBTUSD&interval=60", "OHLC?pair=XBTUSD&interval=1440", "Ticker", "Trades?pair=XBTUSD")])
    assert answers[0] == answers[1]


def test_since_trims_within_the_window_and_an_old_one_gives_the_newest_rows():
    rows = hour_bars(1000)
    now = T0 + 999 * HOUR + 5
    with Replay(stream(rows), "--time", at(now)) as server:
        all_rows = server.result("OHLC", pair="XBTUSD", interval=60)
        last = all_rows["last"]
        trimmed = server.result("OHLC", pair="XBTUSD", interval=60, since=last - 2 * HOUR)
        assert [row[0] - last for row in trimmed["XXBTZUSD"]] == [-HOUR, 0, HOUR]
        assert trimmed["last"] == last
        assert server.result("OHLC", pair="XBTUSD", interval=60, since=1) == all_rows
        later = server.result("OHLC", pair="XBTUSD", interval=60, since=last + 9 * HOUR)
        assert later == {"XXBTZUSD": [], "last": last}


def test_time_passes_by_steps_and_a_closed_hour_appears():
    rows = hour_bars(50)
    with Replay(stream(rows), "--time", at(T0 + 20 * HOUR + 3590)) as server:
        assert server.result("OHLC", pair="XBTUSD", interval=60)["last"] == T0 + 19 * HOUR
        server.control("step?seconds=10")
        assert server.result("OHLC", pair="XBTUSD", interval=60)["last"] == T0 + 20 * HOUR
        time = server.result("Time")
        assert time["unixtime"] == T0 + 21 * HOUR
        assert parsedate_to_datetime(time["rfc1123"]).timestamp() == time["unixtime"]
        assert server.result("SystemStatus") == {"status": "online", "timestamp": at(T0 + 21 * HOUR)}
        server.control("system?status=maintenance")
        assert server.result("SystemStatus")["status"] == "maintenance"
        server.control(f"time?set={at(T0 + 30 * HOUR)}")
        assert server.result("Time")["unixtime"] == T0 + 30 * HOUR


def test_candles_end_where_the_record_ends():
    rows = hour_bars(50)
    with Replay(stream(rows), "--time", at(T0 + 200 * HOUR)) as server:
        result = server.result("OHLC", pair="XBTUSD", interval=60)
        assert result["last"] == T0 + 49 * HOUR and result["XXBTZUSD"][-1][0] == T0 + 49 * HOUR


def test_a_bar_without_count_or_vwap_is_served_without_inventing_them():
    rows = [(t, o, h, l, c, v, None, None) for t, o, h, l, c, v, _, _ in hour_bars(30)]
    with Replay(stream(rows), "--time", at(T0 + 30 * HOUR)) as server:
        row = server.result("OHLC", pair="XBTUSD", interval=60)["XXBTZUSD"][3]
        assert row[5] == "0.0" and row[7] == 1, row  # at least one trade


def test_another_venues_quote_stands_for_a_pair_when_mapped():
    rows = hour_bars(30)
    lines = stream(rows, venue="binance", symbol="SOL/USDT")
    with Replay(lines, "--time", at(T0 + 30 * HOUR), "--venue", "binance") as server:
        assert server.result("OHLC", pair="SOLUSD", interval=60) == {"SOLUSD": [], "last": 0}
    with Replay(lines, "--time", at(T0 + 30 * HOUR), "--venue", "binance", "--quote", "USDT=USD", "--only-recorded") as server:
        assert len(server.result("OHLC", pair="SOLUSD", interval=60)["SOLUSD"]) == 30
        assert list(server.result("AssetPairs")) == ["SOLUSD"]


def test_a_folder_of_history_files_is_served_without_a_workspace():
    rows = hour_bars(50)
    body = "ts,open,high,low,close,volume\n" + "".join(f"{t},{o},{h},{l},{c},{v}\n" for t, o, h, l, c, v, _, _ in rows)
    with tempfile.TemporaryDirectory(prefix="csm-files-") as folder:
        pathlib.Path(folder, "SOL.csv.xz").write_bytes(lzma.compress(body.encode()))
        with Replay(None, "--folder", folder, "--folder-quote", "USDT", "--venue", "binance", "--quote", "USDT=USD",
                    "--time", at(T0 + 40 * HOUR)) as server:
            got = server.result("OHLC", pair="SOLUSD", interval=60)["SOLUSD"]
            assert [Decimal(v) for v in got[7][1:5]] == list(rows[7][1:5]) and len(got) == 41, got[7]


def test_a_folder_of_krakens_history_files_is_served_by_their_names():
    rows = hour_bars(50)
    with tempfile.TemporaryDirectory(prefix="csm-files-") as folder:
        lines = [f"{t},{o},{h},{l},{c},{v},{n}" for t, o, h, l, c, v, _, n in rows]
        pathlib.Path(folder, "XRPUSD_60.csv").write_text("\n".join(lines) + "\n")
        with Replay(None, "--folder", folder, "--time", at(T0 + 40 * HOUR)) as server:
            got = server.result("OHLC", pair="XRPUSD", interval=60)["XXRPZUSD"]
            assert [Decimal(v) for v in got[7][1:5]] == list(rows[7][1:5]) and got[7][7] == rows[7][7], got[7]


def test_a_relisted_market_begins_anew():
    old = hour_bars(20)
    new = hour_bars(20, start=T0 + 100 * HOUR)
    with Replay(stream(old) + stream(new, epoch=2), "--time", at(T0 + 110 * HOUR)) as server:
        rows = server.result("OHLC", pair="XBTUSD", interval=60)["XXBTZUSD"]
        assert rows[0][0] == T0 + 100 * HOUR
    with Replay(stream(old) + stream(new, epoch=2), "--time", at(T0 + 10 * HOUR)) as server:
        assert server.result("OHLC", pair="XBTUSD", interval=60)["XXBTZUSD"][0][0] == T0


def test_listing_is_served_as_recorded_and_edited_on_request():
    with Replay(stream(hour_bars(30)), "--time", at(T0 + 30 * HOUR)) as server:
        def numbers(value):
            return json.loads(json.dumps(value), parse_float=str)
        assert server.result("AssetPairs") == numbers(LISTING)
        for name in ("XXBTZUSD", "XBTUSD", "XBT/USD"):
            assert list(server.result("AssetPairs", pair=name)) == ["XXBTZUSD"]
        assert list(server.result("AssetPairs", pair="XBTUSD,SOLUSD")) == ["XXBTZUSD", "SOLUSD"]
        assert list(server.result("OHLC", pair="XBTUSD", interval=60, assetVersion=1)) == ["BTC/USD", "last"]
        assert server.result("Assets") == ASSETS
        assert list(server.result("Assets", asset="XBT,ZUSD")) == ["XXBT", "ZUSD"]
        assert server.error("Assets", asset="NOPE") == "EQuery:Unknown asset"
        server.control("delist?pair=XXBTZUSD")
        assert list(server.result("AssetPairs")) == ["XXRPZUSD", "SOLUSD"]
        for method in ("OHLC", "Trades", "Depth", "Ticker", "AssetPairs"):
            assert server.error(method, pair="XBTUSD") == "EQuery:Unknown asset pair"
        server.control("relist?pair=XBTUSD")
        assert len(server.result("AssetPairs")) == 3


def test_only_recorded_pairs_come_and_go_with_their_bars():
    lines = stream(hour_bars(100)) + stream(hour_bars(30, start=T0 + 40 * HOUR), symbol="XRP/USD")
    with Replay(lines, "--only-recorded", "--delist-after", "6h", "--time", at(T0 + 39 * HOUR)) as server:
        seen = []
        for _ in range(4):
            seen.append(list(server.result("AssetPairs")))
            server.control("step?seconds=72000")
        assert seen == [["XXBTZUSD"], ["XXBTZUSD", "XXRPZUSD"], ["XXBTZUSD"], ["XXBTZUSD"]], seen


def test_ticker_is_computed_of_closed_bars_and_knows_no_quotes_of_its_own():
    rows = hour_bars(24 * 8, start=T0, missing={150})
    now = T0 + 24 * 6 * HOUR + 10 * HOUR + 900
    closed = [r for r in rows if r[0] + HOUR <= now]
    today = [r for r in closed if r[0] >= now // DAY * DAY]
    rolling = [r for r in closed if r[0] >= now - DAY]
    with Replay(stream(rows), "--time", at(now)) as server:
        t = server.result("Ticker", pair="XBTUSD")["XXBTZUSD"]
        assert server.result("Ticker") == {"XXBTZUSD": t}
        assert t["a"] == t["b"] == ["0.00000", "0", "0.000"]
        assert Decimal(t["c"][0]) == closed[-1][4]
        assert [Decimal(v) for v in t["v"]] == [sum(r[5] for r in s) for s in (today, rolling)]
        assert t["t"] == [sum(r[7] for r in s) for s in (today, rolling)]
        assert [Decimal(v) for v in t["l"]] == [min(r[3] for r in s) for s in (today, rolling)]
        assert [Decimal(v) for v in t["h"]] == [max(r[2] for r in s) for s in (today, rolling)]
        assert Decimal(t["o"]) == today[0][1]
        for got, s in zip(t["p"], (today, rolling)):
            assert abs(Decimal(got) - sum(r[5] * r[6] for r in s) / sum(r[5] for r in s)) <= Decimal("0.01")


def test_quotes_come_of_recorded_tickers():
    now = T0 + 30 * HOUR
    lines = stream(hour_bars(40)) + ["stream ticker kraken BTC/USD 0 1",
                                     f"{(now - 60) * NS} {(now - 60) * NS} 99.5 100.5 100 12 34",
                                     f"{(now + 60) * NS} {(now + 60) * NS} 1 2 3 4 5"]
    with Replay(lines, "--time", at(now)) as server:
        t = server.result("Ticker", pair="XBTUSD")["XXBTZUSD"]
        assert t["a"][0] == "100.5" and t["b"][0] == "99.5"


def trade_rows(count):
    """(ns, price, volume, side, order, id); pairs of equal times among them."""
    return [((T0 * NS) + (i // 2) * 1_234_567_890 + 100, Decimal(100) + i % 7, Decimal(i % 11 + 1) / 16, i % 2, i % 3 % 2, 1000 + i)
            for i in range(count)]


def trade_stream(rows):
    return ["stream trades kraken BTC/USD 0 1"] + [f"{t} {t} {p} {v} {s} {o} {n}" for t, p, v, s, o, n in rows]


def test_trades_are_paged_by_the_cursor_without_loss_or_repetition():
    rows = trade_rows(2601)
    with Replay(trade_stream(rows), "--time", at(T0 + 10**7)) as server:
        for count in (1000, 7):
            since, seen, pages = "0", [], 0
            while len(seen) < 2000 or count == 1000:
                result = server.result("Trades", pair="XBTUSD", since=since, count=count)
                assert isinstance(result["last"], str)
                if result["last"] == since:
                    break
                page = result["XXBTZUSD"]
                assert 0 < len(page) <= count
                seen += page
                since = result["last"]
                pages += 1
            assert [t[6] for t in seen] == [r[5] for r in rows][:len(seen)], pages
            assert count == 7 or len(seen) == len(rows)
        for got, want in zip(seen, rows):
            assert Decimal(got[0]) == want[1] and Decimal(got[1]) == want[2] and int(Decimal(got[2]) * NS) == want[0]
            assert got[3] == "bs"[want[3]] and got[4] == "ml"[want[4]] and got[5] == ""
        newest = server.result("Trades", pair="XBTUSD")
        assert [t[6] for t in newest["XXBTZUSD"]] == [r[5] for r in rows][-1000:]
        assert newest["last"] == str(rows[-1][0])
        seconds = server.result("Trades", pair="XBTUSD", since=T0 + 100)["XXBTZUSD"]
        assert seconds[0][6] == next(r[5] for r in rows if r[0] > (T0 + 100) * NS)


def test_trades_of_the_future_are_not_served():
    rows = trade_rows(100)
    now = rows[49][0] // NS
    with Replay(trade_stream(rows), "--time", at(now)) as server:
        result = server.result("Trades", pair="XBTUSD", since=0)
        assert [t[6] for t in result["XXBTZUSD"]] == [r[5] for r in rows if r[0] <= now * NS]


def test_recorded_replies_give_trades_and_books():
    trades = {"error": [], "result": {"XXBTZUSD": [["30243.40000", "0.34507674", 1688669597.8277369, "b", "m", "", 61044952],
                                                   ["30243.30000", "0.01", 1688669602.5, "s", "l", ""]], "last": "1"}}
    body = json.dumps(trades).replace("1688669597.8277369", "1688669597.8277369").encode()
    book = json.dumps({"error": [], "result": {"XXBTZUSD": {"asks": [["30384.1", "2.059", 1688671659], ["30387.9", "1.5", 1688671380]],
                                                            "bids": [["30297.0", "1.115", 1688671636]]}}}).encode()
    files = (("--trades", "trades.json.xz", lzma.compress(body)), ("--books", "book.json", book))
    with Replay(None, "--time", "2023-07-06T19:27:38Z", files=files) as server:
        result = server.result("Trades", pair="XBTUSD", since=0)
        assert result["XXBTZUSD"][0] == ["30243.4", "0.34507674", "1688669597.8277369", "b", "m", "", 61044952], result
        assert len(result["XXBTZUSD"][1]) == 6 and result["last"] == "1688669602500000000"
        assert server.result("Depth", pair="XBTUSD") == {"XXBTZUSD": {"asks": [], "bids": []}}, "a book of the future"
        server.control("step?seconds=1")
        got = server.result("Depth", pair="XBTUSD", count=1)["XXBTZUSD"]
        assert got == {"asks": [["30384.1", "2.059", 1688671659]], "bids": [["30297.0", "1.115", 1688671636]]}, got


def test_books_of_the_store_are_served_as_the_newest_snapshot():
    now = T0 + 5 * HOUR
    lines = ["stream book kraken BTC/USD 0 1"]
    for time, shift in ((now - 600, 0), (now - 60, 5), (now + 60, 9)):
        for level in range(3):
            lines.append(f"{time * NS} {time * NS} 0 {level} {100 + shift - level} 1.5")
            lines.append(f"{time * NS} {time * NS} 1 {level} {101 + shift + level} 2.5")
    with Replay(lines, "--time", at(now)) as server:
        book = server.result("Depth", pair="XBTUSD", count=2)["XXBTZUSD"]
        assert book["bids"] == [["105.0", "1.500", now - 60], ["104.0", "1.500", now - 60]], book
        assert book["asks"] == [["106.0", "2.500", now - 60], ["107.0", "2.500", now - 60]], book


def test_wrong_requests_get_krakens_errors():
    with Replay(stream(hour_bars(5)), "--time", at(T0 + 5 * HOUR)) as server:
        assert server.error("Nothing") == "EGeneral:Unknown method"
        assert server.error("OHLC") == "EGeneral:Invalid arguments"
        assert server.error("OHLC", pair="NOPE") == "EQuery:Unknown asset pair"
        assert server.error("OHLC", pair="A" * 500) == "EQuery:Unknown asset pair"
        assert server.error("OHLC", pair="XBTUSD", interval=7) == "EGeneral:Invalid arguments:interval"
        assert server.error("OHLC", pair="XBTUSD", since="x") == "EGeneral:Invalid arguments:since"
        assert server.error("Trades", pair="XBTUSD", count=0) == "EGeneral:Invalid arguments:count"
        assert server.error("Depth", pair="XBTUSD", count="many") == "EGeneral:Invalid arguments:count"
        assert server.error("Ticker", pair="XBTUSD,NOPE") == "EQuery:Unknown asset pair"
        assert server.raw("/other")[0] == 404
        assert server.raw("/replay/other")[0] == 400
        assert server.raw("/replay/step?seconds=-1")[0] == 400
        assert server.raw("/replay/fault?kind=what")[0] == 400
        assert server.raw("/replay/delist?pair=NOPE")[0] == 400
    with Replay(stream(hour_bars(5)), "--time", at(T0 + 5 * HOUR), assets=None) as server:
        assert server.error("Assets") == "EService:Unavailable", "no assets were recorded"


if __name__ == "__main__":
    run_tests(sys.modules["__main__"])
