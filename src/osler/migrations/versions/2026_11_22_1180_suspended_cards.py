"""Whether a learner has taken a card out of review: then it is not due, and no plan has it."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision: str | None = "0017"
branch_labels = None
depends_on = None

# Frozen as it was declared on the day of this migration.
STATEMENTS = """
ALTER TABLE cards ADD COLUMN is_suspended BOOLEAN DEFAULT false NOT NULL;
COMMENT ON COLUMN cards.is_suspended IS 'taken out of review by its learner, or no longer in the collection (none)';
"""


def upgrade() -> None:
    """Add the column; cards that stand are in review until the next import of their collection says otherwise."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop it: for the version of before all cards are in review, and it folds anew who has suspended some."""
    op.execute(
        "UPDATE learner_states s SET is_stale = true, generation = s.generation + 1 "
        "WHERE EXISTS (SELECT FROM cards c WHERE c.user_id = s.user_id AND c.is_suspended)"
    )
    op.execute("ALTER TABLE cards DROP COLUMN is_suspended")
