"""How much does practice add, and how long until a topic is mastered?

The practice curve is eta(Δ) = eta + γ [ln(1 + n + Δ) - ln(1 + n)], Δ fresh questions after n (power law of practice;
Pavlik, Cen, Koedinger 2009 for counts in the logit). γ is fitted with learner and item held constant.
Source: power law of practice, Newell & Rosenbloom 1981.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, expm1, inf, isfinite, log, log1p

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput

DEFAULT_GAMMA = 0.25
DEFAULT_GAMMA_SD = 0.10
PACE_SD = 0.30
DRAWS = 1_000
PARENT_WEIGHT = 200.0
LONGEST_DAYS = 180.0
LONGEST_HOURS = 1_000.0
LARGEST_EXPONENT = 30.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Practice:
    """What the forecast of practice rests on: where the learner stands, how fast practice works, how fast they answer.

    Units: `eta` logits with `variance`; `seconds_per_attempt` the learner's median; `n` answers on the topic so far.
    """

    eta: float
    variance: float
    n: int
    seconds_per_attempt: float
    gamma: float = DEFAULT_GAMMA
    gamma_sd: float = DEFAULT_GAMMA_SD

    def __post_init__(self) -> None:
        numbers = (self.eta, self.variance, self.seconds_per_attempt, self.gamma, self.gamma_sd)
        if not all(isfinite(x) for x in numbers) or min(self.variance, self.gamma_sd, float(self.n)) < 0.0:
            raise InvalidModelInput("A practice forecast needs finite values and no negative spread or count.")
        if self.seconds_per_attempt <= 0.0:
            raise InvalidModelInput("Seconds per attempt must be above 0.")


@dataclass(frozen=True, slots=True)
class Span:
    """A forecast amount by its .05, .50 and .95 quantiles; None means "never" (or not within any horizon)."""

    low: float | None
    median: float | None
    high: float | None
    never_share: float


def after_practice(eta: float, n: float, extra: float, gamma: float) -> float:
    """Logits after `extra` further fresh questions on a topic with n answers so far."""
    return eta + gamma * (log1p(n + extra) - log1p(n))


def attempts_to(eta: float, target: float, n: float, gamma: float) -> float:
    """Further fresh questions until `eta` reaches `target` (both logits): 0 if it is there, inf where γ <= 0.

    >>> round(attempts_to(0.0, 0.5, 9, 0.25), 3)
    63.891
    """
    if eta >= target:
        return 0.0
    exponent = (target - eta) / gamma if gamma > 0.0 else inf
    return inf if exponent > LARGEST_EXPONENT else (1.0 + n) * expm1(exponent)


def draw_attempts(practice: Practice, target: float, *, seed: int, draws: int = DRAWS) -> tuple[Floats, Floats]:
    """(attempts needed, seconds per attempt) in each draw of level, γ and pace; inf where it never happens."""
    level, rate, speed = _noise(seed, draws)
    eta = practice.eta + np.sqrt(practice.variance) * level
    gamma = practice.gamma + practice.gamma_sd * rate
    pace = practice.seconds_per_attempt * np.exp(PACE_SD * speed)
    missing = np.maximum(target - eta, 0.0)
    exponent = np.divide(missing, gamma, out=np.full(draws, np.inf), where=gamma > 0.0)
    needed = np.where(
        exponent > LARGEST_EXPONENT, np.inf, (1.0 + practice.n) * np.expm1(np.minimum(exponent, LARGEST_EXPONENT))
    )
    return np.where(missing == 0.0, 0.0, needed), pace


@lru_cache(maxsize=4)  # a learner's topics follow each other, all under the learner's seed
def _noise(seed: int, draws: int) -> Floats:
    """Standard normal noise of level, γ and pace. Shape: (3, draws)."""
    noise = np.random.default_rng(seed).standard_normal((3, draws))
    noise.flags.writeable = False
    return noise


def quantiles(values: Floats, *, horizon: float = inf) -> Span:
    """The .05, .50 and .95 quantiles; those beyond the horizon are None."""
    ranked = np.sort(values)  # by hand: a fifth of the time of NumPy's own, and there is no page without it
    low, median, high = (float(ranked[max(0, ceil(q * ranked.size) - 1)]) for q in (0.05, 0.5, 0.95))
    never = float(np.mean(~np.isfinite(values)))

    def shown(value: float) -> float | None:
        return value if isfinite(value) and value <= horizon else None

    return Span(shown(low), shown(median), shown(high), never)


@lru_cache(maxsize=64)  # the topics that a learner has not met stand at a few places only
def hours_to(practice: Practice, target: float, *, seed: int, extra_seconds: float = 0.0) -> Span:
    """Hours of study until `eta` reaches `target` (logits); `extra_seconds` for reviews due and reading left.

    A quantile over 1,000 hours is None.
    """
    attempts, pace = draw_attempts(practice, target, seed=seed)
    return quantiles((attempts * pace + extra_seconds) / 3600.0, horizon=LONGEST_HOURS)


def days_to(
    practice: Practice, target: float, *, planned_seconds_per_day: float, seed: int, horizon_days: float = LONGEST_DAYS
) -> Span:
    """Days of the plan until `eta` reaches `target`; a quantile beyond the horizon is None: "not at this pace"."""
    if not planned_seconds_per_day > 0.0:
        raise InvalidModelInput("Planned seconds per day must be above 0; without a plan, ask for hours.")
    attempts, pace = draw_attempts(practice, target, seed=seed)
    return quantiles(attempts * pace / planned_seconds_per_day, horizon=horizon_days)


def shrunk_gamma(fitted: float, n: int, parent: float = DEFAULT_GAMMA) -> float:
    """A topic's γ pulled towards its parent's, as if the parent had 200 answers."""
    return (n * fitted + PARENT_WEIGHT * parent) / (n + PARENT_WEIGHT)


def shrunk_gammas(
    fitted: Mapping[str, tuple[float, int]], parents: Mapping[str, str | None], overall: float
) -> dict[str, float]:
    """γ of each topic, drawn to its parent's, and that to the γ of all; `fitted` are (γ, answers) by topic.

    A parent's own γ is the mean over the topics below it, weighed by answers. Units: logits per ln(1 + answers).
    """
    above: dict[str, list[tuple[float, int]]] = {}
    for topic, found in fitted.items():
        parent = parents.get(topic)
        if parent is not None:
            above.setdefault(parent, []).append(found)
    means = {
        parent: shrunk_gamma(sum(g * n for g, n in below) / sum(n for _, n in below), sum(n for _, n in below), overall)
        for parent, below in above.items()
    }
    return {
        topic: shrunk_gamma(gamma, n, means.get(parents.get(topic) or "", overall))
        for topic, (gamma, n) in fitted.items()
    }


def log_growth(n_then: npt.ArrayLike, n_now: npt.ArrayLike) -> Floats:
    """ln(1 + n_now) - ln(1 + n_then), what γ multiplies."""
    return np.log1p(np.asarray(n_now, dtype=np.float64)) - np.log1p(np.asarray(n_then, dtype=np.float64))


def target_logit(chance: float) -> float:
    """The logit of a target chance. Errors: InvalidModelInput outside (0, 1)."""
    if not 0.0 < chance < 1.0:
        raise InvalidModelInput("A target chance must lie between 0 and 1, both excluded.")
    return log(chance / (1.0 - chance))
