"""What erasure, retention and the guard against abuse leave behind."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, Privacy, column, table, user_id_column

STATES = ("requested", "tombstoned", "events_deleted", "derived_deleted", "caches_cleared", "verified", "certified")

erasures = table(
    "erasures",
    column("erasure_id", sa.Uuid(), primary_key=True, comment="ticket under which rows of the log are deleted"),
    column("subject_mac", sa.LargeBinary(), unique=True, comment="keyed hash of the erased pseudonym"),
    column(
        "open_user_id",
        sa.Uuid(),
        nullable=True,
        comment="the pseudonym while the work goes on; blanked with the certificate",
        privacy=Privacy.PSEUDONYMOUS,
    ),
    column("state", sa.Text(), server_default="requested", comment="how far it is"),
    column("requested_by", sa.Text(), comment="learner, officer or command"),
    column("requested_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="when", unit="UTC"),
    column("changed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="last step", unit="UTC"),
    column("certified_at", sa.DateTime(timezone=True), nullable=True, comment="when it was proved", unit="UTC"),
    column("deleted_rows", pg.JSONB(), server_default="{}", comment="rows deleted, by table"),
    column("scanned_tables", sa.Integer(), nullable=True, comment="tables searched for the pseudonym", unit="tables"),
    sa.CheckConstraint(
        "state in ('requested', 'tombstoned', 'events_deleted', 'derived_deleted', 'caches_cleared', 'verified', "
        "'certified')",
        name="state",
    ),
    sa.CheckConstraint("(state = 'certified') = (certified_at is not null)", name="certified"),
    sa.CheckConstraint("state <> 'certified' or open_user_id is null", name="blanked"),
    kind=Kind.FACT,
    erase=Erase.KEEP,
    comment="the ledger of erasures: a permanent record without content, replayed after a restore",
)

retention_runs = table(
    "retention_runs",
    column("partition", sa.Text(), primary_key=True, comment="partition that was dropped"),
    column("parent", sa.Text(), comment="table it belonged to"),
    column("lower_at", sa.DateTime(timezone=True), comment="its first instant", unit="UTC"),
    column("upper_at", sa.DateTime(timezone=True), comment="its end", unit="UTC"),
    column("n_rows", sa.BigInteger(), comment="rows dropped", unit="rows"),
    column("dropped_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="when", unit="UTC"),
    kind=Kind.FACT,
    erase=Erase.NOT_PERSONAL,
    comment="the ledger of retention: which months left the log, and how much was in them",
)

address_sightings = table(
    "address_sightings",
    user_id_column(primary_key=True),
    column("seen_on", sa.Date(), primary_key=True, comment="day", unit="UTC day"),
    column(
        "address_mac",
        sa.Text(),
        primary_key=True,
        comment="HMAC of the address under the key of the month, 16 hex characters",
        privacy=Privacy.PSEUDONYMOUS,
    ),
    column("user_agent", sa.Text(), primary_key=True, comment="system and browser, from a closed list"),
    column("n_requests", sa.Integer(), comment="tokens seen", unit="requests"),
    sa.Index("ix_address_sightings_seen_on", "seen_on"),
    kind=Kind.OPERATIONAL,
    erase=Erase.DELETE,
    comment="for abuse alone: kept 30 days, never joined to events",
)

export_links = table(
    "export_links",
    column("link_mac", sa.LargeBinary(), primary_key=True, comment="keyed hash of the link"),
    user_id_column(),
    column("made_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="asked for", unit="UTC"),
    column("expires_at", sa.DateTime(timezone=True), comment="worth nothing from then on", unit="UTC"),
    column(
        "used_at",
        sa.DateTime(timezone=True),
        nullable=True,
        comment="opened; worth nothing from then on",
        unit="UTC",
    ),
    sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], ondelete="CASCADE"),
    sa.CheckConstraint("expires_at <= made_at + interval '24 hours'", name="a_day"),
    sa.Index("ix_export_links_user_id", "user_id"),
    kind=Kind.OPERATIONAL,
    erase=Erase.DELETE,
    comment="links that give a learner's export once, within a day; without the link itself",
)
