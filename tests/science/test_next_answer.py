"""Does the served model forecast what scikit-learn fitted, one by one as many at once?"""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from osler.errors import InvalidModelInput
from osler.science import boosting, logistic, next_answer, next_answer_fit, trees
from osler.science.features import NAMES, TopicHistory
from osler.science.logits_many import sigmoid_many
from osler.science.next_answer import Rows
from osler.science.trees import Boosted, Tree

ITEMS, TOPICS = [f"q{i}" for i in range(40)], ["a", "b", "c"]


def rows(n: int = 1500, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, len(NAMES)))
    features[:, list(next_answer.COUNTS)] = np.log1p(rng.integers(0, 30, (n, 4)))
    topic = rng.integers(0, 3, (n, 2))
    several = (topic[:, 0] != topic[:, 1]) & (rng.random(n) < 0.4)
    topic_row = np.concatenate([np.arange(n), np.flatnonzero(several)])
    order = np.argsort(topic_row, kind="stable")
    flat = np.concatenate([topic[:, 0], topic[several, 1]])
    chance = 1 / (1 + np.exp(-(features[:, 0] + 0.5 * features[:, 7] * features[:, 3])))
    return Rows(
        features, rng.integers(0, 40, n), topic_row[order], flat[order],
        np.log1p(rng.integers(0, 9, order.size)), np.log1p(rng.integers(0, 9, order.size)),
        (rng.random(n) < chance).astype(float),
    )  # fmt: skip


ROWS = rows()
MODEL = next_answer_fit.fit(ROWS, ITEMS, TOPICS)


def one_by_one(data: Rows, count: int, model: next_answer.NextAnswerModel = MODEL) -> list[float]:
    made = []
    for i in range(count):
        mine = np.flatnonzero(data.topic_row == i)
        histories = [
            (
                TOPICS[data.topic[j]],
                TopicHistory(right=round(np.expm1(data.topic_right[j])), wrong=round(np.expm1(data.topic_wrong[j]))),
            )
            for j in mine
        ]
        made.append(next_answer.predict(model, data.features[i].tolist(), ITEMS[data.item[i]], histories))
    return made


def test_one_by_one_is_many_at_once() -> None:
    many = next_answer.predict_many(MODEL, ROWS, ITEMS, TOPICS)
    assert one_by_one(ROWS, 200) == pytest.approx(many[:200], abs=1e-12)


def test_the_regression_is_the_fitted_one() -> None:
    mean, spread = next_answer_fit.standardisation(ROWS.features)
    design = next_answer_fit.design(ROWS, 40, 3, (ROWS.features - mean) / spread)
    fitted = logistic.fit(design, ROWS.correct, c=0.1)
    ours = next_answer.regression_logits(MODEL.regression, ROWS, ITEMS, TOPICS)
    assert ours == pytest.approx(fitted.logits(design), abs=1e-10)


def test_the_trees_forecast_as_scikit_learn_does() -> None:
    never = cast("str", False)  # scikit-learn takes 'auto' or a bool; its stubs read only the default's type
    theirs = HistGradientBoostingClassifier(
        max_iter=200, learning_rate=0.06, max_leaf_nodes=15, min_samples_leaf=100, l2_regularization=5,
        early_stopping=never, random_state=0,
    ).fit(ROWS.features, ROWS.correct)  # fmt: skip
    new = rows(400, seed=9).features
    assert MODEL.boosted is not None
    many = trees.logits_of(MODEL.boosted, new)
    assert many == pytest.approx(theirs.decision_function(new), abs=1e-12)
    assert [trees.logit_of(MODEL.boosted, row) for row in new.tolist()] == many.tolist()
    assert sigmoid_many(many) == pytest.approx(theirs.predict_proba(new)[:, 1], abs=1e-12)


def test_the_fit_is_the_same_on_every_run() -> None:
    assert next_answer_fit.fit(ROWS, ITEMS, TOPICS) == MODEL


def test_the_blend_is_the_mean_of_logits() -> None:
    assert next_answer.blend(np.array([0.2]), np.array([0.8])) == pytest.approx([0.5])


def test_without_trees_the_regression_serves_and_needs_no_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> Boosted:
        raise AssertionError("trees were fitted")

    monkeypatch.setattr(boosting, "fit", absent)
    alone = next_answer_fit.fit(ROWS, ITEMS, TOPICS, with_trees=False)
    many = next_answer.predict_many(alone, ROWS, ITEMS, TOPICS)
    assert alone.boosted is None
    assert one_by_one(ROWS, 50, alone) == pytest.approx(many[:50], abs=1e-12)
    next_answer.check(alone)


def test_an_unknown_item_or_topic_has_no_weight() -> None:
    features = ROWS.features[0].tolist()
    known = next_answer.predict(MODEL, features, "q0", [("a", TopicHistory(right=2))])
    unknown = next_answer.predict(MODEL, features, "never", [("nowhere", TopicHistory(right=2))])
    assert 0.0 < unknown < 1.0
    assert unknown != known
    assert unknown == next_answer.predict(MODEL, features, "never", [])


def test_taking_rows_keeps_their_topics() -> None:
    chosen = np.array([5, 3, 700])
    part = ROWS.take(chosen)
    whole = next_answer.predict_many(MODEL, ROWS, ITEMS, TOPICS)
    assert next_answer.predict_many(MODEL, part, ITEMS, TOPICS) == pytest.approx(whole[np.sort(chosen)][[1, 0, 2]])


@pytest.mark.parametrize(
    "tree",
    [
        Tree((), (), (), (), ()),
        Tree((0,), (0.0,), (0,), (0,), (0.0,)),
        Tree((0, -1, -1), (0.0, 0, 0), (1, 0, 0), (3, 0, 0), (0.0, 1, 2)),
        Tree((24, -1, -1), (0.0, 0, 0), (1, 0, 0), (2, 0, 0), (0.0, 1, 2)),
        Tree((0, -1, -1), (float("nan"), 0, 0), (1, 0, 0), (2, 0, 0), (0.0, 1, 2)),
        Tree((0, -1, -1), (0.0, 0, 0), (1, 0, 0), (2, 0, 0), (0.0, 1)),
    ],
)
def test_trees_that_could_not_be_walked_are_refused(tree: Tree) -> None:
    with pytest.raises(InvalidModelInput):
        trees.check(Boosted(0.0, (tree,)), len(NAMES))
    trees.check(Boosted(0.0, ()), len(NAMES))
