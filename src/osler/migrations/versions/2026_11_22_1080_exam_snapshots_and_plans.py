"""What was known before each exam, frozen for calibration; the review plan of each learner."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels = None
depends_on = None

TABLES = ("exam_snapshots", "study_plans")

# One entry a table, frozen as it was declared on the day of this migration.
STATEMENTS = (
    """
    CREATE TABLE exam_snapshots (
        user_id UUID NOT NULL,
        exam_id TEXT NOT NULL,
        exam_on DATE NOT NULL,
        milestone SMALLINT NOT NULL,
        as_of TIMESTAMP WITH TIME ZONE NOT NULL,
        days_left SMALLINT NOT NULL,
        avg_mastery_score FLOAT,
        topics_mastered FLOAT,
        topics_weak FLOAT,
        accuracy_30d FLOAT,
        study_minutes_total FLOAT,
        first_attempt_accuracy FLOAT,
        questions_attempted_total FLOAT,
        days_since_start FLOAT,
        expected FLOAT NOT NULL,
        score_sd FLOAT NOT NULL,
        closed_form FLOAT,
        coverage FLOAT NOT NULL,
        cohort_id TEXT,
        model_version TEXT NOT NULL,
        made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_exam_snapshots PRIMARY KEY (user_id, exam_id, exam_on, milestone)
    );
    COMMENT ON TABLE exam_snapshots IS 'what was known before an exam, frozen: what calibration and the trained exam models learn from (frozen)';
    COMMENT ON COLUMN exam_snapshots.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN exam_snapshots.exam_id IS 'exam that was ahead (none)';
    COMMENT ON COLUMN exam_snapshots.exam_on IS 'its day [local day] (none)';
    COMMENT ON COLUMN exam_snapshots.milestone IS '90, 60, 30, 14 or 7: taken from then on (none)';
    COMMENT ON COLUMN exam_snapshots.as_of IS 'uses nothing from this instant on [UTC] (none)';
    COMMENT ON COLUMN exam_snapshots.days_left IS 'from that instant to the exam [days] (none)';
    COMMENT ON COLUMN exam_snapshots.avg_mastery_score IS 'feature: blueprint-weighted, n >= 5 [probability] (none)';
    COMMENT ON COLUMN exam_snapshots.topics_mastered IS 'feature: topics mastered [topics] (none)';
    COMMENT ON COLUMN exam_snapshots.topics_weak IS 'feature: topics weak [topics] (none)';
    COMMENT ON COLUMN exam_snapshots.accuracy_30d IS 'feature: first attempts of 30 days [probability] (none)';
    COMMENT ON COLUMN exam_snapshots.study_minutes_total IS 'feature: since the start [active minutes] (none)';
    COMMENT ON COLUMN exam_snapshots.first_attempt_accuracy IS 'feature: first attempts [probability] (none)';
    COMMENT ON COLUMN exam_snapshots.questions_attempted_total IS 'feature: since the start [answers] (none)';
    COMMENT ON COLUMN exam_snapshots.days_since_start IS 'feature: first event to as_of [days] (none)';
    COMMENT ON COLUMN exam_snapshots.expected IS 'score of the closed form [share of points] (none)';
    COMMENT ON COLUMN exam_snapshots.score_sd IS 'its standard deviation, without model error [share of points] (none)';
    COMMENT ON COLUMN exam_snapshots.closed_form IS 'chance to pass, not recalibrated [probability] (none)';
    COMMENT ON COLUMN exam_snapshots.coverage IS 'share of the exam on topics with 5 answers [share] (none)';
    COMMENT ON COLUMN exam_snapshots.cohort_id IS 'the learner''s group then; the first by name (none)';
    COMMENT ON COLUMN exam_snapshots.model_version IS 'version of model and parameters (none)';
    COMMENT ON COLUMN exam_snapshots.made_at IS 'when written [UTC] (none)';
    GRANT select, insert ON exam_snapshots TO osler_app;
    GRANT select ON exam_snapshots TO osler_reader;
    GRANT select, delete ON exam_snapshots TO osler_eraser;
    ALTER TABLE exam_snapshots ENABLE ROW LEVEL SECURITY;
    CREATE POLICY exam_snapshots_own ON exam_snapshots TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY exam_snapshots_keepers ON exam_snapshots TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE study_plans (
        user_id UUID NOT NULL,
        exam_id TEXT NOT NULL,
        exam_on DATE NOT NULL,
        planned_on DATE NOT NULL,
        minutes FLOAT NOT NULL,
        desired_retention FLOAT NOT NULL,
        last_days_from DATE NOT NULL,
        expected_recall FLOAT NOT NULL,
        usual_recall FLOAT NOT NULL,
        cards INTEGER NOT NULL,
        unseen INTEGER NOT NULL,
        tried JSONB NOT NULL,
        due JSONB NOT NULL,
        listed TEXT[] NOT NULL,
        counts JSONB NOT NULL,
        as_of TIMESTAMP WITH TIME ZONE NOT NULL,
        model_version TEXT NOT NULL,
        CONSTRAINT pk_study_plans PRIMARY KEY (user_id)
    );
    COMMENT ON TABLE study_plans IS 'how to review until the exam, chosen by simulating the memory model itself; one row for each learner (derived)';
    COMMENT ON COLUMN study_plans.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN study_plans.exam_id IS 'exam that is ahead (none)';
    COMMENT ON COLUMN study_plans.exam_on IS 'its day [local day] (none)';
    COMMENT ON COLUMN study_plans.planned_on IS 'the day that the list is for [local day] (none)';
    COMMENT ON COLUMN study_plans.minutes IS 'planned for that day [minutes] (none)';
    COMMENT ON COLUMN study_plans.desired_retention IS 'recall at which cards are due, chosen [probability] (none)';
    COMMENT ON COLUMN study_plans.last_days_from IS 'from then on all cards go by gain [local day] (none)';
    COMMENT ON COLUMN study_plans.expected_recall IS 'simulated exam-day recall by this plan [probability] (none)';
    COMMENT ON COLUMN study_plans.usual_recall IS 'the same with a fixed retention of .90 [probability] (none)';
    COMMENT ON COLUMN study_plans.cards IS 'cards with a memory [cards] (none)';
    COMMENT ON COLUMN study_plans.unseen IS 'cards not seen yet [cards] (none)';
    COMMENT ON COLUMN study_plans.tried IS 'retention, days of the final window, simulated recall: every choice tried (none)';
    COMMENT ON COLUMN study_plans.due IS 'day, cards due at the chosen retention: up to the day before the exam (none)';
    COMMENT ON COLUMN study_plans.listed IS 'cards of the day''s list in order: due, new, ahead, last days (none)';
    COMMENT ON COLUMN study_plans.counts IS 'cards of the list by reason, with their expected seconds (none)';
    COMMENT ON COLUMN study_plans.as_of IS 'instant that the row speaks of [UTC] (none)';
    COMMENT ON COLUMN study_plans.model_version IS 'version of the planner and parameters (none)';
    GRANT select, insert, update, delete ON study_plans TO osler_app;
    GRANT select ON study_plans TO osler_reader;
    GRANT select, delete ON study_plans TO osler_eraser;
    ALTER TABLE study_plans ENABLE ROW LEVEL SECURITY;
    CREATE POLICY study_plans_own ON study_plans TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY study_plans_keepers ON study_plans TO osler_eraser USING (true);
    """,
)


def upgrade() -> None:
    """Create the tables with their comments and grants."""
    for statements in STATEMENTS:
        for statement in statements.split(";\n"):
            if statement.strip():
                op.execute(statement)


def downgrade() -> None:
    """Drop them: plans can be made again from the log, snapshots cannot."""
    for name in reversed(TABLES):
        op.execute(f"drop table {name}")
