"""What the catalogue says of questions and materials, kept in memory under the catalogue's version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from osler.eventlog.append import Connection
from osler.ingest.work import Grade

MOST_KEPT = 200_000

_VERSION = "select coalesce(max(version), 0) from catalog_versions"
# With those that follow by name: a bank is worked through in blocks, and a question by itself is a round trip more for
# the answer that names it first.
NEIGHBOURS = 500
_QUESTIONS = f"""
select question_id, key, key_version from questions where question_id = any($1::text[]) union all
(select question_id, key, key_version from questions where question_id > $2 order by question_id limit {NEIGHBOURS})
"""
_MATERIALS = "select material_id from materials where material_id = any($1::text[])"


class CatalogView:
    """Answer keys and known materials. One for each process; `forget` when the catalogue has moved on."""

    def __init__(self) -> None:
        self.version: int | None = None
        self.grades: dict[str, Grade | None] = {}
        self.materials: dict[str, bool] = {}

    def forget(self) -> None:
        """Drop everything: the version under which it was read is no longer the catalogue's."""
        self.version = None
        self.grades.clear()
        self.materials.clear()

    async def look_up(self, connection: Connection, questions: Iterable[str], materials: Iterable[str]) -> int:
        """Make sure that these are known, or known to be unknown; the version they were read under.

        The version is read first: what changes after it makes the append refuse and ask again.
        """
        if len(self.grades) + len(self.materials) > MOST_KEPT:
            self.forget()
        if self.version is None:
            self.version = int((await connection.fetchrow(_VERSION))[0])
        await self._questions(connection, [each for each in questions if each not in self.grades])
        await self._materials(connection, [each for each in materials if each not in self.materials])
        return self.version

    async def _questions(self, connection: Connection, missing: list[str]) -> None:
        if not missing:
            return
        rows: Any = await connection.fetch(_QUESTIONS, missing, missing[0])
        found: dict[str, Grade | None] = {
            row["question_id"]: Grade(tuple(row["key"]) if row["key"] is not None else None, row["key_version"])
            for row in rows
        }
        self.grades.update(dict.fromkeys(missing) | found)

    async def _materials(self, connection: Connection, missing: list[str]) -> None:
        if not missing:
            return
        rows: Any = await connection.fetch(_MATERIALS, missing)
        found = {row["material_id"] for row in rows}
        self.materials.update({each: each in found for each in missing})
