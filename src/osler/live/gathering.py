"""What is read before a fold, in one round trip: where the learner stands, what is new, what folds need of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from osler.analytics.contract import Item, ItemKey, LearnerSettings, LiveFold, Reading
from osler.db.session import ReadSession, WriteSession
from osler.domain.events import Cursor, LoggedEvent
from osler.eventlog import marks, reading
from osler.eventlog.reading import Reached
from osler.live import learners
from osler.live.held import Held
from osler.live.learners import LearnerRow

REGRADE = "question_regrade"
AHEAD = timedelta(days=7)
"""No event is taken whose time lies so far in the future: months after that need not even be opened."""

# What is known of the items that `asked` names.
_OF_ITEMS = """
items as materialized (
  select 'question' as kind, question_id as item_id, topic_ids, coalesce(option_count, 0) as options, false as is_out
    from questions where question_id = any((select questions from asked)::text[]) union all
  select 'card', card_id, topic_ids, 0, is_suspended
    from cards where user_id = $1 and card_id = any((select cards from asked)::text[]) union all
  select 'material', material_id, topic_ids, 0, false
    from materials where material_id = any((select materials from asked)::text[])),
asked_topics as materialized (
  select array_agg(distinct t) as topic_ids
    from (select unnest(topic_ids) as t from items union all select unnest(topics) from asked) named)
"""
_ITEMS = "(select json_agg(json_build_array(kind, item_id, topic_ids, options, is_out)) from items)::text as items"
_MARKED = "marked as materialized (select count(*) as n, min(min_event_ts) as oldest from taken)"
_ASKED = f"""
told as materialized (select * from e where event_type = any($3::text[])),
asked as materialized (
  select array_agg(data->>'question_id') filter (where data ? 'question_id') as questions,
         array_agg(data->>'card_id') filter (where data ? 'card_id') as cards,
         array_agg(data->>'material_id') filter (where data ? 'material_id') as materials,
         (select array_agg(t) from told, unnest(topic_ids) t) as topics
    from told),
{_OF_ITEMS}
"""
_NEW = f"""
(select count(*) from e) as n,
(select json_agg({reading.AS_JSON} order by e.event_ts, e.event_id) from told e)::text as events,
n.event_ts, n.event_id, n.utc_offset_minutes as offset_minutes, {_ITEMS}"""
_NEWEST = """
left join lateral (select event_ts, event_id, utc_offset_minutes from e order by 1 desc, 2 desc limit 1) n on true"""

# One statement and so one snapshot: no mark is deleted whose events are not seen. What can only be folded by starting
# anew (an event at or before the cursor, a learner without one) is left to a refold, which reads for itself.
_OPEN = f"""
with taken as ({marks.take_live()}),
{_MARKED},
learner as materialized ({learners.READ}),
place as materialized (
  select coalesce(not l.is_stale and m.oldest > l.cursor_ts
                  and (l.settled_as_of is null or m.oldest > l.settled_as_of), false) as is_ahead,
         l.cursor_ts, l.cursor_id from learner l, marked m),
e as materialized (
  select * from study_events where user_id = $1 and event_ts <= $2 and (select is_ahead from place)
     and event_ts >= (select cursor_ts from place)
     and (event_ts, event_id) > (select cursor_ts, cursor_id from place)),
{_ASKED}
select l.*, m.n as marks, p.is_ahead, {_NEW}%s
  from learner l, marked m, place p {_NEWEST}
"""

# The same where this process made the learner's last fold, which the row's number tells, and so knows how it left them.
# It does not read it again, and as the cursor comes as a parameter the months before it are not opened: they cost more
# than what is read. Where somebody else was there meanwhile nothing is taken and nothing is found.
_GO_ON = f"""
with learner as materialized (
  select u.desired_retention from learner_states s left join users u using (user_id)
   where s.user_id = $1 and s.generation = $4 and not s.is_stale
     and (select max(version) from catalog_versions) is not distinct from $5),
taken as ({marks.take_live("exists (select from learner)")}),
{_MARKED},
place as materialized (
  select coalesce(oldest > $6::timestamptz and oldest > $8::timestamptz, false) as is_ahead from marked),
e as materialized (
  select * from study_events where user_id = $1 and event_ts >= $6 and event_ts <= $2
     and (event_ts, event_id) > ($6, $7::uuid) and (select is_ahead from place)),
{_ASKED}
select l.desired_retention, m.n as marks, p.is_ahead, {_NEW}%s
  from learner l, marked m, place p {_NEWEST}
"""
_ASK = f"""
with asked as materialized (
  select $2::text[] as questions, $3::text[] as cards, $4::text[] as materials, $5::text[] as topics),
{_OF_ITEMS}
select {_ITEMS}%s
"""
_ID_NAMES = ("question_id", "card_id", "material_id")

Answers = Mapping[Reading[Any], Any]
Items = Mapping[ItemKey, Item]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a learner's log to be folded: the events that folds look at, the last of any type, the answers.

    `items` is what the catalogue says of the items of these events; None where that has still to be asked.
    """

    events: Sequence[LoggedEvent] = ()
    reached: Reached | None = None
    answers: Answers = field(default_factory=dict[Reading[Any], Any])
    items: Items | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """Where a learner stands. `marks` were taken; what is new can be folded on top only when `is_ahead`.

    `held` is what the fold before kept, where it was in this process; what was read is then no more than what is new.
    """

    row: LearnerRow
    marks: int
    is_ahead: bool
    events: int
    stretch: Stretch
    held: Answers


class Gathering:
    """The statements that the folds of an installation ask together."""

    def __init__(self, folds: Sequence[LiveFold]) -> None:
        self.event_types = sorted({REGRADE, *(name for fold in folds for name in fold.event_types)})
        self._with_events = _decoders(fold.with_events for fold in folds)
        self._of_items = _decoders(fold.of_items for fold in folds)
        self._all = {**self._with_events, **self._of_items}
        self._open = _OPEN % _columns(self._all, _when_ahead)
        self._go_on = _GO_ON % _columns(self._all, _newly)
        self._beside = f"select $2::timestamptz{_columns(self._with_events)}"
        self._ask = _ASK % _columns(self._of_items)

    async def open(self, session: WriteSession, user_id: UUID, now: datetime, held: Held | None = None) -> Opened:
        """Take the learner's marks, and read with them where the learner stands and all about what is new."""
        until = now + AHEAD
        if held is not None and held.row.cursor is not None:
            row, cursor = held.row, held.row.cursor
            found: Any = await session.driver().fetchrow(
                self._go_on, user_id, until, self.event_types, row.generation, row.catalogue and row.catalogue[1],
                cursor.event_ts, cursor.event_id, row.settled_as_of or cursor.event_ts,
            )  # fmt: skip
            if found is not None:
                settings = LearnerSettings(desired_retention=found["desired_retention"])
                return self._opened(found, replace(row, settings=settings), held.kept)
        found = await session.driver().fetchrow(self._open, user_id, until, self.event_types)
        return self._opened(found, learners.row_of(found), {})

    def _opened(self, found: Any, row: LearnerRow, held: Answers) -> Opened:
        reached = None
        if found["event_id"] is not None:
            reached = Reached(Cursor(found["event_ts"], found["event_id"]), found["offset_minutes"])
        events = reading.decoded(found["events"]) if found["events"] is not None else []
        stretch = Stretch(events, reached, _answers(self._all, found), _items(found))
        return Opened(row, found["marks"], found["is_ahead"], found["n"], stretch, held)

    async def beside(self, session: ReadSession, user_id: UUID, until: datetime) -> Answers:
        """What folds read together with events, up to and with an instant of event time."""
        return _answers(self._with_events, await session.driver().fetchrow(self._beside, user_id, until))

    async def of_items(
        self, session: ReadSession, user_id: UUID, events: Sequence[LoggedEvent]
    ) -> tuple[Items, Answers]:
        """What the catalogue says of the items of these events, and what folds have to know of them."""
        named = [sorted({event.data[name] for event in events if event.data.get(name)}) for name in _ID_NAMES]
        if not any(named):
            return {}, {}
        given = sorted({topic for event in events for topic in event.topic_ids})
        row: Any = await session.driver().fetchrow(self._ask, user_id, *named, given)
        return _items(row), _answers(self._of_items, row)


Decoders = dict[Reading[Any], msgspec.json.Decoder[Any]]
_decode_items = msgspec.json.Decoder(list[tuple[str, str, tuple[str, ...], int, bool]]).decode


def _decoders(asked: Any) -> Decoders:
    return {one: msgspec.json.Decoder(one.kind) for readings in asked for one in readings}


def _whole(one: Reading[Any]) -> str:
    return one.sql


def _when_ahead(one: Reading[Any]) -> str:
    return f"case when (select is_ahead from place) then {one.sql} end"


def _newly(one: Reading[Any]) -> str:
    return one.newly or one.sql


def _columns(decoders: Decoders, said: Callable[[Reading[Any]], str] = _whole) -> str:
    return "".join(f",\n({said(one)})::text as r{n}" for n, one in enumerate(decoders))


def _answers(decoders: Decoders, row: Any) -> Answers:
    return {
        one: decoder.decode(text)
        for n, (one, decoder) in enumerate(decoders.items())
        if (text := row[f"r{n}"]) is not None
    }


def _items(row: Any) -> Items:
    if row["items"] is None:
        return {}
    return {
        ItemKey(kind, item_id): Item(topics, options, is_suspended)
        for kind, item_id, topics, options, is_suspended in _decode_items(row["items"])
    }
