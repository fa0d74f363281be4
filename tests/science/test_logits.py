"""Do probabilities and logits come back, at the ends too?"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import InvalidModelInput
from osler.science.logits import CLIP, averaged_sigmoid, held, logit, share, sigmoid


@given(st.floats(-9, 9))
def test_logit_undoes_sigmoid(x: float) -> None:
    assert logit(sigmoid(x)) == pytest.approx(x, abs=1e-9)


def test_both_ends_are_safe() -> None:
    assert (sigmoid(1e4), sigmoid(-1e4)) == (1.0, 0.0)
    assert logit(0.0) == pytest.approx(math.log(1e-4 / (1 - 1e-4)))
    assert logit(1.0) == pytest.approx(-logit(0.0))


@given(st.floats())
def test_a_chance_is_held_as_by_the_smaller_of_the_larger(p: float) -> None:
    assert held(p) == min(max(p, CLIP), 1.0 - CLIP) or (math.isnan(p) and math.isnan(held(p)))


def test_uncertainty_draws_towards_a_half() -> None:
    assert 0.5 < averaged_sigmoid(1.0, 2.0) < averaged_sigmoid(1.0, 0.0) == sigmoid(1.0)


@pytest.mark.parametrize("bad", [math.nan, -0.1, 1.1, math.inf])
def test_what_is_no_share_is_refused(bad: float) -> None:
    with pytest.raises(InvalidModelInput):
        share(bad, "x")
