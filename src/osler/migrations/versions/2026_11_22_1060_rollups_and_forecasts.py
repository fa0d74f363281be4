"""Sessions, counts by day and week, rolling measures, gaps, insights, exam outcomes, cohort figures, stage work."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels = None
depends_on = None

TABLES = (
    "study_sessions",
    "daily_user_stats",
    "weekly_user_stats",
    "user_learning_metrics",
    "exam_projections",
    "knowledge_gaps",
    "learner_insights",
    "learner_habits",
    "exam_outcomes",
    "cohort_stats",
)

# One entry a table, frozen as it was declared on the day of this migration.
STATEMENTS = (
    """
    CREATE TABLE study_sessions (
        user_id UUID NOT NULL,
        first_event_id UUID NOT NULL,
        first_event_ts TIMESTAMP WITH TIME ZONE NOT NULL,
        last_event_id UUID NOT NULL,
        last_event_ts TIMESTAMP WITH TIME ZONE NOT NULL,
        session_id TEXT NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
        utc_offset_minutes SMALLINT NOT NULL,
        local_date DATE NOT NULL,
        is_ended BOOLEAN NOT NULL,
        total_seconds FLOAT DEFAULT '0' NOT NULL,
        active_seconds FLOAT DEFAULT '0' NOT NULL,
        multitasked_seconds FLOAT DEFAULT '0' NOT NULL,
        hidden_seconds FLOAT DEFAULT '0' NOT NULL,
        questions INTEGER DEFAULT '0' NOT NULL,
        correct INTEGER DEFAULT '0' NOT NULL,
        reviews INTEGER DEFAULT '0' NOT NULL,
        reviews_passed INTEGER DEFAULT '0' NOT NULL,
        graded INTEGER DEFAULT '0' NOT NULL,
        materials INTEGER DEFAULT '0' NOT NULL,
        interruptions INTEGER DEFAULT '0' NOT NULL,
        events INTEGER DEFAULT '0' NOT NULL,
        topic_switches INTEGER DEFAULT '0' NOT NULL,
        has_signals BOOLEAN NOT NULL,
        break_seconds FLOAT[] DEFAULT '{}' NOT NULL,
        topics JSONB DEFAULT '{}' NOT NULL,
        days JSONB DEFAULT '{}' NOT NULL,
        kinds JSONB DEFAULT '{}' NOT NULL,
        hours JSONB DEFAULT '{}' NOT NULL,
        CONSTRAINT pk_study_sessions PRIMARY KEY (user_id, first_event_id),
        CONSTRAINT ck_study_sessions_active_within_total CHECK (active_seconds <= total_seconds + 0.001)
    );
    CREATE INDEX ix_study_sessions_user_id_first_event_ts ON study_sessions (user_id, first_event_ts desc);
    CREATE INDEX ix_study_sessions_user_id_local_date ON study_sessions (user_id, local_date);
    COMMENT ON TABLE study_sessions IS 'the learner''s study sessions, with the topics and the kinds of work in them (derived)';
    COMMENT ON COLUMN study_sessions.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN study_sessions.first_event_id IS 'the session''s first event; with its time, its place (none)';
    COMMENT ON COLUMN study_sessions.first_event_ts IS 'id time of the first event [UTC] (none)';
    COMMENT ON COLUMN study_sessions.last_event_id IS 'the session''s last event in fold order (none)';
    COMMENT ON COLUMN study_sessions.last_event_ts IS 'id time of the last event [UTC] (none)';
    COMMENT ON COLUMN study_sessions.session_id IS 'the client''s id of it where it sent one, else that of the first event (none)';
    COMMENT ON COLUMN study_sessions.started_at IS 'first event [UTC] (none)';
    COMMENT ON COLUMN study_sessions.ended_at IS 'last event [UTC] (none)';
    COMMENT ON COLUMN study_sessions.utc_offset_minutes IS 'wall clock less UTC at the start [minutes] (none)';
    COMMENT ON COLUMN study_sessions.local_date IS 'local day of the start [local day] (none)';
    COMMENT ON COLUMN study_sessions.is_ended IS 'an explicit end closed it (none)';
    COMMENT ON COLUMN study_sessions.total_seconds IS 'last event less first [seconds] (none)';
    COMMENT ON COLUMN study_sessions.active_seconds IS 'studying: never more than the total [seconds] (none)';
    COMMENT ON COLUMN study_sessions.multitasked_seconds IS 'studying with the page hidden in between, or on two devices [seconds] (none)';
    COMMENT ON COLUMN study_sessions.hidden_seconds IS 'page hidden [seconds] (none)';
    COMMENT ON COLUMN study_sessions.questions IS 'answers to questions [answers] (none)';
    COMMENT ON COLUMN study_sessions.correct IS 'answers to questions that were right [answers] (none)';
    COMMENT ON COLUMN study_sessions.reviews IS 'reviews of cards [reviews] (none)';
    COMMENT ON COLUMN study_sessions.reviews_passed IS 'reviews of cards rated Hard or better [reviews] (none)';
    COMMENT ON COLUMN study_sessions.graded IS 'answers to questions whose grade is known [answers] (none)';
    COMMENT ON COLUMN study_sessions.materials IS 'materials opened [materials] (none)';
    COMMENT ON COLUMN study_sessions.interruptions IS 'pauses, and spans of 10 s or more with the page hidden [interruptions] (none)';
    COMMENT ON COLUMN study_sessions.events IS 'events of the session [events] (none)';
    COMMENT ON COLUMN study_sessions.topic_switches IS 'neighbouring answers on other topics [switches] (none)';
    COMMENT ON COLUMN study_sessions.has_signals IS 'pause or focus events were sent, so interruptions are known (none)';
    COMMENT ON COLUMN study_sessions.break_seconds IS 'breaks of 5 to 30 min [seconds] (none)';
    COMMENT ON COLUMN study_sessions.topics IS 'topic: active seconds, attempts, right answers (none)';
    COMMENT ON COLUMN study_sessions.days IS 'local day: active seconds, total seconds (none)';
    COMMENT ON COLUMN study_sessions.kinds IS 'kind of work: active seconds (none)';
    COMMENT ON COLUMN study_sessions.hours IS 'local day and wall-clock hour: active seconds (none)';
    GRANT select, insert, update, delete ON study_sessions TO osler_app;
    GRANT select ON study_sessions TO osler_reader;
    GRANT select, delete ON study_sessions TO osler_eraser;
    ALTER TABLE study_sessions ENABLE ROW LEVEL SECURITY;
    CREATE POLICY study_sessions_own ON study_sessions TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY study_sessions_keepers ON study_sessions TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE daily_user_stats (
        user_id UUID NOT NULL,
        local_date DATE NOT NULL,
        events INTEGER DEFAULT '0' NOT NULL,
        sessions INTEGER DEFAULT '0' NOT NULL,
        active_seconds FLOAT DEFAULT '0' NOT NULL,
        total_seconds FLOAT DEFAULT '0' NOT NULL,
        questions INTEGER DEFAULT '0' NOT NULL,
        correct INTEGER DEFAULT '0' NOT NULL,
        reviews INTEGER DEFAULT '0' NOT NULL,
        reviews_passed INTEGER DEFAULT '0' NOT NULL,
        first_attempts INTEGER DEFAULT '0' NOT NULL,
        first_correct INTEGER DEFAULT '0' NOT NULL,
        answer_seconds FLOAT DEFAULT '0' NOT NULL,
        materials INTEGER DEFAULT '0' NOT NULL,
        notes INTEGER DEFAULT '0' NOT NULL,
        interruptions INTEGER DEFAULT '0' NOT NULL,
        materials_completed INTEGER DEFAULT '0' NOT NULL,
        coach_messages INTEGER DEFAULT '0' NOT NULL,
        hours JSONB DEFAULT '{}' NOT NULL,
        as_of TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_daily_user_stats PRIMARY KEY (user_id, local_date)
    );
    CREATE INDEX ix_daily_user_stats_user_id_local_date_cover ON daily_user_stats (user_id, local_date desc) INCLUDE (active_seconds, total_seconds, questions, correct, reviews, sessions);
    COMMENT ON TABLE daily_user_stats IS 'one row for each learner and day with any event (derived)';
    COMMENT ON COLUMN daily_user_stats.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN daily_user_stats.local_date IS 'the learner''s study day [local day] (none)';
    COMMENT ON COLUMN daily_user_stats.events IS 'events of the day [events] (none)';
    COMMENT ON COLUMN daily_user_stats.sessions IS 'study sessions begun [sessions] (none)';
    COMMENT ON COLUMN daily_user_stats.active_seconds IS 'studying, each session''s seconds on their own day [seconds] (none)';
    COMMENT ON COLUMN daily_user_stats.total_seconds IS 'from first to last event of each session, on their own day [seconds] (none)';
    COMMENT ON COLUMN daily_user_stats.questions IS 'answers to questions [answers] (none)';
    COMMENT ON COLUMN daily_user_stats.correct IS 'answers to questions that were right [answers] (none)';
    COMMENT ON COLUMN daily_user_stats.reviews IS 'reviews of cards [reviews] (none)';
    COMMENT ON COLUMN daily_user_stats.reviews_passed IS 'reviews of cards rated Hard or better [reviews] (none)';
    COMMENT ON COLUMN daily_user_stats.first_attempts IS 'questions answered for the first time [answers] (none)';
    COMMENT ON COLUMN daily_user_stats.first_correct IS 'questions right at the first attempt [answers] (none)';
    COMMENT ON COLUMN daily_user_stats.answer_seconds IS 'stated time to answer, one answer capped at 600 s [seconds] (none)';
    COMMENT ON COLUMN daily_user_stats.materials IS 'materials opened or read on, each once [materials] (none)';
    COMMENT ON COLUMN daily_user_stats.notes IS 'notes taken [notes] (none)';
    COMMENT ON COLUMN daily_user_stats.interruptions IS 'pauses, and spans of 10 s or more with the page hidden [interruptions] (none)';
    COMMENT ON COLUMN daily_user_stats.materials_completed IS 'materials finished [materials] (none)';
    COMMENT ON COLUMN daily_user_stats.coach_messages IS 'messages to the coach [messages] (none)';
    COMMENT ON COLUMN daily_user_stats.hours IS 'wall-clock hour to answers and right answers (none)';
    COMMENT ON COLUMN daily_user_stats.as_of IS 'latest id time among the day''s events [UTC] (none)';
    GRANT select, insert, update, delete ON daily_user_stats TO osler_app;
    GRANT select ON daily_user_stats TO osler_reader;
    GRANT select, delete ON daily_user_stats TO osler_eraser;
    ALTER TABLE daily_user_stats ENABLE ROW LEVEL SECURITY;
    CREATE POLICY daily_user_stats_own ON daily_user_stats TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY daily_user_stats_keepers ON daily_user_stats TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE weekly_user_stats (
        user_id UUID NOT NULL,
        week_on DATE NOT NULL,
        events INTEGER DEFAULT '0' NOT NULL,
        active_days INTEGER DEFAULT '0' NOT NULL,
        sessions INTEGER DEFAULT '0' NOT NULL,
        active_seconds FLOAT DEFAULT '0' NOT NULL,
        total_seconds FLOAT DEFAULT '0' NOT NULL,
        questions INTEGER DEFAULT '0' NOT NULL,
        correct INTEGER DEFAULT '0' NOT NULL,
        reviews INTEGER DEFAULT '0' NOT NULL,
        reviews_passed INTEGER DEFAULT '0' NOT NULL,
        first_attempts INTEGER DEFAULT '0' NOT NULL,
        first_correct INTEGER DEFAULT '0' NOT NULL,
        materials INTEGER DEFAULT '0' NOT NULL,
        notes INTEGER DEFAULT '0' NOT NULL,
        interruptions INTEGER DEFAULT '0' NOT NULL,
        as_of TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_weekly_user_stats PRIMARY KEY (user_id, week_on)
    );
    COMMENT ON TABLE weekly_user_stats IS 'one row for each learner and week with any event: sums of the days (derived)';
    COMMENT ON COLUMN weekly_user_stats.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN weekly_user_stats.week_on IS 'Monday of the week [local day] (none)';
    COMMENT ON COLUMN weekly_user_stats.events IS 'events of the week [events] (none)';
    COMMENT ON COLUMN weekly_user_stats.active_days IS 'days with 10 active minutes or 10 answers [days] (none)';
    COMMENT ON COLUMN weekly_user_stats.sessions IS 'study sessions begun [sessions] (none)';
    COMMENT ON COLUMN weekly_user_stats.active_seconds IS 'studying [seconds] (none)';
    COMMENT ON COLUMN weekly_user_stats.total_seconds IS 'from first to last event of each session [seconds] (none)';
    COMMENT ON COLUMN weekly_user_stats.questions IS 'answers to questions [answers] (none)';
    COMMENT ON COLUMN weekly_user_stats.correct IS 'answers to questions that were right [answers] (none)';
    COMMENT ON COLUMN weekly_user_stats.reviews IS 'reviews of cards [reviews] (none)';
    COMMENT ON COLUMN weekly_user_stats.reviews_passed IS 'reviews of cards rated Hard or better [reviews] (none)';
    COMMENT ON COLUMN weekly_user_stats.first_attempts IS 'questions answered for the first time [answers] (none)';
    COMMENT ON COLUMN weekly_user_stats.first_correct IS 'questions right at the first attempt [answers] (none)';
    COMMENT ON COLUMN weekly_user_stats.materials IS 'materials opened or read on, each once [materials] (none)';
    COMMENT ON COLUMN weekly_user_stats.notes IS 'notes taken [notes] (none)';
    COMMENT ON COLUMN weekly_user_stats.interruptions IS 'pauses, and spans of 10 s or more with the page hidden [interruptions] (none)';
    COMMENT ON COLUMN weekly_user_stats.as_of IS 'latest id time among the week''s events [UTC] (none)';
    GRANT select, insert, update, delete ON weekly_user_stats TO osler_app;
    GRANT select ON weekly_user_stats TO osler_reader;
    GRANT select, delete ON weekly_user_stats TO osler_eraser;
    ALTER TABLE weekly_user_stats ENABLE ROW LEVEL SECURITY;
    CREATE POLICY weekly_user_stats_own ON weekly_user_stats TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY weekly_user_stats_keepers ON weekly_user_stats TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE user_learning_metrics (
        user_id UUID NOT NULL,
        active_seconds_30d FLOAT NOT NULL,
        total_seconds_30d FLOAT NOT NULL,
        sessions_30d INTEGER NOT NULL,
        questions_30d INTEGER NOT NULL,
        correct_30d INTEGER NOT NULL,
        reviews_30d INTEGER NOT NULL,
        reviews_passed_30d INTEGER NOT NULL,
        first_attempts_30d INTEGER NOT NULL,
        first_correct_30d INTEGER NOT NULL,
        materials_30d INTEGER NOT NULL,
        interruptions_30d INTEGER NOT NULL,
        active_seconds_90d FLOAT NOT NULL,
        total_seconds_90d FLOAT NOT NULL,
        sessions_90d INTEGER NOT NULL,
        questions_90d INTEGER NOT NULL,
        correct_90d INTEGER NOT NULL,
        reviews_90d INTEGER NOT NULL,
        reviews_passed_90d INTEGER NOT NULL,
        first_attempts_90d INTEGER NOT NULL,
        first_correct_90d INTEGER NOT NULL,
        materials_90d INTEGER NOT NULL,
        interruptions_90d INTEGER NOT NULL,
        active_seconds_all FLOAT NOT NULL,
        total_seconds_all FLOAT NOT NULL,
        sessions_all INTEGER NOT NULL,
        questions_all INTEGER NOT NULL,
        correct_all INTEGER NOT NULL,
        reviews_all INTEGER NOT NULL,
        reviews_passed_all INTEGER NOT NULL,
        first_attempts_all INTEGER NOT NULL,
        first_correct_all INTEGER NOT NULL,
        materials_all INTEGER NOT NULL,
        interruptions_all INTEGER NOT NULL,
        avg_mastery_score FLOAT,
        topics_mastered INTEGER NOT NULL,
        topics_weak INTEGER NOT NULL,
        accuracy_30d FLOAT,
        study_minutes_total FLOAT NOT NULL,
        first_attempt_accuracy FLOAT,
        questions_attempted_total INTEGER NOT NULL,
        days_since_start INTEGER NOT NULL,
        active_days_28d INTEGER NOT NULL,
        streak_days INTEGER NOT NULL,
        median_active_minutes FLOAT,
        seconds_per_answer FLOAT,
        session_minutes FLOAT[],
        mean_session_minutes FLOAT,
        focus_score FLOAT,
        as_of TIMESTAMP WITH TIME ZONE NOT NULL,
        as_of_on DATE NOT NULL,
        model_version TEXT NOT NULL,
        CONSTRAINT pk_user_learning_metrics PRIMARY KEY (user_id)
    );
    COMMENT ON TABLE user_learning_metrics IS 'one row for each learner: 30 days, 90 days, all time, and the features of the exam models (derived)';
    COMMENT ON COLUMN user_learning_metrics.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN user_learning_metrics.active_seconds_30d IS 'studying, last 30 days [seconds] (none)';
    COMMENT ON COLUMN user_learning_metrics.total_seconds_30d IS 'in sessions, last 30 days [seconds] (none)';
    COMMENT ON COLUMN user_learning_metrics.sessions_30d IS 'sessions begun, last 30 days [sessions] (none)';
    COMMENT ON COLUMN user_learning_metrics.questions_30d IS 'answers to questions, last 30 days [answers] (none)';
    COMMENT ON COLUMN user_learning_metrics.correct_30d IS 'right answers to questions, last 30 days [answers] (none)';
    COMMENT ON COLUMN user_learning_metrics.reviews_30d IS 'reviews of cards, last 30 days [reviews] (none)';
    COMMENT ON COLUMN user_learning_metrics.reviews_passed_30d IS 'reviews passed, last 30 days [reviews] (none)';
    COMMENT ON COLUMN user_learning_metrics.first_attempts_30d IS 'first attempts, last 30 days [answers] (none)';
    COMMENT ON COLUMN user_learning_metrics.first_correct_30d IS 'right first attempts, last 30 days [answers] (none)';
    COMMENT ON COLUMN user_learning_metrics.materials_30d IS 'materials by day, last 30 days [materials] (none)';
    COMMENT ON COLUMN user_learning_metrics.interruptions_30d IS 'interruptions, last 30 days [interruptions] (none)';
    COMMENT ON COLUMN user_learning_metrics.active_seconds_90d IS 'studying, last 90 days [seconds] (none)';
    COMMENT ON COLUMN user_learning_metrics.total_seconds_90d IS 'in sessions, last 90 days [seconds] (none)';
    COMMENT ON COLUMN user_learning_metrics.sessions_90d IS 'sessions begun, last 90 days [sessions] (none)';
    COMMENT ON COLUMN user_learning_metrics.questions_90d IS 'answers to questions, last 90 days [answers] (none)';
    COMMENT ON COLUMN user_learning_metrics.correct_90d IS 'right answers to questions, last 90 days [answers] (none)';
    COMMENT ON COLUMN user_learning_metrics.reviews_90d IS 'reviews of cards, last 90 days [reviews] (none)';
    COMMENT ON COLUMN user_learning_metrics.reviews_passed_90d IS 'reviews passed, last 90 days [reviews] (none)';
    COMMENT ON COLUMN user_learning_metrics.first_attempts_90d IS 'first attempts, last 90 days [answers] (none)';
    COMMENT ON COLUMN user_learning_metrics.first_correct_90d IS 'right first attempts, last 90 days [answers] (none)';
    COMMENT ON COLUMN user_learning_metrics.materials_90d IS 'materials by day, last 90 days [materials] (none)';
    COMMENT ON COLUMN user_learning_metrics.interruptions_90d IS 'interruptions, last 90 days [interruptions] (none)';
    COMMENT ON COLUMN user_learning_metrics.active_seconds_all IS 'studying, since the first event [seconds] (none)';
    COMMENT ON COLUMN user_learning_metrics.total_seconds_all IS 'in sessions, since the first event [seconds] (none)';
    COMMENT ON COLUMN user_learning_metrics.sessions_all IS 'sessions begun, since the first event [sessions] (none)';
    COMMENT ON COLUMN user_learning_metrics.questions_all IS 'answers to questions, since the first event [answers] (none)';
    COMMENT ON COLUMN user_learning_metrics.correct_all IS 'right answers to questions, since the first event [answers] (none)';
    COMMENT ON COLUMN user_learning_metrics.reviews_all IS 'reviews of cards, since the first event [reviews] (none)';
    COMMENT ON COLUMN user_learning_metrics.reviews_passed_all IS 'reviews passed, since the first event [reviews] (none)';
    COMMENT ON COLUMN user_learning_metrics.first_attempts_all IS 'first attempts, since the first event [answers] (none)';
    COMMENT ON COLUMN user_learning_metrics.first_correct_all IS 'right first attempts, since the first event [answers] (none)';
    COMMENT ON COLUMN user_learning_metrics.materials_all IS 'materials by day, since the first event [materials] (none)';
    COMMENT ON COLUMN user_learning_metrics.interruptions_all IS 'interruptions, since the first event [interruptions] (none)';
    COMMENT ON COLUMN user_learning_metrics.avg_mastery_score IS 'feature: blueprint-weighted, n >= 5 [probability] (none)';
    COMMENT ON COLUMN user_learning_metrics.topics_mastered IS 'feature: topics mastered [topics] (none)';
    COMMENT ON COLUMN user_learning_metrics.topics_weak IS 'feature: topics weak [topics] (none)';
    COMMENT ON COLUMN user_learning_metrics.accuracy_30d IS 'feature: first attempts of 30 days [probability] (none)';
    COMMENT ON COLUMN user_learning_metrics.study_minutes_total IS 'feature: active minutes since the start [minutes] (none)';
    COMMENT ON COLUMN user_learning_metrics.first_attempt_accuracy IS 'feature: first attempts [probability] (none)';
    COMMENT ON COLUMN user_learning_metrics.questions_attempted_total IS 'feature: answers since the start [answers] (none)';
    COMMENT ON COLUMN user_learning_metrics.days_since_start IS 'feature: first event to as_of [days] (none)';
    COMMENT ON COLUMN user_learning_metrics.active_days_28d IS 'active days of the last 28 [days] (none)';
    COMMENT ON COLUMN user_learning_metrics.streak_days IS 'active days in a row; an open day does not break it [days] (none)';
    COMMENT ON COLUMN user_learning_metrics.median_active_minutes IS 'of an active day, last 28 [minutes] (none)';
    COMMENT ON COLUMN user_learning_metrics.seconds_per_answer IS 'stated, mean of 90 days [seconds] (none)';
    COMMENT ON COLUMN user_learning_metrics.session_minutes IS 'quartiles, 90 days [minutes] (none)';
    COMMENT ON COLUMN user_learning_metrics.mean_session_minutes IS 'mean session, 90 days [minutes] (none)';
    COMMENT ON COLUMN user_learning_metrics.focus_score IS 'heuristic, 28 days; null without signals [0 to 100] (none)';
    COMMENT ON COLUMN user_learning_metrics.as_of IS 'instant that the row speaks of [UTC] (none)';
    COMMENT ON COLUMN user_learning_metrics.as_of_on IS 'local day of that instant [local day] (none)';
    COMMENT ON COLUMN user_learning_metrics.model_version IS 'version of model and parameters (none)';
    GRANT select, insert, update, delete ON user_learning_metrics TO osler_app;
    GRANT select ON user_learning_metrics TO osler_reader;
    GRANT select, delete ON user_learning_metrics TO osler_eraser;
    ALTER TABLE user_learning_metrics ENABLE ROW LEVEL SECURITY;
    CREATE POLICY user_learning_metrics_own ON user_learning_metrics TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY user_learning_metrics_keepers ON user_learning_metrics TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE exam_projections (
        user_id UUID NOT NULL,
        exam_id TEXT NOT NULL,
        exam_on DATE,
        status TEXT NOT NULL,
        coverage FLOAT NOT NULL,
        readiness_score FLOAT,
        score FLOAT,
        score_low FLOAT,
        score_high FLOAT,
        pass_probability FLOAT,
        pass_low FLOAT,
        pass_high FLOAT,
        minutes_per_day FLOAT NOT NULL,
        days_low INTEGER,
        days_median INTEGER,
        days_high INTEGER,
        share_never FLOAT,
        path JSONB NOT NULL,
        as_of TIMESTAMP WITH TIME ZONE NOT NULL,
        model_version TEXT NOT NULL,
        CONSTRAINT pk_exam_projections PRIMARY KEY (user_id)
    );
    COMMENT ON TABLE exam_projections IS 'the forecast of a learner''s exam as of a night, and when they will be ready at the present pace (derived)';
    COMMENT ON COLUMN exam_projections.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN exam_projections.exam_id IS 'exam that the learner prepares for (none)';
    COMMENT ON COLUMN exam_projections.exam_on IS 'day of the exam [local day] (none)';
    COMMENT ON COLUMN exam_projections.status IS 'ok, provisional, insufficient_data, not_available or cannot_tell (none)';
    COMMENT ON COLUMN exam_projections.coverage IS 'share of the exam on topics with 5 answers [share] (none)';
    COMMENT ON COLUMN exam_projections.readiness_score IS 'share of what is asked mastered [0 to 100] (none)';
    COMMENT ON COLUMN exam_projections.score IS 'expected share of points [0 to 100] (none)';
    COMMENT ON COLUMN exam_projections.score_low IS '5 % end of the score [0 to 100] (none)';
    COMMENT ON COLUMN exam_projections.score_high IS '95 % end of the score [0 to 100] (none)';
    COMMENT ON COLUMN exam_projections.pass_probability IS 'chance to reach the cut [probability] (none)';
    COMMENT ON COLUMN exam_projections.pass_low IS 'lower end of that chance [probability] (none)';
    COMMENT ON COLUMN exam_projections.pass_high IS 'upper end of that chance [probability] (none)';
    COMMENT ON COLUMN exam_projections.minutes_per_day IS 'pace that the projection walks at [minutes] (none)';
    COMMENT ON COLUMN exam_projections.days_low IS 'ready in, 5 % of draws; null for never [days] (none)';
    COMMENT ON COLUMN exam_projections.days_median IS 'ready in, median; null for never [days] (none)';
    COMMENT ON COLUMN exam_projections.days_high IS 'ready in, 95 % of draws; null for never [days] (none)';
    COMMENT ON COLUMN exam_projections.share_never IS 'draws that never arrive [share] (none)';
    COMMENT ON COLUMN exam_projections.path IS 'day, expected score, low, high: one entry every few days (none)';
    COMMENT ON COLUMN exam_projections.as_of IS 'instant that the row speaks of [UTC] (none)';
    COMMENT ON COLUMN exam_projections.model_version IS 'version of model and parameters (none)';
    GRANT select, insert, update, delete ON exam_projections TO osler_app;
    GRANT select ON exam_projections TO osler_reader;
    GRANT select, delete ON exam_projections TO osler_eraser;
    ALTER TABLE exam_projections ENABLE ROW LEVEL SECURITY;
    CREATE POLICY exam_projections_own ON exam_projections TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY exam_projections_keepers ON exam_projections TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE knowledge_gaps (
        user_id UUID NOT NULL,
        topic_id TEXT NOT NULL,
        state TEXT NOT NULL,
        rank INTEGER NOT NULL,
        ranked_by TEXT NOT NULL,
        severity TEXT,
        is_provisional BOOLEAN NOT NULL,
        gap_score FLOAT,
        priority_score FLOAT,
        priority_index FLOAT,
        n INTEGER NOT NULL,
        mastery FLOAT,
        mastery_low FLOAT,
        mastery_high FLOAT,
        board_exam_weight FLOAT NOT NULL,
        exam_share FLOAT NOT NULL,
        prerequisite_impact FLOAT NOT NULL,
        recent_failure_rate FLOAT,
        blocks_count INTEGER NOT NULL,
        blocks_count_all INTEGER NOT NULL,
        estimated_hours FLOAT,
        hours_low FLOAT,
        hours_high FLOAT,
        points_per_hour FLOAT,
        points_per_hour_low FLOAT,
        recommended_path TEXT[] DEFAULT '{}' NOT NULL,
        recommended_materials TEXT[] DEFAULT '{}' NOT NULL,
        opened_on DATE,
        mastery_at_open FLOAT,
        target FLOAT NOT NULL,
        progress FLOAT,
        as_of TIMESTAMP WITH TIME ZONE NOT NULL,
        model_version TEXT NOT NULL,
        CONSTRAINT pk_knowledge_gaps PRIMARY KEY (user_id, topic_id)
    );
    CREATE INDEX ix_knowledge_gaps_user_id_rank_cover ON knowledge_gaps (user_id, rank) INCLUDE (topic_id, state, severity, priority_index, mastery, estimated_hours);
    COMMENT ON TABLE knowledge_gaps IS 'weaknesses with their urgency, cost and path (derived)';
    COMMENT ON COLUMN knowledge_gaps.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN knowledge_gaps.topic_id IS 'topic (none)';
    COMMENT ON COLUMN knowledge_gaps.state IS 'unseen, insufficient_data, weak, open or closed (none)';
    COMMENT ON COLUMN knowledge_gaps.rank IS 'order of work, 1 is first [place] (none)';
    COMMENT ON COLUMN knowledge_gaps.ranked_by IS 'priority_index, or points_per_hour where that order is earned (none)';
    COMMENT ON COLUMN knowledge_gaps.severity IS 'critical, high, medium or low; null under 5 answers (none)';
    COMMENT ON COLUMN knowledge_gaps.is_provisional IS 'critical while the upper bound of mastery still allows better (none)';
    COMMENT ON COLUMN knowledge_gaps.gap_score IS '1 less mastery_score, as in the brief [0 to 1] (none)';
    COMMENT ON COLUMN knowledge_gaps.priority_score IS 'the brief''s weighted sum [0 to 25.5] (none)';
    COMMENT ON COLUMN knowledge_gaps.priority_index IS 'gap times importance [0 to 100] (none)';
    COMMENT ON COLUMN knowledge_gaps.n IS 'answers on the topic [answers] (none)';
    COMMENT ON COLUMN knowledge_gaps.mastery IS 'chance on an unseen item of median difficulty [probability] (none)';
    COMMENT ON COLUMN knowledge_gaps.mastery_low IS '5 % end of mastery [probability] (none)';
    COMMENT ON COLUMN knowledge_gaps.mastery_high IS '95 % end of mastery [probability] (none)';
    COMMENT ON COLUMN knowledge_gaps.board_exam_weight IS 'importance for the exam [0 to 10] (none)';
    COMMENT ON COLUMN knowledge_gaps.exam_share IS 'share of the exam''s points [share] (none)';
    COMMENT ON COLUMN knowledge_gaps.prerequisite_impact IS 'share of what is missing elsewhere behind this [0 to 1] (none)';
    COMMENT ON COLUMN knowledge_gaps.recent_failure_rate IS 'smoothed, last 20 answers in 30 days [probability] (none)';
    COMMENT ON COLUMN knowledge_gaps.blocks_count IS 'topics that need this one directly [topics] (none)';
    COMMENT ON COLUMN knowledge_gaps.blocks_count_all IS 'topics that need this one at any depth [topics] (none)';
    COMMENT ON COLUMN knowledge_gaps.estimated_hours IS 'median hours to close [hours] (none)';
    COMMENT ON COLUMN knowledge_gaps.hours_low IS '5 % end of the hours [hours] (none)';
    COMMENT ON COLUMN knowledge_gaps.hours_high IS '95 % end; null where some draws never arrive [hours] (none)';
    COMMENT ON COLUMN knowledge_gaps.points_per_hour IS 'expected exam points of one hour [points] (none)';
    COMMENT ON COLUMN knowledge_gaps.points_per_hour_low IS '25 % quantile of the same [points] (none)';
    COMMENT ON COLUMN knowledge_gaps.recommended_path IS 'topics in the order to mend them (none)';
    COMMENT ON COLUMN knowledge_gaps.recommended_materials IS 'at most three, unread first (none)';
    COMMENT ON COLUMN knowledge_gaps.opened_on IS 'first day of the present gap [local day] (none)';
    COMMENT ON COLUMN knowledge_gaps.mastery_at_open IS 'mastery on that day [probability] (none)';
    COMMENT ON COLUMN knowledge_gaps.target IS 'mastery that closes the gap [probability] (none)';
    COMMENT ON COLUMN knowledge_gaps.progress IS 'share of the way from opening to target [0 to 1] (none)';
    COMMENT ON COLUMN knowledge_gaps.as_of IS 'instant that the row speaks of [UTC] (none)';
    COMMENT ON COLUMN knowledge_gaps.model_version IS 'version of model and parameters (none)';
    GRANT select, insert, update, delete ON knowledge_gaps TO osler_app;
    GRANT select ON knowledge_gaps TO osler_reader;
    GRANT select, delete ON knowledge_gaps TO osler_eraser;
    ALTER TABLE knowledge_gaps ENABLE ROW LEVEL SECURITY;
    CREATE POLICY knowledge_gaps_own ON knowledge_gaps TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY knowledge_gaps_keepers ON knowledge_gaps TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE learner_insights (
        user_id UUID NOT NULL,
        insight TEXT NOT NULL,
        status TEXT NOT NULL,
        is_shown BOOLEAN NOT NULL,
        effect FLOAT,
        low FLOAT,
        high FLOAT,
        n INTEGER NOT NULL,
        clusters INTEGER NOT NULL,
        params JSONB DEFAULT '{}' NOT NULL,
        since_on DATE,
        week_on DATE NOT NULL,
        as_of TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_learner_insights PRIMARY KEY (user_id, insight)
    );
    COMMENT ON TABLE learner_insights IS 'found patterns with effect, interval and n; association, never cause (derived)';
    COMMENT ON COLUMN learner_insights.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN learner_insights.insight IS 'name of the insight (none)';
    COMMENT ON COLUMN learner_insights.status IS 'ok, provisional, insufficient_data or not_available (none)';
    COMMENT ON COLUMN learner_insights.is_shown IS 'passed in two weekly runs in a row and among the three strongest (none)';
    COMMENT ON COLUMN learner_insights.effect IS 'shrunk difference on comparable questions [probability] (none)';
    COMMENT ON COLUMN learner_insights.low IS '5 % end of the effect [probability] (none)';
    COMMENT ON COLUMN learner_insights.high IS '95 % end of the effect [probability] (none)';
    COMMENT ON COLUMN learner_insights.n IS 'answers behind it [answers] (none)';
    COMMENT ON COLUMN learner_insights.clusters IS 'sessions or materials behind it [clusters] (none)';
    COMMENT ON COLUMN learner_insights.params IS 'what fills its sentence (none)';
    COMMENT ON COLUMN learner_insights.since_on IS 'Monday of the first weekly run that passed [local day] (none)';
    COMMENT ON COLUMN learner_insights.week_on IS 'Monday of the latest weekly run [local day] (none)';
    COMMENT ON COLUMN learner_insights.as_of IS 'instant that the row speaks of [UTC] (none)';
    GRANT select, insert, update, delete ON learner_insights TO osler_app;
    GRANT select ON learner_insights TO osler_reader;
    GRANT select, delete ON learner_insights TO osler_eraser;
    ALTER TABLE learner_insights ENABLE ROW LEVEL SECURITY;
    CREATE POLICY learner_insights_own ON learner_insights TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY learner_insights_keepers ON learner_insights TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE learner_habits (
        user_id UUID NOT NULL,
        sessions INTEGER NOT NULL,
        minutes_by_hour JSONB NOT NULL,
        usual_hour FLOAT,
        hour_spread FLOAT,
        preference JSONB NOT NULL,
        breaks INTEGER NOT NULL,
        breaks_per_hour FLOAT,
        median_break_minutes FLOAT,
        multitasked_share FLOAT,
        switches_per_hour FLOAT,
        spacing_index FLOAT,
        interleaving_index FLOAT,
        cramming_index FLOAT,
        as_of TIMESTAMP WITH TIME ZONE NOT NULL,
        model_version TEXT NOT NULL,
        CONSTRAINT pk_learner_habits PRIMARY KEY (user_id)
    );
    COMMENT ON TABLE learner_habits IS 'when and how a learner studies: one row, made at night (derived)';
    COMMENT ON COLUMN learner_habits.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN learner_habits.sessions IS 'study sessions of the last 90 days [sessions] (none)';
    COMMENT ON COLUMN learner_habits.minutes_by_hour IS 'active minutes by weekday (1 Monday) and hour, 90 days (none)';
    COMMENT ON COLUMN learner_habits.usual_hour IS 'circular mean of the starts [0 to 24] (none)';
    COMMENT ON COLUMN learner_habits.hour_spread IS 'circular spread of the starts [hours] (none)';
    COMMENT ON COLUMN learner_habits.preference IS 'kind of work: share of active time, low, high (none)';
    COMMENT ON COLUMN learner_habits.breaks IS 'breaks of 5 to 30 min inside sessions [breaks] (none)';
    COMMENT ON COLUMN learner_habits.breaks_per_hour IS 'the same by active hour [per hour] (none)';
    COMMENT ON COLUMN learner_habits.median_break_minutes IS 'their median length [minutes] (none)';
    COMMENT ON COLUMN learner_habits.multitasked_share IS 'active time with the page hidden in between (none)';
    COMMENT ON COLUMN learner_habits.switches_per_hour IS 'changes of topic by active hour [per hour] (none)';
    COMMENT ON COLUMN learner_habits.spacing_index IS 'repeats a day or more after the last [share] (none)';
    COMMENT ON COLUMN learner_habits.interleaving_index IS 'topic changes over those under shuffling (none)';
    COMMENT ON COLUMN learner_habits.cramming_index IS 'of 28 days'' minutes, those of the last 7 [share] (none)';
    COMMENT ON COLUMN learner_habits.as_of IS 'instant that the row speaks of [UTC] (none)';
    COMMENT ON COLUMN learner_habits.model_version IS 'version of the definitions (none)';
    GRANT select, insert, update, delete ON learner_habits TO osler_app;
    GRANT select ON learner_habits TO osler_reader;
    GRANT select, delete ON learner_habits TO osler_eraser;
    ALTER TABLE learner_habits ENABLE ROW LEVEL SECURITY;
    CREATE POLICY learner_habits_own ON learner_habits TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY learner_habits_keepers ON learner_habits TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE exam_outcomes (
        user_id UUID NOT NULL,
        exam_id TEXT NOT NULL,
        exam_on DATE NOT NULL,
        score FLOAT,
        passed BOOLEAN,
        source TEXT NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_exam_outcomes PRIMARY KEY (user_id, exam_id, exam_on),
        CONSTRAINT ck_exam_outcomes_score CHECK (score between 0 and 1),
        CONSTRAINT ck_exam_outcomes_says_something CHECK (score is not null or passed is not null),
        CONSTRAINT fk_exam_outcomes_exam_id FOREIGN KEY(exam_id) REFERENCES exams (exam_id)
    );
    COMMENT ON TABLE exam_outcomes IS 'how exams turned out; what forecasts are scored against (fact)';
    COMMENT ON COLUMN exam_outcomes.user_id IS 'learner''s pseudonym (pseudonymous)';
    COMMENT ON COLUMN exam_outcomes.exam_id IS 'exam (none)';
    COMMENT ON COLUMN exam_outcomes.exam_on IS 'day of the exam [local day] (none)';
    COMMENT ON COLUMN exam_outcomes.score IS 'share of points reached [share] (none)';
    COMMENT ON COLUMN exam_outcomes.passed IS 'passed; null where only a score is known (none)';
    COMMENT ON COLUMN exam_outcomes.source IS 'learner, institution, import or simulator (none)';
    COMMENT ON COLUMN exam_outcomes.recorded_at IS 'told to us [UTC] (none)';
    GRANT select, insert, update ON exam_outcomes TO osler_app;
    GRANT select ON exam_outcomes TO osler_reader;
    GRANT select, delete ON exam_outcomes TO osler_eraser;
    ALTER TABLE exam_outcomes ENABLE ROW LEVEL SECURITY;
    CREATE POLICY exam_outcomes_own ON exam_outcomes TO osler_app, osler_reader USING
        ((select session_user_id()) is null or user_id = (select session_user_id()));
    CREATE POLICY exam_outcomes_keepers ON exam_outcomes TO osler_eraser USING (true);
    """,
    """
    CREATE TABLE cohort_stats (
        cohort_id TEXT NOT NULL,
        week_on DATE NOT NULL,
        topic_id TEXT NOT NULL,
        measure TEXT NOT NULL,
        value FLOAT,
        low FLOAT,
        high FLOAT,
        n INTEGER,
        detail JSONB,
        suppressed TEXT,
        inputs_digest BYTEA NOT NULL,
        published_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_cohort_stats PRIMARY KEY (cohort_id, week_on, topic_id, measure)
    );
    COMMENT ON TABLE cohort_stats IS 'anonymous statistics by closed week; never recut, as recutting would disclose who left (frozen)';
    COMMENT ON COLUMN cohort_stats.cohort_id IS 'published group (none)';
    COMMENT ON COLUMN cohort_stats.week_on IS 'Monday of the closed week [local day] (none)';
    COMMENT ON COLUMN cohort_stats.topic_id IS 'topic; empty for the whole exam (none)';
    COMMENT ON COLUMN cohort_stats.measure IS 'name of the figure (none)';
    COMMENT ON COLUMN cohort_stats.value IS 'figure; null when suppressed (none)';
    COMMENT ON COLUMN cohort_stats.low IS 'lower end of its interval (none)';
    COMMENT ON COLUMN cohort_stats.high IS 'upper end of its interval (none)';
    COMMENT ON COLUMN cohort_stats.n IS 'learners, rounded to 5; null when suppressed [learners] (none)';
    COMMENT ON COLUMN cohort_stats.detail IS 'steps of a distribution, where the figure is one (none)';
    COMMENT ON COLUMN cohort_stats.suppressed IS 'why nothing is shown: minimum, complement, dominance (none)';
    COMMENT ON COLUMN cohort_stats.inputs_digest IS 'keyed digest of the inputs, so that freezing can be checked (none)';
    COMMENT ON COLUMN cohort_stats.published_at IS 'when it was frozen [UTC] (none)';
    GRANT select, insert ON cohort_stats TO osler_app;
    GRANT select ON cohort_stats TO osler_reader, osler_eraser;
    """,
)


def upgrade() -> None:
    """Create the tables with their comments, indexes and grants."""
    for statements in STATEMENTS:
        for statement in statements.split(";\n"):
            if statement.strip():
                op.execute(statement)


def downgrade() -> None:
    """Drop them; all but exam_outcomes and cohort_stats can be made again from the log."""
    for name in reversed(TABLES):
        op.execute(f"drop table {name}")
