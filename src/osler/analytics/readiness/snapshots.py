"""What is kept of a forecast before its exam: the forecast as it was served, and the features, frozen.

Forecasts of an exam ahead go into `predictions` every night. At 90, 60, 30, 14 and 7 days before it, or on the first
night after, the eight features and the closed form are frozen in `exam_snapshots`: what calibration and the trained
models learn from once the result is known. Neither is ever changed: what arrives later is too late for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from osler.analytics.readiness.features import FEATURES
from osler.analytics.readiness.model import Exam, LearnerState, Readiness, coverage, exam_state
from osler.analytics.readiness.tables import exam_snapshots
from osler.catalog.classes import CLASS_OF
from osler.db.session import ReadSession, WriteSession
from osler.db.upsert import OnConflict, Upsert
from osler.forecasts import predictions
from osler.forecasts.predictions import EXAM, Prediction
from osler.science.exam_score import exam_score, pass_chance

MILESTONES = (90, 60, 30, 14, 7)

_SNAPSHOT = Upsert(
    exam_snapshots,
    (
        "user_id", "exam_id", "exam_on", "milestone", "as_of", "days_left", *FEATURES, "expected", "score_sd",
        "closed_form", "coverage", "cohort_id", "model_version",
    ),
    OnConflict.NOTHING,
)  # fmt: skip
_COHORTS = f"""
select u.user_id, c.cohort_id
  from unnest($1::uuid[]) as u(user_id) cross join lateral {CLASS_OF.format(user_id="u.user_id")} as c(cohort_id)
 where c.cohort_id is not null
"""


def milestone(days_left: int) -> int | None:
    """Which snapshot is due so many days before the exam; None more than 90 days before it, on its day and after."""
    return min((m for m in MILESTONES if days_left <= m), default=None) if days_left >= 1 else None


def about(exam_id: str, exam_on: date) -> str:
    """What a forecast of an exam is about, as `predictions` names it."""
    return f"{exam_id}/{exam_on.isoformat()}"


def frozen(learner: LearnerState, exam: Exam, features: Mapping[str, float | None]) -> tuple[float | None, ...]:
    """(features…, expected score, its sd, chance to pass, coverage): the closed form as it is, nothing learned."""
    state = exam_state(learner, exam)
    score = exam_score(state)
    chance = None if exam.cut is None else float(pass_chance(state, exam.cut, cut_sd=exam.cut_sd).value)
    values = (None if features[name] is None else float(features[name] or 0.0) for name in FEATURES)
    return (*values, float(score.expected), float(score.sd), chance, coverage(learner.topics))


def prediction(made: Readiness, exam_id: str, exam_on: date, as_of: datetime, version: str) -> Prediction | None:
    """The forecast as it is served; None where none is given."""
    chance, score = made.pass_probability, made.predicted_score
    if chance is None or score is None:
        return None
    low, high = score[1] / 100, score[2] / 100
    return Prediction(as_of, about(exam_id, exam_on), EXAM, version, chance[0], score[0] / 100, low, high)


async def cohorts_of(s: ReadSession, user_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Each learner's group, the first by name; learners without one are left out."""
    rows: Any = await s.driver().fetch(_COHORTS, list(user_ids))
    return {row["user_id"]: row["cohort_id"] for row in rows}


async def keep(
    s: WriteSession, snapshots: Sequence[tuple[Any, ...]], forecasts: Sequence[tuple[UUID, Prediction]]
) -> None:
    """Write what is not kept yet."""
    await _SNAPSHOT.write(s, snapshots)
    await predictions.WRITE.write(s, [row for user_id, made in forecasts for row in predictions.rows(user_id, [made])])
