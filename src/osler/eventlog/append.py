"""The only way into the log: one call, one transaction, and for each event whether it was new."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Protocol
from uuid import UUID, uuid4

from osler.errors import OslerError
from osler.eventlog import columns
from osler.eventlog.entries import Appended, Batch, Key
from osler.eventlog.tombstones import subject


class Connection(Protocol):
    """What is used of an asyncpg connection, whose own types are incomplete."""

    async def fetchrow(self, query: str, *args: Any) -> Any: ...  # noqa: D102
    async def fetch(self, query: str, *args: Any) -> Any: ...  # noqa: D102
    async def execute(self, query: str, *args: Any) -> Any: ...  # noqa: D102
    def transaction(self) -> Any: ...  # noqa: D102


# Learners travel as joined texts, like the columns: of an array the driver looks at every element, .5 µs each.
_APPEND = (
    "select state, erased, withdrawn, unwell, new_users, new_ids, stored_users, stored_ids, stored_hashes "
    "from append_events($1, $2, string_to_array($3, E'\\n')::int[], string_to_array($4, E'\\n')::uuid[], "
    "string_to_array($5, E'\\n')::bytea[], string_to_array($6, E'\\n', ''), "
    "$7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"
)


class CatalogChanged(OslerError):
    """The catalogue moved on between grading and storing: grade again."""

    status = 503
    default_code = "catalog.changed"


class LearnerChanged(OslerError):
    """A learner's zone, start of the day or checkpoint is no longer what the batch was concluded with: look again."""

    status = 503
    default_code = "learner.changed"


async def append(connection: Connection, batch: Batch, *, key: bytes) -> Appended:
    """Store what is new, in one statement; without a surrounding transaction that is one COMMIT.

    Rows must be sorted by (user_id, event_id) and free of repeats; `key` is the tombstones' secret.

    Errors: CatalogChanged, LearnerChanged; whatever asyncpg raises for a missing partition, a deadlock or a lost
    connection.
    """
    rows = batch.rows
    users = list(dict.fromkeys(rows.user_id))
    subjects = [subject(key, user) for user in users]
    row = await connection.fetchrow(
        _APPEND,
        len(rows), uuid4(), *map("\n".join, zip(*subjects, strict=True)),
        "\n".join([batch.homes.get(user) or "" for user in users]), list(batch.create) or None, batch.catalog_version,
        batch.received_at, batch.sent_at, batch.clock_skew_ms, batch.device_id,
        b"".join(rows.content_hash), os.urandom(16 * len(rows)), *columns.envelope(rows), *columns.typed(rows),
    )  # fmt: skip
    assert row is not None  # noqa: S101 (a function with OUT parameters gives one row)
    if row["state"] == "catalog_changed":
        raise CatalogChanged("The catalogue changed while the batch was graded.")
    if row["state"] == "learner_changed":
        raise LearnerChanged("A learner's settings changed while the batch was concluded.")
    if row["state"] == "all_new":
        return Appended(None)
    stored = zip(_keys(row["stored_users"], row["stored_ids"]), row["stored_hashes"] or (), strict=True)
    return Appended(
        new=frozenset(_keys(row["new_users"], row["new_ids"])),
        erased=_texts(row["erased"]),
        withdrawn=_texts(row["withdrawn"]),
        without_wellbeing=_texts(row["unwell"]),
        stored_hashes=dict(stored),
    )


def _texts(ids: Iterable[UUID] | None) -> frozenset[str]:
    return frozenset(map(str, ids or ()))


def _keys(users: Iterable[UUID] | None, ids: Iterable[UUID] | None) -> Iterable[Key]:
    return zip(map(str, users or ()), map(str, ids or ()), strict=True)
