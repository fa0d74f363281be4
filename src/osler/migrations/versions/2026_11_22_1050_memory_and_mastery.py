"""Learner states, item memories, mastery by topic and day, reading progress, forecasts, models, stale days."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels = None
depends_on = None

TABLES = (
    "learner_states",
    "item_memory",
    "item_topics",
    "topic_mastery",
    "topic_daily_stats",
    "material_progress",
    "predictions",
    "models",
    "stale_days",
)

# `predictions` gets a partition for each month, like the log.
PARTITIONED = """
create or replace function partitioned_log_tables() returns setof text language sql immutable parallel safe as
$$ values ('study_events'), ('question_attempts'), ('material_interactions'){more} $$
"""
FIRST_PARTITIONS = """
select ensure_partition((date_trunc('month', now()) + make_interval(months => m))::date) from generate_series(-1, 3) m
"""

# One entry a table, frozen as it was declared on the day of this migration.
STATEMENTS = (
    """
    CREATE TABLE learner_states (
        user_id UUID NOT NULL,
        cursor_ts TIMESTAMP WITH TIME ZONE,
        cursor_id UUID,
        settled_as_of TIMESTAMP WITH TIME ZONE,
        parameter_version TEXT NOT NULL,
        states JSONB DEFAULT '{}' NOT NULL,
        generation BIGINT DEFAULT '0' NOT NULL,
        is_stale BOOLEAN DEFAULT false NOT NULL,
        CONSTRAINT pk_learner_states PRIMARY KEY (user_id)
    )
     WITH (fillfactor = 80);
    CREATE INDEX ix_learner_states_is_stale ON learner_states (user_id) WHERE is_stale;
    COMMENT ON TABLE learner_states IS 'how far a learner''s log is folded, and the small states that folds carry from event to event (derived)';
    COMMENT ON COLUMN learner_states.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN learner_states.cursor_ts IS 'id time of the last folded event; null before the first [UTC] (none)';
    COMMENT ON COLUMN learner_states.cursor_id IS 'id of the last folded event (none)';
    COMMENT ON COLUMN learner_states.settled_as_of IS 'instant that all live rows were carried forward to last [UTC] (none)';
    COMMENT ON COLUMN learner_states.parameter_version IS 'parameters that the learner is folded under (none)';
    COMMENT ON COLUMN learner_states.states IS 'small state of each analytic, by analytic (none)';
    COMMENT ON COLUMN learner_states.generation IS 'rises with every fold; caches carry it (none)';
    COMMENT ON COLUMN learner_states.is_stale IS 'to be folded anew whatever the marks say (none)';
    GRANT select, insert, update, delete ON learner_states TO osler_app;
    GRANT select ON learner_states TO osler_reader;
    GRANT select, delete ON learner_states TO osler_eraser;
    ALTER TABLE learner_states ENABLE ROW LEVEL SECURITY;
    CREATE POLICY learner_states_own ON learner_states TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY learner_states_keepers ON learner_states TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE item_memory (
        user_id UUID NOT NULL,
        item_kind TEXT NOT NULL,
        item_id TEXT NOT NULL,
        topic_ids TEXT[] DEFAULT '{}' NOT NULL,
        fsrs_stability FLOAT,
        fsrs_difficulty FLOAT,
        sbd_log_stability FLOAT,
        sbd_failures FLOAT,
        last_rating SMALLINT,
        last_at TIMESTAMP WITH TIME ZONE,
        last_local_date DATE,
        attempts INTEGER DEFAULT '0' NOT NULL,
        correct INTEGER DEFAULT '0' NOT NULL,
        review_days INTEGER DEFAULT '0' NOT NULL,
        lapses INTEGER DEFAULT '0' NOT NULL,
        has_passed BOOLEAN NOT NULL,
        first_at TIMESTAMP WITH TIME ZONE NOT NULL,
        first_local_date DATE NOT NULL,
        first_correct BOOLEAN,
        due_on DATE,
        sm2_interval_days INTEGER DEFAULT '0' NOT NULL,
        sm2_next_review_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_item_memory PRIMARY KEY (user_id, item_kind, item_id),
        CONSTRAINT ck_item_memory_item_kind CHECK (item_kind in ('question', 'card')),
        CONSTRAINT ck_item_memory_fsrs_stability CHECK (fsrs_stability > 0)
    )
     WITH (fillfactor = 85);
    CREATE INDEX ix_item_memory_user_id_due_on ON item_memory (user_id, due_on) WHERE due_on is not null;
    COMMENT ON TABLE item_memory IS 'what a learner remembers of each item (derived)';
    COMMENT ON COLUMN item_memory.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN item_memory.item_kind IS 'question or card (none)';
    COMMENT ON COLUMN item_memory.item_id IS 'id of the question or of the learner''s card (none)';
    COMMENT ON COLUMN item_memory.topic_ids IS 'topics at the last fold, sorted (none)';
    COMMENT ON COLUMN item_memory.fsrs_stability IS 'days until the chance of recall falls to 0.9, by FSRS-6 [days] (none)';
    COMMENT ON COLUMN item_memory.fsrs_difficulty IS 'difficulty by FSRS-6 [1 to 10] (none)';
    COMMENT ON COLUMN item_memory.sbd_log_stability IS 'scale of forgetting by SBD, as its logarithm; no stability to be shown [ln days] (none)';
    COMMENT ON COLUMN item_memory.sbd_failures IS 'discounted count of failures by SBD [failures] (none)';
    COMMENT ON COLUMN item_memory.last_rating IS 'rating of the last graded review [1 to 4] (none)';
    COMMENT ON COLUMN item_memory.last_at IS 'last review that changed the memory [UTC] (none)';
    COMMENT ON COLUMN item_memory.last_local_date IS 'local day of that review (none)';
    COMMENT ON COLUMN item_memory.attempts IS 'graded answers and reviews in all [attempts] (none)';
    COMMENT ON COLUMN item_memory.correct IS 'of the attempts: right, or passed [attempts] (none)';
    COMMENT ON COLUMN item_memory.review_days IS 'distinct local days with a review that changed the memory [days] (none)';
    COMMENT ON COLUMN item_memory.lapses IS 'failures after a pass [lapses] (none)';
    COMMENT ON COLUMN item_memory.has_passed IS 'passed at least once since the memory began (none)';
    COMMENT ON COLUMN item_memory.first_at IS 'first attempt [UTC] (none)';
    COMMENT ON COLUMN item_memory.first_local_date IS 'local day of the first attempt (none)';
    COMMENT ON COLUMN item_memory.first_correct IS 'whether the first attempt was right, if graded (none)';
    COMMENT ON COLUMN item_memory.due_on IS 'last local day on which recall reaches the learner''s target (none)';
    COMMENT ON COLUMN item_memory.sm2_interval_days IS 'interval by the brief''s SM-2, at most 36,500 [days] (none)';
    COMMENT ON COLUMN item_memory.sm2_next_review_at IS 'next review by SM-2 [UTC] (none)';
    GRANT select, insert, update, delete ON item_memory TO osler_app;
    GRANT select ON item_memory TO osler_reader;
    GRANT select, delete ON item_memory TO osler_eraser;
    ALTER TABLE item_memory ENABLE ROW LEVEL SECURITY;
    CREATE POLICY item_memory_own ON item_memory TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY item_memory_keepers ON item_memory TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE item_topics (
        user_id UUID NOT NULL,
        topic_id TEXT NOT NULL,
        item_kind TEXT NOT NULL,
        item_id TEXT NOT NULL,
        CONSTRAINT pk_item_topics PRIMARY KEY (user_id, topic_id, item_kind, item_id)
    );
    COMMENT ON TABLE item_topics IS 'the items that a learner has met, by topic: a way into item_memory (derived)';
    COMMENT ON COLUMN item_topics.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN item_topics.topic_id IS 'topic (none)';
    COMMENT ON COLUMN item_topics.item_kind IS 'question or card (none)';
    COMMENT ON COLUMN item_topics.item_id IS 'item that the learner has met (none)';
    GRANT select, insert, update, delete ON item_topics TO osler_app;
    GRANT select ON item_topics TO osler_reader;
    GRANT select, delete ON item_topics TO osler_eraser;
    ALTER TABLE item_topics ENABLE ROW LEVEL SECURITY;
    CREATE POLICY item_topics_own ON item_topics TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY item_topics_keepers ON item_topics TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE topic_mastery (
        user_id UUID NOT NULL,
        topic_id TEXT NOT NULL,
        as_of TIMESTAMP WITH TIME ZONE NOT NULL,
        attempts INTEGER DEFAULT '0' NOT NULL,
        correct INTEGER DEFAULT '0' NOT NULL,
        first_attempts INTEGER DEFAULT '0' NOT NULL,
        first_correct INTEGER DEFAULT '0' NOT NULL,
        questions_attempted INTEGER DEFAULT '0' NOT NULL,
        questions_correct INTEGER DEFAULT '0' NOT NULL,
        materials_completed INTEGER DEFAULT '0' NOT NULL,
        materials_total INTEGER DEFAULT '0' NOT NULL,
        items_seen INTEGER DEFAULT '0' NOT NULL,
        items_remembered INTEGER DEFAULT '0' NOT NULL,
        first_attempt_accuracy FLOAT,
        overall_accuracy FLOAT,
        retrieval_strength FLOAT,
        retrieval_low FLOAT,
        retrieval_high FLOAT,
        material_completion FLOAT,
        mastery_score FLOAT,
        mastery_score_low FLOAT,
        mastery_score_high FLOAT,
        components_present TEXT[] DEFAULT '{}' NOT NULL,
        mastery FLOAT,
        mastery_low FLOAT,
        mastery_high FLOAT,
        status TEXT NOT NULL,
        trend TEXT NOT NULL,
        skill_mean FLOAT NOT NULL,
        skill_variance FLOAT NOT NULL,
        ability_mean FLOAT NOT NULL,
        ability_variance FLOAT NOT NULL,
        recall_bias FLOAT NOT NULL,
        recent_mean FLOAT NOT NULL,
        last_index INTEGER DEFAULT '0' NOT NULL,
        option_count SMALLINT NOT NULL,
        guess_rate FLOAT NOT NULL,
        memory_days FLOAT NOT NULL,
        day_right INTEGER DEFAULT '0' NOT NULL,
        day_wrong INTEGER DEFAULT '0' NOT NULL,
        last_at TIMESTAMP WITH TIME ZONE,
        last_local_date DATE,
        touched_at TIMESTAMP WITH TIME ZONE NOT NULL,
        touched_local_date DATE NOT NULL,
        next_review_on DATE,
        sm2_interval_days INTEGER DEFAULT '0' NOT NULL,
        sm2_next_review_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_topic_mastery PRIMARY KEY (user_id, topic_id)
    )
     WITH (fillfactor = 70);
    COMMENT ON TABLE topic_mastery IS 'what a learner knows of each topic, with what it is computed from (derived)';
    COMMENT ON COLUMN topic_mastery.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN topic_mastery.topic_id IS 'topic (none)';
    COMMENT ON COLUMN topic_mastery.as_of IS 'instant that the row is as of [UTC] (none)';
    COMMENT ON COLUMN topic_mastery.attempts IS 'answers and card reviews, each once [attempts] (none)';
    COMMENT ON COLUMN topic_mastery.correct IS 'of the attempts: right, or passed [attempts] (none)';
    COMMENT ON COLUMN topic_mastery.first_attempts IS 'first attempts at an item [attempts] (none)';
    COMMENT ON COLUMN topic_mastery.first_correct IS 'of the first attempts: right, or passed [attempts] (none)';
    COMMENT ON COLUMN topic_mastery.questions_attempted IS 'answers to questions [attempts] (none)';
    COMMENT ON COLUMN topic_mastery.questions_correct IS 'answers to questions that were right [attempts] (none)';
    COMMENT ON COLUMN topic_mastery.materials_completed IS 'materials of the topic read to the end [materials] (none)';
    COMMENT ON COLUMN topic_mastery.materials_total IS 'materials of the topic in the catalogue [materials] (none)';
    COMMENT ON COLUMN topic_mastery.items_seen IS 'distinct items met [items] (none)';
    COMMENT ON COLUMN topic_mastery.items_remembered IS 'items with a memory of their own [items] (none)';
    COMMENT ON COLUMN topic_mastery.first_attempt_accuracy IS 'share right of first attempts [0 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.overall_accuracy IS 'share right of all attempts [0 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.retrieval_strength IS 'chance to recall a seen item of the topic, mean over items [0 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.retrieval_low IS 'lower end of the 90 % interval of retrieval_strength [0 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.retrieval_high IS 'upper end of the 90 % interval of retrieval_strength [0 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.material_completion IS 'share of the topic''s materials read to the end; null without materials [0 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.mastery_score IS 'the weighted sum of the brief, over the components present [0 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.mastery_score_low IS 'lower end of the 90 % interval of mastery_score [0 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.mastery_score_high IS 'upper end of the 90 % interval of mastery_score [0 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.components_present IS 'components with data (none)';
    COMMENT ON COLUMN topic_mastery.mastery IS 'chance, corrected for guessing, to answer an unseen item of middling difficulty [0 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.mastery_low IS 'lower end of the 90 % interval of mastery [0 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.mastery_high IS 'upper end of the 90 % interval of mastery [0 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.status IS 'ok, provisional, insufficient_data or not_available (none)';
    COMMENT ON COLUMN topic_mastery.trend IS 'improving, stable, declining or insufficient_data (none)';
    COMMENT ON COLUMN topic_mastery.skill_mean IS 'skill on the topic beyond general ability, at the last attempt [logits] (none)';
    COMMENT ON COLUMN topic_mastery.skill_variance IS 'variance of the skill, at the last attempt [logits²] (none)';
    COMMENT ON COLUMN topic_mastery.ability_mean IS 'general ability, as of the row [logits] (none)';
    COMMENT ON COLUMN topic_mastery.ability_variance IS 'variance of general ability, as of the row [logits²] (none)';
    COMMENT ON COLUMN topic_mastery.recall_bias IS 'running correction of recall forecasts, as of the row [logits] (none)';
    COMMENT ON COLUMN topic_mastery.recent_mean IS 'moving mean of outcomes, as distance from the population''s [-1 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.last_index IS 'learner''s graded attempts up to the last on this topic [attempts] (none)';
    COMMENT ON COLUMN topic_mastery.option_count IS 'options of the last question; 0 where only cards [options] (none)';
    COMMENT ON COLUMN topic_mastery.guess_rate IS 'chance to guess right, 1 / option_count; 0 for cards [0 to 1] (none)';
    COMMENT ON COLUMN topic_mastery.memory_days IS 'stability of the topic memory, closed days only [days] (none)';
    COMMENT ON COLUMN topic_mastery.day_right IS 'right answers on the last local day [attempts] (none)';
    COMMENT ON COLUMN topic_mastery.day_wrong IS 'wrong answers on the last local day [attempts] (none)';
    COMMENT ON COLUMN topic_mastery.last_at IS 'last attempt [UTC] (none)';
    COMMENT ON COLUMN topic_mastery.last_local_date IS 'local day of the last attempt (none)';
    COMMENT ON COLUMN topic_mastery.touched_at IS 'last event that touched the topic [UTC] (none)';
    COMMENT ON COLUMN topic_mastery.touched_local_date IS 'local day of that event (none)';
    COMMENT ON COLUMN topic_mastery.next_review_on IS 'earliest day on which an item of the topic is due (none)';
    COMMENT ON COLUMN topic_mastery.sm2_interval_days IS 'interval by the brief''s SM-2 of the item that is next [days] (none)';
    COMMENT ON COLUMN topic_mastery.sm2_next_review_at IS 'earliest next review of an item by SM-2 [UTC] (none)';
    GRANT select, insert, update, delete ON topic_mastery TO osler_app;
    GRANT select ON topic_mastery TO osler_reader;
    GRANT select, delete ON topic_mastery TO osler_eraser;
    ALTER TABLE topic_mastery ENABLE ROW LEVEL SECURITY;
    CREATE POLICY topic_mastery_own ON topic_mastery TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY topic_mastery_keepers ON topic_mastery TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE topic_daily_stats (
        user_id UUID NOT NULL,
        topic_id TEXT NOT NULL,
        local_date DATE NOT NULL,
        questions_attempted INTEGER DEFAULT '0' NOT NULL,
        questions_correct INTEGER DEFAULT '0' NOT NULL,
        reviews INTEGER DEFAULT '0' NOT NULL,
        reviews_passed INTEGER DEFAULT '0' NOT NULL,
        answer_seconds FLOAT DEFAULT '0' NOT NULL,
        reading_seconds FLOAT DEFAULT '0' NOT NULL,
        attempts_to_date INTEGER,
        mastery FLOAT,
        mastery_low FLOAT,
        mastery_high FLOAT,
        level_mean FLOAT,
        level_variance FLOAT,
        CONSTRAINT pk_topic_daily_stats PRIMARY KEY (user_id, topic_id, local_date)
    );
    COMMENT ON TABLE topic_daily_stats IS 'progress by learner, topic and local day: counts by topic_stats, mastery by the fold (derived)';
    COMMENT ON COLUMN topic_daily_stats.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN topic_daily_stats.topic_id IS 'topic (none)';
    COMMENT ON COLUMN topic_daily_stats.local_date IS 'the learner''s local day (none)';
    COMMENT ON COLUMN topic_daily_stats.questions_attempted IS 'answers to questions [attempts] (none)';
    COMMENT ON COLUMN topic_daily_stats.questions_correct IS 'answers to questions that were right [attempts] (none)';
    COMMENT ON COLUMN topic_daily_stats.reviews IS 'reviews of cards [reviews] (none)';
    COMMENT ON COLUMN topic_daily_stats.reviews_passed IS 'reviews of cards rated Hard or better [reviews] (none)';
    COMMENT ON COLUMN topic_daily_stats.answer_seconds IS 'time to answer [seconds] (none)';
    COMMENT ON COLUMN topic_daily_stats.reading_seconds IS 'active time on materials [seconds] (none)';
    COMMENT ON COLUMN topic_daily_stats.attempts_to_date IS 'attempts up to the end of the day (none)';
    COMMENT ON COLUMN topic_daily_stats.mastery IS 'mastery after the day''s last attempt; null on days of reading alone [0 to 1] (none)';
    COMMENT ON COLUMN topic_daily_stats.mastery_low IS 'lower end of its 90 % interval [0 to 1] (none)';
    COMMENT ON COLUMN topic_daily_stats.mastery_high IS 'upper end of its 90 % interval [0 to 1] (none)';
    COMMENT ON COLUMN topic_daily_stats.level_mean IS 'ability plus skill after the last attempt [logits] (none)';
    COMMENT ON COLUMN topic_daily_stats.level_variance IS 'variance of the level [logits²] (none)';
    GRANT select, insert, update, delete ON topic_daily_stats TO osler_app;
    GRANT select ON topic_daily_stats TO osler_reader;
    GRANT select, delete ON topic_daily_stats TO osler_eraser;
    ALTER TABLE topic_daily_stats ENABLE ROW LEVEL SECURITY;
    CREATE POLICY topic_daily_stats_own ON topic_daily_stats TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY topic_daily_stats_keepers ON topic_daily_stats TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE material_progress (
        user_id UUID NOT NULL,
        material_id TEXT NOT NULL,
        progress FLOAT NOT NULL,
        active_seconds FLOAT NOT NULL,
        first_at TIMESTAMP WITH TIME ZONE NOT NULL,
        last_at TIMESTAMP WITH TIME ZONE NOT NULL,
        completed_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_material_progress PRIMARY KEY (user_id, material_id),
        CONSTRAINT ck_material_progress_progress CHECK (progress between 0 and 1)
    );
    COMMENT ON TABLE material_progress IS 'how far a learner has read each material (derived)';
    COMMENT ON COLUMN material_progress.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN material_progress.material_id IS 'material (none)';
    COMMENT ON COLUMN material_progress.progress IS 'furthest point reached [0 to 1] (none)';
    COMMENT ON COLUMN material_progress.active_seconds IS 'active time in all [seconds] (none)';
    COMMENT ON COLUMN material_progress.first_at IS 'first opened [UTC] (none)';
    COMMENT ON COLUMN material_progress.last_at IS 'last event on it [UTC] (none)';
    COMMENT ON COLUMN material_progress.completed_at IS 'first read to the end [UTC] (none)';
    GRANT select, insert, update, delete ON material_progress TO osler_app;
    GRANT select ON material_progress TO osler_reader;
    GRANT select, delete ON material_progress TO osler_eraser;
    ALTER TABLE material_progress ENABLE ROW LEVEL SECURITY;
    CREATE POLICY material_progress_own ON material_progress TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY material_progress_keepers ON material_progress TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE predictions (
        user_id UUID NOT NULL,
        as_of TIMESTAMP WITH TIME ZONE NOT NULL,
        about TEXT NOT NULL,
        task TEXT NOT NULL,
        model_version TEXT NOT NULL,
        probability FLOAT NOT NULL,
        elapsed_days INTEGER,
        score FLOAT,
        low FLOAT,
        high FLOAT,
        made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_predictions PRIMARY KEY (user_id, as_of, about, task, model_version),
        CONSTRAINT ck_predictions_probability CHECK (probability between 0 and 1)
    )
     PARTITION BY RANGE (as_of);
    COMMENT ON TABLE predictions IS 'forecasts as they were served, written before their outcome was folded and never changed (frozen)';
    COMMENT ON COLUMN predictions.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN predictions.as_of IS 'uses nothing from this instant on: an answer''s id time, or when an exam was forecast; partition key [UTC] (none)';
    COMMENT ON COLUMN predictions.about IS 'what is forecast: an event''s id, or an exam''s (none)';
    COMMENT ON COLUMN predictions.task IS 'next-answer, recall or exam (none)';
    COMMENT ON COLUMN predictions.model_version IS 'model and parameters that made it (none)';
    COMMENT ON COLUMN predictions.probability IS 'forecast chance [0 to 1] (none)';
    COMMENT ON COLUMN predictions.elapsed_days IS 'local days since the item''s last review; 0 is scored apart [local days] (none)';
    COMMENT ON COLUMN predictions.score IS 'forecast share of points, for exams [0 to 1] (none)';
    COMMENT ON COLUMN predictions.low IS 'lower end of the 90 % interval [0 to 1] (none)';
    COMMENT ON COLUMN predictions.high IS 'upper end of the 90 % interval [0 to 1] (none)';
    COMMENT ON COLUMN predictions.made_at IS 'when written [UTC] (none)';
    GRANT select, insert ON predictions TO osler_app;
    GRANT select ON predictions TO osler_reader;
    GRANT select, delete ON predictions TO osler_eraser;
    ALTER TABLE predictions ENABLE ROW LEVEL SECURITY;
    CREATE POLICY predictions_own ON predictions TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY predictions_keepers ON predictions TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE models (
        version TEXT NOT NULL,
        task TEXT NOT NULL,
        content JSONB NOT NULL,
        digest BYTEA NOT NULL,
        trained_until TIMESTAMP WITH TIME ZONE,
        learners INTEGER,
        rows INTEGER,
        metrics JSONB DEFAULT '{}' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        promoted_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_models PRIMARY KEY (version)
    );
    CREATE INDEX ix_models_task_promoted_at ON models (task, promoted_at);
    COMMENT ON TABLE models IS 'models and parameter versions; a refit is a new row (frozen)';
    COMMENT ON COLUMN models.version IS 'name of the model with its parameters (none)';
    COMMENT ON COLUMN models.task IS 'parameters, next-answer, recall or exam (none)';
    COMMENT ON COLUMN models.content IS 'the parameters, or where the signed file stands (none)';
    COMMENT ON COLUMN models.digest IS 'SHA-256 of the canonical content (none)';
    COMMENT ON COLUMN models.trained_until IS 'training cut [UTC] (none)';
    COMMENT ON COLUMN models.learners IS 'learners it was trained on [learners] (none)';
    COMMENT ON COLUMN models.rows IS 'attempts or outcomes it was trained on [rows] (none)';
    COMMENT ON COLUMN models.metrics IS 'what the backtest said, with its baselines (none)';
    COMMENT ON COLUMN models.created_at IS 'written [UTC] (none)';
    COMMENT ON COLUMN models.promoted_at IS 'served from then on [UTC] (none)';
    GRANT select, insert ON models TO osler_app;
    GRANT update (promoted_at) ON models TO osler_app;
    GRANT select ON models TO osler_reader, osler_eraser;
    """,
    """
    CREATE TABLE stale_days (
        user_id UUID NOT NULL,
        entry_id BIGINT GENERATED ALWAYS AS IDENTITY,
        job TEXT NOT NULL,
        local_date DATE NOT NULL,
        CONSTRAINT pk_stale_days PRIMARY KEY (user_id, entry_id)
    );
    CREATE INDEX ix_stale_days_job ON stale_days (job, user_id, local_date);
    COMMENT ON TABLE stale_days IS 'changed learner-days by the job that has still to see them; appended, deleted by the job that saw them (operational)';
    COMMENT ON COLUMN stale_days.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN stale_days.entry_id IS 'rises; never merged (none)';
    COMMENT ON COLUMN stale_days.job IS 'nightly job that has to look again (none)';
    COMMENT ON COLUMN stale_days.local_date IS 'study day that changed [local day] (none)';
    GRANT select, insert, delete ON stale_days TO osler_app;
    GRANT select ON stale_days TO osler_reader;
    GRANT select, delete ON stale_days TO osler_eraser;
    ALTER TABLE stale_days ENABLE ROW LEVEL SECURITY;
    CREATE POLICY stale_days_own ON stale_days TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY stale_days_keepers ON stale_days TO osler_eraser USING (true);
    """,
)


def upgrade() -> None:
    """Create the tables with their comments, indexes and grants."""
    for statements in STATEMENTS:
        for statement in statements.split(";\n"):
            if statement.strip():
                op.execute(statement)
    op.execute(PARTITIONED.format(more=", ('predictions')"))
    op.execute(FIRST_PARTITIONS)


def downgrade() -> None:
    """Drop them; all but forecasts and models can be made again from the log."""
    op.execute(PARTITIONED.format(more=""))
    for name in reversed(TABLES):
        op.execute(f"drop table {name}")
