# SPDX-License-Identifier: MIT
"""Every public function is reachable from Python, or stands here with the reason why it is not."""
import pathlib
import re

import cryptosmart._native as native

ROOT = pathlib.Path(__file__).resolve().parents[3]

NOT_BOUND = {
    "csm_error_message": "its text is the exception's message",
    "csm_fuse_text_free": "text becomes a str, and its memory is freed at once",
    "csm_learn_text_free": "text becomes a str, and its memory is freed at once",
    "csm_ingest_report_join": "moves rows between two C reports; a Python list is joined by +",
    "csm_matrix_f32": "makes a view of C memory; Python arrays are views already",
    "csm_matrix_f64": "makes a view of C memory; Python arrays are views already",
    "csm_matrix_get": "reads one element of a view; Python indexes the array itself",
    "csm_series_f32": "makes a view of C memory; Python arrays are views already",
    "csm_series_f64": "makes a view of C memory; Python arrays are views already",
    "csm_series_get": "reads one element of a view; Python indexes the array itself",
}


def symbols():
    return [line.split()[0] for line in (ROOT / "docs" / "symbols.txt").read_text().splitlines() if line.strip()]


def freed_by_handles():
    """Functions `csm_T_free(csm_T *)`: a handle calls them when it is closed or collected."""
    text = (ROOT / "bindings" / "swig" / "list_types.py").read_text()
    assert "%csm_object" in text
    return {name for name in symbols() if name.endswith("_free") and not hasattr(native, name)} - set(NOT_BOUND)


def test_every_function_is_bound_or_listed_with_a_reason():
    missing = [name for name in symbols() if not hasattr(native, name) and name not in NOT_BOUND and name not in freed_by_handles()]
    assert missing == []


def test_what_handles_free_has_a_kind_of_handle():
    kinds = set(re.findall(r"%csm_object\((\w+), (\w+)\)", types_i()))
    assert freed_by_handles() == {free for _, free in kinds}


def types_i():
    import subprocess
    import sys
    import tempfile

    headers = sorted(str(path) for path in (ROOT / "include" / "cryptosmart").glob("*.h"))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(ROOT / "bindings/swig/list_types.py"), "python", folder, *headers], check=True, cwd=folder)
        return pathlib.Path(folder, "types.i").read_text()


def test_nothing_on_the_list_is_bound_after_all():
    assert [name for name in NOT_BOUND if hasattr(native, name)] == []
    assert [name for name in NOT_BOUND if name not in symbols()] == []


def test_bare_arrays_have_a_checked_length():
    """A function that takes `T *` of numbers without its own multi-argument typemap checks the length (python_lengths.i)."""
    text = "\n".join(path.read_text() for path in sorted((ROOT / "include" / "cryptosmart").glob("*.h")))
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    checked = set(re.findall(r"^%csm_lengths\((csm_\w+)", (ROOT / "bindings" / "swig" / "python_lengths.i").read_text(), re.M))
    single = {"radius", "psi", "base", "error", "log_likelihood", "mean_price", "level"}  # one number each
    bare = set()
    for name, parameters in re.findall(r"CSM_API[^;()]*?(csm_\w+)\(([^;]*?)\)\s*;", text, flags=re.S):
        for parameter in " ".join(parameters.split()).split(","):
            match = re.fullmatch(r"\s*(const )?(double|float|csm_time|uint8_t|int8_t|uint32_t|int64_t) \*(\w+)\s*", parameter)
            if not match or match.group(3) in single or (not match.group(1) and match.group(2) not in ("double", "float", "uint8_t")):
                continue
            bare.add(name)
    ignored = set(NOT_BOUND)
    assert sorted(bare - checked - ignored) == []
    assert sorted(checked - bare - {"csm_indicator_run_table", "csm_indicator_run_many", "csm_table_append", "csm_model_train"}) == []
