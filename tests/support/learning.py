"""Events as a learner's device would send them, a small catalogue, and what was derived from both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from osler.catalog.tables import catalog_versions, materials, questions, topics
from osler.db.engine import Database
from osler.ingest.intake import ingest_events

LEARNER = UUID("5f0c0000-0000-4000-8000-000000000001")
OTHER = UUID("5f0c0000-0000-4000-8000-000000000002")
START = datetime.fromisoformat("2026-09-01T09:00:00+02:00")
TOPICS = ("cardio", "renal", "neuro")


def uuid7(at: datetime, number: int) -> str:
    """A UUIDv7 of an instant, the same for the same number."""
    ms = int(at.timestamp() * 1000)
    value = (ms << 80) | (7 << 76) | (0b10 << 62) | (number % (1 << 62))
    return str(UUID(int=value))


def event(at: datetime, number: int, kind: str, data: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """One event in the wire's form."""
    return {
        "id": uuid7(at, number),
        "type": kind,
        "occurred_at": at.isoformat(timespec="milliseconds"),
        "schema": 1,
        "data": dict(data),
        **more,
    }


def answer(at: datetime, number: int, question: str, *, right: bool, seconds: float = 40.0) -> dict[str, Any]:
    """An answer to one of the questions of `small_catalogue`, whose keys are all A."""
    data = {
        "question_id": question,
        "answer": ["A"] if right else ["B"],
        "time_to_answer_seconds": seconds,
        "mode": "tutor",
    }
    return event(at, number, "question_submit", data)


def review(at: datetime, number: int, card: str, rating: int) -> dict[str, Any]:
    """A review of one of the learner's cards."""
    data = {
        "card_id": card, "rating": rating, "kind": "review", "time_to_answer_seconds": 6.0, "affects_schedule": True,
    }  # fmt: skip
    return event(at, number, "flashcard_review", data)


def read_to(at: datetime, number: int, material: str, progress: float) -> dict[str, Any]:
    """A report of how far a material is read."""
    data = {"material_id": material, "progress": progress, "active_seconds": 30.0}
    return event(at, number, "material_progress", data)


async def small_catalogue(database: Database) -> None:
    """Three topics, twelve questions (one on two topics), three materials."""
    async with database.write() as session:
        await session.execute(
            sa.insert(topics),
            [
                {"topic_id": t, "name": t.title(), "level": 0, "axis": "system", "board_exam_weight": 5.0}
                for t in TOPICS
            ],
        )
        await session.execute(
            sa.insert(questions),
            [{"question_id": f"q{n}", "key": ["A"], "option_count": 5, "topic_ids": _topics_of(n)} for n in range(12)],
        )
        await session.execute(
            sa.insert(materials),
            [{"material_id": f"m{n}", "kind": "text", "topic_ids": [topic]} for n, topic in enumerate(TOPICS)],
        )
        await session.execute(sa.insert(catalog_versions).values(what="questions"))


def _topics_of(n: int) -> list[str]:
    return sorted({TOPICS[n % 3], TOPICS[0]}) if n == 5 else [TOPICS[n % 3]]


async def send(database: Database, events: Sequence[Mapping[str, Any]], user_id: UUID = LEARNER) -> None:
    """Send events through the real ingestion; every one must be stored or known already."""
    result = await ingest_events(database, events, user_id)
    bad = {s: n for s, n in result.counts.items() if n and s not in ("accepted", "duplicate")}
    assert not bad, (bad, result.codes)


def history(days: int = 30, *, start: datetime = START) -> list[dict[str, Any]]:
    """A month of mixed study: answers, repeats, cards, reading; in order, the same on every call."""
    events: list[dict[str, Any]] = []
    for day in range(days):
        at = start + timedelta(days=day, minutes=7 * (day % 5))
        for n in range(4):
            number = len(events)
            question = f"q{(day * 4 + n) % 12}"
            at += timedelta(minutes=3)
            events.append(answer(at, number, question, right=(day + n) % 3 != 0, seconds=20.0 + 7 * (number % 9)))
        for n in range(2):
            at += timedelta(seconds=20)
            events.append(review(at, len(events), f"c{(day + n) % 5}", 1 + (day + 2 * n) % 4))
        at += timedelta(minutes=5)
        events.append(read_to(at, len(events), f"m{day % 3}", min(1.0, (day + 1) / days * 1.2)))
    return events


async def derived(database: Database, tables: Sequence[sa.Table], user_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """All rows of a learner in these tables, by table, in the order of their keys."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with database.read(primary=True) as session:
        for table in tables:
            keys = list(table.primary_key.columns)
            query = sa.select(table).where(table.c.user_id == user_id).order_by(*keys)
            found[table.name] = [dict(row) for row in await session.rows(query)]
    return found
