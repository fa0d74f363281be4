"""What was forecast, by which model, and which models there are: written by several analytics, scored by evaluate."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, column, table, user_id_column

predictions = table(
    "predictions",
    user_id_column(primary_key=True),
    column(
        "as_of",
        sa.DateTime(timezone=True),
        primary_key=True,
        comment="uses nothing from this instant on: an answer's id time, or when an exam was forecast; partition key",
        unit="UTC",
    ),
    column("about", sa.Text(), primary_key=True, comment="what is forecast: an event's id, or an exam's"),
    column("task", sa.Text(), primary_key=True, comment="next-answer, recall or exam"),
    column("model_version", sa.Text(), primary_key=True, comment="model and parameters that made it"),
    column("probability", sa.Float(), comment="forecast chance", unit="0 to 1"),
    column(
        "elapsed_days",
        sa.Integer(),
        nullable=True,
        comment="local days since the item's last review; 0 is scored apart",
        unit="local days",
    ),
    column("score", sa.Float(), nullable=True, comment="forecast share of points, for exams", unit="0 to 1"),
    column("low", sa.Float(), nullable=True, comment="lower end of the 90 % interval", unit="0 to 1"),
    column("high", sa.Float(), nullable=True, comment="upper end of the 90 % interval", unit="0 to 1"),
    column("made_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="when written", unit="UTC"),
    sa.CheckConstraint("probability between 0 and 1", name="probability"),
    kind=Kind.FROZEN,
    erase=Erase.DELETE,
    comment="forecasts as they were served, written before their outcome was folded and never changed",
    postgresql_partition_by="RANGE (as_of)",
)

models = table(
    "models",
    column("version", sa.Text(), primary_key=True, comment="name of the model with its parameters"),
    column("task", sa.Text(), comment="parameters, next-answer, recall or exam"),
    column(
        "content", pg.JSONB(), comment="the parameters, or where the signed file stands; empty once taken out of use"
    ),
    column("digest", sa.LargeBinary(), comment="SHA-256 of the canonical content"),
    column("trained_until", sa.DateTime(timezone=True), nullable=True, comment="training cut", unit="UTC"),
    column("learners", sa.Integer(), nullable=True, comment="learners it was trained on", unit="learners"),
    column("rows", sa.Integer(), nullable=True, comment="attempts or outcomes it was trained on", unit="rows"),
    column("metrics", pg.JSONB(), server_default="{}", comment="what the backtest said, with its baselines"),
    column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="written", unit="UTC"),
    column("promoted_at", sa.DateTime(timezone=True), nullable=True, comment="served from then on", unit="UTC"),
    column(
        "flagged_at",
        sa.DateTime(timezone=True),
        nullable=True,
        comment="when a learner was erased who was among those it was trained on",
        unit="UTC",
    ),
    sa.Index("ix_models_task_promoted_at", "task", "promoted_at"),
    kind=Kind.FROZEN,
    erase=Erase.NOT_PERSONAL,
    comment="models and parameter versions; a refit is a new row",
)

memory_parameters = table(
    "memory_parameters",
    user_id_column(primary_key=True),
    column("version", sa.Text(), comment="name of the fit"),
    column("fsrs", pg.ARRAY(sa.Float()), comment="the 21 weights of FSRS-6"),
    column("sbd", pg.ARRAY(sa.Float()), comment="the 7 parameters of SBD"),
    column("fsrs_verdict", sa.Text(), comment="too_few, refused or accepted"),
    column("sbd_verdict", sa.Text(), comment="too_few, refused or accepted"),
    column("reviews", sa.Integer(), comment="next-day reviews it was fitted to", unit="reviews"),
    column("fitted_ts", sa.DateTime(timezone=True), comment="id time of the last event it saw", unit="UTC"),
    column("fitted_id", sa.Uuid(), comment="the last event it saw"),
    column("guard_passed", sa.Integer(), comment="next-day reviews passed up to then", unit="reviews"),
    column("guard_n", sa.Integer(), comment="next-day reviews up to then", unit="reviews"),
    column(
        "guard_advantage",
        sa.Float(),
        comment="lead of the model over the running mean, with what a refit shares out",
        unit="nats",
    ),
    column("fitted_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="when fitted", unit="UTC"),
    kind=Kind.FROZEN,
    erase=Erase.DELETE,
    comment="how one learner forgets, as fitted to their reviews last, and what the guard knew then",
)
