"""Answers one by one and as arrays are the same to a fit and to a forecast; nobody weighs more than 2,000 answers."""

from __future__ import annotations

import numpy as np
import pytest

from osler.science import boosting, logistic, next_answer_fit
from osler.science.features import NAMES, TopicHistory
from osler.science.item_easiness import Encoding, tallies
from osler.science.learning_rate import PARENT_WEIGHT, shrunk_gamma, shrunk_gammas
from osler.science.next_answer import Asked, predict, predict_each, predict_many


def asked(n: int, seed: int = 0) -> list[Asked]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, len(NAMES))).tolist()
    return [
        Asked(row, f"q{i % 7}", [(f"t{k}", TopicHistory(right=i % 4, wrong=k)) for k in range(1 + i % 2)])
        for i, row in enumerate(rows)
    ]


@pytest.mark.parametrize("n", [3, 300])
def test_forecasts_one_by_one_and_together_are_the_same(n: int):
    rows = asked(400)
    found = next_answer_fit.collected(rows, [i % 3 > 0 for i in range(400)])
    model = next_answer_fit.fit(found.rows, found.items, found.topics, with_trees=boosting.AVAILABLE)
    each = predict_each(model, rows[:n])
    assert each == [predict(model, one.features, one.item, one.topics) for one in rows[:n]]
    many = predict_many(model, found.rows.take(np.arange(n)), found.items, found.topics)
    assert each == pytest.approx(many.tolist(), abs=1e-12)


def test_a_learner_counts_as_two_thousand_answers_at_most():
    assert next_answer_fit.learner_weights(np.repeat([0, 1], [2_000, 5])) is None
    weights = next_answer_fit.learner_weights(np.repeat([0, 1], [100_000, 500]))
    assert weights is not None
    assert float(weights[:100_000].sum()) == pytest.approx(2_000)
    assert (weights[100_000:] == 1.0).all()


def test_among_ten_and_more_nobody_is_more_than_a_tenth():
    weights = next_answer_fit.learner_weights(np.repeat(np.arange(21), [*[50] * 20, 1_500]))
    assert weights is not None
    assert (weights[:1_000] == 1.0).all()
    assert float(weights[1_000:].sum()) == pytest.approx(weights.sum() / 10)


def test_one_learner_of_a_hundred_thousand_fakes_does_not_turn_the_fit():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(104_000, 1))
    honest = rng.random(4_000) < 1.0 / (1.0 + np.exp(-x[:4_000, 0]))
    y = np.concatenate([honest, x[4_000:, 0] < 0]).astype(float)
    learner = np.concatenate([np.repeat(np.arange(40), 100), np.full(100_000, 40)])
    capped = logistic.fit(x, y, c=1.0, weight=next_answer_fit.learner_weights(learner))
    assert logistic.fit(x, y, c=1.0).weights[0] < -1.0
    assert capped.weights[0] > -1.0


def test_weights_are_repeated_rows():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 2)), (rng.random(60) < 0.5).astype(float)
    times = rng.integers(1, 4, 60)
    weighted = logistic.fit(x, y, c=0.5, weight=times.astype(float))
    repeated = logistic.fit(np.repeat(x, times, axis=0), np.repeat(y, times), c=0.5)
    assert weighted.weights == pytest.approx(repeated.weights, abs=1e-3)
    assert weighted.intercept == pytest.approx(repeated.intercept, abs=1e-3)


def test_the_middling_question_of_a_topic_is_the_median_of_those_answered():
    answers = np.array([[10.0, 10.0, 10.0, 0.0]])
    counted = tallies(answers * [[0.9, 0.5, 0.2, 0.0]], answers, np.array([[0, 0], [1, 0], [2, 0], [3, 0]]), topics=1)
    items = ("easy", "fair", "hard", "new")
    encoding: Encoding = counted.encoding(items, ("t",))
    assert counted.median_easiness(items, ("t",), encoding) == {"t": encoding.items["fair"].easiness}


def test_a_topic_is_drawn_to_its_parent_and_that_to_all():
    found = shrunk_gammas({"a": (0.6, 200), "b": (0.2, 200), "c": (0.4, 0)}, {"a": "p", "b": "p"}, overall=0.1)
    parent = shrunk_gamma(0.4, 400, 0.1)
    assert found["a"] == pytest.approx((0.6 + parent) / 2)
    assert found["b"] == pytest.approx((0.2 + parent) / 2)
    assert found["c"] == pytest.approx(0.1)
    assert PARENT_WEIGHT == 200.0


def test_collections_joined_are_what_was_collected_at_once():
    rows = asked(40)
    correct = [i % 3 > 0 for i in range(40)]
    whole = next_answer_fit.collected(rows, correct)
    parts = [next_answer_fit.collected(rows[a:b], correct[a:b]) for a, b in ((0, 13), (13, 14), (14, 40))]
    found = next_answer_fit.joined(parts)
    assert (found.items, found.topics) == (whole.items, whole.topics)
    for name in ("features", "item", "topic_row", "topic", "topic_right", "topic_wrong", "correct"):
        np.testing.assert_array_equal(getattr(found.rows, name), getattr(whole.rows, name))
