#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Layering: a stage includes only headers of itself and of stages above it; examples only public ones.

layering.py [ROOT]     checks the tree, one line a violation, exit code 1 when there is one
layering.py --self-test  plants violations in a copy of the tree and wants each to be found
"""
import pathlib
import re
import shutil
import sys
import tempfile

STAGES = ("core backend indicator model calibrate rank net store discover ingest cost fuse learn trade "
          "pipeline").split()
LEVEL = {stage: level for level, stage in enumerate(STAGES)}
# What the compute core, which builds on a bare GPU box, must not know.
IO_LIBRARIES = re.compile(r"^(curl/|hdf5|H5|sqlite3|archive|libfyaml|microhttpd|uv\.h|zlib)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
SOURCES = {".c", ".h", ".cu", ".cuh", ".def", ".inc"}


def sources(folder):
    return sorted(path for path in folder.rglob("*") if path.suffix in SOURCES) if folder.is_dir() else []


def includes(path):
    text = path.read_text(encoding="utf-8")
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(2)) + 1, match.group(1), match.group(2)


def public_stage(name):
    match = re.fullmatch(r"cryptosmart/(\w+)\.(h|def)", name)
    return match.group(1) if match else None


def check_stage_file(root, path, stage):
    """Violations of one file of src/STAGE or of include/cryptosmart/STAGE.h."""
    level = LEVEL[stage]
    for line, quote, name in includes(path):
        where = f"{path.relative_to(root)}:{line}: "
        target = public_stage(name)
        if target is None and quote == '"':
            if ".." in name.split("/"):
                yield where + f'"{name}" climbs out of its folder'
                continue
            first = name.split("/")[0]
            if (root / "src" / name).is_file() and first in LEVEL:
                target = first
            elif (path.parent / name).is_file():
                continue
            else:
                yield where + f'"{name}" is found neither under src/ nor beside the file'
                continue
        if target == "cryptosmart" and stage != "pipeline":
            yield where + f"{stage} includes every stage through cryptosmart.h"
        elif target in LEVEL and LEVEL[target] > level:
            yield where + f"{stage} includes {name}, a stage below it"
        elif quote == "<" and level <= LEVEL["rank"] and IO_LIBRARIES.match(name):
            yield where + f"{stage} belongs to the compute core and includes <{name}>"


def check_example_file(root, path):
    for line, quote, name in includes(path):
        where = f"{path.relative_to(root)}:{line}: "
        if quote == '"' and (".." in name.split("/") or not (path.parent / name).is_file()):
            yield where + f'"{name}": programs use public headers, <...>, and files of their own folder'
        elif quote == "<" and re.match(r"(%s)/" % "|".join(STAGES), name):
            yield where + f"<{name}> is no public header"


def check(root):
    found = []
    for folder in sorted(path for path in (root / "src").iterdir() if path.is_dir()):
        if folder.name not in LEVEL:
            found.append(f"src/{folder.name}: not a stage of the list")
            continue
        for path in sources(folder):
            found.extend(check_stage_file(root, path, folder.name))
    for path in sources(root / "include" / "cryptosmart"):
        stage = path.stem
        if stage in LEVEL:
            found.extend(check_stage_file(root, path, stage))
    for path in sources(root / "examples"):
        found.extend(check_example_file(root, path))
    return found


PLANTED = (
    ("src/core/planted.c", '#include "store/internal.h"\n', "src/store/internal.h"),
    ("src/net/planted.c", "#include <cryptosmart/fuse.h>\n", None),
    ("src/rank/planted.c", "#include <sqlite3.h>\n", None),
    ("src/core/planted.h", '#include "../store/internal.h"\n', None),
    ("src/calibrate/planted.c", "#include <cryptosmart/cryptosmart.h>\n", None),
    ("src/mixer/planted.c", "\n", None),
    ("examples/cli/planted.c", '#include "core/internal.h"\n', None),
    ("examples/planted.c", "#include <core/internal.h>\n", None),
)


def self_test(root):
    """Each planted violation must be found, and a permitted include must not be."""
    failures = 0
    for name, text, other in PLANTED + (("src/pipeline/planted.c", "#include <cryptosmart/core.h>\n", None),):
        allowed = name.startswith("src/pipeline")
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder)
            for part in ("src", "include"):
                shutil.copytree(root / part, copy / part)
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_text(text)
            if other and not (copy / other).exists():
                (copy / other).parent.mkdir(parents=True, exist_ok=True)
                (copy / other).write_text("\n")
            found = [line for line in check(copy) if "planted" in line or "src/mixer" in line]
        if bool(found) == allowed:
            print(f"self-test: {name} with {text.strip()!r} was {'refused' if allowed else 'not found'}")
            failures += 1
    return failures


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    if sys.argv[1:] == ["--self-test"]:
        failures = self_test(root)
        print(f": {len(PLANTED)} planted violations, {failures} mistakes")
        return 1 if failures else 0
    found = check(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
