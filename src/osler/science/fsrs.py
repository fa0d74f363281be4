"""How well is an item remembered now, and when does it fall to the wanted retention? FSRS-6, one item at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from osler.errors import InvalidModelInput

STABILITY_MIN = 0.001
STABILITY_MAX = 36_500.0
INTERVAL_MAX = 36_500

DEFAULTS = (
    0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666, 0.796,
    1.4835, 0.0614, 0.2629, 1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542,
)  # fmt: skip
LOWER = (
    0.001, 0.001, 0.001, 0.001, 1.0, 0.001, 0.001, 0.001, 0.0, 0.0, 0.001,
    0.001, 0.001, 0.001, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.1,
)  # fmt: skip
UPPER = (
    100.0, 100.0, 100.0, 100.0, 10.0, 4.0, 4.0, 0.75, 4.5, 0.8, 3.5,
    5.0, 0.25, 0.9, 4.0, 1.0, 6.0, 2.0, 2.0, 0.8, 0.8,
)  # fmt: skip


@dataclass(frozen=True)
class Weights:
    """The 21 parameters of FSRS-6, inside their bounds.

    Errors: InvalidModelInput naming the parameter that is missing, not finite or out of bounds. Fitted values are
    brought inside with `Weights.clipped` on purpose, never silently.
    """

    values: tuple[float, ...] = DEFAULTS

    def __post_init__(self) -> None:
        if len(self.values) != len(DEFAULTS):
            raise InvalidModelInput(f"FSRS-6 has {len(DEFAULTS)} parameters, not {len(self.values)}.")
        for index, (value, low, high) in enumerate(zip(self.values, LOWER, UPPER, strict=True)):
            if not low <= value <= high:
                raise InvalidModelInput(f"FSRS-6 parameter w{index} = {value} lies outside {low} to {high}.")

    @classmethod
    def clipped(cls, values: Sequence[float]) -> Weights:
        """The weights nearest to `values` inside the bounds. Errors: InvalidModelInput where one is not finite."""
        if not all(math.isfinite(v) for v in values):
            raise InvalidModelInput("A fitted FSRS-6 parameter is not finite.")
        return cls(tuple(min(max(v, low), high) for v, low, high in zip(values, LOWER, UPPER, strict=True)))

    @cached_property
    def factor(self) -> float:
        """The scale of time, f = 0.9^(-1/w20) - 1: it makes R(S) = 0.9."""
        return 0.9 ** (-1.0 / self.values[20]) - 1.0

    @cached_property
    def easy_difficulty(self) -> float:
        """D0 of Easy, not clipped: what difficulty reverts to."""
        return self.values[4] - math.exp(3.0 * self.values[5]) + 1.0


FSRS6 = Weights()


@dataclass(frozen=True, slots=True)
class Memory:
    """An item's memory: `stability` in days (until R falls to 0.9), `difficulty` 1 to 10."""

    stability: float
    difficulty: float


def first(rating: int, *, weights: Weights = FSRS6) -> Memory:
    """The memory after the first review ever. Errors: InvalidModelInput for a rating outside 1..4."""
    _check_rating(rating)
    w = weights.values
    difficulty = w[4] - math.exp(w[5] * (rating - 1)) + 1.0
    return Memory(max(w[rating - 1], STABILITY_MIN), min(max(difficulty, 1.0), 10.0))


def step(memory: Memory, elapsed_days: int, rating: int, *, weights: Weights = FSRS6) -> Memory:
    """The memory after one more review, `elapsed_days` whole local days after the last.

    The new stability uses the old difficulty. Day 0 takes the same-day branch, whose floor holds from Hard upwards.

    Shapes: scalar; `fsrs_many.step_many` takes (n,) arrays and gives the same values to 1e-12.
    Units: days; rating 1 Again, 2 Hard, 3 Good, 4 Easy.
    Errors: InvalidModelInput for a rating outside 1..4 or a negative time.
    Source: FSRS-6 as in py-fsrs 6.3.2; golden cases in tests/golden/fsrs6.json.
    """
    return met(memory, elapsed_days, rating, weights=weights)[1]


def met(memory: Memory, elapsed_days: int, rating: int, *, weights: Weights = FSRS6) -> tuple[float, Memory]:
    """(`retrievability` before one more review, `step` with it): both at the cost of one."""
    _check_rating(rating)
    recall = retrievability(memory.stability, elapsed_days, weights=weights)
    if elapsed_days < 1:
        stability = _same_day(memory.stability, rating, weights.values)
    else:
        after = _after_lapse if rating == 1 else _after_recall
        stability = after(memory, recall, rating, weights.values)
    after_it = Memory(
        min(max(stability, STABILITY_MIN), STABILITY_MAX), _difficulty(memory.difficulty, rating, weights)
    )
    return recall, after_it


def retrievability(stability: float, elapsed_days: float, *, weights: Weights = FSRS6) -> float:
    """R(t): the chance to recall the item `elapsed_days` after the last review.

    Errors: InvalidModelInput for a negative time: clamp reversed clocks where they are read.
    """
    if elapsed_days < 0:
        raise InvalidModelInput(f"Elapsed days must not be negative, not {elapsed_days}.")
    return float((1.0 + weights.factor * elapsed_days / stability) ** -weights.values[20])


def interval(
    stability: float, desired_retention: float = 0.9, *, weights: Weights = FSRS6, cap_days: int = INTERVAL_MAX
) -> int:
    """Whole days until R falls to the desired retention: rounded half to even, at least 1, at most `cap_days`.

    Errors: InvalidModelInput for a desired retention outside (0, 1).
    """
    if not 0.0 < desired_retention < 1.0:
        raise InvalidModelInput(f"Desired retention must lie between 0 and 1, not {desired_retention}.")
    exact = stability / weights.factor * (desired_retention ** (-1.0 / weights.values[20]) - 1.0)
    return min(max(round(exact), 1), cap_days)


def _check_rating(rating: int) -> None:
    if rating not in (1, 2, 3, 4):
        raise InvalidModelInput(f"A rating is 1, 2, 3 or 4, not {rating!r}.")


def _same_day(stability: float, rating: int, w: tuple[float, ...]) -> float:
    growth = math.exp(w[17] * (rating - 3 + w[18])) * stability ** -w[19]
    # From Hard upwards since py-fsrs 6.3.2; before it only from Good, which puts S off by up to 84 %.
    return stability * (max(growth, 1.0) if rating >= 2 else growth)


def _after_recall(memory: Memory, recall: float, rating: int, w: tuple[float, ...]) -> float:
    s, d = memory.stability, memory.difficulty
    bonus = w[15] if rating == 2 else w[16] if rating == 4 else 1.0
    return s * (1.0 + math.exp(w[8]) * (11.0 - d) * s ** -w[9] * (math.exp(w[10] * (1.0 - recall)) - 1.0) * bonus)


def _after_lapse(memory: Memory, recall: float, _: int, w: tuple[float, ...]) -> float:
    s, d = memory.stability, memory.difficulty
    long_term = w[11] * d ** -w[12] * ((s + 1.0) ** w[13] - 1.0) * math.exp(w[14] * (1.0 - recall))
    return min(long_term, s * math.exp(-w[17] * w[18]))


def _difficulty(difficulty: float, rating: int, weights: Weights) -> float:
    w = weights.values
    moved = difficulty - w[6] * (rating - 3) * (10.0 - difficulty) / 9.0
    return min(max(w[7] * weights.easy_difficulty + (1.0 - w[7]) * moved, 1.0), 10.0)
