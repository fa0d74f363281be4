"""The learner's study sessions as rows, kept up live: only the last session is ever made anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from osler.analytics.contract import Batch, ItemKey, Moments
from osler.analytics.efficiency.model import StudySession, sessionise
from osler.analytics.efficiency.tables import study_sessions
from osler.db.session import ReadSession, WriteSession
from osler.db.upsert import Upsert
from osler.domain.events import Cursor, LoggedEvent
from osler.domain.local_day import DEFAULT_DAY_START_MINUTES
from osler.eventlog.reading import read_after
from osler.forecasts.parameters import Parameters


class _Known(NamedTuple):
    """What the catalogue says of an item; only a material has a kind."""

    topic_ids: tuple[str, ...]
    kind: str | None


Known = Mapping[ItemKey, _Known]
_UNKNOWN = _Known((), None)


class SessionFold:
    """Folds new events into `study_sessions`.

    A session depends on no earlier one, so the log is read again from the start of the last session: new events
    prolong it, end it, or begin the next. A refold brings the whole log and needs no reading.
    """

    async def fold(self, session: WriteSession, batch: Batch) -> None:
        """Write the sessions that the batch touches. The same batch twice writes the same rows."""
        if batch.is_fresh:
            await session.driver().execute(_FORGET, batch.user_id)
        if not batch.events:
            return
        last, day_start = await _last_session(session, batch.user_id)
        events = batch.events if last is None else await _since(session, batch, last)
        corrected = {**_regrades(events), **batch.regraded}
        graded = [_regraded(event, corrected) for event in events] if corrected else events
        # What is read anew begins with the last session's first event, so its row keeps its key: nothing to delete.
        batch.writes.append((_SESSIONS, await rows_of(session, batch.user_id, graded, day_start)))

    async def settle(self, session: WriteSession, moments: Moments, parameters: Parameters) -> None:
        """Sessions do not age."""


async def rows_of(
    s: ReadSession, user_id: UUID, events: Sequence[LoggedEvent], day_start_minutes: int
) -> list[tuple[Any, ...]]:
    """The rows of `study_sessions` that these events make; the first of them begins a session or rides along."""
    known = await _known(s, user_id, events)
    kinds = {item.item_id: found.kind for item, found in known.items() if item.kind == "material"}
    sessions = sessionise(
        events,
        topics_of=lambda event: known.get(item_of(event), _UNKNOWN).topic_ids or event.topic_ids,
        kind_of=kinds.get,
        day_start_minutes=day_start_minutes,
    )
    return [_row(user_id, one) for one in sessions]


def _row(user_id: UUID, session: StudySession) -> tuple[Any, ...]:
    """A session as its row; maps become JSON with ISO dates for keys."""
    active = session.active_by_day
    maps = (
        {k: [t.active_seconds, t.attempts, t.correct] for k, t in session.by_topic.items()},
        {day.isoformat(): [active.get(day, 0.0), total] for day, total in session.total_by_day.items()},
        dict(session.active_by_kind),
        {f"{day.isoformat()}T{hour:02d}": seconds for (day, hour), seconds in session.active_by_hour.items()},
    )
    return (
        user_id, *session.first_event, *session.last_event, session.ended_explicitly,
        [repr(seconds) for seconds in session.break_seconds], *(msgspec.json.encode(one).decode() for one in maps),
        *(getattr(session, name) for name in SAME_NAME),
    )  # fmt: skip


SAME_NAME = (
    "session_id", "started_at", "ended_at", "utc_offset_minutes", "local_date", "total_seconds", "active_seconds",
    "multitasked_seconds", "hidden_seconds", "questions", "correct", "reviews", "reviews_passed", "graded", "materials",
    "interruptions", "events", "topic_switches", "has_signals",
)  # fmt: skip

_SESSIONS = Upsert(
    study_sessions,
    (
        "user_id", "first_event_ts", "first_event_id", "last_event_ts", "last_event_id", "is_ended", "break_seconds",
        "topics", "days", "kinds", "hours", *SAME_NAME,
    ),
)  # fmt: skip

_FORGET = "delete from study_sessions where user_id = $1"
_LAST = """
select s.first_event_ts, s.first_event_id, u.day_start_minutes
  from (select $1::uuid as user_id) as l
  left join users u on u.user_id = l.user_id
  left join lateral (
       select first_event_ts, first_event_id from study_sessions s where s.user_id = l.user_id
        order by first_event_ts desc, first_event_id desc limit 1) s on true
"""
# Topics of every item that events name, as the catalogue has them now, and of materials the kind.
_KNOWN = """
select 'question' as item, question_id as id, topic_ids, null as kind from questions where question_id = any($2::text[])
union all
select 'card', card_id, topic_ids, null from cards where user_id = $1 and card_id = any($3::text[])
union all
select 'material', material_id, topic_ids, kind from materials where material_id = any($4::text[])
"""

_KINDS = ("question", "card", "material")
_ID_NAMES = tuple((kind, f"{kind}_id") for kind in _KINDS)
_NO_ITEM = ItemKey("", "")


def item_of(event: LoggedEvent) -> ItemKey:
    """What an event is about: a question, a card or a material."""
    data = event.data
    for kind, name in _ID_NAMES:
        if name in data and (found := data[name]) is not None:
            return ItemKey(kind, str(found))
    return _NO_ITEM


async def _last_session(s: ReadSession, user_id: UUID) -> tuple[Cursor | None, int]:
    """Just before the learner's last session, None where there is none; and when the learner's day starts."""
    row: Any = await s.driver().fetchrow(_LAST, user_id)
    minutes = row["day_start_minutes"]
    day_start = DEFAULT_DAY_START_MINUTES if minutes is None else int(minutes)
    if row["first_event_id"] is None:
        return None, day_start
    return Cursor(row["first_event_ts"], UUID(int=row["first_event_id"].int - 1)), day_start


async def _since(s: ReadSession, batch: Batch, before: Cursor) -> Sequence[LoggedEvent]:
    """Events from the start of the last session up to the end of the batch."""
    newest = batch.events[-1]
    events = await read_after(s, batch.user_id, before, until=newest.event_ts)
    return [event for event in events if event.order <= newest.order]


def _regrades(events: Sequence[LoggedEvent]) -> dict[UUID, bool]:
    """Grades that a corrected key changed, by attempt; a regrade of a session's answer comes after it in the log."""
    found = sorted((e for e in events if e.event_type == "question_regrade"), key=lambda e: e.data["key_version"])
    return {UUID(str(e.data["attempt_event_id"])): bool(e.data["is_correct"]) for e in found}


def _regraded(event: LoggedEvent, corrected: Mapping[UUID, bool]) -> LoggedEvent:
    found = corrected.get(event.event_id)
    return event if found is None else msgspec.structs.replace(event, is_correct=found)


async def _known(s: ReadSession, user_id: UUID, events: Iterable[LoggedEvent]) -> Known:
    """What the catalogue has of every item that the events name; it goes before what an import gave."""
    wanted = {item_of(event) for event in events} - {_NO_ITEM}
    if not wanted:
        return {}
    ids = [sorted(item.item_id for item in wanted if item.kind == kind) for kind in _KINDS]
    rows: Any = await s.driver().fetch(_KNOWN, user_id, *ids)
    return {ItemKey(row["item"], row["id"]): _Known(tuple(row["topic_ids"]), row["kind"]) for row in rows}
