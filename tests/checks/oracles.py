#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden values again from the implementations that they came from: runs every tests/**/make*.py in a copy of tests/ and
compares what it writes with what is kept (numbers within 1e-9: versions of other libraries differ in the last bits). What a
script prints must stand in a file of its stage.

oracles.py FOLDER   FOLDER: for the copy
"""
import math
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = 1e-9


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def same(left, right):
    if left == right:
        return True
    a, b = number(left), number(right)
    if a is None or b is None:
        return False
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def lines(path):
    return [line.split() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]


def differences(kept, made):
    """Number of lines that differ, and the first of them."""
    left, right = lines(kept), lines(made)
    wrong = [n for n, (a, b) in enumerate(zip(left, right)) if len(a) != len(b) or not all(map(same, a, b))]
    if len(left) != len(right):
        return len(wrong) + abs(len(left) - len(right)), f"{len(left)} lines are kept, {len(right)} were made"
    return len(wrong), f"kept {' '.join(left[wrong[0]])}, made {' '.join(right[wrong[0]])}" if wrong else ""


def printed_elsewhere(script, output):
    stage = script.relative_to(ROOT / "tests").parts[0]
    text = ""
    for folder in (ROOT / "tests" / stage, ROOT / "src" / stage):
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".txt", ".csv", ".c", ".h", ".def"}:
                text += re.sub(r"\s+", " ", path.read_text(errors="replace")) + " "
    return [line for line in output.splitlines()
            if line.strip() and not line.startswith("#") and " ".join(line.split()) not in text]


def check(script, copy):
    run = subprocess.run([sys.executable, str(copy / script.relative_to(ROOT))], capture_output=True, text=True)
    if run.returncode:
        return [f"{script.relative_to(ROOT)} ends {run.returncode}: {run.stderr.strip().splitlines()[-1:]}"]
    problems = [f"{script.relative_to(ROOT)} prints a line that is kept nowhere: {line}"
                for line in printed_elsewhere(script, run.stdout)]
    for made in sorted((copy / script.relative_to(ROOT)).parent.rglob("*.txt")):
        kept = ROOT / made.relative_to(copy)
        if not kept.exists():
            problems.append(f"{made.relative_to(copy)} is made but not kept")
            continue
        count, first = differences(kept, made)
        if count:
            problems.append(f"{made.relative_to(copy)}: {count} lines differ; {first}")
    return problems


def main():
    copy = pathlib.Path(sys.argv[1]).resolve()
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ROOT / "tests", copy / "tests")
    scripts = sorted(path for path in (ROOT / "tests").rglob("make*.py"))
    problems = []
    for script in scripts:
        found = check(script, copy)
        print(f"{script.relative_to(ROOT)}: {len(found)} problems")
        problems += found
    for problem in problems:
        print(problem)
    print(f": {len(scripts)} scripts, {len(problems)} problems")
    return 1 if problems or not scripts else 0


if __name__ == "__main__":
    sys.exit(main())
