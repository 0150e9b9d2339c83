#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""README.md shows examples/quickstart.c word for word; links between documents lead somewhere; commands named exist."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def links(path):
    for target in LINK.findall(FENCE.sub("", path.read_text())):
        if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists():
            yield f"{path.relative_to(ROOT)}: {target} does not exist"


def main():
    problems = []
    readme = (ROOT / "README.md").read_text()
    source = (ROOT / "examples" / "quickstart.c").read_text()
    if f"```c\n{source}```" not in readme:
        problems.append("README.md: its C example is not examples/quickstart.c")
    for path in re.findall(r"\bsh ((?:examples|tests)/[\w/.-]+)", readme):
        if not (ROOT / path).is_file():
            problems.append(f"README.md: {path} does not exist")
    documents = [ROOT / "README.md", ROOT / "src" / "README.md", *sorted((ROOT / "docs").rglob("*.md")),
                 *sorted((ROOT / "examples").rglob("*.md"))]
    for path in documents:
        problems.extend(links(path))
    for problem in problems:
        print(problem)
    print(f": {len(documents)} documents")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
