"""What is said of a gap: severity as a gap, hours only where the learner has them."""

from typing import Any

import pytest

from osler.analytics.gaps.answer import Within, gap_out, in_hours, within
from osler.catalog.snapshot import Catalogue, TopicEntry

KNOWN = Catalogue(1, {"heart": TopicEntry("heart", "Heart failure", None, None)}, (), {})
HALF_A_YEAR = Within(90.0, "not to be closed within 180 days at this pace")


def gap(**change: Any) -> dict[str, Any]:
    return {
        "topic_id": "heart", "rank": 1, "state": "weak", "severity": "critical", "is_provisional": False,
        "gap_score": 0.7, "priority_score": 18.0, "priority_index": 50.0, "mastery": 0.4, "mastery_low": 0.3,
        "mastery_high": 0.5, "n": 20, "board_exam_weight": 8.0, "exam_share": 0.08, "prerequisite_impact": 0.1,
        "recent_failure_rate": 0.4, "blocks_count": 5, "blocks_count_all": 9, "points_per_hour": None,
        "recommended_materials": [], "recommended_path": ["heart"], "opened_on": None, "mastery_at_open": None,
        "target": 0.8, "progress": None, "estimated_hours": 6.2, "hours_low": 4.1, "hours_high": 9.4,
        "questions_attempted": 20, "retrieval_strength": 0.6, "retrieval_low": 0.5, "retrieval_high": 0.7, **change,
    }  # fmt: skip


def first(one: dict[str, Any], time: Within = HALF_A_YEAR) -> str:
    return gap_out(one, KNOWN, time)["findings"][0]["text"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, "Heart failure: a critical gap, about 6 h (4 to 9) to close; 8 % of the exam, blocks 5 topics."),
        ({"hours_high": 400.0},
         "Heart failure: a critical gap, about 6 h (4 or more) to close; 8 % of the exam, blocks 5 topics."),
        ({"estimated_hours": 586.0, "exam_share": 0.0, "blocks_count": 0},
         "Heart failure: a critical gap, not to be closed within 180 days at this pace."),
        ({"estimated_hours": None, "hours_low": None, "hours_high": None, "severity": None,
          "state": "insufficient_data", "blocks_count": 1},
         "Heart failure: few answers yet; 8 % of the exam, blocks 1 topic."),
        ({"estimated_hours": 0.4, "hours_low": 0.2, "hours_high": 0.9, "severity": "low", "exam_share": 0.0,
          "blocks_count": 0}, "Heart failure: a low gap, about 25 min (10 min to 55 min) to close."),
        ({"estimated_hours": 2.5, "hours_low": 0.01, "hours_high": 400.0, "severity": "low", "exam_share": 0.0,
          "blocks_count": 0}, "Heart failure: a low gap, about 2 h (5 min or more) to close."),
    ],
)  # fmt: skip
def test_the_sentence_of_a_gap(change: dict[str, Any], text: str):
    assert first(gap(**change)) == text


def test_of_a_topic_that_cards_alone_tell_of_recall_is_told_and_not_mastery():
    alone = gap(questions_attempted=0, retrieval_strength=0.41, mastery=0.72, mastery_low=0.26, mastery_high=0.95)
    made = gap_out(alone, KNOWN, HALF_A_YEAR)
    assert (made["told_by"], made["severity"], made["recall"], made["recall_high"]) == ("cards", "critical", 0.41, 0.7)
    assert [made[name] for name in ("mastery", "mastery_low", "mastery_high")] == [None] * 3
    assert made["progress"]["now"] is None
    assert first(alone) == (
        "Heart failure: a critical gap by its cards alone, of which you would recall 41 % today, "
        "about 6 h (4 to 9) to close; 8 % of the exam, blocks 5 topics."
    )
    asked = gap_out(gap(), KNOWN, HALF_A_YEAR)
    assert (asked["told_by"], asked["recall"], asked["mastery"]) == ("questions", None, 0.4)
    assert gap_out(gap(n=0, questions_attempted=None), KNOWN, HALF_A_YEAR)["told_by"] is None


def test_hours_that_the_learner_does_not_have_are_no_number():
    made = gap_out(gap(estimated_hours=586.0, hours_low=80.0, hours_high=None), KNOWN, HALF_A_YEAR)
    assert made["hours"] == {"median": None, "low": None, "high": None}
    assert [f["code"] for f in made["findings"]] == ["gaps.priority", "gaps.blocks"]
    assert all(f["params"]["hours"] is None for f in made["findings"])
    assert in_hours(gap(), Within(5.0, "")) == ""


def test_how_much_time_there_is_follows_from_the_pace_and_the_exam():
    assert within({"today": "2026-11-22", "exam_on": "2026-12-02", "minutes_a_day": 60.0}) == Within(
        10.0, "not to be closed before the exam at this pace"
    )
    assert within({"today": "2026-11-22", "exam_on": None, "minutes_a_day": 60.0}).hours == 180.0
    assert within({"today": "2026-11-22", "exam_on": None, "minutes_a_day": None}).hours == 90.0
    assert within({"today": "2026-11-22", "exam_on": "2026-11-01", "minutes_a_day": 20.0}).hours == 60.0
