"""What travels in an export beside the events, so that another Osler derives the same from them.

The curriculum and exams as a whole (they are small, public, and every figure rests on their shape), the questions and
materials that the learners' events name, and what is of the learners' own and not made from the events alone. Rows that
are there already stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from osler.catalog.items import insert_rows
from osler.catalog.tables import (
    cohorts,
    exam_blueprint,
    exams,
    materials,
    questions,
    tag_rules,
    topic_relationships,
    topics,
)
from osler.catalog.writes import ensure_users
from osler.db.engine import WriteSession
from osler.db.faults import sqlstate
from osler.domain.privacy_gate import looks_personal
from osler.errors import UnreadableSource

CATALOGUE = (topics, topic_relationships, tag_rules, exams, exam_blueprint, questions, materials)
"""In the order in which they can be written: what is pointed at comes first."""

SETTINGS = "users"

OWN = ("cards", "user_exams", "exam_outcomes", "exam_snapshots", "memory_parameters")
"""Entered by the learner, or stated once and kept."""

CLASSES, MEMBERS = cohorts, "cohort_members"
"""Who is in which class: the installation's own, so that only an export of everybody has it."""

PARAMETERS = "models"
"""The numbers that everybody was folded under: counts of the whole installation, so for its owner alone."""

CARRIED = frozenset({SETTINGS, *OWN, MEMBERS, CLASSES.name, PARAMETERS, *(table.name for table in CATALOGUE)})


@dataclass(frozen=True, slots=True)
class Carried:
    """One row of an export: its table, whose it is (None: nobody's), its columns."""

    table: str
    user_id: UUID | None
    row: Mapping[str, Any]


async def take_over(session: WriteSession, carried: Sequence[Carried], own: Mapping[str, sa.Table]) -> int:
    """Write carried rows; gives how many of the catalogue, or cards, were new. `own` are those of `OWN` and `MEMBERS`.

    A learner who has events already keeps their settings. Purposes that were refused are refused afterwards, by
    `refuse_again`: until then the events themselves could not be stored.
    Errors: UnreadableSource when a row does not fit its table.
    """
    rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for each in carried:
        rows[each.table].append(each.row if each.user_id is None else {**each.row, "user_id": str(each.user_id)})
    new = 0
    with _unfit_is_unreadable():
        for table in (*CATALOGUE, CLASSES):
            new += await insert_rows(session, table, _fitting(table, rows[table.name]))
        await ensure_users(session, sorted({each.user_id for each in carried if each.user_id is not None}))
        for row in rows[SETTINGS]:
            await _settle(session, row)
        for name, table in own.items():
            found = await insert_rows(session, table, _fitting(table, rows[name]))
            new += found if name == "cards" else 0  # plans are made of those that were never reviewed, too
    return new


async def refuse_again(session: WriteSession, carried: Sequence[Carried]) -> None:
    """Refuse the purposes that the export says were refused."""
    for each in carried:
        refused = {purpose: None for purpose, given in _consents(each.row).items() if given is None}
        await session.driver().execute(
            "update users set consents = consents || $2::jsonb where user_id = $1",
            each.user_id,
            msgspec.json.encode(refused).decode(),
        )


def has_refusals(carried: Carried) -> bool:
    """Whether it holds a purpose that was refused."""
    return carried.table == SETTINGS and None in _consents(carried.row).values()


_SETTLE = """
update users set time_zone = $2, day_start_minutes = $3, desired_retention = $4, is_sample = $5, consents = $6::jsonb
 where user_id = $1 and not exists (select from study_events where user_id = $1)
"""


async def _settle(session: WriteSession, row: Mapping[str, Any]) -> None:
    given = {purpose: at for purpose, at in _consents(row).items() if at is not None}
    await session.driver().execute(
        _SETTLE,
        UUID(row["user_id"]),
        row.get("time_zone", "UTC"),
        row.get("day_start_minutes", 240),
        row.get("desired_retention", 0.9),
        row.get("is_sample", False),
        msgspec.json.encode(given).decode(),
    )


def _consents(row: Mapping[str, Any]) -> dict[str, str | None]:
    return dict(row.get("consents") or {})


def _fitting(table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
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
        if state[:2] not in _UNFIT and not isinstance(failed, (TypeError, ValueError)):
            raise
        raise UnreadableSource("a row that the export carries does not fit its table; is it whole?") from failed


_UNFIT = frozenset({"22", "23"})  # SQLSTATE classes: values of the wrong kind, broken constraints
