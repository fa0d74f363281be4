"""On which day will a learner be ready at the present pace? Seeded draws, walked forward to the exam."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import sqlalchemy as sa

from osler.analytics.contract import Moments
from osler.analytics.readiness.features import FEATURES, as_row
from osler.analytics.readiness.gather import (
    Ground,
    TopicRows,
    exam_day_instant,
    ground_now,
    learner_state,
    replace_rows,
    topics_of,
)
from osler.analytics.readiness.model import Exam, LearnerState, Readiness, Trust, assess, exam_state, going_on, trust_in
from osler.analytics.readiness.snapshots import cohorts_of, frozen, keep, milestone, prediction
from osler.analytics.readiness.tables import exam_projections
from osler.analytics.readiness.topics import columns
from osler.catalog.learners import LearnerSetup, setups
from osler.catalog.snapshot import ExamEntry
from osler.db.engine import WriteSession
from osler.forecasts import exam_models
from osler.forecasts.parameters import LearningRates
from osler.forecasts.predictions import Prediction
from osler.science.calibration import shifted
from osler.science.exam_projection import HORIZON_DAYS, READY, Practice, ready_in
from osler.science.exam_score import ExamState, exam_score

VERSION = "projection-2"
DEFAULT_SECONDS_PER_ATTEMPT = 60.0
MIN_MINUTES_PER_DAY = 1.0
PATH_STEP_DAYS = 5

MEASURES = f"""
select user_id, median_active_minutes, active_days_28d, active_seconds_90d, questions_90d, {", ".join(FEATURES)}
  from user_learning_metrics where user_id = any(cast(:users as uuid[]))
"""


class Ahead(NamedTuple):
    """Who has an exam ahead, as of when, and the measures of their pace by the columns' names; None without any."""

    setup: LearnerSetup
    as_of: datetime
    pace: Mapping[Any, Any] | None


@dataclass(frozen=True, slots=True)
class Before:
    """One learner before one exam, with what past results of that exam taught.

    `learner` is carried to the exam day, at the pace of `practice` until then. `today` is as of the instant, where
    walks begin.
    `knows_later` says that answers after the instant are in it already: no forecast of that instant any more.
    """

    setup: LearnerSetup
    exam: ExamEntry
    learner: LearnerState
    today: LearnerState
    features: Mapping[str, float | None]
    practice: Practice
    trust: Trust
    version: str
    as_of: datetime
    knows_later: bool
    item_spread: float

    @property
    def terms(self) -> Exam:
        """What the exam asks for."""
        return Exam(max(1, self.exam.question_count), self.exam.cut, self.exam.cut_sd, self.item_spread)


async def refresh(s: WriteSession, moments: Moments) -> None:
    """Replace the projections of these learners: of those who have answers and an exam to forecast.

    Beside them the forecasts and features of exams ahead are kept, once and for ever.
    """
    if not moments.user_ids:
        return
    rows: list[dict[str, Any]] = []
    snapshots: list[tuple[Any, ...]] = []
    forecasts: list[tuple[UUID, Prediction]] = []
    for before, cohort_id in await _learners(s, moments):
        # In a thread: the lease of the job is renewed meanwhile.
        made, row = await asyncio.to_thread(project, before)
        rows.append(row)
        exam_on, left = before.setup.exam_on, before.setup.days_to_exam(before.as_of)
        if exam_on is None or not left or before.knows_later:
            continue
        due = milestone(left)
        if due is not None:
            named = (before.setup.user_id, before.exam.exam_id, exam_on, due, before.as_of, left)
            kept = frozen(before.learner, before.terms, before.features)
            snapshots.append((*named, *kept, cohort_id, before.version))
        told = prediction(made, before.exam.exam_id, exam_on, before.as_of, before.version)
        if told is not None:
            forecasts.append((before.setup.user_id, told))
    await replace_rows(s, exam_projections, moments.user_ids, rows)
    await keep(s, snapshots, forecasts)


async def _learners(s: WriteSession, moments: Moments) -> list[tuple[Before, str | None]]:
    """Those of the learners who have answers and an exam to forecast, each with the group they are in."""
    on, known = await ground_now(s), await setups(s, moments.user_ids)
    topics, cohorts = await topics_of(s, moments.user_ids), await cohorts_of(s, moments.user_ids)
    found = await s.rows(sa.text(MEASURES), {"users": list(moments.user_ids)})
    measures = {row["user_id"]: row for row in found}
    served = await exam_models.line(s)
    learners: list[tuple[Before, str | None]] = []
    for user_id, as_of in zip(moments.user_ids, moments.as_of, strict=True):
        exam = on.catalogue.exam_or_default(known[user_id].exam_id)
        if exam is None or not exam.shares or not topics[user_id] or user_id not in measures:
            continue
        model, cohort_id = served.at(exam.exam_id, as_of), cohorts.get(user_id)
        today = learner_state(topics[user_id], exam, as_of, on)
        rows = topics[user_id]
        ahead, practice = carried(rows, exam, on, Ahead(known[user_id], as_of, measures[user_id]))
        versions = [VERSION, on.parameters.version, *([model.version] if model else [])]
        before = Before(
            setup=known[user_id],
            exam=exam,
            learner=ahead,
            today=today,
            features={name: measures[user_id][name] for name in FEATURES},
            practice=practice,
            trust=trust_in(model and model.model, cohort_id),
            version="+".join(versions),
            as_of=as_of,
            knows_later=float(topics[user_id].as_of_s.max()) > as_of.timestamp() + 0.001,
            item_spread=on.parameters.item_spread,
        )
        learners.append((before, cohort_id))
    return learners


def carried(topics: TopicRows, exam: ExamEntry, on: Ground, ahead: Ahead) -> tuple[LearnerState, Practice]:
    """The learner on the exam day, who goes on until then as they did, and how that is."""
    learner = learner_state(topics, exam, exam_day_instant(ahead.setup, ahead.as_of), on)
    practice = practice_of(learner, ahead.pace, ahead.setup, on.parameters.rates)
    left = ahead.setup.days_to_exam(ahead.as_of)
    return (going_on(learner, practice, left) if left else learner), practice


def practice_of(
    learner: LearnerState, pace: Mapping[Any, Any] | None, known: LearnerSetup, rates: LearningRates
) -> Practice:
    """How the learner practises: planned minutes where there is a plan, else the pace of the last 28 days.

    Each topic is learnt at its fitted rate, or at the start value where no fit won. Minutes are per calendar day, and
    bring as many questions as those of the last 90 days did: reading and cards take their part. They go where points
    are missing: by share of the exam times what is not mastered.
    """
    topics = columns(learner.topics)
    share = topics.asked.share * (1.05 - topics.mastery)
    if known.minutes_per_day:
        minutes = sum(known.minutes_per_day) / 7
    else:
        median = float(pace["median_active_minutes"] or 0) if pace else 0.0
        minutes = median * (int(pace["active_days_28d"] or 0) if pace else 0) / 28
    asked = int(pace["questions_90d"] or 0) if pace else 0
    seconds = float(pace["active_seconds_90d"] or 0) / asked if pace and asked else 0.0
    gain, gain_sd = rates.columns(topics.asked.topic_ids)
    return Practice(
        minutes_per_day=minutes,
        seconds_per_attempt=max(1.0, seconds) if seconds else DEFAULT_SECONDS_PER_ATTEMPT,
        attempts=topics.n.astype(np.float64),
        gain=gain,
        gain_sd=gain_sd,
        allocation=share / share.sum(),
    )


def project(before: Before) -> tuple[Readiness, dict[str, Any]]:
    """The forecast of one learner and the row that holds it."""
    user_id, practice, exam = before.setup.user_id, before.practice, before.exam
    seed = user_id.int % 2**32
    assessed = assess(before.learner, before.terms, trust=before.trust, seed=seed, features=as_row(before.features))
    state = exam_state(before.today, before.terms)
    score, chance = assessed.predicted_score, assessed.pass_probability
    return assessed, {
        "user_id": user_id,
        "exam_id": exam.exam_id,
        "exam_on": before.setup.exam_on,
        "minutes_per_day": practice.minutes_per_day,
        "status": assessed.status,
        "coverage": assessed.coverage,
        "readiness_score": assessed.readiness_score and assessed.readiness_score[0],
        **dict(zip(("score", "score_low", "score_high"), score or NOTHING, strict=True)),
        **dict(zip(("pass_probability", "pass_low", "pass_high"), chance or NOTHING, strict=True)),
        **_ready(state, before, seed),
        "path": _path(state, before),
        "as_of": before.as_of,
        "model_version": before.version,
    }


NOTHING = (None, None, None)


def _ready(state: ExamState, before: Before, seed: int) -> dict[str, Any]:
    """In how many days; nothing without a pass mark or a pace."""
    names = ("days_low", "days_median", "days_high", "share_never")
    practice, exam = before.practice, before.exam
    if exam.cut is None or practice.minutes_per_day < MIN_MINUTES_PER_DAY:
        return dict.fromkeys(names)
    target = before.trust.calibration.threshold(READY)
    ready = ready_in(*_by_section(state, practice, exam), exam.cut, seed=seed, target=target)
    return dict(
        zip(names, (*map(_days, (ready.low_days, ready.median_days, ready.high_days)), ready.never_share), strict=True)
    )


def _by_section(state: ExamState, practice: Practice, exam: ExamEntry) -> tuple[ExamState, Practice]:
    """State and practice with a section as the unit, for the walk over days and draws: ten times fewer numbers.

    A section stands for its usual topic: level, answers and minutes of one, shares of all; its variance is that of
    the mean of its topics.
    """
    names = list(exam.sections.values())
    _, section = np.unique(np.array(names), return_inverse=True)
    share = np.bincount(section, state.shares)
    inside = state.shares / np.maximum(share[section], 1e-12)
    count = np.bincount(section).astype(np.float64)
    return (
        replace(
            state,
            shares=share,
            eta=np.bincount(section, inside * state.eta),
            topic_variance=np.bincount(section, inside**2 * state.topic_variance),
        ),
        replace(
            practice,
            attempts=np.bincount(section, practice.attempts) / count,
            allocation=np.bincount(section, practice.allocation) / count,
            gain=np.bincount(section, practice.gain) / count,
            gain_sd=np.bincount(section, practice.gain_sd) / count,
        ),
    )


def _days(value: float) -> int | None:
    return round(value) if isfinite(value) else None


def _path(state: ExamState, before: Before) -> list[dict[str, Any]]:
    """Expected score with its interval every few days, up to the exam or the horizon."""
    practice, today = before.practice, before.setup.today(before.as_of)
    left = before.setup.days_to_exam(before.as_of)
    end = min(HORIZON_DAYS, left) if left else HORIZON_DAYS
    days = np.array(sorted({*range(0, end, PATH_STEP_DAYS), end}), dtype=np.float64)
    fresh = days[:, None] * practice.minutes_per_day * 60 / practice.seconds_per_attempt * practice.allocation
    eta = state.eta + practice.gain * (np.log1p(practice.attempts + fresh) - np.log1p(practice.attempts))
    score = exam_score(
        replace(
            state,
            eta=eta,
            topic_variance=np.broadcast_to(state.topic_variance, eta.shape),
            ability_variance=np.broadcast_to(state.ability_variance, eta.shape[:1]),
        ),
        error_variance=before.trust.error_variance,
    )
    expected = shifted(score.expected, before.trust.score_shift)
    half = before.trust.interval_factor * score.sd
    return [
        {
            "day": (today + timedelta(days=int(day))).isoformat(),
            "expected": float(expected[i]),
            "low": max(0.0, float(expected[i] - half[i])),
            "high": min(1.0, float(expected[i] + half[i])),
        }
        for i, day in enumerate(days)
    ]
