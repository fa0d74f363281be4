"""Says of each event what became of it, and takes an atomic batch back when one of its events was not taken."""

from __future__ import annotations

from operator import lt
from typing import Any

from osler.domain.outcomes import Code, EventProblem, Status
from osler.eventlog.append import Connection
from osler.eventlog.entries import Batch, Key
from osler.ingest.storing import Stored, store
from osler.ingest.work import Outcome, Ready


def in_order(ready: Ready) -> Ready:
    """In the order in which rows are inserted, so that two batches never wait for each other: by learner and id."""
    users, ids = ready.rows.user_id, ready.rows.event_id
    keys: list[Any] = list(ids) if len(set(users)) == 1 else list(zip(users, ids, strict=True))
    if all(map(lt, keys, keys[1:])):
        return ready
    return ready.at(sorted(range(len(keys)), key=keys.__getitem__))


def drop_repeats(ready: Ready, outcomes: dict[int, Outcome]) -> Ready:
    """Of several with one id the first counts; the others learn whether they said the same."""
    rows = ready.rows
    if len(set(rows.event_id)) == len(ready):
        return ready
    first: dict[Key, int] = {}
    for n, key in enumerate(zip(rows.user_id, rows.event_id, strict=True)):
        earlier = first.setdefault(key, n)
        if earlier != n:
            same = rows.content_hash[earlier] == rows.content_hash[n]
            code = Code.DUPLICATE_IN_BATCH if same else Code.CONFLICT_IN_BATCH
            outcomes[ready.places[n]] = Outcome.of(ready.places[n], rows.event_id[n], EventProblem(code))
    return ready.at(list(first.values()))


def answer(ready: Ready, stored: Stored, outcomes: dict[int, Outcome]) -> Ready:
    """Those that were newly stored; an outcome for each of the others that reached the log."""
    if stored.appended.new is None and not stored.unplaced:
        return ready
    codes = stored.codes_of(ready.rows)
    for place, event_id, code in zip(ready.places, ready.rows.event_id, codes, strict=True):
        if code is not None:
            outcomes[place] = Outcome.of(place, event_id, EventProblem(code))
    return ready.at([n for n, code in enumerate(codes) if code is None])


class _Abort(Exception):
    """Rolls an atomic batch back."""


async def store_all_or_nothing(
    connection: Connection, batch: Batch, ready: Ready, outcomes: dict[int, Outcome], options: dict[str, Any]
) -> Ready:
    """Store an atomic batch; what was newly stored, which is nothing when one event was not taken."""
    try:
        async with connection.transaction():
            accepted = answer(ready, await store(connection, batch, **options), outcomes)
            _require_all(outcomes)
            return accepted
    except _Abort:
        for place, event_id in zip(ready.places, ready.rows.event_id, strict=True):
            outcomes.setdefault(place, Outcome.of(place, event_id, EventProblem(Code.ATOMIC_ABORT)))
        abort(outcomes)
        return Ready()


def _require_all(others: dict[int, Outcome]) -> None:
    if any(each.status is not Status.DUPLICATE for each in others.values()):
        raise _Abort


def abort(outcomes: dict[int, Outcome]) -> None:
    """A repeat of what would have been stored was not stored either: it may be sent again."""
    for place, each in outcomes.items():
        if each.code is Code.DUPLICATE_IN_BATCH:
            outcomes[place] = Outcome.of(place, each.id, EventProblem(Code.ATOMIC_ABORT))
