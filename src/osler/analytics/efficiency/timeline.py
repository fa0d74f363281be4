"""A stretch of a learner's log as columns, no more of it than study sessions need: how it is read, what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from operator import add
from typing import Any
from uuid import UUID

import msgspec
import numpy as np

from osler.science.sessions import RIDES_ALONG, split
from osler.science.spans import Ints
from osler.science.study_time import US, Effect, Marks

LONGEST_BEAT_US = 120 * US

Label = tuple[str, tuple[str, ...]]
"""What time is spent on: a kind of study, and topics where they are known."""
NO_LABEL: Label = ("other", ())


class Timeline(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Events of one learner in fold order, a list for each column, all of one length.

    `ts_us` and `at_us` are the id's time and the corrected instant in microseconds since 1970, `local_day` the days
    since 1970. `word` is the state of a focus change, the reason of an end, or the kind of a material. `seconds` is
    the stated time of an answer, or the active time of a heartbeat on a page that could be seen. `right` is the
    stored grade, for a card a rating of 2 or more. `item` is the id of a question, card or material after `q`, `c` or
    `m`; `topics` were given by an import.
    """

    event_id: list[str]
    ts_us: list[int]
    at_us: list[int]
    event_type: list[str]
    session_id: list[str | None]
    device: list[str]
    word: list[str | None]
    utc_offset_minutes: list[int]
    local_day: list[int]
    seconds: list[float | None]
    right: list[bool | None]
    item: list[str | None]
    topics: list[tuple[str, ...] | None]

    def __len__(self) -> int:
        return len(self.event_id)

    def followed_by(self, later: Timeline | None) -> Timeline:
        """These events, and later ones after them."""
        return self if later is None else Timeline(*map(add, self._columns(), later._columns()))

    def since(self, place: int) -> Timeline:
        """The events from a place on."""
        return Timeline(*(column[place:] for column in self._columns())) if place else self

    def _columns(self) -> tuple[list[Any], ...]:
        return tuple(getattr(self, name) for name in self.__struct_fields__)


_QUOTED = ", ".join(f"'{name}'" for name in sorted(RIDES_ALONG - {"question_regrade"}))

# The rows of a timeline, to be narrowed by the one who asks. Sums of whole microseconds: a float of seconds since
# 1970 is good to a quarter of one.
_EVENTS = f"""
select e.event_id, e.event_ts, (date_part('epoch', e.event_ts) * 1000000)::bigint as ts_us,
       (date_part('epoch', e.effective_at) * 1000000)::bigint as at_us, e.event_type,
       e.session_id, coalesce(e.device_id, '') as device,
       case e.event_type when 'session_focus' then e.data->>'state' when 'session_end' then e.data->>'reason'
            else e.data->>'kind' end as word,
       e.utc_offset_minutes, e.local_date - date '1970-01-01' as local_day,
       case e.event_type
            when 'session_heartbeat' then
                 case when (e.data->>'visible')::boolean is not false then e.data->'active_seconds' end
            when 'question_submit' then e.data->'time_to_answer_seconds'
            when 'flashcard_review' then e.data->'time_to_answer_seconds' end as seconds,
       case e.event_type when 'flashcard_review' then (e.data->>'rating')::int >= 2 else e.is_correct end as is_right,
       coalesce('q' || (e.data->>'question_id'), 'c' || (e.data->>'card_id'), 'm' || (e.data->>'material_id')) as item,
       e.topic_ids, e.data
  from %s e
 where e.user_id = $1 and e.event_type not in ({_QUOTED})
"""
EVENTS = _EVENTS % "study_events"
NEW_EVENTS = _EVENTS % "e"
"""The same of the events that a fold is about to fold (`Reading.newly`)."""

COLUMNS = ", ".join(
    f"json_agg({name} order by event_ts, event_id) filter (where event_type <> 'question_regrade')"
    for name in (
        "event_id", "ts_us", "at_us", "event_type", "session_id", "device", "word", "utc_offset_minutes", "local_day",
        "seconds", "is_right", "item", "topic_ids",
    )
)  # fmt: skip

ANSWERS = frozenset({"question_submit", "flashcard_review"})
_EFFECTS = {
    "session_pause": Effect.PAUSE,
    "session_resume": Effect.RESUME,
    "session_heartbeat": Effect.BEAT,
    "session_end": Effect.OTHER,
    "question_submit": Effect.ANSWER,
    "flashcard_review": Effect.ANSWER,
}


class Catalogue(msgspec.Struct, array_like=True, frozen=True):
    """Topics of the items that a timeline names, as the catalogue has them, and of materials the kind."""

    topics: dict[str, tuple[str, ...]] = {}
    kinds: dict[str, str] = {}


class Laid(msgspec.Struct, frozen=True):
    """A timeline laid out in sessions.

    `place` names the events that are in a session, `marks` are those as the clock of study time sees them, `labels`
    what the numbers in them mean, in order; `closed` tells of each session whether it was ended explicitly.
    """

    place: Ints
    marks: Marks
    labels: list[Label]
    closed: list[bool]

    def members(self) -> list[tuple[int, int]]:
        """(place, session) of each event that is in one."""
        return list(zip(self.place.tolist(), self.marks.session.tolist(), strict=True))


def lay_out(timeline: Timeline, known: Catalogue) -> Laid | None:
    """Cut a timeline into sessions; None where there is none."""
    reasons = timeline.word
    member, closed = split(timeline.at_us, timeline.event_type, timeline.session_id, timeline.device, reasons)
    if not closed:
        return None
    session = np.array(member, dtype=np.int64)
    place = np.flatnonzero(session >= 0)
    codes, labels = _labels(timeline, known, member)
    effect = _effects(timeline)[place]
    devices = {name: number for number, name in enumerate(dict.fromkeys(timeline.device))}
    marks = Marks(
        session=session[place],
        at_us=_forward(np.array(timeline.at_us, dtype=np.int64)[place], session[place]),
        device=np.array([devices[name] for name in timeline.device], dtype=np.int64)[place],
        effect=effect,
        stated_us=_stated(timeline, effect, place),
        label=np.array(codes, dtype=np.int64)[place],
        unlabelled=labels.index(NO_LABEL),
    )
    return Laid(place, marks, labels, closed)


def _effects(timeline: Timeline) -> Ints:
    effects = np.array([_EFFECTS.get(kind, Effect.STUDY) for kind in timeline.event_type], dtype=np.int64)
    for at, kind in enumerate(timeline.event_type):
        if kind == "session_focus":
            effects[at] = Effect.HIDDEN if timeline.word[at] == "hidden" else Effect.VISIBLE
    return effects


def _stated(timeline: Timeline, effect: Ints, place: Ints) -> Ints:
    stated = (np.array([seconds or 0.0 for seconds in timeline.seconds])[place] * US).astype(np.int64)
    return np.where(effect == Effect.BEAT, np.minimum(stated, LONGEST_BEAT_US), stated)


def _forward(at_us: Ints, session: Ints) -> Ints:
    """Instants that never go back inside a session, whatever a corrected clock says."""
    back = np.flatnonzero((at_us[1:] < at_us[:-1]) & (session[1:] == session[:-1]))
    edges: list[int] = np.flatnonzero(np.diff(session, prepend=-1, append=-1)).tolist()
    for low, high in pairwise(edges if back.size else []):
        at_us[low:high] = np.maximum.accumulate(at_us[low:high])
    return at_us


def _labels(timeline: Timeline, known: Catalogue, member: Sequence[int]) -> tuple[list[int], list[Label]]:
    """For each event the number of its label, -1 where it has none; and the labels by number, in their order."""
    codes: dict[Label, int] = {NO_LABEL: 0}
    made: list[int] = []
    told: dict[tuple[int, str], str] = {}
    columns = zip(member, timeline.event_type, timeline.item, timeline.topics, timeline.word, strict=True)
    for session, event_type, item, topics, word in columns:
        kind = _kind(event_type)
        if kind is None and item is not None and item[0] == "m" and session >= 0:
            if word is not None:
                told[session, item] = word
            kind = told.get((session, item)) or known.kinds.get(item) or "other"
        if kind is None:
            made.append(-1)
        else:
            label = kind, (known.topics.get(item) if item is not None else None) or topics or ()
            made.append(codes.setdefault(label, len(codes)))
    labels = sorted(codes)
    rank = {codes[label]: number for number, label in enumerate(labels)}
    return [rank.get(code, -1) for code in made], labels


@cache
def _kind(event_type: str) -> str | None:
    """What a learner is busy with where the type alone says it: questions, cards or the coach."""
    if event_type.startswith("question_"):
        return "questions"
    if event_type == "flashcard_review":
        return "cards"
    return "coach" if event_type.startswith("coach_") else None


def corrected(timeline: Timeline, regraded: Mapping[UUID, bool]) -> Timeline:
    """The timeline with the grades that corrected keys gave, by attempt."""
    if not regraded:
        return timeline
    grades = {str(attempt): is_correct for attempt, is_correct in regraded.items()}
    right = [
        grades.get(event_id, is_right) for event_id, is_right in zip(timeline.event_id, timeline.right, strict=True)
    ]
    return msgspec.structs.replace(timeline, right=right)
