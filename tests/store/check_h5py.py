# SPDX-License-Identifier: MIT
"""Decodes every segment below a folder with the recipe printed in docs/store.md and compares with expected decimals.

check_h5py.py docs/store.md FOLDER EXPECTED.csv
"""
import pathlib
import re
import sys
from decimal import Decimal

recipe = re.search(r"```python\n(.*?)```", pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"), re.S).group(1)
names = {}
exec(recipe, names)  # defines read_segment(path) -> {column: (ticks, present, scale)}
paths = sorted(pathlib.Path(sys.argv[2]).rglob("*.h5"))
expected = [line.split(",") for line in pathlib.Path(sys.argv[3]).read_text(encoding="ascii").split()]
columns = "time available open high low close volume vwap trades state".split()
assert len(paths) == 1, paths
segment = names["read_segment"](paths[0])
wrong = 0
for position, column in enumerate(columns):
    ticks, present, scale = segment[column]
    assert len(ticks) == len(expected), (column, len(ticks), len(expected))
    for row, text in enumerate(line[position] for line in expected):
        got = Decimal(int(ticks[row])).scaleb(-int(scale)) if present[row] else None
        if got != (None if text == "nan" else Decimal(text)):
            wrong += 1
            if wrong < 10:
                print(f"{column} row {row}: {got}, expected {text}")
sys.exit(1 if wrong else 0)
