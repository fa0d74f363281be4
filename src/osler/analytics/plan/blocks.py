"""Which block first, and how sure? Reviews, then the first gaps, cut to the day's minutes; pure, chance as a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import isfinite
from typing import Any

import numpy as np

from osler.analytics.retrieval.due import due_minutes

VERSION = "plan-1"
DEFAULT_MINUTES = 30.0
BLOCK_MINUTES = 25.0
LEAST_BLOCK_MINUTES = 5.0
REVIEW_SHARE = 0.6
ALTERNATIVES = 2
DAYS_SHOWN = 7
DRAWS = 500
Z90 = 1.645


@dataclass(frozen=True, slots=True)
class Gap:
    """A topic that could be studied next. `value` is what ranks it; `spread` is its standard deviation."""

    topic_id: str
    name: str
    value: float
    spread: float
    state: str
    blocks_count: int
    exam_share: float


@dataclass(frozen=True, slots=True)
class Cards:
    """What of today's list of cards is left, as the night's plan chose it; `new` of them have never been seen."""

    left: int
    seconds_each: float
    new: int
    is_last_days: bool


@dataclass(frozen=True, slots=True)
class Block:
    """One stretch of study: what, for how long, why."""

    kind: str
    topic_id: str | None
    name: str
    minutes: float
    items: int | None
    code: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """The block as the API says it."""
        return {
            "kind": self.kind, "topic_id": self.topic_id, "name": self.name, "minutes": self.minutes,
            "items": self.items, "reason": {"code": self.code, "params": {"topic": self.name}, "text": self.reason},
        }  # fmt: skip


def minutes_for(day: date, planned: Sequence[float] | None, usual: float | None) -> tuple[float, str]:
    """The minutes of a day and where they come from: the plan for its weekday, the usual active day, or 30."""
    if planned:
        return float(planned[day.weekday()]), "plan"
    if usual is not None and isfinite(usual) and usual >= LEAST_BLOCK_MINUTES:
        return round(usual), "usual"
    return DEFAULT_MINUTES, "default"


def blocks_for(
    minutes: float,
    due: int,
    gaps: Sequence[Gap],
    *,
    first_gap: int = 0,
    cards: Cards | None = None,
    seconds_each: float | None = None,
) -> list[Block]:
    """The blocks of one day: due reviews first, at most 60 % of the day while a topic waits, then topics in order.

    No minute is left idle while there is a topic or a review; `first_gap` turns the order for the days that follow.
    `cards` is the list of a plan, which stands for what is due; `seconds_each` is the learner's own pace at reviews.
    """
    made: list[Block] = []
    left = minutes
    wanted = due_minutes(due, seconds_each) if cards is None else due_minutes(cards.left, cards.seconds_each)
    if wanted > 0 and minutes >= LEAST_BLOCK_MINUTES:
        spent = min(wanted, minutes * REVIEW_SHARE if gaps else minutes)
        made.append(_reviews(spent, due, wanted) if cards is None else _listed(spent, cards))
        left -= spent
    order = [gaps[(first_gap + i) % len(gaps)] for i in range(len(gaps))]
    for gap in order:
        if left < LEAST_BLOCK_MINUTES:
            break
        spent = left if left < 1.5 * BLOCK_MINUTES else BLOCK_MINUTES
        made.append(_topic(gap, spent))
        left -= spent
    return _filled(made, left)


def surety(gaps: Sequence[Gap], *, seed: int) -> float | None:
    """How sure the first topic is: the share of draws, each topic's value within its spread, in which it stays first.

    None for no topics; 1 for one.
    """
    if not gaps:
        return None
    rng = np.random.default_rng(seed)
    values = np.array([gap.value for gap in gaps]) + rng.standard_normal((DRAWS, len(gaps))) * np.array(
        [gap.spread for gap in gaps]
    )
    return float((values.argmax(axis=1) == 0).mean())


def week(
    today: date,
    due: Mapping[date, int],
    gaps: Sequence[Gap],
    *,
    planned: Sequence[float] | None,
    usual: float | None,
    exam_on: date | None,
    cards: Cards | None = None,
    seconds_each: float | None = None,
) -> list[dict[str, Any]]:
    """The seven days from today: each day's minutes, reviews and topics; nothing on the exam day or after it.

    What a day has no minutes for is due on the next one.
    """
    days: list[dict[str, Any]] = []
    left_over = sum(n for on, n in due.items() if on < today)
    for ahead in range(DAYS_SHOWN):
        day = today + timedelta(days=ahead)
        if exam_on is not None and day >= exam_on >= today:
            break
        minutes, _ = minutes_for(day, planned, usual)
        reviews = left_over + due.get(day, 0)
        listed = cards if ahead == 0 else None
        blocks = blocks_for(minutes, reviews, gaps, first_gap=ahead, cards=listed, seconds_each=seconds_each)
        days.append({"day": day, "minutes": minutes, "due": reviews, "blocks": [block.as_dict() for block in blocks]})
        done = sum(block.items or 0 for block in blocks if block.kind == "review")
        left_over = max(0, reviews - (done if listed is None else min(done, listed.left - listed.new)))
    return days


def gap_of(row: Mapping[str, Any], name: str) -> Gap:
    """A row of the gaps as a candidate; its spread follows from the interval of mastery."""
    points = row["ranked_by"] == "points_per_hour" and row["points_per_hour"] is not None
    width = 0.5 if row["mastery_low"] is None else (row["mastery_high"] - row["mastery_low"]) / (2 * Z90)
    value = row["points_per_hour"] if points else row["priority_index"]
    return Gap(
        topic_id=row["topic_id"],
        name=name,
        value=float(value or 0.0),
        spread=float(value or 0.0) * 0.3 if points else width * 100,
        state=row["state"],
        blocks_count=row["blocks_count"],
        exam_share=row["exam_share"],
    )


def _reviews(minutes: float, due: int, wanted: float) -> Block:
    """`wanted` is what all of them take, as every page says it; `minutes` is what the day has for them."""
    fit = min(due, max(1, int(due * minutes / wanted)))
    text = f"{due} {'card has' if due == 1 else 'cards have'} faded to the level you aim at; about {wanted:.0f} min."
    if fit < due:
        text = f"{text[:-1]}, {minutes:.0f} of them now."
    return Block("review", None, "Due reviews", round(minutes, 1), fit, "plan.due", text)


def _listed(minutes: float, cards: Cards) -> Block:
    fit = min(cards.left, max(1, int(minutes * 60 / cards.seconds_each)))
    counted = f"{fit} card{'' if fit == 1 else 's'}"
    if cards.is_last_days:
        code, text = "plan.last_days", f"{counted} that gain most exam-day recall for their time"
    else:
        code, text = "plan.due", f"{counted} for today{f', {cards.new} of them new' if cards.new else ''}"
        if fit < cards.left:  # which of them are done is the learner's: only of the whole list it is known what is new
            text = f"{fit} of the {cards.left} cards for today{f', {cards.new} of those new' if cards.new else ''}"
    return Block("review", None, "Due reviews", round(minutes, 1), fit, code, f"{text}; about {minutes:.0f} min.")


def _topic(gap: Gap, minutes: float) -> Block:
    if gap.state == "unseen":
        code, why = "plan.unseen", "not seen yet"
    elif gap.blocks_count:
        others = "another topic" if gap.blocks_count == 1 else f"{gap.blocks_count} others"
        code, why = "plan.blocks", f"it blocks {others}"
    elif gap.exam_share >= 0.005:
        code, why = "plan.weight", f"{100 * gap.exam_share:.0f} % of the exam"
    else:
        code, why = "plan.weak", "the widest gap among what you have met"
    return Block("questions", gap.topic_id, gap.name, round(minutes, 1), None, code, f"{gap.name} next: {why}.")


def _filled(made: list[Block], left: float) -> list[Block]:
    """What is left of the minutes goes to the last block, so that no planned minute is idle."""
    if not made or left <= 0.5:
        return made
    last = made[-1]
    return [
        *made[:-1],
        Block(last.kind, last.topic_id, last.name, round(last.minutes + left, 1), last.items, last.code, last.reason),
    ]
