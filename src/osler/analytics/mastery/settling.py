"""Carries every topic of many learners forward to an instant: recall fades and intervals widen without any event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from osler.analytics.contract import Moments
from osler.analytics.mastery import states
from osler.analytics.mastery.evaluation import Asked, evaluate, learner_as_of, needs_trend, window_start
from osler.analytics.mastery.folding import NAME, LearnerState
from osler.analytics.retrieval import folding as retrieval
from osler.analytics.retrieval.model import LearnerMemory
from osler.analytics.retrieval.queries import items_of_learners
from osler.db.session import ReadSession, WriteSession
from osler.domain.local_day import local_day
from osler.forecasts.parameters import Parameters

_LEARNERS = """
select s.user_id, s.states::text as states, coalesce(u.desired_retention, 0.9) as desired_retention
  from learner_states s left join users u using (user_id) where s.user_id = any($1::uuid[])
"""


@dataclass(frozen=True, slots=True)
class _Learner:
    state: LearnerState
    memory: LearnerMemory
    desired_retention: float
    as_of: datetime
    on: date


async def settle(session: WriteSession, moments: Moments, parameters: Parameters) -> None:
    """Evaluate all topics of these learners as of their instants, under their state after their last event."""
    learners = await _learners(session, moments)
    topics = await states.learners_topics(session, list(learners))
    items = await items_of_learners(session, {user: one.memory.parameters for user, one in learners.items()})
    totals = await states.materials_by_topic(session, sorted({topic for _, topic, _ in topics}))
    wanted = [
        (user, topic, window_start(learners[user].on))
        for user, topic, _ in topics
        if needs_trend(items.get(user, {}).get(topic, ()), learners[user].on)
    ]
    levels = await states.levels_before(session, wanted)
    asked: list[Asked] = []
    for user, topic, state in topics:
        learner = learners[user]
        general, memory = learner_as_of(learner.state.history), learner.memory
        asked.append(
            Asked(
                user_id=user,
                topic_id=topic,
                state=msgspec.structs.replace(state, learner=general, bias=memory.bias, tau=memory.tau),
                as_of=learner.as_of,
                on=learner.on,
                items=items.get(user, {}).get(topic, ()),
                materials_total=totals.get(topic, 0),
                desired_retention=learner.desired_retention,
                level_before=levels.get((user, topic)),
            )
        )
    await states.TOPICS.write(session, evaluate(asked, parameters))


async def _learners(session: ReadSession, moments: Moments) -> dict[UUID, _Learner]:
    as_of = dict(zip(moments.user_ids, moments.as_of, strict=True))
    rows = await session.driver().fetch(_LEARNERS, list(moments.user_ids))
    found: dict[UUID, _Learner] = {}
    for row in rows:
        stored: dict[str, Any] = msgspec.json.decode(row["states"])
        state = msgspec.convert(stored.get(NAME, {}), LearnerState)
        memory = msgspec.convert(stored.get(retrieval.NAME, {}), LearnerMemory)
        moment = as_of[row["user_id"]]
        on = local_date_of(moment, state.utc_offset_minutes)
        found[row["user_id"]] = _Learner(state, memory, row["desired_retention"], moment, on)
    return found


def local_date_of(as_of: datetime, utc_offset_minutes: int) -> date:
    """The learner's local day at an instant, on the wall clock of their last event."""
    return local_day((as_of.astimezone(UTC) + timedelta(minutes=utc_offset_minutes)).replace(tzinfo=None))
