"""The fold's own reads and writes: topics as the fold keeps them, levels before a window, materials by topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypedDict
from uuid import UUID

from osler.analytics.contract import Reading
from osler.analytics.mastery.evaluation import ROW
from osler.analytics.mastery.tables import material_progress, topic_daily_stats, topic_mastery
from osler.analytics.mastery.topics import TopicState
from osler.analytics.retrieval.items import epoch_seconds
from osler.db.session import ReadSession, WriteSession
from osler.db.upsert import Upsert
from osler.science.features import NEW_LEARNER, TopicHistory
from osler.science.irt import SkillState

TOPICS = Upsert(topic_mastery, ROW)
DAYS = Upsert(
    topic_daily_stats,
    (
        "user_id", "topic_id", "local_date", "attempts_to_date", "mastery", "mastery_low", "mastery_high",
        "level_mean", "level_variance",
    ),
)  # fmt: skip
MATERIALS = Upsert(
    material_progress,
    ("user_id", "material_id", "progress", "active_seconds", "first_at", "last_at", "completed_at"),
)

_STATE_COLUMNS = (
    "user_id, topic_id, attempts, attempts_shared, correct, first_attempts, first_correct, questions_attempted, "
    "questions_correct, materials_completed, skill_mean, skill_variance, recall_bias, recent_mean, last_index, "
    "option_count, memory_days, day_right, day_wrong, last_at, last_local_date, touched_at, touched_local_date"
)


class TopicRow(TypedDict):
    """A row of topic_mastery as far as the fold keeps it."""

    user_id: UUID
    topic_id: str
    attempts: int
    attempts_shared: int
    correct: int
    first_attempts: int
    first_correct: int
    questions_attempted: int
    questions_correct: int
    materials_completed: int
    skill_mean: float
    skill_variance: float
    recall_bias: float
    recent_mean: float
    last_index: int
    option_count: int
    memory_days: float
    day_right: int
    day_wrong: int
    last_at: datetime | None
    last_local_date: date | None
    touched_at: datetime
    touched_local_date: date


class ProgressRow(TypedDict):
    """A row of material_progress."""

    material_id: str
    progress: float
    active_seconds: float
    first_at: datetime
    last_at: datetime
    completed_at: datetime | None


ASKED_TOPICS = Reading(
    f"""
(select json_agg(r) from (
   select {_STATE_COLUMNS} from topic_mastery
    where user_id = $1 and topic_id = any((select topic_ids from asked_topics)::text[])) r)
""",
    list[TopicRow],
)
ASKED_MATERIALS = Reading(
    """
(select json_agg(r) from (
   select material_id, progress, active_seconds, first_at, last_at, completed_at
     from material_progress where user_id = $1 and material_id = any((select materials from asked)::text[])) r)
""",
    list[ProgressRow],
)
_OF_LEARNERS = f"select {_STATE_COLUMNS} from topic_mastery where user_id = any($1::uuid[]) order by user_id, topic_id"

_LEVELS = """
select t.user_id, t.topic_id, d.level_mean, d.level_variance
  from unnest($1::uuid[], $2::text[], $3::date[]) as t(user_id, topic_id, before)
  join lateral (
       select level_mean, level_variance from topic_daily_stats s
        where s.user_id = t.user_id and s.topic_id = t.topic_id and s.local_date < t.before
          and s.level_mean is not null
        order by s.local_date desc limit 1) d on true
"""
_MATERIALS_BY_TOPIC = """
select t, count(*) as n from materials m, unnest(m.topic_ids) as t where $1::text[] is null or t = any($1) group by t
"""


async def learners_topics(session: ReadSession, user_ids: Sequence[UUID]) -> list[tuple[UUID, str, TopicState]]:
    """What the fold keeps of all topics of many learners, in the order of learner and topic."""
    rows = await session.driver().fetch(_OF_LEARNERS, list(user_ids))
    return [(row["user_id"], row["topic_id"], state_of(row)) for row in rows]


Level = tuple[float, float]


async def levels_before(
    session: ReadSession, wanted: Sequence[tuple[UUID, str, date]]
) -> dict[tuple[UUID, str], Level]:
    """(mean, variance) of ability plus skill on the last day with answers before a day, by learner and topic."""
    if not wanted:
        return {}
    users, topics, days = (list(values) for values in zip(*wanted, strict=True))
    rows = await session.driver().fetch(_LEVELS, users, topics, days)
    return {(row["user_id"], row["topic_id"]): (row["level_mean"], row["level_variance"]) for row in rows}


CatalogueKey = tuple[str, int, datetime]

# The counts of the newest catalogue, by its version: a scan of all materials is not for every submit.
_counted: dict[CatalogueKey, dict[str, int]] = {}


async def materials_by_topic(
    session: ReadSession, topic_ids: Sequence[str], catalogue: CatalogueKey | None = None
) -> Mapping[str, int]:
    """How many materials the catalogue has for each topic that has any; kept where its version is named."""
    if catalogue is None:
        return await _count_materials(session, list(topic_ids))
    if catalogue not in _counted:
        _counted.clear()
        _counted[catalogue] = await _count_materials(session, None)
    return _counted[catalogue]


_GROUPS = """
with recursive below(topic_id, top) as (
  select topic_id, topic_id from topics where parent_id is null union all
  select t.topic_id, b.top from topics t join below b on t.parent_id = b.topic_id)
select topic_id, top from below
"""
_grouped: dict[CatalogueKey, dict[str, str]] = {}


async def groups(session: ReadSession, catalogue: CatalogueKey | None) -> Mapping[str, str]:
    """The topic at the top of each topic of the catalogue; kept where its version is named."""
    found = None if catalogue is None else _grouped.get(catalogue)
    if found is None:
        found = {row["topic_id"]: row["top"] for row in await session.driver().fetch(_GROUPS)}
        if catalogue is not None:
            _grouped.clear()
            _grouped[catalogue] = found
    return found


async def _count_materials(session: ReadSession, topic_ids: list[str] | None) -> dict[str, int]:
    rows = await session.driver().fetch(_MATERIALS_BY_TOPIC, topic_ids)
    return {row["t"]: row["n"] for row in rows}


def state_of(row: Any) -> TopicState:
    """A row as the fold keeps it. The learner's general state is the fold's to give."""
    right, first_right = row["correct"], row["first_correct"]
    history = TopicHistory(
        skill=SkillState(row["skill_mean"], row["skill_variance"]),
        right=right,
        wrong=row["attempts"] - right,
        first_right=first_right,
        first_wrong=row["first_attempts"] - first_right,
        recent=row["recent_mean"],
        last_index=row["last_index"],
        at=None if row["last_at"] is None else epoch_seconds(row["last_at"]),
    )
    return TopicState(
        history=history,
        learner=NEW_LEARNER,
        bias=row["recall_bias"],
        touched_at=row["touched_at"],
        touched_on=row["touched_local_date"],
        questions_attempted=row["questions_attempted"],
        questions_correct=row["questions_correct"],
        materials_completed=row["materials_completed"],
        memory_days=row["memory_days"],
        day_right=row["day_right"],
        day_wrong=row["day_wrong"],
        last_at=row["last_at"],
        last_on=row["last_local_date"],
        option_count=row["option_count"],
        shared=row["attempts_shared"],
    )


_FORGET = (
    "delete from topic_mastery where user_id = $1",
    "delete from material_progress where user_id = $1",
    # The counts of a day are the nightly job's: only what the fold wrote goes.
    "update topic_daily_stats set attempts_to_date = null, mastery = null, mastery_low = null, mastery_high = null, "
    "level_mean = null, level_variance = null where user_id = $1",
    "delete from topic_daily_stats where user_id = $1 and questions_attempted = 0 and reviews = 0 "
    "and answer_seconds = 0 and reading_seconds = 0",
)


async def forget(session: WriteSession, user_id: UUID) -> None:
    """Delete what the fold has written of a learner."""
    for statement in _FORGET:
        await session.driver().execute(statement, user_id)
