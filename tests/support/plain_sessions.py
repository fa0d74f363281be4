"""Study sessions written the plain way, event by event and span by span: the oracle of `efficiency.model`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from itertools import pairwise, zip_longest
from typing import NamedTuple

from osler.analytics.efficiency.model import StudySession, TopicShare
from osler.domain.events import LoggedEvent
from osler.domain.local_day import DEFAULT_DAY_START_MINUTES, local_day

Span = tuple[int, int]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time as disjoint spans in order; empty and reversed spans vanish.

    >>> union([(5, 9), (0, 6), (20, 20)])
    [(0, 9)]
    """
    merged: list[Span] = []
    ordered = sorted(spans)
    since = until = None
    for start, end in ordered:
        if end <= start:
            continue
        if since is None or until is None:
            since, until = start, end
        elif start > until:
            merged.append((since, until))
            since, until = start, end
        elif end > until:
            until = end
    if since is not None and until is not None:
        merged.append((since, until))
    return merged


def subtract(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    """What is left of disjoint ordered spans without disjoint ordered holes.

    >>> subtract([(0, 10)], [(2, 3), (8, 20)])
    [(0, 2), (3, 8)]
    """
    left: list[Span] = []
    for start, end in spans:
        cursor = start
        for hole_start, hole_end in holes:
            if hole_end <= cursor:
                continue
            if hole_start >= end:
                break
            if hole_start > cursor:
                left.append((cursor, hole_start))
            cursor = hole_end
        if cursor < end:
            left.append((cursor, end))
    return left


def intersect(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """The time that two lists of disjoint ordered spans share.

    >>> intersect([(0, 5), (8, 12)], [(3, 9)])
    [(3, 5), (8, 9)]
    """
    shared: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            shared.append((start, end))
        if one[i][1] <= other[j][1]:
            i += 1
        else:
            j += 1
    return shared


def gaps(spans: Sequence[Span]) -> list[Span]:
    """The spans between disjoint ordered spans.

    >>> gaps([(0, 2), (5, 6)])
    [(2, 5)]
    """
    return [(before[1], after[0]) for before, after in pairwise(spans)]


def length(spans: Iterable[Span]) -> int:
    """The sum of the lengths of disjoint spans."""
    return sum(end - start for start, end in spans)


GAP_SECONDS = 30 * 60
NAMED_GAP_SECONDS = 4 * 3600
RIDES_ALONG = frozenset({"api_request", "recommendation", "day_report", "question_regrade", "flashcard_reset"})
SILENT_ENDS = frozenset({"timeout", "app_closed", "server"})
OPENS_NONE = frozenset({"session_heartbeat", "session_pause", "session_resume", "session_focus", "session_end"})


@dataclass(slots=True)
class _Open:
    """The session being folded: its events, the ids open in it, and which device named which id."""

    events: list[LoggedEvent]
    ids: dict[str, str] = field(default_factory=dict[str, str])
    closed: bool = False


def _opens(event: LoggedEvent) -> bool:
    return event.event_type not in OPENS_NONE and event.event_type not in RIDES_ALONG


def _continues(current: _Open, event: LoggedEvent) -> bool:
    """Whether the event belongs to the current session: near enough in time, and not a new id on the same device."""
    if current.closed:
        return False
    elapsed = max(0.0, (event.effective_at - current.events[-1].effective_at).total_seconds())
    named = event.session_id is not None and event.session_id in current.ids
    if elapsed > (NAMED_GAP_SECONDS if named else GAP_SECONDS):
        return False
    if named or event.event_type == "session_end":
        return True
    if event.event_type == "session_start" and event.session_id is None:
        return False
    other_on_device = (event.device_id or "") in current.ids.values()
    return not (event.session_id is not None and other_on_device and _opens(event))


def _take(current: _Open, event: LoggedEvent) -> None:
    if event.event_type == "session_end":
        if event.session_id not in current.ids and current.ids:
            return
        current.ids.pop(event.session_id or "", None)
        current.closed = not current.ids
        if str(event.data.get("reason")) in SILENT_ENDS:
            return
    elif event.session_id is not None:
        current.ids[event.session_id] = event.device_id or ""
    current.events.append(event)


def split(events: Iterable[LoggedEvent]) -> Iterator[tuple[list[LoggedEvent], bool]]:
    """The events of each session, with whether it was ended explicitly; `events` in fold order from any session on."""
    current: _Open | None = None
    for event in events:
        if event.event_type in RIDES_ALONG:
            continue
        if current is not None and _continues(current, event):
            _take(current, event)
            continue
        if not _opens(event):
            continue
        if current is not None:
            yield current.events, current.closed
        current = _Open([])
        _take(current, event)
    if current is not None:
        yield current.events, current.closed


US = 1_000_000
IDLE_CUT_US = 120 * US
STATED_CUT_US = 600 * US
INTERRUPTION_US = 10 * US
BREAK_US = (300 * US, 1800 * US)

Label = tuple[str, tuple[str, ...]]
NO_LABEL: Label = ("other", ())


class Effect(StrEnum):
    """What a mark does to the state of its device."""

    STUDY = "study"
    ANSWER = "answer"
    BEAT = "beat"
    PAUSE = "pause"
    RESUME = "resume"
    HIDDEN = "hidden"
    VISIBLE = "visible"
    OTHER = "other"


class Mark(NamedTuple):
    """One event of one device, as the clock of study time sees it; `stated_us` is active time just before it.

    Units: `at_us` microseconds since the epoch, not before the mark before it.
    """

    at_us: int
    device: str
    effect: Effect
    stated_us: int = 0
    label: Label | None = None


class Piece(NamedTuple):
    """A stretch of active time and what it was spent on: a kind of study, and topics where they are known."""

    start_us: int
    end_us: int
    label: Label


@dataclass(frozen=True, slots=True)
class StudyTime:
    """The active time of one stretch of marks; pieces are disjoint and in order, so their sum is the active time."""

    pieces: tuple[Piece, ...]
    pauses: int
    hidden_spans: int
    hidden_us: int
    multitasked_us: int
    breaks_us: tuple[int, ...]
    signals: bool

    @property
    def active_us(self) -> int:
        """The active time in microseconds."""
        return sum(piece.end_us - piece.start_us for piece in self.pieces)


_BACK_AT_WORK = frozenset({Effect.STUDY, Effect.ANSWER, Effect.RESUME})


def _off_spans(marks: Sequence[Mark], until_us: int, off: Effect, on: frozenset[Effect]) -> list[Span]:
    """Spans from a mark that turns the device off until one that turns it on again, else until `until_us`."""
    spans: list[Span] = []
    since: int | None = None
    for mark in marks:
        if mark.effect is off and since is None:
            since = mark.at_us
        elif since is not None and mark.effect in on:
            spans.append((since, mark.at_us))
            since = None
    if since is not None and until_us > since:
        spans.append((since, until_us))
    return spans


def _raw_pieces(marks: Sequence[Mark]) -> list[Piece]:
    """The pieces of one device before pauses are taken out; an answer owns the time before it, others that after."""
    pieces: list[Piece] = []
    label = NO_LABEL
    for mark, after in zip_longest(marks, marks[1:]):
        at_us = mark.at_us
        label = own = mark.label or label
        if mark.stated_us > 0:
            pieces.append(Piece(at_us - min(mark.stated_us, STATED_CUT_US), at_us, own))
        if after is not None and after.at_us > at_us:
            spent_on = after.label if after.effect is Effect.ANSWER and after.label else own
            pieces.append(Piece(at_us, min(after.at_us, at_us + IDLE_CUT_US), spent_on))
    return pieces


def _without(pieces: Sequence[Piece], off: Sequence[Span], bounds: Span) -> list[Piece]:
    kept: list[Piece] = []
    first, last = bounds
    for piece in pieces:
        start, end, label = piece
        if first <= start < end <= last and not off:
            kept.append(piece)
            continue
        start, end = max(start, first), min(end, last)
        if end > start:
            kept += [Piece(a, b, label) for a, b in subtract([(start, end)], off)]
    return kept


def _disjoint(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The union of pieces, each instant given to the piece that began first (of two, to the longer)."""
    taken: list[Piece] = []
    cursor: int | None = None
    for piece in sorted(pieces, key=lambda p: (p[0], -p[1], p[2])):
        start, end, label = piece
        if cursor is None or start >= cursor:
            if end > start:
                taken.append(piece)
                cursor = end
        elif end > cursor:
            taken.append(Piece(cursor, end, label))
            cursor = end
    return tuple(taken)


def _spans(pieces: Sequence[Piece]) -> list[Span]:
    return union([(start, end) for start, end, _ in pieces])


def _around_hidden(marks: Sequence[Mark], hidden: Sequence[Span]) -> list[Span]:
    """Stretches between two working marks of a device in which the page was hidden for a while."""
    spans = [span for span in hidden if span[1] > span[0]]
    if not spans:
        return []
    at = [mark.at_us for mark in marks if mark.effect in _BACK_AT_WORK]
    ends = [end for _, end in spans]
    around: list[Span] = []
    for a, b in pairwise(at):
        place = bisect_right(ends, a)
        if b > a and place < len(spans) and spans[place][0] < b:
            around.append((a, b))
    return around


def measure(marks: Sequence[Mark]) -> StudyTime:
    """The study time of one session's marks, given in time order.

    A pause ends at its resume or at the device's next study; a hidden page also when it is seen again. A pause on one
    device does not stop another. Breaks are gaps of 5 to 30 min between stretches of active time.
    """
    if not marks:
        return StudyTime((), 0, 0, 0, 0, (), signals=False)
    bounds = (marks[0].at_us, marks[-1].at_us)
    by_device: dict[str, list[Mark]] = {}
    for mark in marks:
        by_device.setdefault(mark.device, []).append(mark)
    everything: list[Piece] = []
    seen: list[Span] = []
    doubled: list[Span] = []
    pauses = hidden_spans = hidden_us = 0
    for own in by_device.values():
        paused = _off_spans(own, bounds[1], Effect.PAUSE, _BACK_AT_WORK)
        hidden = _off_spans(own, bounds[1], Effect.HIDDEN, _BACK_AT_WORK | {Effect.VISIBLE})
        pieces = _without(_raw_pieces(own), union([*paused, *hidden]), bounds)
        active = _spans(pieces)
        doubled += intersect(seen, active) + intersect(active, union(_around_hidden(own, hidden)))
        seen = union([*seen, *active])
        everything += pieces
        pauses += sum(mark.effect is Effect.PAUSE for mark in own)
        hidden_spans += sum(end - start >= INTERRUPTION_US for start, end in hidden)
        hidden_us += length(hidden)
    breaks = [end - start for start, end in gaps(seen) if BREAK_US[0] <= end - start <= BREAK_US[1]]
    return StudyTime(
        pieces=_disjoint(everything),
        pauses=pauses,
        hidden_spans=hidden_spans,
        hidden_us=hidden_us,
        multitasked_us=length(union(doubled)),
        breaks_us=tuple(breaks),
        signals=any(mark.effect in {Effect.PAUSE, Effect.HIDDEN, Effect.VISIBLE} for mark in marks),
    )


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ANSWERS = frozenset({"question_submit", "flashcard_review"})

TopicsOf = Callable[[LoggedEvent], tuple[str, ...]]
KindOf = Callable[[str], str | None]


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
