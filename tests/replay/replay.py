# SPDX-License-Identifier: MIT
"""What the replay tests share: a workspace made of lines, the server as a child, requests without a library."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

BINARY = pathlib.Path(os.environ["CSM_BINARY_DIR"])
NS = 10**9
HOUR = 3600

LISTING = {
    "XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "base": "XXBT",
                 "aclass_quote": "currency", "quote": "ZUSD", "lot": "unit", "cost_decimals": 5, "pair_decimals": 1,
                 "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [2], "leverage_sell": [2],
                 "fees": [[0, 0.4], [10000, 0.35]], "fees_maker": [[0, 0.25], [10000, 0.2]],
                 "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40, "ordermin": "0.00005",
                 "costmin": "0.5", "tick_size": "0.1", "status": "online"},
    "XXRPZUSD": {"altname": "XRPUSD", "wsname": "XRP/USD", "aclass_base": "currency", "base": "XXRP",
                 "aclass_quote": "currency", "quote": "ZUSD", "lot": "unit", "cost_decimals": 5, "pair_decimals": 5,
                 "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [], "leverage_sell": [], "fees": [[0, 0.4]],
                 "fees_maker": [[0, 0.25]], "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40,
                 "ordermin": "2", "costmin": "0.5", "tick_size": "0.00001", "status": "online"},
    "SOLUSD": {"altname": "SOLUSD", "wsname": "SOL/USD", "aclass_base": "currency", "base": "SOL",
               "aclass_quote": "currency", "quote": "ZUSD", "lot": "unit", "cost_decimals": 5, "pair_decimals": 2,
               "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [], "leverage_sell": [], "fees": [[0, 0.4]],
               "fees_maker": [[0, 0.25]], "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40,
               "ordermin": "0.02", "costmin": "0.5", "tick_size": "0.01", "status": "online"},
}
ASSETS = {name: {"aclass": "currency", "altname": alt, "decimals": decimals, "display_decimals": 5, "status": "enabled"}
          for name, alt, decimals in (("XXBT", "XBT", 10), ("XXRP", "XRP", 8), ("SOL", "SOL", 8), ("ZUSD", "USD", 4))}


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def bar_line(time, step, o, h, l, c, volume, vwap="-", trades="-"):
    return f"{time * NS} {(time + step) * NS} {o} {h} {l} {c} {volume} {vwap} {trades} 0"


class Replay:
    """The server over a temporary folder; a context manager."""

    def __init__(self, lines, *options, listing=None, assets=ASSETS, files=()):
        self.folder = tempfile.TemporaryDirectory(prefix="csm-replay-")
        root = pathlib.Path(self.folder.name)
        (root / "listing.json").write_text(json.dumps({"error": [], "result": listing or LISTING}))
        arguments = [BINARY / "cryptosmart-replay", "--listing", root / "listing.json"]
        if assets:
            (root / "assets.json").write_text(json.dumps({"error": [], "result": assets}))
            arguments += ["--assets", root / "assets.json"]
        if lines:
            made = subprocess.run([BINARY / "tests" / "make_workspace", root / "workspace"], input="\n".join(lines) + "\n",
                                  text=True, capture_output=True)
            assert made.returncode == 0, made.stderr
            arguments += ["--workspace", root / "workspace"]
        for option, name, body in files:
            (root / name).write_bytes(body)
            arguments += [option, root / name]
        self.child = subprocess.Popen([*arguments, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.child.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), line + self.child.stderr.read()
        self.base = line.split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait()
        self.child.stdout.close()
        self.child.stderr.close()
        self.folder.cleanup()
        assert self.child.returncode == 0, f"the server ended with {self.child.returncode}"

    def raw(self, path):
        """(status, content type, body bytes)"""
        try:
            with urllib.request.urlopen(self.base + path) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], error.read()

    def reply(self, method, **arguments):
        query = "&".join(f"{name}={value}" for name, value in arguments.items())
        return json.loads(self.raw(f"/0/public/{method}" + (f"?{query}" if query else ""))[2], parse_float=str)

    def result(self, method, **arguments):
        reply = self.reply(method, **arguments)
        assert reply["error"] == [], reply
        return reply["result"]

    def error(self, method, **arguments):
        reply = self.reply(method, **arguments)
        assert reply["error"] and "result" not in reply, reply
        return reply["error"][0]

    def control(self, command):
        status, _, body = self.raw(f"/replay/{command}")
        assert status == 200, body
        return json.loads(body)


def run_tests(module):
    """Every function test_* of a module, in order; a plain count at the end."""
    tests = [(name, test) for name, test in vars(module).items() if name.startswith("test_")]
    for name, test in tests:
        print(name.removeprefix("test_").replace("_", " "), flush=True)
        test()
    print(f"{len(tests)} tests passed")
