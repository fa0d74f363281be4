"""The learner's own seconds for a review, for every page that says how long due reviews take."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision: str | None = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Going up."""
    op.execute("ALTER TABLE user_learning_metrics ADD COLUMN seconds_per_review FLOAT")
    op.execute(
        "COMMENT ON COLUMN user_learning_metrics.seconds_per_review IS "
        "'cards, mean of 90 days, capped [seconds] (none)'"
    )


def downgrade() -> None:
    """Going back."""
    op.execute("ALTER TABLE user_learning_metrics DROP COLUMN seconds_per_review")
