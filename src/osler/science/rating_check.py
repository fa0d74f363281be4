"""Does a chosen mapping of grades fit the source's own recall? What a wrong one looks like, never silently used.

Source: differences weighted over bins of elapsed time, Mantel & Haenszel 1959.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from osler.science import blend, guard
from osler.science.logits import CLIP
from osler.science.memory_fit import History

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Code = Literal["not_monotone", "hard_as_forgot", "loses_to_running_mean", "one_sided"]

FEWEST = 30
SURE_Z = 2.58  # a warning is to be wrong once in a hundred learners
HARD_SHARE = 0.30
ENOUGH_REVIEWS = 200


@dataclass(frozen=True, slots=True)
class ScaleWarning:
    """One thing that speaks against a mapping, as a code and a sentence with its numbers."""

    code: Code
    text: str


def check_scale(history: History) -> tuple[ScaleWarning, ...]:
    """What speaks against the way that a learner's grades were mapped to ratings; empty where nothing does.

    A better rating must not be followed by a worse recall: compared at like elapsed times, as schedulers give better
    ratings longer intervals. Under 30 cases of a kind nothing is said.
    """
    return tuple(warning for check in (_one_sided, _order, _hard, _default) for warning in check(history))


def _one_sided(history: History) -> Iterator[ScaleWarning]:
    passed = history.passed[history.next_day]
    if passed.size >= ENOUGH_REVIEWS and bool(passed.all() or not passed.any()):
        which = "pass" if passed.all() else "failure"
        yield ScaleWarning(
            "one_sided", f"Every one of {passed.size} next-day reviews is a {which}: are failures recorded?"
        )


def _order(history: History) -> Iterator[ScaleWarning]:
    before, after, days = _neighbours(history)
    for worse, better in ((1, 2), (2, 3), (3, 4)):
        gap = _recall_gap(after, days, before == worse, before == better)
        if gap is not None and gap[0] < 0 and gap[0] / gap[1] < -SURE_Z:
            yield ScaleWarning(
                "not_monotone",
                f"After rating {better}, recall is {-gap[0]:.0%} lower than after {worse} at like elapsed times.",
            )


def _hard(history: History) -> Iterator[ScaleWarning]:
    hard = history.rating == 2
    share = float(hard.mean()) if hard.size else 0.0
    following = _following(history)
    followed = hard & (following >= 0)
    if share <= HARD_SHARE or int(followed.sum()) < FEWEST:
        return
    soon = float((history.local_days[following[followed]] <= 1).mean())
    if soon > 0.5:
        yield ScaleWarning(
            "hard_as_forgot",
            f"{share:.0%} of reviews are Hard, and {soon:.0%} of those come again within a day: "
            "Hard may be used for 'forgot'.",
        )


def _default(history: History) -> Iterator[ScaleWarning]:
    rows = np.flatnonzero(history.next_day)
    if rows.size < ENOUGH_REVIEWS:
        return
    folded = blend.fold(history.item, history.local_days, history.days, history.rating)
    passed = history.passed[rows]
    mean = guard.running_mean(history.passed, history.next_day)[rows]
    gap = _loss(folded.by_fsrs[rows], passed) - _loss(mean, passed)
    if float(gap.mean()) > SURE_Z * float(gap.std()) / rows.size**0.5:
        yield ScaleWarning(
            "loses_to_running_mean",
            f"FSRS-6 with default weights loses to the running mean by {gap.mean():.3f} log loss over {rows.size} "
            "reviews: the grades may be on another scale. Until a fit, forecasts lean on the running mean.",
        )


def _following(history: History) -> Ints:
    """The row of the same item's next review, -1 where there is none."""
    by_item = np.argsort(history.item, kind="stable")
    following = np.full(by_item.size, -1, dtype=np.int64)
    same = history.item[by_item][1:] == history.item[by_item][:-1]
    following[by_item[:-1][same]] = by_item[1:][same]
    return following


def _neighbours(history: History) -> tuple[Ints, Floats, Floats]:
    """(rating, whether the next review was passed, days between) for pairs of reviews with a day or more between."""
    following = _following(history)
    rows = np.flatnonzero(following >= 0)
    rows = rows[history.local_days[following[rows]] >= 1]
    after = following[rows]
    return history.rating[rows], history.passed[after].astype(np.float64), history.local_days[after]


def _recall_gap(passed: Floats, days: Floats, worse: Mask, better: Mask) -> tuple[float, float] | None:
    """(difference of recall, its standard error), weighted over bins of elapsed time (Mantel & Haenszel 1959)."""
    bins = np.floor(np.log2(np.maximum(days, 1.0))).astype(np.int64)
    gap = weight = variance = 0.0
    if int(worse.sum()) < FEWEST or int(better.sum()) < FEWEST:
        return None
    for b in np.unique(bins).tolist():
        low, high = passed[worse & (bins == b)], passed[better & (bins == b)]
        if low.size < 2 or high.size < 2:
            continue
        w = low.size * high.size / (low.size + high.size)
        rates = [((float(x.sum()) + 0.5) / (x.size + 1.0), x.size) for x in (low, high)]
        gap += w * float(high.mean() - low.mean())
        variance += w * w * sum(r * (1.0 - r) / n for r, n in rates)
        weight += w
    return (gap / weight, variance**0.5 / weight) if weight > 0 else None


def _loss(forecast: Floats, passed: Mask) -> Floats:
    inside = np.clip(forecast, CLIP, 1.0 - CLIP)
    return -np.log(np.where(passed, inside, 1.0 - inside))
