"""What each nightly count has still to look at, and what rows as of an instant rest on."""

from __future__ import annotations

import sqlalchemy as sa

from osler.db.schema import Erase, Kind, column, table, user_id_column

stale_days = table(
    "stale_days",
    user_id_column(primary_key=True),
    column("entry_id", sa.BigInteger(), sa.Identity(always=True), primary_key=True, comment="rises; never merged"),
    column("job", sa.Text(), comment="nightly job that has to look again"),
    column("local_date", sa.Date(), comment="study day that changed", unit="local day"),
    sa.Index("ix_stale_days_job", "job", "user_id", "local_date"),
    kind=Kind.OPERATIONAL,
    erase=Erase.DELETE,
    comment="changed learner-days by the job that has still to see them; appended, deleted by the job that saw them",
)

refreshed = table(
    "refreshed",
    user_id_column(primary_key=True),
    column("job", sa.Text(), primary_key=True, comment="nightly job that made rows of the learner"),
    column("as_of", sa.DateTime(timezone=True), comment="instant that these rows speak of", unit="UTC"),
    column("ground", sa.Text(), comment="digest of what they rest on beside the counts of days"),
    kind=Kind.OPERATIONAL,
    erase=Erase.DELETE,
    comment="what rows as of an instant rest on; without an entry, or with another ground, they are made again",
)
