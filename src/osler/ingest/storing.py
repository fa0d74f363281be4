"""Stores the rows of a request in one transaction and says of each what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from osler.db.faults import sqlstate
from osler.domain.clock_rules import instant_of
from osler.domain.outcomes import Code
from osler.eventlog.append import Connection, append
from osler.eventlog.entries import Appended, Batch, Key, Rows
from osler.eventlog.failpoints import reach
from osler.eventlog.lookups import missing_months

CHECK_VIOLATION = "23514"
NO_MONTH = frozenset({CHECK_VIOLATION, "55P03", "42501"})
"""Still missing, a lock that could not be had, or no right to make it."""
_NOTHING = Appended(frozenset())


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch: the append's answer, and the events whose month has no partition."""

    appended: Appended
    unplaced: frozenset[str] = frozenset()

    def codes_of(self, rows: Rows) -> list[Code | None]:
        """Why each row was not newly stored; None where it was."""
        return list(map(self._code_of, rows.user_id, rows.event_id, rows.event_type, rows.content_hash))

    def _code_of(self, user_id: str, event_id: str, event_type: str, content_hash: bytes) -> Code | None:
        done = self.appended
        if user_id in done.erased:
            return Code.SUBJECT_ERASED
        if user_id in done.withdrawn:
            return Code.SUBJECT_CONSENT
        if event_id in self.unplaced:
            return Code.PARTITION_MISSING
        key = (user_id, event_id)
        return None if done.is_new(key) else self._code_of_known(key, event_type, content_hash)

    def _code_of_known(self, key: Key, event_type: str, content_hash: bytes) -> Code:
        stored = self.appended.stored_hashes.get(key)
        if stored is not None:
            return Code.DUPLICATE_STORED if stored == content_hash else Code.CONFLICT_STORED
        if event_type == "day_report" and key[0] in self.appended.without_wellbeing:
            return Code.SUBJECT_CONSENT
        return Code.SUBJECT_ERASED  # neither new nor there: erased between the insert and the look


async def store(connection: Connection, batch: Batch, *, key: bytes, failpoint: str | None = None) -> Stored:
    """Store a sorted batch without repeats. Inside a transaction of the caller's it stays open, else it commits.

    A month inside the window that has no partition yet is made; where that cannot be, only its events are put off.
    """
    if not len(batch.rows):
        return Stored(_NOTHING)
    try:
        return Stored(await _append(connection, batch, key, failpoint))
    except Exception as failed:
        if sqlstate(failed) != CHECK_VIOLATION or "no partition" not in str(failed):
            raise
    missing = await missing_months(connection, [instant_of(_ms(each) * 1000) for each in batch.rows.event_id])
    try:
        for month in sorted(missing):
            await connection.execute("select ensure_partition(to_date($1, 'YYYY_MM'))", month)
        return Stored(await _append(connection, batch, key, failpoint))
    except Exception as failed:
        if sqlstate(failed) not in NO_MONTH:
            raise
    return await _without(connection, batch, missing, key, failpoint)


async def _without(
    connection: Connection, batch: Batch, missing: set[str], key: bytes, failpoint: str | None
) -> Stored:
    ids = batch.rows.event_id
    kept = batch.rows.at([n for n, each in enumerate(ids) if f"{instant_of(_ms(each) * 1000):%Y_%m}" not in missing])
    unplaced = frozenset(ids) - frozenset(kept.event_id)
    if not len(kept):
        return Stored(_NOTHING, unplaced)
    done = await _append(connection, replace(batch, rows=kept), key, failpoint)
    if done.new is None:
        done = replace(done, new=frozenset(zip(kept.user_id, kept.event_id, strict=True)))
    return Stored(done, unplaced)


async def _append(connection: Connection, batch: Batch, key: bytes, failpoint: str | None) -> Appended:
    """In the test profile with a failpoint, statement and COMMIT are taken apart so that it can lie between them."""
    if failpoint is None:
        return await append(connection, batch, key=key)
    await reach("before_insert", failpoint)
    async with connection.transaction():
        done = await append(connection, batch, key=key)
        await reach("after_insert", failpoint)
        await reach("before_commit", failpoint)
    await reach("after_commit", failpoint)
    return done


def _ms(event_id: str) -> int:
    return int(event_id[:8] + event_id[9:13], 16)
