"""What a learner is missing, topic by topic: the brief's numbers, what ranks, and how far each gap is closed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, column, table, user_id_column

SHARE = "probability"

knowledge_gaps = table(
    "knowledge_gaps",
    user_id_column(primary_key=True),
    column("topic_id", sa.Text(), primary_key=True, comment="topic"),
    column("state", sa.Text(), comment="unseen, insufficient_data, weak, open or closed"),
    column("rank", sa.Integer(), comment="order of work, 1 is first", unit="place"),
    column("ranked_by", sa.Text(), comment="priority_index, or points_per_hour where that order is earned"),
    column("severity", sa.Text(), nullable=True, comment="critical, high, medium or low; null under 5 answers"),
    column("is_provisional", sa.Boolean(), comment="critical while the upper bound of mastery still allows better"),
    column("gap_score", sa.Float(), nullable=True, comment="1 less mastery_score, as in the brief", unit="0 to 1"),
    column("priority_score", sa.Float(), nullable=True, comment="the brief's weighted sum", unit="0 to 25.5"),
    column("priority_index", sa.Float(), nullable=True, comment="gap times importance", unit="0 to 100"),
    column("n", sa.Integer(), comment="answers on the topic", unit="answers"),
    column("mastery", sa.Float(), nullable=True, comment="chance on an unseen item of median difficulty", unit=SHARE),
    column("mastery_low", sa.Float(), nullable=True, comment="5 % end of mastery", unit=SHARE),
    column("mastery_high", sa.Float(), nullable=True, comment="95 % end of mastery", unit=SHARE),
    column("board_exam_weight", sa.Float(), comment="importance for the exam", unit="0 to 10"),
    column("exam_share", sa.Float(), comment="share of the exam's points", unit="share"),
    column("prerequisite_impact", sa.Float(), comment="share of what is missing elsewhere behind this", unit="0 to 1"),
    column(
        "recent_failure_rate", sa.Float(), nullable=True, comment="smoothed, last 20 answers in 30 days", unit=SHARE
    ),
    column("blocks_count", sa.Integer(), comment="topics that need this one directly", unit="topics"),
    column("blocks_count_all", sa.Integer(), comment="topics that need this one at any depth", unit="topics"),
    column("estimated_hours", sa.Float(), nullable=True, comment="median hours to close", unit="hours"),
    column("hours_low", sa.Float(), nullable=True, comment="5 % end of the hours", unit="hours"),
    column(
        "hours_high", sa.Float(), nullable=True, comment="95 % end; null where some draws never arrive", unit="hours"
    ),
    column("points_per_hour", sa.Float(), nullable=True, comment="expected exam points of one hour", unit="points"),
    column("points_per_hour_low", sa.Float(), nullable=True, comment="25 % quantile of the same", unit="points"),
    column("recommended_path", pg.ARRAY(sa.Text()), server_default="{}", comment="topics in the order to mend them"),
    column("recommended_materials", pg.ARRAY(sa.Text()), server_default="{}", comment="at most three, unread first"),
    column("opened_on", sa.Date(), nullable=True, comment="first day of the present gap", unit="local day"),
    column("mastery_at_open", sa.Float(), nullable=True, comment="mastery on that day", unit=SHARE),
    column("target", sa.Float(), comment="mastery that closes the gap", unit=SHARE),
    column("progress", sa.Float(), nullable=True, comment="share of the way from opening to target", unit="0 to 1"),
    column("as_of", sa.DateTime(timezone=True), comment="instant that the row speaks of", unit="UTC"),
    column("model_version", sa.Text(), comment="version of model and parameters"),
    sa.Index(
        "ix_knowledge_gaps_user_id_rank_cover",
        "user_id",
        "rank",
        postgresql_include=["topic_id", "state", "severity", "priority_index", "mastery", "estimated_hours"],
    ),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="weaknesses with their urgency, cost and path",
)
