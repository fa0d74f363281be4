"""Sends the events of a request through the steps: all at once while none fails, else by halves, a few one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from osler.domain.content_hash import canonical_data
from osler.domain.outcomes import EventProblem
from osler.eventlog.entries import Rows
from osler.ingest.columns import Columns
from osler.ingest.decoding import Read
from osler.ingest.steps import AFTER_LOOKUPS, BEFORE_LOOKUPS, Step
from osler.ingest.together import pass_after, pass_before
from osler.ingest.wire import KIND_OF, WireEvent, encode_data
from osler.ingest.work import Candidate, Candidates, Context, Outcome, Ready

TOGETHER_FROM = 8
"""Fewer candidates are quicker one by one."""
Outcomes = dict[int, Outcome]
Part = TypeVar("Part", Candidates, Ready)


def candidates(reads: Sequence[Read], columns: Columns | None, outcomes: Outcomes) -> Candidates:
    """What could be read; the rest has its outcome. `columns` are all of `reads`, where they are events alone."""
    if columns is not None:
        return Candidates(range(len(columns)), columns)
    places: list[int] = []
    events: list[WireEvent] = []
    for place, read in enumerate(reads):
        if isinstance(read, EventProblem):
            outcomes[place] = Outcome.of(place, read.event_id, read)
        else:
            places.append(place)
            events.append(read)
    return Candidates(places, Columns(events))


def before_lookups(c: Candidates, ctx: Context, outcomes: Outcomes) -> Candidates:
    """Those that may go on, with their learners and canonical data; one that is dropped leaves its reason."""

    def one_by_one(few: Candidates) -> Candidates:
        kept = _alone(few, BEFORE_LOOKUPS, ctx, outcomes)
        columns = Columns([each.event for _, each in kept])
        return Candidates([place for place, _ in kept], columns, [each.user_id for _, each in kept])

    passed = Candidates.joined(_parts(c, lambda some: pass_before(some, ctx), one_by_one))
    lines = canonical_data(encode_data(passed.columns.data)).split(b"\n")[: len(passed)]
    return Candidates(passed.places, passed.columns, passed.user_ids, lines)


def after_lookups(c: Candidates, ctx: Context, outcomes: Outcomes) -> Ready:
    """Rows and warnings of those that nothing speaks against; one that is dropped leaves its reason."""

    def one_by_one(few: Candidates) -> Ready:
        kept = _alone(few, AFTER_LOOKUPS, ctx, outcomes)
        rows = Rows.of([each.entry for _, each in kept]) if kept else Rows()
        return Ready([place for place, _ in kept], rows, [each.warnings for _, each in kept])

    return Ready.joined(_parts(c, lambda some: pass_after(some, ctx), one_by_one))


def _parts(
    c: Candidates, together: Callable[[Candidates], Part | None], one_by_one: Callable[[Candidates], Part]
) -> list[Part]:
    if len(c) < TOGETHER_FROM:
        return [one_by_one(c)]
    done = together(c)
    if done is not None:
        return [done]
    middle = len(c) // 2
    return [
        *_parts(c.part(0, middle), together, one_by_one),
        *_parts(c.part(middle, len(c)), together, one_by_one),
    ]


def _alone(c: Candidates, steps: Sequence[Step], ctx: Context, outcomes: Outcomes) -> list[tuple[int, Candidate]]:
    kept: list[tuple[int, Candidate]] = []
    for n, (place, event) in enumerate(zip(c.places, c.columns.events, strict=True)):
        each = Candidate(event, KIND_OF[event.__class__])
        if c.data:
            each.user_id, each.data_json = c.user_ids[n], c.data[n]
        try:
            for step in steps:
                step(each, ctx)
        except EventProblem as problem:
            outcomes[place] = Outcome.of(place, event.id, problem)
        else:
            kept.append((place, each))
    return kept
