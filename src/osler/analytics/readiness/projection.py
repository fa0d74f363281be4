"""On which day will a learner be ready at the present pace? Seeded draws, walked forward to the exam."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

import numpy as np
import sqlalchemy as sa

from osler.analytics.contract import Moments
from osler.analytics.readiness.gather import Ground, ground_now, learner_state, replace_rows, topics_of
from osler.analytics.readiness.model import Exam, LearnerState, assess, exam_state
from osler.analytics.readiness.tables import exam_projections
from osler.catalog.learners import LearnerSetup, setups
from osler.catalog.snapshot import ExamEntry
from osler.db.engine import WriteSession
from osler.science.exam_projection import HORIZON_DAYS, Practice, ready_in
from osler.science.exam_score import ExamState, exam_score
from osler.science.learning_rate import DEFAULT_GAMMA, DEFAULT_GAMMA_SD

VERSION = "projection-1"
DEFAULT_SECONDS_PER_ATTEMPT = 60.0
MIN_MINUTES_PER_DAY = 1.0
PATH_STEP_DAYS = 5

PACES = """
select user_id, median_active_minutes, active_days_28d, seconds_per_answer from user_learning_metrics
 where user_id = any(cast(:users as uuid[]))
"""


async def refresh(s: WriteSession, moments: Moments) -> None:
    """Replace the projections of these learners: of those who have answers and an exam to forecast."""
    if not moments.user_ids:
        return
    on = await ground_now(s)
    known = await setups(s, moments.user_ids)
    topics = await topics_of(s, moments.user_ids)
    paces = {row["user_id"]: row for row in await s.rows(sa.text(PACES), {"users": list(moments.user_ids)})}
    rows: list[dict[str, Any]] = []
    for user_id, as_of in zip(moments.user_ids, moments.as_of, strict=True):
        exam = on.catalogue.exam_or_default(known[user_id].exam_id)
        if exam is None or not exam.shares or not topics[user_id]:
            continue
        learner = learner_state(topics[user_id], exam, as_of, on)
        practice = practice_of(learner, paces.get(user_id), known[user_id])
        # In a thread: the lease of the job is renewed meanwhile.
        rows.append(await asyncio.to_thread(project, learner, exam, practice, known=known[user_id], as_of=as_of, on=on))
    await replace_rows(s, exam_projections, moments.user_ids, rows)


def practice_of(learner: LearnerState, pace: Mapping[Any, Any] | None, known: LearnerSetup) -> Practice:
    """How the learner practises: planned minutes where there is a plan, else the pace of the last 28 days.

    Minutes are per calendar day. They go where points are missing: by share of the exam times what is not mastered.
    """
    share = np.array([t.share * (1.05 - t.mastery) for t in learner.topics])
    if known.minutes_per_day:
        minutes = sum(known.minutes_per_day) / 7
    else:
        median = float(pace["median_active_minutes"] or 0) if pace else 0.0
        minutes = median * (int(pace["active_days_28d"] or 0) if pace else 0) / 28
    seconds = float(pace["seconds_per_answer"] or 0) if pace else 0.0
    return Practice(
        minutes_per_day=minutes,
        seconds_per_attempt=max(1.0, seconds) if seconds else DEFAULT_SECONDS_PER_ATTEMPT,
        attempts=np.array([float(t.n) for t in learner.topics]),
        gain=np.full(share.size, DEFAULT_GAMMA),
        gain_sd=np.full(share.size, DEFAULT_GAMMA_SD),
        allocation=share / share.sum(),
    )


def project(
    learner: LearnerState, exam: ExamEntry, practice: Practice, *, known: LearnerSetup, as_of: datetime, on: Ground
) -> dict[str, Any]:
    """The row of one learner."""
    user_id = known.user_id
    terms = Exam(max(1, exam.question_count), exam.cut, exam.cut_sd)
    assessed = assess(learner, terms, seed=user_id.int % 2**32)
    state = exam_state(learner, terms)
    score, chance = assessed.predicted_score, assessed.pass_probability
    return {
        "user_id": user_id,
        "exam_id": exam.exam_id,
        "exam_on": known.exam_on,
        "minutes_per_day": practice.minutes_per_day,
        "status": assessed.status,
        "coverage": assessed.coverage,
        "readiness_score": assessed.readiness_score and assessed.readiness_score[0],
        **dict(zip(("score", "score_low", "score_high"), score or NOTHING, strict=True)),
        **dict(zip(("pass_probability", "pass_low", "pass_high"), chance or NOTHING, strict=True)),
        **_ready(state, practice, exam, user_id.int % 2**32),
        "path": _path(state, practice, known, as_of),
        "as_of": as_of,
        "model_version": f"{VERSION}+{on.parameters.version}",
    }


NOTHING = (None, None, None)


def _ready(state: ExamState, practice: Practice, exam: ExamEntry, seed: int) -> dict[str, Any]:
    """In how many days; nothing without a pass mark or a pace."""
    names = ("days_low", "days_median", "days_high", "share_never")
    if exam.cut is None or practice.minutes_per_day < MIN_MINUTES_PER_DAY:
        return dict.fromkeys(names)
    ready = ready_in(*_by_section(state, practice, exam), exam.cut, seed=seed)
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


def _path(state: ExamState, practice: Practice, known: LearnerSetup, as_of: datetime) -> list[dict[str, Any]]:
    """Expected score with its interval every few days, up to the exam or the horizon."""
    today = known.today(as_of)
    left = known.days_to_exam(as_of)
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
        )
    )
    low, high = score.interval()
    return [
        {
            "day": (today + timedelta(days=int(day))).isoformat(),
            "expected": float(score.expected[i]),
            "low": float(low[i]),
            "high": float(high[i]),
        }
        for i, day in enumerate(days)
    ]
