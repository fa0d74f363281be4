"""Which version of the folds made a learner's rows: what an older one made is folded anew after an upgrade."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision: str | None = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Going up: whatever is there was made by a version that did not say which it was."""
    op.execute("ALTER TABLE learner_states ADD COLUMN fold_version SMALLINT DEFAULT '0' NOT NULL")
    op.execute(
        "COMMENT ON COLUMN learner_states.fold_version IS "
        "'version of the folds that made the learner''s rows; an older one is folded anew (none)'"
    )
    op.execute("CREATE INDEX ix_learner_states_fold_version ON learner_states (fold_version)")


def downgrade() -> None:
    """Going back: the version of before cannot see that rows were made by a later one, and is told to fold anew."""
    op.execute("ALTER TABLE learner_states DROP COLUMN fold_version")
    op.execute("UPDATE learner_states SET is_stale = true")
