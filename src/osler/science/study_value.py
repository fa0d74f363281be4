"""How many exam points is the next hour of study on each topic expected to bring, and how sure is that?

Sources: those of `learning_rate` and `exam_score`; ranking by a lower quantile is this project's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput
from osler.science.learning_rate import PACE_SD, Practice
from osler.science.logits import PROBIT

ITEM_SPREAD = 1.0
DRAWS = 1_000
LOWER_QUARTER = 0.25

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A topic that an hour could go to. `exam_share` is its share of the exam, 0 to 1.

    `practice` says where the learner stands; `review_points` are exam points that its due reviews would save in that
    hour, `review_seconds` what they cost; `dependents` maps a topic that stands on this one to the edge's strength.
    """

    topic: str
    exam_share: float
    practice: Practice
    review_points: float = 0.0
    review_seconds: float = 0.0
    dependents: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class HourValue:
    """Exam points (of 100) from one hour on a topic: mean, 90 % interval, and the quarter quantile that ranks."""

    topic: str
    mean: float
    low: float
    high: float
    lower_quarter: float


def hour_values(candidates: Sequence[Candidate], *, seed: int, draws: int = DRAWS) -> list[HourValue]:
    """What an hour on each topic is worth, best first: by the quarter quantile, ties by the larger exam share.

    One hour = the reviews that are due, then fresh questions at the learner's pace, through the practice curve; plus
    the same hour's marginal on direct dependents times the strength of the edge. A counterfactual of the model: its
    gains are not shown by any trial.
    Errors: InvalidModelInput for an exam share outside [0, 1].
    """
    own: dict[str, Floats] = {}
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal(draws)
    for candidate in sorted(candidates, key=lambda c: c.topic):
        if not 0.0 <= candidate.exam_share <= 1.0:
            raise InvalidModelInput("An exam share must lie between 0 and 1.", params={"topic": candidate.topic})
        own[candidate.topic] = _points(candidate, rng.standard_normal((2, draws)), shared)
    values = [_summary(candidate, own) for candidate in candidates]
    shares = {candidate.topic: candidate.exam_share for candidate in candidates}
    return sorted(values, key=lambda v: (-v.lower_quarter, -shares[v.topic], v.topic))


def _points(candidate: Candidate, noise: Floats, pace_noise: Floats) -> Floats:
    """Exam points from one hour in each draw; pace is the learner's, so its noise is shared by all topics."""
    practice = candidate.practice
    eta = practice.eta + sqrt(practice.variance) * noise[0]
    gamma = np.maximum(0.0, practice.gamma + practice.gamma_sd * noise[1])
    seconds = practice.seconds_per_attempt * np.exp(PACE_SD * pace_noise)
    extra = max(0.0, 3600.0 - candidate.review_seconds) / seconds
    scale = 1.0 / sqrt(1.0 + PROBIT * ITEM_SPREAD**2)
    later = eta + gamma * (np.log1p(practice.n + extra) - np.log1p(float(practice.n)))
    gain = 1.0 / (1.0 + np.exp(-scale * later)) - 1.0 / (1.0 + np.exp(-scale * eta))
    return np.asarray(100.0 * candidate.exam_share * gain + candidate.review_points, dtype=np.float64)


def _summary(candidate: Candidate, own: Mapping[str, Floats]) -> HourValue:
    points = own[candidate.topic]
    for dependent, strength in (candidate.dependents or {}).items():
        if dependent in own:
            points = points + strength * own[dependent]
    low, quarter, high = (float(q) for q in np.quantile(points, [0.05, LOWER_QUARTER, 0.95]))
    return HourValue(candidate.topic, float(points.mean()), low, high, quarter)
