"""What is said about due reviews reads as English."""

from osler.analytics.plan.blocks import blocks_for
from osler.analytics.retrieval.answer import _about, _calendar_finding, _overview_finding


def test_less_than_a_minute_is_not_said_as_none() -> None:
    assert _about(None) == ""
    assert _about(0.3) == ", under a minute"
    assert _about(1.6) == ", about 2 min"


def test_one_review_is_in_the_singular() -> None:
    finding = _calendar_finding([{"day": "2026-11-22", "due": 1, "minutes": 0.1}], has_met=True)
    assert finding[2] == "Busiest day ahead: Sun 22 November, 1 review, under a minute."
    assert "1 card has faded" in blocks_for(30, 1, [])[0].reason


def test_who_has_reviewed_is_not_told_of_a_first_use_where_nothing_is_due() -> None:
    assert _calendar_finding([], has_met=True)[1] == "retrieval.calendar_free"
    assert _calendar_finding([], has_met=False)[1] == "retrieval.calendar_empty"


def test_nothing_due_takes_no_time() -> None:
    below = {"name": "Renal"}
    assert _overview_finding([below], [below], 0, 0.0)[2] == "Nothing is due; Renal needs a look."
    assert _overview_finding([below], [below], 2, 0.3)[2] == "2 items due, under a minute; Renal needs a look."
