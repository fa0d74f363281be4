"""What travels in an export beside the events, so that another Osler derives the same from them.

The curriculum and exams as a whole (they are small, public, and every figure rests on their shape), the questions and
materials that the learner's events name, and what learners have entered themselves. Rows that are there already stay.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from osler.catalog.items import insert_rows
from osler.catalog.tables import exam_blueprint, exams, materials, questions, topic_relationships, topics
from osler.catalog.writes import ensure_user
from osler.db.engine import WriteSession
from osler.db.faults import sqlstate
from osler.db.schema import metadata
from osler.domain.privacy_gate import looks_personal
from osler.errors import UnreadableSource

CATALOGUE = (topics, topic_relationships, exams, exam_blueprint, questions, materials)
"""In the order in which they can be written: what is pointed at comes first."""

OWN = ("cards", "user_exams", "exam_outcomes", "exam_snapshots")
"""Facts of a learner's own that figures rest on. Neither sign-ins nor classes: those are the installation's."""

SETTINGS = "users"

Rows = Sequence[Mapping[str, Any]]

_SETTLE = """
update users set time_zone = $2, day_start_minutes = $3, desired_retention = $4, is_sample = $5, consents = $6::jsonb
 where user_id = $1 and not exists (select from study_events where user_id = $1)
"""


async def take_over(session: WriteSession, carried: Mapping[str, Rows], owner: UUID) -> int:
    """Write the catalogue and the learner's own facts of an export; gives how many catalogue rows were new.

    A learner who has events already keeps their settings. Purposes that were refused are refused afterwards, by
    `refuse_again`: until then the events themselves could not be stored.
    Errors: UnreadableSource when a row does not fit its table.
    """
    new = 0
    with _unfit_is_unreadable():
        for table in CATALOGUE:
            new += await insert_rows(session, table, _fitting(table, carried.get(table.name, ())))
        await ensure_user(session, owner)
        for row in carried.get(SETTINGS, ()):
            await _settle(session, owner, row)
        for name in OWN:
            table = metadata.tables[name]
            rows = [{**row, "user_id": str(owner)} for row in carried.get(name, ())]
            await insert_rows(session, table, _fitting(table, rows))
    return new


async def refuse_again(session: WriteSession, carried: Mapping[str, Rows], owner: UUID) -> None:
    """Refuse the purposes that the export says were refused."""
    for row in carried.get(SETTINGS, ()):
        refused = {purpose: None for purpose, given in dict(row.get("consents") or {}).items() if given is None}
        await session.driver().execute(
            "update users set consents = consents || $2::jsonb where user_id = $1",
            owner,
            msgspec.json.encode(refused).decode(),
        )


async def _settle(session: WriteSession, owner: UUID, row: Mapping[str, Any]) -> None:
    given = {purpose: at for purpose, at in dict(row.get("consents") or {}).items() if at is not None}
    await session.driver().execute(
        _SETTLE,
        owner,
        row.get("time_zone", "UTC"),
        row.get("day_start_minutes", 240),
        row.get("desired_retention", 0.9),
        row.get("is_sample", False),
        msgspec.json.encode(given).decode(),
    )


def _fitting(table: sa.Table, rows: Rows) -> list[dict[str, Any]]:
    """The rows with columns that the table has, without those whose ids look like a person's."""
    keys = [column.name for column in table.primary_key.columns if isinstance(column.type, sa.Text)]
    kept = [
        {name: value for name, value in row.items() if name in table.c}
        for row in rows
        if not any(looks_personal(str(row.get(key, ""))) for key in keys)
    ]
    return sorted(kept, key=_depth) if table is topics else kept


def _depth(row: Mapping[str, Any]) -> int:
    level = row.get("level")
    return level if isinstance(level, int) else 0


@contextmanager
def _unfit_is_unreadable() -> Generator[None]:
    try:
        yield
    except Exception as failed:
        state = sqlstate(failed) or ""
        if state[:2] not in _UNFIT:
            raise
        raise UnreadableSource("a row that the export carries does not fit its table; is it whole?") from failed


_UNFIT = frozenset({"22", "23"})  # SQLSTATE classes: values of the wrong kind, broken constraints
