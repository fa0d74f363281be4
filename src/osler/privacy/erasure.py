"""How a learner is erased: step by step, each step safe to repeat, proved at the end by a search of everything.

requested → tombstoned → events_deleted → derived_deleted → caches_cleared → verified → certified. The tombstone is
set first, under the exclusive lock of the learner's bucket, so that ingestion is closed before anything is deleted.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from osler.catalog.own_learner import forget_own_learner
from osler.db.connect import connect_plainly
from osler.db.driver import Driver
from osler.db.embedded import ensure_running
from osler.errors import IntegrityBroken, Misconfigured
from osler.eventlog import learner_locks
from osler.eventlog.tombstones import KEY_NAME, LOCK_SPACE, bucket, subject_mac
from osler.http.cache.news import CHANNEL, ERASED
from osler.observe.keys import secret_key
from osler.privacy.caches import clear_shared_cache
from osler.privacy.scan import scan
from osler.privacy.tables import STATES
from osler.settings import Settings

ROWS_A_TIME = 5_000
TRIES = 5
PAUSE_SECONDS = 0.5

OnStep = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The end of an erasure: what was deleted, how many tables were searched afterwards, when it was proved."""

    erasure_id: UUID
    state: str
    deleted_rows: dict[str, int]
    scanned_tables: int
    certified_at: datetime
    was_known: bool


@dataclass(slots=True)
class _Work:
    """One erasure on one connection of `osler_eraser`."""

    connection: Driver
    settings: Settings
    user_id: UUID
    erasure_id: UUID
    mac: bytes = field(repr=False)
    deleted: Counter[str] = field(default_factory=Counter[str])
    scanned: int = 0

    async def tombstone(self) -> None:
        """Close ingestion for the learner; then nobody can add what has to be deleted."""
        await _tombstone(self.connection, self.user_id, self.mac)

    async def flag_models(self) -> None:
        """Mark what was fitted with this learner: the weekly fits replace it, and nobody is served by it after that.

        While any answer or review is left in the log: afterwards nobody knows what was learnt from it.
        """
        await self.connection.execute(_FLAG_MODELS, self.user_id)

    async def delete_events(self) -> None:
        """Flag what learnt from the log, then delete from it, 5,000 rows a transaction, under the open ticket."""
        await self.flag_models()
        for record in await self.connection.fetch(_EVENT_TABLES):
            while await self._delete_some(record["name"]) == ROWS_A_TIME:
                pass

    async def _delete_some(self, table: str) -> int:
        async with self.connection.transaction():
            await self.connection.execute("select set_config('osler.erasure_id', $1, true)", str(self.erasure_id))
            deleted = await self.connection.fetchval(_DELETE_EVENTS.format(table=table), self.user_id, ROWS_A_TIME)
        self.deleted[table] += deleted
        return deleted

    async def delete_derived(self) -> None:
        """Delete everything else that bears the learner's pseudonym, in one transaction, `users` last."""
        async with self.connection.transaction():
            # Whoever folds this learner ends first, and finds neither marks nor events afterwards.
            await learner_locks.hold(self.connection, [self.user_id])
            for record in await self.connection.fetch(_TABLES_OF_LEARNERS):
                table = record["name"]
                statement = (
                    f'with gone as (delete from "{table}" where user_id = $1 returning 1) select count(*) from gone'
                )
                self.deleted[table] += await self.connection.fetchval(statement, self.user_id)
            await self.connection.execute(
                "update access_audit set subject_id = null where subject_id = $1", self.user_id
            )
            await self.connection.execute("update access_audit set actor_id = null where actor_id = $1", self.user_id)

    async def clear_caches(self) -> None:
        """Tell every process, which forgets their sign-in too, and empty what Redis keeps of the learner."""
        await self.connection.execute("select pg_notify($1, $2)", CHANNEL, f"{ERASED}{self.user_id}")
        await clear_shared_cache(self.settings, self.user_id)

    async def verify(self) -> None:
        """Search everything. What a job wrote meanwhile is deleted and searched for again.

        Errors: IntegrityBroken when something stays, naming the tables.
        """
        found = await scan(self.connection, self.user_id)
        for attempt in range(TRIES):
            if not found.hits:
                break
            await self.delete_events()
            await self.delete_derived()
            await asyncio.sleep(PAUSE_SECONDS * attempt)
            found = await scan(self.connection, self.user_id)
        self.scanned = found.tables
        if found.hits:
            raise IntegrityBroken(f"rows of the erased learner remain in: {', '.join(sorted(found.hits))}")


# Every fit whose cut is not before the learner's first answer to a question.
_FLAG_MODELS = """
update models m set flagged_at = now()
 where m.flagged_at is null and m.trained_until >= (
       select min(event_ts) from question_attempts where user_id = $1 and question_id is not null)
"""

# RETURNING, never the row count: Citus counts rows that it did not touch.
_DELETE_EVENTS = """
with batch as (select user_id, event_ts, event_id from {table} where user_id = $1 limit $2),
     gone as (delete from {table} e using batch where (e.user_id, e.event_ts, e.event_id)
              = (batch.user_id, batch.event_ts, batch.event_id) and e.user_id = $1 returning 1)
select count(*) from gone
"""

_EVENT_TABLES = """
select t as name from partitioned_log_tables() t
 where exists (select from pg_attribute a where a.attrelid = to_regclass(t) and a.attname = 'event_id')
"""

_TABLES_OF_LEARNERS = f"""
select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
   and a.attname = 'user_id' and not a.attisdropped and c.relname not in ({_EVENT_TABLES})
 order by c.relname = 'users', 1
"""


async def erase(
    settings: Settings, user_id: UUID, *, requested_by: str = "command", on_step: OnStep | None = None
) -> Certificate:
    """Erase a learner, or go on where an earlier try stopped. Repeating a finished erasure proves it again.

    A pseudonym of whom nothing is stored is tombstoned all the same: what waits in a queue somewhere is refused.
    `on_step` is awaited after each step is on record.

    Errors: IntegrityBroken when rows remain; Misconfigured without the eraser's credential.
    """
    async with _eraser(settings) as connection:
        mac = subject_mac(secret_key(settings.home, KEY_NAME), user_id)
        row = await _open(connection, user_id, mac, requested_by)
        work = _Work(connection, settings, user_id, row["erasure_id"], mac)
        work.deleted.update(
            msgspec.json.decode(row["deleted_rows"]) if isinstance(row["deleted_rows"], str) else row["deleted_rows"]
        )
        steps = (work.tombstone, work.delete_events, work.delete_derived, work.clear_caches, work.verify)
        # From the first step whatever the ledger says: each is quick when there is nothing left to do.
        for state, step in zip(STATES[1:], steps, strict=False):
            await step()
            await _advance(work, state)
            if on_step is not None:
                await on_step(state)
        await asyncio.to_thread(forget_own_learner, settings.home, user_id)
        return await _certify(work)


async def close_door(settings: Settings, user_id: UUID) -> None:
    """Refuse from now on whatever comes under a pseudonym. Deletes nothing, and no night erases: no ticket is opened.

    Errors: Misconfigured without the eraser's credential.
    """
    async with _eraser(settings) as connection:
        await _tombstone(connection, user_id, subject_mac(secret_key(settings.home, KEY_NAME), user_id))


async def is_begun(settings: Settings, user_id: UUID) -> bool:
    """Whether an erasure of this pseudonym is under way. Errors: Misconfigured without the eraser's credential."""
    async with _eraser(settings) as connection:
        found: Any = await connection.fetchval("select 1 from erasures where open_user_id = $1", user_id)
    return found is not None


async def unfinished(settings: Settings) -> list[UUID]:
    """Learners who asked to be erased, and erasures that stopped on the way."""
    async with _eraser(settings) as connection:
        found = await connection.fetch(
            "select user_id from users where erase_requested_at is not null "
            "union select open_user_id from erasures where open_user_id is not null"
        )
    return [record[0] for record in found]


@asynccontextmanager
async def _eraser(settings: Settings) -> AsyncGenerator[Driver]:
    """A connection with the eraser's own credential, which only this machine uses."""
    if settings.eraser_database_url is not None:
        url = settings.eraser_database_url.get_secret_value()
    elif settings.database_url is not None:
        raise Misconfigured("set OSLER_ERASER_DATABASE_URL: the application's own role must not be able to erase")
    else:
        url = (await asyncio.to_thread(ensure_running, settings)).eraser
    connection = await connect_plainly(url)
    try:
        yield connection
    finally:
        await connection.close()


async def _tombstone(connection: Driver, user_id: UUID, mac: bytes) -> None:
    async with connection.transaction():
        # A statement of its own: the lock is held before anything is read.
        await connection.execute("select pg_advisory_xact_lock($1, $2)", LOCK_SPACE, bucket(user_id))
        await connection.execute("insert into tombstones (subject_mac) values ($1) on conflict do nothing", mac)
        await connection.execute(
            "insert into erased_identities (subject_mac) select subject_mac from identities where user_id = $1 "
            "on conflict do nothing",
            user_id,
        )


async def _open(connection: Driver, user_id: UUID, mac: bytes, requested_by: str) -> Any:
    """The ledger's entry: made, or opened again where it was certified before."""
    row = await connection.fetchrow(
        "insert into erasures (erasure_id, subject_mac, open_user_id, requested_by) values ($1, $2, $3, $4) "
        "on conflict (subject_mac) do update set open_user_id = excluded.open_user_id, certified_at = null, "
        "state = case when erasures.state = 'certified' then 'requested' else erasures.state end returning *",
        uuid.uuid4(),
        mac,
        user_id,
        requested_by,
    )
    if row is None:
        raise AssertionError
    return row


async def _advance(work: _Work, state: str) -> None:
    await work.connection.execute(
        "update erasures set state = $2, deleted_rows = $3::text::jsonb, changed_at = now() where erasure_id = $1",
        work.erasure_id,
        state,
        msgspec.json.encode(dict(work.deleted)).decode(),
    )


async def _certify(work: _Work) -> Certificate:
    certified_at: Any = await work.connection.fetchval(
        "update erasures set state = 'certified', open_user_id = null, certified_at = now(), changed_at = now(), "
        "scanned_tables = $2 where erasure_id = $1 returning certified_at",
        work.erasure_id,
        work.scanned,
    )
    deleted = {table: n for table, n in sorted(work.deleted.items()) if n}
    return Certificate(work.erasure_id, "certified", deleted, work.scanned, certified_at, bool(deleted))
