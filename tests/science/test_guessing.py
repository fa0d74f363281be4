"""Is guessing taken out of a share right?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import InvalidModelInput
from osler.science.guessing import guess_floor, known_share, raw_share


def test_a_learner_at_chance_on_five_options_knows_nothing() -> None:
    assert known_share(0.2, guess_floor(5)) == 0.0
    assert known_share(0.1, guess_floor(5)) == 0.0
    assert known_share(1.0, guess_floor(5)) == 1.0
    assert known_share(0.7, guess_floor(0)) == 0.7


@given(st.floats(0, 1), st.sampled_from([0, 2, 4, 5]))
def test_the_share_right_comes_back(known: float, options: int) -> None:
    floor = guess_floor(options)
    assert known_share(raw_share(known, floor), floor) == pytest.approx(known, abs=1e-12)


@pytest.mark.parametrize("options", [-1, 1])
def test_impossible_numbers_of_options_are_refused(options: int) -> None:
    with pytest.raises(InvalidModelInput):
        guess_floor(options)
