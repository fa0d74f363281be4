"""What each nightly count has still to look at, handed out of the log's marks."""

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
