"""What was answered, by Osler's own log? Questions and cards in the order in which the live fold takes them.

`osler export` writes the catalogue first, then events with what the server concluded under `stored`. Cards are no rows
of the task: what a learner knows moves with them, so they are folded, as they are live. Only a card's first review of
a local day says something new, crams never do, and a card that was reset begins anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import msgspec

from osler.domain.local_day import local_day
from osler.errors import UnreadableSource

QUESTION, CARD, RESET, REGRADE = "question_submit", "flashcard_review", "flashcard_reset", "question_regrade"
ONLY_LEARNER = "the learner"
UUID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class Row:
    """One row as read. `is_card`: it is folded, and neither forecast nor learnt from.

    `cohort` and `group` are what the source says of the learner, "" where it says nothing.
    """

    learner: str
    item: str
    topics: tuple[str, ...]
    correct: float
    at: float
    order: str
    is_card: bool = False
    cohort: str = ""
    group: str = ""


class _Concluded(msgspec.Struct):
    is_correct: bool | None = None
    effective_at: str | None = None
    local_date: date | None = None


class _Data(msgspec.Struct):
    question_id: str | None = None
    card_id: str | None = None
    rating: int | None = None
    affects_schedule: bool = True
    is_correct: bool | None = None
    attempt_event_id: str | None = None
    key_version: int = 0
    topic_ids: tuple[str, ...] | None = None


class _Line(msgspec.Struct):
    type: str = ""
    occurred_at: str = ""
    id: str = ""
    user_id: str = ONLY_LEARNER
    is_correct: bool | None = None
    topic_ids: tuple[str, ...] | None = None
    stored: _Concluded = msgspec.field(default_factory=_Concluded)
    data: msgspec.Raw = msgspec.Raw(b"{}")
    catalogue: str | None = None
    table: str | None = None
    row: msgspec.Raw = msgspec.Raw(b"{}")


class _Item(msgspec.Struct):
    question_id: str | None = None
    card_id: str | None = None
    user_id: str = ONLY_LEARNER
    topic_ids: tuple[str, ...] = ()


class _Member(msgspec.Struct):
    cohort_id: str
    user_id: str
    role: str = "learner"


@dataclass(frozen=True, slots=True)
class _Event:
    line: _Line
    data: _Data
    at: datetime
    on: date


@dataclass(slots=True)
class _Read:
    """What the lines have said so far: topics of items, cohorts of learners, corrected grades, events."""

    topics: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict[tuple[str, str], tuple[str, ...]])
    cohorts: dict[str, str] = field(default_factory=dict[str, str])
    regraded: dict[str, tuple[int, bool]] = field(default_factory=dict[str, tuple[int, bool]])
    events: list[_Event] = field(default_factory=list[_Event])


def log_rows(lines: Iterable[tuple[str, str]]) -> Iterator[Row]:
    """The answers of a log, learner by learner in the order of the fold.

    `lines` are (where it stands, text). Errors: UnreadableSource, saying where.
    """
    read, line_of, data_of = _Read(), msgspec.json.Decoder(_Line), msgspec.json.Decoder(_Data)
    for place, text in lines:
        if not text.strip():
            continue
        try:
            line = line_of.decode(text)
            if "questions" in (line.catalogue, line.table) or "cards" in (line.catalogue, line.table):
                _take_item(read, _ITEM.decode(line.row))
            elif line.table == "cohort_members":
                _take_member(read, _MEMBER.decode(line.row))
            elif line.type in (QUESTION, CARD, RESET, REGRADE):
                _take_event(read, line, data_of.decode(line.data))
        except (msgspec.DecodeError, ValueError) as bad:
            raise UnreadableSource(f"{place}: {bad}") from bad
    first: dict[str, int] = {}
    for event in read.events:
        first.setdefault(event.line.user_id, len(first))
    read.events.sort(key=lambda event: (first[event.line.user_id], *_moment(event)))
    yield from _answers(read)


def _moment(event: _Event) -> tuple[float, str]:
    """The order of the fold: the id's own time, then the id; where an id has no time, the instant as it was sent."""
    event_id = event.line.id
    if len(event_id) == UUID_LENGTH and event_id[14] == "7":
        return float(int(event_id[:8] + event_id[9:13], 16)), event_id
    return event.at.timestamp() * 1000.0, ""


_ITEM, _MEMBER = msgspec.json.Decoder(_Item), msgspec.json.Decoder(_Member)


def _take_member(read: _Read, member: _Member) -> None:
    if member.role == "learner":
        read.cohorts.setdefault(member.user_id, member.cohort_id)


def _take_item(read: _Read, item: _Item) -> None:
    if item.question_id is not None:
        read.topics[QUESTION, item.question_id] = item.topic_ids
    elif item.card_id is not None:
        read.topics[CARD, item.card_id] = item.topic_ids


def _take_event(read: _Read, line: _Line, data: _Data) -> None:
    occurred = datetime.fromisoformat(line.occurred_at)
    if line.type == REGRADE:
        kept = read.regraded.get(data.attempt_event_id or "", (-1, False))
        if data.attempt_event_id and data.is_correct is not None and data.key_version >= kept[0]:
            read.regraded[data.attempt_event_id] = (data.key_version, data.is_correct)
        return
    at = datetime.fromisoformat(line.stored.effective_at) if line.stored.effective_at else occurred
    on = line.stored.local_date or local_day(occurred)
    read.events.append(_Event(line, data, at if at.tzinfo else at.replace(tzinfo=UTC), on))


def _answers(read: _Read) -> Iterator[Row]:
    reviewed: dict[tuple[str, str], date] = {}
    for event in read.events:
        line, data = event.line, event.data
        at, user = event.at.timestamp(), line.user_id
        if line.type == QUESTION and data.question_id:
            grade = _grade(read, event)
            topics = read.topics.get((QUESTION, data.question_id)) or line.topic_ids or data.topic_ids or ()
            if grade is not None:
                cohort = read.cohorts.get(user, "")
                yield Row(user, data.question_id, topics, float(grade), at, line.id, cohort=cohort)
        elif line.type == RESET and data.card_id:
            reviewed.pop((user, data.card_id), None)
        elif line.type == CARD and data.card_id and data.rating is not None and data.affects_schedule:
            before = reviewed.get((user, data.card_id))
            reviewed[user, data.card_id] = max(before or event.on, event.on)
            if before != event.on:
                topics = read.topics.get((CARD, data.card_id)) or line.topic_ids or ()
                name = f"card {user} {data.card_id}"
                yield Row(user, name, topics, float(data.rating > 1), at, line.id, is_card=True)


def _grade(read: _Read, event: _Event) -> bool | None:
    if event.line.id in read.regraded:
        return read.regraded[event.line.id][1]
    for grade in (event.line.stored.is_correct, event.line.is_correct, event.data.is_correct):
        if grade is not None:
            return grade
    return None
