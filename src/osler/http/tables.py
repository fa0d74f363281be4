"""Tables of the HTTP layer: who read whose data, and which identities were erased."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, Privacy, column, table

access_audit = table(
    "access_audit",
    column("audit_id", sa.BigInteger(), sa.Identity(), primary_key=True, comment="order of entry"),
    column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="when", unit="UTC"),
    column(
        "actor_id",
        sa.Uuid(),
        nullable=True,
        comment="pseudonym of who asked; null after that person's erasure",
        privacy=Privacy.PSEUDONYMOUS,
    ),
    column("role", sa.Text(), comment="role that the policy was read with"),
    column("action", sa.Text(), comment="verb on a resource, as in the policy table"),
    column("purpose", sa.Text(), comment="stated purpose, from a closed list"),
    column(
        "subject_id",
        sa.Uuid(),
        nullable=True,
        comment="whose data were asked for; null after that person's erasure",
        privacy=Privacy.PSEUDONYMOUS,
    ),
    column("fields", pg.ARRAY(sa.Text()), server_default="{}", comment="names of what was read, never values"),
    column("result", sa.Text(), comment="allowed or denied"),
    column("request_id", sa.Text(), comment="request that asked"),
    sa.CheckConstraint("result in ('allowed', 'denied')", name="result"),
    sa.Index("ix_access_audit_subject_id_at", "subject_id", "at"),
    sa.Index("ix_access_audit_actor_id_at", "actor_id", "at"),
    kind=Kind.FACT,
    erase=Erase.KEEP,
    comment="reads of another person's data, allowed or denied; erasure blanks the person",
)

erased_identities = table(
    "erased_identities",
    column("subject_mac", sa.LargeBinary(), primary_key=True, comment="keyed hash of issuer and subject"),
    column("erased_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="when", unit="UTC"),
    kind=Kind.FACT,
    erase=Erase.KEEP,
    comment="sign-ins that may not become a learner again after an erasure",
)
