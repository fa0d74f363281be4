"""What to study on each day until the exam: reviews and new cards that fit the learner's minutes, and why each.

The retention to aim at and the length of the final window are chosen by simulation (`osler.science.schedule`). Today's
list follows from the same rules, so that what is planned is what was simulated. No due date lies on or after the exam;
no planned minute is idle while a card would still gain; nothing waits for a better day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from osler.domain.finding import Finding
from osler.science.fsrs import FSRS6, Weights
from osler.science.review_simulator import NEVER, Costs, Day, Deck, due_days, recall_on
from osler.science.schedule import choose_plan, exam_gain, plan_policy

DEFAULT_RETENTION = 0.90
HORIZON_DAYS = 75
NEW_SHARE = 0.5
MODEL_NOTE = Finding(
    code="plan.model_only",
    text="Chosen by simulating your memory under the model itself; that it teaches more is not proven.",
)


@dataclass(frozen=True, slots=True)
class Card:
    """One item to plan. Unseen items have no stability; `weight` is its share of the exam."""

    item_id: str
    topic_id: str
    weight: float
    stability: float | None = None
    difficulty: float | None = None
    last_on: date | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How to study until the exam: the chosen retention and window, and the exam-day recall that they bring.

    `usual_recall` is what a plain scheduler at .90 brings in the same minutes. `due_on` is the day on which each seen
    item falls to the chosen retention; None where that is not before the exam.
    """

    desired_retention: float
    last_days_from: date | None
    expected_recall: float | None
    tried: tuple[tuple[float, int, float], ...]
    due_on: Mapping[str, date | None]
    findings: tuple[Finding, ...]
    usual_recall: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One item of a day's list: what, for how many expected seconds, and the reason (a code of `REASONS`)."""

    item_id: str
    topic_id: str
    kind: str
    reason: str
    expected_seconds: float


REASONS = {
    "due": "Has faded to the level you aim at.",
    "new": "Not seen yet; weighs most in the exam.",
    "ahead": "Nothing else is due; gains most for its time.",
    "last_days": "Gains most exam-day recall for its time.",
}


def as_deck(cards: Sequence[Card], today: date) -> Deck:
    """The cards as the simulator takes them; days count from today."""
    seen = [card.stability is not None and card.last_on is not None for card in cards]
    return Deck(
        stability=np.array([card.stability or 0.0 if ok else 0.0 for card, ok in zip(cards, seen, strict=True)]),
        difficulty=np.array([card.difficulty or 5.0 for card in cards]),
        last_day=np.array(
            [min(0, (card.last_on - today).days) if card.last_on else 0 for card in cards], dtype=np.int64
        ),
        weight=np.array([card.weight for card in cards], dtype=np.float64),
    )


def minutes_until(today: date, exam_on: date, minutes_by_weekday: Sequence[float]) -> list[float]:
    """Planned minutes of each day from today to the day before the exam; Monday is the first of the seven."""
    days = (exam_on - today).days
    return [float(minutes_by_weekday[(today + timedelta(days=i)).weekday()]) for i in range(max(0, days))]


def make_plan(
    cards: Sequence[Card],
    *,
    today: date,
    exam_on: date | None,
    minutes_by_weekday: Sequence[float],
    costs: Costs,
    seed: int,
    weights: Weights = FSRS6,
) -> Plan:
    """The plan until the exam. Without an exam, or on and after its day: the default retention, nothing simulated.

    Exams more than 75 days off are planned for the next 75 days, as if the exam came then; the plan is made anew daily.
    """
    days = HORIZON_DAYS if exam_on is None else (exam_on - today).days
    if exam_on is None or days <= 0 or not cards:
        due = due_dates(cards, today, None, DEFAULT_RETENTION, weights)
        return Plan(DEFAULT_RETENTION, None, None, (), due if exam_on is None else dict.fromkeys(due), ())
    deck = as_deck(cards, today)
    minutes = np.array(minutes_until(today, exam_on, minutes_by_weekday)[:HORIZON_DAYS])
    chosen = choose_plan(deck, minutes, costs=costs, seed=seed, weights=weights)
    return Plan(
        desired_retention=chosen.desired_retention,
        last_days_from=today if chosen.window_days >= minutes.size else exam_on - timedelta(days=chosen.window_days),
        expected_recall=chosen.outcome.exam_recall,
        tried=chosen.tried,
        due_on=due_dates(cards, today, exam_on, chosen.desired_retention, weights),
        findings=(MODEL_NOTE,),
        usual_recall=chosen.usual.exam_recall,
    )


def due_dates(
    cards: Sequence[Card], today: date, exam_on: date | None, desired_retention: float, weights: Weights = FSRS6
) -> dict[str, date | None]:
    """Item → the local day on which it is due, not before today; None for unseen items and from the exam day on."""
    deck = as_deck(cards, today)
    exam_day = NEVER if exam_on is None else (exam_on - today).days
    due = due_days(deck, desired_retention, exam_day, weights)
    return {
        card.item_id: today + timedelta(days=max(0, int(day))) if day < NEVER else None
        for card, day in zip(cards, due.tolist(), strict=True)
    }


def tasks_for(
    cards: Sequence[Card],
    plan: Plan,
    *,
    today: date,
    exam_on: date | None,
    minutes: float,
    costs: Costs,
    weights: Weights = FSRS6,
) -> list[Task]:
    """Today's list in order, as many items as fit the minutes; empty on and after the exam day."""
    days_left = HORIZON_DAYS if exam_on is None else (exam_on - today).days
    if days_left <= 0 or not cards:
        return []
    deck = as_deck(cards, today)
    recall = recall_on(deck, 0, weights)
    exam_day = NEVER if exam_on is None else days_left
    look = Day(0, days_left, deck, recall, due_days(deck, plan.desired_retention, exam_day, weights))
    in_window = plan.last_days_from is not None and today >= plan.last_days_from
    due, fresh, ahead = plan_policy(days_left if in_window else 0, weights)(look, costs)
    seconds = np.where(deck.seen, costs.expected(recall), costs.new_seconds)
    gains = exam_gain(deck, recall, days_left, costs, weights, day=0)
    budget, costly = minutes * 60, [float(s) for s in seconds]
    listed: list[Task] = []
    reserved = min(NEW_SHARE * budget, fresh.size * costs.new_seconds)
    due_reason, ahead_reason = ("last_days", "last_days") if in_window else ("due", "ahead")
    late = _fit(listed, due.tolist(), due_reason, budget=budget - reserved, cards=cards, seconds=costly)
    _fit(listed, fresh.tolist(), "new", budget=budget, cards=cards, seconds=costly)
    _fit(listed, late, due_reason, budget=budget, cards=cards, seconds=costly)
    gaining = [i for i in ahead.tolist() if gains[i] > 0]
    _fit(listed, gaining, ahead_reason, budget=budget, cards=cards, seconds=costly)
    return listed


def _fit(
    listed: list[Task], order: Sequence[int], reason: str, *, budget: float, cards: Sequence[Card], seconds: list[float]
) -> list[int]:
    """Appends the items that still fit the budget, in order; gives those that did not."""
    spent = sum(task.expected_seconds for task in listed)
    for place, i in enumerate(order):
        if spent + seconds[i] > budget:
            return list(order[place:])
        spent += seconds[i]
        kind = "new" if reason == "new" else "review"
        listed.append(Task(cards[i].item_id, cards[i].topic_id, kind, reason, seconds[i]))
    return []
