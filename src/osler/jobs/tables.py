"""What ran, what runs, what could not: the database decides what is due, schedulers only ring the bell."""

from __future__ import annotations

import sqlalchemy as sa

from osler.db.schema import Erase, Kind, column, table, user_id_column

job_runs = table(
    "job_runs",
    column("job", sa.Text(), primary_key=True, comment="name of the job"),
    column("period", sa.Text(), primary_key=True, comment="what it was run for: a day, a week's Monday, an instant"),
    column("fence", sa.BigInteger(), primary_key=True, comment="token of the run; only the newest may write"),
    column("status", sa.Text(), comment="running, succeeded, partial, failed, lost, parked or superseded"),
    column("holder", sa.Text(), comment="host and process that ran it"),
    column("lease_until", sa.DateTime(timezone=True), comment="held until then unless renewed", unit="UTC"),
    column("started_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="claimed", unit="UTC"),
    column("finished_at", sa.DateTime(timezone=True), nullable=True, comment="ended, however it did", unit="UTC"),
    column(
        "seconds",
        sa.Float(),
        nullable=True,
        comment="from claim to end by the holder's monotonic clock; null while it runs, and of a lost run",
        unit="seconds",
    ),
    column("not_before", sa.DateTime(timezone=True), nullable=True, comment="no next try before then", unit="UTC"),
    column("stage", sa.Text(), nullable=True, comment="step that it is in, or ended in"),
    column("done", sa.BigInteger(), server_default="0", comment="progress: done so far", unit="units of the job"),
    column("total", sa.BigInteger(), nullable=True, comment="progress: to be done", unit="units of the job"),
    column("parked", sa.Integer(), server_default="0", comment="learner-days that were set aside", unit="learner-days"),
    column("reason", sa.Text(), nullable=True, comment="why it failed: kind of error and code, never a value"),
    sa.CheckConstraint(
        "status in ('running', 'succeeded', 'partial', 'failed', 'lost', 'parked', 'superseded')", name="status"
    ),
    sa.Index(
        "uq_job_runs_success",
        "job",
        "period",
        unique=True,
        postgresql_where=sa.text("status in ('succeeded', 'partial')"),
    ),
    sa.Index("uq_job_runs_running", "job", "period", unique=True, postgresql_where=sa.text("status = 'running'")),
    sa.Index("ix_job_runs_started_at", "started_at"),
    kind=Kind.OPERATIONAL,
    erase=Erase.NOT_PERSONAL,
    comment="runs of jobs, one row for each try; one success for each job and period",
)

job_parked = table(
    "job_parked",
    column("job", sa.Text(), primary_key=True, comment="name of the job"),
    user_id_column(primary_key=True),
    column("local_date", sa.Date(), primary_key=True, comment="learner's study day that made the job raise"),
    column("period", sa.Text(), comment="period of the run that set it aside"),
    column("reason", sa.Text(), comment="kind of error and code, never a value"),
    column("tries", sa.Integer(), server_default="1", comment="how often it made the job raise", unit="tries"),
    column("parked_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="last set aside", unit="UTC"),
    kind=Kind.OPERATIONAL,
    erase=Erase.DELETE,
    comment="learner-days that a job cannot compute: set aside so that all others are done",
)
