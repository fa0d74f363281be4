"""How does a learner stand among those like them, and what is hard for a class? Only through the gate of disclosure.

Compared are learners of the same exam and curriculum with like time to it, on mastery (question difficulty taken out),
never on raw accuracy; the learner is not in the group that they are compared with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osler.science.beta_binomial import Difficulty, difficulty, fit_prior
from osler.science.disclosure import DEFAULT_MINIMUM, Gate, Published, publish_mean, round_count
from osler.science.exam_score import normal_cdf
from osler.science.insights_math import benjamini_hochberg
from osler.science.survival import Survival, kaplan_meier

Floats = npt.NDArray[np.float64]

WEEKS_APART = 4.0
ACTIVE_DAYS = 28
MIN_FIRST_ATTEMPTS = 50
MIN_FOR_BAND = 20
MIN_TOP = 20
STRUGGLE = 0.60
RESTRICTED_HOURS = 100.0
BAND_EDGES = (0.0, 0.10, 0.25, 0.50, 0.75, 0.90, 1.0)


@dataclass(frozen=True, slots=True)
class Peer:
    """A learner as the comparison sees them; `score` = Σ w_k M_k with its bounds, 0 to 1."""

    user_id: str
    exam_id: str
    curriculum: str
    weeks_to_exam: float
    days_since_active: int
    first_attempts: int
    score: float
    score_low: float
    score_high: float


@dataclass(frozen=True, slots=True)
class Band:
    """A percentile band from `low` to `high` (shares of the group) among about `n` learners."""

    low: float
    high: float
    n: int


def comparison_group(me: Peer, others: Sequence[Peer]) -> list[Peer]:
    """Those like the learner: exam and curriculum, weeks to exam within ± 4, active in 28 days, ≥ 50 first attempts."""
    return [
        peer
        for peer in others
        if peer.user_id != me.user_id
        and (peer.exam_id, peer.curriculum) == (me.exam_id, me.curriculum)
        and abs(peer.weeks_to_exam - me.weeks_to_exam) <= WEEKS_APART
        and peer.days_since_active <= ACTIVE_DAYS
        and peer.first_attempts >= MIN_FIRST_ATTEMPTS
    ]


def percentile(score: float, group: Sequence[float]) -> float:
    """(below + ½ ties)/n, 0 to 1.

    >>> percentile(0.5, [0.4, 0.5, 0.5, 0.6])
    0.5
    """
    below = sum(other < score for other in group)
    ties = sum(other == score for other in group)
    return (below + ties / 2) / len(group)


def percentile_band(me: Peer, group: Sequence[Peer], *, minimum: int = DEFAULT_MINIMUM) -> Band | None:
    """The band of the learner's percentile, as wide as their own bounds reach; None under 20 learners (or more).

    The bands are bottom 10, 10–25, 25–50, 50–75, 75–90, top 10 %; n is rounded to 5.
    """
    if len(group) < max(MIN_FOR_BAND, minimum):
        return None
    scores = [peer.score for peer in group]
    low, high = percentile(me.score_low, scores), percentile(me.score_high, scores)
    edges = BAND_EDGES
    start = max(edge for edge in edges[:-1] if edge <= low)
    end = min(edge for edge in edges[1:] if edge >= high)
    return Band(start, max(end, min(edge for edge in edges[1:] if edge > start)), round_count(len(group)))


@dataclass(frozen=True, slots=True)
class Struggle:
    """How many struggle with a topic, as published; `rank_by` is the unpublished lower bound that orders the list."""

    share: Published
    rank_by: float


def struggling(gate: Gate, topic_id: str, below: Mapping[str, float], *, seed: int) -> Struggle:
    """Mean over learners of P(M < .60), each from their own posterior (n ≥ 5 on the topic), through the gate."""
    published = publish_mean(gate, below, f"struggle:{topic_id}")
    values = np.array([below[name] for name in sorted(below)])
    if published.value is None:
        return Struggle(published, 0.0)
    drawn = values[np.random.default_rng(seed).integers(0, values.size, (500, values.size))].mean(axis=1)
    return Struggle(published, float(np.quantile(drawn, 0.05)))


def probability_below(eta: Floats, variance: Floats, guess: float = 0.0, bar: float = STRUGGLE) -> Floats:
    """P(M < bar) of learners whose topic logit is N(eta, variance): the guess-corrected bar taken back to a logit."""
    raw = bar * (1 - guess) + guess
    return normal_cdf((np.log(raw / (1 - raw)) - eta) / np.sqrt(variance))


def time_to_mastery(gate: Gate, hours: Mapping[str, float], mastered: Mapping[str, bool]) -> Survival | None:
    """Kaplan–Meier over active hours from first attempt to mastered; those not there yet are censored, not left out.

    None under the minimum, and where fewer than 5 have mastered it (a step of the curve would be a person).
    """
    names = sorted(hours)
    if len(names) < gate.minimum or sum(mastered[name] for name in names) < 5:
        return None
    return kaplan_meier(
        [hours[name] for name in names], [mastered[name] for name in names], restricted_to=RESTRICTED_HOURS
    )


def publish_hours(survival: Survival | None) -> tuple[int | None, int | None]:
    """(median, restricted mean) in whole hours rounded to 5 from 20 h on; None where the curve stays above .5."""

    def rounded(hours: float | None) -> int | None:
        return None if hours is None else round(hours) if hours < 20 else round_count(round(hours))

    return (None, None) if survival is None else (rounded(survival.median), rounded(survival.restricted_mean))


@dataclass(frozen=True, slots=True)
class Strategy:
    """A habit in which top performers differ: medians of both groups, difference with 90 % interval."""

    habit: str
    top: float
    rest: float
    difference: float
    low: float
    high: float


def top_strategies(
    gain: Floats, start: Floats, habits: Mapping[str, Floats], *, seed: int, q: float = 0.05
) -> list[Strategy]:
    """Habits whose medians differ between the top quarter by gain and the rest, from a like start.

    Shapes: (n,) arrays over learners; NaN where a habit is unknown. Gain is taken within thirds of the start, so that
    weak starters do not fill the top. At least 20 learners in each group for each habit; bootstrap by learner; those
    that pass Benjamini–Hochberg, the largest first. An association, never advice by itself.
    """
    top = _top_quarter(gain, start)
    found: list[tuple[float, Strategy]] = []
    for name in sorted(habits):
        values = habits[name]
        one, other = values[top & np.isfinite(values)], values[~top & np.isfinite(values)]
        if min(one.size, other.size) < MIN_TOP:
            continue
        rng = np.random.default_rng(seed)
        drawn = np.median(one[rng.integers(0, one.size, (1000, one.size))], axis=1) - np.median(
            other[rng.integers(0, other.size, (1000, other.size))], axis=1
        )
        tail = min(float((drawn <= 0).mean()), float((drawn >= 0).mean()))
        low, high = np.quantile(drawn, [0.05, 0.95])
        medians = float(np.median(one)), float(np.median(other))
        row = Strategy(name, medians[0], medians[1], medians[0] - medians[1], float(low), float(high))
        found.append((min(1.0, 2 * tail + 1e-3), row))
    passed = benjamini_hochberg([p for p, _ in found], q)
    kept = [row for (_, row), ok in zip(found, passed, strict=True) if ok]
    return sorted(kept, key=lambda row: (-abs(row.difference), row.habit))


def _top_quarter(gain: Floats, start: Floats) -> npt.NDArray[np.bool_]:
    top = np.zeros(gain.size, dtype=bool)
    for part in np.array_split(np.argsort(start, kind="stable"), 3):
        ranked = part[np.argsort(-gain[part], kind="stable")]
        top[ranked[: round(part.size / 4)]] = True
    return top


def misalignment(minutes: Mapping[str, float], shares: Mapping[str, float]) -> float | None:
    """Total variation distance of study minutes by section from the exam's shares, 0 to 1; None without minutes.

    >>> misalignment({"renal": 30, "heart": 10}, {"renal": 0.5, "heart": 0.5})
    0.25
    """
    total = sum(minutes.values())
    if total <= 0:
        return None
    return sum(abs(minutes.get(s, 0.0) / total - shares.get(s, 0.0)) for s in {*minutes, *shares}) / 2


@dataclass(frozen=True, slots=True)
class Change:
    """How a class moved between two weeks: each cohort's own change, their mean by size, and the pooled one.

    The page shows the cohorts. `reversed` says that the pooled mean moved against every cohort (Simpson's paradox):
    only because the mix of cohorts changed.
    """

    by_cohort: Mapping[str, float]
    within: float | None
    pooled: float | None
    reversed: bool


def change(before: Mapping[str, Sequence[float]], after: Mapping[str, Sequence[float]]) -> Change:
    """Change of mean mastery by cohort from one week to another; cohorts of one week only have none of their own."""
    both = [name for name in sorted(before) if before[name] and after.get(name)]
    by_cohort = {name: float(np.mean(after[name]) - np.mean(before[name])) for name in both}
    sizes = np.array([len(after[name]) for name in both], dtype=np.float64)
    within = float(np.array(list(by_cohort.values())) @ sizes / sizes.sum()) if both else None
    earlier = [value for values in before.values() for value in values]
    later = [value for values in after.values() for value in values]
    pooled = float(np.mean(later) - np.mean(earlier)) if earlier and later else None
    signs = {value > 0 for value in by_cohort.values()}
    turned = pooled is not None and len(signs) == 1 and (pooled > 0) not in signs and pooled != 0
    return Change(by_cohort, within, pooled, turned)


def topic_difficulty(
    gate: Gate, learner_means: Mapping[str, Mapping[str, float]], *, seed: int
) -> dict[str, tuple[Published, Difficulty | None]]:
    """Topic → (published, own figures): 1 − the shrunk share right of first attempts, each learner once.

    `learner_means` is topic → learner → own share right. The second value holds the interval and must stay inside;
    the first is what may leave. The prior is fitted over the topics that may be published.
    """
    allowed = [name for name in sorted(learner_means) if len(learner_means[name]) >= gate.minimum]
    means = [float(np.mean(list(learner_means[name].values()))) for name in allowed]
    prior = fit_prior(means, [len(learner_means[name]) for name in allowed])
    found: dict[str, tuple[Published, Difficulty | None]] = {}
    for name in sorted(learner_means):
        values = learner_means[name]
        own = difficulty([values[learner] for learner in sorted(values)], prior, seed=seed) if name in allowed else None
        wrong = {learner: 1 - value for learner, value in values.items()}
        found[name] = publish_mean(gate, wrong, f"difficulty:{name}"), own
    return found
