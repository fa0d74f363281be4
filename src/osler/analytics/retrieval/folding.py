"""Follows the log: folds new reviews into the memories of their items, and tells mastery what was judged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec
import numpy as np

from osler.analytics.contract import Batch, ItemKey, Moments, Reading
from osler.analytics.retrieval import queries
from osler.analytics.retrieval.attempts import CARD, REVIEW_TYPES, paced, review_of
from osler.analytics.retrieval.items import with_due_days
from osler.analytics.retrieval.model import (
    ItemMemory,
    LearnerMemory,
    OwnMemory,
    Review,
    elapsed_local_days,
    has_own_memory,
    served,
    sm2_next,
    update,
)
from osler.analytics.retrieval.queries import TopicItems
from osler.analytics.retrieval.tables import item_memory, item_topics
from osler.db.session import WriteSession
from osler.db.upsert import OnConflict, Upsert
from osler.domain.events import LoggedEvent
from osler.forecasts.parameters import Parameters
from osler.forecasts.predictions import RECALL, Prediction
from osler.science import weekly_error
from osler.science.topic_strength import START_TAU

NAME = "retrieval"
MODEL = "recall-2"

_ITEMS = Upsert(
    item_memory,
    (
        "user_id", "item_kind", "item_id", "topic_ids", "first_at", "first_local_date", "first_correct", "attempts",
        "correct", "fsrs_stability", "fsrs_difficulty", "sbd_log_stability", "sbd_failures", "last_rating", "last_at",
        "last_local_date", "review_days", "lapses", "has_passed", "sm2_interval_days", "sm2_next_review_at", "due_on",
    ),
)  # fmt: skip
_TOPICS = Upsert(item_topics, ("user_id", "topic_id", "item_kind", "item_id"), OnConflict.NOTHING)


class Judged(msgspec.Struct, frozen=True, gc=False):
    """One review on its way up to mastery.

    `counts` is false for what says nothing new about a topic: cramming, a reset, further reviews of a card on one day.
    `right_before` and `wrong_before` are the learner's earlier attempts at the item; `bias` and `tau` are as after the
    attempt.
    """

    event: LoggedEvent
    key: ItemKey
    topic_ids: tuple[str, ...]
    option_count: int
    correct: bool
    counts: bool
    right_before: int
    wrong_before: int
    bias: float
    tau: float


@dataclass(slots=True)
class Folded:
    """What retrieval shares: the attempts in fold order, the items after them, and the pace of answering.

    `new` are the items that the learner meets for the first time: their topics are kept as they are now.
    """

    judged: list[Judged] = field(default_factory=list[Judged])
    items: dict[ItemKey, ItemMemory] = field(default_factory=dict[ItemKey, ItemMemory])
    topics: dict[ItemKey, tuple[str, ...]] = field(default_factory=dict[ItemKey, tuple[str, ...]])
    bias_at: dict[ItemKey, float] = field(default_factory=dict[ItemKey, float])
    predictions: list[Prediction] = field(default_factory=list[Prediction])
    new: list[ItemKey] = field(default_factory=list[ItemKey])
    bias_before: float = 0.0
    tau_before: float = START_TAU
    learner: LearnerMemory = field(default_factory=LearnerMemory)


class RetrievalFold:
    """Item memories, as the log goes on. Rows do not age: recall at an instant is computed from them."""

    event_types = REVIEW_TYPES
    with_events: Sequence[Reading[Any]] = ()
    of_items: Sequence[Reading[Any]] = (queries.ASKED,)

    async def fold(self, session: WriteSession, batch: Batch) -> None:
        """Fold the batch's reviews and share what was judged."""
        learner = msgspec.convert(batch.states.get(NAME, {}), LearnerMemory)
        if batch.is_fresh:
            for table in (item_memory, item_topics):
                await session.driver().execute(f"delete from {table.name} where user_id = $1", batch.user_id)
            learner = beginning(await queries.own_memories(session, [batch.user_id]), batch.user_id)
        known = dict(queries.memory_of(row, learner.parameters) for row in batch.found(queries.ASKED) or ())
        folded = fold_reviews(batch, known, learner)
        batch.states[NAME] = msgspec.to_builtins(folded.learner)
        batch.share(folded)
        batch.predictions += folded.predictions
        _write(batch, folded)

    async def settle(self, session: WriteSession, moments: Moments, parameters: Parameters) -> None:
        """Nothing to carry forward: a memory is what it is until the next review."""


def beginning(own: Mapping[UUID, OwnMemory], user_id: UUID) -> LearnerMemory:
    """A learner before the first review: under the parameters fitted last, with the guard as it was at that fit."""
    fitted = own.get(user_id)
    return LearnerMemory() if fitted is None else LearnerMemory(guard=fitted.guard, own=fitted)


def resumed(fresh: object, kept: object) -> object:
    """The state of a checkpoint under the parameters fitted since: memories go on from there, and the guard with them.

    `fresh` is the state of a fold that starts anew, `kept` that of the checkpoint.
    """
    now, then = msgspec.convert(fresh, LearnerMemory), msgspec.convert(kept, LearnerMemory)
    if now.own == then.own:
        return kept
    return msgspec.to_builtins(msgspec.structs.replace(then, own=now.own, guard=now.guard))


def fold_reviews(batch: Batch, known: dict[ItemKey, ItemMemory], learner: LearnerMemory) -> Folded:
    """The batch's reviews folded onto what is known of the items. Pure."""
    folded = Folded(items=dict(known), bias_before=learner.bias, tau_before=learner.tau)
    bias, guard, own, parameters = learner.bias, learner.guard, learner.own, learner.parameters
    weekly, tau = learner.weekly, folded.tau_before
    model = MODEL if own is None else f"{MODEL}+{own.version}"
    for event in batch.events:
        if event.event_type not in REVIEW_TYPES:
            continue
        review = review_of(event, learner, batch.regraded)
        learner = paced(learner, event)
        if review is None:
            continue
        before = folded.items.get(review.key)
        step = update(before, review, bias, parameters)
        bias = step.bias
        folded.items[review.key] = step.memory
        folded.bias_at[review.key] = bias
        item = batch.items.get(review.key)
        folded.topics[review.key] = (item.topic_ids if item else ()) or event.topic_ids
        if step.forecast is not None:
            days = elapsed_local_days(before.last_local_date if before else None, event.local_date)
            chance, after = served(guard, step.forecast, days, review.correct)
            # What the fit knew it forecasts too well: the guard has that from the forecasts made at the time.
            guard = guard if own is not None and own.saw(event.event_ts, event.event_id) else after
            if days >= 1:
                week, weeks = weekly_error.week_of(event.local_date.toordinal()), weekly.weeks
                weekly = weekly_error.seen(weekly, week, step.forecast, review.correct)
                tau = weekly_error.tau(weekly) if weekly.weeks > weeks else tau
            if not batch.is_told(RECALL, event.event_id):
                folded.predictions.append(_prediction(event, chance, days, f"{model}/{batch.parameters.version}"))
        folded.judged.append(
            Judged(
                event,
                review.key,
                folded.topics[review.key],
                item.option_count if item else 0,
                review.correct,
                _says_something_new(review, before),
                before.right if before else 0,
                before.wrong if before else 0,
                bias,
                tau,
            )
        )
    folded.learner = msgspec.structs.replace(
        learner, bias=bias, guard=guard, weekly=weekly, reviews=learner.reviews + len(folded.judged)
    )
    folded.new = [key for key in sorted(folded.bias_at) if key not in known]
    return _with_due_days(folded, batch)


def _prediction(event: LoggedEvent, chance: float, days: int, version: str) -> Prediction:
    return Prediction(event.event_ts, str(event.event_id), RECALL, version, chance, elapsed_days=days)


def _says_something_new(review: Review, before: ItemMemory | None) -> bool:
    if review.is_reset or not review.moves_memory:
        return False
    same_day = before is not None and before.last_local_date == review.local_date
    return not (review.key.kind == CARD and same_day)


def _with_due_days(folded: Folded, batch: Batch) -> Folded:
    """Due days of the items that were reviewed, under the correction as it was after their last review.

    A question answered on one day only is rarely met again: it has no due day, its topic has. Nor has a suspended card.
    """
    suspended = {key for key, item in batch.items.items() if item.is_suspended}
    for key in suspended & folded.bias_at.keys():
        folded.items[key] = msgspec.structs.replace(folded.items[key], due_on=None)
    keys = [key for key in folded.bias_at if key not in suspended and has_own_memory(key.kind, folded.items[key])]
    if keys:
        bias = np.array([folded.bias_at[key] for key in keys])
        memories = [(key.kind, folded.items[key]) for key in keys]
        folded.items.update(zip(keys, with_due_days(memories, bias, batch.settings.desired_retention), strict=True))
    return folded


def items_after(stored: TopicItems, folded: Folded, topic_ids: Collection[str]) -> TopicItems:
    """The items of these topics after the batch, in the order of their keys: its rows are not in the tables yet."""
    by_topic = {topic: dict(items) for topic, items in stored.items()}
    for items in by_topic.values():
        items.update((key, folded.items[key]) for key in items.keys() & folded.bias_at.keys())
    for key in folded.new:
        for topic in folded.topics[key]:
            if topic in topic_ids:
                by_topic.setdefault(topic, {})[key] = folded.items[key]
    return {topic: sorted(items.items(), key=itemgetter(0)) for topic, items in by_topic.items()}


def _write(batch: Batch, folded: Folded) -> None:
    batch.writes.append((_ITEMS, [_row(batch.user_id, key, folded) for key in sorted(folded.bias_at)]))
    links = [(batch.user_id, topic, key.kind, key.item_id) for key in folded.new for topic in folded.topics[key]]
    batch.writes.append((_TOPICS, links))


def _row(user_id: UUID, key: ItemKey, folded: Folded) -> tuple[Any, ...]:
    m = folded.items[key]
    first, second = (m.state.fsrs, m.state.sbd) if m.state else (None, None)
    return (
        user_id, key.kind, key.item_id, folded.topics[key], m.first_at, m.first_local_date, m.first_correct,
        m.attempts, m.right, first and first.stability, first and first.difficulty, second and second.log_s,
        second and second.fails, second and second.last + 1, m.last_at,
        m.last_local_date, m.review_days, m.lapses, m.has_passed, m.sm2_interval_days, sm2_next(key.kind, m), m.due_on,
    )  # fmt: skip
