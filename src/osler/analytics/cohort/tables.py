"""Cohort figures as published: frozen, gated, never recut for one person."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, column, table

cohort_stats = table(
    "cohort_stats",
    column("cohort_id", sa.Text(), primary_key=True, comment="published group"),
    column("week_on", sa.Date(), primary_key=True, comment="Monday of the closed week", unit="local day"),
    column("topic_id", sa.Text(), primary_key=True, comment="topic; empty for the whole exam"),
    column("measure", sa.Text(), primary_key=True, comment="name of the figure"),
    column("value", sa.Float(), nullable=True, comment="figure; null when suppressed"),
    column("low", sa.Float(), nullable=True, comment="lower end of its interval"),
    column("high", sa.Float(), nullable=True, comment="upper end of its interval"),
    column("n", sa.Integer(), nullable=True, comment="learners, rounded to 5; null when suppressed", unit="learners"),
    column("detail", pg.JSONB(), nullable=True, comment="steps of a distribution, where the figure is one"),
    column("suppressed", sa.Text(), nullable=True, comment="why nothing is shown: minimum, complement, dominance"),
    column("inputs_digest", sa.LargeBinary(), comment="keyed digest of the inputs, so that freezing can be checked"),
    column("published_at", sa.DateTime(timezone=True), comment="when it was frozen", unit="UTC"),
    kind=Kind.FROZEN,
    erase=Erase.NOT_PERSONAL,
    comment="anonymous statistics by closed week; never recut, as recutting would disclose who left",
)
