import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import InvalidModelInput
from osler.science.topic_strength import topic_strength, topic_strengths

chances = st.lists(st.floats(0, 1), min_size=1, max_size=50).map(np.array)


def test_golden_two_items_of_unequal_importance():
    """By hand: R = .85; s² = .0075, n_eff = 1.6; dR/dL = .12, var = .0075/1.6 + (.12 x .25)²."""
    found = topic_strength(np.array([0.9, 0.7]), np.array([3.0, 1.0]))
    assert found is not None
    assert found.value == pytest.approx(0.85)
    sd = math.sqrt(0.0075 / 1.6 + (0.75 * 0.09 + 0.25 * 0.21) ** 2 * 0.0625)
    half = 1.6448536 * sd / (0.85 * 0.15)
    assert found.high == pytest.approx(1 / (1 + math.exp(-(math.log(0.85 / 0.15) + half))), abs=1e-6)
    assert (found.n, found.coverage, found.whole) == (2, None, None)


def test_no_reviewed_item_is_no_strength():
    assert topic_strength(np.zeros(0)) is None


def test_what_was_not_seen_counts_with_its_chance_at_zero_practice():
    found = topic_strength(np.array([0.9, 0.9]), coverage=0.25, unseen_chance=0.3)
    assert found is not None
    assert found.whole == pytest.approx(0.25 * 0.9 + 0.75 * 0.3)


def test_the_shared_error_does_not_shrink_with_the_number_of_items():
    few, many = (topic_strength(np.full(n, 0.8), coverage=1.0) for n in (1, 1000))
    assert few is not None
    assert many is not None
    assert few.high - few.low == pytest.approx(many.high - many.low)
    assert many.high - many.low > 0.1


@given(chances, st.none() | st.floats(0, 1), st.floats(0, 1))
def test_the_interval_holds_the_estimate_inside_0_and_1(recall, coverage, tau):
    found = topic_strength(recall, coverage=coverage, tau=tau)
    assert found is not None
    assert 0 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize("bad", [{"importance": np.array([-1.0])}, {"importance": np.array([0.0])}, {"coverage": 1.1}])
def test_impossible_arguments_are_refused(bad):
    with pytest.raises(InvalidModelInput):
        topic_strength(np.array([0.5]), **bad)


@given(st.lists(chances, min_size=1, max_size=5))
def test_many_topics_at_once_are_each_alone(each):
    topic = np.repeat(np.arange(len(each)), [recall.size for recall in each])
    taus = np.linspace(0.1, 0.9, len(each) + 1)
    found = topic_strengths(np.concatenate(each), topic, len(each) + 1, tau=taus)
    for place, recall in enumerate(each):
        alone = topic_strength(recall, tau=float(taus[place]))
        assert alone is not None
        assert (found.value[place], found.low[place], found.high[place]) == pytest.approx(
            (alone.value, alone.low, alone.high), rel=1e-12, abs=1e-12
        )
    assert found.n.tolist() == [*(recall.size for recall in each), 0]
    assert np.isnan(found.value[-1])  # a topic without items is unknown and not nought
