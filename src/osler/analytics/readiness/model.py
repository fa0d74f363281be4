"""Is the learner ready for the exam: score, chance to pass, coverage, weak sections, and may that be said at all?

The mathematics of the score is `osler.science.exam_score`; here it is composed for one learner and one blueprint, and
put under the rules of honesty: no pass mark, no chance; too little seen, no forecast; not yet calibrated, said so;
forecasts that did not beat the base rate on real outcomes, "can't tell".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from osler.analytics.readiness.topics import Floats, TopicState, columns, sums
from osler.domain.finding import Finding
from osler.science import exam_trained
from osler.science.calibration import Calibration, shifted
from osler.science.exam_learned import ExamModel, around
from osler.science.exam_projection import Practice, rise_by_practice
from osler.science.exam_score import (
    ITEM_SPREAD,
    Z_90,
    ExamState,
    exam_score,
    pass_chance,
    section_chances,
    sigmoid,
)
from osler.science.exam_trained import TrainedExam

MASTERED = 0.80
MASTERED_LOW = 0.70
WEAK_HIGH = 0.60
MIN_ANSWERS = 5
MIN_SECTION_ANSWERS = 10
WEAK_SECTION = 0.80
MIN_COVERAGE = 0.30
DRAWS = 200

Status = Literal["ok", "provisional", "insufficient_data", "not_available", "cannot_tell"]
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class LearnerState:
    """A learner before an exam: ability in logits with its variance, and the blueprint's topics.

    `rise` (k,) is what practice until the exam is expected to add to each topic's logit, `rise_sd` how far off that
    may be for all of them together; None where none is counted on.
    """

    ability: float
    ability_variance: float
    topics: Sequence[TopicState]
    rise: Floats | None = None
    rise_sd: Floats | None = None


@dataclass(frozen=True, slots=True)
class Exam:
    """What the exam asks for: scored questions, the pass mark as a share of points (None: not set) and its sd.

    `item_spread` is that of the questions' easiness which the learners' states are without, in logits.
    """

    questions: int
    cut: float | None = None
    cut_sd: float = 0.0
    item_spread: float = ITEM_SPREAD


UNCALIBRATED = Calibration("uncalibrated", 0)


@dataclass(frozen=True, slots=True)
class Trust:
    """What past outcomes taught: recalibration of P, shift, width and model error of the score, and whether it wins.

    `beats_base_rate` None: not yet known; False: forecasts scored no better than the base rate, so none is given.
    `trained` is there only where it won.
    """

    calibration: Calibration = UNCALIBRATED
    interval_factor: float = Z_90
    error_variance: float = 0.0
    beats_base_rate: bool | None = None
    trained: TrainedExam | None = None
    score_shift: float = 0.0


def trust_in(model: ExamModel | None, cohort_id: str | None) -> Trust:
    """What the model of an exam says for a learner of a cohort; nothing was learned where there is none."""
    if model is None:
        return NO_OUTCOMES
    beats = model.beats_base_rate if model.trained is None else True
    factor = model.factor(cohort_id)
    return Trust(model.calibration, factor, model.error_variance, beats, model.trained, model.score_shift)


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the blueprint: its share, expected score, P(score below the pass mark), answers, and flag."""

    name: str
    share: float
    expected: float
    below_cut: float | None
    n: int
    is_weak: bool
    points_to_gain: float


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer; triples are (value, low, high) at 90 %, scores 0 to 100, probabilities 0 to 1; None is unknown.

    `source` is closed_form, or the kind of the trained model that beat it.
    """

    status: Status
    readiness_score: Triple | None
    predicted_score: Triple | None
    pass_probability: Triple | None
    calibration: str
    coverage: float
    n: int
    sections: tuple[Section, ...]
    findings: tuple[Finding, ...]
    source: str = "closed_form"


def coverage(topics: Sequence[TopicState]) -> float:
    """Share of the blueprint on topics with at least 5 answers, 0 to 1."""
    known = columns(topics)
    return min(1.0, float(known.asked.share[known.n >= MIN_ANSWERS].sum()))


def going_on(learner: LearnerState, practice: Practice, days: float) -> LearnerState:
    """The learner who practises at this pace for so many days more, as far as the exam's forecast sees them.

    What is mastered today is not touched by it.
    """
    rise = rise_by_practice(practice, days)
    return replace(learner, rise=practice.gain * rise, rise_sd=practice.gain_sd * rise)


def exam_state(learner: LearnerState, exam: Exam) -> ExamState:
    """The learner as the closed form of the exam takes it."""
    topics = columns(learner.topics)
    eta = topics.easiness + learner.ability + topics.skill
    return ExamState(
        shares=topics.asked.share,
        eta=eta if learner.rise is None else eta + learner.rise,
        topic_variance=topics.variance,
        ability_variance=np.asarray(learner.ability_variance, dtype=np.float64),
        questions=exam.questions,
        item_spread=exam.item_spread,
        practice_sd=learner.rise_sd,
    )


def readiness_score(learner: LearnerState, seed: int) -> Triple:
    """100 Σ w_k min(1, M_k/.80): how much of what is asked is mastered; needs no pass mark.

    The interval is that of seeded draws of ability (shared by all topics) and skills, widened to hold the estimate.
    """
    topics = columns(learner.topics)
    shares, guess = topics.asked.share, topics.guess
    value = float(100 * shares @ np.minimum(1, topics.mastery / MASTERED))
    rng = np.random.default_rng(seed)
    eta = topics.easiness + learner.ability + topics.skill
    ability = rng.standard_normal((DRAWS, 1)) * np.sqrt(learner.ability_variance)
    drawn = rng.standard_normal((DRAWS, len(topics)))  # the largest array of the page: worked on in place
    drawn *= np.sqrt(topics.variance)
    drawn += eta + ability
    mastery = sigmoid(drawn)
    mastery -= guess
    mastery /= 1 - guess
    np.clip(mastery, 0, MASTERED, out=mastery)
    low, high = np.quantile(mastery @ shares, [0.05, 0.95]) * (100 / MASTERED)
    return value, min(value, float(low)), max(value, float(high))


def sections(learner: LearnerState, exam: Exam) -> tuple[Section, ...]:
    """Each section's expected score and whether it is weak: P(score < pass mark) ≥ .80 on at least 10 answers."""
    topics, state = columns(learner.topics), exam_state(learner, exam)
    names, members = topics.asked.sections, topics.asked.section
    share = sums(members, topics.asked.share, len(names))
    n = sums(members, topics.n, len(names))
    made = section_chances(state, members, exam.cut)
    found: list[Section] = []
    for i, name in enumerate(names):
        if share[i] <= 0:
            continue
        below = None if made.below_cut is None else float(made.below_cut[i])
        weak = below is not None and below >= WEAK_SECTION and int(n[i]) >= MIN_SECTION_ANSWERS
        expected, weight = float(made.expected[i]), float(share[i])
        found.append(Section(name, weight, expected, below, int(n[i]), weak, 100 * weight * (1 - expected)))
    return tuple(sorted(found, key=lambda s: (-s.points_to_gain, s.name)))


def _silence(status: Status, finding: Finding, covered: float, n: int, calibration: str) -> Readiness:
    return Readiness(status, None, None, None, calibration, covered, n, (), (finding,))


def _refusal(learner: LearnerState, trust: Trust, covered: float) -> tuple[Status, Finding] | None:
    """Why no forecast may be given, in words; None when one may."""
    if not learner.topics:
        return "not_available", Finding(
            "readiness.no_blueprint", {}, "No exam blueprint is set, so there is nothing to be ready for."
        )
    if trust.beats_base_rate is False:
        text = "We can't tell: on past results these forecasts were no better than the pass rate alone."
        return "cannot_tell", Finding("readiness.cannot_tell", {"outcomes": trust.calibration.n}, text)
    if covered < MIN_COVERAGE:
        text = (
            f"Too early to tell: {100 * covered:.0f} % of the exam has been practised, "
            f"a forecast needs {100 * MIN_COVERAGE:.0f} %."
        )
        params = {"coverage": round(covered, 4), "needed": MIN_COVERAGE}
        return "insufficient_data", Finding("readiness.too_little_covered", params, text)
    return None


NO_OUTCOMES = Trust()


@dataclass(frozen=True, slots=True)
class Forecast:
    """Score and chance to pass as they are served, as shares, and where they come from."""

    score: Triple
    chance: Triple | None
    source: str


def forecast(learner: LearnerState, exam: Exam, trust: Trust = NO_OUTCOMES, features: Floats | None = None) -> Forecast:
    """The closed form, recalibrated; or the trained model where one won and the learner's features are known.

    How far a trained model's forecasts reach is taken from the closed form: it cannot say that of itself.
    """
    state = exam_state(learner, exam)
    score = exam_score(state, error_variance=trust.error_variance)
    centre = float(shifted(score.expected, trust.score_shift))
    half, chance, source = trust.interval_factor * float(score.sd), None, "closed_form"
    if exam.cut is not None:
        raw = pass_chance(state, exam.cut, cut_sd=exam.cut_sd, error_variance=trust.error_variance)
        mapped = trust.calibration.apply(np.array([float(raw.value), float(raw.low), float(raw.high)]))
        chance = float(mapped[0]), float(mapped[1]), float(mapped[2])
        if trust.trained is not None and features is not None:
            closed = pass_chance(state, exam.cut, cut_sd=exam.cut_sd).value.reshape(1)  # as in training
            value = float(exam_trained.probability(trust.trained, features[None, :], closed)[0])
            known = exam_trained.predicted_score(trust.trained, features[None, :], closed)
            centre = centre if known is None else float(known[0])
            chance, source = (value, *around(value, *chance)), trust.trained.kind
    return Forecast((centre, max(0.0, centre - half), min(1.0, centre + half)), chance, source)


def assess(
    learner: LearnerState,
    exam: Exam,
    *,
    trust: Trust = NO_OUTCOMES,
    seed: int = 0,
    features: Floats | None = None,
) -> Readiness:
    """How ready the learner is, or why that cannot be said. `features` are the brief's eight (8,), where known."""
    covered, n = coverage(learner.topics), int(columns(learner.topics).n.sum())
    label = trust.calibration.kind
    refused = _refusal(learner, trust, covered)
    if refused is not None:
        return _silence(refused[0], refused[1], covered, n, label)
    made = forecast(learner, exam, trust, features)
    return Readiness(
        status="provisional" if label == "uncalibrated" else "ok",
        readiness_score=readiness_score(learner, seed),
        predicted_score=(100 * made.score[0], 100 * made.score[1], 100 * made.score[2]),
        pass_probability=made.chance,
        calibration=label,
        coverage=covered,
        n=n,
        sections=sections(learner, exam),
        findings=_caveats(exam, trust),
        source=made.source,
    )


def _caveats(exam: Exam, trust: Trust) -> tuple[Finding, ...]:
    """What has to be said beside a forecast."""
    found: list[Finding] = []
    if exam.cut is None:
        found.append(Finding("readiness.no_cut", {}, "No pass mark is set, so no chance to pass is given."))
    if trust.calibration.kind == "uncalibrated":
        text = "This forecast has not been checked against enough exam results yet; read the range, not the number."
        found.append(Finding("readiness.uncalibrated", {"outcomes": trust.calibration.n}, text))
    return tuple(found)
