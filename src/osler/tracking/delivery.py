"""One attempt at delivery: which events are done with, which stay, and how long to wait. No clock, no disk, no network.

An event is done with only on a verdict of its own; whatever has none is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from osler.tracking.segments import Record
from osler.tracking.sinks import Reply

_FINISHED = frozenset({"accepted", "duplicate", "conflict", "rejected"})
_TOO_LARGE = 413
_UNREADABLE = 400


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reply means for the records of a batch.

    `keep` are sent again; `lost` counts by type what Osler will never take; `purged` are learners whose events are to
    be dropped. `split` asks for a smaller batch; `failed` counts against the circuit.
    """

    keep: tuple[Record, ...] = ()
    lost: tuple[tuple[str, str], ...] = ()
    purged: frozenset[str] = frozenset()
    split: bool = False
    failed: bool = False
    wait_seconds: float | None = None


@dataclass(slots=True)
class _Sorting:
    keep: list[Record] = field(default_factory=list[Record])
    lost: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    purged: set[str] = field(default_factory=set[str])
    wait_seconds: float | None = None


def envelope(records: Sequence[Record], sent_at: datetime, attempt: int, sdk: str, dropped: dict[str, int]) -> bytes:
    """The body of a batch; events are spliced in as they were written, nothing is encoded twice."""
    head: dict[str, object] = {"sent_at": sent_at.isoformat(timespec="milliseconds"), "attempt": attempt, "sdk": sdk}
    if dropped:
        head["dropped"] = dropped
    return msgspec.json.encode(head)[:-1] + b',"events":[' + b",".join(record.body for record in records) + b"]}"


def judge(records: Sequence[Record], reply: Reply) -> Outcome:
    """What to do with each record of a batch after this reply."""
    if reply.status in (_TOO_LARGE, _UNREADABLE):
        if len(records) > 1:
            return Outcome(keep=tuple(records), split=True)
        return Outcome(lost=((records[0].event_type, f"http_{reply.status}"),))
    if reply.status != 200 or not reply.verdicts:
        return Outcome(keep=tuple(records), failed=True, wait_seconds=reply.retry_after_seconds)
    sorting = _Sorting()
    for at, record in enumerate(records):
        _place(sorting, record, reply, at)
    return Outcome(
        tuple(sorting.keep), tuple(sorting.lost), frozenset(sorting.purged), wait_seconds=sorting.wait_seconds
    )


def _place(sorting: _Sorting, record: Record, reply: Reply, at: int) -> None:
    verdict = reply.verdicts.get(at)
    if verdict is None:
        sorting.keep.append(record)
    elif verdict.status == "refused":
        sorting.purged.add(record.user_id)
        sorting.lost.append((record.event_type, verdict.code or "refused"))
    elif verdict.status in _FINISHED:
        if verdict.status in ("conflict", "rejected"):
            sorting.lost.append((record.event_type, verdict.code or verdict.status))
    else:
        sorting.keep.append(record)
        waits = [w for w in (sorting.wait_seconds, verdict.retry_after_seconds) if w is not None]
        sorting.wait_seconds = max(waits, default=None)
