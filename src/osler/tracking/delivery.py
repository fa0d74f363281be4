"""One attempt at delivery: which events are done with, which stay, and how long to wait. No clock, no disk, no network.

An event is done with only on a verdict of its own; whatever has none is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from osler.tracking.segments import Record
from osler.tracking.sinks import Reply, Verdict

_FINISHED = frozenset({"accepted", "duplicate", "conflict", "rejected", "refused"})
_STORED = frozenset({"accepted", "duplicate"})
_TOO_MUCH = frozenset({400, 413})
_ID = slice(7, 43)
"""Where the id stands in an event's body: the library writes it first."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An event that is sent again, not before so many seconds if Osler said so."""

    record: Record
    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reply means for the records of a batch.

    `keep` are sent again; `lost` counts by type and code what Osler will never take; `erased` are learners whose
    events are to be dropped. `split` asks for a smaller batch; `failed` counts against the circuit.
    """

    keep: tuple[Kept, ...] = ()
    lost: tuple[tuple[str, str], ...] = ()
    erased: frozenset[str] = frozenset()
    split: bool = False
    failed: bool = False
    wait_seconds: float | None = None


@dataclass(slots=True)
class _Sorting:
    keep: list[Kept] = field(default_factory=list[Kept])
    lost: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    erased: set[str] = field(default_factory=set[str])


def envelope(records: Sequence[Record], sent_at: datetime, attempt: int, sdk: str, dropped: dict[str, int]) -> bytes:
    """The body of a batch; events are spliced in as they were written, nothing is encoded twice."""
    head: dict[str, object] = {"sent_at": sent_at.isoformat(timespec="milliseconds"), "attempt": attempt, "sdk": sdk}
    if dropped:
        head["dropped"] = dropped
    return msgspec.json.encode(head)[:-1] + b',"events":[' + b",".join(record.body for record in records) + b"]}"


def judge(records: Sequence[Record], reply: Reply) -> Outcome:
    """What to do with each record of a batch after this reply."""
    if reply.status in _TOO_MUCH:
        if len(records) > 1:
            return Outcome(split=True)
        # Alone it is refused too, but nobody has said so of this event: it waits, and does not hold up the others.
        return Outcome(keep=(Kept(records[0]),), failed=True)
    if reply.status != 200 or not reply.verdicts:
        return Outcome(failed=True, wait_seconds=reply.retry_after_seconds)
    sorting = _Sorting()
    for at, record in enumerate(records):
        _place(sorting, record, reply.verdicts.get(at))
    is_empty_handed = len(sorting.keep) == len(records) and all(kept.wait_seconds is None for kept in sorting.keep)
    if is_empty_handed:
        return Outcome(failed=True, wait_seconds=reply.retry_after_seconds)
    return Outcome(tuple(sorting.keep), tuple(sorting.lost), frozenset(sorting.erased))


def _place(sorting: _Sorting, record: Record, verdict: Verdict | None) -> None:
    if verdict is None or not _is_about(verdict, record):
        sorting.keep.append(Kept(record))
    elif verdict.status not in _FINISHED:
        sorting.keep.append(Kept(record, verdict.retry_after_seconds))
    elif verdict.status not in _STORED:
        sorting.lost.append((record.event_type, verdict.code or verdict.status))
        if verdict.code == "subject.erased":
            sorting.erased.add(record.user_id)


def _is_about(verdict: Verdict, record: Record) -> bool:
    return verdict.id is None or verdict.id.encode() == record.body[_ID]
