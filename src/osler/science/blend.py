"""What chance of recall is served? The mean logit of FSRS-6 and SBD, moved by the learner's own bias.

Sources: FSRS-6 (Ye, Su, Cao 2022) and SBD (srs-benchmark); the mean of logits is a logarithmic opinion pool (Genest &
Zidek 1986), the bias a step of online gradient descent on the log loss (Zinkevich 2003).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput
from osler.science import fsrs, fsrs_many, sbd
from osler.science.logits import logit, sigmoid
from osler.science.logits_many import logit_many
from osler.science.waves import waves_of

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

BIAS_RATE = 0.02
BIAS_LIMIT = 2.0
CAP_DAYS = 365


@dataclass(frozen=True)
class Parameters:
    """What a version of the memory model is: the weights of both parts."""

    fsrs: fsrs.Weights = fsrs.FSRS6
    sbd: sbd.Parameters = sbd.POPULATION


POPULATION = Parameters()


@dataclass(frozen=True, slots=True)
class ItemMemory:
    """An item's memory in both models."""

    fsrs: fsrs.Memory
    sbd: sbd.Trace


def review(
    memory: ItemMemory | None,
    elapsed_local_days: int,
    elapsed_days: float,
    rating: int,
    *,
    parameters: Parameters = POPULATION,
) -> ItemMemory:
    """The memory after one review; None stands for an item never reviewed, whose elapsed times are not read.

    Units: `elapsed_local_days` is the difference of local dates (FSRS), `elapsed_days` that of instants in days with
    fractions (SBD); both clamped at 0 where a clock was corrected.
    """
    if memory is None:
        return ItemMemory(fsrs.first(rating, weights=parameters.fsrs), sbd.first(rating, parameters=parameters.sbd))
    return ItemMemory(
        fsrs.step(memory.fsrs, max(0, elapsed_local_days), rating, weights=parameters.fsrs),
        sbd.step(memory.sbd, max(0.0, elapsed_days), rating, parameters=parameters.sbd),
    )


def recall(
    memory: ItemMemory | None,
    elapsed_local_days: int,
    elapsed_days: float,
    *,
    bias: float = 0.0,
    parameters: Parameters = POPULATION,
) -> float | None:
    """The served R; None for an item never reviewed, for which nothing can be said.

    On the day of the last review FSRS says 1, which no log loss forgives: SBD alone answers there.
    """
    if memory is None:
        return None
    z = logit(sbd.recall(memory.sbd, max(0.0, elapsed_days), parameters=parameters.sbd))
    if elapsed_local_days >= 1:
        by_fsrs = fsrs.retrievability(memory.fsrs.stability, elapsed_local_days, weights=parameters.fsrs)
        z = (z + logit(by_fsrs)) / 2.0
    return sigmoid(z + bias)


def met(
    memory: ItemMemory,
    elapsed_local_days: int,
    elapsed_days: float,
    rating: int,
    *,
    bias: float = 0.0,
    parameters: Parameters = POPULATION,
) -> tuple[float, ItemMemory]:
    """(`recall` before one more review, `review` with it): both at the cost of one. Units: as `review`."""
    days = max(0, elapsed_local_days)
    by_sbd, trace = sbd.met(memory.sbd, max(0.0, elapsed_days), rating, parameters=parameters.sbd)
    by_fsrs, kept = fsrs.met(memory.fsrs, days, rating, weights=parameters.fsrs)
    z = logit(by_sbd)
    if days >= 1:
        z = (z + logit(by_fsrs)) / 2.0
    return sigmoid(z + bias), ItemMemory(kept, trace)


def update_bias(bias: float, forecast: float, passed: bool) -> float:
    """The learner's bias after a next-day review whose served forecast was `forecast`."""
    moved = bias + BIAS_RATE * (float(passed) - forecast)
    return min(max(moved, -BIAS_LIMIT), BIAS_LIMIT)


@dataclass(frozen=True, slots=True)
class Folded:
    """Every row of a fold: both models' forecasts, their joint logit (NaN at an item's first review), the memories."""

    by_fsrs: Floats
    by_sbd: Floats
    logit: Floats
    fsrs: fsrs_many.Folded
    sbd: sbd.Traces


def fold(
    item: npt.ArrayLike,
    elapsed_local_days: Floats,
    elapsed_days: Floats,
    rating: npt.NDArray[np.int64],
    *,
    parameters: Parameters = POPULATION,
) -> Folded:
    """All reviews of many items in waves: `review` and `recall` (before the bias) with the same values.

    Shapes: (n,) arrays in fold order; items of several learners may be folded together if their ids differ.
    """
    waves = waves_of(item)
    mine = fsrs_many.fold(waves, elapsed_local_days, rating, weights=parameters.fsrs)
    theirs = sbd.fold(waves, elapsed_days, rating, parameters=parameters.sbd)
    z = logit_many(theirs.forecast)
    joint = np.where(elapsed_local_days >= 1.0, (z + logit_many(mine.forecast)) / 2.0, z)
    return Folded(by_fsrs=mine.forecast, by_sbd=theirs.forecast, logit=joint, fsrs=mine, sbd=theirs)


def scan_bias(z: Floats, passed: Mask, next_day: Mask, *, bias: float = 0.0) -> tuple[Floats, float]:
    """One learner's served forecasts in time order, and the bias after the last.

    Shapes: (n,) arrays; `z` is the joint logit, NaN where there is no forecast (gives NaN). `next_day` marks the
    reviews that teach: those at least one local day after the last of the same item.
    The bias depends on the order across items, so this cannot run in waves.
    """
    served: list[float] = []
    # `sigmoid` and `update_bias` written out: their calls are most of a nightly refold's time.
    for value, hit, teaches in zip(z.tolist(), passed.tolist(), next_day.tolist(), strict=True):
        x = value + bias
        if x >= 0.0:
            forecast = 1.0 / (1.0 + exp(-x))
        else:
            grown = exp(x)
            forecast = grown / (1.0 + grown)
        served.append(forecast)
        if teaches:
            moved = bias + BIAS_RATE * (hit - forecast)
            bias = BIAS_LIMIT if moved > BIAS_LIMIT else max(moved, -BIAS_LIMIT)
    return np.array(served, dtype=np.float64), bias


def due_in_days(
    memory: ItemMemory,
    desired_retention: float,
    *,
    bias: float = 0.0,
    parameters: Parameters = POPULATION,
    cap_days: int = CAP_DAYS,
) -> int:
    """Days from the last review to the last whole local day with R >= desired retention: 1 to `cap_days`.

    Curve and calendar agree: on the due day the served curve still is at the desired retention, the day after it is
    below, unless the cap or the floor of one day holds.
    Errors: InvalidModelInput for a desired retention outside (0, 1) or a cap below 1.
    """
    if not 0.0 < desired_retention < 1.0 or cap_days < 1:
        raise InvalidModelInput("A due day needs a desired retention inside (0, 1) and a cap of at least one day.")
    target = logit(desired_retention)

    def still_there(day: int) -> bool:
        z = logit(sbd.recall(memory.sbd, float(day), parameters=parameters.sbd))
        by_fsrs = fsrs.retrievability(memory.fsrs.stability, day, weights=parameters.fsrs)
        return (z + logit(by_fsrs)) / 2.0 + bias >= target

    guess = fsrs.interval(memory.fsrs.stability, desired_retention, weights=parameters.fsrs, cap_days=cap_days)
    return _last_day(still_there, guess, cap_days)


def _last_day(holds: Callable[[int], bool], guess: int, cap: int) -> int:
    """The last day in 1..cap on which a falling condition holds; 1 where it never does. Bisection from a guess."""
    low, high = (guess, cap + 1) if holds(guess) else (1, guess)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
