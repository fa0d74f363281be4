"""Memory parameters fitted to one learner, and a flag on models that were fitted with a learner since erased."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision: str | None = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE memory_parameters (
        user_id UUID NOT NULL,
        version TEXT NOT NULL,
        fsrs FLOAT[] NOT NULL,
        sbd FLOAT[] NOT NULL,
        fsrs_verdict TEXT NOT NULL,
        sbd_verdict TEXT NOT NULL,
        reviews INTEGER NOT NULL,
        fitted_ts TIMESTAMP WITH TIME ZONE NOT NULL,
        fitted_id UUID NOT NULL,
        guard_passed INTEGER NOT NULL,
        guard_n INTEGER NOT NULL,
        guard_advantage FLOAT NOT NULL,
        fitted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_memory_parameters PRIMARY KEY (user_id)
    )
    """,
    """
    COMMENT ON TABLE memory_parameters IS 'how one learner forgets, as fitted to their reviews last, and what the guard knew then (frozen)';
    COMMENT ON COLUMN memory_parameters.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN memory_parameters.version IS 'name of the fit (none)';
    COMMENT ON COLUMN memory_parameters.fsrs IS 'the 21 weights of FSRS-6 (none)';
    COMMENT ON COLUMN memory_parameters.sbd IS 'the 7 parameters of SBD (none)';
    COMMENT ON COLUMN memory_parameters.fsrs_verdict IS 'too_few, refused or accepted (none)';
    COMMENT ON COLUMN memory_parameters.sbd_verdict IS 'too_few, refused or accepted (none)';
    COMMENT ON COLUMN memory_parameters.reviews IS 'next-day reviews it was fitted to [reviews] (none)';
    COMMENT ON COLUMN memory_parameters.fitted_ts IS 'id time of the last event it saw [UTC] (none)';
    COMMENT ON COLUMN memory_parameters.fitted_id IS 'the last event it saw (none)';
    COMMENT ON COLUMN memory_parameters.guard_passed IS 'next-day reviews passed up to then [reviews] (none)';
    COMMENT ON COLUMN memory_parameters.guard_n IS 'next-day reviews up to then [reviews] (none)';
    COMMENT ON COLUMN memory_parameters.guard_advantage IS 'lead of the model over the running mean, with what a refit shares out [nats] (none)';
    COMMENT ON COLUMN memory_parameters.fitted_at IS 'when fitted [UTC] (none)';
    GRANT select, insert, update, delete ON memory_parameters TO osler_app;
    GRANT select ON memory_parameters TO osler_reader;
    GRANT select, delete ON memory_parameters TO osler_eraser;
    ALTER TABLE memory_parameters ENABLE ROW LEVEL SECURITY;
    CREATE POLICY memory_parameters_own ON memory_parameters TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY memory_parameters_keepers ON memory_parameters TO osler_eraser USING (true);
    """,
    """
    ALTER TABLE models ADD COLUMN flagged_at TIMESTAMP WITH TIME ZONE;
    COMMENT ON COLUMN models.flagged_at IS 'when a learner was erased who was among those it was trained on [UTC] (none)';
    COMMENT ON COLUMN models.content IS 'the parameters, or where the signed file stands; empty once taken out of use (none)';
    GRANT update (promoted_at, content) ON models TO osler_app;
    GRANT update (flagged_at) ON models TO osler_eraser;
    """,
)


def upgrade() -> None:
    """Create the table; add the flag."""
    for statements in STATEMENTS:
        for statement in statements.split(";\n"):
            if statement.strip():
                op.execute(statement)


def downgrade() -> None:
    """Drop both: learners are served the population's memory again, and are fitted anew."""
    op.execute("revoke update (flagged_at) on models from osler_eraser")
    op.execute("revoke update (content) on models from osler_app")
    op.execute("comment on column models.content is 'the parameters, or where the signed file stands (none)'")
    op.execute("alter table models drop column flagged_at")
    op.execute("drop table memory_parameters")
