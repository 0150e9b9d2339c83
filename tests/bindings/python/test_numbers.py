# SPDX-License-Identifier: MIT
"""Indicators, models, calibrators and drift tests from Python: against NumPy, SciPy-free closed forms and each other."""
import cryptosmart as cs
import numpy as np
import pandas as pd
import pytest
from cryptosmart import calibrate, drift, indicators, model, tune


def candles(n=300):
    random = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(0.01 * random.normal(size=n)))
    opened = np.roll(close, 1)
    opened[0] = close[0]
    high = np.maximum(opened, close) * 1.002
    low = np.minimum(opened, close) * 0.998
    index = pd.date_range("2023-01-01", periods=n, freq="h", tz="UTC")
    return pd.DataFrame({"open": opened, "high": high, "low": low, "close": close, "volume": random.uniform(1, 9, n)}, index=index)


@pytest.mark.parametrize("row", indicators.table(), ids=lambda row: row.name)
def test_every_indicator_gives_the_same_over_arrays_tables_and_streams(row):
    data = candles()
    reads = [name for name, bit in (("open", 1), ("high", 2), ("low", 4), ("close", 8), ("volume", 16)) if row.inputs & bit]
    function = getattr(indicators, row.name)
    table = function(data)
    arrays = function(*(data[name].to_numpy() for name in reads))
    stream = indicators.Stream(row.name)
    pushed = [stream.push(**{name: float(getattr(bar, name)) for name in data.columns}) for bar in data.itertuples()]
    if len(row.outputs) == 1:
        np.testing.assert_array_equal(table.to_numpy(), arrays)
        np.testing.assert_array_equal(np.array(pushed), arrays)
    else:
        assert list(table.columns) == list(row.outputs)
        for name in row.outputs:
            np.testing.assert_array_equal(table[name].to_numpy(), arrays[name])
            np.testing.assert_array_equal(np.array([p[name] for p in pushed]), arrays[name])
    assert str(table.index.tz) == "UTC"
    warm = indicators.warmup(row.name)
    first = arrays if len(row.outputs) == 1 else arrays[row.outputs[0]]
    assert np.isnan(first[:warm]).all()
    assert row.title in function.__doc__


def test_a_moving_average_is_numpys():
    close = candles()["close"].to_numpy()
    expected = np.convolve(close, np.ones(10) / 10, mode="valid")
    np.testing.assert_allclose(indicators.sma(close, period=10)[9:], expected, rtol=1e-12)


def test_indicators_refuse_what_they_do_not_know():
    close = candles()["close"]
    with pytest.raises(TypeError, match="no parameter 'perod'"):
        indicators.rsi(close, perod=3)
    with pytest.raises(cs.InvalidArgument, match="outside"):
        indicators.rsi(close, period=0)
    with pytest.raises(TypeError, match="takes high, low, close"):
        indicators.atr(close, close)
    with pytest.raises(AttributeError):
        indicators.no_such_thing
    out = np.empty((len(close), 1), np.float32)
    assert indicators.run("rsi", {"close": close}, out=out) is out


def test_contributions_add_up_to_the_prediction():
    random = np.random.default_rng(6)
    x = random.normal(size=(300, 5))
    trees = model.train("gbt", x, x[:, 0] * x[:, 1], rounds=30, min_rows=5)
    values, expected = trees.shap(x)
    np.testing.assert_allclose(values.sum(axis=1) + expected[0], trees.predict(x)[:, 0], rtol=1e-9, atol=1e-9)
    assert values.shape == (300, 5) and trees.split_counts().sum() > 0


def test_models_are_saved_loaded_and_exchanged(tmp_path):
    x = pd.DataFrame(np.random.default_rng(7).normal(size=(200, 3)), columns=["a", "b", "c"])
    trees = model.train("gbt", x, x["a"].to_numpy() ** 2, rounds=10, min_rows=5)
    trees.save(tmp_path / "m.safetensors", '{"note": "test"}')
    loaded = model.Model.load(tmp_path / "m.safetensors")
    assert loaded.feature_names == ["a", "b", "c"] and loaded.parameters["rounds"] == 10
    np.testing.assert_array_equal(loaded.predict(x), trees.predict(x))
    trees.write(tmp_path / "m.txt", "lightgbm")
    np.testing.assert_allclose(model.Model.read(tmp_path / "m.txt").predict(x), trees.predict(x), rtol=1e-6)
    predictor = model.Predictor(trees)
    np.testing.assert_array_equal(predictor(x), trees.predict(x))
    row, out = np.ascontiguousarray(x.to_numpy()[3], dtype=np.float32), np.empty(1)
    assert predictor.row(row, out)[0] == pytest.approx(trees.predict(x)[3, 0], rel=1e-6)
    with pytest.raises(cs.Error):
        model.Model.load(tmp_path / "absent")
    with pytest.raises(TypeError, match="no parameter"):
        model.train("gbt", x, x["a"], leafs=3)


def test_integrated_gradients_add_up():
    x = np.random.default_rng(8).normal(size=(200, 2))
    ends = np.arange(5, 200, dtype=np.int64)
    lstm = model.train("lstm", x, x[5:, 0].copy(), window_end=ends, window=6, hidden=4, epochs=1)
    values, base, error = lstm.integrated_gradients(x, ends, 10, steps=256)
    prediction = lstm.predict(x, window_end=ends)[10, 0]
    assert values.shape == (6, 2)
    assert values.sum() + error == pytest.approx(prediction - base, abs=1e-6)


def test_calibrators_are_monotone_and_bounded():
    random = np.random.default_rng(9)
    score = random.normal(size=3000)
    outcome = (random.random(3000) < 1 / (1 + np.exp(-score))).astype(float)
    for method in calibrate.METHODS:
        calibrator = cs.Calibrator(method).fit(score, outcome)
        grid = np.linspace(-4, 4, 50)
        p = calibrator.predict(grid)
        assert (np.diff(p) >= -1e-15).all() and ((p >= 0) & (p <= 1)).all()
        low, high = calibrator.venn_abers(grid)
        assert (low <= high).all()
    with pytest.raises(ValueError, match="not fitted"):
        cs.Calibrator().predict(score)
    with pytest.raises(cs.NoData):
        cs.Calibrator().fit(score, np.ones(3000))
    begin = np.arange(3000) * 3_600_000_000_000
    chosen = cs.Calibrator().fit(score, outcome, begin=begin, end=begin + 1)
    assert chosen.info.judged > 0


def test_rank_correlation_is_pandas():
    random = np.random.default_rng(10)
    a, b = random.normal(size=200).round(1), random.normal(size=200)
    assert calibrate.spearman(a, b) == pytest.approx(pd.Series(a).rank().corr(pd.Series(b).rank()), rel=1e-12)


def test_evidence_sharpe_and_overfitting():
    random = np.random.default_rng(11)
    time = np.arange(400) * 86_400_000_000_000
    good = calibrate.evidence(time, np.ones(400), np.full(400, 0.9), horizon="24h")
    assert calibrate.EVIDENCE[good.status] == "CERTIFIED" and good.issued == 400
    returns = random.normal(0, 1, (320, 8))
    assert 0 <= calibrate.overfitting(returns).probability <= 1
    assert calibrate.superior(returns).consistent > 0.01
    assert calibrate.brier_gain(time, np.ones(400), np.full(400, 0.9), np.full(400, 0.5), horizon="24h").value > 0
    online = calibrate.OnlineConformal("pid")
    for _ in range(300):
        online.add(float(random.normal()), online.radius)
    assert online.info.rows == 300


def test_drift_is_seen_and_its_absence_too():
    random = np.random.default_rng(12)
    a = random.normal(size=2000)
    assert drift.psi(a, random.normal(size=2000)) < 0.1 < drift.psi(a, random.normal(1, 1, 2000))
    assert drift.ks(a, a + 1).p_value < 1e-6
    test = drift.PageHinkley(threshold=20)
    assert any(test.add(v) for v in [0.0] * 100 + [1.0] * 100)
    assert 0 < drift.alarm_level(1, 4, "1d") < 0.01


def test_splits_leave_no_label_across_a_test():
    begin = np.arange(0, 365, dtype=np.int64) * 86_400_000_000_000
    end = begin + 30 * 86_400_000_000_000
    for fold in model.walk_forward(0, int(begin[-1]), horizon="30d", first_train="120d", test_span="60d"):
        keep = model.purge(begin, end, fold.train_from, fold.train_to, fold.test_from)
        assert keep.any() and (end[keep] <= fold.test_from).all()
    weights = model.uniqueness(begin, end, np.zeros(365, np.uint32))
    assert 0 < weights.min() <= weights.max() <= 1
    mixed = model.stack(np.column_stack([begin / 1e18, -begin / 1e18]), (begin > begin[180]).astype(float))
    assert (mixed >= 0).all()


def test_optuna_searches_on_purged_folds():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    random = np.random.default_rng(13)
    begin = np.arange(600, dtype=np.int64) * 86_400_000_000_000
    x = random.normal(size=(600, 4))
    y = (x[:, 0] + random.normal(size=600) > 0).astype(float)
    folds = model.walk_forward(0, int(begin[-1]), horizon="5d", first_train="200d", test_span="120d")
    study = tune.search("gbt", x, y, begin, begin + 5 * 86_400_000_000_000, folds, trials=6, ranges={"leaves": (2, 16), "l2": (0.1, 10)}, rounds=10)
    assert 2 <= study.best_params["leaves"] <= 16 and study.best_value < np.log(2) + 0.05
    again = tune.search("gbt", x, y, begin, begin + 5 * 86_400_000_000_000, folds, trials=6, ranges={"leaves": (2, 16), "l2": (0.1, 10)}, rounds=10)
    assert again.best_params == study.best_params
    with pytest.raises(TypeError, match="no parameter"):
        tune.suggest(optuna.trial.FixedTrial({}), "gbt", ["no_such"])
