# SciPy ships no types.
# pyright: reportUnknownVariableType=false, reportMissingTypeStubs=false
"""What share of an exam's points is to be expected, how sure is that, and how likely is a pass? In closed form.

A learner's ability and topic skills are normal in logits; an exam draws N questions by its blueprint. The variance has
three parts: the draw of items, the topics' own uncertainty, and the ability that all topics share; a fourth where
practice until the exam is counted on, as nobody knows how fast a learner learns. The shared part dominates: treating
topics as independent gives less than half of the spread.

Source: probit-logit scaling, MacKay 1992; blueprint sampling as in generalisability theory. Golden case and a
20,000-draw simulation in tests/science/test_exam_score.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput

Floats = npt.NDArray[np.float64]

ITEM_SPREAD = 1.0
"""Spread of item easiness inside a topic in logits (start; estimate it from the items where there are enough)."""
Z_90 = 1.6448536269514722
Z_DECILE = 1.2815515655446004


def sigmoid(x: npt.ArrayLike) -> Floats:
    """1/(1+e^-x)."""
    from scipy.special import expit  # noqa: PLC0415  (SciPy is a fifth of the start, and needed by few answers)

    return np.asarray(expit(np.asarray(x, dtype=np.float64)), dtype=np.float64)


def normal_cdf(z: npt.ArrayLike) -> Floats:
    """Φ(z)."""
    from scipy.special import ndtr  # noqa: PLC0415  (as above)

    return np.asarray(ndtr(np.asarray(z, dtype=np.float64)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class ExamState:
    """Learners carried to the exam day: everything that the closed form needs of them.

    Shapes: `shares` (k,); `eta` and `topic_variance` (…, k); `ability_variance` (…). Logits and their variances.
    `practice_sd` (…, k) is how far the rise by practice that `eta` counts on may be off, in the same direction for all
    topics; None where it counts on none.
    """

    shares: Floats
    eta: Floats
    topic_variance: Floats
    ability_variance: Floats
    questions: int
    item_spread: float = ITEM_SPREAD
    practice_sd: Floats | None = None

    def __post_init__(self) -> None:
        """Refuses a blueprint that does not sum to 1, no questions, or negative variances."""
        if abs(float(self.shares.sum()) - 1.0) > 1e-6 or bool((self.shares < 0).any()):
            raise InvalidModelInput("Exam shares must be 0 to 1 and sum to 1.", code="exam.shares")
        if self.questions < 1:
            raise InvalidModelInput("An exam needs at least one question.", code="exam.questions")
        if bool((self.topic_variance < 0).any()) or bool((self.ability_variance < 0).any()):
            raise InvalidModelInput("Variances must not be negative.", code="exam.variance")


@dataclass(frozen=True, slots=True)
class ExamScore:
    """The expected share of points with the parts of its variance; shapes (…), `topic_chances` (…, k)."""

    topic_chances: Floats
    expected: Floats
    item_variance: Floats
    topic_variance: Floats
    ability_variance: Floats
    error_variance: float
    practice_variance: Floats

    @property
    def sd(self) -> Floats:
        """Standard deviation of the score."""
        known = self.item_variance + self.topic_variance + self.ability_variance + self.practice_variance
        return np.sqrt(known + self.error_variance)


def exam_score(state: ExamState, *, error_variance: float = 0.0) -> ExamScore:
    """Mean and variance of the share of points; `error_variance` is the model error of a calibrated exam."""
    chance, slope = _chances(state)
    shares = state.shares
    return ExamScore(
        topic_chances=chance,
        expected=chance @ shares,
        item_variance=(chance * (1 - chance)) @ shares / state.questions,
        topic_variance=(slope**2 * state.topic_variance) @ shares**2,
        ability_variance=(slope @ shares) ** 2 * state.ability_variance,
        error_variance=error_variance,
        practice_variance=((slope * _practice_sd(state)) @ shares) ** 2,
    )


@dataclass(frozen=True, slots=True)
class PassChance:
    """P(pass) and its interval (ability at its 10 % and 90 % point); shapes (…)."""

    value: Floats
    low: Floats
    high: Floats


def pass_chance(state: ExamState, cut: float, *, cut_sd: float = 0.0, error_variance: float = 0.0) -> PassChance:
    """Φ((E − cut)/sd): the chance to reach the cut (share of points), with its interval.

    The interval asks the same with the ability fixed at its 10 % and 90 % point, hence without its own variance.
    Errors: InvalidModelInput for a cut outside (0, 1).
    """
    if not 0 < cut < 1:
        raise InvalidModelInput("The pass mark is a share of points between 0 and 1.", code="exam.cut")
    centre = _chance(state, cut, cut_sd, error_variance)
    shift = Z_DECILE * np.sqrt(state.ability_variance)[..., None]
    known = np.zeros_like(state.ability_variance)
    ends = [
        _chance(replace(state, eta=state.eta + side * shift, ability_variance=known), cut, cut_sd, error_variance)
        for side in (-1, 1)
    ]
    return PassChance(centre, np.minimum(ends[0], centre), np.maximum(ends[1], centre))


def _chance(state: ExamState, cut: float, cut_sd: float, error_variance: float) -> Floats:
    score = exam_score(state, error_variance=error_variance)
    return normal_cdf((score.expected - cut) / np.sqrt(score.sd**2 + cut_sd**2))


@dataclass(frozen=True, slots=True)
class SectionChances:
    """Expected share of points in each section, and P(it is below the cut), None without one; shapes (s,)."""

    expected: Floats
    below_cut: Floats | None


def section_chances(state: ExamState, section: npt.NDArray[np.int64], cut: float | None) -> SectionChances:
    """Each section as an exam of its own: its shares rescaled, its questions its part of N, at least one.

    Shapes: one learner, `eta` (k,); `section` (k,) numbers each topic's section from 0. A section without a share has
    values that mean nothing.
    """
    chance, slope = _chances(state)
    weight = np.maximum(_sums(section, state.shares), 1e-12)
    inside = state.shares / weight[section]
    expected = _sums(section, inside * chance)
    if cut is None:
        return SectionChances(expected, None)
    questions = np.maximum(1, np.round(state.questions * weight))
    variance = (
        _sums(section, inside * chance * (1 - chance)) / questions
        + _sums(section, inside**2 * slope**2 * state.topic_variance)
        + _sums(section, inside * slope) ** 2 * state.ability_variance
        + _sums(section, inside * slope * _practice_sd(state)) ** 2
    )
    return SectionChances(expected, 1 - normal_cdf((expected - cut) / np.sqrt(variance)))


def _sums(section: npt.NDArray[np.int64], values: Floats) -> Floats:
    return np.asarray(np.bincount(section, values), dtype=np.float64)


def _chances(state: ExamState) -> tuple[Floats, Floats]:
    """(chance, slope) of a question of each topic, averaged over what is not known; shapes (…, k)."""
    known = state.topic_variance + state.ability_variance[..., None] + _practice_sd(state) ** 2
    spread = known + state.item_spread**2
    kappa = 1 / np.sqrt(1 + np.pi * spread / 8)
    chance = sigmoid(kappa * state.eta)
    return chance, kappa * chance * (1 - chance)


def _practice_sd(state: ExamState) -> Floats:
    return np.zeros_like(state.eta) if state.practice_sd is None else state.practice_sd


def simulate_scores(state: ExamState, draws: int, seed: int) -> Floats:
    """Simulated shares of points of one learner: what the closed form is checked and timed against.

    Shapes: `eta` (k,); returns (draws,). Each question's topic is drawn by the blueprint, its easiness by the spread.
    """
    rng = np.random.default_rng(seed)
    ability = rng.normal(0, np.sqrt(state.ability_variance), draws)
    topic = rng.normal(0, np.sqrt(state.topic_variance), (draws, state.shares.size))
    topic += rng.normal(0, 1, (draws, 1)) * _practice_sd(state)
    scores = np.empty(draws)
    for i in range(draws):
        which = rng.choice(state.shares.size, state.questions, p=state.shares)
        easiness = rng.normal(0, state.item_spread, state.questions)
        chance = sigmoid(state.eta[which] + topic[i, which] + ability[i] + easiness)
        scores[i] = (rng.random(state.questions) < chance).mean()
    return scores
