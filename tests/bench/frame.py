# SPDX-License-Identifier: MIT
"""The frame of the benchmarks: finds the cases, runs ours and the peer in turn, prints a line a case.

A case is an object of class Case in the list CASES of a file in cases/ (README.md shows one). Its `prepare` returns the
two things to time; the frame alternates them (ours, peer, ours, peer, ...), takes medians, and writes JSON.
"""
import dataclasses
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from typing import Callable, Optional, Sequence

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build", "bench")
SHARED = os.environ.get("CSM_SHARED_DATA", os.path.join(ROOT, "..", "shared"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
QUICK = os.environ.get("BENCH_QUICK", "") == "1"


@dataclasses.dataclass
class Work:
    """What `prepare` returns.

    ours, peer: do the whole work once; they return the seconds it took, or None to let the frame take the time.
    quality: after the last round, (quality of ours, quality of the peer's): numbers to be compared, such as AUC or the
    greatest relative difference. note: what a reader must know (threads, sizes, the peer's settings).
    close: ends helper processes; may be None.
    """

    ours: Callable[[], Optional[float]]
    peer: Callable[[], Optional[float]]
    quality: Callable[[], tuple] = lambda: ("-", "-")
    note: str = ""
    close: Optional[Callable[[], None]] = None


@dataclasses.dataclass
class Case:
    name: str  # "indicators-talib"
    group: str  # gbt lstm features io calibration backtest dashboard
    peer: str  # "TA-Lib"
    floor: float  # peer time / our time that must be reached
    prepare: Callable[[], Work]
    requires: Sequence[str] = ()  # PyPI packages; import them inside prepare, not at the top of the file


class Program:
    """A C program of cases/NAME.c, kept running: it answers each line on its standard input with "SECONDS QUALITY"."""

    def __init__(self, name: str, *arguments: str):
        subprocess.run(["ninja", "-C", BUILD, f"bench_{name}"], check=True, stdout=subprocess.DEVNULL)
        path = os.path.join(BUILD, "tests", "bench", f"bench_{name}")
        self.process = subprocess.Popen([path, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.quality = {}

    def run(self, command: str) -> float:
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != 2:
            raise RuntimeError(f"{self.process.args[0]} gave {answer!r} to {command!r}")
        self.quality[command] = float(answer[1])
        return float(answer[0])

    def peak_mb(self) -> float:
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def work(self, note: str = "") -> Work:
        """The usual case: the program understands "ours" and "peer"."""
        work = Work(lambda: self.run("ours"), lambda: self.run("peer"),
                    lambda: (self.quality["ours"], self.quality["peer"]), note, self.close)
        work.peak_mb = self.peak_mb
        return work

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def find_cases():
    cases = []
    folder = os.path.join(HERE, "cases")
    sys.path.insert(0, HERE)
    for file in sorted(os.listdir(folder)):
        if file.endswith(".py"):
            spec = importlib.util.spec_from_file_location(file[:-3], os.path.join(folder, file))
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            cases += module.CASES
    return cases


def chosen(words):
    cases = find_cases()
    known = {c.group for c in cases} | {c.name for c in cases}
    unknown = [w for w in words if w not in known]
    if unknown:
        sys.exit(f"bench: no group or case called {', '.join(unknown)}; known: {' '.join(sorted(known))}")
    return [c for c in cases if not words or c.group in words or c.name in words]


def timed(action):
    started = time.perf_counter()
    seconds = action()
    return time.perf_counter() - started if seconds is None else seconds


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def commit():
    answer = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return answer.stdout.strip()


def show(value):
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def measure(case):
    work = case.prepare()
    timed(work.ours)  # warms caches and pages; the peak of memory is ours alone up to here
    peak = getattr(work, "peak_mb", lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)()
    timed(work.peer)
    ours, peer = [], []
    for _ in range(1 if QUICK else ROUNDS):
        ours.append(timed(work.ours))
        peer.append(timed(work.peer))
    quality = work.quality()
    if work.close:
        work.close()
    ratio = statistics.median(peer) / statistics.median(ours)
    print(f"{case.name} peer={case.peer} ours={statistics.median(ours):.6g} peer_time={statistics.median(peer):.6g} "
          f"ratio={ratio:.2f} floor={case.floor:g} quality_ours={show(quality[0])} quality_peer={show(quality[1])} "
          f"peak_mb={peak:.0f}", flush=True)
    return {"case": case.name, "group": case.group, "peer": case.peer, "ours_seconds": ours, "peer_seconds": peer,
            "ratio": ratio, "floor": case.floor, "quality_ours": quality[0], "quality_peer": quality[1],
            "peak_mb": peak, "note": work.note, "quick": QUICK, "processor": processor(),
            "processors": os.cpu_count(), "commit": commit(), "date": time.strftime("%Y-%m-%d", time.gmtime())}


def run(cases):
    results = os.path.join(BUILD, "results")
    os.makedirs(results, exist_ok=True)
    missed = []
    for case in cases:
        result = measure(case)
        if result["note"]:
            print(f"  {case.name}: {result['note']}", flush=True)
        with open(os.path.join(results, case.name + ".json"), "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)
            file.write("\n")
        if result["ratio"] < case.floor and not QUICK:
            missed.append(case.name)
    if missed:
        print(f"below their floor: {' '.join(missed)}")
    return 1 if missed else 0


def main():
    command, words = sys.argv[1], sys.argv[2:]
    if command == "list":
        for case in find_cases():
            print(f"{case.group:12} {case.name:24} peer={case.peer} floor={case.floor:g}")
        return 0
    if command == "requires":
        print("\n".join(sorted({p for case in chosen(words) for p in case.requires})))
        return 0
    return run(chosen(words))


if __name__ == "__main__":
    # The cases import this file as `frame`: one module, whichever way it was started.
    sys.modules["frame"] = sys.modules["__main__"]
    sys.exit(main())
