"""Where does a learner stand on each topic that the exam asks, carried to the day of the exam?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from osler.analytics.gaps.model import unseen_prior_mean
from osler.analytics.mastery.model import chance_known
from osler.analytics.readiness.model import LearnerState, TopicState
from osler.catalog.learners import LearnerSetup
from osler.catalog.snapshot import Catalogue, ExamEntry, catalogue
from osler.db.engine import ReadSession, WriteSession
from osler.forecasts.parameters import Parameters, ParameterStore
from osler.science.guessing import guess_floor
from osler.science.irt import DEFAULTS as IRT
from osler.science.irt import widen
from osler.science.logits import Z90
from osler.science.prerequisites import Edge, Prerequisites, prerequisites

SECONDS_A_DAY = 86_400.0

# Everything that readiness asks of a learner's topics, in one row a topic.
TOPICS = """
select user_id, topic_id, attempts, mastery, mastery_low, mastery_high, skill_mean, skill_variance, ability_mean,
       ability_variance, option_count, last_at, as_of
  from topic_mastery where user_id = any(cast(:users as uuid[])) and attempts > 0 order by user_id, topic_id
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is the same for all learners: catalogue, prerequisite graph, parameters."""

    catalogue: Catalogue
    graph: Prerequisites
    parameters: Parameters


_store = ParameterStore()
_graphs: dict[int, Prerequisites] = {}


def ground(known: Catalogue, parameters: Parameters) -> Ground:
    """The ground of a catalogue; the graph of a version is made once."""
    edges = known.prerequisites
    key = hash(edges)
    if key not in _graphs:
        _graphs.clear()
        _graphs[key] = prerequisites(Edge(needed, topic, strength) for needed, topic, strength in edges)
    return Ground(known, _graphs[key], parameters)


async def ground_now(s: ReadSession) -> Ground:
    """The ground of this moment: the newest catalogue, the parameters that learners are folded under."""
    version = await _store.current_version(s)
    return ground(await catalogue(s), await _store.get(s, version))


async def topics_of(s: ReadSession, user_ids: Sequence[UUID]) -> dict[UUID, list[Mapping[str, Any]]]:
    """Rows of topics with answers, by learner."""
    found: dict[UUID, list[Mapping[str, Any]]] = {user_id: [] for user_id in user_ids}
    for row in await s.rows(sa.text(TOPICS), {"users": list(user_ids)}, name="readiness.topics"):
        found[row["user_id"]].append({str(name): value for name, value in row.items()})
    return found


def learner_state(rows: Sequence[Mapping[str, Any]], exam: ExamEntry, at: datetime, on: Ground) -> LearnerState:
    """The learner as the exam sees them at an instant: the more days without an answer, the less sure.

    Topics below one of the blueprint are taken together for it, weighed by answers. A topic without answers has the
    prior of its parent or its prerequisites, and widens the forecast.
    """
    ability, ability_variance = _ability(rows, at)
    met = _by_blueprint(rows, exam, on.catalogue)
    known = {row["topic_id"]: (row["skill_mean"], row["attempts"]) for row in rows}
    about = _About(exam, at, on, ability, ability_variance, known)
    return LearnerState(ability, ability_variance, [_topic(topic, met.get(topic, []), about) for topic in exam.shares])


@dataclass(frozen=True, slots=True)
class _About:
    """One learner before one exam: what every topic's state needs."""

    exam: ExamEntry
    at: datetime
    on: Ground
    ability: float
    ability_variance: float
    known: Mapping[str, tuple[float, int]]


def _ability(rows: Sequence[Mapping[str, Any]], at: datetime) -> tuple[float, float]:
    if not rows:
        return 0.0, IRT.ability_variance
    row = max(rows, key=lambda r: (r["as_of"], r["topic_id"]))
    days = (at - row["as_of"]).total_seconds() / SECONDS_A_DAY
    return row["ability_mean"], widen(row["ability_variance"], IRT.ability_variance, IRT.ability_growth_per_day, days)


def _by_blueprint(
    rows: Sequence[Mapping[str, Any]], exam: ExamEntry, known: Catalogue
) -> dict[str, list[Mapping[str, Any]]]:
    met: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        above = known.counts_to(exam, row["topic_id"])
        if above is not None:
            met.setdefault(above, []).append(row)
    return met


def _skill(rows: Sequence[Mapping[str, Any]], at: datetime) -> tuple[float, float, int]:
    """Mean, variance and answers of the rows that count to one topic of the blueprint."""
    n = sum(row["attempts"] for row in rows)
    mean = sum(row["attempts"] * row["skill_mean"] for row in rows) / n
    variance = sum((row["attempts"] / n) ** 2 * _widened(row, at) for row in rows)
    return mean, variance, n


def _widened(row: Mapping[str, Any], at: datetime) -> float:
    days = (at - (row["last_at"] or row["as_of"])).total_seconds() / SECONDS_A_DAY
    return widen(row["skill_variance"], IRT.skill_variance, IRT.skill_growth_per_day, days)


def _topic(topic: str, rows: Sequence[Mapping[str, Any]], about: _About) -> TopicState:
    easiness = about.on.parameters.of_topic(topic)
    if rows:
        skill, variance, n = _skill(rows, about.at)
        options = max(rows, key=lambda row: (row["attempts"], row["topic_id"]))["option_count"]
    else:
        entry = about.on.catalogue.topics.get(topic)
        skill = unseen_prior_mean(topic, entry.parent_id if entry else None, about.on.graph, about.known)
        variance, n, options = IRT.skill_variance, 0, 0
    eta, total = easiness + about.ability + skill, about.ability_variance + variance
    half = Z90 * total**0.5
    low, value, high = (chance_known(x, total, options) for x in (eta - half, eta, eta + half))
    return TopicState(
        topic_id=topic,
        share=about.exam.shares[topic],
        section=about.exam.sections.get(topic, topic),
        easiness=easiness,
        skill=skill,
        variance=variance,
        n=n,
        mastery=value,
        mastery_low=low,
        mastery_high=high,
        guess=guess_floor(options),
    )


def exam_day_instant(setup: LearnerSetup, as_of: datetime) -> datetime:
    """When the exam begins, in the morning of its day on the learner's wall clock; `as_of` where it has, or has no day.

    What is known is carried to then: until then it fades and grows uncertain.
    """
    if setup.exam_on is None:
        return as_of
    begins = datetime.combine(setup.exam_on, time(9), ZoneInfo(setup.time_zone))
    return max(as_of, begins)


async def replace_rows(
    s: WriteSession, table: sa.Table, user_ids: Sequence[UUID], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Put these rows in place of all that the learners have in the table."""
    await s.execute(sa.delete(table).where(table.c.user_id == sa.any_(sa.literal(list(user_ids), sa.ARRAY(sa.Uuid())))))
    if rows:
        await s.execute(sa.insert(table), list(rows))
