"""Who read whose data: one row for each read of another person, written in the transaction of the read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from osler.db.engine import WriteSession
from osler.errors import InvalidInput
from osler.http.policy import Action
from osler.http.tables import access_audit
from osler.observe import metrics

PURPOSES = frozenset({"unstated", "teaching", "support", "research", "complaint", "legal", "erasure", "export"})


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One read, or one refused: who, as what, why, whom, which fields, with what result.

    `actor_id` is None where a link was shown instead of a token.
    """

    actor_id: uuid.UUID | None
    role: str
    action: Action
    purpose: str
    subject_id: uuid.UUID | None
    fields: tuple[str, ...]
    is_allowed: bool
    request_id: str


async def record(session: WriteSession, entry: AuditEntry) -> None:
    """Write the entry; when it cannot be written the read's transaction fails with it."""
    if not entry.is_allowed:
        metrics.security_events.labels("denied").inc()
    await session.execute(
        sa.insert(access_audit).values(
            actor_id=entry.actor_id,
            role=entry.role,
            action=entry.action.value,
            purpose=entry.purpose,
            subject_id=entry.subject_id,
            fields=list(entry.fields),
            result="allowed" if entry.is_allowed else "denied",
            request_id=entry.request_id,
        )
    )


def stated_purpose(header: str | None) -> str:
    """The purpose that a caller states, one of a closed list. Errors: InvalidInput for any other word."""
    purpose = header or "unstated"
    if purpose not in PURPOSES:
        raise InvalidInput(f"Osler-Purpose is one of: {', '.join(sorted(PURPOSES))}.", code="audit.purpose")
    return purpose
