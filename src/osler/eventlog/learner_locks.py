"""Who works on a learner's rows holds the learner, and who works on several takes them in one order.

Whatever takes locks or row locks of many learners in another order waits for a fold of several in a circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from osler.db.driver import Driver

SPACE = 2
"""Advisory locks of whoever folds a learner."""

ORDER = "('x' || right({user_id}::text, 8))::bit(32)::int, {user_id}"
"""`order` in SQL: what a statement that locks rows of several learners is ordered by."""

_HOLD = "select pg_advisory_xact_lock($1, key) from (select distinct unnest($2::int[]) as key order by 1) as k"


def key(user_id: UUID) -> int:
    """The learner's number in the lock space: 32 of the id's random bits. Two learners on one only wait."""
    return int.from_bytes(user_id.bytes[-4:], "big", signed=True)


def order(user_id: UUID) -> tuple[int, UUID]:
    """Where a learner stands among several that are taken one after the other."""
    return key(user_id), user_id


async def hold(driver: Driver, user_ids: Sequence[UUID]) -> None:
    """Hold the learners until the transaction ends. A statement of its own: what follows sees what was committed."""
    await driver.execute(_HOLD, SPACE, [key(user_id) for user_id in user_ids])
