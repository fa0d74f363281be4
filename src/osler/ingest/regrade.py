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
LONGEST_SECONDS = 60.0
"""The log is read whole, which takes longer than a page may."""


async def regrade(db: Database, *question_ids: str) -> BatchResult:
    """Append a regrade for every answer to these questions that the present key judges otherwise, or judges first.

    Running it again appends nothing: the ids are made of the attempt's id and the key's version. A regrade carries
    the attempt's own time, so that the fold meets it beside the attempt.
    """
    keyed = questions.select().where(questions.c.question_id.in_(question_ids), questions.c.key.is_not(None))
    async with db.read(primary=True, statement_timeout_seconds=LONGEST_SECONDS) as session:
        found = {row["question_id"]: row for row in await session.rows(keyed)}
        versions = {each: int(row["key_version"]) for each, row in found.items()}
        attempts = await attempts_of(session.driver(), versions) if found else []
    changed = [
        _regrade_of(row, key, versions[row["question_id"]])
        for row in attempts
        if _verdict(row, key := list(found[row["question_id"]]["key"])) != row["is_correct"]
    ]
    return await ingest_events(db, changed, None, is_server=True, import_window=True)  # imported answers may be old


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
