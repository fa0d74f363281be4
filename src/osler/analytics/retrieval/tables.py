"""Item memories: what a learner remembers of each question and card, and which topics the item counts to."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, column, table, user_id_column


def _number(name: str, comment: str, unit: str) -> sa.Column[float]:
    """A value of a memory that is absent while there is no memory."""
    return column(name, sa.Float(), nullable=True, comment=comment, unit=unit)


def _count(name: str, comment: str, unit: str) -> sa.Column[int]:
    return column(name, sa.Integer(), server_default="0", comment=comment, unit=unit)


item_memory = table(
    "item_memory",
    user_id_column(primary_key=True),
    column("item_kind", sa.Text(), primary_key=True, comment="question or card"),
    column("item_id", sa.Text(), primary_key=True, comment="id of the question or of the learner's card"),
    column("topic_ids", pg.ARRAY(sa.Text()), server_default="{}", comment="topics at the last fold, sorted"),
    _number("fsrs_stability", "days until the chance of recall falls to 0.9, by FSRS-6", "days"),
    _number("fsrs_difficulty", "difficulty by FSRS-6", "1 to 10"),
    _number("sbd_log_stability", "scale of forgetting by SBD, as its logarithm; no stability to be shown", "ln days"),
    _number("sbd_failures", "discounted count of failures by SBD", "failures"),
    column("last_rating", sa.SmallInteger(), nullable=True, comment="rating of the last graded review", unit="1 to 4"),
    column(
        "last_at", sa.DateTime(timezone=True), nullable=True, comment="last review that changed the memory", unit="UTC"
    ),
    column("last_local_date", sa.Date(), nullable=True, comment="local day of that review"),
    _count("attempts", "graded answers and reviews in all", "attempts"),
    _count("correct", "of the attempts: right, or passed", "attempts"),
    _count("review_days", "distinct local days with a review that changed the memory", "days"),
    _count("lapses", "failures after a pass", "lapses"),
    column("has_passed", sa.Boolean(), comment="passed at least once since the memory began"),
    column("first_at", sa.DateTime(timezone=True), comment="first attempt", unit="UTC"),
    column("first_local_date", sa.Date(), comment="local day of the first attempt"),
    column("first_correct", sa.Boolean(), nullable=True, comment="whether the first attempt was right, if graded"),
    column("due_on", sa.Date(), nullable=True, comment="last local day on which recall reaches the learner's target"),
    _count("sm2_interval_days", "interval by the brief's SM-2, at most 36,500", "days"),
    column("sm2_next_review_at", sa.DateTime(timezone=True), nullable=True, comment="next review by SM-2", unit="UTC"),
    sa.CheckConstraint("item_kind in ('question', 'card')", name="item_kind"),
    sa.CheckConstraint("fsrs_stability > 0", name="fsrs_stability"),
    sa.Index("ix_item_memory_user_id_due_on", "user_id", "due_on", postgresql_where=sa.text("due_on is not null")),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="what a learner remembers of each item",
    postgresql_with={"fillfactor": 85},
)

item_topics = table(
    "item_topics",
    user_id_column(primary_key=True),
    column("topic_id", sa.Text(), primary_key=True, comment="topic"),
    column("item_kind", sa.Text(), primary_key=True, comment="question or card"),
    column("item_id", sa.Text(), primary_key=True, comment="item that the learner has met"),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="the items that a learner has met, by topic: a way into item_memory",
)
