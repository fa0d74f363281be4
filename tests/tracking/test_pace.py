"""When the next batch may go, for every history of successes and failures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.tracking.options import TrackingOptions
from osler.tracking.pace import MOST_ASKED_SECONDS, Pace

OPTIONS = TrackingOptions()
CHANCE = st.floats(0, 1, exclude_max=True)


@given(st.lists(CHANCE, min_size=1, max_size=50), st.booleans())
def test_a_back_off_doubles_with_full_jitter_up_to_its_limit(chances: list[float], is_absent: bool):
    pace = Pace(OPTIONS)
    most = OPTIONS.absent_most_seconds if is_absent else OPTIONS.backoff_most_seconds
    for n, chance in enumerate(chances):
        pace.failed(100.0, None, is_absent=is_absent, chance=chance)
        limit = min(most, OPTIONS.backoff_first_seconds * 2**n)
        left = pace.seconds_left(100.0)
        assert left == pytest.approx(max(limit * chance, limit / 2 if n + 1 >= OPTIONS.circuit_failures else 0))
        assert pace.is_due(100.0 + limit)
    assert pace.attempt == len(chances) + 1


@given(st.floats(0, 1e300) | st.just(float("inf")))
def test_what_osler_asks_for_is_waited_for_a_day_at_most_and_nobody_is_in_a_hurry_then(asked: float):
    pace = Pace(OPTIONS)
    pace.failed(7.0, asked, is_absent=False, chance=0.0)
    pace.hurry()
    assert pace.seconds_left(7.0) == pytest.approx(min(asked, MOST_ASKED_SECONDS))


def test_a_hurry_cuts_our_own_waits_short():
    pace = Pace(OPTIONS)
    pace.failed(7.0, None, is_absent=True, chance=0.99)
    assert not pace.is_due(7.0)
    pace.hurry()
    assert pace.is_due(7.0)
    pace.rest(7.0)
    assert pace.seconds_left(7.0) == OPTIONS.send_seconds
    pace.hurry()
    assert pace.is_due(7.0)


def test_a_success_forgets_what_failed():
    pace = Pace(OPTIONS)
    for _ in range(9):
        pace.failed(0.0, 60.0, is_absent=False, chance=0.5)
    pace.succeeded()
    assert pace.attempt == 1
    pace.failed(0.0, None, is_absent=False, chance=0.5)
    assert pace.seconds_left(0.0) == pytest.approx(0.5)
