"""Answers a corrected key: each attempt whose grade it changes gets a `question_regrade`, and is never rewritten."""

from __future__ import annotations

from typing import Any

import msgspec

from osler.catalog.tables import questions
from osler.db.engine import Database
from osler.domain.clock_rules import instant_of
from osler.domain.identity import deterministic_id, uuid7_ms
from osler.eventlog.lookups import attempts_of
from osler.ingest.intake import BatchResult, ingest_events

NAMESPACE = "question_regrade"


async def regrade(db: Database, question_id: str) -> BatchResult:
    """Append a regrade for every answer to a question that the present key judges otherwise, or judges first.

    Running it again appends nothing: the ids are made of the attempt's id and the key's version. A regrade carries
    the attempt's own time, so that the fold meets it beside the attempt.
    """
    async with db.read(primary=True) as session:
        found = await session.one(questions.select().where(questions.c.question_id == question_id))
        if found is None or found["key"] is None:
            return BatchResult()
        key, version = list(found["key"]), int(found["key_version"])
        attempts = await attempts_of(session.driver(), question_id, version)
    changed = [_regrade_of(row, key, version) for row in attempts if _verdict(row, key) != row["is_correct"]]
    return await ingest_events(db, changed, None, is_server=True)


def _verdict(row: Any, key: list[str]) -> bool:
    answer: list[str] = msgspec.json.decode(row["answer"])
    return sorted(set(answer)) == key


def _regrade_of(row: Any, key: list[str], version: int) -> dict[str, Any]:
    ms = uuid7_ms(row["event_id"])
    at = instant_of(ms * 1000).isoformat(timespec="milliseconds")
    return {
        "id": str(deterministic_id(NAMESPACE, f"{row['event_id']}:{version}", ms)),
        "type": "question_regrade",
        "schema": 1,
        "occurred_at": at,
        "user_id": str(row["user_id"]),
        "data": {
            "attempt_event_id": str(row["event_id"]), "key_version": version, "is_correct": _verdict(row, key)
        },
    }  # fmt: skip
