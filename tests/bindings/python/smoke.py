# SPDX-License-Identifier: MIT
"""smoke.py SAMPLE: from the bundled data to a table, with nothing but the wheel, NumPy and pandas."""
import sys
import tempfile

import cryptosmart as cs

small = {"train.members": "trees", "gbt.rounds": 10, "train.horizons": "30d", "train.steps": "2d", "train.spans": "0s",
         "train.windows": "0s", "train.first": "270d", "train.bootstrap": 20}  # fmt: skip
with tempfile.TemporaryDirectory() as folder, cs.Workspace(folder + "/workspace", small, mode="create") as workspace:
    workspace.adopt(sys.argv[1])
    workspace.train("2023-12-30")
    table = workspace.predict("2023-12-30").to_pandas(all=True)
assert len(table) == 23 and table["probability"].notna().any()
print(f": Python {sys.version.split()[0]}: {len(table)} coins")
