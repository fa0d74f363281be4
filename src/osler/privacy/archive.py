"""The export that a person opens: a zip with a page that explains every column, CSV for spreadsheets, and the lines.

It is written while it is sent: nothing lies on a disk, and memory stays flat.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Callable
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import sqlalchemy as sa

from osler.catalog.carried import CATALOGUE
from osler.privacy.cells import csv_lines
from osler.privacy.explained import EVENT_COLUMNS, README, explained
from osler.privacy.export import Export
from osler.privacy.own_rows import catalogue_rows, columns_of, own_rows, own_tables

JSONL = "osler-export.jsonl"
Source = Callable[[], AsyncGenerator[bytes]]


async def archive(export: Export, user_id: UUID) -> AsyncGenerator[bytes]:
    """The bytes of the zip of that learner's export, as they come."""
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_DEFLATED) as made:
        for name, source in _files(export, user_id):
            with made.open(_entry(name, export), "w", force_zip64=True) as entry:
                async for part in source():
                    # Packing a slice takes some milliseconds, which other requests need not wait for.
                    await asyncio.to_thread(entry.write, part)
                    if packed := sink.taken():
                        yield packed
    yield sink.taken()


def _files(export: Export, user_id: UUID) -> list[tuple[str, Source]]:
    files: list[tuple[str, Source]] = [
        (README, lambda: _page(export)),
        (JSONL, lambda: export.lines(with_derived=True)),
        ("events.csv", lambda: _events(export, user_id)),
    ]
    files += [(f"tables/{table.name}.csv", _own(export, user_id, table)) for table in own_tables()]
    files += [(f"catalogue/{table.name}.csv", _named(export, user_id, table)) for table in CATALOGUE]
    return files


async def _page(export: Export) -> AsyncGenerator[bytes]:
    yield explained(own_tables(), CATALOGUE, export.at).encode()


async def _events(export: Export, user_id: UUID) -> AsyncGenerator[bytes]:
    yield csv_lines([list(EVENT_COLUMNS)])
    async for events in export.events(user_id):
        rows = [{**event, **event["stored"]} for event in events]
        yield csv_lines([row.get(name) for name in EVENT_COLUMNS] for row in rows)


def _own(export: Export, user_id: UUID, table: sa.Table) -> Source:
    async def source() -> AsyncGenerator[bytes]:
        yield csv_lines([[column.name for column in table.columns]])
        async for rows in own_rows(export.db, table, user_id):
            yield csv_lines([list(row.values()) for row in rows])

    return source


def _named(export: Export, user_id: UUID, table: sa.Table) -> Source:
    async def source() -> AsyncGenerator[bytes]:
        yield csv_lines([[column.name for column in columns_of(table, with_keys=export.with_keys)]])
        async for rows in catalogue_rows(export.db, table, user_id, with_keys=export.with_keys):
            yield csv_lines([list(row.values()) for row in rows])

    return source


def _entry(name: str, export: Export) -> ZipInfo:
    entry = ZipInfo(name, export.at.timetuple()[:6])
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


class _Sink(io.RawIOBase):
    """Where the zip is written to: what was written waits here until it is sent."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """What was written since this was asked last."""
        packed, self._parts = b"".join(self._parts), []
        return packed
