"""Answers that a group would count twice: each topic says how many of its own an earlier one of the group has."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision: str | None = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; everybody is folded anew by this version, and then it is right."""
    op.execute("ALTER TABLE topic_mastery ADD COLUMN attempts_shared INTEGER DEFAULT '0' NOT NULL")
    op.execute(
        "COMMENT ON COLUMN topic_mastery.attempts_shared IS "
        "'of the attempts: those that count under an earlier topic of the same group as well [attempts] (none)'"
    )


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE topic_mastery DROP COLUMN attempts_shared")
