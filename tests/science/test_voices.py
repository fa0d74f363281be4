"""Nobody is more than a tenth: the cap by its definition, and weights by topic in whatever order rows come."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.science.item_easiness import TOPIC_PRIOR
from osler.science.voices import GRAINS, VOICES, most_of_one, weights


@given(st.lists(st.integers(1, 10_000), min_size=VOICES, max_size=60))
def test_the_cap_is_the_largest_under_which_nobody_is_more_than_a_tenth(answers: list[int]) -> None:
    most = most_of_one(answers)
    counted = np.minimum(answers, most)
    assert counted.max() <= counted.sum() / VOICES * (1 + 1e-12)
    more = np.minimum(answers, most * 1.001)
    if most < max(answers):
        assert more.max() > more.sum() / VOICES


@given(st.lists(st.integers(1, 10_000), max_size=60), st.floats(0.1, 100.0))
def test_what_a_prior_stands_for_is_counted_too(answers: list[int], beside: float) -> None:
    most = most_of_one(answers, beside)
    counted = np.minimum(answers, most)
    assert counted.max(initial=0.0) <= (beside + counted.sum()) / VOICES * (1 + 1e-12)
    assert most > 0


def test_under_ten_learners_nothing_is_told_without_a_prior() -> None:
    assert most_of_one([50] * 9) == 0.0
    assert most_of_one([]) == 0.0
    assert most_of_one([50], 20.0) == pytest.approx(20 / 9)


def test_weights_hold_by_topic_and_the_least_of_several_topics_holds() -> None:
    # Ten learners on topic 0 by item 0; learner 0 alone on items 1 and 2 of it; nine learners on topic 1 by item 3.
    learner = np.array([*range(10), 0, 0, *range(9)])
    item = np.array([*[0] * 10, 1, 2, *[3] * 9])
    pairs = np.array([[0, 0], [1, 0], [2, 0], [3, 1], [3, 0]])
    found = weights(learner, item, pairs)
    told = most_of_one([4, *[2] * 8, 1], TOPIC_PRIOR)
    assert found[:3] == pytest.approx([min(1.0, told / 4), 1.0, 1.0], abs=1e-6)
    mixed = np.random.default_rng(0).permutation(item.size)
    assert weights(learner[mixed], item[mixed], pairs).tolist() == found[mixed].tolist()
    assert (found * GRAINS == np.floor(found * GRAINS)).all()


def test_items_without_a_topic_are_taken_together() -> None:
    none = np.zeros((0, 2), dtype=np.int64)
    found = weights(np.array([*range(10), *[10] * 90]), np.array([0] * 10 + list(range(90))), none)
    assert (found[:10] == 1.0).all()
    assert found[10:].sum() == pytest.approx((10 + TOPIC_PRIOR) / 9, abs=1e-3)
