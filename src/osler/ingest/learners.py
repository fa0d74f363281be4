"""What ingestion has to know of the learners of a batch: kept in memory, and compared again by the append itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from osler.domain.clock_rules import Home, us_of, zone_named
from osler.domain.outcomes import EventProblem
from osler.eventlog.append import Connection
from osler.ingest.work import Learner, Sender

MOST_KEPT = 50_000

# `stored` is written as `append_events` writes it: what differs there is read again here.
_LEARNERS = """
select u.user_id::text as user_id, u.time_zone, u.day_start_minutes, c.event_ts as checkpoint,
       u.time_zone || '|' || u.day_start_minutes || '|' || coalesce(c.event_ts::text, '') as stored
  from users u
  left join lateral (select max(event_ts) as event_ts from state_checkpoints s where s.user_id = u.user_id) c on true
 where u.user_id = any($1::uuid[])
"""


class KnownLearners:
    """Zone, start of the day and checkpoint of who sent lately. One for each process; `forget` who has changed."""

    def __init__(self) -> None:
        self._kept: dict[str, Learner] = {}

    def forget(self, user_ids: Iterable[str]) -> None:
        """Look again before the next batch of these."""
        for user_id in user_ids:
            self._kept.pop(user_id, None)

    async def find(
        self, connection: Connection, user_ids: Sequence[str], sender: Sender, zone: str
    ) -> dict[str, Learner]:
        """Those that are known, and those that the sender may create, who get the installation's zone."""
        found = {user_id: learner for user_id in user_ids if (learner := self._kept.get(user_id)) is not None}
        unknown = [user_id for user_id in user_ids if user_id not in found]
        if unknown:
            rows: Any = await connection.fetch(_LEARNERS, unknown)
            read = {row["user_id"]: _learner(row, zone) for row in rows}
            if len(self._kept) + len(read) > MOST_KEPT:
                self._kept.clear()
            self._kept.update(read)
            found |= read
            if sender.may_create:
                for user_id in unknown:
                    found.setdefault(user_id, Learner(Home(zone)))
        return found


def _learner(row: Any, zone: str) -> Learner:
    return Learner(
        Home(_usable(row["time_zone"], zone), row["day_start_minutes"]),
        us_of(row["checkpoint"]) // 1000 if row["checkpoint"] else None,
        row["stored"],
    )


def _usable(name: str, otherwise: str) -> str:
    """A zone that the database of zones no longer knows must not stop a learner's events."""
    try:
        zone_named(name)
    except EventProblem:
        return otherwise
    return name
