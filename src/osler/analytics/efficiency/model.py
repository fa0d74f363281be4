"""What was in each study session: time, answers, breaks, interruptions, by day, hour, kind and topic?

Where sessions begin and end is told by `osler.science.sessions`, active time by `osler.science.study_time`. All
sessions of a timeline are made at once; one alone is made the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import numpy as np

from osler.analytics.efficiency.hours import EPOCH_DAY, by_hour, summed
from osler.analytics.efficiency.timeline import ANSWERS, Catalogue, Laid, Timeline, lay_out
from osler.domain.local_day import DEFAULT_DAY_START_MINUTES
from osler.science.spans import Spans
from osler.science.study_time import US, StudyTimes, measure

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TopicShare(NamedTuple):
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


_NOTHING_KNOWN = Catalogue()
Spent = list[tuple[int, int, int]]
"""Active time: (session, label, microseconds)."""


def sessionise(
    timeline: Timeline, known: Catalogue = _NOTHING_KNOWN, *, day_start_minutes: int = DEFAULT_DAY_START_MINUTES
) -> list[StudySession]:
    """All study sessions of a timeline, which begins at the log's start or at any session's first event.

    `known` is what the catalogue says; it goes before the topics that an import gave, after a kind that was told.
    """
    laid = lay_out(timeline, known)
    if laid is None:
        return []
    times = measure(laid.marks)
    made = _Made(timeline, laid, times, day_start_minutes)
    return [made.session(number) for number in range(len(laid.closed))]


class _Made:
    """What sessions are made of, each figure counted for all of them at once."""

    def __init__(self, timeline: Timeline, laid: Laid, times: StudyTimes, day_start_minutes: int) -> None:
        self._timeline, self._closed = timeline, laid.closed
        n = len(laid.closed)
        edges = np.flatnonzero(np.diff(laid.marks.session, prepend=-1, append=-1))
        self._first: list[int] = laid.place[edges[:-1]].tolist()
        self._last: list[int] = laid.place[edges[1:] - 1].tolist()
        self._events: list[int] = np.diff(edges).tolist()
        self._figures = _figures(times)
        self._named = _named(timeline, laid)
        answers = _Answers(timeline, laid)
        self._counts = _counts(answers, n)
        spent = _spent(laid, times)
        self._shares = _shares(laid, spent, answers, n)
        self._kinds = _by_kind(laid, spent, n)
        self._switches = _switches(answers, laid, n)
        self._materials = _materials(timeline, laid, n)
        offset = np.array([timeline.utc_offset_minutes[place] for place in self._first]) * 60 * US
        start = day_start_minutes * 60 * US
        active = times.active.moved(times.first_us[times.active_session])
        self._hours = by_hour(active, times.active_session, offset, start, n)
        whole = Spans(times.first_us, times.first_us + times.total_us)
        self._days = by_hour(whole, np.arange(n), offset, start, n)
        self._breaks: list[list[float]] = [[] for _ in range(n)]
        breaks: list[tuple[int, int]] = np.column_stack([times.break_session, times.breaks_us]).tolist()
        for number, us in breaks:
            self._breaks[number].append(us / US)

    def session(self, number: int) -> StudySession:
        """One session with everything in it."""
        timeline, first, last = self._timeline, self._first[number], self._last[number]
        started = instant(timeline.at_us[first])
        total, active, multitasked, hidden, interruptions, has_signals = self._figures[number]
        questions, graded, correct, reviews, passed = self._counts[number]
        day = date.fromordinal(EPOCH_DAY + timeline.local_day[first])
        by_day = {day: 0}
        for (on, _), us in self._days[number].items():
            by_day[on] = by_day.get(on, 0) + us
        return StudySession(
            session_id=self._named.get(number) or timeline.event_id[first],
            first_event=order_of(timeline, first),
            last_event=order_of(timeline, last),
            started_at=started,
            ended_at=started + timedelta(microseconds=total),
            utc_offset_minutes=timeline.utc_offset_minutes[first],
            local_date=day,
            ended_explicitly=self._closed[number],
            events=self._events[number],
            total_seconds=total / US,
            active_seconds=active / US,
            multitasked_seconds=multitasked / US,
            hidden_seconds=hidden / US,
            interruptions=interruptions,
            has_signals=has_signals,
            break_seconds=tuple(self._breaks[number]),
            questions=questions,
            graded=graded,
            correct=correct,
            reviews=reviews,
            reviews_passed=passed,
            materials=self._materials[number],
            topic_switches=self._switches[number],
            total_by_day={on: us / US for on, us in sorted(by_day.items())},
            active_by_hour={place: us / US for place, us in self._hours[number].items()},
            active_by_kind=self._kinds[number],
            by_topic=self._shares[number],
        )


def order_of(timeline: Timeline, place: int) -> tuple[datetime, UUID]:
    """The key of the fold of an event: time of its id, then the id."""
    return instant(timeline.ts_us[place]), UUID(timeline.event_id[place])


def instant(us: int) -> datetime:
    """Microseconds since 1970 as an instant."""
    return EPOCH + timedelta(microseconds=us)


def _figures(times: StudyTimes) -> list[tuple[int, int, int, int, int, bool]]:
    columns = (
        times.total_us, times.active_us, times.multitasked_us, times.hidden_us, times.pauses + times.hidden_spans,
        times.signals,
    )  # fmt: skip
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _named(timeline: Timeline, laid: Laid) -> dict[int, str]:
    """The first id that a client gave each session, where one did."""
    named: dict[int, str] = {}
    if any(timeline.session_id):
        for place, session in laid.members():
            if session not in named and (given := timeline.session_id[place]):
                named[session] = given
    return named


def _materials(timeline: Timeline, laid: Laid, n: int) -> list[int]:
    """How many materials each session opened."""
    opened: list[set[str | None]] = [set() for _ in range(n)]
    for place, session in laid.members():
        if timeline.event_type[place] == "material_open":
            opened[session].add(timeline.item[place])
    return [len(items) for items in opened]


class _Answers:
    """The answers and reviews of all sessions, in order. Shapes: (n,)."""

    def __init__(self, timeline: Timeline, laid: Laid) -> None:
        chosen = np.array([timeline.event_type[place] in ANSWERS for place, _ in laid.members()], dtype=bool)
        places: list[int] = laid.place[chosen].tolist()
        self.session, self.label = laid.marks.session[chosen], laid.marks.label[chosen]
        self.is_question = np.array([timeline.event_type[at] == "question_submit" for at in places], dtype=bool)
        self.is_graded = np.array([timeline.right[at] is not None for at in places], dtype=bool)
        self.is_right = np.array([timeline.right[at] is True for at in places], dtype=bool)


def _counts(answers: _Answers, n: int) -> list[tuple[int, int, int, int, int]]:
    """Of each session: questions, graded and right ones, reviews, those passed."""
    asked, right = answers.is_question, answers.is_right
    masks = (asked, asked & answers.is_graded, asked & right, ~asked, ~asked & right)
    columns = [np.bincount(answers.session[mask], minlength=n).tolist() for mask in masks]
    return list(zip(*columns, strict=True))


def _switches(answers: _Answers, laid: Laid, n: int) -> list[int]:
    """How often neighbouring answers were on other topics; answers without topics do not count."""
    sets: dict[frozenset[str], int] = {frozenset(): -1}
    number = np.array([sets.setdefault(frozenset(topics), len(sets)) for _, topics in laid.labels], dtype=np.int64)
    topics = number[answers.label]
    session, topics = answers.session[topics >= 0], topics[topics >= 0]
    changed = (topics[1:] != topics[:-1]) & (session[1:] == session[:-1])
    switches: list[int] = np.bincount(session[1:][changed], minlength=n).tolist()
    return switches


def _by_kind(laid: Laid, spent: Spent, n: int) -> list[dict[str, float]]:
    """Active seconds of each session by kind of study."""
    found: list[dict[str, int]] = [{} for _ in range(n)]
    for session, label, us in spent:
        kind = laid.labels[label][0]
        found[session][kind] = found[session].get(kind, 0) + us
    return [{kind: us / US for kind, us in sorted(kinds.items())} for kinds in found]


def _spent(laid: Laid, times: StudyTimes) -> Spent:
    width = len(laid.labels)
    return [
        (*divmod(key, width), us)
        for key, us in summed(times.pieces.session * width + times.pieces.label, times.pieces.us)
    ]


def _shares(laid: Laid, spent: Spent, answers: _Answers, n: int) -> list[dict[str, TopicShare]]:
    """What each session gave to each topic."""
    width = len(laid.labels)
    seconds: list[dict[str, float]] = [{} for _ in range(n)]
    for session, label, us in spent:
        topics = laid.labels[label][1]
        for topic in topics:
            seconds[session][topic] = seconds[session].get(topic, 0.0) + us / len(topics) / US
    counts: list[dict[str, tuple[int, int]]] = [{} for _ in range(n)]
    key = answers.session * width + answers.label
    right = dict(summed(key, answers.is_right.astype(np.int64)))
    for place, total in summed(key, np.ones_like(key)):
        session, label = divmod(place, width)
        for topic in laid.labels[label][1]:
            before = counts[session].get(topic, (0, 0))
            counts[session][topic] = before[0] + total, before[1] + right[place]
    return [
        {topic: TopicShare(took.get(topic, 0.0), *given.get(topic, (0, 0))) for topic in sorted({*took, *given})}
        for took, given in zip(seconds, counts, strict=True)
    ]
