"""Where does a learner stand on each topic that the exam asks, carried to the day of the exam?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from osler.analytics.gaps.model import unseen_prior_mean
from osler.analytics.mastery.evaluation import mastery_many
from osler.analytics.readiness.model import LearnerState
from osler.analytics.readiness.topics import Blueprint, Floats, Ints, TopicColumns, blueprint, sums
from osler.catalog.learners import LearnerSetup
from osler.catalog.snapshot import Catalogue, ExamEntry, catalogue
from osler.db.engine import ReadSession, WriteSession
from osler.forecasts.parameters import Parameters, ParameterStore
from osler.science.irt import Parameters as IrtParameters
from osler.science.irt import widen
from osler.science.irt_many import widen_many
from osler.science.prerequisites import Edge, Prerequisites, prerequisites

SECONDS_A_DAY = 86_400.0

# Everything that readiness asks of a learner's topics, as arrays in the order of the topics' ids; instants in seconds.
TOPIC_ARRAYS = """
array_agg(t.topic_id order by t.topic_id), array_agg(t.attempts order by t.topic_id),
array_agg(t.option_count order by t.topic_id), array_agg(t.skill_mean order by t.topic_id),
array_agg(t.skill_variance order by t.topic_id), array_agg(t.ability_mean order by t.topic_id),
array_agg(t.ability_variance order by t.topic_id),
array_agg(extract(epoch from coalesce(t.last_at, t.as_of))::float8 order by t.topic_id),
array_agg(extract(epoch from t.as_of)::float8 order by t.topic_id)
"""
_TOPICS = f"""
select t.user_id, {TOPIC_ARRAYS} from topic_mastery t
 where t.user_id = any($1::uuid[]) and t.attempts > 0 group by t.user_id
"""


@dataclass(frozen=True, slots=True)
class TopicRows:
    """A learner's topics with answers as they stand in the table, as columns (n,); instants in epoch seconds."""

    topic_ids: Sequence[str]
    attempts: Ints
    options: Ints
    skill: Floats
    skill_variance: Floats
    ability: Floats
    ability_variance: Floats
    last_s: Floats
    as_of_s: Floats

    def __len__(self) -> int:
        return len(self.topic_ids)


def topic_rows(arrays: Sequence[Sequence[Any] | None]) -> TopicRows:
    """The columns that `TOPIC_ARRAYS` gives; those of a learner without answers are null."""
    topic_ids, attempts, options, *floats = (array or () for array in arrays)
    skill, skill_variance, ability, ability_variance, last_s, as_of_s = (np.array(a, dtype=np.float64) for a in floats)
    return TopicRows(
        topic_ids=topic_ids,
        attempts=np.array(attempts, dtype=np.int64),
        options=np.array(options, dtype=np.int64),
        skill=skill,
        skill_variance=skill_variance,
        ability=ability,
        ability_variance=ability_variance,
        last_s=last_s,
        as_of_s=as_of_s,
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """An exam as the arrays want it, and where each topic of the catalogue counts to: (k,) of the blueprint, or -1."""

    exam: ExamEntry
    catalogue: Catalogue
    blueprint: Blueprint
    position: Mapping[str, int]

    def places(self, topic_ids: Sequence[str]) -> Ints:
        """The position in the blueprint that each topic counts to."""
        above = (self.catalogue.counts_to(self.exam, topic) for topic in topic_ids)
        return np.array([-1 if topic is None else self.position[topic] for topic in above], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Ground:
    """What is the same for all learners: catalogue, prerequisite graph, parameters."""

    catalogue: Catalogue
    graph: Prerequisites
    parameters: Parameters

    def asked(self, exam: ExamEntry) -> _Asked:
        """What the exam asks; made once for a catalogue."""
        return self.catalogue.made(f"readiness.{exam.exam_id}", lambda known: _asked(exam, known))


def _asked(exam: ExamEntry, known: Catalogue) -> _Asked:
    topics = list(exam.shares)
    made = blueprint(topics, list(exam.shares.values()), [exam.sections.get(topic, topic) for topic in topics])
    return _Asked(exam, known, made, {topic: i for i, topic in enumerate(topics)})


_store = ParameterStore()


def _graph(known: Catalogue) -> Prerequisites:
    return prerequisites(Edge(needed, topic, strength) for needed, topic, strength in known.prerequisites)


async def ground_now(s: ReadSession) -> Ground:
    """The ground of this moment: the newest catalogue, the parameters that learners are folded under."""
    return await ground_at(s, await catalogue(s), await _store.current_version(s))


async def ground_at(s: ReadSession, known: Catalogue, version: str) -> Ground:
    """The ground of that catalogue under that version of the parameters; the graph of a catalogue is made once."""
    return Ground(known, known.made("readiness.graph", _graph), await _store.get(s, version))


async def topics_of(s: ReadSession, user_ids: Sequence[UUID]) -> dict[UUID, TopicRows]:
    """Topics with answers, by learner."""
    found = dict.fromkeys(user_ids, topic_rows([None] * len(fields(TopicRows))))
    for row in await s.driver().fetch(_TOPICS, list(user_ids)):
        user_id, *arrays = row
        found[user_id] = topic_rows(arrays)
    return found


def learner_state(rows: TopicRows, exam: ExamEntry, at: datetime, on: Ground) -> LearnerState:
    """The learner as the exam sees them at an instant: the more days without an answer, the less sure.

    Topics below one of the blueprint are taken together for it, weighed by answers. A topic without answers has the
    prior of its parent or its prerequisites, and widens the forecast.
    """
    asked = on.asked(exam)
    irt = on.parameters.irt
    ability, ability_variance = _ability(rows, at.timestamp(), irt)
    n, skill, variance, options = _by_blueprint(rows, asked, at.timestamp(), irt)
    unseen = np.flatnonzero(n == 0)
    skill[unseen] = _priors([asked.blueprint.topic_ids[i] for i in unseen], rows, on)
    variance[unseen] = irt.skill_variance
    easiness = np.array([on.parameters.of_topic(topic) for topic in asked.blueprint.topic_ids])
    value, low, high = mastery_many(easiness + ability + skill, ability_variance + variance, options)
    guess = np.where(options > 1, 1.0 / np.maximum(options, 1), 0.0)
    return LearnerState(
        ability,
        ability_variance,
        TopicColumns(asked.blueprint, easiness, skill, variance, n, value, low, high, guess),
    )


def _ability(rows: TopicRows, at_s: float, irt: IrtParameters) -> tuple[float, float]:
    """As of the newest row, the last by id where several are as new; then less sure with each day."""
    if not rows:
        return 0.0, irt.ability_variance
    newest = len(rows) - 1 - int(np.argmax(rows.as_of_s[::-1]))
    days = (at_s - float(rows.as_of_s[newest])) / SECONDS_A_DAY
    variance = float(rows.ability_variance[newest])
    widened = widen(variance, irt.ability_variance, irt.ability_growth_per_day, days)
    return float(rows.ability[newest]), widened


def _by_blueprint(rows: TopicRows, asked: _Asked, at_s: float, irt: IrtParameters) -> tuple[Ints, Floats, Floats, Ints]:
    """Answers, skill, its variance and options by the blueprint's topics (k,); 0 where there are no answers."""
    place = asked.places(rows.topic_ids)
    inside = np.flatnonzero(place >= 0)
    place, k = place[inside], len(asked.blueprint.topic_ids)
    attempts = rows.attempts[inside]
    n = sums(place, attempts, k)
    weight = attempts / n[place]
    days = (at_s - rows.last_s[inside]) / SECONDS_A_DAY
    variance = widen_many(rows.skill_variance[inside], irt.skill_variance, irt.skill_growth_per_day, days)
    options = np.zeros(k, dtype=np.int64)
    by_answers = np.argsort(attempts, kind="stable")  # of several topics, the one with most answers is written last
    options[place[by_answers]] = rows.options[inside][by_answers]
    skill = sums(place, weight * rows.skill[inside], k)
    return n.astype(np.int64), skill, sums(place, weight**2 * variance, k), options


def _priors(topics: Sequence[str], rows: TopicRows, on: Ground) -> list[float]:
    """The prior skills of unseen topics."""
    known = dict(zip(rows.topic_ids, zip(rows.skill.tolist(), rows.attempts.tolist(), strict=True), strict=True))
    found: list[float] = []
    for topic in topics:
        entry = on.catalogue.topics.get(topic)
        parent = entry.parent_id if entry else None
        near = {name: known[name] for name in (parent, *on.graph.needs.get(topic, ())) if name in known}
        found.append(unseen_prior_mean(topic, parent, on.graph, near))
    return found


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
