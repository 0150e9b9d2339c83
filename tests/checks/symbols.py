#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the library exports, what the headers declare and what docs/symbols.txt lists are the same.

symbols.py LIBRARY [STAGE...]   with stages: the library holds only these, and exports exactly what their headers declare
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
IGNORED = re.compile(r"/\*.*?\*/|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.DOTALL | re.MULTILINE)
DECLARED = re.compile(r"\bCSM_API\b[^;{}]*?\b(\w+)\s*\(")
LISTED = re.compile(r"^(\w+) (\d+\.\d+\.\d+)$")


def exported(library):
    listing = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True)
    return {line.split()[-1].split("@")[0] for line in listing.stdout.splitlines()}


def declared(stages):
    names = set()
    for header in sorted((ROOT / "include" / "cryptosmart").glob("*.h")):
        if not stages or header.stem in stages:
            names.update(DECLARED.findall(IGNORED.sub(" ", header.read_text())))
    return names


def listed(problems):
    path = ROOT / "docs" / "symbols.txt"
    lines = path.read_text().splitlines()
    names = []
    for number, line in enumerate(lines, 1):
        match = LISTED.match(line)
        if match:
            names.append(match.group(1))
        else:
            problems.append(f"docs/symbols.txt:{number}: {line!r} is not 'symbol version'")
    if names != sorted(set(names)):
        problems.append("docs/symbols.txt: not sorted (LC_ALL=C), or a symbol stands twice")
    return set(names)


def differences(problems, left, left_name, right, right_name):
    for name in sorted(left - right):
        problems.append(f"{name}: {left_name}, not {right_name}")


def main():
    library, stages = sys.argv[1], set(sys.argv[2:])
    problems = []
    out, known = exported(library), declared(stages)
    problems += [f"{name}: exported without the prefix csm_" for name in sorted(out) if not name.startswith("csm_")]
    differences(problems, known, "declared in a header", out, "exported (declared but missing)")
    differences(problems, out, "exported", known, "declared in a public header")
    if not stages:
        names = listed(problems)
        differences(problems, out, "exported", names, "listed in docs/symbols.txt")
        differences(problems, names, "listed in docs/symbols.txt", out, "exported")
    for problem in problems:
        print(problem)
    print(f": {len(out)} exported symbols, {len(problems)} differences")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
