# SPDX-License-Identifier: MIT
"""Wrong use is a clear exception and never a crash."""
import gc
import itertools
import threading
import time

import cryptosmart as cs
import cryptosmart._native as native
import numpy as np
import pytest
from cryptosmart import indicators, model

HOUR = 3_600_000_000_000
CLOSE = np.linspace(10.0, 20.0, 50)
TIME = np.arange(50, dtype=np.int64) * HOUR


def small_model(context=None):
    x = np.random.default_rng(0).normal(size=(200, 3))
    return model.train("gbt", x, x[:, 0].copy(), rounds=5, min_rows=5, context=context), x


# ---- arrays ------------------------------------------------------------------------------------------------------------


def test_a_wrong_dtype_is_a_type_error():
    trees, x = small_model()
    with pytest.raises(TypeError, match="int64"):
        trees.predict(x.astype(np.int64))
    with pytest.raises(TypeError, match="complex128"):
        indicators.rsi(CLOSE.astype(complex))
    with pytest.raises(TypeError, match="float64"):
        native.csm_calibrate_spearman(CLOSE.astype(np.float32), CLOSE, 50)
    with pytest.raises(TypeError, match="byte order"):
        trees.predict(x.astype(">f8"))


def test_a_wrong_shape_is_a_value_error():
    trees, x = small_model()
    with pytest.raises(ValueError, match="shape"):
        trees.predict(x[:, 0])
    with pytest.raises(ValueError, match="3"):
        trees.predict(x[:, :2])
    with pytest.raises(ValueError, match="dimensions"):
        trees.predict(x.reshape(2, 100, 3))
    with pytest.raises(ValueError, match="must have 50"):
        native.csm_calibrate_spearman(CLOSE, CLOSE[:20], 50)
    with pytest.raises(ValueError, match="rows"):
        indicators.atr(CLOSE, CLOSE[:20], CLOSE)


def test_the_wrong_order_is_refused_where_the_library_needs_contiguous_memory():
    table = np.zeros((50, 2))
    with pytest.raises(ValueError, match="contiguous"):
        native.csm_calibrate_spearman(table[:, 0], CLOSE, 50)
    with pytest.raises(ValueError, match="aligned"):
        raw = np.zeros(8 * 20 + 4, np.uint8)[4:].view(np.float64).reshape(10, 2)
        small_model()[0].predict(np.zeros((10, 3)), out=raw[:, :1])


def test_a_read_only_output_is_refused():
    trees, x = small_model()
    out = np.empty((200, 1))
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        trees.predict(x, out=out)
    with pytest.raises(ValueError, match="shape"):
        trees.predict(x, out=np.empty((200, 2)))
    with pytest.raises(TypeError, match="ndarray"):
        trees.predict(x, out=[0.0] * 200)


def test_memory_of_the_library_cannot_be_written():
    frame = native.csm_table_new("bars")
    view = np.asarray(native.csm_table_ticks(frame, 0))
    assert not view.flags.writeable and view.shape == (0,)
    with pytest.raises(ValueError):
        view.setflags(write=True)


def test_strided_and_reversed_arrays_give_the_same_bits_as_copies():
    trees, x = small_model()
    wide = np.zeros((200, 6), order="F")
    wide[:, ::2] = x
    expected = trees.predict(x)
    assert (trees.predict(wide[:, ::2]) == expected).all()
    assert (trees.predict(x[::-1]) == expected[::-1]).all()
    out = np.full((200, 4), 7.0)
    trees.predict(x, out=out[:, 1:2])
    assert (out[:, 1:2] == expected).all() and (out[:, 0] == 7).all() and (out[:, 2] == 7).all()


def test_arrays_beside_each_other_must_agree():
    out = np.empty((50, 1))
    for bars in ({"time": TIME, "close": CLOSE[:0]}, {"time": TIME[:0], "close": CLOSE}, {"time": TIME, "close": CLOSE, "length": 80}):
        with pytest.raises(ValueError):
            native.csm_indicator_run("sma", None, {**bars, "interval": HOUR}, out)


# ---- objects -------------------------------------------------------------------------------------------------------------


def test_a_closed_object_says_so(workspace):
    context = cs.Context()
    context.close()
    context.close()
    with pytest.raises(ValueError, match="closed"):
        context.threads
    workspace.close()
    with pytest.raises(ValueError, match="closed"):
        workspace.predict("2023-12-30")
    with pytest.raises(ValueError, match="closed"):
        workspace.streams()


def test_an_object_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="csm_config"):
        native.csm_context_threads(cs.Config()._handle)
    with pytest.raises(TypeError, match="NoneType"):
        native.csm_config_hash(None)
    with pytest.raises(TypeError):
        type(cs.Config()._handle)()


def test_an_object_with_views_stays_open(workspace):
    frame = workspace.fuse("2023-12-01", "2023-12-02")
    with pytest.raises(BufferError, match="look into it"):
        frame._handle.close()
    matrix = frame.matrix
    total = float(matrix.sum(dtype=np.float64))
    del frame
    gc.collect()
    assert float(matrix.sum(dtype=np.float64)) == total


def test_objects_may_be_freed_in_any_order(trained):
    for order in itertools.permutations(range(4)):
        context = cs.Context()
        workspace = cs.Workspace(trained, context=context)
        frame = workspace.fuse("2023-12-01", "2023-12-01T06:00:00Z")
        array = frame.matrix
        objects = [context, workspace, frame, array]
        del context, workspace, frame, array
        for i in order:
            objects[i] = None
            gc.collect()
    context = cs.Context()
    workspace = cs.Workspace(trained, context=context)
    context.close()
    assert workspace.status().markets > 0
    workspace.close()


def test_a_cycle_through_a_callback_is_collected():
    class Holder:
        def __init__(self):
            self.context = cs.Context(progress=self.progress)

        def progress(self, *_):
            pass

    import weakref

    holder = weakref.ref(Holder())
    gc.collect()
    assert holder() is None


def test_calls_under_gc_stress_and_with_every_object_dropped_at_once():
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(20):
            trees, x = small_model(cs.Context())
            trees.shap(x[:5])
            indicators.macd(CLOSE)
            cs.Calibrator("Platt").fit(CLOSE, (CLOSE > 15).astype(float)).info
            list(cs.Config.options())
    finally:
        gc.set_threshold(*before)


# ---- threads ---------------------------------------------------------------------------------------------------------------


def long_training(context, rounds=400):
    x = np.random.default_rng(1).normal(size=(4000, 12))
    return model.train("gbt", x, x[:, 0].copy(), rounds=rounds, context=context)


def test_two_threads_on_one_context_are_an_error_and_other_threads_run():
    started = threading.Event()

    def progress(*_):
        started.set()

    context, result, ticks = cs.Context(threads=1, progress=progress), [], 0
    thread = threading.Thread(target=lambda: result.append(long_training(context)))
    thread.start()
    started.wait()
    with pytest.raises(RuntimeError, match="in use by another thread"):
        while thread.is_alive():
            ticks += 1
            small_model(context)
            time.sleep(0.001)
        pytest.skip("the training ended before a second call began")
    with pytest.raises(RuntimeError, match="while a call uses it"):
        context.close()
    thread.join()
    assert result[0].info.rounds == 400 and ticks >= 1


def test_contexts_of_their_own_run_side_by_side():
    expected, x = small_model(cs.Context(threads=1))
    found = []

    def work():
        trees, _ = small_model(cs.Context(threads=1))
        found.append(trees.predict(x, context=cs.Context(threads=1)))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and all((values == expected.predict(x)).all() for values in found)


def test_another_thread_cancels():
    context = cs.Context(threads=1, progress=lambda *_: started.set())
    started = threading.Event()
    threading.Thread(target=lambda: (started.wait(), context.cancel())).start()
    with pytest.raises(cs.Cancelled):
        long_training(context, rounds=5000)
    context.resume()
    assert small_model(context)[0].info.rounds == 5


def test_ctrl_c_cancels_a_long_call():
    import _thread

    started = threading.Event()
    context = cs.Context(threads=1, progress=lambda *_: started.set())
    threading.Thread(target=lambda: (started.wait(), _thread.interrupt_main())).start()
    with pytest.raises(KeyboardInterrupt):
        long_training(context, rounds=5000)
    assert small_model(context)[0].info.rounds == 5


# ---- callbacks ---------------------------------------------------------------------------------------------------------------


def test_what_a_progress_callback_raises_cancels_the_call_and_comes_out():
    class Broken(Exception):
        pass

    def progress(what, done, total):
        raise Broken(what)

    context = cs.Context(progress=progress)
    with pytest.raises(Broken):
        long_training(context)
    native.csm_context_set_progress(context._handle, None)
    assert small_model(context)[0].info.rounds == 5


def test_a_true_result_of_progress_cancels():
    with pytest.raises(cs.Cancelled):
        long_training(cs.Context(progress=lambda *_: True))


def test_what_log_and_clock_raise_comes_out_too(trained):
    def broken(*_):
        raise KeyError("from the callback")

    with pytest.raises(KeyError):
        cs.Context(clock=broken).now
    with pytest.raises(KeyError):
        with cs.Workspace(trained, context=cs.Context(log=broken, clock="2026-01-01")) as workspace:
            workspace.predict("2030-01-01")
            native.csm_context_now(workspace.context._handle)
            raise KeyError("nothing was logged: skip")


def test_a_callback_cannot_use_the_context_of_its_own_call():
    context = cs.Context()
    seen = []

    def progress(*_):
        seen.append(context.threads)
        small_model(context)

    native.csm_context_set_progress(context._handle, progress)
    with pytest.raises(RuntimeError, match="this callback belongs to"):
        long_training(context)
    assert seen


def test_a_callback_that_is_not_callable_is_refused():
    with pytest.raises(TypeError, match="callable"):
        native.csm_context_set_log(cs.Context()._handle, 5)


# ---- anything at all -----------------------------------------------------------------------------------------------------------

WEIRD = [None, 0, -1, 2**70, 1.5, "text", b"bytes", "a\0b", [], {}, {"size": 3}, (None,), np.zeros(3), np.zeros((2, 2), np.float32), object()]


@pytest.mark.parametrize("name", sorted(name for name in dir(native) if name.startswith("csm_")))
def test_any_arguments_give_an_exception_or_a_result(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # files of functions that write
    function = getattr(native, name)
    handles = [cs.Context()._handle, cs.Config()._handle, native.csm_table_new("bars"), small_model()[0]._handle]
    random = np.random.default_rng(len(name))
    values = WEIRD + handles
    for count in range(0, 9):
        for _ in range(25):
            arguments = [values[i] for i in random.integers(0, len(values), count)]
            try:
                function(*arguments)
            except (TypeError, ValueError, OverflowError, LookupError, OSError, RuntimeError, MemoryError, BufferError, cs.Error):
                continue
    gc.collect()
