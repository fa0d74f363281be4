"""What the nightly stages hand to each other, and what they set aside because it would not compute."""

from __future__ import annotations

import sqlalchemy as sa

from osler.db.schema import Erase, Kind, column, table, user_id_column

rollup_work = table(
    "rollup_work",
    user_id_column(primary_key=True),
    column("work_id", sa.BigInteger(), sa.Identity(always=True), primary_key=True, comment="rises; rows are appended"),
    column("stage", sa.Text(), comment="nightly job that has to recompute"),
    column("local_date", sa.Date(), comment="day that changed", unit="local day"),
    sa.Index("ix_rollup_work_stage", "stage", "user_id", "local_date"),
    kind=Kind.OPERATIONAL,
    erase=Erase.DELETE,
    comment="changed learner-days by the stage that still has to see them; appended, never merged, deleted when seen",
)

parked_days = table(
    "parked_days",
    user_id_column(primary_key=True),
    column("stage", sa.Text(), primary_key=True, comment="nightly job that failed on it"),
    column("local_date", sa.Date(), primary_key=True, comment="day that would not compute", unit="local day"),
    column("reason", sa.Text(), comment="class of the error; never a value out of an event"),
    column("parked_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="since when", unit="UTC"),
    kind=Kind.OPERATIONAL,
    erase=Erase.DELETE,
    comment="learner-days set aside with a reason, so that all others are done",
)
