"""What was known of a learner so many days before an exam? Made again from the log as it stood at that instant.

Only what had been received by the instant is read; the fold, the eight features and the closed form are those that
serve. Every question is as easy as the start value, as in a new installation: no count of later answers is in it. An
event that came in after the exam, as in an import, counts from when it happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import chain
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from osler.analytics.readiness.features import FEATURES, exam_features
from osler.analytics.readiness.gather import Ground, TopicRows, exam_day_instant, learner_state
from osler.analytics.readiness.model import MIN_COVERAGE, Exam, coverage, exam_state
from osler.analytics.readiness.projection import Ahead, carried
from osler.analytics.readiness.snapshots import MILESTONES
from osler.catalog.learners import LearnerSetup
from osler.catalog.snapshot import Catalogue
from osler.evaluate.exam_log import Event, ExamLog, Place
from osler.evaluate.exam_pace import studied
from osler.evaluate.next_answer_logs import Row, log_rows
from osler.forecasts.parameters import START
from osler.science import histories
from osler.science.exam_score import exam_score, pass_chance
from osler.science.features import Answer
from osler.science.histories import Histories
from osler.science.prerequisites import Edge, Prerequisites, prerequisites

RECENT_DAYS = 30
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Known:
    """The eight features in the brief's order, and the closed form: the chance to pass, the score and its sd (shares).

    A feature that is None is missing; the score is NaN where what was frozen does not say it.
    """

    features: tuple[float | None, ...]
    closed_form: float
    expected: float
    sd: float
    frozen: bool


def known_before(log: ExamLog, place: Place) -> Iterator[tuple[int, Known]]:
    """(days before, what was known) at each milestone of a result at which a forecast would have been given.

    What the server froze goes before what is made again.
    """
    setup = _setup(log, place)
    opened = datetime.combine(place[2], time(), ZoneInfo(setup.time_zone)) + timedelta(minutes=setup.day_start_minutes)
    for days in MILESTONES:
        row = log.frozen.get((place, days))
        if row is None:
            known = known_at(log, place, opened - timedelta(days=days))
            if known is not None:
                yield days, known
        elif row.get("coverage", 1.0) >= MIN_COVERAGE:
            eight = tuple(row[name] for name in FEATURES)
            expected, sd = (float(row.get(name, "nan")) for name in ("expected", "score_sd"))
            yield days, Known(eight, float(row["closed_form"]), expected, sd, frozen=True)


def _setup(log: ExamLog, place: Place) -> LearnerSetup:
    learner, exam_id, exam_on = place
    row = log.settings.get(learner, {})
    zone, opens = row.get("time_zone", "UTC"), row.get("day_start_minutes", 240)
    minutes = log.planned.get(place)
    return LearnerSetup(NOBODY, zone, opens, exam_id=exam_id, exam_on=exam_on, minutes_per_day=minutes)


def _graph(catalogue: Catalogue) -> Prerequisites:
    return prerequisites(Edge(needed, topic, strength) for needed, topic, strength in catalogue.prerequisites)


def _received(event: Event, by: datetime, exam_at: datetime) -> bool:
    """Whether an event was known by an instant."""
    received = event.stored.received_at
    is_late = received is not None and received > by
    return event.at <= by and (not is_late or (received is not None and received >= exam_at))


def known_at(log: ExamLog, place: Place, at: datetime) -> Known | None:
    """What was known at an instant, from the events; None where no forecast would have been given."""
    exam, setup = log.catalogue.exams.get(place[1]), _setup(log, place)
    if exam is None or not exam.shares or exam.cut is None:
        return None
    exam_at = exam_day_instant(setup, at)
    on = Ground(log.catalogue, log.catalogue.made("evaluate.graph", _graph), START)
    events = [event for event in log.events.get(place[0], ()) if _received(event, at, exam_at)]
    if not events:
        return None
    asked = {name for event in events if (name := event.data.get("question_id")) in log.questions}
    lines = ((event.place, event.text) for event in events)
    rows = list(log_rows(chain((log.questions[name] for name in sorted(asked)), lines)))
    topics = _topics(rows, log.options)
    now, study = learner_state(topics, exam, at, on), studied(events, setup.today(at))
    if coverage(now.topics) < MIN_COVERAGE:
        return None
    terms = Exam(max(1, exam.question_count), exam.cut, exam.cut_sd, START.item_spread)
    learner, _ = carried(topics, exam, on, Ahead(setup, at, study.pace))
    state = exam_state(learner, terms)
    score = exam_score(state)
    firsts = _first_attempts(rows)
    oldest = at - timedelta(days=RECENT_DAYS)
    features = exam_features(
        now.topics,
        accuracy_30d=_share([row for row in firsts if row.at > oldest.timestamp()]),
        study_minutes_total=study.active_minutes,
        first_attempt_accuracy=_share(firsts),
        questions_attempted_total=sum(not row.is_card for row in rows),
        days_since_start=(setup.today(at) - setup.today(min(event.at for event in events))).days,
    )
    chance = float(pass_chance(state, exam.cut, cut_sd=exam.cut_sd).value)
    eight = tuple(features[name] for name in FEATURES)
    return Known(eight, chance, float(score.expected), float(score.sd), frozen=False)


def _first_attempts(rows: Sequence[Row]) -> list[Row]:
    met: set[str] = set()
    return [row for row in rows if not row.is_card and not (row.item in met or met.add(row.item))]


def _share(rows: Sequence[Row]) -> float | None:
    return sum(row.correct for row in rows) / len(rows) if rows else None


def _topics(rows: Sequence[Row], options: Mapping[str, int]) -> TopicRows:
    """The topics with answers after the fold that serves, as readiness takes them."""
    answers = [Answer(row.item, row.topics, row.correct > 0.5, row.at, row.is_card) for row in rows]
    state: Histories = histories.fold(histories.initial(), answers, START.encoding(NOBODY))
    choices: dict[str, int] = {}
    for row in rows:
        if not row.is_card and options.get(row.item):
            choices |= dict.fromkeys(row.topics, options[row.item])
    names = sorted(state.topics)
    mine = [state.topics[name] for name in names]
    ability, newest = state.learner.ability, state.learner.at or 0.0
    last = np.array([topic.at or 0.0 for topic in mine])
    return TopicRows(
        topic_ids=names,
        attempts=np.array([topic.right + topic.wrong for topic in mine], dtype=np.int64),
        options=np.array([choices.get(name, 0) for name in names], dtype=np.int64),
        skill=np.array([topic.skill.mean for topic in mine]),
        skill_variance=np.array([topic.skill.variance for topic in mine]),
        ability=np.full(len(names), ability.mean),
        ability_variance=np.full(len(names), ability.variance),
        last_s=last,
        as_of_s=np.full(len(names), newest),
    )
