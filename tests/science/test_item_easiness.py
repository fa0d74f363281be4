"""Is easiness smoothed as published, and blind to the fold that is left out?"""

from __future__ import annotations

import math

import numpy as np
import pytest

from osler.errors import InvalidModelInput
from osler.science.item_easiness import Encoding, Tallies, fold_of, item_easiness, tally, topic_easiness


def counted(correct: np.ndarray) -> Tallies:
    fold = np.array([0, 0, 1, 1, 2, 2])
    item = np.array([0, 1, 0, 1, 0, 2])
    pairs = np.array([[0, 0], [1, 0], [1, 1], [2, 1]])
    return tally(fold, item, correct, pairs, items=3, topics=2)


CORRECT = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])


def test_the_smoothing_is_that_of_the_formula() -> None:
    assert topic_easiness(30, 40, 0.6) == pytest.approx(math.log(42 / 18))
    assert item_easiness(0, 0, 0.4) == pytest.approx(0.4)
    assert item_easiness(8, 10, 0.0) == pytest.approx(math.log(11 / 5))


def test_an_encoding_counts_each_topic_of_an_item() -> None:
    encoding = counted(CORRECT).encoding(["x", "y", "z"], ["s", "t"])
    mean = encoding.mean
    assert mean == pytest.approx(4.5 / 7)
    assert encoding.topics["s"] == pytest.approx(topic_easiness(3, 5, mean))
    assert encoding.topics["t"] == pytest.approx(topic_easiness(2, 3, mean))
    parent = (encoding.topics["s"] + encoding.topics["t"]) / 2
    assert encoding.items["y"].easiness == pytest.approx(item_easiness(1, 2, parent))
    assert encoding.items["y"].log_answers == pytest.approx(math.log(3))


@pytest.mark.parametrize("left_out", [0, 1, 2])
def test_the_labels_of_a_fold_do_not_reach_its_encoding(left_out: int) -> None:
    fold = np.array([0, 0, 1, 1, 2, 2])
    flipped = np.where(fold == left_out, 1 - CORRECT, CORRECT)
    names = ["x", "y", "z"], ["s", "t"]
    assert counted(CORRECT).encoding(*names, left_out) == counted(flipped).encoding(*names, left_out)
    assert counted(CORRECT).encoding(*names) != counted(flipped).encoding(*names)


def test_a_new_item_is_as_easy_as_its_topics_and_a_new_topic_as_the_mean() -> None:
    encoding = Encoding(0.75, {"a": 1.0, "b": 0.0}, {})
    assert encoding.prior("new", ("a", "b")).easiness == 0.5
    assert encoding.prior("new", ("unknown",)).easiness == pytest.approx(math.log(3))
    assert encoding.prior("new", ()).topic_easiness == pytest.approx(math.log(3))


def test_items_without_topics_are_drawn_to_the_mean() -> None:
    none = np.zeros((0, 2), dtype=int)
    encoding = tally(np.zeros(4, int), np.zeros(4, int), np.ones(4), none, items=1, topics=0).encoding(["x"], [])
    assert encoding.items["x"].easiness == pytest.approx(
        item_easiness(4, 4, math.log(encoding.mean / (1 - encoding.mean)))
    )


def test_a_mean_of_0_or_1_is_refused() -> None:
    for mean in (0.0, 1.0, math.nan):
        with pytest.raises(InvalidModelInput):
            Encoding(mean)


def test_folds_are_the_same_everywhere() -> None:
    assert [fold_of(f"assist09:{user}") for user in range(6)] == [
        int(__import__("hashlib").sha256(f"assist09:{user}".encode()).hexdigest()[:8], 16) % 5 for user in range(6)
    ]
