"""Does the interval of a topic's retrieval strength hold what the next week shows? With the learner's τ, and .25."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from osler.evaluate.metrics import Floats
from osler.evaluate.recall_data import LearnerReviews
from osler.science.logits_many import sigmoid_many
from osler.science.topic_strength import START_TAU, topic_strengths
from osler.science.weekly_error import week_of

if TYPE_CHECKING:
    from osler.evaluate.recall import LearnerRun

Ints = npt.NDArray[np.int64]

FEWEST = 5
CARDS_A_TOPIC = 100
LEVEL = 0.9
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum())


def topic_weeks(runs: Sequence[LearnerRun]) -> dict[str, dict[str, Any]]:
    """By learner, and as unweighted means: coverage, log loss and width, under the learner's τ and the start value.

    A topic-week is what was reviewed of a topic in a week: each item's first review, 5 or more of them, forecast as
    the week begins. Covered: the number passed lies in the middle 90 % of what the forecasts say, shifted together by
    an N(0, τ²) in logits; a number at the edge counts in part. Log loss: of the outcomes together, by review. Width:
    of the interval as it is served. Where no topic is stated a hundred cards met one after another stand for one.
    """
    rows = {run.reviews.user: found for run in runs if (found := _of_learner(run))}
    if rows:
        names = next(iter(rows.values()))
        rows["mean of learners"] = {name: float(np.mean([row[name] for row in rows.values()])) for name in names}
    return rows


def _of_learner(run: LearnerRun) -> dict[str, Any]:
    groups = _groups(run)
    if not groups:
        return {}
    passed = [run.reviews.history.passed[rows] for rows in groups]
    ahead = [run.ahead.logit[rows] for rows in groups]
    own = np.array([run.ahead.tau[rows[0]] for rows in groups])
    reviews = sum(rows.size for rows in groups)
    found: dict[str, Any] = {"topic_weeks": len(groups), "reviews": reviews, "tau": float(own[-1])}
    for name, tau in (("", own), ("_at_start", np.full(own.size, START_TAU))):
        scored = [score(z, hit, sd) for z, hit, sd in zip(ahead, passed, tau.tolist(), strict=True)]
        found[f"coverage{name}"] = float(np.mean([covered for covered, _ in scored]))
        found[f"log_loss{name}"] = sum(loss for _, loss in scored) / reviews
        found[f"width{name}"] = _width(ahead, tau)
    return found


def _groups(run: LearnerRun) -> list[Ints]:
    """The scored rows of each topic-week, in time order of the weeks: each item's first in it."""
    reviews, rows = run.reviews, run.scored
    keys = np.column_stack([week_of(reviews.local_day), _topics(reviews)])[rows]
    _, code = np.unique(keys, axis=0, return_inverse=True)
    _, first = np.unique(np.column_stack([code.ravel(), reviews.history.item[rows]]), axis=0, return_index=True)
    chosen = np.sort(first)
    found = [rows[chosen[code.ravel()[chosen] == group]] for group in range(int(code.max()) + 1)]
    return [group for group in found if group.size >= FEWEST]


def _topics(reviews: LearnerReviews) -> Ints:
    if bool((reviews.topic != "").any()):
        return np.unique(reviews.topic, return_inverse=True)[1]
    _, first, card = np.unique(reviews.history.item, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[card] // CARDS_A_TOPIC


def score(ahead: Floats, passed: npt.NDArray[np.bool_], tau: float) -> tuple[float, float]:
    """(how far the number passed lies inside the middle 90 %, log loss of all outcomes together in nats).

    Shapes: (n,) logits and outcomes of a topic-week, whose shift from the logits is N(0, tau²).
    """
    chance = np.clip(sigmoid_many(ahead + tau * _NODES[:, None]), 1e-12, 1.0 - 1e-12)
    likely = _LOG_WEIGHTS + np.log(np.where(passed, chance, 1.0 - chance)).sum(axis=1)
    pmf = np.exp(_LOG_WEIGHTS) @ _number_passed(chance)
    here, below = pmf[int(passed.sum())], pmf[: int(passed.sum())].sum()
    inside = min(below + here, (1.0 + LEVEL) / 2.0) - max(below, (1.0 - LEVEL) / 2.0)
    return float(np.clip(inside / here, 0.0, 1.0)), -float(np.logaddexp.reduce(likely))


def _number_passed(chance: Floats) -> Floats:
    """(nodes, n + 1): how likely each number is among n outcomes of these chances. Shapes: (nodes, n)."""
    pmf = np.zeros((chance.shape[0], chance.shape[1] + 1))
    pmf[:, 0] = 1.0
    for n, p in enumerate(chance.T, start=1):
        pmf[:, 1 : n + 1] = pmf[:, 1 : n + 1] * (1.0 - p[:, None]) + pmf[:, :n] * p[:, None]
        pmf[:, 0] *= 1.0 - p
    return pmf


def _width(ahead: Sequence[Floats], tau: Floats) -> float:
    topic = np.repeat(np.arange(len(ahead)), [z.size for z in ahead])
    found = topic_strengths(sigmoid_many(np.concatenate(ahead)), topic, len(ahead), tau=tau)
    return float(np.mean(found.high - found.low))
