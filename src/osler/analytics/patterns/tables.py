"""Insights as evaluated week by week: what was found, whether it may be shown, and what data would be needed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, column, table, user_id_column

learner_insights = table(
    "learner_insights",
    user_id_column(primary_key=True),
    column("insight", sa.Text(), primary_key=True, comment="name of the insight"),
    column("status", sa.Text(), comment="ok, provisional, insufficient_data or not_available"),
    column("is_shown", sa.Boolean(), comment="passed in two weekly runs in a row and among the three strongest"),
    column(
        "effect", sa.Float(), nullable=True, comment="shrunk difference on comparable questions", unit="probability"
    ),
    column("low", sa.Float(), nullable=True, comment="5 % end of the effect", unit="probability"),
    column("high", sa.Float(), nullable=True, comment="95 % end of the effect", unit="probability"),
    column("n", sa.Integer(), comment="answers behind it", unit="answers"),
    column("clusters", sa.Integer(), comment="sessions or materials behind it", unit="clusters"),
    column("params", pg.JSONB(), server_default="{}", comment="what fills its sentence"),
    column(
        "since_on", sa.Date(), nullable=True, comment="Monday of the first weekly run that passed", unit="local day"
    ),
    column("week_on", sa.Date(), comment="Monday of the latest weekly run", unit="local day"),
    column("as_of", sa.DateTime(timezone=True), comment="instant that the row speaks of", unit="UTC"),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="found patterns with effect, interval and n; association, never cause",
)

learner_habits = table(
    "learner_habits",
    user_id_column(primary_key=True),
    column("sessions", sa.Integer(), comment="study sessions of the last 90 days", unit="sessions"),
    column("minutes_by_hour", pg.JSONB(), comment="active minutes by weekday (1 Monday) and hour, 90 days"),
    column("usual_hour", sa.Float(), nullable=True, comment="circular mean of the starts", unit="0 to 24"),
    column("hour_spread", sa.Float(), nullable=True, comment="circular spread of the starts", unit="hours"),
    column("preference", pg.JSONB(), comment="kind of work: share of active time, low, high"),
    column("breaks", sa.Integer(), comment="breaks of 5 to 30 min inside sessions", unit="breaks"),
    column("breaks_per_hour", sa.Float(), nullable=True, comment="the same by active hour", unit="per hour"),
    column("median_break_minutes", sa.Float(), nullable=True, comment="their median length", unit="minutes"),
    column("multitasked_share", sa.Float(), nullable=True, comment="active time with the page hidden in between"),
    column("switches_per_hour", sa.Float(), nullable=True, comment="changes of topic by active hour", unit="per hour"),
    column("spacing_index", sa.Float(), nullable=True, comment="repeats a day or more after the last", unit="share"),
    column("interleaving_index", sa.Float(), nullable=True, comment="topic changes over those under shuffling"),
    column(
        "cramming_index", sa.Float(), nullable=True, comment="of 28 days' minutes, those of the last 7", unit="share"
    ),
    column("as_of", sa.DateTime(timezone=True), comment="instant that the row speaks of", unit="UTC"),
    column("model_version", sa.Text(), comment="version of the definitions"),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="when and how a learner studies: one row, made at night",
)
