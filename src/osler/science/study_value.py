"""How many exam points is the next hour of study on each topic expected to bring, and how sure is that?

Sources: those of `learning_rate` and `exam_score`; ranking by a lower quantile is this project's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    for candidate in candidates:
        if not 0.0 <= candidate.exam_share <= 1.0:
            raise InvalidModelInput("An exam share must lie between 0 and 1.", params={"topic": candidate.topic})
    if not candidates:
        return []
    # Rows in the order of names, so that each topic has the same noise in whatever order they come.
    rows = {candidate.topic: candidate for candidate in sorted(candidates, key=lambda c: c.topic)}
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal(draws)
    own = _points([*rows.values()], rng.standard_normal((len(rows), 2, draws)), shared)
    values = _summaries(rows, own)
    return sorted(values, key=lambda v: (-v.lower_quarter, -rows[v.topic].exam_share, v.topic))


def _points(candidates: Sequence[Candidate], noise: Floats, pace_noise: Floats) -> Floats:
    """Exam points from one hour in each draw; pace is the learner's, so its noise is shared by all topics.

    Shapes: noise (k, 2, draws), pace_noise (draws,), answer (k, draws).
    """
    practices = [candidate.practice for candidate in candidates]
    eta = _column(p.eta for p in practices) + _column(sqrt(p.variance) for p in practices) * noise[:, 0]
    gamma = np.maximum(0.0, _column(p.gamma for p in practices) + _column(p.gamma_sd for p in practices) * noise[:, 1])
    growth = np.empty_like(eta)
    known: dict[tuple[float, float, int], Floats] = {}  # most topics of a learner have no answers and nothing due
    for row, candidate in enumerate(candidates):
        practice = candidate.practice
        key = practice.seconds_per_attempt, candidate.review_seconds, practice.n
        if key not in known:
            extra = max(0.0, 3600.0 - key[1]) / (key[0] * np.exp(PACE_SD * pace_noise))
            known[key] = np.log1p(practice.n + extra) - np.log1p(float(practice.n))
        growth[row] = known[key]
    scale = 1.0 / sqrt(1.0 + PROBIT * ITEM_SPREAD**2)
    gain = 1.0 / (1.0 + np.exp(-scale * (eta + gamma * growth))) - 1.0 / (1.0 + np.exp(-scale * eta))
    return _column(100.0 * c.exam_share for c in candidates) * gain + _column(c.review_points for c in candidates)


def _summaries(rows: Mapping[str, Candidate], own: Floats) -> list[HourValue]:
    place = {topic: row for row, topic in enumerate(rows)}
    points = own.copy()
    for topic, candidate in rows.items():
        for dependent, strength in (candidate.dependents or {}).items():
            if dependent in place:
                points[place[topic]] += strength * own[place[dependent]]
    means: list[float] = points.mean(axis=1).tolist()
    points.sort(axis=1)  # a fifth of the time that NumPy's quantiles take to find their places in disorder
    low, quarter, high = np.quantile(points, [0.05, LOWER_QUARTER, 0.95], axis=1, overwrite_input=True).tolist()
    return [HourValue(*each) for each in zip(rows, means, low, high, quarter, strict=True)]


def _column(values: Iterable[float]) -> Floats:
    return np.array([*values], dtype=np.float64)[:, None]
