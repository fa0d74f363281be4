"""How should a learner review until the exam? Chosen anew each night, as of an instant, and what it makes of today.

The learner's cards are simulated under the memory model for each retention and final window (`plan.model`). A learner
who has not studied for four weeks, or has no exam ahead, has no plan: their own target recall decides.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from osler.analytics.contract import Moments
from osler.analytics.plan.blocks import REVIEW_SHARE, minutes_for
from osler.analytics.plan.model import Card, Plan, Task, make_plan, tasks_for
from osler.analytics.plan.tables import study_plans
from osler.analytics.readiness.gather import replace_rows
from osler.analytics.retrieval.model import OwnMemory
from osler.analytics.retrieval.queries import own_memories
from osler.catalog.learners import LearnerSetup, setups
from osler.catalog.snapshot import Catalogue, ExamEntry, catalogue
from osler.db.engine import ReadSession, WriteSession
from osler.science.blend import POPULATION
from osler.science.fsrs import Weights
from osler.science.review_simulator import Costs

VERSION = "review-plan-1"
NEXT_DAY = timedelta(hours=12)
"""The night of 02:00 UTC is evening in America: half a day on, it is the day that the plan is for everywhere."""
LEAST_REVIEWS = 20
LONGEST_REVIEW_SECONDS = 120

_ITEMS = """
select item_kind, item_id, topic_ids, fsrs_stability, fsrs_difficulty, last_local_date from item_memory
 where user_id = $1 and due_on is not null and fsrs_stability is not null
union all
select 'card', c.card_id, c.topic_ids, null, null, null from cards c
 where c.user_id = $1 and not c.is_suspended and not exists (
   select from item_memory m where m.user_id = c.user_id and m.item_kind = 'card' and m.item_id = c.card_id)
order by 1, 2
"""
_PACES = """
select user_id, median_active_minutes, active_days_28d from user_learning_metrics where user_id = any($1::uuid[])
"""
# What a review costs this learner, by how it went: medians of 90 days.
_COSTS = f"""
select count(*) as n,
       percentile_cont(0.5) within group (order by s) filter (where passed) as pass_seconds,
       percentile_cont(0.5) within group (order by s) filter (where not passed) as fail_seconds
  from (select least(a.time_to_answer_seconds, {LONGEST_REVIEW_SECONDS}) as s,
               coalesce(a.rating > 1, a.is_correct) as passed
          from question_attempts a
         where a.user_id = $1 and a.card_id is not null and a.time_to_answer_seconds > 0
           and a.event_ts > $2::timestamptz - interval '90 days' and a.event_ts <= $2) r
"""


@dataclass(frozen=True, slots=True)
class Planned:
    """Everything that the plan of one learner is made from; `own` is None for who forgets as the population does."""

    setup: LearnerSetup
    exam: ExamEntry
    exam_on: date
    day: date
    usual_minutes: float | None
    cards: Sequence[Card]
    costs: Costs
    own: OwnMemory | None
    as_of: datetime

    @property
    def weights(self) -> Weights:
        """How the learner forgets: the fit that the item memories were folded under as well."""
        return (POPULATION if self.own is None else self.own.parameters()).fsrs

    @property
    def version(self) -> str:
        """Planner and memory: a refit of the memory makes another plan."""
        return f"{VERSION}+{'population' if self.own is None else self.own.version}"

    @property
    def minutes_by_weekday(self) -> list[float]:
        """Minutes for cards, Monday first: the share of the day that reviews may take while topics wait."""
        monday = self.day - timedelta(days=self.day.weekday())
        days = (monday + timedelta(days=n) for n in range(7))
        return [REVIEW_SHARE * minutes_for(day, self.setup.minutes_per_day, self.usual_minutes)[0] for day in days]


async def refresh(s: WriteSession, moments: Moments) -> None:
    """Replace the plans of these learners. The same moments twice write the same rows."""
    if not moments.user_ids:
        return
    known, on = await setups(s, moments.user_ids), await catalogue(s)
    own = await own_memories(s, moments.user_ids)
    paces: dict[UUID, Any] = {row["user_id"]: row for row in await s.driver().fetch(_PACES, list(moments.user_ids))}
    rows: list[dict[str, Any]] = []
    for user_id, as_of in zip(moments.user_ids, moments.as_of, strict=True):
        pace = paces.get(user_id)
        if pace is None or not pace["active_days_28d"]:
            continue
        usual = pace["median_active_minutes"]
        planned = await _planned(s, known[user_id], usual, as_of, on, own=own.get(user_id))
        if planned is not None:
            # In a thread: the lease of the job is renewed meanwhile.
            rows.append(await asyncio.to_thread(plan_row, planned))
    await replace_rows(s, study_plans, moments.user_ids, rows)


async def _planned(
    s: ReadSession,
    setup: LearnerSetup,
    usual_minutes: float | None,
    as_of: datetime,
    on: Catalogue,
    *,
    own: OwnMemory | None,
) -> Planned | None:
    """What a plan is made from; None without an exam ahead, or without any card."""
    exam, day = on.exam_or_default(setup.exam_id), setup.today(as_of + NEXT_DAY)
    if exam is None or not exam.shares or setup.exam_on is None or setup.exam_on <= day:
        return None
    items: Any = await s.driver().fetch(_ITEMS, setup.user_id)
    if not items:
        return None
    spent: Any = await s.driver().fetchrow(_COSTS, setup.user_id, as_of)
    return Planned(
        setup, exam, setup.exam_on, day, usual_minutes, cards_of(items, exam, on), costs_of(spent), own, as_of
    )


def costs_of(row: Mapping[str, Any]) -> Costs:
    """The learner's own medians from 20 reviews on; before that, and for new cards, what is usual."""
    start = Costs()
    if row["n"] < LEAST_REVIEWS:
        return start
    passed, failed = row["pass_seconds"], row["fail_seconds"]
    return Costs(start.new_seconds, float(passed or start.pass_seconds), float(failed or start.fail_seconds))


def cards_of(items: Sequence[Mapping[str, Any]], exam: ExamEntry, on: Catalogue) -> list[Card]:
    """The items with what each weighs: a topic's share of the exam, shared by the learner's items on it."""
    above = [sorted({t for t in (on.counts_to(exam, topic) for topic in row["topic_ids"]) if t}) for row in items]
    count = Counter(topic for topics in above for topic in topics)
    return [
        Card(
            item_id=f"{row['item_kind']}/{row['item_id']}",
            topic_id=topics[0] if topics else "",
            weight=sum(exam.shares[topic] / count[topic] for topic in topics),
            stability=row["fsrs_stability"],
            difficulty=row["fsrs_difficulty"],
            last_on=row["last_local_date"],
        )
        for row, topics in zip(items, above, strict=True)
    ]


def plan_row(of: Planned) -> dict[str, Any]:
    """The row of one learner."""
    cards = [card for card in of.cards if card.weight > 0] or list(of.cards)
    minutes = of.minutes_by_weekday
    plan = make_plan(
        cards, today=of.day, exam_on=of.exam_on, minutes_by_weekday=minutes, costs=of.costs,
        seed=of.setup.user_id.int % 2**32, weights=of.weights,
    )  # fmt: skip
    today = minutes[of.day.weekday()]
    tasks = tasks_for(
        cards, plan, today=of.day, exam_on=of.exam_on, minutes=today, costs=of.costs, weights=of.weights
    )  # fmt: skip
    return {
        "user_id": of.setup.user_id,
        "exam_id": of.exam.exam_id,
        "exam_on": of.exam_on,
        "planned_on": of.day,
        "minutes": today,
        "desired_retention": plan.desired_retention,
        "last_days_from": plan.last_days_from or of.exam_on,
        "expected_recall": plan.expected_recall or 0.0,
        "usual_recall": plan.usual_recall or 0.0,
        "cards": sum(card.stability is not None for card in cards),
        "unseen": sum(card.stability is None for card in cards),
        "tried": [list(row) for row in plan.tried],
        "due": _due(plan),
        "listed": [f"{task.reason}/{task.item_id}" for task in tasks],
        "counts": _counts(tasks),
        "as_of": of.as_of,
        "model_version": of.version,
    }


def _due(plan: Plan) -> list[list[Any]]:
    days = Counter(day for day in plan.due_on.values() if day is not None)
    return [[day.isoformat(), days[day]] for day in sorted(days)]


def _counts(tasks: Sequence[Task]) -> dict[str, list[float]]:
    """By reason: how many, and their expected seconds."""
    found: dict[str, list[float]] = {}
    for task in tasks:
        n, seconds = found.get(task.reason, [0, 0.0])
        found[task.reason] = [n + 1, seconds + task.expected_seconds]
    return found
