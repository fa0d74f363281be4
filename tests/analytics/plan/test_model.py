"""The plan: fits the minutes, gives a reason for each item, ends before the exam."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from osler.analytics.plan.model import REASONS, Card, due_dates, make_plan, minutes_until, tasks_for
from osler.science.review_simulator import Costs

TODAY = date(2026, 3, 2)  # a Monday
COSTS = Costs()


def deck(seen=30, unseen=30):
    cards = [Card(f"s{i}", "renal", 0.01, 3.0 + i, 5.0, TODAY - timedelta(days=1 + i % 12)) for i in range(seen)]
    return cards + [Card(f"n{i}", "heart", 0.001 * (i + 1)) for i in range(unseen)]


def plan_for(cards, exam_on, minutes=10.0):
    return make_plan(
        cards, today=TODAY, exam_on=exam_on, minutes_by_weekday=[minutes] * 7, costs=COSTS, seed=0
    )  # fmt: skip


def test_today_fits_the_minutes_and_every_item_has_a_reason():
    cards, exam = deck(), TODAY + timedelta(days=40)
    tasks = tasks_for(cards, plan_for(cards, exam), today=TODAY, exam_on=exam, minutes=10, costs=COSTS)
    assert sum(task.expected_seconds for task in tasks) <= 600
    assert sum(task.expected_seconds for task in tasks) > 600 - COSTS.new_seconds
    assert {task.reason for task in tasks} <= set(REASONS)
    assert len({task.item_id for task in tasks}) == len(tasks)


def test_new_items_come_by_exam_weight():
    cards, exam = deck(seen=0), TODAY + timedelta(days=40)
    tasks = tasks_for(cards, plan_for(cards, exam), today=TODAY, exam_on=exam, minutes=5, costs=COSTS)
    assert [task.item_id for task in tasks[:3]] == ["n29", "n28", "n27"]


@pytest.mark.parametrize("days", [1, 5, 40])
def test_nothing_is_due_at_or_after_the_exam(days):
    cards, exam = deck(), TODAY + timedelta(days=days)
    plan = plan_for(cards, exam)
    assert all(due is None or TODAY <= due < exam for due in plan.due_on.values())


@pytest.mark.parametrize("days", [0, -3])
def test_on_and_after_the_exam_day_nothing_is_planned(days):
    cards, exam = deck(), TODAY + timedelta(days=days)
    plan = plan_for(cards, exam)
    assert set(plan.due_on.values()) == {None}
    assert tasks_for(cards, plan, today=TODAY, exam_on=exam, minutes=10, costs=COSTS) == []


def test_in_the_last_days_items_are_reviewed_whether_due_or_not():
    cards, exam = deck(unseen=0), TODAY + timedelta(days=3)
    plan = plan_for(cards, exam, minutes=30)
    tasks = tasks_for(cards, plan, today=TODAY, exam_on=exam, minutes=30, costs=COSTS)
    assert {task.reason for task in tasks} <= {"last_days", "due", "ahead"}
    assert len(tasks) == 30  # thirty minutes hold them all: none is idle


def test_without_an_exam_the_default_retention_is_used():
    plan = plan_for(deck(), None)
    assert (plan.desired_retention, plan.expected_recall) == (0.90, None)
    assert any(due is not None for due in plan.due_on.values())


def test_minutes_follow_the_weekdays_up_to_the_day_before():
    assert minutes_until(TODAY, TODAY + timedelta(days=3), [10, 20, 30, 0, 0, 0, 0]) == [10, 20, 30]
    assert minutes_until(TODAY, TODAY, [10] * 7) == []


def test_an_overdue_item_is_due_today():
    card = Card("x", "renal", 0.1, 1.0, 5.0, TODAY - timedelta(days=30))
    assert due_dates([card], TODAY, None, 0.9)["x"] == TODAY
