"""What is read before a fold, in two round trips: where the learner stands and what is new, then what items need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from osler.analytics.contract import Item, ItemKey, LiveFold, Reading
from osler.db.session import ReadSession, WriteSession
from osler.domain.events import Cursor, LoggedEvent
from osler.eventlog import marks, reading
from osler.eventlog.reading import Reached
from osler.live import learners
from osler.live.learners import LearnerRow

REGRADE = "question_regrade"

# One statement and so one snapshot: no mark is deleted whose events are not seen. What can only be folded by starting
# anew (an event at or before the cursor, a learner without one) is left to a refold, which reads for itself.
_OPEN = f"""
with bounds as (select $2::timestamptz as until),
taken as ({marks.TAKE_LIVE}),
marked as materialized (select count(*) as n, min(min_event_ts) as oldest from taken),
learner as materialized ({learners.READ}),
place as materialized (
  select coalesce(not l.is_stale and m.oldest > l.cursor_ts
                  and (l.settled_as_of is null or m.oldest > l.settled_as_of), false) as is_ahead,
         l.cursor_ts, l.cursor_id from learner l, marked m),
e as materialized (
  select * from study_events where user_id = $1 and (select is_ahead from place)
     and event_ts >= (select cursor_ts from place)
     and (event_ts, event_id) > (select cursor_ts, cursor_id from place))
select l.*, m.n as marks, (select is_ahead from place) as is_ahead, (select count(*) from e) as n,
       (select json_agg({reading.AS_JSON} order by e.event_ts, e.event_id)
          from e where e.event_type = any($3::text[]))::text as events,
       n.event_ts, n.event_id, n.utc_offset_minutes as offset_minutes%s
  from learner l, marked m
  left join lateral (select event_ts, event_id, utc_offset_minutes from e order by 1 desc, 2 desc limit 1) n on true
"""
_ASK = """
with asked_topics as materialized (
  select unnest(topic_ids) as topic_id from questions where question_id = any($2::text[]) union
  select unnest(topic_ids) from cards where user_id = $1 and card_id = any($3::text[]) union
  select unnest(topic_ids) from materials where material_id = any($4::text[]) union
  select unnest($5::text[]))
select (select json_agg(i) from (
          select json_build_array('question', question_id, topic_ids, coalesce(option_count, 0)) as i
            from questions where question_id = any($2::text[]) union all
          select json_build_array('card', card_id, topic_ids, 0)
            from cards where user_id = $1 and card_id = any($3::text[]) union all
          select json_build_array('material', material_id, topic_ids, 0)
            from materials where material_id = any($4::text[])) k)::text as items%s
"""
_ID_NAMES = ("question_id", "card_id", "material_id")

Answers = Mapping[Reading[Any], Any]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a learner's log to be folded: the events that folds look at, the last of any type, the answers."""

    events: Sequence[LoggedEvent] = ()
    reached: Reached | None = None
    answers: Answers = field(default_factory=dict[Reading[Any], Any])


@dataclass(frozen=True, slots=True)
class Opened:
    """Where a learner stands. `marks` were taken; what is new can be folded on top only when `is_ahead`."""

    row: LearnerRow
    marks: int
    is_ahead: bool
    events: int
    stretch: Stretch


class Gathering:
    """The statements that the folds of an installation ask together."""

    def __init__(self, folds: Sequence[LiveFold]) -> None:
        self.event_types = sorted({REGRADE, *(name for fold in folds for name in fold.event_types)})
        self._with_events = _decoders(fold.with_events for fold in folds)
        self._of_items = _decoders(fold.of_items for fold in folds)
        self._open = _OPEN % _columns(self._with_events, "case when (select is_ahead from place) then {} end")
        self._beside = f"select $2::timestamptz{_columns(self._with_events)}"
        self._ask = _ASK % _columns(self._of_items)

    async def open(self, session: WriteSession, user_id: UUID) -> Opened:
        """Take the learner's marks, and read with them where the learner stands and what is new."""
        row: Any = await session.driver().fetchrow(self._open, user_id, reading.END, self.event_types)
        reached = None
        if row["event_id"] is not None:
            reached = Reached(Cursor(row["event_ts"], row["event_id"]), row["offset_minutes"])
        events = reading.decoded(row["events"]) if row["events"] is not None else []
        stretch = Stretch(events, reached, _answers(self._with_events, row))
        return Opened(learners.row_of(row), row["marks"], row["is_ahead"], row["n"], stretch)

    async def beside(self, session: ReadSession, user_id: UUID, until: datetime) -> Answers:
        """What folds read together with events, up to and with an instant of event time."""
        return _answers(self._with_events, await session.driver().fetchrow(self._beside, user_id, until))

    async def of_items(
        self, session: ReadSession, user_id: UUID, events: Sequence[LoggedEvent]
    ) -> tuple[dict[ItemKey, Item], Answers]:
        """What the catalogue says of the items of these events, and what folds have to know of them."""
        named = [sorted({event.data[name] for event in events if event.data.get(name)}) for name in _ID_NAMES]
        if not any(named):
            return {}, {}
        given = sorted({topic for event in events for topic in event.topic_ids})
        row: Any = await session.driver().fetchrow(self._ask, user_id, *named, given)
        found = msgspec.json.decode(row["items"] or "[]", type=list[tuple[str, str, tuple[str, ...], int]])
        items = {ItemKey(kind, item_id): Item(topics, options) for kind, item_id, topics, options in found}
        return items, _answers(self._of_items, row)


Decoders = dict[Reading[Any], msgspec.json.Decoder[Any]]


def _decoders(asked: Any) -> Decoders:
    return {one: msgspec.json.Decoder(one.kind) for readings in asked for one in readings}


def _columns(decoders: Decoders, shape: str = "{}") -> str:
    return "".join(f",\n{shape.format(one.sql)}::text as r{n}" for n, one in enumerate(decoders))


def _answers(decoders: Decoders, row: Any) -> Answers:
    return {
        one: decoder.decode(row[f"r{n}"])
        for n, (one, decoder) in enumerate(decoders.items())
        if row[f"r{n}"] is not None
    }
