"""How long a run took by its own monotonic clock: the database's clock may step in between."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision: str | None = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; runs of before keep the difference of their instants."""
    op.execute("ALTER TABLE job_runs ADD COLUMN seconds DOUBLE PRECISION")
    op.execute(
        "COMMENT ON COLUMN job_runs.seconds IS "
        "'from claim to end by the holder''s monotonic clock; null while it runs, and of a lost run [seconds] (none)'"
    )


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE job_runs DROP COLUMN seconds")
