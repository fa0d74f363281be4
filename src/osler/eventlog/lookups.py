"""Small questions to the log that ingestion asks: which sessions began, which ids are stored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from osler.eventlog.append import Connection

_SESSIONS = """
select distinct e.user_id::text as user_id, e.session_id::text as session_id
  from unnest($1::uuid[], $2::uuid[]) as t(u, s)
  join study_events e on e.user_id = t.u and e.session_id = t.s and e.event_type = 'session_start'
 where e.event_ts >= $3
"""
SESSION_LOOKBACK = timedelta(days=3)

_IDS = """
select e.event_id from study_events e
 where e.user_id = $1 and e.event_ts >= $2 and e.event_ts < $3 order by e.event_id
"""

_MONTHS = """
select to_char(m, 'YYYY_MM') from unnest($1::timestamptz[]) m
 where to_regclass('public.study_events_p' || to_char(m at time zone 'UTC', 'YYYY_MM')) is null
"""

_ATTEMPTS = """
select a.question_id, a.user_id, a.event_id, a.event_ts, a.answer::text as answer, a.is_correct
  from question_attempts a
  join unnest($1::text[], $2::int[]) as asked(question_id, key_version) on asked.question_id = a.question_id
 where a.event_type = 'question_submit' and coalesce(a.key_version, 0) < asked.key_version and a.answer is not null
"""


async def started_sessions(
    connection: Connection, sessions: Sequence[tuple[str, str]], oldest: datetime
) -> set[tuple[str, str]]:
    """Those (user_id, session_id) of which a start is stored, not long before `oldest`."""
    if not sessions:
        return set()
    users, ids = [user for user, _ in sessions], [session for _, session in sessions]
    rows: Any = await connection.fetch(_SESSIONS, users, ids, oldest - SESSION_LOOKBACK)
    return {(row["user_id"], row["session_id"]) for row in rows}


async def receipt(connection: Connection, user_id: UUID, low: datetime, high: datetime) -> tuple[int, str]:
    """How many events of a learner lie in [low, high) by the time of their ids, and SHA-256 over the sorted ids.

    The digest is over the canonical texts, each followed by a newline.
    """
    rows: Any = await connection.fetch(_IDS, user_id, low, high)
    digest = hashlib.sha256()
    for row in rows:
        digest.update(f"{row['event_id']}\n".encode())
    return len(rows), digest.hexdigest()


async def missing_months(connection: Connection, instants: Sequence[datetime]) -> set[str]:
    """Which of these instants lie in months without a partition, as `YYYY_MM`."""
    rows: Any = await connection.fetch(_MONTHS, list(instants))
    return {row[0] for row in rows}


async def attempts_of(connection: Connection, versions: Mapping[str, int]) -> list[Any]:
    """Answers to these questions that were graded with an older key than their present version, or not at all.

    Reads all answers there are: a key is corrected so seldom that an index of them by question, written with each
    answer, would cost more than it saves.
    """
    return await connection.fetch(_ATTEMPTS, list(versions), list(versions.values()))
