# SPDX-License-Identifier: MIT
"""The server speaks Kraken's dialect as ccxt, an independent client, understands it."""
import lzma
import json
import os
import pathlib
import sys

try:
    import ccxt
except ImportError:
    print("skipped: ccxt is not importable (it belongs into build/test-venv)")
    sys.exit(77)

from endpoints import T0, at, hour_bars, stream, trade_rows, trade_stream
from replay import ASSETS, HOUR, LISTING, NS, Replay, run_tests

NOW = T0 + 799 * HOUR + 1800


def client(server):
    exchange = ccxt.kraken({"enableRateLimit": False})
    for name in ("public", "private"):
        exchange.urls["api"][name] = server.base
    exchange.proxies = None
    exchange.session.trust_env = False
    return exchange


def market_server(*options, **more):
    ticker = ["stream ticker kraken BTC/USD 0 1", f"{(NOW - 5) * NS} {(NOW - 5) * NS} 99.5 100.5 100 12 34"]
    book = ["stream book kraken BTC/USD 0 1"]
    for level in range(3):
        book += [f"{(NOW - 5) * NS} {(NOW - 5) * NS} 0 {level} {99 - level} 1.5",
                 f"{(NOW - 5) * NS} {(NOW - 5) * NS} 1 {level} {101 + level} 2.5"]
    lines = stream(hour_bars(810, missing={400})) + ticker + book + trade_stream(trade_rows(1500))
    return Replay(lines, "--time", at(NOW), *options, **more)


def test_markets_are_found():
    with market_server() as server:
        markets = {m["symbol"]: m for m in client(server).fetch_markets()}
        assert set(markets) == {"BTC/USD", "XRP/USD", "SOL/USD"}, sorted(markets)
        btc = markets["BTC/USD"]
        assert btc["id"] == "XXBTZUSD" and btc["active"] and btc["taker"] == 0.004 and btc["maker"] == 0.0025
        assert btc["precision"]["price"] == 0.1 and btc["limits"]["amount"]["min"] == 0.00005


def test_candles_are_read_and_paged():
    rows = hour_bars(810, missing={400})
    with market_server() as server:
        exchange = client(server)
        candles = exchange.fetch_ohlcv("BTC/USD", "1h")
        assert len(candles) == 721 and candles[-1][0] == (T0 + 799 * HOUR) * 1000
        by_time = {candle[0]: candle for candle in candles}
        for time, o, h, l, c, volume, _, _ in rows:
            candle = by_time.get(time * 1000)
            if candle and time + HOUR <= NOW:
                assert candle[1:] == [float(v) for v in (o, h, l, c, volume)], candle
        since = (NOW // HOUR - 5) * HOUR * 1000
        assert [c[0] for c in exchange.fetch_ohlcv("BTC/USD", "1h", since)] == [since + i * HOUR * 1000 for i in range(6)]
        assert all(b[0] - a[0] == 14_400_000 for a, b in zip(*[exchange.fetch_ohlcv("BTC/USD", "4h")[i:] for i in (0, 1)]))


def test_ticker_book_and_trades_are_read():
    with market_server() as server:
        exchange = client(server)
        ticker = exchange.fetch_ticker("BTC/USD")
        assert ticker["bid"] == 99.5 and ticker["ask"] == 100.5 and ticker["last"] > 0, ticker
        assert list(exchange.fetch_tickers()) == ["BTC/USD"]
        book = exchange.fetch_order_book("BTC/USD")
        assert [level[:2] for level in book["bids"]] == [[99, 1.5], [98, 1.5], [97, 1.5]], book
        assert book["asks"][0][:2] == [101, 2.5]
        rows = trade_rows(1500)
        trades = exchange.fetch_trades("BTC/USD", since=T0 * 1000, limit=10)
        assert [int(t["id"]) for t in trades] == [r[5] for r in rows][:10], [t["id"] for t in trades]
        assert trades[1]["side"] == "sell" and trades[0]["price"] == float(rows[0][1])


def test_time_status_and_currencies_are_read():
    with market_server() as server:
        exchange = client(server)
        assert exchange.fetch_time() == NOW * 1000
        assert exchange.fetch_status()["status"] == "ok"
        assert exchange.fetch_currencies()["BTC"]["id"] == "XXBT"


def test_errors_are_recognised():
    with market_server() as server:
        exchange = client(server)
        exchange.load_markets()
        for kind, error in (("rate", ccxt.DDoSProtection), ("unavailable", ccxt.ExchangeNotAvailable),
                            ("throttled", ccxt.ExchangeError), ("http520html", ccxt.NetworkError),
                            ("http500", ccxt.NetworkError)):
            server.control(f"fault?kind={kind}&count=1")
            try:
                exchange.fetch_ohlcv("BTC/USD", "1h")
            except error:
                continue
            raise AssertionError(f"{kind} is not recognised")
        server.control("delist?pair=XBTUSD")
        try:
            exchange.fetch_ohlcv("BTC/USD", "1h")
            raise AssertionError("the pair is still there")
        except ccxt.ExchangeError as error:
            assert "Unknown asset pair" in str(error)


def test_a_whole_recorded_listing_is_understood():
    path = pathlib.Path(os.environ.get("CSM_SHARED_DIR", "")) / "fixtures/kraken_rest/AssetPairs.2026-01-12.1434pairs.nolicence.json.xz"
    if not path.is_file():
        print("  left out: no recorded listing in CSM_SHARED_DIR")
        return
    recorded = json.loads(lzma.open(path).read())
    recorded = recorded.get("result", recorded)
    with Replay(stream(hour_bars(30)), "--time", at(T0 + 30 * HOUR), listing=recorded) as server:
        markets = client(server).fetch_markets()
        assert len(markets) == len(recorded) == 1434, (len(markets), len(recorded))


if __name__ == "__main__":
    run_tests(sys.modules["__main__"])
