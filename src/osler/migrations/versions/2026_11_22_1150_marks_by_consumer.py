"""Marks parted by consumer, and an append that knows when what its writer knew of a learner is so no longer.

`sql/0015_append_events.sql` is the function through which every event enters from here on.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0015"
down_revision: str | None = "0014"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"

COLUMNS = "user_id, consumer, local_date, batch_id, n_events, min_event_ts, marked_at"
TABLE = """
create table dirty_days (
  user_id UUID NOT NULL,
  consumer TEXT NOT NULL,
  local_date DATE NOT NULL,
  batch_id UUID NOT NULL,
  n_events INTEGER NOT NULL,
  min_event_ts timestamptz NOT NULL,
  marked_at timestamptz DEFAULT now() NOT NULL{key}
){partition}
"""
KEY = ",\n  CONSTRAINT pk_dirty_days PRIMARY KEY (user_id, consumer, local_date, batch_id)"
BY_CONSUMER = (
    "create table dirty_days_live partition of dirty_days for values in ('live')",
    "create table dirty_days_others partition of dirty_days default",
    "create index ix_dirty_days_live_user_id on dirty_days_live (user_id)",
)
COMMENTS = {
    "": "what a consumer has not seen yet: appended with the events, deleted by it (operational)",
    "user_id": "learner''s pseudonym (pseudonymous)",
    "consumer": "who has to look again: live or rollup (none)",
    "local_date": "study day with new events [local day] (none)",
    "batch_id": "append that left the mark; marks are never merged (none)",
    "n_events": "events that it covers [events] (none)",
    "min_event_ts": "oldest of them [UTC] (none)",
    "marked_at": "when [UTC] (none)",
}
READ_ONLY_ROLES = "osler_reader, osler_retention"


def upgrade() -> None:
    """Part the marks by consumer; replace the function that leaves them."""
    _remake(TABLE.format(key="", partition=" partition by list (consumer)"), BY_CONSUMER)
    _append_events("0015_append_events.sql")


def downgrade() -> None:
    """Bring both back as they were."""
    index = "create index ix_dirty_days_consumer on dirty_days (consumer, marked_at)"
    _remake(TABLE.format(key=KEY, partition=""), (index,))
    _append_events("0011_append_events.sql")


def _remake(table: str, rest: tuple[str, ...]) -> None:
    """The same rows in another table of the name."""
    op.execute("alter table dirty_days rename to dirty_days_before")
    op.execute("alter table dirty_days_before drop constraint if exists pk_dirty_days")
    op.execute("drop index if exists ix_dirty_days_consumer")
    op.execute(table)
    for statement in rest:
        op.execute(statement)
    op.execute(f"insert into dirty_days ({COLUMNS}) select {COLUMNS} from dirty_days_before")
    op.execute("drop table dirty_days_before")
    for name, comment in COMMENTS.items():
        target = f"column dirty_days.{name}" if name else "table dirty_days"
        op.execute(f"comment on {target} is '{comment}'")
    op.execute(f"grant select on dirty_days to {READ_ONLY_ROLES}")
    op.execute("grant select, delete on dirty_days to osler_eraser")
    op.execute("grant select, insert, delete on dirty_days to osler_app")


def _append_events(file: str) -> None:
    op.execute("drop function append_events")
    op.execute((SQL / file).read_text())
    op.execute("comment on function append_events is 'appends events of any learners: the only way into the log'")
    op.execute("revoke execute on function append_events from public")
    op.execute("grant execute on function append_events to osler_app")
