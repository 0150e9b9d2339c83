# SPDX-License-Identifier: MIT
"""The cycle in Python gives what the command line and the C interface give."""
import datetime
import pickle
import shutil

import cryptosmart as cs
import numpy as np
import pandas as pd
import pytest
from conftest import SMALL


def test_a_prediction_is_a_table_with_utc_times(workspace):
    ranking = workspace.predict("2023-12-30")
    table = ranking.to_pandas(all=True)
    assert len(table) == len(ranking.all) == 23
    assert str(table["time"].dt.tz) == "UTC" and (table["time"] == pd.Timestamp("2023-12-30", tz="UTC")).all()
    assert table["probability"].between(0, 1).any()
    assert (table["not_shown"] == "").sum() == len(ranking)
    html = ranking._repr_html_()
    assert "<table>" in html and ("No reliable opportunities" in html) == (len(ranking) == 0)
    funnel = ranking.funnel_to_pandas()
    assert funnel["fell"].sum() + len(ranking) == len(ranking.all)


def test_the_same_time_in_any_form_gives_the_same_prediction(workspace):
    forms = ["2023-12-30T00:00:00Z", pd.Timestamp("2023-12-30"), pd.Timestamp("2023-12-30 05:30", tz="Asia/Kolkata"),
             datetime.datetime(2023, 12, 30), datetime.date(2023, 12, 30), np.datetime64("2023-12-30"), 1703894400000000000]  # fmt: skip
    first = workspace.predict(forms[0]).to_pandas(all=True)
    for form in forms[1:]:
        pd.testing.assert_frame_equal(workspace.predict(form).to_pandas(all=True), first)
    with pytest.raises(TypeError, match="not a time"):
        workspace.predict(3.5)


def test_frames_share_the_memory_of_the_library(workspace):
    frame = workspace.fuse("2023-12-01", "2023-12-03")
    table = frame.to_pandas()
    assert table.shape == frame.matrix.shape and len(frame.features) == table.shape[1]
    assert np.shares_memory(table.to_numpy(), frame.matrix)
    assert not frame.matrix.flags.writeable and not frame.matrix.flags.owndata
    assert table.index.names == ["market", "time"] and str(table.index.levels[1].tz) == "UTC"
    assert np.isfinite(frame.matrix).all()
    ends = frame.windows(24)
    assert (frame.markets[ends] == frame.markets[ends - 23]).all()
    assert (frame.times[ends] - frame.times[ends - 23] == 23 * 3_600_000_000_000).all()
    excluded = frame.excluded()
    assert {"time", "market", "feature", "reasons"} <= set(excluded.columns) and (excluded["reasons"] != "").all()


def test_bars_are_what_is_stored_and_nothing_is_filled_in(workspace):
    bars = workspace.bars("binance:BTC/USDT", start="2023-12-29", stop="2023-12-30")
    assert len(bars) == 24 and str(bars.index.tz) == "UTC"
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert workspace.bars("binance:NONE/USDT").empty


def test_a_training_holds_its_walk_forward_record(workspace):
    training = workspace.champion()
    walk = training.walk("30d")
    array = training.walk_array("30d")
    assert len(walk) == training.horizon("30d").walk_rows == len(array)
    assert (walk["time"] < walk["matures"]).all()
    known = array[~np.isnan(array["probability"])]
    scores = cs.calibrate.scores(known["time"], known["rises"].astype(float), known["probability"], horizon="30d", coin=known["market"], bootstrap=0)
    assert scores.brier.value == pytest.approx(training.horizon("30d").model.brier.value, rel=1e-12)
    assert training.summary().shape[0] == 2 and "<table>" in training._repr_html_()
    with pytest.raises(ValueError, match="was not trained"):
        training.walk("7d")


def test_an_explanation_adds_up(workspace):
    why = workspace.explain("BTC", "30d", as_of="2023-12-30")
    table = why.to_pandas()
    score = why.base + table["contribution"].sum()
    trees = why.members().set_index("name").loc["trees", "score"]
    assert score == pytest.approx(trees, abs=1e-6)
    with pytest.raises(cs.NotFound):
        workspace.explain("NO-SUCH-COIN", as_of="2023-12-30")


def test_the_ledger_is_a_table_and_its_chain_holds(workspace):
    ledger = workspace.ledger()
    assert len(ledger) == 2 * 2 * 23 and ledger["backfill"].all()
    matured = ledger[ledger["state"] == "KNOWN"]
    assert len(matured) and matured["log_return"].notna().all()
    assert workspace.verify_ledger().rows >= len(ledger)
    assert len(workspace.ledger("30d")) == len(ledger) // 2


def test_reading_workspaces_write_nothing(workspace):
    with pytest.raises(cs.Error) as caught:
        workspace.predict("2023-12-30", write=True, backfill=True)
    assert caught.value.status == "CSM_EREADONLY"


def test_a_prediction_is_written_once(writable):
    before = writable.status().ledger.rows
    writable.predict("2023-12-29", write=True, backfill=True)
    after = writable.status().ledger.rows
    writable.predict("2023-12-29", write=True, backfill=True)
    assert before < after == writable.status().ledger.rows


def test_feedback_stands_beside_the_outcome_and_decisions_are_a_table(writable):
    row = int(writable.ledger("30d")["row"].iloc[0])
    before = writable.ledger("30d").set_index("row").loc[row, "log_return"]
    writable.feedback(row, False, "somebody", "it fell")
    after = writable.ledger("30d").set_index("row").loc[row, "log_return"]
    assert before == after or (np.isnan(before) and np.isnan(after))
    with pytest.raises(cs.NotFound):
        writable.feedback(10**9, True, "somebody")
    assert {"row", "kind", "text"} <= set(writable.decisions().columns)
    with pytest.raises(cs.NotFound):
        writable.rollback()
    with pytest.raises(cs.Error):
        writable.promote("0" * 64)


def test_a_backup_restores_to_the_same_predictions(workspace, tmp_path):
    workspace.backup(tmp_path / "backup")
    cs.Workspace.restore(tmp_path / "backup", tmp_path / "again")
    with cs.Workspace(tmp_path / "again", SMALL) as again:
        found, expected = (w.predict("2023-12-30").to_pandas(all=True) for w in (again, workspace))
    pd.testing.assert_frame_equal(found, expected)
    with pytest.raises(cs.Error) as caught:
        cs.Workspace.restore(tmp_path / "backup", tmp_path / "again")
    assert caught.value.status == "CSM_EEXIST"


def test_a_shared_workspace_sees_what_another_committed(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "shared")
    with cs.Workspace(tmp_path / "shared", SMALL, mode="shared") as one, cs.Workspace(tmp_path / "shared", SMALL, mode="shared") as two:
        rows = two.status().ledger.rows
        one.predict("2023-12-28", write=True, backfill=True)
        two.refresh()
        assert two.status().ledger.rows > rows


def test_what_the_workspace_says_of_itself(workspace):
    assert workspace.status().universe == 23
    assert {"id", "coin", "listed"} <= set(workspace.universe().columns)
    assert set(workspace.doctor()["level"]) <= {0, 1, 2}
    assert "interval" in workspace.streams().columns
    assert workspace.coverage().pairs_offered == 184
    assert workspace.models()["role"].tolist() == ["champion"]
    assert workspace.gate("30d").open in (0, 1)
    assert 0 <= workspace.health().go_at
    assert workspace.audit(1).different == 0


def test_configuration_is_a_mapping(tmp_path):
    config = cs.Config(gate_threshold=0.9)
    assert config["gate.threshold"] == "0.9" and config.hash != cs.Config().hash
    del config["gate.threshold"]
    assert config.hash == cs.Config().hash
    file = tmp_path / "wrong.yaml"
    file.write_text("gate:\n  threshold: 0.1\n  nonsense: 3\n")
    with pytest.raises(cs.Error, match="wrong.yaml:2"):
        config.load(file)
    with pytest.raises(KeyError):
        config["no.such"]


def test_errors_survive_pickling():
    error = pickle.loads(pickle.dumps(cs.NotFound(-6, "CSM_ENOTFOUND", "text")))
    assert (error.code, error.status, error.message) == (-6, "CSM_ENOTFOUND", "text") and isinstance(error, LookupError)


def test_progress_shows_a_bar(workspace, capsys):
    with cs.Context(progress=True) as context:
        x = np.random.default_rng(0).normal(size=(500, 3))
        cs.train("gbt", x, x[:, 0].copy(), rounds=20, context=context)
    assert "%" in capsys.readouterr().err


def test_a_replay_of_past_hours_is_cancelled_by_its_progress(trained):
    seen = []
    with cs.Workspace(trained, context=cs.Context(progress=lambda what, *_: seen.append(what) or True)) as workspace:
        with pytest.raises(cs.Cancelled):
            workspace.fuse("2023-01-01", "2023-12-01")
    assert seen
