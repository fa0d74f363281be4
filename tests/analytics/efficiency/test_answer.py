"""What is said about efficiency reads as English."""

import pytest

from osler.analytics.efficiency.answer import _moved


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (None, ""),
        (0.0049, ", steady over 4 weeks"),
        (-0.012, ", down 1 point in 4 weeks"),
        (0.051, ", up 5 points in 4 weeks"),
    ],
)
def test_a_trend_is_said_in_whole_points(change: float | None, text: str) -> None:
    assert _moved(change) == text
