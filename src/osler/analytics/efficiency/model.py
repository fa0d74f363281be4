"""What was in each study session: time, answers, breaks, interruptions, by day, hour, kind and topic?

Where sessions begin and end is told by `osler.science.sessions`, active time by `osler.science.study_time`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from uuid import UUID

from osler.domain.events import LoggedEvent
from osler.domain.local_day import DEFAULT_DAY_START_MINUTES, local_day
from osler.science.sessions import split
from osler.science.spans import union
from osler.science.study_time import US, Effect, Label, Mark, StudyTime, measure

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ANSWERS = frozenset({"question_submit", "flashcard_review"})

TopicsOf = Callable[[LoggedEvent], tuple[str, ...]]
KindOf = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class TopicShare:
    """What one session gave to one topic; time on several topics is split evenly, attempts count for each."""

    active_seconds: float
    attempts: int
    correct: int


@dataclass(frozen=True, slots=True)
class StudySession:
    """One study session of a learner, whole: a function of the events in it and nothing else.

    Units: seconds; local days and hours are wall clock. `active_by_hour` maps (local day, wall-clock hour) to active
    seconds and sums to `active_seconds`; `total_by_day` likewise. `first_event` and `last_event` are fold keys.
    `has_signals` is false when the client sent no pause or visibility event: then interruptions are unknown, not 0.
    """

    session_id: str
    first_event: tuple[datetime, UUID]
    last_event: tuple[datetime, UUID]
    started_at: datetime
    ended_at: datetime
    utc_offset_minutes: int
    local_date: date
    ended_explicitly: bool
    events: int
    total_seconds: float
    active_seconds: float
    multitasked_seconds: float
    hidden_seconds: float
    interruptions: int
    has_signals: bool
    break_seconds: tuple[float, ...]
    questions: int
    graded: int
    correct: int
    reviews: int
    reviews_passed: int
    materials: int
    topic_switches: int
    total_by_day: Mapping[date, float]
    active_by_hour: Mapping[tuple[date, int], float]
    active_by_kind: Mapping[str, float]
    by_topic: Mapping[str, TopicShare]

    @property
    def active_by_day(self) -> dict[date, float]:
        """Active seconds of each local day that the session touches."""
        days = dict.fromkeys(self.total_by_day, 0.0)
        for (day, _hour), seconds in self.active_by_hour.items():
            days[day] = days.get(day, 0.0) + seconds
        return days


_EFFECTS = {
    "session_pause": Effect.PAUSE,
    "session_resume": Effect.RESUME,
    "session_heartbeat": Effect.BEAT,
    "session_end": Effect.OTHER,
    "question_submit": Effect.ANSWER,
    "flashcard_review": Effect.ANSWER,
}


def _effect(event: LoggedEvent) -> Effect:
    if event.event_type == "session_focus":
        return Effect.HIDDEN if event.data.get("state") == "hidden" else Effect.VISIBLE
    return _EFFECTS.get(event.event_type, Effect.STUDY)


def _stated_us(event: LoggedEvent) -> int:
    if event.event_type in ANSWERS:
        return int(float(event.data.get("time_to_answer_seconds") or 0) * US)
    if event.event_type == "session_heartbeat" and event.data.get("visible", True):
        return int(min(float(event.data.get("active_seconds") or 0), 120.0) * US)
    return 0


def _kind(event: LoggedEvent, kinds: dict[str, str], kind_of: KindOf) -> str | None:
    """What a learner is busy with: questions, cards, coach, or the kind of the material."""
    if event.event_type.startswith("question_"):
        return "questions"
    if event.event_type == "flashcard_review":
        return "cards"
    if event.event_type.startswith("coach_"):
        return "coach"
    material = event.data.get("material_id")
    if material is None:
        return None
    if "kind" in event.data:
        kinds[str(material)] = str(event.data["kind"])
    return kinds.get(str(material)) or kind_of(str(material)) or "other"


def _us(at: datetime) -> int:
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * US + since.microseconds


def _marks(events: Sequence[LoggedEvent], topics_of: TopicsOf, kind_of: KindOf) -> list[Mark]:
    marks: list[Mark] = []
    kinds: dict[str, str] = {}
    last_us = 0
    for event in events:
        at_us = last_us = max(_us(event.effective_at), last_us)
        kind = _kind(event, kinds, kind_of)
        label: Label | None = None if kind is None else (kind, topics_of(event))
        marks.append(Mark(at_us, event.device_id or "", _effect(event), _stated_us(event), label))
    return marks


def _cut_by_hour(start_us: int, end_us: int, offset: int, day_start: int) -> Iterator[tuple[date, int, int]]:
    """A stretch cut at wall-clock hours and at the start of the local day: (local day, hour, microseconds)."""
    zone = timezone(timedelta(minutes=offset))
    step, shift = 3600 * US, offset * 60 * US
    boundary = day_start * 60 * US % step
    while start_us < end_us:
        wall = start_us + shift
        stop = min(end_us, (wall // step + 1) * step - shift, ((wall - boundary) // step + 1) * step + boundary - shift)
        at = datetime.fromtimestamp(start_us // US, zone)
        yield local_day(at, day_start), at.hour, stop - start_us
        start_us = stop


def _topic_shares(time: StudyTime, events: Sequence[LoggedEvent], topics_of: TopicsOf) -> dict[str, TopicShare]:
    seconds: dict[str, float] = {}
    counts: dict[str, tuple[int, int]] = {}
    for piece in time.pieces:
        for topic in piece.label[1]:
            share = (piece.end_us - piece.start_us) / len(piece.label[1]) / US
            seconds[topic] = seconds.get(topic, 0.0) + share
    for event in events:
        if event.event_type in ANSWERS:
            for topic in topics_of(event):
                n, right = counts.get(topic, (0, 0))
                counts[topic] = (n + 1, right + is_right(event))
    return {
        topic: TopicShare(seconds.get(topic, 0.0), *counts.get(topic, (0, 0))) for topic in sorted({*seconds, *counts})
    }


def is_right(event: LoggedEvent) -> bool:
    """Whether an answer counts as right: a question by its stored grade, a card by a rating of 2 or more."""
    if event.event_type == "flashcard_review":
        return int(event.data.get("rating", 0)) >= 2
    return event.is_correct is True


def summarise(
    events: Sequence[LoggedEvent], *, closed: bool, topics_of: TopicsOf, kind_of: KindOf, day_start_minutes: int
) -> StudySession:
    """One session's figures from its events (at least one, in fold order)."""
    marks = _marks(events, topics_of, kind_of)
    time = measure(marks)
    first, last = events[0], events[-1]
    offset = first.utc_offset_minutes
    by_hour: dict[tuple[date, int], int] = {}
    by_kind: dict[str, int] = {}
    for piece in time.pieces:
        by_kind[piece.label[0]] = by_kind.get(piece.label[0], 0) + piece.end_us - piece.start_us
    for start, end in union((piece.start_us, piece.end_us) for piece in time.pieces):
        for day, hour, amount in _cut_by_hour(start, end, offset, day_start_minutes):
            by_hour[day, hour] = by_hour.get((day, hour), 0) + amount
    by_day: dict[date, int] = {first.local_date: 0}
    for day, _hour, amount in _cut_by_hour(marks[0].at_us, marks[-1].at_us, offset, day_start_minutes):
        by_day[day] = by_day.get(day, 0) + amount
    questions = [e for e in events if e.event_type == "question_submit"]
    reviews = [e for e in events if e.event_type == "flashcard_review"]
    topics = [found for e in events if e.event_type in ANSWERS and (found := frozenset(topics_of(e)))]
    return StudySession(
        session_id=next((e.session_id for e in events if e.session_id), str(first.event_id)),
        first_event=first.order,
        last_event=last.order,
        started_at=first.effective_at,
        ended_at=max(first.effective_at, first.effective_at + timedelta(microseconds=marks[-1].at_us - marks[0].at_us)),
        utc_offset_minutes=offset,
        local_date=first.local_date,
        ended_explicitly=closed,
        events=len(events),
        total_seconds=(marks[-1].at_us - marks[0].at_us) / US,
        active_seconds=time.active_us / US,
        multitasked_seconds=time.multitasked_us / US,
        hidden_seconds=time.hidden_us / US,
        interruptions=time.pauses + time.hidden_spans,
        has_signals=time.signals,
        break_seconds=tuple(us / US for us in time.breaks_us),
        questions=len(questions),
        graded=sum(e.is_correct is not None for e in questions),
        correct=sum(map(is_right, questions)),
        reviews=len(reviews),
        reviews_passed=sum(map(is_right, reviews)),
        materials=len({e.data["material_id"] for e in events if e.event_type == "material_open"}),
        topic_switches=sum(a != b for a, b in pairwise(topics)),
        total_by_day={day: us / US for day, us in sorted(by_day.items())},
        active_by_hour={key: us / US for key, us in sorted(by_hour.items())},
        active_by_kind={kind: us / US for kind, us in sorted(by_kind.items())},
        by_topic=_topic_shares(time, events, topics_of),
    )


def _own_topics(event: LoggedEvent) -> tuple[str, ...]:
    return event.topic_ids


def _unknown_kind(_material_id: str) -> str | None:
    return None


def sessionise(
    events: Iterable[LoggedEvent],
    *,
    topics_of: TopicsOf = _own_topics,
    kind_of: KindOf = _unknown_kind,
    day_start_minutes: int = DEFAULT_DAY_START_MINUTES,
) -> list[StudySession]:
    """All study sessions of one learner's events, given in fold order from the log's start or any session's start.

    `topics_of` names an event's topics (the catalogue knows them), `kind_of` a material's kind where no open event did.
    """
    return [
        summarise(own, closed=closed, topics_of=topics_of, kind_of=kind_of, day_start_minutes=day_start_minutes)
        for own, closed in split(events)
    ]


def refold_from(sessions: Sequence[StudySession], changed: tuple[datetime, UUID]) -> tuple[datetime, UUID] | None:
    """The fold key from which sessions must be made anew after an event at `changed`; None for the whole log."""
    earlier = [session.first_event for session in sessions if session.first_event <= changed]
    return max(earlier) if earlier else None
