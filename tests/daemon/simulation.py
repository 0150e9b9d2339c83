# SPDX-License-Identifier: MIT
"""Days of the daemon's life in minutes: the bundled sample served as the exchange, time that jumps over idle spans, and kills at
random instants. simulation.py DAYS KILLS"""
import json
import os
import random
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

from daemon import BINARY, SOURCE, Place, moment_of, text_of
from replay import Replay

START = datetime(2022, 12, 1, 0, 0, 30, tzinfo=timezone.utc)
HISTORY = timedelta(days=120)
CONFIG = """
kraken: {{url: "{base}/0"}}
ingest: {{sources: [kraken.ohlc, kraken.ticker], intervals: [1h], provenance_prefix: "replay:"}}
train: {{horizons: [1h, 24h], steps: [6h, 12h], spans: [0s, 0s], windows: [0s, 0s], first: [20d, 20d], test_span: 30d, bootstrap: 20,
  members: [trees]}}
gate: {{horizon: 24h}}
gbt: {{rounds: 8, leaves: 5, min_rows: 20}}
run: {{threads: 2}}
"""
DAEMON = """
daemon: {{discover_every: {discover}, ingest_every: 1h, ingest_slice: 2, health_every: 1h, retrain_every: 7d, jobs_at_once: 3}}
"""


class Simulation:
    def __init__(self, days, discover):
        self.place = Place(prefix="csm-simulation-")
        recorded = self.place.root / "recorded"
        subprocess.run([BINARY / "cryptosmart", "--workspace", recorded, "adopt", SOURCE / "examples" / "data"], check=True,
                       capture_output=True)
        self.replay = Replay([], "--workspace", str(recorded), "--venue", "binance", "--quote", "USDT=USD", "--only-recorded",
                             "--time", text_of(START - HISTORY))
        self.end = START + timedelta(days=days)
        self.place.config.write_text(CONFIG.format(base=self.replay.base))
        self.place.own.write_text(DAEMON.format(discover=discover))
        self.gather_history()

    def gather_history(self):
        """What the exchange gives at one time reaches 30 days back; the months before are fetched by the command line."""
        now = START - HISTORY
        while now <= START:
            self.replay.control("time?set=" + text_of(now))
            for command in ("discover", "ingest"):
                subprocess.run([BINARY / "cryptosmart", "-c", self.place.config, "--workspace", self.place.workspace, "--now", text_of(now),
                                command], check=True, capture_output=True)
            now += timedelta(days=24)
        self.replay.control("time?set=" + text_of(START))

    def start(self):
        self.place.environment["CRYPTOSMARTD_TEST_END"] = text_of(self.end)
        return self.place.start("--test-clock", self.replay.base)

    def now(self):
        return self.replay.control("status")["time"]

    def finished(self):
        """Time has reached the end and nothing is left to do."""
        waiting = self.place.value("SELECT count(*) FROM job_runs WHERE state IN ('queued','running') AND not_before<=?",
                                   int(self.end.timestamp()) * 10**9)
        due = self.place.value("SELECT min(next_due) FROM jobs")
        return waiting == 0 and due is not None and moment_of(due) > self.end

    def close(self):
        self.place.__exit__()
        self.replay.__exit__()


def coverage_holds(place):
    runs = place.query("SELECT run, pairs_offered, pairs_processed, pairs_excluded, coins_offered, coins_processed, coins_excluded"
                       " FROM coverage_runs", name="catalog.db")
    assert runs
    for run, *numbers in runs:
        assert numbers[0] == numbers[1] + numbers[2] and numbers[3] == numbers[4] + numbers[5], (run, numbers)
    return len(runs)


def every_prediction_has_its_outcome(simulation):
    """Each forecast whose horizon ended an hour before the end, so that the bar could arrive, has exactly one outcome."""
    shown = subprocess.run([BINARY / "cryptosmart", "--workspace", simulation.place.workspace, "--json", "-c", simulation.place.config,
                            "ledger", "show"], check=True, capture_output=True, text=True)
    entries = json.loads(shown.stdout)["entries"]
    assert entries
    hours = {"1h": 1, "24h": 24}
    late = simulation.end - timedelta(hours=3)
    ripe = [e for e in entries
            if datetime.fromisoformat(e["decision"].replace("Z", "+00:00")) + timedelta(hours=hours[e["horizon"]]) < late]
    turns = {START.replace(minute=0, second=0) + timedelta(hours=6 * i) for i in range(1, (simulation.end - START).days * 4)}
    made = {datetime.fromisoformat(e["decision"].replace("Z", "+00:00")) for e in entries}
    assert turns <= made, f"turns without a prediction: {sorted(turns - made)}"
    pending = [e for e in ripe if e["outcome"] == "pending"]
    assert ripe and not pending, (len(ripe), pending[:3])
    return len(entries), len(ripe)


def nothing_was_lost(place):
    verified = subprocess.run([BINARY / "cryptosmart", "--workspace", place.workspace, "ledger", "verify"], capture_output=True, text=True)
    assert verified.returncode == 0, verified.stderr
    assert place.value("PRAGMA integrity_check") == "ok"
    open_runs = place.query("SELECT job, count(*) FROM job_runs WHERE state='running' GROUP BY 1")
    assert not open_runs, open_runs
    gone = place.query("SELECT job, state, text, count(*) FROM job_runs WHERE state IN ('failed','timeout') GROUP BY 1, 2, 3")
    assert not gone, gone


def memory_and_descriptors(pid):
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["VmRSS"].split()[0]), len(os.listdir(f"/proc/{pid}/fd"))


def run(days, kills, discover):
    simulation = Simulation(days, discover)
    place = simulation.place
    dice = random.Random(days * 1000 + kills)
    killed, samples = 0, []
    began = time.monotonic()
    try:
        child = simulation.start()
        pause = 4.0
        next_kill = time.monotonic() + pause * dice.random()
        while not simulation.finished():
            assert child.poll() is None, place.tail()
            if killed < kills and time.monotonic() >= next_kill:
                place.kill()
                killed += 1
                child = simulation.start()
                next_kill = time.monotonic() + pause * (0.05 + dice.random())
                samples.clear()
            elif killed == kills:
                samples.append(memory_and_descriptors(child.pid))
            time.sleep(0.2)
        with open(f"/proc/{child.pid}/maps") as maps:
            sanitised = "libasan" in maps.read()
        ended = place.stop()
        assert ended == 0, place.tail()
        forecasts, ripe = every_prediction_has_its_outcome(simulation)
        runs = coverage_holds(place)
        nothing_was_lost(place)
        interrupted = place.value("SELECT count(*) FROM job_runs WHERE state='interrupted'")
        flat(samples, sanitised)
        print(f"{days} days in {time.monotonic() - began:.0f} s: {runs} coverage runs, {forecasts} forecasts, {ripe} ripe and all scored, "
              f"{killed} kills, {interrupted} runs interrupted, memory in KiB and descriptors {samples[0] if samples else '-'} .. {samples[-1] if samples else '-'}")
    finally:
        simulation.close()


def flat(samples, sanitised):
    """Of the second half of the life after the last kill: descriptors as in the first, memory within 4 MiB (AddressSanitizer
    keeps what was freed for a while, so that its processes grow whatever they do)."""
    if len(samples) < 20:
        return
    settled, half = samples[len(samples) // 4:len(samples) // 2], samples[len(samples) // 2:]
    assert sanitised or max(s[0] for s in half) - max(s[0] for s in settled) < 4096, "memory grows"
    assert max(s[1] for s in half) <= max(s[1] for s in settled) + 4, "descriptors grow"


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
