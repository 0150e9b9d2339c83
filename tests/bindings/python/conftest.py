# SPDX-License-Identifier: MIT
"""A workspace with the bundled sample and a small trained model, made once a run (about 5 seconds)."""
import pathlib
import shutil

import cryptosmart as cs
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]

#: Trees alone, two horizons, few trees: small enough to train in a test. Nothing is concluded from its forecasts.
SMALL = {
    "train.members": ["trees"], "train.horizons": "24h,30d", "train.steps": "1d,2d", "train.spans": "0s,0s",
    "train.windows": "400d,0s", "train.first": "200d,270d", "train.bootstrap": 50, "gbt.rounds": 20,
}  # fmt: skip


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace") / "sample"
    with cs.Workspace(folder, SMALL, mode="create") as workspace:
        workspace.adopt(ROOT / "examples" / "data")
        workspace.train("2023-10-20")
        workspace.predict("2023-11-20", write=True, backfill=True)
        workspace.predict("2023-12-30", write=True, backfill=True)
        workspace.learn()
    return folder


@pytest.fixture
def workspace(trained):
    with cs.Workspace(trained, SMALL) as opened:
        yield opened


@pytest.fixture
def writable(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "copy")
    with cs.Workspace(tmp_path / "copy", SMALL, mode="write") as opened:
        yield opened
