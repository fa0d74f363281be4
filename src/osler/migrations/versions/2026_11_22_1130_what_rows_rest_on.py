"""What rows as of an instant rest on: an entry for each learner and job, so that whatever moved makes them owed."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision: str | None = "0012"
branch_labels = None
depends_on = None

# Frozen as it was declared on the day of this migration.
STATEMENTS = """
CREATE TABLE refreshed (
    user_id UUID NOT NULL,
    job TEXT NOT NULL,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    ground TEXT NOT NULL,
    CONSTRAINT pk_refreshed PRIMARY KEY (user_id, job)
);
COMMENT ON TABLE refreshed IS 'what rows as of an instant rest on; without an entry, or with another ground, they are made again (operational)';
COMMENT ON COLUMN refreshed.user_id IS 'learner''s pseudonym (pseudonymous)';
COMMENT ON COLUMN refreshed.job IS 'nightly job that made rows of the learner (none)';
COMMENT ON COLUMN refreshed.as_of IS 'instant that these rows speak of [UTC] (none)';
COMMENT ON COLUMN refreshed.ground IS 'digest of what they rest on beside the counts of days (none)';
GRANT select, insert, update, delete ON refreshed TO osler_app;
GRANT select ON refreshed TO osler_reader;
GRANT select, delete ON refreshed TO osler_eraser;
ALTER TABLE refreshed ENABLE ROW LEVEL SECURITY;
CREATE POLICY refreshed_own ON refreshed TO osler_app, osler_reader USING
    ((select session_user_id()) is null or user_id = (select session_user_id()));
CREATE POLICY refreshed_keepers ON refreshed TO osler_eraser USING (true);
"""


def upgrade() -> None:
    """Create the table; until a night has filled it all rows are owed."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop it: the version of before makes all such rows every night."""
    op.execute("drop table refreshed")
