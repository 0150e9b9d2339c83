# SPDX-License-Identifier: MIT
"""Calls that are nearly right: objects of the right kind with arrays, structs and numbers that do not belong together. Nothing crashes;
AddressSanitizer looks for what is read or written outside."""
import importlib.util
import pathlib
import re
import shutil

import cryptosmart as cs
import cryptosmart._native as native
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROUNDS = 60

spec = importlib.util.spec_from_file_location("list_types", ROOT / "bindings" / "swig" / "list_types.py")
list_types = importlib.util.module_from_spec(spec)
spec.loader.exec_module(list_types)
HEADER = list_types.Header(sorted((ROOT / "include" / "cryptosmart").glob("*.h")))
DTYPES = {"double": np.float64, "float": np.float32, "csm_time": np.int64, "int64_t": np.int64, "uint32_t": np.uint32,
          "uint8_t": np.uint8, "int8_t": np.int8}  # fmt: skip
EXPECTED = (TypeError, ValueError, OverflowError, LookupError, OSError, RuntimeError, MemoryError, BufferError, cs.Error)
#: Reach the network, or take minutes with arguments that are right.
LEFT_OUT = {"csm_pipeline_discover", "csm_pipeline_ingest", "csm_pipeline_ingest_part", "csm_discover_kraken", "csm_ingest_run", "csm_net_perform",
            "csm_pipeline_audit"}  # fmt: skip


@pytest.fixture(scope="module")
def objects(trained, tmp_path_factory):
    """One object of each kind that the sample can give; a call that takes long is cancelled at its third sign of progress."""
    folder = tmp_path_factory.mktemp("hostile") / "workspace"
    shutil.copytree(trained, folder)
    calls = {"left": 0}

    def progress(*_):
        calls["left"] -= 1
        return calls["left"] < 0

    context = native.csm_context_new({"threads": 2})
    native.csm_context_set_progress(context, progress)
    calls["left"] = 10**9
    config = cs.Config({"train.members": ["trees"], "gbt.rounds": 2, "train.horizons": "30d", "train.steps": "30d", "train.spans": "0s",
                        "train.windows": "0s", "train.first": "270d", "kraken.url": "http://127.0.0.1:9"})  # fmt: skip
    pipeline = native.csm_pipeline_open(context, config._handle, folder, native.CSM_STORE_WRITE)
    store = native.csm_pipeline_store(pipeline)
    training = native.csm_pipeline_champion(pipeline)
    frame = native.csm_pipeline_fuse(pipeline, 1701388800 * 10**9, 1701475200 * 10**9, 2**63 - 1)
    x = np.random.default_rng(0).normal(size=(60, 3))
    samples = {"x": x, "y": x[:, 0].copy(), "length": 60}
    model = native.csm_model_train(context, "gbt", samples, {"parameters": [{"name": "rounds", "value": 3}, {"name": "min_rows", "value": 2}]})
    outcome = (x[:, 0] > 0).astype(float)
    stream = {"kind": "bars", "venue": "binance", "symbol": "BTC/USDT", "interval": 3600 * 10**9, "epoch": 1}
    made = [
        context, config._handle, pipeline, store, training, frame, model, native.csm_frame_recipe(frame), native.csm_table_new("bars"),
        native.csm_pipeline_universe(pipeline, 2**63 - 1), native.csm_predictor_new(model, None), native.csm_explainer_new(model, None),
        native.csm_calibrator_fit(x[:, 0].copy(), outcome, None, 60, {"blocks": 60}), native.csm_conformal_new(None), native.csm_adwin_new(None),
        native.csm_page_hinkley_new(None), native.csm_aggregate_new(3, 0.0), native.csm_hmm_fit(context, x, None, None),
        native.csm_indicator_state_new("sma", None), native.csm_pipeline_predict(pipeline, {"as_of": 1703894400 * 10**9, "dry": 1}),
        native.csm_store_read_bars(store, context, stream, 1701388800 * 10**9, 1701475200 * 10**9, 2**63 - 1),
        native.csm_store_streams(store, None, None), native.csm_learn_history(store, 0, -(2**63), 2**63 - 1, 0),
        native.csm_learn_decisions(store, 0), native.csm_pipeline_models(pipeline), native.csm_discover_last(store, "binance"),
        native.csm_pipeline_explain(pipeline, "BTC", 0, 1703894400 * 10**9),
        native.csm_tuner_new([{"name": "l2", "minimum": 0.1, "maximum": 2.0, "standard": 1.0}], {"trials": 4}),
        native.csm_discover_parse_manifest("venue,symbol,coin,quote,status,reason\nx,A/USD,A,USD,online,\n"),
        native.csm_net_new(context, None),
    ]  # fmt: skip
    kinds = {re.search(r"csm_\w+", repr(handle)).group(): handle for handle in made}
    return kinds, calls, context


def number(random):
    if random.random() < 0.5:
        return 60
    return [0, 1, 2, 3, 5, 59, 60, 61, 10**6, 2**31, 2**63 - 1, -1, 1701388800 * 10**9, 3600 * 10**9][random.integers(14)]


def array(random, dtype):
    n = 60 if random.random() < 0.8 else [0, 1, 2, 3, 5, 61][random.integers(6)]
    values = random.normal(size=n) * 10 if random.random() < 0.5 else np.arange(n)
    if np.dtype(dtype).kind == "f" and n and random.random() < 0.2:
        values = np.asarray(values, float)
        values[random.integers(n)] = [np.nan, np.inf, -1e300][random.integers(3)]
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(values).astype(dtype)


def table(random):
    shape = ([60, 60, 3, 1, 0][random.integers(5)], [3, 3, 1, 4, 0][random.integers(5)])
    values = random.normal(size=shape).astype([np.float32, np.float64][random.integers(2)])
    return values[:, ::-1] if random.random() < 0.3 else values


def text(random, path):
    return ["", "gbt", "lstm", "rsi", "binance", "binance:BTC/USDT", "1h", "2023-12-30", "kraken.ohlc", "{}", str(path / "file"), "0" * 64,
            "price", "spine-1", "l2"][random.integers(15)]  # fmt: skip


def structure(random, name, kinds, path, depth=0):
    fields = HEADER.structs[name]
    chosen = {}
    for field in fields:
        if field["name"] in ("size", "reserved") or random.random() < 0.25:
            continue
        chosen[field["name"]] = value(random, field["type"], field["pointer"], field["dimension"], kinds, path, depth + 1)
    return chosen


def value(random, base, pointer, dimension, kinds, path, depth=0):
    if base == "char" and pointer == "*const *":
        return [text(random, path) for _ in range(random.integers(4))]
    if base == "char" and dimension and pointer:
        return [text(random, path)]
    if base == "char":
        return text(random, path)
    if base == "csm_matrix":
        return table(random)
    if base in ("csm_indicator", "csm_source"):
        return ["sma", "macd", "kraken.ohlc", "bop"][random.integers(4)]
    if base in kinds:
        return kinds[base]
    if base in HEADER.structs:
        if depth > 3:
            return None
        many = pointer and random.random() < 0.7 or dimension
        return [structure(random, base, kinds, path, depth) for _ in range(random.integers(4))] if many else structure(random, base, kinds, path, depth)
    if base in DTYPES and (pointer or dimension):
        return array(random, DTYPES[base])
    if base == "double":
        return [0.0, 0.5, 0.9, 1.0, -1.0, 60.0, 1e300, float("nan")][random.integers(8)]
    if base in HEADER.callbacks or base == "void":
        return None
    return number(random)


def argument(random, kind, name, kinds, path):
    match = re.fullmatch(r"(?:const )?(\w+)( \*const \*| \*\*| \*)?", kind.strip())
    base, pointer = match.group(1), (match.group(2) or "").strip()
    if random.random() < 0.05:
        return [None, -1, "text", 1.5, {}, []][random.integers(6)]
    if base == "csm_market" and pointer == "*const *":
        return [structure(random, "csm_market", kinds, path) for _ in range(random.integers(3))]
    if base == "csm_matrix" and name == "outputs":
        return [table(random) for _ in range(random.integers(5))]
    return value(random, base, pointer, None, kinds, path)


SINGLE = {"radius", "psi", "base", "error", "log_likelihood", "mean_price", "level"}  # results that are one number


def visible(function):
    """Parameters of the C function that Python gives: results and the counts of what is given are left out."""
    shown, parameters = [], list(HEADER.functions[function][1])
    structs = set(HEADER.structs) - set(list_types.VIEWS)
    sequences = {(base, name): count for base, name, count in HEADER.sequences() if base in structs}
    hidden = {"user"}
    for kind, name in parameters:
        base = re.search(r"(csm_\w+|\w+)(?= ?\*| *$)", kind.replace("const ", "").strip()).group(1)
        constant, pointer = kind.startswith("const "), "*" in kind
        if name in hidden or kind.endswith("**"):
            continue
        if constant and (base, name) in sequences:
            hidden = hidden | {sequences[base, name]}
        elif name == "markets":
            hidden = hidden | {"market_count"}
        elif name == "folds" and not constant:
            hidden = hidden | {"count"}
            continue
        elif name == "ends" and not constant:
            hidden = hidden | {"capacity", "count"}
        elif base == "char" and not constant and pointer:
            hidden = hidden | {"size"}
            continue
        elif constant and base in ("char", "void") and kind.endswith(" *"):
            lengths = {"text": "length", "json": "length", "pairs": "pairs_length", "assets": "assets_length", "raw": "raw_length"}
            if any(other == lengths.get(name) for _, other in parameters):
                hidden = hidden | {lengths[name]}
        elif pointer and not constant:
            if base in HEADER.structs and base != "csm_matrix":
                continue
            if base in ("size_t", "uint64_t", "int", "csm_reason") or (base == "double" and name in SINGLE):
                continue
            if name == "out" and base in ("uint32_t", "int64_t", "csm_time"):
                continue
        shown.append((kind, name))
    return shown


def arity(call):
    """How many arguments the wrapper takes, by its own words."""
    try:
        call(*[object()] * 40)
    except TypeError as error:
        match = re.search(r"expected (?:at most )?(\d+) argument", str(error))
        return int(match.group(1)) if match else 1 if "takes exactly one" in str(error) else 0
    return None


FUNCTIONS = sorted(name for name in HEADER.functions if hasattr(native, name) and name not in LEFT_OUT)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nearly_right_calls_give_a_result_or_an_exception(function, objects, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kinds, calls, context = objects
    call, parameters = getattr(native, function), visible(function)
    assert len(parameters) == arity(call), [name for _, name in parameters]
    random = np.random.default_rng(sum(map(ord, function)))
    reached = 0
    slow = any("csm_pipeline *" in kind or "csm_store *" in kind for kind, _ in parameters)  # each call looks at real data
    for _ in range(5 if slow else ROUNDS if parameters else 1):
        calls["left"] = 3
        try:
            call(*[argument(random, kind, name, kinds, tmp_path) for kind, name in parameters])
            reached += 1
        except EXPECTED as error:
            reached += isinstance(error, cs.Error)
        native.csm_context_resume(context)
    REACHED[function] = reached


REACHED: dict[str, int] = {}


def test_most_functions_were_really_called():
    """A call counts that came back, or that the library itself refused."""
    if len(REACHED) < len(FUNCTIONS):
        pytest.skip("not every function was called in this run")
    never = [name for name, count in REACHED.items() if count == 0]
    assert len(never) < 0.2 * len(FUNCTIONS), never
