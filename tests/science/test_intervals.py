import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import InvalidModelInput
from osler.science.intervals import logit_interval, wilson


def test_wilson_golden_eight_of_ten():
    interval = wilson(8, 10, z=1.959964)
    assert interval is not None
    assert (interval.low, interval.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))


def test_nothing_seen_is_no_share():
    assert wilson(0, 0) is None


@pytest.mark.parametrize(("successes", "n"), [(3, 2), (-1, 2), (float("nan"), 2)])
def test_an_impossible_share_is_refused(successes, n):
    with pytest.raises(InvalidModelInput):
        wilson(successes, n)


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_holds_its_estimate_inside_0_and_1(successes, n):
    interval = wilson(min(successes, n), n)
    assert interval is not None
    assert 0 <= interval.low <= interval.value <= interval.high <= 1


@given(st.floats(0, 1), st.floats(0, 2))
def test_logit_intervals_hold_their_estimate_inside_0_and_1(p, sd):
    interval = logit_interval(p, sd)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1


def test_a_logit_interval_is_about_symmetric_in_the_middle():
    interval = logit_interval(0.5, 0.03)
    assert interval.high - 0.5 == pytest.approx(0.5 - interval.low)
    assert interval.high - 0.5 == pytest.approx(1.645 * 0.03, rel=0.02)
