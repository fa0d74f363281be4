"""The learner's study sessions as rows, kept up live: only the last session is ever made anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from osler.analytics.contract import Batch, ItemKey, Moments
from osler.analytics.efficiency.model import StudySession, sessionise
from osler.analytics.efficiency.tables import study_sessions
from osler.catalog.tables import cards, materials, questions, users
from osler.db.engine import ReadSession, WriteSession
from osler.domain.events import Cursor, LoggedEvent
from osler.domain.local_day import DEFAULT_DAY_START_MINUTES
from osler.eventlog.reading import read_after
from osler.forecasts.parameters import Parameters

TABLE = study_sessions
PLACE = sa.tuple_(TABLE.c.first_event_ts, TABLE.c.first_event_id)
Topics = Mapping[ItemKey, tuple[str, ...]]


class SessionFold:
    """Folds new events into `study_sessions`.

    A session depends on no earlier one, so the log is read again from the start of the last session: new events
    prolong it, end it, or begin the next. A refold brings the whole log and needs no reading.
    """

    async def fold(self, session: WriteSession, batch: Batch) -> None:
        """Write the sessions that the batch touches. The same batch twice writes the same rows."""
        own = TABLE.c.user_id == batch.user_id
        if batch.is_fresh:
            await session.execute(sa.delete(TABLE).where(own))
        if not batch.events:
            return
        events = batch.events if batch.is_fresh else await _since_last_session(session, batch)
        corrected = {**_regrades(events), **batch.regraded}
        graded = [_regraded(event, corrected) for event in events]
        if not batch.is_fresh:
            place = sa.tuple_(sa.literal(graded[0].event_ts), sa.literal(graded[0].event_id))
            await session.execute(sa.delete(TABLE).where(own, place <= PLACE))
        rows = await rows_of(session, batch.user_id, graded)
        if rows:
            await session.execute(sa.insert(TABLE), rows)

    async def settle(self, session: WriteSession, moments: Moments, parameters: Parameters) -> None:
        """Sessions do not age."""


async def rows_of(s: ReadSession, user_id: UUID, events: Sequence[LoggedEvent]) -> list[dict[str, Any]]:
    """The rows of `study_sessions` that these events make; the first of them begins a session or rides along."""
    topics = await _topics(s, user_id, events)
    kinds = await _kinds(s, events)
    sessions = sessionise(
        events,
        topics_of=lambda event: topics.get(item_of(event)) or event.topic_ids,
        kind_of=kinds.get,
        day_start_minutes=await _day_start(s, user_id),
    )
    return [as_row(user_id, one) for one in sessions]


def as_row(user_id: UUID, session: StudySession) -> dict[str, Any]:
    """A session as its row; maps become JSON with ISO dates for keys."""
    active = session.active_by_day
    return {
        "user_id": user_id,
        "first_event_ts": session.first_event[0],
        "first_event_id": session.first_event[1],
        "last_event_ts": session.last_event[0],
        "last_event_id": session.last_event[1],
        "is_ended": session.ended_explicitly,
        "break_seconds": list(session.break_seconds),
        "topics": {k: [t.active_seconds, t.attempts, t.correct] for k, t in session.by_topic.items()},
        "days": {day.isoformat(): [active.get(day, 0.0), total] for day, total in session.total_by_day.items()},
        "kinds": dict(session.active_by_kind),
        "hours": {f"{day.isoformat()}T{hour:02d}": sec for (day, hour), sec in session.active_by_hour.items()},
        **{name: getattr(session, name) for name in SAME_NAME},
    }


SAME_NAME = (
    "session_id", "started_at", "ended_at", "utc_offset_minutes", "local_date", "total_seconds", "active_seconds",
    "multitasked_seconds", "hidden_seconds", "questions", "correct", "reviews", "reviews_passed", "graded", "materials",
    "interruptions", "events", "topic_switches", "has_signals",
)  # fmt: skip

_ITEM_TABLES = {"question": questions, "card": cards, "material": materials}
_NO_ITEM = ItemKey("", "")


def item_of(event: LoggedEvent) -> ItemKey:
    """What an event is about: a question, a card or a material."""
    for kind in _ITEM_TABLES:
        found = event.data.get(f"{kind}_id")
        if found is not None:
            return ItemKey(kind, str(found))
    return _NO_ITEM


async def _since_last_session(s: ReadSession, batch: Batch) -> Sequence[LoggedEvent]:
    """Events from the start of the last session up to the end of the batch; the batch alone where there is none."""
    last = await s.one(
        sa.select(TABLE.c.first_event_ts, TABLE.c.first_event_id)
        .where(TABLE.c.user_id == batch.user_id)
        .order_by(TABLE.c.first_event_ts.desc(), TABLE.c.first_event_id.desc())
        .limit(1)
    )
    if last is None:
        return batch.events
    before = Cursor(last["first_event_ts"], UUID(int=last["first_event_id"].int - 1))
    newest = batch.events[-1]
    events = await read_after(s, batch.user_id, before, until=newest.event_ts)
    return [event for event in events if event.order <= newest.order]


def _regrades(events: Sequence[LoggedEvent]) -> dict[UUID, bool]:
    """Grades that a corrected key changed, by attempt; a regrade of a session's answer comes after it in the log."""
    found = sorted((e for e in events if e.event_type == "question_regrade"), key=lambda e: e.data["key_version"])
    return {UUID(str(e.data["attempt_event_id"])): bool(e.data["is_correct"]) for e in found}


def _regraded(event: LoggedEvent, corrected: Mapping[UUID, bool]) -> LoggedEvent:
    found = corrected.get(event.event_id)
    return event if found is None else replace(event, is_correct=found)


async def _topics(s: ReadSession, user_id: UUID, events: Iterable[LoggedEvent]) -> Topics:
    """Topics of every item that the events name, as the catalogue has them now; it goes before what an import gave."""
    wanted = {item_of(event) for event in events} - {_NO_ITEM}
    found: dict[ItemKey, tuple[str, ...]] = {}
    for kind, declared in _ITEM_TABLES.items():
        ids = sorted(item.item_id for item in wanted if item.kind == kind)
        if not ids:
            continue
        name = declared.c[f"{kind}_id"]
        query = sa.select(name, declared.c.topic_ids).where(name == sa.any_(sa.literal(ids, sa.ARRAY(sa.Text()))))
        if "user_id" in declared.c:
            query = query.where(declared.c.user_id == user_id)
        found |= {ItemKey(kind, row[name.name]): tuple(row["topic_ids"]) for row in await s.rows(query)}
    return found


async def _kinds(s: ReadSession, events: Iterable[LoggedEvent]) -> dict[str, str]:
    ids = sorted({str(event.data["material_id"]) for event in events if event.data.get("material_id")})
    if not ids:
        return {}
    query = sa.select(materials.c.material_id, materials.c.kind).where(
        materials.c.material_id == sa.any_(sa.literal(ids, sa.ARRAY(sa.Text())))
    )
    return {row["material_id"]: row["kind"] for row in await s.rows(query)}


async def _day_start(s: ReadSession, user_id: UUID) -> int:
    found = await s.scalar(sa.select(users.c.day_start_minutes).where(users.c.user_id == user_id))
    return DEFAULT_DAY_START_MINUTES if found is None else int(found)
