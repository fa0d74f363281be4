"""How well is each item remembered, when is it due, and what does that make of a topic? Pure.

An item carries two memories (FSRS-6 on local days, SBD on real time); what is served is their blend, corrected by one
number for each learner that follows the forecasts' own errors. A topic's retrieval strength is the mean over the
items that the learner has seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import msgspec

from osler.analytics.contract import ItemKey
from osler.science import blend, fsrs, guard, sbd, weekly_error
from osler.science.guard import Guard
from osler.science.sm2 import sm2_interval
from osler.science.weekly_error import WeeklyError

SECONDS_PER_DAY = 86_400.0
LONGEST_SM2_DAYS = 36_500
FAILED = 1
MODEL_VERSION = "fsrs6+sbd+bias+guard-1"


class Review(msgspec.Struct, frozen=True, gc=False):
    """One graded attempt at an item, as memory sees it.

    `moves_memory` is false for cramming outside the schedule; `is_reset` sets a card back to new and carries no grade.
    """

    key: ItemKey
    at: datetime
    local_date: date
    rating: int
    quality: int
    correct: bool
    moves_memory: bool = True
    is_reset: bool = False


class ItemMemory(msgspec.Struct, frozen=True, gc=False):
    """What a learner remembers of one item; `state` is None while there is no memory.

    `review_days` counts distinct local days with a review that moved the memory; `lapses` failures after a pass.
    `parameters` are the learner's, the same for all items: how they forget.
    """

    first_at: datetime
    first_local_date: date
    first_correct: bool | None = None
    right: int = 0
    wrong: int = 0
    state: blend.ItemMemory | None = None
    last_at: datetime | None = None
    last_local_date: date | None = None
    review_days: int = 0
    lapses: int = 0
    has_passed: bool = False
    sm2_interval_days: int = 0
    due_on: date | None = None
    parameters: blend.Parameters = blend.POPULATION

    @property
    def attempts(self) -> int:
        """Graded attempts in all."""
        return self.right + self.wrong


@lru_cache(maxsize=1024)
def _parameters_of(weights: tuple[float, ...], of_sbd: tuple[float, ...]) -> blend.Parameters:
    """One value for all items of a learner, so that they can be told from another's by identity."""
    return blend.Parameters(fsrs.Weights(weights), sbd.checked(sbd.Parameters(*of_sbd)))


class OwnMemory(msgspec.Struct, frozen=True):
    """Parameters fitted to one learner, the last event that the fit saw, and the guard as it went on from there."""

    version: str
    fsrs: tuple[float, ...]
    sbd: tuple[float, ...]
    fitted_ts: datetime
    fitted_id: UUID
    guard: Guard

    def parameters(self) -> blend.Parameters:
        """The parameters of both models. Errors: InvalidModelInput for numbers out of their bounds."""
        return _parameters_of(self.fsrs, self.sbd)

    def saw(self, event_ts: datetime, event_id: UUID) -> bool:
        """Whether the fit knew an event, or one after it: its outcome says nothing of the forecast any more."""
        return (event_ts, event_id) <= (self.fitted_ts, self.fitted_id)


class LearnerMemory(msgspec.Struct, frozen=True):
    """What retrieval keeps of a learner beside the items: the running correction, the guard, the pace of answering.

    `own` are the parameters of the last fit; None while the population's serve. `weekly` is how far off the corrected
    forecasts were week by week.
    """

    bias: float = 0.0
    guard: Guard = Guard()
    reviews: int = 0
    pace: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    own: OwnMemory | None = None
    weekly: WeeklyError = WeeklyError()

    @property
    def tau(self) -> float:
        """How far off the learner's topics are all together, as an sd in logits."""
        return weekly_error.tau(self.weekly)

    @property
    def parameters(self) -> blend.Parameters:
        """How the learner forgets."""
        return blend.POPULATION if self.own is None else self.own.parameters()


class Step(msgspec.Struct, frozen=True, gc=False):
    """One review's effect: the item after it, the correction after it, and the forecast made before it, if any."""

    memory: ItemMemory
    bias: float
    forecast: float | None


def new_item(review: Review, parameters: blend.Parameters = blend.POPULATION) -> ItemMemory:
    """An item at its first attempt, before that attempt is folded."""
    return ItemMemory(first_at=review.at, first_local_date=review.local_date, parameters=parameters)


def update(
    memory: ItemMemory | None, review: Review, bias: float, parameters: blend.Parameters = blend.POPULATION
) -> Step:
    """The item after one review, with the forecast that was made before it.

    `parameters` are those of a new item; a known one brings its own.
    Elapsed time below 0 (a corrected clock, a flight west) counts as none. A cram counts as an attempt and leaves the
    memory as it is. Source: science page, sections 2.1 to 2.5; golden cases in tests/analytics/retrieval.
    """
    before = memory or new_item(review, parameters)
    if review.is_reset:
        return Step(_forgotten(before), bias, None)
    if not review.moves_memory:
        return Step(_counted(before, review), bias, None)
    if before.state is None:
        state = blend.review(None, 0, 0.0, review.rating, parameters=before.parameters)
        return Step(_reviewed(before, review, state), bias, None)
    days, real = elapsed_local_days(before.last_local_date, review.local_date), elapsed_days(before.last_at, review.at)
    forecast, state = blend.met(before.state, days, real, review.rating, bias=bias, parameters=before.parameters)
    next_bias = blend.update_bias(bias, forecast, review.correct) if days >= 1 else bias
    return Step(_reviewed(before, review, state), next_bias, forecast)


def recall(memory: ItemMemory, at: datetime, on: date, bias: float) -> float | None:
    """The chance to recall an item at an instant on a local day; None where there is no memory of it."""
    days = elapsed_local_days(memory.last_local_date, on)
    return blend.recall(memory.state, days, elapsed_days(memory.last_at, at), bias=bias, parameters=memory.parameters)


def served(state: Guard, forecast: float, local_days: int, passed: bool) -> tuple[float, Guard]:
    """The chance that is served for a review, and the guard after it; `forecast` is the model's own.

    Only next-day reviews are guarded and teach. Curves, due days and topics stay the model's: the running mean says
    nothing of how recall fades. Source: docs/decisions/0020; the backtest's `osler.science.guard.scan` is the same.
    """
    if local_days < 1:
        return forecast, state
    return guard.served(state, forecast), guard.update(state, forecast, passed)


def elapsed_days(last: datetime | None, now: datetime) -> float:
    """Days with fractions between two instants, never below 0."""
    return 0.0 if last is None else max(0.0, (now - last).total_seconds() / SECONDS_PER_DAY)


def elapsed_local_days(last: date | None, now: date) -> int:
    """Whole local days between two local days, never below 0."""
    return 0 if last is None else max(0, now.toordinal() - last.toordinal())


def _counted(memory: ItemMemory, review: Review) -> ItemMemory:
    first_correct = memory.first_correct if memory.attempts else review.correct
    return msgspec.structs.replace(
        memory,
        right=memory.right + review.correct,
        wrong=memory.wrong + (not review.correct),
        first_correct=first_correct,
    )


def _reviewed(memory: ItemMemory, review: Review, state: blend.ItemMemory) -> ItemMemory:
    """The item after a review that moved its memory to `state`."""
    on, rating = review.local_date, review.rating
    is_new_day = memory.last_local_date is None or on > memory.last_local_date
    return msgspec.structs.replace(
        memory,
        right=memory.right + review.correct,
        wrong=memory.wrong + (not review.correct),
        first_correct=memory.first_correct if memory.attempts else review.correct,
        state=state,
        last_at=review.at if memory.last_at is None else max(memory.last_at, review.at),
        last_local_date=on if memory.last_local_date is None else max(memory.last_local_date, on),
        review_days=memory.review_days + is_new_day,
        lapses=memory.lapses + (rating == FAILED and memory.has_passed),
        has_passed=memory.has_passed or rating > FAILED,
        sm2_interval_days=min(sm2_interval(review.quality, memory.sm2_interval_days), LONGEST_SM2_DAYS),
    )


def _forgotten(memory: ItemMemory) -> ItemMemory:
    """A card set back to new: counts stay, memory starts anew."""
    return msgspec.structs.replace(
        memory,
        state=None,
        last_at=None,
        last_local_date=None,
        review_days=0,
        has_passed=False,
        sm2_interval_days=0,
        due_on=None,
    )


def has_own_memory(kind: str, memory: ItemMemory) -> bool:
    """Whether an item is remembered by itself: every card, and a question answered on two local days or more.

    Other questions count with the memory of their topic (science page, 2.9).
    """
    return memory.state is not None and (kind == "card" or memory.review_days >= 2)


def is_suspended(kind: str, memory: ItemMemory) -> bool:
    """Whether a card was out of review when it was folded: remembered, and due on no day."""
    return kind == "card" and memory.state is not None and memory.due_on is None


def sm2_next(kind: str, memory: ItemMemory) -> datetime | None:
    """The next review by the brief's SM-2; None while there is no memory, and for a suspended card."""
    if memory.last_at is None or not memory.sm2_interval_days or is_suspended(kind, memory):
        return None
    return memory.last_at + timedelta(days=memory.sm2_interval_days)


def encode(state: LearnerMemory) -> bytes:
    """The learner's state as canonical JSON: equal states give equal bytes."""
    return msgspec.json.encode(state, order="deterministic")


def decode(raw: bytes | Sequence[int]) -> LearnerMemory:
    """The state that `encode` wrote."""
    return msgspec.json.decode(bytes(raw), type=LearnerMemory)
