"""Rolling measures of each learner, the brief's eight features among them, and how exams turned out."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, column, table, user_id_column

SHARE = "probability"


def rolling(days: str, span: str) -> list[sa.Column[float]]:
    """The same sums over one window; `days` ends the names."""
    return [
        column(f"active_seconds_{days}", sa.Float(), comment=f"studying, {span}", unit="seconds"),
        column(f"total_seconds_{days}", sa.Float(), comment=f"in sessions, {span}", unit="seconds"),
        column(f"sessions_{days}", sa.Integer(), comment=f"sessions begun, {span}", unit="sessions"),
        column(f"questions_{days}", sa.Integer(), comment=f"answers to questions, {span}", unit="answers"),
        column(f"correct_{days}", sa.Integer(), comment=f"right answers to questions, {span}", unit="answers"),
        column(f"reviews_{days}", sa.Integer(), comment=f"reviews of cards, {span}", unit="reviews"),
        column(f"reviews_passed_{days}", sa.Integer(), comment=f"reviews passed, {span}", unit="reviews"),
        column(f"first_attempts_{days}", sa.Integer(), comment=f"first attempts, {span}", unit="answers"),
        column(f"first_correct_{days}", sa.Integer(), comment=f"right first attempts, {span}", unit="answers"),
        column(f"materials_{days}", sa.Integer(), comment=f"materials by day, {span}", unit="materials"),
        column(f"interruptions_{days}", sa.Integer(), comment=f"interruptions, {span}", unit="interruptions"),
    ]


user_learning_metrics = table(
    "user_learning_metrics",
    user_id_column(primary_key=True),
    *rolling("30d", "last 30 days"),
    *rolling("90d", "last 90 days"),
    *rolling("all", "since the first event"),
    column("avg_mastery_score", sa.Float(), nullable=True, comment="feature: blueprint-weighted, n >= 5", unit=SHARE),
    column("topics_mastered", sa.Integer(), comment="feature: topics mastered", unit="topics"),
    column("topics_weak", sa.Integer(), comment="feature: topics weak", unit="topics"),
    column("accuracy_30d", sa.Float(), nullable=True, comment="feature: first attempts of 30 days", unit=SHARE),
    column("study_minutes_total", sa.Float(), comment="feature: active minutes since the start", unit="minutes"),
    column("first_attempt_accuracy", sa.Float(), nullable=True, comment="feature: first attempts", unit=SHARE),
    column("questions_attempted_total", sa.Integer(), comment="feature: answers since the start", unit="answers"),
    column("days_since_start", sa.Integer(), comment="feature: first event to as_of", unit="days"),
    column("active_days_28d", sa.Integer(), comment="active days of the last 28", unit="days"),
    column("streak_days", sa.Integer(), comment="active days in a row; an open day does not break it", unit="days"),
    column("median_active_minutes", sa.Float(), nullable=True, comment="of an active day, last 28", unit="minutes"),
    column("seconds_per_answer", sa.Float(), nullable=True, comment="stated, mean of 90 days", unit="seconds"),
    column("seconds_per_review", sa.Float(), nullable=True, comment="cards, mean of 90 days, capped", unit="seconds"),
    column("session_minutes", pg.ARRAY(sa.Float()), nullable=True, comment="quartiles, 90 days", unit="minutes"),
    column("mean_session_minutes", sa.Float(), nullable=True, comment="mean session, 90 days", unit="minutes"),
    column(
        "focus_score", sa.Float(), nullable=True, comment="heuristic, 28 days; null without signals", unit="0 to 100"
    ),
    column("as_of", sa.DateTime(timezone=True), comment="instant that the row speaks of", unit="UTC"),
    column("as_of_on", sa.Date(), comment="local day of that instant", unit="local day"),
    column("model_version", sa.Text(), comment="version of model and parameters"),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="one row for each learner: 30 days, 90 days, all time, and the features of the exam models",
)

exam_projections = table(
    "exam_projections",
    user_id_column(primary_key=True),
    column("exam_id", sa.Text(), comment="exam that the learner prepares for"),
    column("exam_on", sa.Date(), nullable=True, comment="day of the exam", unit="local day"),
    column("status", sa.Text(), comment="ok, provisional, insufficient_data, not_available or cannot_tell"),
    column("coverage", sa.Float(), comment="share of the exam on topics with 5 answers", unit="share"),
    column("readiness_score", sa.Float(), nullable=True, comment="share of what is asked mastered", unit="0 to 100"),
    column("score", sa.Float(), nullable=True, comment="expected share of points", unit="0 to 100"),
    column("score_low", sa.Float(), nullable=True, comment="5 % end of the score", unit="0 to 100"),
    column("score_high", sa.Float(), nullable=True, comment="95 % end of the score", unit="0 to 100"),
    column("pass_probability", sa.Float(), nullable=True, comment="chance to reach the cut", unit=SHARE),
    column("pass_low", sa.Float(), nullable=True, comment="lower end of that chance", unit=SHARE),
    column("pass_high", sa.Float(), nullable=True, comment="upper end of that chance", unit=SHARE),
    column("minutes_per_day", sa.Float(), comment="pace that the projection walks at", unit="minutes"),
    column("days_low", sa.Integer(), nullable=True, comment="ready in, 5 % of draws; null for never", unit="days"),
    column("days_median", sa.Integer(), nullable=True, comment="ready in, median; null for never", unit="days"),
    column("days_high", sa.Integer(), nullable=True, comment="ready in, 95 % of draws; null for never", unit="days"),
    column("share_never", sa.Float(), nullable=True, comment="draws that never arrive", unit="share"),
    column("path", pg.JSONB(), comment="day, expected score, low, high: one entry every few days"),
    column("as_of", sa.DateTime(timezone=True), comment="instant that the row speaks of", unit="UTC"),
    column("model_version", sa.Text(), comment="version of model and parameters"),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="the forecast of a learner's exam as of a night, and when they will be ready at the present pace",
)

exam_outcomes = table(
    "exam_outcomes",
    user_id_column(primary_key=True),
    column("exam_id", sa.Text(), sa.ForeignKey("exams.exam_id"), primary_key=True, comment="exam"),
    column("exam_on", sa.Date(), primary_key=True, comment="day of the exam", unit="local day"),
    column("score", sa.Float(), nullable=True, comment="share of points reached", unit="share"),
    column("passed", sa.Boolean(), nullable=True, comment="passed; null where only a score is known"),
    column("source", sa.Text(), comment="learner, institution, import or simulator"),
    column("recorded_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="told to us", unit="UTC"),
    sa.CheckConstraint("score between 0 and 1", name="score"),
    sa.CheckConstraint("score is not null or passed is not null", name="says_something"),
    kind=Kind.FACT,
    erase=Erase.DELETE,
    comment="how exams turned out; what forecasts are scored against",
)

exam_snapshots = table(
    "exam_snapshots",
    user_id_column(primary_key=True),
    column("exam_id", sa.Text(), primary_key=True, comment="exam that was ahead"),
    column("exam_on", sa.Date(), primary_key=True, comment="its day", unit="local day"),
    column("milestone", sa.SmallInteger(), primary_key=True, comment="90, 60, 30, 14 or 7: taken from then on"),
    column("as_of", sa.DateTime(timezone=True), comment="uses nothing from this instant on", unit="UTC"),
    column("days_left", sa.SmallInteger(), comment="from that instant to the exam", unit="days"),
    column("avg_mastery_score", sa.Float(), nullable=True, comment="feature: blueprint-weighted, n >= 5", unit=SHARE),
    column("topics_mastered", sa.Float(), nullable=True, comment="feature: topics mastered", unit="topics"),
    column("topics_weak", sa.Float(), nullable=True, comment="feature: topics weak", unit="topics"),
    column("accuracy_30d", sa.Float(), nullable=True, comment="feature: first attempts of 30 days", unit=SHARE),
    column("study_minutes_total", sa.Float(), nullable=True, comment="feature: since the start", unit="active minutes"),
    column("first_attempt_accuracy", sa.Float(), nullable=True, comment="feature: first attempts", unit=SHARE),
    column("questions_attempted_total", sa.Float(), nullable=True, comment="feature: since the start", unit="answers"),
    column("days_since_start", sa.Float(), nullable=True, comment="feature: first event to as_of", unit="days"),
    column("expected", sa.Float(), comment="score of the closed form", unit="share of points"),
    column("score_sd", sa.Float(), comment="its standard deviation, without model error", unit="share of points"),
    column("closed_form", sa.Float(), nullable=True, comment="chance to pass, not recalibrated", unit=SHARE),
    column("coverage", sa.Float(), comment="share of the exam on topics with 5 answers", unit="share"),
    column("cohort_id", sa.Text(), nullable=True, comment="the learner's group then; the first by name"),
    column("model_version", sa.Text(), comment="version of model and parameters"),
    column("made_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="when written", unit="UTC"),
    kind=Kind.FROZEN,
    erase=Erase.DELETE,
    comment="what was known before an exam, frozen: what calibration and the trained exam models learn from",
)
