"""Everything stored of a learner, one JSON object a line: events in the wire's form, then what was made of them.

An event's line is what `osler import jsonl` takes, with what the server concluded under `stored`. The set of ids in
the export is the set stored. Rows are read in slices by key, so memory stays flat whatever their number.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from osler.db.engine import Database, ReadSession
from osler.db.schema import Erase, erase_of, metadata
from osler.domain.events import Cursor
from osler.eventlog.wire_form import wire_after

SLICE = 2_000
NOT_EXPORTED = frozenset(
    {"study_events", "question_attempts", "material_interactions", "dirty_days", "state_checkpoints"}
)
"""The events themselves, which come first; their typed bodies, which they hold; and machinery."""


async def exported_events(db: Database, user_id: UUID) -> AsyncGenerator[bytes]:
    """The events, in the order of the fold, each a line."""
    cursor: Cursor | None = None
    while True:
        async with db.read(user_id=user_id, primary=True) as session:
            events, cursor = await wire_after(session, user_id, cursor, SLICE)
        for event in events:
            yield _line(event)
        if cursor is None:
            return


async def exported_rows(db: Database, user_id: UUID) -> AsyncGenerator[bytes]:
    """Settings, consent, and every derived row, each a line `{"table": …, "row": …}`."""
    async with db.read(user_id=user_id, primary=True) as session:
        for table in own_tables():
            async for line in _rows(session, table, user_id):
                yield line


async def exported(db: Database, user_id: UUID, at: datetime) -> AsyncGenerator[bytes]:
    """The whole export: a line that says what it is, the events, the rows."""
    yield _line({"export": "osler", "form": 1, "taken_at": at.astimezone(UTC)})
    async for line in exported_events(db, user_id):
        yield line
    async for line in exported_rows(db, user_id):
        yield line


def own_tables() -> list[sa.Table]:
    """Every declared table with rows of a learner's own, in the order of their names."""
    return [
        table
        for name, table in sorted(metadata.tables.items())
        if erase_of(table) is Erase.DELETE and name not in NOT_EXPORTED
    ]


async def _rows(session: ReadSession, table: sa.Table, user_id: UUID) -> AsyncGenerator[bytes]:
    for row in await session.rows(sa.select(table).where(table.c.user_id == user_id)):
        yield _line({"table": table.name, "row": {name: _plain(value) for name, value in row.items()}})


def _plain(value: Any) -> Any:
    """Bytes as hexadecimal; everything else msgspec knows."""
    return value.hex() if isinstance(value, bytes) else value


def _line(entry: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(entry, enc_hook=str) + b"\n"
