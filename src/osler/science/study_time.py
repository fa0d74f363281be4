"""How much of many stretches of events was study: active time, pauses, hidden pages, two devices at once.

Definition (all of it ours, stated in docs/analytics/efficiency.md): active time is the union over the learner's
devices of [mark, next mark] cut at 120 s, an answer's stated time up to 10 min and the active seconds of heartbeats,
minus that device's pauses and hidden-page spans, inside [first mark, last mark]. So 0 <= active <= total.

All sessions are measured at once, each device of each session on a stretch of its own of one long line of time.

Source: this project's definition (docs/analytics/efficiency.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from osler.science.spans import NO_SPANS, Ints, Spans, joined, overlap, subtract, union

Bools = npt.NDArray[np.bool_]

US = 1_000_000
IDLE_CUT_US = 120 * US
STATED_CUT_US = 600 * US
INTERRUPTION_US = 10 * US
BREAK_US = (300 * US, 1800 * US)


class Effect(IntEnum):
    """What a mark does to the state of its device."""

    STUDY = 0
    ANSWER = 1
    BEAT = 2
    PAUSE = 3
    RESUME = 4
    HIDDEN = 5
    VISIBLE = 6
    OTHER = 7


def _any_of(*effects: Effect) -> Bools:
    return np.isin(np.arange(len(Effect)), effects)


_BACK_AT_WORK = _any_of(Effect.STUDY, Effect.ANSWER, Effect.RESUME)
_SEEN_AGAIN = _BACK_AT_WORK | _any_of(Effect.VISIBLE)
_SIGNALS = _any_of(Effect.PAUSE, Effect.HIDDEN, Effect.VISIBLE)


@dataclass(frozen=True, slots=True)
class Marks:
    """Events of sessions as the clock of study time sees them, session after session, each in time order.

    `session` counts up from 0 without a gap, `device` is any number for each device, `effect` an `Effect`,
    `stated_us` is active time just before the mark, `label` says what for (-1 where the mark does not say; then what
    the device's mark before said goes on, and `unlabelled` before the first). Units: microseconds. Shapes: (n,).
    """

    session: Ints
    at_us: Ints
    device: Ints
    effect: Ints
    stated_us: Ints
    label: Ints
    unlabelled: int


@dataclass(frozen=True, slots=True)
class Labelled:
    """Stretches of time of sessions, by session and time, and what each was spent on. Shapes: (n,)."""

    session: Ints
    label: Ints
    us: Ints


@dataclass(frozen=True, slots=True)
class StudyTimes:
    """The study time of each session; shapes (sessions,) where nothing else is said.

    `pieces` are disjoint, so that their sum is the active time; `active` are the same as spans from the session's
    first mark, with `active_session`; `breaks_us` are gaps of 5 to 30 min between them, with `break_session`.
    """

    first_us: Ints
    total_us: Ints
    active_us: Ints
    multitasked_us: Ints
    hidden_us: Ints
    hidden_spans: Ints
    pauses: Ints
    signals: Bools
    pieces: Labelled
    active: Spans
    active_session: Ints
    breaks_us: Ints
    break_session: Ints


class _Lines:
    """Marks by session, device and time, each device of a session a stretch of one line, `length` apart."""

    def __init__(self, marks: Marks, first_us: Ints, total_us: Ints) -> None:
        devices = int(marks.device.max()) + 1
        if devices == 1:  # nearly always: a session is a line, and its marks are in their order
            keys, line = np.arange(first_us.size), marks.session
        else:
            keys, line = np.unique(marks.session * devices + marks.device, return_inverse=True)
        order = np.argsort(line, kind="stable")
        self.line = line[order]
        self.effect, self.label, self.stated = marks.effect[order], marks.label[order], marks.stated_us[order]
        self.session_of_line = keys // devices
        self.length = int(total_us.max()) + 1
        self.offset = np.arange(keys.size) * self.length
        self.local = marks.at_us[order] - first_us[self.session_of_line[self.line]]
        self.at = self.local + self.offset[self.line]
        self.until = total_us[self.session_of_line] + self.offset
        self.same_next = self.line[1:] == self.line[:-1]

    def sessions_of(self, spans: Spans) -> Ints:
        """Whose session each span is of."""
        return self.session_of_line[spans.start // self.length]

    def by_session(self, spans: Spans) -> Spans:
        """The spans on a line with one stretch for each session, where the devices of a session lie together."""
        line = spans.start // self.length
        return spans.moved((self.session_of_line[line] - line) * self.length)


def measure(marks: Marks) -> StudyTimes:
    """The study time of each session (at least one).

    A pause ends at its resume or at the device's next study; a hidden page also when it is seen again. A pause on one
    device does not stop another. Of two pieces at an instant the one that began first has it, of those the longer.
    """
    begins = np.flatnonzero(np.concatenate([[True], marks.session[1:] != marks.session[:-1]]))
    first_us = marks.at_us[begins]
    total_us = marks.at_us[np.concatenate([begins[1:] - 1, [marks.at_us.size - 1]])] - first_us
    n = begins.size
    lines = _Lines(marks, first_us, total_us)
    hidden = _off_spans(lines, Effect.HIDDEN, _SEEN_AGAIN)
    off = union(joined(_off_spans(lines, Effect.PAUSE, _BACK_AT_WORK), hidden))
    raw, labels = _raw_pieces(lines, marks.unlabelled)
    pieces, which = subtract(raw, off)
    doubled = _doubled(lines, union(pieces), hidden)
    pieces, labels = _disjoint(lines.by_session(pieces), labels[which])
    active = union(pieces)
    active_session = active.start // lines.length
    hidden_session = lines.sessions_of(hidden)
    breaks, break_session = _breaks(active, active_session)
    return StudyTimes(
        first_us=first_us,
        total_us=total_us,
        active_us=_sums(active_session, active.lengths, n),
        multitasked_us=_sums(doubled.start // lines.length, doubled.lengths, n),
        hidden_us=_sums(hidden_session, hidden.lengths, n),
        hidden_spans=np.bincount(hidden_session[hidden.lengths >= INTERRUPTION_US], minlength=n),
        pauses=np.bincount(marks.session[marks.effect == Effect.PAUSE], minlength=n),
        signals=np.bincount(marks.session[_SIGNALS[marks.effect]], minlength=n) > 0,
        pieces=Labelled(pieces.start // lines.length, labels, pieces.lengths),
        active=active.moved(-active_session * lines.length),
        active_session=active_session,
        breaks_us=breaks,
        break_session=break_session,
    )


def _sums(session: Ints, us: Ints, n: int) -> Ints:
    """Whole numbers under 2**53 add up exactly as floats."""
    return np.bincount(session, us, minlength=n).astype(np.int64)


def _off_spans(lines: _Lines, off: Effect, on: Bools) -> Spans:
    """Spans from a mark that turns its device off until one that turns it on again, else until the session's end."""
    turned_off = lines.effect == off
    if not turned_off.any():
        return NO_SPANS
    place = np.flatnonzero(turned_off | on[lines.effect])
    is_off, line = turned_off[place], lines.line[place]
    goes_on = np.concatenate([[False], is_off[1:] & is_off[:-1] & (line[1:] == line[:-1])])
    place, is_off, line = place[~goes_on], is_off[~goes_on], line[~goes_on]
    begin = np.flatnonzero(is_off)
    after = np.minimum(begin + 1, place.size - 1)
    is_ended = (begin + 1 < place.size) & (line[after] == line[begin])
    end = np.where(is_ended, lines.at[place[after]], lines.until[line[begin]])
    spans = Spans(lines.at[place[begin]], end)
    return spans.only(spans.end > spans.start)


def _raw_pieces(lines: _Lines, unlabelled: int) -> tuple[Spans, Ints]:
    """Pieces before pauses are taken out, with labels; an answer owns the time before it, others that after."""
    mark = np.arange(lines.line.size)
    said = np.maximum.accumulate(np.where(lines.label >= 0, mark, -1))
    is_said = (said >= 0) & (lines.line[said] == lines.line)
    own = np.where(is_said, lines.label[said], unlabelled)
    before = np.flatnonzero(lines.stated > 0)
    back = np.maximum(lines.local[before] - np.minimum(lines.stated[before], STATED_CUT_US), 0)
    stated = Spans(back + lines.offset[lines.line[before]], lines.at[before])
    after = np.flatnonzero(lines.same_next)
    gone_on = Spans(lines.at[after], np.minimum(lines.at[after + 1], lines.at[after] + IDLE_CUT_US))
    is_answer = (lines.effect[after + 1] == Effect.ANSWER) & (lines.label[after + 1] >= 0)
    spent_on = np.where(is_answer, lines.label[after + 1], own[after])
    return joined(stated, gone_on), np.concatenate([own[before], spent_on])


def _doubled(lines: _Lines, active: Spans, hidden: Spans) -> Spans:
    """Time of which two devices had a share, or that lay between two works with the page hidden in between."""
    shared = NO_SPANS
    if hidden.start.size:
        shared = lines.by_session(overlap(joined(active, union(_around_hidden(lines, hidden)))))
    if lines.session_of_line.size > int(lines.session_of_line[-1]) + 1:  # some session has two devices
        shared = union(joined(shared, overlap(lines.by_session(active))))
    return shared


def _around_hidden(lines: _Lines, hidden: Spans) -> Spans:
    """Stretches between two working marks of a device in which the page was hidden for a while."""
    work = np.flatnonzero(_BACK_AT_WORK[lines.effect])
    pairs = Spans(lines.at[work[:-1]], lines.at[work[1:]]).only(lines.line[work[1:]] == lines.line[work[:-1]])
    place = np.searchsorted(hidden.end, pairs.start, "right")
    begun = hidden.start[np.minimum(place, hidden.start.size - 1)] < pairs.end
    return pairs.only(begun & (place < hidden.start.size))


def _disjoint(pieces: Spans, labels: Ints) -> tuple[Spans, Ints]:
    """The union of pieces, each instant given to the piece that began first (of two, to the longer)."""
    order = np.lexsort((labels, -pieces.end, pieces.start))
    start, end = pieces.start[order], pieces.end[order]
    reached = np.concatenate([[0], np.maximum.accumulate(end)[:-1]]) if end.size else end
    taken = Spans(np.maximum(start, reached), end)
    is_left = taken.end > taken.start
    return taken.only(is_left), labels[order][is_left]


def _breaks(active: Spans, session: Ints) -> tuple[Ints, Ints]:
    gap = active.start[1:] - active.end[:-1]
    is_break = (session[1:] == session[:-1]) & (gap >= BREAK_US[0]) & (gap <= BREAK_US[1])
    return gap[is_break], session[1:][is_break]
