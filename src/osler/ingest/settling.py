"""Says of each event what became of it, and takes an atomic batch back when one of its events was not taken."""

from __future__ import annotations

from typing import Any

from osler.domain.outcomes import Code, EventProblem, Status
from osler.eventlog.append import Connection
from osler.eventlog.entries import Batch
from osler.ingest.storing import Stored, store
from osler.ingest.work import Candidate, Outcome


def place_in_log(c: Candidate) -> tuple[str, str]:
    """The order in which rows are inserted, so that two batches never wait for each other."""
    return c.user_id, c.event.id


def id_of(c: Candidate) -> str:
    """The same order, of one learner's events."""
    return c.event.id


def drop_repeats(alive: list[Candidate], outcomes: dict[int, Outcome]) -> list[Candidate]:
    """Of several with one id the first counts; the others learn whether they said the same."""
    if len({c.event.id for c in alive}) == len(alive):
        return alive
    first: dict[tuple[str, str], Candidate] = {}
    for c in alive:
        earlier = first.setdefault((c.user_id, c.event.id), c)
        if earlier is not c:
            same = earlier.entry.content_hash == c.entry.content_hash
            code = Code.DUPLICATE_IN_BATCH if same else Code.CONFLICT_IN_BATCH
            outcomes[c.place] = Outcome.of(c.place, c.event.id, EventProblem(code))
    return list(first.values())


def answer(ready: list[Candidate], stored: Stored, outcomes: dict[int, Outcome]) -> list[Candidate]:
    """Outcomes of what reached the log; those that were newly stored."""
    if stored.appended.new is None and not stored.unplaced:
        for c in ready:
            outcomes[c.place] = Outcome(c.place, c.event.id, Status.ACCEPTED, list(c.warnings))
        return ready
    accepted: list[Candidate] = []
    for c in ready:
        code = stored.code_of(c.entry)
        if code is None:
            accepted.append(c)
            outcomes[c.place] = Outcome(c.place, c.event.id, Status.ACCEPTED, list(c.warnings))
        else:
            outcomes[c.place] = Outcome.of(c.place, c.event.id, EventProblem(code))
    return accepted


class _Abort(Exception):
    """Rolls an atomic batch back."""


async def store_all_or_nothing(
    connection: Connection, batch: Batch, ready: list[Candidate], outcomes: dict[int, Outcome], options: dict[str, Any]
) -> list[Candidate]:
    """Store an atomic batch; what was newly stored, which is nothing when one event was not taken."""
    try:
        async with connection.transaction():
            accepted = answer(ready, await store(connection, batch, **options), outcomes)
            _require_all(outcomes)
            return accepted
    except _Abort:
        abort(outcomes)
        return []


def _require_all(outcomes: dict[int, Outcome]) -> None:
    if any(each.status not in {Status.ACCEPTED, Status.DUPLICATE} for each in outcomes.values()):
        raise _Abort


def abort(outcomes: dict[int, Outcome]) -> None:
    """What would have been stored was not: it may be sent again."""
    for place, each in outcomes.items():
        if each.status is Status.ACCEPTED or each.code is Code.DUPLICATE_IN_BATCH:
            outcomes[place] = Outcome.of(place, each.id, EventProblem(Code.ATOMIC_ABORT))
