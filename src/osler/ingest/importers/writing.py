"""What an import writes beside the log: catalogue rows before the events, results of exams with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.analytics.readiness.tables import exam_outcomes, exam_snapshots
from osler.analytics.states import fold_anew_who_knows
from osler.catalog import items
from osler.catalog.carried import MEMBERS, OWN, PARAMETERS, Carried, take_over
from osler.catalog.curriculum_store import load_curriculum, read_shipped
from osler.catalog.tables import cards, catalog_versions, cohort_members, topics, user_exams
from osler.catalog.writes import ensure_user, ensure_users
from osler.db.engine import WriteSession
from osler.domain.privacy_gate import looks_personal
from osler.eventlog import marks
from osler.eventlog.erased import erased
from osler.forecasts.tables import memory_parameters
from osler.http.cache.news import announce
from osler.ingest.importers.record import Entries, SourceRecord
from osler.ingest.importers.report import ImportReport

ERASED = "subject.erased"
OWN_FACTS = "own_facts"
T = TypeVar("T")


async def write_entries(session: WriteSession, entries: Entries, *, source: str, owner: UUID) -> None:
    """Write the catalogue rows that an import's events need; cards that have moved are marked.

    A row whose id looks like a person's is left out, as the events that name it are rejected.
    """
    if entries.curriculum is not None:  # first: loading one drops topics that nothing names
        await _ensure_curriculum(session, entries.curriculum)
    new = await items.add_topics(session, _named(entries.topics), source=source)
    if new:  # under which topic they lie was not known to who has answered on them already
        await fold_anew_who_knows(session, entries.topics)
    new += await items.add_questions(session, _fit(entries.questions), source=source)
    materials = _fit(entries.materials)
    more = await items.add_materials(session, {name: (kind, of, None) for name, (kind, of) in materials.items()})
    if more:  # how much of a topic is read rests on how much there is
        await fold_anew_who_knows(session, {topic for _, of in materials.values() for topic in of})
    new += more
    new += await items.add_exams(session, _named(entries.exams), source=source)
    if entries.cards:
        new += await _write_cards(session, entries, owner)
    if new:
        await items.note_change(session, f"import {source}")


async def _write_cards(session: WriteSession, entries: Entries, owner: UUID) -> int:
    cards = _fit(entries.cards)
    if entries.curriculum is not None:
        cards = await _under_known_topics(session, cards, otherwise=max(entries.topics))
    await ensure_user(session, owner)
    moved = await items.map_cards(session, owner, cards, mapped_by=entries.cards_mapped_by)
    await marks.mark_cards(session, owner, moved)
    return len(moved)


async def _ensure_curriculum(session: WriteSession, name: str) -> None:
    """Load the shipped curriculum where none was ever loaded; one that was chosen stays."""
    loaded = sa.select(sa.func.count()).where(catalog_versions.c.what == "curriculum")
    if not await session.scalar(loaded):
        await load_curriculum(session, read_shipped(name))
        await marks.mark_everybody(session)
        await announce(session, None)


async def _under_known_topics(
    session: WriteSession, cards: Mapping[str, Sequence[str]], *, otherwise: str
) -> dict[str, tuple[str, ...]]:
    """Cards under those of their topics that the loaded curriculum has; one without any under `otherwise`."""
    known = {row[0] for row in await session.tuples(sa.select(topics.c.topic_id))}
    return {card: tuple(topic for topic in of if topic in known) or (otherwise,) for card, of in cards.items()}


_OWN_TABLES = {
    table.name: table for table in (cards, user_exams, exam_outcomes, exam_snapshots, memory_parameters, cohort_members)
}


async def write_carried(session: WriteSession, carried: Sequence[Carried], report: ImportReport, key: bytes) -> None:
    """Take over rows of an export; those of erased learners are refused."""
    if set(_OWN_TABLES) != {*OWN, MEMBERS}:
        msg = "what is carried and the tables that take it have come apart"
        raise AssertionError(msg)
    users = sorted({each.user_id for each in carried if each.user_id is not None})
    gone = await erased(session, users, key)
    kept = [each for each in carried if each.user_id not in gone]
    if len(kept) < len(carried):
        report.merged[OWN_FACTS] -= len(carried) - len(kept)
        report.refused[ERASED] += len(carried) - len(kept)
    if await take_over(session, kept, _OWN_TABLES):
        await items.note_change(session, f"import {report.source}")
    fitted = [each.row for each in kept if each.table == PARAMETERS]
    if fitted:
        await session.driver().execute(_ADOPT, msgspec.json.encode(fitted).decode())


# An Osler with parameters or learners of its own keeps to them.
_ADOPT = """
insert into models select * from json_populate_recordset(null::models, $1::json)
 where not exists (select from models) and not exists (select from study_events) on conflict do nothing
"""


async def write_outcomes(
    session: WriteSession,
    found: Iterable[tuple[UUID, SourceRecord]],
    report: ImportReport,
    *,
    key: bytes,
    by: timedelta,
) -> None:
    """Store results of exams, moved by `by`, and count them. Those of erased learners are refused."""
    rows = [(user_id, record, _row(user_id, record, by)) for user_id, record in found]
    users = sorted({user_id for user_id, _, _ in rows})
    gone = await erased(session, users, key)
    await ensure_users(session, [user_id for user_id in users if user_id not in gone])
    kept: dict[tuple[UUID, str, date], dict[str, Any]] = {}
    for user_id, record, row in rows:
        if user_id in gone:
            report.refused[ERASED] += record.n
        elif kept.setdefault((user_id, row["exam_id"], row["exam_on"]), row) is not row:
            report.duplicate += record.n
    if not kept:
        return
    insert = pg.insert(exam_outcomes).values(list(kept.values())).on_conflict_do_nothing()
    stored = len(await session.tuples(insert.returning(exam_outcomes.c.user_id)))
    report.accepted += stored
    report.outcomes += stored
    report.duplicate += len(kept) - stored


def _row(user_id: UUID, record: SourceRecord, by: timedelta) -> dict[str, Any]:
    outcome = record.stored
    if outcome is None:
        msg = "a record without an outcome was set aside as one"
        raise AssertionError(msg)
    return {
        "user_id": user_id,
        "exam_id": outcome.exam_id,
        "exam_on": outcome.on + by,
        "score": outcome.score,
        "passed": outcome.passed,
        "source": "import",
    }


def _fit(found: Mapping[str, T]) -> dict[str, T]:
    return {name: value for name, value in found.items() if not looks_personal(name)}


def _named(names: Mapping[str, str]) -> dict[str, str]:
    """Names by id; a name that looks like a person's, or holds an at sign, gives way to the id."""
    return {each: each if looks_personal(name) or "@" in name else name[:200] for each, name in _fit(names).items()}
