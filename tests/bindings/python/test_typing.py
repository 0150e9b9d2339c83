# SPDX-License-Identifier: MIT
"""Type hints of the package hold under mypy --strict, and a program that uses it is checked against them."""
import os
import pathlib
import subprocess
import sys

import cryptosmart

ROOT = pathlib.Path(__file__).resolve().parents[3]


PACKAGE = pathlib.Path(cryptosmart.__file__).parent


def mypy(*arguments, cwd):
    environment = {**os.environ, "MYPYPATH": str(PACKAGE.parent) if "site-packages" not in PACKAGE.parts else ""}
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(cwd / "cache"), *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_the_package_is_typed(tmp_path):
    found = mypy("--config-file", str(ROOT / "bindings/python/pyproject.toml"), str(ROOT / "bindings/python/cryptosmart"), cwd=tmp_path)
    assert found.returncode == 0, found.stdout


def test_a_wrong_program_is_caught(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import cryptosmart as cs\nw = cs.Workspace('folder', mode=3)\nreveal_type(w.predict())\n")
    found = mypy(str(program), cwd=tmp_path)
    assert 'incompatible type "int"' in found.stdout and "Ranking" in found.stdout, found.stdout
