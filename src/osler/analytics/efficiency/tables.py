"""Study sessions and the counts by learner-local day and week: the tables that efficiency owns and patterns reads."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, column, table, user_id_column


def count(name: str, comment: str, unit: str) -> sa.Column[int]:
    """A whole number that is 0 where nothing happened: nothing happening is known, not missing."""
    return column(name, sa.Integer(), comment=comment, unit=unit, server_default="0")


def seconds(name: str, comment: str) -> sa.Column[float]:
    """A duration that is 0 where nothing happened."""
    return column(name, sa.Float(), comment=comment, unit="seconds", server_default="0")


def answers() -> list[sa.Column[int]]:
    """What was answered in a span of time: the same columns in sessions, days and weeks."""
    return [
        count("questions", "answers to questions", "answers"),
        count("correct", "answers to questions that were right", "answers"),
        count("reviews", "reviews of cards", "reviews"),
        count("reviews_passed", "reviews of cards rated Hard or better", "reviews"),
    ]


def reading() -> list[sa.Column[int]]:
    """What was read in a span of time: the same columns in sessions, days and weeks."""
    return [
        count("materials", "materials opened or read on, each once", "materials"),
        count("notes", "notes taken", "notes"),
        count("interruptions", "pauses, and spans of 10 s or more with the page hidden", "interruptions"),
    ]


study_sessions = table(
    "study_sessions",
    user_id_column(primary_key=True),
    column(
        "first_event_id", sa.Uuid(), primary_key=True, comment="the session's first event; with its time, its place"
    ),
    column("first_event_ts", sa.DateTime(timezone=True), comment="id time of the first event", unit="UTC"),
    column("last_event_id", sa.Uuid(), comment="the session's last event in fold order"),
    column("last_event_ts", sa.DateTime(timezone=True), comment="id time of the last event", unit="UTC"),
    column("session_id", sa.Text(), comment="the client's id of it where it sent one, else that of the first event"),
    column("started_at", sa.DateTime(timezone=True), comment="first event", unit="UTC"),
    column("ended_at", sa.DateTime(timezone=True), comment="last event", unit="UTC"),
    column("utc_offset_minutes", sa.SmallInteger(), comment="wall clock less UTC at the start", unit="minutes"),
    column("local_date", sa.Date(), comment="local day of the start", unit="local day"),
    column("is_ended", sa.Boolean(), comment="an explicit end closed it"),
    seconds("total_seconds", "last event less first"),
    seconds("active_seconds", "studying: never more than the total"),
    seconds("multitasked_seconds", "studying with the page hidden in between, or on two devices"),
    seconds("hidden_seconds", "page hidden"),
    *answers(),
    count("graded", "answers to questions whose grade is known", "answers"),
    count("materials", "materials opened", "materials"),
    count("interruptions", "pauses, and spans of 10 s or more with the page hidden", "interruptions"),
    count("events", "events of the session", "events"),
    count("topic_switches", "neighbouring answers on other topics", "switches"),
    column("has_signals", sa.Boolean(), comment="pause or focus events were sent, so interruptions are known"),
    column("break_seconds", pg.ARRAY(sa.Float()), server_default="{}", comment="breaks of 5 to 30 min", unit="seconds"),
    column("topics", pg.JSONB(), server_default="{}", comment="topic: active seconds, attempts, right answers"),
    column("days", pg.JSONB(), server_default="{}", comment="local day: active seconds, total seconds"),
    column("kinds", pg.JSONB(), server_default="{}", comment="kind of work: active seconds"),
    column("hours", pg.JSONB(), server_default="{}", comment="local day and wall-clock hour: active seconds"),
    sa.CheckConstraint("active_seconds <= total_seconds + 0.001", name="active_within_total"),
    sa.Index("ix_study_sessions_user_id_first_event_ts", "user_id", sa.text("first_event_ts desc")),
    sa.Index("ix_study_sessions_user_id_local_date", "user_id", "local_date"),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="the learner's study sessions, with the topics and the kinds of work in them",
)

daily_user_stats = table(
    "daily_user_stats",
    user_id_column(primary_key=True),
    column("local_date", sa.Date(), primary_key=True, comment="the learner's study day", unit="local day"),
    count("events", "events of the day", "events"),
    count("sessions", "study sessions begun", "sessions"),
    seconds("active_seconds", "studying, each session's seconds on their own day"),
    seconds("total_seconds", "from first to last event of each session, on their own day"),
    *answers(),
    count("first_attempts", "questions answered for the first time", "answers"),
    count("first_correct", "questions right at the first attempt", "answers"),
    seconds("answer_seconds", "stated time to answer, one answer capped at 600 s"),
    *reading(),
    count("materials_completed", "materials finished", "materials"),
    count("coach_messages", "messages to the coach", "messages"),
    column("hours", pg.JSONB(), server_default="{}", comment="wall-clock hour to answers and right answers"),
    column("as_of", sa.DateTime(timezone=True), comment="latest id time among the day's events", unit="UTC"),
    sa.Index(
        "ix_daily_user_stats_user_id_local_date_cover",
        "user_id",
        sa.text("local_date desc"),
        postgresql_include=["active_seconds", "total_seconds", "questions", "correct", "reviews", "sessions"],
    ),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="one row for each learner and day with any event",
)

weekly_user_stats = table(
    "weekly_user_stats",
    user_id_column(primary_key=True),
    column("week_on", sa.Date(), primary_key=True, comment="Monday of the week", unit="local day"),
    count("events", "events of the week", "events"),
    count("active_days", "days with 10 active minutes or 10 answers", "days"),
    count("sessions", "study sessions begun", "sessions"),
    seconds("active_seconds", "studying"),
    seconds("total_seconds", "from first to last event of each session"),
    *answers(),
    count("first_attempts", "questions answered for the first time", "answers"),
    count("first_correct", "questions right at the first attempt", "answers"),
    *reading(),
    column("as_of", sa.DateTime(timezone=True), comment="latest id time among the week's events", unit="UTC"),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="one row for each learner and week with any event: sums of the days",
)
