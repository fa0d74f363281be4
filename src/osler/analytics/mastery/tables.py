"""What a learner knows by topic, now and day by day, and how far each material has been read."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, column, table, user_id_column


def _count(name: str, comment: str, unit: str = "attempts") -> sa.Column[int]:
    return column(name, sa.Integer(), server_default="0", comment=comment, unit=unit)


def _share(name: str, comment: str) -> sa.Column[float]:
    """A share or probability that is null where nothing is known of it."""
    return column(name, sa.Float(), nullable=True, comment=comment, unit="0 to 1")


def _logits(name: str, comment: str, unit: str = "logits") -> sa.Column[float]:
    return column(name, sa.Float(), comment=comment, unit=unit)


topic_mastery = table(
    "topic_mastery",
    user_id_column(primary_key=True),
    column("topic_id", sa.Text(), primary_key=True, comment="topic"),
    column("as_of", sa.DateTime(timezone=True), comment="instant that the row is as of", unit="UTC"),
    _count("attempts", "answers and card reviews, each once"),
    _count("attempts_shared", "of the attempts: those that count under an earlier topic of the same group as well"),
    _count("correct", "of the attempts: right, or passed"),
    _count("first_attempts", "first attempts at an item"),
    _count("first_correct", "of the first attempts: right, or passed"),
    _count("questions_attempted", "answers to questions"),
    _count("questions_correct", "answers to questions that were right"),
    _count("materials_completed", "materials of the topic read to the end", "materials"),
    _count("materials_total", "materials of the topic in the catalogue", "materials"),
    _count("items_seen", "distinct items met", "items"),
    _count("items_remembered", "items with a memory of their own", "items"),
    _share("first_attempt_accuracy", "share right of first attempts"),
    _share("overall_accuracy", "share right of all attempts"),
    _share("retrieval_strength", "chance to recall a seen item of the topic, mean over items"),
    _share("retrieval_low", "lower end of the 90 % interval of retrieval_strength"),
    _share("retrieval_high", "upper end of the 90 % interval of retrieval_strength"),
    _share("material_completion", "share of the topic's materials read to the end; null without materials"),
    _share("mastery_score", "the weighted sum of the brief, over the components present"),
    _share("mastery_score_low", "lower end of the 90 % interval of mastery_score"),
    _share("mastery_score_high", "upper end of the 90 % interval of mastery_score"),
    column("components_present", pg.ARRAY(sa.Text()), server_default="{}", comment="components with data"),
    _share("mastery", "chance, corrected for guessing, to answer an unseen item of middling difficulty"),
    _share("mastery_low", "lower end of the 90 % interval of mastery"),
    _share("mastery_high", "upper end of the 90 % interval of mastery"),
    column("status", sa.Text(), comment="ok, provisional, insufficient_data or not_available"),
    column("trend", sa.Text(), comment="improving, stable, declining or insufficient_data"),
    _logits("skill_mean", "skill on the topic beyond general ability, at the last attempt"),
    _logits("skill_variance", "variance of the skill, at the last attempt", "logits²"),
    _logits("ability_mean", "general ability, as of the row"),
    _logits("ability_variance", "variance of general ability, as of the row", "logits²"),
    _logits("recall_bias", "running correction of recall forecasts, as of the row"),
    column(
        "recent_mean", sa.Float(), comment="moving mean of outcomes, as distance from the population's", unit="-1 to 1"
    ),
    _count("last_index", "learner's graded attempts up to the last on this topic"),
    column(
        "option_count", sa.SmallInteger(), comment="options of the last question; 0 where only cards", unit="options"
    ),
    column("guess_rate", sa.Float(), comment="chance to guess right, 1 / option_count; 0 for cards", unit="0 to 1"),
    column("memory_days", sa.Float(), comment="stability of the topic memory, closed days only", unit="days"),
    _count("day_right", "right answers on the last local day"),
    _count("day_wrong", "wrong answers on the last local day"),
    column("last_at", sa.DateTime(timezone=True), nullable=True, comment="last attempt", unit="UTC"),
    column("last_local_date", sa.Date(), nullable=True, comment="local day of the last attempt"),
    column("touched_at", sa.DateTime(timezone=True), comment="last event that touched the topic", unit="UTC"),
    column("touched_local_date", sa.Date(), comment="local day of that event"),
    column("next_review_on", sa.Date(), nullable=True, comment="earliest day on which an item of the topic is due"),
    _count("sm2_interval_days", "interval by the brief's SM-2 of the item that is next", "days"),
    column(
        "sm2_next_review_at",
        sa.DateTime(timezone=True),
        nullable=True,
        comment="earliest next review of an item by SM-2",
        unit="UTC",
    ),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="what a learner knows of each topic, with what it is computed from",
    postgresql_with={"fillfactor": 70},
)

topic_daily_stats = table(
    "topic_daily_stats",
    user_id_column(primary_key=True),
    column("topic_id", sa.Text(), primary_key=True, comment="topic"),
    column("local_date", sa.Date(), primary_key=True, comment="the learner's local day"),
    _count("questions_attempted", "answers to questions"),
    _count("questions_correct", "answers to questions that were right"),
    _count("reviews", "reviews of cards", "reviews"),
    _count("reviews_passed", "reviews of cards rated Hard or better", "reviews"),
    column("answer_seconds", sa.Float(), server_default="0", comment="time to answer", unit="seconds"),
    column("reading_seconds", sa.Float(), server_default="0", comment="active time on materials", unit="seconds"),
    column("attempts_to_date", sa.Integer(), nullable=True, comment="attempts up to the end of the day"),
    _share("mastery", "mastery after the day's last attempt; null on days of reading alone"),
    _share("mastery_low", "lower end of its 90 % interval"),
    _share("mastery_high", "upper end of its 90 % interval"),
    column("level_mean", sa.Float(), nullable=True, comment="ability plus skill after the last attempt", unit="logits"),
    column("level_variance", sa.Float(), nullable=True, comment="variance of the level", unit="logits²"),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="progress by learner, topic and local day: counts by topic_stats, mastery by the fold",
)

material_progress = table(
    "material_progress",
    user_id_column(primary_key=True),
    column("material_id", sa.Text(), primary_key=True, comment="material"),
    column("progress", sa.Float(), comment="furthest point reached", unit="0 to 1"),
    column("active_seconds", sa.Float(), comment="active time in all", unit="seconds"),
    column("first_at", sa.DateTime(timezone=True), comment="first opened", unit="UTC"),
    column("last_at", sa.DateTime(timezone=True), comment="last event on it", unit="UTC"),
    column("completed_at", sa.DateTime(timezone=True), nullable=True, comment="first read to the end", unit="UTC"),
    sa.CheckConstraint("progress between 0 and 1", name="progress"),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="how far a learner has read each material",
)
