# SPDX-License-Identifier: MIT
"""The whole cycle through real HTTP: the bundled sample served as Kraken's API, ingested month by month, trained, predicted,
matured; then listings that change and answers that are cut."""
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone

from replay import BINARY, Replay, run_tests

SOURCE = pathlib.Path(os.environ["CSM_SOURCE_DIR"])
START = datetime(2022, 7, 1, 0, 0, 30, tzinfo=timezone.utc)
MONTHS = 8
CONFIG = """
kraken: {{url: "{base}/0"}}
ingest: {{sources: [kraken.ohlc, kraken.ticker], intervals: [1h], provenance_prefix: "replay:"}}
train: {{horizons: [24h], steps: [24h], spans: [0s], windows: [0s], first: [60d], test_span: 30d, bootstrap: 20}}
gate: {{horizon: 24h}}
gbt: {{rounds: 8, leaves: 5, min_rows: 20}}
"""


class Workplace:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="csm-cycle-")
        self.root = pathlib.Path(self.folder.name)
        self.workspace = self.root / "workspace"
        self.now = START
        recorded = self.root / "recorded"
        self.call("--workspace", recorded, "adopt", SOURCE / "examples" / "data")
        self.replay = Replay([], "--workspace", str(recorded), "--venue", "binance", "--quote", "USDT=USD", "--only-recorded",
                             "--time", self.text())
        (self.root / "config.yaml").write_text(CONFIG.format(base=self.replay.base))

    def text(self):
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    @staticmethod
    def call(*arguments):
        return subprocess.run([BINARY / "cryptosmart", *arguments], capture_output=True, text=True, check=False)

    def run(self, *arguments, code=0):
        done = self.call("-c", self.root / "config.yaml", "--now", self.text(), "--workspace", self.workspace, "--json", *arguments)
        assert done.returncode == code or (code is None and done.returncode in (6, 7)), f"{arguments} ended with {done.returncode}: {done.stderr[-2000:]}"
        return json.loads(done.stdout)

    def step(self, **span):
        self.now += timedelta(**span)
        self.replay.control("time?set=" + self.text())

    def query(self, sql):
        with sqlite3.connect(f"file:{self.workspace}/catalog.db?mode=ro", uri=True) as catalog:
            return catalog.execute(sql).fetchall()

    def close(self):
        self.replay.__exit__()
        self.folder.cleanup()


def assert_equation(coverage):
    for part in ("pairs", "coins"):
        c = coverage[part]
        assert c["offered"] == c["processed"] + c["excluded"], coverage
        assert sum(c["by_reason"].values()) == c["excluded"], coverage


def gather(place):
    coverage = place.run("discover")
    assert_equation(coverage)
    assert coverage["pairs"]["processed"] == 3, coverage
    for _ in range(MONTHS):
        report = place.run("ingest")
        assert all(item["class"] == "OK" for item in report["items"]), report
        place.step(days=29)
    place.run("ingest")


def the_cycle_predicts_and_learns(place):
    done = place.run("run")
    assert_equation(done["coverage"])
    assert done["training"]["horizons"][0]["walk_rows"] > 100
    assert len(done["ranking"]["all"]) == 3
    assert all(f["horizons"][0]["probability"] is not None for f in done["ranking"]["all"]), done["ranking"]
    ledger = place.run("ledger", "verify")
    assert ledger["verified"] and ledger["rows"] == 1 + 3, ledger
    place.step(hours=26)
    later = place.run("run")
    assert later["learned"]["matured"] == 3 and later["learned"]["unknown"] == 0, later["learned"]
    entries = place.run("ledger", "show")["entries"]
    assert [e["outcome"] for e in entries[:3]] == ["known"] * 3
    assert all(e["backfill"] for e in entries), "a clock set by hand must not fill the live clock"


def replayed_data_says_so(place):
    sources = {row[0] for row in place.query("SELECT DISTINCT source FROM provenance")}
    assert sources and all(source.startswith("replay:") for source in sources), sources


def a_pair_taken_from_the_reply_has_vanished(place):
    place.replay.control("delist?pair=XXRPZUSD")
    place.step(minutes=10)
    coverage = place.run("discover")
    assert_equation(coverage)
    vanished = [e["market"] for e in coverage["events"] if e["kind"] == "vanished"]
    assert vanished == ["kraken:XRP/USD"], coverage["events"]
    place.replay.control("relist?pair=XXRPZUSD")
    place.step(minutes=10)
    back = [e for e in place.run("discover")["events"] if e["kind"] == "back"]
    assert [(e["market"], e["epoch"]) for e in back] == [("kraken:XRP/USD", 2)], back


def a_reply_cut_in_half_changes_nothing(place):
    before = place.query("SELECT count(*) FROM coverage_runs"), place.query("SELECT * FROM registry ORDER BY 1, 2")
    for kind in ("cut", "short", "wrongjson", "wrongtype", "html200", "missingpair", "empty"):
        place.replay.control(f"fault?kind={kind}")
        (place.workspace / "net-state.json").unlink(missing_ok=True)  # a source that failed is left alone for a while
        error = place.run("discover", code=None)
        assert error["error"]["status"] in ("CSM_ETRANSIENT", "CSM_EPERMANENT", "CSM_EPARSE"), error
        place.replay.control("fault?kind=none")
    assert before == (place.query("SELECT count(*) FROM coverage_runs"), place.query("SELECT * FROM registry ORDER BY 1, 2"))


def test_the_whole_cycle_over_http():
    place = Workplace()
    try:
        gather(place)
        for part in (the_cycle_predicts_and_learns, replayed_data_says_so, a_pair_taken_from_the_reply_has_vanished,
                     a_reply_cut_in_half_changes_nothing):
            print(" ", part.__name__.replace("_", " "), flush=True)
            part(place)
    finally:
        place.close()


if __name__ == "__main__":
    run_tests(sys.modules[__name__])
