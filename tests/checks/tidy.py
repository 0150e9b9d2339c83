#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clang-tidy over src/ and examples/, in parallel; a file is looked at again only when it, a header or the rules changed.

tidy.py BUILD_FOLDER   (with compile_commands.json)
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def digest(paths, *extra):
    total = hashlib.sha256("\0".join(extra).encode())
    for path in paths:
        total.update(str(path).encode() + path.read_bytes())
    return total.hexdigest()


def headers():
    folders = (ROOT / "include", ROOT / "src", ROOT / "examples")
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in {".h", ".def", ".inc"})


def tidy(build, path, stamp):
    run = subprocess.run(["clang-tidy", "-p", str(build), "--quiet", "--warnings-as-errors=*", str(path)],
                         capture_output=True, text=True)
    if run.returncode == 0:
        stamp.write_text("")
        return ""
    return run.stdout + (run.stderr if not run.stdout.strip() else "")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    stamps = build / "tidy"
    stamps.mkdir(exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True, text=True).stdout
    rules = digest(headers() + [ROOT / ".clang-tidy"], version)
    jobs = {}
    for command in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(command["file"])
        if path.suffix == ".c" and path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in {"src", "examples"}:
            jobs[path] = stamps / digest([path], rules, command["command"])
    todo = {path: stamp for path, stamp in jobs.items() if not stamp.exists()}
    problems = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for text in pool.map(lambda job: tidy(build, *job), sorted(todo.items())):
            problems += 1 if text else 0
            print(text, end="")
    for stale in set(stamps.iterdir()) - set(jobs.values()):
        stale.unlink()
    print(f": {len(jobs)} files, {len(todo)} looked at, {problems} with findings")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
