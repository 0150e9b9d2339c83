# SPDX-License-Identifier: MIT
"""Writes gbt_options.txt beside it: what LightGBM's models become by each option that this library has too. Needs numpy and lightgbm.

A line: case, trees, and on the training rows the mean squared error (logistic: log loss; ranking: 1 - NDCG@5), then of the
raw predictions the mean, the root mean square, and the sum of prediction x (i % 7 - 3) / rows. Rows come from a generator that
test_gbt_peer.c repeats; features are whole numbers, so that both sides have the same bins. On other rows the two may differ
where a leaf holds none of several neighbouring values: the peer then cuts behind the last of them, ours behind the first.
LightGBM does not look again at a feature that gained nothing in a parent, so penalties are compared exactly on stumps.
"""
import os

import lightgbm
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS, FEATURES, LEVELS, CATEGORIES, GROUP = 1200, 6, 40, 12, 20
COMMON = dict(objective="regression", learning_rate=0.1, num_leaves=15, min_data_in_leaf=5, min_sum_hessian_in_leaf=0, lambda_l2=0,
              min_data_in_bin=1, feature_pre_filter=False, deterministic=True, force_row_wise=True, num_threads=1, verbose=-1, seed=3)


def draws(seed):
    while True:
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        yield seed >> 33


def rows(seed):
    """x, y: every number is exact in float32."""
    draw = draws(seed)
    x, y = np.empty((ROWS, FEATURES), np.float32), np.empty(ROWS)
    for i in range(ROWS):
        k = [next(draw) % (CATEGORIES if f == FEATURES - 1 else LEVELS) for f in range(FEATURES)]
        noise = next(draw) % 1024 - 512
        x[i] = k
        y[i] = (k[0] - 20) / 8 + k[1] * k[2] / 128 + (k[5] * 5 % CATEGORIES) / 2 + noise / 128 + (40 if i % 50 == 7 else 0)
    return x, y


X, Y = rows(1)
XT, YT = rows(2)
LABEL = (Y > 10).astype(float)
RELEVANCE = np.clip(np.floor(Y / 4), 0, 4)
WEIGHT = np.arange(ROWS) % 3 + 1.0
HOLES = X.copy()
HOLES[np.arange(ROWS) % 7 == 3, 1] = np.nan
out = []


def ndcg_loss(score):
    total = 0.0
    for g in range(0, ROWS, GROUP):
        gain = 2 ** RELEVANCE[g : g + GROUP] - 1
        discount = 1 / np.log2(np.arange(GROUP) + 2)
        order = np.argsort(-score[g : g + GROUP], kind="stable")
        total += (gain[order] * discount)[:5].sum() / (np.sort(gain)[::-1] * discount)[:5].sum()
    return 1 - total / (ROWS // GROUP)


def loss_of(kind, score):
    if kind == "class":
        return np.mean(np.log1p(np.exp(-np.where(LABEL > 0, score, -score))))
    return ndcg_loss(score) if kind == "rank" else np.mean((score - Y) ** 2)


def keep(name, model, kind="value", x=X):
    score = model.predict(x, raw_score=True)
    side = np.arange(ROWS) % 7 - 3
    numbers = [loss_of(kind, score), score.mean(), np.sqrt(np.mean(score**2)), np.mean(score * side)]
    out.append(f"{name} {model.current_iteration() if model.best_iteration <= 0 else model.best_iteration} "
               + " ".join(f"{v:.12g}" for v in numbers))


def train(rounds=10, y=Y, x=X, weight=None, group=None, categorical="auto", start=None, **changed):
    parameters = dict(COMMON, **changed)
    data = lightgbm.Dataset(x, y, weight=weight, group=group, categorical_feature=categorical, params=parameters, free_raw_data=False)
    return lightgbm.train(parameters, data, rounds, init_model=start)


keep("plain", train())
keep("l1", train(lambda_l1=40))
keep("l2", train(lambda_l2=30))
keep("min_gain", train(min_gain_to_split=300))
keep("stump", train(num_leaves=2))
keep("l1_stump", train(num_leaves=2, lambda_l1=400))
keep("l2_stump", train(num_leaves=2, lambda_l2=300))
keep("min_gain_stump", train(num_leaves=2, min_gain_to_split=2500))
keep("min_rows", train(min_data_in_leaf=80))
keep("depth", train(max_depth=3))
keep("leaves", train(num_leaves=5))
keep("bins", train(max_bin=8))
keep("light", train(num_leaves=5, min_data_in_leaf=0))
keep("weights", train(num_leaves=5, min_data_in_leaf=0, weight=WEIGHT))
keep("monotone", train(monotone_constraints=[0, -1, 0, 0, 0, 0], monotone_constraints_method="basic"))
keep("monotone_up", train(monotone_constraints=[1, 1, 1, 0, 0, 0], monotone_constraints_method="basic"))
keep("missing", train(x=HOLES), x=HOLES)
keep("categorical", train(categorical=[5], cat_smooth=10, cat_l2=10, min_data_per_group=1, max_cat_to_onehot=1))
keep("logistic", train(y=LABEL, objective="binary", min_data_in_leaf=1), "class")
keep("min_hessian", train(y=LABEL, objective="binary", min_data_in_leaf=1, min_sum_hessian_in_leaf=15), "class")
keep("huber", train(objective="huber", alpha=2.0))
keep("quantile", train(objective="quantile", alpha=0.9))
keep("relevance", train(y=RELEVANCE), "rank")
keep("lambdarank", train(y=RELEVANCE, objective="lambdarank", group=[GROUP] * (ROWS // GROUP)), "rank")
keep("long", train(30))
keep("bagging", train(30, bagging_fraction=0.3, bagging_freq=1))
keep("goss", train(30, data_sample_strategy="goss", top_rate=0.1, other_rate=0.1))
keep("columns", train(30, feature_fraction=0.5))
keep("going_on", train(5, start=train(5)))
keep("refit", train().refit(XT, YT, decay_rate=0.5))
parameters = dict(COMMON, learning_rate=0.3)
learn = lightgbm.Dataset(X, Y, params=parameters)
keep("early_stopping", lightgbm.train(parameters, learn, 400, valid_sets=[learn.create_valid(XT, YT)],
                                      callbacks=[lightgbm.early_stopping(5, verbose=False)]))
with open(os.path.join(HERE, "gbt_options.txt"), "w") as file:
    file.write(f"# LightGBM {lightgbm.__version__}; made by make_gbt_options.py\n" + "\n".join(out) + "\n")
