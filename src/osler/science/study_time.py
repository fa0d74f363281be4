"""How much of a stretch of events was study: active time, pauses, hidden pages, two devices at once.

Definition (all of it ours, stated in docs/analytics/efficiency.md): active time is the union over the learner's
devices of [mark, next mark] cut at 120 s, an answer's stated time up to 10 min and the active seconds of heartbeats,
minus that device's pauses and hidden-page spans, inside [first mark, last mark]. So 0 <= active <= total.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise, zip_longest
from typing import NamedTuple

from osler.science.spans import Span, gaps, intersect, length, subtract, union

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
