# SPDX-License-Identifier: MIT
"""Every fault as a client meets it, and through csm_net."""
import http.client
import json
import subprocess
import sys
import time

from endpoints import T0, at, hour_bars, stream
from replay import BINARY, HOUR, Replay, run_tests

OHLC = "/0/public/OHLC?pair=XBTUSD&interval=60"


def server(*options):
    return Replay(stream(hour_bars(100)), "--time", at(T0 + 100 * HOUR), *options)


def through_net(base, seconds=30):
    """(class, status, attempts) of one request through the library."""
    run = subprocess.run([BINARY / "tests" / "net_client", str(seconds), base + OHLC], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    name, status, attempts = run.stdout.split()[:3]
    return name, int(status), int(attempts)


def test_errors_inside_200_have_krakens_texts():
    with server() as s:
        for kind, error in (("rate", "EAPI:Rate limit exceeded"), ("unavailable", "EService:Unavailable"),
                            ("throttled", f"EService: Throttled: {T0 + 100 * HOUR + 2}")):
            s.control(f"fault?kind={kind}&count=1")
            assert s.error("OHLC", pair="XBTUSD", interval=60) == error
            s.result("OHLC", pair="XBTUSD", interval=60)


def test_pages_of_the_edge_and_server_errors():
    with server() as s:
        for kind, status, start in (("http500", 500, b"Internal"), ("http520html", 520, b"<!DOCTYPE"),
                                    ("html200", 200, b"<!DOCTYPE"), ("empty", 200, b"")):
            s.control(f"fault?kind={kind}&count=1")
            got, content_type, body = s.raw(OHLC)
            assert got == status and body.startswith(start) and (body or kind == "empty"), (kind, got, body[:50])
            assert kind not in ("http520html", "html200") or content_type.startswith("text/html")


def test_damaged_bodies():
    with server() as s:
        whole = s.raw(OHLC)[2]
        s.control("fault?kind=short&count=1")
        short = s.raw(OHLC)[2]
        assert short == whole[:len(whole) // 2]
        s.control("fault?kind=wrongjson&count=1")
        try:
            json.loads(s.raw(OHLC)[2])
            raise AssertionError("wrongjson is JSON")
        except ValueError:
            pass
        s.control("fault?kind=wrongtype&count=1")
        assert isinstance(s.result("OHLC", pair="XBTUSD", interval=60)["XXBTZUSD"][0][1], (int, float, str))
        s.control("fault?kind=wrongtype&count=1")
        assert not isinstance(json.loads(s.raw(OHLC)[2])["result"]["XXBTZUSD"][0][1], str)
        s.control("fault?kind=missingpair&count=1")
        assert s.result("OHLC", pair="XBTUSD", interval=60) == {}
        s.control("fault?kind=cut&count=1")
        try:
            s.raw(OHLC)
            raise AssertionError("the answer was whole")
        except http.client.IncompleteRead as cut:
            assert whole.startswith(cut.partial) and len(cut.partial) < len(whole)


def test_a_slow_answer_is_slow():
    with server("--slow-seconds", "0.4") as s:
        whole = s.raw(OHLC)[2]
        s.control("fault?kind=slow&count=1")
        began = time.monotonic()
        assert s.raw(OHLC)[2] == whole
        assert time.monotonic() - began > 0.3


def test_faults_come_each_nth_time_and_as_often_as_asked():
    with server("--fault", "rate:3") as s:
        seen = [bool(s.reply("Time")["error"]) for _ in range(9)]
        assert seen == [False, False, True] * 3
        s.control("fault?kind=none")
        assert not any(s.reply("Time")["error"] for _ in range(6))
        s.control("fault?kind=http500&count=2&every=2")
        assert [s.raw("/0/public/Time")[0] for _ in range(6)] == [200, 500, 200, 500, 200, 200]
        status = s.control("status")
        assert status["faults_served"] == 2 and status["requests"] == 21, status


def test_calls_above_the_limit_are_refused_until_the_client_waits():
    with server("--limit", "5,2") as s:
        seen = [bool(s.reply("Time")["error"]) for _ in range(4)]
        assert not seen[0] and seen[-1], seen
        assert s.error("Time") == "EAPI:Rate limit exceeded"
        time.sleep(0.9)  # at most 2 tokens were owed, and one is needed
        assert not s.reply("Time")["error"]


def test_the_library_gets_past_faults_that_pass():
    with server("--slow-seconds", "3") as s:
        assert through_net(s.base) == ("OK", 200, 1)
        for kind in ("http500", "http520html", "cut"):
            s.control(f"fault?kind={kind}&count=2")
            assert through_net(s.base) == ("OK", 200, 3), kind
            s.control(f"fault?kind={kind}")
            assert through_net(s.base)[0] == "TRANSIENT", kind
        s.control("fault?kind=empty&count=1")
        assert through_net(s.base) == ("PARSE", 200, 1)
        s.control("fault?kind=slow&count=1")
        assert through_net(s.base, 0.5) == ("OK", 200, 2)


if __name__ == "__main__":
    run_tests(sys.modules["__main__"])
