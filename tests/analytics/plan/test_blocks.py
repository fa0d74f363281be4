"""Today's blocks: reviews, then topics in order, every minute used, and how sure the first one is."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.analytics.plan.blocks import Cards, Gap, blocks_for, minutes_for, surety, week
from osler.analytics.retrieval.due import due_minutes

TODAY = date(2026, 11, 23)


def gap(name: str, value: float = 50.0, spread: float = 10.0, **more: object) -> Gap:
    return Gap(name, name.title(), value, spread, **{"state": "weak", "blocks_count": 0, "exam_share": 0.0, **more})


def test_reviews_come_first_and_leave_room_for_a_topic():
    first, second = blocks_for(30, 1000, [gap("renal")])
    assert (first.kind, first.minutes, first.items) == ("review", 18.0, 90)
    assert (second.kind, second.topic_id, second.minutes) == ("questions", "renal", 12.0)


def test_due_reviews_take_as_long_here_as_on_their_own_page():
    slow, usual = blocks_for(60, 30, [gap("renal")], seconds_each=30.0)[0], blocks_for(60, 30, [gap("renal")])[0]
    assert (slow.minutes, usual.minutes) == (due_minutes(30, 30.0), due_minutes(30, None)) == (15.0, 6.0)
    assert slow.reason == "30 cards have faded to the level you aim at; about 15 min."
    [cut] = blocks_for(10, 60, [], seconds_each=30.0)
    assert (cut.minutes, cut.items) == (10.0, 20)
    assert cut.reason == "60 cards have faded to the level you aim at; about 30 min, 10 of them now."


def test_without_topics_the_whole_day_is_for_reviews():
    [only] = blocks_for(30, 1000, [])
    assert only.minutes == 30


def test_nothing_to_do_is_said_with_no_block():
    assert blocks_for(30, 0, []) == []


@given(st.floats(5, 600), st.integers(0, 2000), st.integers(1, 8))
def test_no_planned_minute_is_idle_while_a_topic_waits(minutes: float, due: int, topics: int):
    blocks = blocks_for(minutes, due, [gap(f"t{n}") for n in range(topics)])
    assert sum(block.minutes for block in blocks) == pytest.approx(minutes, abs=1.5)


def test_the_reason_names_what_the_topic_blocks_before_its_weight():
    [block] = blocks_for(25, 0, [gap("renal", blocks_count=2, exam_share=0.1)])
    assert block.reason == "Renal next: it blocks 2 others."
    [block] = blocks_for(25, 0, [gap("renal", exam_share=0.1)])
    assert block.reason == "Renal next: 10 % of the exam."


def test_minutes_are_the_plans_else_the_usual_else_thirty():
    assert minutes_for(TODAY, [10, 20, 30, 40, 50, 60, 70], 45.0) == (10.0, "plan")
    assert minutes_for(TODAY, None, 44.6) == (45, "usual")
    assert minutes_for(TODAY, None, None) == (30.0, "default")


def test_surety_is_one_for_one_topic_half_for_two_alike_and_the_same_each_time():
    assert surety([], seed=1) is None
    assert surety([gap("a")], seed=1) == 1
    alike = surety([gap("a"), gap("b")], seed=1)
    assert alike == surety([gap("a"), gap("b")], seed=1)
    assert alike == pytest.approx(0.5, abs=0.1)
    assert surety([gap("a", 90.0), gap("b", 10.0)], seed=1) == pytest.approx(1, abs=0.02)


def test_what_a_day_has_no_minutes_for_is_due_on_the_next():
    due = {TODAY - timedelta(days=3): 200, TODAY: 50, TODAY + timedelta(days=1): 10}
    days = week(TODAY, due, [gap("a")], planned=None, usual=None, exam_on=None)
    assert [day["due"] for day in days] == [250, 170, 80, 0, 0, 0, 0]
    assert [day["blocks"][0]["items"] for day in days[:3]] == [90, 90, 80]
    cards = Cards(left=30, seconds_each=10.0, new=10, is_last_days=False)
    listed = week(TODAY, {TODAY: 25}, [gap("a")], planned=None, usual=None, exam_on=None, cards=cards)
    assert [day["due"] for day in listed[:3]] == [25, 5, 0], "a new card of the list is no review of those due"


def test_a_list_that_does_not_fit_says_what_fits_and_of_what_the_new_are():
    cards = Cards(left=130, seconds_each=18.0, new=74, is_last_days=False)
    assert blocks_for(30, 0, [gap("a")], cards=cards)[0].reason == (
        "60 of the 130 cards for today, 74 of those new; about 18 min."
    )
    whole = Cards(left=40, seconds_each=18.0, new=7, is_last_days=False)
    assert blocks_for(30, 0, [gap("a")], cards=whole)[0].reason == "40 cards for today, 7 of them new; about 12 min."


def test_the_week_stops_before_the_exam_and_turns_the_topics():
    topics = [gap("a"), gap("b")]
    days = week(TODAY, {TODAY: 3}, topics, planned=None, usual=None, exam_on=TODAY + timedelta(days=3))
    assert [day["day"] for day in days] == [TODAY + timedelta(days=n) for n in range(3)]
    assert days[0]["due"] == 3
    assert days[1]["blocks"][0]["topic_id"] == "b"
    assert len(week(TODAY, {}, topics, planned=None, usual=None, exam_on=None)) == 7
