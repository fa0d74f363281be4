"""What an import writes beside the log: catalogue rows before the events, results of exams with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy.dialects import postgresql as pg

from osler.analytics.readiness.tables import exam_outcomes, exam_snapshots
from osler.analytics.states import fold_anew_who_knows, fold_anew_who_reviewed
from osler.catalog import items
from osler.catalog.carried import MEMBERS, OWN, PARAMETERS, Carried, take_over
from osler.catalog.curriculum_store import Loaded, ensure_curriculum, rules_for_tags
from osler.catalog.tables import cards as card_rows
from osler.catalog.tables import cohort_members, user_exams
from osler.catalog.writes import ensure_user, ensure_users
from osler.db.engine import WriteSession
from osler.domain.privacy_gate import looks_personal
from osler.eventlog import learner_locks, marks
from osler.eventlog.erased import erased
from osler.forecasts.tables import memory_parameters
from osler.http.cache.news import announce
from osler.ingest.importers.record import Entries, SourceRecord
from osler.ingest.importers.report import ImportReport

ERASED = "subject.erased"
OWN_FACTS = "own_facts"
T = TypeVar("T")


async def write_entries(session: WriteSession, entries: Entries, *, source: str) -> None:
    """Write the catalogue rows that an import's events need.

    A row whose id looks like a person's is left out, as the events that name it are rejected.
    """
    if entries.tagged:  # first: loading one drops topics that nothing names
        await bring_curriculum(session)
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
    if new:
        await items.note_change(session, f"import {source}")


async def write_cards(session: WriteSession, entries: Entries, *, source: str, owner: UUID, notes: list[str]) -> None:
    """Write the owner's cards, in a transaction of their own; what rests on those that have changed is made anew.

    `notes` gets what the person who imports should know.
    """
    cards = {**entries.cards, **await _by_tags(session, entries, notes)}
    if not cards and not entries.suspended:
        return
    # No fold of theirs meanwhile: it would not know the cards, and nobody that it has met them. Nothing else is locked
    # here, least of all other learners (osler.eventlog.learner_locks).
    await learner_locks.hold(session.driver(), [owner])
    if await _write_cards(session, cards, owner, entries):
        await items.note_change(session, f"import {source}")


async def _by_tags(session: WriteSession, entries: Entries, notes: list[str]) -> dict[str, tuple[str, ...]]:
    """Cards with the topics that their tags and deck name speak of, by the rules of the loaded curriculum."""
    if not entries.tagged:
        return {}
    rules = await rules_for_tags(session)
    found = {card: rules.topics_of(paths) for card, paths in entries.tagged.items()}
    if missing := sum(not topics for topics in found.values()):
        notes.append(
            f"{missing} of {len(found)} cards have no topic by tag or deck; they stand under "
            f"'{entries.topics[entries.untagged]}'"
            + ("" if rules else ". The loaded curriculum has no rules for tags: docs/how-to/write-a-curriculum.md")
        )
    return {card: topics or (entries.untagged,) for card, topics in found.items()}


async def _write_cards(
    session: WriteSession, cards: Mapping[str, tuple[str, ...]], owner: UUID, entries: Entries
) -> int:
    await ensure_user(session, owner)
    moved = await items.map_cards(session, owner, _fit(cards), mapped_by=entries.cards_mapped_by)
    await marks.mark_cards(session, owner, moved)
    if entries.suspended is None:
        return len(moved)
    suspended = [card for card in sorted(entries.suspended) if not looks_personal(card)]
    changed = await items.tell_suspended(session, owner, sorted(_fit(cards)), suspended)
    await fold_anew_who_reviewed(session, owner, changed)  # no mark: the days of its reviews may have left the log
    return len({*moved, *changed})


async def bring_curriculum(session: WriteSession) -> Loaded | None:
    """Load the shipped curriculum where none is, or an earlier edition; who was folded under that is marked."""
    loaded = await ensure_curriculum(session)
    if loaded is not None:
        await marks.mark_everybody(session)
        await announce(session, None)
    return loaded


_OWN_TABLES = {
    table.name: table
    for table in (card_rows, user_exams, exam_outcomes, exam_snapshots, memory_parameters, cohort_members)
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
    new_to_known = await _cards_of_known_reviews(session, kept)
    if await take_over(session, kept, _OWN_TABLES):
        await items.note_change(session, f"import {report.source}")
    for user_id, cards in new_to_known.items():  # they were folded and counted without topics, as cards in review
        await marks.mark_cards(session, user_id, cards)
        await fold_anew_who_reviewed(session, user_id, cards)
    fitted = [each.row for each in kept if each.table == PARAMETERS]
    if fitted:
        await session.driver().execute(_ADOPT, msgspec.json.encode(fitted).decode())


_WITHOUT_A_ROW = """
select t.user_id, t.card_id from unnest($1::uuid[], $2::text[]) as t(user_id, card_id)
  join item_memory m on m.user_id = t.user_id and m.item_kind = 'card' and m.item_id = t.card_id
 where not exists (select from cards c where c.user_id = t.user_id and c.card_id = t.card_id)
"""


async def _cards_of_known_reviews(session: WriteSession, carried: Sequence[Carried]) -> dict[UUID, list[str]]:
    """Carried cards that are not known yet, though reviews of them are folded, by learner."""
    told = [(each.user_id, str(each.row.get("card_id"))) for each in carried if each.table == card_rows.name]
    found: dict[UUID, list[str]] = {}
    rows: Any = await session.driver().fetch(_WITHOUT_A_ROW, [u for u, _ in told], [c for _, c in told]) if told else ()
    for row in rows:
        found.setdefault(row["user_id"], []).append(row["card_id"])
    return found


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
