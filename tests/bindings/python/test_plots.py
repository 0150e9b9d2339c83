# SPDX-License-Identifier: MIT
"""Each plot draws what it was given."""
import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from cryptosmart import model, plots  # noqa: E402


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def saved(ax, tmp_path):
    path = tmp_path / "plot.png"
    ax.figure.savefig(path, dpi=60)
    assert path.stat().st_size > 2000
    return ax


def test_the_ranking_table_shows_every_coin_when_asked(workspace, tmp_path):
    ranking = workspace.predict("2023-12-30")
    ax = saved(plots.ranking(ranking, all=True, limit=10), tmp_path)
    assert len(ax.tables[0].get_celld()) == 11 * 7
    empty = plots.ranking(ranking)
    assert ranking.rows or empty.texts[0].get_text() == "No reliable opportunities"


def test_calibration_has_a_point_a_bin(workspace, tmp_path):
    scores = workspace.champion().horizon("24h").model
    ax = saved(plots.calibration(scores), tmp_path)
    points = ax.containers[0].lines[0].get_xdata()
    assert len(points) == sum(1 for b in scores.bins if b.count)


def test_history_and_coverage(workspace, tmp_path):
    saved(plots.history(workspace.champion(), "24h"), tmp_path)
    run = workspace.coverage()
    ax = saved(plots.coverage(run), tmp_path)
    assert sum(int(text.get_text()) for text in ax.texts) == run.pairs_offered


def test_beeswarm_and_waterfall(workspace, tmp_path):
    x = np.random.default_rng(0).normal(size=(200, 6))
    values, _ = model.train("gbt", x, x[:, 0] * 2 + x[:, 1], rounds=10).shap(x)
    ax = saved(plots.beeswarm(values, x, limit=4), tmp_path)
    assert [label.get_text() for label in ax.get_yticklabels()][-1] == "f0"
    with pytest.raises(ValueError, match="shape"):
        plots.beeswarm(values[:, :3], x)
    why = workspace.explain("ETH", "30d", as_of="2023-12-30")
    ax = saved(plots.waterfall(why, limit=5), tmp_path)
    assert len(ax.patches) == 6
