"""How far off are a learner's forecasts from week to week? τ, the part of a topic's interval that all items share."""

from __future__ import annotations

from math import sqrt
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from osler.science.retention import FEWEST_A_PERIOD, WEEK_DAYS
from osler.science.topic_strength import START_TAU

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Days = TypeVar("Days", int, Ints)

WEEKS_OF_START = 8


class WeeklyError(msgspec.Struct, frozen=True, gc=False):
    """Sums over a learner's next-day reviews: of the week that is open, and of the weeks that are over.

    A review's surprise is y - R, its information R (1 - R): the sum of the one over that of the other is the week's
    mean calibration error in logits, to the first order. It is finite where all were passed, and its sampling
    variance is 1 over the information.
    """

    week: int = 0
    n: int = 0
    surprise: float = 0.0
    information: float = 0.0
    weeks: int = 0
    surprises: float = 0.0
    informations: float = 0.0
    informations_squared: float = 0.0
    deviance: float = 0.0


def week_of(local_day: Days) -> Days:
    """The number of the week, from Monday, that a local day falls in (or each of many); days as proleptic ordinals."""
    return (local_day - 1) // WEEK_DAYS


def seen(before: WeeklyError, week: int, forecast: float, passed: bool) -> WeeklyError:
    """After one more next-day review, whose forecast R was made before it.

    The open week is over once a later one has a review; with under 20 reviews it is joined with that one, as in
    `osler.science.retention`. A review of an earlier week (a flight west) counts to the open one.
    """
    surprise, information = passed - forecast, forecast * (1.0 - forecast)
    if week > before.week and before.n >= FEWEST_A_PERIOD:
        of_week = before.information
        return WeeklyError(
            week, 1, surprise, information, before.weeks + 1, before.surprises + before.surprise,
            before.informations + of_week, before.informations_squared + of_week * of_week,
            before.deviance + before.surprise * before.surprise / of_week,
        )  # fmt: skip
    return WeeklyError(
        max(week, before.week), before.n + 1, before.surprise + surprise, before.information + information,
        before.weeks, before.surprises, before.informations, before.informations_squared, before.deviance,
    )  # fmt: skip


def tau(known: WeeklyError) -> float:
    """The sd of the learner's weekly mean calibration error, in logits: the start value under 8 weeks, and at least.

    What weeks of that many reviews would differ by chance is taken off (a moment estimate). The rest is drawn towards
    the start value, which counts as 8 weeks without chance; a week of the learner's counts the less the more of it is
    chance. Never below the start value: a topic is off by itself too, which a mean over topics does not show.

    Source: science page, 2.8; DerSimonian & Laird 1986; docs/decisions/0055.
    """
    if known.weeks < WEEKS_OF_START:
        return START_TAU
    start, free = START_TAU * START_TAU, known.weeks - 1
    weight = known.informations - known.informations_squared / known.informations
    spread = known.deviance - known.surprises * known.surprises / known.informations
    found = (spread - free) / weight
    counts = free * (start / (start + free / weight)) ** 2
    return sqrt(max(start, (WEEKS_OF_START * start + counts * found) / (WEEKS_OF_START + counts)))


def scan(week: Ints, forecast: Floats, passed: Mask, next_day: Mask) -> Floats:
    """τ at each of a learner's reviews in time order, from the weeks that are over by then.

    Shapes: (n,) arrays. `forecast` is the model's own, with its bias; rows that are no next-day review teach nothing.
    """
    known, now, out = WeeklyError(), START_TAU, np.empty(forecast.size)
    columns = (week.tolist(), forecast.tolist(), passed.tolist(), next_day.tolist())
    for row, (of, chance, hit, teaches) in enumerate(zip(*columns, strict=True)):
        if teaches:
            before, known = known.weeks, seen(known, of, chance, hit)
            now = tau(known) if known.weeks > before else now
        out[row] = now
    return out
