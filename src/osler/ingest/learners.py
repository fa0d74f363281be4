"""What ingestion has to know of the learners of a batch, read in one query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from osler.domain.clock_rules import Home, us_of, zone_named
from osler.domain.outcomes import EventProblem
from osler.eventlog.append import Connection
from osler.ingest.work import Learner, Sender

_LEARNERS = """
select u.user_id::text as user_id, u.time_zone, u.day_start_minutes,
       (select max(c.event_ts) from state_checkpoints c where c.user_id = u.user_id) as checkpoint
  from users u where u.user_id = any($1::uuid[])
"""


async def find_learners(
    connection: Connection, user_ids: Sequence[str], sender: Sender, zone: str
) -> dict[str, Learner]:
    """Those that are known, and those that the sender may create, who get the installation's zone."""
    rows: Any = await connection.fetch(_LEARNERS, user_ids)
    found = {
        row["user_id"]: Learner(
            Home(_usable(row["time_zone"], zone), row["day_start_minutes"]),
            us_of(row["checkpoint"]) // 1000 if row["checkpoint"] else None,
        )
        for row in rows
    }
    if sender.may_create:
        for user_id in user_ids:
            found.setdefault(user_id, Learner(Home(zone), is_new=True))
    return found


def _usable(name: str, otherwise: str) -> str:
    """A zone that the database of zones no longer knows must not stop a learner's events."""
    try:
        zone_named(name)
    except EventProblem:
        return otherwise
    return name
