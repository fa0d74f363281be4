"""Is the learner ready? From gathered rows to the answer; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from osler.analytics.contract import CardState, card_fields
from osler.analytics.readiness.features import as_row
from osler.analytics.readiness.gather import Ground, exam_day_instant, learner_state
from osler.analytics.readiness.model import (
    MIN_ANSWERS,
    Exam,
    LearnerState,
    Readiness,
    Triple,
    Trust,
    assess,
    exam_state,
    going_on,
    trust_in,
)
from osler.analytics.readiness.projection import practice_of
from osler.analytics.readiness.topics import columns, sums
from osler.catalog.learners import LearnerSetup
from osler.catalog.snapshot import Catalogue, ExamEntry
from osler.forecasts.exam_models import Served, first_readable
from osler.science.exam_projection import Practice, what_if

VERSION = "readiness-1"
DEFAULT_HORIZON_DAYS = 28
STATES = {
    "ok": CardState.READY,
    "provisional": CardState.READY,
    "insufficient_data": CardState.TOO_LITTLE,
    "not_available": CardState.FIRST_USE,
    "cannot_tell": CardState.TOO_LITTLE,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One learner before one exam, ready to be asked about."""

    setup: LearnerSetup
    exam: ExamEntry | None
    learner: LearnerState
    practice: Practice | None
    as_of: datetime
    served: Served | None = None
    cohort_id: str | None = None
    item_spread: float = 0.0

    @property
    def trust(self) -> Trust:
        """What past results of the exam taught."""
        return trust_in(self.served and self.served.model, self.cohort_id)

    @property
    def version(self) -> str:
        """Of the analytic, with the exam model that it serves."""
        return VERSION if self.served is None else f"{VERSION}+{self.served.version}"

    @property
    def terms(self) -> Exam:
        """What the exam asks for."""
        exam = self.exam
        if exam is None:
            return Exam(1)
        return Exam(max(1, exam.question_count), exam.cut, exam.cut_sd, self.item_spread)

    @property
    def on_exam_day(self) -> LearnerState:
        """The learner who goes on at their pace until the exam; as they are where it has no day."""
        left = self.setup.days_to_exam(self.as_of)
        return going_on(self.learner, self.practice, left) if self.practice is not None and left else self.learner


def standing(found: Mapping[str, Any], user_id: UUID, as_of: datetime, on: Ground, home: Path | None) -> Standing:
    """The learner carried to the exam day, from what `queries.readiness_of` gathers; `home` holds the model files."""
    setup = _setup(found, user_id)
    exam = on.catalogue.exam_or_default(setup.exam_id)
    if exam is None or not exam.shares:
        return Standing(setup, None, LearnerState(0.0, 0.0, ()), None, as_of)
    learner = learner_state(found["topics"], exam, exam_day_instant(setup, as_of), on)
    served = first_readable(home, [version for exam_id, version in found["exam_models"] if exam_id == exam.exam_id])
    practice = practice_of(learner, found["pace"], setup, on.parameters.rates)
    spread = on.parameters.item_spread
    return Standing(setup, exam, learner, practice, as_of, served, found["cohort_id"], spread)


def answer(found: Mapping[str, Any], where: Standing, on: Ground) -> dict[str, Any]:
    """The answer of `/exam-readiness`."""
    features: Mapping[str, Any] | None = found["features"]
    assessed = assess(
        where.on_exam_day, where.terms, trust=where.trust, seed=where.setup.user_id.int % 2**32,
        features=None if features is None else as_row(features),
    )  # fmt: skip
    exam, projection = where.exam, found["projection"]
    if projection is not None and (exam is None or projection["exam_id"] != exam.exam_id):
        projection = None  # made at night for another exam
    chance = assessed.pass_probability
    body: dict[str, Any] = {
        "status": assessed.status,
        "exam_id": exam and exam.exam_id,
        "exam_name": exam and exam.name,
        "exam_on": where.setup.exam_on,
        "days_left": where.setup.days_to_exam(where.as_of),
        "cut": exam and exam.cut,
        "readiness_score": likely(assessed.readiness_score),
        "predicted_score": likely(assessed.predicted_score),
        "pass_probability": likely(chance),
        # A bare percent is given only once forecasts have been held against results.
        "exam_ready_probability": chance and chance[0] if assessed.calibration != "uncalibrated" else None,
        "source": assessed.source,
        "calibration": assessed.calibration,
        "model_report": _model_report(where.served),
        "coverage": assessed.coverage,
        "sections": _sections(assessed, where.learner, on.catalogue),
        # Where the score cannot be told, neither can the day on which it is reached.
        "days_until_ready": _ready_in(projection if assessed.predicted_score is not None else None, where),
        "projection": [] if projection is None or assessed.predicted_score is None else projection["path"],
        "features": features or {},
        "findings": [finding.as_dict() for finding in assessed.findings],
    }
    return {**_card(assessed, body, where), **body}


def what_if_answer(
    where: Standing, *, minutes: float | None, exam_on: date | None, topic_ids: list[str] | None
) -> dict[str, Any]:
    """The answer of `/exam-readiness/what-if`: both plans on the same draws."""
    practice = where.practice
    assessed = assess(where.learner, where.terms, trust=where.trust, seed=0)
    if practice is None or where.exam is None or assessed.predicted_score is None:
        return _cannot_ask(assessed, where)
    then = replace(
        practice,
        minutes_per_day=practice.minutes_per_day if minutes is None else minutes,
        allocation=_allocation(where.learner, practice, topic_ids),
    )
    left = where.setup.days_to_exam(where.as_of)
    days_now = DEFAULT_HORIZON_DAYS if left is None else left
    days_then = days_now if exam_on is None else max(0, (exam_on - where.setup.today(where.as_of)).days)
    cut = where.exam.cut
    seed = where.setup.user_id.int % 2**32
    state = exam_state(where.learner, where.terms)
    made = what_if(state, practice, then, days_now=days_now, days_then=days_then, cut=cut, seed=seed)
    gain = _percent(made.score_gain)
    text = f"{gain[0]:+.1f} points by the exam day ({gain[1]:+.1f} to {gain[2]:+.1f}); a model estimate."
    return {
        **card_fields(
            CardState.READY, ("readiness.what_if", text), n=assessed.n, as_of=where.as_of, model_version=where.version,
            interval=(gain[1], gain[2]), params={"gain": gain[0], "days": days_then},
        ),
        "label": "model estimate",
        "score_now": likely(_percent(made.score_now)),
        "score_then": likely(_percent(made.score_then)),
        "score_gain": likely(gain),
        "pass_gain": likely(made.pass_gain),
    }  # fmt: skip


def _cannot_ask(assessed: Readiness, where: Standing) -> dict[str, Any]:
    finding = assessed.findings[0]
    nothing = dict.fromkeys(("score_now", "score_then", "score_gain", "pass_gain"), likely(None))
    said = (finding.code, finding.text)
    card = card_fields(STATES[assessed.status], said, n=assessed.n, as_of=where.as_of, model_version=where.version)
    return {**card, "label": "model estimate", **nothing}


def likely(triple: Triple | None) -> dict[str, Any]:
    """A value with its range; nulls for what is not known."""
    if triple is None:
        return {"value": None, "interval": None}
    return {"value": triple[0], "interval": {"low": triple[1], "high": triple[2], "level": 0.9}}


def _percent(triple: Triple) -> Triple:
    return 100 * triple[0], 100 * triple[1], 100 * triple[2]


def _setup(found: Mapping[str, Any], user_id: UUID) -> LearnerSetup:
    given: Mapping[str, Any] = found["setup"] or {}
    minutes = given.get("minutes_per_day")
    return LearnerSetup(
        user_id=user_id,
        time_zone=found["time_zone"],
        day_start_minutes=found["day_start_minutes"] if found["day_start_minutes"] is not None else 240,
        exam_id=given.get("exam_id"),
        exam_on=date.fromisoformat(given["exam_on"]) if given.get("exam_on") else None,
        minutes_per_day=tuple(minutes) if minutes else None,
        goal_score=given.get("goal_score"),
    )


def _allocation(learner: LearnerState, practice: Practice, topic_ids: list[str] | None) -> Any:
    """Where the minutes go: to the named topics by their share, else as before."""
    if not topic_ids:
        return practice.allocation
    asked = columns(learner.topics).asked
    chosen = np.where([topic in topic_ids for topic in asked.topic_ids], asked.share, 0.0)
    return practice.allocation if chosen.sum() <= 0 else chosen / chosen.sum()


def _sections(assessed: Readiness, learner: LearnerState, known: Catalogue) -> list[dict[str, Any]]:
    topics = columns(learner.topics)
    share = np.where(topics.n >= MIN_ANSWERS, topics.asked.share, 0.0)
    covered = dict(
        zip(topics.asked.sections, sums(topics.asked.section, share, len(topics.asked.sections)).tolist(), strict=True)
    )
    return [
        {
            "section": one.name, "name": known.name_of(one.name), "weight": one.share, "expected": one.expected,
            "coverage": min(1.0, covered[one.name] / one.share), "below_cut": one.below_cut,
            "is_weak": one.is_weak, "n": one.n, "points_to_gain": one.points_to_gain,
        }
        for one in assessed.sections
    ]  # fmt: skip


def _ready_in(projection: Mapping[str, Any] | None, where: Standing) -> dict[str, Any]:
    if projection is None:
        return dict.fromkeys(("median", "low", "high", "share_never", "minutes_per_day", "is_before_exam"))
    left, median = where.setup.days_to_exam(where.as_of), projection["days_median"]
    return {
        "median": median,
        "low": projection["days_low"],
        "high": projection["days_high"],
        "share_never": projection["share_never"],
        "minutes_per_day": projection["minutes_per_day"],
        "is_before_exam": None if left is None else median is not None and median <= left,
    }


def _model_report(served: Served | None) -> dict[str, Any]:
    """What is known of the worth of these forecasts, in words and figures."""
    if served is None:
        return {
            "version": None, "outcomes": 0, "scores": 0, "forecasts": 0, "held": 0, "trained_until": None,
            "source": "closed_form", "says": "No forecast of this exam has been held against results yet.", "brier": {},
        }  # fmt: skip
    model = served.model
    return {
        "version": served.version,
        "outcomes": model.outcomes,
        "scores": model.scores,
        "forecasts": model.forecasts,
        "held": model.held,
        "trained_until": model.trained_until,
        "source": model.source,
        "says": model.says,
        "brier": model.brier,
    }


def _card(assessed: Readiness, body: Mapping[str, Any], where: Standing) -> dict[str, object]:
    state = STATES[assessed.status]
    shared: dict[str, Any] = {"n": assessed.n, "as_of": where.as_of, "model_version": where.version}
    score = assessed.predicted_score
    if score is None:
        if assessed.n == 0 and where.exam is not None:
            state = CardState.FIRST_USE
        finding = assessed.findings[0]
        return card_fields(state, (finding.code, finding.text), params=dict(finding.params), **shared)
    worst = body["sections"][0]["name"] if body["sections"] else None
    text = f"{score[0]:.0f} %, likely {score[1]:.0f} to {score[2]:.0f}."
    if body["cut"] is not None:
        text += f" Pass line {100 * body['cut']:.0f}."
    if worst is not None:
        text += f" Most points are lost in {worst}."
    params: dict[str, Any] = {
        "score": score[0],
        "low": score[1],
        "high": score[2],
        "cut": body["cut"],
        "section": worst,
    }
    return card_fields(state, ("readiness.summary", text), interval=(score[1], score[2]), params=params, **shared)
