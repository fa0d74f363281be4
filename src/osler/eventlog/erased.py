"""Who of these learners is erased? Asked by those who write facts beside the log, under the log's own locks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from osler.db.session import WriteSession
from osler.eventlog.tombstones import LOCK_SPACE, bucket, subject_mac

_LOCK = "select pg_advisory_xact_lock_shared($1, b) from (select distinct b from unnest($2::int[]) b order by b) s"
_ERASED = "select subject_mac from tombstones where subject_mac = any($1::bytea[])"


async def erased(session: WriteSession, user_ids: Sequence[UUID], key: bytes) -> set[UUID]:
    """Those who are erased; the others cannot be until the transaction ends.

    The lock is a statement of its own: the look that follows has a snapshot taken after it.
    """
    driver = session.driver()
    await driver.execute(_LOCK, LOCK_SPACE, [bucket(user_id) for user_id in user_ids])
    macs = {subject_mac(key, user_id): user_id for user_id in user_ids}
    rows: Any = await driver.fetch(_ERASED, list(macs))
    return {macs[bytes(row["subject_mac"])] for row in rows}
