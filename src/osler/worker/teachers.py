"""Whom may a fit learn from? Everybody real who is not to be erased; simulated learners where there is nobody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from osler.db.session import ReadSession

TEACHERS = """
(select u.user_id from users u
  where u.erase_requested_at is null
    and (not u.is_sample or not exists (select from users r where not r.is_sample and r.erase_requested_at is null)))
"""

_AFTER = f"select user_id from {TEACHERS} t where user_id > $1 order by user_id limit $2"


async def teachers_after(session: ReadSession, after: UUID, limit: int) -> list[UUID]:
    """The next learners that a fit may learn from, in the order of their pseudonyms."""
    rows: Any = await session.driver().fetch(_AFTER, after, limit)
    return [row["user_id"] for row in rows]
