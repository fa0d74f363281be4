"""What the catalogue shows: exams with their blueprints, topics, and a learner's own entry."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import RowMapping

from osler.catalog.tables import exam_blueprint, exams, topics, users
from osler.db.engine import ReadSession

_EXAMS = sa.select(
    exams.c.exam_id, exams.c.name, exams.c.question_count, exams.c.cut, exams.c.cut_sd, exams.c.source
).order_by(exams.c.name)

_BLUEPRINT = (
    sa.select(
        exam_blueprint.c.topic_id, topics.c.name, exam_blueprint.c.section, exam_blueprint.c.exam_share,
        exam_blueprint.c.share_low, exam_blueprint.c.share_high, exam_blueprint.c.provenance,
    )
    .join(topics, topics.c.topic_id == exam_blueprint.c.topic_id)
    .order_by(exam_blueprint.c.section, exam_blueprint.c.topic_id)
)  # fmt: skip

_TOPICS = sa.select(
    topics.c.topic_id, topics.c.parent_id, topics.c.name, topics.c.level, topics.c.axis,
    topics.c.board_exam_weight, topics.c.weight_provenance,
).order_by(topics.c.topic_id)  # fmt: skip


async def user(s: ReadSession, user_id: UUID) -> RowMapping | None:
    """The learner's row, None when there is none."""
    return await s.one(sa.select(users).where(users.c.user_id == user_id), name="user")


async def exam_list(s: ReadSession) -> list[RowMapping]:
    """All exams, by name."""
    return await s.rows(_EXAMS, name="exams")


async def exam(s: ReadSession, exam_id: str) -> RowMapping | None:
    """One exam, None when there is none."""
    return await s.one(_EXAMS.where(exams.c.exam_id == exam_id), name="exams")


async def blueprint(s: ReadSession, exam_id: str) -> list[RowMapping]:
    """What an exam asks, by section."""
    return await s.rows(_BLUEPRINT.where(exam_blueprint.c.exam_id == exam_id), name="blueprint")


async def topic_list(s: ReadSession) -> list[RowMapping]:
    """All topics, a topic after the one above it."""
    return await s.rows(_TOPICS, name="topics")
