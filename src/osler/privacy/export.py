"""Everything stored of a learner, one JSON object a line, in the order in which another Osler takes it over.

What it is; the part of the catalogue that the events rest on; what the learner has entered; the events in the wire's
form with what the server concluded under `stored`; then derived rows and forecasts with the version of their model. The
set of ids in the export is the set stored. Rows are read in slices by key, so memory stays flat whatever their number.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from osler.catalog.carried import CATALOGUE, CLASSES, MEMBERS, OWN, PARAMETERS, SETTINGS
from osler.db.engine import Database
from osler.domain.events import Cursor
from osler.eventlog.wire_form import wire_after
from osler.privacy.own_rows import SLICE, catalogue_rows, learners, own_rows, own_tables, parameter_rows

FORM = 2
EVERYBODY = "everybody"


@dataclass(slots=True)
class Export:
    """One export: of a learner, or of everybody (`user_id` None), which moves a whole installation.

    `counts` fills while it is read: events, and rows by table. `with_keys` adds the right answers of questions and the
    parameters that were fitted to everybody: for whoever runs the installation, never for a learner.
    """

    db: Database
    user_id: UUID | None
    at: datetime
    with_keys: bool = False
    counts: dict[str, int] = field(default_factory=dict[str, int])

    async def lines(self, *, with_derived: bool) -> AsyncGenerator[bytes]:
        """The export as lines, a slice of them at a time; without derived rows it is what moves to another Osler."""
        whose = EVERYBODY if self.user_id is None else "one"
        yield line({"export": "osler", "form": FORM, "whose": whose, "taken_at": self.at.astimezone(UTC)})
        for table in CATALOGUE if self.user_id is not None else (*CATALOGUE, CLASSES):
            async for rows in catalogue_rows(self.db, table, self.user_id, with_keys=self.with_keys):
                yield self._counted(table.name, [line({"catalogue": table.name, "row": plain(row)}) for row in rows])
        if self.with_keys and (fitted := await parameter_rows(self.db)):
            yield self._counted(PARAMETERS, [line({"catalogue": PARAMETERS, "row": row}) for row in fitted])
        if self.user_id is not None:
            async for part in self._of(self.user_id, with_derived=with_derived, carried={SETTINGS, *OWN}):
                yield part
            return
        async for user_id in learners(self.db):
            async for part in self._of(user_id, with_derived=with_derived, carried={SETTINGS, *OWN, MEMBERS}):
                yield part

    async def _of(self, user_id: UUID, *, with_derived: bool, carried: set[str]) -> AsyncGenerator[bytes]:
        """A learner's lines: what is carried, the events, what was derived."""
        tables = own_tables()
        entered = [table for table in tables if table.name in carried]
        async for part in self._tables(user_id, entered):
            yield part
        name = {"user_id": user_id} if self.user_id is None else {}
        async for events in self.events(user_id):
            yield self._counted("events", [line({**event, **name}) for event in events])
        if with_derived:
            async for part in self._tables(user_id, [table for table in tables if table not in entered]):
                yield part

    async def total(self) -> int:
        """How many events there are."""
        count = "select count(*) from study_events where $1::uuid is null or user_id = $1"
        async with self.db.read(user_id=self.user_id, primary=True) as session:
            return int(await session.driver().fetchval(count, self.user_id))

    async def events(self, user_id: UUID) -> AsyncGenerator[list[dict[str, Any]]]:
        """The events in the wire's form, in the order of the fold, in slices."""
        cursor: Cursor | None = None
        while True:
            async with self.db.read(user_id=user_id, primary=True) as session:
                events, cursor = await wire_after(session, user_id, cursor, SLICE)
            if events:
                yield events
            if cursor is None:
                return

    async def _tables(self, user_id: UUID, tables: list[sa.Table]) -> AsyncGenerator[bytes]:
        for table in tables:
            async for rows in own_rows(self.db, table, user_id):
                yield self._counted(table.name, [line({"table": table.name, "row": plain(row)}) for row in rows])

    def _counted(self, what: str, lines: list[bytes]) -> bytes:
        self.counts[what] = self.counts.get(what, 0) + len(lines)
        return b"".join(lines)


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for JSON: bytes as hexadecimal; everything else msgspec knows."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}


def line(entry: Mapping[str, Any]) -> bytes:
    """One line."""
    return msgspec.json.encode(entry, enc_hook=str) + b"\n"
