"""Are few learners drawn to the other topics, and many left where they are?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.science.beta_binomial import BetaPrior, difficulty, fit_prior


def test_the_moments_by_hand() -> None:
    """Mean .7, within .7 · .3/10 = .021, over topics .04: .019 between, so .21/.019 − 1."""
    found = fit_prior([0.5, 0.7, 0.9], [10, 10, 10])
    assert (found.mean, found.strength) == pytest.approx((0.7, 0.21 / 0.019 - 1))


def test_a_planted_prior_is_found() -> None:
    rng = np.random.default_rng(0)
    true = rng.beta(0.7 * 12, 0.3 * 12, 4000)
    learners = np.full(true.size, 30)
    found = fit_prior(rng.binomial(30, true) / 30, learners)
    assert found.mean == pytest.approx(0.7, abs=0.01)
    assert found.strength == pytest.approx(12, rel=0.1)


def test_topics_that_do_not_differ_are_held_together_and_one_topic_alone_is_no_prior() -> None:
    assert fit_prior([0.6, 0.6, 0.6], [20, 20, 20]).strength == 1000
    assert fit_prior([0.6], [20]) == BetaPrior(0.6, 10.0)
    assert fit_prior([], []) == BetaPrior(0.5, 10.0)
    assert difficulty([], BetaPrior(0.6, 10.0), seed=0) is None


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.05, 0.95), st.floats(2, 1000), st.integers(0, 99)
)
def test_a_topic_lies_between_its_own_mean_and_the_others(means, centre, strength, seed) -> None:
    found = difficulty(means, BetaPrior(centre, strength), seed=seed, draws=50)
    assert found is not None
    ends = sorted([1 - float(np.mean(means)), 1 - centre])
    assert ends[0] - 1e-9 <= found.value <= ends[1] + 1e-9
    assert 0 <= found.low <= found.high <= 1
    again = difficulty(means * 50, BetaPrior(centre, strength), seed=seed, draws=50)
    assert again is not None
    assert abs(again.value - (1 - float(np.mean(means)))) <= abs(found.value - (1 - float(np.mean(means)))) + 1e-9
