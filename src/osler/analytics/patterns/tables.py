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
