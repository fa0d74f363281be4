"""States kept before their history is dropped: replay is a checkpoint and the events after it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from osler.db.engine import ReadSession, WriteSession
from osler.domain.events import Cursor
from osler.errors import IntegrityBroken
from osler.eventlog.tables import state_checkpoints

_canonical = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state of one analytic under named parameters, complete up to and with its cursor."""

    user_id: UUID
    analytic: str
    parameter_version: str
    cursor: Cursor
    code_version: str
    state: Any


def digest_of(state: Any) -> bytes:
    """SHA-256 of a state as JSON with sorted keys."""
    return hashlib.sha256(_canonical.encode(state)).digest()


async def write(s: WriteSession, checkpoint: Checkpoint) -> None:
    """Keep a state; the same one twice is dull."""
    values = {
        "user_id": checkpoint.user_id,
        "analytic": checkpoint.analytic,
        "parameter_version": checkpoint.parameter_version,
        "event_ts": checkpoint.cursor.event_ts,
        "event_id": checkpoint.cursor.event_id,
        "code_version": checkpoint.code_version,
        "digest": digest_of(checkpoint.state),
        "state": checkpoint.state,
    }
    await s.execute(insert(state_checkpoints).values(values).on_conflict_do_nothing())


async def latest(s: ReadSession, user_id: UUID, analytic: str) -> Checkpoint | None:
    """The newest state kept, under whatever parameters: what came before it may be folded under no others any more.

    Errors: IntegrityBroken when it is not what was written.
    """
    c = state_checkpoints.c
    query = (
        sa.select(state_checkpoints)
        .where(c.user_id == user_id, c.analytic == analytic)
        .order_by(c.event_ts.desc(), c.written_at.desc(), c.parameter_version)
        .limit(1)
    )
    row = await s.one(query, name="checkpoint_latest")
    if row is None:
        return None
    if digest_of(row["state"]) != row["digest"]:
        msg = f"the checkpoint of {analytic} does not have the digest it was written with; restore it from a backup"
        raise IntegrityBroken(msg, code="checkpoint.digest")
    cursor = Cursor(row["event_ts"], row["event_id"])
    return Checkpoint(user_id, analytic, row["parameter_version"], cursor, row["code_version"], row["state"])
